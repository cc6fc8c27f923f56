//go:build unix

package main

import (
	"context"
	"encoding/json"
	"net/http"
	"path/filepath"
	"testing"

	"meetguard/internal/collect"
	"meetguard/internal/store"
)

// startCollector runs a real collector on loopback, which nobody has used yet, and
// returns its address.
func startCollector(t *testing.T) string { return startCollectorAt(t, "127.0.0.1:0") }

func startCollectorAt(t *testing.T, address string) string {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	st, err := store.Open(ctx, "sqlite:"+filepath.Join(t.TempDir(), "c.db"))
	if err != nil {
		t.Fatal(err)
	}
	ln, err := collect.Listen(ctx, address)
	if err != nil {
		t.Fatal(err)
	}
	srv, err := collect.NewServer(collect.Config{Store: st, Secret: make([]byte, 32), Loopback: true})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- srv.Run(ctx, ln) }()
	t.Cleanup(func() {
		cancel()
		<-done
		st.Close()
	})
	return "http://" + ln.Addr().String()
}

// collected lists the uids that the collector has.
func collected(t *testing.T, collector string) []string {
	t.Helper()
	resp, err := http.Get(collector + "/v1/alerts?limit=100")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var page struct {
		Alerts []struct {
			Record struct {
				Metadata struct{ UID string }
			}
		}
	}
	if err := json.NewDecoder(resp.Body).Decode(&page); err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, a := range page.Alerts {
		out = append(out, a.Record.Metadata.UID)
	}
	return out
}
