package feed

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/index"
	"github.com/waypost-dev/waypost/server/store"
	"github.com/waypost-dev/waypost/server/store/pgtest"
)

// world is a store, an index that follows it, and a hub.
type world struct {
	t    require.TestingT
	st   *store.Store
	x    *index.Index
	hub  *Hub
	seen catalog.Revision
}

func newWorld(t testing.TB, dsn string) *world {
	st, err := store.Open(t.Context(), dsn, store.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, st.Close()) })
	return &world{t: t, st: st, x: index.New(), hub: New(st)}
}

var databases = map[string]func(testing.TB) string{"sqlite": sqlite, "postgres": pgtest.URL}

func sqlite(t testing.TB) string { return "sqlite:" + filepath.Join(t.TempDir(), "w.db") }

// entity is a component of a team in a state.
func entity(name, owner, lifecycle string) *catalog.Entity {
	e := &catalog.Entity{
		Ref: catalog.Ref{Kind: "Component", Namespace: "default", Name: name},
		Document: fmt.Appendf(nil, `{"apiVersion":"backstage.io/v1alpha1","kind":"Component","metadata":{"name":%q},"spec":{"lifecycle":%q,"owner":%q}}`,
			name, lifecycle, owner),
		Origin: catalog.Origin{Source: "test:one", Repository: "acme/one", Path: "catalog-info.yaml", Line: 1},
	}
	if owner != "" {
		e.Relations = []catalog.Relation{{Type: catalog.OwnedBy, Target: catalog.Ref{Kind: "group", Namespace: "default", Name: owner}, Field: "spec.owner"}}
	}
	return e
}

// write makes a repository hold these entities and no others.
func (w *world) write(repository string, entities ...*catalog.Entity) {
	u := store.RepositoryUpdate{Repository: store.Repository{ID: repository, Name: "acme/" + repository, State: "1", Facts: []byte("{}")}}
	for _, e := range entities {
		u.Claims = append(u.Claims, store.Claim{Key: e.Ref.Name, Entity: e})
	}
	_, err := w.st.Apply(context.Background(), "test:one", []store.RepositoryUpdate{u})
	require.NoError(w.t, err)
}

// follow brings what was written to the index and the hub, at most many changes.
func (w *world) follow(many int) {
	changes, err := w.st.Changes(context.Background(), w.seen, many)
	require.NoError(w.t, err)
	if len(changes) == 0 {
		return
	}
	was := w.x.Snapshot()
	w.x.Apply(changes)
	w.hub.Publish(was, changes)
	w.seen = changes[len(changes)-1].Revision
}

// take is everything that a watch has to say for now.
func take(t require.TestingT, w *Watch) []Event {
	var out []Event
	for range 100_000 {
		before := w.At()
		events, wait, err := w.Next(context.Background())
		require.NoError(t, err)
		out = append(out, events...)
		if wait != nil {
			return out
		}
		require.Greater(t, w.At(), before, "it goes on")
	}
	require.Fail(t, "it never ends")
	return nil
}

// replica is what somebody holds who applies events to a selection.
type replica struct {
	t    require.TestingT
	held map[string]catalog.Revision
	last catalog.Revision
}

func (r *replica) apply(events []Event) {
	for _, e := range events {
		c := e.Change
		require.Greater(r.t, c.Revision, r.last, "in order, and none twice")
		r.last = c.Revision
		key := c.Entity.Ref.Key()
		_, holds := r.held[key]
		switch e.Type {
		case Added:
			require.False(r.t, holds, "added once: %s at %d", key, c.Revision)
			r.held[key] = c.Revision
		case Changed:
			require.True(r.t, holds, "changed after it was added: %s at %d", key, c.Revision)
			r.held[key] = c.Revision
		case Removed:
			require.True(r.t, holds, "removed after it was added: %s at %d", key, c.Revision)
			delete(r.held, key)
		default:
			require.Fail(r.t, "no type")
		}
	}
}

// selected is what the index selects.
func (w *world) selected(filter string) map[string]catalog.Revision {
	out := map[string]catalog.Revision{}
	q := index.Query{Filter: filter, Size: index.MaxPage}
	for {
		page, err := w.x.Snapshot().List(q)
		require.NoError(w.t, err)
		for _, r := range page.Records {
			out[r.Entity.Ref.Key()] = r.Entity.Revision
		}
		if q.Token = page.Next; q.Token == "" {
			return out
		}
	}
}

