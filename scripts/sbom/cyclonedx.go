package main

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// The part of CycloneDX 1.5 that is used, from its JSON schema (bom-1.5).
type (
	bom struct {
		Format       string       `json:"bomFormat"`
		Spec         string       `json:"specVersion"`
		Serial       string       `json:"serialNumber"`
		Version      int          `json:"version"`
		Metadata     metadata     `json:"metadata"`
		Components   []component  `json:"components"`
		Dependencies []dependency `json:"dependencies"`
	}
	metadata struct {
		Timestamp string    `json:"timestamp"`
		Component component `json:"component"`
	}
	component struct {
		Type     string     `json:"type"`
		Ref      string     `json:"bom-ref"`
		Name     string     `json:"name"`
		Version  string     `json:"version"`
		Hashes   []hash     `json:"hashes,omitempty"`
		Licenses []choice   `json:"licenses,omitempty"`
		Purl     string     `json:"purl,omitempty"`
		Props    []property `json:"properties,omitempty"`
	}
	hash struct {
		Alg     string `json:"alg"`
		Content string `json:"content"`
	}
	choice struct {
		License    *license `json:"license,omitempty"`
		Expression string   `json:"expression,omitempty"`
	}
	license struct {
		ID string `json:"id"`
	}
	property struct {
		Name  string `json:"name"`
		Value string `json:"value"`
	}
	dependency struct {
		Ref       string   `json:"ref"`
		DependsOn []string `json:"dependsOn"`
	}
)

// describe is the bill of materials of one program. The same program gives the
// same bytes: its number comes from the program, its time from the commit.
func describe(file string, parts []part) ([]byte, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read program: %w", err)
	}
	sum := sha256.Sum256(data)
	name := strings.TrimSuffix(filepath.Base(file), ".exe")
	target := filepath.Base(filepath.Dir(file))
	self := component{Type: "application", Ref: name, Name: name, Version: os.Getenv("VERSION"),
		Hashes:   []hash{{"SHA-256", hex.EncodeToString(sum[:])}},
		Licenses: []choice{{License: &license{"Apache-2.0"}}},
		Props:    []property{{"meetguard:target", target}, {"meetguard:commit", os.Getenv("COMMIT")}},
	}
	doc := bom{Format: "CycloneDX", Spec: "1.5", Serial: serial(sum), Version: 1, Metadata: metadata{Timestamp: commitTime(), Component: self}}
	links := dependency{Ref: name, DependsOn: []string{}}
	for _, p := range parts {
		doc.Components = append(doc.Components, p.component())
		links.DependsOn = append(links.DependsOn, p.Purl)
	}
	doc.Dependencies = []dependency{links}
	out, err := json.MarshalIndent(doc, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write bill of materials: %w", err)
	}
	return append(out, '\n'), nil
}

func (p part) component() component {
	c := component{Type: "library", Ref: p.Purl, Name: p.Name, Version: p.Version, Purl: p.Purl}
	if b64, ok := strings.CutPrefix(p.Sum, "h1:"); ok {
		// Go's own tree hash, not that of a file: told as a property
		if raw, err := base64.StdEncoding.DecodeString(b64); err == nil {
			c.Props = []property{{"golang:h1", hex.EncodeToString(raw)}}
		}
	}
	if len(p.Licenses) == 1 && !strings.Contains(p.Licenses[0], " ") && !strings.HasPrefix(p.Licenses[0], "LicenseRef-") {
		c.Licenses = []choice{{License: &license{p.Licenses[0]}}}
	} else if len(p.Licenses) > 0 {
		c.Licenses = []choice{{Expression: strings.Join(p.Licenses, " AND ")}}
	}
	return c
}

// serial is a UUID of version 8 (RFC 9562), made from a hash.
func serial(sum [32]byte) string {
	u := sum
	u[6] = u[6]&0x0f | 0x80
	u[8] = u[8]&0x3f | 0x80
	return fmt.Sprintf("urn:uuid:%x-%x-%x-%x-%x", u[:4], u[4:6], u[6:8], u[8:10], u[10:16])
}

// commitTime is SOURCE_DATE_EPOCH (seconds since 1970), the convention of
// reproducible builds.
func commitTime() string {
	n, _ := strconv.ParseInt(os.Getenv("SOURCE_DATE_EPOCH"), 10, 64)
	return time.Unix(n, 0).UTC().Format(time.RFC3339)
}
