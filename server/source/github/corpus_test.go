package github

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waypost-dev/waypost/server/source/githubtest"
	"github.com/waypost-dev/waypost/server/source/sourcetest"
)

// TestCorpus serves real organisations and compares the catalog files that are
// harvested with those on the disk.
func TestCorpus(t *testing.T) {
	t.Parallel()
	corpus := filepath.Join("..", "..", "..", "..", "shared", "corpus")
	owners, err := os.ReadDir(corpus)
	if err != nil {
		t.Skip("SKIPPED: the corpus of real repositories is not there: ", err)
	}
	total, followed := 0, 0
	for _, owner := range owners {
		if !owner.IsDir() {
			continue
		}
		dir := filepath.Join(corpus, owner.Name())
		want := map[string]string{}
		require.NoError(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() || !strings.HasPrefix(d.Name(), "catalog-info.y") {
				return err
			}
			text, err := os.ReadFile(path)
			inside, _ := filepath.Rel(dir, path)
			want[filepath.ToSlash(inside)] = string(text)
			return err
		}))
		org, err := githubtest.LoadFolders(owner.Name(), os.DirFS(dir))
		require.NoError(t, err)
		p := newPlace(t, org, Options{Patterns: []string{"**/catalog-info.y*"}}, githubtest.Options{})
		var l sourcetest.Ledger
		report := run(t, &l, p)
		require.Empty(t, report.Kept)
		got := map[string]string{}
		for _, e := range l.Repositories {
			for _, p := range e.Problems { // the corpus does not hold all files of a repository
				require.Contains(t, p.Message, "there is no such file in the repository")
				require.Positive(t, p.Line)
			}
			for path, text := range e.Contents {
				if !strings.HasPrefix(filepath.Base(path), "catalog-info.y") { // a Location led there
					there, err := os.ReadFile(filepath.Join(dir, e.Name, filepath.FromSlash(path)))
					require.NoError(t, err)
					require.Equal(t, string(there), string(text), path)
					followed++
					continue
				}
				got[e.Name+"/"+path] = string(text)
			}
		}
		require.Equal(t, want, got, owner.Name())
		total += len(got)
	}
	t.Logf("%d catalog files of %d organisations, and %d to which they lead", total, len(owners), followed)
	require.Greater(t, total, 200)
	require.Positive(t, followed)
}
