package alert

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"testing"
	"time"
)

// appendForEver is what the child process does: it prints the uid of each record
// after it was promised. Now and then it settles some, so that the cursor too is
// written while it is killed.
func appendForEver(dir, round string) {
	l, err := Open(dir, Options{MaxFile: 64 << 10})
	if err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
	for n := 0; ; n++ {
		r := NewRecord(testHost, testProduct, fileAlert(fmt.Sprintf("zoom-%s-%d.exe", round, n)))
		if ok, err := l.Append(r); err != nil || !ok {
			fmt.Println("error", ok, err)
			os.Exit(1)
		}
		fmt.Println("promised", r.Metadata.UID)
		if n%5 == 4 {
			items, err := l.pending(3, maxBatchSize)
			if err == nil {
				err = l.settle(items, make([]outcome, len(items)))
			}
			if err != nil {
				fmt.Println("error", err)
				os.Exit(1)
			}
			fmt.Println("settled", items[len(items)-1].seq)
		}
	}
}

// TestKilledWriterLosesNothing kills the writer at random moments. SIGKILL says
// nothing about fsync, which the fault tests hold; it does say that no line, no
// rotation and no cursor is left in a state that loses a promise.
func TestKilledWriterLosesNothing(t *testing.T) {
	rounds := 10
	if os.Getenv(longOutage) != "" {
		rounds = 100
	}
	dir := t.TempDir()
	promised := map[string]bool{}
	var settled uint64
	for round := range rounds {
		settled = max(settled, killWriter(t, dir, fmt.Sprint(round), promised))
		l, err := Open(dir, Options{MaxFile: 64 << 10})
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		if l.cur.Seq < settled {
			t.Errorf("round %d: the cursor went back from %d to %d", round, settled, l.cur.Seq)
		}
		if r := l.Recovered(); r.Corrupt > 0 || r.CursorReset || r.CheckpointReset {
			t.Errorf("round %d: recovery found damage: %+v", round, r)
		}
		balance(t, l)
		l.Close()
		if rep, err := Verify(dir); err != nil || !rep.OK() {
			t.Fatalf("round %d: Verify = %+v, %v", round, rep, err)
		}
	}
	for _, e := range readAll(t, dir, Filter{}) {
		delete(promised, e.Record.Metadata.UID)
	}
	if len(promised) > 0 {
		t.Errorf("%d promised records are lost", len(promised))
	}
}

func killWriter(t *testing.T, dir, round string, promised map[string]bool) (settled uint64) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+dir, childEnv+"_ROUND="+round)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	// The killer counts records, so that every round gets some; the moment within
	// the next ones is random.
	after, extra := 1+rand.IntN(30), time.Duration(rand.IntN(3000))*time.Microsecond
	killed := make(chan struct{})
	seen := 0
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		var word, value string
		fmt.Sscan(lines.Text(), &word, &value)
		switch word {
		case "promised":
			promised[value] = true
			if seen++; seen == after {
				go func() {
					time.Sleep(extra)
					cmd.Process.Kill()
					close(killed)
				}()
			}
		case "settled":
			fmt.Sscan(value, &settled)
		default:
			t.Errorf("the writer says: %s", lines.Text())
		}
	}
	if seen >= after {
		<-killed
	}
	cmd.Wait()
	if seen < after {
		t.Fatalf("the writer ended by itself after %d records", seen)
	}
	return settled
}

func TestUIDSetForgetsTheOldest(t *testing.T) {
	s := newUIDSet(3)
	for i := range 5 {
		s.add(fmt.Sprint(i))
	}
	for i := range 5 {
		if got, want := s.has(fmt.Sprint(i)), i >= 2; got != want {
			t.Errorf("has(%d) = %v, want %v", i, got, want)
		}
	}
	if len(uidsOf(s)) != 3 {
		t.Errorf("it holds %d", len(uidsOf(s)))
	}
}

// TestUIDSetLikeAMap has the set and a plain list of the newest keys do the same,
// with keys that crowd in one place of the index and around its end.
func TestUIDSetLikeAMap(t *testing.T) {
	draw := rand.New(rand.NewPCG(3, 4))
	s := newUIDSet(150)
	var newest [][uidSize]byte
	for n := range 20_000 {
		k := [uidSize]byte{0xff, 0xff, 0xff, 0xff, byte(draw.IntN(2)), byte(draw.IntN(200))}
		if n%3 == 0 {
			k[0] = byte(draw.IntN(256))
		}
		if got, want := s.hasKey(k), slices.Contains(newest, k); got != want {
			t.Fatalf("step %d: has(%x) = %v, want %v", n, k, got, want)
		}
		if s.addKey(k); !slices.Contains(newest, k) {
			newest = append(newest, k)
			newest = newest[max(0, len(newest)-150):]
		}
		for _, k := range newest {
			if !s.hasKey(k) {
				t.Fatalf("step %d: %x is lost", n, k)
			}
		}
	}
}