var filters = []string{
	"", `entity.spec.lifecycle == "production"`, `!(entity.spec.lifecycle == "production")`, `entity.spec.owner.startsWith("a")`,
	`"group:default/a" in relations.ownedBy`, `has(relations.ownedBy) && relations["ownedBy"].exists(x, x.endsWith("/b"))`,
	`ref == "component:default/c-1"`, `entity.metadata.name.size() > 3 || entity.spec.owner == "b"`, `false`, `entity.nothing.there == 1`,
}

// TestReplay writes, follows and watches at random, and holds what each watch
// has gathered, over all its reconnections, against the index.
func TestReplay(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	n := 0
	rapid.Check(t, func(t *rapid.T) {
		n++
		st, err := store.Open(context.Background(), fmt.Sprintf("sqlite:%s/%d.db", dir, n), store.Options{})
		require.NoError(t, err)
		defer st.Close()
		w := &world{t: t, st: st, x: index.New(), hub: New(st)}
		type watcher struct {
			*Watch
			filter string
			has    replica
		}
		var all []*watcher
		t.Repeat(map[string]func(*rapid.T){
			"write": func(t *rapid.T) {
				// Two repositories claim the same names, so that one takes over from
				// the other.
				var entities []*catalog.Entity
				for i := range 4 {
					if rapid.Bool().Draw(t, "there") {
						entities = append(entities, entity(fmt.Sprintf("c-%d", i),
							rapid.SampledFrom([]string{"a", "b", "ab", ""}).Draw(t, "owner"),
							rapid.SampledFrom([]string{"production", "experimental"}).Draw(t, "lifecycle")))
					}
				}
				w.write(rapid.SampledFrom([]string{"one", "two"}).Draw(t, "repository"), entities...)
			},
			"follow": func(t *rapid.T) { w.follow(rapid.SampledFrom([]int{1, 3, 1000}).Draw(t, "many")) },
			"forget": func(*rapid.T) { w.hub.Reset(w.seen) }, // as a process that starts anew
			"watch": func(t *rapid.T) {
				x := &watcher{filter: rapid.SampledFrom(filters).Draw(t, "filter")}
				x.has = replica{t, map[string]catalog.Revision{}, 0}
				from := catalog.Revision(0)
				if rapid.Bool().Draw(t, "list first") {
					for key, revision := range w.selected(x.filter) {
						x.has.held[key] = revision
					}
					from = w.x.Snapshot().Revision()
					x.has.last = from
				}
				x.Watch, err = w.hub.Watch(x.filter, from)
				require.NoError(t, err)
				all = append(all, x)
			},
			"next": func(t *rapid.T) {
				if len(all) > 0 {
					x := rapid.SampledFrom(all).Draw(t, "watcher")
					events, _, err := x.Next(context.Background())
					require.NoError(t, err)
					x.has.apply(events)
				}
			},
			"reconnect": func(t *rapid.T) {
				if len(all) == 0 {
					return
				}
				x := rapid.SampledFrom(all).Draw(t, "watcher")
				// Some of what comes next arrives before the line is cut.
				at := x.At()
				events, _, err := x.Next(context.Background())
				require.NoError(t, err)
				if len(events) > 0 {
					arrived := events[:rapid.IntRange(0, len(events)).Draw(t, "arrived")]
					x.has.apply(arrived)
					if len(arrived) > 0 {
						at = arrived[len(arrived)-1].Change.Revision
					}
				}
				x.Close()
				x.Watch, err = w.hub.Watch(x.filter, at)
				require.NoError(t, err)
			},
		})
		w.follow(100_000)
		for _, x := range all {
			x.has.apply(take(t, x.Watch))
			require.Equal(t, w.selected(x.filter), x.has.held, x.filter)
			x.Close()
		}
		require.Zero(t, w.hub.Watches())
		// The store tells the same story as the ring did.
		for _, filter := range filters {
			tell := func(h *Hub) (out []string) {
				again, err := h.Watch(filter, 0)
				require.NoError(t, err)
				for _, e := range take(t, again) {
					out = append(out, fmt.Sprint(e.Change.Revision, e.Type, e.Change.Entity.Ref, e.Change.Entity.Revision, string(e.Change.Entity.Document)))
				}
				return out
			}
			fresh := New(st)
			fresh.Reset(w.seen)
			require.Equal(t, tell(fresh), tell(w.hub), filter)
		}
	})
}

