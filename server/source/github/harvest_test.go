package github

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
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

// sized is an organisation with so many repositories, of which each has a
// catalog file and every second one a CODEOWNERS file, and so many teams.
func sized(repositories, teams int) *githubtest.Org {
	org := githubtest.NewOrg("acme")
	for i := range repositories {
		name := fmt.Sprintf("repo-%05d", i)
		list := []githubtest.File{
			{Path: "catalog-info.yaml", Content: []byte(sourcetest.Document(name))},
			{Path: "main.go", Content: []byte("package main\n")},
		}
		if i%2 == 0 {
			list = append(list, githubtest.File{Path: ".github/CODEOWNERS", Content: []byte("* @acme/" + name + "\n")})
		}
		r := githubtest.NewRepo(name, list...)
		if teams > 0 {
			r.Teams = map[string]string{fmt.Sprintf("team-%03d", i%teams): "push"}
		}
		org.Repos = append(org.Repos, r)
	}
	for i := range teams {
		t := &githubtest.Team{Slug: fmt.Sprintf("team-%03d", i), Name: fmt.Sprintf("Team %03d", i)}
		if i > 0 {
			t.Parent = "team-000"
		}
		for m := range 5 {
			t.Members = append(t.Members, fmt.Sprintf("user-%03d", (i*5+m)%120))
		}
		org.Teams = append(org.Teams, t)
	}
	return org
}

// counting is a Cache that counts what is written to it.
type counting struct {
	memory
	writes atomic.Int64
}

func (c *counting) Set(key string, value []byte) {
	c.writes.Add(1)
	c.memory.Set(key, value)
}

func run(t testing.TB, l *sourcetest.Ledger, p *place) *sourcetest.Report {
	t.Helper()
	report, err := l.Harvest(t.Context(), t, p.source(t))
	require.NoError(t, err)
	return report
}

func TestColdAndWarmHarvestStayWithinTheBudget(t *testing.T) {
	t.Parallel()
	const repositories, files = 1000, 1500
	cache := &counting{}
	p := newPlace(t, sized(repositories, 12), Options{Cache: cache}, githubtest.Options{})
	var l sourcetest.Ledger
	cold := run(t, &l, p)
	require.Len(t, cold.Repositories, repositories)
	require.Empty(t, cold.Problems)
	require.Equal(t, repositories, cold.Expected)
	counted, free := p.server.Spent()
	t.Logf("cold harvest of %d repositories with %d files: %d counted requests, %d free", repositories, files, counted, free)
	require.Less(t, counted, 60+files/100)
	require.Equal(t, counted, cold.Budget.Counted)
	require.Equal(t, free, cold.Budget.Free)
	require.Equal(t, 5000, cold.Budget.Limit)
	require.Positive(t, cold.Budget.Remaining)

	p.server.ResetLog()
	written := cache.writes.Load()
	warm := run(t, &l, p)
	counted, free = p.server.Spent()
	t.Logf("warm harvest: %d counted requests, %d free", counted, free)
	require.Zero(t, counted, "%v", p.server.Log())
	require.Positive(t, free)
	require.Empty(t, warm.Repositories)
	require.Len(t, warm.Unchanged, repositories)
	require.Zero(t, warm.Budget.Counted)
	require.Equal(t, written, cache.writes.Load(), "an unchanged organisation writes nothing")
	require.Empty(t, cmp.Diff(cold.Directory, warm.Directory))

	p.org.Push("repo-00500", githubtest.File{Path: "catalog-info.yaml", Content: []byte(sourcetest.Document("new"))})
	p.server.ResetLog()
	one := run(t, &l, p)
	require.Equal(t, []string{"repo-00500"}, one.Names())
	counted, _ = p.server.Spent()
	// Its page of the list, the lists of its team (pushed_at is in there), its
	// facts and its files.
	require.LessOrEqual(t, counted, 4, "%v", p.server.Log())
}

