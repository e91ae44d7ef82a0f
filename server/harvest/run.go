package harvest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"sync"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
	"golang.org/x/sync/errgroup"

	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/source"
	"github.com/waypost-dev/waypost/server/store"
)

// Bounds of what waits to be written: a batch is written when it holds so many
// entities or repositories, or when its first one has waited so long.
const (
	batchEntities     = 2000
	batchRepositories = 500
	batchAge          = 250 * time.Millisecond
)

// tracer makes a span of each harvest, refresh and write.
var tracer = otel.Tracer("github.com/waypost-dev/waypost/server/harvest")

// directoryID is the repository under which the groups and users of an
// organisation are kept. No forge gives such an ID.
const directoryID = "\x00directory"

// run is one harvest of one source. Its methods that implement source.Out are
// safe for concurrent use.
type run struct {
	store  *store.Store
	log    *slog.Logger
	config Config
	id     int64
	// prefix is put before the source's own state, so that another decoder or
	// another setting makes every repository new.
	prefix string
	// kept returns what the catalog has of a repository.
	kept  func(context.Context, string) (store.Repository, bool)
	order Order
	via   catalog.Via
	actor catalog.Cause // of a refresh: who announced it

	decode chan struct{} // a place for each document being decoded
	batch  batch
	cancel context.CancelFunc // ends the run; nil-safe before it began

	mu       sync.Mutex
	state    Progress
	seen     map[string]struct{}
	problems []catalog.Problem
	complete bool
	moved    map[string]source.Pointer // by ID: repositories with a new address and old documents
	watchers map[chan Progress]struct{}
	ended    bool
}

func newRun(st *store.Store, log *slog.Logger, c Config, o Order, h store.Harvest) *run {
	r := &run{
		store: st, log: log, config: c, order: o, via: catalog.ViaHarvest, id: h.ID,
		prefix:   statePrefix(c),
		decode:   make(chan struct{}, runtime.GOMAXPROCS(0)),
		seen:     map[string]struct{}{},
		moved:    map[string]source.Pointer{},
		watchers: map[chan Progress]struct{}{},
		cancel:   func() {},
	}
	if !c.NoInference {
		// A directory that could not be read this time stays as it was.
		r.seen[directoryID] = struct{}{}
	}
	r.state.Harvest = h
	r.state.Budget = source.Budget{Remaining: -1, Limit: -1}
	r.batch.apply = r.apply
	return r
}

// do harvests, records the end and tells the watchers.
func (r *run) do(ctx context.Context) error {
	ctx, span := tracer.Start(ctx, "harvest", trace.WithAttributes(
		attribute.String("waypost.source", r.config.Source.Name()), attribute.Int64("waypost.harvest", r.id), attribute.String("waypost.cause", r.order.Cause)))
	defer span.End()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	r.mu.Lock()
	r.cancel = cancel
	r.mu.Unlock()

	err := r.harvest(ctx)

	r.mu.Lock()
	h := &r.state.Harvest
	h.Finished = time.Now()
	h.State = store.HarvestSucceeded
	var held store.Held
	switch {
	case errors.As(err, &held):
		h.State, h.Held, h.HeldOf = store.HarvestHeld, held.Entities, held.Of
		h.Error = heldMessage(r.config, held)
		r.problems = append(r.problems, heldProblem(r.config, held))
	case err != nil:
		h.State, h.Error = store.HarvestFailed, err.Error()
	}
	h.Problems += len(r.problems)
	record, problems := *h, r.problems
	r.mu.Unlock()
	span.SetAttributes(attribute.String("waypost.state", string(record.State)), attribute.Int("waypost.repositories", record.Repositories),
		attribute.Int("waypost.added", record.Added), attribute.Int("waypost.changed", record.Changed), attribute.Int("waypost.removed", record.Removed),
		attribute.Int("waypost.requests", record.Requests))
	if err != nil {
		span.SetStatus(codes.Error, record.Error)
	}

	// The end is recorded even when the harvest was told to stop.
	record0, stop := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer stop()
	if ferr := r.store.FinishHarvest(record0, record, problems); ferr != nil {
		err = errors.Join(err, fmt.Errorf("record end of harvest %d: %w", r.id, ferr))
	}
	r.close()
	r.log.Info("harvest ended", "state", record.State, "repositories", record.Repositories, "unchanged", record.Unchanged,
		"read", record.Read, "added", record.Added, "changed", record.Changed, "removed", record.Removed,
		"problems", record.Problems, "requests", record.Requests, "free", record.FreeRequests,
		"took", record.Finished.Sub(record.Started).Round(time.Millisecond))
	return err
}

