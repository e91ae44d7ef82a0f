package storetest

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/store"
)

func fact(key, value string, evidence ...catalog.Evidence) catalog.Fact {
	return catalog.Fact{
		Key: key, Value: json.RawMessage(value), Evidence: evidence,
		Observed: time.UnixMicro(1_700_000_000_000_000).UTC(), Stale: time.UnixMicro(1_700_000_100_000_000).UTC(),
	}
}

// enriched is what a plugin says of an entity that is served.
func (b *bundle) enriched(name string, facts ...catalog.Fact) store.Enrichment {
	e := b.served()["component:default/"+name]
	return store.Enrichment{UID: e.UID, Ref: e.Ref, Facts: facts, Reads: []byte("r"), Asked: time.UnixMicro(1_700_000_000_000_000).UTC()}
}

func enrichments(b *bundle) {
	ctx := b.Context()
	b.apply(update("r1", entity("web", "acme/r1", "a.yaml", 1, ""), entity("api", "acme/r1", "a.yaml", 9, "")))
	before, err := b.Latest(ctx)
	require.NoError(b, err)
	content := b.served()["component:default/web"]

	e := b.enriched("web", fact("own.z", `"group:default/a"`, catalog.Evidence{Kind: "file", Line: 3}), fact("own.a", `1`))
	e.Relations = []catalog.Relation{{Type: catalog.DependsOn, Target: catalog.Ref{Kind: "resource", Namespace: "default", Name: "db"}}}
	e.Problems = []catalog.Problem{{Code: "x", Message: "m", Severity: catalog.SeverityWarning}}
	changed, err := b.PutEnrichments(ctx, "own", []store.Enrichment{e, {UID: "nobody", Ref: catalog.Ref{Kind: "component", Name: "gone"}}})
	require.NoError(b, err)
	require.Equal(b, 1, changed, "what does not exist is left out")

	// It is a change of its own, of the same content.
	changes, err := b.Changes(ctx, before, 10)
	require.NoError(b, err)
	require.Len(b, changes, 1)
	c := changes[0]
	require.Equal(b, catalog.OpFacts, c.Op)
	require.Equal(b, catalog.Cause{Via: catalog.ViaPlugin, Actor: "own"}, c.Cause)
	require.Equal(b, content.Revision, c.Entity.Revision, "the content has not changed")
	require.JSONEq(b, `{"own.a":1,"own.z":"group:default/a"}`, string(c.Entity.Facts))
	require.Empty(b, cmp.Diff([]catalog.FactChange{{Key: "own.a", New: json.RawMessage("1")}, {Key: "own.z", New: json.RawMessage(`"group:default/a"`)}}, c.Facts))
	loaded := b.served()["component:default/web"]
	require.Equal(b, string(c.Entity.Facts), string(loaded.Facts))
	require.Len(b, loaded.Relations, 2)
	require.Equal(b, loaded.Relations, c.Entity.Relations)
	require.Empty(b, b.served()["component:default/api"].Facts)

	// Evidence and age are in the store.
	facts, err := b.Facts(ctx, e.UID)
	require.NoError(b, err)
	require.Empty(b, cmp.Diff([]store.EntityFact{{Fact: e.Facts[1], Plugin: "own"}, {Fact: e.Facts[0], Plugin: "own"}}, facts))

	// Saying the same again is no change; another evidence is none either.
	e.Facts[0].Evidence[0].Line = 4
	changed, err = b.PutEnrichments(ctx, "own", []store.Enrichment{e})
	require.NoError(b, err)
	require.Zero(b, changed)
	facts, err = b.Facts(ctx, e.UID)
	require.NoError(b, err)
	require.Equal(b, 4, facts[1].Evidence[0].Line)

	// A failure keeps what was said.
	changed, err = b.PutEnrichments(ctx, "own", []store.Enrichment{{UID: e.UID, Ref: e.Ref, Error: "it hangs", Failures: 2, Due: e.Asked}})
	require.NoError(b, err)
	require.Zero(b, changed)
	facts, err = b.Facts(ctx, e.UID)
	require.NoError(b, err)
	require.Len(b, facts, 2)
	require.Equal(b, "it hangs", facts[0].Error)
	var all []store.Enrichment
	require.NoError(b, b.Enrichments(ctx, "own", func(e store.Enrichment) error { all = append(all, e); return nil }))
	require.Empty(b, cmp.Diff([]store.Enrichment{{UID: e.UID, Relations: e.Relations, Problems: e.Problems, Reads: e.Reads, Asked: e.Asked, Due: e.Asked, Error: "it hangs", Failures: 2}}, all))

	problems, err := b.Problems(ctx)
	require.NoError(b, err)
	require.Equal(b, e.Problems, problems)

	// Another plugin's facts stand beside them, and it cannot say these.
	_, err = b.PutEnrichments(ctx, "slo", []store.Enrichment{b.enriched("web", fact("own.a", `2`))})
	require.ErrorContains(b, err, "not one of plugin slo")
	_, err = b.PutEnrichments(ctx, "slo", []store.Enrichment{b.enriched("web", fact("slo.left", `0.5`))})
	require.NoError(b, err)
	require.JSONEq(b, `{"own.a":1,"own.z":"group:default/a","slo.left":0.5}`, string(b.served()["component:default/web"].Facts))

	counts, err := b.CountPlugins(ctx, time.Now())
	require.NoError(b, err)
	require.Equal(b, map[string]store.PluginCounts{"own": {Entities: 1, Failed: 1, Stale: 1}, "slo": {Entities: 1, Stale: 1}}, counts)

	// Facts survive a change of the entity, and of its name.
	b.apply(update("r1", entity("web", "acme/r1", "a.yaml", 1, "other"), entity("api", "acme/r1", "a.yaml", 9, "")))
	require.NotEmpty(b, b.served()["component:default/web"].Facts)
	changes, err = b.Changes(ctx, c.Revision+1, 10)
	require.NoError(b, err)
	require.NotEmpty(b, changes[len(changes)-1].Entity.Facts)

	// What is not said any more is gone, with a plugin too.
	require.NoError(b, b.ForgetPlugin(ctx, "own"))
	require.JSONEq(b, `{"slo.left":0.5}`, string(b.served()["component:default/web"].Facts))
	require.Len(b, b.served()["component:default/web"].Relations, 1)

	// The history tells of all of it; the past has no facts.
	past, _, err := b.History(ctx, e.Ref, 0, 10)
	require.NoError(b, err)
	var ops []catalog.Op
	for _, c := range past {
		ops = append(ops, c.Op)
	}
	require.Equal(b, []catalog.Op{catalog.OpFacts, catalog.OpPut, catalog.OpFacts, catalog.OpFacts, catalog.OpPut}, ops)
	then, _, err := b.At(ctx, e.Ref, c.Revision)
	require.NoError(b, err)
	require.Equal(b, string(content.Document), string(then.Document))
	// The past of an entity is told with the revision of its content, as the
	// present is, from the entity alone and from the whole catalog.
	require.Equal(b, catalog.OpFacts, past[0].Op)
	now := b.served()["component:default/web"]
	require.Less(b, now.Revision, past[0].Revision)
	then, _, err = b.At(ctx, e.Ref, past[0].Revision)
	require.NoError(b, err)
	for _, then := range []*catalog.Entity{then, b.loaded(past[0].Revision)["component:default/web"]} {
		require.Equal(b, now.Revision, then.Revision)
		require.Equal(b, now.Changed, then.Changed)
	}

	// A removed entity takes them along, also when it comes back.
	b.apply(update("r1", entity("api", "acme/r1", "a.yaml", 9, "")))
	b.apply(update("r1", entity("web", "acme/r1", "a.yaml", 1, "other"), entity("api", "acme/r1", "a.yaml", 9, "")))
	again := b.served()["component:default/web"]
	require.Equal(b, e.UID, again.UID)
	require.Empty(b, again.Facts)
}

