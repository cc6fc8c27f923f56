// Package meetguard holds the vocabulary of the product: the records that its
// parts hand to one another. It holds types and nothing that acts; every
// internal package imports it, and none of them imports another (see
// docs/architecture.md, held by arch_test.go).
//
// The way of a record:
//
//	Event ─► Facts ─► Verdict ─► Alert
//
// An event is a hint that something happened. Facts are what could be learned
// about the file or launch behind it. A verdict is the judgement over facts
// alone. An alert is a verdict that somebody has to see.
package meetguard

import "time"

// Kind says what an Event is about.
type Kind string

// The kinds of event.
const (
	FileLanded     Kind = "file_landed"     // a file got its final name or content
	ProcessStarted Kind = "process_started" // a program was launched
)

// Event is what a source saw. It is a hint: the path is looked at again before
// anything is believed.
type Event struct {
	Time    time.Time
	Kind    Kind
	Path    string   // the file that landed, or the executable of the launch
	Source  string   // the source that saw it: "inotify", "fsnotify", "sweep", "proc-connector", "poll", …
	Process *Process // set if Kind is ProcessStarted
}

// Process is one launch and what is known of its ancestors.
type Process struct {
	PID         int       `json:"pid"`
	PPID        int       `json:"ppid,omitempty"`
	OS          string    `json:"os,omitempty"` // windows, darwin or linux
	Exe         string    `json:"exe"`          // path of the executable; may be a base name in recorded events
	Args        []string  `json:"args,omitempty"`
	CommandLine string    `json:"command_line,omitempty"` // used where Args is absent
	Cwd         string    `json:"cwd,omitempty"`
	User        string    `json:"user,omitempty"`
	Started     time.Time `json:"started,omitzero"`
	Source      string    `json:"source,omitempty"`    // the source that saw the launch
	Ancestors   []Process `json:"ancestors,omitempty"` // parent first; their own Ancestors are empty

	Signature  *Signature `json:"signature,omitempty"`   // of the executable, where the source told of it; nil is unknown, never unsigned
	OriginHost string     `json:"origin_host,omitempty"` // where the executable was downloaded from, where the source told of it
}

// Step is one launch of a chain of launches that belong together.
type Step struct {
	Time  time.Time `json:"time,omitzero"`
	PID   int       `json:"pid"`
	PPID  int       `json:"ppid,omitempty"`
	Exe   string    `json:"exe"`
	Link  string    `json:"link"` // why it belongs to the chain, one of the Link… constants
	Deeds []Deed    `json:"deeds,omitempty"`
}

// Why a Step belongs to the chain of a launch.
const (
	LinkSelf     = "self"     // it is the launch itself
	LinkAncestor = "ancestor" // it led to the launch
	LinkTree     = "tree"     // one program led to both
	LinkFile     = "file"     // both handle one file
	LinkSession  = "session"  // one terminal, desktop or browser started both within minutes
)

// Deed is what the command line of a launch says that it does. It states facts
// and judges nothing.
type Deed struct {
	Kind string   `json:"kind"`           // one of the Deed… constants
	File string   `json:"file,omitempty"` // what it is done to, as the command line names it
	From string   `json:"from,omitempty"` // what File is made of: the original, the archive, the image
	Host string   `json:"host,omitempty"` // with whom, lower case
	What string   `json:"what,omitempty"` // the tool, or the kind of secret
	Mark []string `json:"mark,omitempty"` // insecure, hidden, pipe, temp, outside …
}

