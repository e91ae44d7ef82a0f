package api

import (
	"context"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"
	"pgregory.net/rapid"

	catalogv1 "github.com/waypost-dev/waypost/proto/waypost/catalog/v1"
	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/descriptor"
	"github.com/waypost-dev/waypost/server/index"
)

// requireForms holds the fast forms of every entity against the typed message.
func requireForms(t require.TestingT, entities []*catalog.Entity) {
	x := index.New()
	x.Load(entities, 1)
	s := x.Snapshot()
	for _, e := range entities {
		r, ok := s.Get(e.Ref)
		require.True(t, ok, "%s", e.Ref)
		typed := maskedEntity(s, r, nil)

		wire, err := proto.MarshalOptions{Deterministic: true}.Marshal(typed)
		require.NoError(t, err)
		require.Equal(t, wire, wireOf(s, r), "%s on the wire", e.Ref)

		text, err := protojson.Marshal(typed)
		require.NoError(t, err)
		fast := appendJSON(nil, s, r)
		var want, got any
		require.NoError(t, json.Unmarshal(text, &want))
		require.NoError(t, json.Unmarshal(fast, &got), "%s", fast)
		if diff := cmp.Diff(want, got); diff != "" {
			require.Fail(t, "JSON differs", "%s: -protojson +fast\n%s", e.Ref, diff)
		}
		var back catalogv1.Entity
		require.NoError(t, protojson.Unmarshal(fast, &back), "%s", fast)
		if diff := cmp.Diff(typed, &back, protocmp.Transform()); diff != "" {
			require.Fail(t, "JSON read back differs", "%s\n%s", e.Ref, diff)
		}
	}
}

func TestFormsOfSample(t *testing.T) {
	t.Parallel()
	requireForms(t, acme(t))
	requireForms(t, many(t, 500))
}

// TestFormsOfAnything draws metadata and specs of any shape.
func TestFormsOfAnything(t *testing.T) {
	t.Parallel()
	word := rapid.OneOf(rapid.StringMatching(`[a-z]{0,6}`), rapid.String())
	var value func(depth int) *rapid.Generator[any]
	value = func(depth int) *rapid.Generator[any] {
		kinds := []*rapid.Generator[any]{
			word.AsAny(), rapid.Bool().AsAny(), rapid.Just[any](nil),
			rapid.Int64Range(-1<<60, 1<<60).AsAny(), rapid.Float64Range(-1e300, 1e300).AsAny(),
		}
		if depth > 0 {
			kinds = append(kinds,
				rapid.SliceOfN(value(depth-1), 0, 3).AsAny(),
				rapid.MapOfN(word, value(depth-1), 0, 3).AsAny())
		}
		return rapid.OneOf(kinds...)
	}
	texts := rapid.MapOfN(word, word, 0, 3).AsAny()
	link := rapid.MapOfN(rapid.SampledFrom([]string{"url", "title", "icon", "type", "rel"}), word, 0, 4)
	fields := map[string]*rapid.Generator[any]{
		"title": word.AsAny(), "description": word.AsAny(), "labels": texts, "annotations": texts,
		"tags": rapid.SliceOfN(word, 0, 3).AsAny(), "links": rapid.SliceOfN(link, 0, 2).AsAny(), "custom": value(2),
	}
	rapid.Check(t, func(rt *rapid.T) {
		meta := map[string]any{"name": rapid.StringMatching(`[A-Za-z0-9]{1,8}`).Draw(rt, "name"), "namespace": "default"}
		for name, g := range fields {
			switch rapid.IntRange(0, 4).Draw(rt, "has "+name) {
			case 0, 1:
				meta[name] = g.Draw(rt, name)
			case 2:
				meta[name] = value(1).Draw(rt, "odd "+name)
			}
		}
		doc := map[string]any{"kind": rapid.SampledFrom([]string{"Component", "Thing"}).Draw(rt, "kind"), "metadata": meta}
		switch rapid.IntRange(0, 3).Draw(rt, "spec") {
		case 0:
		case 1:
			doc["spec"] = value(1).Draw(rt, "odd spec")
		default:
			doc["spec"] = rapid.MapOfN(word, value(3), 0, 5).Draw(rt, "spec")
		}
		e := document(t, doc)
		if facts := rapid.MapOfN(rapid.StringMatching(`[a-z]{1,4}\.[a-z_]{1,6}`), value(1), 0, 2).Draw(rt, "facts"); len(facts) > 0 {
			b, err := json.Marshal(facts)
			require.NoError(rt, err)
			e.Facts = b
		}
		if rapid.Bool().Draw(rt, "stored") {
			stored([]*catalog.Entity{e})
		}
		requireForms(rt, []*catalog.Entity{e})
	})
}

