package ownership

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/waypost-dev/waypost/plugins"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares a text with a file below testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
		require.NoError(t, os.WriteFile(file, []byte(got), 0o644))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(want), got)
}

const catalogFile = `# The shop.
apiVersion: backstage.io/v1alpha1
kind: Component
metadata:
  name: shop
spec:
  # Who runs it.
  type: service
  owner: old-team # since 2021
  lifecycle: production
  owner_of: nothing
---
apiVersion: backstage.io/v1alpha1
kind: API
metadata:
  name: shop-api
spec:
    type: openapi
    definition: |
      owner: nobody
---
apiVersion: backstage.io/v1alpha1
kind: System
metadata:
  name: retail
spec: {owner: old-team}
---
apiVersion: backstage.io/v1alpha1
kind: Domain
metadata:
  name: commerce
spec:
  owner: "group:default/old team"`

func TestPatchOwner(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	for _, c := range []struct {
		what  string
		line  int
		owner string
	}{
		{"replace, and keep the comment", 2, "payments"},
		{"insert, where there is none", 13, "group:bank/payments"},
		{"flow style is left to a person", 22, "payments"},
		{"replace in quotes, on the last line", 28, "payments"},
		{"the same owner is no change", 9, "old-team"},
		{"no owner that would need quoting", 2, "a: b"},
		{"no line of the file", 99, "payments"},
	} {
		patch := PatchOwner("services/shop/catalog-info.yaml", catalogFile, c.line, c.owner)
		out.WriteString("== " + c.what + "\n" + patch)
		if patch != "" {
			apply(t, "services/shop/catalog-info.yaml", catalogFile, patch)
		}
	}
	golden(t, "patch-owner.txt", out.String())

	windows := "kind: Component\r\nspec:\r\n  owner: a\r\n"
	require.Equal(t, "kind: Component\r\nspec:\r\n  owner: b\r\n", apply(t, "c.yaml", windows, PatchOwner("c.yaml", windows, 1, "b")))
	require.Empty(t, PatchOwner("c.yaml", "spec:\n", 1, "b"))
	require.Empty(t, PatchOwner("c.yaml", "spec:\n- owner: a\n", 1, "b"))
	require.Empty(t, PatchOwner("c.yaml", "spec:\n  owner: &x a\n", 1, "b"))
	require.Empty(t, PatchOwner("c.yaml", "spec:\n  owner: |\n    a\n", 1, "b"))
	require.Empty(t, PatchOwner("c.yaml", "", 1, "b"))
}

func TestPatchCodeowners(t *testing.T) {
	t.Parallel()
	const content = "# Owners.\n\n*.js @acme/web\n/docs/ @acme/docs\n/build/ @acme/ci\n/x/ @acme/x\n"
	var out strings.Builder
	for _, c := range []struct{ what, content, folder, owner string }{
		{"a folder, at the end", content, "services/pay", "@acme/payments"},
		{"the whole repository, at the top", content, "", "@acme/payments"},
		{"a folder with a space", content, "my service", "@acme/payments"},
		{"a file that is not there", "", "", "@acme/payments"},
		{"a file without a line break at its end", "*.js @acme/web", "services/pay", "@acme/payments"},
		{"no folder that cannot be written", content, "a[b]", "@acme/payments"},
		{"no owner that cannot be written", content, "a", "@acme/a b"},
	} {
		patch := PatchCodeowners(".github/CODEOWNERS", c.content, c.folder, c.owner)
		out.WriteString("== " + c.what + "\n" + patch)
		if patch != "" {
			apply(t, ".github/CODEOWNERS", c.content, patch)
		}
	}
	golden(t, "patch-codeowners.txt", out.String())
}

// TestPatchApplies holds that whatever the file is, git takes the patch, and
// what comes out has the line.
func TestPatchApplies(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		lines := rapid.SliceOfN(rapid.SampledFrom([]string{"# comment", "", "* @acme/all", "/a/ @acme/a"}), 0, 12).Draw(r, "lines")
		content := strings.Join(lines, "\n")
		if content != "" && rapid.Bool().Draw(r, "end") {
			content += "\n"
		}
		folder := rapid.SampledFrom([]string{"", "a", "a/b"}).Draw(r, "folder")
		got := patched(content, PatchCodeowners("CODEOWNERS", content, folder, "@acme/x"))
		want := "* @acme/x"
		if folder != "" {
			want = "/" + folder + "/ @acme/x"
			require.True(r, strings.HasSuffix(got, want+"\n"))
		}
		require.Contains(r, "\n"+got, "\n"+want+"\n")
		require.Equal(r, strings.TrimSuffix(content, "\n"), strings.TrimSuffix(strings.Replace(got, want+"\n", "", 1), "\n"))
	})
}

