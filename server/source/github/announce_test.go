package github

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/source"
	"github.com/waypost-dev/waypost/server/source/githubtest"
	"github.com/waypost-dev/waypost/server/source/githubtest/octokit"
)

func announcer(t testing.TB, o Options) *Source {
	t.Helper()
	s, err := New(o)
	require.NoError(t, err)
	return s
}

// outcome is an announcement in a few words.
func outcome(a source.Announcement) string {
	var words []string
	if a.Everything {
		words = append(words, "everything")
	}
	if a.Ignored != "" {
		words = append(words, "ignored: "+a.Ignored)
	}
	for _, p := range a.Scope.Repositories {
		words = append(words, p.Name)
		if p.Teams {
			words = append(words, "with teams")
		}
	}
	if a.Scope.Directory {
		words = append(words, "directory")
	}
	if a.Touched != nil {
		words = append(words, "if anything leads to", strings.Join(a.Touched, " "))
	}
	return strings.Join(words, " ")
}

// sound holds an announcement to what every one must be.
func sound(a source.Announcement) error {
	scoped := len(a.Scope.Repositories) > 0 || a.Scope.Directory
	n := 0
	for _, is := range []bool{scoped, a.Everything, a.Ignored != ""} {
		if is {
			n++
		}
	}
	if n != 1 {
		return fmt.Errorf("it is not exactly one of a scope, everything and ignored: %+v", a)
	}
	if len(a.Scope.Repositories) > maxPointers || len(a.Cause.Actor) > maxLogin {
		return fmt.Errorf("it is out of bounds: %+v", a)
	}
	if a.Cause.Via != catalog.ViaWebhook && a.Ignored == "" || a.Cause.Commit != "" && !objectID(a.Cause.Commit) {
		return fmt.Errorf("its cause is wrong: %+v", a.Cause)
	}
	for _, p := range a.Scope.Repositories {
		if p.ID == "" && p.Number <= 0 || p.Number < 0 || len(p.ID) > maxID || p.Name != "" && !fullName.MatchString(p.Name) {
			return fmt.Errorf("it points to nothing: %+v", p)
		}
	}
	return nil
}

// owners are the organisations that Octokit's examples are about.
var owners = []string{"Codertocat", "Octocoders", "octo-org", "github", "octocat", "nobody"}

// TestEveryExampleOfOctokitIsUnderstood hands every payload that Octokit has
// kept, from github.com and from GitHub Enterprise Servers, to sources of each
// of the owners that they are about.
func TestEveryExampleOfOctokitIsUnderstood(t *testing.T) {
	t.Parallel()
	handled, all := map[string]int{}, 0
	for _, from := range []string{"api.github.com", "ghes-31", "ghes-32", "ghes-33", "ghes-34", "ghes-35"} {
		for _, event := range octokit.Webhooks(t, from) {
			for i, payload := range event.Examples {
				all++
				for _, owner := range owners {
					a, err := announcer(t, Options{Organisation: owner}).Announced(event.Name, payload)
					if !assert.NoError(t, err, "%s %s %d", from, event.Name, i) {
						continue
					}
					assert.NoError(t, sound(a), "%s %s %d", from, event.Name, i)
					if a.Ignored == "" {
						handled[event.Name]++
						assert.NotEqual(t, "nobody", owner, "%s %s %d is about no such organisation", from, event.Name, i)
						assert.NotEmpty(t, a.Cause.Actor, "%s %s %d", from, event.Name, i)
					}
				}
			}
		}
	}
	t.Logf("%d payloads; handled for one of the owners: %v", all, handled)
	for _, event := range []string{
		"push", "repository", "public", // of create and delete, all examples are of tags
		"team", "team_add", "membership", "organization",
		"installation", "installation_repositories",
	} {
		assert.Positive(t, handled[event], "no example of %s was handled", event)
	}
}

