package unpack

import (
	"strings"
	"testing"

	"meetguard"
)

// The scriptlets as rpm --scripts prints them, and the files as bsdtar lists
// them; the hash is that of the output of seq 1 2000.
const wantRPM = `%pre|install script|"#!/bin/sh\necho before"
%post|install script|"#!/usr/bin/python3\nprint(\"after\")"
%preun|install script|"#!/usr/bin/lua\nprint(\"lua\")"
%postun|install script|"/sbin/ldconfig"
%trigger|install script|"#!/bin/sh\necho triggered"
%trigger2|install script|"#!/usr/bin/perl\nprint \"untriggered\""
./opt/acme|folder|""
./opt/acme/empty|folder|""
./opt/acme/link|link|"readme.txt"
./opt/acme/numbers||8893 6251e5743b6fd6a7
./opt/acme/readme.txt||"hello\n"
`

func TestRPM(t *testing.T) {
	for _, compression := range []string{"uf", "gz", "bz", "lz", "xz", "zst"} {
		all, err := instWalk(meetguard.FormatRPM, instFile(t, "rpm/acme-"+compression+".rpm"), instBudget())
		if got := instList(all); got != wantRPM || err != nil {
			t.Errorf("%s: got %v and\n%s", compression, err, got)
		}
	}
}

// TestRPMCut sees that a payload that ends early is said to.
func TestRPMCut(t *testing.T) {
	data := instFile(t, "rpm/acme-uf.rpm")
	all, err := instWalk(meetguard.FormatRPM, data[:len(data)-5000], instBudget())
	if err == nil || !strings.Contains(err.Error(), "cut short") || len(all) != 10 {
		t.Errorf("got %d members and %v", len(all), err)
	}
}

func TestRPMDamaged(t *testing.T) {
	instMangle(t, meetguard.FormatRPM, instFile(t, "rpm/acme-gz.rpm"), 211)
	instMangle(t, meetguard.FormatRPM, instFile(t, "rpm/acme-uf.rpm"), 211)
}

func FuzzRPM(f *testing.F) {
	for _, compression := range []string{"uf", "gz", "bz", "lz", "xz", "zst"} {
		f.Add(instFile(f, "rpm/acme-"+compression+".rpm"))
	}
	f.Fuzz(func(t *testing.T, data []byte) { instFuzz(t, meetguard.FormatRPM, data) })
}
