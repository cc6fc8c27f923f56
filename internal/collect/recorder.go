package collect

import (
	"fmt"
	"net/http"
)

// recorder remembers the status of an answer. Unwrap lets
// http.ResponseController reach what is below it.
type recorder struct {
	http.ResponseWriter
	status int
}

func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// WriteHeader notes the status and passes it on.
func (w *recorder) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write passes the bytes on; without WriteHeader before, the status is 200.
func (w *recorder) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(b)
}

func (w *recorder) code() int {
	if w.status == 0 {
		return http.StatusOK
	}
	return w.status
}

// fmtFault writes what a panic carried.
func fmtFault(fault any) string { return fmt.Sprint(fault) }