func TestWhatChangesARepositoryAndNothingElse(t *testing.T) {
	t.Parallel()
	org := sized(6, 2)
	p := newPlace(t, org, Options{}, githubtest.Options{})
	var l sourcetest.Ledger
	run(t, &l, p)
	for name, change := range map[string]func(r *githubtest.Repo){
		"archived":    func(r *githubtest.Repo) { r.Archived = true },
		"description": func(r *githubtest.Repo) { r.Description = "new" },
		"topics":      func(r *githubtest.Repo) { r.Topics = []string{"new"} },
		"permission":  func(r *githubtest.Repo) { r.Teams = map[string]string{"team-000": "admin", "team-001": "pull"} },
		"default branch": func(r *githubtest.Repo) {
			r.DefaultBranch, r.Branches = "trunk", map[string]*githubtest.Tree{"trunk": r.Branches["main"]}
		},
		"stars":    func(r *githubtest.Repo) { r.Stars++ },
		"property": func(r *githubtest.Repo) { r.Properties = map[string]any{"owner": "shop"} },
	} {
		org.Update(func(o *githubtest.Org) { change(o.Repos[3]) })
		report := run(t, &l, p)
		require.Equal(t, []string{"repo-00003"}, report.Names(), name)
		require.Len(t, report.Unchanged, 5, name)
	}
	e, _ := l.Named("repo-00003")
	require.True(t, e.Archived)
	require.Equal(t, "trunk", e.Branch)
	require.Equal(t, []source.TeamPermission{{Team: "team-000", Permission: "admin"}, {Team: "team-001", Permission: "pull"}}, e.Teams)
	require.Equal(t, []source.Language{{Name: "Go", Bytes: 13}}, e.Languages)

	other := p.o
	other.Patterns = []string{"*.yaml"}
	s, err := New(other)
	require.NoError(t, err)
	report, err := l.Harvest(t.Context(), t, s)
	require.NoError(t, err)
	require.Len(t, report.Repositories, 6, "other patterns read everything again")
}

func TestDirectory(t *testing.T) {
	t.Parallel()
	org := githubtest.NewOrg("acme")
	shop := githubtest.NewRepo("shop", githubtest.File{Path: "a", Content: []byte("a")})
	shop.Teams = map[string]string{"payments": "maintain", "engineering": "pull"}
	org.Repos = []*githubtest.Repo{shop}
	org.Teams = []*githubtest.Team{
		{Name: "Payments", Parent: "engineering", Members: []string{"bob", "ada"}},
		{Name: "Engineering", Description: "All who build.", Members: []string{"eve", "ada"}},
		{Name: "Empty", Parent: "payments"},
	}
	org.Users = []*githubtest.User{{Login: "ada", Name: "Ada Lovelace", Email: "ada@acme.example"}, {Login: "zoe"}}
	p := newPlace(t, org, Options{}, githubtest.Options{HTMLBase: "https://github.example"})
	var l sourcetest.Ledger
	run(t, &l, p)
	teams := "https://github.example/orgs/acme/teams/"
	require.Empty(t, cmp.Diff([]source.Team{
		{Slug: "empty", Name: "Empty", Parent: "payments", URL: teams + "empty"},
		{Slug: "engineering", Name: "Engineering", Description: "All who build.", Members: []string{"ada", "eve"}, URL: teams + "engineering"},
		{Slug: "payments", Name: "Payments", Parent: "engineering", Members: []string{"ada", "bob"}, URL: teams + "payments"},
	}, l.Directory.Teams), "ada is in both teams herself, bob only in the lower one")
	var logins []string
	for _, u := range l.Directory.Users {
		logins = append(logins, u.Login)
	}
	require.Equal(t, []string{"ada", "bob", "eve", "zoe"}, logins)
	require.Equal(t, "Ada Lovelace", l.Directory.Users[0].Name)
	require.Equal(t, "ada@acme.example", l.Directory.Users[0].Email)
	require.Equal(t, "https://github.example/ada", l.Directory.Users[0].URL)
	e, _ := l.Named("shop")
	require.Equal(t, []source.TeamPermission{{Team: "engineering", Permission: "pull"}, {Team: "payments", Permission: "maintain"}}, e.Teams)

	org.Update(func(o *githubtest.Org) {
		for _, team := range o.Teams {
			if team.Slug == "payments" {
				team.Members = []string{"bob", "zoe"}
			}
		}
	})
	run(t, &l, p)
	require.Equal(t, []string{"bob", "zoe"}, l.Directory.Teams[2].Members)
}

