package github

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/waypost-dev/waypost/server/source"
	"github.com/waypost-dev/waypost/server/source/githubtest"
	"github.com/waypost-dev/waypost/server/source/sourcetest"
)

// TestManyTeamsStayWithinTheBudget: no harvest costs much, and in the end an
// unchanged organisation costs nothing.
func TestManyTeamsStayWithinTheBudget(t *testing.T) {
	t.Parallel()
	for _, teams := range []int{18, 200} {
		t.Run(fmt.Sprint(teams), func(t *testing.T) {
			t.Parallel()
			const repositories, files = 1000, 1500
			p := newPlace(t, sized(repositories, teams), Options{}, githubtest.Options{})
			var l sourcetest.Ledger
			cold := run(t, &l, p)
			spent, _ := p.server.Spent()
			require.Less(t, spent, 60+files/100)
			require.Empty(t, cold.Problems)
			require.Len(t, cold.Directory.Teams, teams)
			costs := []int{spent}
			for spent > 0 {
				p.server.ResetLog()
				warm := run(t, &l, p)
				spent, _ = p.server.Spent()
				costs = append(costs, spent)
				require.Less(t, spent, 60, "%v", costs)
				require.Empty(t, cmp.Diff(cold.Directory, warm.Directory))
				require.Len(t, warm.Unchanged, repositories, "both APIs say the same of teams")
				require.LessOrEqual(t, len(costs), 3+2*teams/(warmLists-2*(teams/perTeams)), "%v", costs)
			}
			t.Logf("%d teams: counted requests of one harvest after the other: %v", teams, costs)

			// What changes once all is known is seen, and costs little.
			p.server.ResetLog()
			p.org.Update(func(o *githubtest.Org) { o.Teams[teams-1].Members = []string{"user-000"} })
			run(t, &l, p)
			spent, _ = p.server.Spent()
			require.LessOrEqual(t, spent, 4, "%v", p.server.Log())
			require.Equal(t, []string{"user-000"}, l.Directory.Teams[teams-1].Members)
		})
	}
}

// randomTeams is an organisation of which some teams have more members and
// repositories than a page holds.
func randomTeams(r *rand.Rand) *githubtest.Org {
	org := githubtest.NewOrg("acme")
	for i := range 230 {
		org.Repos = append(org.Repos, githubtest.NewRepo(fmt.Sprintf("repo-%03d", i)))
	}
	for i := range 12 {
		t := &githubtest.Team{Slug: fmt.Sprintf("team-%02d", i), Name: fmt.Sprintf("Team %d", i)}
		if i > 0 && r.IntN(2) == 0 {
			t.Parent = fmt.Sprintf("team-%02d", r.IntN(i))
		}
		for range r.IntN([]int{1, 5, 150, 300}[r.IntN(4)]) {
			t.Members = append(t.Members, fmt.Sprintf("user-%03d", r.IntN(320)))
		}
		for range r.IntN([]int{1, 5, 150, 300}[r.IntN(4)]) {
			repo := org.Repos[r.IntN(len(org.Repos))]
			if repo.Teams == nil {
				repo.Teams = map[string]string{}
			}
			repo.Teams[t.Slug] = []string{"pull", "triage", "push", "maintain", "admin"}[r.IntN(5)]
		}
		org.Teams = append(org.Teams, t)
	}
	return org
}

// teamsBy reads all teams, with an allowance for asking REST.
func teamsBy(t *testing.T, p *place, allowance int) map[string]any {
	t.Helper()
	h := &harvest{s: p.source(t)}
	ctx := t.Context()
	listed, _, err := h.s.rest.Teams.ListTeams(ctx, "acme", nil)
	require.NoError(t, err)
	var teams []*team
	for _, l := range listed {
		teams = append(teams, &team{Team: l})
	}
	permissions, err := h.teamLists(ctx, teams, allowance)
	require.NoError(t, err)
	read := map[string]any{"": permissions}
	for _, team := range teams {
		read[team.GetSlug()] = team.members
	}
	return read
}

