package enrich_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waypost-dev/waypost/plugins"
	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/enrich"
	"github.com/waypost-dev/waypost/server/feed"
	"github.com/waypost-dev/waypost/server/index"
	"github.com/waypost-dev/waypost/server/store"
)

// world is a catalog with a plugin.
type world struct {
	*testing.T
	st     *store.Store
	x      *index.Index
	hub    *feed.Hub
	seen   catalog.Revision
	source string
	repos  map[string]store.RepositoryUpdate
}

func newWorld(t *testing.T) *world {
	st, err := store.Open(t.Context(), "sqlite::memory:", store.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, st.Close()) })
	return &world{T: t, st: st, x: index.New(), hub: feed.New(st), source: "test:one", repos: map[string]store.RepositoryUpdate{}}
}

// put stores a repository with entities, of which each is kind/name or
// kind/name owner.
func (w *world) put(repository string, facts string, entities ...string) {
	w.Helper()
	u := store.RepositoryUpdate{Repository: store.Repository{ID: repository, Name: "acme/" + repository, State: facts, Facts: []byte(facts)}}
	for _, text := range entities {
		ref, owner, _ := strings.Cut(text, " ")
		kind, name, _ := strings.Cut(ref, "/")
		spec := map[string]any{"type": "x", "lifecycle": "production", "owner": owner, "children": []any{}, "profile": map[string]any{}}
		e, _ := catalog.NewEntity("backstage.io/v1alpha1", kind, map[string]any{"name": name}, spec, catalog.Origin{
			Source: w.source, Repository: "acme/" + repository, Path: "catalog-info.yaml", Line: 1,
		})
		require.NotNil(w, e)
		u.Claims = append(u.Claims, store.Claim{Key: ref, Entity: e})
	}
	_, err := w.st.Apply(w.Context(), w.source, []store.RepositoryUpdate{u})
	require.NoError(w, err)
	w.follow()
}

// follow brings the index up to the store.
func (w *world) follow() {
	for {
		changes, err := w.st.Changes(w.Context(), w.seen, 1000)
		require.NoError(w, err)
		if len(changes) == 0 {
			return
		}
		was := w.x.Snapshot()
		w.x.Apply(changes)
		w.hub.Publish(was, changes)
		w.seen = changes[len(changes)-1].Revision
	}
}

func (w *world) runner(p plugins.Plugin) *enrich.Runner {
	w.Helper()
	r, err := enrich.New(w.Context(), enrich.Options{
		Store: w.st, Index: w.x, Feed: w.hub, Log: slog.New(slog.DiscardHandler), Quiet: -1,
		Enqueue: func(context.Context, string) error { return nil },
	}, []enrich.Configured{{Plugin: p}})
	require.NoError(w, err)
	return r
}

// work runs the plugin, and returns the names of the entities that it was asked
// about.
func (w *world) work(r *enrich.Runner, p *asked) []string {
	w.Helper()
	p.mu.Lock()
	p.names = nil
	p.mu.Unlock()
	require.NoError(w, r.Work(w.Context(), "test"))
	w.follow()
	p.mu.Lock()
	defer p.mu.Unlock()
	slices.Sort(p.names)
	return slices.Clone(p.names)
}

func (w *world) facts(ref string) string {
	w.Helper()
	parsed, err := catalog.ParseRef(ref, catalog.RefContext{Kind: "component"})
	require.NoError(w, err)
	r, ok := w.x.Snapshot().Get(parsed)
	require.True(w, ok)
	return string(r.Entity.Facts)
}

// asked is a plugin that notes what it is asked, and answers by a function.
type asked struct {
	version string
	limits  plugins.Limits
	fresh   time.Duration
	answer  func(ctx context.Context, s plugins.Subject) (plugins.Answer, error)

	mu    sync.Mutex
	names []string
}

func (p *asked) Describe() plugins.Descriptor {
	version := p.version
	if version == "" {
		version = "1.0.0"
	}
	return plugins.Descriptor{
		Name: "test", Version: version, Kinds: []string{"component"}, Limits: p.limits,
		Facts: []plugins.FactType{{Key: "test.value", Schema: json.RawMessage(`{"type":"string"}`), Freshness: p.fresh}},
	}
}

