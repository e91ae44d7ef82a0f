package gitdir_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/source/gitdir"
	"github.com/waypost-dev/waypost/server/source/gitdir/clonetest"
	"github.com/waypost-dev/waypost/server/source/sourcetest"
)

func TestPlainFolder(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "generated")
	write(t, dir+"/a.yaml", "a: 1\n")
	write(t, dir+"/deep/b.yml", "b: 1\n")
	write(t, dir+"/notes.txt", "x")
	write(t, dir+"/.hidden/c.yaml", "c: 1\n")
	write(t, dir+"/main.go", "package main\n")
	write(t, dir+"/CODEOWNERS", "* @acme/all\n")
	must(t, os.Symlink("/etc/hostname", dir+"/out.yaml"))
	must(t, os.Symlink("a.yaml", dir+"/in.yaml"))
	must(t, syscall.Mkfifo(dir+"/pipe.yaml", 0o644))
	o := gitdir.Options{Path: dir}
	var l sourcetest.Ledger
	report := harvest(t, &l, o)
	e := single(t, &l)
	require.Equal(t, "generated", e.Name)
	require.Empty(t, e.Commit)
	require.Equal(t, map[string]string{"a.yaml": "a: 1\n", "deep/b.yml": "b: 1\n", "in.yaml": "a: 1\n"}, texts(e))
	require.Equal(t, "CODEOWNERS", e.Codeowners.Path)
	require.Equal(t, "Go", e.Languages[0].Name)
	unread := 0
	for _, d := range report.Repositories["."].Documents {
		if d.Problem != nil {
			unread++
		}
	}
	require.Equal(t, 2, unread, "the pipe and the link that leads out")
	must(t, os.Remove(dir+"/out.yaml"))
	must(t, os.Remove(dir+"/pipe.yaml"))
	harvest(t, &l, o)
	require.Len(t, harvest(t, &l, o).Unchanged, 1)

	write(t, dir+"/a.yaml", "a: 2\n")
	must(t, os.Chtimes(dir+"/a.yaml", time.Time{}, time.Now().Add(time.Second)))
	harvest(t, &l, o)
	require.Equal(t, "a: 2\n", texts(single(t, &l))["a.yaml"])

	// As soon as there is a catalog file by name, only such files count.
	write(t, dir+"/deep/catalog-info.yaml", "d: 1\n")
	harvest(t, &l, o)
	require.Equal(t, map[string]string{"deep/catalog-info.yaml": "d: 1\n"}, texts(single(t, &l)))

	l = sourcetest.Ledger{}
	harvest(t, &l, gitdir.Options{Path: dir, Patterns: []string{"*.yaml"}})
	require.Equal(t, map[string]string{"a.yaml": "a: 2\n", "in.yaml": "a: 2\n"}, texts(single(t, &l)))
}

func texts(e sourcetest.Entry) map[string]string {
	out := map[string]string{}
	for path, b := range e.Contents {
		out[path] = string(b)
	}
	return out
}

func TestTreeBomb(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	// Every folder holds ten names of the same folder: 10^40 files.
	repo := clonetest.Repository{Files: []clonetest.File{{Path: "main.go", Content: "package main\n"}}, Loose: true}
	clonetest.Write(t, dir, repo)
	tree := strings.TrimSpace(clonetest.Git(t, dir, clonetest.Time, "rev-parse", "HEAD^{tree}"))
	for range 40 {
		var lines strings.Builder
		for i := range 10 {
			lines.WriteString("040000 tree " + tree + "\t" + string(rune('a'+i)) + "\n")
		}
		list := filepath.Join(t.TempDir(), "list")
		write(t, list, lines.String())
		tree = strings.TrimSpace(clonetest.Git(t, dir, clonetest.Time, "-c", "alias.mk=!git mktree <"+list, "mk"))
	}
	commit := strings.TrimSpace(clonetest.Git(t, dir, clonetest.Time, "commit-tree", "-m", "x", tree))
	write(t, filepath.Join(dir, ".git/refs/heads/main"), commit+"\n")
	start := time.Now()
	var l sourcetest.Ledger
	harvest(t, &l, gitdir.Options{Path: dir, Patterns: []string{"**/catalog-info.yaml"}})
	require.Less(t, time.Since(start), time.Minute)
	e := single(t, &l)
	require.Len(t, e.Problems, 1)
	require.Equal(t, catalog.CodeTooLarge, e.Problems[0].Code)
}
