package catalog

import (
	"encoding/json"
	"time"
)

// Fact is what a plugin says of an entity: one value, the evidence behind it,
// and how old it is. It is immutable once made.
type Fact struct {
	// Key is the plugin's name, a dot, and a name within the plugin, such as
	// ownership.owner.
	Key string `json:"key"`
	// Value is JSON, of the schema that the plugin declares for the key.
	Value json.RawMessage `json:"value"`
	// Evidence is what the value follows from, the weightiest first.
	Evidence []Evidence `json:"evidence,omitempty"`
	// Observed is when the plugin said so last.
	Observed time.Time `json:"observed"`
	// Stale is from when on the value may be out of date; zero for never.
	Stale time.Time `json:"stale,omitzero"`
}

// Evidence is one reason for a fact, at a place that a person can go to.
type Evidence struct {
	// Kind says what it is, such as codeowners or commits.
	Kind string `json:"kind,omitempty"`
	// Text says it in one sentence.
	Text string `json:"text,omitempty"`
	// URL is where to look; empty if there is no page for it.
	URL string `json:"url,omitempty"`
	// Repository is owner/name, and Path a file in it.
	Repository string `json:"repository,omitempty"`
	Path       string `json:"path,omitempty"`
	Line       int    `json:"line,omitempty"`   // from 1
	Commit     string `json:"commit,omitempty"` // in hex
	// Query is what was asked of an outside system.
	Query string `json:"query,omitempty"`
	// Weight is from 0 to 1: how much it bears on the value.
	Weight float64 `json:"weight,omitempty"`
}

// FactChange is another value of a fact.
type FactChange struct {
	Key string          `json:"key"`
	Old json.RawMessage `json:"old,omitempty"` // empty if it was not known before
	New json.RawMessage `json:"new,omitempty"` // empty if it is not known any more
}

// Fact returns the value of a fact as JSON, or nil if the entity has none of
// that key.
func (e *Entity) Fact(key string) json.RawMessage {
	if len(e.Facts) == 0 {
		return nil
	}
	var all map[string]json.RawMessage
	if json.Unmarshal(e.Facts, &all) != nil {
		return nil
	}
	return all[key]
}
