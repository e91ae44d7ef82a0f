package index

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/waypost-dev/waypost/server/catalog"
)

func thing(t require.TestingT, name string, metadata, spec map[string]any) *catalog.Entity {
	if metadata == nil {
		metadata = map[string]any{}
	}
	metadata["name"] = name
	e, found := catalog.NewEntity("example.com/v1", "Thing", metadata, spec, catalog.Origin{Source: "test"})
	require.NotNil(t, e, "%v", found)
	return e
}

func loaded(es ...*catalog.Entity) *Snapshot {
	x := New()
	x.Load(es, 1)
	return x.Snapshot()
}

func names(p Page) []string {
	out := []string{}
	for _, r := range p.Records {
		out = append(out, r.Entity.Ref.Name)
	}
	return out
}

// TestOrder: strings without regard to case and then with it, numbers by size,
// truth values first, what is missing last in both directions, ties by ref.
func TestOrder(t *testing.T) {
	t.Parallel()
	of := func(name string, v any) *catalog.Entity {
		return thing(t, name, nil, map[string]any{"v": v, "w": "same"})
	}
	s := loaded(of("a", "beta"), of("b", "Alpha"), of("c", "alpha"), of("d", 10), of("e", 9.5), of("f", true), of("g", false),
		of("h", nil), of("i", []any{"x"}), thing(t, "j", nil, map[string]any{}), of("k", "beta"))
	for order, want := range map[string]string{
		"":                           "a b c d e f g h i j k",
		"spec.v":                     "g f e d b c a k h i j",
		"spec.v desc":                "a k c b d e f g h i j",
		"spec.w, spec.v":             "g f e d b c a k h i j",
		"spec.w desc,spec.v":         "g f e d b c a k h i j",
		"metadata.name desc":         "k j i h g f e d c b a",
		"spec.v, metadata.name desc": "g f e d b c k a j i h",
	} {
		p, err := s.List(Query{OrderBy: order, Size: 50})
		require.NoError(t, err)
		require.Equal(t, want, strings.Join(names(p), " "), order)
		// The same a page of two at a time.
		got, token := []string{}, ""
		for {
			p, err := s.List(Query{OrderBy: order, Size: 2, Token: token})
			require.NoError(t, err)
			require.Equal(t, 11, p.Total)
			got = append(got, names(p)...)
			if token = p.Next; token == "" {
				break
			}
		}
		require.Equal(t, want, strings.Join(got, " "), order)
	}
	for _, order := range []string{"spec.v up", "spec..v", ",", "spec.v desc desc", strings.Repeat("a,", 100) + "a"} {
		_, err := s.List(Query{OrderBy: order, Size: 2})
		var bad *QueryError
		require.ErrorAs(t, err, &bad, order)
		require.Equal(t, "order_by", bad.Field)
	}
}

// TestPagesWhileTheCatalogChanges: what exists throughout and keeps its place in
// the order is seen exactly once, whatever comes and goes between two pages.
func TestPagesWhileTheCatalogChanges(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		x := New()
		rev := catalog.Revision(0)
		put := func(n, v int) {
			rev++
			e := thing(t, fmt.Sprintf("n%02d", n), nil, map[string]any{"v": v, "keep": n < 20})
			e.Revision = rev
			x.Apply([]catalog.Change{{Revision: rev, Op: catalog.OpPut, Entity: e}})
		}
		for n := range 20 {
			put(n, rapid.IntRange(0, 5).Draw(t, "v"))
		}
		q := Query{Size: rapid.IntRange(1, 7).Draw(t, "size"), OrderBy: rapid.SampledFrom([]string{"", "spec.v", "spec.v desc, metadata.name desc", "revision", "revision desc"}).Draw(t, "order"),
			Filter: rapid.SampledFrom([]string{"", "has(entity.spec.v)", "entity.metadata.name.contains('n')"}).Draw(t, "filter")}
		seen := map[string]int{}
		for range 100 {
			p, err := x.Snapshot().List(q)
			require.NoError(t, err)
			require.LessOrEqual(t, len(p.Records), q.Size)
			for _, name := range names(p) {
				seen[name]++
			}
			if q.Token = p.Next; q.Token == "" {
				break
			}
			for range rapid.IntRange(0, 3).Draw(t, "changes") {
				n := rapid.IntRange(20, 40).Draw(t, "n")
				if rapid.Bool().Draw(t, "delete") {
					rev++
					x.Apply([]catalog.Change{{Revision: rev, Op: catalog.OpDelete, Entity: thing(t, fmt.Sprintf("n%02d", n), nil, nil)}})
				} else if _, was := seen[fmt.Sprintf("n%02d", n)]; !was {
					put(n, rapid.IntRange(0, 5).Draw(t, "v"))
				}
			}
		}
		require.Empty(t, q.Token)
		for n := range 20 {
			require.Equal(t, 1, seen[fmt.Sprintf("n%02d", n)], "n%02d", n)
		}
		for name, n := range seen {
			require.Equal(t, 1, n, name)
		}
	})
}

