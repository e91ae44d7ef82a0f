// Package follow keeps the index at the state of the store: it loads it once
// and then applies the change feed, and hands it on to those who watch.
package follow

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/feed"
	"github.com/waypost-dev/waypost/server/index"
	"github.com/waypost-dev/waypost/server/store"
)

// poll is how long a change that another process committed may go unseen when
// nobody told us of it: half a second is promised. Asking costs the database a
// look at the end of one index. step is how many changes are applied at once.
const (
	poll = 400 * time.Millisecond
	step = 2000
)

// Follower brings changes from a store to an index.
type Follower struct {
	store *store.Store
	index *index.Index
	feed  *feed.Hub
	log   *slog.Logger
	seen  catalog.Revision
}

// New returns a Follower; call Load, then Run.
func New(st *store.Store, x *index.Index, log *slog.Logger) *Follower {
	return &Follower{store: st, index: x, feed: feed.New(st), log: log}
}

// Feed is where the changes are published that the index has. It is the same
// one always.
func (f *Follower) Feed() *feed.Hub { return f.feed }

// Load fills the index with everything that the store serves.
func (f *Follower) Load(ctx context.Context) error {
	var entities []*catalog.Entity
	rev, err := f.store.Load(ctx, func(e *catalog.Entity) error {
		entities = append(entities, e)
		return nil
	})
	if err != nil {
		return fmt.Errorf("load the catalog: %w", err)
	}
	f.index.Load(entities, rev)
	f.seen = rev
	f.feed.Reset(rev)
	return nil
}

// Run applies changes until ctx ends. Trouble with the store is logged and
// tried again: the last good state is served meanwhile.
func (f *Follower) Run(ctx context.Context) error {
	changed, stop := f.store.Notify()
	defer stop()
	tick := time.NewTicker(poll)
	defer tick.Stop()
	failing := false
	for {
		err := f.catchUp(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil && !failing:
			f.log.Error("the catalog in memory cannot follow the database; it is tried again and again", "error", err)
		case err == nil && failing:
			f.log.Info("the catalog in memory follows the database again")
		}
		failing = err != nil
		select {
		case <-ctx.Done():
			return nil
		case <-changed:
		case <-tick.C:
		}
	}
}

// catchUp applies everything that is there.
func (f *Follower) catchUp(ctx context.Context) error {
	for {
		changes, err := f.store.Changes(ctx, f.seen, step)
		if errors.Is(err, store.ErrTooOld) {
			// This process slept for longer than changes are kept.
			return f.Load(ctx)
		}
		if err != nil {
			return fmt.Errorf("read changes after revision %d: %w", f.seen, err)
		}
		if len(changes) == 0 {
			return nil
		}
		was := f.index.Snapshot()
		share(was, changes)
		f.index.Apply(changes)
		// Only now: who hears of a change can read what it made.
		f.feed.Publish(was, changes)
		f.seen = changes[len(changes)-1].Revision
		if len(changes) < step {
			return nil
		}
	}
}

// share has entities of which plugins say something else keep what was read
// before: their content is as it was, and what was read of it anew would be in
// memory twice for as long as the change is, and else leave a hole.
func share(was *index.Snapshot, changes []catalog.Change) {
	for _, c := range changes {
		if c.Op != catalog.OpFacts {
			continue
		}
		r, ok := was.Get(c.Entity.Ref)
		if !ok || r.Entity.UID != c.Entity.UID || r.Entity.Revision != c.Entity.Revision {
			continue
		}
		e, old := c.Entity, r.Entity
		e.Ref, e.UID, e.Document = old.Ref, old.UID, old.Document
		if e.Origin == old.Origin {
			e.Origin = old.Origin // with its texts
		}
		if slices.Equal(e.Relations, old.Relations) {
			e.Relations = old.Relations
		}
	}
}
