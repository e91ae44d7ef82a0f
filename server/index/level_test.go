package index

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waypost-dev/waypost/server/catalog"
)

// TestLevels: what is wrong with entities is filtered, counted and ordered by, and
// stays with an entity that changes, goes and comes back.
func TestLevels(t *testing.T) {
	t.Parallel()
	var es []*catalog.Entity
	for i := range 200 {
		es = append(es, thing(t, fmt.Sprintf("n%03d", i), nil, nil))
	}
	x := New()
	x.Load(es, 1)
	was := x.Snapshot()
	key := func(i int) string { return es[i].Ref.Key() }
	levels := map[string]catalog.Severity{key(3): catalog.SeverityWarning, key(150): catalog.SeverityError, "thing:default/none": catalog.SeverityError}
	x.SetLevels(levels)
	list := func(s *Snapshot, filter string) []string {
		p, err := s.List(Query{Filter: filter, OrderBy: "status.level", Size: 3})
		require.NoError(t, err)
		return names(p)
	}
	has := `has(entity.status.level)`
	require.Empty(t, list(was, has), "an older snapshot stays as it is")
	require.Equal(t, []string{"n150", "n003"}, list(x.Snapshot(), has))
	require.Equal(t, []string{"n150", "n003", "n000"}, list(x.Snapshot(), ""))
	require.Equal(t, []string{"n000", "n001", "n002"}, list(x.Snapshot(), "!"+has))
	require.Equal(t, was.Revision(), x.Snapshot().Revision())
	f, _, err := x.Snapshot().Facets("", []string{"status.level"}, 0)
	require.NoError(t, err)
	require.Equal(t, []FacetValue{{"error", 1}, {"warning", 1}}, f[0].Values)

	same := x.Snapshot()
	x.SetLevels(map[string]catalog.Severity{key(3): catalog.SeverityWarning, key(150): catalog.SeverityError, "thing:default/none": catalog.SeverityError})
	require.Same(t, same, x.Snapshot())

	// What it says of an entity outlives a change of it, and its absence.
	x.Apply([]catalog.Change{{Revision: 2, Op: catalog.OpPut, Entity: es[150]}, {Revision: 3, Op: catalog.OpDelete, Entity: es[3]}})
	require.Equal(t, []string{"n150"}, list(x.Snapshot(), has))
	x.Apply([]catalog.Change{{Revision: 4, Op: catalog.OpPut, Entity: es[3]}})
	require.Equal(t, []string{"n150", "n003"}, list(x.Snapshot(), has))
	x.Load(es, 5)
	require.Equal(t, []string{"n150", "n003"}, list(x.Snapshot(), has))

	// Only those of which something else is said are other records.
	before := x.Snapshot()
	x.SetLevels(map[string]catalog.Severity{key(3): catalog.SeverityError, key(7): catalog.SeverityWarning})
	other := 0
	x.Snapshot().Each(func(r *Record) bool {
		if old, _ := before.Get(r.Entity.Ref); old != r {
			other++
		}
		return true
	})
	require.Equal(t, 3, other)
	require.Equal(t, []string{"n003", "n007"}, list(x.Snapshot(), has))
	for _, field := range []string{"status", "status.items", "status.level.x"} {
		_, _, err := x.Snapshot().Facets("", []string{field}, 0)
		require.Error(t, err, field)
	}
}

// BenchmarkSetLevels has one entity of a catalog with a thousand problems become
// wrong and right again.
func BenchmarkSetLevels(b *testing.B) {
	each(b, func(b *testing.B, x *Index, s *Snapshot) {
		warm(b, s)
		_, _, err := s.Facets(`has(entity.status.level)`, []string{"status.level"}, 0)
		must(b)(s.List(Query{OrderBy: "status.level", Size: 20}))
		if err != nil {
			b.Fatal(err)
		}
		levels := [2]map[string]catalog.Severity{{}, {}}
		n := 0
		s.Each(func(r *Record) bool {
			for i := range levels {
				levels[i][r.key] = catalog.SeverityWarning
			}
			n++
			return n < 1000
		})
		for key := range levels[0] {
			levels[0][key] = catalog.SeverityError
			break
		}
		for i := 0; b.Loop(); i++ {
			x.SetLevels(levels[i%2])
		}
	})
}
