// Package harvest turns what sources report into the catalog: discover, decode,
// validate, relate, reconcile. Work follows change: a repository whose state is
// known is not read, a document whose hash is known is not decoded, an entity
// whose hash is unchanged is not written.
package harvest

import (
	"context"
	"errors"
	"log/slog"
	"time"

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
}

// Engine runs harvests. It is safe for concurrent use.
type Engine struct {
	store *store.Store
	log   *slog.Logger
}

// New returns an Engine that knows no sources yet.
func New(st *store.Store, log *slog.Logger) *Engine { panic("in work") }

// Add configures a source. Call it before Serve.
func (e *Engine) Add(c Config) { panic("in work") }

// Sources are the configured sources, in the order in which they were added.
func (e *Engine) Sources() []SourceStatus { panic("in work") }

// Start begins a harvest in the background, on the engine's own context, and
// returns at once. If one is running already it returns that.
func (e *Engine) Start(ctx context.Context, name string) (Progress, error) { panic("in work") }

// Run harvests a source and returns when it is done. report, if not nil, is
// called a few times a second and once at the end, never concurrently.
func (e *Engine) Run(ctx context.Context, name string, report func(Progress)) (Progress, error) {
	panic("in work")
}

// Watch returns a channel of the progress of a running harvest, closed after
// its last report, and a function that ends the watching. It returns
// store.ErrNotFound if the harvest does not run in this process.
func (e *Engine) Watch(id int64) (<-chan Progress, func(), error) { panic("in work") }

// Serve runs the periodic harvests, the first ones at once, until ctx ends; it
// waits for running harvests to stop.
func (e *Engine) Serve(ctx context.Context) error { panic("in work") }
