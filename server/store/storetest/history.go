package storetest

import (
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/store"
)

// slot is a claim whose key stays when its entity gets another name.
func slot(repository, key, name, text string) store.RepositoryUpdate {
	u := update(repository)
	u.Claims = []store.Claim{{Key: key, Entity: entity(name, "acme/"+repository, "x.yaml", 1, text)}}
	u.Repository.Documents["x.yaml"] = store.Document{Hash: "h", Commit: "c1"}
	return u
}

func component(name string) catalog.Ref {
	return catalog.Ref{Kind: "Component", Namespace: "default", Name: name}
}

// brief says what a history holds.
func brief(changes []catalog.Change) []string {
	var out []string
	for _, c := range changes {
		out = append(out, fmt.Sprintf("%d %s %s %s", c.Revision, c.Op, c.Entity.Ref.Name, c.Moved))
	}
	return out
}

func (b *bundle) past(name string, before catalog.Revision, limit int) []string {
	b.Helper()
	out, _, err := b.History(b.Context(), component(name), before, limit)
	require.NoError(b, err)
	return brief(out)
}

// history follows an entity back through its names, and not into another one's.
func history(b *bundle) {
	_, _, err := b.History(b.Context(), component("a"), 0, 10)
	require.ErrorIs(b, err, store.ErrNotFound)

	first := slot("r1", "k", "a", "one")
	first.Cause = catalog.Cause{Via: catalog.ViaWebhook, Actor: "ada", Commit: "c1", Delivery: "d1"}
	b.apply(first)                            // 1 put a
	b.apply(slot("r1", "k", "a", "two"))      // 2 put a
	b.apply(slot("r1", "k", "b", "two"))      // 3 delete a, 4 put b
	b.apply(slot("r2", "k", "a", "stranger")) // 5 put a, another entity
	b.apply(slot("r1", "k", "b", "three"))    // 6 put b
	b.apply(slot("r1", "k", "c", "three"))    // 7 delete b, 8 put c
	b.apply(update("r1"))                     // 9 delete c

	whole := []string{
		"9 delete c ", "8 put c component:default/b", "6 put b ", "4 put b component:default/a", "2 put a ", "1 put a ",
	}
	require.Equal(b, whole, b.past("c", 0, 100))
	var paged []string
	for before := catalog.Revision(0); ; {
		page, more, err := b.History(b.Context(), component("C"), before, 1)
		require.NoError(b, err)
		require.Len(b, page, 1)
		paged, before = append(paged, brief(page)...), page[0].Revision
		if !more {
			break
		}
	}
	require.Equal(b, whole, paged, "page by page")
	require.Equal(b, whole[:3], b.past("c", 0, 3))
	require.Equal(b, whole[2:], b.past("c", 8, 100))
	require.Equal(b, whole[3:], b.past("c", 5, 100), "before a revision of somebody else's")
	require.Equal(b, []string{"5 put a "}, b.past("a", 0, 100), "the stranger's own")
	require.Equal(b, append([]string{"7 delete b component:default/c"}, whole[2:]...), b.past("b", 0, 100), "the old name ends with where it went")

	changes, more, err := b.History(b.Context(), component("c"), 2, 100)
	require.NoError(b, err)
	require.False(b, more)
	require.Len(b, changes, 1)
	require.Equal(b, first.Cause, changes[0].Cause)
	require.Equal(b, "one", title(b, changes[0].Entity))
	fed := b.changes(0)
	require.Equal(b, changes[0], fed[0], "history and feed tell the same")
	require.Equal(b, "component:default/b", fed[2].Moved)
	require.Equal(b, "component:default/a", fed[3].Moved)
	require.Empty(b, fed[1].Cause)
}

// back and forth between two names.
func historyCycle(b *bundle) {
	b.apply(slot("r1", "k", "x", "one")) // 1
	b.apply(slot("r1", "k", "y", "one")) // 2 delete x, 3 put y
	b.apply(slot("r1", "k", "x", "two")) // 4 delete y, 5 put x
	want := []string{"5 put x component:default/y", "3 put y component:default/x", "1 put x "}
	require.Equal(b, want, b.past("x", 0, 100))
	require.Equal(b, want[1:], b.past("x", 5, 100))
	require.Equal(b, want[2:], b.past("x", 3, 100))
	require.Equal(b, want[2:], b.past("x", 2, 100))
}

