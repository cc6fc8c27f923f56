package inspect

import (
	"cmp"
	"slices"

	"meetguard"
)

const (
	maxIcons     = 64 // pictures of one icon that are listed
	maxTries     = 3  // pictures of one icon that are decoded until one can be
	typeIcon     = 3  // RT_ICON
	typeGroup    = 14 // RT_GROUP_ICON
	maxIconBlock = 4 << 20
)

// IconClaims tells whose logo the icon of a file is: of a Windows program (the
// icon that Explorer shows), or of an .ico, .icns or .png file. A file has one
// icon, so there is at most one claim, "<brand> logo".
func (l *Logos) IconClaims(data []byte) ([]meetguard.Claim, []meetguard.Gap) {
	var c collector
	pictures, err := iconPictures(data)
	c.gap("icon", err)
	for i, p := range pictures {
		if i == maxTries {
			break
		}
		img, err := decodePicture(p)
		if err != nil {
			continue
		}
		if logo := l.Match(img); logo != nil {
			c.claim(meetguard.ClaimIcon, logo.Name+" logo")
		}
		return c.claims, c.gaps
	}
	if len(pictures) > 0 {
		c.gap("icon", malformed("no picture of it can be read"))
	}
	return c.claims, c.gaps
}

// iconPictures lists the encoded pictures of the icon of a file, best first.
func iconPictures(data []byte) ([][]byte, error) {
	switch {
	case starts(data, "MZ") && isPE(data):
		return peIcon(data)
	case starts(data, "\x00\x00\x01\x00"):
		return icoPictures(data), nil
	case starts(data, "icns"):
		return icnsPictures(data), nil
	case starts(data, "\x89PNG"):
		return [][]byte{data}, nil
	}
	return nil, nil
}

// iconEntry is one picture of an icon as its directory tells it.
type iconEntry struct {
	side, depth int
	id          uint32 // of the resource that holds it
	data        []byte
}

// readIconEntry reads the part of a directory entry that .ico files and icon
// groups have in common. A side of zero means 256.
func readIconEntry(v *view, off uint64) iconEntry {
	b := v.cut(off, 14)
	if b == nil {
		return iconEntry{}
	}
	side := int(min(b[0], b[1]))
	if b[0] == 0 || b[1] == 0 {
		side = 256
	}
	return iconEntry{side: side, depth: int(b[6])}
}

func largestFirst(list []iconEntry) [][]byte {
	slices.SortStableFunc(list, func(a, b iconEntry) int {
		return cmp.Or(cmp.Compare(b.side, a.side), cmp.Compare(b.depth, a.depth))
	})
	var out [][]byte
	for _, e := range list {
		if len(e.data) > 0 && len(e.data) <= maxIconBlock {
			out = append(out, e.data)
		}
	}
	return out
}

// peIcon lists the pictures of the icon that Explorer shows: those of the first
// icon group. Other groups are for other purposes and claim nothing.
func peIcon(data []byte) ([][]byte, error) {
	image, resources, err := openPE(data)
	if err != nil || resources == 0 {
		return nil, err
	}
	var group []byte
	err = image.eachResource(resources, typeGroup, func(_ uint32, block []byte) bool {
		group = block
		return false
	})
	if group == nil {
		return nil, err
	}
	v := little(group)
	byID := map[uint32]iconEntry{}
	for i := range uint64(min(v.u16(4), maxIcons)) {
		e := readIconEntry(v, 6+14*i)
		e.id = uint32(v.u16(6 + 14*i + 12))
		byID[e.id] = e
	}
	var list []iconEntry
	err = image.eachResource(resources, typeIcon, func(id uint32, block []byte) bool {
		if e, ok := byID[id]; ok {
			e.data = block
			list = append(list, e)
			delete(byID, id) // one language of it is enough
		}
		return len(byID) > 0
	})
	if len(list) > 0 {
		err = nil // broken pictures beside good ones hide nothing
	}
	slices.SortStableFunc(list, func(a, b iconEntry) int { return cmp.Compare(a.id, b.id) })
	return largestFirst(list), err
}
