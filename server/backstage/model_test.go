package backstage

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/index"
)

// modelRows are the rows of an entity by key, in the plainest way: everything is
// decoded and walked.
func modelRows(s *index.Snapshot, r *index.Record) map[string][]string {
	var doc map[string]any
	if err := json.Unmarshal(r.Entity.Document, &doc); err != nil {
		panic(err)
	}
	out := map[string][]string{}
	add := func(key, value string) {
		key = strings.ToLower(key)
		for _, v := range out[key] {
			if strings.EqualFold(v, value) {
				return
			}
		}
		out[key] = append(out[key], value)
	}
	var visit func(path string, v any)
	visit = func(path string, v any) {
		switch v := v.(type) {
		case map[string]any:
			for k, m := range v {
				next := k
				if path != "" {
					next = path + "." + k
				}
				if next != "metadata.name" && next != "metadata.namespace" {
					visit(next, m)
				}
			}
		case []any:
			for _, m := range v {
				visit(path, m)
				if text, ok := m.(string); ok {
					add(path+"."+text, "true")
				}
			}
		case nil:
			out[strings.ToLower(path)] = append(out[strings.ToLower(path)], "\x00null")
		default:
			add(path, fmt.Sprint(v))
		}
	}
	visit("", doc)
	add("metadata.name", r.Entity.Ref.Name)
	add("metadata.namespace", r.Entity.Ref.Namespace)
	add("metadata.uid", r.Entity.UID)
	for _, rel := range s.Relations(r) {
		add("relations."+rel.Type, rel.Target.String())
	}
	return out
}

// modelHolds evaluates a predicate on rows.
func modelHolds(rows map[string][]string, predicate any) bool {
	has := func(key string, ok func(string) bool) bool {
		return slices.ContainsFunc(rows[strings.ToLower(key)], func(v string) bool { return v != "\x00null" && ok(strings.ToLower(v)) })
	}
	for key, v := range predicate.(map[string]any) {
		var holds bool
		switch key {
		case "$all":
			holds = true
			for _, p := range v.([]any) {
				holds = holds && modelHolds(rows, p)
			}
		case "$any":
			for _, p := range v.([]any) {
				holds = holds || modelHolds(rows, p)
			}
		case "$not":
			holds = !modelHolds(rows, v)
		default:
			switch v := v.(type) {
			case string:
				holds = has(key, func(s string) bool { return s == strings.ToLower(v) })
			case map[string]any:
				if x, ok := v["$exists"]; ok {
					holds = (len(rows[strings.ToLower(key)]) > 0) == x.(bool)
				} else if x, ok := v["$hasPrefix"]; ok {
					holds = has(key, func(s string) bool { return strings.HasPrefix(s, strings.ToLower(x.(string))) })
				} else {
					for _, one := range v["$in"].([]any) {
						holds = holds || has(key, func(s string) bool { return s == strings.ToLower(one.(string)) })
					}
				}
			}
		}
		if !holds {
			return false
		}
	}
	return true
}

var (
	modelKeys   = []string{"kind", "metadata.name", "metadata.tags", "metadata.tags.Go", "metadata.labels.a.b/C", "spec.type", "spec.x", "spec.x.y", "relations.ownedBy", "relations.dependencyOf", "metadata.uid", "spec.deep.list.k"}
	modelValues = []string{"Component", "api", "go", "GO", "ml", "true", "service", "1", "group:default/g-1", "component:default/c-2", ""}
)

func drawPredicate(t *rapid.T, depth int) any {
	key := rapid.SampledFrom(modelKeys).Draw(t, "key")
	value := rapid.SampledFrom(modelValues)
	most := 6
	if depth == 0 {
		most = 3
	}
	switch rapid.IntRange(0, most).Draw(t, "form") {
	case 0:
		return map[string]any{key: value.Draw(t, "value")}
	case 1:
		return map[string]any{key: map[string]any{"$exists": rapid.Bool().Draw(t, "exists")}}
	case 2:
		return map[string]any{key: map[string]any{"$in": []any{value.Draw(t, "one"), value.Draw(t, "other")}}}
	case 3:
		v := value.Draw(t, "prefix")
		return map[string]any{key: map[string]any{"$hasPrefix": v[:min(len(v), 2)]}}
	case 4:
		return map[string]any{"$not": drawPredicate(t, depth-1)}
	case 5:
		return map[string]any{"$all": []any{drawPredicate(t, depth-1), drawPredicate(t, depth-1)}}
	}
	return map[string]any{"$any": []any{drawPredicate(t, depth-1), drawPredicate(t, depth-1)}}
}

