package github

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/source"
	"github.com/waypost-dev/waypost/server/source/githubtest"
	"github.com/waypost-dev/waypost/server/source/sourcetest"
)

// refresh must succeed, and the harvest after it must find nothing changed.
func refresh(t *testing.T, l *sourcetest.Ledger, p *place, scope source.Scope) *sourcetest.Report {
	t.Helper()
	p.server.ResetLog()
	report, err := l.Refresh(t.Context(), t, p.source(t), scope)
	require.NoError(t, err)
	return report
}

func unchanged(t *testing.T, l *sourcetest.Ledger, p *place) {
	t.Helper()
	before := l.Names()
	report := run(t, l, p)
	require.Empty(t, report.Names(), "changed for the harvest, though just refreshed")
	require.Equal(t, before, l.Names())
}

func pointer(t *testing.T, l *sourcetest.Ledger, p *place, name string) source.Pointer {
	t.Helper()
	e, ok := l.Named(name)
	require.True(t, ok)
	at := e.Pointer()
	p.org.Update(func(o *githubtest.Org) {
		for _, r := range o.Repos {
			if r.NodeID() == e.ID {
				at.Number = r.Number()
			}
		}
	})
	return at
}

func one(p source.Pointer) source.Scope {
	return source.Scope{Repositories: []source.Pointer{p}}
}

// lines are the logged requests, as method, path without numbers of
// repositories, and status.
func lines(p *place) []string {
	var all []string
	for _, r := range p.server.Log() {
		path, _, _ := strings.Cut(r.Path, "?")
		if parts := strings.Split(path, "/"); len(parts) > 2 && parts[1] == "repositories" {
			parts[2] = "N"
			path = strings.Join(parts, "/")
		}
		all = append(all, r.Method+" "+strings.TrimPrefix(path, "/api"))
	}
	return all
}

func TestAPushedFileInALargeOrganisationCostsThreeRequests(t *testing.T) {
	t.Parallel()
	p := newPlace(t, sized(2_000, 3), Options{}, githubtest.Options{})
	var l sourcetest.Ledger
	run(t, &l, p)
	at := pointer(t, &l, p, "repo-01242")
	p.org.Push("repo-01242", githubtest.File{Path: "catalog-info.yaml", Content: []byte(sourcetest.Document("changed"))})
	began := time.Now()
	refresh(t, &l, p, one(at))
	t.Logf("refreshed in %s", time.Since(began))
	require.Equal(t, []string{"GET /repositories/N", "POST /graphql", "POST /graphql"}, lines(p))
	e, _ := l.Named("repo-01242")
	require.Equal(t, sourcetest.Document("changed"), string(e.Contents["catalog-info.yaml"]))
	require.Len(t, e.Teams, 1)
	unchanged(t, &l, p)
}

func TestWhatIsAskedFor(t *testing.T) {
	t.Parallel()
	p := newPlace(t, sized(3, 2), Options{}, githubtest.Options{})
	var l sourcetest.Ledger
	run(t, &l, p)
	at := pointer(t, &l, p, "repo-00001")
	for _, test := range []struct {
		name string
		at   source.Pointer
		want []string
	}{
		{"number", at, []string{"GET /repositories/N", "POST /graphql"}},
		{"id", source.Pointer{ID: at.ID}, []string{"POST /graphql", "GET /repos/acme/repo-00001", "POST /graphql"}},
		{"name", source.Pointer{Name: at.Name}, []string{"GET /repos/acme/repo-00001", "POST /graphql"}},
		{"teams", source.Pointer{Number: at.Number, Teams: true}, []string{"GET /repositories/N", "GET /repos/acme/repo-00001/teams", "POST /graphql"}},
	} {
		report := refresh(t, &l, p, one(test.at))
		require.Equal(t, []string{"repo-00001"}, report.Names(), test.name)
		require.Equal(t, test.want, lines(p), test.name)
		unchanged(t, &l, p)
	}
}

