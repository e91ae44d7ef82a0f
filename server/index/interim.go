package index

// INTERIM, by the lead: a plain implementation without any index, so that the
// API and the command line can be built and tested. The engineer of this room
// replaces this file whole.

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/google/cel-go/cel"
	"github.com/tidwall/gjson"

	"github.com/waypost-dev/waypost/server/catalog"
)

type QueryError struct {
	Field  string
	Offset int
	Reason string
	Hint   string
}

func (e *QueryError) Error() string { return e.Field + ": " + e.Reason }

type Index struct {
	mu   sync.Mutex
	snap atomic.Pointer[Snapshot]
	moved chan struct{}
}

func New() *Index {
	x := &Index{moved: make(chan struct{})}
	x.snap.Store(build(nil, 0))
	return x
}

type Snapshot struct {
	rev   catalog.Revision
	byKey map[string]*Record
	keys  []string
	in    map[string][]Edge
}

func build(es []*catalog.Entity, rev catalog.Revision) *Snapshot {
	s := &Snapshot{rev: rev, byKey: map[string]*Record{}, in: map[string][]Edge{}}
	for _, e := range es {
		s.byKey[e.Ref.Key()] = &Record{Entity: e}
		for _, r := range e.Relations {
			s.in[r.Target.Key()] = append(s.in[r.Target.Key()], Edge{Source: e.Ref.Lower(), Target: r.Target, Type: r.Type})
		}
	}
	for k := range s.byKey {
		s.keys = append(s.keys, k)
	}
	slices.Sort(s.keys)
	return s
}

func (x *Index) Load(es []*catalog.Entity, rev catalog.Revision) { x.set(build(es, rev)) }

func (x *Index) set(s *Snapshot) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.snap.Store(s)
	close(x.moved)
	x.moved = make(chan struct{})
}

func (x *Index) Apply(changes []catalog.Change) {
	s := x.snap.Load()
	all := map[string]*catalog.Entity{}
	for k, r := range s.byKey {
		all[k] = r.Entity
	}
	rev := s.rev
	for _, c := range changes {
		if c.Revision <= rev {
			continue
		}
		rev = c.Revision
		if c.Op == catalog.OpDelete {
			delete(all, c.Entity.Ref.Key())
		} else {
			all[c.Entity.Ref.Key()] = c.Entity
		}
	}
	es := make([]*catalog.Entity, 0, len(all))
	for _, e := range all {
		es = append(es, e)
	}
	x.set(build(es, rev))
}

func (x *Index) Wait(ctx context.Context, rev catalog.Revision) error {
	for {
		x.mu.Lock()
		moved := x.moved
		x.mu.Unlock()
		if x.snap.Load().rev >= rev {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-moved:
		}
	}
}

func (x *Index) Snapshot() *Snapshot { return x.snap.Load() }

func (s *Snapshot) Revision() catalog.Revision { return s.rev }
func (s *Snapshot) Len() int                   { return len(s.keys) }
func (s *Snapshot) Get(ref catalog.Ref) (*Record, bool) {
	r, ok := s.byKey[ref.Key()]
	return r, ok
}
func (s *Snapshot) ByUID(uid string) (*Record, bool) {
	for _, r := range s.byKey {
		if r.Entity.UID == uid {
			return r, true
		}
	}
	return nil, false
}

func (r *Record) View(_ ViewKey, make func() []byte) []byte { return make() }

var env, _ = cel.NewEnv(cel.Variable("entity", cel.DynType), cel.Variable("relations", cel.DynType), cel.Variable("ref", cel.StringType))