// TestFormsOfCorpus takes real documents through the decoder.
func TestFormsOfCorpus(t *testing.T) {
	t.Parallel()
	root := filepath.Join("..", "..", "..", "shared", "corpus")
	if _, err := os.Stat(root); err != nil {
		t.Skip("no corpus beside the repository")
	}
	var entities []*catalog.Entity
	seen := map[string]bool{}
	require.NoError(t, filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".yaml") && !strings.HasSuffix(path, ".yml") {
			return err
		}
		b, err := os.ReadFile(path)
		require.NoError(t, err)
		for _, e := range descriptor.Decode(descriptor.File{Path: path, Content: b}).Entities {
			if !seen[e.Ref.Key()] {
				seen[e.Ref.Key()] = true
				entities = append(entities, e)
			}
		}
		return nil
	}))
	require.Greater(t, len(entities), 100, "the corpus holds hundreds of entities")
	t.Logf("%d entities", len(entities))
	requireForms(t, stored(entities))
}

// TestAnswersAlike asks for every answer in all three forms.
func TestAnswersAlike(t *testing.T) {
	t.Parallel()
	f := newFixture(t, acme(t))
	overWire := f.catalog(t)
	typed := catalogv1.NewCatalogServiceClient(f.Conn())
	gateway := &marshaler{}
	service := &catalogService{index: f.index, problems: &problems{index: f.index, store: f.store}}
	asJSON := func(call func(ctx context.Context) (proto.Message, error), into proto.Message) {
		r := &rest{}
		m, err := call(context.WithValue(t.Context(), formKey{}, r))
		require.NoError(t, err)
		b, err := gateway.Marshal(m)
		require.NoError(t, err)
		require.NoError(t, protojson.Unmarshal(b, into), "%s", b)
	}
	alike := func(a, b, c proto.Message) {
		t.Helper()
		require.Empty(t, cmp.Diff(a, b, protocmp.Transform()), "wire")
		require.Empty(t, cmp.Diff(a, c, protocmp.Transform()), "JSON")
	}

	get := &catalogv1.GetEntityRequest{Name: "entities/component:default/checkout"}
	a, err := typed.GetEntity(t.Context(), get)
	require.NoError(t, err)
	require.Equal(t, "Checkout", a.Metadata.Name, "in process the message is typed")
	b, err := overWire.GetEntity(t.Context(), get)
	require.NoError(t, err)
	var c catalogv1.Entity
	asJSON(func(ctx context.Context) (proto.Message, error) { return service.GetEntity(ctx, get) }, &c)
	alike(a, b, &c)

	for _, req := range []*catalogv1.ListEntitiesRequest{
		{}, {PageSize: 2}, {Filter: "false"}, {Filter: `entity.kind == "Component"`, OrderBy: "metadata.name desc"},
	} {
		a, err := typed.ListEntities(t.Context(), req)
		require.NoError(t, err)
		b, err := overWire.ListEntities(t.Context(), req)
		require.NoError(t, err)
		var c catalogv1.ListEntitiesResponse
		asJSON(func(ctx context.Context) (proto.Message, error) { return service.ListEntities(ctx, req) }, &c)
		alike(a, b, &c)
	}

	batch := &catalogv1.BatchGetEntitiesRequest{Names: []string{"entities/group:default/payments", "entities/x:y/z", "entities/Component:default/LEDGER"}}
	ba, err := typed.BatchGetEntities(t.Context(), batch)
	require.NoError(t, err)
	require.Len(t, ba.Entities, 2)
	bb, err := overWire.BatchGetEntities(t.Context(), batch)
	require.NoError(t, err)
	var bc catalogv1.BatchGetEntitiesResponse
	asJSON(func(ctx context.Context) (proto.Message, error) { return service.BatchGetEntities(ctx, batch) }, &bc)
	alike(ba, bb, &bc)

	for _, req := range []*catalogv1.SearchEntitiesRequest{{Query: "checkout"}, {Query: "nothing-like-it"}, {Query: "e", PageSize: 1}} {
		a, err := typed.SearchEntities(t.Context(), req)
		require.NoError(t, err)
		b, err := overWire.SearchEntities(t.Context(), req)
		require.NoError(t, err)
		var c catalogv1.SearchEntitiesResponse
		asJSON(func(ctx context.Context) (proto.Message, error) { return service.SearchEntities(ctx, req) }, &c)
		alike(a, b, &c)
	}

	for _, req := range []*catalogv1.QueryFacetsRequest{
		{Fields: []string{"kind", "spec.type", "metadata.tags", "spec.absent"}}, {Fields: []string{"kind"}, Limit: 1}, {Fields: []string{"kind"}, Filter: "false"},
	} {
		a, err := typed.QueryFacets(t.Context(), req)
		require.NoError(t, err)
		b, err := overWire.QueryFacets(t.Context(), req)
		require.NoError(t, err)
		var c catalogv1.QueryFacetsResponse
		asJSON(func(ctx context.Context) (proto.Message, error) { return service.QueryFacets(ctx, req) }, &c)
		alike(a, b, &c)
	}
}

