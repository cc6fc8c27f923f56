package agent

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
	"time"

	"meetguard"
	"meetguard/internal/inspect"
	"meetguard/internal/unpack"
)

// The budget of one unit and every container in it. The ratio is that of whole
// units: DEFLATE reaches 1,032 and layers of it multiply, while no file of a
// Debian system, a Go module cache and a collection of npm packages met it.
const (
	maxDepth        = 4                // containers within each other
	maxEntries      = 50000            // entries looked at
	maxUnpacked     = 512 << 20        // bytes unpacked in all
	maxRatio        = 200              // unpacked bytes for each byte of the unit, beyond the next
	freeUnpacked    = 64 << 20         // bytes that may be unpacked whatever the ratio
	maxUnpackTime   = 20 * time.Second // of 45 s for one request
	maxLockedNoted  = 16               // locked members that are named
	maxStreamWindow = 16 << 20         // bytes of an unreadable file system that are matched at once
	streamOverlap   = 64 << 10         // bytes that two such pieces share
)

var (
	errDepth    = fmt.Errorf("containers are nested more than %d deep", maxDepth)
	errTooLarge = errors.New("it is larger than what is unpacked for inspection")
)

// unit is what the containers of one unit have in common.
type unit struct {
	budget unpack.Budget
	arena  arena
	around [maxDepth + 1]*opening // the containers around, outermost first
	hints  []hint                 // texts beside the unit on disk
	locked bool                   // something in it stayed closed
}

// begin gives a unit of so many bytes its budget.
func (u *unit) begin(size int, now func() time.Time) {
	u.budget = unpack.Budget{Entries: maxEntries, Bytes: maxUnpacked, Packed: int64(size), Ratio: maxRatio, Free: freeUnpacked,
		Deadline: now().Add(maxUnpackTime), Now: now}
}

// end forgets the containers, which hold on to the file.
func (u *unit) end() {
	u.arena.tidy()
	u.around = [maxDepth + 1]*opening{}
}

// opening is the way through one container.
type opening struct {
	ex       *Examiner
	f        *meetguard.Facts // of the container
	format   meetguard.Format
	name     string // base name of the container
	data     []byte
	walk     walkFunc
	depth    int
	single   bool // it is one compressed file
	bundles  []*packed
	locked   []string                 // members that no password opened
	wanted   func(unpack.Member) bool // nil: every member is looked at
	searched bool                     // a file system in it was only searched
}

// members looks into a container. A container that was not read is not clean:
// what this version cannot open, or not within the budget, is a gap that blinds.
func (ex *Examiner) members(f *meetguard.Facts, name string, data []byte, depth int) {
	o := &opening{ex: ex, f: f, format: f.Format, name: name, data: data, depth: depth}
	walk := unpack.Walk
	switch {
	case f.Format == meetguard.FormatOther && unpack.IsStream(data):
		o.format, o.single = meetguard.FormatTar, true
	case f.Format == meetguard.FormatOther && inspect.IsMail(name, data):
		walk = func(_ meetguard.Format, data []byte, opt unpack.Options, visit unpack.Visit) error {
			return unpack.WalkMail(data, opt, visit)
		}
	case !unpack.CanWalk(f.Format):
		return
	}
	if depth == 0 {
		ex.unit.begin(len(data), ex.now)
		defer ex.unit.end()
	}
	o.walk = walk
	ex.unit.around[depth] = o
	mark := ex.unit.arena.top
	defer func() { ex.unit.arena.top = mark }() // what bundles kept
	o.open()
}

type walkFunc func(meetguard.Format, []byte, unpack.Options, unpack.Visit) error

// open walks through the container; and again with passwords, if something in it
// is locked and a password stands somewhere.
func (o *opening) open() {
	err := o.walk(o.format, o.data, o.options(nil), o.visit)
	if len(o.locked) > 0 || errors.Is(err, unpack.ErrLocked) {
		err = o.withPasswords(err)
	}
	o.ex.unit.locked = o.ex.unit.locked || len(o.locked) > 0 || errors.Is(err, unpack.ErrLocked)
	for _, b := range o.bundles {
		keep(o.f, b.judge(o.ex))
	}
	for _, name := range o.locked {
		o.gap(memberTrouble(name, errors.New("it is encrypted")))
	}
	if err != nil {
		o.end(err)
	} else if o.searched {
		o.gap("its files cannot be listed: the content was only searched for known patterns")
	}
}