// The kinds of Deed.
const (
	DeedFetch        = "fetch"           // downloads something, to File if it is known
	DeedFetchRun     = "fetch and run"   // downloads something and runs it, in one command line
	DeedRead         = "read commands"   // an interpreter takes its commands from a pipe
	DeedRun          = "run"             // runs File: the executable or what it is given to interpret
	DeedUnpack       = "unpack"          // unpacks into File
	DeedChmod        = "make executable" // makes File executable
	DeedDequarantine = "dequarantine"    // takes the download mark off File
	DeedResign       = "re-sign"         // signs File ad hoc
	DeedPrompt       = "ask password"    // asks the user for a password in a window of its own
	DeedCheck        = "check password"  // checks a password
	DeedSecret       = "take secret"     // reads, copies or packs the secrets that What names
	DeedPack         = "pack"            // packs or copies to File
	DeedUpload       = "upload"          // sends File or text away
	DeedPersist      = "persist"         // arranges for File to be started again
	DeedBlind        = "blind scanner"   // takes something out of the sight of the virus scanner
	DeedEncoded      = "encoded"         // runs an encoded or computed command
	DeedHide         = "hide"            // works out of sight
	DeedDecoy        = "decoy"           // shows something harmless
	DeedErase        = "erase"           // deletes File
	DeedConnect      = "connect"         // opens a connection by itself, without a program that fetches
	DeedTrust        = "trust"           // makes the system trust a certificate or a proxy
	DeedAdmit        = "let in"          // makes an account, or another way in for somebody else
	DeedSpy          = "spy"             // takes the screen, the clipboard or what the microphone hears
	DeedOrigin       = "come"            // comes from Host, as its download mark says
	DeedProbe        = "look around"     // asks what machine this is and who uses it
)

// Landing is how a file came to where a launch found it.
type Landing struct {
	Time time.Time `json:"time,omitzero"`
	Host string    `json:"host,omitempty"`
	By   string    `json:"by,omitempty"` // how the time is known, one of the Landed… constants
}

// How the time of a Landing is known.
const (
	LandedSeen    = "seen"    // it was seen to land
	LandedJournal = "journal" // it was, before the agent was started again
	LandedBirth   = "birth"   // since when the file is there, as its file system says
	LandedChange  = "change"  // its last change: its content, its name or its rights
)

// Format is the type of a file, told from its content.
type Format string

// The formats of the contract.
const (
	FormatPE          Format = "pe"
	FormatMachO       Format = "macho"
	FormatELF         Format = "elf"
	FormatMSI         Format = "msi"
	FormatMSIX        Format = "msix"
	FormatDMG         Format = "dmg"
	FormatPKG         Format = "pkg"
	FormatApp         Format = "app"
	FormatZip         Format = "zip"
	Format7z          Format = "7z"
	FormatRar         Format = "rar"
	FormatTar         Format = "tar" // plain or compressed
	FormatISO         Format = "iso"
	FormatCab         Format = "cab"
	FormatDeb         Format = "deb"
	FormatRPM         Format = "rpm"
	FormatScript      Format = "script"
	FormatAppleScript Format = "applescript-compiled"
	FormatShortcut    Format = "shortcut"
	FormatHTML        Format = "html"
	FormatICS         Format = "ics"
	FormatOther       Format = "other"
)

// Facts is what could be learned about one inspected unit: a file, a bundle,
// or a launch with its executable. A fact that could not be learned is a Gap;
// it is never guessed.
type Facts struct {
	Path      string      `json:"path"`
	Size      int64       `json:"size"` // bytes
	SHA256    string      `json:"sha256,omitempty"`
	Format    Format      `json:"format"`
	Claims    []Claim     `json:"claims,omitempty"` // every name the file gives itself
	Signature Signature   `json:"signature"`
	Origin    Origin      `json:"origin"`
	Script    *Script     `json:"script,omitempty"`  // set for scripts and script-like files
	Matches   []Match     `json:"matches,omitempty"` // YARA
	Process   *Process    `json:"process,omitempty"` // set for a launch
	Story     []Step      `json:"story,omitempty"`   // of a launch: the chain that it belongs to, oldest first, as far as it is remembered
	Chain     string      `json:"chain,omitempty"`   // of a launch: names the chain; the same for every launch of it
	Landed    *Landing    `json:"landed,omitempty"`  // of a launch: when its executable or its script landed, if that was seen
	Members   []Facts     `json:"members,omitempty"` // what a container holds, as far as it is worth judging; Path is the member's path
	Gaps      []Gap       `json:"gaps,omitempty"`
	OS        []OSVerdict `json:"os_verdicts,omitempty"` // second opinions, where the system can speak
	Package   *Package    `json:"package,omitempty"`     // set if a package manager owns the file
	Role      string      `json:"role,omitempty"`        // of a member: what its container does with it (install script, custom action, …)
	Unlocked  string      `json:"unlocked,omitempty"`    // of a container: where the password stood that opened it (file name, neighbour text); never the password
	Wrapper   string      `json:"wrapper,omitempty"`     // of a program: the kind of installer or packer that it is (nsis, inno, iexpress, 7z-sfx, …)
}