// TestPatchOwnerIsOneLine holds that a patch touches one line only, makes it the
// owner's, and has nothing left to do the second time.
func TestPatchOwnerIsOneLine(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		lines := rapid.SliceOfN(rapid.SampledFrom([]string{
			"---", "kind: Component", "spec:", "spec: # of it", "spec: {}", "  type: service", "  owner: a", "  owner: 'a b' # who", "  owner:",
			"  owner: *x", "    owner: deeper", "  # owner: no", "", "  members:", "  - owner: x", "owner: top", "\towner: tab", "  owner: a\r", "spec:\r",
		}), 1, 14).Draw(r, "lines")
		content := strings.Join(lines, "\n")
		if rapid.Bool().Draw(r, "end") {
			content += "\n"
		}
		line := rapid.IntRange(1, len(lines)).Draw(r, "line")
		patch := PatchOwner("c.yaml", content, line, "new-owner")
		if patch == "" {
			return
		}
		got := strings.Split(strings.TrimSuffix(patched(content, patch), "\n"), "\n")
		had := strings.Split(strings.TrimSuffix(content, "\n"), "\n")
		require.Contains(r, []int{0, 1}, len(got)-len(had))
		changed := 0
		for i := range got {
			if j := i - changed*(len(got)-len(had)); j >= len(had) || got[i] != had[j] {
				changed++
				require.Regexp(r, `^\s+owner: new-owner\s*(#.*)?$`, got[i])
			}
		}
		require.Equal(r, 1, changed)
		if changedLine := min(line, len(got)); len(got) == len(had) {
			require.Empty(r, PatchOwner("c.yaml", strings.Join(got, "\n"), changedLine, "new-owner"))
		}
	})
}

// patched applies a patch of one hunk by what its lines say.
func patched(content, patch string) string {
	lines := splitLines(content)
	for i := range lines {
		lines[i] = strings.TrimSuffix(lines[i], noEnd)
	}
	var header, out []string
	body := strings.Split(strings.TrimSuffix(patch, "\n"), "\n")
	header, body = body[:3], body[3:]
	at := 0
	if from := strings.Fields(header[2])[1]; !strings.HasPrefix(from, "-0,") {
		for _, d := range strings.Split(from[1:], ",")[0] {
			at = at*10 + int(d-'0')
		}
		at--
	}
	out = append(out, lines[:at]...)
	for _, l := range body {
		switch l[0] {
		case ' ':
			out = append(out, lines[at])
			at++
		case '-':
			at++
		case '+':
			out = append(out, l[1:])
		}
	}
	return strings.Join(append(out, lines[at:]...), "\n") + "\n"
}

// apply has git apply a patch, and returns what comes out.
func apply(t *testing.T, file, content, patch string) string {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		if os.Getenv("WAYPOST_REQUIRE_ALL") == "1" {
			t.Fatal("git is not installed, and WAYPOST_REQUIRE_ALL is set")
		}
		t.Skip("git is not installed, which is to judge the patches")
	}
	dir := t.TempDir()
	full := filepath.Join(dir, file)
	if content != "" {
		require.NoError(t, os.MkdirAll(filepath.Dir(full), 0o755))
		require.NoError(t, os.WriteFile(full, []byte(content), 0o644))
	}
	cmd := exec.Command("git", "apply", "--whitespace=nowarn", "-")
	cmd.Dir, cmd.Stdin = dir, strings.NewReader(patch)
	cmd.Env = append(os.Environ(), "GIT_CEILING_DIRECTORIES="+filepath.Dir(dir))
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s\n%s", out, patch)
	got, err := os.ReadFile(full)
	require.NoError(t, err)
	return string(got)
}

// TestMendUnowned proposes what the evidence says, and where.
func TestMendUnowned(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.team("a", "ann", "bob")
	w.repo("web", nil)
	w.add("component:default/web", nil, "acme/web:services/web/catalog-info.yaml")
	w.commit("web", "ann", 20, 1)
	w.commit("web", "bob", 20, 1)
	o := w.explain(`{}`, "component:default/web")
	require.Equal(t, StatusUnowned, o.Status)
	require.Equal(t, []Mend{
		{Reason: "unowned", Repository: "acme/web", Path: "services/web/catalog-info.yaml", Line: 1, Text: "Write owner: a into the spec, as the evidence says."},
		{
			Reason: "unowned", Repository: "acme/web", Path: ".github/CODEOWNERS", Text: "Give services/web to @acme/a in .github/CODEOWNERS.",
			Patch: "--- /dev/null\n+++ b/.github/CODEOWNERS\n@@ -0,0 +1,1 @@\n+/services/web/ @acme/a\n",
		},
	}, o.Mends)
	// Where the source gives its text, the catalog file has a patch too.
	const text = "apiVersion: v1\nkind: Component\nspec:\n  type: service\n"
	w.texts = map[string]string{"acme/web/services/web/catalog-info.yaml": text}
	patched := w.explain(`{}`, "component:default/web").Mends[0]
	require.Equal(t, "apiVersion: v1\nkind: Component\nspec:\n  owner: a\n  type: service\n", apply(t, patched.Path, text, patched.Patch))
	w.texts = nil
	w.repo("web", func(r *plugins.Repository) { r.Codeowners = &plugins.Codeowners{Path: "CODEOWNERS", Hash: "1"} })
	for _, m := range w.explain(`{}`, "component:default/web").Mends {
		require.Empty(t, m.Patch, "a file that is too large is not changed")
	}
	// Somebody wrote that nobody owns it.
	w.repo("web", owners("* @acme/b", "/services/"))
	o = w.explain(`{}`, "component:default/web")
	require.Equal(t, StatusUnowned, o.Status)
	require.Len(t, o.Mends, 1)
}
