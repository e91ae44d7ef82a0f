package harvest_test

import (
	"fmt"
	"log/slog"
	"net/http/httptest"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/harvest"
	"github.com/waypost-dev/waypost/server/source"
	"github.com/waypost-dev/waypost/server/source/github"
	"github.com/waypost-dev/waypost/server/source/githubtest"
	"github.com/waypost-dev/waypost/server/store"
)

// TestLargeOrganisation harvests 10,000 repositories, then finds them
// unchanged, then refreshes one: the unchanged harvest costs no counted request
// and no revision, and the refresh three requests and no listing.
func TestLargeOrganisation(t *testing.T) {
	if testing.Short() {
		t.Skip("makes 10,000 repositories")
	}
	const repositories = 10_000
	org := &githubtest.Org{Login: "acme"}
	file := func(i int, title string) githubtest.File {
		return githubtest.File{Path: "catalog-info.yaml", Content: fmt.Appendf(nil,
			"apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata: {name: c-%d, title: %q}\nspec: {type: service, lifecycle: production, owner: team}\n", i, title)}
	}
	org.Update(func(o *githubtest.Org) {
		for i := range repositories {
			o.Repos = append(o.Repos, githubtest.NewRepo(fmt.Sprint("repo-", i), file(i, "first")))
		}
	})
	fake := githubtest.NewServer(org, githubtest.Options{Enterprise: true})
	server := httptest.NewServer(fake)
	t.Cleanup(server.Close)
	st, err := store.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "x.db"), store.Options{})
	require.NoError(t, err)
	defer st.Close()
	src, err := github.New(github.Options{Organisation: "acme", URL: server.URL})
	require.NoError(t, err)
	e := harvest.New(st, slog.New(slog.DiscardHandler))
	e.Add(harvest.Config{Source: src})
	run := func(what string) harvest.Progress {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		begin := time.Now()
		p, err := e.Run(t.Context(), src.Name(), harvest.Order{}, nil)
		require.NoError(t, err)
		runtime.ReadMemStats(&after)
		t.Logf("%s: %s, %d requests counted, %d free, %d MB allocated", what, time.Since(begin).Round(time.Millisecond),
			p.Requests, p.FreeRequests, (after.TotalAlloc-before.TotalAlloc)>>20)
		return p
	}
	require.Equal(t, repositories, run("cold").Added)
	before, err := st.Latest(t.Context())
	require.NoError(t, err)
	p := run("unchanged")
	require.Zero(t, p.Requests, "counted requests")
	require.Equal(t, repositories, p.Unchanged)
	after, err := st.Latest(t.Context())
	require.NoError(t, err)
	require.Equal(t, before, after, "revisions")

	org.Push("repo-4711", file(4711, "second"))
	fake.ResetLog()
	begin := time.Now()
	done, err := e.Refresh(t.Context(), src.Name(), source.Scope{Repositories: []source.Pointer{{Name: "acme/repo-4711"}}}, catalog.Cause{Via: catalog.ViaWebhook})
	require.NoError(t, err)
	t.Logf("refresh of one: %s, %d requests", time.Since(begin).Round(100*time.Microsecond), len(fake.Log()))
	require.Equal(t, 1, done.Changed)
	require.LessOrEqual(t, len(fake.Log()), 3)
}
