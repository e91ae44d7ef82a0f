package storetest

import (
	"fmt"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/store"
)

func (b *bundle) stage(updates ...store.RepositoryUpdate) store.Counts {
	b.Helper()
	counts, err := b.Stage(b.Context(), source, updates)
	require.NoError(b, err)
	return counts
}

func (b *bundle) sweepAll(removals store.Removals, seen ...string) (store.Counts, error) {
	b.Helper()
	set := map[string]struct{}{}
	for _, id := range seen {
		set[id] = struct{}{}
	}
	return b.Store.Sweep(b.Context(), source, set, time.Time{}, removals, catalog.Cause{Via: catalog.ViaHarvest, Harvest: 7})
}

// staged: what is declared no more is served until the sweep, and goes with it.
func staged(b *bundle) {
	one, two := entity("a", "acme/r1", "x.yaml", 1, "one"), entity("b", "acme/r1", "x.yaml", 9, "two")
	b.stage(update("r1", one, two))
	require.Equal(b, store.Counts{}, b.stage(update("r1", one)), "nothing is removed yet")
	b.get("b")
	b.stage(update("r1", one, two))
	counts, err := b.sweepAll(store.Removals{}, "r1")
	require.NoError(b, err)
	require.Equal(b, store.Counts{}, counts, "it came back in time")
	before := b.latest()

	b.stage(update("r1", one))
	counts, err = b.sweepAll(store.Removals{}, "r1")
	require.NoError(b, err)
	require.Equal(b, store.Counts{Removed: 1}, counts)
	require.NotContains(b, b.served(), "component:default/b")
	gone := b.changes(before)
	require.Len(b, gone, 1)
	require.Equal(b, catalog.OpDelete, gone[0].Op)
	counts, err = b.sweepAll(store.Removals{}, "r1")
	require.NoError(b, err)
	require.Equal(b, store.Counts{}, counts)
	require.Equal(b, before+1, b.latest(), "a sweep that finds nothing writes nothing")
	b.consistent()
}

// guard: what is too much at once is held, and everything stays.
func guard(b *bundle) {
	var updates []store.RepositoryUpdate
	var ids []string
	for i := range 10 {
		id := fmt.Sprint("r", i)
		ids = append(ids, id)
		updates = append(updates, update(id, entity(fmt.Sprint("e", i), "acme/"+id, "x.yaml", 1, "one")))
	}
	b.stage(updates...)
	limit := store.Removals{Share: 0.2}
	counts, err := b.sweepAll(limit, ids...)
	require.NoError(b, err)
	require.Equal(b, store.Counts{}, counts)
	before := b.latest()

	var held store.Held
	_, err = b.sweepAll(limit, ids[:7]...)
	require.ErrorAs(b, err, &held)
	require.Equal(b, 3, held.Entities)
	require.Equal(b, 10, held.Of)
	require.Equal(b, before, b.latest(), "nothing changed")
	require.Len(b, b.served(), 10)
	waiting, err := b.Held(b.Context())
	require.NoError(b, err)
	require.Equal(b, 3, waiting[source].Entities)
	known, err := b.Repositories(b.Context(), source)
	require.NoError(b, err)
	require.Len(b, known, 10, "what is known stays, so that an unchanged repository costs nothing when it is back")

	// What goes within repositories counts too, and through several sweeps.
	b.stage(update("r6"))
	_, err = b.sweepAll(limit, ids[:8]...)
	require.ErrorAs(b, err, &held)
	require.Equal(b, 3, held.Entities)
	require.False(b, held.Since.After(time.Now()))

	// A share that is allowed goes, and ends the hold.
	counts, err = b.sweepAll(limit, ids[:9]...)
	require.NoError(b, err)
	require.Equal(b, store.Counts{Removed: 2}, counts)
	waiting, err = b.Held(b.Context())
	require.NoError(b, err)
	require.Empty(b, waiting)

	_, err = b.sweepAll(limit)
	require.ErrorAs(b, err, &held, "an empty listing")
	limit.Confirmed = true
	counts, err = b.sweepAll(limit)
	require.NoError(b, err)
	require.Equal(b, store.Counts{Removed: 8}, counts)
	require.Empty(b, b.served())
	b.consistent()
}