// Where a Claim was read.
const (
	ClaimFileName     = "file name"
	ClaimProductName  = "PE ProductName"
	ClaimCompanyName  = "PE CompanyName"
	ClaimDescription  = "PE FileDescription"
	ClaimOriginal     = "PE OriginalFilename"
	ClaimInternal     = "PE InternalName"
	ClaimBundleID     = "Info.plist CFBundleIdentifier"
	ClaimBundleName   = "Info.plist CFBundleName"
	ClaimBundleShow   = "Info.plist CFBundleDisplayName"
	ClaimMSIProduct   = "MSI ProductName"
	ClaimMSIMaker     = "MSI Manufacturer"
	ClaimMSISubject   = "MSI Subject"
	ClaimMSIXName     = "MSIX Identity Name"
	ClaimMSIXDisplay  = "MSIX DisplayName"
	ClaimSigningID    = "code signature identifier"
	ClaimPackageName  = "package name"
	ClaimBanner       = "script text"
	ClaimManifest     = "PE manifest"
	ClaimIcon         = "icon"
	ClaimVolume       = "DMG volume name"
	ClaimTitle        = "HTML title"
	ClaimTarget       = "shortcut target"
	ClaimShortcut     = "shortcut description"
	ClaimShortcutIcon = "shortcut icon"
	ClaimPKGID        = "PKG identifier"
	ClaimPKGTitle     = "PKG title"
	ClaimSubject      = "invitation summary"
)

// Claim is a name that the file gives itself, and where it was read.
type Claim struct {
	Text   string `json:"text"`
	Source string `json:"source"` // one of the Claim… constants
}

// SignatureStatus tells what the code signature proves.
type SignatureStatus string

// The states of the contract. Unknown is not unsigned.
const (
	SignatureUnknown   SignatureStatus = "unknown"   // not looked at, or could not be read: a Gap says why
	SignatureUnsigned  SignatureStatus = "unsigned"  // the format can carry a signature and this file has none
	SignatureAdhoc     SignatureStatus = "adhoc"     // Mach-O: hashes without an identity
	SignatureValid     SignatureStatus = "valid"     // intact, and the chain ends in a pinned anchor
	SignatureInvalid   SignatureStatus = "invalid"   // present, but does not fit the file, or is malformed, expired or of the wrong usage
	SignatureUntrusted SignatureStatus = "untrusted" // intact, but the chain ends in no pinned anchor
)

