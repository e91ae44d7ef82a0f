package github

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waypost-dev/waypost/server/source"
	"github.com/waypost-dev/waypost/server/source/githubtest"
)

func TestInspect(t *testing.T) {
	t.Parallel()
	org := githubtest.NewOrg("acme")
	shop := githubtest.NewRepo("shop",
		githubtest.File{Path: "services/web/a.go", Content: []byte("x")}, githubtest.File{Path: "services/pay/b.go", Content: []byte("x")},
		githubtest.File{Path: "vendor/lib", Mode: githubtest.Submodule}, githubtest.File{Path: "README.md", Content: []byte("x")})
	now := time.Now().UTC().Truncate(time.Second)
	for n := range 250 {
		shop.Commits = append(shop.Commits, githubtest.Commit{
			Login: "ada", Name: "Ada", Email: "ada@acme.example", Time: now.Add(-time.Duration(n) * time.Hour), Merge: n%5 == 0,
			Paths: []string{fmt.Sprintf("services/%s/a.go", []string{"web", "pay"}[n%2])},
		})
	}
	shop.Commits[1].Login = ""
	org.Repos = []*githubtest.Repo{shop, githubtest.NewRepo("empty")}
	org.Users = []*githubtest.User{{Login: "ada"}}
	p := newPlace(t, org, Options{}, githubtest.Options{})
	s := p.source(t)
	at := source.Place{Name: "acme/shop", Commit: shop.Branches["main"].Commit}

	files, err := s.Files(t.Context(), at)
	require.NoError(t, err)
	require.ElementsMatch(t, []string{"README.md", "services/pay/b.go", "services/web/a.go"}, files)
	at.Folder = "services/web"
	files, err = s.Files(t.Context(), at)
	require.NoError(t, err)
	require.Equal(t, []string{"services/web/a.go"}, files)

	commits, err := s.Commits(t.Context(), at, now.Add(-1000*time.Hour), 1000)
	require.NoError(t, err)
	require.Len(t, commits, 100, "125 touch the folder, of which each fifth is a merge")
	require.Equal(t, "ada", commits[0].Author)
	at.Folder = "services/pay"
	commits, err = s.Commits(t.Context(), at, now.Add(-10*time.Hour), 3)
	require.NoError(t, err)
	require.Len(t, commits, 3)
	require.Empty(t, commits[0].Author)
	require.Equal(t, source.Commit{Hash: commits[0].Hash, Email: "ada@acme.example", Name: "Ada", Time: now.Add(-time.Hour)}, commits[0])

	text, err := s.Content(t.Context(), at, "services/web/a.go")
	require.NoError(t, err)
	require.Equal(t, "x", string(text))
	for _, path := range []string{"none", "services", "vendor/lib", ""} {
		_, err = s.Content(t.Context(), at, path)
		require.ErrorIs(t, err, source.ErrNotGiven, path)
	}

	for _, bad := range []source.Place{{Name: "acme/none", Commit: "x"}, {Name: "acme/empty", Commit: "main"}, {Name: "acme"}} {
		_, err = s.Files(t.Context(), bad)
		require.ErrorIs(t, err, source.ErrNotGiven)
		_, err = s.Commits(t.Context(), bad, time.Time{}, 10)
		require.ErrorIs(t, err, source.ErrNotGiven)
	}
}

// Half of the requests are for harvests.
func TestInspectLeavesRequests(t *testing.T) {
	t.Parallel()
	org := githubtest.NewOrg("acme")
	org.Repos = []*githubtest.Repo{githubtest.NewRepo("shop", githubtest.File{Path: "a", Content: []byte("x")})}
	p := newPlace(t, org, Options{}, githubtest.Options{Limit: 10})
	s := p.source(t)
	at := source.Place{Name: "acme/shop", Commit: org.Repos[0].Branches["main"].Commit}
	asked := 0
	for ; asked < 20; asked++ {
		if _, err := s.Commits(t.Context(), at, time.Unix(int64(asked), 0), 10); err != nil {
			require.ErrorIs(t, err, source.ErrNotGiven)
			require.ErrorContains(t, err, "half of them are for harvests")
			break
		}
	}
	require.Equal(t, 6, asked)
}
