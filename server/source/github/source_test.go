package github

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waypost-dev/waypost/server/source"
	"github.com/waypost-dev/waypost/server/source/githubtest"
	"github.com/waypost-dev/waypost/server/source/sourcetest"
)

// place is an organisation on a GitHub to test against.
type place struct {
	org    *githubtest.Org
	server *githubtest.Server
	http   *httptest.Server
	o      Options
	stands []sourcetest.Repository
}

// newPlace serves an organisation as a GitHub Enterprise Server does, with a
// base path, so that an address made up wrongly is found out.
func newPlace(t testing.TB, org *githubtest.Org, o Options, served githubtest.Options) *place {
	served.Enterprise = true
	p := &place{org: org, server: githubtest.NewServer(org, served)}
	p.http = httptest.NewServer(p.server)
	t.Cleanup(p.http.Close)
	transport := &http.Transport{MaxIdleConnsPerHost: 8}
	t.Cleanup(transport.CloseIdleConnections)
	o.Organisation, o.URL, o.Transport, o.backoff = org.Login, p.http.URL, transport, time.Millisecond
	if o.Cache == nil {
		o.Cache = &memory{}
	}
	p.o = o
	return p
}

func (p *place) source(t testing.TB) *Source {
	s, err := New(p.o)
	require.NoError(t, err)
	return s
}

func (p *place) Source(t *testing.T) source.Source { return p.source(t) }

func (p *place) Break(_ *testing.T, broken bool) {
	if !broken {
		p.server.SetFault(nil)
		return
	}
	p.server.SetFault(func(r *http.Request) *githubtest.Fault {
		if r.URL.Path == "/api/v3/orgs/"+p.org.Login+"/repos" {
			return &githubtest.Fault{Status: http.StatusBadGateway}
		}
		return nil
	})
}

func (p *place) Set(_ *testing.T, want ...sourcetest.Repository) {
	had := map[string]sourcetest.Repository{}
	for _, r := range p.stands {
		had[r.Key] = r
	}
	for _, r := range want {
		before, ok := had[r.Key]
		delete(had, r.Key)
		switch {
		case !ok:
			p.org.Add(githubtest.NewRepo(r.Name, files(r)...))
			continue
		case before.Name != r.Name:
			p.org.Rename(before.Name, r.Name)
		}
		if !slices.Equal(before.Files, r.Files) {
			p.org.Replace(r.Name, files(r)...)
		}
	}
	for _, r := range had {
		p.org.Delete(r.Name)
	}
	p.stands = slices.Clone(want)
}

func files(r sourcetest.Repository) []githubtest.File {
	var list []githubtest.File
	for _, f := range r.Files {
		mode := githubtest.Regular
		if f.Symlink {
			mode = githubtest.Symlink
		}
		list = append(list, githubtest.File{Path: f.Path, Mode: mode, Content: []byte(f.Content)})
	}
	return list
}

func TestSource(t *testing.T) {
	t.Parallel()
	sourcetest.RunReach(t, func(t *testing.T, o sourcetest.Options) sourcetest.Place {
		return newPlace(t, githubtest.NewOrg("acme"), Options{Patterns: o.Patterns, ReadAllow: o.ReadAllow}, githubtest.Options{})
	})
	sourcetest.Run(t, func(t *testing.T, o sourcetest.Options) sourcetest.Place {
		return newPlace(t, githubtest.NewOrg("acme"), Options{Patterns: o.Patterns}, githubtest.Options{})
	})
}

// TestSourceInSmallSteps meets the same promises when GitHub manages only a
// few repositories at a time, and cuts trees short.
func TestSourceInSmallSteps(t *testing.T) {
	t.Parallel()
	sourcetest.RunReach(t, func(t *testing.T, o sourcetest.Options) sourcetest.Place {
		return newPlace(t, githubtest.NewOrg("acme"), Options{Patterns: o.Patterns, ReadAllow: o.ReadAllow}, githubtest.Options{})
	})
	sourcetest.Run(t, func(t *testing.T, o sourcetest.Options) sourcetest.Place {
		return newPlace(t, githubtest.NewOrg("acme"), Options{Patterns: o.Patterns, Parallel: 1}, githubtest.Options{Batch: 12, TreeLimit: 20})
	})
}
