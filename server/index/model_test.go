package index

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/waypost-dev/waypost/server/catalog"
)

// model is the naive read model: it scans everything for each question.
type model map[string]*catalog.Entity

func (m model) relations(key string) []Relation {
	var out []Relation
	add := func(r Relation) {
		if !slices.Contains(out, r) {
			out = append(out, r)
		}
	}
	for _, x := range m[key].Relations {
		add(Relation{x.Type, x.Target, m[x.Target.Key()] != nil})
	}
	for _, e := range m {
		for _, x := range e.Relations {
			if inv := catalog.Inverse(x.Type); inv != "" && x.Target.Key() == key {
				add(Relation{inv, e.Ref.Lower(), true})
			}
		}
	}
	slices.SortFunc(out, func(a, b Relation) int { return strings.Compare(a.Type+" "+a.Target.Key(), b.Type+" "+b.Target.Key()) })
	return out
}

// selected evaluates a filter with CEL alone.
func (m model) selected(t require.TestingT, filter string, levels map[string]catalog.Severity) []string {
	ast, issues := environment.Load().Compile(filter)
	require.NoError(t, issues.Err(), filter)
	program, err := environment.Load().Program(ast, cel.CostLimit(maxFilterCost))
	require.NoError(t, err)
	out := []string{}
	for key, e := range m {
		var doc map[string]any
		require.NoError(t, json.Unmarshal(e.Document, &doc))
		doc["status"] = map[string]any{}
		if l := levels[key]; l != "" {
			doc["status"] = map[string]any{"level": string(l)}
		}
		related := map[string][]string{}
		for _, x := range m.relations(key) {
			related[x.Type] = append(related[x.Type], x.Target.Key())
		}
		facts := map[string]any{}
		if len(e.Facts) > 0 {
			require.NoError(t, json.Unmarshal(e.Facts, &facts))
		}
		if v, _, err := program.Eval(map[string]any{"entity": doc, "facts": facts, "relations": related, "ref": key}); err == nil && v == types.True {
			out = append(out, key)
		}
	}
	slices.Sort(out)
	return out
}

var drawName = rapid.SampledFrom([]string{"a", "B", "c1", "Dd", "payment-api", "paymentWeb"})

func drawRef(t *rapid.T) catalog.Ref {
	return catalog.Ref{Kind: rapid.SampledFrom([]string{"Component", "Group"}).Draw(t, "kind"), Namespace: "default", Name: drawName.Draw(t, "name")}
}

func drawEntity(t *rapid.T) *catalog.Entity {
	r := drawRef(t)
	scalar := rapid.SampledFrom([]any{"java", "Java", "go", "", 1, 2.5, 0, true, false, nil, "é"})
	spec := map[string]any{}
	for _, f := range []string{"type", "n"} {
		switch rapid.IntRange(0, 5).Draw(t, f) {
		case 0:
		case 1:
			spec[f] = rapid.SliceOfN(scalar, 0, 3).Draw(t, "list")
		case 2:
			spec[f] = map[string]any{rapid.SampledFrom([]string{"java", "x", "0"}).Draw(t, "key"): scalar.Draw(t, "in")}
		default:
			spec[f] = scalar.Draw(t, "scalar")
		}
	}
	metadata := map[string]any{"name": r.Name, "namespace": r.Namespace, "tags": rapid.SliceOfN(rapid.SampledFrom([]string{"java", "go", "c"}), 0, 3).Draw(t, "tags")}
	doc := map[string]any{"apiVersion": "v1", "kind": r.Kind, "metadata": metadata}
	if rapid.IntRange(0, 5).Draw(t, "spec") > 0 {
		doc["spec"] = spec
	}
	b, err := json.Marshal(doc)
	require.NoError(t, err)
	e := &catalog.Entity{Ref: r, Document: b, UID: "uid " + r.Key()}
	if facts := rapid.MapOfN(rapid.SampledFrom([]string{"own.team", "slo.left", "plain"}), scalar, 0, 2).Draw(t, "facts"); len(facts) > 0 {
		e.Facts, err = json.Marshal(facts)
		require.NoError(t, err)
	}
	for range rapid.IntRange(0, 3).Draw(t, "relations") {
		e.Relations = append(e.Relations, catalog.Relation{Type: rapid.SampledFrom([]string{"ownedBy", "ownerOf", "dependsOn", "custom"}).Draw(t, "type"), Target: drawRef(t).Lower(), Field: "spec.x"})
	}
	return e
}

