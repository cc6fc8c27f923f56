// Package script tells what the structure of a script says, whatever its words:
// how its text is padded, what its split strings spell, which encoded layers it
// carries, what it fetches, who runs what was fetched, and which other habits
// of lures it has. It states facts and judges nothing; ordinary installers
// have fetches and traits too.
//
// The way through the package:
//
//	bytes ─► language (detect.go) ─► normal text (decode.go) ─► padding (padding.go)
//	      ─► statements with joined strings (shell.go, batch.go, token.go, join.go)
//	      ─► nested commands and layers (nest.go) ─► fetches (fetch.go, follow.go)
//	      ─► traits (rules.go, behaviour.go) and what the user reads (pretext.go)
//
// Everything is bounded: the work grows with the size of the input, and what a
// script can make grow (variables, layers, nesting) is paid from a budget.
// Nothing is executed and no URL is followed.
package script