func TestBothAPIsSayTheSameOfTeams(t *testing.T) {
	t.Parallel()
	for seed := range uint64(12) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			p := newPlace(t, randomTeams(rand.New(rand.NewPCG(seed, 1))), Options{}, githubtest.Options{})
			rest := teamsBy(t, p, 1_000_000)
			posts := func() (n int) {
				for _, r := range p.server.Log() {
					if r.Method == http.MethodPost {
						n++
					}
				}
				return n
			}
			require.Zero(t, posts())
			p.o.Cache = nil // as if it had never been read
			require.Empty(t, cmp.Diff(rest, teamsBy(t, p, 0)))
			require.Positive(t, posts())
			p.o.Cache = nil
			require.Empty(t, cmp.Diff(rest, teamsBy(t, p, 7)), "some by one, some by the other")
		})
	}
}

// TestWhatGraphQLDoesNotSayOfTeamsIsAskedOfREST, whatever is wrong with it.
func TestWhatGraphQLDoesNotSayOfTeamsIsAskedOfREST(t *testing.T) {
	t.Parallel()
	const endless = `{"data":{"t0":{"members":{"nodes":[],"pageInfo":{"hasNextPage":true,"endCursor":"CURSOR"}},"repositories":{"edges":[]}}}}`
	for name, fault := range map[string]githubtest.Fault{
		"an error for one team": {Body: `{"data":{"t0":null},"errors":[{"type":"NOT_FOUND","path":["t0"],"message":"Could not resolve to a node"}]}`},
		"an error within":       {Body: `{"data":{"t0":{"members":{"nodes":[]},"repositories":{"edges":[]}}},"errors":[{"type":"FORBIDDEN","path":["t0","repositories","edges",0,"node"],"message":"SAML"}]}`},
		"an error of all":       {Body: `{"data":{"t0":{"members":{"nodes":[]},"repositories":{"edges":[]}}},"errors":[{"message":"Something is wrong"}]}`},
		"nothing":               {Body: `{"data":{}}`},
		"null members":          {Body: `{"data":{"t0":{"members":null,"repositories":{"edges":[]}}}}`},
		"a null member":         {Body: `{"data":{"t0":{"members":{"nodes":[null]},"repositories":{"edges":[]}}}}`},
		"a null repository":     {Body: `{"data":{"t0":{"members":{"nodes":[]},"repositories":{"edges":[{"permission":"READ","node":null}]}}}}`},
		"a new permission":      {Body: `{"data":{"t0":{"members":{"nodes":[]},"repositories":{"edges":[{"permission":"OWN","node":{"id":"R_1"}}]}}}}`},
		"a page without end":    {Body: `{"data":{"t0":{"members":{"nodes":[],"pageInfo":{"hasNextPage":true}},"repositories":{"edges":[]}}}}`},
		"pages without end":     {Body: endless},
		"a refusal":             {Body: `{"errors":[{"message":"Field 'repositories' doesn't exist on type 'Team'"}]}`},
		"not found":             {Status: http.StatusNotFound},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			org := sized(4, 1)
			p := newPlace(t, org, Options{coldLists: -1}, githubtest.Options{})
			var asked atomic.Int64
			p.server.SetFault(func(r *http.Request) *githubtest.Fault {
				body, _ := io.ReadAll(r.Body)
				if !strings.Contains(string(body), "on Team") || strings.Contains(string(body), "IMMEDIATE") {
					return nil
				}
				fault := fault
				fault.Body = strings.ReplaceAll(fault.Body, "CURSOR", fmt.Sprint(asked.Add(1)))
				return &fault
			})
			var l sourcetest.Ledger
			report := run(t, &l, p)
			require.Positive(t, asked.Load())
			require.LessOrEqual(t, asked.Load(), int64(maxTeamPages))
			require.Empty(t, report.Problems)
			require.Len(t, l.Directory.Teams, 1)
			require.Len(t, l.Directory.Teams[0].Members, 5)
			e, _ := l.Named("repo-00001")
			require.Equal(t, []source.TeamPermission{{Team: "team-000", Permission: "push"}}, e.Teams)
		})
	}
}
