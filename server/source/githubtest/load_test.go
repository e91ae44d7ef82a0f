package githubtest

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestLoadFS(t *testing.T) {
	t.Parallel()
	fsys := fstest.MapFS{
		"org.yaml": {Data: []byte(`
login: acme
name: Acme Corporation
repos:
  shop:
    description: The shop.
    topics: [go]
    visibility: private
    defaultBranch: trunk
    license: MIT
    pushedAt: 2026-05-06T07:08:09Z
    teams: {payments: maintain}
teams:
  - name: Payments
    parent: all
    members: [bob, ada]
    repos: {tool: pull}
  - {slug: all, name: Everybody}
users:
  - {login: ada, name: Ada Lovelace}
`)},
		"repos/shop/src/main.go":       {Data: []byte("package main\n")},
		"repos/shop/catalog-info.yaml": {Data: []byte("a: 1\n")},
		"repos/tool/README.md":         {Data: []byte("# tool\n")},
		"repos/nothing/.empty":         {},
	}
	org, err := LoadFS(fsys)
	require.NoError(t, err)
	require.Equal(t, "Acme Corporation", org.Name)
	require.Len(t, org.Repos, 3)
	shop := org.repo("shop")
	require.Equal(t, "private", shop.Visibility)
	require.Equal(t, map[string]int64{"Go": 13}, shop.Languages)
	require.Equal(t, time.Date(2026, 5, 6, 7, 8, 9, 0, time.UTC), shop.PushedAt)
	require.NotNil(t, shop.Branches["trunk"].lookup("src/main.go"))
	require.Equal(t, map[string]string{"payments": "pull"}, org.repo("tool").Teams)
	require.Nil(t, org.repo("nothing").Branches["main"])
	require.Equal(t, []string{"ada", "bob"}, org.team("payments").Members)
	require.NotNil(t, org.user("bob"), "a member that no user names is one nevertheless")
	again, err := LoadFS(fsys)
	require.NoError(t, err)
	require.Equal(t, shop.NodeID(), again.repo("shop").NodeID(), "ids are the same after a restart")

	for _, mistake := range []string{
		"name: x\n",
		"login: acme\ntypo: 1\n",
		"login: acme\nrepos: {none: {}}\n",
		"login: acme\nrepos: {shop: {visibility: secret}}\n",
		"login: acme\nrepos: {shop: {teams: {nobody: pull}}}\n",
		"login: acme\nteams: [{name: A, parent: b}]\n",
		"login: acme\nteams: [{name: A, repos: {shop: owner}}]\n",
	} {
		fsys["org.yaml"] = &fstest.MapFile{Data: []byte(mistake)}
		_, err := LoadFS(fsys)
		require.ErrorContains(t, err, "org.yaml", mistake)
	}
}

// TestSample loads the organisation that comes with the product.
func TestSample(t *testing.T) {
	t.Parallel()
	dir := filepath.Join("..", "..", "..", "sample", "acme")
	if _, err := os.Stat(filepath.Join(dir, "org.yaml")); err != nil {
		t.Skip("SKIPPED: the sample organisation is not there: ", err)
	}
	org, err := LoadFS(os.DirFS(dir))
	require.NoError(t, err)
	require.NotEmpty(t, org.Repos)
}

// gitBinary runs git in dir, with nothing of the user's configuration.
func gitBinary(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null",
		"GIT_AUTHOR_NAME=Waypost", "GIT_AUTHOR_EMAIL=waypost@example.org", "GIT_AUTHOR_DATE=1767225600 +0000",
		"GIT_COMMITTER_NAME=Waypost", "GIT_COMMITTER_EMAIL=waypost@example.org", "GIT_COMMITTER_DATE=1767225600 +0000")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "git %v: %s", args, out)
	return strings.TrimSpace(string(out))
}

// TestIdsAreGits compares the ids of trees and commits that we make up with
// those of git, and reads the clone back.
func TestIdsAreGits(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("SKIPPED: git is not installed")
	}
	files := []File{
		{Path: "README.md", Content: []byte("# x\n")},
		{Path: "a/b/c.txt", Content: []byte("c")},
		{Path: "a.b", Content: []byte("sorts before the folder a/")},
		{Path: "a-", Content: nil},
		{Path: "run.sh", Mode: Executable, Content: []byte("#!/bin/sh\n")},
		{Path: "link", Mode: Symlink, Content: []byte("a/b")},
		{Path: "größe.txt", Content: []byte("umlaut")},
	}
	top := t.TempDir()
	dir := filepath.Join(top, "x")
	require.NoError(t, os.Mkdir(dir, 0o755))
	gitBinary(t, dir, "init", "-q", "-b", "trunk")
	for _, f := range files {
		name := filepath.Join(dir, f.Path)
		require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o755))
		switch f.Mode {
		case Symlink:
			require.NoError(t, os.Symlink(string(f.Content), name))
		case Executable:
			require.NoError(t, os.WriteFile(name, f.Content, 0o755))
		default:
			require.NoError(t, os.WriteFile(name, f.Content, 0o644))
		}
	}
	gitBinary(t, dir, "add", "-A")
	gitBinary(t, dir, "commit", "-q", "-m", "Change files")

	tree := NewTree(files, epoch, "")
	require.Equal(t, gitBinary(t, dir, "rev-parse", "HEAD^{tree}"), tree.root.oid)
	require.Equal(t, gitBinary(t, dir, "rev-parse", "HEAD"), tree.Commit)

	gitBinary(t, top, "clone", "-q", "--bare", dir, "y.git")
	gitBinary(t, top, "init", "-q", "-b", "main", "empty")
	org, err := LoadClones(top)
	require.NoError(t, err)
	require.Len(t, org.Repos, 3)
	for _, name := range []string{"x", "y"} {
		r := org.repo(name)
		require.Equal(t, "trunk", r.DefaultBranch)
		require.Equal(t, tree.Commit, r.Branches["trunk"].Commit)
		require.Equal(t, tree.root.oid, r.Branches["trunk"].root.oid)
		require.Equal(t, tree.Files(), withModes(r.Branches["trunk"].Files()))
		require.Equal(t, epoch, r.PushedAt)
	}
	require.Empty(t, org.repo("empty").Branches)
}

// withModes reads an empty file as one without content.
func withModes(files []File) []File {
	for i := range files {
		if len(files[i].Content) == 0 {
			files[i].Content = nil
		}
	}
	return files
}
