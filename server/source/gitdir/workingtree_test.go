package gitdir_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/waypost-dev/waypost/server/source"
	"github.com/waypost-dev/waypost/server/source/gitdir"
	"github.com/waypost-dev/waypost/server/source/gitdir/clonetest"
	"github.com/waypost-dev/waypost/server/source/sourcetest"
)

// read are the documents and problems of the one repository at a path.
func read(t *testing.T, o gitdir.Options) source.Repository {
	t.Helper()
	var l sourcetest.Ledger
	r := harvest(t, &l, o)
	require.Contains(t, r.Repositories, ".")
	return r.Repositories["."]
}

const leadsOn = `kind: Location
spec: {targets: [./apis/*.yaml, https://github.com/acme/shop/blob/main/more/team.yaml]}
`

// TestWorkingTreeIsWhatItsCommitWillBe reads files before and after they are
// committed.
func TestWorkingTreeIsWhatItsCommitWillBe(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "shop")
	gitRepo(t, dir, map[string]string{"catalog-info.yaml": "old: 1\n", "gone.yaml": "x"})
	clonetest.Git(t, dir, clonetest.Time, "remote", "add", "origin", "git@github.com:acme/shop.git")
	clonetest.Git(t, dir, clonetest.Time, "branch", "-M", "main")
	must(t, os.Remove(dir+"/gone.yaml"))
	write(t, dir+"/catalog-info.yaml", leadsOn)
	write(t, dir+"/apis/orders.yaml", "kind: API\nspec: {definition: {$text: ../.hidden/openapi.json}}\n")
	write(t, dir+"/.hidden/openapi.json", "{}")
	write(t, dir+"/.hidden/catalog-info.yaml", "hidden: 1\n")
	write(t, dir+"/more/team.yaml", "kind: Group\nspec: {x: {$yaml: linked/a.yaml}}\n")
	write(t, dir+"/real/a.yaml", "a: 1\n")
	must(t, os.Symlink("../real", dir+"/more/linked"))
	must(t, os.Symlink("../real/a.yaml", dir+"/apis/z.yaml"))
	o := gitdir.Options{Path: dir, Patterns: []string{"**/catalog-info.yaml"}}
	tree := o
	tree.WorkingTree = true

	clonetest.Git(t, dir, clonetest.Time, "add", "-A")
	uncommitted := read(t, tree)
	require.Equal(t, "acme/shop", uncommitted.FullName())
	require.Equal(t, "https://github.com/acme/shop", uncommitted.URL)
	require.Equal(t, "main", uncommitted.Branch)
	var paths []string
	for _, d := range uncommitted.Documents {
		paths = append(paths, d.Path)
	}
	require.Equal(t, []string{".hidden/catalog-info.yaml", "apis/orders.yaml", "apis/z.yaml", "catalog-info.yaml", "more/team.yaml"}, paths)
	require.Equal(t, "old: 1\n", string(read(t, o).Documents[0].Content), "the commit is as it was")

	clonetest.Git(t, dir, clonetest.Time, "commit", "-m", "all")
	committed := read(t, o)
	require.Empty(t, cmp.Diff(committed.Documents, uncommitted.Documents))
	require.Empty(t, cmp.Diff(committed.Problems, uncommitted.Problems))
}

// TestWorkingTreeKeepsGitToItself: the folder .git may hold credentials, and what
// is not of the repository is not read.
func TestWorkingTreeKeepsGitToItself(t *testing.T) {
	t.Parallel()
	outside := t.TempDir()
	write(t, outside+"/secret", "SECRET")
	dir := filepath.Join(t.TempDir(), "shop")
	gitRepo(t, dir, map[string]string{"README.md": "x"})
	write(t, dir+"/.git/secret", "SECRET")
	write(t, dir+"/.git/hooks/deeper/secret", "SECRET")
	write(t, dir+"/secret", "harmless")
	must(t, os.Symlink(".git", dir+"/door"))
	must(t, os.Symlink(".git/secret", dir+"/window"))
	must(t, os.Symlink(".git/hooks/deeper", dir+"/stairs"))
	must(t, os.Symlink("stairs/../../secret", dir+"/cellar")) // to the system .git/secret, by its text ./secret
	must(t, os.Symlink(outside+"/secret", dir+"/out"))
	must(t, os.Symlink("loop", dir+"/loop"))
	must(t, os.Symlink(".git/secret", dir+"/catalog-info.yml"))
	text := "kind: API\nspec:\n"
	targets := []string{".git/secret", "door/secret", "window", "stairs/secret", "cellar", "out", "loop", "../shop/secret", ".GIT/secret", "sub/secret", "sub/catalog-info.yaml"}
	for i, target := range targets {
		text += "  x" + string(rune('a'+i)) + ": {$text: '" + target + "'}\n"
	}
	write(t, dir+"/catalog-info.yaml", text+"---\nkind: Location\nspec: {targets: [.git/secret, '.git/*', door/secret, 'door/**', window]}\n")
	gitRepo(t, dir+"/sub", map[string]string{"catalog-info.yaml": "of: another\n"})
	r := read(t, gitdir.Options{Path: dir, WorkingTree: true, Patterns: []string{"**/catalog-info.y*ml", ".git/secret"}})
	for _, d := range r.Documents {
		require.NotContains(t, string(d.Content), "SECRET", d.Path)
		require.NotEqual(t, "sub/catalog-info.yaml", d.Path)
		for _, i := range d.Includes {
			require.NotContains(t, string(i.Content), "SECRET", i.Target)
			if i.Target != "cellar" {
				require.NotNil(t, i.Problem, i.Target)
			}
		}
	}
	require.Len(t, r.Documents[0].Includes, len(targets))
}

