package specimens

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/sha1"
	"encoding/binary"
	"hash/crc32"
)

// zipOf makes an archive of the entries with one method of compression.
func zipOf(list []entry, method uint16) []byte {
	var buf bytes.Buffer
	w := zip.NewWriter(&buf)
	for _, e := range list {
		h := &zip.FileHeader{Name: e.name, Method: method}
		h.SetMode(e.mode)
		must(must(w.CreateHeader(h)).Write(e.data))
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return buf.Bytes()
}

// lockedZip makes an archive whose entries need a password: with the cipher of
// PKWARE's APPNOTE section 6.1, or with WinZip's AE-2 (AES-256).
// Entries of clear need none.
func lockedZip(list []entry, password string, strong bool, clear ...entry) []byte {
	var buf bytes.Buffer
	w := zip.NewWriter(&buf)
	for i, e := range list {
		sum := crc32.ChecksumIEEE(e.data)
		h := &zip.FileHeader{Name: e.name, Method: zip.Deflate, Flags: 1, CRC32: sum, UncompressedSize64: uint64(len(e.data))}
		h.SetMode(e.mode)
		data := deflated(e.data)
		if strong {
			h.Method, h.CRC32 = 99, 0
			h.Extra = []byte{0x01, 0x99, 7, 0, 2, 0, 'A', 'E', 3, 8, 0} // AE-2, 256 bits, deflated
			data = aesEncrypt(data, password, byte(i))
		} else {
			data = pkEncrypt(data, password, byte(sum>>24))
		}
		h.CompressedSize64 = uint64(len(data))
		must(must(w.CreateRaw(h)).Write(data))
	}
	for _, e := range clear {
		must(must(w.Create(e.name)).Write(e.data))
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return buf.Bytes()
}

func deflated(data []byte) []byte {
	var buf bytes.Buffer
	w := must(flate.NewWriter(&buf, flate.BestCompression))
	must(w.Write(data))
	if err := w.Close(); err != nil {
		panic(err)
	}
	return buf.Bytes()
}

// pkEncrypt is the traditional cipher. Its header of twelve bytes ends in the
// byte by which a password is checked.
func pkEncrypt(data []byte, password string, check byte) []byte {
	k := [3]uint32{0x12345678, 0x23456789, 0x34567890}
	update := func(b byte) {
		k[0] = crc32.IEEETable[byte(k[0])^b] ^ k[0]>>8
		k[1] = (k[1]+k[0]&0xff)*134775813 + 1
		k[2] = crc32.IEEETable[byte(k[2])^byte(k[1]>>24)] ^ k[2]>>8
	}
	for _, b := range []byte(password) {
		update(b)
	}
	out := append([]byte("inert lure "), check)
	out = append(out, data...)
	for i, b := range out {
		t := uint16(k[2]) | 2
		out[i] = b ^ byte(uint32(t)*uint32(t^1)>>8)
		update(b)
	}
	return out
}

// aesEncrypt is salt, check value, data and authentication code of AE-2.
func aesEncrypt(data []byte, password string, seed byte) []byte {
	salt := bytes.Repeat([]byte{seed + 1}, 16)
	keys := must(pbkdf2.Key(sha1.New, password, salt, 1000, 66))
	out := append(append([]byte{}, salt...), keys[64:]...)
	body := aesCounter(data, keys[:32])
	mac := hmac.New(sha1.New, keys[32:64])
	mac.Write(body)
	return append(append(out, body...), mac.Sum(nil)[:10]...)
}

// aesCounter encrypts with a counter that begins at one and is little-endian,
// unlike that of the standard library.
func aesCounter(data, key []byte) []byte {
	var block cipher.Block = must(aes.NewCipher(key))
	out := append([]byte{}, data...)
	var counter, pad [16]byte
	for i := range out {
		if i%16 == 0 {
			binary.LittleEndian.PutUint64(counter[:], uint64(i/16+1))
			block.Encrypt(pad[:], counter[:])
		}
		out[i] ^= pad[i%16]
	}
	return out
}
