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

// TestFacetLimit: of many values the most frequent are told, then the first by
// value, and how many were left out.
func TestFacetLimit(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		count := map[string]int{}
		selected := 0
		var es []*catalog.Entity
		filtered := rapid.Bool().Draw(t, "filtered")
		for n := range rapid.IntRange(0, 120).Draw(t, "entities") {
			v := fmt.Sprintf("v%d", rapid.IntRange(0, 12).Draw(t, "v"))
			in := rapid.Bool().Draw(t, "in")
			es = append(es, thing(t, fmt.Sprintf("n%03d", n), map[string]any{"labels": map[string]any{"example.com/tier.of": v}}, map[string]any{"keep": in}))
			if in || !filtered {
				selected++
				count[v]++
			}
		}
		var want []FacetValue
		for v, n := range count {
			want = append(want, FacetValue{v, n})
		}
		slices.SortFunc(want, func(a, b FacetValue) int {
			if a.Count != b.Count {
				return b.Count - a.Count
			}
			return strings.Compare(a.Value, b.Value)
		})
		limit := rapid.IntRange(1, 15).Draw(t, "limit")
		more := max(0, len(want)-limit)
		want = want[:len(want)-more]
		filter := ""
		if filtered {
			filter = "entity.spec.keep"
		}
		const field = `metadata.labels["example.com/tier.of"]`
		got, total, err := loaded(es...).Facets(filter, []string{field}, limit)
		require.NoError(t, err)
		require.Equal(t, selected, total)
		require.Len(t, got, 1)
		require.Equal(t, field, got[0].Field)
		require.Equal(t, more, got[0].More)
		require.Len(t, got[0].Values, len(want))
		for i := range want {
			require.Equal(t, want[i], got[0].Values[i])
		}
	})
}

// TestBadFacets: a field that is none is told.
func TestBadFacets(t *testing.T) {
	t.Parallel()
	s := loaded(thing(t, "a", nil, nil))
	for _, fields := range [][]string{{""}, {"spec..x"}, {"nope.x"}, {"relations"}, {"relations.a.b"}, {"kind", "spec."}, make([]string, maxFacets+1)} {
		_, _, err := s.Facets("", fields, 5)
		var bad *QueryError
		require.ErrorAs(t, err, &bad, "%q", fields)
		require.Equal(t, "fields", bad.Field)
		require.NotEmpty(t, bad.Hint)
	}
}

// TestGraphKinds holds a walk that keeps some kinds, and a limit, against a
// naive one.
func TestGraphKinds(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m := model{}
		var es []*catalog.Entity
		for range rapid.IntRange(1, 12).Draw(t, "entities") {
			e := drawEntity(t)
			m[e.Ref.Key()] = e
			es = append(es, e)
		}
		kind := rapid.SampledFrom([]string{"Component", "group"}).Draw(t, "kind")
		q := GraphQuery{Roots: []catalog.Ref{drawRef(t)}, Depth: rapid.IntRange(1, 4).Draw(t, "depth"), Limit: rapid.IntRange(1, 8).Draw(t, "limit"), Kinds: []string{kind}}
		order := []string{q.Roots[0].Key()}
		seen := map[string]bool{order[0]: true}
		for from, level := 0, 0; level < q.Depth; level++ {
			var next []string
			for _, at := range order[from:] {
				if m[at] == nil {
					continue
				}
				for _, r := range m.relations(at) {
					if k := r.Target.Key(); !seen[k] && strings.EqualFold(r.Target.Kind, kind) {
						seen[k] = true
						next = append(next, k)
					}
				}
			}
			slices.Sort(next)
			from = len(order)
			order = append(order, next...)
		}
		g, err := loaded(es...).Graph(q)
		require.NoError(t, err)
		var got []string
		for _, n := range g.Nodes {
			got = append(got, n.Ref.Key())
		}
		if len(order) <= q.Limit {
			require.Equal(t, order, got)
			require.False(t, g.Truncated)
			return
		}
		require.True(t, g.Truncated)
		// What is cut off is walked no further, so that the nearest stay.
		require.Equal(t, order[:q.Limit], got)
	})
}