// TestWorkingTreeKeepsWhatGitDoesNotKnow: who proposes a change must not be told
// what lies beside the files of the clone in which it is checked, whatever its
// .gitignore says.
func TestWorkingTreeKeepsWhatGitDoesNotKnow(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "shop")
	gitRepo(t, dir, map[string]string{
		"catalog-info.yaml": "kind: API\nspec: {a: {$text: .env}, b: {$text: out/token}, c: {$text: added.txt}, d: {$text: link}}\n---\n" +
			"kind: Location\nspec: {targets: [.env, './out/*', './out/**', './c*.yml']}\n",
		"catalog-info.yml": "placeholder: 1\n", "README.md": "x",
	})
	write(t, dir+"/.env", "SECRET")
	write(t, dir+"/out/token", "SECRET")
	write(t, dir+"/added.txt", "added")
	must(t, os.Symlink(".env", dir+"/link"))
	must(t, os.Remove(dir+"/catalog-info.yml"))
	must(t, os.Symlink(".env", dir+"/catalog-info.yml"))
	clonetest.Git(t, dir, clonetest.Time, "add", "added.txt", "link", "catalog-info.yml")
	write(t, dir+"/sub/catalog-info.yaml", "new: and not added yet\n")
	for _, from := range []string{"", "/sub"} { // a folder of a clone is as careful
		if from != "" {
			write(t, dir+from+"/catalog-info.yaml", "kind: API\nspec: {a: {$text: beside}}\n")
			write(t, dir+from+"/beside", "SECRET")
		}
		r := read(t, gitdir.Options{Path: dir + from, WorkingTree: true, Patterns: []string{"**/catalog-info.y*ml"}})
		told := map[string]string{}
		for _, d := range r.Documents {
			require.NotContains(t, string(d.Content), "SECRET", d.Path)
			for _, i := range d.Includes {
				require.NotContains(t, string(i.Content), "SECRET", i.Target)
				if i.Problem != nil {
					told[i.Target] = i.Problem.Message
				} else {
					told[i.Target] = string(i.Content)
				}
			}
		}
		for target, what := range told {
			if target == "added.txt" {
				require.Equal(t, "added", what)
			} else if target != "link" {
				require.Contains(t, what, "git does not know", target)
			}
		}
		require.Len(t, told, map[string]int{"": 4, "/sub": 1}[from], "%v", told)
		if from == "" {
			var paths []string
			for _, d := range r.Documents {
				paths = append(paths, d.Path)
			}
			require.Equal(t, []string{"catalog-info.yaml", "catalog-info.yml", "sub/catalog-info.yaml"}, paths)
			require.NotNil(t, r.Documents[1].Problem)
		}
	}
}

// TestWorkingTreeOfAFolder: no clone is needed, and other hosts are left to who
// harvests.
func TestWorkingTreeOfAFolder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir+"/catalog-info.yaml", "kind: Location\nspec: {targets: [https://other.example/a.yaml, ./none.yaml]}\n")
	write(t, dir+"/node_modules/a/catalog-info.yaml", "a: 1\n")
	r := read(t, gitdir.Options{Path: dir, WorkingTree: true, Patterns: []string{"**/catalog-info.yaml"}})
	require.Len(t, r.Documents, 1)
	require.Len(t, r.Problems, 2)
	for _, p := range r.Problems {
		require.Equal(t, "catalog-info.yaml", p.Path)
		require.Equal(t, 2, p.Line)
		require.Equal(t, map[bool]string{true: "warning", false: "error"}[p.Hint == "allow it with --read-allow other.example"], string(p.Severity), p.Message)
	}
	// Somebody who names the folder means it.
	r = read(t, gitdir.Options{Path: dir, WorkingTree: true, Patterns: []string{"node_modules/a/catalog-info.yaml"}})
	require.Len(t, r.Documents, 1)
}
