package plugintest

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waypost-dev/waypost/plugins"
	"github.com/waypost-dev/waypost/server/catalog"
)

// Entity makes an entity of Backstage's v1alpha1 that acme/NAME declares in
// catalog-info.yaml. What is wrong with its spec is left in.
func Entity(t testing.TB, kind, name string, metadata, spec map[string]any) *catalog.Entity {
	t.Helper()
	m := map[string]any{"name": name}
	for k, v := range metadata {
		m[k] = v
	}
	e, violations := catalog.NewEntity("backstage.io/v1alpha1", kind, m, spec, catalog.Origin{
		Source: "github:acme", Repository: "acme/" + name, Path: "catalog-info.yaml", Line: 1,
	})
	require.NotNil(t, e, "%v", violations)
	return e
}

// Hostile are entities such as no person writes, and each of which a catalog may
// hold: they pass the rules by which an entity gets a ref.
func Hostile(t testing.TB) []*catalog.Entity {
	t.Helper()
	long := strings.Repeat("0123456789abcdef", 1<<16) // 1 MiB
	odd := "\u202e\u0000\ufffd\u200b\U0001F600e\u0301\u2028<script>"
	// What no source would let through is written by hand.
	raw := func(name, doc string) *catalog.Entity {
		require.True(t, json.Valid([]byte(doc)), doc)
		return &catalog.Entity{Ref: catalog.Ref{Kind: "Component", Namespace: "default", Name: name}, Document: []byte(doc)}
	}
	deep := strings.Repeat(`{"a":`, 20) + "1" + strings.Repeat("}", 20)
	return []*catalog.Entity{
		raw("no-spec", `{"apiVersion":"backstage.io/v1alpha1","kind":"Component","metadata":{"name":"no-spec"}}`),
		raw("nulls", `{"apiVersion":null,"kind":null,"metadata":{"annotations":null,"labels":null,"links":null,"name":null,"tags":null},"spec":null}`),
		raw("wrong-types", `{"apiVersion":1,"kind":[],"metadata":{"annotations":[1],"labels":"x","links":{"a":1},"name":{},"tags":3},"spec":[true]}`),
		raw("empty", `{}`),
		raw("numbers", `{"metadata":{"annotations":{"n":1e308},"name":"numbers"},"spec":{"big":123456789012345678901234567890,"small":-0.0}}`),
		raw("deep", `{"metadata":{"name":"deep"},"spec":`+deep+`}`),
		Entity(t, "Component", "long", map[string]any{
			"description": long, "annotations": map[string]any{"acme.example/long": long}, "links": []any{map[string]any{"url": "https://example.org/" + long, "title": long}},
		}, map[string]any{"type": "service", "lifecycle": "production", "owner": "shop"}),
		Entity(t, "Component", "odd", map[string]any{"description": odd, "title": odd}, map[string]any{"type": odd, "lifecycle": odd, "owner": "shop"}),
		{Ref: catalog.Ref{Kind: "Unheard-Of", Namespace: "default", Name: "kind"}, Document: []byte(`{"apiVersion":"acme.example/v9","kind":"Unheard-Of","metadata":{"name":"kind"},"spec":{"x":[null]}}`)},
	}
}

// view shows entities to a plugin.
type view struct {
	entities     map[string]*catalog.Entity
	repositories map[string]plugins.Repository
}

func newView(entities []*catalog.Entity, repositories map[string]plugins.Repository) *view {
	v := &view{entities: map[string]*catalog.Entity{}, repositories: repositories}
	for _, e := range entities {
		v.entities[e.Ref.Key()] = e
	}
	return v
}

func (v *view) Entity(ref catalog.Ref) (*catalog.Entity, bool) {
	e, ok := v.entities[ref.Key()]
	return e, ok
}

func (v *view) Relations(ref catalog.Ref, types ...string) []catalog.Relation {
	if e, ok := v.entities[ref.Key()]; ok {
		return plugins.OfTypes(e.Relations, types)
	}
	return nil
}

func (v *view) Repository(e *catalog.Entity) (plugins.Repository, bool) {
	r, ok := v.repositories[e.Origin.Repository]
	return r, ok && e.Origin.Repository != ""
}

func (v *view) Each(kind string, yield func(*catalog.Entity) bool) {
	for _, e := range v.entities {
		if strings.EqualFold(e.Ref.Kind, kind) && !yield(e) {
			return
		}
	}
}
