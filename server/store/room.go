package store

import (
	"slices"
	"strings"

	"github.com/waypost-dev/waypost/server/catalog"
)

// room keeps what entities consist of side by side in larger pieces of memory,
// so that a catalog does not lie scattered between what its harvest left behind.
// A piece is kept for as long as something in it is, so it is small beside the
// whole, and the first few things get none. A nil room has none for anything. Its
// methods must not be called by several goroutines at once.
type room struct {
	uses      int
	bytes     []byte
	texts     strings.Builder
	entities  []catalog.Entity
	relations []catalog.Relation
	names     map[string]string
}

// How much is in a piece: 16 to 64 kB, of which the runtime makes spans of their
// own.
const (
	roomFew       = 100
	roomBytes     = 64 << 10
	roomTexts     = 16 << 10
	roomEntities  = 128
	roomRelations = 256
)

// has tells whether there is room for something, in pieces of piece, of size.
func (r *room) has(size, piece int) bool {
	if r == nil {
		return false
	}
	r.uses++
	return r.uses > roomFew && size <= piece/8
}

// entity is a new one.
func (r *room) entity() *catalog.Entity {
	if !r.has(1, roomEntities) {
		return new(catalog.Entity)
	}
	if len(r.entities) == 0 {
		r.entities = make([]catalog.Entity, roomEntities)
	}
	e := &r.entities[0]
	r.entities = r.entities[1:]
	return e
}

// some is an empty list with room for n relations and no more.
func (r *room) some(n int) []catalog.Relation {
	if !r.has(n, roomRelations) {
		return make([]catalog.Relation, 0, n)
	}
	if len(r.relations) < n {
		r.relations = make([]catalog.Relation, roomRelations)
	}
	out := r.relations[:0:n]
	r.relations = r.relations[n:]
	return out
}

// join is a copy of the parts, one after another.
func (r *room) join(parts ...[]byte) []byte {
	n := 0
	for _, p := range parts {
		n += len(p)
	}
	if !r.has(n, roomBytes) {
		return slices.Concat(parts...)
	}
	if cap(r.bytes)-len(r.bytes) < n {
		r.bytes = make([]byte, 0, roomBytes)
	}
	at := len(r.bytes)
	for _, p := range parts {
		r.bytes = append(r.bytes, p...)
	}
	return r.bytes[at:len(r.bytes):len(r.bytes)]
}

// text is b as a string.
func (r *room) text(b []byte) string {
	if !r.has(len(b), roomTexts) {
		return string(b)
	}
	if r.texts.Cap()-r.texts.Len() < len(b) {
		r.texts = strings.Builder{} // what was written stays with those who have it
		r.texts.Grow(roomTexts)
	}
	at := r.texts.Len()
	r.texts.Write(b)
	return r.texts.String()[at:]
}

// name is a text that stands in many things, such as the name of a team: in the
// room once. Without a room it is s itself.
func (r *room) name(s string) string {
	if !r.has(len(s), roomTexts) {
		return s
	}
	name, ok := r.names[s]
	if !ok {
		if r.names == nil {
			r.names = map[string]string{}
		}
		name = r.text([]byte(s))
		r.names[name] = name
	}
	return name
}
