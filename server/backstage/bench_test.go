package backstage

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/descriptor"
	"github.com/waypost-dev/waypost/server/index"
)

const benchEntities = 15_530

// benchCatalog is the catalog that the benchmarks ask: that of the YAML files in
// the directory WAYPOST_BENCH_CATALOG, or one of our own of the same size.
func benchCatalog(t testing.TB) []*catalog.Entity {
	var out []*catalog.Entity
	if dir := os.Getenv("WAYPOST_BENCH_CATALOG"); dir != "" {
		paths, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
		require.NoError(t, err)
		for _, path := range paths {
			content, err := os.ReadFile(path)
			require.NoError(t, err)
			out = append(out, descriptor.Decode(descriptor.File{Path: filepath.Base(path), Content: content, Location: "file:" + path}).Entities...)
		}
		require.NotEmpty(t, out, "no *.yaml in WAYPOST_BENCH_CATALOG=%s", dir)
	} else {
		out = made(t, benchEntities)
	}
	for i, e := range out {
		e.UID = fmt.Sprintf("%08x-0000-4000-8000-%012d", uint32(i)*2654435761, i)
	}
	return out
}

// made is a catalog in about the proportions of a real one, of entities of about
// a kilobyte.
func made(t testing.TB, size int) []*catalog.Entity {
	words := strings.Fields("payment order invoice shipping user account catalog search cart checkout loyalty fraud ledger billing refund inventory")
	kinds := []string{"Component", "Component", "Component", "Component", "Component", "Component", "API", "User", "Resource", "Group"}
	types := []string{"service", "website", "library", "worker"}
	out := make([]*catalog.Entity, 0, size)
	for i := range size {
		word := func(n int) string { return words[(i*7+n*5+i/16)%len(words)] }
		kind := kinds[i%len(kinds)]
		spec := map[string]any{"type": types[i%4], "lifecycle": []string{"production", "experimental", "deprecated"}[i%3], "owner": fmt.Sprintf("group:default/group-%d", i%200*10+9)}
		switch kind {
		case "User":
			spec = map[string]any{"memberOf": []any{fmt.Sprintf("group-%d", i%200*10+9)}, "profile": map[string]any{"displayName": word(1)}}
		case "Group":
			spec = map[string]any{"type": "team", "children": []any{}}
		case "API":
			spec["definition"] = strings.Repeat("openapi ", 60)
		case "Component":
			spec["dependsOn"] = []any{fmt.Sprintf("component:default/component-%d", (i+1)/10*10)}
		}
		metadata := map[string]any{
			"name": fmt.Sprintf("%s-%d", strings.ToLower(kind), i), "title": fmt.Sprintf("%s %s %d", word(1), word(2), i),
			"description": strings.Repeat(word(3)+" "+word(4)+" ", 12), "tags": []any{word(5), word(6)},
			"labels":      map[string]any{"tier": fmt.Sprint(i % 4)},
			"annotations": map[string]any{"github.com/project-slug": fmt.Sprintf("acme/repo-%d", i), "backstage.io/managed-by-location": fmt.Sprintf("url:https://github.com/acme/repo-%d/blob/main/catalog-info.yaml", i)},
		}
		e, found := catalog.NewEntity("backstage.io/v1alpha1", kind, metadata, spec, catalog.Origin{Source: "test", Path: "catalog-info.yaml"})
		require.NotNil(t, e, "%v", found)
		out = append(out, e)
	}
	return out
}

type benched struct {
	name, method, path, body string
}

