package github

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/source"
	"github.com/waypost-dev/waypost/server/source/githubtest"
	"github.com/waypost-dev/waypost/server/source/sourcetest"
)

// TestAFaultAtAnyRequestRemovesNothing lets each request of a harvest go wrong
// in turn, once or from then on, and looks what became of the catalog.
func TestAFaultAtAnyRequestRemovesNothing(t *testing.T) {
	t.Parallel()
	const repositories = 14
	faults := map[string]githubtest.Fault{
		"502":          {Status: http.StatusBadGateway},
		"500 in HTML":  {Status: http.StatusInternalServerError, Body: "<html>Unicorn!</html>"},
		"404":          {Status: http.StatusNotFound},
		"403":          {Status: http.StatusForbidden},
		"401":          {Status: http.StatusUnauthorized},
		"451":          {Status: http.StatusUnavailableForLegalReasons},
		"cut short":    {Truncate: true},
		"reset":        {Reset: true},
		"an empty one": {Body: "[]"},
		"null":         {Body: "null"},
		"not JSON":     {Body: "<html>"},
		"an object":    {Body: `{"data":{"nodes":[]}}`},
	}
	for name, fault := range faults {
		for _, on := range []string{"once", "from then on", "once, teams by GraphQL", "from then on, teams by GraphQL"} {
			t.Run(name+" "+on, func(t *testing.T) {
				t.Parallel()
				// Known, and all changed, so that everything is asked for again.
				org := sized(repositories, 2)
				on, graphql := strings.CutSuffix(on, ", teams by GraphQL")
				o := Options{Batch: 8, Parallel: 1, pageSize: 10}
				if graphql {
					o.coldLists = -1
				}
				p := newPlace(t, org, o, githubtest.Options{})
				var before sourcetest.Ledger
				run(t, &before, p)
				names, teams := before.Names(), len(before.Directory.Teams)
				require.Len(t, names, repositories)
				org.Update(func(o *githubtest.Org) {
					for _, r := range o.Repos {
						r.Stars++
					}
					o.Teams[1].Members = []string{"user-001"}
				})
				cache := p.o.Cache.(*memory)
				for k := 1; k < 60; k++ {
					l := before // a harvest makes new maps
					p.o.Cache = cache.clone()
					var requests atomic.Int64
					p.server.SetFault(func(*http.Request) *githubtest.Fault {
						n := requests.Add(1)
						if n == int64(k) || n > int64(k) && on != "once" {
							return &fault
						}
						return nil
					})
					report, err := l.Harvest(t.Context(), t, p.source(t))
					require.True(t, slices.Equal(names, l.Names()), "request %d: %d repositories are left: %v", k, len(l.Names()), err)
					require.Len(t, l.Directory.Teams, teams, "request %d", k)
					for _, name := range names {
						e, _ := l.Named(name)
						require.Equal(t, sourcetest.Document(name), string(e.Contents["catalog-info.yaml"]), "request %d", k)
					}
					require.Equal(t, err == nil, report.Completed)
					if requests.Load() < int64(k) { // k is beyond the last request
						require.NoError(t, err)
						require.Greater(t, k, 10)
						return
					}
				}
				t.Fatal("the harvest does not end")
			})
		}
	}
}

func (m *memory) clone() *memory {
	c := &memory{}
	m.entries.Range(func(k, v any) bool { c.entries.Store(k, v); return true })
	return c
}

// waits collects what Out is told of waiting.
type waits struct {
	source.Out
	mu   sync.Mutex
	list []time.Duration
}

func (w *waits) Spent(b source.Budget) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if b.Waiting > 0 {
		w.list = append(w.list, b.Waiting)
	}
	w.Out.Spent(b)
}

