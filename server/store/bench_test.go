package store_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/store"
	"github.com/waypost-dev/waypost/server/store/pgtest"
)

// The size of the benchmark catalog: entities of about 2 kB, in files of 100,
// applied in the batches that harvest makes.
const (
	benchEntities = 15_530
	benchFile     = 100
	benchBatch    = 2_000
)

func benchmark(b *testing.B, run func(b *testing.B, dsn func() string)) {
	b.Run("sqlite", func(b *testing.B) {
		run(b, func() string { return "sqlite:" + filepath.Join(b.TempDir(), "waypost.db") })
	})
	b.Run("postgres", func(b *testing.B) {
		run(b, func() string { return pgtest.URL(b) })
	})
}

func benchOpen(b *testing.B, dsn string) *store.Store {
	b.Helper()
	s, err := store.Open(b.Context(), dsn, store.Options{})
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, s.Close()) })
	return s
}

// benchEntity is an entity of about 2 kB with five relations.
func benchEntity(i int, repository, path string) *catalog.Entity {
	e := &catalog.Entity{
		Ref:    catalog.Ref{Kind: "Component", Namespace: "default", Name: fmt.Sprintf("payment-service-%05d", i*7919%benchEntities)},
		Origin: catalog.Origin{Source: "github:acme", Repository: repository, Path: path, Commit: "8f14e45fceea167a5a36dedd4bea2543f1b2c3d4", Line: 1 + i%benchFile*40},
	}
	for n := range 5 {
		e.Relations = append(e.Relations, catalog.Relation{
			Type: catalog.DependsOn, Target: catalog.Ref{Kind: "component", Namespace: "default", Name: fmt.Sprintf("target-%05d", (i+n*31)%benchEntities)},
			Field: fmt.Sprintf("spec.dependsOn[%d]", n), Line: e.Origin.Line + 20 + n, Column: 7,
		})
	}
	text := fmt.Sprintf("order %d ", i) + strings.Repeat("invoice shipping catalog search ", 55)
	e.Document = fmt.Appendf(nil, `{"apiVersion":"backstage.io/v1alpha1","kind":"Component","metadata":{"description":%q,"name":%q},"spec":{"lifecycle":"production","owner":"group:default/team-%04d","type":"service"}}`, text, e.Ref.Name, i%200)
	return e
}

// benchUpdates are the batches of a catalog in one repository for each file.
func benchUpdates() [][]store.RepositoryUpdate {
	var batches [][]store.RepositoryUpdate
	n := benchBatch
	for i := 0; i < benchEntities; i += benchFile {
		name := fmt.Sprintf("acme/repository-%04d", i/benchFile)
		u := store.RepositoryUpdate{Repository: store.Repository{
			ID: "R_" + name, Name: name, State: "1", Commit: "8f14e45fceea167a5a36dedd4bea2543f1b2c3d4",
			Documents: map[string]store.Document{"catalog-info.yaml": {Hash: "cafe", Commit: "8f14"}},
		}}
		for j := i; j < min(i+benchFile, benchEntities); j++ {
			e := benchEntity(j, name, "catalog-info.yaml")
			u.Claims = append(u.Claims, store.Claim{Key: "catalog-info.yaml#" + e.Ref.Key(), Entity: e})
		}
		if n >= benchBatch {
			batches, n = append(batches, nil), 0
		}
		batches[len(batches)-1] = append(batches[len(batches)-1], u)
		n += len(u.Claims)
	}
	return batches
}

func benchApply(b *testing.B, s *store.Store, batches [][]store.RepositoryUpdate) store.Counts {
	b.Helper()
	var sum store.Counts
	for _, batch := range batches {
		c, err := s.Apply(b.Context(), "github:acme", batch)
		require.NoError(b, err)
		sum.Added, sum.Changed, sum.Removed = sum.Added+c.Added, sum.Changed+c.Changed, sum.Removed+c.Removed
	}
	return sum
}

// BenchmarkApplyCold writes a whole catalog into an empty database.
func BenchmarkApplyCold(b *testing.B) {
	batches := benchUpdates()
	benchmark(b, func(b *testing.B, dsn func() string) {
		for b.Loop() {
			b.StopTimer()
			s := benchOpen(b, dsn())
			b.StartTimer()
			require.Equal(b, store.Counts{Added: benchEntities}, benchApply(b, s, batches))
		}
	})
}

// BenchmarkApplyUnchanged applies the same catalog again.
func BenchmarkApplyUnchanged(b *testing.B) {
	batches := benchUpdates()
	benchmark(b, func(b *testing.B, dsn func() string) {
		s := benchOpen(b, dsn())
		benchApply(b, s, batches)
		for b.Loop() {
			require.Zero(b, benchApply(b, s, batches))
		}
	})
}

