package gitdir_test

import (
	"io/fs"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waypost-dev/waypost/sample"
	"github.com/waypost-dev/waypost/server/source"
	"github.com/waypost-dev/waypost/server/source/gitdir"
	"github.com/waypost-dev/waypost/server/source/gitdir/clonetest"
	"github.com/waypost-dev/waypost/server/source/sourcetest"
)

func TestSampleAsClones(t *testing.T) {
	t.Parallel()
	fsys := sample.Acme()
	dir := clonetest.Clones(t, fsys)
	var l sourcetest.Ledger
	report := harvest(t, &l, gitdir.Options{Path: dir})
	require.Empty(t, report.Kept)
	require.Empty(t, report.Problems)
	require.Len(t, l.Repositories, 36)
	documents, owned := 0, 0
	for id, e := range l.Repositories {
		require.Equal(t, "acme/"+id, e.FullName())
		require.Equal(t, "https://github.com/acme/"+id, e.URL)
		require.Empty(t, e.Problems, id)
		if e.Codeowners != nil {
			owned++
		}
		want, err := fs.ReadFile(fsys, "repos/"+id+"/catalog-info.yaml")
		if err != nil {
			require.Empty(t, e.Documents, id)
			continue
		}
		documents++
		require.Equal(t, string(want), string(e.Contents["catalog-info.yaml"]), id)
	}
	require.Equal(t, 29, documents)
	require.Greater(t, owned, 20)

	e, _ := l.Named("design-system")
	require.Equal(t, "docs/CODEOWNERS", e.Codeowners.Path)
	require.Equal(t, []string{"LICENSE", "catalog-info.yaml", "docs/", "mkdocs.yml", "package.json", "src/"}, e.Root)
	e, _ = l.Named("trail-map")
	require.Equal(t, "2026-09-27T12:12:00Z", e.PushedAt.Format("2006-01-02T15:04:05Z07:00"))
	require.Equal(t, []string{"TypeScript", "JavaScript"}, names(e.Languages))
	e, _ = l.Named("scratchpad")
	require.Empty(t, e.Commit)

	again := clonetest.Clones(t, fsys)
	harvest(t, &l, gitdir.Options{Path: again, Name: "dir:again"})
	require.Equal(t, report.Repositories["checkout"].Commit, l.Repositories["checkout"].Commit, "clones are the same at every run")
	require.NotContains(t, strings.Join(l.Names(), " "), ".sample")
}

func names(languages []source.Language) (out []string) {
	for _, l := range languages {
		out = append(out, l.Name)
	}
	return out
}