func (r *run) harvest(ctx context.Context) error {
	name := r.config.Source.Name()
	repositories, err := r.store.Repositories(ctx, name)
	if err != nil {
		return fmt.Errorf("read what is known of %s: %w", name, err)
	}
	r.kept = func(_ context.Context, id string) (store.Repository, bool) {
		kept, ok := repositories[id]
		return kept, ok
	}

	g, ctx := errgroup.WithContext(ctx)
	stopTicking := make(chan struct{})
	g.Go(func() error {
		defer close(stopTicking)
		if err := r.config.Source.Harvest(ctx, known{r}, r); err != nil {
			// What was reported stands, also when the listing failed.
			return errors.Join(fmt.Errorf("harvest %s: %w", name, err), r.batch.flush(ctx))
		}
		return r.readMoved(ctx)
	})
	g.Go(func() error {
		tick := time.NewTicker(batchAge)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return nil
			case <-stopTicking:
				return nil
			case <-tick.C:
				r.publish()
				if err := r.batch.flushOld(ctx); err != nil {
					return err
				}
			}
		}
	})
	if err := g.Wait(); err != nil {
		return err
	}
	r.mu.Lock()
	complete := r.complete
	r.mu.Unlock()
	if !complete {
		return nil
	}
	removals := r.config.Removals
	removals.Confirmed = r.order.ConfirmRemovals
	counts, err := r.store.Sweep(context.WithoutCancel(ctx), name, r.seen, r.state.Started, removals, catalog.Cause{Via: r.via, Harvest: r.id})
	if err != nil {
		return fmt.Errorf("remove what is gone from %s: %w", name, err)
	}
	r.count(counts)
	return nil
}

// apply writes a batch.
func (r *run) apply(ctx context.Context, updates []store.RepositoryUpdate) error {
	ctx, span := tracer.Start(ctx, "write", trace.WithAttributes(attribute.Int("waypost.repositories", len(updates))))
	defer span.End()
	counts, err := r.store.Stage(ctx, r.config.Source.Name(), updates)
	if err != nil {
		return fmt.Errorf("write %d repositories of %s: %w", len(updates), r.config.Source.Name(), err)
	}
	r.count(counts)
	return nil
}

func (r *run) count(c store.Counts) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.state.Added += c.Added
	r.state.Changed += c.Changed
	r.state.Removed += c.Removed
	r.state.Orphaned += c.Orphaned
}

// progress is a copy of how far the run has come.
func (r *run) progress() Progress {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.snapshot()
}

// snapshot needs r.mu.
func (r *run) snapshot() Progress {
	p := r.state
	if p.Finished.IsZero() {
		p.Problems += len(r.problems)
	}
	return p
}

// watch returns a channel that holds the latest progress, and a function that
// ends the watching. A slow watcher misses intermediate reports, never the last.
func (r *run) watch() (<-chan Progress, func()) {
	ch := make(chan Progress, 1)
	r.mu.Lock()
	defer r.mu.Unlock()
	ch <- r.snapshot()
	if r.ended {
		close(ch)
		return ch, func() {}
	}
	r.watchers[ch] = struct{}{}
	return ch, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		if _, ok := r.watchers[ch]; ok {
			delete(r.watchers, ch)
			close(ch)
		}
	}
}

func (r *run) publish() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.send()
}

// send needs r.mu.
func (r *run) send() {
	p := r.snapshot()
	for ch := range r.watchers {
		select {
		case <-ch: // replaced by what is newer
		default:
		}
		ch <- p
	}
}

func (r *run) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.send()
	r.ended = true
	for ch := range r.watchers {
		close(ch)
	}
	clear(r.watchers)
}
