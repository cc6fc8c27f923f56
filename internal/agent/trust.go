package agent

import (
	"errors"
	"fmt"

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

// JudgeFor gives the judge for a configuration. The second result tells, one
// error each, which friends do not count on this machine; the judge works
// without them.
func JudgeFor(cfg config.Config) (*detect.Judge, error, error) {
	brands, err := Catalogue(cfg)
	if err != nil {
		return nil, nil, err
	}
	friends, left := cfg.GuardedFriends()
	return detect.NewWith(brands, friends), left, nil
}