func TestRefreshTellsWhatIsGone(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		o      Options
		change func(*githubtest.Org)
	}{
		{"deleted", Options{}, func(o *githubtest.Org) { o.Delete("repo-00001") }},
		{"transferred", Options{}, func(o *githubtest.Org) { o.Transfer("repo-00001", "elsewhere") }},
		{"archived", Options{NoArchived: true}, func(o *githubtest.Org) { o.Archive("repo-00001", true) }},
		{"made private", Options{Visibility: []string{"public"}}, func(o *githubtest.Org) { o.SetVisibility("repo-00001", "private") }},
		{"renamed out of the globs", Options{Include: []string{"repo-*"}}, func(o *githubtest.Org) { o.Rename("repo-00001", "other") }},
		{"tagged", Options{NoTopics: []string{"secret"}}, func(o *githubtest.Org) { o.SetTopics("repo-00001", "secret") }},
		{"a fork", Options{NoForks: true}, func(o *githubtest.Org) { o.Update(func(o *githubtest.Org) { o.Repos[1].Fork = true }) }},
	} {
		for _, by := range []string{"number", "id"} {
			t.Run(test.name+" by "+by, func(t *testing.T) {
				t.Parallel()
				p := newPlace(t, sized(3, 2), test.o, githubtest.Options{})
				var l sourcetest.Ledger
				run(t, &l, p)
				at := pointer(t, &l, p, "repo-00001")
				if by == "id" {
					at.Number = 0
				}
				test.change(p.org)
				report := refresh(t, &l, p, one(at))
				require.Equal(t, []string{at.ID}, report.Gone)
				require.Equal(t, []string{"repo-00000", "repo-00002"}, l.Names())
				unchanged(t, &l, p)
			})
		}
	}
}

func TestARenamedRepositoryIsFoundByItsFormerName(t *testing.T) {
	t.Parallel()
	p := newPlace(t, sized(3, 2), Options{}, githubtest.Options{})
	var l sourcetest.Ledger
	run(t, &l, p)
	at := pointer(t, &l, p, "repo-00001")
	p.org.Rename("repo-00001", "new-name")
	refresh(t, &l, p, one(source.Pointer{Name: at.Name}))
	require.Equal(t, []string{"GET /repos/acme/repo-00001", "GET /repositories/N", "POST /graphql"}, lines(p), "the redirect is followed")
	require.Equal(t, []string{"new-name", "repo-00000", "repo-00002"}, l.Names())
	unchanged(t, &l, p)

	// Another one takes the former name. Whoever still has that name is told of both.
	p.org.Add(githubtest.NewRepo("repo-00001", githubtest.File{Path: "a", Content: []byte("a")}))
	p.org.Push("new-name", githubtest.File{Path: "b", Content: []byte("b")})
	report := refresh(t, &l, p, one(at))
	require.Equal(t, []string{"new-name", "repo-00001"}, report.Names())
	require.Len(t, l.Repositories, 4)
	unchanged(t, &l, p)
}

func TestADeletedRepositoryWhoseNameIsTakenAgain(t *testing.T) {
	t.Parallel()
	p := newPlace(t, sized(3, 2), Options{}, githubtest.Options{})
	var l sourcetest.Ledger
	run(t, &l, p)
	at := pointer(t, &l, p, "repo-00001")
	p.org.Delete("repo-00001")
	p.org.Add(githubtest.NewRepo("repo-00001", githubtest.File{Path: "a", Content: []byte("a")}))
	report := refresh(t, &l, p, one(at))
	require.Equal(t, []string{at.ID}, report.Gone)
	require.Equal(t, []string{"repo-00001"}, report.Names())
	unchanged(t, &l, p)
}

