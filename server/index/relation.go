package index

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"unique"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/agnivade/levenshtein"
	"github.com/tidwall/btree"

	"github.com/waypost-dev/waypost/server/catalog"
)

// inEdge is a declared relation as its target finds it. What the source finds
// is in its entity.
type inEdge struct {
	target string                // key
	typ    unique.Handle[string] // as declared: half the size of a string
	source uint32
}

func compareInEdges(a, b inEdge) int {
	if c := strings.Compare(a.target, b.target); c != 0 {
		return c
	}
	if a.typ != b.typ {
		return strings.Compare(a.typ.Value(), b.typ.Value())
	}
	return cmp.Compare(a.source, b.source)
}

// noType comes before every type.
var noType = unique.Make("")

func newInEdges() *btree.BTreeG[inEdge] {
	return btree.NewBTreeGOptions(func(a, b inEdge) bool { return compareInEdges(a, b) < 0 }, btree.Options{NoLocks: true})
}

// incoming calls yield for each relation that leads to an entity.
func (s *Snapshot) incoming(key string, yield func(typ string, source uint32) bool) {
	s.in.Ascend(inEdge{key, noType, 0}, func(e inEdge) bool { return e.target == key && yield(e.typ.Value(), e.source) })
}

func (s *Snapshot) wanted(key string) (found bool) {
	s.incoming(key, func(string, uint32) bool { found = true; return false })
	return found
}

type outEdge struct{ typ, target string }

// outgoing are the distinct declared relations, sorted.
func outgoing(e *catalog.Entity) []outEdge {
	out := make([]outEdge, 0, len(e.Relations))
	for _, r := range e.Relations {
		out = append(out, outEdge{r.Type, r.Target.Key()})
	}
	slices.SortFunc(out, compareOutEdges)
	return slices.Compact(out)
}

func compareOutEdges(a, b outEdge) int {
	return cmp.Or(strings.Compare(a.typ, b.typ), strings.Compare(a.target, b.target))
}

// connect brings in the relations of r that old did not have, and takes out
// those that only old had.
func (s *Snapshot) connect(tx txid, r, old *Record) {
	now := outgoing(r.Entity)
	var before []outEdge
	if old != nil {
		before = outgoing(old.Entity)
	}
	for _, e := range before {
		if _, ok := slices.BinarySearchFunc(now, e, compareOutEdges); !ok {
			s.unlink(tx, r, e)
		}
	}
	for _, e := range now {
		if _, ok := slices.BinarySearchFunc(before, e, compareOutEdges); !ok {
			s.link(tx, r, e)
		}
	}
}

func (s *Snapshot) disconnect(tx txid, old *Record) {
	for _, e := range outgoing(old.Entity) {
		s.unlink(tx, old, e)
	}
}

func (s *Snapshot) link(tx txid, r *Record, e outEdge) {
	if id, ok := s.byKey.Get(e.target); ok {
		s.refresh(tx, id)
		e.target = s.docs.get(id).key
	} else if _, before := s.ghosts.Set(e.target, struct{}{}); before {
		e.target = s.named(e.target)
	}
	s.in.Set(inEdge{e.target, unique.Make(e.typ), r.id})
	s.relate(tx, r, e, true)
}

// named is a key as the relations to it have it, so that it is in memory once.
func (s *Snapshot) named(key string) string {
	s.in.Ascend(inEdge{key, noType, 0}, func(e inEdge) bool {
		if e.target == key {
			key = e.target
		}
		return false
	})
	return key
}

func (s *Snapshot) unlink(tx txid, r *Record, e outEdge) {
	s.in.Delete(inEdge{e.target, unique.Make(e.typ), r.id})
	if id, ok := s.byKey.Get(e.target); ok {
		s.refresh(tx, id)
	} else if !s.wanted(e.target) {
		s.ghosts.Delete(e.target)
	}
	s.relate(tx, r, e, false)
}

// relate brings the columns of relations up to date with one edge.
func (s *Snapshot) relate(tx txid, r *Record, e outEdge, add bool) {
	if c := s.rels[e.typ]; c != nil {
		// The same may be seen from the other side, declared by the target.
		if add || !s.sees(r.id, r.key, e.typ, e.target) {
			c.set(tx, r.id, e.target, add)
		}
	}
	inv := catalog.Inverse(e.typ)
	if c := s.rels[inv]; c != nil && inv != "" {
		if id, ok := s.byKey.Get(e.target); ok && (add || !s.sees(id, e.target, inv, r.key)) {
			c.set(tx, id, r.key, add)
		}
	}
}

// sees tells whether an entity has a relation from either side, by the edges.
func (s *Snapshot) sees(id uint32, key, typ, target string) bool {
	if _, ok := s.in.Get(inEdge{target, unique.Make(typ), id}); ok {
		return true
	}
	inv := catalog.Inverse(typ)
	other, ok := s.byKey.Get(target)
	if inv == "" || !ok {
		return false
	}
	_, ok = s.in.Get(inEdge{key, unique.Make(inv), other})
	return ok
}

