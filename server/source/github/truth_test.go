package github

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"github.com/waypost-dev/waypost/server/source"
	"github.com/waypost-dev/waypost/server/source/githubtest"
	"github.com/waypost-dev/waypost/server/source/githubtest/octokit"
	"github.com/waypost-dev/waypost/server/source/sourcetest"
)

// overheard is a transport that keeps what is said over GraphQL.
type overheard struct {
	next http.RoundTripper

	mu     sync.Mutex
	spoken []exchange
}

type exchange struct{ request, reply []byte }

func (o *overheard) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method != http.MethodPost {
		return o.next.RoundTrip(r)
	}
	request, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	r = r.Clone(r.Context())
	r.Body = io.NopCloser(bytes.NewReader(request))
	answer, err := o.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	reply, err := io.ReadAll(answer.Body)
	answer.Body = io.NopCloser(bytes.NewReader(reply))
	o.mu.Lock()
	defer o.mu.Unlock()
	o.spoken = append(o.spoken, exchange{request, reply})
	return answer, err
}

// TestQueriesAreGitHubs holds every query that a harvest makes, and the
// replies that we test with, against GitHub's own schema.
func TestQueriesAreGitHubs(t *testing.T) {
	t.Parallel()
	schema := octokit.GraphQL(t)
	org := sized(30, 3)
	org.Repos = append(org.Repos, githubtest.NewRepo("empty"))
	org.Repos[0].Languages = map[string]int64{}
	org.Repos[1] = githubtest.NewRepo("odd",
		githubtest.File{Path: `say "hi"\/catalog-info.yaml`, Content: []byte("a: 1\n")},
		githubtest.File{Path: "a/b/catalog-info.yaml", Content: []byte("b: \x00\n")},
		githubtest.File{Path: "catalog-info.yaml", Mode: githubtest.Symlink, Content: []byte("a/b/catalog-info.yaml")})
	kinds := map[string]int{}
	for _, o := range []Options{
		{},
		{Branch: `odd"branch\`},
		{Patterns: []string{"*/catalog-info.yaml", "*/*/catalog-info.yaml", `say "hi"*/catalog-info.yaml`, "docs/größe/*.yaml"}},
		{Patterns: []string{"**/*.yaml"}},
	} {
		p := newPlace(t, org, o, githubtest.Options{})
		ear := &overheard{next: p.o.Transport}
		p.o.Transport = ear
		var l sourcetest.Ledger
		run(t, &l, p)
		e, _ := l.Named("odd")
		_, err := l.Refresh(t.Context(), t, p.source(t), source.Scope{Repositories: []source.Pointer{{ID: e.ID}}, Directory: true})
		require.NoError(t, err)
		require.NotEmpty(t, ear.spoken)
		for _, said := range ear.spoken {
			var request struct {
				Query     string
				Variables map[string]any
			}
			require.NoError(t, json.Unmarshal(said.request, &request))
			doc, errs := gqlparser.LoadQueryWithRules(schema, request.Query, rules.NewDefaultRules())
			require.Nil(t, errs, "GitHub refuses %s: %v", request.Query, errs)
			var reply struct {
				Data   map[string]any
				Errors []any
			}
			require.NoError(t, json.Unmarshal(said.reply, &reply))
			require.Empty(t, reply.Errors)
			require.NoError(t, octokit.CheckReply(schema, doc.Operations[0], reply.Data))
			for key := range reply.Data {
				kinds[key]++
			}
		}
	}
	require.Positive(t, kinds["nodes"])
	require.Positive(t, kinds["node"])
	require.Positive(t, kinds["organization"])
	require.Positive(t, kinds["r0"])
}
