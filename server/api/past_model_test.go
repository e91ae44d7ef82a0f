package api

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/timestamppb"

	catalogv1 "github.com/waypost-dev/waypost/proto/waypost/catalog/v1"
	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/feed"
	"github.com/waypost-dev/waypost/server/index"
	"github.com/waypost-dev/waypost/server/store"
)

// history is a random one, with what was served at some of its revisions.
type history struct {
	*fixture
	*rand.Rand
	feed *feed.Hub
	was  map[catalog.Revision]*index.Snapshot
}

var historyNames = []string{"a", "b", "c", "d", "e", "f"}

func historyRef(name string) catalog.Ref {
	return catalog.Ref{Kind: "Component", Namespace: "default", Name: name}
}

// step changes something: entities come, change, go, come back, take each
// other's names, are claimed twice, and plugins speak of them.
func (h *history) step(t *testing.T) {
	if entities := slices.Collect(h.index.Snapshot().Each); h.IntN(3) == 0 && len(entities) > 0 {
		e := entities[h.IntN(len(entities))].Entity
		said := store.Enrichment{UID: e.UID, Ref: e.Ref, Asked: time.Now()}
		if h.IntN(3) > 0 {
			said.Facts = []catalog.Fact{{Key: "test.tier", Value: json.RawMessage(fmt.Sprint(h.IntN(3)))}}
		}
		if h.IntN(6) == 0 {
			said.Relations = []catalog.Relation{{Type: catalog.DependsOn, Target: historyRef(historyNames[h.IntN(6)]).Lower()}}
		}
		_, err := h.store.PutEnrichments(t.Context(), "test", []store.Enrichment{said})
		require.NoError(t, err)
		return
	}
	id := fmt.Sprint("r", h.IntN(3))
	u := store.RepositoryUpdate{Repository: store.Repository{ID: id, Name: "acme/" + id, State: "1", Facts: []byte("{}")}}
	for key, n := range h.Perm(len(historyNames))[:h.IntN(4)] {
		var relations []catalog.Relation
		for range h.IntN(4) {
			relations = append(relations, catalog.Relation{
				Type: []string{catalog.DependsOn, catalog.OwnedBy}[h.IntN(2)], Target: historyRef(historyNames[h.IntN(6)]).Lower(), Field: "spec.dependsOn",
			})
		}
		e := document(t, map[string]any{"kind": "Component", "metadata": map[string]any{"name": historyNames[n], "title": fmt.Sprint(h.IntN(3))}, "spec": map[string]any{}}, relations...)
		e.Origin = catalog.Origin{Source: "dir:/srv/git", Repository: "acme/" + id, Path: "catalog-info.yaml", Line: 1, Commit: "c1"}
		u.Claims = append(u.Claims, store.Claim{Key: fmt.Sprint(key), Priority: h.IntN(2), Entity: e})
	}
	_, err := h.store.Apply(t.Context(), "dir:/srv/git", []store.RepositoryUpdate{u})
	require.NoError(t, err)
}

// follow brings the index up to the store, and notes what is served.
func (h *history) follow(t *testing.T) {
	changes, err := h.store.Changes(t.Context(), h.index.Snapshot().Revision(), 1_000_000)
	require.NoError(t, err)
	was := h.index.Snapshot()
	h.index.Apply(changes)
	if h.IntN(20) == 0 { // as if it had begun only now
		h.feed.Reset(h.index.Snapshot().Revision())
	} else {
		h.feed.Publish(was, changes)
	}
	h.was[h.index.Snapshot().Revision()] = h.index.Snapshot()
}

// TestAsOfAgainstTheStore: what is told of the past from memory is, byte by byte,
// what the database tells, and what was served then.
func TestAsOfAgainstTheStore(t *testing.T) {
	t.Parallel()
	for seed := range uint64(5) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			h := &history{fixture: newFixture(t, nil), Rand: rand.New(rand.NewPCG(seed, 0)), was: map[catalog.Revision]*index.Snapshot{}}
			h.feed = feed.New(h.store)
			fast := newPast(Options{Index: h.index, Store: h.store, Feed: h.feed})
			if seed%2 == 1 {
				fast.recent.most = 20 // forgets the oldest
			}
			// Knowing nothing of now, it asks the store for everything.
			slow := newPast(Options{Index: index.New(), Store: h.store})
			for range 6 {
				for range 8 {
					h.step(t)
					if h.IntN(3) > 0 {
						h.follow(t)
					}
					if h.IntN(3) == 0 {
						require.NoError(t, fast.recent.read(t.Context(), h.index.Snapshot().Revision()))
					}
				}
				h.compare(t, fast, slow)
				require.NoError(t, fast.recent.read(t.Context(), h.index.Snapshot().Revision()))
				h.compare(t, fast, slow)
				if h.IntN(3) == 0 {
					h.follow(t) // what is given up is not told any more
					_, err := h.store.Prune(t.Context(), store.Policy{KeepFor: 20 * time.Millisecond})
					require.NoError(t, err)
				}
			}
		})
	}
}

