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
			s.countRelations(&t, s.relations(p[1]), p[1], selected)
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
	if all || int(c.size)*perValue < n {
		for i := range c.size {
			e := c.entries.get(i)
			if !shown(e) {
				continue
			}
			if all {
				add(e.value.text(), e.post.len())
			} else {
				add(e.value.text(), e.post.common(selected))
			}
		}
		return
	}
	counts := make([]uint32, c.size)
	for it := selected.ManyIterator(); ; {
		var ids [256]uint32
		n := it.NextMany(ids[:])
		if n == 0 {
			break
		}
		for _, id := range ids[:n] {
			counts[c.cells.get(id)]++
		}
	}
	for i, n := range counts {
		if n == 0 {
			continue
		}
		for _, m := range c.entries.get(uint32(i)).elems {
			counts[m] += n
		}
	}
	for i, n := range counts {
		if n > 0 {
			if e := c.entries.get(uint32(i)); shown(e) {
				add(e.value.text(), int(n))
			}
		}
	}
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

func shown(e entry) bool {
	return e.value != nil && (e.value.kind > kindNull && e.value.kind <= kindString)
}

func (s *Snapshot) countRelations(t *top, c *relColumn, typ string, selected *roaring.Bitmap) {
	all := int(selected.GetCardinality()) == s.Len()
	if all || c.byTarget.Len()*perValue < int(selected.GetCardinality()) {
		c.byTarget.Scan(func(target string, p *posting) bool {
			if all {
				t.add(target, p.len())
			} else {
				t.add(target, p.common(selected))
			}
			return true
		})
		return
	}
	counts := map[string]int{}
	selected.Iterate(func(id uint32) bool {
		if c.count.get(id) > 0 {
			for _, x := range s.Relations(s.docs.get(id)) {
				if x.Type == typ {
					counts[x.Target.Key()]++
				}
			}
		}
		return true
	})
	for v, n := range counts {
		t.add(v, n)
	}
}