// Signature is the primary code signature of a file. Subject and TeamID prove
// an identity only if Status is SignatureValid.
type Signature struct {
	Status       SignatureStatus `json:"status"`
	Subject      string          `json:"subject,omitempty"`       // organisation (O) of the leaf, or its common name
	CommonName   string          `json:"common_name,omitempty"`   // CN of the leaf
	Issuer       string          `json:"issuer,omitempty"`        // CN of the issuer of the leaf
	TeamID       string          `json:"team_id,omitempty"`       // Apple Team ID
	SigningID    string          `json:"signing_id,omitempty"`    // Mach-O identifier
	Serial       string          `json:"serial,omitempty"`        // hexadecimal, lower case
	Chain        string          `json:"chain,omitempty"`         // ok, expired, unknown_root, wrong_usage, weak_sha1, …
	SignedAt     time.Time       `json:"signed_at,omitzero"`      // time of a verified countersignature
	LifeDays     int             `json:"life_days,omitempty"`     // validity of the leaf, whole days rounded up
	Detail       string          `json:"detail,omitempty"`        // why, for invalid and untrusted: one clause, no path
	Remarks      []string        `json:"remarks,omitempty"`       // named oddities: overlay, hidden_bytes, extra_entry, slice_unsigned, …
	OtherSigners []string        `json:"other_signers,omitempty"` // subjects of further signatures
	NotBefore    time.Time       `json:"not_before,omitzero"`     // from when the leaf is valid; with SignedAt it tells the age of the certificate at signing
	Service      string          `json:"service,omitempty"`       // the pay-as-you-go signing service that issued the leaf
	Abused       string          `json:"abused,omitempty"`        // what the list of abused certificates says of the leaf
	ClaimedTeam  string          `json:"claimed_team,omitempty"`  // Apple Team ID that the signature names and its certificate does not prove
	Kind         string          `json:"kind,omitempty"`          // Apple: developer_id, mac_app_store, apple, development
	Ticket       string          `json:"ticket,omitempty"`        // Apple notary ticket: stapled, or malformed; never a proof by itself
	Hardened     bool            `json:"hardened,omitempty"`      // Mach-O: hardened runtime
	CDHash       string          `json:"cdhash,omitempty"`        // of a launch on macOS: the hash of the signed list of page hashes, hexadecimal, lower case
}

// OSVerdict is what the operating system says of a signature: a second opinion
// beside Signature, never instead of it.
type OSVerdict struct {
	Source  string `json:"source"`            // wintrust, codesign, spctl
	Trusted bool   `json:"trusted"`           // accepted
	Code    string `json:"code,omitempty"`    // the system's own error code or word
	Catalog string `json:"catalog,omitempty"` // base name of the catalog that vouches for the file
	Detail  string `json:"detail,omitempty"`  // one clause
}

// Package is the entry of a package manager that owns a file.
//
// It says who put a file at its path, not that the content is still the same:
// it is a fact for people, and pardons nothing.
type Package struct {
	Manager string `json:"manager"` // dpkg, rpm, pacman, flatpak, snap, brew, pkg, appinstaller, winget, or uninstall for an entry of Windows' own list
	Name    string `json:"name"`
	// Loose is true if an ordinary user may write where the entry or the file
	// lies, as in a Homebrew folder: anybody who runs as that user can make one.
	Loose bool `json:"loose,omitempty"`
}

// Origin is where a download says it came from: hosts only, never whole URLs.
type Origin struct {
	Host         string `json:"host,omitempty"`
	ReferrerHost string `json:"referrer_host,omitempty"`
	Zone         string `json:"zone,omitempty"` // Windows zone: "3" is the Internet
	App          string `json:"app,omitempty"`  // the program that downloaded it, where known
}

// Script is what the structure of a script says, whatever its words.
type Script struct {
	Language  string   `json:"language"`             // applescript, shell, powershell, batch, vbscript, jscript, hta, python, …
	Encoding  string   `json:"encoding,omitempty"`   // utf-8, utf-16le, utf-16be, latin-1
	Lines     int      `json:"lines,omitempty"`      // after normalisation
	BlankRun  int      `json:"blank_run,omitempty"`  // longest run of lines without code between lines with text
	CodeAfter bool     `json:"code_after,omitempty"` // code stands behind that run
	Steps     int      `json:"steps,omitempty"`      // commands and statements of the text itself that do something
	Concat    int      `json:"concat,omitempty"`     // longest chain of joined literals of at most three characters
	Layers    int      `json:"layers,omitempty"`     // encoded layers that were opened
	Fetches   []Fetch  `json:"fetches,omitempty"`    // download cradles
	Hosts     []string `json:"hosts,omitempty"`      // hosts of every URL in the text, lower case
	Traits    []string `json:"traits,omitempty"`     // sorted; the Trait… constants
	Pretexts  []string `json:"pretexts,omitempty"`   // sorted words of the repair or update pretext found in what the user reads
	Tail      string   `json:"-"`                    // normalised text for YARA; never leaves the worker
}