func drawFilter(t *rapid.T, depth int) string {
	if depth > 0 {
		switch rapid.IntRange(0, 4).Draw(t, "shape") {
		case 0:
			return "(" + drawFilter(t, depth-1) + " && " + drawFilter(t, depth-1) + ")"
		case 1:
			return "(" + drawFilter(t, depth-1) + " || " + drawFilter(t, depth-1) + ")"
		case 2:
			return "!(" + drawFilter(t, depth-1) + ")"
		}
	}
	path := rapid.SampledFrom([]string{"entity.spec.type", `entity.spec["n"]`, "entity.kind", "entity.spec.type.java", "entity.metadata.tags", "entity.spec.n.x", "entity.status.level", "entity.status", `entity.spec.type["0"]`, `facts["own.team"]`, `facts["slo.left"]`, "facts.plain"}).Draw(t, "path")
	literal := rapid.SampledFrom([]string{`"java"`, `"Java"`, `"go"`, "1", "0", "2.5", "true", "null", `"Component"`, "1u", "-0.0"}).Draw(t, "literal")
	return rapid.SampledFrom([]string{
		path + " == " + literal, literal + " != " + path, path, "has(entity.spec.type)", "has(entity.spec.n.x)", "has(entity.spec)",
		"has(entity.status.level)", "has(entity.status)", "has(entity.status.level.x)", `entity.status.level == "error"`, `"level" in entity.status`, "size(entity.status) == 1",
		path + " in [" + literal + `, "go"]`, `"java" in ` + path, literal + " in " + path, path + `.startsWith("ja")`,
		`"group:default/a" in relations.ownedBy`, `"component:default/b" in relations["ownerOf"]`, "has(relations.dependencyOf)", "has(relations.custom)",
		`"own.team" in facts`, "has(facts.plain)", `facts["slo.left"] > 1.0`, "size(facts) == 1",
		`ref == "group:default/a"`, `ref in ["component:default/a", "x"]`, "true", "size(entity.metadata.tags) > 1",
		`entity.metadata.tags.exists(x, x == "go")`, "relations.dependsOn.size() == 1", `entity.spec.type == entity.spec.n`, `entity.kind == "Group" ? ` + path + ` : true`,
	}).Draw(t, "term")
}

func keysOf(records []*Record) []string {
	out := []string{}
	for _, r := range records {
		out = append(out, r.Entity.Ref.Key())
	}
	slices.Sort(out)
	return out
}

// TestModel holds the index, through any changes, against scanning everything.
func TestModel(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		x, m, rev := New(), model{}, catalog.Revision(0)
		if rapid.Bool().Draw(t, "load") {
			var es []*catalog.Entity
			for range rapid.IntRange(0, 12).Draw(t, "loaded") {
				e := drawEntity(t)
				es = append(es, e)
				m[e.Ref.Key()] = e
			}
			rev = 1
			x.Load(es, rev)
		}
		var levels map[string]catalog.Severity
		for range rapid.IntRange(1, 8).Draw(t, "batches") {
			if rapid.Bool().Draw(t, "judged") {
				levels = map[string]catalog.Severity{}
				for range rapid.IntRange(0, 5).Draw(t, "wrong") {
					levels[drawRef(t).Key()] = rapid.SampledFrom([]catalog.Severity{catalog.SeverityError, catalog.SeverityWarning}).Draw(t, "level")
				}
				x.SetLevels(levels)
			}
			var changes []catalog.Change
			for range rapid.IntRange(0, 4).Draw(t, "changes") {
				e := drawEntity(t)
				rev++
				c := catalog.Change{Revision: rev, Op: catalog.OpPut, Entity: e}
				if rapid.IntRange(0, 2).Draw(t, "op") == 0 {
					c.Op = catalog.OpDelete
					delete(m, e.Ref.Key())
				} else {
					m[e.Ref.Key()] = e
				}
				changes = append(changes, c)
			}
			x.Apply(changes)
			x.Apply(changes) // repeated: harmless
			s := x.Snapshot()
			require.Equal(t, rev, s.Revision())
			require.Equal(t, len(m), s.Len())
			filter := drawFilter(t, 3)
			want := m.selected(t, filter, levels)
			order := rapid.SampledFrom([]string{"", "spec.type", "spec.n desc, metadata.name", "status.level", "status.level desc"}).Draw(t, "order")
			var got []*Record
			q := Query{Filter: filter, OrderBy: order, Size: 3}
			for {
				p, err := s.List(q)
				require.NoError(t, err, filter)
				require.Equal(t, len(want), p.Total, filter)
				got = append(got, p.Records...)
				if q.Token = p.Next; q.Token == "" {
					break
				}
			}
			require.Equal(t, want, keysOf(got), filter)
			dangling := 0
			for key, e := range m {
				r, ok := s.Get(e.Ref)
				require.True(t, ok)
				require.Same(t, e, r.Entity)
				u, ok := s.ByUID(e.UID)
				require.True(t, ok)
				require.Same(t, r, u)
				wantRel, gotRel := m.relations(key), s.Relations(r)
				require.Equal(t, len(wantRel), len(gotRel))
				for i := range wantRel {
					require.Equal(t, wantRel[i], gotRel[i])
				}
				// A rendered form shows what is true now.
				require.Equal(t, fmt.Sprint(wantRel), string(r.View(1, func() []byte { return []byte(fmt.Sprint(gotRel)) })))
				for _, rel := range e.Relations {
					if m[rel.Target.Key()] == nil {
						dangling++
					}
				}
			}
			require.Len(t, s.Dangling(), dangling)
			facets, total, err := s.Facets(filter, []string{"spec.type", "metadata.tags", "relations.ownedBy", "status.level"}, 0)
			require.NoError(t, err)
			require.Equal(t, len(want), total)
			for i, f := range m.facets(want, levels) {
				count := map[string]int{}
				for _, v := range facets[i].Values {
					count[v.Value] = v.Count
				}
				require.Equal(t, f, count, facets[i].Field)
			}
			found, err := s.Search(Search{Text: "paym", Size: 100})
			require.NoError(t, err)
			n := 0
			for key := range m {
				if strings.Contains(key, "payment") {
					n++
				}
			}
			require.Equal(t, n, found.Total)
		}
	})
}