func TestMissingRightsToTeamsLeaveTheDirectoryAsItWas(t *testing.T) {
	t.Parallel()
	p := newPlace(t, sized(3, 2), Options{}, githubtest.Options{})
	var l sourcetest.Ledger
	run(t, &l, p)
	p.server.SetFault(func(r *http.Request) *githubtest.Fault {
		if strings.Contains(r.URL.Path, "/teams") {
			return &githubtest.Fault{Status: http.StatusForbidden, Message: "Resource not accessible by integration"}
		}
		return nil
	})
	p.org.Push("repo-00001", githubtest.File{Path: "x", Content: []byte("x")})
	report := run(t, &l, p)
	require.Nil(t, report.Directory)
	require.Len(t, report.Problems, 1)
	require.Contains(t, report.Problems[0].Message, "members:read")
	require.NotEmpty(t, report.Problems[0].Hint)
	require.Equal(t, []string{"repo-00001"}, report.Names(), "teams that cannot be read are no change")
	require.Len(t, l.Directory.Teams, 2)
	e, _ := l.Named("repo-00001")
	require.Len(t, e.Teams, 1, "what was known of its teams stays")

	p.server.SetFault(nil)
	report = run(t, &l, p)
	require.Empty(t, report.Problems)
	require.Empty(t, report.Names(), "nothing was lost that would have to be read again")
}

func TestFilters(t *testing.T) {
	t.Parallel()
	org := githubtest.NewOrg("acme")
	add := func(name string, change func(*githubtest.Repo)) {
		r := githubtest.NewRepo(name, githubtest.File{Path: "a", Content: []byte("a")})
		change(r)
		org.Repos = append(org.Repos, r)
	}
	add("service-a", func(r *githubtest.Repo) { r.Topics = []string{"go", "prod"} })
	add("service-b", func(r *githubtest.Repo) { r.Archived = true })
	add("Library", func(r *githubtest.Repo) { r.Topics = []string{"go"}; r.Visibility = "private" })
	add("forked", func(r *githubtest.Repo) { r.Fork = true; r.Visibility = "internal" })
	p := newPlace(t, org, Options{}, githubtest.Options{})
	for _, test := range []struct {
		name string
		set  func(*Options)
		want []string
	}{
		{"all", func(*Options) {}, []string{"Library", "forked", "service-a", "service-b"}},
		{"include", func(o *Options) { o.Include = []string{"service-*"} }, []string{"service-a", "service-b"}},
		{"exclude", func(o *Options) { o.Exclude = []string{"service-*", "lib*"} }, []string{"forked"}},
		{"topics", func(o *Options) { o.Topics = []string{"Go"} }, []string{"Library", "service-a"}},
		{"no topics", func(o *Options) { o.NoTopics = []string{"prod"} }, []string{"Library", "forked", "service-b"}},
		{"visibility", func(o *Options) { o.Visibility = []string{"private", "internal"} }, []string{"Library", "forked"}},
		{"no archived, no forks", func(o *Options) { o.NoArchived, o.NoForks = true, true }, []string{"Library", "service-a"}},
	} {
		o := p.o
		test.set(&o)
		s, err := New(o)
		require.NoError(t, err)
		var l sourcetest.Ledger
		report, err := l.Harvest(t.Context(), t, s)
		require.NoError(t, err)
		require.Equal(t, test.want, report.Names(), test.name)
		require.Equal(t, len(test.want), report.Expected, test.name)
	}
}

func TestBranch(t *testing.T) {
	t.Parallel()
	org := githubtest.NewOrg("acme")
	both := githubtest.NewRepo("both", githubtest.File{Path: "catalog-info.yaml", Content: []byte("branch: main\n")})
	both.Branches["catalog/x"] = githubtest.NewTree([]githubtest.File{{Path: "catalog-info.yaml", Content: []byte("branch: other\n")}}, time.Now(), "")
	org.Repos = []*githubtest.Repo{both, githubtest.NewRepo("one", githubtest.File{Path: "catalog-info.yaml", Content: []byte("branch: main\n")})}
	p := newPlace(t, org, Options{Branch: "catalog/x"}, githubtest.Options{})
	var l sourcetest.Ledger
	run(t, &l, p)
	e, _ := l.Named("both")
	require.Equal(t, "branch: other\n", string(e.Contents["catalog-info.yaml"]))
	require.Equal(t, "catalog/x", e.Branch)
	e, _ = l.Named("one")
	require.Empty(t, e.Documents)
	require.Len(t, e.Problems, 1)
	require.Contains(t, e.Problems[0].Message, "catalog/x")
}

func TestALinkWithinTheRepositoryIsFollowed(t *testing.T) {
	t.Parallel()
	org := githubtest.NewOrg("acme")
	org.Repos = []*githubtest.Repo{githubtest.NewRepo("r",
		githubtest.File{Path: "catalog-info.yaml", Mode: githubtest.Symlink, Content: []byte("docs/real.yaml")},
		githubtest.File{Path: "docs/real.yaml", Content: []byte("real: true\n")})}
	p := newPlace(t, org, Options{}, githubtest.Options{})
	var l sourcetest.Ledger
	run(t, &l, p)
	e, _ := l.Named("r")
	require.Equal(t, "real: true\n", string(e.Contents["catalog-info.yaml"]))
}