// asOf reads the catalog as it was.
func asOf(b *bundle) {
	b.apply(slot("r1", "k", "a", "one"), slot("r2", "k", "b", "other"))
	before := b.served()
	middle := b.latest()
	time.Sleep(2 * time.Millisecond) // so that a time lies between
	b.apply(slot("r1", "k", "c", "two"), update("r2"))

	require.Empty(b, cmp.Diff(before, b.loaded(middle), cmpopts.EquateEmpty()))
	require.Empty(b, cmp.Diff(b.served(), b.loaded(b.latest()), cmpopts.EquateEmpty()))
	require.Empty(b, b.loaded(0))
	e, existed, err := b.At(b.Context(), component("A"), middle, "component:default/nobody", "component:default/a", "component:default/c", "component:default/b", "component:default/b")
	require.NoError(b, err)
	require.Equal(b, map[string]bool{"component:default/a": true, "component:default/b": true, "component:default/c": false, "component:default/nobody": false}, existed)
	require.Empty(b, cmp.Diff(before["component:default/a"], e))
	for _, at := range []catalog.Revision{0, b.latest()} {
		_, _, err = b.At(b.Context(), component("a"), at)
		require.ErrorIs(b, err, store.ErrNotFound)
	}
	existed, err = b.Existed(b.Context(), []string{"component:default/a", "component:default/c", "component:default/nobody"}, middle)
	require.NoError(b, err)
	require.Equal(b, map[string]bool{"component:default/a": true}, existed)
	// A document names what it likes.
	odd := []string{"component:default/\x00", "component:default/\xff\\\"", "component:default/\u2028<é>&'"}
	b.apply(slot("r3", "k", "\u2028<é>&'", "odd"))
	existed, err = b.Existed(b.Context(), odd, b.latest())
	require.NoError(b, err)
	require.Equal(b, map[string]bool{odd[2]: true}, existed)
	_, existed, err = b.At(b.Context(), component("c"), b.latest(), odd...)
	require.NoError(b, err)
	require.Equal(b, map[string]bool{odd[0]: false, odd[1]: false, odd[2]: true}, existed)

	fed := b.changes(0)
	for _, c := range fed {
		got, err := b.RevisionAt(b.Context(), c.Time)
		require.NoError(b, err)
		last := c.Revision
		for _, o := range fed {
			if o.Time.Equal(c.Time) {
				last = max(last, o.Revision)
			}
		}
		require.Equal(b, last, got)
	}
	got, err := b.RevisionAt(b.Context(), fed[middle].Time.Add(-time.Microsecond))
	require.NoError(b, err)
	require.Equal(b, middle, got)
	got, err = b.RevisionAt(b.Context(), fed[0].Time.Add(-time.Microsecond))
	require.NoError(b, err)
	require.Zero(b, got)

	stop := errors.New("stop")
	require.ErrorIs(b, b.LoadAt(b.Context(), middle, func(*catalog.Entity) error { return stop }), stop)
}

func (b *bundle) loaded(at catalog.Revision) map[string]*catalog.Entity {
	b.Helper()
	out := map[string]*catalog.Entity{}
	require.NoError(b, b.LoadAt(b.Context(), at, func(e *catalog.Entity) error {
		require.NotContains(b, out, e.Ref.Key())
		out[e.Ref.Key()] = e
		return nil
	}))
	return out
}

