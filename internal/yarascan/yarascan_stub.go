//go:build !(cgo && yara)

package yarascan

import (
	"time"

	"meetguard"
)

// Rules is one compiled set; this build can make none.
type Rules struct{}

// Compile always fails in this build.
func Compile([]Source, Externals) (*Rules, error) { return nil, ErrUnavailable }

// Check always fails in this build.
func Check(Source, Externals) (int, []string, error) { return 0, nil, ErrUnavailable }

// Count is the number of rules in the set.
func (*Rules) Count() int { return 0 }

// Info is what `rules list` shows of one rule.
type Info struct {
	Name string            `json:"name"`
	Meta map[string]string `json:"meta"`
}

// List names the rules of the set with their metadata.
func (*Rules) List() []Info { return nil }

// Scanner runs one set; this build can make none.
type Scanner struct{}

// NewScanner always fails in this build.
func (*Rules) NewScanner(time.Duration) (*Scanner, error) { return nil, ErrUnavailable }

// Scan always fails in this build.
func (*Scanner) Scan([]byte, Externals) ([]meetguard.Match, error) { return nil, ErrUnavailable }