func TestAnUnreadableRepositoryIsKept(t *testing.T) {
	t.Parallel()
	p := newPlace(t, sized(5, 0), Options{}, githubtest.Options{})
	var l sourcetest.Ledger
	run(t, &l, p)
	for _, kind := range []string{"FORBIDDEN", "NOT_FOUND", "INTERNAL"} {
		p.org.Push("repo-00002", githubtest.File{Path: "x", Content: []byte(kind)})
		p.org.Update(func(o *githubtest.Org) { o.Repos[2].Broken = kind })
		report := run(t, &l, p)
		require.Len(t, report.Kept, 1, kind)
		require.Len(t, l.Repositories, 5, kind)
		e, _ := l.Named("repo-00002")
		require.NotEmpty(t, e.Contents["catalog-info.yaml"])
	}
}

func TestARepositoryDeletedWhileItIsHarvestedIsGone(t *testing.T) {
	t.Parallel()
	p := newPlace(t, sized(5, 0), Options{}, githubtest.Options{})
	var l sourcetest.Ledger
	run(t, &l, p)
	p.org.Push("repo-00002", githubtest.File{Path: "x", Content: []byte("x")})
	var once sync.Once
	p.server.SetFault(func(r *http.Request) *githubtest.Fault {
		if r.Method == http.MethodPost {
			once.Do(func() { p.org.Delete("repo-00002") })
		}
		return nil
	})
	report := run(t, &l, p)
	require.Empty(t, report.Kept)
	require.Equal(t, []string{"repo-00000", "repo-00001", "repo-00003", "repo-00004"}, l.Names())
}

func TestARepositoryDeletedWhileThePagesAreReadHidesNoOther(t *testing.T) {
	t.Parallel()
	for _, warm := range []bool{false, true} {
		p := newPlace(t, sized(350, 0), Options{}, githubtest.Options{})
		var l sourcetest.Ledger
		if warm {
			run(t, &l, p)
		}
		var once sync.Once
		p.server.SetFault(func(r *http.Request) *githubtest.Fault {
			if r.URL.Query().Get("page") == "2" {
				once.Do(func() { p.org.Delete("repo-00000") }) // page 1 has been read; repo-00100 moves up to it
			}
			return nil
		})
		run(t, &l, p)
		require.Len(t, l.Repositories, 349)
		_, ok := l.Named("repo-00100")
		require.True(t, ok)
	}
}

func TestARepositoryAddedBehindAFullPageIsFound(t *testing.T) {
	t.Parallel()
	p := newPlace(t, sized(20, 10), Options{pageSize: 10}, githubtest.Options{})
	var l sourcetest.Ledger
	run(t, &l, p)
	p.server.ResetLog()
	run(t, &l, p)
	counted, _ := p.server.Spent()
	require.Zero(t, counted)
	// The pages that stand are confirmed, with the Link that they had.
	p.org.Update(func(o *githubtest.Org) {
		for i := range 25 {
			r := githubtest.NewRepo(fmt.Sprintf("z-%02d", i), githubtest.File{Path: "a", Content: []byte("a")})
			r.CreatedAt = time.Date(2026, 6, 1, 0, 0, i, 0, time.UTC)
			o.Repos = append(o.Repos, r)
		}
		o.Teams = append(o.Teams, &githubtest.Team{Name: "Z"})
	})
	run(t, &l, p)
	require.Len(t, l.Repositories, 45)
	require.Len(t, l.Directory.Teams, 11)
}

func TestGitHubApp(t *testing.T) {
	t.Parallel()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	private := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})
	for _, installation := range []int64{9, 0} {
		// Tokens of a minute are renewed before each request.
		p := newPlace(t, sized(120, 2), Options{App: &App{ID: 7, Installation: installation, PrivateKey: private}},
			githubtest.Options{App: &githubtest.App{ID: 7, Installation: 9, Key: &key.PublicKey, Lifetime: time.Minute}})
		var l sourcetest.Ledger
		run(t, &l, p)
		p.server.ResetLog()
		report := run(t, &l, p)
		require.Len(t, report.Unchanged, 120)
		counted, free := p.server.Spent()
		require.Zero(t, counted, "a new token must not make GitHub count: %v", p.server.Log())
		require.Positive(t, free)
	}
	_, err = New(Options{Organisation: "acme", App: &App{ID: 7, PrivateKey: []byte("no key")}})
	require.Error(t, err)
}

