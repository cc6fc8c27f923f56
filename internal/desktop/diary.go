package desktop

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"time"
)

// How often somebody is disturbed.
const (
	silence = 24 * time.Hour // after a notice, about the same finding
	perHour = 4              // notices to one person, and as many about what was started
	maxTold = 1000           // entries of a diary; the oldest are forgotten
)

// Diary knows who was told what, and decides who is told again. It is not safe
// for concurrent use.
type Diary struct {
	path string
	told []entry // oldest first
}

// entry is one notice. It names no file: the finding is a digest.
type entry struct {
	Time    time.Time `json:"time"`
	Person  Person    `json:"person"`
	Finding string    `json:"finding"`
	Ran     bool      `json:"ran,omitempty"`
}

// OpenDiary reads the diary of an earlier run. One that cannot be read is empty:
// the worst is that something is told twice.
func OpenDiary(path string) *Diary {
	d := &Diary{path: path}
	if data, err := os.ReadFile(path); err != nil || json.Unmarshal(data, &d.told) != nil {
		d.told = nil
	}
	return d
}

// May says whether a person is to be told about a finding now: not if they were
// in the last day, and not if they were told about four others in the last hour.
// What was started is counted for itself, so that a flood of files does not hide
// the one that ran.
func (d *Diary) May(p Person, f Finding, now time.Time) bool {
	recent := 0
	for _, e := range d.told {
		age := now.Sub(e.Time)
		if e.Person != p || age < 0 || age >= silence {
			continue
		}
		if e.Finding == f.ID {
			return false
		}
		if age < time.Hour && e.Ran == f.Ran {
			recent++
		}
	}
	return recent < perHour
}

// Told notes a notice and writes the diary.
func (d *Diary) Told(p Person, f Finding, now time.Time) error {
	kept := d.told[:0]
	for _, e := range d.told {
		if now.Sub(e.Time) < silence {
			kept = append(kept, e)
		}
	}
	d.told = append(kept, entry{now.UTC().Truncate(time.Second), p, f.ID, f.Ran})
	if n := len(d.told) - maxTold; n > 0 {
		d.told = append(d.told[:0], d.told[n:]...)
	}
	data, err := json.Marshal(d.told)
	if err != nil {
		return err
	}
	return replaceFile(d.path, append(data, '\n'))
}

// replaceFile writes a file in one step. It is not synced: a diary that is lost
// with the power tells something twice.
func replaceFile(path string, data []byte) error {
	tmp := path + ".tmp"
	if err := os.Remove(tmp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(tmp, path)
}
