package signatures

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"

	"meetguard"
)

// Distributors returns the embedded list of where software comes from. An error
// means that the program was built from a broken list.
func Distributors() (meetguard.Distributors, error) {
	data, err := fs.ReadFile(content(), "sources.yaml")
	if err != nil {
		return meetguard.Distributors{}, fmt.Errorf("read the embedded sources: %w", err)
	}
	return ParseDistributors(data)
}

// ParseDistributors reads a list of sources and refuses unknown fields, entries
// without a reason, entries that are no host, and those that stand there twice.
func ParseDistributors(data []byte) (meetguard.Distributors, error) {
	var d meetguard.Distributors
	dec := yaml.NewDecoder(bytes.NewReader(data))
	dec.KnownFields(true)
	if err := dec.Decode(&d); err != nil {
		return meetguard.Distributors{}, fmt.Errorf("read the sources: %w", err)
	}
	if err := checkDistributors(d); err != nil {
		return meetguard.Distributors{}, fmt.Errorf("sources: %w", err)
	}
	return d, nil
}

// sourceHost is a host in lower case with two labels or more; under known it may
// have the owner of a path behind it.
var sourceHost = regexp.MustCompile(`^[a-z0-9][a-z0-9-]*(\.[a-z0-9][a-z0-9-]*)+(/[a-z0-9][a-z0-9._-]*)?$`)

func checkDistributors(d meetguard.Distributors) error {
	var out []error
	seen, forges := map[string]bool{}, map[string]bool{}
	for _, g := range d.Forges {
		for _, host := range g.Hosts {
			forges[host] = true
		}
	}
	for name, groups := range map[string][]meetguard.HostGroup{"known": d.Known, "forges": d.Forges, "anybody": d.Anybody} {
		for _, g := range groups {
			if !isText(g.Why) {
				out = append(out, fmt.Errorf("%s: a group has no reason", name))
			}
			for _, host := range g.Hosts {
				out = append(out, checkSource(name, host, forges))
				if seen[host] {
					out = append(out, fmt.Errorf("%s: %q stands there twice", name, host))
				}
				seen[host] = true
			}
		}
	}
	return errors.Join(out...)
}

func checkSource(group, host string, forges map[string]bool) error {
	if !sourceHost.MatchString(host) {
		return fmt.Errorf("%s: %q is no host in lower case", group, host)
	}
	forge, _, owned := strings.Cut(host, "/")
	if owned && (group != "known" || !forges[forge]) {
		return fmt.Errorf("%s: %q names an owner, which counts on known forges only", group, host)
	}
	return nil
}
