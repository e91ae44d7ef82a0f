package enrich

import (
	"context"
	"encoding/json"
	"hash/fnv"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/waypost-dev/waypost/plugins"
	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/index"
)

// A read is something that an answer depends on: a letter, a colon, and
//
//	e:REF            an entity, or that there is none
//	r:REF            its relations
//	r:REF TYPE       those of a type, with a tab between
//	k:KIND           all entities of a kind
//	p:SOURCE NAME    a repository
type read string

func entityRead(key string) read           { return read("e:" + key) }
func relationsRead(key string) read        { return read("r:" + key) }
func typeRead(key, typ string) read        { return read("r:" + key + "\t" + typ) }
func kindRead(kind string) read            { return read("k:" + strings.ToLower(kind)) }
func repositoryRead(o catalog.Origin) read { return read("p:" + o.Source + " " + o.Repository) }

// view is the catalog at one moment; it notes what is read.
type view struct {
	ctx    context.Context
	s      *index.Snapshot
	repos  *repositories
	whole  bool      // it is made for looking at the whole catalog
	common *gathered // of the views of a snapshot; made when needed if it is nil

	mu    sync.Mutex
	reads map[read]struct{}
	near  map[repositoryName]plugins.Repository // that were read beforehand
}

// gathered is what many views of a snapshot look at, gathered when first asked
// for: a team is looked at for each of its hundred components. It is safe for
// concurrent use.
type gathered struct {
	s *index.Snapshot

	kinds sync.Once
	all   map[string][]*catalog.Entity // by kind

	mu    sync.Mutex
	edges map[string][]catalog.Relation // by the key of the ref
}

func (g *gathered) of(kind string) []*catalog.Entity {
	g.kinds.Do(func() {
		g.all = map[string][]*catalog.Entity{}
		for r := range g.s.Each {
			k := strings.ToLower(r.Entity.Ref.Kind)
			g.all[k] = append(g.all[k], r.Entity)
		}
	})
	return g.all[kind]
}

// keptEdges bounds the entities whose relations are kept.
const keptEdges = 2000

func (g *gathered) relations(key string, ref catalog.Ref) []catalog.Relation {
	g.mu.Lock()
	out, ok := g.edges[key]
	g.mu.Unlock()
	if ok {
		return out
	}
	r, ok := g.s.Get(ref)
	if !ok {
		return nil
	}
	found := g.s.Relations(r)
	out = make([]catalog.Relation, len(found))
	for i, x := range found {
		out[i] = catalog.Relation{Type: x.Type, Target: x.Target}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	// Few relations are found faster than they are kept.
	const few = 16
	if len(out) > few && len(g.edges) < keptEdges {
		if g.edges == nil {
			g.edges = map[string][]catalog.Relation{}
		}
		g.edges[key] = out
	}
	return out
}

func (v *view) note(r read) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.reads == nil {
		v.reads = map[read]struct{}{}
	}
	v.reads[r] = struct{}{}
}

// taken are the reads until now; later ones are not noted.
func (v *view) taken() map[read]struct{} {
	v.mu.Lock()
	defer v.mu.Unlock()
	out := v.reads
	v.reads = map[read]struct{}{}
	return out
}

func (v *view) Entity(ref catalog.Ref) (*catalog.Entity, bool) {
	v.note(entityRead(ref.Key()))
	r, ok := v.s.Get(ref)
	if !ok {
		return nil, false
	}
	return r.Entity, true
}

func (v *view) Relations(ref catalog.Ref, types ...string) []catalog.Relation {
	key := ref.Key()
	if len(types) == 0 {
		v.note(relationsRead(key))
	}
	for _, t := range types {
		v.note(typeRead(key, t))
	}
	return plugins.OfTypes(v.shared().relations(key, ref), types)
}

// shared is what views of the snapshot have in common.
func (v *view) shared() *gathered {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.common == nil {
		v.common = &gathered{s: v.s}
	}
	return v.common
}

func (v *view) Repository(e *catalog.Entity) (plugins.Repository, bool) {
	if e.Origin.Repository == "" {
		return plugins.Repository{}, false
	}
	v.note(repositoryRead(e.Origin))
	v.mu.Lock()
	r, ok := v.near[repositoryName{e.Origin.Source, e.Origin.Repository}]
	v.mu.Unlock()
	if ok {
		return r, true
	}
	return v.repos.get(v.ctx, e.Origin.Source, e.Origin.Repository)
}

