package github

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waypost-dev/waypost/server/source/githubtest"
	"github.com/waypost-dev/waypost/server/source/sourcetest"
)

// leading is an organisation of which each repository has a Location that leads to
// two files, one of which includes a third.
func leading(repositories int) *githubtest.Org {
	org := githubtest.NewOrg("acme")
	for i := range repositories {
		name := fmt.Sprintf("repo-%05d", i)
		file := func(path, text string) githubtest.File { return githubtest.File{Path: path, Content: []byte(text)} }
		org.Add(githubtest.NewRepo(name,
			file("catalog-info.yaml", sourcetest.Location("./catalog/*.yaml")),
			file("catalog/api.yaml", sourcetest.API(name, "$text", "../openapi.yaml")),
			file("catalog/component.yaml", sourcetest.Document(name)),
			file("openapi.yaml", "openapi: 3.0.0 # "+name+"\n"),
		))
	}
	return org
}

// TestLeadsShareQueries counts what it costs to follow the Locations and
// placeholders of many repositories.
func TestLeadsShareQueries(t *testing.T) {
	t.Parallel()
	const repositories = 500
	p := newPlace(t, leading(repositories), Options{NoDirectory: true}, githubtest.Options{})
	var l sourcetest.Ledger
	cold := run(t, &l, p)
	require.Len(t, cold.Repositories, repositories)
	for _, r := range cold.Repositories {
		require.Len(t, r.Documents, 3)
		require.Empty(t, r.Problems)
		require.Equal(t, "openapi: 3.0.0 # "+r.Name+"\n", string(r.Documents[1].Includes[0].Content))
	}
	counted, _ := p.server.Spent()
	t.Logf("cold harvest of %d repositories that lead to %d files: %d counted requests", repositories, 3*repositories, counted)
	require.Less(t, counted, 80)

	p.server.ResetLog()
	require.Len(t, run(t, &l, p).Unchanged, repositories)
	counted, _ = p.server.Spent()
	require.Zero(t, counted, "what leads elsewhere in its own repository costs nothing while that is unchanged")

	p.org.Push("repo-00123", githubtest.File{Path: "openapi.yaml", Content: []byte("openapi: 3.1.0\n")})
	p.server.ResetLog()
	one := run(t, &l, p)
	require.Len(t, one.Repositories, 1)
	counted, _ = p.server.Spent()
	t.Logf("an included file of one repository changed: %d counted requests, one of them for the list", counted)
	require.LessOrEqual(t, counted, 12)
}

// TestLeadsFail lets each kind of query fail that follows what files lead to: what is
// known stays, and the next harvest has it all.
func TestLeadsFail(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]*githubtest.Fault{
		"bad gateway": {Status: http.StatusBadGateway}, "forbidden": {Status: http.StatusForbidden}, "not JSON": {Status: http.StatusOK, Body: "<html>"},
	} {
		for query, part := range map[string]string{"folders": "folder: object", "files": "isBinary"} {
			t.Run(name+" "+query, func(t *testing.T) {
				t.Parallel()
				p := newPlace(t, leading(20), Options{NoDirectory: true, Parallel: 2}, githubtest.Options{})
				var l sourcetest.Ledger
				run(t, &l, p)
				for i := range 20 {
					p.org.Push(fmt.Sprintf("repo-%05d", i), githubtest.File{Path: "openapi.yaml", Content: []byte("openapi: 3.1.0\n")})
				}
				p.server.SetFault(func(r *http.Request) *githubtest.Fault {
					if strings.Contains(bodyOf(r), part) {
						return fault
					}
					return nil
				})
				report, err := l.Harvest(t.Context(), t, p.source(t))
				for _, e := range l.Repositories {
					require.Len(t, e.Contents, 3, "whatever fails, what was known stays")
				}
				require.True(t, err != nil || len(report.Kept) == 20 || incompleteAll(report), "%v", err)
				p.server.SetFault(nil)
				run(t, &l, p)
				require.Len(t, run(t, &l, p).Unchanged, 20)
				for _, e := range l.Repositories {
					require.Len(t, e.Documents, 3)
					require.Empty(t, e.Problems)
				}
			})
		}
	}
}

func incompleteAll(r *sourcetest.Report) bool {
	for _, repo := range r.Repositories {
		if !strings.HasSuffix(repo.State, incomplete) {
			return false
		}
	}
	return len(r.Repositories) > 0
}

// bodyOf is the body of a request, which can be read again.
func bodyOf(r *http.Request) string {
	b, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(b))
	return string(b)
}
