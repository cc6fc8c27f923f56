package agent

import (
	"errors"
	"fmt"
	"log/slog"

	"meetguard"
	"meetguard/internal/config"
	"meetguard/internal/detect"
	"meetguard/signatures"
)

// Catalogue gives the brands in use: those inside the program and those of the
// configuration. It fails with everything that is wrong with the brands and
// with what friends say of them.
func Catalogue(cfg config.Config) ([]meetguard.Brand, error) {
	known, err := signatures.Brands()
	if err != nil {
		return nil, fmt.Errorf("load the brand catalogue: %w", err)
	}
	brands, err := signatures.Merge(known, cfg.Brands)
	if err != nil {
		err = fmt.Errorf("brands: %w", err)
	}
	return brands, errors.Join(err, cfg.CheckBrands(brands))
}

// Configure has the Inspector judge with the brands and friends of a
// configuration, before its first inspection. A friend that may not count on
// this machine is logged and left out.
func (in *Inspector) Configure(cfg config.Config, log *slog.Logger) error {
	brands, err := Catalogue(cfg)
	if err != nil {
		return err
	}
	friends, err := cfg.GuardedFriends()
	if err != nil {
		log.Warn("Friends left out", "why", err)
	}
	in.judge = detect.NewWith(brands, friends)
	return nil
}