func (o *opening) options(passwords []string) unpack.Options {
	return unpack.Options{Budget: &o.ex.unit.budget, Name: o.name, Passwords: passwords}
}

func (o *opening) gap(reason string) {
	if g := blinding("members", reason); len(o.f.Gaps) < maxGaps && !slices.Contains(o.f.Gaps, g) {
		o.f.Gaps = append(o.f.Gaps, g)
	}
}

// end says why a walk did not come to its end.
func (o *opening) end(err error) {
	var limit *unpack.LimitError
	switch {
	case err == unpack.ErrUnsupported && (o.f.Format == meetguard.FormatPE || o.f.Format == meetguard.FormatMSI):
		// it is a program that unpacks nothing, or a database of something else
	case err == unpack.ErrUnsupported:
		o.gap(fmt.Sprintf("this version does not open %s containers", o.f.Format))
	case errors.Is(err, unpack.ErrPartial):
		o.f.Gaps = append(o.f.Gaps, meetguard.Gap{Fact: "members", Reason: clipText(err.Error(), maxText)})
	case err == errDepth, errors.As(err, &limit), errors.Is(err, unpack.ErrLocked), errors.Is(err, unpack.ErrUnsupported):
		o.gap(err.Error())
	default:
		o.gap("the container cannot be read to its end: " + err.Error())
	}
}

// visit looks at one member.
func (o *opening) visit(m unpack.Member) error {
	if o.depth >= maxDepth {
		return errDepth
	}
	switch {
	case m.Role == unpack.RoleFolder:
		return nil
	case m.Locked:
		if len(o.locked) < maxLockedNoted {
			o.locked = append(o.locked, m.Name)
		}
		return nil
	case o.wanted != nil && !o.wanted(m):
		return nil
	}
	if b, rel := o.bundleOf(m.Name); b != nil {
		return o.trouble(m.Name, b.add(o, rel, m))
	}
	if m.Role == unpack.RoleLink || m.Role == "" && o.isSource(m) {
		return nil
	}
	return o.trouble(m.Name, o.member(m))
}

// isSource tells the members that nothing runs whatever they hold. A class is
// run if the container is a program in Java.
func (o *opening) isSource(m unpack.Member) bool {
	ext := strings.ToLower(path.Ext(m.Name))
	if !sourceExt[ext] || inspect.IsVehicleName(m.Name) {
		return false
	}
	if inspect.MayBeVehicle(m.Name) && (m.Size >= 0 || o.single) && m.Size <= maxLoose && strings.Count(m.Name, "/") <= 1 && ext != ".class" {
		return false
	}
	return ext != ".class" || !hasFold(o.name, ".jar") || m.Size > maxClass
}

// maxLoose is how large a file of data may be that lies at the top of an archive,
// in bytes, to be looked at as what somebody was sent.
const maxLoose = 32 << 10

// maxClass is how large a class may be to be looked at, in bytes: those that
// only start something are small.
const maxClass = 64 << 10

// trouble notes what went wrong with one member. Only a limit of the whole ends
// the walk.
func (o *opening) trouble(name string, err error) error {
	var limit *unpack.LimitError
	if err == nil || errors.As(err, &limit) {
		return err
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = errors.New("it is cut short")
	}
	o.gap(memberTrouble(name, err))
	return nil
}

func memberTrouble(name string, err error) string {
	return fmt.Sprintf("the member %q cannot be read: %v", clipText(name, 120), err)
}

