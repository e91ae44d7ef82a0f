package index

import (
	"slices"

	"github.com/RoaringBitmap/roaring/v2"
)

// A transaction number tells which parts of a new snapshot are not shared with
// an older one yet, and so may be changed in place.
type txid uint64

const pageSize = 256

// paged is a persistent array: a changed copy shares all pages but those that
// were written to.
type paged[T any] struct{ pages []*vpage[T] }

type vpage[T any] struct {
	owner txid
	v     [pageSize]T
}

// fork returns a copy that may be changed without p seeing it.
func (p paged[T]) fork() paged[T] { return paged[T]{slices.Clone(p.pages)} }

func (p paged[T]) get(i uint32) T {
	if int(i/pageSize) >= len(p.pages) {
		var zero T
		return zero
	}
	return p.pages[i/pageSize].v[i%pageSize]
}

// ref is the place of element i, which must be there, for reading.
func (p paged[T]) ref(i uint32) *T { return &p.pages[i/pageSize].v[i%pageSize] }

// at is the place of element i for writing.
func (p *paged[T]) at(tx txid, i uint32) *T {
	n := int(i / pageSize)
	for n >= len(p.pages) {
		p.pages = append(p.pages, &vpage[T]{owner: tx})
	}
	if p.pages[n].owner != tx {
		c := *p.pages[n]
		c.owner = tx
		p.pages[n] = &c
	}
	return &p.pages[n].v[i%pageSize]
}

// fewIDs is up to how many ids a posting keeps as a plain list: most values are
// those of a single entity, and a bitmap for each would weigh more than the
// catalog.
const fewIDs = 24

// posting is a set of entities. A nil posting is empty.
type posting struct {
	owner txid
	ids   []uint32 // ascending, if bits is nil
	bits  *roaring.Bitmap
}

func (p *posting) len() int {
	switch {
	case p == nil:
		return 0
	case p.bits != nil:
		return int(p.bits.GetCardinality())
	}
	return len(p.ids)
}

// bitmap must not be changed by the caller.
func (p *posting) bitmap() *roaring.Bitmap {
	switch {
	case p == nil:
		return roaring.New()
	case p.bits != nil:
		return p.bits
	}
	return roaring.BitmapOf(p.ids...)
}

func (p *posting) addTo(b *roaring.Bitmap) {
	switch {
	case p == nil:
	case p.bits != nil:
		b.Or(p.bits)
	default:
		b.AddMany(p.ids)
	}
}

// common is how many of the entities are in b.
func (p *posting) common(b *roaring.Bitmap) int {
	switch {
	case p == nil:
		return 0
	case p.bits != nil:
		return int(p.bits.AndCardinality(b))
	}
	n := 0
	for _, id := range p.ids {
		if b.Contains(id) {
			n++
		}
	}
	return n
}

// own returns a posting that tx may change.
func (p *posting) own(tx txid) *posting {
	switch {
	case p == nil:
		return &posting{owner: tx}
	case p.owner == tx:
		return p
	case p.bits != nil:
		return &posting{owner: tx, bits: p.bits.Clone()}
	}
	return &posting{owner: tx, ids: append(make([]uint32, 0, len(p.ids)+1), p.ids...)}
}

func (p *posting) with(tx txid, id uint32) *posting {
	p = p.own(tx)
	if p.bits != nil {
		p.bits.Add(id)
		return p
	}
	if i, ok := slices.BinarySearch(p.ids, id); !ok {
		p.ids = slices.Insert(p.ids, i, id)
	}
	if len(p.ids) > fewIDs {
		p.bits, p.ids = roaring.BitmapOf(p.ids...), nil
	}
	return p
}

// without returns nil if nothing is left.
func (p *posting) without(tx txid, id uint32) *posting {
	if p == nil {
		return nil
	}
	p = p.own(tx)
	if p.bits != nil {
		p.bits.Remove(id)
		if p.bits.GetCardinality() <= fewIDs/2 {
			p.ids, p.bits = p.bits.ToArray(), nil
		}
	} else if i, ok := slices.BinarySearch(p.ids, id); ok {
		p.ids = slices.Delete(p.ids, i, i+1)
	}
	if p.bits == nil && len(p.ids) == 0 {
		return nil
	}
	return p
}
