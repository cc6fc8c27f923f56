package sign

import (
	"bytes"
	"io"
	"runtime"
	"testing"
	"time"

	"meetguard"
)

// What one small file may cost, whatever it says. The time is far above what
// any needs and far below what a worker is given.
const (
	fuzzAlloc = 256 << 20 // bytes
	fuzzTime  = time.Second
	fuzzReads = 8 // times its size, and a few headers
)

// counter counts what is read.
type counter struct {
	io.ReaderAt
	read int64
}

func (c *counter) ReadAt(p []byte, off int64) (int, error) {
	c.read += int64(len(p))
	return c.ReaderAt.ReadAt(p, off)
}

// cost verifies a file and measures what that took.
func cost(v *Verifier, file []byte, format meetguard.Format) (sig meetguard.Signature, gaps []meetguard.Gap, alloc uint64, read int64, took time.Duration) {
	r := &counter{ReaderAt: bytes.NewReader(file)}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := time.Now()
	sig, gaps = v.Verify(r, int64(len(file)), format, today)
	took = time.Since(start)
	runtime.ReadMemStats(&after)
	return sig, gaps, after.TotalAlloc - before.TotalAlloc, r.read, took
}

// fuzz asks of every input that it gets one of the known answers within
// bounds, and that an input without a gap is not unknown: a crash shows as a
// gap.
func fuzz(f *testing.F, format meetguard.Format, v *Verifier) {
	f.Fuzz(func(t *testing.T, file []byte) {
		sig, gaps, alloc, read, took := cost(v, file, format)
		if (sig.Status == meetguard.SignatureUnknown) != (len(gaps) == 1) {
			t.Errorf("got %+v with gaps %v", sig, gaps)
		}
		for _, g := range gaps {
			if g.Reason == "the signature parser crashed" {
				t.Error(g.Reason)
			}
		}
		if most := fuzzReads*int64(len(file)) + 1<<16; alloc > fuzzAlloc || read > most {
			t.Errorf("took %d bytes of memory and read %d bytes of %d", alloc, read, len(file))
		}
		for range 4 { // a busy machine stops a process for longer than that
			if took <= fuzzTime {
				return
			}
			_, _, _, _, took = cost(v, file, format)
		}
		if took > fuzzTime {
			t.Errorf("took %v, five times in a row more than %v", took, fuzzTime)
		}
	})
}

// fuzzFixtures starts from every fixture of a format.
func fuzzFixtures(f *testing.F, format meetguard.Format) {
	p := newPeople(f)
	for _, x := range fixtures(f, p) {
		if x.format == format && len(x.file) < 32<<10 {
			f.Add(x.file)
		}
	}
	fuzz(f, format, newVerifier(f, p.ca))
}

func FuzzPE(f *testing.F) { fuzzFixtures(f, meetguard.FormatPE) }

func FuzzMachO(f *testing.F) {
	ca := newCA(f)
	good := machO(f, code{by: ca, team: "BJ4HAAB9B3", pages: 3})
	f.Add(good)
	f.Add(machO(f, code{flags: csFlagAdhoc, pages: 2}))
	f.Add(fat(good, good))
	f.Add(layered(f, layers{ca, []byte{1, 2}, 2, nil, map[uint32][]byte{csSlotTicket: wrapped(nil)}}))
	fuzz(f, meetguard.FormatMachO, newVerifier(f, ca))
}

func FuzzMSI(f *testing.F) { fuzzFixtures(f, meetguard.FormatMSI) }

func FuzzCab(f *testing.F) { fuzzFixtures(f, meetguard.FormatCab) }
