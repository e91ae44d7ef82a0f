package githubtest

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// Delivery is a webhook delivery.
type Delivery struct {
	ID      string // a GUID, for the header X-GitHub-Delivery
	Event   string // for X-GitHub-Event
	Payload []byte // JSON
}

// Header is what GitHub sends with the delivery, but for what tells of the
// hook. It is signed if there is a secret.
func (d Delivery) Header(secret string) http.Header {
	h := http.Header{}
	h.Set("Content-Type", "application/json")
	h.Set("User-Agent", "GitHub-Hookshot/0000000")
	h.Set("X-GitHub-Delivery", d.ID)
	h.Set("X-GitHub-Event", d.Event)
	if secret != "" {
		mac := hmac.New(sha256.New, []byte(secret))
		mac.Write(d.Payload)
		h.Set("X-Hub-Signature-256", "sha256="+hex.EncodeToString(mac.Sum(nil)))
	}
	return h
}

// Announce gives every delivery of the changes that follow to take, in the
// order in which they are made, before the method that makes the change
// returns. Take must not change the organisation; it may well lose, repeat and
// hold back deliveries. Nil ends it.
//
// Addresses in payloads are those of github.com, wherever the organisation is
// served.
func (o *Org) Announce(take func(Delivery)) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.take = take
}

// voice shows things as they are in payloads.
type voice struct {
	s *Server
	r *http.Request
}

// say notes a delivery for when the change is made.
func (o *Org) say(event string, payload func(*voice) map[string]any) {
	if o.take == nil {
		return
	}
	actor := o.actor
	o.said++
	id := fmt.Sprintf("%x", sha1.Sum([]byte(o.Login+"\x00"+strconv.Itoa(o.said))))
	id = id[:8] + "-" + id[8:12] + "-" + id[12:16] + "-" + id[16:20] + "-" + id[20:32]
	o.unsaid = append(o.unsaid, func() Delivery {
		v := &voice{&Server{org: o, options: Options{HTMLBase: "https://github.com"}}, &http.Request{Host: "api.github.com", TLS: &tls.ConnectionState{}}}
		said := map[string]any{"sender": v.user(cmp.Or(actor, "octocat")), "organization": v.organization(o.Login)}
		maps.Copy(said, payload(v))
		body, err := json.Marshal(said)
		if err != nil {
			panic(fmt.Sprintf("githubtest: encode a payload of %s: %v", event, err))
		}
		return Delivery{ID: id, Event: event, Payload: body}
	})
}

func (o *Org) sayRepository(action string, r *Repo, changes map[string]any) {
	o.say("repository", func(v *voice) map[string]any {
		said := map[string]any{"action": action, "repository": v.repository(r)}
		if changes != nil {
			said["changes"] = changes
		}
		return said
	})
}

func (o *Org) sayTeam(action string, t *Team, r *Repo, changes map[string]any) {
	o.say("team", func(v *voice) map[string]any {
		said := map[string]any{"action": action, "team": v.team(t, r)}
		if r != nil {
			repository := v.repository(r)
			repository["permissions"] = granted(r.Teams[t.Slug])
			// GitHub's description of these events knows nothing of them.
			delete(repository, "has_discussions")
			delete(repository, "web_commit_signoff_required")
			said["repository"] = repository
		}
		if changes != nil {
			said["changes"] = changes
		}
		return said
	})
}

func (o *Org) sayMembership(action string, t *Team, login string) {
	o.say("membership", func(v *voice) map[string]any {
		return map[string]any{"action": action, "scope": "team", "member": v.user(login), "team": v.team(t, nil)}
	})
}

func (o *Org) sayMember(action, login string) {
	o.say("organization", func(v *voice) map[string]any {
		url := "https://api.github.com/orgs/" + o.Login
		return map[string]any{"action": action, "membership": map[string]any{
			"url": url + "/memberships/" + login, "state": "active", "role": "member", "organization_url": url, "user": v.user(login),
		}}
	})
}

