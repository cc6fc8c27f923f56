package detect

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
)

// RuleTest is the rule that knows the test lure and the test launch, and nothing
// else: see docs/selftest.md.
const RuleTest = "MG-TEST"

// TestMark stands in the test lure and in the command line of the test launch.
// It is no secret: whoever writes it is told as a test, and only if nothing else
// is found.
const TestMark = "MEETGUARD-TEST-LURE-4F1C6B1E8D0A4C36-THIS-IS-HARMLESS"

// TestLure is the whole content of the test lure: one line of plain text. A file
// that differs in one byte is none.
const TestLure = TestMark + "\n"

func testLure(s *subject) string {
	switch p := s.Process; {
	case p == nil && s.SHA256 == testLureHash():
		return "It is meetguard's own test lure, a harmless text that somebody dropped to see whether alerts come."
	case p != nil && (slices.Contains(p.Args, TestMark) || strings.Contains(p.CommandLine, TestMark)):
		return "It is meetguard's own test launch, a harmless one that somebody made to see whether alerts come."
	}
	return ""
}

func testLureHash() string {
	sum := sha256.Sum256([]byte(TestLure))
	return hex.EncodeToString(sum[:])
}
