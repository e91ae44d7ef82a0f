package githubtest

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v4"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"github.com/waypost-dev/waypost/server/source/githubtest/octokit"
)

// varied is an organisation with something of everything.
func varied() *Org {
	org := NewOrg("acme")
	org.Description = "We make everything."
	full := NewRepo("full",
		File{Path: "README.md", Content: []byte("# full\n")},
		File{Path: "src/main.go", Content: []byte("package main\n\nfunc main() {}\n")},
		File{Path: "bin/run", Mode: Executable, Content: []byte("#!/bin/sh\n")},
		File{Path: "link", Mode: Symlink, Content: []byte("README.md")},
		File{Path: "nowhere", Mode: Symlink, Content: []byte("/etc/passwd")},
		File{Path: "vendor/lib", Mode: Submodule},
		File{Path: "image.png", Content: []byte("\x89PNG\x00\x01")},
	)
	full.Description, full.Homepage, full.Topics, full.License = "All of it.", "https://full.example", []string{"go", "all"}, "Apache-2.0"
	full.Visibility, full.Archived, full.Fork, full.Template, full.Stars, full.OpenIssues = "internal", true, true, true, 3, 4
	full.Teams = map[string]string{"top": "admin", "leaf": "push"}
	for n, login := range []string{"ada", ""} {
		full.Commits = append(full.Commits, Commit{Login: login, Name: "A", Email: "a@acme.example", Time: time.Unix(1_700_000_000, 0), Paths: []string{"src/main.go"}, Merge: n == 0})
	}
	empty := NewRepo("empty")
	empty.Visibility = "private"
	org.Repos = append(org.Repos, full, empty, NewRepo("plain", File{Path: "a", Content: []byte("a")}))
	for i := range 40 {
		org.Repos = append(org.Repos, NewRepo(fmt.Sprintf("more-%02d", i), File{Path: "x", Content: []byte{byte(i)}}))
	}
	org.Teams = []*Team{{Name: "Top", Description: "At the top.", Members: []string{"ada"}}, {Name: "Leaf", Parent: "top", Privacy: "secret", Members: []string{"ada", "bob"}}}
	org.Users = []*User{{Login: "ada", Name: "Ada Lovelace", Email: "ada@acme.example"}}
	return org
}

func newAppKey(t *testing.T) (*rsa.PrivateKey, string) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	now := time.Now()
	token, err := jwt.NewWithClaims(jwt.SigningMethodRS256, jwt.RegisteredClaims{
		Issuer: "7", IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(now.Add(time.Minute)),
	}).SignedString(key)
	require.NoError(t, err)
	return key, token
}