// Fetch is one download cradle: what fetches, from where, to where, who runs it.
type Fetch struct {
	Tool     string `json:"tool"`               // curl, wget, Invoke-WebRequest, mshta, …
	Host     string `json:"host,omitempty"`     // "" if it is computed
	Insecure bool   `json:"insecure,omitempty"` // -k, --insecure, plain http
	Hidden   bool   `json:"hidden,omitempty"`   // output silenced and put in the background
	To       string `json:"to,omitempty"`       // where to: "pipe", "temp", "file", "variable"
	RunBy    string `json:"run_by,omitempty"`   // what runs it: an interpreter, "direct", "installer", "package", ""
	Owner    string `json:"owner,omitempty"`    // first part of the path, where that names who published it: the account on a forge
}

// Match is one YARA rule that matched.
type Match struct {
	Rule string            `json:"rule"`
	Meta map[string]string `json:"meta,omitempty"`
}

// Gap is a fact that could not be learned, and why.
type Gap struct {
	Fact   string `json:"fact"` // content, signature, yara, names, origin, members, …
	Reason string `json:"reason"`
	// Blinding is true if the unit could not be judged without the fact: a
	// crash, a time-out or a limit. Its level is then at best incomplete.
	Blinding bool `json:"blinding,omitempty"`
}

// Level is the outcome of a judgement.
type Level string

// The levels of the contract.
const (
	Clean      Level = "clean"
	Incomplete Level = "incomplete" // could not be judged: never reported as clean
	Suspicious Level = "suspicious"
	Malicious  Level = "malicious"
)

// Finding is one reason to worry.
type Finding struct {
	Rule      string `json:"rule"`      // stable id, see docs/detections.md
	Evidence  string `json:"evidence"`  // one sentence an analyst can read aloud
	Technique string `json:"technique"` // MITRE ATT&CK id
	Weight    int    `json:"-"`
}

// Verdict is the judgement over one unit.
type Verdict struct {
	Level    Level     `json:"level"`
	Brand    string    `json:"brand"` // catalogue id of the brand it claims, or ""
	Score    int       `json:"score"` // 0…100
	Findings []Finding `json:"findings"`
	Inner    string    `json:"inner,omitempty"`   // the member that the strongest finding is about
	Allowed  string    `json:"allowed,omitempty"` // the operator's entry that allows what was found, and until when; the findings it allows are left out
	Note     string    `json:"note,omitempty"`    // why an entry of the operator does not, or no longer, allow what was found
}

// Alert is a verdict that somebody has to see, with everything that led to it.
type Alert struct {
	Time    time.Time // of the judgement
	Event   Event
	Facts   Facts
	Verdict Verdict
	Update  bool // the chain of launches was told before, at a lower level
}

// Host is the machine that an alert comes from.
type Host struct {
	Name string // host name
	UID  string // random identity made at first start, kept in the state folder
	OS   string // windows, darwin or linux
}

// Brand is one entry of the catalogue: what a brand's software calls itself and
// how it proves it.
type Brand struct {
	ID             string   `yaml:"id"`
	Name           string   `yaml:"name"`
	Aliases        []string `yaml:"aliases"`         // names that claim the brand by themselves, folded (lower case, no spaces)
	WeakAliases    []string `yaml:"weak_aliases"`    // ordinary words that claim it only beside a meeting or installer word
	Files          []string `yaml:"files"`           // official program and installer names, without version, lower case
	Exclusions     []string `yaml:"exclusions"`      // names that hold an alias and are something else
	Companies      []string `yaml:"companies"`       // names of the maker as they stand in version resources
	Subjects       []string `yaml:"subjects"`        // Authenticode subjects, compared whole without case
	TeamIDs        []string `yaml:"team_ids"`        // Apple Team IDs
	BundleIDs      []string `yaml:"bundle_ids"`      // bundle and package ids; a trailing * matches any rest
	Hosts          []string `yaml:"hosts"`           // official registrable domains or hosts; sub-domains belong to them
	NeverNative    bool     `yaml:"never_native"`    // no native installer was ever made
	RetiredOn      string   `yaml:"retired_on"`      // date from which no new installer is published
	Sources        []string `yaml:"sources"`         // where the facts come from
	LookalikeStems []string `yaml:"lookalike_stems"` // tokens that stand for the brand in a host name, where the aliases are too common
}

