package unpack

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/nwaples/rardecode/v2"
)

const (
	rar4Magic = "Rar!\x1A\x07\x00"
	rar5Magic = "Rar!\x1A\x07\x01\x00"

	// Flags of the main header of an archive whose members need those before
	// them ("RAR 5.0 archive format", and technote.txt of RAR 4).
	rar4Solid  = 0x0008
	rar4Locked = 0x0080
	rar5Solid  = 0x0004
	rar5Main   = 1 // type of the main header
)

// rar walks one archive; a new reader is needed for each password.
type rar struct {
	data     []byte
	opt      Options
	solid    bool // members must be unpacked in order
	checks   bool // a wrong password is told before anything is unpacked
	password string
	open     bool // password is set
	tried    bool // the passwords were tried
}

// walkRar visits the members of a RAR archive, version 4 or 5. The archive may
// begin within the first MiB, as that of a self-extractor does.
func walkRar(data []byte, opt Options, visit Visit) error {
	z := &rar{data: data, opt: opt}
	z.main()
	err := z.walk(0, visit)
	if errors.Is(err, errRarLocked) {
		if !z.unlock(0) {
			return ErrLocked
		}
		err = z.walk(0, visit)
	}
	return err
}

// main reads the flags of the main header. An encrypted one is taken for
// solid, which costs time only.
func (z *rar) main() {
	if i := bytes.Index(z.data, []byte(rar5Magic)); i >= 0 {
		z.checks = true
		z.solid = rar5IsSolid(z.data[i+len(rar5Magic):])
		return
	}
	i := bytes.Index(z.data, []byte(rar4Magic))
	if i < 0 || len(z.data) < i+len(rar4Magic)+5 {
		return
	}
	z.solid = binary.LittleEndian.Uint16(z.data[i+len(rar4Magic)+3:])&(rar4Solid|rar4Locked) != 0
}

// rar5IsSolid reads the main header: checksum, size, type, flags, size of the
// extra area if flag 1 is set, and its own flags.
func rar5IsSolid(b []byte) bool {
	if len(b) < 4 {
		return false
	}
	b = b[4:]
	next := func() uint64 {
		v, n := binary.Uvarint(b)
		b = b[max(n, 0):]
		return v
	}
	next()
	kind, flags := next(), next()
	if flags&1 != 0 {
		next()
	}
	return kind != rar5Main || next()&rar5Solid != 0
}

// errRarLocked tells walk's caller that the list needs a password.
var errRarLocked = errors.New("the list of the RAR archive is encrypted")

// walk visits the members from the number first on.
func (z *rar) walk(first int, visit Visit) error {
	r, err := z.reader(z.password, z.open)
	if err != nil {
		return rarError(err)
	}
	for i := 0; ; i++ {
		if err := z.opt.Budget.Time(); err != nil {
			return err
		}
		h, err := rarNext(r)
		if err == io.EOF {
			return nil
		} else if err != nil {
			return rarError(err)
		}
		content := z.opt.Budget.Reader(&guarded{r: r})
		if i >= first {
			if h.Encrypted && h.UnPackedSize != 0 && !z.open && z.unlock(i) {
				return z.walk(i, visit) // once: the archive is open then
			}
			if err := z.opt.Budget.Entry(); err != nil {
				return err
			}
			if err := visit(z.member(h, content)); err != nil {
				return err
			}
		}
		if err := z.drain(content); err != nil {
			return err
		}
	}
}

// drain unpacks the rest of a member that the next ones may need, because the
// library would do it unseen by the budget.
func (z *rar) drain(content io.Reader) error {
	if !z.solid {
		return nil
	}
	if _, err := io.Copy(io.Discard, content); limited(err) {
		return err
	}
	return nil
}

func (z *rar) reader(password string, open bool) (r *rardecode.Reader, err error) {
	defer func() {
		if e := recovered(recover()); e != nil {
			r, err = nil, e
		}
	}()
	options := []rardecode.Option{rardecode.MaxDictionarySize(sevenDictionary), rardecode.BufferSize(64 << 10)}
	if open {
		options = append(options, rardecode.Password(password))
	}
	return rardecode.NewReader(bytes.NewReader(z.data), options...)
}

func rarNext(r *rardecode.Reader) (h *rardecode.FileHeader, err error) {
	defer func() {
		if e := recovered(recover()); e != nil {
			h, err = nil, e
		}
	}()
	return r.Next()
}

func (z *rar) member(h *rardecode.FileHeader, content io.Reader) Member {
	m := Member{Name: strings.ToValidUTF8(h.Name, "\uFFFD"), Size: h.UnPackedSize}
	m.Open = func() (io.Reader, error) { return rarContent{content}, nil }
	const unixType, unixLink = 0xF000, 0xA000
	switch {
	case h.IsDir:
		m.Role, m.Size, m.Open = RoleFolder, 0, noContent
		return m
	case h.LinkType != rardecode.LinkTypeNone && h.LinkTarget != "":
		m.Role, m.Size = RoleLink, int64(len(h.LinkTarget))
		m.Open = func() (io.Reader, error) { return strings.NewReader(h.LinkTarget), nil }
		return m
	case h.HostOS == rardecode.HostOSUnix && h.Attributes&unixType == unixLink:
		m.Role = RoleLink
	}
	if h.UnKnownSize {
		m.Size = -1
	}
	if h.Encrypted && m.Size != 0 {
		m.Locked, m.Password = !z.open, z.password
	}
	if m.Locked {
		m.Open = func() (io.Reader, error) { return nil, ErrLocked }
	}
	return m
}

// rarContent gives the errors of the library a meaning.
type rarContent struct{ r io.Reader }

func (c rarContent) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	if err != nil && err != io.EOF {
		err = rarError(err)
	}
	return n, err
}

// unlock looks for a password that opens the member with the number. It is
// done once for an archive.
func (z *rar) unlock(number int) bool {
	if z.tried {
		return false
	}
	z.tried = true
	for _, p := range z.opt.Passwords {
		if z.fits(p, number) {
			z.password, z.open = p, true
			return true
		}
	}
	return false
}

// fits reads a member with a password. Version 5 tells a wrong one at once,
// version 4 by the checksum of the whole content.
func (z *rar) fits(password string, number int) bool {
	r, err := z.reader(password, true)
	for i := 0; err == nil; i++ {
		if err = z.opt.Budget.Time(); err != nil {
			break
		}
		if _, err = rarNext(r); err != nil {
			break
		}
		content := z.opt.Budget.Reader(&guarded{r: r})
		if i == number {
			if z.checks {
				content = io.LimitReader(content, probeSize)
			}
			_, err = io.Copy(io.Discard, content)
			return err == nil
		}
		err = z.drain(content)
	}
	return false
}

// rarError gives an error of the library its meaning here.
func rarError(err error) error {
	switch {
	case limited(err):
		return err
	case errors.Is(err, rardecode.ErrArchiveEncrypted):
		return errRarLocked
	case errors.Is(err, rardecode.ErrArchivedFileEncrypted), errors.Is(err, rardecode.ErrBadPassword):
		return ErrLocked
	case errors.Is(err, rardecode.ErrDictionaryTooLarge):
		return errDictionary()
	case errors.Is(err, rardecode.ErrMultiVolume):
		return errors.New("the content continues in another volume of the RAR archive")
	case errors.Is(err, rardecode.ErrUnsupportedDecoder), errors.Is(err, rardecode.ErrUnknownDecoder):
		return fmt.Errorf("RAR compression: %w", ErrUnsupported)
	case errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("the RAR archive is cut short")
	}
	return fmt.Errorf("read RAR archive: %w", err)
}
