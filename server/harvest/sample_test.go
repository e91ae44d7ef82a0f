package harvest_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waypost-dev/waypost/sample"
	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/harvest"
	"github.com/waypost-dev/waypost/server/source/gitdir"
	"github.com/waypost-dev/waypost/server/source/gitdir/clonetest"
	"github.com/waypost-dev/waypost/server/source/github"
	"github.com/waypost-dev/waypost/server/source/githubtest"
	"github.com/waypost-dev/waypost/server/store"
)

// TestClonesGiveWhatGitHubGives harvests the sample organisation from clones
// and from a GitHub that holds the same repositories. What the documents
// declare is the same to the byte; so is what is inferred, as far as git knows
// of it.
func TestClonesGiveWhatGitHubGives(t *testing.T) {
	t.Parallel()
	dir := clonetest.Clones(t, sample.Acme())
	local, err := gitdir.New(gitdir.Options{Path: dir, Owner: "acme"})
	require.NoError(t, err)
	fromDir := harvestAll(t, local)

	clones, err := githubtest.LoadClones(dir)
	require.NoError(t, err)
	clones.Login = "acme"
	requireSame(t, fromDir, harvestAll(t, onGitHub(t, clones)))

	// GitHub knows more of a repository than git does: of what is declared it
	// makes no difference.
	org, err := githubtest.LoadFS(sample.Acme())
	require.NoError(t, err)
	fromGitHub := harvestAll(t, onGitHub(t, org))
	declared := 0
	for key, e := range fromGitHub.entities {
		if e.Origin.Inferred {
			continue
		}
		declared++
		require.Contains(t, fromDir.entities, key)
		require.Equal(t, string(e.Document), string(fromDir.entities[key].Document))
		require.Equal(t, e.Relations, fromDir.entities[key].Relations)
		require.Equal(t, e.Origin.Line, fromDir.entities[key].Origin.Line)
	}
	require.Greater(t, declared, 60)
	for key, e := range fromDir.entities {
		require.Contains(t, fromGitHub.entities, key)
		require.Equal(t, fromGitHub.entities[key].Origin.Inferred, e.Origin.Inferred)
	}
}

func onGitHub(t testing.TB, org *githubtest.Org) *github.Source {
	t.Helper()
	server := httptest.NewServer(githubtest.NewServer(org, githubtest.Options{Enterprise: true, Token: "secret"}))
	t.Cleanup(server.Close)
	src, err := github.New(github.Options{Organisation: org.Login, URL: server.URL, Token: "secret"})
	require.NoError(t, err)
	return src
}

// TestNothingIsLostWhenGitHubBreaksOff harvests the sample organisation, then
// changes something in it and has GitHub fail from some request on: the harvest
// fails, and the catalog has all that it had.
func TestNothingIsLostWhenGitHubBreaksOff(t *testing.T) {
	t.Parallel()
	org, err := githubtest.LoadFS(sample.Acme())
	require.NoError(t, err)
	fake := githubtest.NewServer(org, githubtest.Options{Enterprise: true, Token: "secret"})
	server := httptest.NewServer(fake)
	t.Cleanup(server.Close)
	st := openStore(t)
	src, err := github.New(github.Options{
		Organisation: "acme", URL: server.URL, Token: "secret", MaxWait: time.Second, Timeout: 300 * time.Millisecond,
	})
	require.NoError(t, err)
	e := harvest.New(st, slog.New(slog.DiscardHandler))
	e.Add(harvest.Config{Source: src})
	refs := func() map[string]bool {
		out := map[string]bool{}
		_, err := st.Load(t.Context(), func(e *catalog.Entity) error { out[e.Ref.Key()] = true; return nil })
		require.NoError(t, err)
		return out
	}
	_, err = e.Run(t.Context(), src.Name(), harvest.Order{}, nil)
	require.NoError(t, err)
	before := refs()
	fake.ResetLog()
	_, err = e.Run(t.Context(), src.Name(), harvest.Order{}, nil)
	require.NoError(t, err)
	requests := len(fake.Log())
	require.Greater(t, requests, 5)
	counted, _ := fake.Spent()
	require.Zero(t, counted, "an unchanged organisation costs no counted request")

	// The source's own tests try every fault at every request; here the point is
	// what the store and the harvester make of a listing that broke off.
	for name, fault := range map[string]githubtest.Fault{"broken": {Status: 502}, "cut off": {Truncate: true}} {
		for _, k := range []int{0, 1, requests / 2} {
			org.Push("checkout", githubtest.File{Path: "README.md", Content: []byte(name + strconv.Itoa(k))})
			var n atomic.Int64
			fake.SetFault(func(*http.Request) *githubtest.Fault {
				if n.Add(1) > int64(k) {
					return &fault
				}
				return nil
			})
			p, err := e.Run(t.Context(), src.Name(), harvest.Order{}, nil)
			require.Equal(t, before, refs(), "%s from request %d on", name, k)
			if k == 0 { // the listing itself; what is less than that may be a problem, and the harvest goes on
				require.Error(t, err)
				require.Equal(t, store.HarvestFailed, p.State)
				require.NotEmpty(t, p.Error)
			}
			fake.SetFault(nil)
		}
	}
	fake.SetFault(nil)
	_, err = e.Run(t.Context(), src.Name(), harvest.Order{}, nil)
	require.NoError(t, err)
	require.Equal(t, before, refs())
}
