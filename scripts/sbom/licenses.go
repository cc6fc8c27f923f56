package main

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// allowed are the licences that may be shipped inside, by SPDX identifier. They
// ask for their text and the names of their authors, no more.
var allowed = []string{"MIT", "BSD-2-Clause", "BSD-3-Clause", "Apache-2.0", "ISC", "0BSD", "Unlicense", "CC0-1.0", "Zlib", "ZPL-2.1", "LicenseRef-public-domain"}

// tolerated are the exceptions, each with the reason why it may be shipped.
var tolerated = map[string]string{
	"github.com/hashicorp/golang-lru/v2 MPL-2.0":                                 "asks for the source of its own files, which are used unchanged",
	"github.com/shoenig/go-m1cpu MPL-2.0":                                        "as above; on macOS only",
	"glibc LGPL-2.1-or-later":                                                    "may be linked statically as long as the program can be linked again: its source is open",
	"libgcc GPL-3.0-or-later WITH GCC-exception-3.1":                             "the exception allows every program that GCC compiled",
	"winpthreads MIT AND BSD-3-Clause-Clear":                                     "asks for its text only",
	"kernel.org/pub/linux/libs/security/libcap/psx BSD-3-Clause OR GPL-2.0-only": "taken under the first of both",
}

// either are modules whose one file offers a choice of licences.
var either = map[string]string{
	"kernel.org/pub/linux/libs/security/libcap/psx": "BSD-3-Clause OR GPL-2.0-only",
}

// marks are phrases that tell a licence from the others, in lower case and with
// single spaces. The first hit of a group counts, so the narrower stands first.
var marks = []struct{ id, phrase, group string }{
	{"MPL-2.0", "mozilla public license", "copyleft"}, // its text names the GPL
	{"AGPL", "gnu affero general public license", "copyleft"},
	{"LGPL", "gnu lesser general public license", "copyleft"},
	{"GPL", "gnu general public license", "copyleft"},
	{"Apache-2.0", "apache license", "apache"},
	{"MIT", "permission is hereby granted, free of charge, to any person obtaining a copy", "mit"},
	{"BSD-3-Clause", "may be used to endorse or promote products", "bsd"},
	{"BSD-3-Clause", "to endorse or promote products derived from", "bsd"},
	{"BSD-2-Clause", "redistribution and use in source and binary forms", "bsd"},
	{"ISC", "permission to use, copy, modify, and/or distribute this software for any purpose with or without fee is hereby granted, provided that", "isc"},
	{"ISC", "permission to use, copy, modify, and distribute this software for any purpose with or without fee is hereby granted, provided that", "isc"},
	{"0BSD", "permission to use, copy, modify, and/or distribute this software for any purpose with or without fee is hereby granted.", "isc"},
	{"Zlib", "this software is provided 'as-is', without any express or implied warranty. in no event will the authors be held liable", "zlib"},
	{"LicenseRef-public-domain", "have been put into the public domain. you can do whatever you want", "public"},
	{"Unlicense", "this is free and unencumbered software released into the public domain", "public"},
	{"CC0-1.0", "cc0 1.0 universal", "public"},
}

// classify names the licences whose words are in a text.
func classify(text string) []string {
	words := strings.ToLower(strings.Join(strings.Fields(text), " "))
	var ids []string
	seen := map[string]bool{}
	for _, m := range marks {
		if !seen[m.group] && strings.Contains(words, m.phrase) {
			seen[m.group] = true
			ids = append(ids, m.id)
		}
	}
	return ids
}

// licensed adds the licences that lie in a module's folder.
func licensed(p part, dir string) (part, error) {
	files, err := os.ReadDir(dir)
	if err != nil {
		return p, fmt.Errorf("look for the licence of %s: %w", p.Name, err)
	}
	for _, f := range files {
		if f.IsDir() || !isLicense(f.Name()) {
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil {
			return p, fmt.Errorf("read the licence of %s: %w", p.Name, err)
		}
		p.Texts = append(p.Texts, string(text))
		if !strings.Contains(strings.ToUpper(f.Name()), "3RD-PARTY") { // modules of their own, listed as such
			p.Licenses = append(p.Licenses, classify(string(text))...)
		}
	}
	if choice := either[p.Name]; choice != "" {
		p.Licenses = []string{choice}
	}
	slices.Sort(p.Licenses)
	p.Licenses = slices.Compact(p.Licenses)
	return p, nil
}

func isLicense(name string) bool {
	name = strings.ToUpper(name)
	if strings.HasSuffix(name, ".GO") {
		return false
	}
	for _, prefix := range []string{"LICENSE", "LICENCE", "COPYING", "COPYRIGHT", "NOTICE", "UNLICENSE"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

// refused names everything that must not be shipped, all at once.
func refused(all map[string]part) error {
	var problems []error
	for _, key := range slices.Sorted(maps.Keys(all)) {
		p := all[key]
		if len(p.Licenses) == 0 {
			problems = append(problems, fmt.Errorf("%s has no licence that is known here", key))
		}
		for _, id := range p.Licenses {
			if !slices.Contains(allowed, id) && tolerated[p.Name+" "+id] == "" {
				problems = append(problems, fmt.Errorf("%s is under %s, which is not allowed", key, id))
			}
		}
	}
	return errors.Join(problems...)
}

// texts is the file of licences that travels with the programs.
func texts(all map[string]part) []byte {
	var b bytes.Buffer
	b.WriteString("What is inside the programs of meetguard, and under which licence.\n\n")
	keys := slices.Sorted(maps.Keys(all))
	for _, key := range keys {
		fmt.Fprintf(&b, "%s: %s\n", key, strings.Join(all[key].Licenses, ", "))
	}
	for _, key := range keys {
		fmt.Fprintf(&b, "\n%s\n%s\n", strings.Repeat("-", 72), key)
		for _, text := range all[key].Texts {
			fmt.Fprintf(&b, "\n%s\n", strings.TrimSpace(text))
		}
	}
	return b.Bytes()
}
