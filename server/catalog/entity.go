package catalog

import (
	"crypto/sha256"
	"encoding/hex"
	"time"
)

// Entity is one thing in the catalog. It is immutable once made: whoever wants
// another one makes another one.
//
// The envelope itself is kept as JSON, which is what every reader wants and
// takes a quarter of the memory of the same thing as Go maps. Decode it with
// encoding/json, or read single fields of it with Field.
type Entity struct {
	Ref Ref

	// UID is the entity's identity; the store gives it. It survives a new name,
	// a new place, and being away for a while. Empty before the entity is stored.
	UID string

	// Revision is the number of the entity's latest change. Zero before the
	// entity is stored.
	Revision Revision

	// Document is the envelope as one JSON object with the keys apiVersion,
	// kind, metadata and spec, sorted at every depth and without white space.
	// It holds neither uid, etag, relations nor status: those are given by
	// the store and the index.
	Document []byte

	// Relations are the edges that the entity's own spec declares, in the
	// order of the spec. The index answers the other direction.
	Relations []Relation

	// Origin says where the entity comes from.
	Origin Origin

	// Changed is when Revision was committed.
	Changed time.Time

	// Facts are what plugins say of the entity: one JSON object of values by key,
	// sorted; empty if they say nothing. They are no part of its content:
	// neither Hash nor Revision knows of them. Evidence and age are in the store.
	Facts []byte
}

// Origin is where an entity was declared, or from what it was inferred.
type Origin struct {
	Source     string `json:"source"`               // name of the source, such as github:acme
	Repository string `json:"repository,omitempty"` // owner/name; empty if no repository holds it
	Path       string `json:"path,omitempty"`       // of the document within the repository, with slashes
	Commit     string `json:"commit,omitempty"`     // head of the branch when this content was first seen
	Line       int    `json:"line,omitempty"`       // on which the entity's document starts, from 1; 0 if inferred
	Inferred   bool   `json:"inferred,omitempty"`   // no document declares it
}

// Revision numbers the changes of the catalog in the order in which they were
// committed, from 1. A reader that has seen revision n has seen every one
// below it.
type Revision int64

// Hash identifies the content of the entity: two entities with equal Hash need
// no new revision. The commit is not part of it.
func (e *Entity) Hash() string {
	h := sha256.New()
	h.Write(e.Document)
	rest := make([]byte, 0, 512)
	for _, r := range e.Relations {
		rest = append(append(append(append(rest, '\n'), r.Type...), ' '), r.Target.Key()...)
	}
	o := e.Origin
	for _, s := range []string{o.Source, o.Repository, o.Path} {
		rest = append(append(rest, '\n'), s...)
	}
	if o.Inferred {
		rest = append(rest, "\ninferred"...)
	}
	h.Write(rest)
	var sum [sha256.Size]byte
	return hex.EncodeToString(h.Sum(sum[:0])[:16])
}

// Op is what a change did.
type Op string

const (
	OpPut    Op = "put"
	OpDelete Op = "delete"
	// OpFacts: plugins say something else of it; the entity itself is as it was.
	OpFacts Op = "facts"
)

// Change is one revision: what became of one entity.
type Change struct {
	Revision Revision
	Op       Op
	Time     time.Time
	Entity   *Entity // as it is after the change; for OpDelete, as it last was
	Cause    Cause
	// Facts are those that OpFacts changed, by key.
	Facts []FactChange
	// Moved is set on both changes that a renamed entity makes: on the deletion
	// of the old ref it is the key of the new one, on the other that of the old.
	Moved string
}
