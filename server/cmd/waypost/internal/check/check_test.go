package check

import (
	"os"
	"os/exec"
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

const includes = `apiVersion: backstage.io/v1alpha1
kind: API
metadata: {name: orders}
spec: {type: openapi, lifecycle: production, owner: payments, definition: {$text: TARGET}}
`

// TestFileOfAClone: a file leads to others of the clone around it, wherever it is
// named from, and is checked once.
func TestFileOfAClone(t *testing.T) {
	t.Parallel()
	dir := folder(t, map[string]string{
		".git/HEAD":                       "ref: refs/heads/main\n",
		"shared/orders.json":              "{}",
		"services/[a]/catalog-info.yaml":  strings.ReplaceAll(includes, "TARGET", "/shared/orders.json"),
		"services/b/catalog-info.yaml":    strings.ReplaceAll(includes, "TARGET", "../../shared/none.json"),
		"services/c/.d/catalog-info.yaml": "kind: Location\napiVersion: backstage.io/v1alpha1\nmetadata: {name: x}\nspec: {targets: ['../../[[]a]/*.yaml']}\n",
	})
	must := func(out []byte, err error) { require.NoError(t, err, string(out)) }
	must(exec.Command("git", "-C", dir, "init").CombinedOutput())
	must(exec.Command("git", "-C", dir, "add", "-A").CombinedOutput())
	named := filepath.Join(dir, "services/[a]/catalog-info.yaml")
	r, err := Run(t.Context(), []string{named, named, filepath.Dir(named), filepath.Join(dir, "services/c")}, Options{Patterns: DefaultPatterns})
	require.NoError(t, err)
	require.Empty(t, r.Problems)
	require.Equal(t, 2, r.Files)
	require.Len(t, r.Entities, 2)

	r, err = Run(t.Context(), []string{dir}, Options{Patterns: DefaultPatterns})
	require.NoError(t, err)
	require.Equal(t, 3, r.Files)
	require.Equal(t, []catalog.Code{catalog.CodeUnreadable}, codes(r))
	require.Equal(t, 4, r.Problems[0].Line)
	require.True(t, strings.HasSuffix(r.Problems[0].Path, "services/b/catalog-info.yaml"))

	// What is named and not read is told.
	r, err = Run(t.Context(), []string{filepath.Join(dir, ".git/HEAD"), named}, Options{})
	require.NoError(t, err)
	require.Equal(t, []catalog.Code{catalog.CodeUnreadable}, codes(r))
}

// TestFolderWithoutAClone is a repository of its own.
func TestFolderWithoutAClone(t *testing.T) {
	t.Parallel()
	dir := folder(t, map[string]string{"a/catalog-info.yaml": strings.ReplaceAll(includes, "TARGET", "../orders.json"), "orders.json": "{}"})
	r, err := Run(t.Context(), []string{dir}, Options{Patterns: DefaultPatterns})
	require.NoError(t, err)
	require.Empty(t, r.Problems)
	r, err = Run(t.Context(), []string{filepath.Join(dir, "a")}, Options{Patterns: DefaultPatterns})
	require.NoError(t, err)
	require.Equal(t, []catalog.Code{catalog.CodeUnreadable}, codes(r))
	require.Contains(t, r.Problems[0].Message, "it leads out of the repository")
}
