package index

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/waypost-dev/waypost/server/catalog"
)

// Index holds the snapshot that is served. It is safe for concurrent use;
// readers never wait for writers.
type Index struct {
	snap atomic.Pointer[Snapshot]
	kept *viewRing
	turn atomic.Int64
	tx   atomic.Uint64
	// refreshed counts records whose rendered forms were dropped because of a
	// neighbour; tests hold it against what changed.
	refreshed atomic.Int64

	mu    sync.Mutex // of writers
	moved chan struct{}
}

// New returns an empty index at revision 0.
func New() *Index {
	x := &Index{kept: &viewRing{}, moved: make(chan struct{})}
	x.snap.Store(newSnapshot(x))
	return x
}

// Snapshot is the catalog as it is now. It never blocks.
func (x *Index) Snapshot() *Snapshot { return x.snap.Load() }

// Wait returns once the snapshot is at least at a revision, or with the
// context's error.
func (x *Index) Wait(ctx context.Context, rev catalog.Revision) error {
	for x.snap.Load().rev < rev {
		x.mu.Lock()
		moved := x.moved
		x.mu.Unlock()
		if x.snap.Load().rev >= rev {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-moved:
		}
	}
	return nil
}

// Apply brings changes into the snapshot: all of them at once, or none. Changes
// up to the snapshot's revision are left out, so it does no harm to repeat some.
func (x *Index) Apply(changes []catalog.Change) {
	x.mu.Lock()
	defer x.mu.Unlock()
	var next *Snapshot
	tx := txid(x.tx.Add(1))
	rev := x.snap.Load().rev
	for _, c := range changes {
		if c.Revision <= rev {
			continue
		}
		if next == nil {
			next = x.snap.Load().fork()
		}
		rev = c.Revision
		next.apply(tx, c)
	}
	if next == nil {
		return
	}
	next.rev = rev
	x.publish(next)
}

func (x *Index) publish(s *Snapshot) {
	x.snap.Store(s)
	close(x.moved)
	x.moved = make(chan struct{})
}

// Load replaces everything: the catalog as it was at a revision. If several
// entities have the same ref, the last one counts.
func (x *Index) Load(entities []*catalog.Entity, rev catalog.Revision) {
	x.mu.Lock()
	defer x.mu.Unlock()
	s := newSnapshot(x)
	s.rev, s.levels = rev, x.snap.Load().levels
	s.load(txid(x.tx.Add(1)), entities, runtime.GOMAXPROCS(0))
	x.publish(s)
}
