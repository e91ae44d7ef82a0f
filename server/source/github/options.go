// Package github harvests an organisation of github.com or of a GitHub
// Enterprise Server.
//
// What it asks for, and what that costs of the hourly limit:
//
//   - the list of repositories by REST, 100 to a request; teams and members
//     likewise, and two lists for each team: its members and its repositories;
//   - of each repository whose entry in that list has changed, the head, the
//     root folder, languages and the folders in which catalog files are looked
//     for, by GraphQL, up to 100 repositories to a request;
//   - the files that the catalog does not have yet, by GraphQL, 100 to a
//     request, whichever repositories they are in.
//
// REST lists are asked for with the validators of the last answer, which the
// Cache keeps: GitHub does not count what has not changed, so that a harvest
// of an unchanged organisation costs nothing.
//
// A pattern with ** (or with wildcards in more than two folders) costs one
// more request for each changed repository: the recursive tree.
package github

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bmatcuk/doublestar/v4"
	gh "github.com/google/go-github/v60/github"

	"github.com/waypost-dev/waypost/server/source"
	"github.com/waypost-dev/waypost/server/source/reach"
)

// Cache keeps answers by key from one harvest to the next, over restarts if
// it can. It is safe for concurrent use. A lost entry costs requests and
// nothing else, so trouble is not reported.
type Cache interface {
	Get(key string) ([]byte, bool)
	Set(key string, value []byte)
	Delete(key string)
}

// Options say what is harvested, and how.
type Options struct {
	// Organisation is the login.
	Organisation string
	// URL is where the web pages are; https://github.com when empty. Any other
	// host is taken for a GitHub Enterprise Server.
	URL string
	// Name of the source; github:Organisation when empty.
	Name string

	// Token is a personal access token. GitHub's GraphQL API answers nobody
	// without one; githubtest does.
	Token string
	// App is used in place of Token when it is set.
	App *App

	// Patterns of catalog files; catalog-info.yaml in the root when empty.
	// Globs as doublestar has them, relative to the repository.
	Patterns []string
	// Branch that is read; the default branch when empty. A repository without
	// it is reported without documents.
	Branch string
	// Include and Exclude are globs over repository names. With Include, only
	// what matches one of them is harvested.
	Include, Exclude []string
	// Topics and NoTopics are GitHub's topics: with Topics, only repositories
	// with at least one of them; never one of NoTopics.
	Topics, NoTopics []string
	// Visibility is any of public, private and internal; all when empty.
	Visibility []string
	// NoArchived and NoForks leave such repositories out.
	NoArchived, NoForks bool
	// NoDirectory leaves teams, members and team permissions out.
	NoDirectory bool

	// ReadAllow are the hosts to which Locations and placeholders may lead; see
	// reach.WebOptions. GitHub is none of them by itself: files of the own
	// repository are read like its others.
	ReadAllow []string

	// Cache keeps validators; within this Source only when nil.
	Cache Cache
	// Parallel bounds the requests that are under way at once; 4 when zero.
	Parallel int
	// Batch is how many repositories are asked for in one GraphQL query, up to
	// 100, which is the default. It halves by itself when GitHub takes too long.
	Batch int
	// MaxWait bounds how long a limit is waited for at once; 15 minutes when
	// zero. A longer one ends the harvest with an error.
	MaxWait time.Duration
	// Timeout bounds a single request; a minute when zero.
	Timeout time.Duration
	// Transport carries the requests; http.DefaultTransport when nil.
	Transport http.RoundTripper

	// backoff before a failed request is made again; half a second when zero.
	backoff time.Duration
	// pageSize of lists; 100, the largest that GitHub grants, when zero.
	pageSize int
	// coldLists is the allowance for teams' lists, see teams.go; none when
	// negative.
	coldLists int
}

// String keeps the token out of logs.
func (o Options) String() string { return o.Name + " of " + o.Organisation + " at " + o.URL }

// GoString keeps the token out of logs.
func (o Options) GoString() string { return o.String() }

// App is a GitHub App.
type App struct {
	ID int64
	// Installation is the App's installation in the organisation; it is looked
	// up when zero.
	Installation int64
	// PrivateKey in PEM form.
	PrivateKey []byte
}

// String keeps the key out of logs.
func (a App) String() string { return fmt.Sprintf("app %d, installation %d", a.ID, a.Installation) }

// GoString keeps the key out of logs.
func (a App) GoString() string { return a.String() }

// Source is a GitHub organisation. It is safe for concurrent use.
type Source struct {
	o       Options
	plan    *plan
	client  *http.Client
	rest    *gh.Client
	graphql string // URL
	cache   Cache
	web     *reach.Web
	version string                        // of what a State depends on besides the repository
	left    atomic.Pointer[source.Budget] // as last told to an Inspector's request
}

