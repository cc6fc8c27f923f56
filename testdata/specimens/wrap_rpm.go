package specimens

import (
	"crypto/md5"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"path"
)

// Types of the values in a header of RPM, and the tags used here (rpmtag.h).
const (
	rpmInt16, rpmInt32, rpmString, rpmBin, rpmStrings, rpmI18N = 3, 4, 6, 7, 8, 9
)

type rpmTag struct {
	tag, kind, count int
	data             []byte
}

func rpmText(tag int, s string) rpmTag { return rpmTag{tag, rpmString, 1, []byte(s + "\x00")} }

func rpmList(tag int, list []string) rpmTag {
	var b []byte
	for _, s := range list {
		b = append(append(b, s...), 0)
	}
	return rpmTag{tag, rpmStrings, len(list), b}
}

func rpmInts(tag int, list ...int) rpmTag {
	var b []byte
	for _, n := range list {
		b = binary.BigEndian.AppendUint32(b, uint32(n))
	}
	return rpmTag{tag, rpmInt32, len(list), b}
}

// rpmOf makes a package of format 3 with a payload of cpio and gzip. A shell
// script among the entries runs after the installation; others lie in /opt.
func rpmOf(list []entry, name string) []byte {
	tags := []rpmTag{{100, rpmStrings, 1, []byte("C\x00")}, rpmText(1000, name), rpmText(1001, "1.0"), rpmText(1002, "1"),
		{1004, rpmI18N, 1, []byte("Update of the meeting client\x00")}, rpmText(1014, "Proprietary"), rpmText(1021, "linux"), rpmText(1022, "noarch")}
	var files []entry
	for _, e := range list {
		if isShellText(e.data) {
			tags = append(tags, rpmText(1024, string(e.data)), rpmText(1086, "/bin/sh")) // %post and what runs it
			continue
		}
		files = append(files, entry{"./opt/" + name + "/" + e.name, e.data, e.mode})
	}
	tags = append(tags, rpmFiles(files)...)
	tags = append(tags, rpmText(1124, "cpio"), rpmText(1125, "gzip"), rpmText(1126, "9"))
	payload := gz(cpioNew(files), "")
	header := rpmHeader(tags)
	sum := md5.Sum(append(append([]byte{}, header...), payload...))
	lead := make([]byte, 96)
	copy(lead, "\xed\xab\xee\xdb\x03\x00\x00\x00\x00\x01"+name+"-1.0-1")
	lead[77], lead[79] = 1, 5 // Linux, with a header of signatures
	out := append(lead, padTo(rpmHeader([]rpmTag{rpmInts(1000, len(header)+len(payload)), {1004, rpmBin, 16, sum[:]}}), 8)...)
	return append(append(out, header...), payload...)
}

// rpmFiles are the lists of files: names are cut into folder and base name.
func rpmFiles(files []entry) []rpmTag {
	if len(files) == 0 {
		return nil
	}
	var sizes, times, flags, dirs, devices, nodes []int
	var bases, folders, sums, links, users []string
	var modes []byte
	at := map[string]int{}
	for i, f := range files {
		dir, base := path.Split(f.name[1:])
		if _, ok := at[dir]; !ok {
			at[dir], folders = len(folders), append(folders, dir)
		}
		modes = binary.BigEndian.AppendUint16(modes, 0o100000|uint16(f.mode))
		sizes, times, flags, dirs, devices, nodes = append(sizes, len(f.data)), append(times, 0), append(flags, 0), append(dirs, at[dir]), append(devices, 1), append(nodes, i+1)
		bases, sums, links, users = append(bases, base), append(sums, fmt.Sprintf("%x", sha256.Sum256(f.data))), append(links, ""), append(users, "root")
	}
	return []rpmTag{rpmInts(1028, sizes...), {1030, rpmInt16, len(files), modes}, rpmInts(1034, times...), rpmList(1035, sums), rpmList(1036, links), rpmInts(1037, flags...),
		rpmList(1039, users), rpmList(1040, users), rpmInts(1095, devices...), rpmInts(1096, nodes...), rpmInts(1116, dirs...), rpmList(1117, bases), rpmList(1118, folders),
		rpmInts(5011, 8)} // digests are SHA-256
}

// rpmHeader is an index of tags and the store that it points into.
func rpmHeader(tags []rpmTag) []byte {
	be := binary.BigEndian
	var index, store []byte
	for _, t := range tags {
		size := map[int]int{rpmInt16: 2, rpmInt32: 4}[t.kind]
		if size > 0 {
			store = padTo(store, size)
		}
		for _, v := range []int{t.tag, t.kind, len(store), t.count} {
			index = be.AppendUint32(index, uint32(v))
		}
		store = append(store, t.data...)
	}
	out := []byte{0x8e, 0xad, 0xe8, 0x01, 0, 0, 0, 0}
	out = be.AppendUint32(out, uint32(len(tags)))
	out = be.AppendUint32(out, uint32(len(store)))
	return append(append(out, index...), store...)
}

// cpioNew is the format "newc" of cpio(5).
func cpioNew(list []entry) []byte {
	var out []byte
	add := func(i, mode int, name string, data []byte) {
		out = fmt.Appendf(out, "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x", i, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name)+1, 0)
		out = padTo(append(append(out, name...), 0), 4)
		out = padTo(append(out, data...), 4)
	}
	for i, e := range list {
		add(i+1, 0o100000|int(e.mode), e.name, e.data)
	}
	add(0, 0, "TRAILER!!!", nil)
	return out
}
