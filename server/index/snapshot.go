package index

import (
	"slices"
	"strings"
	"sync"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/tidwall/btree"

	"github.com/waypost-dev/waypost/server/catalog"
)

// Snapshot is the catalog at one revision. It does not change, and is safe for
// concurrent use.
type Snapshot struct {
	index *Index
	rev   catalog.Revision
	// Entities have small numbers, which are used again once they are free.
	docs  paged[*Record]
	live  *roaring.Bitmap
	free  []uint32
	size  uint32
	byKey *btree.Map[string, uint32]
	byUID *btree.Map[string, uint32]
	in    *btree.BTreeG[inEdge]
	// ghosts are the keys of targets that do not exist.
	ghosts *btree.Map[string, struct{}]
	words  words
	// levels are those that SetLevels said last, also of what is not there. The
	// map does not change.
	levels map[string]catalog.Severity

	mu     sync.RWMutex // what follows is built when it is first asked for
	cols   map[string]*column
	orders map[string]*order
	rels   map[string]*relColumn

	windows windows
}

func newSnapshot(x *Index) *Snapshot {
	return &Snapshot{
		index: x, live: roaring.New(), byKey: new(btree.Map[string, uint32]), byUID: new(btree.Map[string, uint32]),
		in: newInEdges(), ghosts: new(btree.Map[string, struct{}]), words: newWords(),
		cols: map[string]*column{}, orders: map[string]*order{}, rels: map[string]*relColumn{},
	}
}

// Revision is the number of the last change in the snapshot.
func (s *Snapshot) Revision() catalog.Revision { return s.rev }

// Len is the number of entities.
func (s *Snapshot) Len() int { return s.byKey.Len() }

// Get finds an entity by its ref, in any case.
func (s *Snapshot) Get(ref catalog.Ref) (*Record, bool) { return s.ByKey(ref.Key()) }

// ByUID finds an entity by its uid.
func (s *Snapshot) ByUID(uid string) (*Record, bool) {
	id, ok := s.byUID.Get(uid)
	if !ok || uid == "" {
		return nil, false
	}
	return s.docs.get(id), true
}

// ByKey finds an entity by the key of its ref.
func (s *Snapshot) ByKey(key string) (*Record, bool) {
	id, ok := s.byKey.Get(key)
	if !ok {
		return nil, false
	}
	return s.docs.get(id), true
}

// fork begins a changed copy. The caller holds the writer's lock.
func (s *Snapshot) fork() *Snapshot {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := &Snapshot{
		index: s.index, rev: s.rev, docs: s.docs.fork(), live: s.live.Clone(), free: slices.Clone(s.free), size: s.size,
		byKey: s.byKey.Copy(), byUID: s.byUID.Copy(), in: s.in.Copy(), ghosts: s.ghosts.Copy(), words: s.words.fork(), levels: s.levels,
		cols: map[string]*column{}, orders: map[string]*order{}, rels: map[string]*relColumn{},
	}
	for k, c := range s.cols {
		n.cols[k] = c.fork()
	}
	for k, o := range s.orders {
		n.orders[k] = o.fork()
	}
	for k, r := range s.rels {
		n.rels[k] = r.fork()
	}
	return n
}

// apply makes one change to a snapshot that nobody else has seen yet.
func (s *Snapshot) apply(tx txid, c catalog.Change) {
	key := c.Entity.Ref.Key()
	old, was := s.ByKey(key)
	switch {
	case c.Op == catalog.OpDelete && was:
		s.remove(tx, old, nil)
	case c.Op == catalog.OpDelete:
	default:
		s.put(tx, old, c.Entity, key)
	}
}

