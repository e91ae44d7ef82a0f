package index

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/RoaringBitmap/roaring/v2"
)

// Bounds of a call to Facets.
const (
	maxFacets      = 20
	maxFacetValues = 1000
)

// Facets counts what the selected entities hold in some fields: paths as in
// OrderBy, and relations.<type> for the refs that they are related to. Limit is
// the most values of a field, up to 1,000, which is also meant by 0. It also
// returns how many entities are selected.
func (s *Snapshot) Facets(filter string, fields []string, limit int) ([]Facet, int, error) {
	if len(fields) > maxFacets {
		return nil, 0, &QueryError{Field: "fields", Reason: fmt.Sprintf("there are %d fields; at most %d are counted", len(fields), maxFacets), Hint: "ask for the others in another call"}
	}
	paths := make([][]string, len(fields))
	for i, f := range fields {
		p, err := parseField(f)
		if err != nil {
			return nil, 0, &QueryError{Field: "fields", Reason: err.Error(), Hint: `write a path such as kind, spec.type, metadata.labels["tier"] or relations.ownedBy`}
		}
		paths[i] = p
	}
	if limit <= 0 || limit > maxFacetValues {
		limit = maxFacetValues
	}
	selected, err := s.selected(filter)
	if err != nil {
		return nil, 0, err
	}
	out := make([]Facet, len(fields))
	for i, p := range paths {
		t := top{limit: limit}
		if p[0] == "relations" {
			s.countRelations(&t, s.relations(p[1]), selected)
		} else {
			s.count(&t, s.column(p), selected)
		}
		slices.SortFunc(t.values, compareFacets)
		out[i] = Facet{Field: fields[i], Values: t.values, More: t.seen - len(t.values)}
	}
	return out, int(selected.GetCardinality()), nil
}

func compareFacets(a, b FacetValue) int {
	return cmp.Or(cmp.Compare(b.Count, a.Count), strings.Compare(a.Value, b.Value))
}

// top keeps the first values by compareFacets.
type top struct {
	limit  int
	seen   int
	values []FacetValue // sorted once there are more than limit
}

func (t *top) add(value string, count int) {
	if count == 0 {
		return
	}
	t.seen++
	v := FacetValue{value, count}
	if len(t.values) < t.limit {
		t.values = append(t.values, v)
		if len(t.values) == t.limit {
			slices.SortFunc(t.values, compareFacets)
		}
		return
	}
	if last := t.values[t.limit-1]; compareFacets(v, last) > 0 {
		return
	}
	i, _ := slices.BinarySearchFunc(t.values, v, compareFacets)
	copy(t.values[i+1:], t.values[i:t.limit-1])
	t.values[i] = v
}

// perValue is about how much dearer it is to intersect the entities of a value
// than to look at what one entity holds.
const perValue = 40

func (s *Snapshot) count(t *top, c *column, selected *roaring.Bitmap) {
	n := int(selected.GetCardinality())
	all := n == s.Len()
	add := t.add
	if c.mixed() {
		// The same text may stand for several entries.
		sum := map[string]int{}
		add = func(value string, count int) { sum[value] += count }
		defer func() {
			for v, n := range sum {
				t.add(v, n)
			}
		}()
	}
	if all || c.values*perValue < n {
		c.scan(func(e *entry) {
			if all {
				add(e.value.text(), e.post.len())
			} else {
				add(e.value.text(), e.post.common(selected))
			}
		})
		return
	}
	counts := make([]uint32, c.size)
	eachID(selected, func(id uint32) {
		n := c.cells.get(id)
		e := c.entries.ref(n)
		if len(e.elems) == 0 {
			counts[n]++
		}
		for _, m := range e.elems {
			counts[m]++
		}
	})
	for i, n := range counts {
		if n > 0 {
			if e := c.entries.ref(uint32(i)); e.shown() {
				add(e.value.text(), int(n))
			}
		}
	}
}

// eachID calls yield for each id, a few hundred at a time.
func eachID(ids *roaring.Bitmap, yield func(uint32)) {
	var room [256]uint32
	for it := ids.ManyIterator(); ; {
		n := it.NextMany(room[:])
		if n == 0 {
			return
		}
		for _, id := range room[:n] {
			yield(id)
		}
	}
}

// scan calls yield for each value that a facet shows: scalars, and the elements
// of lists. Lists and maps as a whole, of which there may be as many as there
// are entities, lie together in byKey and are passed over.
func (c *column) scan(yield func(*entry)) {
	visit := func(until byte) func(string, uint32) bool {
		return func(key string, n uint32) bool {
			if key[0] >= until {
				return false
			}
			if e := c.entries.ref(n); e.shown() {
				yield(e)
			}
			return true
		}
	}
	c.byKey.Ascend("", visit('['))
	c.byKey.Ascend("]", visit('{'))
}

// mixed tells whether entities hold values of different kinds in a column.
func (c *column) mixed() bool {
	some := 0
	for k := kindFalse; k <= kindList; k++ {
		if c.kinds[k] != nil && k != kindTrue {
			some++
		}
	}
	return some > 1 || c.kinds[kindList] != nil && c.odd > 0
}

// shown tells whether a facet shows the value.
func (e *entry) shown() bool { return e.value != nil && facetKind(e.value.kind) }

func facetKind(k kind) bool { return k > kindNull && k <= kindString }

func (s *Snapshot) countRelations(t *top, c *relColumn, selected *roaring.Bitmap) {
	n := int(selected.GetCardinality())
	all := n == s.Len()
	if all || c.byTarget.Len()*perValue < n {
		c.byTarget.Scan(func(target string, n uint32) bool {
			if p := c.entries.ref(n).post; all {
				t.add(target, p.len())
			} else {
				t.add(target, p.common(selected))
			}
			return true
		})
		return
	}
	counts := make([]uint32, c.size)
	eachID(selected, func(id uint32) {
		for _, n := range c.cells.get(id).targets {
			counts[n]++
		}
	})
	for i, n := range counts {
		if n > 0 {
			t.add(c.entries.ref(uint32(i)).target, int(n))
		}
	}
}