func TestOptionsAreChecked(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]Options{
		"no organisation":    {},
		"a path":             {Organisation: "acme/shop"},
		"a bad pattern":      {Organisation: "acme", Patterns: []string{"[a"}},
		"a bad filter":       {Organisation: "acme", Include: []string{"[a"}},
		"no address":         {Organisation: "acme", URL: "github.example"},
		"a token for all":    {Organisation: "acme", URL: "http://github.example", Token: "t"},
		"a broken token":     {Organisation: "acme", Token: "abc\n"},
		"a batch too large":  {Organisation: "acme", Batch: 101},
		"parallel below one": {Organisation: "acme", Parallel: -1},
	} {
		_, err := New(o)
		require.Error(t, err, name)
	}
	for url, want := range map[string][2]string{
		"":                            {"https://api.github.com/", "https://api.github.com/graphql"},
		"https://github.com/":         {"https://api.github.com/", "https://api.github.com/graphql"},
		"https://git.example/":        {"https://git.example/api/v3/", "https://git.example/api/graphql"},
		"https://acme.ghe.com":        {"https://api.acme.ghe.com/", "https://api.acme.ghe.com/graphql"},
		"https://example.org/a/b":     {"https://example.org/a/b/api/v3/", "https://example.org/a/b/api/graphql"},
		"http://127.0.0.1:8123/sub/":  {"http://127.0.0.1:8123/sub/api/v3/", "http://127.0.0.1:8123/sub/api/graphql"},
		"https://github.com.evil.org": {"https://github.com.evil.org/api/v3/", "https://github.com.evil.org/api/graphql"},
	} {
		s, err := New(Options{Organisation: "acme", URL: url})
		require.NoError(t, err)
		require.Equal(t, want, [2]string{s.rest.BaseURL.String(), s.graphql}, url)
	}
}

func TestNothingGoesToAnotherHost(t *testing.T) {
	t.Parallel()
	var met atomic.Int64
	foreign := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { met.Add(1) }))
	t.Cleanup(foreign.Close)
	for _, what := range []string{"/repos", "/graphql", "/teams"} {
		p := newPlace(t, sized(3, 1), Options{Token: "secret"}, githubtest.Options{Token: "secret"})
		p.server.SetFault(func(r *http.Request) *githubtest.Fault {
			if strings.HasSuffix(r.URL.Path, what) {
				return &githubtest.Fault{Status: http.StatusTemporaryRedirect, Location: foreign.URL + "/"}
			}
			return nil
		})
		var l sourcetest.Ledger
		report, err := l.Harvest(t.Context(), t, p.source(t))
		require.True(t, err != nil || len(report.Problems) > 0, "a redirect of %s to another host was taken", what)
		require.NotContains(t, fmt.Sprint(err, report.Problems), "secret")
	}
	require.Zero(t, met.Load())
}

func TestACancelledHarvestLeavesARequestThatHangs(t *testing.T) {
	t.Parallel()
	p := newPlace(t, sized(3, 0), Options{}, githubtest.Options{})
	p.server.SetFault(func(r *http.Request) *githubtest.Fault {
		if r.Method == http.MethodPost {
			return &githubtest.Fault{Hang: true}
		}
		return nil
	})
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	start := time.Now()
	var l sourcetest.Ledger
	_, err := l.Harvest(ctx, t, p.source(t))
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.Less(t, time.Since(start), 5*time.Second)
}

func TestATruncatedTreeIsReadFolderByFolder(t *testing.T) {
	t.Parallel()
	var list []githubtest.File
	for a := range 10 {
		for b := range 10 {
			list = append(list, githubtest.File{Path: fmt.Sprintf("a%d/b%d/catalog-info.yaml", a, b), Content: fmt.Append(nil, a, b)})
		}
	}
	org := githubtest.NewOrg("acme")
	org.Repos = []*githubtest.Repo{githubtest.NewRepo("r", list...)}
	p := newPlace(t, org, Options{Patterns: []string{"**/catalog-info.yaml"}}, githubtest.Options{TreeLimit: 15})
	var l sourcetest.Ledger
	run(t, &l, p)
	e, _ := l.Named("r")
	require.Len(t, e.Contents, 100)
}

