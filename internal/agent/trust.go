package agent

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"time"

	"meetguard"
	"meetguard/internal/config"
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
	if in.judge, err = judgeOf(brands, friends); err != nil {
		return err
	}
	in.sigma = newLaunchRules(cfg.ProcessRules)
	in.policy, err = policyOf(cfg.Brands, friends, cfg.Anchors, cfg.Abused, time.Now())
	in.version += in.policy
	return err
}

// Policy names the operator's own brands, friends and lists, "" for none: two
// inspectors of one Policy judge alike.
func (in *Inspector) Policy() string { return in.policy }

// policyOf is a short hash of what an operator added. A friend that has expired
// is none, so that what it allowed is judged again.
func policyOf(brands []meetguard.Brand, friends []meetguard.Friend, anchors, abused string, now time.Time) (string, error) {
	day := now.UTC().Format(time.DateOnly)
	friends = slices.DeleteFunc(slices.Clone(friends), func(f meetguard.Friend) bool { return f.Expires < day })
	if len(brands)+len(friends) == 0 && anchors == "" && abused == "" {
		return "", nil
	}
	hash := sha256.New()
	if err := json.NewEncoder(hash).Encode([]any{brands, friends}); err != nil {
		return "", fmt.Errorf("name the operator's entries: %w", err)
	}
	files, _ := filepath.Glob(filepath.Join(anchors, "*.pem")) // a bad folder is told by the worker
	if abused != "" {
		files = append(files, abused)
	}
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			return "", fmt.Errorf("read what the operator added: %w", err)
		}
		hash.Write(data)
	}
	return "+" + hex.EncodeToString(hash.Sum(nil))[:12], nil
}
