// Package collect is the collector: it takes alerts from agents over HTTP,
// keeps them, and shows them to people and programs.
//
// The promise: an alert that was answered with "stored" is committed to disk.
// Agents send at least once; the key (agent uid, metadata.uid) and a digest of
// the record make it once in the store. One bad record is refused alone and
// never holds up the rest.
//
// Everything in a record is untrusted text. It is bounded when it is parsed,
// escaped when it is shown, and never logged.
//
// The way of a batch: batch.go reads and bounds the request, record.go judges
// each record, the store commits, and the answer names every record.
package collect
