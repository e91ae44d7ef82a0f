package api

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
	"github.com/tidwall/gjson"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/testing/protocmp"

	catalogv1 "github.com/waypost-dev/waypost/proto/waypost/catalog/v1"
	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/store"
)

// TestAsOfIsTheSameHoweverOftenAsked: who reads several entities of one revision
// has all of it loaded, and gets the same answers from it as before. What others
// declared of an entity then, a list tells.
func TestAsOfIsTheSameHoweverOftenAsked(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	c := f.catalog(t)
	f.remember(t, declares(t, "r1", "shop", "One", "team"))
	at := f.remember(t, declares(t, "r2", "pay", "Two", "team"))
	f.remember(t, declares(t, "r2", "pay", "Three", ""))
	read := func(name string) (*catalogv1.Entity, string) {
		e, err := c.GetEntity(t.Context(), &catalogv1.GetEntityRequest{Name: name, AsOfRevision: at})
		require.NoError(t, err)
		return e, f.fetched(t, fmt.Sprint("/v1/", name, "?asOfRevision=", at))
	}
	const team, pay = "entities/group:default/team", "entities/component:default/pay"
	teamOne, teamOneJSON := read(team)
	payOne, payOneJSON := read(pay)
	require.Empty(t, teamOne.Relations, "it declares none")
	require.Contains(t, payOneJSON, `"title":"Two"`)

	all, err := c.ListEntities(t.Context(), &catalogv1.ListEntitiesRequest{AsOfRevision: at, Filter: `entity.kind == "Group"`}) // loads it
	require.NoError(t, err)
	require.Len(t, all.Entities, 1)
	require.Len(t, all.Entities[0].Relations, 2, "what the two components declared")

	teamTwo, teamTwoJSON := read(team)
	payTwo, payTwoJSON := read(pay)
	require.Empty(t, cmp.Diff([]*catalogv1.Entity{teamOne, payOne}, []*catalogv1.Entity{teamTwo, payTwo}, protocmp.Transform()))
	require.Equal(t, []string{teamOneJSON, payOneJSON}, []string{teamTwoJSON, payTwoJSON})
}

// TestAsOfTellsTargetsOfThen: whether the target of a relation was there does
// not follow from whether it is there now, and is the same from the store, the
// index, and the catalog of then.
func TestAsOfTellsTargetsOfThen(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	c := f.catalog(t)
	before := f.remember(t, declares(t, "r1", "shop", "One", ""))
	added := f.remember(t, declares(t, "r2", "pay", "One", "team"))
	settled := f.remember(t, declares(t, "r1", "shop", "Two", ""))
	removed := f.remember(t, declares(t, "r2", "pay", "One", ""))
	again := f.remember(t, declares(t, "r2", "pay", "One", "team"))
	there := func(at int64) bool {
		e, err := c.GetEntity(t.Context(), &catalogv1.GetEntityRequest{Name: "entities/component:default/shop", AsOfRevision: at})
		require.NoError(t, err)
		require.Len(t, e.Relations, 1)
		require.Equal(t, "group:default/team", e.Relations[0].TargetRef)
		body := f.fetched(t, fmt.Sprint("/v1/entities/component:default/shop?asOfRevision=", at))
		require.Equal(t, e.Relations[0].TargetExists, gjson.Get(body, "relations.0.targetExists").Bool(), body)
		return e.Relations[0].TargetExists
	}
	all := map[int64]bool{before: false, added: true, settled: true, removed: false, again: true}
	for at, want := range all {
		require.Equal(t, want, there(at), "revision %d", at)
	}
	for at, want := range all {
		_, err := c.ListEntities(t.Context(), &catalogv1.ListEntitiesRequest{AsOfRevision: at}) // loads it
		require.NoError(t, err)
		require.Equal(t, want, there(at), "revision %d, in memory", at)
	}

	// Another process has removed the target, and this one has not heard of it.
	_, err := f.store.Apply(t.Context(), "dir:/srv/git", []store.RepositoryUpdate{declares(t, "r2", "pay", "One", "")})
	require.NoError(t, err)
	last, err := f.store.Latest(t.Context())
	require.NoError(t, err)
	require.Greater(t, int64(last), again)
	require.False(t, there(int64(last)))
}

// TestAsOfFormsAgree: an entity of the past is the same over REST and gRPC.
func TestAsOfFormsAgree(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	at := f.remember(t, declares(t, "r1", "shop", "One \"of\" <us>\n", "team"))
	f.remember(t, declares(t, "r1", "shop", "Two", ""))
	typed, err := f.catalog(t).GetEntity(t.Context(), &catalogv1.GetEntityRequest{Name: "entities/component:default/shop", AsOfRevision: at})
	require.NoError(t, err)
	var read catalogv1.Entity
	require.NoError(t, protojson.Unmarshal([]byte(f.fetched(t, fmt.Sprint("/v1/entities/component:default/shop?asOfRevision=", at))), &read))
	require.Empty(t, cmp.Diff(typed, &read, protocmp.Transform()))
}

// TestAsOfForgetsWhatIsPruned: a catalog in memory outlives the store's by
// pastsChecked and no longer.
func TestAsOfForgetsWhatIsPruned(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	at := catalog.Revision(f.remember(t, declares(t, "r1", "shop", "One", "")))
	p := newPast(Options{Index: f.index, Store: f.store})
	_, err := p.snapshot(t.Context(), at)
	require.NoError(t, err)
	time.Sleep(time.Millisecond) // revisions of one microsecond are kept or given up together
	f.remember(t, declares(t, "r1", "shop", "Two", ""))
	time.Sleep(2 * time.Millisecond)
	_, err = f.store.Prune(t.Context(), store.Policy{KeepFor: time.Microsecond})
	require.NoError(t, err)
	_, err = p.snapshot(t.Context(), at)
	require.NoError(t, err, "just looked")
	_, ok := p.snapshots.GetIfPresent(at)
	require.True(t, ok)
	p.checked.Add(-int64(pastsChecked))
	_, err = p.snapshot(t.Context(), at)
	require.Equal(t, codes.OutOfRange, status.Code(err), "%v", err)
	_, ok = p.snapshots.GetIfPresent(at)
	require.False(t, ok)
}
