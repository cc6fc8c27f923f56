package collect

import (
	"bytes"
	"encoding/json"
	"net/http"
)

// problem is an error answer after RFC 9457, application/problem+json.
type problem struct {
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail,omitempty"`
	Code   string `json:"code,omitempty"` // for agents: see openapi.yaml
}

// refusal is an error whose text may be shown to the sender.
type refusal struct {
	status int
	detail string
	code   string // for programs, "" if the status says it all
}

func (r *refusal) Error() string { return r.detail }

func refuse(status int, detail string) error { return &refusal{status: status, detail: detail} }

// refuseCode is a refusal that programs tell apart by a word.
func refuseCode(status int, code, detail string) error {
	return &refusal{status: status, detail: detail, code: code}
}

func writeProblem(w http.ResponseWriter, status int, detail string) {
	writeProblemCode(w, status, detail, "")
}

func writeProblemCode(w http.ResponseWriter, status int, detail, code string) {
	w.Header().Set("Content-Type", "application/problem+json")
	writeBody(w, status, problem{Title: http.StatusText(status), Status: status, Detail: detail, Code: code})
}

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	writeBody(w, http.StatusOK, v)
}

// writeBody writes v as one line of JSON that is safe to print. A record keeps
// its bytes: encoding/json would spell <, > and & anew if it were let.
func writeBody(w http.ResponseWriter, status int, v any) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		http.Error(w, "internal error", http.StatusInternalServerError)
		return
	}
	w.WriteHeader(status)
	_, _ = w.Write(append(escapeJSON(bytes.TrimSuffix(buf.Bytes(), []byte("\n"))), '\n')) // an error means that the client left
}