func (h *history) compare(t *testing.T, fast, slow *past) {
	last, err := h.store.Latest(t.Context())
	require.NoError(t, err)
	oldest, _, err := h.store.Oldest(t.Context())
	require.NoError(t, err)
	for at := oldest; at <= last; at++ {
		for _, name := range historyNames {
			got, failed := fast.entity(t.Context(), historyRef(name), at)
			want, wrong := slow.entity(t.Context(), historyRef(name), at)
			about := fmt.Sprintf("%s at revision %d of %d, the index at %d", name, at, last, h.index.Snapshot().Revision())
			require.Equal(t, status.Convert(wrong).Message(), status.Convert(failed).Message(), about)
			h.served(t, at, name, failed, got, about)
			if failed != nil {
				require.Equal(t, codes.NotFound, status.Code(failed), about)
				continue
			}
			require.Equal(t, inJSON(t, want), inJSON(t, got), about)
			require.Empty(t, cmp.Diff(inWire(t, want), inWire(t, got), protocmp.Transform()), about)
			require.Empty(t, cmp.Diff(want.form(context.WithValue(t.Context(), formKey{}, (*rest)(nil)), nil), inWire(t, got), protocmp.Transform()), about)
		}
	}
	changes, err := h.store.Changes(t.Context(), oldest, 1_000_000)
	require.NoError(t, err)
	time.Sleep(time.Millisecond) // no time below lies in the future
	for _, c := range changes {
		for _, off := range []time.Duration{-time.Microsecond, 0, time.Microsecond, 300 * time.Microsecond} {
			when := timestamppb.New(c.Time.Add(off))
			want, wrong := slow.revision(t.Context(), 0, when)
			got, failed := fast.revision(t.Context(), 0, when)
			require.Equal(t, status.Convert(wrong).Message(), status.Convert(failed).Message(), "%s from revision %d", off, c.Revision)
			require.Equal(t, want, got, "%s from revision %d", off, c.Revision)
		}
	}
}

// served compares with what was served, if that was noted: without what plugins
// said, and with its own relations only.
func (h *history) served(t *testing.T, at catalog.Revision, name string, failed error, got *pastEntity, about string) {
	was := h.was[at]
	if was == nil {
		return
	}
	r, ok := was.Get(historyRef(name))
	require.Equal(t, ok, failed == nil, about)
	if !ok {
		return
	}
	want := &pastEntity{Entity: &catalog.Entity{}}
	*want.Entity = *r.Entity
	want.Facts, want.Relations = nil, nil
	for _, x := range r.Entity.Relations {
		if x.Field != "" {
			want.Relations = append(want.Relations, x)
			_, there := was.Get(x.Target)
			if rel := (index.Relation{Type: x.Type, Target: x.Target, Exists: there}); !slices.Contains(want.relations, rel) {
				want.relations = append(want.relations, rel)
			}
		}
	}
	slices.SortFunc(want.relations, func(a, b index.Relation) int {
		return slices.Compare([]string{a.Type, a.Target.Name}, []string{b.Type, b.Target.Name})
	})
	require.Equal(t, inJSON(t, want), inJSON(t, got), about)
}

func inJSON(t *testing.T, e *pastEntity) string {
	t.Helper()
	b, err := newMarshaler().Marshal(e.form(context.WithValue(t.Context(), formKey{}, &rest{}), nil))
	require.NoError(t, err)
	return string(b)
}

func inWire(t *testing.T, e *pastEntity) *catalogv1.Entity {
	t.Helper()
	b, err := proto.Marshal(e.form(t.Context(), nil))
	require.NoError(t, err)
	out := &catalogv1.Entity{}
	require.NoError(t, proto.Unmarshal(b, out))
	return out
}

// TestAsOfAsksOnlyForWhatChanged: of an entity that is as it was, the database is
// not asked at all, whatever became of the targets of its relations since, nor
// when a revision was, nor of what was not there.
func TestAsOfAsksOnlyForWhatChanged(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	f.remember(t, declares(t, "r1", "shop", "One", ""))
	removed := f.remember(t, declares(t, "r2", "pay", "One", "team"))
	f.remember(t, declares(t, "r2", "pay", "One", ""))
	f.remember(t, declares(t, "r3", "pear", "One", ""))
	f.remember(t, declares(t, "r3", "pear", "Two", ""))
	p := newPast(Options{Index: f.index, Store: f.store})
	require.NoError(t, p.kept(t.Context(), 1))
	require.NoError(t, p.recent.read(t.Context(), f.index.Snapshot().Revision()))
	pear, ok := f.index.Snapshot().Get(historyRef("pear"))
	require.True(t, ok)
	require.NoError(t, f.store.Close())

	at, err := p.revision(t.Context(), 0, timestamppb.New(pear.Entity.Changed.Add(-time.Microsecond)))
	require.NoError(t, err)
	require.Equal(t, pear.Entity.Revision-1, at)
	for at, there := range map[int64]bool{removed: true, removed + 1: false} {
		e, err := p.entity(t.Context(), historyRef("shop"), catalog.Revision(at))
		require.NoError(t, err)
		require.Equal(t, []index.Relation{{Type: catalog.OwnedBy, Target: group("team"), Exists: there}}, e.relations)
	}
	for _, name := range []string{"pear", "nobody"} {
		_, err = p.entity(t.Context(), historyRef(name), catalog.Revision(removed))
		require.Equal(t, codes.NotFound, status.Code(err), "%v", err)
	}
	_, err = p.entity(t.Context(), historyRef("pear"), pear.Entity.Revision-1)
	require.ErrorContains(t, err, "closed", "another form of it is in the database")
}
