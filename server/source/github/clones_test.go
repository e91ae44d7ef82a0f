package github_test

import (
	"net/http/httptest"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/waypost-dev/waypost/sample"
	"github.com/waypost-dev/waypost/server/source"
	"github.com/waypost-dev/waypost/server/source/gitdir"
	"github.com/waypost-dev/waypost/server/source/gitdir/clonetest"
	"github.com/waypost-dev/waypost/server/source/github"
	"github.com/waypost-dev/waypost/server/source/githubtest"
	"github.com/waypost-dev/waypost/server/source/sourcetest"
)

// TestBothWaysAgree harvests the same clones from the disk and through a
// GitHub that serves them: whatever git holds must come out the same.
func TestBothWaysAgree(t *testing.T) {
	t.Parallel()
	dir := clonetest.Clones(t, sample.Acme())
	org, err := githubtest.LoadClones(dir)
	require.NoError(t, err)
	web := httptest.NewServer(githubtest.NewServer(org, githubtest.Options{Enterprise: true}))
	t.Cleanup(web.Close)

	patterns := []string{"**/catalog-info.yaml", "**/*.{yaml,yml}"}
	fromDisk, err := gitdir.New(gitdir.Options{Path: dir, Patterns: patterns})
	require.NoError(t, err)
	fromGitHub, err := github.New(github.Options{Organisation: filepath.Base(dir), URL: web.URL, Patterns: patterns})
	require.NoError(t, err)

	var disk, forge sourcetest.Ledger
	_, err = disk.Harvest(t.Context(), t, fromDisk)
	require.NoError(t, err)
	_, err = forge.Harvest(t.Context(), t, fromGitHub)
	require.NoError(t, err)
	require.Equal(t, disk.Names(), forge.Names())
	for _, name := range disk.Names() {
		a, _ := disk.Named(name)
		b, _ := forge.Named(name)
		require.Empty(t, cmp.Diff(held(a), held(b)), name)
	}
}

// inGit is what git holds of a repository.
type inGit struct {
	Branch, Commit string
	Root           []string
	Contents       map[string][]byte
	Codeowners     *source.File
	Languages      []source.Language
	PushedAt       string
}

func held(e sourcetest.Entry) inGit {
	h := inGit{Branch: e.Branch, Commit: e.Commit, Root: e.Root, Contents: e.Contents, Codeowners: e.Codeowners, Languages: e.Languages}
	if e.Commit != "" {
		h.PushedAt = e.PushedAt.UTC().String()
	}
	return h
}
