package feed

import (
	"sync"
	"sync/atomic"

	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/index"
)

// Type is what a change does to what a filter selects.
type Type uint8

// Unseen changes concern nothing that the filter selects.
const (
	Unseen Type = iota
	Added
	Changed
	Removed
)

// Change is a change, with what it found.
type Change struct {
	catalog.Change
	// Before is the entity as it was; nil if there was none of that ref.
	Before *catalog.Entity

	forms [maxForms]form

	mu    sync.Mutex
	parts []part
}

// Form names a rendered form of a change.
type Form int

// maxForms is how many forms there may be, from 0.
const maxForms = 2

type form struct {
	once sync.Once
	text []byte
}

// Form returns a rendered form of the change, which render makes the first time.
// Nobody may change it. It is safe for concurrent use.
func (c *Change) Form(f Form, render func() []byte) []byte {
	c.forms[f].once.Do(func() { c.forms[f].text = render() })
	return c.forms[f].text
}

// Bounds of what is kept of a change for those who want a part of it only: most
// of them want little, and the same as others.
const (
	maxParts    = 4
	maxPartSize = 1 << 10 // bytes
)

type part struct {
	form Form
	of   string
	text []byte
}

// Part returns a rendered form of a part of the change, which of names. It is kept
// for others who want the same, if it is small. Nobody may change it. It is safe
// for concurrent use.
func (c *Change) Part(f Form, of string, render func() []byte) []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, p := range c.parts {
		if p.form == f && p.of == of {
			return p.text
		}
	}
	text := render()
	if len(c.parts) < maxParts && len(text) <= maxPartSize {
		c.parts = append(c.parts, part{f, of, text})
	}
	return text
}

// maxBatch is the most changes in one batch. It is no more than a page of the
// index, so that a filter is asked once.
const maxBatch = min(256, index.MaxPage)

// batch is a run of changes without a gap, of which no two have the same ref.
type batch struct {
	number  int64 // in this process
	changes []*Change
	refs    map[string]int // number of the change by key
	bytes   int            // roughly, with what is made of it
	// after and before are indexes of what the changes put and of what they
	// found, made when they are first asked for.
	after, before func() *index.Snapshot
}

func (b *batch) last() catalog.Revision { return b.changes[len(b.changes)-1].Revision }

var numbers atomic.Int64

func newBatch() *batch {
	b := &batch{number: numbers.Add(1), refs: map[string]int{}}
	b.after = sync.OnceValue(func() *index.Snapshot {
		return small(b.changes, func(c *Change) *catalog.Entity {
			if c.Op == catalog.OpDelete {
				return nil
			}
			return c.Entity
		})
	})
	b.before = sync.OnceValue(func() *index.Snapshot {
		return small(b.changes, func(c *Change) *catalog.Entity { return c.Before })
	})
	return b
}

// batches cuts changes into batches. before says what a change found.
func batches(changes []catalog.Change, before func(catalog.Change) *catalog.Entity) []*batch {
	var out []*batch
	var b *batch
	for _, c := range changes {
		key := c.Entity.Ref.Key()
		if b != nil {
			if _, twice := b.refs[key]; twice || len(b.changes) == maxBatch {
				b = nil
			}
		}
		if b == nil {
			b = newBatch()
			out = append(out, b)
		}
		b.refs[key] = len(b.changes)
		with := &Change{Change: c, Before: before(c)}
		b.changes = append(b.changes, with)
		// The form before is that of an older change, or of the catalog's last
		// state; what is rendered is about as long as the document twice over.
		const overhead = 8 << 10
		b.bytes += overhead + 3*len(c.Entity.Document)
		if with.Before != nil {
			b.bytes += len(with.Before.Document)
		}
	}
	return out
}

func small(changes []*Change, of func(*Change) *catalog.Entity) *index.Snapshot {
	entities := make([]*catalog.Entity, 0, len(changes))
	for _, c := range changes {
		if e := of(c); e != nil {
			entities = append(entities, e)
		}
	}
	x := index.New()
	x.Load(entities, changes[len(changes)-1].Revision)
	return x.Snapshot()
}

// types works out what each change is to a filter.
func (b *batch) types(filter string) ([]Type, error) {
	out := make([]Type, len(b.changes))
	const was, is = 1, 2
	for i, s := range []*index.Snapshot{b.before(), b.after()} {
		page, err := s.List(index.Query{Filter: filter, Size: maxBatch})
		if err != nil {
			return nil, err
		}
		for _, r := range page.Records {
			out[b.refs[r.Entity.Ref.Key()]] |= Type(was << i)
		}
	}
	for i, t := range out {
		out[i] = [...]Type{0: Unseen, was: Removed, is: Added, was | is: Changed}[t]
	}
	return out, nil
}

// all is types for the filter that selects everything.
func (b *batch) all() []Type {
	out := make([]Type, len(b.changes))
	for i, c := range b.changes {
		switch {
		case c.Op != catalog.OpDelete && c.Before == nil:
			out[i] = Added
		case c.Op != catalog.OpDelete:
			out[i] = Changed
		case c.Before != nil:
			out[i] = Removed
		}
	}
	return out
}