func TestRefreshOfTeams(t *testing.T) {
	t.Parallel()
	p := newPlace(t, sized(4, 2), Options{}, githubtest.Options{})
	var l sourcetest.Ledger
	run(t, &l, p)
	at := pointer(t, &l, p, "repo-00001")
	p.org.Grant("repo-00001", "team-000", "admin")
	p.org.Push("repo-00001", githubtest.File{Path: "a", Content: []byte("a")})

	refresh(t, &l, p, one(at))
	e, _ := l.Named("repo-00001")
	require.Equal(t, []source.TeamPermission{{Team: "team-001", Permission: "push"}}, e.Teams, "nobody said that teams changed")

	at.Teams = true
	refresh(t, &l, p, one(at))
	e, _ = l.Named("repo-00001")
	want := []source.TeamPermission{{Team: "team-000", Permission: "admin"}, {Team: "team-001", Permission: "push"}}
	require.Equal(t, want, e.Teams)
	unchanged(t, &l, p)

	// With the directory, teams are known anyway.
	p.org.Grant("repo-00001", "team-000", "")
	report := refresh(t, &l, p, source.Scope{Repositories: []source.Pointer{at}, Directory: true})
	require.Len(t, report.Directory.Teams, 2)
	require.NotContains(t, lines(p), "GET /repos/acme/repo-00001/teams")
	e, _ = l.Named("repo-00001")
	require.Equal(t, want[1:], e.Teams)
	unchanged(t, &l, p)

	// A directory alone lists no repositories.
	p.org.Join("team-001", "newcomer")
	report = refresh(t, &l, p, source.Scope{Directory: true})
	require.Empty(t, report.Repositories)
	require.Contains(t, l.Directory.Teams[1].Members, "newcomer")
	require.NotContains(t, lines(p), "GET /orgs/acme/repos")
	unchanged(t, &l, p)

	// Without the right to ask, the next harvest finds out.
	p.org.Grant("repo-00001", "team-000", "pull")
	p.server.SetFault(func(r *http.Request) *githubtest.Fault {
		if strings.HasSuffix(r.URL.Path, "/repo-00001/teams") {
			return &githubtest.Fault{Status: http.StatusForbidden, Message: "Resource not accessible by integration"}
		}
		return nil
	})
	report = refresh(t, &l, p, one(at))
	require.Empty(t, report.Problems)
	require.Empty(t, report.Kept)
	e, _ = l.Named("repo-00001")
	require.Equal(t, want[1:], e.Teams, "what was known stays")
	run(t, &l, p)
	e, _ = l.Named("repo-00001")
	require.Equal(t, []source.TeamPermission{{Team: "team-000", Permission: "pull"}, {Team: "team-001", Permission: "push"}}, e.Teams)
}

func TestTeamsInAState(t *testing.T) {
	t.Parallel()
	many := make([]source.TeamPermission, 200)
	for i := range many {
		many[i] = source.TeamPermission{Team: strings.Repeat("t", 20), Permission: "push"}
	}
	for _, teams := range [][]source.TeamPermission{nil, {{Team: "a", Permission: "pull"}}, {{Team: "a-b_c", Permission: "admin"}, {Team: "b", Permission: "push"}}} {
		again, ok := parseTeams(teamsPart(teams))
		require.True(t, ok)
		require.Equal(t, teams, again)
	}
	for _, teams := range [][]source.TeamPermission{many, {{Team: "a,b", Permission: "pull"}}, {{Team: "a:b", Permission: "pull"}}, {{Team: "a!", Permission: ""}}} {
		part := teamsPart(teams)
		require.Regexp(t, "^#[0-9a-f]{12}$", part)
		_, ok := parseTeams(part)
		require.False(t, ok)
	}
	_, ok := parseTeams(teamsUnknown)
	require.False(t, ok)
}

