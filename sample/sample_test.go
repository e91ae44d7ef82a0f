package sample_test

import (
	"io/fs"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waypost-dev/waypost/sample"
	"github.com/waypost-dev/waypost/server/source/githubtest"
)

func TestAcme(t *testing.T) {
	t.Parallel()
	fsys := sample.Acme()
	var size int64
	var gomods int
	require.NoError(t, fs.WalkDir(fsys, ".", func(path string, d fs.DirEntry, err error) error {
		require.NoError(t, err)
		require.False(t, strings.HasSuffix(path, ".sample"), path)
		if d.IsDir() {
			return nil
		}
		if d.Name() == "go.mod" {
			gomods++
		}
		b, err := fs.ReadFile(fsys, path)
		require.NoError(t, err, path)
		size += int64(len(b))
		return nil
	}))
	require.Less(t, size, int64(300_000), "it is in every binary")
	require.Greater(t, gomods, 5, "hidden files are shown under their own names")

	repos, err := fs.ReadDir(fsys, "repos")
	require.NoError(t, err)
	require.Len(t, repos, 36)

	// The GitHub to test against takes it, with no key or reference amiss.
	org, err := githubtest.LoadFS(fsys)
	require.NoError(t, err)
	require.Equal(t, "acme", org.Login)
	require.Len(t, org.Repos, 36)
	require.Len(t, org.Teams, 10)
}