func (s *Snapshot) selected(filter string) ([]*Record, error) {
	var out []*Record
	if filter == "" {
		for _, k := range s.keys {
			out = append(out, s.byKey[k])
		}
		return out, nil
	}
	ast, iss := env.Compile(filter)
	if iss.Err() != nil {
		e := iss.Errors()[0]
		return nil, &QueryError{Field: "filter", Offset: e.Location.Column(), Reason: e.Message}
	}
	if t := ast.OutputType(); t != cel.BoolType && t != cel.DynType {
		return nil, &QueryError{Field: "filter", Reason: "the filter is not true or false"}
	}
	p, err := env.Program(ast)
	if err != nil {
		return nil, &QueryError{Field: "filter", Reason: err.Error()}
	}
	for _, k := range s.keys {
		r := s.byKey[k]
		var doc map[string]any
		if err := json.Unmarshal(r.Entity.Document, &doc); err != nil {
			return nil, err
		}
		rel := map[string][]string{}
		for _, x := range s.Relations(r) {
			rel[x.Type] = append(rel[x.Type], x.Target.Key())
		}
		v, _, err := p.Eval(map[string]any{"entity": doc, "relations": rel, "ref": k})
		if err == nil && v.Value() == true {
			out = append(out, r)
		}
	}
	return out, nil
}

func field(r *Record, path string) gjson.Result {
	return gjson.GetBytes(r.Entity.Document, strings.NewReplacer(`["`, ".", `"]`, "").Replace(path))
}

func page(total int, token string, size int) (from, to int, next string, err error) {
	if token != "" {
		b, err := base64.RawURLEncoding.DecodeString(token)
		if err != nil {
			return 0, 0, "", &QueryError{Field: "page_token", Reason: "not a page token"}
		}
		if from, err = strconv.Atoi(string(b)); err != nil || from < 0 || from > total {
			return 0, 0, "", &QueryError{Field: "page_token", Reason: "not a page token"}
		}
	}
	to = min(total, from+max(1, min(size, MaxPage)))
	if to < total {
		next = base64.RawURLEncoding.EncodeToString([]byte(strconv.Itoa(to)))
	}
	return from, to, next, nil
}

func (s *Snapshot) List(q Query) (Page, error) {
	rs, err := s.selected(q.Filter)
	if err != nil {
		return Page{}, err
	}
	if q.OrderBy != "" {
		slices.SortStableFunc(rs, func(a, b *Record) int {
			for o := range strings.SplitSeq(q.OrderBy, ",") {
				name, desc, _ := strings.Cut(strings.TrimSpace(o), " ")
				c := cmp.Compare(field(a, name).String(), field(b, name).String())
				if desc == "desc" {
					c = -c
				}
				if c != 0 {
					return c
				}
			}
			return 0
		})
	}
	from, to, next, err := page(len(rs), q.Token, q.Size)
	if err != nil {
		return Page{}, err
	}
	return Page{Records: rs[from:to], Next: next, Total: len(rs)}, nil
}

func (s *Snapshot) Facets(filter string, fields []string, limit int) ([]Facet, int, error) {
	rs, err := s.selected(filter)
	if err != nil {
		return nil, 0, err
	}
	var out []Facet
	for _, f := range fields {
		count := map[string]int{}
		for _, r := range rs {
			if t, ok := strings.CutPrefix(f, "relations."); ok {
				for _, x := range s.Relations(r) {
					if x.Type == t {
						count[x.Target.Key()]++
					}
				}
				continue
			}
			v := field(r, f)
			if v.IsArray() {
				for _, e := range v.Array() {
					count[e.String()]++
				}
			} else if v.Exists() {
				count[v.String()]++
			}
		}
		facet := Facet{Field: f}
		for v, n := range count {
			facet.Values = append(facet.Values, FacetValue{v, n})
		}
		slices.SortFunc(facet.Values, func(a, b FacetValue) int {
			return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Value, b.Value))
		})
		if limit > 0 && len(facet.Values) > limit {
			facet.More = len(facet.Values) - limit
			facet.Values = facet.Values[:limit]
		}
		out = append(out, facet)
	}
	return out, len(rs), nil
}