func TestReadMask(t *testing.T) {
	t.Parallel()
	f := newFixture(t, acme(t))
	for name, client := range map[string]catalogv1.CatalogServiceClient{"wire": f.catalog(t), "in process": catalogv1.NewCatalogServiceClient(f.Conn())} {
		e, err := client.GetEntity(t.Context(), &catalogv1.GetEntityRequest{
			Name: "entities/component:default/checkout", ReadMask: maskOf("name", "metadata.labels.tier", "metadata.title", "spec.owner", "spec.deep.a", "apiVersion", "origin"),
		})
		require.NoError(t, err, name)
		b, err := protojson.Marshal(e)
		require.NoError(t, err)
		require.JSONEq(t, `{
			"name":"entities/component:default/checkout","apiVersion":"backstage.io/v1alpha1",
			"metadata":{"title":"Checkout service","labels":{"tier":"1"}},
			"spec":{"owner":"payments","deep":{"a":[1,"x",true,{}]}},
			"origin":{"source":"dir:/srv/git","repository":"acme/Checkout","path":"catalog-info.yaml","line":1,"commit":"0123456789abcdef0123456789abcdef01234567"}
		}`, string(b), name)
	}
	for _, paths := range [][]string{nil, {"*"}, {"name", "*"}} {
		m, err := parseMask(maskOf(paths...))
		require.NoError(t, err)
		require.Nil(t, m, "%v keeps everything", paths)
	}
	for _, bad := range []string{"nmae", "metadata.nmae", "relations.type", "kind.x", strings.Repeat("spec.", 20) + "x", "."} {
		_, err := parseMask(maskOf(bad))
		require.Error(t, err, bad)
	}
	_, err := parseMask(maskOf(make([]string, maxMaskPaths+1)...))
	require.ErrorContains(t, err, "at most 100")
	// A path that covers another keeps all of it, in either order.
	for _, paths := range [][]string{{"metadata", "metadata.name"}, {"metadata.name", "metadata"}} {
		m, err := parseMask(maskOf(paths...))
		require.NoError(t, err)
		require.Equal(t, mask{"metadata": nil}, m)
	}
}
