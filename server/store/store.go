// Package store is the truth: entities, documents, repositories, problems,
// harvests and revisions, in SQLite or PostgreSQL. Nothing else imports ent.
package store

import (
	"context"
	"errors"
	"time"

	"github.com/waypost-dev/waypost/server/catalog"
)

// Errors that callers may test for with errors.Is.
var (
	ErrNotFound = errors.New("not found")
	// ErrBusy: another harvest of the same source is running.
	ErrBusy = errors.New("source is being harvested")
)

// Repository is a repository as the store keeps it.
type Repository struct {
	ID     string // the forge's
	State  string // the source's, opaque
	Name   string // owner/name
	Facts  []byte // JSON object of what the source says of it
	Commit string
	// Documents are its catalog files by path.
	Documents map[string]Document
}

// Document is a catalog file as the store keeps it.
type Document struct {
	Hash     string // of the content, with the decoder's version
	Commit   string // head when this content was first seen
	Problems []catalog.Problem
}

// Claim is one entity as one place declares it. All claims to a ref are kept;
// one of them is served: a declared one before an inferred one, then the
// higher Priority, then the earlier.
type Claim struct {
	// Key is the identity of the claim within its repository: the path and the
	// number of the document in the file, or a word for what is inferred.
	Key      string
	Priority int // of the source; higher wins
	Entity   *catalog.Entity
}

// RepositoryUpdate is everything that a harvest found of one repository. It
// replaces what was there before in one transaction.
type RepositoryUpdate struct {
	Repository Repository
	// Claims are all claims of the repository, but for those of documents
	// listed in Unchanged, whose claims stay as they are.
	Claims    []Claim
	Unchanged []string // paths
	// Problems of the repository that belong to no document.
	Problems []catalog.Problem
}

// Harvest is the record of one run over a source.
type Harvest struct {
	ID           int64
	Source       string
	Started      time.Time
	Finished     time.Time // zero while it runs
	State        HarvestState
	Error        string
	Repositories int // seen
	Read         int // documents read
	Added        int
	Changed      int
	Removed      int
	Unchanged    int // repositories
	Problems     int
	Requests     int // counted against the limit
	FreeRequests int // answered 304
}

// HarvestState is how far a harvest has come.
type HarvestState string

const (
	HarvestRunning   HarvestState = "running"
	HarvestSucceeded HarvestState = "succeeded"
	HarvestFailed    HarvestState = "failed"
	// HarvestInterrupted: the process ended in its middle.
	HarvestInterrupted HarvestState = "interrupted"
)

// Counts is what an update did to the catalog that is served.
type Counts struct {
	Added, Changed, Removed int
}

// Store is the truth. It is safe for concurrent use.
//
// It is one type over both databases; Open picks the dialect. The methods are
// grouped by who calls them:
//
//	harvest:  Sources, Repositories, BeginHarvest, Apply, Sweep, FinishHarvest
//	index:    Load, Changes, Latest, Notify
//	api:      Problems, Harvests, GetHarvest, History
//	github:   Response, PutResponse (conditional requests that survive a restart)
//	cmd:      Open, Migrate, Close
type contract interface {
	// BeginHarvest records the start of a run and takes the source's lease; it
	// returns ErrBusy while another live process holds it. A run that a dead
	// process left behind is marked interrupted.
	BeginHarvest(ctx context.Context, source string) (Harvest, error)
	// Repositories returns all that is known of a source, by ID.
	Repositories(ctx context.Context, source string) (map[string]Repository, error)
	// Apply writes updates, all in one transaction, with their revisions. An
	// entity whose Hash is unchanged gets no revision. An update that changes
	// nothing writes nothing.
	Apply(ctx context.Context, source string, updates []RepositoryUpdate) (Counts, error)
	// Sweep removes the repositories of the source that are not in seen, with
	// their claims. Call it only after a complete listing.
	Sweep(ctx context.Context, source string, seen map[string]struct{}) (Counts, error)
	// FinishHarvest records the end of a run and gives the lease back.
	FinishHarvest(ctx context.Context, h Harvest, problems []catalog.Problem) error

	// Load calls each for every entity that is served, and returns the revision
	// that this state has.
	Load(ctx context.Context, each func(*catalog.Entity) error) (catalog.Revision, error)
	// Changes returns up to limit changes after a revision, in order.
	Changes(ctx context.Context, after catalog.Revision, limit int) ([]catalog.Change, error)
	// Notify returns a channel that gets a value, without blocking the sender,
	// after this process has committed changes. Cancel it with stop.
	Notify() (changed <-chan struct{}, stop func())

	// Problems returns every stored problem: of documents, repositories,
	// sources, and claims that lost (CodeConflict).
	Problems(ctx context.Context) ([]catalog.Problem, error)
	Harvests(ctx context.Context, source string, limit int) ([]Harvest, error)
	GetHarvest(ctx context.Context, id int64) (Harvest, error)
	// Sources are the names of all sources that have ever been harvested.
	Sources(ctx context.Context) ([]string, error)

	Response(ctx context.Context, key string) ([]byte, bool, error)
	PutResponse(ctx context.Context, key string, value []byte) error

	Migrate(ctx context.Context) error
	Close() error
}