// login is what GitHub allows as the name of an organisation.
var login = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$`)

// New checks the options and returns the source. It makes no request.
func New(o Options) (*Source, error) {
	if !login.MatchString(o.Organisation) {
		return nil, fmt.Errorf("%q is no login of a GitHub organisation; write it as in https://github.com/LOGIN", o.Organisation)
	}
	o.URL = strings.TrimRight(cmp.Or(o.URL, "https://github.com"), "/")
	o.Name = cmp.Or(o.Name, "github:"+o.Organisation)
	o.Parallel = cmp.Or(o.Parallel, 4)
	o.Batch = cmp.Or(o.Batch, maxNodes)
	o.MaxWait = cmp.Or(o.MaxWait, 15*time.Minute)
	o.Timeout = cmp.Or(o.Timeout, time.Minute)
	o.backoff = cmp.Or(o.backoff, 500*time.Millisecond)
	o.pageSize = cmp.Or(o.pageSize, 100)
	o.coldLists = cmp.Or(o.coldLists, coldLists)
	if o.Parallel < 1 || o.Batch < 1 || o.Batch > maxNodes {
		return nil, fmt.Errorf("parallel must be positive and batch between 1 and %d; they are %d and %d", maxNodes, o.Parallel, o.Batch)
	}
	for _, globs := range [][]string{o.Include, o.Exclude} {
		for _, g := range globs {
			if !doublestar.ValidatePattern(g) {
				return nil, fmt.Errorf("repository filter %q is no valid glob", g)
			}
		}
	}
	plan, err := newPlan(o.Patterns)
	if err != nil {
		return nil, err
	}
	web, err := url.Parse(o.URL)
	if err != nil || web.Host == "" || web.Scheme != "https" && web.Scheme != "http" || web.User != nil {
		return nil, fmt.Errorf("%q is no address of a GitHub; write it as https://github.example.com", o.URL)
	}
	if web.Scheme == "http" && (o.Token != "" || o.App != nil) && !loopback(web.Hostname()) {
		return nil, fmt.Errorf("%s would send the token in the clear; use https", o.URL)
	}
	rest, graphql := o.URL+"/api/v3/", o.URL+"/api/graphql"
	if host := strings.ToLower(web.Hostname()); host == "github.com" || host == "www.github.com" {
		rest, graphql = "https://api.github.com/", "https://api.github.com/graphql"
	} else if strings.HasSuffix(host, ".ghe.com") {
		// GitHub Enterprise Cloud with data residency has its API on a host of its own.
		rest, graphql = "https://api."+host+"/", "https://api."+host+"/graphql"
	}
	s := &Source{o: o, plan: plan, graphql: graphql, cache: o.Cache}
	if s.cache == nil {
		s.cache = &memory{}
	}
	if s.web, err = reach.NewWeb(reach.WebOptions{Allow: o.ReadAllow, Cache: o.Cache, Timeout: o.Timeout}); err != nil {
		return nil, err
	}
	s.version = digest(stateVersion, plan.globs, o.Branch, o.NoDirectory, o.ReadAllow)[:8]
	base, err := url.Parse(rest)
	if err != nil {
		return nil, fmt.Errorf("read the address of the API: %w", err)
	}
	transport, err := newTransport(o, base, s.cache)
	if err != nil {
		return nil, err
	}
	s.client = &http.Client{Transport: properties{transport}, CheckRedirect: func(to *http.Request, via []*http.Request) error {
		if to.URL.Host != via[0].URL.Host || to.URL.Scheme != via[0].URL.Scheme {
			return fmt.Errorf("refused to follow a redirect to another host, %s", to.URL.Host)
		}
		if len(via) > 5 {
			return errors.New("stopped after 5 redirects")
		}
		return nil
	}}
	s.rest = gh.NewClient(s.client)
	s.rest.BaseURL = base
	return s, nil
}

// Name identifies the source.
func (s *Source) Name() string { return s.o.Name }

func loopback(host string) bool {
	return host == "localhost" || host == "::1" || strings.HasPrefix(host, "127.")
}

// memory is a Cache that ends with the process.
type memory struct{ entries sync.Map }

func (m *memory) Get(key string) ([]byte, bool) {
	v, ok := m.entries.Load(key)
	if !ok {
		return nil, false
	}
	return v.([]byte), true
}

func (m *memory) Set(key string, value []byte) { m.entries.Store(key, value) }
func (m *memory) Delete(key string)            { m.entries.Delete(key) }
