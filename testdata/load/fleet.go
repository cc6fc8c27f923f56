//go:build linux

package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// agent is one of the fleet.
type agent struct {
	n    int
	addr string
	tls  *tls.Config
	uid  string

	mu     sync.Mutex // one request at a time
	conn   net.Conn
	read   *bufio.Reader
	seq    uint64
	prev   string
	stored []string // uids that were answered for
	unsent []byte   // line without an answer: sent again next time
}

// errLater says that the collector wants to be asked again later.
var errLater = errors.New("too many requests")

// enrol makes an agent of a token.
func enrol(n int, addr, word string) (*agent, error) {
	secret := strings.Split(word, "_")[1]
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, key)
	if err != nil {
		return nil, err
	}
	body, _ := json.Marshal(map[string]any{
		"token": secret, "csr": string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der})),
		"agent": labels(n), "machine_id": fmt.Sprintf("%064x", n+1), "boot_id": strings.Repeat("0", 64),
	})
	// The pin is not checked: both ends are ours, on loopback, and the answer names the roots for all that follows.
	a := &agent{n: n, addr: addr, tls: &tls.Config{MinVersion: tls.VersionTLS13, InsecureSkipVerify: true}, prev: strings.Repeat("0", 64)}
	status, text, _, err := a.post("/v1/agent/enroll", body, false)
	a.close()
	if status == http.StatusTooManyRequests {
		return nil, errLater
	}
	if err != nil || status != http.StatusOK {
		return nil, fmt.Errorf("enrol agent %d: status %d, %v: %.200s", n, status, err, text)
	}
	var answer struct {
		UID  string `json:"agent_uid"`
		Cert string `json:"certificate"`
		CA   string `json:"ca"`
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		return nil, err
	}
	block, _ := pem.Decode([]byte(answer.Cert))
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM([]byte(answer.CA))
	a.uid = answer.UID
	a.tls = &tls.Config{MinVersion: tls.VersionTLS13, RootCAs: roots, ServerName: "127.0.0.1",
		Certificates:       []tls.Certificate{{Certificate: [][]byte{block.Bytes}, PrivateKey: key}},
		ClientSessionCache: tls.NewLRUClientSessionCache(1)}
	return a, nil
}

func labels(n int) map[string]string {
	return map[string]string{"uid": fmt.Sprint("label-", n), "hostname": fmt.Sprintf("LT-%05d", n), "os": "windows", "version": "0.9.0", "rules_version": "2026.11"}
}

// beat sends a heartbeat, and an alert with it if asked for.
func (a *agent) beat(interval time.Duration, withAlert, reconnect bool) (took time.Duration, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	alerts := []json.RawMessage{}
	if withAlert || a.unsent != nil {
		if a.unsent == nil {
			a.unsent = a.line()
		}
		alerts = append(alerts, a.unsent)
	}
	body, _ := json.Marshal(map[string]any{
		"agent": labels(a.n), "alerts": alerts,
		"heartbeat": map[string]any{
			"time": time.Now().UnixMilli(), "seq": a.seq, "head": a.prev, "interval_s": interval.Seconds(),
			"machine_id": fmt.Sprintf("%064x", a.n+1), "boot_id": strings.Repeat("0", 64),
			"spool":  map[string]any{"created": a.seq, "acked": len(a.stored), "pending": len(alerts), "dropped": map[string]int{}},
			"status": map[string]any{"sources": []map[string]string{{"name": "files", "state": "ok"}, {"name": "launches", "state": "ok"}}, "rules": map[string]any{"version": "2026.11", "count": 300}},
		},
	})
	packed := pack(body)
	if reconnect {
		a.close()
	}
	status, text, took, err := a.post("/v1/agent/batch", packed, true)
	if err != nil {
		a.close()
		return took, err
	}
	if status != http.StatusOK {
		return took, fmt.Errorf("status %d: %.200s", status, text)
	}
	return took, a.settle(text)
}

// packers are kept: a new one costs more than the whole request.
var packers = sync.Pool{New: func() any { return gzip.NewWriter(nil) }}

func pack(body []byte) []byte {
	var out bytes.Buffer
	zip := packers.Get().(*gzip.Writer)
	defer packers.Put(zip)
	zip.Reset(&out)
	zip.Write(body)
	zip.Close()
	return out.Bytes()
}