// TestWhatExamplesCallFor says of representative examples of each type what
// must happen.
func TestWhatExamplesCallFor(t *testing.T) {
	t.Parallel()
	examples := map[string][]json.RawMessage{}
	for _, e := range octokit.Webhooks(t, "api.github.com") {
		examples[e.Name] = e.Examples
	}
	for _, test := range []struct {
		event, action, owner string
		o                    Options
		want                 string
	}{
		{event: "push", owner: "Codertocat", want: "ignored: the ref is not the branch that is read"}, // of a tag
		{event: "repository", action: "created", owner: "Octocoders", want: "Octocoders/Hello-World"},
		{event: "repository", action: "edited", owner: "octocoders", want: "Octocoders/Hello-World"},
		{event: "repository", action: "renamed", owner: "Octocoders", want: "Octocoders/Hello-World"},
		{event: "repository", action: "publicized", owner: "Codertocat", want: "Codertocat/Hello-World with teams"},
		{event: "repository", action: "privatized", owner: "Codertocat", want: "Codertocat/Hello-World with teams"},
		{event: "repository", action: "privatized", owner: "Codertocat", o: Options{NoDirectory: true}, want: "Codertocat/Hello-World"},
		{event: "repository", action: "transferred", owner: "Octocoders", want: "Octocoders/Hello-World with teams"}, // to us
		{event: "repository", action: "transferred", owner: "octocat", want: "Octocoders/Hello-World with teams"},    // from us
		{event: "repository", action: "transferred", owner: "Codertocat", want: "ignored: it is about another owner"},
		{event: "repository", action: "publicized", owner: "Octocoders", want: "ignored: it is about another owner"},
		{event: "repository_import", owner: "Codertocat", want: "Codertocat/Hello-World"},
		{event: "public", owner: "Codertocat", want: "Codertocat/Hello-World with teams"},
		{event: "create", owner: "Codertocat", want: "ignored: the ref is not the branch that is read"}, // a tag
		{event: "create", owner: "Codertocat", o: Options{Branch: "simple-tag"}, want: "ignored: the ref is not the branch that is read"},
		{event: "delete", owner: "Codertocat", want: "ignored: the ref is not the branch that is read"}, // a tag
		{event: "team", action: "added_to_repository", owner: "Octocoders", want: "Octocoders/Hello-World with teams"},
		{event: "team", action: "added_to_repository", owner: "Octocoders", o: Options{NoDirectory: true}, want: "ignored: the source leaves teams and members out"},
		{event: "team", action: "removed_from_repository", owner: "Octocoders", want: "Octocoders/Hello-World with teams"},
		{event: "team", action: "created", owner: "Octocoders", want: "directory"},
		{event: "team", action: "deleted", owner: "Octocoders", want: "everything"},
		{event: "team", action: "edited", owner: "Octocoders", want: "everything"}, // without saying what
		{event: "team", action: "deleted", owner: "Octocoders", o: Options{NoDirectory: true}, want: "ignored: the source leaves teams and members out"},
		{event: "team", action: "deleted", owner: "Codertocat", want: "ignored: it is about another owner"},
		{event: "team_add", owner: "Octocoders", want: "Octocoders/Hello-World with teams"},
		{event: "team_add", owner: "Codertocat", want: "ignored: it is about another owner"},
		{event: "membership", action: "added", owner: "Octocoders", want: "directory"},
		{event: "membership", action: "removed", owner: "Octocoders", o: Options{NoDirectory: true}, want: "ignored: the source leaves teams and members out"},
		{event: "membership", action: "removed", owner: "Codertocat", want: "ignored: it is about another owner"},
		{event: "organization", action: "member_added", owner: "Octocoders", want: "directory"},
		{event: "organization", action: "member_invited", owner: "Octocoders", want: "ignored: who is invited is no member yet"},
		{event: "organization", action: "renamed", owner: "Octocoders", want: "everything"},
		{event: "organization", action: "renamed", owner: "Codertocat", want: "ignored: it is about another owner"},
		{event: "member", action: "added", owner: "Codertocat", want: "ignored: collaborators are not in the catalog, only teams and their members"},
		{event: "meta", action: "deleted", owner: "Codertocat", want: "ignored: the webhook was deleted: from now on only harvests find changes"},
		{event: "installation", action: "created", owner: "Codertocat", want: "everything"},
		{event: "installation", action: "deleted", owner: "octocat", want: "everything"},
		{event: "installation", action: "suspend", owner: "Codertocat", want: "everything"},
		{event: "installation", action: "unsuspend", owner: "Codertocat", want: "everything"},
		{event: "installation", action: "new_permissions_accepted", owner: "Codertocat", want: "everything"},
		{event: "installation", action: "created", owner: "octocat", want: "ignored: it is about another owner"},
		{event: "installation_repositories", action: "added", owner: "Codertocat", want: "Codertocat/Space"},
		{event: "installation_repositories", action: "removed", owner: "octocat", want: "octocat/Hello-World"},
		{event: "installation_repositories", action: "removed", owner: "Codertocat", want: "ignored: it is about another owner"},
		{event: "github_app_authorization", action: "revoked", owner: "Codertocat", want: "ignored: it is about a user's own authorisation of the App, which is not used"},
		{event: "ping", owner: "Codertocat", want: "ignored: GitHub tries the webhook"},
		{event: "fork", owner: "Codertocat", want: "ignored: a fork within the organisation is announced as a new repository"},
		{event: "star", action: "created", owner: "Codertocat", want: "ignored: the next harvest counts anew"},
		{event: "issues", action: "opened", owner: "Codertocat", want: "ignored: the next harvest counts anew"},
		{event: "check_run", action: "completed", owner: "Codertocat", want: "ignored: nothing in the catalog depends on it"},
		{event: "branch_protection_rule", action: "created", owner: "Codertocat", want: "ignored: nothing in the catalog depends on it"},
	} {
		test.o.Organisation = test.owner
		var found bool
		for _, payload := range examples[test.event] {
			var said struct{ Action string }
			require.NoError(t, json.Unmarshal(payload, &said))
			if said.Action != test.action && test.action != "" {
				continue
			}
			found = true
			a, err := announcer(t, test.o).Announced(test.event, payload)
			require.NoError(t, err)
			assert.Equal(t, test.want, outcome(a), "%s %s for %s", test.event, test.action, test.owner)
			break
		}
		assert.True(t, found, "there is no example of %s %s", test.event, test.action)
	}
}