// TestOrderByRevision: what changed last comes first, also what changed while one
// looked; what only a plugin says something else of keeps its place.
func TestOrderByRevision(t *testing.T) {
	t.Parallel()
	x := New()
	x.Load([]*catalog.Entity{{Ref: catalog.Ref{Kind: "Thing", Namespace: "default", Name: "first"}, Document: []byte(`{"kind":"Thing"}`), Revision: 1}}, 1)
	put := func(rev, own catalog.Revision, op catalog.Op, name, facts string) {
		e := thing(t, name, nil, nil)
		e.Revision, e.Facts = own, []byte(facts)
		x.Apply([]catalog.Change{{Revision: rev, Op: op, Entity: e}})
	}
	lately := func(q Query) Page {
		q.OrderBy, q.Size = "revision desc", 2
		p, err := x.Snapshot().List(q)
		require.NoError(t, err)
		return p
	}
	require.Equal(t, []string{"first"}, names(lately(Query{})))
	for i, name := range []string{"b", "c", "a", "d"} {
		put(catalog.Revision(i+2), catalog.Revision(i+2), catalog.OpPut, name, "")
	}
	p := lately(Query{})
	require.Equal(t, []string{"d", "a"}, names(p))
	put(6, 2, catalog.OpFacts, "b", `{"x.y":1}`)
	put(7, 7, catalog.OpPut, "d", "")
	require.Equal(t, []string{"c", "b"}, names(lately(Query{Token: p.Next})))
	require.Equal(t, []string{"d", "a"}, names(lately(Query{})))
	put(8, 8, catalog.OpPut, "c", "")
	require.Equal(t, []string{"c", "d"}, names(lately(Query{})))
	require.Equal(t, []string{"b", "first"}, names(lately(Query{Skip: 3})))
	_, _, err := x.Snapshot().Facets("", []string{"revision"}, 0)
	require.Error(t, err)
}

// TestSkip holds any window of a list against the whole one.
func TestSkip(t *testing.T) {
	t.Parallel()
	const n = 300
	var es []*catalog.Entity
	for i := range n {
		es = append(es, thing(t, fmt.Sprintf("n%03d", i), nil, map[string]any{"v": i * 7 % 11, "half": i%2 == 0, "few": i%10 == 0}))
	}
	x := New()
	x.Load(es, 1)
	rapid.Check(t, func(t *rapid.T) {
		s := x.Snapshot()
		q := Query{
			Size:    rapid.IntRange(1, 40).Draw(t, "size"),
			OrderBy: rapid.SampledFrom([]string{"", "spec.v", "spec.v desc, metadata.name desc"}).Draw(t, "order"),
			Filter:  rapid.SampledFrom([]string{"", "true", " entity.spec.half", "entity.spec.half", "entity.spec.few", "entity.metadata.name.contains('1')", "false"}).Draw(t, "filter"),
		}
		all, err := s.List(Query{Filter: q.Filter, OrderBy: q.OrderBy, Size: MaxPage})
		require.NoError(t, err)
		want := names(all)
		at := 0
		for range 4 {
			q.Skip = rapid.IntRange(0, n/3).Draw(t, "skip")
			p, err := s.List(q)
			require.NoError(t, err)
			at = min(at+q.Skip, len(want))
			end := min(at+q.Size, len(want))
			require.Equal(t, want[at:end], names(p))
			require.Equal(t, len(want), p.Total)
			require.Equal(t, end < len(want), p.Next != "")
			at = end
			if q.Token = p.Next; q.Token == "" {
				break
			}
		}
	})
	for i := range 2 * maxWindows {
		_, err := x.Snapshot().List(Query{Filter: fmt.Sprintf("entity.spec.v != %d", i), Size: 1, Skip: 1})
		require.NoError(t, err)
	}
	require.LessOrEqual(t, len(x.Snapshot().windows.kept), maxWindows)
	// What comes later is in the window.
	x.Apply([]catalog.Change{{Revision: 2, Op: catalog.OpDelete, Entity: es[0]}})
	p, err := x.Snapshot().List(Query{Filter: "entity.spec.half", Size: 1, Skip: 1})
	require.NoError(t, err)
	require.Equal(t, []string{"n004"}, names(p))
}

