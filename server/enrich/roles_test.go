package enrich_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waypost-dev/waypost/plugins"
	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/enrich"
	"github.com/waypost-dev/waypost/server/index"
	"github.com/waypost-dev/waypost/server/store"
)

// busy is a plugin with every role but serving.
type busy struct {
	asked
	host     plugins.Host
	collect  func(ctx context.Context, v plugins.View) ([]catalog.Ref, error)
	handled  []string
	handle   func() ([]catalog.Ref, error)
	inferred func() ([]*catalog.Entity, error)
}

var _ interface {
	plugins.Configurer
	plugins.Collector
	plugins.Handler
	plugins.Relater
} = (*busy)(nil)

func (p *busy) Describe() plugins.Descriptor {
	d := p.asked.Describe()
	d.Events = []string{"deployment"}
	return d
}

func (p *busy) Configure(_ context.Context, _ json.RawMessage, h plugins.Host) error {
	p.host = h
	return nil
}

func (p *busy) Collect(ctx context.Context, v plugins.View) ([]catalog.Ref, error) {
	if p.collect == nil {
		return nil, nil
	}
	return p.collect(ctx, v)
}

func (p *busy) Handle(_ context.Context, e plugins.Event, _ plugins.View) ([]catalog.Ref, error) {
	p.handled = append(p.handled, e.Source+" "+e.Type+" "+string(e.Payload))
	return p.handle()
}

func (p *busy) Infer(context.Context, plugins.View) ([]*catalog.Entity, error) {
	if p.inferred == nil {
		return nil, nil
	}
	return p.inferred()
}

func proposed(kind, name string, spec string) *catalog.Entity {
	return &catalog.Entity{Document: []byte(`{"apiVersion":"backstage.io/v1alpha1","kind":"` + kind + `","metadata":{"name":"` + name + `"},"spec":` + spec + `}`)}
}

func (w *world) ref(name string) catalog.Ref {
	return catalog.Ref{Kind: "component", Namespace: "default", Name: name}
}

// What is collected is kept with the plugin, and the entities that it names are
// asked about again, and no others.
func TestCollect(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := &busy{}
	p.answer = func(ctx context.Context, s plugins.Subject) (plugins.Answer, error) {
		got, err := p.host.Records().Get(ctx, s.Entity.Ref.Name)
		if errors.Is(err, plugins.ErrNoRecord) {
			return value("none"), nil
		}
		return value(string(got.Value)), err
	}
	w.put("one", `{}`, "Component/a x", "Component/b x")
	r := w.runner(p)
	require.Equal(t, []string{"a", "b"}, w.work(r, &p.asked))
	require.JSONEq(t, `{"test.value":"none"}`, w.facts("a"))

	p.collect = func(ctx context.Context, v plugins.View) ([]catalog.Ref, error) {
		n := 0
		v.Each("component", func(*catalog.Entity) bool { n++; return true })
		require.Equal(t, 2, n, "a collector sees the whole catalog")
		return []catalog.Ref{w.ref("a")}, p.host.Records().Put(ctx, "a", map[string]int{"deploys": n}, 0)
	}
	require.Empty(t, w.work(r, &p.asked), "it is not time yet")
	again := w.runner(p) // a restart does not make it time either, until the catalog has grown
	w.put("two", `{}`, "Component/c x")
	p.collect = func(ctx context.Context, _ plugins.View) ([]catalog.Ref, error) {
		return []catalog.Ref{w.ref("a")}, p.host.Records().Put(ctx, "a", "two deploys", 0)
	}
	require.Equal(t, []string{"a", "c"}, w.work(again, &p.asked))
	require.JSONEq(t, `{"test.value":"\"two deploys\""}`, w.facts("a"))

	// One that fails is recorded, and does not keep entities from being answered.
	p.collect = func(context.Context, plugins.View) ([]catalog.Ref, error) { panic("upstream") }
	w.put("three", `{}`, "Component/d x")
	_, err := again.Again(t.Context(), "test")
	require.NoError(t, err)
	require.Contains(t, w.work(again, &p.asked), "d")
	runs, err := w.st.PluginRuns(t.Context(), "test", 10)
	require.NoError(t, err)
	var failed []string
	for _, run := range runs {
		if run.Role == enrich.RoleCollect && run.Error != "" {
			failed = append(failed, run.Error)
		}
	}
	require.Len(t, failed, 1)
	require.Contains(t, failed[0], "it panicked: upstream")
}