func (s *Snapshot) Search(q Search) (Found, error) {
	rs, err := s.selected(q.Filter)
	if err != nil {
		return Found{}, err
	}
	var hits []Hit
	for _, r := range rs {
		text := strings.ToLower(field(r, "metadata.name").String() + " " + field(r, "metadata.title").String() + " " + field(r, "metadata.description").String() + " " + field(r, "metadata.tags").String())
		all := true
		for _, w := range strings.Fields(strings.ToLower(q.Text)) {
			all = all && strings.Contains(text, w)
		}
		if all {
			h := Hit{Record: r, Score: 1}
			name := field(r, "metadata.name").String()
			if w := strings.Fields(strings.ToLower(q.Text)); len(w) > 0 {
				if i := strings.Index(strings.ToLower(name), w[0]); i >= 0 {
					h.Score = 2
					h.Highlights = []Highlight{{Field: "metadata.name", Text: name, Ranges: [][2]int{{i, i + len(w[0])}}}}
				}
			}
			hits = append(hits, h)
		}
	}
	slices.SortStableFunc(hits, func(a, b Hit) int { return cmp.Compare(b.Score, a.Score) })
	from, to, next, err := page(len(hits), q.Token, q.Size)
	if err != nil {
		return Found{}, err
	}
	return Found{Hits: hits[from:to], Next: next, Total: len(hits)}, nil
}

func (s *Snapshot) Relations(r *Record) []Relation {
	var out []Relation
	add := func(t string, ref catalog.Ref) {
		_, ok := s.byKey[ref.Key()]
		x := Relation{Type: t, Target: ref, Exists: ok}
		if !slices.Contains(out, x) {
			out = append(out, x)
		}
	}
	for _, x := range r.Entity.Relations {
		add(x.Type, x.Target)
	}
	for _, e := range s.in[r.Entity.Ref.Key()] {
		add(catalog.Inverse(e.Type), e.Source)
	}
	slices.SortFunc(out, func(a, b Relation) int {
		return cmp.Or(cmp.Compare(a.Type, b.Type), cmp.Compare(a.Target.Key(), b.Target.Key()))
	})
	return out
}

func (s *Snapshot) Graph(q GraphQuery) (Graph, error) {
	var g Graph
	dist := map[string]int{}
	queue := []catalog.Ref{}
	for _, r := range q.Roots {
		if _, ok := dist[r.Key()]; !ok {
			dist[r.Key()] = 0
			queue = append(queue, r.Lower())
		}
	}
	edges := map[Edge]bool{}
	for i := 0; i < len(queue); i++ {
		ref := queue[i]
		rec := s.byKey[ref.Key()]
		n := Node{Ref: ref, Record: rec, Distance: dist[ref.Key()]}
		if rec != nil {
			n.Ref = rec.Entity.Ref
		}
		g.Nodes = append(g.Nodes, n)
		if rec == nil || n.Distance >= q.Depth {
			continue
		}
		for _, x := range s.Relations(rec) {
			if len(q.Types) > 0 && !slices.Contains(q.Types, x.Type) {
				continue
			}
			if len(q.Kinds) > 0 && !slices.ContainsFunc(q.Kinds, func(k string) bool { return strings.EqualFold(k, x.Target.Kind) }) {
				continue
			}
			declared := false
			for _, o := range rec.Entity.Relations {
				declared = declared || o.Type == x.Type && o.Target == x.Target
			}
			if _, ok := dist[x.Target.Key()]; !ok {
				if q.Limit > 0 && len(queue) >= q.Limit {
					g.Truncated = true
					continue
				}
				dist[x.Target.Key()] = n.Distance + 1
				queue = append(queue, x.Target)
			}
			e := Edge{Source: ref, Target: x.Target, Type: x.Type}
			if !declared {
				e = Edge{Source: x.Target, Target: ref, Type: catalog.Inverse(x.Type)}
			}
			if !edges[e] {
				edges[e] = true
				g.Edges = append(g.Edges, e)
			}
		}
	}
	return g, nil
}

func (s *Snapshot) Dangling() []catalog.Problem {
	var out []catalog.Problem
	for _, k := range s.keys {
		e := s.byKey[k].Entity
		for _, r := range e.Relations {
			if _, ok := s.byKey[r.Target.Key()]; !ok {
				out = append(out, catalog.Problem{Code: catalog.CodeDangling, Severity: catalog.SeverityWarning, Source: e.Origin.Source, Repository: e.Origin.Repository,
					Path: e.Origin.Path, Line: r.Line, Column: r.Column, Entity: e.Ref.String(), Field: r.Field,
					Message: fmt.Sprintf("%s names %s, which does not exist", r.Field, r.Target)})
			}
		}
	}
	return out
}
