// Package harvest turns what sources report into the catalog: discover, decode,
// validate, relate, reconcile. Work follows change: a repository whose state is
// known is not read, a document whose hash is known is not decoded, an entity
// whose hash is unchanged is not written.
package harvest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/maypok86/otter/v2"
	"golang.org/x/sync/errgroup"

	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/source"
	"github.com/waypost-dev/waypost/server/store"
)

// ErrUnknownSource: no source of that name is configured.
var ErrUnknownSource = errors.New("unknown source")

// Config is a source and how it is harvested.
type Config struct {
	Source source.Source
	// Priority decides between declared claims to one ref; higher wins.
	Priority int
	// NoInference turns off entities for repositories without a catalog file
	// and for the teams and users of an organisation.
	NoInference bool
	// Every is the time between periodic harvests; 0 for none.
	Every time.Duration
	// Removals says how bad news is believed.
	Removals store.Removals
	// Schemas are those of custom kinds; nil if there are none.
	Schemas *catalog.Schemas
	// Allow are the kinds that its files may declare, in any case; empty for all.
	Allow []string
}

// Order is how one harvest is run.
type Order struct {
	// Cause is what asked for it: schedule, api, webhook or start.
	Cause string
	// ConfirmRemovals removes what is gone even if it is more than the source
	// may lose at once.
	ConfirmRemovals bool
}

// Progress is how far a harvest has come.
type Progress struct {
	store.Harvest
	Expected int // repositories, as far as is known
	Entities int // decoded or inferred so far, unchanged ones not counted
	Budget   source.Budget
}

// SourceStatus is a configured source and what it does now.
type SourceStatus struct {
	Name    string
	Next    time.Time // of the next periodic harvest; zero if there is none
	Running *Progress // nil if none runs in this process
	// Budget is what the running harvest, or else the last one of this process,
	// has spent; the zero value before the first.
	Budget source.Budget
}

// Engine runs harvests. It is safe for concurrent use.
type Engine struct {
	store *store.Store
	log   *slog.Logger

	mu      sync.Mutex
	order   []string
	sources map[string]*configured
	// background holds the harvests that Start began, so that Stop can wait
	// for them.
	background sync.WaitGroup
	stopping   bool

	readmes *otter.Cache[readmePlace, Readme]
}

// configured is a source and its state. Engine.mu guards it.
type configured struct {
	Config
	next    time.Time
	current *run          // nil if none runs
	budget  source.Budget // of the last run
}

// New returns an Engine that knows no sources yet.
func New(st *store.Store, log *slog.Logger) *Engine {
	return &Engine{store: st, log: log, sources: map[string]*configured{}, readmes: newReadmes()}
}

// Add configures a source, also while others are harvested. It panics if there is a source
// of that name already: configuration refuses that earlier, with a position.
func (e *Engine) Add(c Config) {
	e.mu.Lock()
	defer e.mu.Unlock()
	name := c.Source.Name()
	if _, ok := e.sources[name]; ok {
		panic("harvest: source " + name + " added twice")
	}
	e.sources[name] = &configured{Config: c}
	e.order = append(e.order, name)
}

// Sources are the configured sources, in the order in which they were added.
func (e *Engine) Sources() []SourceStatus {
	e.mu.Lock()
	defer e.mu.Unlock()
	out := make([]SourceStatus, 0, len(e.order))
	for _, name := range e.order {
		c := e.sources[name]
		s := SourceStatus{Name: name, Next: c.next, Budget: c.budget}
		if c.current != nil {
			p := c.current.progress()
			s.Running, s.Budget = &p, p.Budget
		}
		out = append(out, s)
	}
	return out
}

// Start begins a harvest in the background and returns at once; the harvest
// outlives ctx. If one is running already it returns that. It returns
// ErrUnknownSource, or store.ErrBusy if another process harvests the source.
func (e *Engine) Start(ctx context.Context, name string, o Order) (Progress, error) {
	r, fresh, err := e.begin(ctx, name, o)
	if err != nil || !fresh {
		if r != nil {
			return r.progress(), err
		}
		return Progress{}, err
	}
	e.mu.Lock()
	if e.stopping {
		e.mu.Unlock()
		e.end(r)
		return Progress{}, fmt.Errorf("harvest of %s: the server is stopping", name)
	}
	e.background.Add(1)
	e.mu.Unlock()
	go func() {
		defer e.background.Done()
		defer e.end(r)
		_ = r.do(context.WithoutCancel(ctx)) // the error is in the record, and logged
	}()
	return r.progress(), nil
}

// Run harvests a source and returns when it is done. report, if not nil, is
// called a few times a second and once at the end, never concurrently. The
// error is that of the harvest, which is also in its record.
func (e *Engine) Run(ctx context.Context, name string, o Order, report func(Progress)) (Progress, error) {
	r, fresh, err := e.begin(ctx, name, o)
	if err != nil {
		return Progress{}, err
	}
	if !fresh {
		return r.progress(), fmt.Errorf("harvest %s: %w", name, store.ErrBusy)
	}
	defer e.end(r)
	if report == nil {
		err = r.do(ctx)
		return r.progress(), err
	}
	updates, stop := r.watch()
	defer stop()
	var g errgroup.Group
	g.Go(func() error { return r.do(ctx) })
	for p := range updates {
		report(p)
	}
	err = g.Wait()
	return r.progress(), err
}

// Watch returns a channel of the progress of a running harvest, closed after
// its last report, and a function that ends the watching. It returns
// store.ErrNotFound if the harvest does not run in this process.
func (e *Engine) Watch(id int64) (<-chan Progress, func(), error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, c := range e.sources {
		if c.current != nil && c.current.id == id {
			updates, stop := c.current.watch()
			return updates, stop, nil
		}
	}
	return nil, nil, fmt.Errorf("running harvest %d: %w", id, store.ErrNotFound)
}

// Stop ends the harvests that Start began, and refuses others; it returns when
// they have ended, or with an error when ctx does before.
func (e *Engine) Stop(ctx context.Context) error {
	e.mu.Lock()
	e.stopping = true
	for _, c := range e.sources {
		if c.current != nil {
			c.current.cancel()
		}
	}
	e.mu.Unlock()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		e.background.Wait()
	}()
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("stop harvests: %w", ctx.Err())
	}
}

// begin takes the source's lease and makes it its current run, or returns the
// run that is there already.
func (e *Engine) begin(ctx context.Context, name string, o Order) (r *run, fresh bool, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	c, ok := e.sources[name]
	if !ok {
		return nil, false, fmt.Errorf("%w %q", ErrUnknownSource, name)
	}
	if c.current != nil {
		return c.current, false, nil
	}
	h, err := e.store.BeginHarvest(ctx, name, o.Cause)
	if err != nil {
		return nil, false, fmt.Errorf("begin harvest of %s: %w", name, err)
	}
	c.current = newRun(e.store, e.log.With("source", name, "harvest", h.ID), c.Config, o, h)
	return c.current, true, nil
}

func (e *Engine) end(r *run) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if c := e.sources[r.config.Source.Name()]; c != nil { // else it was removed meanwhile
		c.current, c.budget = nil, r.progress().Budget
	}
}