// A delivery reaches the plugins that named its type.
func TestHandle(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := &busy{}
	p.answer = func(context.Context, plugins.Subject) (plugins.Answer, error) { return value("x"), nil }
	w.put("one", `{}`, "Component/a x", "Component/b x")
	r := w.runner(p)
	w.work(r, &p.asked)
	p.handle = func() ([]catalog.Ref, error) { return []catalog.Ref{w.ref("b")}, nil }
	r.Handle(t.Context(), plugins.Event{Source: "github:acme", Type: "push", Payload: []byte(`{}`)})
	require.Empty(t, p.handled)
	require.Empty(t, w.work(r, &p.asked))
	r.Handle(t.Context(), plugins.Event{Source: "github:acme", Type: "deployment", Payload: []byte(`{"id":1}`)})
	require.Equal(t, []string{`github:acme deployment {"id":1}`}, p.handled)
	require.Equal(t, []string{"b"}, w.work(r, &p.asked))
	p.handle = func() ([]catalog.Ref, error) { return nil, errors.New("no") }
	r.Handle(t.Context(), plugins.Event{Type: "deployment"})
	require.Empty(t, w.work(r, &p.asked))
	state, err := r.Status(t.Context(), "test")
	require.NoError(t, err)
	require.Contains(t, strings.Join(state[0].Roles, " "), "handle")
}

// What a plugin infers is in the catalog, below what anybody declares, and gone
// when the plugin infers it no more. What is wrong is refused whole.
func TestInfer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := &busy{}
	p.answer = func(context.Context, plugins.Subject) (plugins.Answer, error) {
		return plugins.Answer{Relations: []catalog.Relation{{Type: catalog.DependsOn, Target: catalog.Ref{Kind: "resource", Namespace: "default", Name: "db"}}}}, nil
	}
	const db = `{"type":"database","owner":"x"}`
	p.inferred = func() ([]*catalog.Entity, error) {
		return []*catalog.Entity{proposed("Resource", "db", db), proposed("Component", "a", `{"type":"guess","lifecycle":"x","owner":"y"}`)}, nil
	}
	w.put("one", `{}`, "Component/a x")
	r := w.runner(p)
	w.work(r, &p.asked)
	found, ok := w.x.Snapshot().Get(catalog.Ref{Kind: "resource", Namespace: "default", Name: "db"})
	require.True(t, ok)
	require.True(t, found.Entity.Origin.Inferred)
	require.Equal(t, "plugin:test", found.Entity.Origin.Source)
	a, ok := w.x.Snapshot().Get(w.ref("a"))
	require.True(t, ok)
	require.Equal(t, w.source, a.Entity.Origin.Source, "a declared one counts")
	// The relation that the plugin found holds in both directions.
	list, err := w.x.Snapshot().List(index.Query{Filter: `"component:default/a" in relations.dependencyOf`, Size: 5})
	require.NoError(t, err)
	require.Len(t, list.Records, 1)

	again := func() string {
		_, err := r.Again(t.Context(), "test")
		require.NoError(t, err)
		require.NoError(t, r.Work(t.Context(), "test"))
		w.follow()
		state, err := r.Status(t.Context(), "test")
		require.NoError(t, err)
		return state[0].Error
	}
	good := p.inferred
	for name, wrong := range map[string][]*catalog.Entity{
		"is nil":        {nil},
		"not JSON":      {{Document: []byte(`{`)}},
		"infers":        {proposed("Resource", "db", db), proposed("Resource", "DB", db)},
		"spec.owner":    {proposed("Resource", "db", `{"type":"database"}`)},
		"metadata.name": {proposed("Resource", "no spaces", db)},
	} {
		p.inferred = func() ([]*catalog.Entity, error) { return wrong, nil }
		require.Contains(t, again(), name)
		_, ok = w.x.Snapshot().Get(found.Entity.Ref)
		require.True(t, ok, "what was inferred before stays")
	}
	p.inferred = func() ([]*catalog.Entity, error) { return nil, nil }
	require.Empty(t, again())
	_, ok = w.x.Snapshot().Get(found.Entity.Ref)
	require.False(t, ok)
	p.inferred = good
}