// prune keeps what a policy names.
func prune(b *bundle) {
	for i := range 6 {
		b.apply(slot("r1", "k", "a", fmt.Sprint(i)), slot("r2", "k", "gone", fmt.Sprint(i)))
	}
	b.apply(update("r2"))
	b.apply(slot("r3", "k", "last", "one")) // 14
	none, err := b.Prune(b.Context(), store.Policy{KeepLast: 1})
	require.NoError(b, err)
	require.Equal(b, store.Pruned{}, none, "without a time everything is kept")
	oldest, _, err := b.Oldest(b.Context())
	require.NoError(b, err)
	require.EqualValues(b, 1, oldest)

	time.Sleep(2 * time.Millisecond)
	got, err := b.Prune(b.Context(), store.Policy{KeepFor: time.Millisecond, KeepLast: 3})
	require.NoError(b, err)
	require.Equal(b, store.Pruned{Revisions: 3 + 7, Contents: 3 + 6, From: 14}, got)
	require.Len(b, b.past("a", 0, 100), 3)
	_, _, err = b.History(b.Context(), component("gone"), 0, 100)
	require.ErrorIs(b, err, store.ErrNotFound)
	require.EqualValues(b, 14, b.latest(), "the highest number stays")

	oldest, at, err := b.Oldest(b.Context())
	require.NoError(b, err)
	require.EqualValues(b, 14, oldest)
	found, err := b.RevisionAt(b.Context(), at)
	require.NoError(b, err)
	require.Equal(b, oldest, found)
	_, err = b.Changes(b.Context(), 13, 10)
	require.ErrorIs(b, err, store.ErrTooOld)
	_, err = b.Changes(b.Context(), 14, 10)
	require.NoError(b, err)
	for _, name := range []string{"a", "nobody"} {
		_, _, err = b.At(b.Context(), component(name), 13)
		require.ErrorIs(b, err, store.ErrTooOld)
	}
	require.ErrorIs(b, b.LoadAt(b.Context(), 13, func(*catalog.Entity) error { return nil }), store.ErrTooOld)
	truncated, err := b.Truncated(b.Context(), 13)
	require.NoError(b, err)
	require.True(b, truncated)

	b.apply(slot("r4", "k", "a", "waits"))
	b.apply(update("r1")) // r4 takes over
	require.Equal(b, "waits", title(b, b.get("a")))
	time.Sleep(2 * time.Millisecond)
	_, err = b.Prune(b.Context(), store.Policy{KeepFor: time.Millisecond})
	require.NoError(b, err)
	require.Len(b, b.past("a", 0, 100), 1)
}

// pruneMany: more than one transaction's worth, of one entity and of many.
func pruneMany(b *bundle) {
	const many = 2500
	for i := range 2 {
		var updates []store.RepositoryUpdate
		for n := range many {
			updates = append(updates, slot(fmt.Sprint("r", n), "k", fmt.Sprint("e", n), fmt.Sprint(i)))
		}
		b.apply(updates...)
	}
	time.Sleep(2 * time.Millisecond)
	got, err := b.Prune(b.Context(), store.Policy{KeepFor: time.Millisecond})
	require.NoError(b, err)
	require.Equal(b, store.Pruned{Revisions: many, Contents: many, From: 2 * many}, got)
	require.Len(b, b.served(), many)
	require.Empty(b, cmp.Diff(b.served(), b.loaded(b.latest())))
}