// BenchmarkApplyOne changes one document of 100 entities, one of them changed,
// in a repository that holds the whole catalog.
func BenchmarkApplyOne(b *testing.B) {
	all := store.RepositoryUpdate{Repository: store.Repository{ID: "R", Name: "acme/all", Documents: map[string]store.Document{}}}
	for i := range benchEntities {
		path := fmt.Sprintf("%04d.yaml", i/benchFile)
		e := benchEntity(i, "acme/all", path)
		all.Repository.Documents[path] = store.Document{Hash: "cafe"}
		all.Claims = append(all.Claims, store.Claim{Key: path + "#" + e.Ref.Key(), Entity: e})
	}
	one := all
	one.Claims = append([]store.Claim(nil), all.Claims[:benchFile]...)
	for path := range all.Repository.Documents {
		if path != "0000.yaml" {
			one.Unchanged = append(one.Unchanged, path)
		}
	}
	benchmark(b, func(b *testing.B, dsn func() string) {
		s := benchOpen(b, dsn())
		benchApply(b, s, [][]store.RepositoryUpdate{{all}})
		for n := 0; b.Loop(); n++ {
			e := *all.Claims[0].Entity
			e.Document = fmt.Appendf(nil, `{"kind":"Component","n":%d}`, n)
			one.Claims[0].Entity = &e
			require.Equal(b, store.Counts{Changed: 1}, benchApply(b, s, [][]store.RepositoryUpdate{{one}}))
		}
	})
}

// BenchmarkLoad reads a whole catalog.
func BenchmarkLoad(b *testing.B) {
	batches := benchUpdates()
	benchmark(b, func(b *testing.B, dsn func() string) {
		s := benchOpen(b, dsn())
		benchApply(b, s, batches)
		for b.Loop() {
			n := 0
			_, err := s.Load(b.Context(), func(*catalog.Entity) error { n++; return nil })
			require.NoError(b, err)
			require.Equal(b, benchEntities, n)
		}
	})
}

// BenchmarkRepositories reads what is known of 10,000 repositories.
func BenchmarkRepositories(b *testing.B) {
	const repositories = 10_000
	var batches [][]store.RepositoryUpdate
	for i := range repositories {
		if i%500 == 0 {
			batches = append(batches, nil)
		}
		name := fmt.Sprintf("acme/repository-%05d", i)
		batches[len(batches)-1] = append(batches[len(batches)-1], store.RepositoryUpdate{
			Repository: store.Repository{
				ID: "R_" + name, Name: name, State: "2026-11-23T14:00:00Z main 8f14e45f", Commit: "8f14e45fceea167a5a36dedd4bea2543f1b2c3d4",
				Facts:     []byte(`{"description":"Takes payments","topics":["go","payments"],"visibility":"internal","languages":[{"Name":"Go","Bytes":120000}],"stars":3}`),
				Documents: map[string]store.Document{"catalog-info.yaml": {Hash: "8f14e45fceea167a5a36dedd4bea2543f1b2c3d4", Commit: "8f14e45fceea167a5a36dedd4bea2543f1b2c3d4"}},
			},
			Claims: []store.Claim{{Key: "catalog-info.yaml", Entity: benchEntity(i, name, "catalog-info.yaml")}},
		})
	}
	benchmark(b, func(b *testing.B, dsn func() string) {
		s := benchOpen(b, dsn())
		benchApply(b, s, batches)
		for b.Loop() {
			known, err := s.Repositories(b.Context(), "github:acme")
			require.NoError(b, err)
			require.Len(b, known, repositories)
		}
	})
}

// BenchmarkHistory reads the first page, and one in the middle, of an entity
// with 10,000 revisions, and the entity as it was.
func BenchmarkHistory(b *testing.B) {
	benchmark(b, func(b *testing.B, dsn func() string) {
		s := benchOpen(b, dsn())
		const many = 10_000
		e := benchEntity(1, "acme/one", "catalog-info.yaml")
		for i := range many {
			form := *e
			form.Document = []byte(strings.Replace(string(e.Document), "order 1 ", fmt.Sprintf("order %d ", i), 1))
			_, err := s.Apply(b.Context(), "github:acme", []store.RepositoryUpdate{{
				Repository: store.Repository{ID: "one", Name: "acme/one", State: fmt.Sprint(i), Documents: map[string]store.Document{"catalog-info.yaml": {Hash: fmt.Sprint(i)}}},
				Claims:     []store.Claim{{Key: "1", Entity: &form}},
			}})
			require.NoError(b, err)
		}
		for name, before := range map[string]catalog.Revision{"first": 0, "middle": many / 2} {
			b.Run("page/"+name, func(b *testing.B) {
				for b.Loop() {
					changes, more, err := s.History(b.Context(), e.Ref, before, 51)
					require.NoError(b, err)
					require.True(b, more)
					require.Len(b, changes, 51)
				}
			})
		}
		b.Run("at", func(b *testing.B) {
			for i := range b.N {
				_, _, err := s.At(b.Context(), e.Ref, catalog.Revision(1+i*7919%many))
				require.NoError(b, err)
			}
		})
	})
}
