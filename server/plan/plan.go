// Package plan says what a set of documents would change in the catalog,
// without changing it.
package plan

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/index"
)

// Op is what would become of an entity.
type Op string

const (
	Added   Op = "added"
	Changed Op = "changed"
	Removed Op = "removed"
)

// Change is what would become of one entity.
type Change struct {
	Op     Op
	Ref    catalog.Ref
	Before *catalog.Entity // nil if it would be added
	After  *catalog.Entity // nil if it would be removed
	// RenamedFrom is set if the entity would go on under another name.
	RenamedFrom *catalog.Ref
	// RelationsAdded and RelationsRemoved are seen from this entity, in both
	// directions.
	RelationsAdded, RelationsRemoved []index.Relation
}

// Plan is what would change.
type Plan struct {
	Changes []Change // by ref
	// Problems are those of the documents, and what else would break.
	Problems []catalog.Problem
	// Mended are problems of the catalog that would be gone.
	Mended    []catalog.Problem
	Unchanged int // entities
	Revision  catalog.Revision
}

// Proposal is what is proposed.
type Proposal struct {
	Source     string // empty for any
	Repository string // owner/name; empty if the documents belong to none
	// Documents are what the documents hold, by path.
	Documents map[string]Document
	// RemovedPaths would be gone.
	RemovedPaths []string
	// Complete says that the repository would have no other documents, but for
	// KeptPaths, of which nothing is known: those of other hosts.
	Complete  bool
	KeptPaths []string
	// Inferred is what a harvest makes of a repository without documents; nil if
	// there would be some, or nothing would be inferred.
	Inferred *catalog.Entity
}

// Document is a document that was decoded with the repository's addresses.
type Document struct {
	Entities []*catalog.Entity
	Problems []catalog.Problem
	// Broken are the keys of refs that are in the document but not valid, and
	// AllBroken says that any entity of it may be: a harvest keeps their last
	// good form.
	Broken    []string
	AllBroken bool
}

// Replaces tells whether the proposal says anew what a document of the repository
// holds.
func (p Proposal) Replaces(path string) bool {
	_, proposed := p.Documents[path]
	return proposed || slices.Contains(p.RemovedPaths, path) || p.Complete && !slices.Contains(p.KeptPaths, path)
}

