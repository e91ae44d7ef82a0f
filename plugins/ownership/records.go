package ownership

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/waypost-dev/waypost/plugins"
	"github.com/waypost-dev/waypost/server/catalog"
)

// Override is a person's decision on the owner of an entity. It is kept under
// [OverrideKey].
type Override struct {
	Owner  string    `json:"owner"` // a ref
	Reason string    `json:"reason"`
	Actor  string    `json:"actor"`
	Time   time.Time `json:"time"`
	// Expires is when it ends; zero for never.
	Expires time.Time `json:"expires,omitzero"`
}

// VerifiedBy is an owner's word that the entity is still theirs. It is kept
// under [VerifiedKey].
type VerifiedBy struct {
	// Owner is who owned it then: another owner has not verified it.
	Owner string    `json:"owner"`
	Actor string    `json:"actor"`
	Time  time.Time `json:"time"`
}

// Dismissal is a person's word that a drift is as it should be. It is kept
// under [DismissalKey], and holds for this difference only.
type Dismissal struct {
	Declared string    `json:"declared"`
	Evident  string    `json:"evident"`
	Reason   string    `json:"reason"`
	Actor    string    `json:"actor"`
	Until    time.Time `json:"until"`
}

// drifting is since when an entity drifts, kept under driftKey.
type drifting struct {
	Declared string    `json:"declared"`
	Evident  string    `json:"evident"`
	Since    time.Time `json:"since"`
}

// The keys of the records about one entity.
const (
	overrides  = "override/"
	verified   = "verified/"
	dismissals = "dismissed/"
	drifts     = "drift/"
)

// OverrideKey is the key of the record that holds an entity's Override.
func OverrideKey(e catalog.Ref) string { return overrides + e.Key() }

// VerifiedKey is the key of the record that holds an entity's VerifiedBy.
func VerifiedKey(e catalog.Ref) string { return verified + e.Key() }

// DismissalKey is the key of the record that holds an entity's Dismissal.
func DismissalKey(e catalog.Ref) string { return dismissals + e.Key() }

func driftKey(e catalog.Ref) string { return drifts + e.Key() }

// Bounds of reading records: few entities are looked up one by one, and for many
// all records are listed once.
const (
	fewEntities = 8
	recordsPage = 1000
	maxRecords  = 200_000
)

// recordReader reads the records about the entities of one call.
type recordReader struct {
	from   plugins.Records
	listed map[string]map[string]json.RawMessage // by prefix and key; nil to look up one by one
}

// readRecords prepares reading of the records about so many entities.
func readRecords(ctx context.Context, from plugins.Records, entities int) (*recordReader, error) {
	r := &recordReader{from: from}
	if entities <= fewEntities {
		return r, nil
	}
	r.listed = map[string]map[string]json.RawMessage{}
	for _, prefix := range []string{overrides, verified, dismissals, drifts} {
		all, err := list(ctx, from, prefix)
		if err != nil {
			return nil, err
		}
		r.listed[prefix] = all
	}
	return r, nil
}

// list reads all records below a prefix.
func list(ctx context.Context, from plugins.Records, prefix string) (map[string]json.RawMessage, error) {
	all := map[string]json.RawMessage{}
	after := ""
	for len(all) < maxRecords {
		page, err := from.List(ctx, prefix, after, recordsPage)
		if err != nil {
			return nil, fmt.Errorf("list the records below %s: %w", prefix, err)
		}
		for _, record := range page {
			all[record.Key] = record.Value
			after = record.Key
		}
		if len(page) < recordsPage {
			return all, nil
		}
	}
	return nil, fmt.Errorf("there are more than %d records below %s", maxRecords, prefix)
}

// get reads one record into a value. It tells false if there is none.
func (r *recordReader) get(ctx context.Context, prefix string, e catalog.Ref, into any) (bool, error) {
	key := prefix + e.Key()
	var value json.RawMessage
	if r.listed != nil {
		value = r.listed[prefix][key]
	} else {
		record, err := r.from.Get(ctx, key)
		if err != nil && !errors.Is(err, plugins.ErrNoRecord) {
			return false, fmt.Errorf("read the record %s: %w", key, err)
		}
		value = record.Value
	}
	if len(value) == 0 {
		return false, nil
	}
	if err := json.Unmarshal(value, into); err != nil {
		return false, fmt.Errorf("read the record %s: %w", key, err)
	}
	return true, nil
}