func records(b *bundle) {
	ctx := b.Context()
	_, err := b.GetRecord(ctx, "own", "a")
	require.ErrorIs(b, err, store.ErrNotFound)
	for i := range 3 {
		require.NoError(b, b.PutRecord(ctx, "own", fmt.Sprintf("override/%d", i), []byte(`{}`), 0))
	}
	require.NoError(b, b.PutRecord(ctx, "own", "override%/x", []byte(`{}`), 0))
	require.NoError(b, b.PutRecord(ctx, "slo", "override/9", []byte(`{}`), 0))
	list, err := b.Records(ctx, "own", "override/", "override/0", 10)
	require.NoError(b, err)
	require.Len(b, list, 2)
	require.Equal(b, "override/1", list[0].Key)

	had := list[0]
	require.NoError(b, b.PutRecord(ctx, "own", had.Key, []byte(`{"a":1}`), had.Version))
	require.ErrorIs(b, b.PutRecord(ctx, "own", had.Key, []byte(`{"a":2}`), had.Version), store.ErrChanged)
	got, err := b.GetRecord(ctx, "own", had.Key)
	require.NoError(b, err)
	require.JSONEq(b, `{"a":1}`, string(got.Value))
	require.NoError(b, b.DeleteRecord(ctx, "own", had.Key))
	require.NoError(b, b.DeleteRecord(ctx, "own", had.Key))
	require.Error(b, b.PutRecord(ctx, "own", "big", make([]byte, store.MaxRecord+1), 0))
}