// orphans: what nothing declares any more is kept as long as the policy says.
func orphans(b *bundle) {
	b.stage(update("r1", entity("a", "acme/r1", "x.yaml", 1, "one")), update("r2", entity("b", "acme/r2", "x.yaml", 1, "two")))
	uid := b.get("a").UID
	keep := store.Removals{Orphans: store.Orphans{Keep: true}}
	counts, err := b.sweepAll(keep, "r2")
	require.NoError(b, err)
	require.Equal(b, store.Counts{Changed: 1, Orphaned: 1}, counts)
	require.Equal(b, "true", b.get("a").Annotation("backstage.io/orphan"))
	before := b.latest()
	counts, err = b.sweepAll(keep, "r2")
	require.NoError(b, err)
	require.Equal(b, store.Counts{}, counts, "once is enough")
	require.Equal(b, before, b.latest())

	// It is declared again, as it was.
	b.stage(update("r1", entity("a", "acme/r1", "x.yaml", 1, "one")))
	require.Empty(b, b.get("a").Annotation("backstage.io/orphan"))
	require.Equal(b, uid, b.get("a").UID)
	counts, err = b.sweepAll(keep, "r1", "r2")
	require.NoError(b, err)
	require.Equal(b, store.Counts{}, counts)

	// Another place claims it: the orphan makes way at once.
	_, err = b.sweepAll(keep, "r2")
	require.NoError(b, err)
	b.stage(update("r3", entity("a", "acme/r3", "x.yaml", 1, "three")))
	require.Equal(b, "three", title(b, b.get("a")))
	require.Equal(b, uid, b.get("a").UID)
	require.Empty(b, b.problems(), "an orphan is no rival")

	// For a time only.
	after := store.Removals{Orphans: store.Orphans{After: time.Hour}}
	counts, err = b.sweepAll(after, "r3")
	require.NoError(b, err)
	require.Equal(b, 1, counts.Orphaned)
	after.Orphans.After = time.Microsecond
	time.Sleep(time.Millisecond)
	counts, err = b.sweepAll(after, "r3")
	require.NoError(b, err)
	require.Equal(b, 1, counts.Removed)
	require.NotContains(b, b.served(), "component:default/b")
	b.consistent()
}

// asked: what was asked for earlier never replaces what was asked for later.
func asked(b *bundle) {
	at := time.Now().Add(-time.Minute)
	put := func(text string, when time.Time) {
		u := update("r1", entity("a", "acme/r1", "x.yaml", 1, text))
		u.Asked = when
		_, err := b.Store.Refresh(b.Context(), source, []store.RepositoryUpdate{u}, store.Removals{})
		require.NoError(b, err)
	}
	put("two", at.Add(2*time.Second))
	put("one", at.Add(time.Second))
	require.Equal(b, "two", title(b, b.get("a")))

	gone := store.RepositoryUpdate{Repository: store.Repository{ID: "r1"}, Gone: true, Asked: at.Add(4 * time.Second)}
	_, err := b.Store.Refresh(b.Context(), source, []store.RepositoryUpdate{gone}, store.Removals{})
	require.NoError(b, err)
	require.Empty(b, b.served())
	known, err := b.Repositories(b.Context(), source)
	require.NoError(b, err)
	require.Empty(b, known)
	put("three", at.Add(3*time.Second))
	require.Empty(b, b.served(), "an old listing does not bring it back")
	put("five", at.Add(5*time.Second))
	require.Equal(b, "five", title(b, b.get("a")))

	// A listing that began before the repository was asked for cannot miss it.
	counts, err := b.Store.Sweep(b.Context(), source, map[string]struct{}{"r2": {}}, at, store.Removals{}, catalog.Cause{})
	require.NoError(b, err)
	require.Equal(b, store.Counts{}, counts)
	counts, err = b.Store.Sweep(b.Context(), source, map[string]struct{}{"r2": {}}, time.Now(), store.Removals{}, catalog.Cause{})
	require.NoError(b, err)
	require.Equal(b, store.Counts{Removed: 1}, counts)
	b.consistent()
}

// moves: an entity that moves to another repository is the same one, whichever
// of the two is read first.
func moves(b *bundle) {
	refresh := func(u store.RepositoryUpdate) {
		_, err := b.Store.Refresh(b.Context(), source, []store.RepositoryUpdate{u}, store.Removals{})
		require.NoError(b, err)
	}
	refresh(update("r1", entity("a", "acme/r1", "x.yaml", 1, "one")))
	uid := b.get("a").UID
	refresh(update("r1"))
	refresh(update("r2", entity("a", "acme/r2", "x.yaml", 1, "one")))
	require.Equal(b, uid, b.get("a").UID, "first gone here, then seen there")
	refresh(update("r3", entity("a", "acme/r3", "x.yaml", 1, "one")))
	refresh(update("r2"))
	require.Equal(b, uid, b.get("a").UID, "first seen there, then gone here")
	b.from("a", "acme/r3")

	// A name that an entity has given up is free for another one.
	renamed := update("r3", entity("z", "acme/r3", "x.yaml", 1, "one"))
	renamed.Claims[0].Key = "x.yaml#component:default/a"
	refresh(renamed)
	require.Equal(b, uid, b.get("z").UID)
	refresh(update("r4", entity("a", "acme/r4", "x.yaml", 1, "another")))
	require.NotEqual(b, uid, b.get("a").UID)
	b.consistent()
}

