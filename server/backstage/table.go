package backstage

import (
	"cmp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/waypost-dev/waypost/server/index"
)

// maxColumns bounds the keys that are kept; the one that was asked for longest
// ago goes first.
const maxColumns = 64

// table is the columns that were asked for. It is safe for concurrent use.
type table struct {
	latest func() *index.Snapshot
	turn   atomic.Int64

	mu      sync.RWMutex
	at      *index.Snapshot
	records []*index.Record // by number; nil for none
	live    *roaring.Bitmap
	columns map[string]*column
}

func newTable(latest func() *index.Snapshot) *table {
	return &table{latest: latest, live: roaring.New(), columns: map[string]*column{}}
}

// need is a key that a request reads.
type need struct {
	key    string // in lower case
	sorted bool
}

// read calls do with the table in line with the catalog, and with columns for
// all that is needed. do must not keep anything of the table but records, nor
// write to the caller's connection.
func (t *table) read(needs []need, do func(*table)) {
	s := t.latest()
	t.mu.RLock()
	if t.at == s && t.has(needs) {
		defer t.mu.RUnlock()
		do(t)
		return
	}
	t.mu.RUnlock()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sync(t.latest())
	t.build(needs)
	do(t)
}

func (t *table) has(needs []need) bool {
	turn := t.turn.Add(1)
	for _, n := range needs {
		c := t.columns[n.key]
		if c == nil || n.sorted && c.sorted == nil {
			return false
		}
		c.used.Store(turn)
	}
	return true
}

// build needs t.mu.
func (t *table) build(needs []need) {
	turn := t.turn.Add(1)
	for _, n := range needs {
		c := t.columns[n.key]
		if c == nil {
			c = newColumn(n.key)
			for _, r := range t.records {
				if r != nil {
					c.add(t.at, r)
				}
			}
			t.columns[n.key] = c
		}
		c.used.Store(turn)
		if n.sorted && c.sorted == nil {
			t.sort(c)
		}
	}
	for len(t.columns) > max(maxColumns, len(needs)) {
		var oldest *column
		for _, c := range t.columns {
			if oldest == nil || c.used.Load() < oldest.used.Load() {
				oldest = c
			}
		}
		delete(t.columns, oldest.key)
	}
}

// sort needs t.mu.
func (t *table) sort(c *column) {
	c.sorted = make([]uint32, 0, c.valued.GetCardinality())
	values := make([]string, len(t.records))
	c.valued.Iterate(func(id uint32) bool {
		values[id], _ = c.value(id)
		c.sorted = append(c.sorted, id)
		return true
	})
	slices.SortFunc(c.sorted, func(a, b uint32) int {
		return cmp.Or(strings.Compare(values[a], values[b]), strings.Compare(t.records[a].Entity.UID, t.records[b].Entity.UID))
	})
}

// place is where an entity with a value and a uid is, or would be, in a column.
func (t *table) place(c *column, value, uid string) (int, bool) {
	return slices.BinarySearchFunc(c.sorted, 0, func(id uint32, _ int) int {
		v, _ := c.value(id)
		return cmp.Or(strings.Compare(v, value), strings.Compare(t.records[id].Entity.UID, uid))
	})
}

// manyChanges is how many entities must have changed for it to be quicker to
// sort anew than to move each.
const manyChanges = 256

// sync brings the table in line with a snapshot. It needs t.mu. Records tell
// what changed: an entity gets another one when it, its relations, or whether
// their targets exist, change.
func (t *table) sync(s *index.Snapshot) {
	if t.at == s {
		return
	}
	seen := roaring.New()
	var changed []*index.Record
	s.Each(func(r *index.Record) bool {
		id := r.Number()
		seen.Add(id)
		if int(id) >= len(t.records) || t.records[id] != r {
			changed = append(changed, r)
		}
		return true
	})
	gone := roaring.AndNot(t.live, seen)
	many := len(changed)+int(gone.GetCardinality()) > manyChanges
	drop := func(id uint32) {
		for _, c := range t.columns {
			if many {
				c.sorted = nil
			} else if value, ok := c.value(id); ok && c.sorted != nil {
				if i, ok := t.place(c, value, t.records[id].Entity.UID); ok {
					c.sorted = slices.Delete(c.sorted, i, i+1)
				}
			}
			c.remove(id)
		}
		t.records[id] = nil
	}
	gone.Iterate(func(id uint32) bool { drop(id); return true })
	for _, r := range changed {
		if id := r.Number(); t.live.Contains(id) {
			drop(id)
		}
	}
	for _, r := range changed {
		id := r.Number()
		for int(id) >= len(t.records) {
			t.records = append(t.records, nil)
		}
		t.records[id] = r
		for _, c := range t.columns {
			c.add(s, r)
			if value, ok := c.value(id); ok && c.sorted != nil {
				i, _ := t.place(c, value, r.Entity.UID)
				c.sorted = slices.Insert(c.sorted, i, id)
			}
		}
	}
	t.at, t.live = s, seen
}
