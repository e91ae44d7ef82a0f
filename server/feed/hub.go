package feed

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sort"
	"strings"
	"sync"

	"github.com/maypok86/otter/v2"

	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/index"
	"github.com/waypost-dev/waypost/server/store"
)

// Errors that callers may test for with errors.Is. A revision that the store has
// given up is store.ErrTooOld.
var (
	// ErrClosed: this process is about to end; another one goes on.
	ErrClosed = errors.New("the change feed is closed")
	// ErrTooMany: there are as many watches as there may be.
	ErrTooMany = errors.New("too many watches")
)

// Bounds of a Hub.
const (
	maxWatches     = 10_000
	maxRingChanges = 1024
	maxRingBytes   = 16 << 20 // roughly, with what is made of the changes
	maxAnswers     = 16 << 20 // bytes that are kept of what filters make of batches
	storePage      = 256      // changes read from the store at once
	maxPages       = 8        // kept, for those who begin at the same revision
	maxReaders     = 2        // of the store at a time
)

// Hub knows the last changes and wakes those who wait for the next one. It is
// safe for concurrent use.
type Hub struct {
	store   *store.Store
	answers *otter.Cache[question, []Type]
	pages   *otter.Cache[catalog.Revision, []*batch]
	readers chan struct{}

	mu    sync.Mutex
	ring  []*batch             // every change after from, up to to
	of    map[string][]*Change // the same changes by key, in order
	from  catalog.Revision
	to    catalog.Revision
	size  int // changes in the ring
	bytes int
	// moved is closed when there is something new.
	moved   chan struct{}
	closed  bool
	watches int
}

// question is a filter about a batch. It does not keep the batch in memory.
type question struct {
	batch  int64
	filter string
}

// New returns a Hub that knows no change yet. What it does not know it reads
// from the store.
func New(st *store.Store) *Hub {
	return &Hub{
		store: st,
		answers: otter.Must(&otter.Options[question, []Type]{MaximumWeight: maxAnswers, Weigher: func(q question, a []Type) uint32 {
			const overhead = 200
			return uint32(overhead + len(q.filter) + len(a))
		}}),
		pages:   otter.Must(&otter.Options[catalog.Revision, []*batch]{MaximumSize: maxPages}),
		readers: make(chan struct{}, maxReaders),
		of:      map[string][]*Change{},
		moved:   make(chan struct{}),
	}
}

// Reset says that everything up to a revision has happened, without telling
// what.
func (h *Hub) Reset(at catalog.Revision) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ring, h.size, h.bytes = nil, 0, 0
	clear(h.of)
	h.from, h.to = at, at
	h.wake()
}

// Publish adds changes that follow the last ones without a gap. was is the
// catalog as it was before them.
func (h *Hub) Publish(was *index.Snapshot, changes []catalog.Change) {
	if len(changes) == 0 {
		return
	}
	latest := map[string]*catalog.Entity{}
	added := batches(changes, func(c catalog.Change) *catalog.Entity {
		key := c.Entity.Ref.Key()
		before, seen := latest[key]
		if !seen {
			if r, ok := was.Get(c.Entity.Ref); ok {
				before = r.Entity
			}
		}
		latest[key] = c.Entity
		if c.Op == catalog.OpDelete {
			latest[key] = nil
		}
		return before
	})
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, b := range added {
		h.ring = append(h.ring, b)
		h.size += len(b.changes)
		h.bytes += b.bytes
		for key, i := range b.refs {
			h.of[key] = append(h.of[key], b.changes[i])
		}
	}
	h.to = changes[len(changes)-1].Revision
	drop := 0
	for drop < len(h.ring) && (h.size > maxRingChanges || h.bytes > maxRingBytes) {
		b := h.ring[drop]
		h.size -= len(b.changes)
		h.bytes -= b.bytes
		h.from = b.last()
		for key := range b.refs {
			if h.of[key] = slices.Delete(h.of[key], 0, 1); len(h.of[key]) == 0 {
				delete(h.of, key)
			}
		}
		drop++
	}
	h.ring = slices.Delete(h.ring, 0, drop) // clears what it frees
	h.wake()
}

// Before is what there was of a ref before its first change after a revision, in
// a catalog that is at now: nil if there was nothing. It is not found if the ref
// has not changed since, or if that is longer ago than the Hub knows.
func (h *Hub) Before(key string, at, now catalog.Revision) (before *catalog.Entity, found bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if at < h.from || now > h.to {
		return nil, false
	}
	changes := h.of[key]
	i := sort.Search(len(changes), func(i int) bool { return changes[i].Revision > at })
	if i == len(changes) {
		return nil, false
	}
	return changes[i].Before, true
}

