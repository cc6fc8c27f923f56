package collect

import (
	"net/http"
	"time"
)

// metaRoutes are about the collector itself.
func (s *Server) metaRoutes() []route {
	return []route{
		{"GET", "/openapi.yaml", public(), 0, s.getOpenAPI},
		{"GET", "/healthz", public(), 0, s.getHealth},
		{"GET", "/readyz", public(), 0, s.getReady},
	}
}

// observe notes an answer for the metrics.
func (s *Server) observe(route string, code int, seconds float64) {
	s.metrics.request(route, code, time.Duration(seconds*float64(time.Second)))
}

func (s *Server) getOpenAPI(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/yaml")
	_, _ = w.Write(openAPI) // an error means that the client left
}

type health struct {
	Status string `json:"status"`
}

func (s *Server) getHealth(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, health{Status: "ok"})
}

func (s *Server) getReady(w http.ResponseWriter, r *http.Request) {
	if err := s.store.Ready(r.Context()); err != nil {
		s.fail(w, r, err)
		return
	}
	writeJSON(w, health{Status: "ok"})
}
