package main

import (
	"context"
	"log/slog"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// gcPercent is how much the heap may grow before it is collected, in percent of
// what lives. The catalog is one large, long-lived heap with little garbage
// beside it, so that half of Go's default costs hardly any time and saves a
// quarter of the memory.
const gcPercent = 50

// tuneMemory keeps the process small. GOGC and GOMEMLIMIT, as the Go runtime
// reads them, take precedence.
func (c *cli) tuneMemory() {
	// Nobody can ask for a profile of the memory, of which gRPC makes the linker
	// believe otherwise. What it would be made of takes more than a megabyte.
	runtime.MemProfileRate = 0
	if c.getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
}

// What takes gcPercent's place for a while. Nothing of a catalog that is being
// read is garbage yet, and each collection would go through it all again. One that
// is being filled for the first time comes with much garbage, and what is to stay
// lies wherever there was room in between: the less of it at once, the fewer holes
// are left for as long as the process lives.
const (
	loadPercent = 200
	fillPercent = 25
)

// collect sets how much the heap may grow until the returned function is called.
func (c *cli) collect(percent int) (done func()) {
	if c.getenv("GOGC") != "" {
		return func() {}
	}
	before := debug.SetGCPercent(percent)
	return func() { debug.SetGCPercent(before) }
}

// releaseMemory gives back what a bulk load needed for a moment.
func releaseMemory() { debug.FreeOSMemory() }

const (
	// idleAfter is how long nothing may have been collected before memory counts
	// as left behind by a burst.
	idleAfter = 2 * time.Second
	// idleBytes is how much of it is worth giving back.
	idleBytes = 4 << 20
)

// releaseIdle gives memory back that a burst of work has left behind, once
// nothing has been collected for a while, until ctx ends. The runtime does so
// too, over minutes. What died after the last collection of a burst cannot be
// seen, so that each burst is followed by one. database gives back the
// database's own memory, of which the runtime knows nothing.
func releaseIdle(ctx context.Context, database func(context.Context) error, log *slog.Logger) error {
	tick := time.NewTicker(idleAfter)
	defer tick.Stop()
	samples := []metrics.Sample{
		{Name: "/gc/cycles/total:gc-cycles"}, {Name: "/memory/classes/heap/free:bytes"},
		{Name: "/memory/classes/heap/objects:bytes"}, {Name: "/gc/heap/live:bytes"},
	}
	var cycles, released uint64
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		metrics.Read(samples)
		now := samples[0].Value.Uint64()
		// What is free, and what was made since the last collection and may be garbage.
		left := samples[1].Value.Uint64() + samples[2].Value.Uint64() - min(samples[2].Value.Uint64(), samples[3].Value.Uint64())
		if idle := now == cycles; idle && (now != released || left > idleBytes) {
			if err := database(ctx); err != nil && ctx.Err() == nil {
				log.Debug("the database keeps its memory", "error", err)
			}
			releaseMemory()
			if err := releaseProgram(); err != nil {
				log.Debug("the program's pages stay mapped", "error", err)
			}
			metrics.Read(samples[:1])
			now = samples[0].Value.Uint64()
			released = now
		}
		cycles = now
	}
}