func (p *asked) Enrich(ctx context.Context, subjects []plugins.Subject) ([]plugins.Answer, error) {
	var out []plugins.Answer
	for _, s := range subjects {
		p.mu.Lock()
		p.names = append(p.names, s.Entity.Ref.Name)
		p.mu.Unlock()
		a, err := p.answer(ctx, s)
		if err != nil {
			return nil, err
		}
		out = append(out, a)
	}
	return out, nil
}

func value(s string) plugins.Answer {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	return plugins.Answer{Facts: []catalog.Fact{{Key: "test.value", Value: b}}}
}

// Each entity is asked about once, and again only when something changes that
// its answer was made from: itself, what it read, or its repository.
func TestAskedForWhatChanged(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := &asked{answer: func(_ context.Context, s plugins.Subject) (plugins.Answer, error) {
		owner := s.Entity.Text("spec.owner")
		_, exists := s.View.Entity(catalog.Ref{Kind: "group", Namespace: "default", Name: owner})
		parts := len(s.View.Relations(s.Entity.Ref))
		repo, _ := s.View.Repository(s.Entity)
		return value(fmt.Sprintf("%s %v %d %s", owner, exists, parts, repo.Description)), nil
	}}
	w.put("one", `{"description":"d"}`, "Component/a shop", "Component/b shop", "Component/c pay")
	w.put("two", `{}`, "Component/d pay")
	w.put("org", `{}`, "Group/shop")
	r := w.runner(p)
	require.Equal(t, []string{"a", "b", "c", "d"}, w.work(r, p))
	require.JSONEq(t, `{"test.value":"shop true 1 d"}`, w.facts("a"))
	require.JSONEq(t, `{"test.value":"pay false 1 "}`, w.facts("d"))
	require.Empty(t, w.work(r, p), "nothing has changed")

	w.put("two", `{}`, "Component/d shop")
	require.Equal(t, []string{"d"}, w.work(r, p), "the entity itself")
	w.put("org", `{}`, "Group/shop", "Group/pay")
	require.Equal(t, []string{"c"}, w.work(r, p), "what was looked for and not there")
	require.JSONEq(t, `{"test.value":"pay true 1 d"}`, w.facts("c"))
	w.put("one", `{"description":"e"}`, "Component/a shop", "Component/b shop", "Component/c pay")
	require.Equal(t, []string{"a", "b", "c"}, w.work(r, p), "its repository")
	w.put("more", `{}`, "System/s")
	require.Empty(t, w.work(r, p), "what it did not read")

	// After a restart the same is known.
	again := w.runner(p)
	require.Empty(t, w.work(again, p))
	w.put("two", `{}`, "Component/d pay", "Component/e pay")
	require.Equal(t, []string{"d", "e"}, w.work(again, p))
	require.Empty(t, w.work(r, p), "another replica has asked meanwhile")

	// Another version is asked for anew.
	newer := &asked{version: "1.1.0", answer: p.answer}
	require.Equal(t, []string{"a", "b", "c", "d", "e"}, w.work(w.runner(newer), newer))

	// People may ask.
	_, err := r.Again(t.Context(), "test", catalog.Ref{Kind: "component", Namespace: "default", Name: "b"})
	require.NoError(t, err)
	require.Contains(t, w.work(r, p), "b")
}