func TestATreeThatIsTooLargeIsReportedInPart(t *testing.T) {
	t.Parallel()
	list := []githubtest.File{{Path: "a/catalog-info.yaml", Content: []byte("a")}}
	for i := range 30 {
		list = append(list, githubtest.File{Path: fmt.Sprintf("wide/%02d/catalog-info.yaml", i), Content: []byte("b")})
	}
	org := githubtest.NewOrg("acme")
	org.Repos = []*githubtest.Repo{githubtest.NewRepo("r", list...)}
	p := newPlace(t, org, Options{Patterns: []string{"**/catalog-info.yaml"}}, githubtest.Options{TreeLimit: 15})
	var l sourcetest.Ledger
	run(t, &l, p)
	e, _ := l.Named("r")
	require.Equal(t, "a", string(e.Contents["a/catalog-info.yaml"]))
	require.Len(t, e.Problems, 1)
	require.Equal(t, catalog.CodeTooLarge, e.Problems[0].Code)
	require.Len(t, run(t, &l, p).Unchanged, 1, "it is not searched again in vain")
}

func TestSecretsAreNotPrinted(t *testing.T) {
	t.Parallel()
	o := Options{Organisation: "acme", Token: "ghp_secret", App: &App{ID: 1, PrivateKey: []byte("secret")}}
	for _, format := range []string{"%v", "%+v", "%#v", "%s"} {
		require.NotContains(t, fmt.Sprintf(format, o), "secret")
		require.NotContains(t, fmt.Sprintf(format, *o.App), "secret")
		require.NotContains(t, fmt.Sprintf(format, o.App), "secret")
	}
}

func TestADocumentThatCannotBeReadIsReadAgain(t *testing.T) {
	t.Parallel()
	org := githubtest.NewOrg("acme")
	org.Repos = []*githubtest.Repo{githubtest.NewRepo("r", githubtest.File{Path: "catalog-info.yaml", Content: []byte("a: \x00\n")})}
	p := newPlace(t, org, Options{}, githubtest.Options{})
	p.server.SetFault(func(r *http.Request) *githubtest.Fault {
		if strings.Contains(r.URL.Path, "/git/blobs/") {
			return &githubtest.Fault{Status: http.StatusInternalServerError}
		}
		return nil
	})
	var l sourcetest.Ledger
	run(t, &l, p)
	e, _ := l.Named("r")
	require.Len(t, e.Documents, 1)
	require.NotNil(t, e.Documents[0].Problem)
	require.Equal(t, catalog.CodeUnreadable, e.Documents[0].Problem.Code)
	p.server.SetFault(nil)
	report := run(t, &l, p)
	require.Equal(t, []string{"r"}, report.Names(), "though nothing has changed upstream")
	e, _ = l.Named("r")
	require.Equal(t, "a: \x00\n", string(e.Contents["catalog-info.yaml"]))
}

// TestProperties: GitHub gives lists and null among custom properties, which the
// client would refuse the whole list of repositories for.
func TestProperties(t *testing.T) {
	t.Parallel()
	org := sized(3, 1)
	org.Repos[1].Properties = map[string]any{"owner": "shop", "regions": []any{"eu", "us"}, "tier": nil}
	p := newPlace(t, org, Options{}, githubtest.Options{})
	var l sourcetest.Ledger
	run(t, &l, p)
	kept := map[string]map[string]string{}
	for _, r := range l.Repositories {
		kept[r.Name] = r.Properties
	}
	require.Equal(t, map[string]string{"owner": "shop", "regions": "eu,us"}, kept[org.Repos[1].Name])
	require.Len(t, kept, 3)

	for text, want := range map[string]string{
		`{"a":"\"custom_properties\": {x: null","custom_properties":{"p":"{[null"}}`:   "",
		`{"custom_properties":{"a":null`:                                               "",
		`{"x":[{"custom_properties":{"a":null,"b":["c"]},"id":12345678901234567890}]}`: `{"x":[{"custom_properties":{"b":"c"},"id":12345678901234567890}]}`,
		`{"custom_properties":{"a":"{}","b":null}}`:                                    `{"custom_properties":{"a":"{}"}}`,
		`{"custom_properties":{"a":{"b":1},"c":[1,null,"d"]}}`:                         `{"custom_properties":{"c":"d"}}`,
	} {
		if want == "" {
			want = text
		}
		require.Equal(t, want, string(plainProperties([]byte(text))))
	}
}
