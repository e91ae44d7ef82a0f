package index

import (
	"slices"
	"sort"
	"strconv"
	"strings"
	"sync"

	"github.com/RoaringBitmap/roaring/v2"
)

// A table that shows any window of a long list asks by how many entities to skip.
// The trees count what is below each node, so that the place of all entities is
// found in them. What a filter leaves of them has to be walked once; then it is
// kept, for the next window of the same table.

// rank is how many of all entities are at or before a place in an order.
func (s *Snapshot) rank(fields []orderField, from *ordered) int {
	switch {
	case from == nil:
		return 0
	case len(fields) == 0:
		return sort.Search(s.byKey.Len(), func(i int) bool {
			key, _, _ := s.byKey.GetAt(i)
			return key > from.key
		})
	}
	tree := s.order(fields).tree
	return sort.Search(tree.Len(), func(i int) bool {
		item, _ := tree.GetAt(i)
		return compareOrdered(fields, item, *from) > 0
	})
}

// ascendAt calls yield for the entities from a place in an order, counted from 0.
func (s *Snapshot) ascendAt(fields []orderField, at int, yield func(ordered) bool) {
	if len(fields) == 0 {
		if key, _, ok := s.byKey.GetAt(at); ok {
			s.byKey.Ascend(key, func(key string, id uint32) bool { return yield(ordered{key: key, id: id}) })
		}
		return
	}
	tree := s.order(fields).tree
	if item, ok := tree.GetAt(at); ok {
		tree.Ascend(item, yield)
	}
}

// maxWindows is how many selections a snapshot keeps in order; the one that was
// asked for longest ago goes first. Each takes four bytes for an entity.
const maxWindows = 8

type windows struct {
	mu   sync.Mutex
	kept []window // the latest first
}

type window struct {
	of  string
	ids []uint32
}

// inOrder is what a filter selects, in an order. It must not be changed.
func (s *Snapshot) inOrder(filter string, fields []orderField, selected *roaring.Bitmap) []uint32 {
	filter = strings.TrimSpace(filter)
	of := strconv.Itoa(len(filter)) + filter + orderKey(fields)
	w := &s.windows
	w.mu.Lock()
	i := slices.IndexFunc(w.kept, func(k window) bool { return k.of == of })
	if i >= 0 {
		found := w.kept[i]
		w.kept = slices.Insert(slices.Delete(w.kept, i, i+1), 0, found)
		w.mu.Unlock()
		return found.ids
	}
	w.mu.Unlock()
	// Nobody waits for somebody else's walk; two of the same are no harm.
	ids := make([]uint32, 0, selected.GetCardinality())
	s.ascendAt(fields, 0, func(i ordered) bool {
		if selected.Contains(i.id) {
			ids = append(ids, i.id)
		}
		return len(ids) < cap(ids)
	})
	w.mu.Lock()
	defer w.mu.Unlock()
	w.kept = slices.Insert(w.kept, 0, window{of, ids})
	if len(w.kept) > maxWindows {
		w.kept = slices.Delete(w.kept, maxWindows, len(w.kept))
	}
	return ids
}
