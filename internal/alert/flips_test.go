package alert

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"
	"testing"
)

// TestEveryByteOfAHundredRecords changes the bytes of a log of 100 records in many
// files, in turn, as one bit and into a newline, and has the reader and Verify go
// over the whole of it. With MEETGUARD_LONG=1 it is every byte, else every 499th.
//
// What does not change is not read again: both go through a log file by file, so
// that what they made of the other files holds, and Verify judges the whole chain
// each time.
func TestEveryByteOfAHundredRecords(t *testing.T) {
	t.Parallel()
	const records = 100
	step := 499
	if os.Getenv("MEETGUARD_LONG") != "" {
		step = 1
	}
	f := flippedLog(t, records)
	var wg sync.WaitGroup
	total := make([]flipCosts, 2)
	for w := range total {
		wg.Go(func() { total[w] = f.run(t, w*step, len(total)*step) })
	}
	wg.Wait()
	c := total[0]
	for _, other := range total[1:] {
		c.flips += other.flips
		c.faults = append(c.faults, other.faults...)
	}
	for _, fault := range c.faults[:min(len(c.faults), 20)] {
		t.Error(fault)
	}
	t.Logf("%d bytes in %d files, %d changes, %d faults", f.size, len(f.files), c.flips, len(c.faults))
	if c.flips < f.size/step {
		t.Error("that is fewer than there are bytes to change")
	}
}

// flipLog is a log in memory, with what the reader and Verify made of each file.
type flipLog struct {
	files   []flipFile
	size    int
	written map[string]bool // lines
}

type flipFile struct {
	logFile
	data  []byte
	links []link
	seq   uint64 // of its first record
}

// flipCosts are the changes that were made, and what was wrong after one.
type flipCosts struct {
	flips  int
	faults []string
}

func flippedLog(t *testing.T, records int) *flipLog {
	t.Helper()
	dir := t.TempDir()
	l := openTest(t, dir, Options{MaxFile: 8 << 10})
	for i := range records {
		mustAppend(t, l, numbered(i))
	}
	l.Close()
	root, err := openState(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	opened, err := openLog(root)
	if err != nil {
		t.Fatal(err)
	}
	defer closeAll(opened)
	f := &flipLog{written: map[string]bool{}}
	seq := uint64(1)
	for _, o := range opened {
		data, err := io.ReadAll(o)
		if err != nil {
			t.Fatal(err)
		}
		file := flipFile{logFile: logFile{name: o.name, first: o.first}, data: data, seq: seq}
		file.links = linksOf(t.Error, file, data)
		f.files, f.size = append(f.files, file), f.size+len(data)
		for line := range bytes.Lines(data) {
			f.written[string(bytes.TrimSuffix(line, []byte("\n")))] = true
			seq++
		}
	}
	if len(f.written) != records || len(f.files) < 10 {
		t.Fatalf("%d lines in %d files", len(f.written), len(f.files))
	}
	return f
}

func linksOf(fail func(...any), f flipFile, data []byte) []link {
	var v verifier
	if err := v.read(bytes.NewReader(data), f.name, f.first); err != nil {
		fail(err)
	}
	return v.links
}

// run changes every step-th byte from one on.
func (f *flipLog) run(t *testing.T, from, step int) (c flipCosts) {
	buf := bufio.NewReaderSize(nil, MaxRecord) // see newLineReader: else there would be one for each change
	begin := 0
	for i, file := range f.files {
		if i%5 == 0 {
			t.Logf("%d changes in %d files: %d faults", c.flips, i, len(c.faults))
		}
		data := bytes.Clone(file.data)
		for at := from - begin; at < len(data); at, from = at+step, from+step {
			was := data[at]
			for _, b := range []byte{was ^ 1<<(at%8), '\n'} {
				if b == was {
					continue
				}
				data[at] = b
				c.flips++
				if fault := f.look(buf, i, data, at); fault != "" {
					c.faults = append(c.faults, fmt.Sprintf("byte %d of %s as %#x: %s", at, file.name, b, fault))
				}
			}
			data[at] = was
		}
		begin += len(data)
	}
	return c
}

// look has the log read with one file changed.
func (f *flipLog) look(buf *bufio.Reader, changed int, data []byte, at int) (fault string) {
	defer func() {
		if r := recover(); r != nil {
			fault = fmt.Sprint("nobody can read it: ", r)
		}
	}()
	file := f.files[changed]
	have, wrong := len(f.written)-bytes.Count(file.data, []byte("\n")), 0
	read := chooser{yield: func(e Entry, err error) bool {
		if err != nil || !f.written[string(e.Raw)] {
			wrong++
		} else {
			have++
		}
		return true
	}}
	buf.Reset(bytes.NewReader(data))
	if _, err := read.file(buf); err != nil || wrong > 0 || have < len(f.written)-1 {
		return fmt.Sprintf("the reader gives %d records, %d that nobody wrote, %v", have, wrong, err)
	}
	var v verifier
	for i, other := range f.files {
		if i == changed {
			buf.Reset(bytes.NewReader(data))
			if err := v.read(buf, other.name, other.first); err != nil {
				return err.Error()
			}
		} else {
			v.links = append(v.links, other.links...)
		}
	}
	v.dropUnpromised()
	v.walk()
	want := file.seq + uint64(bytes.Count(file.data[:at], []byte("\n")))
	if issues := v.report.Issues; len(issues) != 1 || issues[0].Kind != LineChanged || issues[0].Seq != want {
		return fmt.Sprintf("Verify gives %+v, want record %d changed", slices.Clip(issues), want)
	}
	return ""
}
