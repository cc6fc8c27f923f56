package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
)

func TestClassify(t *testing.T) {
	for name, tc := range map[string]struct {
		text string
		want []string
	}{
		"MIT, broken over lines": {"Permission is hereby granted, free of charge, to any\n  person obtaining a copy of this", []string{"MIT"}},
		"BSD with three clauses": {"Redistribution and use in source and binary forms … may be used to endorse or promote products derived", []string{"BSD-3-Clause"}},
		"BSD with two":           {"Redistribution and use in source and binary forms, with or without", []string{"BSD-2-Clause"}},
		"Apache":                 {"Apache License\nVersion 2.0, January 2004", []string{"Apache-2.0"}},
		"two in one file":        {"covered by the MIT license: Permission is hereby granted, free of charge, to any person obtaining a copy … Licensed under the Apache License", []string{"Apache-2.0", "MIT"}},
		"GPL":                    {"GNU GENERAL PUBLIC LICENSE\nVersion 3", []string{"GPL"}},
		"AGPL":                   {"GNU Affero General Public License; see the GNU General Public License", []string{"AGPL"}},
		"LGPL":                   {"GNU Lesser General Public License", []string{"LGPL"}},
		"MPL names the GPL":      {"Mozilla Public License Version 2.0 … GNU General Public License", []string{"MPL-2.0"}},
		"none":                   {"All rights reserved.", nil},
	} {
		got := classify(tc.text)
		slices.Sort(got)
		if !slices.Equal(got, tc.want) {
			t.Errorf("%s: got %v, want %v", name, got, tc.want)
		}
	}
}

func TestRefused(t *testing.T) {
	ok := map[string]part{
		"a 1": {Name: "a", Licenses: []string{"MIT"}},
		"l 2": {Name: "github.com/hashicorp/golang-lru/v2", Licenses: []string{"MPL-2.0"}},
	}
	if err := refused(ok); err != nil {
		t.Errorf("refused what may be shipped: %v", err)
	}
	for _, bad := range []part{
		{Name: "gpl", Licenses: []string{"GPL"}},
		{Name: "mixed", Licenses: []string{"MIT", "AGPL"}},
		{Name: "other", Licenses: []string{"MPL-2.0"}}, // one module's exception is not another's
		{Name: "unknown"},
	} {
		if err := refused(map[string]part{bad.Name + " 1": bad, "a 1": ok["a 1"]}); err == nil || !strings.Contains(err.Error(), bad.Name) {
			t.Errorf("%s: %v", bad.Name, err)
		}
	}
}

// modules of a build information, as Go prints it
const built = "path\tx\nmod\tx\t(devel)\n" +
	"dep\tgolang.org/x/sys\tv0.49.0\th1:0000\n" +
	"dep\tgithub.com/spf13/cobra\tv1.10.1\n=>\tgithub.com/spf13/cobra\tv1.10.2\th1:1111\n" +
	"build\tCGO_ENABLED=1\n"

func TestGoPartsFollowsReplacements(t *testing.T) {
	info, err := debug.ParseBuildInfo(built)
	if err != nil {
		t.Fatal(err)
	}
	info.GoVersion = "go1.26.8"
	parts, err := goParts(info)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, p := range parts {
		got[p.Name] = p.Version + " " + strings.Join(p.Licenses, "+")
	}
	want := map[string]string{"stdlib": "1.26.8 BSD-3-Clause", "golang.org/x/sys": "v0.49.0 BSD-3-Clause", "github.com/spf13/cobra": "v1.10.2 Apache-2.0"}
	for name, v := range want {
		if got[name] != v {
			t.Errorf("%s is %q, want %q", name, got[name], v)
		}
	}
	if len(got) != len(want) || !usesC(info) {
		t.Errorf("got %v, C: %v", got, usesC(info))
	}
}

func TestDescribeIsTheSameTwice(t *testing.T) {
	t.Setenv("SOURCE_DATE_EPOCH", "1700000000")
	t.Setenv("VERSION", "1.2.3")
	file := filepath.Join(t.TempDir(), "linux-amd64", "meetguard")
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte("a program"), 0o755); err != nil {
		t.Fatal(err)
	}
	parts := []part{{Name: "m", Version: "v1", Sum: "h1:AAEC", Purl: "pkg:golang/m@v1", Licenses: []string{"MIT"}}, {Name: "glibc", Version: "2.36", Purl: "pkg:generic/glibc@2.36", Licenses: []string{"LGPL-2.1-or-later"}}}
	one, err := describe(file, parts)
	if err != nil {
		t.Fatal(err)
	}
	two, _ := describe(file, parts)
	if string(one) != string(two) {
		t.Error("two descriptions of one program differ")
	}
	var doc bom
	if err := json.Unmarshal(one, &doc); err != nil {
		t.Fatal(err)
	}
	if len(doc.Components) != 2 || len(doc.Dependencies[0].DependsOn) != 2 || doc.Metadata.Timestamp != "2023-11-14T22:13:20Z" || doc.Metadata.Component.Version != "1.2.3" {
		t.Errorf("got %+v", doc)
	}
}

func TestCPartsNeedFourColumns(t *testing.T) {
	if _, err := cParts("libyara\t4.5.2\n"); err == nil {
		t.Error("took a line without a licence")
	}
}