// wake is called with the lock held.
func (h *Hub) wake() {
	close(h.moved)
	h.moved = make(chan struct{})
}

// Close ends all watches, now and to come.
func (h *Hub) Close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.closed {
		h.closed = true
		h.wake()
	}
}

// Release forgets what was read from the store for those who began in the past,
// for a process that has become idle.
func (h *Hub) Release() { h.pages.InvalidateAll() }

// Watches is how many there are.
func (h *Hub) Watches() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.watches
}

// Watch begins a watch of what a filter selects, after a revision. An
// *index.QueryError says what is wrong with the filter.
func (h *Hub) Watch(filter string, after catalog.Revision) (*Watch, error) {
	if err := check(filter); err != nil {
		return nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.closed:
		return nil, ErrClosed
	case h.watches >= maxWatches:
		return nil, ErrTooMany
	}
	h.watches++
	return &Watch{hub: h, filter: strings.TrimSpace(filter), at: after}, nil
}

// Watch is a position in the changes. Its methods must not be called by several
// goroutines at once.
type Watch struct {
	hub    *Hub
	filter string
	at     catalog.Revision
	over   bool
}

// Close ends the watch.
func (w *Watch) Close() {
	w.hub.mu.Lock()
	defer w.hub.mu.Unlock()
	if !w.over {
		w.over = true
		w.hub.watches--
	}
}

// At is the revision up to which Next has told everything.
func (w *Watch) At() catalog.Revision { return w.at }

// Event is a change and what it is to the watch's filter.
type Event struct {
	Type   Type
	Change *Change
}

// Next returns what comes next, in order. If nothing is left it returns a
// channel that is closed when it is worth calling again. Between them, At may
// have moved on past changes that do not concern the filter.
//
// It fails with ErrClosed, with store.ErrTooOld, or as the filter does.
func (w *Watch) Next(ctx context.Context) ([]Event, <-chan struct{}, error) {
	next, wait, err := w.hub.after(w.at)
	if err != nil || wait != nil {
		return nil, wait, err
	}
	list := []*batch{next}
	if next == nil {
		if list, err = w.hub.page(ctx, w.at); err != nil {
			return nil, nil, err
		}
	}
	var out []Event
	for _, b := range list {
		types, err := w.hub.ask(ctx, b, w.filter)
		if err != nil {
			return nil, nil, err
		}
		for i, c := range b.changes {
			if types[i] != Unseen && c.Revision > w.at {
				out = append(out, Event{types[i], c})
			}
		}
		w.at = b.last()
	}
	return out, nil, nil
}

// after is the batch with the first change after a revision; or nil if the ring
// has lost it; or a channel to wait on if it has not happened yet.
func (h *Hub) after(at catalog.Revision) (*batch, <-chan struct{}, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.closed:
		return nil, nil, ErrClosed
	case at >= h.to:
		return nil, h.moved, nil
	case at < h.from:
		return nil, nil, nil
	}
	i := sort.Search(len(h.ring), func(i int) bool { return h.ring[i].last() > at })
	return h.ring[i], nil, nil
}

// ask is what a filter makes of a batch. Who asks the same at the same time
// waits for one answer.
func (h *Hub) ask(ctx context.Context, b *batch, filter string) ([]Type, error) {
	if filter == "" {
		return b.all(), nil
	}
	return h.answers.Get(ctx, question{b.number, filter}, otter.LoaderFunc[question, []Type](func(_ context.Context, q question) ([]Type, error) {
		return b.types(q.filter)
	}))
}

// page reads changes after a revision from the store, up to the next multiple of
// storePage, so that watches that began apart soon read the same pages.
func (h *Hub) page(ctx context.Context, after catalog.Revision) ([]*batch, error) {
	return h.pages.Get(ctx, after, otter.LoaderFunc[catalog.Revision, []*batch](func(ctx context.Context, after catalog.Revision) ([]*batch, error) {
		// Others may wait for this although the first who asked has left.
		ctx = context.WithoutCancel(ctx)
		h.readers <- struct{}{}
		defer func() { <-h.readers }()
		changes, err := h.store.Changes(ctx, after, storePage-int(after%storePage))
		if err != nil {
			return nil, err
		}
		for i := range max(1, len(changes)) {
			// Revisions have no gaps, but where some were given up.
			if want := after + 1 + catalog.Revision(i); i >= len(changes) || changes[i].Revision != want {
				return nil, fmt.Errorf("revision %d: %w", want, store.ErrTooOld)
			}
		}
		before, err := h.store.Before(ctx, changes)
		if err != nil {
			return nil, err
		}
		return batches(changes, func(c catalog.Change) *catalog.Entity { return before[c.Revision] }), nil
	}))
}