// TestRESTIsGitHubs holds every reply that the server can give against
// GitHub's OpenAPI description.
func TestRESTIsGitHubs(t *testing.T) {
	t.Parallel()
	description := octokit.OpenAPI(t)
	key, appToken := newAppKey(t)
	org := varied()
	server := NewServer(org, Options{Enterprise: true, Token: "secret", App: &App{ID: 7, Installation: 9, Key: &key.PublicKey}})
	web := httptest.NewServer(server)
	t.Cleanup(web.Close)
	org.Rename("more-01", "former")
	org.Rename("former", "more-01")
	tree := org.repo("full").Branches["main"]
	blob := tree.lookup("README.md").oid
	binary := tree.lookup("image.png").oid
	for _, test := range []struct {
		method, route, path string
		status              int
	}{
		{"GET", "/orgs/{org}", "/orgs/acme", 200},
		{"GET", "/orgs/{org}", "/orgs/nobody", 404},
		{"GET", "/orgs/{org}/repos", "/orgs/acme/repos", 200},
		{"GET", "/orgs/{org}/repos", "/orgs/acme/repos?per_page=100&sort=created&direction=asc", 200},
		{"GET", "/orgs/{org}/repos", "/orgs/acme/repos?per_page=10&page=5&sort=full_name", 200},
		{"GET", "/orgs/{org}/repos", "/orgs/acme/repos?per_page=10&page=99", 200},
		{"GET", "/orgs/{org}/teams", "/orgs/acme/teams", 200},
		{"GET", "/orgs/{org}/teams/{team_slug}", "/orgs/acme/teams/leaf", 200},
		{"GET", "/orgs/{org}/teams/{team_slug}", "/orgs/acme/teams/none", 404},
		{"GET", "/orgs/{org}/teams/{team_slug}/members", "/orgs/acme/teams/top/members", 200},
		{"GET", "/orgs/{org}/teams/{team_slug}/repos", "/orgs/acme/teams/top/repos", 200},
		{"GET", "/orgs/{org}/members", "/orgs/acme/members", 200},
		{"GET", "/repos/{owner}/{repo}", "/repos/acme/full", 200},
		{"GET", "/repos/{owner}/{repo}", "/repos/acme/empty", 200},
		{"GET", "/repos/{owner}/{repo}", "/repos/acme/none", 404},
		{"GET", "/repos/{owner}/{repo}/teams", "/repos/acme/full/teams", 200},
		{"GET", "/repos/{owner}/{repo}/languages", "/repos/acme/full/languages", 200},
		{"GET", "/repos/{owner}/{repo}/languages", "/repos/acme/empty/languages", 200},
		{"GET", "/repos/{owner}/{repo}/git/trees/{tree_sha}", "/repos/acme/full/git/trees/main?recursive=1", 200},
		{"GET", "/repos/{owner}/{repo}/git/trees/{tree_sha}", "/repos/acme/full/git/trees/" + tree.Commit, 200},
		{"GET", "/repos/{owner}/{repo}/git/trees/{tree_sha}", "/repos/acme/full/git/trees/nothing", 404},
		{"GET", "/repos/{owner}/{repo}/git/trees/{tree_sha}", "/repos/acme/empty/git/trees/main", 409},
		{"GET", "/repos/{owner}/{repo}/commits", "/repos/acme/full/commits?path=src&since=2020-01-01T00:00:00Z", 200},
		{"GET", "/repos/{owner}/{repo}/commits", "/repos/acme/full/commits?path=other", 200},
		{"GET", "/repos/{owner}/{repo}/commits", "/repos/acme/empty/commits", 409},
		{"GET", "/repos/{owner}/{repo}/git/blobs/{file_sha}", "/repos/acme/full/git/blobs/" + blob, 200},
		{"GET", "/repos/{owner}/{repo}/git/blobs/{file_sha}", "/repos/acme/full/git/blobs/" + binary, 200},
		{"GET", "/repos/{owner}/{repo}/git/blobs/{file_sha}", "/repos/acme/full/git/blobs/" + tree.Commit, 404},
		{"GET", "/repos/{owner}/{repo}/contents/{path}", "/repos/acme/full/contents/README.md", 200},
		{"GET", "/repos/{owner}/{repo}/contents/{path}", "/repos/acme/full/contents/link", 200},
		{"GET", "/repos/{owner}/{repo}/contents/{path}", "/repos/acme/full/contents/nowhere", 200},
		{"GET", "/repos/{owner}/{repo}/contents/{path}", "/repos/acme/full/contents/src?ref=main", 200},
		{"GET", "/repos/{owner}/{repo}/contents/{path}", "/repos/acme/full/contents/none", 404},
		{"GET", "/repos/{owner}/{repo}", "/repos/acme/former", 301},
		{"GET", "/repos/{owner}/{repo}", "/repositories/" + strconv.FormatInt(org.repo("full").id, 10), 200},
		{"GET", "/repos/{owner}/{repo}", "/repositories/1", 404},
		{"GET", "/repos/{owner}/{repo}/teams", "/repositories/" + strconv.FormatInt(org.repo("full").id, 10) + "/teams", 200},
		{"GET", "/rate_limit", "/rate_limit", 200},
		{"GET", "/orgs/{org}/installation", "/orgs/acme/installation", 200},
		{"POST", "/app/installations/{installation_id}/access_tokens", "/app/installations/9/access_tokens", 201},
		{"POST", "/app/installations/{installation_id}/access_tokens", "/app/installations/8/access_tokens", 404},
	} {
		request, err := http.NewRequest(test.method, web.URL+"/api/v3"+test.path, nil)
		require.NoError(t, err)
		request.Header.Set("Authorization", "Bearer secret")
		if test.route == "/orgs/{org}/installation" || test.method == "POST" {
			request.Header.Set("Authorization", "Bearer "+appToken)
		}
		answer, body := do(t, request)
		require.Equal(t, test.status, answer.StatusCode, "%s %s: %s", test.method, test.path, body)
		assert.NoError(t, description.Check(test.method, test.route, test.status, body), test.path)
		if tag := answer.Header.Get("ETag"); tag != "" {
			request.Header.Set("If-None-Match", tag)
			answer, body = do(t, request)
			require.Equal(t, http.StatusNotModified, answer.StatusCode)
			require.Empty(t, body)
		} else {
			require.False(t, test.status == 200 && test.route != "/rate_limit" && test.route != "/orgs/{org}/installation", "%s has no ETag", test.path)
		}
	}
	// The description does look: a field too many, one too few, one of another type.
	for _, lie := range []string{`{"id":1}`, `[{"login":"ada"}]`, `null`} {
		require.Error(t, description.Check("GET", "/orgs/{org}/members", 200, []byte(lie)))
	}
	request, err := http.NewRequest(http.MethodGet, web.URL+"/api/v3/orgs/acme/members", nil)
	require.NoError(t, err)
	request.Header.Set("Authorization", "Bearer secret")
	_, body := do(t, request)
	require.NoError(t, description.Check("GET", "/orgs/{org}/members", 200, body))
	require.Error(t, description.Check("GET", "/orgs/{org}/members", 200, bytes.Replace(body, []byte(`"site_admin"`), []byte(`"site_admins"`), 1)))
	require.Error(t, description.Check("GET", "/orgs/{org}/members", 200, bytes.Replace(body, []byte(`{`), []byte(`{"invented":1,`), 1)))
	require.Error(t, description.Check("GET", "/orgs/{org}/members", 200, bytes.Replace(body, []byte(`"login":"`), []byte(`"login":7,"x":"`), 1)))

	request, err = http.NewRequest(http.MethodGet, web.URL+"/api/v3/orgs/acme/teams/leaf", nil)
	require.NoError(t, err)
	answer, body := do(t, request)
	require.Equal(t, http.StatusUnauthorized, answer.StatusCode)
	require.JSONEq(t, `{"message":"Bad credentials","documentation_url":"https://docs.github.com/rest","status":"401"}`, string(body))
}

