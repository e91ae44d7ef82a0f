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

// TestBothWaysLeadToTheSame harvests a repository whose catalog files lead to
// others, from the disk and through a GitHub.
func TestBothWaysLeadToTheSame(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "acme")
	clonetest.Write(t, filepath.Join(dir, "shop"), clonetest.Repository{Files: []clonetest.File{
		{Path: "catalog-info.yaml", Content: sourcetest.Location("./apis/*.yaml", "./deep/**/*.yaml", "./missing.yaml", "./link.yaml", "./nowhere.yaml", "https://elsewhere.example/x.yaml", "../../x", "./apis")},
		{Path: "apis/a.yaml", Content: sourcetest.API("a", "$text", "../openapi.yaml") + "---\n" + sourcetest.API("b", "$json", "./b.json") + "---\n" + sourcetest.API("c", "$text", "./missing.txt")},
		{Path: "apis/b.json", Content: `{"x": {"$text": "/openapi.yaml"}, "y": {"$yaml": "https://elsewhere.example/y"}}`},
		{Path: "apis/b.yaml", Content: sourcetest.Location("../catalog-info.yaml", "/deep/c/c.yaml")},
		{Path: "deep/c/c.yaml", Content: sourcetest.Document("c")},
		{Path: "deep/d.yaml", Content: sourcetest.Document("d")},
		{Path: "openapi.yaml", Content: "openapi: 3.0.0\n"},
		{Path: "link.yaml", Content: "deep/d.yaml", Mode: "120000"},
		{Path: "nowhere.yaml", Content: "/etc/hostname", Mode: "120000"},
	}})
	org, err := githubtest.LoadClones(dir)
	require.NoError(t, err)
	web := httptest.NewServer(githubtest.NewServer(org, githubtest.Options{Enterprise: true}))
	t.Cleanup(web.Close)
	fromDisk, err := gitdir.New(gitdir.Options{Path: dir, Name: "acme"})
	require.NoError(t, err)
	fromGitHub, err := github.New(github.Options{Organisation: "acme", URL: web.URL, Name: "acme"})
	require.NoError(t, err)
	reported := func(s source.Source) source.Repository {
		report, err := new(sourcetest.Ledger).Harvest(t.Context(), t, s)
		require.NoError(t, err)
		require.Empty(t, report.Kept)
		for _, r := range report.Repositories {
			return r
		}
		t.Fatal("no repository was reported")
		return source.Repository{}
	}
	a, b := reported(fromDisk), reported(fromGitHub)
	require.Len(t, a.Documents, 6)
	require.Len(t, a.Problems, 6)
	require.Empty(t, cmp.Diff(a.Documents, b.Documents))
	require.Empty(t, cmp.Diff(a.Problems, b.Problems))
}
