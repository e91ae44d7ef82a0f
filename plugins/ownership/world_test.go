package ownership

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waypost-dev/waypost/plugins"
	"github.com/waypost-dev/waypost/server/catalog"
)

// world is a catalog, its repositories and the plugin's records, in memory.
type world struct {
	t        testing.TB
	now      time.Time
	entities map[string]*catalog.Entity
	order    []string // keys of entities
	edges    map[string][]catalog.Relation
	repos    map[string]plugins.Repository // by name
	files    map[string][]string           // by repository; none are given if nil
	texts    map[string]string             // of files, by repository/path
	commits  map[string][]plugins.Commit
	broken   error // what the inspector answers, if anything
	records  records
	again    []catalog.Ref
	reads    map[string]bool // kinds that were gone through
}

const org = "acme"

func newWorld(t testing.TB) *world {
	return &world{
		t: t, now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC),
		entities: map[string]*catalog.Entity{}, edges: map[string][]catalog.Relation{},
		repos: map[string]plugins.Repository{}, commits: map[string][]plugins.Commit{}, reads: map[string]bool{},
		records: records{kept: map[string]plugins.Record{}},
	}
}

// add adds an entity, in a file of a repository if there is a place such as
// acme/web:services/a/catalog-info.yaml.
func (w *world) add(ref string, spec map[string]any, at string, annotations ...string) catalog.Ref {
	r, err := catalog.ParseRef(ref, catalog.RefContext{})
	require.NoError(w.t, err)
	metadata := map[string]any{"name": r.Name, "namespace": r.Namespace}
	if len(annotations) > 0 {
		all := map[string]any{}
		for i := 0; i+1 < len(annotations); i += 2 {
			all[annotations[i]] = annotations[i+1]
		}
		metadata["annotations"] = all
	}
	origin := catalog.Origin{Source: "github:acme", Line: 1}
	origin.Repository, origin.Path, _ = strings.Cut(at, ":")
	kind := map[string]string{"component": "Component", "api": "API", "system": "System", "domain": "Domain", "group": "Group", "user": "User", "resource": "Resource", "location": "Location"}[r.Kind]
	e, _ := catalog.NewEntity("backstage.io/v1alpha1", kind, metadata, spec, origin)
	require.NotNil(w.t, e, ref)
	key := e.Ref.Key()
	if _, had := w.entities[key]; !had {
		w.order = append(w.order, key)
	}
	w.entities[key] = e
	for _, edge := range e.Relations {
		w.edges[key] = append(w.edges[key], edge)
		w.edges[edge.Target.Key()] = append(w.edges[edge.Target.Key()], catalog.Relation{Type: catalog.Inverse(edge.Type), Target: e.Ref.Lower()})
	}
	return e.Ref
}

// team adds a group of some users, who are added too.
func (w *world) team(name string, members ...string) {
	w.add("group:default/"+name, map[string]any{"type": "team", "children": []any{}}, "", annotationTeam, org+"/"+name)
	for _, m := range members {
		w.user(m, name)
	}
}

func (w *world) user(name string, teams ...string) {
	of := []any{}
	for _, t := range teams {
		of = append(of, t)
	}
	w.add("user:default/"+name, map[string]any{"memberOf": of, "profile": map[string]any{"email": name + "@acme.example"}}, "", annotationUser, name)
}

func (w *world) repo(name string, with func(*plugins.Repository)) {
	r := plugins.Repository{Source: "github:acme", ID: name, Name: org + "/" + name, Commit: "c0ffee"}
	r.URL, r.Branch = "https://github.com/"+r.Name, "main"
	if with != nil {
		with(&r)
	}
	w.repos[r.Name] = r
}

