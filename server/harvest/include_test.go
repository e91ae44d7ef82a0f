package harvest_test

import (
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/harvest"
	"github.com/waypost-dev/waypost/server/source/gitdir"
	"github.com/waypost-dev/waypost/server/source/gitdir/clonetest"
	"github.com/waypost-dev/waypost/server/source/sourcetest"
)

// TestIncludedFiles harvests an API whose definition stands in a file of its own:
// a change of that file changes the entity, and when it is gone the last good form
// stays.
func TestIncludedFiles(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "acme")
	st := openStore(t)
	src, err := gitdir.New(gitdir.Options{Path: dir})
	require.NoError(t, err)
	e := harvest.New(st, slog.New(slog.DiscardHandler))
	e.Add(harvest.Config{Source: src})
	harvested := func(openapi string) (string, harvest.Progress, []catalog.Problem) {
		require.NoError(t, os.RemoveAll(filepath.Join(dir, "shop")))
		files := []clonetest.File{{Path: "catalog-info.yaml", Content: sourcetest.Location("./apis/*.yaml")}, {Path: "apis/a.yaml", Content: sourcetest.API("a", "$text", "../openapi.yaml")}}
		if openapi != "" {
			files = append(files, clonetest.File{Path: "openapi.yaml", Content: openapi})
		}
		clonetest.Write(t, filepath.Join(dir, "shop"), clonetest.Repository{Files: files})
		p, err := e.Run(t.Context(), src.Name(), harvest.Order{}, nil)
		require.NoError(t, err)
		definition := ""
		_, err = st.Load(t.Context(), func(e *catalog.Entity) error {
			if e.Ref.Name == "a" {
				definition = string(e.Field("spec.definition"))
			}
			return nil
		})
		require.NoError(t, err)
		problems, err := st.Problems(t.Context())
		require.NoError(t, err)
		return definition, p, problems
	}
	definition, _, problems := harvested("openapi: 3.0.0\n")
	require.Empty(t, problems)
	require.JSONEq(t, `"openapi: 3.0.0\n"`, definition)

	definition, p, _ := harvested("openapi: 3.1.0\n")
	require.JSONEq(t, `"openapi: 3.1.0\n"`, definition)
	require.Equal(t, 1, p.Changed)
	require.Equal(t, 1, p.Read, "only what includes the file is decoded again")

	definition, p, problems = harvested("")
	require.JSONEq(t, `"openapi: 3.1.0\n"`, definition, "the last good form stays")
	require.Zero(t, p.Changed+p.Removed)
	require.Len(t, problems, 1)
	require.Equal(t, `acme/shop/apis/a.yaml:10:5: $text "../openapi.yaml": there is no such file in the repository; write the path relative to the file that names it, or from the root with a / before it`, problems[0].Error())
}