// said is what is delivered for changes.
func said(t testing.TB, o *githubtest.Org, change func()) []githubtest.Delivery {
	t.Helper()
	var deliveries []githubtest.Delivery
	o.Announce(func(d githubtest.Delivery) { deliveries = append(deliveries, d) })
	defer o.Announce(nil)
	change()
	return deliveries
}

func TestWhatChangesCallFor(t *testing.T) {
	t.Parallel()
	const branch, path = "ignored: the ref is not the branch that is read", "acme/repo-00001 if anything leads to "
	file := func(path string) githubtest.File { return githubtest.File{Path: path, Content: []byte("new")} }
	for _, test := range []struct {
		name   string
		change func(o *githubtest.Org)
		o      Options
		want   []string
	}{
		{"catalog file", func(o *githubtest.Org) { o.Push("repo-00001", file("catalog-info.yaml")) }, Options{}, []string{"acme/repo-00001"}},
		{"catalog file goes", func(o *githubtest.Org) { o.Remove("repo-00001", "catalog-info.yaml") }, Options{}, []string{"acme/repo-00001"}},
		{"catalog file elsewhere", func(o *githubtest.Org) { o.Push("repo-00001", file("a/catalog-info.yaml")) }, Options{}, []string{path + "a/catalog-info.yaml"}},
		{"by a pattern", func(o *githubtest.Org) { o.Push("repo-00001", file("a/catalog-info.yaml")) }, Options{Patterns: []string{"*/catalog-info.yaml"}}, []string{"acme/repo-00001"}},
		{"source", func(o *githubtest.Org) { o.Push("repo-00001", file("main.go"), file("src/a.go")) }, Options{}, []string{path + "src/a.go main.go"}},
		{"into the root", func(o *githubtest.Org) { o.Push("repo-00001", file("Dockerfile")) }, Options{}, []string{"acme/repo-00001"}},
		{"out of the root", func(o *githubtest.Org) { o.Remove("repo-00001", "main.go") }, Options{}, []string{"acme/repo-00001"}},
		{"owners in .github", func(o *githubtest.Org) { o.Push("repo-00001", file(".github/CODEOWNERS")) }, Options{}, []string{"acme/repo-00001"}},
		{"owners in docs", func(o *githubtest.Org) { o.Push("repo-00001", file("docs/CODEOWNERS")) }, Options{}, []string{"acme/repo-00001"}},
		{"owners that do not count", func(o *githubtest.Org) { o.Push("repo-00001", file("src/CODEOWNERS")) }, Options{}, []string{path + "src/CODEOWNERS"}},
		{"another branch", func(o *githubtest.Org) { o.PushTo("repo-00001", "side", file("catalog-info.yaml")) }, Options{}, []string{branch, branch}},
		{"the branch that is read", func(o *githubtest.Org) { o.PushTo("repo-00001", "side", file("src/a.go")) }, Options{Branch: "side"}, []string{"acme/repo-00001", "acme/repo-00001"}},
		{"not the branch that is read", func(o *githubtest.Org) { o.Push("repo-00001", file("catalog-info.yaml")) }, Options{Branch: "side"}, []string{branch}},
		{"default branch", func(o *githubtest.Org) { o.SetDefaultBranch("repo-00001", "side") }, Options{}, []string{"acme/repo-00001"}},
		{"emptied", func(o *githubtest.Org) { o.Replace("repo-00001") }, Options{}, []string{"acme/repo-00001", "acme/repo-00001"}},
		{"new", func(o *githubtest.Org) { o.Add(githubtest.NewRepo("fresh", file("a/b"))) }, Options{}, []string{"acme/fresh", "acme/fresh", "acme/fresh"}},
		{"deleted", func(o *githubtest.Org) { o.Delete("repo-00001") }, Options{}, []string{"acme/repo-00001"}},
		{"renamed", func(o *githubtest.Org) { o.Rename("repo-00001", "other") }, Options{}, []string{"acme/other"}},
		{"transferred", func(o *githubtest.Org) { o.Transfer("repo-00001", "elsewhere") }, Options{}, []string{"elsewhere/repo-00001 with teams"}},
		{"archived", func(o *githubtest.Org) { o.Archive("repo-00001", true) }, Options{}, []string{"acme/repo-00001"}},
		{"made private", func(o *githubtest.Org) { o.SetVisibility("repo-00001", "private") }, Options{}, []string{"acme/repo-00001 with teams"}},
		{"described", func(o *githubtest.Org) { o.Describe("repo-00001", "new") }, Options{}, []string{"acme/repo-00001"}},
		{"granted", func(o *githubtest.Org) { o.Grant("repo-00001", "team-000", "push") }, Options{}, []string{"acme/repo-00001 with teams", "acme/repo-00001 with teams"}},
		{"joined", func(o *githubtest.Org) { o.Join("team-000", "new") }, Options{}, []string{"directory", "directory"}},
		{"new team", func(o *githubtest.Org) { o.AddTeam(&githubtest.Team{Name: "New"}) }, Options{}, []string{"directory"}},
		{"renamed team", func(o *githubtest.Org) { o.RenameTeam("team-000", "New") }, Options{}, []string{"everything"}},
		{"of another", func(o *githubtest.Org) { o.Push("repo-00001", file("catalog-info.yaml")); o.Join("team-000", "ada") }, Options{Organisation: "other"},
			[]string{"ignored: it is about another owner", "ignored: it is about another owner", "ignored: it is about another owner"}},
	} {
		org := sized(3, 2)
		githubtest.NewServer(org, githubtest.Options{})
		org.SetActor("user-001")
		if test.o.Organisation == "" {
			test.o.Organisation = "acme"
		}
		var got []string
		for _, d := range said(t, org, func() { test.change(org) }) {
			a, err := announcer(t, test.o).Announced(d.Event, d.Payload)
			require.NoError(t, err, test.name)
			require.NoError(t, sound(a), test.name)
			require.True(t, a.Ignored != "" || a.Cause.Actor == "user-001", "%s: %+v", test.name, a.Cause)
			got = append(got, outcome(a))
		}
		assert.Equal(t, test.want, got, test.name)
	}
}

