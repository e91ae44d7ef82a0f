package location_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/source"
	"github.com/waypost-dev/waypost/server/source/location"
)

// last keeps what was reported last.
type last struct {
	repo      source.Repository
	unchanged int
}

func (l *last) Repository(_ context.Context, r source.Repository) error { l.repo = r; return nil }
func (l *last) Unchanged(context.Context, string) error                 { l.unchanged++; return nil }
func (l *last) Keep(_ context.Context, _ string, p catalog.Problem) error {
	return p
}
func (l *last) Gone(context.Context, string) error                { return nil }
func (l *last) Expect(int)                                        {}
func (l *last) Directory(context.Context, source.Directory) error { return nil }
func (l *last) Problem(catalog.Problem)                           {}
func (l *last) Spent(source.Budget)                               {}
func (l *last) Complete(context.Context) error                    { return nil }

type states map[string]source.RepositoryState

func (s states) Repository(id string) (source.RepositoryState, bool) {
	r, ok := s[id]
	return r, ok
}

// BenchmarkHarvest follows one Location to 156 files of 128 kB.
func BenchmarkHarvest(b *testing.B) {
	dir := b.TempDir()
	files := map[string]string{}
	var targets []string
	for i := range 156 {
		name := fmt.Sprintf("part-%03d.yaml", i)
		files[name] = strings.Repeat(fmt.Sprintf("---\napiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata:\n  name: c-%d\n", i), 1800)
		targets = append(targets, "./"+name)
	}
	files["all.yaml"] = leads(targets...)
	for name, content := range files {
		writeFile(b, dir+"/"+name, content)
	}
	s, err := location.New(location.Options{Target: "file:" + dir + "/all.yaml"})
	require.NoError(b, err)
	var first last
	require.NoError(b, s.Harvest(b.Context(), states{}, &first))
	require.Len(b, first.repo.Documents, 157)
	known := source.RepositoryState{State: first.repo.State, Documents: map[string]string{}}
	for _, d := range first.repo.Documents {
		known.Documents[d.Path] = d.Hash
	}
	b.Run("cold", func(b *testing.B) {
		for b.Loop() {
			var out last
			require.NoError(b, s.Harvest(b.Context(), states{}, &out))
			var n int64
			for _, d := range out.repo.Documents {
				n += int64(len(d.Content))
			}
			b.SetBytes(n)
		}
	})
	b.Run("unchanged", func(b *testing.B) {
		for b.Loop() {
			var out last
			require.NoError(b, s.Harvest(b.Context(), states{first.repo.ID: known}, &out))
			require.Equal(b, 1, out.unchanged)
		}
	})
}