func drawEntity(t *rapid.T) *catalog.Entity {
	kind := rapid.SampledFrom([]string{"Component", "API", "Group"}).Draw(t, "kind")
	n := rapid.IntRange(0, 5).Draw(t, "n")
	metadata := map[string]any{"name": fmt.Sprintf("%s-%d", strings.ToLower(kind[:1]), n)}
	if rapid.Bool().Draw(t, "tagged") {
		metadata["tags"] = []any{rapid.SampledFrom([]string{"go", "ml"}).Draw(t, "tag"), "x"}
	}
	if rapid.Bool().Draw(t, "labelled") {
		metadata["labels"] = map[string]any{"a.b/C": rapid.SampledFrom([]string{"true", "1", "GO"}).Draw(t, "label")}
	}
	spec := map[string]any{"type": rapid.SampledFrom([]string{"service", "Service", "ml"}).Draw(t, "type")}
	switch rapid.IntRange(0, 4).Draw(t, "x") {
	case 0:
		spec["x"] = nil
	case 1:
		spec["x"] = 1
	case 2:
		spec["x"] = map[string]any{"Y": true}
	case 3:
		spec["x.y"] = "go"
	}
	spec["deep"] = []any{map[string]any{"list": []any{map[string]any{"k": rapid.SampledFrom(modelValues).Draw(t, "k")}, "k"}}}
	e, found := catalog.NewEntity("backstage.io/v1alpha1", kind, metadata, spec, catalog.Origin{Source: "test"})
	if e == nil {
		t.Fatalf("%v", found)
	}
	e.UID = fmt.Sprintf("%s-%d", kind, n)
	e.Relations = nil
	if kind == "Component" {
		e.Relations = append(e.Relations,
			catalog.Relation{Type: catalog.OwnedBy, Target: catalog.Ref{Kind: "group", Namespace: "default", Name: fmt.Sprintf("g-%d", rapid.IntRange(0, 5).Draw(t, "owner"))}},
			catalog.Relation{Type: catalog.DependsOn, Target: catalog.Ref{Kind: "component", Namespace: "default", Name: fmt.Sprintf("c-%d", rapid.IntRange(0, 5).Draw(t, "depends"))}})
	}
	return e
}

// TestModel holds queries, pages and facets, while the catalog changes, against
// the plainest way to find them.
func TestModel(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		x := index.New()
		h, err := New(Options{Index: x})
		require.NoError(t, err)
		rev := catalog.Revision(0)
		t.Repeat(map[string]func(*rapid.T){
			"put": func(t *rapid.T) {
				rev++
				x.Apply([]catalog.Change{{Revision: rev, Op: catalog.OpPut, Time: time.Unix(0, 0), Entity: drawEntity(t)}})
			},
			"delete": func(t *rapid.T) {
				rev++
				x.Apply([]catalog.Change{{Revision: rev, Op: catalog.OpDelete, Time: time.Unix(0, 0), Entity: drawEntity(t)}})
			},
			"query": func(t *rapid.T) { modelQuery(t, h, x.Snapshot()) },
			"facet": func(t *rapid.T) { modelFacet(t, h, x.Snapshot()) },
		})
	})
}

func modelQuery(t *rapid.T, h *Handler, s *index.Snapshot) {
	predicate := drawPredicate(t, 2)
	key := rapid.SampledFrom(modelKeys).Draw(t, "order")
	direction := rapid.SampledFrom([]string{"asc", "desc"}).Draw(t, "direction")
	type item struct{ value, uid string }
	var want []item
	for r := range s.Each {
		rows := modelRows(s, r)
		values := slices.DeleteFunc(slices.Clone(rows[strings.ToLower(key)]), func(v string) bool { return v == "\x00null" })
		if len(values) == 0 || !modelHolds(rows, predicate) {
			continue
		}
		for i := range values {
			values[i] = strings.ToLower(values[i])
		}
		want = append(want, item{slices.Min(values), r.Entity.UID})
	}
	slices.SortFunc(want, func(a, b item) int {
		c := strings.Compare(a.value+"\x00"+a.uid, b.value+"\x00"+b.uid)
		if direction == "desc" {
			return -c
		}
		return c
	})
	ask := map[string]any{"query": predicate, "orderBy": []any{map[string]any{"field": key, "order": direction}}, "limit": rapid.IntRange(1, 4).Draw(t, "limit")}
	var got []string
	for range 50 {
		body, err := json.Marshal(ask)
		require.NoError(t, err)
		req := httptest.NewRequest(http.MethodPost, Prefix+"/entities/by-query", strings.NewReader(string(body)))
		req.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, req)
		require.Equal(t, 200, w.Code, w.Body.String())
		var page struct {
			Items []struct{ Metadata struct{ UID string } }
			Total int               `json:"totalItems"`
			Page  map[string]string `json:"pageInfo"`
		}
		require.NoError(t, json.Unmarshal(w.Body.Bytes(), &page))
		require.Equal(t, len(want), page.Total, "%s", body)
		for _, i := range page.Items {
			got = append(got, i.Metadata.UID)
		}
		if page.Page["nextCursor"] == "" {
			break
		}
		ask = map[string]any{"cursor": page.Page["nextCursor"], "limit": ask["limit"]}
	}
	require.Len(t, got, len(want))
	for i := range want {
		require.Equal(t, want[i].uid, got[i], "%d of %v", i, want)
	}
}

func modelFacet(t *rapid.T, h *Handler, s *index.Snapshot) {
	key := rapid.SampledFrom(modelKeys).Draw(t, "facet")
	kind := rapid.SampledFrom([]string{"", "component", "api"}).Draw(t, "of")
	want := map[string]int{}
	for r := range s.Each {
		if kind != "" && !strings.EqualFold(r.Entity.Ref.Kind, kind) {
			continue
		}
		for _, v := range modelRows(s, r)[strings.ToLower(key)] {
			if v != "\x00null" {
				want[v]++
			}
		}
	}
	path := Prefix + "/entity-facets?facet=" + url.QueryEscape(key)
	if kind != "" {
		path += "&filter=kind=" + kind
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	require.Equal(t, 200, w.Code)
	var out struct {
		Facets map[string][]struct {
			Value string
			Count int
		}
	}
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &out))
	got := map[string]int{}
	for _, f := range out.Facets[key] {
		got[f.Value] = f.Count
	}
	require.Equal(t, want, got)
}