// TestAPushThatIsNotListedWhole takes what GitHub may leave out of a push.
func TestAPushThatIsNotListedWhole(t *testing.T) {
	t.Parallel()
	s := announcer(t, Options{Organisation: "acme"})
	push := func(change func(map[string]any)) source.Announcement {
		commit := map[string]any{"id": strings.Repeat("a", 40), "added": []string{}, "removed": []string{}, "modified": []string{"src/a.go"}, "author": map[string]any{"username": "ada"}}
		p := map[string]any{
			"ref": "refs/heads/main", "before": strings.Repeat("b", 40), "after": strings.Repeat("a", 40), "commits": []any{commit}, "head_commit": commit,
			"repository": map[string]any{"id": 7, "node_id": "R_7", "full_name": "acme/r", "default_branch": "main", "owner": map[string]any{"login": "acme"}},
			"sender":     map[string]any{"login": "bob"},
		}
		change(p)
		payload, err := json.Marshal(p)
		require.NoError(t, err)
		a, err := s.Announced("push", payload)
		require.NoError(t, err)
		require.NoError(t, sound(a))
		return a
	}
	require.Equal(t, []string{"src/a.go"}, push(func(map[string]any) {}).Touched, "else the others would say nothing")
	a := push(func(p map[string]any) { p["forced"] = true })
	require.Equal(t, source.Announcement{
		Scope: source.Scope{Repositories: []source.Pointer{{ID: "R_7", Number: 7, Name: "acme/r"}}},
		Cause: catalog.Cause{Via: catalog.ViaWebhook, Actor: "ada", Commit: strings.Repeat("a", 40)},
	}, a)
	for name, change := range map[string]func(map[string]any){
		"too many commits": func(p map[string]any) {
			list := make([]any, maxCommits)
			for i := range list {
				list[i] = p["head_commit"]
			}
			p["commits"] = list
		},
		"more than are listed": func(p map[string]any) { p["size"] = 2 },
		"no commits":           func(p map[string]any) { p["commits"] = []any{} },
		"a null commit":        func(p map[string]any) { p["commits"] = []any{nil} },
		"no files":             func(p map[string]any) { p["commits"] = []any{map[string]any{"id": "c"}} },
		"created":              func(p map[string]any) { p["created"] = true },
		"deleted":              func(p map[string]any) { p["deleted"] = true },
		"no default branch": func(p map[string]any) {
			delete(p["repository"].(map[string]any), "default_branch")
			p["forced"] = true
		},
	} {
		a := push(change)
		require.Len(t, a.Scope.Repositories, 1, name)
		require.Nil(t, a.Touched, name)
	}
	require.Empty(t, push(func(p map[string]any) { p["deleted"], p["after"] = true, strings.Repeat("0", 40) }).Cause.Commit)
	require.Equal(t, "bob", push(func(p map[string]any) { p["head_commit"], p["forced"] = nil, true }).Cause.Actor)
}