// extending is a plugin that adds functions to filters.
type extending struct {
	asked
	functions []plugins.Function
}

func (p *extending) Functions() []plugins.Function { return p.functions }

func TestFunctions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.put("one", `{}`, "Component/short x", "Component/a-longer-name x", "Component/panics x")
	p := &extending{functions: []plugins.Function{{
		Name: "test.longer", Arguments: []string{"int"}, Result: "bool",
		Call: func(e map[string]any, arguments []any) (any, error) {
			name, _ := e["metadata"].(map[string]any)["name"].(string)
			if name == "panics" {
				panic("no")
			}
			return int64(len(name)) > arguments[0].(int64), nil
		},
	}}}
	p.answer = func(context.Context, plugins.Subject) (plugins.Answer, error) { return value("x"), nil }
	r := w.runner(p)
	names := func(filter string) (out []string) {
		list, err := w.x.Snapshot().List(index.Query{Filter: filter, Size: 10})
		require.NoError(t, err)
		for _, x := range list.Records {
			out = append(out, x.Entity.Ref.Name)
		}
		return out
	}
	require.Equal(t, []string{"a-longer-name"}, names(`test.longer(entity, 5)`))
	require.Equal(t, []string{"short"}, names(`entity.kind == "Component" && !test.longer(entity, 5)`))
	_, err := w.x.Snapshot().List(index.Query{Filter: `test.longer(entity, "5")`, Size: 1})
	require.ErrorContains(t, err, "test.longer")
	state, err := r.Status(t.Context(), "test")
	require.NoError(t, err)
	require.Contains(t, state[0].Roles, "extend")

	for want, f := range map[string]plugins.Function{
		"must be named test.":     {Name: "other.f", Result: "bool", Call: p.functions[0].Call},
		"has nothing to call":     {Name: "test.f", Result: "bool"},
		`"boolean" is no type`:    {Name: "test.f", Result: "boolean", Call: p.functions[0].Call},
		`"map" is no type; there`: {Name: "test.f", Arguments: []string{"map"}, Result: "bool", Call: p.functions[0].Call},
	} {
		bad := &extending{functions: []plugins.Function{f}}
		_, err := enrich.New(t.Context(), enrich.Options{Store: w.st, Index: w.x, Feed: w.hub, Log: slog.New(slog.DiscardHandler)}, []enrich.Configured{{Plugin: bad}})
		require.ErrorContains(t, err, want)
	}
}

// In the midst of a harvest nobody is asked.
func TestWaitsForHarvest(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := &asked{answer: func(context.Context, plugins.Subject) (plugins.Answer, error) { return value("x"), nil }}
	r, err := enrich.New(t.Context(), enrich.Options{
		Store: w.st, Index: w.x, Feed: w.hub, Log: slog.New(slog.DiscardHandler), Quiet: time.Millisecond,
		Enqueue: func(context.Context, string) error { return nil },
	}, []enrich.Configured{{Plugin: p}})
	require.NoError(t, err)
	h, err := w.st.BeginHarvest(t.Context(), w.source, "test")
	require.NoError(t, err)
	w.put("one", `{}`, "Component/a x")
	require.Empty(t, w.work(r, p))
	h.State = store.HarvestSucceeded
	require.NoError(t, w.st.FinishHarvest(t.Context(), h, nil))
	require.Equal(t, []string{"a"}, w.work(r, p))
}
