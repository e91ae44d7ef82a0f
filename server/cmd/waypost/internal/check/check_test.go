package check

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/source"
)

const component = `apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {name: NAME}
spec: {type: service, lifecycle: production, owner: payments, dependsOn: ["component:DEPENDS"]}
`

func folder(t *testing.T, files map[string]string) string {
	dir := t.TempDir()
	for name, content := range files {
		path := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(content), 0o644))
	}
	return dir
}

func declare(name, dependsOn string) string {
	return strings.NewReplacer("NAME", name, "DEPENDS", dependsOn).Replace(component)
}

// codes are the problems without their text.
func codes(r Result) []catalog.Code {
	var out []catalog.Code
	for _, p := range r.Problems {
		out = append(out, p.Code)
	}
	return out
}

func TestFolder(t *testing.T) {
	t.Parallel()
	dir := folder(t, map[string]string{
		"catalog-info.yaml":             declare("a", "b"),
		"deep/down/catalog-info.yml":    declare("b", "a"),
		".git/catalog-info.yaml":        "broken: [",
		"deep/service.yaml":             "broken: [",
		"notacatalog-info.yaml":         "broken: [",
		"x/catalog-info.yaml/README.md": "a folder of that name",
	})
	r, err := Run(t.Context(), []string{dir}, Options{Patterns: DefaultPatterns})
	require.NoError(t, err)
	require.Equal(t, 2, r.Files)
	require.Len(t, r.Entities, 2)
	require.Empty(t, r.Problems)
}

func TestComplete(t *testing.T) {
	t.Parallel()
	dir := folder(t, map[string]string{"catalog-info.yaml": declare("a", "gone")})
	r, err := Run(t.Context(), []string{dir}, Options{Patterns: DefaultPatterns, Complete: true})
	require.NoError(t, err)
	require.Equal(t, []catalog.Code{catalog.CodeDangling, catalog.CodeDangling}, codes(r)) // the owner and the dependency
	require.Equal(t, "component:default/gone does not exist", r.Problems[1].Message)
	require.Equal(t, 4, r.Problems[1].Line)
	require.Equal(t, catalog.SeverityWarning, r.Problems[1].Severity)
}

func TestConflict(t *testing.T) {
	t.Parallel()
	dir := folder(t, map[string]string{"a/catalog-info.yaml": declare("same", "x"), "b/catalog-info.yaml": declare("Same", "x")})
	r, err := Run(t.Context(), []string{dir}, Options{Patterns: DefaultPatterns})
	require.NoError(t, err)
	require.Equal(t, []catalog.Code{catalog.CodeConflict}, codes(r))
	require.True(t, strings.HasSuffix(r.Problems[0].Path, "b/catalog-info.yaml"))
}

func TestBounds(t *testing.T) {
	t.Parallel()
	dir := folder(t, map[string]string{"catalog-info.yaml": strings.Repeat("# far too long\n", source.MaxDocument/15+1)})
	r, err := Run(t.Context(), []string{dir}, Options{Patterns: DefaultPatterns})
	require.NoError(t, err)
	require.Equal(t, []catalog.Code{catalog.CodeTooLarge}, codes(r))
}

func TestUnreadable(t *testing.T) {
	t.Parallel()
	if os.Geteuid() == 0 {
		t.Skip("root reads everything")
	}
	dir := folder(t, map[string]string{"catalog-info.yaml": declare("a", "b"), "b/catalog-info.yaml": declare("b", "a")})
	require.NoError(t, os.Chmod(filepath.Join(dir, "catalog-info.yaml"), 0))
	r, err := Run(t.Context(), []string{dir}, Options{Patterns: DefaultPatterns})
	require.NoError(t, err)
	require.Equal(t, []catalog.Code{catalog.CodeUnreadable}, codes(r))
	require.Len(t, r.Entities, 1)
}

func TestMistakes(t *testing.T) {
	t.Parallel()
	dir := folder(t, map[string]string{"other.yaml": ""})
	_, err := Run(t.Context(), []string{dir}, Options{Patterns: DefaultPatterns})
	require.ErrorIs(t, err, ErrNoFiles)
	_, err = Run(t.Context(), []string{dir}, Options{Patterns: []string{"["}})
	require.ErrorContains(t, err, "malformed")
	_, err = Run(t.Context(), []string{filepath.Join(dir, "none")}, Options{Patterns: DefaultPatterns})
	require.ErrorIs(t, err, os.ErrNotExist)
}