// sayPush tells of a branch that moved, came into being or went.
func (o *Org) sayPush(r *Repo, branch string, before, after *Tree) {
	if before == nil && after == nil {
		return
	}
	actor := cmp.Or(o.actor, "octocat")
	branchEvent := map[bool]string{true: "create", false: "delete"}[before == nil]
	if before == nil || after == nil {
		o.say(branchEvent, func(v *voice) map[string]any {
			said := map[string]any{"ref": branch, "ref_type": "branch", "pusher_type": "user", "repository": v.repository(r)}
			if before == nil {
				said["master_branch"], said["description"] = r.DefaultBranch, orNull(r.Description)
			}
			return said
		})
	}
	o.say("push", func(v *voice) map[string]any {
		full := v.s.options.HTMLBase + "/" + o.owner(r) + "/" + r.Name
		said := map[string]any{
			"ref": "refs/heads/" + branch, "before": head(before), "after": head(after), "base_ref": nil,
			"created": before == nil, "deleted": after == nil, "forced": before == nil || after == nil,
			"compare": full + "/compare/" + head(before)[:12] + "..." + head(after)[:12], "commits": []any{}, "head_commit": nil,
			"pusher": map[string]any{"name": actor, "email": strings.ToLower(actor) + "@example.org"}, "repository": v.pushed(r),
		}
		if after != nil {
			commit := v.commit(full, before, after)
			said["commits"], said["head_commit"] = []any{commit}, commit
		}
		return said
	})
}

// head is the id of a commit, or the zeros that stand for none.
func head(t *Tree) string {
	if t == nil {
		return strings.Repeat("0", 40)
	}
	return t.Commit
}

func (v *voice) commit(repo string, before, after *Tree) map[string]any {
	author := map[string]any{"name": after.actor(), "email": after.address()}
	if after.Author != "" {
		author["username"] = after.Author
	}
	added, removed, modified := changed(before, after)
	return map[string]any{
		"id": after.Commit, "tree_id": after.root.oid, "distinct": true, "message": "Change files", "timestamp": after.Committed,
		"url": repo + "/commit/" + after.Commit, "author": author, "committer": author,
		"added": added, "removed": removed, "modified": modified,
	}
}

// changed compares the files of two trees.
func changed(before, after *Tree) (added, removed, modified []string) {
	files := func(t *Tree) map[string]*entry {
		all := map[string]*entry{}
		if t != nil {
			t.walk(func(path string, e *entry) {
				if e.mode != folder {
					all[path] = e
				}
			})
		}
		return all
	}
	was, is := files(before), files(after)
	added, removed, modified = []string{}, []string{}, []string{}
	for _, path := range slices.Sorted(maps.Keys(is)) {
		switch had := was[path]; {
		case had == nil:
			added = append(added, path)
		case had.oid != is[path].oid || had.mode != is[path].mode:
			modified = append(modified, path)
		}
	}
	for _, path := range slices.Sorted(maps.Keys(was)) {
		if is[path] == nil {
			removed = append(removed, path)
		}
	}
	return added, removed, modified
}

func (v *voice) user(login string) map[string]any {
	id := number("user", login)
	return v.s.account(v.r, login, "User", id, nodeID("U", id))
}

func (v *voice) organization(login string) map[string]any {
	id := number("org", login)
	url := "https://api.github.com/orgs/" + login
	description := ""
	if login == v.s.org.Login {
		description = v.s.org.Description
	}
	return map[string]any{
		"login": login, "id": id, "node_id": nodeID("O", id), "url": url, "repos_url": url + "/repos", "events_url": url + "/events",
		"hooks_url": url + "/hooks", "issues_url": url + "/issues", "members_url": url + "/members{/member}",
		"public_members_url": url + "/public_members{/member}", "avatar_url": v.s.avatar(id), "description": description,
	}
}

func (v *voice) repository(r *Repo) map[string]any {
	shown := v.s.showRepo(v.r, r)
	delete(shown, "permissions") // of whoever asks, and here nobody does
	return shown
}

// pushed is the repository in the form that it has in a push.
func (v *voice) pushed(r *Repo) map[string]any {
	shown := v.repository(r)
	shown["created_at"], shown["pushed_at"] = r.CreatedAt.Unix(), r.PushedAt.Unix()
	shown["master_branch"], shown["stargazers"], shown["organization"] = r.DefaultBranch, r.Stars, v.s.org.owner(r)
	owner := maps.Clone(shown["owner"].(map[string]any))
	owner["name"], owner["email"] = owner["login"], nil
	shown["owner"] = owner
	shown["url"] = shown["html_url"]
	return shown
}

func (v *voice) team(t *Team, r *Repo) map[string]any {
	permission := "pull"
	if r != nil {
		permission = cmp.Or(r.Teams[t.Slug], "pull")
	}
	return v.s.showTeam(v.r, t, permission, true)
}