func TestTheAuthorOfACommitIsKnown(t *testing.T) {
	t.Parallel()
	p := newPlace(t, sized(3, 2), Options{}, githubtest.Options{})
	p.org.SetActor("user-003")
	p.org.Push("repo-00000", githubtest.File{Path: "a", Content: []byte("a")})
	began := time.Now()
	var l sourcetest.Ledger
	run(t, &l, p)
	e, _ := l.Named("repo-00000")
	require.Equal(t, "user-003", e.Author)
	require.False(t, e.Asked.Before(began))
	require.False(t, e.Asked.After(time.Now()))
	other, _ := l.Named("repo-00001")
	require.Empty(t, other.Author)

	p.org.SetActor("user-004")
	p.org.Push("repo-00001", githubtest.File{Path: "a", Content: []byte("a")})
	refresh(t, &l, p, one(other.Pointer()))
	other, _ = l.Named("repo-00001")
	require.Equal(t, "user-004", other.Author)
	require.True(t, other.Asked.After(e.Asked))
}

func TestRefreshWhenGitHubFails(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		fault func(r *http.Request) *githubtest.Fault
		kept  bool // in place of an error
	}{
		{"the record fails", status5(http.MethodGet), false},
		{"the record is refused", on(http.MethodGet, githubtest.Fault{Status: http.StatusForbidden, Message: "no"}), true},
		{"the record is withheld", on(http.MethodGet, githubtest.Fault{Status: http.StatusUnavailableForLegalReasons, Message: "no"}), true},
		{"the record is not JSON", on(http.MethodGet, githubtest.Fault{Body: "<html>"}), false},
		{"the record is empty", on(http.MethodGet, githubtest.Fault{Body: "{}"}), false},
		{"the record is cut short", on(http.MethodGet, githubtest.Fault{Truncate: true}), false},
		{"the token is refused", on(http.MethodGet, githubtest.Fault{Status: http.StatusUnauthorized}), false},
		{"a redirect to another host", on(http.MethodGet, githubtest.Fault{Status: http.StatusMovedPermanently, Location: "http://192.0.2.1/x"}), false},
		{"GraphQL fails", status5(http.MethodPost), true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			p := newPlace(t, sized(3, 2), Options{}, githubtest.Options{})
			var l sourcetest.Ledger
			run(t, &l, p)
			at := pointer(t, &l, p, "repo-00001")
			p.org.Push("repo-00001", githubtest.File{Path: "a", Content: []byte("a")})
			p.server.SetFault(test.fault)
			report, err := l.Refresh(t.Context(), t, p.source(t), one(at))
			require.Empty(t, report.Gone)
			require.Empty(t, report.Repositories)
			if test.kept {
				require.NoError(t, err)
				require.Contains(t, report.Kept, at.ID)
				require.Equal(t, catalog.CodeUnreadable, report.Kept[at.ID].Code)
			} else {
				require.Error(t, err)
				require.Empty(t, report.Kept)
			}
			p.server.SetFault(nil)
			require.Equal(t, []string{"repo-00001"}, run(t, &l, p).Names(), "the next harvest reads it")
		})
	}
}

func status5(method string) func(*http.Request) *githubtest.Fault {
	return on(method, githubtest.Fault{Status: http.StatusBadGateway})
}

func on(method string, f githubtest.Fault) func(*http.Request) *githubtest.Fault {
	return func(r *http.Request) *githubtest.Fault {
		if r.Method == method {
			return &f
		}
		return nil
	}
}

func TestOneThatFailsDoesNotKeepTheOthers(t *testing.T) {
	t.Parallel()
	p := newPlace(t, sized(4, 2), Options{}, githubtest.Options{})
	var l sourcetest.Ledger
	run(t, &l, p)
	var scope source.Scope
	for _, name := range []string{"repo-00000", "repo-00001", "repo-00002"} {
		e, _ := l.Named(name)
		scope.Repositories = append(scope.Repositories, source.Pointer{Name: e.FullName()})
	}
	scope.Repositories[1] = pointer(t, &l, p, "repo-00001")
	scope.Repositories = append(scope.Repositories, source.Pointer{Name: "acme/none"}, source.Pointer{Name: "../../orgs/acme"})
	p.server.SetFault(func(r *http.Request) *githubtest.Fault {
		if strings.Contains(r.URL.Path, "/repositories/") {
			return &githubtest.Fault{Status: http.StatusInternalServerError}
		}
		return nil
	})
	report := refresh(t, &l, p, scope)
	require.Equal(t, []string{"repo-00000", "repo-00002"}, report.Names())
	require.Len(t, report.Kept, 1)
	require.Len(t, report.Problems, 2, "two names lead nowhere: %v", report.Problems)
	for _, line := range lines(p) {
		require.NotContains(t, line, "..")
	}
}