func (a *agent) settle(text []byte) error {
	if a.unsent == nil {
		return nil
	}
	var answer struct {
		Results []struct{ UID, Status string } `json:"results"`
	}
	if err := json.Unmarshal(text, &answer); err != nil || len(answer.Results) != 1 {
		return fmt.Errorf("answer cannot be read: %.200s", text)
	}
	if s := answer.Results[0].Status; s != "stored" && s != "duplicate" {
		return fmt.Errorf("alert was %s", s)
	}
	a.stored = append(a.stored, answer.Results[0].UID)
	a.unsent = nil
	return nil
}

// line is the next line of the agent's alert log, of the usual size.
func (a *agent) line() []byte {
	a.seq++
	uid := fmt.Sprintf("%s-%d", a.uid, a.seq)
	sum := sha256.Sum256([]byte(uid))
	path := fmt.Sprintf(`C:\Users\user%d\Downloads\ZoomInstallerFull (%d).exe`, a.n, a.seq)
	raw, _ := json.Marshal(map[string]any{
		"class_uid": 2004, "class_name": "Detection Finding", "category_uid": 2, "activity_id": 1, "type_uid": 200401, "time": time.Now().UnixMilli(),
		"severity_id": 4, "severity": "High", "is_alert": true, "message": "Fake Zoom installer ZoomInstallerFull.exe",
		"metadata":     map[string]any{"version": "1.8.0", "uid": uid, "product": map[string]string{"name": "meetguard", "vendor_name": "meetguard"}},
		"finding_info": map[string]any{"uid": uid, "title": "Fake Zoom installer", "desc": strings.Repeat("The file calls itself a Zoom installer but is not signed by Zoom. ", 20)},
		"device":       map[string]any{"type_id": 2, "hostname": fmt.Sprintf("LT-%05d", a.n)},
		"evidences":    []any{map[string]any{"file": map[string]any{"type_id": 1, "name": "ZoomInstallerFull.exe", "path": path, "size": 1843200}}},
		"remediation":  map[string]string{"desc": strings.Repeat("Do not run the file. ", 40)},
		"unmapped": map[string]any{"mg_level": "malicious", "mg_brand": "zoom", "mg_score": 88, "mg_rule": "MG-CLAIM-UNPROVEN", "mg_path": path,
			"mg_sha256": hex.EncodeToString(sum[:]), "mg_format": "pe", "mg_signature": "unsigned", "mg_signer": "", "mg_team_id": "", "mg_source_host": "zoom-meeting.invalid",
			"mg_user": fmt.Sprint("user", a.n), "mg_reasons": []string{"claims Zoom in its version information", "no Authenticode signature", "the download host is not Zoom's"}, "mg_seq": a.seq, "mg_prev": a.prev},
	})
	digest := sha256.Sum256(raw)
	a.prev = hex.EncodeToString(digest[:])
	return raw
}

// sites is the number of addresses that the fleet comes from: the collector
// bounds how often each may enrol.
const sites = 50

// post sends one request over the agent's connection, HTTP/1.1, and reads the
// answer. It measures from the first byte sent to the last one read.
func (a *agent) post(path string, body []byte, packed bool) (status int, text []byte, took time.Duration, err error) {
	start := time.Now()
	if a.conn == nil {
		raw, err := (&net.Dialer{Timeout: 20 * time.Second, LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 1+byte(a.n/20000), 1+byte(a.n%sites))}}).Dial("tcp", a.addr)
		if err != nil {
			return 0, nil, time.Since(start), err
		}
		a.conn = tls.Client(raw, a.tls)
		a.read = bufio.NewReaderSize(a.conn, 512)
	}
	a.conn.SetDeadline(start.Add(30 * time.Second))
	var req bytes.Buffer
	fmt.Fprintf(&req, "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n", path, a.addr, len(body))
	if packed {
		req.WriteString("Content-Encoding: gzip\r\n")
	}
	req.WriteString("\r\n")
	req.Write(body)
	if _, err := a.conn.Write(req.Bytes()); err != nil {
		return 0, nil, time.Since(start), err
	}
	res, err := http.ReadResponse(a.read, nil)
	if err != nil {
		return 0, nil, time.Since(start), err
	}
	defer res.Body.Close()
	text, err = io.ReadAll(res.Body)
	return res.StatusCode, text, time.Since(start), err
}

func (a *agent) close() {
	if a.conn != nil {
		a.conn.Close()
		a.conn = nil
	}
}
