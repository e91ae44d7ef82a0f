package index

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/waypost-dev/waypost/server/catalog"
)

// TestKeptOrder holds an order that is kept through changes, as it is for more
// than sortFew entities, against sorting all anew; and pages of it, taken
// between the changes, against what was there throughout.
func TestKeptOrder(t *testing.T) {
	t.Parallel()
	const stay, come = sortFew + 10, 20
	long := strings.Repeat("é", 3000)
	values := []any{nil, false, true, 0, 1, 2.5, -3, "", "a", "A", "b", "B", "é", long + "a", long + "b", []any{"x"}}
	rank := func(v any) (int, float64, string) {
		switch v := v.(type) {
		case bool:
			if v {
				return 0, 1, ""
			}
			return 0, 0, ""
		case int:
			return 1, float64(v), ""
		case float64:
			return 1, v, ""
		case string:
			return 2, 0, v
		}
		return 3, 0, ""
	}
	rapid.Check(t, func(t *rapid.T) {
		x, now, rev := New(), map[string]any{}, catalog.Revision(1)
		desc, filtered := rapid.Bool().Draw(t, "desc"), rapid.Bool().Draw(t, "filtered")
		value := rapid.SampledFrom(values)
		make1 := func(n int) *catalog.Entity {
			name, v := fmt.Sprintf("n%03d", n), value.Draw(t, "v")
			now[name] = v
			return thing(t, name, nil, map[string]any{"v": v, "keep": true})
		}
		var es []*catalog.Entity
		for n := range stay {
			es = append(es, make1(n))
		}
		x.Load(es, rev)
		q := Query{OrderBy: "spec.v", Size: rapid.IntRange(5, 30).Draw(t, "size")}
		if desc {
			q.OrderBy += " desc"
		}
		if filtered {
			q.Filter = "entity.spec.keep"
		}
		sorted := func() []string {
			var out []string
			for name := range now {
				out = append(out, name)
			}
			slices.SortFunc(out, func(a, b string) int {
				ra, na, sa := rank(now[a])
				rb, nb, sb := rank(now[b])
				c := cmp.Compare(ra, rb)
				if ra == rb {
					c = cmp.Or(cmp.Compare(na, nb), strings.Compare(strings.ToLower(sa), strings.ToLower(sb)), strings.Compare(sa, sb))
					if strings.HasPrefix(sa, long) && strings.HasPrefix(sb, long) {
						c = 0 // only the beginning of a long text orders
					}
				}
				if desc && (ra < 3 && rb < 3) {
					c = -c
				}
				return cmp.Or(c, strings.Compare(a, b))
			})
			return out
		}
		whole := func() []string {
			p, err := x.Snapshot().List(Query{OrderBy: q.OrderBy, Filter: q.Filter, Size: MaxPage})
			require.NoError(t, err)
			return names(p)
		}
		require.Equal(t, sorted(), whole())
		seen := map[string]int{}
		gone := map[string]bool{}
		for {
			p, err := x.Snapshot().List(q)
			require.NoError(t, err)
			for _, name := range names(p) {
				seen[name]++
			}
			if q.Token = p.Next; q.Token == "" {
				break
			}
			for range rapid.IntRange(0, 3).Draw(t, "changes") {
				n := stay + rapid.IntRange(0, come-1).Draw(t, "n")
				name := fmt.Sprintf("n%03d", n)
				rev++
				c := catalog.Change{Revision: rev, Op: catalog.OpPut}
				if _, there := now[name]; there {
					// One that has moved may be seen twice: it is put once only.
					c.Op, c.Entity = catalog.OpDelete, thing(t, name, nil, nil)
					delete(now, name)
					gone[name] = true
				} else if gone[name] {
					continue
				} else {
					c.Entity = make1(n)
				}
				x.Apply([]catalog.Change{c})
			}
			require.Equal(t, sorted(), whole())
		}
		for n := range stay {
			require.Equal(t, 1, seen[fmt.Sprintf("n%03d", n)], "n%03d", n)
		}
		for name, n := range seen {
			require.Equal(t, 1, n, name)
		}
	})
}