// member unpacks a member and inspects it.
func (o *opening) member(m unpack.Member) error {
	if m.Role == unpack.RoleStream {
		return o.stream(m)
	}
	arena := &o.ex.unit.arena
	mark := arena.top
	defer func() { arena.top = mark }()
	data, err := o.load(m)
	if err != nil || data == nil || isAppleDouble(m.Name, data) {
		return err
	}
	facts := o.ex.content(path.Base(m.Name), m.Role, data, o.depth+1)
	facts.Path = clipText(m.Name, maxText)
	keep(o.f, facts)
	return nil
}

// load gives the content of a member: as it lies in the container, or unpacked
// into the arena. It is nil if its first bytes say that there is nothing to judge.
func (o *opening) load(m unpack.Member) ([]byte, error) {
	if m.Head != nil && o.dull(m, m.Head()) {
		return nil, nil
	}
	r, err := m.Open()
	if err != nil {
		return nil, err
	}
	if whole := unpack.Whole(r); whole != nil {
		if len(whole) > headSize && o.dull(m, whole[:headSize]) {
			return nil, nil
		}
		return whole, o.ex.unit.budget.Spend(int64(len(whole)))
	}
	arena := &o.ex.unit.arena
	room, err := arena.room()
	if err != nil {
		return nil, err
	}
	if m.Size > int64(len(room)) {
		return nil, errTooLarge
	}
	n, err := fill(room[:min(headSize, len(room))], r)
	if err == nil && o.dull(m, room[:n]) {
		return nil, nil
	}
	if err == nil {
		var more int
		more, err = fill(room[n:], r)
		n += more
	}
	if err == nil {
		err = ends(r)
	}
	if err != io.EOF {
		return nil, err
	}
	return arena.take(n), nil
}

// fill reads until the room is full, or r has an error, io.EOF as well. Unlike
// io.ReadFull it says whether r was cut short or came to its end.
func fill(room []byte, r io.Reader) (n int, err error) {
	for n < len(room) && err == nil {
		var more int
		more, err = r.Read(room[n:])
		n += more
	}
	return n, err
}

// ends gives io.EOF if r has no more bytes.
func ends(r io.Reader) error {
	var next [1]byte
	if n, err := fill(next[:], r); n == 0 {
		return err
	}
	return errTooLarge
}

// dull says whether a member needs no look. One compressed file is looked at if
// its first bytes, or its name, say that it does something when it is opened:
// most are manuals.
func (o *opening) dull(m unpack.Member, head []byte) bool {
	if m.Role != "" {
		return false
	}
	if !o.single {
		return dull(m.Name, head)
	}
	ext := strings.ToLower(path.Ext(m.Name))
	return !scriptExt[strings.TrimPrefix(ext, ".")] && !tailExt[ext] && !instructive[ext] && !inspect.MayBeVehicle(m.Name) && !unpack.IsStream(head) && inspect.Sniff(path.Base(m.Name), head) == meetguard.FormatOther
}

// stream matches the content of a file system that cannot be read, piece by
// piece.
func (o *opening) stream(m unpack.Member) error {
	o.searched = true
	r, err := m.Open()
	if err != nil {
		return err
	}
	facts := meetguard.Facts{Path: clipText(m.Name, maxText), Role: m.Role, Format: meetguard.FormatOther, Signature: meetguard.Signature{Status: meetguard.SignatureUnknown}}
	arena := &o.ex.unit.arena
	room, err := arena.room()
	if err != nil {
		return err
	}
	window := room[:min(maxStreamWindow, len(room))]
	for kept := 0; err == nil; {
		var n int
		n, err = fill(window[kept:], r)
		n += kept
		facts.Size += int64(n - kept)
		o.ex.matchOnce(&facts, setOther, path.Base(m.Name), window[:n])
		kept = copy(window, window[max(0, n-streamOverlap):n])
	}
	keep(o.f, facts)
	if err == io.EOF {
		return nil
	}
	return err
}

// isAppleDouble tells the file that macOS puts beside another one for what other
// systems cannot store (RFC 1740).
func isAppleDouble(name string, data []byte) bool {
	return strings.HasPrefix(path.Base(name), "._") && bytes.HasPrefix(data, []byte("\x00\x05\x16\x07"))
}
