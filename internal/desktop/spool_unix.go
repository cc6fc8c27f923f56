//go:build unix

package desktop

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// spool puts a letter where the user's own session looks for it. The folder is
// the service's, each letter can be read by its user only.
func (c *Courier) spool(uid uint32, l Letter) error {
	folder := c.Spool
	if folder == "" {
		folder = spoolFolder
	}
	text, err := json.Marshal(l)
	if err != nil {
		return err
	}
	err = post(folder, uid, text, time.Now())
	if errors.Is(err, fs.ErrNotExist) {
		return ErrNobody // nothing takes letters from there on this machine
	}
	if err != nil {
		return fmt.Errorf("deliver a notice: %w", err)
	}
	return nil
}

// post writes the letter under its final name in one step, and clears away those
// that nobody needs any more.
func post(folder string, uid uint32, text []byte, now time.Time) error {
	sweep(folder, now)
	tmp := filepath.Join(folder, ".new-"+rand.Text())
	f, err := os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err == nil {
		err = readableBy(f, uid)
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(tmp, filepath.Join(folder, letterName(uid, now)))
	}
	if err != nil {
		_ = os.Remove(tmp)
	}
	return err
}

// letterName begins with the reader; the names of one reader sort by time.
func letterName(uid uint32, now time.Time) string {
	return fmt.Sprintf("%d-%020d-%s", uid, now.UnixNano(), rand.Text()[:8])
}

// sweep removes what is older than a day.
func sweep(folder string, now time.Time) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return
	}
	for _, e := range entries {
		if fi, err := e.Info(); err == nil && fi.Mode().IsRegular() && now.Sub(fi.ModTime()) > silence {
			_ = os.Remove(filepath.Join(folder, e.Name()))
		}
	}
}

func receive(ctx context.Context, folder, seen string, show func(context.Context, Letter) error) error {
	if folder == "" {
		folder = spoolFolder
	}
	names, err := waiting(folder, uint32(os.Getuid()), time.Now())
	if err != nil || len(names) == 0 {
		return err
	}
	last, _ := os.ReadFile(seen)
	for _, name := range names {
		if name <= strings.TrimSpace(string(last)) {
			continue
		}
		l, err := readLetter(filepath.Join(folder, name))
		if err == nil {
			err = show(ctx, l)
		}
		if err != nil {
			return err
		}
		if err := os.MkdirAll(filepath.Dir(seen), 0o700); err != nil {
			return fmt.Errorf("remember a notice: %w", err)
		}
		if err := replaceFile(seen, []byte(name+"\n")); err != nil {
			return fmt.Errorf("remember a notice: %w", err)
		}
	}
	return nil
}

// waiting names the letters of one user that are at most a day old.
func waiting(folder string, uid uint32, now time.Time) ([]string, error) {
	fi, err := os.Lstat(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read notices: %w", err)
	}
	if st, ok := fi.Sys().(*syscall.Stat_t); !ok || !fi.IsDir() || fi.Mode().Perm()&0o022 != 0 || st.Uid == uid && uid != 0 {
		return nil, fmt.Errorf("read notices: %s is not a folder that only the service can write to", folder)
	}
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, fmt.Errorf("read notices: %w", err)
	}
	var names []string
	for _, e := range entries {
		rest, mine := strings.CutPrefix(e.Name(), strconv.FormatUint(uint64(uid), 10)+"-")
		stamp, _, _ := strings.Cut(rest, "-")
		at, err := strconv.ParseInt(stamp, 10, 64)
		if mine && err == nil && now.Sub(time.Unix(0, at)) <= silence {
			names = append(names, e.Name())
		}
	}
	slices.Sort(names)
	return names, nil
}

func readLetter(path string) (Letter, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return Letter{}, fmt.Errorf("read a notice: %w", err)
	}
	defer f.Close()
	return ReadLetter(f)
}
