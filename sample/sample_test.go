package sample_test

import (
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waypost-dev/waypost/sample"
	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/descriptor"
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

// TestMistakes holds the list of deliberate mistakes in acme/README.md, as far
// as a single file shows them, against what the decoder says.
func TestMistakes(t *testing.T) {
	t.Parallel()
	fsys := sample.Acme()
	readme, err := fs.ReadFile(fsys, "README.md")
	require.NoError(t, err)
	repos, err := fs.ReadDir(fsys, "repos")
	require.NoError(t, err)
	kinds := map[string]bool{}
	found := 0
	for _, d := range repos {
		path := "repos/" + d.Name() + "/catalog-info.yaml"
		b, err := fs.ReadFile(fsys, path)
		if err != nil {
			continue
		}
		out := descriptor.Decode(descriptor.File{Repository: "acme/" + d.Name(), Path: "catalog-info.yaml", Content: b})
		for _, e := range out.Entities {
			kinds[e.Ref.Kind] = true
		}
		for _, p := range out.Problems {
			found++
			row := fmt.Sprintf("| `%s/catalog-info.yaml:%d` |", d.Name(), p.Line)
			require.Contains(t, string(readme), row, p.Error())
			line := string(readme)[strings.Index(string(readme), row):]
			line, _, _ = strings.Cut(line, "\n")
			require.Contains(t, line, "`"+string(p.Code)+"`")
			if p.Field != "" && p.Code != catalog.CodeUnknownKind {
				require.Contains(t, line, "at `"+p.Field+"`")
			}
		}
	}
	require.Equal(t, 6, found)
	for _, kind := range []string{"Component", "API", "Resource", "System", "Domain", "Group", "User", "Location", "Template", "Model"} {
		require.True(t, kinds[kind], kind)
	}
}
