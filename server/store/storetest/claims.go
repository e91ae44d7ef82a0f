package storetest

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/store"
)

func inferred(name, repository string) *catalog.Entity {
	return entity(name, repository, "", 0, "inferred from "+repository)
}

func priority(p int, u store.RepositoryUpdate) store.RepositoryUpdate {
	for i := range u.Claims {
		u.Claims[i].Priority = p
	}
	return u
}

func (b *bundle) from(name, repository string) {
	b.Helper()
	require.Equal(b, repository, b.get(name).Origin.Repository, "%s comes from", name)
}

// claims: declared before inferred, then higher priority, then earlier.
func claims(b *bundle) {
	require.Equal(b, store.Counts{Added: 1}, b.apply(priority(9, update("r1", inferred("a", "acme/r1")))))
	require.Equal(b, store.Counts{Changed: 1}, b.apply(update("r2", entity("a", "acme/r2", file, 1, "declared"))))
	b.from("a", "acme/r2")
	require.Equal(b, store.Counts{}, b.apply(update("r3", entity("a", "acme/r3", file, 1, "later"))))
	b.from("a", "acme/r2")
	require.Equal(b, store.Counts{Changed: 1}, b.apply(priority(1, update("r4", entity("a", "acme/r4", file, 1, "higher")))))
	b.from("a", "acme/r4")
	require.Equal(b, store.Counts{Changed: 1}, b.apply(priority(2, update("r3", entity("a", "acme/r3", file, 1, "later")))), "priority alone decides anew")
	b.from("a", "acme/r3")
	require.Equal(b, store.Counts{}, b.apply(update("r2", entity("a", "acme/r2", file, 1, "a loser changes"))))
	require.Len(b, b.served(), 1)
	b.consistent()

	// Within one batch the first one wins.
	b.apply(update("r5", entity("b", "acme/r5", file, 1, "x")), update("r6", entity("B", "acme/r6", file, 1, "x")))
	b.from("b", "acme/r5")
}

func takeover(b *bundle) {
	b.apply(update("r1", entity("a", "acme/r1", file, 1, "one")))
	uid := b.get("a").UID
	b.apply(update("r2", entity("a", "acme/r2", file, 1, "two")), update("r3", inferred("a", "acme/r3")))
	require.Equal(b, store.Counts{}, b.apply(update("r2", entity("a", "acme/r2", file, 1, "two, changed while it loses"))))

	require.Equal(b, store.Counts{Changed: 1}, b.apply(update("r1")))
	b.from("a", "acme/r2")
	require.Equal(b, "two, changed while it loses", title(b, b.get("a")))
	require.Equal(b, uid, b.get("a").UID, "the uid is the ref's")

	require.Equal(b, store.Counts{}, b.apply(update("r1", entity("a", "acme/r1", file, 1, "one"))), "who comes back queues up")
	b.from("a", "acme/r2")

	counts, err := b.Store.Sweep(b.Context(), source, map[string]struct{}{"r3": {}}, time.Time{}, store.Removals{}, catalog.Cause{})
	require.NoError(b, err)
	require.Equal(b, store.Counts{Changed: 1}, counts)
	b.from("a", "acme/r3")
	require.Equal(b, uid, b.get("a").UID)

	require.Equal(b, store.Counts{Removed: 1}, b.apply(update("r3")))
	b.apply(update("r1", entity("a", "acme/r1", file, 1, "one")))
	require.Equal(b, uid, b.get("a").UID, "a ref that comes back is the same entity")
	b.consistent()
}

