package githubtest

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/waypost-dev/waypost/server/source/githubtest/octokit"
)

// heard makes every change that there is, and returns what was delivered.
func heard(t *testing.T) []Delivery {
	t.Helper()
	org := varied()
	NewServer(org, Options{})
	var deliveries []Delivery
	org.Announce(func(d Delivery) { deliveries = append(deliveries, d) })
	org.SetActor("ada")
	org.Add(NewRepo("new", File{Path: "a", Content: []byte("a")}))
	org.Add(NewRepo("bare"))
	org.Push("new", File{Path: "catalog-info.yaml", Content: []byte("a: 1\n")}, File{Path: "a", Content: []byte("b")})
	org.PushTo("new", "side", File{Path: "b", Content: []byte("b")})
	org.SetDefaultBranch("new", "side")
	org.Remove("new", "a")
	org.Replace("new")
	org.Rename("new", "newer")
	org.Archive("newer", true)
	org.Archive("newer", false)
	org.SetVisibility("newer", "private")
	org.SetVisibility("newer", "internal")
	org.SetVisibility("newer", "public")
	org.Describe("newer", "What it is for.")
	org.SetTopics("newer", "go")
	org.AddTeam(&Team{Name: "Fresh", Parent: "top"})
	org.Grant("newer", "fresh", "push")
	org.Grant("newer", "fresh", "admin")
	org.Grant("newer", "fresh", "")
	org.Join("fresh", "ada")
	org.Join("fresh", "eve")
	org.Leave("fresh", "ada")
	org.RenameTeam("fresh", "Fresher Still")
	org.Dismiss("eve")
	org.DeleteTeam("fresher-still")
	org.Transfer("newer", "elsewhere")
	org.Delete("bare")
	org.Announce(nil)
	org.Delete("plain")
	return deliveries
}

func action(t *testing.T, d Delivery) string {
	t.Helper()
	var said struct{ Action string }
	require.NoError(t, json.Unmarshal(d.Payload, &said))
	return strings.TrimSuffix(d.Event+" "+said.Action, " ")
}

func TestAnnouncements(t *testing.T) {
	t.Parallel()
	var got []string
	ids := map[string]bool{}
	for _, d := range heard(t) {
		got = append(got, action(t, d))
		ids[d.ID] = true
	}
	require.Equal(t, []string{
		"repository created", "create", "push", // with a file
		"repository created", // without
		"push",
		"create", "push", // of a branch
		"repository edited",
		"push",
		"delete", "push", // emptied
		"repository renamed", "repository archived", "repository unarchived",
		"repository privatized", "repository publicized", "public",
		"repository edited", "repository edited",
		"team created", "team added_to_repository", "team_add", "team edited", "team removed_from_repository",
		"membership added", "organization member_added", "membership added", "membership removed",
		"team edited", "membership removed", "organization member_removed", "team deleted",
		"repository transferred", "repository deleted",
	}, got)
	require.Len(t, ids, len(got), "each delivery has an id of its own")
}

func TestPushedPaths(t *testing.T) {
	t.Parallel()
	org := varied()
	NewServer(org, Options{})
	var last Delivery
	org.Announce(func(d Delivery) { last = d })
	org.SetActor("ada")
	org.Replace("plain", File{Path: "a", Content: []byte("changed")}, File{Path: "b/c", Content: []byte("new")})
	var push struct {
		Ref, Before, After string
		Forced             bool
		Commits            []struct {
			Author                   struct{ Username string }
			Added, Removed, Modified []string
		}
	}
	require.NoError(t, json.Unmarshal(last.Payload, &push))
	require.Equal(t, "refs/heads/main", push.Ref)
	require.Equal(t, org.repo("plain").Branches["main"].Commit, push.After)
	require.False(t, push.Forced)
	require.Len(t, push.Commits, 1)
	require.Equal(t, "ada", push.Commits[0].Author.Username)
	require.Equal(t, []string{"b/c"}, push.Commits[0].Added)
	require.Equal(t, []string{"a"}, push.Commits[0].Modified)
	require.Empty(t, push.Commits[0].Removed)
}

func TestSignature(t *testing.T) {
	t.Parallel()
	d := heard(t)[0]
	h := d.Header("secret")
	mac := hmac.New(sha256.New, []byte("secret"))
	mac.Write(d.Payload)
	require.Equal(t, "sha256="+hex.EncodeToString(mac.Sum(nil)), h.Get("X-Hub-Signature-256"))
	require.Equal(t, "repository", h.Get("X-GitHub-Event"))
	require.Regexp(t, `^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`, h.Get("X-GitHub-Delivery"))
	require.Empty(t, d.Header("").Get("X-Hub-Signature-256"))
}

// TestPayloadsAreGitHubs holds every payload against GitHub's description of
// its webhooks, and against the keys that all of Octokit's examples have.
func TestPayloadsAreGitHubs(t *testing.T) {
	t.Parallel()
	description := octokit.OpenAPI(t)
	always := map[string]map[string]any{} // by event and action
	for _, e := range octokit.Webhooks(t, "api.github.com") {
		for _, payload := range e.Examples {
			var value map[string]any
			require.NoError(t, json.Unmarshal(payload, &value))
			delete(value, "installation") // only a GitHub App's hook says it
			key := action(t, Delivery{Event: e.Name, Payload: payload})
			if always[key] == nil {
				always[key] = value
			} else {
				always[key] = common(always[key], value)
			}
		}
	}
	compared := 0
	for _, d := range heard(t) {
		key := action(t, d)
		name := strings.NewReplacer("_", "-", " ", "-").Replace(key)
		assert.NoError(t, description.CheckWebhook(name, d.Payload), key)
		var value map[string]any
		require.NoError(t, json.Unmarshal(d.Payload, &value))
		if examples := always[key]; examples != nil {
			compared++
			keys := slices.DeleteFunc(missing("", examples, value), func(key string) bool {
				// The examples are of users, and of a key that the description does not allow.
				return key == "changes.owner.from.user" || key == "repository.web_commit_signoff_required"
			})
			assert.Empty(t, keys, key)
		}
	}
	require.Greater(t, compared, 15)
	require.Error(t, description.CheckWebhook("push", []byte(`{"ref":"refs/heads/main"}`)))
	require.Error(t, description.CheckWebhook("none", []byte(`{}`)))
}

// common keeps of a what b has too.
func common(a, b map[string]any) map[string]any {
	maps.DeleteFunc(a, func(key string, _ any) bool { _, ok := b[key]; return !ok })
	for key, value := range a {
		x, ok1 := value.(map[string]any)
		y, ok2 := b[key].(map[string]any)
		switch {
		case ok1 && ok2:
			a[key] = common(x, y)
		case ok1:
			a[key] = nil
		}
	}
	return a
}

// missing are the keys that want has and got has not.
func missing(path string, want, got map[string]any) []string {
	var keys []string
	for _, key := range slices.Sorted(maps.Keys(want)) {
		value, ok := got[key]
		if !ok {
			keys = append(keys, path+key)
			continue
		}
		inner, ok1 := want[key].(map[string]any)
		have, ok2 := value.(map[string]any)
		if ok1 && ok2 {
			keys = append(keys, missing(path+key+".", inner, have)...)
		}
	}
	return keys
}