func (s *Snapshot) put(tx txid, old *Record, e *catalog.Entity, key string) {
	var id uint32
	switch {
	case old != nil:
		id, key = old.id, old.key
		s.remove(tx, old, e)
	case len(s.free) > 0:
		id, s.free = s.free[len(s.free)-1], s.free[:len(s.free)-1]
	default:
		id = s.size
		s.size++
	}
	if _, waited := s.ghosts.Get(key); waited {
		key = s.named(key)
	}
	r := &Record{Entity: e, key: key, id: id, kept: s.index.kept, level: levelOf(s.levels[key])}
	*s.docs.at(tx, id) = r
	s.live.Add(id)
	if e.UID != "" {
		s.byUID.Set(e.UID, id)
	}
	if old == nil {
		s.byKey.Set(key, id)
		s.appear(tx, r)
		s.connect(tx, r, nil)
	} else {
		s.connect(tx, r, old)
	}
	s.words.replace(tx, id, old, r)
	for _, c := range s.cols {
		c.add(tx, r)
	}
	for _, o := range s.orders {
		o.add(r)
	}
}

// remove takes a record out; next is what the entity becomes, or nil.
func (s *Snapshot) remove(tx txid, old *Record, next *catalog.Entity) {
	id, e := old.id, old.Entity
	for _, c := range s.cols {
		c.remove(tx, old)
	}
	for _, o := range s.orders {
		o.remove(old)
	}
	if at, ok := s.byUID.Get(e.UID); ok && at == id {
		s.byUID.Delete(e.UID)
	}
	if next != nil {
		return
	}
	s.words.replace(tx, id, old, nil)
	s.disconnect(tx, old)
	s.byKey.Delete(old.key)
	s.vanish(tx, old)
	s.live.Remove(id)
	*s.docs.at(tx, id) = nil
	s.free = append(s.free, id)
}

// refresh drops the rendered forms of a neighbour by giving it a new record.
func (s *Snapshot) refresh(tx txid, id uint32) {
	if old := s.docs.get(id); old != nil {
		*s.docs.at(tx, id) = &Record{Entity: old.Entity, key: old.key, id: id, kept: old.kept, level: old.level}
		s.index.refreshed.Add(1)
	}
}

// Bounds of what is kept for fields that were asked for.
const (
	maxColumns = 64
	maxOrders  = 16
)

// column is the column of a field, built if need be.
func (s *Snapshot) column(path []string) *column {
	key := strings.Join(path, "\x00")
	s.mu.RLock()
	c := s.cols[key]
	s.mu.RUnlock()
	if c == nil {
		c = ensure(s, func(s *Snapshot) map[string]*column { return s.cols }, key, maxColumns, func(s *Snapshot) *column {
			c := newColumn(path)
			tx := s.index.tx.Add(1)
			for id := range s.ids() {
				c.add(txid(tx), s.docs.get(id))
			}
			return c
		})
	}
	c.used.Store(s.index.turn.Add(1))
	return c
}

func (c *column) lastUsed() int64    { return c.used.Load() }
func (o *order) lastUsed() int64     { return o.used.Load() }
func (c *relColumn) lastUsed() int64 { return c.used.Load() }

// ensure builds something for s, and for the snapshot that is served, so that
// later ones have it too. Apply waits meanwhile.
func ensure[T interface{ lastUsed() int64 }](s *Snapshot, in func(*Snapshot) map[string]T, key string, most int, build func(*Snapshot) T) T {
	s.index.mu.Lock()
	defer s.index.mu.Unlock()
	var out T
	for _, t := range []*Snapshot{s.index.snap.Load(), s} {
		t.mu.RLock()
		v, ok := in(t)[key]
		t.mu.RUnlock()
		if !ok {
			v = build(t)
			t.mu.Lock()
			m := in(t)
			if len(m) >= most {
				oldest := ""
				for k := range m {
					if oldest == "" || m[k].lastUsed() < m[oldest].lastUsed() {
						oldest = k
					}
				}
				delete(m, oldest)
			}
			m[key] = v
			t.mu.Unlock()
		}
		out = v
	}
	return out
}

// ids are the numbers of all entities.
func (s *Snapshot) ids() func(func(uint32) bool) {
	return func(yield func(uint32) bool) { s.live.Iterate(yield) }
}
