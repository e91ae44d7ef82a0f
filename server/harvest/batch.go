package harvest

import (
	"context"
	"sync"
	"time"

	"github.com/waypost-dev/waypost/server/store"
)

// batch gathers updates into transactions of a good size. It is safe for
// concurrent use; whoever fills it writes it, and the others wait, so that no
// more than one batch is held besides the one being written.
type batch struct {
	apply func(context.Context, []store.RepositoryUpdate) error

	mu       sync.Mutex // of the fields below
	updates  []store.RepositoryUpdate
	entities int
	since    time.Time // when the first update came

	writing sync.Mutex // held while a batch is written
}

func (b *batch) add(ctx context.Context, u store.RepositoryUpdate) error {
	b.mu.Lock()
	if len(b.updates) == 0 {
		b.since = time.Now()
	}
	b.updates = append(b.updates, u)
	b.entities += len(u.Claims)
	full := b.entities >= batchEntities || len(b.updates) >= batchRepositories
	b.mu.Unlock()
	if !full {
		return nil
	}
	return b.flush(ctx)
}

// flushOld writes the batch if its first update has waited long enough.
func (b *batch) flushOld(ctx context.Context) error {
	b.mu.Lock()
	old := len(b.updates) > 0 && time.Since(b.since) >= batchAge
	b.mu.Unlock()
	if !old {
		return nil
	}
	return b.flush(ctx)
}

func (b *batch) flush(ctx context.Context) error {
	b.writing.Lock()
	defer b.writing.Unlock()
	b.mu.Lock()
	updates := b.updates
	b.updates, b.entities = nil, 0
	b.mu.Unlock()
	if len(updates) == 0 {
		return nil
	}
	return b.apply(ctx, updates)
}