func (v *view) Each(kind string, yield func(*catalog.Entity) bool) {
	v.note(kindRead(kind))
	// Who goes through all of a kind asks for their repositories too.
	const together = 256
	for some := range slices.Chunk(v.shared().of(strings.ToLower(kind)), together) {
		if v.whole {
			near, _ := v.repos.together(v.ctx, some) // else each is read by itself
			v.mu.Lock()
			v.near = near
			v.mu.Unlock()
		}
		for _, e := range some {
			if !yield(e) {
				return
			}
		}
	}
}

// versions tells what reads come to in a snapshot, so that two states of the
// catalog can be told apart after a restart.
type versions struct {
	s     *index.Snapshot
	repos *repositories
	known map[read]uint64
}

func (v *versions) of(r read) uint64 {
	if n, ok := v.known[r]; ok {
		return n
	}
	n := v.compute(r)
	v.known[r] = n
	return n
}

func (v *versions) compute(r read) uint64 {
	what := string(r[2:])
	switch r[0] {
	case 'e', 'r':
		key, typ, typed := strings.Cut(what, "\t")
		ref, err := catalog.ParseRef(key, catalog.RefContext{})
		if err != nil {
			return 0
		}
		record, ok := v.s.Get(ref)
		if !ok {
			return 0
		}
		if r[0] == 'e' {
			return uint64(record.Entity.Revision)
		}
		h := fnv.New64a()
		for _, x := range v.s.Relations(record) {
			if typed && x.Type != typ {
				continue
			}
			h.Write([]byte(x.Type + " " + x.Target.Key() + "\n"))
		}
		return h.Sum64()
	case 'k':
		var sum uint64
		for record := range v.s.Each {
			if strings.ToLower(record.Entity.Ref.Kind) == what {
				h := fnv.New64a()
				h.Write([]byte(record.Entity.UID + strconv.FormatInt(int64(record.Entity.Revision), 10)))
				sum += h.Sum64() // in any order
			}
		}
		return sum
	case 'p':
		source, name, _ := strings.Cut(what, " ")
		return uint64(v.repos.touched(source, name))
	}
	return 0
}

// host is what a plugin is given.
type host struct {
	r *Runner
	p *plugin
}

func (h host) Records() plugins.Records { return records{h.r.o.Store, h.p.name} }
func (h host) Now() time.Time           { return time.Now().UTC() }
func (h host) Source() plugins.Inspector {
	if h.r.o.Inspector == nil {
		return nothing{}
	}
	return h.r.o.Inspector
}

func (h host) View(ctx context.Context) plugins.View {
	// Behind by no more than what was written since plugins last looked.
	_ = h.r.repos.catchUp(ctx)
	return &view{ctx: ctx, s: h.r.o.Index.Snapshot(), repos: h.r.repos}
}

func (h host) Select(_ context.Context, filter string) ([]*catalog.Entity, error) {
	s := h.r.o.Index.Snapshot()
	var out []*catalog.Entity
	for q := (index.Query{Filter: filter, Size: index.MaxPage}); ; {
		page, err := s.List(q)
		if err != nil {
			return nil, err
		}
		for _, r := range page.Records {
			out = append(out, r.Entity)
		}
		if q.Token = page.Next; q.Token == "" {
			return out, nil
		}
	}
}

func (h host) Refresh(refs ...catalog.Ref) {
	if len(refs) == 0 {
		return
	}
	h.p.mu.Lock()
	h.p.again = append(h.p.again, refs...)
	h.p.mu.Unlock()
	h.r.ask(context.Background(), h.p.name)
}

// nothing is the Inspector of a server whose sources cannot tell.
type nothing struct{}

func (nothing) Files(context.Context, plugins.Repository, string) ([]string, error) {
	return nil, plugins.ErrNotGiven
}

func (nothing) Text(context.Context, plugins.Repository, string) (string, error) {
	return "", plugins.ErrNotGiven
}

func (nothing) Commits(context.Context, plugins.Repository, string, time.Time, int) ([]plugins.Commit, error) {
	return nil, plugins.ErrNotGiven
}

func decodeFacts(b []byte) plugins.RepositoryFacts {
	var f plugins.RepositoryFacts
	_ = json.Unmarshal(b, &f) // what cannot be read is not known
	return f
}