func conflict(b *bundle) {
	b.apply(update("r1", entity("Shop", "acme/r1", "sub/catalog-info.yaml", 3, "one")), update("r2", inferred("shop", "acme/r2")))
	require.Empty(b, b.problems(), "an inferred claim yields to a declared one")
	b.apply(update("r3", entity("shop", "acme/r3", file, 7, "two")))
	got := b.problems()
	require.Len(b, got, 1)
	require.Equal(b, catalog.CodeConflict, got[0].Code)
	require.Equal(b, catalog.SeverityError, got[0].Severity)
	require.Equal(b, "acme/r3/catalog-info.yaml:7: Component:default/shop is also declared by acme/r1/sub/catalog-info.yaml:3, which was there first and is served instead; rename one of the two, or remove this one", got[0].Error())
	require.Equal(b, source, got[0].Source)
	require.Equal(b, "Component:default/shop", got[0].Entity)

	b.apply(priority(5, update("r4", entity("shop", "acme/r4", file, 1, "three"))))
	got = b.problems()
	require.Len(b, got, 2)
	require.Contains(b, got[0].Message, "acme/r4/catalog-info.yaml:1, which comes from a source of higher priority")

	b.apply(update("r1"), update("r3"))
	require.Empty(b, b.problems(), "mended")

	b.apply(update("r5", inferred("lib", "acme/r5")), update("r6", inferred("lib", "acme/r6")))
	got = b.problems()
	require.Len(b, got, 1)
	require.Equal(b, catalog.SeverityWarning, got[0].Severity)
	require.Equal(b, "acme/r6", got[0].Repository)
	require.Contains(b, got[0].Message, "Component:default/lib is also inferred from acme/r5, which comes first by name")
}

func identity(b *bundle) {
	b.apply(single(update("r1", entity("old", "acme/r1", file, 1, "one"))))
	uid := b.get("old").UID

	// The entity is renamed.
	require.Equal(b, store.Counts{Added: 1, Removed: 1}, b.apply(single(update("r1", entity("new", "acme/r1", file, 1, "one")))))
	require.Equal(b, uid, b.get("new").UID)
	last := b.changes(1)
	require.Equal(b, catalog.OpDelete, last[0].Op, "the old ref goes before the new one comes")
	require.Equal(b, catalog.OpPut, last[1].Op)

	// The repository is renamed: the forge's id is the same.
	u := single(update("r1", entity("new", "acme/renamed", file, 1, "one")))
	u.Repository.Name = "acme/renamed"
	require.Equal(b, store.Counts{Changed: 1}, b.apply(u))
	require.Equal(b, uid, b.get("new").UID)

	// The new name is taken already: its uid stays.
	b.apply(single(update("r2", entity("taken", "acme/r2", file, 1, "two"))))
	taken := b.get("taken").UID
	b.apply(single(update("r1", entity("taken", "acme/renamed", file, 1, "one"))))
	require.Equal(b, taken, b.get("taken").UID)
	b.from("taken", "acme/r2")
	require.Len(b, b.served(), 1)

	// The old name is still claimed by somebody else: its uid stays there.
	b.apply(single(update("r3", entity("taken", "acme/r3", file, 1, "three"))))
	b.apply(single(update("r2", entity("fresh", "acme/r2", file, 1, "two"))))
	require.Equal(b, taken, b.get("taken").UID)
	require.NotEqual(b, taken, b.get("fresh").UID)
	b.consistent()
}

// together: claims of one harvest are of one age, whichever comes in first.
func together(b *bundle) {
	h := begin(b.Context(), b, b.Store)
	b.apply(single(update("r2", entity("shop", "acme/r2", file, 1, "two"))))
	b.from("shop", "acme/r2")
	require.Equal(b, store.Counts{Changed: 1}, b.apply(single(update("r1", entity("shop", "acme/r1", file, 1, "one")))))
	b.from("shop", "acme/r1")
	h.State = store.HarvestSucceeded
	require.NoError(b, b.FinishHarvest(b.Context(), h, nil))

	// One that comes in a later harvest is younger, wherever it stands.
	h = begin(b.Context(), b, b.Store)
	b.apply(single(update("r0", entity("shop", "acme/r0", file, 1, "none"))))
	b.from("shop", "acme/r1")
	h.State = store.HarvestSucceeded
	require.NoError(b, b.FinishHarvest(b.Context(), h, nil))
	b.consistent()
}

