package index

import (
	"slices"
	"sync/atomic"

	"github.com/tidwall/btree"
)

// column is what all entities hold in one field. It is built when the field is
// first asked for, and kept up by Apply from then on.
type column struct {
	path  []string
	cells paged[uint32] // entity → its entry
	// entries are the distinct values, and the distinct elements of lists.
	entries paged[entry]
	size    uint32   // of entries
	values  int      // of them, how many a facet shows
	free    []uint32 // entries without an entity
	byKey   *btree.Map[string, uint32]
	kinds   [kinds]*posting
	odd     int           // elements of lists that are no strings
	used    *atomic.Int64 // when it was last asked for, in turns of a counter
}

type entry struct {
	value *value
	elems []uint32 // entries of a list's elements
	post  *posting // who has it; not kept for lists and maps
	n     uint32   // how many have it
	elem  bool
}

func newColumn(path []string) *column {
	return &column{path: path, byKey: new(btree.Map[string, uint32]), used: new(atomic.Int64)}
}

func (c *column) fork() *column {
	d := *c
	d.cells, d.entries, d.byKey = c.cells.fork(), c.entries.fork(), c.byKey.Copy()
	d.free = slices.Clone(c.free)
	return &d
}

func (c *column) value(id uint32) *value { return c.entries.get(c.cells.get(id)).value }

// byValue finds who has a scalar.
func (c *column) byValue(key string) *posting {
	if n, ok := c.byKey.Get(key); ok {
		return c.entries.get(n).post
	}
	return nil
}

func (c *column) intern(tx txid, key string, v *value, elem bool) uint32 {
	if n, ok := c.byKey.Get(key); ok {
		return n
	}
	n := c.size
	if last := len(c.free) - 1; last >= 0 {
		n, c.free = c.free[last], c.free[:last]
	} else {
		c.size++
	}
	*c.entries.at(tx, n) = entry{value: v, elem: elem}
	if facetKind(v.kind) {
		c.values++
	}
	c.byKey.Set(key, n)
	return n
}

func (c *column) release(tx txid, key string, n uint32) {
	c.byKey.Delete(key)
	if c.entries.ref(n).shown() {
		c.values--
	}
	*c.entries.at(tx, n) = entry{}
	c.free = append(c.free, n)
}

func (c *column) add(tx txid, record *Record) {
	id := record.id
	r, k := lookup(record, c.path)
	key := cellKey(r.Raw, r.Str, r.Num, k)
	n, ok := c.byKey.Get(key)
	if !ok {
		v := makeValue(r, k)
		n = c.intern(tx, key, &v, false)
		if k == kindList {
			elems := make([]uint32, len(v.list))
			for i := range v.list {
				elems[i] = c.intern(tx, "e"+v.list[i].key(), &v.list[i], true)
				if v.list[i].kind != kindString {
					c.odd++
				}
				c.entries.at(tx, elems[i]).n++ // held by the list's entry
			}
			c.entries.at(tx, n).elems = elems
		}
	}
	*c.cells.at(tx, id) = n
	c.kinds[k] = c.kinds[k].with(tx, id)
	at := c.entries.at(tx, n)
	at.n++
	if k == kindList {
		for _, m := range at.elems {
			x := c.entries.at(tx, m)
			x.post = x.post.with(tx, id)
		}
	} else if scalar(k) {
		at.post = at.post.with(tx, id)
	}
}

func (c *column) remove(tx txid, record *Record) {
	id := record.id
	r, k := lookup(record, c.path)
	n := c.cells.get(id)
	c.kinds[k] = c.kinds[k].without(tx, id)
	at := c.entries.at(tx, n)
	at.n--
	if scalar(k) {
		at.post = at.post.without(tx, id)
	}
	for _, m := range at.elems {
		x := c.entries.at(tx, m)
		x.post = x.post.without(tx, id)
	}
	if at.n > 0 {
		return
	}
	for _, m := range at.elems {
		x := c.entries.at(tx, m)
		if x.value.kind != kindString {
			c.odd--
		}
		if x.n--; x.n == 0 {
			c.release(tx, "e"+x.value.key(), m)
		}
	}
	c.release(tx, cellKey(r.Raw, r.Str, r.Num, k), n)
}

func scalar(k kind) bool { return k >= kindNull && k <= kindString }

// cellKey tells the contents of a field apart.
func cellKey(raw, str string, num float64, k kind) string {
	switch k {
	case kindBroken, kindAbsent:
		return string('0' + rune(k))
	case kindList, kindMap:
		return raw
	}
	v := value{kind: k, str: str, num: num}
	return v.key()
}