func TestPayloadsThatGitHubDoesNotSend(t *testing.T) {
	t.Parallel()
	s := announcer(t, Options{Organisation: "acme"})
	for _, event := range []string{
		"push", "repository", "public", "create", "delete", "repository_import", "team", "team_add", "membership", "organization",
		"installation", "installation_repositories",
	} {
		for _, payload := range []string{"", "null", "[]", `"x"`, "{", `{"a":`, "{}", `{"repository":7}`, `{"repository":{"owner":{"login":"acme"}},"ref":"refs/heads/main","forced":true,"action":"edited","status":"success"}`} {
			a, err := s.Announced(event, []byte(payload))
			if event == "repository_import" && payload == "{}" {
				require.NotEmpty(t, a.Ignored)
				continue
			}
			require.Error(t, err, "%s %s: %+v", event, payload, a)
		}
	}
	a, err := s.Announced("unheard_of", []byte("no JSON"))
	require.NoError(t, err, "what is ignored is not decoded")
	require.NotEmpty(t, a.Ignored)
}

func FuzzAnnounced(f *testing.F) {
	org := sized(3, 2)
	githubtest.NewServer(org, githubtest.Options{})
	for _, d := range said(f, org, func() {
		org.SetActor("user-001")
		org.Push("repo-00001", githubtest.File{Path: "catalog-info.yaml"})
		org.Rename("repo-00001", "other")
		org.SetVisibility("other", "private")
		org.SetVisibility("other", "public")
		org.Grant("other", "team-000", "push")
		org.Join("team-000", "new")
		org.Replace("other")
		org.Transfer("other", "elsewhere")
		org.DeleteTeam("team-000")
	}) {
		f.Add(d.Event, d.Payload)
	}
	for event, payload := range map[string]string{
		"organization":              `{"action":"renamed","organization":{"login":"b"},"changes":{"login":{"from":"acme"}}}`,
		"installation":              `{"action":"created","installation":{"account":{"login":"acme"}}}`,
		"installation_repositories": `{"installation":{"account":{"login":"acme"}},"repositories_added":[{"id":1,"node_id":"R_1","full_name":"acme/a"}]}`,
		"installation_target":       `{"account":{"login":"acme"},"changes":{"login":{"from":"b"}}}`,
		"meta":                      `{"action":"deleted"}`,
		"repository_import":         `{"status":"success","repository":{"id":1,"full_name":"acme/a"}}`,
	} {
		f.Add(event, []byte(payload))
	}
	s := announcer(f, Options{Organisation: "acme", Patterns: []string{"**/catalog-info.yaml", "{a,b}/*.yaml"}})
	f.Fuzz(func(t *testing.T, event string, payload []byte) {
		a, err := s.Announced(event, payload)
		if err != nil {
			require.Zero(t, a)
			return
		}
		require.NoError(t, sound(a))
		again, err := s.Announced(event, payload)
		require.NoError(t, err)
		require.Empty(t, cmp.Diff(a, again))
	})
}