func do(t *testing.T, request *http.Request) (*http.Response, []byte) {
	t.Helper()
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	answer, err := client.Do(request)
	require.NoError(t, err)
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	return answer, body
}

// TestSchemaIsGitHubs holds our part of the GraphQL schema against the whole.
func TestSchemaIsGitHubs(t *testing.T) {
	t.Parallel()
	theirs := octokit.GraphQL(t)
	for name, ours := range schema.Types {
		if ours.BuiltIn {
			continue
		}
		their := theirs.Types[name]
		if !assert.NotNil(t, their, "GitHub has no type %s", name) {
			continue
		}
		assert.Equal(t, their.Kind, ours.Kind, name)
		for _, i := range ours.Interfaces {
			assert.Contains(t, their.Interfaces, i, name)
		}
		for _, v := range ours.EnumValues {
			assert.NotNil(t, their.EnumValues.ForName(v.Name), "%s.%s", name, v.Name)
		}
		for _, field := range ours.Fields {
			if field.Position == nil || len(field.Name) > 2 && field.Name[:2] == "__" {
				continue
			}
			same := their.Fields.ForName(field.Name)
			if !assert.NotNil(t, same, "GitHub has no %s.%s", name, field.Name) {
				continue
			}
			assert.Equal(t, same.Type.String(), field.Type.String(), "%s.%s", name, field.Name)
			for _, arg := range field.Arguments {
				there := same.Arguments.ForName(arg.Name)
				if !assert.NotNil(t, there, "GitHub has no %s.%s(%s:)", name, field.Name, arg.Name) {
					continue
				}
				assert.Equal(t, there.Type.String(), arg.Type.String(), "%s.%s(%s:)", name, field.Name, arg.Name)
				assert.Equal(t, fmt.Sprint(there.DefaultValue), fmt.Sprint(arg.DefaultValue), "%s.%s(%s:)", name, field.Name, arg.Name)
			}
			for _, arg := range same.Arguments {
				if arg.Type.NonNull && arg.DefaultValue == nil {
					assert.NotNil(t, field.Arguments.ForName(arg.Name), "%s.%s needs %s", name, field.Name, arg.Name)
				}
			}
		}
	}
}

