package harvest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/source"
	"github.com/waypost-dev/waypost/server/store"
)

// ErrNoRefresh: the source can be harvested as a whole only.
var ErrNoRefresh = errors.New("the source cannot be read in parts")

// Refreshed is what a refresh did.
type Refreshed struct {
	store.Counts
	Budget   source.Budget
	Problems []catalog.Problem // of the source itself
	// Revision with which all of it can be read.
	Revision catalog.Revision
}

// Source returns a configured source, or nil.
func (e *Engine) Source(name string) source.Source {
	e.mu.Lock()
	defer e.mu.Unlock()
	if c, ok := e.sources[name]; ok {
		return c.Source
	}
	return nil
}

// Configured returns how a source is harvested.
func (e *Engine) Configured(name string) (Config, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	c, ok := e.sources[name]
	if !ok {
		return Config{}, false
	}
	return c.Config, true
}

// SetNext tells when the next periodic harvest of a source is due, for those
// who ask Sources.
func (e *Engine) SetNext(name string, at time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if c, ok := e.sources[name]; ok {
		c.next = at
	}
}

// Every is the time between periodic harvests of a source; 0 for none.
func (e *Engine) Every(name string) time.Duration {
	e.mu.Lock()
	defer e.mu.Unlock()
	if c, ok := e.sources[name]; ok {
		return c.Config.Every
	}
	return 0
}

// Remove forgets a source and removes what it declared. A harvest of it that
// runs is ended first.
func (e *Engine) Remove(ctx context.Context, name string, cause catalog.Cause) (store.Counts, error) {
	e.mu.Lock()
	c, ok := e.sources[name]
	if !ok {
		e.mu.Unlock()
		return store.Counts{}, fmt.Errorf("%w %q", ErrUnknownSource, name)
	}
	delete(e.sources, name)
	e.order = slices.DeleteFunc(e.order, func(n string) bool { return n == name })
	current := c.current
	e.mu.Unlock()
	if current != nil {
		updates, stop := current.watch()
		defer stop()
		current.cancel()
		for range updates { // until it has ended
			if err := ctx.Err(); err != nil {
				return store.Counts{}, err
			}
		}
	}
	counts, err := e.store.RemoveSource(ctx, name, cause)
	if err != nil {
		return store.Counts{}, fmt.Errorf("remove what %s declared: %w", name, err)
	}
	return counts, nil
}

// Refresh reads a part of a source again and returns when the catalog has it.
// It costs what the part costs, however large the source is, runs beside a
// harvest of the same source, and leaves no record but the changes. A source
// that cannot be read in parts gives ErrNoRefresh. When more would go than the
// source may lose at once, the rest is applied and the error is a store.Held.
func (e *Engine) Refresh(ctx context.Context, name string, scope source.Scope, cause catalog.Cause) (Refreshed, error) {
	e.mu.Lock()
	c, ok := e.sources[name]
	e.mu.Unlock()
	if !ok {
		return Refreshed{}, fmt.Errorf("%w %q", ErrUnknownSource, name)
	}
	parts, ok := c.Source.(source.Refresher)
	if !ok {
		return Refreshed{}, fmt.Errorf("refresh %s: %w", name, ErrNoRefresh)
	}
	ctx, span := tracer.Start(ctx, "refresh", trace.WithAttributes(
		attribute.String("waypost.source", name), attribute.Int("waypost.repositories", len(scope.Repositories)), attribute.String("waypost.delivery", cause.Delivery)))
	defer span.End()
	r := newRun(e.store, e.log.With("source", name), c.Config, Order{}, store.Harvest{Started: time.Now()})
	r.via, r.actor = cause.Via, cause
	r.kept = keptOf(e.store, name)
	var counts store.Counts
	var held error
	r.batch.apply = func(ctx context.Context, updates []store.RepositoryUpdate) error {
		n, err := e.store.Refresh(ctx, name, updates, c.Removals)
		var too store.Held
		if errors.As(err, &too) {
			held, err = fmt.Errorf("refresh %s: %w", name, err), nil
		}
		counts.Added, counts.Changed, counts.Removed, counts.Orphaned =
			counts.Added+n.Added, counts.Changed+n.Changed, counts.Removed+n.Removed, counts.Orphaned+n.Orphaned
		return err
	}
	err := parts.Refresh(ctx, scope, known{r}, r)
	if err = errors.Join(err, r.readMoved(ctx)); err != nil {
		return Refreshed{}, fmt.Errorf("refresh %s: %w", name, err)
	}
	latest, err := e.store.Latest(ctx)
	if err != nil {
		return Refreshed{}, fmt.Errorf("refresh %s: %w", name, err)
	}
	p := r.progress()
	r.mu.Lock()
	defer r.mu.Unlock()
	e.log.Debug("refreshed", "source", name, "repositories", p.Repositories, "read", p.Read,
		"added", counts.Added, "changed", counts.Changed, "removed", counts.Removed, "requests", p.Budget.Counted)
	return Refreshed{Counts: counts, Budget: p.Budget, Problems: r.problems, Revision: latest}, held
}