func pluginRuns(b *bundle) {
	ctx := b.Context()
	start := time.UnixMicro(1_700_000_000_000_000).UTC()
	for i := range 103 {
		id, err := b.PutPluginRun(ctx, store.PluginRun{Plugin: "own", Role: "enrich", Started: start.Add(time.Duration(i) * time.Second), Finished: start, Asked: i})
		require.NoError(b, err)
		require.NotZero(b, id)
	}
	runs, err := b.PluginRuns(ctx, "own", 1000)
	require.NoError(b, err)
	require.Len(b, runs, 100)
	require.Equal(b, 102, runs[0].Asked)
	p := store.Plugin{Name: "own", Version: "1", Breaker: "open", Until: start, Error: "e"}
	require.NoError(b, b.PutPlugin(ctx, p))
	p.Breaker = "closed"
	require.NoError(b, b.PutPlugin(ctx, p))
	all, err := b.Plugins(ctx)
	require.NoError(b, err)
	require.Equal(b, map[string]store.Plugin{"own": p}, all)
}

func touched(b *bundle) {
	ctx := b.Context()
	b.apply(update("r1", entity("web", "acme/r1", "a.yaml", 1, "")), update("r2"))
	first, err := b.TouchedRepositories(ctx, -1)
	require.NoError(b, err)
	require.Len(b, first, 2)
	last := first[1].Touched
	b.apply(update("r1", entity("web", "acme/r1", "a.yaml", 1, "")))
	none, err := b.TouchedRepositories(ctx, last)
	require.NoError(b, err)
	require.Empty(b, none, "what is written as it was is not written")
	u := update("r2")
	u.Repository.Facts = []byte(`{"stars":2}`)
	b.apply(u)
	one, err := b.TouchedRepositories(ctx, last)
	require.NoError(b, err)
	require.Len(b, one, 1)
	require.Equal(b, "acme/r2", one[0].Name)
	repos, err := b.RepositoriesByID(ctx, source, []string{"r2", "r9"})
	require.NoError(b, err)
	require.Len(b, repos, 1)
	require.JSONEq(b, `{"stars":2}`, string(repos["r2"].Facts))
}
