package backstage

import (
	"slices"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/tidwall/gjson"

	"github.com/waypost-dev/waypost/server/index"
)

// column is what all entities have under one key.
type column struct {
	key     string
	entries []entry
	free    []uint32            // entries without an entity
	texts   map[string]uint32   // entry of a value as it is written; nothing for null
	lower   map[string][]uint32 // entries of a value in lower case
	cells   []uint32            // by number of the entity: its first entry and 1, or 0 for none
	more    map[uint32][]uint32 // the others of those that have several
	present *roaring.Bitmap     // who has the key at all
	valued  *roaring.Bitmap     // who has a value that can be compared
	// sorted are the entities with a value by that, the lowest if there are
	// several, and then by uid; nil until it is asked for.
	sorted []uint32
	used   atomic.Int64 // when it was last asked for, in turns of the table
}

type entry struct {
	text, lower string
	ids         ids
}

func newColumn(key string) *column {
	return &column{key: key, texts: map[string]uint32{}, lower: map[string][]uint32{}, more: map[uint32][]uint32{}, present: roaring.New(), valued: roaring.New()}
}

// add brings in an entity that the column does not hold.
func (c *column) add(s *index.Snapshot, r *index.Record) {
	id := r.Number()
	cell := make([]uint32, 0, 4)
	rowsOf(s, r, c.key, func(v row) {
		c.present.Add(id)
		if v.null {
			return
		}
		n := c.intern(v.text)
		// As in Backstage's table, values that differ in case only are one.
		for _, m := range cell {
			if c.entries[m].lower == c.entries[n].lower {
				return
			}
		}
		cell = append(cell, n)
		c.entries[n].ids.add(id)
	})
	if len(cell) == 0 {
		return
	}
	for int(id) >= len(c.cells) {
		c.cells = append(c.cells, 0)
	}
	c.cells[id] = cell[0] + 1
	if len(cell) > 1 {
		c.more[id] = cell[1:]
	}
	c.valued.Add(id)
}

// each calls yield for each entry of an entity.
func (c *column) each(id uint32, yield func(n uint32)) {
	if int(id) >= len(c.cells) || c.cells[id] == 0 {
		return
	}
	yield(c.cells[id] - 1)
	if len(c.more) > 0 {
		for _, n := range c.more[id] {
			yield(n)
		}
	}
}

func (c *column) intern(text string) uint32 {
	if n, ok := c.texts[text]; ok {
		return n
	}
	text = strings.Clone(text) // or it would keep the document
	var n uint32
	if last := len(c.free) - 1; last >= 0 {
		n, c.free = c.free[last], c.free[:last]
	} else {
		n = uint32(len(c.entries))
		c.entries = append(c.entries, entry{})
	}
	c.entries[n] = entry{text: text, lower: strings.ToLower(text)}
	c.texts[text] = n
	c.lower[c.entries[n].lower] = append(c.lower[c.entries[n].lower], n)
	return n
}

func (c *column) remove(id uint32) {
	c.present.Remove(id)
	c.valued.Remove(id)
	c.each(id, func(n uint32) {
		e := &c.entries[n]
		if e.ids.remove(id); e.ids.len() > 0 {
			return
		}
		same := c.lower[e.lower]
		if same = slices.DeleteFunc(same, func(m uint32) bool { return m == n }); len(same) == 0 {
			delete(c.lower, e.lower)
		} else {
			c.lower[e.lower] = same
		}
		delete(c.texts, e.text)
		*e = entry{}
		c.free = append(c.free, n)
	})
	if int(id) < len(c.cells) {
		c.cells[id] = 0
	}
	delete(c.more, id)
}

// value is the lowest value of an entity, in lower case.
func (c *column) value(id uint32) (string, bool) {
	if int(id) >= len(c.cells) || c.cells[id] == 0 {
		return "", false
	}
	v := c.entries[c.cells[id]-1].lower
	if len(c.more) > 0 {
		for _, n := range c.more[id] {
			v = min(v, c.entries[n].lower)
		}
	}
	return v, true
}

// equal adds to b who has a value, given in lower case.
func (c *column) equal(b *roaring.Bitmap, value string) {
	for _, n := range c.lower[value] {
		c.entries[n].ids.addTo(b)
	}
}

// matching adds to b who has a value of which ok is true.
func (c *column) matching(b *roaring.Bitmap, ok func(lower string) bool) {
	for i := range c.entries {
		if e := &c.entries[i]; e.ids.len() > 0 && ok(e.lower) {
			e.ids.addTo(b)
		}
	}
}

// appendCounts appends each value and how many of the selected entities have it,
// by value; sel is nil for all.
func (c *column) appendCounts(b []byte, sel *roaring.Bitmap) []byte {
	type count struct {
		text string
		n    int
	}
	counts := make([]count, 0, min(len(c.entries), 1024))
	var held []int // of the selected, by entry
	if sel != nil {
		held = make([]int, len(c.entries))
		sel.Iterate(func(id uint32) bool {
			c.each(id, func(n uint32) { held[n]++ })
			return true
		})
	}
	for i := range c.entries {
		e := &c.entries[i]
		n := e.ids.len()
		if sel != nil {
			n = held[i]
		}
		if n > 0 {
			counts = append(counts, count{e.text, n})
		}
	}
	slices.SortFunc(counts, func(x, y count) int { return strings.Compare(x.text, y.text) })
	b = append(b, '[')
	for i, x := range counts {
		if i > 0 {
			b = append(b, ',')
		}
		b = gjson.AppendJSONString(append(b, `{"value":`...), x.text)
		b = strconv.AppendInt(append(b, `,"count":`...), int64(x.n), 10)
		b = append(b, '}')
	}
	return append(b, ']')
}