// everythingQuery asks for all that the schema offers, but for what is deeper.
const everythingQuery = `query($ids: [ID!]!) {
  rateLimit { cost limit nodeCount remaining resetAt used }
  nodes(ids: $ids) {
    id
    ... on Repository {
      createdAt description homepageUrl isArchived isEmpty isFork isPrivate isTemplate name nameWithOwner pushedAt updatedAt url visibility
      defaultBranchRef { id name target { id oid ... on Commit { committedDate tree { id oid } } } }
      ref(qualifiedName: "refs/heads/none") { id }
      licenseInfo { id key name spdxId }
      languages(first: 10, orderBy: {field: SIZE, direction: DESC}) { totalCount totalSize edges { size node { id name } } nodes { name } pageInfo { hasNextPage endCursor } }
      repositoryTopics(first: 10) { totalCount nodes { id topic { id name } } pageInfo { hasNextPage endCursor } }
      head: object(expression: "HEAD") { id oid ... on Commit { author { name email user { login } } committedDate tree { oid entries { mode name oid path size type object { id oid ... on Tree { entries { name } } } } } } }
      readme: object(expression: "HEAD:README.md") { id ... on Blob { byteSize isBinary isTruncated oid text } }
      image: object(expression: "HEAD:image.png") { id ... on Blob { byteSize isBinary isTruncated oid text } }
    }
  }
  repository(owner: "acme", name: "plain") { id }
  organization(login: "acme") {
    id login name url
    team(slug: "leaf") { parentTeam { slug } }
    membersWithRole(first: 2) { totalCount nodes { id login name email avatarUrl url } pageInfo { hasNextPage endCursor } }
    repositories(first: 5, after: "cursor:3") { totalCount nodes { id } pageInfo { hasNextPage endCursor } }
    teams(first: 10) {
      totalCount
      pageInfo { hasNextPage endCursor }
      nodes {
        id slug name description url
        parentTeam { slug }
        childTeams(first: 5) { totalCount nodes { slug } pageInfo { hasNextPage } }
        direct: members(first: 5, membership: IMMEDIATE) { totalCount nodes { login } }
        members(first: 5) { totalCount nodes { login } }
        repositories(first: 5) { totalCount edges { permission node { id } } nodes { id } pageInfo { hasNextPage } }
      }
    }
  }
}`

// TestGraphQLIsGitHubs holds replies against GitHub's schema.
func TestGraphQLIsGitHubs(t *testing.T) {
	t.Parallel()
	theirs := octokit.GraphQL(t)
	org := varied()
	web := httptest.NewServer(NewServer(org, Options{}))
	t.Cleanup(web.Close)
	doc, errs := gqlparser.LoadQueryWithRules(theirs, everythingQuery, rules.NewDefaultRules())
	require.Nil(t, errs, "GitHub refuses the query: %v", errs)
	ids := []string{}
	for _, r := range org.Repos[:4] {
		ids = append(ids, r.NodeID())
	}
	request, err := json.Marshal(map[string]any{"query": everythingQuery, "variables": map[string]any{"ids": ids}})
	require.NoError(t, err)
	answer, err := http.Post(web.URL+"/graphql", "application/json", bytes.NewReader(request))
	require.NoError(t, err)
	defer answer.Body.Close()
	var reply struct {
		Data   map[string]any
		Errors []any
	}
	require.NoError(t, json.NewDecoder(answer.Body).Decode(&reply))
	require.Empty(t, reply.Errors)
	require.NoError(t, octokit.CheckReply(theirs, doc.Operations[0], reply.Data))
	// Something is in it, and the checker does look.
	teams := reply.Data["organization"].(map[string]any)["teams"].(map[string]any)["nodes"].([]any)
	require.Len(t, teams, 2)
	leaf := teams[0].(map[string]any)
	require.Equal(t, "leaf", leaf["slug"])
	leaf["slug"] = nil
	require.Error(t, octokit.CheckReply(theirs, doc.Operations[0], reply.Data))
}
