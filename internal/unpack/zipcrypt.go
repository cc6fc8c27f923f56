package unpack

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/pbkdf2"
	"crypto/sha1"
	"encoding/binary"
	"hash/crc32"
	"io"
)

// Encrypted entries of zip archives are opened with passwords that are known:
// the traditional cipher (APPNOTE 6.1) and WinZip's AES (AE-1 and AE-2, "AES
// Encryption Information", WinZip 2009).

// maxLockedTries bounds for how many entries every password is tried: deriving
// an AES key takes a millisecond. Further ones are opened by a password that
// opened one before, which is how archives are made.
const maxLockedTries = 8

// zipKeys remembers which password fits.
type zipKeys struct {
	tries int
	fits  string
}

// unlock finds the password of an entry and gives what opens it, nil if none
// fits. It may open it several times.
func (z *zipWalk) unlock(e *zipFile, packed []byte) (open func() io.Reader, password string) {
	if e.flags&flagStrong != 0 { // PKWARE's own scheme, which is not published
		return nil, ""
	}
	for _, p := range z.candidates() {
		if z.opt.Budget.Time() != nil {
			return nil, ""
		}
		open := traditional(e, packed, p)
		if e.aesStrength != 0 {
			open = winzipAES(e, packed, p)
		}
		if open != nil && z.plausible(e, open()) {
			z.keys.fits = p
			return open, p
		}
	}
	return nil, ""
}

func (z *zipWalk) candidates() []string {
	if z.keys.tries++; z.keys.tries <= maxLockedTries {
		return z.opt.Passwords
	}
	if z.keys.fits != "" {
		return []string{z.keys.fits}
	}
	return nil
}

// plausible unpacks the beginning: the checks of the formats let one wrong
// password in 256 or 65,536 pass.
func (z *zipWalk) plausible(e *zipFile, in io.Reader) bool {
	r, err := z.open(e, in)
	if err != nil {
		return true // not for the password
	}
	head := make([]byte, headSize)
	n, err := io.ReadFull(r, head)
	if err == nil {
		return true
	}
	whole := err == io.EOF || err == io.ErrUnexpectedEOF && uint64(n) == e.size
	return whole && (e.vendorsVersion == 2 || crc32.ChecksumIEEE(head[:n]) == e.crc)
}

// zipCipher is the state of the traditional cipher (APPNOTE 6.1.5).
type zipCipher [3]uint32

func newZipCipher(password string) zipCipher {
	c := zipCipher{0x12345678, 0x23456789, 0x34567890}
	for i := range len(password) {
		c.update(password[i])
	}
	return c
}

func (c *zipCipher) update(b byte) {
	c[0] = crc32.IEEETable[byte(c[0])^b] ^ c[0]>>8
	c[1] = (c[1]+c[0]&0xff)*134775813 + 1
	c[2] = crc32.IEEETable[byte(c[2])^byte(c[1]>>24)] ^ c[2]>>8
}

func (c *zipCipher) open(b byte) byte {
	t := uint16(c[2]) | 2
	plain := b ^ byte(t*(t^1)>>8)
	c.update(plain)
	return plain
}

// traditional opens an entry if the last byte of its header is the one of the
// checksum, or of the time if the checksum was not known yet (APPNOTE 6.1.6).
func traditional(e *zipFile, packed []byte, password string) func() io.Reader {
	const header = 12
	if len(packed) < header {
		return nil
	}
	c := newZipCipher(password)
	var last byte
	for _, b := range packed[:header] {
		last = c.open(b)
	}
	if last != byte(e.crc>>24) && last != byte(e.time>>8) {
		return nil
	}
	return func() io.Reader { return &zipPlain{bytes.NewReader(packed[header:]), c} }
}

type zipPlain struct {
	r io.Reader
	c zipCipher
}

func (z *zipPlain) Read(p []byte) (int, error) {
	n, err := z.r.Read(p)
	for i := range p[:n] {
		p[i] = z.c.open(p[i])
	}
	return n, err
}

// winzipAES opens an entry if its two bytes for checking are those of the
// password. What authenticates the content is not checked: a changed one is
// looked at as well.
func winzipAES(e *zipFile, packed []byte, password string) func() io.Reader {
	const rounds, check, mac = 1000, 2, 10
	keys := map[byte]int{1: 16, 2: 24, 3: 32}
	size := keys[e.aesStrength]
	salt := size / 2
	if size == 0 || len(packed) < salt+check+mac {
		return nil
	}
	key, err := pbkdf2.Key(sha1.New, password, packed[:salt], rounds, 2*size+check)
	if err != nil || !bytes.Equal(key[2*size:], packed[salt:salt+check]) {
		return nil
	}
	block, err := aes.NewCipher(key[:size])
	if err != nil {
		return nil
	}
	body := packed[salt+check : len(packed)-mac]
	return func() io.Reader { return &aesPlain{r: bytes.NewReader(body), block: block} }
}

// aesPlain decrypts in counter mode. WinZip counts from one, with the lowest
// byte first, which is why cipher.NewCTR does not fit.
type aesPlain struct {
	r     io.Reader
	block cipher.Block
	count uint64
	mask  [aes.BlockSize]byte
	used  int // of mask; a new one is made at its end
}

func (a *aesPlain) Read(p []byte) (int, error) {
	n, err := a.r.Read(p)
	for i := range p[:n] {
		if a.used %= aes.BlockSize; a.used == 0 {
			a.count++
			a.mask = [aes.BlockSize]byte{}
			binary.LittleEndian.PutUint64(a.mask[:], a.count)
			a.block.Encrypt(a.mask[:], a.mask[:])
		}
		p[i] ^= a.mask[a.used]
		a.used++
	}
	return n, err
}
