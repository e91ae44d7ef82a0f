package githubtest

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func open(t *testing.T, org *Org, o Options) (*Server, string) {
	server := NewServer(org, o)
	web := httptest.NewServer(server)
	t.Cleanup(web.Close)
	return server, web.URL
}

func get(t *testing.T, url string, header ...string) (*http.Response, []byte) {
	request, err := http.NewRequest(http.MethodGet, url, nil)
	require.NoError(t, err)
	for i := 0; i < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	return do(t, request)
}

func TestPages(t *testing.T) {
	t.Parallel()
	_, url := open(t, varied(), Options{Enterprise: true}) // 43 repositories
	seen := map[string]bool{}
	next := url + "/api/v3/orgs/acme/repos?per_page=20"
	for pages := 0; next != ""; pages++ {
		require.Less(t, pages, 3)
		answer, body := get(t, next)
		var list []struct{ Name string }
		require.NoError(t, json.Unmarshal(body, &list))
		for _, r := range list {
			require.False(t, seen[r.Name])
			seen[r.Name] = true
		}
		link := answer.Header.Get("Link")
		require.Equal(t, pages < 2, strings.Contains(link, `rel="last"`), link)
		next = ""
		for part := range strings.SplitSeq(link, ", ") {
			if address, rel, _ := strings.Cut(part, "; "); rel == `rel="next"` {
				next = strings.Trim(address, "<>")
			}
		}
	}
	require.Len(t, seen, 43)
}

func TestTheLimitIsCounted(t *testing.T) {
	t.Parallel()
	server, url := open(t, varied(), Options{Limit: 3, Window: 2 * time.Second})
	answer, _ := get(t, url+"/orgs/acme")
	require.Equal(t, "2", answer.Header.Get("X-RateLimit-Remaining"))
	tag := answer.Header.Get("ETag")
	answer, _ = get(t, url+"/orgs/acme", "If-None-Match", tag)
	require.Equal(t, http.StatusNotModified, answer.StatusCode)
	require.Equal(t, "2", answer.Header.Get("X-RateLimit-Remaining"), "what has not changed is free")
	get(t, url+"/orgs/none")
	get(t, url+"/orgs/acme/members")
	answer, body := get(t, url+"/orgs/acme")
	require.Equal(t, http.StatusForbidden, answer.StatusCode)
	require.Equal(t, "0", answer.Header.Get("X-RateLimit-Remaining"))
	require.Contains(t, string(body), "API rate limit exceeded")
	counted, free := server.Spent()
	require.Equal(t, [2]int{4, 1}, [2]int{counted, free})

	// GraphQL has a limit of its own, in points.
	ask := func() (int, http.Header) {
		answer, err := http.Post(url+"/graphql", "application/json", strings.NewReader(`{"query":"{ rateLimit { cost remaining } }"}`))
		require.NoError(t, err)
		require.NoError(t, answer.Body.Close())
		return answer.StatusCode, answer.Header
	}
	status, header := ask()
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, "graphql", header.Get("X-RateLimit-Resource"))
	require.Equal(t, "2", header.Get("X-RateLimit-Remaining"))

	require.Eventually(t, func() bool {
		answer, _ := get(t, url+"/orgs/acme")
		return answer.StatusCode == http.StatusOK
	}, 10*time.Second, 100*time.Millisecond, "the window ends")
}

func TestGraphQLRefusesWhatGitHubRefuses(t *testing.T) {
	t.Parallel()
	_, url := open(t, varied(), Options{})
	for query, want := range map[string]string{
		`{ organization(login: "acme") { invented } }`:                             "invented",
		`{ organization(login: "acme") { teams { nodes { slug } } } }`:             "first",
		`{ organization(login: "acme") { teams(first: 101) { nodes { slug } } } }`: "first",
		`{ organization(login: "nobody") { login } }`:                              "NOT_FOUND",
		`{ nodes(ids: ["nothing"]) { id } }`:                                       "NOT_FOUND",
		`{ nodes(ids: [` + strings.Repeat(`"x",`, 101) + `]) { id } }`:             "100",
		`query($x: String!) { organization(login: $x) { login } }`:                 "$x",
		`mutation { addStar(input: {starrableId: "x"}) { clientMutationId } }`:     "mutation",
		`{ organization(login: "acme") { repositories(first: 100) { nodes { languages(first: 100) { nodes { id } } repositoryTopics(first: 100) { nodes { id } } } } teams(first: 100) { nodes { repositories(first: 100) { nodes { languages(first: 100) { nodes { id } } } } } } } }`: "MAX_NODE_LIMIT",
	} {
		body, err := json.Marshal(map[string]string{"query": query})
		require.NoError(t, err)
		answer, err := http.Post(url+"/graphql", "application/json", strings.NewReader(string(body)))
		require.NoError(t, err)
		var reply struct{ Errors []map[string]any }
		require.NoError(t, json.NewDecoder(answer.Body).Decode(&reply))
		require.NoError(t, answer.Body.Close())
		require.NotEmpty(t, reply.Errors, query)
		text, err := json.Marshal(reply.Errors)
		require.NoError(t, err)
		require.Contains(t, strings.ToLower(string(text)), strings.ToLower(want), query)
	}
}
