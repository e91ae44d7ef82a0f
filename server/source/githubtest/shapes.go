package githubtest

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"encoding/base64"
)

func (s *Server) avatar(id int64) string {
	return "https://avatars.githubusercontent.com/u/" + strconv.FormatInt(id, 10) + "?v=4"
}

// owner is an organisation in the form of a user.
func (s *Server) owner(r *http.Request, login string) map[string]any {
	id := number("org", login)
	return s.account(r, login, "Organization", id, nodeID("O", id))
}

func (s *Server) showUser(r *http.Request, u *User) map[string]any {
	return s.account(r, u.Login, "User", u.id, nodeID("U", u.id))
}

func (s *Server) account(r *http.Request, login, kind string, id int64, node string) map[string]any {
	url := s.api(r) + "/users/" + login
	return map[string]any{
		"login": login, "id": id, "node_id": node, "avatar_url": s.avatar(id), "gravatar_id": "", "url": url,
		"html_url": s.options.HTMLBase + "/" + login, "followers_url": url + "/followers",
		"following_url": url + "/following{/other_user}", "gists_url": url + "/gists{/gist_id}",
		"starred_url": url + "/starred{/owner}{/repo}", "subscriptions_url": url + "/subscriptions",
		"organizations_url": url + "/orgs", "repos_url": url + "/repos", "events_url": url + "/events{/privacy}",
		"received_events_url": url + "/received_events", "type": kind, "user_view_type": "public", "site_admin": false,
	}
}

func (s *Server) showTeam(r *http.Request, t *Team, permission string, withParent bool) map[string]any {
	org := number("org", s.org.Login)
	url := s.api(r) + "/organizations/" + strconv.FormatInt(org, 10) + "/team/" + strconv.FormatInt(t.id, 10)
	shown := map[string]any{
		"id": t.id, "node_id": nodeID("T", t.id), "name": t.Name, "slug": t.Slug, "description": t.Description, "privacy": t.Privacy,
		"notification_setting": "notifications_enabled", "permission": permission, "url": url,
		"html_url":    s.options.HTMLBase + "/orgs/" + s.org.Login + "/teams/" + t.Slug,
		"members_url": url + "/members{/member}", "repositories_url": url + "/repos",
		"type": "organization", "organization_id": org,
	}
	if withParent {
		shown["parent"] = nil
		if p := s.org.team(t.Parent); p != nil {
			shown["parent"] = s.showTeam(r, p, "pull", false)
		}
	}
	return shown
}

// granted spells a permission out as GitHub does, with all that it includes.
func granted(permission string) map[string]bool {
	level := slices.Index(permissions, permission)
	all := map[string]bool{}
	for i, p := range permissions {
		all[p] = i <= level
	}
	return all
}

// role is the name of a permission among GitHub's roles.
func role(permission string) string {
	switch permission {
	case "pull":
		return "read"
	case "push":
		return "write"
	}
	return permission
}

// repoURLs are the links of a repository, relative to it, which GitHub gives
// with every one.
var repoURLs = map[string]string{
	"archive_url": "/{archive_format}{/ref}", "assignees_url": "/assignees{/user}", "blobs_url": "/git/blobs{/sha}",
	"branches_url": "/branches{/branch}", "collaborators_url": "/collaborators{/collaborator}", "comments_url": "/comments{/number}",
	"commits_url": "/commits{/sha}", "compare_url": "/compare/{base}...{head}", "contents_url": "/contents/{+path}",
	"contributors_url": "/contributors", "deployments_url": "/deployments", "downloads_url": "/downloads", "events_url": "/events",
	"forks_url": "/forks", "git_commits_url": "/git/commits{/sha}", "git_refs_url": "/git/refs{/sha}", "git_tags_url": "/git/tags{/sha}",
	"hooks_url": "/hooks", "issue_comment_url": "/issues/comments{/number}", "issue_events_url": "/issues/events{/number}",
	"issues_url": "/issues{/number}", "keys_url": "/keys{/key_id}", "labels_url": "/labels{/name}", "languages_url": "/languages",
	"merges_url": "/merges", "milestones_url": "/milestones{/number}", "notifications_url": "/notifications{?since,all,participating}",
	"pulls_url": "/pulls{/number}", "releases_url": "/releases{/id}", "stargazers_url": "/stargazers", "statuses_url": "/statuses/{sha}",
	"subscribers_url": "/subscribers", "subscription_url": "/subscription", "tags_url": "/tags", "teams_url": "/teams", "trees_url": "/git/trees{/sha}",
}