// Distributors says where ordinary software comes from. An entry is a host, with
// its sub-domains, or "forge/owner"; the longest that fits decides.
type Distributors struct {
	Known   []HostGroup `yaml:"known"`   // distributors, package indexes, makers
	Forges  []HostGroup `yaml:"forges"`  // hosts of code, where the path names who published it
	Anybody []HostGroup `yaml:"anybody"` // where strangers put files
}

// HostGroup is a list of hosts that have one reason in common.
type HostGroup struct {
	Why   string   `yaml:"why"`
	Hosts []string `yaml:"hosts,flow"`
}

// Friend is an entry of the operator: who may carry a brand's name without being
// the brand, such as a department that repackages installers. Exactly one of
// Certificate, TeamID, SHA256 and Folder is set.
type Friend struct {
	Name        string       `yaml:"name"`
	Certificate *Certificate `yaml:"certificate,omitempty"` // counts only on a valid signature
	TeamID      string       `yaml:"team_id,omitempty"`     // Apple Team ID; counts only on a valid signature
	SHA256      string       `yaml:"sha256,omitempty"`      // of exactly one file, of which everything is allowed
	Folder      string       `yaml:"folder,omitempty"`      // absolute; only administrators may be able to write there
	Brands      []string     `yaml:"brands,flow"`           // catalogue ids, none for every brand
	Why         string       `yaml:"why"`
	Who         string       `yaml:"who"`     // who answers for the entry
	Expires     string       `yaml:"expires"` // last day on which it counts, UTC, like 2027-06-30
}

// Certificate names one certificate as the facts of a signature do.
type Certificate struct {
	Issuer string `yaml:"issuer"` // common name of the issuer
	Serial string `yaml:"serial"` // hexadecimal; colons, blanks, capitals and leading zeros do not matter
}

// SourceState is the health of one source.
type SourceState string

// The states of a source.
const (
	SourceOK       SourceState = "ok"
	SourceDegraded SourceState = "degraded" // works in a reduced form, detail says how
	SourceFailed   SourceState = "failed"   // sees nothing
)

// SourceStatus is one line of `meetguard status`.
type SourceStatus struct {
	Name   string      `json:"name"`
	State  SourceState `json:"state"`
	Detail string      `json:"detail"`
}

// NoticeWords are the sentences that the person at the keyboard is told, in one
// language. {file}, {brand}, {site} and {contact} stand for what they name.
type NoticeWords struct {
	Fake    string `yaml:"fake,omitempty"`     // title: it claims a brand that it is not
	Maybe   string `yaml:"maybe,omitempty"`    // title: it claims a brand and is suspicious
	Other   string `yaml:"other,omitempty"`    // title: it claims no brand
	Ran     string `yaml:"ran,omitempty"`      // title: it was started
	Test    string `yaml:"test,omitempty"`     // title of a notice that somebody tries
	IsFake  string `yaml:"is_fake,omitempty"`  // what a file is that claims a brand
	IsOther string `yaml:"is_other,omitempty"` // what any other file is
	HasRun  string `yaml:"has_run,omitempty"`  // what has happened if it was started
	Do      string `yaml:"do,omitempty"`       // what to do with a file
	Get     string `yaml:"get,omitempty"`      // where the brand's own software is
	Web     string `yaml:"web,omitempty"`      // the brand has no software of its own
	Gone    string `yaml:"gone,omitempty"`     // the brand has no software any more
	Opened  string `yaml:"opened,omitempty"`   // whom to ask if the file was opened
	Call    string `yaml:"call,omitempty"`     // whom to ask if it was started
	Secure  string `yaml:"secure,omitempty"`   // what to secure first
	Helper  string `yaml:"helper,omitempty"`   // the contact if the administrator names none
}