// commit adds n commits by somebody, the first one so many days ago and the
// others an hour earlier each.
func (w *world) commit(repo, login string, n, days int) {
	for i := range n {
		w.commits[org+"/"+repo] = append(w.commits[org+"/"+repo], plugins.Commit{
			Hash: fmt.Sprintf("%s-%d", login, i), Author: login, Email: login + "@acme.example", Name: login,
			Time: w.now.Add(-time.Duration(days)*daily - time.Duration(i)*time.Hour),
		})
	}
}

func (w *world) plugin(config string) *Plugin {
	p := New()
	require.NoError(w.t, p.Configure(w.t.Context(), json.RawMessage(config), host{w}))
	return p
}

// explain takes the census, and explains.
func (w *world) explain(config, ref string) Ownership {
	w.t.Helper()
	p := w.plugin(config)
	_, err := p.Collect(w.t.Context(), view{w})
	require.NoError(w.t, err)
	r, err := catalog.ParseRef(ref, catalog.RefContext{})
	require.NoError(w.t, err)
	o, err := p.Explain(w.t.Context(), view{w}, r)
	require.NoError(w.t, err)
	sound(w.t, &o)
	return o
}

// enrich asks about one entity, and fails for what the server would refuse.
func (w *world) enrich(p *Plugin, ref string) plugins.Answer {
	w.t.Helper()
	e := w.entities[ref]
	require.NotNil(w.t, e, ref)
	out, err := p.Enrich(w.t.Context(), []plugins.Subject{{Entity: e, View: view{w}}})
	require.NoError(w.t, err)
	require.Len(w.t, out, 1)
	for _, f := range out[0].Facts {
		i := slices.IndexFunc(factTypes(), func(t plugins.FactType) bool { return t.Key == f.Key })
		require.GreaterOrEqual(w.t, i, 0, "%s is not declared", f.Key)
		schema, err := catalog.CompileSchema(factTypes()[i].Schema)
		require.NoError(w.t, err)
		_, value, err := plugins.Canonical(f.Value)
		require.NoError(w.t, err)
		require.NoError(w.t, schema.Validate(value), "%s: %s", f.Key, f.Value)
	}
	return out[0]
}

// factsOf are the facts of an answer as text.
func factsOf(a plugins.Answer) map[string]string {
	out := map[string]string{}
	for _, f := range a.Facts {
		out[f.Key] = strings.Trim(string(f.Value), `"`)
	}
	return out
}

// sound fails if an ownership contradicts itself.
func sound(t require.TestingT, o *Ownership) {
	first := -1
	for i, c := range o.Candidates {
		require.GreaterOrEqual(t, c.Confidence, 0.0)
		require.LessOrEqual(t, c.Confidence, 1.0)
		if c.RejectedBecause == "" && first < 0 {
			first = i
		}
	}
	if first < 0 {
		require.True(t, o.Owner.IsZero())
		require.Equal(t, SourceNone, o.Source)
		return
	}
	require.Zero(t, first, "those that count come first")
	require.Equal(t, o.Candidates[0].Owner, o.Owner)
	require.Equal(t, o.Candidates[0].Source, o.Source)
	require.InDelta(t, o.Candidates[0].Confidence, o.Confidence, 0)
	require.True(t, o.Candidates[0].Exists)
}

type view struct{ w *world }

func (v view) Entity(ref catalog.Ref) (*catalog.Entity, bool) {
	e, ok := v.w.entities[ref.Key()]
	return e, ok
}

func (v view) Relations(ref catalog.Ref, types ...string) []catalog.Relation {
	return plugins.OfTypes(v.w.edges[ref.Key()], types)
}

func (v view) Repository(e *catalog.Entity) (plugins.Repository, bool) {
	r, ok := v.w.repos[e.Origin.Repository]
	return r, ok
}

func (v view) Each(kind string, yield func(*catalog.Entity) bool) {
	v.w.reads[kind] = true
	for _, key := range v.w.order {
		if e := v.w.entities[key]; strings.EqualFold(e.Ref.Kind, kind) && !yield(e) {
			return
		}
	}
}