func (s *Server) showRepo(r *http.Request, repo *Repo) map[string]any {
	full := s.org.owner(repo) + "/" + repo.Name
	url := s.api(r) + "/repos/" + full
	html := s.options.HTMLBase + "/" + full
	host := strings.TrimPrefix(strings.TrimPrefix(s.options.HTMLBase, "https://"), "http://")
	var size int64
	for _, e := range repo.blobs() {
		size += e.size
	}
	shown := map[string]any{
		"id": repo.id, "node_id": repo.NodeID(), "name": repo.Name, "full_name": full, "owner": s.owner(r, s.org.owner(repo)),
		"private": repo.Visibility != "public", "visibility": repo.Visibility, "html_url": html, "url": url,
		"description": orNull(repo.Description), "homepage": orNull(repo.Homepage), "fork": repo.Fork, "is_template": repo.Template,
		"archived": repo.Archived, "disabled": false, "topics": append([]string{}, repo.Topics...), "default_branch": repo.DefaultBranch,
		"created_at": repo.CreatedAt, "updated_at": repo.UpdatedAt, "pushed_at": repo.PushedAt, "size": size / 1024,
		"stargazers_count": repo.Stars, "watchers_count": repo.Stars, "watchers": repo.Stars, "forks_count": 0, "forks": 0,
		"open_issues_count": repo.OpenIssues, "open_issues": repo.OpenIssues, "language": orNull(repo.language()), "license": nil,
		"has_issues": true, "has_projects": true, "has_wiki": false, "has_pages": false, "has_downloads": true, "has_discussions": false,
		"allow_forking": true, "web_commit_signoff_required": false, "mirror_url": nil,
		"git_url": "git://" + host + "/" + full + ".git", "ssh_url": "git@" + host + ":" + full + ".git",
		"clone_url": html + ".git", "svn_url": html, "permissions": granted("pull"),
	}
	shown["custom_properties"] = map[string]any{}
	if repo.Properties != nil {
		shown["custom_properties"] = repo.Properties
	}
	if repo.License != "" {
		shown["license"] = map[string]any{
			"key": strings.ToLower(repo.License), "name": repo.License, "spdx_id": repo.License, "node_id": "L_" + repo.License,
			"url": s.api(r) + "/licenses/" + strings.ToLower(repo.License),
		}
	}
	for key, path := range repoURLs {
		shown[key] = url + path
	}
	return shown
}

func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// language is the one with the most bytes.
func (r *Repo) language() string {
	var most string
	for name, bytes := range r.Languages {
		if n := r.Languages[most]; most == "" || bytes > n || bytes == n && name < most {
			most = name
		}
	}
	return most
}

func (r *Repo) blobs() map[string]*entry {
	if head := r.Branches[r.DefaultBranch]; head != nil {
		return head.objects
	}
	return nil
}

func (r *Repo) blobID(e *entry) string {
	return "B_" + base64.RawURLEncoding.EncodeToString([]byte(r.NodeID()+":"+e.oid))
}

// object finds a blob or tree of any branch by its id.
func (r *Repo) object(oid string) *entry {
	for _, t := range r.Branches {
		if e := t.objects[oid]; e != nil {
			return e
		}
	}
	return nil
}

// resolve reads a revision as git does: a branch, HEAD or the id of an object,
// and behind a colon the path in its tree. It returns the tree of the commit,
// if the revision names one, and the entry; both nil if there is none.
func (r *Repo) resolve(expression string) (*Tree, *entry) {
	revision, path, hasPath := strings.Cut(expression, ":")
	var at *Tree
	switch revision {
	case "HEAD":
		at = r.Branches[r.DefaultBranch]
	default:
		at = r.Branches[strings.TrimPrefix(revision, "refs/heads/")]
	}
	if at == nil {
		for _, t := range r.Branches {
			if t.Commit == revision {
				at = t
			}
		}
	}
	if at == nil {
		e := r.object(revision)
		if e == nil || hasPath && e.mode != folder {
			return nil, nil
		}
		return nil, (&Tree{root: e}).lookup(path)
	}
	if hasPath {
		return nil, at.lookup(path)
	}
	return at, at.root
}