// memory: after any sequence of changes and prunes the catalog is, at each
// revision that is kept, what it was then.
func memory(b *bundle) {
	states := map[catalog.Revision]map[string]*catalog.Entity{0: {}}
	times := map[catalog.Revision]time.Time{}
	var last, oldest catalog.Revision
	steps := 0
	rapid.Check(b, func(t *rapid.T) {
		if steps++; steps > 60 {
			return // enough for a database
		}
		var updates []store.RepositoryUpdate
		for _, id := range rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"r1", "r2", "r3"}), 1, 3, rapid.ID).Draw(t, "repositories") {
			u := update(id)
			for i, name := range rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"a", "b", "c", "d"}), 0, 2, rapid.ID).Draw(t, "names") {
				// A key whose name changes is a rename.
				u.Claims = append(u.Claims, store.Claim{Key: fmt.Sprint(i), Priority: rapid.IntRange(0, 1).Draw(t, "priority"),
					Entity: entity(name, "acme/"+id, "x.yaml", 1, fmt.Sprint(rapid.IntRange(0, 2).Draw(t, "text")))})
			}
			updates = append(updates, u)
		}
		b.apply(updates...)
		fed, err := b.Changes(b.Context(), last, 1000)
		require.NoError(t, err)
		for _, c := range fed {
			require.Equal(t, last+1, c.Revision)
			next := maps.Clone(states[last])
			if c.Op == catalog.OpDelete {
				delete(next, c.Entity.Ref.Key())
			} else {
				next[c.Entity.Ref.Key()] = c.Entity
			}
			last = c.Revision
			states[last], times[last] = next, c.Time
		}
		require.Empty(t, cmp.Diff(states[last], b.served(), cmpopts.EquateEmpty()))

		if rapid.IntRange(0, 2).Draw(t, "prune") == 0 && last > oldest {
			at := catalog.Revision(rapid.Int64Range(int64(max(oldest, 1)), int64(last)).Draw(t, "at"))
			// Longer than it took: what is younger than at stays.
			pruned, err := b.Prune(b.Context(), store.Policy{KeepFor: max(time.Since(times[at]), 1), KeepLast: rapid.IntRange(0, 3).Draw(t, "keep")})
			require.NoError(t, err)
			require.GreaterOrEqual(t, pruned.From, oldest)
			oldest = pruned.From
			for r, when := range times {
				if r > oldest {
					require.False(t, when.Before(times[at]), "revision %d is younger than what is given up", r)
				}
			}
		}
		for at := range last + 1 {
			if at < oldest {
				require.ErrorIs(t, b.LoadAt(b.Context(), at, func(*catalog.Entity) error { return nil }), store.ErrTooOld)
				continue
			}
			if at != oldest && at != last && rapid.IntRange(0, 5).Draw(t, "look") != 0 {
				continue
			}
			require.Empty(t, cmp.Diff(states[at], b.loaded(at), cmpopts.EquateEmpty()), "revision %d of %d, kept from %d", at, last, oldest)
			for _, name := range []string{"a", "b", "c", "d"} {
				e, _, err := b.At(b.Context(), component(name), at)
				want, ok := states[at]["component:default/"+name]
				if !ok {
					require.ErrorIs(t, err, store.ErrNotFound)
					continue
				}
				require.NoError(t, err)
				require.Empty(t, cmp.Diff(want, e))
			}
		}
	})
	require.NotZero(b, oldest, "something was pruned")
}

// newest looks back at all of the catalog.
func newest(b *bundle) {
	b.apply(slot("r1", "k", "a", "one"))                                                                                                  // 1 put a
	b.apply(slot("r1", "k", "a", "two"))                                                                                                  // 2 put a
	b.apply(slot("r1", "k", "b", "two"))                                                                                                  // 3 delete a, 4 put b
	b.apply(slot("r2", "k", "a", "stranger"))                                                                                             // 5 put a, another entity
	b.apply(update("r1"))                                                                                                                 // 6 delete b
	b.apply(slot("r1", "k", "b", "three"))                                                                                                // 7 put b, which comes back
	_, err := b.PutEnrichments(b.Context(), "test", []store.Enrichment{b.enriched("b", catalog.Fact{Key: "test.x", Value: []byte("1")})}) // 8 facts b
	require.NoError(b, err)
	look := func(below, from catalog.Revision, facts bool, limit int) (out []string) {
		found, err := b.Newest(b.Context(), below, from, facts, limit)
		require.NoError(b, err)
		for _, n := range found {
			out = append(out, fmt.Sprintf("%d %s %s %s<%s", n.Revision, n.Op, n.Entity.Ref.Name, n.Moved, n.Before))
		}
		return out
	}
	all := []string{
		"8 facts b <put", "7 put b <delete", "6 delete b <put", "5 put a <delete",
		"4 put b component:default/a<put", "2 put a <put", "1 put a <",
	}
	require.Equal(b, all, look(100, 0, true, 100))
	require.Equal(b, all[1:], look(100, 0, false, 100))
	require.Equal(b, all[1:3], look(100, 0, false, 2))
	require.Equal(b, all[3:5], look(6, 3, true, 100))
	require.Empty(b, look(1, 0, true, 100))
}