// appear makes the entities that name r see that it exists.
func (s *Snapshot) appear(tx txid, r *Record) {
	if _, ok := s.ghosts.Delete(r.key); !ok {
		return
	}
	s.incoming(r.key, func(typ string, source uint32) bool {
		s.refresh(tx, source)
		if inv := catalog.Inverse(typ); inv != "" {
			if c := s.rels[inv]; c != nil {
				c.set(tx, r.id, s.docs.get(source).key, true)
			}
		}
		return true
	})
}

// vanish is the opposite of appear; the entity's own relations are gone.
func (s *Snapshot) vanish(tx txid, r *Record) {
	named := false
	s.incoming(r.key, func(typ string, source uint32) bool {
		named = true
		s.refresh(tx, source)
		if inv := catalog.Inverse(typ); inv != "" {
			if c := s.rels[inv]; c != nil {
				c.set(tx, r.id, s.docs.get(source).key, false)
			}
		}
		return true
	})
	if named {
		s.ghosts.Set(r.key, struct{}{})
	}
}

// neighbours calls yield for each relation of an entity, from both sides.
func (s *Snapshot) neighbours(r *Record, yield func(typ string, target catalog.Ref, declared bool)) {
	for _, x := range r.Entity.Relations {
		yield(x.Type, x.Target, true)
	}
	s.incoming(r.key, func(typ string, source uint32) bool {
		if inv := catalog.Inverse(typ); inv != "" {
			yield(inv, s.docs.get(source).Entity.Ref.Lower(), false)
		}
		return true
	})
}

// Relations are the relations of an entity in both directions, sorted by type
// and then by target.
func (s *Snapshot) Relations(r *Record) []Relation {
	type keyed struct {
		Relation
		key string // of the target
	}
	all := make([]keyed, 0, 16)
	for _, x := range r.Entity.Relations {
		key := x.Target.Key()
		_, ok := s.byKey.Get(key)
		all = append(all, keyed{Relation{x.Type, x.Target, ok}, key})
	}
	s.incoming(r.key, func(typ string, source uint32) bool {
		if inv := catalog.Inverse(typ); inv != "" {
			from := s.docs.get(source)
			all = append(all, keyed{Relation{inv, from.lower(), true}, from.key})
		}
		return true
	})
	if len(all) == 0 {
		return nil
	}
	slices.SortFunc(all, func(a, b keyed) int {
		return cmp.Or(strings.Compare(a.Type, b.Type), strings.Compare(a.key, b.key))
	})
	out := make([]Relation, len(all))
	for i := range all {
		out[i] = all[i].Relation
	}
	return slices.Compact(out)
}

// Dangling tells of each relation whose target does not exist, sorted by the
// ref of the entity that declares it. The work grows with what is dangling.
func (s *Snapshot) Dangling() []catalog.Problem {
	sources := roaring.New()
	s.ghosts.Scan(func(key string, _ struct{}) bool {
		s.incoming(key, func(_ string, source uint32) bool { sources.Add(source); return true })
		return true
	})
	var records []*Record
	sources.Iterate(func(id uint32) bool { records = append(records, s.docs.get(id)); return true })
	slices.SortFunc(records, func(a, b *Record) int { return strings.Compare(a.key, b.key) })
	var out []catalog.Problem
	near := &namesakes{s: s, names: map[string][]string{}}
	for _, r := range records {
		e := r.Entity
		for _, x := range e.Relations {
			key := x.Target.Key()
			if _, ok := s.byKey.Get(key); ok {
				continue
			}
			p := catalog.Problem{
				Code: catalog.CodeDangling, Severity: catalog.SeverityWarning,
				Source: e.Origin.Source, Repository: e.Origin.Repository, Path: e.Origin.Path,
				Line: x.Line, Column: x.Column, Entity: e.Ref.String(), Field: x.Field,
				Message: fmt.Sprintf("%s names %s, which does not exist", x.Field, key),
				Hint:    "write the name of an entity that exists, or add a catalog file that declares " + key,
			}
			if meant := near.meant(x.Target, e.Ref); meant != "" {
				p.Hint = "did you mean " + meant + "?"
				if x.Line > 0 && e.Origin.Path != "" {
					// The line itself is not known here; this is the value in it.
					p.Fix = catalog.Fix{Line: x.Line, Replacement: meant}
				}
			}
			out = append(out, p)
		}
	}
	return out
}

// namesakes finds which existing entity was meant by a ref that leads nowhere.
type namesakes struct {
	s     *Snapshot
	names map[string][]string // of all entities, by kind:namespace/
	tries int
}

// Bounds on looking for near names: so many refs, among so many names.
const (
	maxNearTries = 200
	maxNearNames = 20_000
)

// meant is the ref of the entity that was most likely meant; empty if that is
// not clear.
func (n *namesakes) meant(target, from catalog.Ref) string {
	var tries []catalog.Ref
	for _, ns := range []string{from.Namespace, catalog.DefaultNamespace} {
		tries = append(tries, catalog.Ref{Kind: target.Kind, Namespace: ns, Name: target.Name})
	}
	for _, kind := range catalog.Kinds() {
		tries = append(tries, catalog.Ref{Kind: kind, Namespace: target.Namespace, Name: target.Name})
	}
	for _, r := range tries {
		if found, ok := n.s.Get(r); ok {
			return found.Entity.Ref.Lower().String()
		}
	}
	return n.near(target)
}

