// Package storetest is the conformance suite of the store: one set of promises
// that holds on every database.
package storetest

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/stretchr/testify/require"

	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/store"
)

// Run holds a database to the suite. open returns a Store over a database of
// the test's own, empty the first time; called again within the same test it
// returns another Store over the same database, as another process would open it.
func Run(t *testing.T, open func(t testing.TB) func(store.Options) *store.Store) {
	for _, test := range []struct {
		name string
		run  func(*bundle)
	}{
		{"Feed", feed},
		{"Unchanged", unchanged},
		{"Moved", moved},
		{"UnchangedDocuments", unchangedDocuments},
		{"Broken", broken},
		{"Repositories", repositories},
		{"HostileText", hostileText},
		{"TwiceInOneBatch", twiceInOneBatch},
		{"DuplicateKey", duplicateKey},
		{"Sweep", sweep},
		{"Staged", staged},
		{"Guard", guard},
		{"Orphans", orphans},
		{"Asked", asked},
		{"Moves", moves},
		{"RefreshHeld", refreshHeld},
		{"RemoveSource", removeSource},
		{"Delete", deleted},
		{"Troubles", troubles},
		{"Claims", claims},
		{"Takeover", takeover},
		{"Conflict", conflict},
		{"Identity", identity},
		{"Swap", swap},
		{"Together", together},
		{"Problems", problems},
		{"Harvests", harvests},
		{"Lease", lease},
		{"LeaseLost", leaseLost},
		{"Responses", responses},
		{"Deliveries", deliveries},
		{"Locations", locations},
		{"DeliveryText", deliveryText},
		{"DeliveryBounds", deliveryBounds},
		{"DeliveryWriters", deliveryWriters},
		{"Notify", notify},
		{"Writers", writers},
		{"RefNeverEmpty", refNeverEmpty},
		{"Model", model},
		{"History", history},
		{"Newest", newest},
		{"HistoryCycle", historyCycle},
		{"AsOf", asOf},
		{"Prune", prune},
		{"PruneMany", pruneMany},
		{"Enrichments", enrichments},
		{"Records", records},
		{"PluginRuns", pluginRuns},
		{"Touched", touched},
		{"Memory", memory},
		{"Reopen", reopen},
		{"Cancelled", cancelled},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			b := &bundle{T: t, another: open(t)}
			b.Store = b.another(store.Options{})
			test.run(b)
		})
	}
}

// bundle is a test with its database.
type bundle struct {
	*testing.T
	*store.Store
	another func(store.Options) *store.Store
}

const source = "github:acme"

// entity makes a component of a repository; line 0 makes it an inferred one.
func entity(name, repository, path string, line int, text string) *catalog.Entity {
	e := &catalog.Entity{
		Ref: catalog.Ref{Kind: "Component", Namespace: "default", Name: name},
		Relations: []catalog.Relation{{
			Type: catalog.OwnedBy, Target: catalog.Ref{Kind: "group", Namespace: "default", Name: "shop"},
			Field: "spec.owner", Line: line + 5, Column: 10,
		}},
		Origin: catalog.Origin{
			Source: source, Repository: repository, Path: path, Commit: "c1", Line: line, Inferred: line == 0,
		},
	}
	e.Document = fmt.Appendf(nil, `{"apiVersion":"backstage.io/v1alpha1","kind":"Component","metadata":{"name":%q,"title":%q}}`, name, text)
	return e
}

// update is a repository with a document that holds these entities, or with
// none, if they are inferred.
func update(id string, entities ...*catalog.Entity) store.RepositoryUpdate {
	u := store.RepositoryUpdate{Repository: store.Repository{
		ID: id, Name: "acme/" + id, State: "s1", Commit: "c1", Facts: []byte(`{"stars":1}`), Documents: map[string]store.Document{},
	}}
	for _, e := range entities {
		key := e.Origin.Path + "#" + e.Ref.Key()
		if e.Origin.Inferred {
			key = "inferred"
		} else {
			u.Repository.Documents[e.Origin.Path] = store.Document{Hash: "h-" + e.Origin.Path, Commit: "c1"}
		}
		u.Claims = append(u.Claims, store.Claim{Key: key, Entity: e})
	}
	return u
}

func (b *bundle) apply(updates ...store.RepositoryUpdate) store.Counts {
	b.Helper()
	counts, err := b.Apply(b.Context(), source, updates)
	require.NoError(b, err)
	return counts
}

// served are the entities that Load gives, by ref key.
func (b *bundle) served() map[string]*catalog.Entity {
	b.Helper()
	out := map[string]*catalog.Entity{}
	_, err := b.Load(b.Context(), func(e *catalog.Entity) error {
		require.NotContains(b, out, e.Ref.Key(), "a ref is served once")
		out[e.Ref.Key()] = e
		return nil
	})
	require.NoError(b, err)
	return out
}

func (b *bundle) get(name string) *catalog.Entity {
	b.Helper()
	e := b.served()["component:default/"+name]
	require.NotNil(b, e, "component %s is served", name)
	return e
}

// changes are all changes after a revision; they have no gap.
func (b *bundle) changes(after catalog.Revision) []catalog.Change {
	b.Helper()
	out, err := b.Changes(b.Context(), after, 1_000_000)
	require.NoError(b, err)
	for i, c := range out {
		require.Equal(b, after+catalog.Revision(i)+1, c.Revision, "revisions have no gap")
	}
	return out
}

func (b *bundle) latest() catalog.Revision {
	b.Helper()
	r, err := b.Latest(b.Context())
	require.NoError(b, err)
	return r
}

// replayed is the catalog as the feed tells it.
func (b *bundle) replayed() map[string]*catalog.Entity {
	b.Helper()
	out := map[string]*catalog.Entity{}
	uids := map[string]string{}
	for _, c := range b.changes(0) {
		key := c.Entity.Ref.Key()
		switch c.Op {
		case catalog.OpPut:
			if of, ok := uids[c.Entity.UID]; ok {
				require.Equal(b, of, key, "uid %s is on one ref at a time", c.Entity.UID)
			}
			out[key], uids[c.Entity.UID] = c.Entity, key
		case catalog.OpDelete:
			require.Contains(b, out, key, "only what is there is deleted")
			require.Equal(b, out[key].UID, c.Entity.UID)
			delete(out, key)
			delete(uids, c.Entity.UID)
		default:
			b.Fatalf("op %q", c.Op)
		}
	}
	return out
}

// consistent checks that the feed and Load tell the same.
func (b *bundle) consistent() {
	b.Helper()
	require.Empty(b, cmp.Diff(b.replayed(), b.served(), cmpopts.EquateEmpty()), "the feed, replayed, is the catalog")
}

func (b *bundle) problems() []catalog.Problem {
	b.Helper()
	out, err := b.Store.Problems(b.Context())
	require.NoError(b, err)
	return out
}

func title(t testing.TB, e *catalog.Entity) string {
	t.Helper()
	var d struct{ Metadata struct{ Title string } }
	require.NoError(t, json.Unmarshal(e.Document, &d))
	return d.Metadata.Title
}

func begin(ctx context.Context, t testing.TB, s *store.Store) store.Harvest {
	t.Helper()
	h, err := s.BeginHarvest(ctx, source, "test")
	require.NoError(t, err)
	return h
}
