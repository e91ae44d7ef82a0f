package index

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/waypost-dev/waypost/server/catalog"
)

func found(t *testing.T, s *Snapshot, q Search) []string {
	t.Helper()
	if q.Size == 0 {
		q.Size = 50
	}
	f, err := s.Search(q)
	require.NoError(t, err)
	out := []string{}
	for _, h := range f.Hits {
		out = append(out, h.Record.Entity.Ref.Name)
	}
	return out
}

func TestSearchRanks(t *testing.T) {
	t.Parallel()
	s := loaded(
		thing(t, "in-description", map[string]any{"description": "everything about ledger and more words than that"}, nil),
		thing(t, "in-tags", map[string]any{"tags": []any{"ledger"}}, nil),
		thing(t, "in-title", map[string]any{"title": "The ledger"}, nil),
		thing(t, "ledger-export", nil, nil),
		thing(t, "ledger", nil, nil),
		thing(t, "unrelated", nil, nil),
	)
	require.Equal(t, []string{"ledger", "ledger-export", "in-title", "in-tags", "in-description"}, found(t, s, Search{Text: "ledger"}))
	require.Equal(t, found(t, s, Search{Text: "ledger"}), found(t, s, Search{Text: "LEDG"}))
	require.Equal(t, []string{"ledger-export"}, found(t, s, Search{Text: "export ledger"}), "all words, in any order")
	require.Equal(t, []string{"in-tags"}, found(t, s, Search{Text: "ledger", Filter: `"ledger" in entity.metadata.tags`}))
	require.Empty(t, found(t, s, Search{Text: "ledg export"}), "only the last word may be a beginning")
	for _, odd := range []string{"", " ", "-_.", "\x00", strings.Repeat("a ", 400)} {
		found(t, s, Search{Text: odd})
	}
	// A page at a time.
	q, got := Search{Text: "ledger", Size: 2}, []string{}
	for {
		f, err := s.Search(q)
		require.NoError(t, err)
		require.Equal(t, 5, f.Total)
		for _, h := range f.Hits {
			got = append(got, h.Record.Entity.Ref.Name)
		}
		if q.Token = f.Next; q.Token == "" {
			break
		}
	}
	require.Equal(t, found(t, s, Search{Text: "ledger"}), got)
}

func TestSearchFolds(t *testing.T) {
	t.Parallel()
	s := loaded(thing(t, "a", map[string]any{"title": "Crème brûlée"}, nil), thing(t, "b", map[string]any{"title": "Hauptstraße"}, nil),
		thing(t, "c", map[string]any{"title": "paymentGatewayHTTP"}, nil), thing(t, "d", map[string]any{"title": "ΟΔΟΣ"}, nil))
	for text, want := range map[string]string{
		"creme brulee": "a", "CRÈME": "a", "hauptstrasse": "b", "gateway": "c", "payment gateway": "c", "http": "c", "οδος": "d",
	} {
		require.Equal(t, []string{want}, found(t, s, Search{Text: text}), text)
	}
}

// TestHighlights: ranges lie in the text, on the boundaries of characters, and
// cover what was searched for.
func TestHighlights(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("Füllwort ", 100) + "Ledger " + strings.Repeat("noch mehr ", 100)
	s := loaded(thing(t, "ledger", map[string]any{"title": "Ein Ledger für alle", "description": long, "labels": map[string]any{"example.com/x": "ledger"}, "tags": []any{"x", "ledger"}}, nil))
	f, err := s.Search(Search{Text: "ledge", Size: 1})
	require.NoError(t, err)
	fields := map[string]bool{}
	for _, h := range f.Hits[0].Highlights {
		fields[h.Field] = true
		require.LessOrEqual(t, len(h.Text), maxSnippet)
		require.True(t, utf8.ValidString(h.Text))
		require.NotEmpty(t, h.Ranges, h.Field)
		for _, r := range h.Ranges {
			require.Equal(t, "ledge", strings.ToLower(h.Text[r[0]:r[1]]), h.Field)
		}
	}
	require.Equal(t, map[string]bool{"metadata.name": true, "metadata.title": true, "metadata.description": true, `metadata.labels["example.com/x"]`: true, "metadata.tags[1]": true}, fields)

	f, err = loaded(thing(t, "x", nil, map[string]any{"owner": "ledgers", "profile": map[string]any{"displayName": "The Ledger"}})).Search(Search{Text: "ledge"})
	require.NoError(t, err)
	require.Equal(t, []Highlight{
		{"spec.owner", "ledgers", [][2]int{{0, 5}}},
		{"spec.profile.displayName", "The Ledger", [][2]int{{4, 9}}},
	}, f.Hits[0].Highlights)
}

// TestBadFilters: what is wrong, and where.
func TestBadFilters(t *testing.T) {
	t.Parallel()
	s := loaded(thing(t, "a", nil, nil))
	for filter, offset := range map[string]int{
		"entity.kind ==":               14,
		"entity.kind == \"x\" && nope": 22,
		"entity.kind":                  -1,
		"1":                            -1,
		"ref":                          -1,
		"(":                            1,
	} {
		_, err := s.List(Query{Filter: filter, Size: 1})
		var bad *QueryError
		if filter == "entity.kind" {
			// Dynamic: it is an error for each entity, and selects none.
			require.NoError(t, err)
			continue
		}
		require.ErrorAs(t, err, &bad, filter)
		require.Equal(t, "filter", bad.Field)
		require.NotEmpty(t, bad.Reason)
		if offset >= 0 {
			require.Equal(t, offset, bad.Offset, filter)
		}
	}
	for _, filter := range []string{strings.Repeat("!", 9000) + "true", strings.Repeat("(", 3000) + "true" + strings.Repeat(")", 3000), "true" + strings.Repeat(" && true", 3000)} {
		_, err := s.List(Query{Filter: filter, Size: 1})
		var bad *QueryError
		require.ErrorAs(t, err, &bad, filter[:20])
	}
}