func benchRequests(s *index.Snapshot) []benched {
	var refs []string
	for r := range s.Each {
		if refs = append(refs, r.Entity.Ref.Key()); len(refs) == 100 {
			break
		}
	}
	hundred, _ := json.Marshal(map[string]any{"entityRefs": refs})
	kind, rest, _ := strings.Cut(refs[0], ":")
	q := "/entities/by-query?limit=20"
	filter := "&filter=" + url.QueryEscape("kind=component,spec.lifecycle=production")
	return []benched{
		{"by-name", "GET", "/entities/by-name/" + kind + "/" + rest, ""},
		{"by-refs-100", "POST", "/entities/by-refs", string(hundred)},
		{"by-query", "GET", q, ""},
		{"by-query-filtered", "GET", q + filter, ""},
		{"by-query-filtered-ordered", "GET", q + filter + "&orderField=metadata.title,desc", ""},
		{"by-query-deep", "GET", q + filter + "&orderField=metadata.title,desc&offset=2000", ""},
		{"by-query-full-text", "GET", q + "&orderField=metadata.name,asc&fullTextFilterTerm=payment&fullTextFilterFields=metadata.name,metadata.title", ""},
		{"by-query-total", "GET", "/entities/by-query?limit=0" + filter, ""},
		{"by-query-fields", "GET", q + filter + "&fields=kind,metadata.name,metadata.namespace,metadata.title", ""},
		{"facets", "GET", "/entity-facets?facet=kind&facet=spec.type&facet=spec.lifecycle", ""},
		{"facets-filtered", "GET", "/entity-facets?facet=spec.type&facet=spec.owner&facet=metadata.tags" + filter, ""},
		{"entities-all", "GET", "/entities", ""},
		{"entities-names", "GET", "/entities?fields=kind,metadata.name,metadata.namespace", ""},
	}
}

// nowhere is a ResponseWriter that counts.
type nowhere struct {
	head   http.Header
	status int
	bytes  int
}

func (n *nowhere) Header() http.Header         { return n.head }
func (n *nowhere) WriteHeader(status int)      { n.status = status }
func (n *nowhere) Write(b []byte) (int, error) { n.bytes += len(b); return len(b), nil }

// BenchmarkAnswer is what an answer costs behind the HTTP server.
func BenchmarkAnswer(b *testing.B) {
	x := index.New()
	x.Load(benchCatalog(b), 1)
	h, err := New(Options{Index: x})
	require.NoError(b, err)
	for _, q := range benchRequests(x.Snapshot()) {
		b.Run(q.name, func(b *testing.B) {
			b.ReportAllocs()
			size := 0
			for b.Loop() {
				r := httptest.NewRequest(q.method, Prefix+q.path, bytes.NewReader([]byte(q.body)))
				r.Header.Set("Content-Type", "application/json")
				w := &nowhere{head: http.Header{}}
				h.ServeHTTP(w, r)
				if w.status >= 300 {
					b.Fatalf("%s: %d", q.path, w.status)
				}
				size = w.bytes
			}
			b.ReportMetric(float64(size), "B/answer")
		})
	}
}

// BenchmarkChanged is the first ordered and filtered page after one entity
// changed.
func BenchmarkChanged(b *testing.B) {
	all := benchCatalog(b)
	x := index.New()
	x.Load(all, 1)
	h, err := New(Options{Index: x})
	require.NoError(b, err)
	q := benchRequests(x.Snapshot())[4]
	rev := catalog.Revision(1)
	for i := 0; b.Loop(); i++ {
		e := *all[i%len(all)]
		e.Document = bytes.Replace(e.Document, []byte(`"title":"`), []byte(`"title":"changed `), 1)
		rev++
		x.Apply([]catalog.Change{{Revision: rev, Op: catalog.OpPut, Time: time.Unix(0, 0), Entity: &e}})
		w := &nowhere{head: http.Header{}}
		h.ServeHTTP(w, httptest.NewRequest(q.method, Prefix+q.path, http.NoBody))
	}
}

// TestStreamMemory holds a list of everything against its bound: it is written
// as it is made.
func TestStreamMemory(t *testing.T) { // alone: it measures the process
	x := index.New()
	x.Load(made(t, benchEntities), 1)
	h, err := New(Options{Index: x})
	require.NoError(t, err)
	ask := func() *nowhere {
		w := &nowhere{head: http.Header{}}
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, Prefix+"/entities", http.NoBody))
		return w
	}
	require.Greater(t, ask().bytes, 8<<20)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	ask()
	runtime.ReadMemStats(&after)
	require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(100<<20), "allocated in all, let alone held")
}