// Make compares a proposal with the catalog.
func Make(s *index.Snapshot, p Proposal) *Plan {
	m := maker{s: s, p: p, plan: &Plan{Revision: s.Revision()}, before: map[string]*catalog.Entity{}, after: map[string]*catalog.Entity{}}
	m.collect()
	m.decide()
	m.relate()
	slices.SortFunc(m.plan.Changes, func(a, b Change) int { return cmp.Compare(a.Ref.Key(), b.Ref.Key()) })
	for _, list := range [][]catalog.Problem{m.plan.Problems, m.plan.Mended} {
		slices.SortStableFunc(list, func(a, b catalog.Problem) int {
			return cmp.Or(cmp.Compare(a.Repository, b.Repository), cmp.Compare(a.Path, b.Path), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
		})
	}
	return m.plan
}

type maker struct {
	s    *index.Snapshot
	p    Proposal
	plan *Plan
	// before is what the catalog has from the places that the proposal replaces,
	// and after what these would declare, by key of the ref.
	before, after map[string]*catalog.Entity
}

// replaced tells whether the proposal says anew what stands at an origin.
func (m *maker) replaced(o catalog.Origin) bool {
	if m.p.Repository == "" || !strings.EqualFold(o.Repository, m.p.Repository) || m.p.Source != "" && o.Source != m.p.Source {
		return false
	}
	if o.Inferred {
		return o.Path == "" && m.declares() // a declared entity takes the place of what was inferred
	}
	return m.p.Replaces(o.Path)
}

func (m *maker) declares() bool {
	for _, d := range m.p.Documents {
		if len(d.Entities) > 0 {
			return true
		}
	}
	return false
}

// collect gathers what is there and what would be.
func (m *maker) collect() {
	m.s.Each(func(r *index.Record) bool {
		if m.replaced(r.Entity.Origin) {
			m.before[r.Entity.Ref.Key()] = r.Entity
		}
		return true
	})
	for _, path := range slices.Sorted(maps.Keys(m.p.Documents)) {
		d := m.p.Documents[path]
		m.plan.Problems = append(m.plan.Problems, d.Problems...)
		for _, e := range d.Entities {
			key := e.Ref.Key()
			if other, taken := m.after[key]; taken {
				m.conflict(e, other.Origin)
				continue
			}
			if r, ok := m.s.Get(e.Ref); ok && m.before[key] == nil && !r.Entity.Origin.Inferred {
				m.conflict(e, r.Entity.Origin)
				continue
			}
			m.after[key] = e
		}
	}
	if e := m.p.Inferred; e != nil {
		key := e.Ref.Key()
		if _, taken := m.s.Get(e.Ref); !taken || m.before[key] != nil {
			m.after[key] = e
		}
	}
	// What is broken keeps its last good form.
	for key, e := range m.before {
		d := m.p.Documents[e.Origin.Path]
		if _, ok := m.after[key]; !ok && !e.Origin.Inferred && (d.AllBroken || slices.Contains(d.Broken, key)) {
			delete(m.before, key)
		}
	}
}

func (m *maker) conflict(e *catalog.Entity, with catalog.Origin) {
	at := with.Path
	if with.Repository != "" {
		at = with.Repository + "/" + at
	}
	if with.Line > 0 {
		at += fmt.Sprintf(":%d", with.Line)
	}
	m.plan.Problems = append(m.plan.Problems, catalog.Problem{
		Code: catalog.CodeConflict, Severity: catalog.SeverityError, Source: e.Origin.Source, Repository: e.Origin.Repository,
		Path: e.Origin.Path, Line: e.Origin.Line, Entity: e.Ref.String(),
		Message: fmt.Sprintf("%s is declared by %s already, which stays the one that is served", e.Ref, at),
		Hint:    "give this one another name, or remove the other one first",
	})
}

// decide tells what would become of each entity.
func (m *maker) decide() {
	renamed := m.renames()
	for key, e := range m.after {
		was := m.before[key]
		if was == nil { // an inferred one may stand in its place
			if r, ok := m.s.Get(e.Ref); ok {
				was = r.Entity
			}
		}
		c := Change{Op: Changed, Ref: e.Ref, Before: was, After: e}
		switch {
		case was != nil && was.Hash() == e.Hash():
			m.plan.Unchanged++
			continue
		case was == nil && renamed[key] != nil:
			c.Before = renamed[key]
			c.RenamedFrom = &c.Before.Ref
		case was == nil:
			c.Op = Added
		}
		m.plan.Changes = append(m.plan.Changes, c)
	}
	gone := map[string]bool{}
	for _, e := range renamed {
		gone[e.Ref.Key()] = true
	}
	for key, e := range m.before {
		if _, stays := m.after[key]; !stays && !gone[key] {
			m.plan.Changes = append(m.plan.Changes, Change{Op: Removed, Ref: e.Ref, Before: e})
		}
	}
}

// renames finds entities that would go on under another name, as a harvest
// does: the only entity of a document, before and after.
func (m *maker) renames() map[string]*catalog.Entity {
	only := func(all map[string]*catalog.Entity) map[string]*catalog.Entity {
		out := map[string]*catalog.Entity{}
		many := map[string]bool{}
		for _, e := range all {
			path := e.Origin.Path
			if out[path] != nil || e.Origin.Inferred {
				many[path] = true
			}
			out[path] = e
		}
		for path := range many {
			delete(out, path)
		}
		return out
	}
	before, after := only(m.before), only(m.after)
	out := map[string]*catalog.Entity{}
	for path, e := range after {
		key := e.Ref.Key()
		was := before[path]
		if was == nil || was.Ref.Key() == key || m.after[was.Ref.Key()] != nil || m.before[key] != nil {
			continue
		}
		out[key] = was
	}
	return out
}

// relate tells which relations would come and go, and what would dangle.
func (m *maker) relate() {
	var changes []catalog.Change
	for _, c := range m.plan.Changes {
		if c.Op == Removed || c.RenamedFrom != nil {
			changes = append(changes, catalog.Change{Op: catalog.OpDelete, Entity: c.Before})
		}
	}
	for _, c := range m.plan.Changes {
		if c.After != nil {
			changes = append(changes, catalog.Change{Op: catalog.OpPut, Entity: c.After})
		}
	}
	next := m.s.With(changes)
	for i := range m.plan.Changes {
		c := &m.plan.Changes[i]
		var was, is []index.Relation
		if c.Before != nil {
			if r, ok := m.s.Get(c.Before.Ref); ok {
				was = m.s.Relations(r)
			}
		}
		if c.After != nil {
			if r, ok := next.Get(c.After.Ref); ok {
				is = next.Relations(r)
			}
		}
		c.RelationsAdded, c.RelationsRemoved = missing(is, was), missing(was, is)
	}
	identity := func(p catalog.Problem) string { return p.Entity + "\x00" + p.Field + "\x00" + p.Message }
	was, is := m.s.Dangling(), next.Dangling()
	known := map[string]bool{}
	for _, p := range was {
		known[identity(p)] = true
	}
	stays := map[string]bool{}
	for _, p := range is {
		stays[identity(p)] = true
		if !known[identity(p)] {
			m.plan.Problems = append(m.plan.Problems, p)
		}
	}
	for _, p := range was {
		if !stays[identity(p)] {
			m.plan.Mended = append(m.plan.Mended, p)
		}
	}
}

// missing are the relations of a that b has not.
func missing(a, b []index.Relation) []index.Relation {
	var out []index.Relation
	for _, r := range a {
		if !slices.ContainsFunc(b, func(o index.Relation) bool { return o.Type == r.Type && o.Target.Key() == r.Target.Key() }) {
			out = append(out, r)
		}
	}
	return out
}
