// Package agent joins the parts: sources of events, the inspection process,
// the judge, the alert log and the sender. It is the only package that knows
// them all.
//
// Two halves meet over a request: the Inspector opens files and hands over their
// descriptors, or the bytes of small ones, and never looks into them; the
// Examiner lives in the worker process and does nothing else.
package agent
