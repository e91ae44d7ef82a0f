package api

import (
	"context"
	"slices"
	"sort"
	"sync"
	"sync/atomic"
	"time"

	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/index"
	"github.com/waypost-dev/waypost/server/store"
)

// recent knows the last revisions without their contents: what was there at one
// of them then follows from what is there now, and the database need not be
// asked. It is read from the store when it is first asked, and again when the
// index has moved on; who asks meanwhile is told that it is not known. It is safe
// for concurrent use.
type recent struct {
	store *store.Store
	most  int         // steps, about
	busy  atomic.Bool // somebody reads

	mu sync.RWMutex
	// It has all revisions above from, up to to.
	from, to catalog.Revision
	steps    []step
	dropped  int            // steps that were before those
	last     map[string]int // by ref, the number of its last step
	// quiet is a time up to which there was no revision above to.
	quiet int64
}

// step is a store.Step in less memory.
type step struct {
	revision catalog.Revision
	time     int64 // Unix microseconds
	ref      string
	before   int // number of the step of the same ref before this one; below recent.dropped if it is not known any more
	was      bool
}

// maxRecent bounds the revisions that are known: less than three megabytes, with
// all of them of different entities.
const maxRecent = 14_000

func newRecent(st *store.Store) *recent {
	return &recent{store: st, most: maxRecent, last: map[string]int{}}
}

// existed tells whether a ref had an entity at a revision, if that is known.
func (r *recent) existed(now *index.Snapshot, key string, at catalog.Revision) (existed, known bool) {
	if !r.reaches(now.Revision()) {
		return false, false
	}
	was, changed, known := r.since(now.Revision(), key, at)
	if changed || !known {
		return was, known
	}
	_, existed = now.ByKey(key)
	return existed, true
}

// since tells whether a ref has changed since a revision, and whether it had an
// entity before it did.
func (r *recent) since(now catalog.Revision, key string, at catalog.Revision) (was, changed, known bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if at < r.from || at > now || now > r.to {
		return false, false, false
	}
	n, ok := r.last[key]
	for ok && n >= r.dropped {
		s := &r.steps[n-r.dropped]
		if s.revision <= at {
			break
		}
		was, changed, n = s.was, true, s.before
	}
	return was, changed, true
}

// revisionAt is the last revision at or before a time, if that is known.
func (r *recent) revisionAt(now catalog.Revision, at time.Time) (revision catalog.Revision, known bool) {
	if !r.reaches(now) {
		return 0, false
	}
	micros := at.UnixMicro()
	r.mu.RLock()
	defer r.mu.RUnlock()
	n := sort.Search(len(r.steps), func(i int) bool { return r.steps[i].time > micros })
	if n == 0 || n == len(r.steps) && micros > r.quiet {
		return 0, false
	}
	return r.steps[n-1].revision, true
}

// remember notes what the store says is the last revision at or before a time.
func (r *recent) remember(revision catalog.Revision, at time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if revision == r.to {
		r.quiet = max(r.quiet, at.UnixMicro())
	}
}

// reaches tells whether the steps go up to a revision, which the index has seen.
// Else it has them read.
func (r *recent) reaches(now catalog.Revision) bool {
	r.mu.RLock()
	there := r.to >= now
	r.mu.RUnlock()
	if !there && r.busy.CompareAndSwap(false, true) {
		go func() {
			defer r.busy.Store(false)
			_ = r.read(context.Background(), now) // it costs speed only if it fails
		}()
	}
	return there
}

// read adds what is new. Only one may do so at a time.
func (r *recent) read(ctx context.Context, now catalog.Revision) error {
	after, oldest := r.to, max(0, now-catalog.Revision(r.most))
	anew := after < oldest
	if anew {
		after = oldest
	}
	var added []store.Step
	err := r.store.Steps(ctx, after, func(s store.Step) error {
		added = append(added, s)
		return nil
	})
	if err != nil {
		return err
	}
	// Asked afterwards: Prune raises it before it removes anything.
	kept, err := r.store.KeptFrom(ctx)
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if anew {
		r.steps, r.dropped, r.from = nil, 0, after
		clear(r.last)
	}
	r.steps = slices.Grow(r.steps, len(added))
	for _, s := range added {
		r.add(s)
	}
	r.from, r.to, r.quiet = max(r.from, kept), max(r.to, after, now), 0
	r.trim()
	return nil
}

// add is called with the lock held.
func (r *recent) add(s store.Step) {
	before, ok := r.last[s.Ref]
	if !ok {
		before = -1
	} else if before >= r.dropped {
		s.Ref = r.steps[before-r.dropped].ref // shares its memory
	}
	r.last[s.Ref] = r.dropped + len(r.steps)
	r.steps = append(r.steps, step{s.Revision, s.Time.UnixMicro(), s.Ref, before, s.Was})
	r.to = s.Revision
}

// trim forgets the oldest steps, now and then. It is called with the lock held.
func (r *recent) trim() {
	if len(r.steps) <= r.most+r.most/8 {
		return
	}
	drop := len(r.steps) - r.most
	for i, s := range r.steps[:drop] {
		if r.last[s.ref] == r.dropped+i {
			delete(r.last, s.ref)
		}
	}
	r.from = max(r.from, r.steps[drop-1].revision)
	r.steps = slices.Delete(r.steps, 0, drop) // clears what it frees
	r.dropped += drop
}