// TestAFaultAtAnyRequestOfARefreshRemovesNothing lets each request go wrong in
// turn, once or from then on. The harvest after it finds the truth.
func TestAFaultAtAnyRequestOfARefreshRemovesNothing(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]githubtest.Fault{
		"502":          {Status: http.StatusBadGateway},
		"404":          {Status: http.StatusNotFound},
		"403":          {Status: http.StatusForbidden},
		"401":          {Status: http.StatusUnauthorized},
		"cut short":    {Truncate: true},
		"reset":        {Reset: true},
		"an empty one": {Body: "[]"},
		"null":         {Body: "null"},
		"not JSON":     {Body: "<html>"},
		"an object":    {Body: `{"data":{"nodes":[]}}`},
		"nothing":      {Body: `{"data":{"node":null}}`},
	} {
		for _, on := range []string{"once", "from then on"} {
			t.Run(name+" "+on, func(t *testing.T) {
				t.Parallel()
				p := newPlace(t, sized(3, 2), Options{}, githubtest.Options{})
				var before sourcetest.Ledger
				run(t, &before, p)
				scope := one(pointer(t, &before, p, "repo-00001"))
				scope.Repositories[0].Teams = true
				byID, _ := before.Named("repo-00000")
				scope.Repositories = append(scope.Repositories, source.Pointer{ID: byID.ID})
				p.org.Push("repo-00001", githubtest.File{Path: "catalog-info.yaml", Content: []byte("a: 1\n")})
				p.org.Push("repo-00000", githubtest.File{Path: "catalog-info.yaml", Content: []byte("a: 2\n")})
				cache := p.o.Cache.(*memory)
				want := fresh(t, p)
				for k := 1; ; k++ {
					require.Less(t, k, 60, "the refresh does not end")
					l := before
					p.o.Cache = cache.clone()
					var requests atomic.Int64
					p.server.SetFault(func(*http.Request) *githubtest.Fault {
						n := requests.Add(1)
						if n == int64(k) || n > int64(k) && on != "once" {
							return &fault
						}
						return nil
					})
					report, err := l.Refresh(t.Context(), t, p.source(t), scope)
					require.Empty(t, report.Gone, "request %d: %v", k, err)
					require.Equal(t, before.Names(), l.Names(), "request %d: %v", k, err)
					p.server.SetFault(nil)
					run(t, &l, p)
					require.Empty(t, cmp.Diff(want, &l, whole), "request %d: %v", k, err)
					if requests.Load() < int64(k) {
						require.NoError(t, err)
						require.Greater(t, k, 6)
						return
					}
				}
			})
		}
	}
}

// TestARepositoryDeletedWhileItIsRefreshedIsGone deletes between the record
// and the content.
func TestARepositoryDeletedWhileItIsRefreshedIsGone(t *testing.T) {
	t.Parallel()
	p := newPlace(t, sized(3, 2), Options{}, githubtest.Options{})
	var l sourcetest.Ledger
	run(t, &l, p)
	at := pointer(t, &l, p, "repo-00001")
	deleted := false
	p.server.SetFault(func(r *http.Request) *githubtest.Fault {
		if r.Method == http.MethodPost && !deleted {
			deleted = true
			p.org.Delete("repo-00001")
		}
		return nil
	})
	report := refresh(t, &l, p, one(at))
	require.Equal(t, []string{at.ID}, report.Gone)
	unchanged(t, &l, p)
}