// readMoved writes what was gathered, and reads repositories again that have
// another address while their documents are as they were: each of their
// entities tells the address.
func (r *run) readMoved(ctx context.Context) error {
	if err := r.batch.flush(ctx); err != nil {
		return err
	}
	r.mu.Lock()
	moved := r.moved
	r.moved = map[string]source.Pointer{}
	r.mu.Unlock()
	parts, ok := r.config.Source.(source.Refresher)
	if len(moved) == 0 || !ok {
		return nil
	}
	scope := source.Scope{Repositories: slices.Collect(maps.Values(moved))}
	if err := parts.Refresh(ctx, scope, forgotten{known{r}, moved}, again{r, r.progress().Budget}); err != nil {
		return fmt.Errorf("read what has moved in %s: %w", r.config.Source.Name(), err)
	}
	return r.batch.flush(ctx)
}

// forgotten is known, but for some repositories.
type forgotten struct {
	known
	ids map[string]source.Pointer
}

// Repository implements source.Known.
func (f forgotten) Repository(id string) (source.RepositoryState, bool) {
	if _, ok := f.ids[id]; ok {
		return source.RepositoryState{}, false
	}
	return f.known.Repository(id)
}

// again is the run for what has been reported once already.
type again struct {
	*run
	spent source.Budget // before
}

// Expect implements source.Out.
func (again) Expect(int) {}

// Repository implements source.Out.
func (a again) Repository(ctx context.Context, repo source.Repository) error {
	a.mu.Lock()
	a.state.Repositories-- // it is no other one
	a.mu.Unlock()
	return a.run.Repository(ctx, repo)
}

// Spent implements source.Out.
func (a again) Spent(b source.Budget) {
	b.Counted += a.spent.Counted
	b.Free += a.spent.Free
	a.run.Spent(b)
}

// keptOf asks the store for each repository once.
func keptOf(st *store.Store, name string) func(context.Context, string) (store.Repository, bool) {
	var mu sync.Mutex
	type answer struct {
		store.Repository
		found bool
	}
	asked := map[string]answer{}
	return func(ctx context.Context, id string) (store.Repository, bool) {
		mu.Lock()
		defer mu.Unlock()
		a, ok := asked[id]
		if !ok {
			// Trouble counts as nothing known: it is read whole then, which is dear and right.
			kept, err := st.Repository(ctx, name, id)
			a = answer{kept, err == nil}
			asked[id] = a
		}
		return a.Repository, a.found
	}
}

// heldMessage says what was held and what to do.
func heldMessage(c Config, h store.Held) string {
	return fmt.Sprintf("%d of %d entities are gone, which is more than the %.0f %% that this source may lose at once; "+
		"nothing was removed; if that is right, run waypost harvest --confirm-removals %s", h.Entities, h.Of, c.Removals.Share*100, c.Source.Name())
}

func heldProblem(c Config, h store.Held) catalog.Problem {
	return catalog.Problem{
		Code: catalog.CodeHeld, Severity: catalog.SeverityError, Source: c.Source.Name(),
		Message: fmt.Sprintf("%d of %d entities are gone, which is more than the %.0f %% that this source may lose at once; nothing was removed", h.Entities, h.Of, c.Removals.Share*100),
		Hint:    "if that is right, run waypost harvest --confirm-removals " + c.Source.Name() + "; if not, look at the source's access and filters",
	}
}
