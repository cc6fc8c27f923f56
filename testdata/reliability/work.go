//go:build linux

package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// work is what people and programs do on a machine of the soak, and what of it
// is bad.
type work struct {
	lander   *lander
	launcher *launcher
	files    int
	launches int
	lures    map[string]bool // paths, and marks of lines
	kept     []string        // files in the folder, oldest first
}

func newWork(dir string, l *lander) (*work, error) {
	launcher, err := newLauncher(dir)
	return &work{lander: l, launcher: launcher, lures: map[string]bool{}}, err
}

// keep works at the rate of the soak and calls look from time to time. What a
// busy machine made late is caught up with.
func (w *work) keep(length time.Duration, look func() error) error {
	begin, files, launches, looks := time.Now(), 0, 0, 0
	for {
		gone := time.Since(begin)
		due := func(done int, every time.Duration) bool { return time.Duration(done)*every <= gone }
		var err error
		switch {
		case gone >= length:
			return nil
		case due(looks, soakEvery):
			looks++
			err = look()
		case due(files, time.Hour/(soakTimes*normalFiles)):
			files++
			err = errors.Join(w.file(), w.tidy())
		case due(launches, time.Hour/(soakTimes*normalLaunches)):
			launches++
			err = w.launch()
		default:
			time.Sleep(time.Millisecond)
		}
		if err != nil {
			return err
		}
	}
}

// file lets one file land.
func (w *work) file() error {
	w.files++
	if w.files%trips == 0 {
		if err := w.trip(); err != nil {
			return err
		}
	}
	data, ext := w.lander.clean(w.files)
	name := fmt.Sprintf("Minutes of the meeting (%d)%s", w.files, ext)
	bad := w.files%fileLure == 0
	if bad {
		name = fmt.Sprintf("Zoom update %d.scpt", w.files)
		data = lure(name)
	}
	path, _, err := w.lander.land(name, data)
	if err != nil {
		return err
	}
	if bad {
		w.lures[path] = true
	}
	w.kept = append(w.kept, path)
	return nil
}

// tidy removes the files that have lain there longest.
func (w *work) tidy() error {
	for len(w.kept) > soakKeep {
		if err := os.Remove(w.kept[0]); err != nil {
			return err
		}
		w.kept = w.kept[1:]
	}
	return nil
}

// trip unpacks an archive into a folder of its own, as people do, and throws the
// one before it away.
func (w *work) trip() error {
	folder := func(n int) string { return filepath.Join(w.lander.dir, fmt.Sprintf("unpacked-%d", n)) }
	dir := filepath.Join(folder(w.files), "in", "it")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for i := range 3 {
		data, ext := w.lander.clean(w.files)
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprint("part-", i, ext)), data, 0o644); err != nil {
			return err
		}
	}
	return os.RemoveAll(folder(w.files - 4*trips))
}

// launch starts one program.
func (w *work) launch() error {
	w.launches++
	n := w.launches
	switch {
	case n%lineLure == 0:
		mark := fmt.Sprint("soak-", n)
		w.lures[mark] = true
		return w.launcher.shell(lureLine(mark))
	case n%10 == 0:
		return w.launcher.shell(fmt.Sprintf("test -d /usr && echo %d >/dev/null", n))
	case n%3 == 0:
		return w.launcher.launch("ls", "-d", fmt.Sprintf("/usr/share/%d", n%7000))
	}
	return w.launcher.launch("true", fmt.Sprint("soak-", n))
}

// markOf names the lure that an alert is about, "" if it is about none.
func (w *work) markOf(a record) string {
	if w.lures[a.path] {
		return a.path
	}
	if _, rest, ok := strings.Cut(a.line, "https://zoom-fix-"); ok {
		if mark, _, ok := strings.Cut(rest, ".invalid"); ok && w.lures[mark] {
			return mark
		}
	}
	return ""
}