func swap(b *bundle) {
	b.apply(single(update("r1", entity("a", "acme/r1", file, 1, "one"))), single(update("r2", entity("b", "acme/r2", file, 1, "two"))))
	a, bb := b.get("a").UID, b.get("b").UID
	require.Equal(b, store.Counts{Changed: 2},
		b.apply(single(update("r1", entity("b", "acme/r1", file, 1, "one"))), single(update("r2", entity("a", "acme/r2", file, 1, "two")))))
	require.Equal(b, a, b.get("a").UID)
	require.Equal(b, bb, b.get("b").UID)
	b.from("a", "acme/r2")

	// A chain, in one repository: a → b, b → c.
	u := func(first, second string) store.RepositoryUpdate {
		u := update("r3", entity(first, "acme/r3", "1.yaml", 1, "1"), entity(second, "acme/r3", "2.yaml", 1, "2"))
		u.Claims[0].Key, u.Claims[1].Key = "1.yaml", "2.yaml"
		return u
	}
	b.apply(u("x", "y"))
	b.apply(u("y", "z"))
	require.Len(b, b.served(), 4)
	b.consistent()
}

// model holds the store to a naive model of it: all claims in a list, sorted
// for each ref.
func model(b *bundle) {
	type claim struct {
		repository, name string
		priority         int
		inferred         bool
		since            int
		text             int
	}
	repos := map[string][]claim{}
	uids := map[string]string{}
	clock := 0
	check := func(t *rapid.T) {
		best := map[string]claim{}
		for _, id := range slices.Sorted(maps.Keys(repos)) {
			for _, c := range repos[id] {
				w, ok := best[c.name]
				switch {
				case !ok, w.inferred && !c.inferred,
					w.inferred == c.inferred && c.priority > w.priority,
					w.inferred == c.inferred && c.priority == w.priority && c.since < w.since:
					best[c.name] = c
				}
			}
		}
		served := b.served()
		if len(served) != len(best) {
			t.Fatalf("%d served, want %d", len(served), len(best))
		}
		next := map[string]string{}
		for name, c := range best {
			e := served["component:default/"+name]
			if e == nil || e.Origin.Repository != c.repository || title(b, e) != fmt.Sprint(c.text) {
				t.Fatalf("%s: got %+v, want %+v", name, e, c)
			}
			if had, ok := uids[name]; ok && had != e.UID {
				t.Fatalf("%s: uid %s became %s", name, had, e.UID)
			}
			next[name] = e.UID
		}
		uids = next
	}
	steps := 0
	rapid.Check(b, func(t *rapid.T) {
		if steps++; steps > 60 {
			return // enough for a database
		}
		// Claims that come together are of one age, and their places decide.
		clock++
		var updates []store.RepositoryUpdate
		for _, id := range rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"r1", "r2", "r3", "r4"}), 1, 3, rapid.ID).Draw(t, "repositories") {
			names := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"a", "b", "c", "d"}), 0, 3, rapid.ID).Draw(t, "names")
			asInferred := len(names) == 1 && rapid.Bool().Draw(t, "inferred")
			p := rapid.IntRange(0, 1).Draw(t, "priority")
			text := rapid.IntRange(0, 1).Draw(t, "text")
			u := update(id)
			var next []claim
			for _, name := range names {
				c := claim{"acme/" + id, name, p, asInferred, clock, text}
				for _, had := range repos[id] {
					if had.name == name {
						c.since = had.since
					}
				}
				line, at := 1, name+".yaml"
				if asInferred {
					line, at = 0, ""
				}
				// Keys that never meet another ref: renaming is not modelled.
				u.Claims = append(u.Claims, store.Claim{Key: name, Priority: p, Entity: entity(name, c.repository, at, line, fmt.Sprint(text))})
				next = append(next, c)
			}
			repos[id] = next
			updates = append(updates, u)
		}
		if _, err := b.Apply(b.Context(), source, updates); err != nil {
			t.Fatal(err)
		}
		check(t)
	})
	b.consistent()
}
