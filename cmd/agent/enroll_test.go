//go:build unix

package main

import (
	"crypto/tls"
	"encoding/json"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"meetguard/internal/pki"
)

// enrols is a collector that knows one token and does nothing but enrol. It
// returns its CA and its address.
func enrols(t *testing.T, secret string) (*pki.Authority, string) {
	t.Helper()
	ca, err := pki.Create(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError), Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var q struct{ Token, CSR string }
		json.NewDecoder(r.Body).Decode(&q)
		if q.Token != secret {
			w.WriteHeader(http.StatusUnauthorized)
			json.NewEncoder(w).Encode(map[string]string{"code": "token", "detail": "the token has expired"})
			return
		}
		uid, err := pki.DeviceUID(q.CSR)
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		issued, _ := ca.SignDevice(q.CSR, uid, time.Now())
		json.NewEncoder(w).Encode(map[string]any{"agent_uid": uid, "certificate": issued.PEM, "ca": ca.Trust(), "bearer": pki.NewBearer()})
	})}
	done := make(chan struct{})
	go func() {
		defer close(done)
		srv.Serve(tls.NewListener(ln, ca.TLSConfig([]string{"127.0.0.1"}, time.Now)))
	}()
	t.Cleanup(func() { srv.Close(); <-done })
	return ca, "https://" + ln.Addr().String()
}

func TestEnroll(t *testing.T) {
	secret := pki.NewSecret()
	ca, address := enrols(t, secret)
	dir := t.TempDir()
	state := filepath.Join(dir, "state")
	good := pki.FormatToken(secret, ca.Pin())
	file := write(t, filepath.Join(dir, "token"), good+"\n")
	other := write(t, filepath.Join(dir, "other.yaml"), "collector: https://other.invalid\n")
	for _, tt := range []struct {
		name string
		args []string
		code int
		want string
	}{
		{"nothing", nil, 2, "arg(s)"},
		{"no token", []string{address}, 2, "give the token once"},
		{"two tokens", []string{address, good, "--token-file", file}, 2, "give the token once"},
		{"half a token", []string{address, good[:40]}, 2, "copy the whole word"},
		{"spent token", []string{address, pki.FormatToken(pki.NewSecret(), ca.Pin())}, 2, "the token has expired; ask for a new enrolment token"},
		{"other CA", []string{address, pki.FormatToken(secret, pki.NewSecret())}, 2, "is not that of the token"},
		{"http", []string{"http://collector.invalid", good}, 2, "https://"},
		{"http here", []string{"http://127.0.0.1:1", good}, 2, "https"},
		{"nobody there", []string{"https://127.0.0.1:1", good}, 2, "connect"},
		{"no such file", []string{address, "--token-file", file + "x"}, 2, "read enrolment token"},
		{"good", []string{address, good}, 0, "enrolled as "},
		{"again, from a file", []string{address, "--token-file", file}, 0, "enrolled as "},
		{"another is configured", []string{address, good, "--config", other}, 0, "set collector to " + address},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := command(t, append([]string{"enroll", "--state", state}, tt.args...)...)
			if r.code != tt.code || !strings.Contains(r.out+r.errOut, tt.want) || strings.Contains(r.out+r.errOut, secret) || strings.Count(r.errOut, "\n") > 1 {
				t.Errorf("exit %d, want %d; want %q in:\n%s%s", r.code, tt.code, tt.want, r.out, r.errOut)
			}
		})
	}
	if info, err := os.Stat(filepath.Join(state, "device.json")); err != nil || info.Size() == 0 {
		t.Error(err)
	}
}
