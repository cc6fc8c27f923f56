//go:build linux

package main

import (
	"compress/gzip"
	"encoding/json"
	"net"
	"net/http"
	"sync"
	"time"
)

// stub is a collector that only remembers which alerts it has. It lives in the
// process that does not die.
type stub struct {
	url string
	srv *http.Server

	mu  sync.Mutex
	has map[string]bool
}

func startStub() (*stub, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &stub{url: "http://" + ln.Addr().String(), has: map[string]bool{}}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/agent/batch", s.take)
	s.srv = &http.Server{Handler: mux, ReadHeaderTimeout: time.Minute}
	go s.srv.Serve(ln)
	return s, nil
}

func (s *stub) close() { s.srv.Close() }

func (s *stub) take(w http.ResponseWriter, r *http.Request) {
	var batch struct {
		Alerts []struct {
			Metadata struct {
				UID string `json:"uid"`
			} `json:"metadata"`
		} `json:"alerts"`
	}
	zip, err := gzip.NewReader(r.Body)
	if err == nil {
		err = json.NewDecoder(zip).Decode(&batch)
	}
	if err != nil { // the sender died
		http.Error(w, "half a batch", http.StatusBadRequest)
		return
	}
	type result struct {
		UID    string `json:"uid"`
		Status string `json:"status"`
	}
	results := []result{}
	s.mu.Lock()
	for _, a := range batch.Alerts {
		s.has[a.Metadata.UID] = true
		results = append(results, result{a.Metadata.UID, "stored"})
	}
	s.mu.Unlock()
	json.NewEncoder(w).Encode(map[string]any{"results": results, "next_checkin_s": 60})
}

// lacks counts the promised alerts that never arrived.
func (s *stub) lacks(promised map[string]bool) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for uid := range promised {
		if !s.has[uid] {
			n++
		}
	}
	return n
}