// One entity that cannot be answered takes no other with it, keeps its last
// facts, and is left alone for a while.
func TestOneFails(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var fail string
	p := &asked{answer: func(_ context.Context, s plugins.Subject) (plugins.Answer, error) {
		if s.Entity.Ref.Name == fail {
			return plugins.Answer{Err: errors.New("upstream says no")}, nil
		}
		return value("good " + s.Entity.Text("spec.owner")), nil
	}}
	w.put("one", `{}`, "Component/a shop", "Component/b shop")
	r := w.runner(p)
	w.work(r, p)
	fail = "a"
	w.put("one", `{}`, "Component/a pay", "Component/b pay")
	require.Equal(t, []string{"a", "b"}, w.work(r, p))
	require.JSONEq(t, `{"test.value":"good shop"}`, w.facts("a"), "the last good one")
	require.JSONEq(t, `{"test.value":"good pay"}`, w.facts("b"))
	got, _ := w.x.Snapshot().Get(catalog.Ref{Kind: "component", Namespace: "default", Name: "a"})
	facts, err := w.st.Facts(t.Context(), got.Entity.UID)
	require.NoError(t, err)
	require.Equal(t, "upstream says no", facts[0].Error)
	require.Empty(t, w.work(r, p), "not again at once")
	status, err := r.Status(t.Context())
	require.NoError(t, err)
	require.Equal(t, enrich.StateFailing, status[0].State)
	require.Equal(t, store.PluginCounts{Entities: 2, Failed: 1}, status[0].Counts)
	w.put("one", `{}`, "Component/a other", "Component/b pay")
	fail = ""
	require.Equal(t, []string{"a"}, w.work(r, p), "but when it changes")
	require.JSONEq(t, `{"test.value":"good other"}`, w.facts("a"))
}

// What a plugin says must be what it declared; else what it said before stays.
func TestLies(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]plugins.Answer{
		"undeclared":  {Facts: []catalog.Fact{{Key: "test.other", Value: json.RawMessage(`1`)}}},
		"foreign":     {Facts: []catalog.Fact{{Key: "slo.value", Value: json.RawMessage(`"x"`)}}},
		"wrong type":  {Facts: []catalog.Fact{{Key: "test.value", Value: json.RawMessage(`1`)}}},
		"no JSON":     {Facts: []catalog.Fact{{Key: "test.value", Value: json.RawMessage(`{`)}}},
		"no value":    {Facts: []catalog.Fact{{Key: "test.value"}}},
		"twice":       {Facts: []catalog.Fact{{Key: "test.value", Value: json.RawMessage(`"x"`)}, {Key: "test.value", Value: json.RawMessage(`"y"`)}}},
		"huge":        value(strings.Repeat("x", 1<<20)),
		"evidence":    {Facts: []catalog.Fact{{Key: "test.value", Value: json.RawMessage(`"x"`), Evidence: make([]catalog.Evidence, 1000)}}},
		"problems":    {Problems: make([]catalog.Problem, 1000)},
		"endless due": {Err: errors.New(strings.Repeat("long ", 10000))},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			lie := false
			p := &asked{answer: func(context.Context, plugins.Subject) (plugins.Answer, error) {
				if lie {
					return answer, nil
				}
				return value("true"), nil
			}}
			w.put("one", `{}`, "Component/a shop")
			r := w.runner(p)
			w.work(r, p)
			lie = true
			w.put("one", `{}`, "Component/a pay")
			require.Equal(t, []string{"a"}, w.work(r, p))
			require.JSONEq(t, `{"test.value":"true"}`, w.facts("a"))
			status, err := r.Status(t.Context())
			require.NoError(t, err)
			require.Equal(t, enrich.StateFailing, status[0].State)
			require.NotEmpty(t, status[0].Error)
			require.Less(t, len(status[0].Error), 4096)
		})
	}
}

// A plugin that panics, returns the wrong number of answers, or hangs costs a
// failure; after some in a row it is left alone, and what it said is served.
func TestBreaker(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	t.Cleanup(func() { close(release) })
	for name, bad := range map[string]func(ctx context.Context) error{
		"panics": func(context.Context) error { panic("at the disco") },
		"fails":  func(context.Context) error { return errors.New("no") },
		"hangs":  func(context.Context) error { <-release; return nil },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			broken := false
			var calls int
			p := &asked{limits: plugins.Limits{Batch: 1, Deadline: 20 * time.Millisecond}}
			p.answer = func(ctx context.Context, s plugins.Subject) (plugins.Answer, error) {
				if broken {
					p.mu.Lock()
					calls++
					p.mu.Unlock()
					if err := bad(ctx); err != nil {
						return plugins.Answer{}, err
					}
				}
				return value("good"), nil
			}
			var entities, changed []string
			for i := range 20 {
				entities = append(entities, fmt.Sprintf("Component/c%02d shop", i))
				changed = append(changed, fmt.Sprintf("Component/c%02d pay", i))
			}
			w.put("one", `{}`, entities...)
			r := w.runner(p)
			w.work(r, p)
			p.mu.Lock()
			broken = true
			p.mu.Unlock()
			w.put("one", `{}`, changed...)
			begin := time.Now()
			w.work(r, p)
			w.work(r, p)
			require.Less(t, time.Since(begin), 5*time.Second)
			p.mu.Lock()
			require.LessOrEqual(t, calls, 6, "it is left alone")
			p.mu.Unlock()
			require.JSONEq(t, `{"test.value":"good"}`, w.facts("c19"))
			status, err := r.Status(t.Context())
			require.NoError(t, err)
			if name != "hangs" { // which may be left alone for its calls that still run
				require.Equal(t, enrich.StateOpen, status[0].State)
			}
			require.NotEmpty(t, status[0].Error)
		})
	}
}

