package main

import (
	"runtime/debug"
)

// gcPercent is how much the heap may grow before it is collected, in percent of
// what lives. The catalog is one large, long-lived heap with little garbage
// beside it, so that half of Go's default costs hardly any time and saves a
// quarter of the memory.
const gcPercent = 50

// tuneMemory keeps the process small. GOGC and GOMEMLIMIT, as the Go runtime
// reads them, take precedence.
func (c *cli) tuneMemory() {
	if c.getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
}

// loadPercent takes gcPercent's place while the catalog is read: nothing of it
// is garbage yet, and each collection would go through it all again.
const loadPercent = 200

// hurry trades memory for time until the returned function is called.
func (c *cli) hurry() (done func()) {
	if c.getenv("GOGC") != "" {
		return func() {}
	}
	before := debug.SetGCPercent(loadPercent)
	return func() { debug.SetGCPercent(before) }
}

// releaseMemory gives back what a bulk load needed for a moment.
func releaseMemory() { debug.FreeOSMemory() }
