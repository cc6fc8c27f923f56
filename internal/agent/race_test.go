//go:build race

package agent

// raced: with the race detector a program takes several times the memory, which
// the limits of the worker do not know, and the time.
const raced = true
