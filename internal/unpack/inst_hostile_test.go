package unpack

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"strings"
	"testing"

	"meetguard"
)

// makeRPM writes a package with empty headers and a payload.
func makeRPM(payload []byte) []byte {
	out := make([]byte, rpmLeadSize)
	for range 2 {
		out = append(append(out, rpmHeader...), make([]byte, 12)...)
		out = append(out, make([]byte, (8-len(out)%8)%8)...)
	}
	return append(out, payload...)
}

// makeBomb is a gzip stream of a cpio file of zeros.
func makeBomb(size int) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	w.Write([]byte("070701" + strings.Repeat("00000000", 6) + "7fffffff" + strings.Repeat("00000000", 4) + "00000002" + "00000000" + "a\x00"))
	zeros := make([]byte, 1<<20)
	for n := 0; n < size; n += len(zeros) {
		w.Write(zeros)
	}
	w.Close()
	return b.Bytes()
}

// makeManyFiles is a plain cpio archive of n empty files.
func makeManyFiles(n int) []byte {
	entry := "070701" + strings.Repeat("00000000", 11) + "00000002" + "00000000" + "a\x00"
	entry = entry[:6+8*11] + "00000002" + "00000000" + "a\x00"
	return []byte(strings.Repeat(entry, n))
}

// hugeDictionary makes the first LZMA properties ask for two gigabytes.
func hugeDictionary(data []byte, properties string) []byte {
	i := bytes.Index(data, []byte(properties))
	binary.LittleEndian.PutUint32(data[i+1:], 0x7f000000)
	return data
}

// TestHostileInstallers sees that each ends by a limit or an error, and that
// none takes more memory than a reader may.
func TestHostileInstallers(t *testing.T) {
	loop := instFile(t, "msi/actions.msi")
	binary.LittleEndian.PutUint32(loop[48:], 0) // the directory is sector 0, whatever that is
	for _, c := range []struct {
		name   string
		format meetguard.Format
		data   []byte
		limit  bool
	}{
		{"bomb in an RPM", meetguard.FormatRPM, makeRPM(makeBomb(64 << 20)), true},
		{"very many files in an RPM", meetguard.FormatRPM, makeRPM(makeManyFiles(100_000)), true},
		{"huge dictionary in an RPM", meetguard.FormatRPM, makeRPM([]byte("\x5d\x00\x00\x00\x7f" + strings.Repeat("\xff", 8) + "\x00rest")), false},
		{"huge dictionary in NSIS", meetguard.FormatPE, hugeDictionary(makeNSIS(t, "lzma-solid"), "\x5d\x00\x00\x80\x00"), false},
		{"huge dictionary in NSIS files", meetguard.FormatPE, hugeDictionary(makeNSIS(t, "lzma-plain"), "\x5d\x00\x00\x80\x00"), false},
		{"loop in an MSI", meetguard.FormatMSI, loop, false},
	} {
		budget := instBudget()
		budget.Bytes = 16 << 20
		var err error
		peak := instPeak(func() { _, err = instWalk(c.format, c.data, budget) })
		var limit *LimitError
		if err == nil || errors.As(err, &limit) != c.limit {
			t.Errorf("%s: ends with %v", c.name, err)
		}
		if peak > 128<<20 { // what the test itself keeps included
			t.Errorf("%s: takes %d MiB", c.name, peak>>20)
		}
	}
}
