package gitdir_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/source"
	"github.com/waypost-dev/waypost/server/source/gitdir"
	"github.com/waypost-dev/waypost/server/source/gitdir/clonetest"
)

// memory is what a harvester would remember, at the least cost.
type memory struct {
	mu        sync.Mutex
	states    map[string]source.RepositoryState
	documents int
	bytes     int64
	unchanged int
	kept      int
}

func (m *memory) Repository(_ context.Context, r source.Repository) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	state := source.RepositoryState{State: r.State, Documents: map[string]string{}}
	for _, d := range r.Documents {
		state.Documents[d.Path] = d.Hash
		m.documents++
		m.bytes += int64(len(d.Content))
	}
	m.states[r.ID] = state
	return nil
}

func (m *memory) Unchanged(context.Context, string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.unchanged++
	return nil
}

// Gone is for Refresh alone, which is not measured here.
func (m *memory) Gone(context.Context, string) error { return errors.New("not expected") }

func (m *memory) Keep(context.Context, string, catalog.Problem) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.kept++
	return nil
}
func (m *memory) Expect(int)                                        {}
func (m *memory) Directory(context.Context, source.Directory) error { return nil }
func (m *memory) Problem(catalog.Problem)                           {}
func (m *memory) Spent(source.Budget)                               {}
func (m *memory) Complete(context.Context) error                    { return nil }

type knownStates map[string]source.RepositoryState

func (k knownStates) Repository(id string) (source.RepositoryState, bool) {
	s, ok := k[id]
	return s, ok
}

func harvestInto(b testing.TB, s *gitdir.Source, known map[string]source.RepositoryState) *memory {
	m := &memory{states: map[string]source.RepositoryState{}}
	require.NoError(b, s.Harvest(b.Context(), knownStates(known), m))
	return m
}

// BenchmarkHarvest10000Repos reads 10,000 clones of three small files each:
// cold, nothing is known of them; unchanged, everything is.
func BenchmarkHarvest10000Repos(b *testing.B) {
	const n = 10_000
	for _, kind := range []string{"packed", "loose"} {
		dir := b.TempDir()
		for i := range n {
			clonetest.Write(b, filepath.Join(dir, fmt.Sprintf("repo-%05d", i)), clonetest.Repository{
				Origin: fmt.Sprintf("https://github.com/acme/repo-%05d.git", i),
				Loose:  kind == "loose",
				Files: []clonetest.File{
					{Path: "README.md", Content: fmt.Sprintf("# Repository %d\n", i)},
					{Path: "cmd/main.go", Content: fmt.Sprintf("package main // %d\n", i)},
					{Path: "catalog-info.yaml", Content: fmt.Sprintf("# %d\n%s", i, strings.Repeat("apiVersion: backstage.io/v1alpha1\n", 44))},
				},
			})
		}
		s, err := gitdir.New(gitdir.Options{Path: dir})
		require.NoError(b, err)
		first := harvestInto(b, s, nil)
		require.Equal(b, n, first.documents)
		b.Run(kind+"/cold", func(b *testing.B) {
			for b.Loop() {
				require.Equal(b, n, harvestInto(b, s, nil).documents)
			}
		})
		b.Run(kind+"/unchanged", func(b *testing.B) {
			for b.Loop() {
				require.Equal(b, n, harvestInto(b, s, first.states).unchanged)
			}
		})
	}
}

// BenchmarkHarvestOneRepo reads one clone of 156 catalog files of 128 kB each.
func BenchmarkHarvestOneRepo(b *testing.B) {
	var files []clonetest.File
	for i := range 156 {
		var text strings.Builder
		for line := 0; text.Len() < 128<<10; line++ {
			fmt.Fprintf(&text, "  - name: component-%d-%d # of file %d\n", i, line*7919%10007, i)
		}
		files = append(files, clonetest.File{Path: fmt.Sprintf("catalog/part-%03d.yaml", i), Content: text.String()})
	}
	dir := b.TempDir()
	clonetest.Write(b, dir, clonetest.Repository{Files: files})
	s, err := gitdir.New(gitdir.Options{Path: dir, Patterns: []string{"catalog/*.yaml"}})
	require.NoError(b, err)
	first := harvestInto(b, s, nil)
	b.Run("cold", func(b *testing.B) {
		for b.Loop() {
			m := harvestInto(b, s, nil)
			require.Equal(b, 156, m.documents)
			b.SetBytes(m.bytes)
		}
	})
	b.Run("unchanged", func(b *testing.B) {
		for b.Loop() {
			require.Equal(b, 1, harvestInto(b, s, first.states).unchanged)
		}
	})
}