func TestALimitIsWaitedForAndShown(t *testing.T) {
	t.Parallel()
	limited := `{"errors":[{"type":"RATE_LIMITED","message":"API rate limit exceeded"}]}`
	for name, test := range map[string]struct {
		path  string
		fault githubtest.Fault
	}{
		"primary, REST":        {"/repos", githubtest.Fault{Exhausted: time.Second}},
		"primary, 429":         {"/repos", githubtest.Fault{Exhausted: time.Second, Status: http.StatusTooManyRequests}},
		"primary, GraphQL":     {"/graphql", githubtest.Fault{Exhausted: time.Second}},
		"primary, GraphQL 200": {"/graphql", githubtest.Fault{Exhausted: time.Second, Status: http.StatusOK, Body: limited}},
		"primary, teams":       {"/teams", githubtest.Fault{Exhausted: time.Second}},
		"secondary, REST":      {"/repos", githubtest.Fault{RetryAfter: 1}},
		"secondary, 429":       {"/repos", githubtest.Fault{RetryAfter: 1, Status: http.StatusTooManyRequests}},
		"secondary, GraphQL":   {"/graphql", githubtest.Fault{RetryAfter: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPlace(t, sized(3, 1), Options{}, githubtest.Options{})
			var once atomic.Bool
			p.server.SetFault(func(r *http.Request) *githubtest.Fault {
				if strings.HasSuffix(r.URL.Path, test.path) && once.CompareAndSwap(false, true) {
					return &test.fault
				}
				return nil
			})
			watched := &watching{Source: p.source(t)}
			var l sourcetest.Ledger
			report, err := l.Harvest(t.Context(), t, watched)
			require.NoError(t, err)
			require.True(t, once.Load())
			require.Len(t, report.Repositories, 3)
			require.NotNil(t, report.Directory)
			require.NotEmpty(t, watched.waits.list, "nobody was told of the wait")
			require.LessOrEqual(t, slices.Max(watched.waits.list), 4*time.Second)
		})
	}
}

// watching is a source whose Out is watched.
type watching struct {
	*Source
	waits waits
}

func (w *watching) Harvest(ctx context.Context, known source.Known, out source.Out) error {
	w.waits.Out = out
	return w.Source.Harvest(ctx, known, &w.waits)
}

func TestALongLimitEndsTheHarvest(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]githubtest.Fault{
		"primary":   {Exhausted: 40 * time.Minute},
		"secondary": {RetryAfter: 2400},
	} {
		for _, path := range []string{"/repos", "/graphql", "/teams", "/members"} {
			t.Run(name+path, func(t *testing.T) {
				t.Parallel()
				p := newPlace(t, sized(3, 1), Options{}, githubtest.Options{})
				var l sourcetest.Ledger
				run(t, &l, p)
				p.org.Push("repo-00001", githubtest.File{Path: "x", Content: []byte("x")})
				p.server.SetFault(func(r *http.Request) *githubtest.Fault {
					if strings.HasSuffix(r.URL.Path, path) {
						return &fault
					}
					return nil
				})
				report, err := l.Harvest(t.Context(), t, p.source(t))
				require.ErrorContains(t, err, "rate limit")
				require.False(t, report.Completed)
				require.Len(t, l.Repositories, 3)
			})
		}
	}
}

func TestABadTokenIsSaidToBeOne(t *testing.T) {
	t.Parallel()
	p := newPlace(t, sized(3, 1), Options{Token: "ghp_wrong"}, githubtest.Options{Token: "ghp_right"})
	var l sourcetest.Ledger
	report, err := l.Harvest(t.Context(), t, p.source(t))
	require.ErrorContains(t, err, "401")
	require.ErrorContains(t, err, "token")
	require.NotContains(t, fmt.Sprint(err), "ghp_wrong")
	require.False(t, report.Completed)

	p.o.Token, p.o.Organisation = "ghp_right", "nobody"
	_, err = l.Harvest(t.Context(), t, p.source(t))
	require.ErrorContains(t, err, "nobody")
	require.ErrorContains(t, err, "404")
}

// TestHardRepositoriesAreKept has repositories over which GitHub always fails.
func TestHardRepositoriesAreKept(t *testing.T) {
	t.Parallel()
	p := newPlace(t, sized(300, 0), Options{}, githubtest.Options{})
	hard := map[string]bool{}
	p.org.Update(func(o *githubtest.Org) {
		hard[o.Repos[17].NodeID()], hard[o.Repos[218].NodeID()] = true, true
	})
	p.server.SetFault(func(r *http.Request) *githubtest.Fault {
		if r.Method != http.MethodPost {
			return nil
		}
		body := make([]byte, 1<<20)
		n, _ := io.ReadFull(r.Body, body)
		for id := range hard {
			if strings.Contains(string(body[:n]), id) {
				return &githubtest.Fault{Status: http.StatusBadGateway}
			}
		}
		return nil
	})
	var l sourcetest.Ledger
	report := run(t, &l, p)
	require.Len(t, report.Repositories, 298)
	require.Len(t, report.Kept, 2)
	for id, problem := range report.Kept {
		require.True(t, hard[id])
		require.Equal(t, catalog.CodeUnreadable, problem.Code)
	}
	counted, _ := p.server.Spent()
	t.Logf("%d requests with 2 hard ones among 300 repositories", counted)
	require.Less(t, counted, 60)
}
