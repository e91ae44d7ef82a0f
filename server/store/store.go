// Package store is the truth: entities, documents, repositories, problems,
// harvests and revisions, in SQLite or PostgreSQL. Nothing else imports ent.
//
// The methods of Store by who calls them:
//
//	harvest:  Sources, Repositories, BeginHarvest, Apply, Sweep, FinishHarvest
//	index:    Load, Changes, Latest, Notify
//	api:      Problems, Harvests, GetHarvest
//	github:   Response, PutResponse (conditional requests that survive a restart)
//	cmd:      Open, Migrate, Migrations, Close
package store

import (
	"errors"
	"time"

	"github.com/waypost-dev/waypost/server/catalog"
)

// Errors that callers may test for with errors.Is.
var (
	ErrNotFound = errors.New("not found")
	// ErrBusy: another harvest of the same source is running.
	ErrBusy = errors.New("source is being harvested")
	// ErrTooOld: the retention policy has given up what was asked for.
	ErrTooOld = errors.New("revision is too old")
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
	// Broken are documents that hold something that could not be read. What
	// they declared before and do not declare now keeps its last good form, and
	// its place: such claims stay as they are.
	Broken []BrokenDocument
	// Problems of the repository that belong to no document.
	Problems []catalog.Problem
	// Asked is when the source began to ask for this; zero for now. What was
	// asked for earlier never replaces what was asked for later.
	Asked time.Time
	// Gone says that the repository is provably not part of the source any
	// more. Only Repository.ID and Asked matter then.
	Gone bool
	// Cause of what this changes.
	Cause catalog.Cause
}

// BrokenDocument says which claims of a document stay although it does not
// declare them in a valid form any more.
type BrokenDocument struct {
	Path string
	// Refs are the keys of the entities that are there but not valid. All says
	// that any entity of the document may be: its text could not be parsed.
	Refs []string
	All  bool
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
	Requests     int    // counted against the limit
	FreeRequests int    // answered 304
	Cause        string // what asked for it, such as schedule or api
	Orphaned     int    // entities whose place is gone, and which are kept
	// Held entities would have been removed, of HeldOf that the source had, if
	// that had not been too many at once.
	Held, HeldOf int
}

// HarvestState is how far a harvest has come.
type HarvestState string

const (
	HarvestRunning   HarvestState = "running"
	HarvestSucceeded HarvestState = "succeeded"
	HarvestFailed    HarvestState = "failed"
	// HarvestHeld: everything was read, and what is gone is more than the source
	// may lose at once, so that nothing was removed.
	HarvestHeld HarvestState = "held"
	// HarvestInterrupted: the process ended in its middle.
	HarvestInterrupted HarvestState = "interrupted"
)

// Counts is what an update did to the catalog that is served.
type Counts struct {
	Added, Changed, Removed int
	// Orphaned are those of Changed whose place is gone, and which are kept.
	Orphaned int
}