// A fact that goes stale is asked for again when it does.
func TestStale(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	n := 0
	p := &asked{fresh: time.Millisecond, answer: func(context.Context, plugins.Subject) (plugins.Answer, error) {
		n++
		return value(fmt.Sprint(n)), nil
	}}
	w.put("one", `{}`, "Component/a shop")
	r := w.runner(p)
	require.Equal(t, []string{"a"}, w.work(r, p))
	require.Empty(t, w.work(r, p), "no sooner than after a second, whatever it says")
	require.Eventually(t, func() bool { return len(w.work(r, p)) == 1 }, 5*time.Second, 50*time.Millisecond)
	require.JSONEq(t, `{"test.value":"2"}`, w.facts("a"))
}

// Run hears of changes by itself.
func TestRun(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := &asked{answer: func(_ context.Context, s plugins.Subject) (plugins.Answer, error) {
		return value(s.Entity.Text("spec.owner")), nil
	}}
	r, err := enrich.New(t.Context(), enrich.Options{Store: w.st, Index: w.x, Feed: w.hub, Log: slog.New(slog.DiscardHandler), Quiet: time.Millisecond}, []enrich.Configured{{Plugin: p}})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { _ = r.Run(ctx) })
	t.Cleanup(wg.Wait)
	t.Cleanup(cancel)
	for _, owner := range []string{"shop", "pay", "shop"} {
		w.put("one", `{}`, "Component/a "+owner)
		require.Eventually(t, func() bool { w.follow(); return w.facts("a") == fmt.Sprintf(`{"test.value":%q}`, owner) }, 10*time.Second, 5*time.Millisecond)
	}
}

// Who reads relations of one type does not depend on those of others: a team's
// components are not asked for again because it gets another one.
func TestRelationsOfAType(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := &asked{answer: func(_ context.Context, s plugins.Subject) (plugins.Answer, error) {
		team := catalog.Ref{Kind: "group", Namespace: "default", Name: s.Entity.Text("spec.owner")}
		return value(fmt.Sprint(len(s.View.Relations(team, catalog.HasMember)))), nil
	}}
	w.put("org", `{}`, "Group/shop", "User/ann")
	w.put("one", `{}`, "Component/a shop", "Component/b shop")
	r := w.runner(p)
	require.Equal(t, []string{"a", "b"}, w.work(r, p))
	w.put("two", `{}`, "Component/c shop")
	require.Equal(t, []string{"c"}, w.work(r, p))
	again := w.runner(p)
	require.Empty(t, w.work(again, p))
	u := store.RepositoryUpdate{Repository: store.Repository{ID: "people", Name: "acme/people", State: "1", Facts: []byte("{}")}}
	e, _ := catalog.NewEntity("backstage.io/v1alpha1", "User", map[string]any{"name": "bob"}, map[string]any{"memberOf": []any{"shop"}}, catalog.Origin{Source: w.source, Repository: "acme/people", Path: "x.yaml", Line: 1})
	u.Claims = append(u.Claims, store.Claim{Key: "bob", Entity: e})
	_, err := w.st.Apply(t.Context(), w.source, []store.RepositoryUpdate{u})
	require.NoError(t, err)
	w.follow()
	require.Equal(t, []string{"a", "b", "c"}, w.work(again, p))
	require.JSONEq(t, `{"test.value":"1"}`, w.facts("a"))
}