// TestTokens: a token is good for the filter and order that it came with.
func TestTokens(t *testing.T) {
	t.Parallel()
	s := loaded(thing(t, "a", nil, nil), thing(t, "b", nil, nil), thing(t, "c", nil, nil))
	p, err := s.List(Query{Size: 1})
	require.NoError(t, err)
	require.NotEmpty(t, p.Next)
	for _, q := range []Query{
		{Size: 1, Token: p.Next, Filter: "true"}, {Size: 1, Token: p.Next, OrderBy: "kind"}, {Size: 1, Token: "x"},
		{Size: 1, Token: p.Next[:len(p.Next)-2]}, {Size: 1, Token: p.Next + "AA"}, {Size: 1, Token: strings.Repeat("A", 9000)},
	} {
		_, err := s.List(q)
		var bad *QueryError
		require.ErrorAs(t, err, &bad, "%+v", q)
		require.Equal(t, "page_token", bad.Field)
	}
}

// TestGraph holds the walk against a naive one.
func TestGraph(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m := model{}
		for range rapid.IntRange(1, 12).Draw(t, "entities") {
			e := drawEntity(t)
			m[e.Ref.Key()] = e
		}
		var es []*catalog.Entity
		for _, e := range m {
			es = append(es, e)
		}
		s := loaded(es...)
		q := GraphQuery{Roots: []catalog.Ref{drawRef(t)}, Depth: rapid.IntRange(1, 4).Draw(t, "depth"), Limit: 100}
		if rapid.Bool().Draw(t, "typed") {
			q.Types = []string{rapid.SampledFrom([]string{catalog.DependsOn, catalog.DependencyOf, catalog.OwnedBy, catalog.OwnerOf}).Draw(t, "type")}
		}
		want := map[string]int{q.Roots[0].Key(): 0}
		for queue := []string{q.Roots[0].Key()}; len(queue) > 0; queue = queue[1:] {
			at := queue[0]
			if want[at] == q.Depth || m[at] == nil {
				continue
			}
			for _, r := range m.relations(at) {
				if _, ok := want[r.Target.Key()]; ok || len(q.Types) > 0 && !slices.Contains(q.Types, r.Type) {
					continue
				}
				want[r.Target.Key()] = want[at] + 1
				queue = append(queue, r.Target.Key())
			}
		}
		g, err := s.Graph(q)
		require.NoError(t, err)
		got := map[string]int{}
		for _, n := range g.Nodes {
			got[n.Ref.Key()] = n.Distance
			require.Equal(t, m[n.Ref.Key()] != nil, n.Record != nil)
		}
		require.Equal(t, want, got)
		require.False(t, g.Truncated)
		once := map[Edge]bool{}
		for _, e := range g.Edges {
			require.False(t, once[e], "%v", e)
			once[e] = true
			declared := m[e.Source.Key()]
			require.NotNil(t, declared)
			require.True(t, slices.ContainsFunc(declared.Relations, func(r catalog.Relation) bool {
				return r.Type == e.Type && r.Target.Key() == e.Target.Key()
			}), "%v is not as it was declared", e)
			require.Contains(t, got, e.Source.Key())
			require.Contains(t, got, e.Target.Key())
		}
	})
	s := loaded(thing(t, "a", nil, map[string]any{"dependsOn": []any{"thing:b", "thing:c", "thing:d"}}))
	g, err := s.Graph(GraphQuery{Roots: []catalog.Ref{{Kind: "thing", Namespace: "default", Name: "a"}}, Depth: 1, Limit: 2})
	require.NoError(t, err)
	require.Len(t, g.Nodes, 2)
	require.True(t, g.Truncated)
}
