package exits

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Syslog is the section of a syslog exit.
type Syslog struct {
	Facility string `yaml:"facility,omitempty"`  // one of the names in facilities; local0
	Message  string `yaml:"message,omitempty"`   // text: one sentence (the default); ocsf: the whole record as ASCII JSON
	MaxBytes int    `yaml:"max_bytes,omitempty"` // of one message, 2048…262144; 8192, and 2048 over udp
	PEN      uint32 `yaml:"pen,omitempty"`       // private enterprise number in the name of the structured data, 1…; examplePEN
	Confirm  *bool  `yaml:"confirm,omitempty"`   // wait until the receiver has read a batch to its end; true
}

// MaxBytes bounds one message. RFC 5424, section 6.1, has receivers take 480
// bytes and advises 2048; RFC 5425 has TLS receivers take 2048 and advises
// 8192. UDP takes what fits into one datagram.
const (
	defaultSyslogBytes = 8192
	defaultUDPBytes    = 2048
	minSyslogBytes     = 2048
	maxSyslogBytes     = 256 << 10
	maxUDPBytes        = 60 << 10
)

// facilities are the numbers of RFC 5424, table 1, that fit.
var facilities = map[string]int{
	"user": 1, "daemon": 3, "auth": 4, "authpriv": 10,
	"local0": 16, "local1": 17, "local2": 18, "local3": 19,
	"local4": 20, "local5": 21, "local6": 22, "local7": 23,
}

// syslogSeverity maps levels to RFC 5424, table 2.
func syslogSeverity(level string) int {
	switch level {
	case "malicious":
		return 2 // critical
	case "suspicious":
		return 4 // warning
	case "incomplete":
		return 5 // notice
	}
	return 6 // informational
}

// syslog is the section with its defaults.
func (c Config) syslog() Syslog {
	var s Syslog
	if c.Syslog != nil {
		s = *c.Syslog
	}
	if s.Facility == "" {
		s.Facility = "local0"
	}
	if s.Message == "" {
		s.Message = "text"
	}
	if s.MaxBytes == 0 {
		s.MaxBytes = defaultSyslogBytes
		if c.udp() {
			s.MaxBytes = defaultUDPBytes
		}
	}
	if s.PEN == 0 {
		s.PEN = examplePEN
	}
	if s.Confirm == nil {
		yes := true
		s.Confirm = &yes
	}
	return s
}

func (c Config) udp() bool { return strings.HasPrefix(strings.ToLower(c.URL), "udp://") }

func (s Syslog) validate(p *problems) {
	p.unless(facilities[s.Facility] != 0, "syslog.facility", "write user, daemon, auth, authpriv or local0 to local7")
	p.unless(s.Message == "text" || s.Message == "ocsf", "syslog.message", "write text or ocsf")
	p.unless(s.MaxBytes >= minSyslogBytes && s.MaxBytes <= maxSyslogBytes, "syslog.max_bytes", "write a number from %d to %d", minSyslogBytes, maxSyslogBytes)
}

// examplePEN is the private enterprise number that RFC 5612 sets aside for
// documentation. Meetguard has none of its own (RFC 5424, section 7.2.2, wants one
// in the name of an element), so whoever has one, or a receiver that minds, sets
// another.
const examplePEN = 32473

// structured lists the parameters in the order in which they are written: the
// ones that are needed most come first, because those that do not fit are left
// out from the end.
var structured = []struct{ name, path string }{
	{"level", "unmapped.mg_level"}, {"brand", "unmapped.mg_brand"}, {"score", "unmapped.mg_score"},
	{"rule", "unmapped.mg_rule"}, {"sha256", "unmapped.mg_sha256"}, {"path", "unmapped.mg_path"},
	{"signature", "unmapped.mg_signature"}, {"signer", "unmapped.mg_signer"}, {"team_id", "unmapped.mg_team_id"},
	{"source_host", "unmapped.mg_source_host"}, {"user", "unmapped.mg_user"}, {"pid", "unmapped.mg_pid"},
	{"format", "unmapped.mg_format"}, {"inner", "unmapped.mg_inner"}, {"disposition", "disposition"},
	{"uid", "metadata.uid"}, {"finding", "finding_info.uid"}, {"seq", "unmapped.mg_seq"},
	{"command_line", "unmapped.mg_command_line"},
}

// message renders one RFC 5424 message without framing, of at most s.MaxBytes
// bytes and without a line break. A JSON message that does not fit is replaced
// by the text, because half of a JSON text is of no use to anybody.
func (s Syslog) message(v view) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "<%d>1 %s %s meetguard - alert ", facilities[s.Facility]*8+syslogSeverity(v.item.Level),
		stamp(v.time()), headerField(v.host, maxHostname))
	head := b.Len()
	if s.Message == "ocsf" {
		json := escapeJSON(v.ocsf(), func(r rune) bool { return r > 0x7e })
		s.writeStructured(&b, v, s.MaxBytes-len(json)-1)
		if b.Len()+1+len(json) <= s.MaxBytes {
			b.WriteByte(' ')
			b.Write(json)
			return b.Bytes()
		}
		b.Truncate(head)
	}
	s.writeStructured(&b, v, s.MaxBytes-textRoom)
	writeText(&b, v.text("message"), s.MaxBytes)
	return b.Bytes()
}

// textRoom is what structured data leaves for the sentence, in bytes.
const textRoom = 340

// writeStructured writes one element into at most limit bytes of b altogether.
// The first parameters are of the collector and always fit.
func (s Syslog) writeStructured(b *bytes.Buffer, v view, limit int) {
	fmt.Fprintf(b, "[meetguard@%d", s.PEN)
	for _, f := range v.added() {
		writeParam(b, strings.TrimPrefix(f.key, "mg_"), cut(f.value, 128), max(limit, b.Len()+300))
	}
	for _, f := range structured {
		writeParam(b, f.name, v.text(f.path), limit)
	}
	b.WriteByte(']')
}

// writeParam writes a parameter if it says something and fits.
func writeParam(b *bytes.Buffer, name, value string, limit int) {
	if value == "" {
		return
	}
	param := " " + name + `="` + paramEscape.Replace(value) + `"`
	if b.Len()+len(param)+len("]") <= limit {
		b.WriteString(param)
	}
}

// paramEscape is RFC 5424, section 6.3.3: these three, and no others.
var paramEscape = strings.NewReplacer(`"`, `\"`, `\`, `\\`, `]`, `\]`)

// writeText writes the message. The byte order mark says that it is UTF-8 (RFC
// 5424, section 6.4); ASCII does without, since many receivers show the mark.
func writeText(b *bytes.Buffer, text string, limit int) {
	b.WriteByte(' ')
	if !ascii(text) {
		b.WriteString("\ufeff")
	}
	b.WriteString(cut(text, max(limit-b.Len(), 0)))
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// headerField makes a field of the header: printable ASCII without a blank, at
// most limit bytes, and - for nothing.
func headerField(s string, limit int) string {
	s = strings.Map(func(r rune) rune {
		if r <= ' ' || r > '~' {
			return '_'
		}
		return r
	}, s)
	if s == "" {
		return "-"
	}
	return cut(s, limit)
}