type host struct{ w *world }

func (h host) Records() plugins.Records                                  { return &h.w.records }
func (h host) Source() plugins.Inspector                                 { return inspector(h) }
func (h host) View(context.Context) plugins.View                         { return nil }
func (h host) Select(context.Context, string) ([]*catalog.Entity, error) { return nil, nil }
func (h host) Refresh(refs ...catalog.Ref)                               { h.w.again = append(h.w.again, refs...) }
func (h host) Now() time.Time                                            { return h.w.now }

type inspector struct{ w *world }

func (i inspector) Files(_ context.Context, r plugins.Repository, folder string) ([]string, error) {
	if i.w.broken != nil {
		return nil, i.w.broken
	}
	if i.w.files == nil {
		return nil, plugins.ErrNotGiven
	}
	var out []string
	for _, f := range i.w.files[r.Name] {
		if folder == "" || strings.HasPrefix(f, folder+"/") {
			out = append(out, f)
		}
	}
	return out, nil
}

func (i inspector) Text(_ context.Context, r plugins.Repository, path string) (string, error) {
	text, ok := i.w.texts[r.Name+"/"+path]
	if !ok {
		return "", plugins.ErrNotGiven
	}
	return text, nil
}

func (i inspector) Commits(_ context.Context, r plugins.Repository, _ string, since time.Time, limit int) ([]plugins.Commit, error) {
	if i.w.broken != nil {
		return nil, i.w.broken
	}
	var out []plugins.Commit
	for _, c := range i.w.commits[r.Name] {
		if !c.Time.Before(since) && len(out) < limit {
			out = append(out, c)
		}
	}
	return out, nil
}

type records struct {
	mu   sync.Mutex
	kept map[string]plugins.Record
	last int64
}

func (r *records) Get(_ context.Context, key string) (plugins.Record, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	got, ok := r.kept[key]
	if !ok {
		return plugins.Record{}, plugins.ErrNoRecord
	}
	return got, nil
}

func (r *records) List(_ context.Context, prefix, after string, limit int) ([]plugins.Record, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []plugins.Record
	for key, got := range r.kept {
		if strings.HasPrefix(key, prefix) && key > after {
			out = append(out, got)
		}
	}
	slices.SortFunc(out, func(a, b plugins.Record) int { return cmp.Compare(a.Key, b.Key) })
	return out[:min(len(out), limit)], nil
}

func (r *records) Put(_ context.Context, key string, value any, version int64) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if version > 0 && r.kept[key].Version != version {
		return plugins.ErrRecordChanged
	}
	b, err := json.Marshal(value)
	if err != nil {
		return err
	}
	r.last++
	r.kept[key] = plugins.Record{Key: key, Value: b, Version: r.last}
	return nil
}

func (r *records) Delete(_ context.Context, key string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.kept, key)
	return nil
}

// record keeps a record of the plugin, as the service would.
func (w *world) record(key string, value any) {
	require.NoError(w.t, w.records.Put(w.t.Context(), key, value, 0))
}

func hours(n float64) time.Duration { return time.Duration(n * float64(time.Hour)) }

func ref(kind, name string) catalog.Ref {
	return catalog.Ref{Kind: kind, Namespace: "default", Name: name}
}

// noting is a view that notes what is read.
type noting struct {
	view
	reads map[string]struct{}
}

func (n *noting) Entity(ref catalog.Ref) (*catalog.Entity, bool) {
	n.reads["e:"+ref.Key()] = struct{}{}
	return n.view.Entity(ref)
}

func (n *noting) Relations(ref catalog.Ref, types ...string) []catalog.Relation {
	n.reads["r:"+ref.Key()] = struct{}{}
	return n.view.Relations(ref, types...)
}

func (n *noting) Each(kind string, yield func(*catalog.Entity) bool) {
	n.reads["k:"+kind] = struct{}{}
	n.view.Each(kind, yield)
}