// FuzzFilter: no text makes a filter panic, and errors lie within it.
func FuzzFilter(f *testing.F) {
	for _, seed := range []string{"", "true", `entity.kind == "Thing"`, `!has(entity.spec.type) || "a" in relations.ownedBy`, `ref.startsWith("t")`, "entity.spec.v < 3 ? true : false", "[1].exists(x, x == entity.spec.v)", "((", "'", "\xff"} {
		f.Add(seed)
	}
	s := loaded(thing(f, "a", nil, map[string]any{"v": 1, "type": "x"}), thing(f, "b", nil, nil))
	f.Fuzz(func(t *testing.T, filter string) {
		p, err := s.List(Query{Filter: filter, Size: 5})
		var bad *QueryError
		switch {
		case errors.As(err, &bad):
			require.GreaterOrEqual(t, bad.Offset, 0)
			require.LessOrEqual(t, bad.Offset, len(filter)+1)
		case err != nil:
			t.Fatalf("an error that says not where: %v", err)
		default:
			require.LessOrEqual(t, p.Total, 2)
		}
	})
}

// TestApplyOldNews: changes that are known already do nothing.
func TestApplyOldNews(t *testing.T) {
	t.Parallel()
	x := New()
	old, now := thing(t, "a", map[string]any{"title": "old"}, nil), thing(t, "a", map[string]any{"title": "new"}, nil)
	x.Apply([]catalog.Change{{Revision: 3, Op: catalog.OpPut, Entity: old}, {Revision: 7, Op: catalog.OpPut, Entity: now}})
	x.Apply([]catalog.Change{{Revision: 3, Op: catalog.OpPut, Entity: old}, {Revision: 6, Op: catalog.OpDelete, Entity: old}})
	x.Apply(nil)
	r, ok := x.Snapshot().Get(now.Ref)
	require.True(t, ok)
	require.Equal(t, now, r.Entity)
	require.Equal(t, catalog.Revision(7), x.Snapshot().Revision())
	x.Apply([]catalog.Change{{Revision: 8, Op: catalog.OpDelete, Entity: thing(t, "never", nil, nil)}})
	require.Equal(t, 1, x.Snapshot().Len())

	require.NoError(t, x.Wait(t.Context(), 8))
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, x.Wait(ctx, 9), context.DeadlineExceeded)
	go x.Apply([]catalog.Change{{Revision: 9, Op: catalog.OpPut, Entity: old}})
	require.NoError(t, x.Wait(t.Context(), 9))
}

// TestViews: a rendered form is kept until something changes that is seen in it.
func TestViews(t *testing.T) {
	t.Parallel()
	const key ViewKey = 1
	x := New()
	rev := catalog.Revision(0)
	apply := func(op catalog.Op, e *catalog.Entity) {
		rev++
		x.Apply([]catalog.Change{{Revision: rev, Op: op, Entity: e}})
	}
	needs := func(name string, on ...any) *catalog.Entity {
		return thing(t, name, nil, map[string]any{"dependsOn": on})
	}
	a, b := needs("a", "thing:b"), thing(t, "b", nil, nil)
	apply(catalog.OpPut, a)
	made := 0
	rendered := func(of *catalog.Entity) bool {
		before := made
		r, ok := x.Snapshot().Get(of.Ref)
		require.True(t, ok)
		r.View(key, func() []byte { made++; return []byte("x") })
		return made > before
	}
	require.True(t, rendered(a))
	require.False(t, rendered(a))
	apply(catalog.OpPut, thing(t, "other", nil, nil))
	require.False(t, rendered(a), "somebody else")
	apply(catalog.OpPut, b)
	require.True(t, rendered(a), "its target exists now")
	require.True(t, rendered(b))
	apply(catalog.OpPut, needs("c", "thing:b"))
	require.True(t, rendered(b), "a relation to it")
	require.False(t, rendered(a))
	apply(catalog.OpDelete, b)
	require.True(t, rendered(a), "its target is gone")
	apply(catalog.OpPut, needs("a"))
	require.True(t, rendered(a), "it changed itself")
}

// TestDangling: where the reference stands, and for how long it is told.
func TestDangling(t *testing.T) {
	t.Parallel()
	x := New()
	e := thing(t, "a", nil, map[string]any{"owner": "ghosts"})
	e.Relations[0].Line, e.Relations[0].Column = 7, 10
	e.Origin = catalog.Origin{Source: "s", Repository: "acme/a", Path: "c.yaml"}
	x.Load([]*catalog.Entity{e}, 1)
	got := x.Snapshot().Dangling()
	require.Len(t, got, 1)
	require.Equal(t, "acme/a/c.yaml:7:10: spec.owner names group:default/ghosts, which does not exist; write the name of an entity that exists, or add a catalog file that declares group:default/ghosts", got[0].Error())
	owner, _ := catalog.NewEntity("backstage.io/v1alpha1", "Group", map[string]any{"name": "Ghosts"}, map[string]any{"type": "team", "children": []any{}}, catalog.Origin{})
	x.Apply([]catalog.Change{{Revision: 2, Op: catalog.OpPut, Entity: owner}})
	require.Empty(t, x.Snapshot().Dangling())
	x.Apply([]catalog.Change{{Revision: 3, Op: catalog.OpDelete, Entity: owner}})
	require.Len(t, x.Snapshot().Dangling(), 1)
}