func TestFilters(t *testing.T) {
	t.Parallel()
	h := New(nil)
	for _, filter := range filters {
		_, err := h.Watch(filter, 0)
		require.NoError(t, err, filter)
	}
	for filter, says := range map[string]string{
		`entity.kind ==`:           "",
		`"x" in relations.ownerOf`: "relations.ownerOf cannot be watched", `relations.size() > 0`: "without the name of one",
		`relations[entity.kind] == []`: "without the name of one", `has(relations.hasPart)`: "relations.hasPart cannot be watched",
		`["ownedBy"].exists(k, k in relations)`:                 "without the name of one",
		`"x" in relations.ownedBy || "x" in relations.memberOf`: "relations.memberOf cannot be watched",
		strings.Repeat("x", 9000):                               "8192",
	} {
		_, err := h.Watch(filter, 0)
		var bad *index.QueryError
		require.ErrorAs(t, err, &bad, filter)
		require.Equal(t, "filter", bad.Field)
		require.Contains(t, err.Error(), says)
	}
}

// TestRing fills the ring beyond its bounds: who is within it and who is not
// hear the same.
func TestRing(t *testing.T) {
	t.Parallel()
	for name, dsn := range databases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, dsn(t))
			slow, err := w.hub.Watch(`entity.spec.owner == "a"`, 0)
			require.NoError(t, err)
			fast, err := w.hub.Watch(`entity.spec.owner == "a"`, 0)
			require.NoError(t, err)
			var heard []Event
			const rounds = 6
			for i := range rounds {
				var entities []*catalog.Entity
				for k := range 500 {
					entities = append(entities, entity(fmt.Sprintf("c-%d", k), []string{"a", "b"}[(i+k)%2], fmt.Sprint(i)))
				}
				w.write("one", entities...)
				w.follow(100_000)
				heard = append(heard, take(t, fast)...)
			}
			require.LessOrEqual(t, w.hub.size, maxRingChanges)
			require.Greater(t, w.hub.from, catalog.Revision(0))
			for at := w.hub.from - 2; at <= w.hub.from+2; at++ {
				edge, err := w.hub.Watch("", at)
				require.NoError(t, err)
				events, _, err := edge.Next(t.Context())
				require.NoError(t, err)
				require.Equal(t, at+1, events[0].Change.Revision, "at the edge of the ring")
			}
			w.remembers(t)
			late := take(t, slow)
			require.Len(t, heard, 250+(rounds-1)*500)
			require.Len(t, late, len(heard))
			for i, e := range heard {
				require.Equal(t, e.Change.Revision, late[i].Change.Revision)
				require.Equal(t, e.Type, late[i].Type)
				require.Equal(t, e.Change.Entity, late[i].Change.Entity)
				require.Equal(t, e.Change.Before, late[i].Change.Before)
			}
		})
	}
}

// remembers holds Before against the store.
func (w *world) remembers(t *testing.T) {
	kept := 0
	for _, changes := range w.hub.of {
		kept += len(changes)
	}
	require.Equal(t, w.hub.size, kept)
	found := 0
	for at := w.hub.from - 1; at <= w.hub.to; at += 97 {
		for k := 0; k < 500; k += 23 {
			ref := entity(fmt.Sprintf("c-%d", k), "", "").Ref
			before, ok := w.hub.Before(ref.Key(), at, w.hub.to)
			r, _ := w.x.Snapshot().Get(ref)
			require.Equal(t, at >= w.hub.from && r.Entity.Revision > at, ok, "%s at %d of %d to %d", ref, at, w.hub.from, w.hub.to)
			if !ok {
				continue
			}
			found++
			was, _, err := w.st.At(t.Context(), ref, at)
			require.NoError(t, err)
			require.Equal(t, was, before)
		}
	}
	require.Greater(t, found, 100)
	_, ok := w.hub.Before("component:default/c-1", w.hub.to-1, w.hub.to+1)
	require.False(t, ok, "what has happened since is not known")
}