func (m model) facets(keys []string, levels map[string]catalog.Severity) [4]map[string]int {
	out := [4]map[string]int{{}, {}, {}, {}}
	for _, key := range keys {
		if l := levels[key]; l != "" {
			out[3][string(l)]++
		}
		var doc struct {
			Metadata struct{ Tags any }
			Spec     struct{ Type any }
		}
		_ = json.Unmarshal(m[key].Document, &doc)
		for i, v := range []any{doc.Spec.Type, doc.Metadata.Tags} {
			list, ok := v.([]any)
			if !ok {
				list = []any{v}
			}
			seen := map[any]bool{}
			for _, x := range list {
				switch x.(type) {
				case nil, map[string]any, []any:
					continue
				}
				if !seen[x] {
					seen[x] = true
					out[i][fmt.Sprint(x)]++
				}
			}
		}
		for _, r := range m.relations(key) {
			if r.Type == "ownedBy" {
				out[2][r.Target.Key()]++
			}
		}
	}
	return out
}

// TestHub counts what one member's change does to a group of 5,000.
func TestHub(t *testing.T) {
	t.Parallel()
	x := New()
	entity := func(name, memberOf string) *catalog.Entity {
		return &catalog.Entity{Ref: catalog.Ref{Kind: "User", Namespace: "default", Name: name}, Document: []byte(`{"kind":"User","metadata":{"name":"` + name + `"}}`),
			Relations: []catalog.Relation{{Type: catalog.MemberOf, Target: catalog.Ref{Kind: "group", Namespace: "default", Name: memberOf}}}}
	}
	es := []*catalog.Entity{{Ref: catalog.Ref{Kind: "Group", Namespace: "default", Name: "all"}, Document: []byte(`{"kind":"Group","metadata":{"name":"all"}}`)}}
	for i := range 5000 {
		es = append(es, entity(fmt.Sprint("u", i), "all"))
	}
	x.Load(es, 1)
	x.Apply([]catalog.Change{{Revision: 2, Op: catalog.OpPut, Entity: entity("u7", "other")}})
	require.EqualValues(t, 1, x.refreshed.Load())
	group, _ := x.Snapshot().Get(es[0].Ref)
	require.Len(t, x.Snapshot().Relations(group), 4999)
	x.Apply([]catalog.Change{{Revision: 3, Op: catalog.OpDelete, Entity: es[0]}})
	require.EqualValues(t, 1+4999, x.refreshed.Load())
	require.Len(t, x.Snapshot().Dangling(), 5000)
}

// TestConcurrent reads while changes come in; it is for the race detector.
func TestConcurrent(t *testing.T) {
	t.Parallel()
	x := New()
	es := corpus(t, 400)
	x.Load(es, 1)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	var busy sync.WaitGroup
	for n := range 3 {
		busy.Go(func() {
			for i := range 30 {
				s := x.Snapshot()
				if p, err := s.List(Query{Filter: fmt.Sprintf(`entity.kind == "Component" && has(entity.metadata.l%d) == false`, (i+n)%9), OrderBy: "metadata.title", Size: 20}); err == nil {
					for _, r := range p.Records {
						r.View(1, func() []byte { return []byte(r.key) })
						s.Relations(r)
					}
				} else {
					t.Error(err)
				}
				if _, _, err := s.Facets("", benchFacets, 10); err != nil {
					t.Error(err)
				}
				if _, err := s.Search(Search{Text: "pay", Size: 5}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for i := range 100 {
		op := catalog.OpPut
		if i%3 == 0 {
			op = catalog.OpDelete
		}
		x.Apply([]catalog.Change{{Revision: catalog.Revision(i + 2), Op: op, Entity: es[i*3%len(es)]}})
	}
	require.NoError(t, x.Wait(ctx, 101))
	busy.Wait()
}

func FuzzToken(f *testing.F) {
	f.Add(encodeToken(7, ordered{key: "a", values: []*value{{kind: kindString, str: "x"}}}))
	f.Add("AQ")
	f.Fuzz(func(t *testing.T, token string) {
		for fields := range 3 {
			if o, err := decodeToken(token, 7, fields); err == nil && o != nil && len(o.values) != fields {
				t.Fatal(o)
			}
		}
	})
}
