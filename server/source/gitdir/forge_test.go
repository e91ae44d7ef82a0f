package gitdir_test

import (
	"net/http/httptest"
	"testing"
	"testing/fstest"

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

// TestClonesSayWhatTheForgeSays harvests the same repositories as clones and
// from GitHub: all that git holds must be equal.
func TestClonesSayWhatTheForgeSays(t *testing.T) {
	t.Parallel()
	odd := fstest.MapFS{
		"org.yaml":                           {Data: []byte("login: acme\nrepos:\n  odd: {defaultBranch: trunk}\n")},
		"repos/odd/catalog-info.yaml":        {Data: []byte("a: 1\n")},
		"repos/odd/svc/b/catalog-info.yaml":  {Data: []byte("b: 1\n")},
		"repos/odd/svc/größe.yaml":           {Data: []byte("c: 1\n")},
		"repos/odd/docs/CODEOWNERS":          {Data: []byte("* @a\n")},
		"repos/odd/.github/CODEOWNERS":       {Data: []byte("* @b\n")},
		"repos/odd/vendor/x/main.go":         {Data: []byte("package x\n")},
		"repos/odd/cmd/main.go":              {Data: []byte("package main\n\nfunc main() {}\n")},
		"repos/odd/web/index.ts":             {Data: []byte("export {};\n")},
		"repos/odd/lib.rs":                   {Data: []byte("fn main() {}\n")},
		"repos/odd/node_modules/a/index.js":  {Data: []byte("x()\n")},
		"repos/odd/.gitignore":               {Data: []byte("*\n")},
		"repos/empty/.empty":                 {},
		"repos/odd.name_2/README.md":         {Data: []byte("x\n")},
		"repos/odd.name_2/a b/info.yaml":     {Data: []byte("d: 1\n")},
		"repos/odd.name_2/catalog-info.yaml": {Data: []byte("\xef\xbb\xbfa: 1\r\n")},
	}
	for name, test := range map[string]struct {
		fsys     fstest.MapFS
		patterns []string
	}{
		"sample":        {nil, nil},
		"odd":           {odd, nil},
		"odd, anywhere": {odd, []string{"**/*.yaml"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fsys := sample.Acme()
			if test.fsys != nil {
				fsys = test.fsys
			}
			var clones, forge sourcetest.Ledger
			harvest(t, &clones, gitdir.Options{Path: clonetest.Clones(t, fsys), Patterns: test.patterns})

			org, err := githubtest.LoadFS(fsys)
			require.NoError(t, err)
			server := httptest.NewServer(githubtest.NewServer(org, githubtest.Options{Enterprise: true}))
			defer server.Close()
			s, err := github.New(github.Options{Organisation: "acme", URL: server.URL, Patterns: test.patterns})
			require.NoError(t, err)
			_, err = forge.Harvest(t.Context(), t, s)
			require.NoError(t, err)

			require.Equal(t, forge.Names(), clones.Names())
			for _, name := range forge.Names() {
				want, _ := forge.Named(name)
				got, _ := clones.Named(name)
				require.Empty(t, got.Problems)
				about := org.Repos[0]
				for _, r := range org.Repos {
					if r.Name == name {
						about = r
					}
				}
				if diff := cmp.Diff(shared(want.Repository), shared(got.Repository)); diff != "" {
					t.Errorf("%s: the forge says -, the clone says +:\n%s", name, diff)
				}
				require.Equal(t, want.Contents, got.Contents, name)
				if about.Branches != nil && test.fsys != nil {
					require.Equal(t, want.Languages, got.Languages, name)
				}
			}
		})
	}
}

// shared is what git holds of a repository and a forge tells as well.
func shared(r source.Repository) source.Repository {
	s := source.Repository{Owner: r.Owner, Name: r.Name, Branch: r.Branch, Root: r.Root, Codeowners: r.Codeowners}
	if r.Commit != "" {
		s.PushedAt = r.PushedAt
	}
	for _, d := range r.Documents {
		s.Documents = append(s.Documents, source.Document{Path: d.Path, Hash: d.Hash})
	}
	return s
}