// near is the only entity of the same kind and namespace whose name differs by
// a letter or two.
func (n *namesakes) near(target catalog.Ref) string {
	key := target.Key()
	prefix, name := key[:strings.IndexByte(key, '/')+1], key[strings.IndexByte(key, '/')+1:]
	if n.tries++; n.tries > maxNearTries || len(name) < 4 {
		return ""
	}
	names, ok := n.names[prefix]
	if !ok {
		n.s.byKey.Ascend(prefix, func(k string, _ uint32) bool {
			rest, same := strings.CutPrefix(k, prefix)
			if same && len(names) < maxNearNames {
				names = append(names, rest)
			}
			return same
		})
		n.names[prefix] = names
	}
	allowed := 1
	if len(name) >= 8 {
		allowed = 2
	}
	found := ""
	for _, other := range names {
		if d := len(other) - len(name); d > allowed || -d > allowed || levenshtein.ComputeDistance(name, other) > allowed {
			continue
		}
		if found != "" {
			return "" // either may be meant
		}
		found = prefix + other
	}
	return found
}

// relColumn answers for one type of relation who has which targets, from both
// sides.
type relColumn struct {
	byTarget *btree.Map[string, uint32] // target → its entry
	entries  paged[relEntry]
	size     uint32   // of entries
	free     []uint32 // entries without an entity
	has      *posting
	cells    paged[relCell]
	used     *atomic.Int64
}

// relEntry is a target and who is related to it.
type relEntry struct {
	target string
	post   *posting
}

// relCell is the entries of an entity's targets, in no order.
type relCell struct {
	owner   txid
	targets []uint32
}

func newRelColumn() *relColumn {
	return &relColumn{byTarget: new(btree.Map[string, uint32]), used: new(atomic.Int64)}
}

func (c *relColumn) fork() *relColumn {
	d := *c
	d.byTarget, d.entries, d.cells = c.byTarget.Copy(), c.entries.fork(), c.cells.fork()
	d.free = slices.Clone(c.free)
	return &d
}

// related is who has this target.
func (c *relColumn) related(target string) *posting {
	if n, ok := c.byTarget.Get(target); ok {
		return c.entries.ref(n).post
	}
	return nil
}

// set adds or removes one relation; doing so twice is the same as once.
func (c *relColumn) set(tx txid, id uint32, target string, add bool) {
	n, known := c.byTarget.Get(target)
	if had := known && c.entries.ref(n).post.contains(id); had == add {
		return
	}
	cell := c.cells.at(tx, id)
	if cell.owner != tx {
		*cell = relCell{tx, slices.Clone(cell.targets)}
	}
	if add {
		if !known {
			n = c.size
			if last := len(c.free) - 1; last >= 0 {
				n, c.free = c.free[last], c.free[:last]
			} else {
				c.size++
			}
			c.byTarget.Set(target, n)
			c.entries.at(tx, n).target = target
		}
		e := c.entries.at(tx, n)
		e.post = e.post.with(tx, id)
		if cell.targets = append(cell.targets, n); len(cell.targets) == 1 {
			c.has = c.has.with(tx, id)
		}
		return
	}
	e := c.entries.at(tx, n)
	if e.post = e.post.without(tx, id); e.post == nil {
		c.byTarget.Delete(target)
		*e = relEntry{}
		c.free = append(c.free, n)
	}
	at := slices.Index(cell.targets, n)
	if cell.targets = slices.Delete(cell.targets, at, at+1); len(cell.targets) == 0 {
		c.has = c.has.without(tx, id)
	}
}

func (p *posting) contains(id uint32) bool {
	switch {
	case p == nil:
		return false
	case p.bits != nil:
		return p.bits.Contains(id)
	}
	_, ok := slices.BinarySearch(p.ids, id)
	return ok
}

// relations is the column of a type of relation, built if need be.
func (s *Snapshot) relations(typ string) *relColumn {
	s.mu.RLock()
	c := s.rels[typ]
	s.mu.RUnlock()
	if c == nil {
		c = ensure(s, func(s *Snapshot) map[string]*relColumn { return s.rels }, typ, maxColumns, func(s *Snapshot) *relColumn {
			c := newRelColumn()
			tx := txid(s.index.tx.Add(1))
			inv := catalog.Inverse(typ)
			own, other := unique.Make(typ), unique.Make(inv)
			s.in.Scan(func(e inEdge) bool {
				if e.typ == own {
					c.set(tx, e.source, e.target, true)
				}
				if e.typ == other && inv != "" {
					if id, ok := s.byKey.Get(e.target); ok {
						c.set(tx, id, s.docs.get(e.source).key, true)
					}
				}
				return true
			})
			return c
		})
	}
	c.used.Store(s.index.turn.Add(1))
	return c
}