// TestTooOld has the retention policy give up changes.
func TestTooOld(t *testing.T) {
	t.Parallel()
	for name, dsn := range databases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, dsn(t))
			for i := range 9 {
				w.write("one", entity("a", "a", fmt.Sprint(i)), entity("b", "b", "same"))
			}
			w.follow(1000) // 10 changes
			page, err := w.st.Changes(t.Context(), 4, 100)
			require.NoError(t, err)
			time.Sleep(5 * time.Millisecond)
			pruned, err := w.st.Prune(t.Context(), store.Policy{KeepFor: time.Millisecond})
			require.NoError(t, err)
			require.EqualValues(t, 10, pruned.From)
			require.Positive(t, pruned.Revisions)
			_, err = w.st.Before(t.Context(), page)
			require.ErrorIs(t, err, store.ErrTooOld, "given up between the two readings")

			// The ring still has them.
			watch, err := w.hub.Watch("", 7)
			require.NoError(t, err)
			require.Len(t, take(t, watch), 3)
			// A process that starts anew does not.
			fresh := New(w.st)
			fresh.Reset(w.seen)
			for _, after := range []catalog.Revision{0, 1, 7, 9} {
				watch, err := fresh.Watch("", after)
				require.NoError(t, err)
				_, _, err = watch.Next(t.Context())
				require.ErrorIs(t, err, store.ErrTooOld)
			}
			// What came after them is complete, with what it found.
			w.write("one", entity("a", "a", "new"))
			w.follow(1000)
			fresh = New(w.st)
			fresh.Reset(w.seen)
			watch, err = fresh.Watch("", 10)
			require.NoError(t, err)
			var types []Type
			for _, e := range take(t, watch) {
				types = append(types, e.Type)
			}
			require.ElementsMatch(t, []Type{Changed, Removed}, types)
		})
	}
}

// TestGap holds a hub that was told of more than the store has against silence.
func TestGap(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sqlite(t))
	w.hub.Reset(50)
	watch, err := w.hub.Watch("", 7)
	require.NoError(t, err)
	_, _, err = watch.Next(t.Context())
	require.ErrorIs(t, err, store.ErrTooOld)
}

func TestCloseEndsWatches(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sqlite(t))
	watch, err := w.hub.Watch("", 0)
	require.NoError(t, err)
	_, wait, err := watch.Next(t.Context())
	require.NoError(t, err)
	w.hub.Close()
	select {
	case <-wait:
	case <-time.After(5 * time.Second):
		t.Fatal("nobody was woken")
	}
	_, _, err = watch.Next(t.Context())
	require.ErrorIs(t, err, ErrClosed)
	_, err = w.hub.Watch("", 0)
	require.ErrorIs(t, err, ErrClosed)
	w.hub.Close()
}

// TestManyAtOnce has watches of all paces take part while the catalog changes.
func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sqlite(t))
	const rounds, each = 60, 20
	const end = rounds * each
	var done sync.WaitGroup
	for i := range 40 {
		filter := filters[i%len(filters)]
		done.Go(func() {
			watch, err := w.hub.Watch(filter, 0)
			if err != nil {
				t.Error(err)
				return
			}
			defer watch.Close()
			has := replica{t, map[string]catalog.Revision{}, 0}
			for deadline := time.Now().Add(time.Minute); watch.At() < end; {
				events, wait, err := watch.Next(t.Context())
				if err != nil || time.Now().After(deadline) {
					t.Error("at", watch.At(), err)
					return
				}
				has.apply(events)
				if i%4 == 0 {
					time.Sleep(time.Millisecond)
				}
				if wait != nil {
					select {
					case <-wait:
					case <-time.After(time.Minute):
					}
				}
			}
			if want := w.selected(filter); len(want) != len(has.held) {
				t.Errorf("%s: %d held, %d selected", filter, len(has.held), len(want))
			}
		})
	}
	for i := range rounds {
		var entities []*catalog.Entity
		for k := range each {
			entities = append(entities, entity(fmt.Sprintf("c-%d", k), []string{"a", "b", "ab"}[(i+k)%3], fmt.Sprint("x", i)))
		}
		w.write("one", entities...)
		w.follow(100_000)
	}
	done.Wait()
}

// TestParts: who wants the same part of a change shares it; what is kept is
// bounded.
func TestParts(t *testing.T) {
	t.Parallel()
	c := &Change{}
	made := 0
	part := func(of, text string) string {
		return string(c.Part(0, of, func() []byte { made++; return []byte(text) }))
	}
	for range 3 {
		require.Equal(t, "x", part("a", "x"))
	}
	require.Equal(t, 1, made)
	require.Equal(t, "y", string(c.Part(1, "a", func() []byte { return []byte("y") })))
	for range 2 {
		part("large", strings.Repeat("x", maxPartSize+1))
	}
	require.Equal(t, 3, made)
	for i := range 2 * maxParts {
		require.Equal(t, fmt.Sprint(i), part(fmt.Sprint("p", i), fmt.Sprint(i)))
	}
	require.Len(t, c.parts, maxParts)
	require.Equal(t, "x", part("a", "another"))
}
