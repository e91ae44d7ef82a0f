package backstage

import (
	"slices"

	"github.com/RoaringBitmap/roaring/v2"
)

// ids is a set of numbers of entities that is small most of the time.
type ids struct {
	few  []uint32 // sorted, while bits is nil
	bits *roaring.Bitmap
}

const few = 16

func (s *ids) add(id uint32) {
	if s.bits != nil {
		s.bits.Add(id)
		return
	}
	if i, ok := slices.BinarySearch(s.few, id); !ok {
		s.few = slices.Insert(s.few, i, id)
	}
	if len(s.few) > few {
		s.bits, s.few = roaring.BitmapOf(s.few...), nil
	}
}

func (s *ids) remove(id uint32) {
	if s.bits != nil {
		s.bits.Remove(id)
	} else if i, ok := slices.BinarySearch(s.few, id); ok {
		s.few = slices.Delete(s.few, i, i+1)
	}
}

func (s *ids) len() int {
	if s.bits != nil {
		return int(s.bits.GetCardinality())
	}
	return len(s.few)
}

// addTo adds the set to b.
func (s *ids) addTo(b *roaring.Bitmap) {
	if s.bits != nil {
		b.Or(s.bits)
	} else {
		b.AddMany(s.few)
	}
}