// refreshHeld: a refresh that takes too much away applies the rest.
func refreshHeld(b *bundle) {
	var all []*catalog.Entity
	for i := range 10 {
		all = append(all, entity(fmt.Sprint("e", i), "acme/r1", "x.yaml", 1+i, "one"))
	}
	b.stage(update("r1", all...))
	limit := store.Removals{Share: 0.2}
	changed := entity("e0", "acme/r1", "x.yaml", 1, "changed")
	_, err := b.Store.Refresh(b.Context(), source, []store.RepositoryUpdate{update("r1", changed)}, limit)
	var held store.Held
	require.ErrorAs(b, err, &held)
	require.Equal(b, 9, held.Entities)
	require.Equal(b, "changed", title(b, b.get("e0")))
	require.Len(b, b.served(), 10)
	limit.Confirmed = true
	counts, err := b.sweepAll(limit, "r1")
	require.NoError(b, err)
	require.Equal(b, store.Counts{Removed: 9}, counts, "the next harvest that is confirmed takes them away")
	b.consistent()
}

// removeSource: nothing of a source stays, and nothing of another one goes.
func removeSource(b *bundle) {
	b.stage(update("r1", entity("a", "acme/r1", "x.yaml", 1, "one")))
	_, err := b.sweepAll(store.Removals{Orphans: store.Orphans{Keep: true}})
	require.NoError(b, err)
	b.stage(update("r2", entity("b", "acme/r2", "x.yaml", 1, "one")))
	other := entity("c", "acme/r9", "x.yaml", 1, "one")
	other.Origin.Source = "dir:/elsewhere"
	_, err = b.Apply(b.Context(), "dir:/elsewhere", []store.RepositoryUpdate{update("r9", other)})
	require.NoError(b, err)
	counts, err := b.RemoveSource(b.Context(), source, catalog.Cause{Via: catalog.ViaAPI, Actor: "ann"})
	require.NoError(b, err)
	require.Equal(b, store.Counts{Removed: 2}, counts)
	require.Len(b, b.served(), 1)
	known, err := b.Repositories(b.Context(), source)
	require.NoError(b, err)
	require.Empty(b, known)
	b.consistent()
}

// deleted: what somebody deletes is gone, and what is declared is read anew by the
// next harvest. Where another place declares the same ref, that counts from then on.
func deleted(b *bundle) {
	ctx := b.Context()
	one := update("r1", entity("a", "acme/r1", "x.yaml", 1, "one"), entity("b", "acme/r1", "x.yaml", 9, "two"), entity("c", "acme/r1", "y.yaml", 1, "three"))
	b.apply(one)
	b.apply(update("r2", entity("c", "acme/r2", "z.yaml", 1, "another")))
	cause := catalog.Cause{Via: catalog.ViaAPI, Actor: "ada"}
	before := b.latest()
	uid := b.get("a").UID
	at, err := b.Delete(ctx, uid, cause)
	require.NoError(b, err)
	require.Equal(b, before+1, at)
	changes := b.changes(before)
	require.Len(b, changes, 1)
	require.Equal(b, catalog.OpDelete, changes[0].Op)
	require.Equal(b, cause, changes[0].Cause)
	require.NotContains(b, b.served(), "component:default/a")
	b.get("b")
	kept, err := b.Repository(ctx, source, "r1")
	require.NoError(b, err)
	require.Empty(b, kept.State)
	require.Empty(b, kept.Documents["x.yaml"].Hash)
	require.NotEmpty(b, kept.Documents["y.yaml"].Hash)
	_, err = b.Delete(ctx, uid, cause)
	require.ErrorIs(b, err, store.ErrNotFound)
	_, err = b.Delete(ctx, "no uid \xff\x00", cause)
	require.ErrorIs(b, err, store.ErrNotFound)

	require.Equal(b, store.Counts{Added: 1}, b.apply(one), "it is declared still")
	b.get("a")
	_, err = b.Delete(ctx, b.get("c").UID, cause)
	require.NoError(b, err)
	require.Equal(b, "another", title(b, b.get("c")))

	// An orphan is gone for good.
	counts, err := b.sweepAll(store.Removals{Orphans: store.Orphans{Keep: true}}, "r1")
	require.NoError(b, err)
	require.Zero(b, counts.Removed)
	_, err = b.Delete(ctx, b.get("c").UID, cause)
	require.NoError(b, err)
	require.NotContains(b, b.served(), "component:default/c")
	_, err = b.sweepAll(store.Removals{Orphans: store.Orphans{Keep: true}}, "r1")
	require.NoError(b, err)
	require.NotContains(b, b.served(), "component:default/c")
	b.consistent()
}
