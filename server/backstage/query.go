package backstage

import (
	"slices"
	"strings"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/waypost-dev/waypost/server/index"
)

// byID is the key that orders entities when nothing else is asked for.
const byID = "metadata.uid"

// entityQuery selects entities and orders them by one field; those without a
// value in it are left out, as in Backstage.
type entityQuery struct {
	filter     *cond
	by         []order // only the first counts
	term       string  // in lower case; empty for none
	termFields []string
	// values are those of the entity to go on from, with its uid at the end;
	// empty to begin at the start.
	values   []string
	backward bool
	offset   int
	count    bool // total is wanted
}

// found is a part of what a query selects.
type found struct {
	records     []*index.Record
	first, last []*string // values to go on from
	more        bool      // there is more behind it, in the direction of the query
	total       int
}

func (q *entityQuery) key() string {
	if len(q.by) == 0 {
		return byID
	}
	return strings.ToLower(q.by[0].Field)
}

func (q *entityQuery) needs() []need {
	out := []need{{key: q.key(), sorted: true}}
	if q.term != "" {
		for _, f := range q.termFields {
			if !slices.ContainsFunc(out, func(n need) bool { return n.key == f }) {
				out = append(out, need{key: f})
			}
		}
	}
	return q.filter.needs(out)
}

// selection is who the filter and the term select, or nil for everybody.
func (q *entityQuery) selection(t *table) *roaring.Bitmap {
	var sel *roaring.Bitmap
	if q.filter != nil {
		sel = t.selected(q.filter)
	}
	if q.term != "" {
		hits := roaring.New()
		for _, f := range q.termFields {
			t.columns[f].matching(hits, func(lower string) bool { return strings.Contains(lower, q.term) })
		}
		if sel == nil {
			return hits
		}
		sel.And(hits)
	}
	return sel
}

// run returns up to limit entities.
func (q *entityQuery) run(t *table, limit int) found {
	c := t.columns[q.key()]
	sel := q.selection(t)
	out := found{}
	if q.count {
		out.total = len(c.sorted)
		if sel != nil {
			out.total = int(sel.AndCardinality(c.valued))
		}
	}
	desc := len(q.by) > 0 && q.by[0].desc()
	down := desc != q.backward
	at := 0
	if down {
		at = len(c.sorted) - 1
	}
	if len(q.values) > 0 {
		value, uid := q.values[0], q.values[len(q.values)-1]
		if len(q.values) == 1 {
			value = strings.ToLower(value)
		}
		i, there := t.place(c, value, uid)
		switch {
		case down:
			at = i - 1
		case there:
			at = i + 1
		default:
			at = i
		}
	}
	limit = min(limit, len(c.sorted))
	var dense []uint64 // a bit for each selected entity
	if sel != nil {
		dense = make([]uint64, max(len(t.records)/64+1, int(sel.DenseSize())))
		sel.WriteDenseTo(dense)
	}
	skip := q.offset
	ids := make([]uint32, 0, min(limit, 1000))
	for ; at >= 0 && at < len(c.sorted); at = step(at, down) {
		id := c.sorted[at]
		if sel != nil && dense[id/64]&(1<<(id%64)) == 0 {
			continue
		}
		if skip > 0 {
			skip--
			if sel == nil { // all of it counts: jump
				for ; skip > 0 && at >= 0 && at < len(c.sorted); skip-- {
					at = step(at, down)
				}
			}
			continue
		}
		if len(ids) == limit {
			out.more = true
			break
		}
		ids = append(ids, id)
	}
	if q.backward {
		slices.Reverse(ids)
	}
	out.records = make([]*index.Record, len(ids))
	for i, id := range ids {
		out.records[i] = t.records[id]
	}
	out.first, out.last = q.valuesOf(t, c, ids, 0), q.valuesOf(t, c, ids, len(ids)-1)
	return out
}

func step(at int, down bool) int {
	if down {
		return at - 1
	}
	return at + 1
}

// valuesOf are the values to go on from at one of ids; null if there is none.
func (q *entityQuery) valuesOf(t *table, c *column, ids []uint32, at int) []*string {
	var value, uid *string
	if at >= 0 && at < len(ids) {
		v, _ := c.value(ids[at])
		value, uid = &v, &t.records[ids[at]].Entity.UID
	}
	if len(q.by) == 0 {
		return []*string{uid}
	}
	return []*string{value, uid}
}
