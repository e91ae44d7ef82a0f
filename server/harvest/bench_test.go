package harvest_test

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waypost-dev/waypost/server/harvest"
	"github.com/waypost-dev/waypost/server/source/gitdir"
	"github.com/waypost-dev/waypost/server/store"
	"github.com/waypost-dev/waypost/server/store/pgtest"
)

// benchFolder is the folder that WAYPOST_BENCH_DIR names, or one of 100 files
// with 100 components each.
func benchFolder(b *testing.B) (dir string, patterns []string) {
	b.Helper()
	if dir := os.Getenv("WAYPOST_BENCH_DIR"); dir != "" {
		return dir, []string{"**/*.yaml"}
	}
	dir = b.TempDir()
	for f := range 100 {
		var text strings.Builder
		for i := range 100 {
			name := fmt.Sprintf("service-%03d-%03d", f, i)
			text.WriteString("---\n" + component(name, "  system: system-"+fmt.Sprint(i%20)+"\n  dependsOn: [component:service-000-"+fmt.Sprintf("%03d", i)+"]\n"))
		}
		require.NoError(b, os.WriteFile(filepath.Join(dir, fmt.Sprintf("part-%03d.yaml", f)), []byte(text.String()), 0o644))
	}
	return dir, []string{"**/*.yaml"}
}

// BenchmarkHarvest harvests a folder from nothing, and again unchanged, into
// each database. The index is not part of it.
func BenchmarkHarvest(b *testing.B) {
	dir, patterns := benchFolder(b)
	databases := map[string]func(testing.TB) string{
		"sqlite":   func(t testing.TB) string { return "sqlite:" + filepath.Join(t.TempDir(), "bench.db") },
		"postgres": func(t testing.TB) string { return pgtest.URL(t) },
	}
	for name, dsn := range databases {
		open := func(b *testing.B) *harvest.Engine {
			st, err := store.Open(b.Context(), dsn(b), store.Options{})
			require.NoError(b, err)
			b.Cleanup(func() { _ = st.Close() })
			src, err := gitdir.New(gitdir.Options{Path: dir, Patterns: patterns, Name: "dir:bench"})
			require.NoError(b, err)
			e := harvest.New(st, slog.New(slog.DiscardHandler))
			e.Add(harvest.Config{Source: src})
			return e
		}
		run := func(b *testing.B, e *harvest.Engine) harvest.Progress {
			p, err := e.Run(b.Context(), "dir:bench", harvest.Order{}, nil)
			require.NoError(b, err)
			return p
		}
		b.Run(name+"/cold", func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				e := open(b)
				b.StartTimer()
				p := run(b, e)
				b.ReportMetric(float64(p.Added), "entities")
			}
		})
		b.Run(name+"/unchanged", func(b *testing.B) {
			e := open(b)
			run(b, e)
			for b.Loop() {
				p := run(b, e)
				require.Zero(b, p.Added+p.Changed+p.Removed+p.Read)
			}
		})
	}
}
