package index

import (
	"fmt"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/waypost-dev/waypost/server/catalog"
)

// sizes are what the benchmarks run on. The large one takes a minute and
// 600 MB, so it is asked for with WAYPOST_BENCH_LARGE=1.
func sizes() []int {
	if os.Getenv("WAYPOST_BENCH_LARGE") != "" {
		return []int{15530, 200000}
	}
	return []int{15530}
}

func each(b *testing.B, run func(b *testing.B, x *Index, s *Snapshot)) {
	for _, n := range sizes() {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			x := New()
			x.Load(corpus(b, n), 1)
			b.ReportAllocs()
			run(b, x, x.Snapshot())
		})
	}
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func BenchmarkLoad(b *testing.B) {
	for _, n := range sizes() {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			es := corpus(b, n)
			docs := 0
			for _, e := range es {
				docs += len(e.Document)
			}
			before := heap()
			x := New()
			for b.Loop() {
				x.Load(es, 1)
			}
			b.ReportMetric(float64(heap()-before)/float64(n), "index-B/entity")
			b.ReportMetric(float64(docs)/float64(n), "document-B/entity")
			runtime.KeepAlive(x)
		})
	}
}

func BenchmarkApply1(b *testing.B) {
	each(b, func(b *testing.B, x *Index, s *Snapshot) {
		warm(b, s)
		es := corpus(b, s.Len())
		rev := x.Snapshot().Revision()
		for i := 0; b.Loop(); i++ {
			rev++
			e := *es[len(es)-1-i%1000]
			e.Document = []byte(fmt.Sprintf(`{"apiVersion":"backstage.io/v1alpha1","kind":"Component","metadata":{"name":"x","description":"change %d"},"spec":{"type":"service"}}`, i))
			x.Apply([]catalog.Change{{Revision: rev, Op: catalog.OpPut, Time: time.Unix(0, 0), Entity: &e}})
		}
	})
}

var benchFacets = []string{"kind", "spec.type", "metadata.tags"}

const benchFilter = `entity.kind == "Component" && entity.spec.lifecycle == "production"`

// warm asks for what the benchmarks ask for, so that it is built.
func warm(b *testing.B, s *Snapshot) {
	must(b)(s.List(Query{Filter: benchFilter, OrderBy: "metadata.title desc", Size: 20}))
	_, _, err := s.Facets(benchFilter, benchFacets, 50)
	if err != nil {
		b.Fatal(err)
	}
}

func must(b *testing.B) func(Page, error) Page {
	return func(p Page, err error) Page {
		if err != nil {
			b.Fatal(err)
		}
		return p
	}
}

func BenchmarkGet(b *testing.B) {
	each(b, func(b *testing.B, _ *Index, s *Snapshot) {
		ref := catalog.Ref{Kind: "user", Namespace: "default", Name: "user-00077"}
		for b.Loop() {
			if _, ok := s.Get(ref); !ok {
				b.Fatal("not found")
			}
		}
	})
}

func list(b *testing.B, q Query) {
	each(b, func(b *testing.B, _ *Index, s *Snapshot) {
		for b.Loop() {
			if p := must(b)(s.List(q)); len(p.Records) != q.Size {
				b.Fatal(len(p.Records))
			}
		}
	})
}

func BenchmarkListPlain(b *testing.B) { list(b, Query{Size: 20}) }
func BenchmarkListFilteredOrdered(b *testing.B) {
	list(b, Query{Filter: benchFilter, OrderBy: "metadata.title desc", Size: 20})
}

func BenchmarkListDeep(b *testing.B) {
	each(b, func(b *testing.B, _ *Index, s *Snapshot) {
		q := Query{Filter: benchFilter, OrderBy: "metadata.title desc", Size: 500}
		for range 8 {
			if p := must(b)(s.List(q)); p.Next != "" {
				q.Token = p.Next
			}
		}
		q.Size = 20
		for b.Loop() {
			must(b)(s.List(q))
		}
	})
}

// BenchmarkListSkip asks for a window near the end of a list, by how many
// entities are before it; first is the cost of the first window of a table, which
// a change of the catalog makes due again.
func BenchmarkListSkip(b *testing.B) {
	for _, c := range []struct {
		name  string
		q     Query
		first bool
	}{
		{"plain", Query{Size: 20}, false},
		{"ordered", Query{OrderBy: "metadata.title desc", Size: 20}, false},
		{"filtered", Query{Filter: benchFilter, OrderBy: "metadata.title desc", Size: 20}, false},
		{"filtered-first", Query{Filter: benchFilter, OrderBy: "metadata.title desc", Size: 20}, true},
	} {
		b.Run(c.name, func(b *testing.B) {
			each(b, func(b *testing.B, _ *Index, s *Snapshot) {
				q := c.q
				q.Skip = must(b)(s.List(q)).Total - 2*q.Size
				for b.Loop() {
					if c.first {
						s.windows.kept = nil
					}
					if p := must(b)(s.List(q)); len(p.Records) != q.Size {
						b.Fatal(len(p.Records))
					}
				}
			})
		})
	}
}

func facets(b *testing.B, filter string) {
	each(b, func(b *testing.B, _ *Index, s *Snapshot) {
		for b.Loop() {
			if _, _, err := s.Facets(filter, benchFacets, 50); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkFacets(b *testing.B)         { facets(b, "") }
func BenchmarkFacetsFiltered(b *testing.B) { facets(b, benchFilter) }

func search(b *testing.B, q Search) {
	each(b, func(b *testing.B, _ *Index, s *Snapshot) {
		for b.Loop() {
			f, err := s.Search(q)
			if err != nil || len(f.Hits) == 0 {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkSearch(b *testing.B)         { search(b, Search{Text: "paym", Size: 20}) }
func BenchmarkSearchTwoWords(b *testing.B) { search(b, Search{Text: "payment serv", Size: 20}) }

// BenchmarkSearchAlike is a word that two thirds of all entities have, most of
// them with the same score.
func BenchmarkSearchAlike(b *testing.B) { search(b, Search{Text: "component", Size: 20}) }

func BenchmarkGraph2(b *testing.B) {
	each(b, func(b *testing.B, _ *Index, s *Snapshot) {
		for b.Loop() {
			if _, err := s.Graph(GraphQuery{Roots: []catalog.Ref{{Kind: "component", Namespace: "default", Name: corpus(b, s.Len())[s.Len()-1].Ref.Name}}, Depth: 2, Limit: 200}); err != nil {
				b.Fatal(err)
			}
		}
	})
}
