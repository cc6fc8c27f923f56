package unpack

import (
	"encoding/binary"
	"testing"
)

// What 7z says of the images that mtools filled.
const fatMembers = `
sub/nothing 0 e3b0c44298fc1c14
sub/numbers.txt 13893 2e57c67a8bbe706a
three.txt 6 5eef8098ed6ec0a1
Zöom Setup.exe 16 40ac080ac68a0b68`

func TestFATOfRealTools(t *testing.T) {
	twelve := winUnzip(t, "iso/fat12.img.gz")
	record := make([]byte, 512)
	record[510], record[511] = 0x55, 0xAA
	binary.LittleEndian.PutUint32(record[446+8:], 1)
	for name, data := range map[string][]byte{
		"FAT12":       twelve,
		"FAT32":       winUnzip(t, "iso/fat32.img.gz"),
		"partitioned": append(record, twelve...),
	} {
		seen, err := winWalk(walkISO, data, winOptions(len(data)))
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		winExpect(t, seen, fatMembers)
	}
}

func TestFATDamaged(t *testing.T) {
	data := winUnzip(t, "iso/fat12.img.gz")[:64<<10]
	for i, x := range data {
		if x == 0 && i > 512 || i%11 != 0 {
			continue
		}
		opt := winOptions(len(data))
		opt.Budget.Bytes, opt.Budget.Entries = 1<<20, 100
		data[i] ^= 0xFF
		winWalk(walkISO, data, opt)
		data[i] = x
	}
}

func FuzzFAT(f *testing.F) {
	winFuzz(f, walkISO, winUnzip(f, "iso/fat12.img.gz")[:40<<10])
}
