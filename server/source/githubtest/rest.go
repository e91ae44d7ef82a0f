package githubtest

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

func (s *Server) routes() {
	get := func(path string, handler http.HandlerFunc) { s.mux.HandleFunc("GET "+s.base+path, handler) }
	get("/rate_limit", s.rateLimit)
	get("/orgs/{org}", s.inOrg(s.getOrg))
	get("/orgs/{org}/repos", s.inOrg(s.listRepos))
	get("/orgs/{org}/teams", s.inOrg(s.listTeams))
	get("/orgs/{org}/teams/{team}", s.inTeam(s.getTeam))
	get("/orgs/{org}/teams/{team}/members", s.inTeam(s.listTeamMembers))
	get("/orgs/{org}/teams/{team}/repos", s.inTeam(s.listTeamRepos))
	get("/orgs/{org}/members", s.inOrg(s.listMembers))
	get("/orgs/{org}/installation", s.inOrg(s.installation))
	s.mux.HandleFunc("POST "+s.base+"/app/installations/{id}/access_tokens", s.accessToken)
	// A renamed or transferred repository is redirected to by its number.
	for path, handler := range map[string]func(*answer, *http.Request, *Repo){
		"":                    s.getRepo,
		"/teams":              s.listRepoTeams,
		"/languages":          s.languages,
		"/commits":            s.listCommits,
		"/git/trees/{sha}":    s.gitTree,
		"/git/blobs/{sha}":    s.gitBlob,
		"/contents/{path...}": s.contents,
	} {
		get("/repos/{org}/{repo}"+path, s.inRepo(handler))
		get("/repositories/{number}"+path, s.numbered(handler))
	}
}

func (s *Server) inOrg(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !strings.EqualFold(r.PathValue("org"), s.org.Login) {
			w.(*answer).fail(http.StatusNotFound, "Not Found")
			return
		}
		next(w, r)
	}
}

func (s *Server) inTeam(next func(*answer, *http.Request, *Team)) http.HandlerFunc {
	return s.inOrg(func(w http.ResponseWriter, r *http.Request) {
		team := s.org.team(r.PathValue("team"))
		if team == nil {
			w.(*answer).fail(http.StatusNotFound, "Not Found")
			return
		}
		next(w.(*answer), r, team)
	})
}

func (s *Server) inRepo(next func(*answer, *http.Request, *Repo)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		a, owner, name := w.(*answer), r.PathValue("org"), r.PathValue("repo")
		if repo := s.org.repo(name); repo != nil && strings.EqualFold(owner, s.org.Login) {
			next(a, r, repo)
			return
		}
		for _, repo := range s.org.away {
			if strings.EqualFold(owner, repo.owner) && strings.EqualFold(name, repo.Name) {
				next(a, r, repo)
				return
			}
		}
		moved := s.org.moved[strings.ToLower(owner+"/"+name)]
		if moved == nil {
			a.fail(http.StatusNotFound, "Not Found")
			return
		}
		to := s.api(r) + "/repositories/" + strconv.FormatInt(moved.id, 10) + strings.TrimPrefix(r.URL.RequestURI(), s.base+"/repos/"+owner+"/"+name)
		a.header.Set("Location", to)
		a.status = http.StatusMovedPermanently
		a.json(map[string]string{
			"message": "Moved Permanently", "url": to,
			"documentation_url": "https://docs.github.com/rest/guides/best-practices-for-using-the-rest-api#follow-redirects",
		})
	}
}

func (s *Server) numbered(next func(*answer, *http.Request, *Repo)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		repo := s.org.byNumber[r.PathValue("number")]
		if repo == nil {
			w.(*answer).fail(http.StatusNotFound, "Not Found")
			return
		}
		next(w.(*answer), r, repo)
	}
}

// api is the base of the REST API as the client sees it.
func (s *Server) api(r *http.Request) string {
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	return scheme + "://" + r.Host + s.base
}

// page answers with the part of a list that the request asks for, and with the
// Link header that GitHub puts to it.
func page[T any](s *Server, a *answer, r *http.Request, all []T, show func(T) any) {
	query := r.URL.Query()
	size, err := strconv.Atoi(cmp.Or(query.Get("per_page"), "30"))
	if err != nil || size < 1 {
		size = 30
	}
	size = min(size, 100)
	at, err := strconv.Atoi(cmp.Or(query.Get("page"), "1"))
	if err != nil || at < 1 {
		at = 1
	}
	last := max(1, (len(all)+size-1)/size)
	var links []string
	link := func(page int, rel string) {
		query.Set("page", strconv.Itoa(page))
		links = append(links, fmt.Sprintf(`<%s%s?%s>; rel="%s"`, s.api(r), strings.TrimPrefix(r.URL.Path, s.base), query.Encode(), rel))
	}
	if at > 1 {
		link(min(at-1, last), "prev")
	}
	if at < last {
		link(at+1, "next")
		link(last, "last")
	}
	if at > 1 {
		link(1, "first")
	}
	if len(links) > 0 {
		a.header.Set("Link", strings.Join(links, ", "))
	}
	shown := []any{}
	for _, item := range all[min((at-1)*size, len(all)):min(at*size, len(all))] {
		shown = append(shown, show(item))
	}
	a.json(shown)
}

func (s *Server) rateLimit(w http.ResponseWriter, _ *http.Request) {
	about := func(resource string) map[string]any {
		used, left, reset := s.remaining(resource)
		return map[string]any{"limit": s.options.Limit, "used": used, "remaining": left, "reset": reset.Unix()}
	}
	w.(*answer).json(map[string]any{
		"resources": map[string]any{"core": about("core"), "graphql": about("graphql"), "search": about("search")},
		"rate":      about("core"),
	})
}

func (s *Server) getOrg(w http.ResponseWriter, r *http.Request) {
	url := s.api(r) + "/orgs/" + s.org.Login
	id := number("org", s.org.Login)
	public := 0
	for _, repo := range s.org.Repos {
		if repo.Visibility == "public" {
			public++
		}
	}
	w.(*answer).json(map[string]any{
		"login": s.org.Login, "id": id, "node_id": nodeID("O", id), "name": s.org.Name, "description": s.org.Description,
		"url": url, "repos_url": url + "/repos", "events_url": url + "/events", "hooks_url": url + "/hooks", "issues_url": url + "/issues",
		"members_url": url + "/members{/member}", "public_members_url": url + "/public_members{/member}",
		"avatar_url": s.avatar(id), "html_url": s.options.HTMLBase + "/" + s.org.Login, "type": "Organization",
		"has_organization_projects": true, "has_repository_projects": true, "public_repos": public, "public_gists": 0,
		"followers": 0, "following": 0, "created_at": epoch, "updated_at": epoch, "archived_at": nil,
	})
}

func (s *Server) listRepos(w http.ResponseWriter, r *http.Request) {
	repos := slices.Clone(s.org.Repos)
	query := r.URL.Query()
	sort := cmp.Or(query.Get("sort"), "created")
	slices.SortStableFunc(repos, func(a, b *Repo) int {
		switch sort {
		case "full_name":
			return strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name))
		case "pushed":
			return a.PushedAt.Compare(b.PushedAt)
		case "updated":
			return a.UpdatedAt.Compare(b.UpdatedAt)
		}
		return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), cmp.Compare(a.id, b.id))
	})
	direction := query.Get("direction")
	if direction == "desc" || direction == "" && sort != "full_name" {
		slices.Reverse(repos)
	}
	page(s, w.(*answer), r, repos, func(repo *Repo) any { return s.showRepo(r, repo) })
}

func (s *Server) getRepo(a *answer, r *http.Request, repo *Repo) {
	shown := s.showRepo(r, repo)
	shown["network_count"], shown["subscribers_count"] = 0, 0
	a.json(shown)
}

func (s *Server) listTeams(w http.ResponseWriter, r *http.Request) {
	page(s, w.(*answer), r, s.org.Teams, func(t *Team) any { return s.showTeam(r, t, "pull", true) })
}

func (s *Server) getTeam(a *answer, r *http.Request, t *Team) {
	shown := s.showTeam(r, t, "pull", true)
	repos := 0
	for _, repo := range s.org.Repos {
		if repo.Teams[t.Slug] != "" {
			repos++
		}
	}
	shown["members_count"], shown["repos_count"] = len(s.org.members(t)), repos
	shown["created_at"], shown["updated_at"] = epoch, epoch
	inner := &answer{header: http.Header{}}
	s.getOrg(inner, r)
	shown["organization"] = rawJSON(inner.body)
	a.json(shown)
}

type rawJSON []byte

func (j rawJSON) MarshalJSON() ([]byte, error) { return j, nil }

func (s *Server) listTeamMembers(a *answer, r *http.Request, t *Team) {
	page(s, a, r, s.org.members(t), func(login string) any { return s.showUser(r, s.org.user(login)) })
}

func (s *Server) listTeamRepos(a *answer, r *http.Request, t *Team) {
	var repos []*Repo
	for _, repo := range s.org.Repos {
		if repo.Teams[t.Slug] != "" {
			repos = append(repos, repo)
		}
	}
	page(s, a, r, repos, func(repo *Repo) any {
		shown := s.showRepo(r, repo)
		shown["permissions"] = granted(repo.Teams[t.Slug])
		shown["role_name"] = role(repo.Teams[t.Slug])
		return shown
	})
}

func (s *Server) listRepoTeams(a *answer, r *http.Request, repo *Repo) {
	var teams []*Team
	for _, t := range s.org.Teams {
		if repo.Teams[t.Slug] != "" {
			teams = append(teams, t)
		}
	}
	page(s, a, r, teams, func(t *Team) any { return s.showTeam(r, t, repo.Teams[t.Slug], true) })
}

func (s *Server) listMembers(w http.ResponseWriter, r *http.Request) {
	page(s, w.(*answer), r, s.org.Users, func(u *User) any { return s.showUser(r, u) })
}

func (s *Server) languages(a *answer, _ *http.Request, repo *Repo) {
	if repo.Languages == nil {
		a.json(map[string]int64{})
		return
	}
	a.json(repo.Languages)
}

func (s *Server) gitTree(a *answer, r *http.Request, repo *Repo) {
	if len(repo.Branches) == 0 {
		a.fail(http.StatusConflict, "Git Repository is empty.")
		return
	}
	_, root := repo.resolve(r.PathValue("sha"))
	if root == nil || root.mode != folder {
		a.fail(http.StatusNotFound, "Not Found")
		return
	}
	git := s.api(r) + "/repos/" + s.org.owner(repo) + "/" + repo.Name + "/git/"
	entries := []any{}
	truncated := false
	add := func(path string, e *entry) {
		if len(entries) >= s.options.TreeLimit {
			truncated = true
			return
		}
		shown := map[string]any{"path": path, "mode": fmt.Sprintf("%06o", e.mode), "type": e.mode.kind(), "sha": e.oid}
		switch e.mode.kind() {
		case "blob":
			shown["size"], shown["url"] = e.size, git+"blobs/"+e.oid
		case "tree":
			shown["url"] = git + "trees/" + e.oid
		}
		entries = append(entries, shown)
	}
	if recursive := r.URL.Query().Get("recursive"); recursive != "" {
		walk("", root, add)
	} else {
		for _, e := range root.entries {
			add(e.name, e)
		}
	}
	a.json(map[string]any{"sha": root.oid, "url": git + "trees/" + root.oid, "tree": entries, "truncated": truncated})
}

func (s *Server) gitBlob(a *answer, r *http.Request, repo *Repo) {
	e := repo.object(r.PathValue("sha"))
	if e == nil || e.mode.kind() != "blob" {
		a.fail(http.StatusNotFound, "Not Found")
		return
	}
	content, err := e.content()
	if err != nil {
		a.fail(http.StatusInternalServerError, "Server Error")
		return
	}
	if strings.Contains(r.Header.Get("Accept"), "raw") {
		a.header.Set("Content-Type", "application/vnd.github.raw; charset=utf-8")
		a.body = content
		return
	}
	a.json(map[string]any{
		"sha": e.oid, "node_id": repo.blobID(e), "size": e.size, "encoding": "base64", "content": wrapped(content),
		"url": s.api(r) + "/repos/" + s.org.owner(repo) + "/" + repo.Name + "/git/blobs/" + e.oid,
	})
}

// wrapped is base64 in lines of 60 characters, as GitHub sends it.
func wrapped(content []byte) string {
	var b strings.Builder
	for line := range slices.Chunk([]byte(base64.StdEncoding.EncodeToString(content)), 60) {
		b.Write(line)
		b.WriteByte('\n')
	}
	return b.String()
}

func (s *Server) contents(a *answer, r *http.Request, repo *Repo) {
	path := strings.Trim(r.PathValue("path"), "/")
	ref := cmp.Or(r.URL.Query().Get("ref"), repo.DefaultBranch)
	_, root := repo.resolve(ref)
	if root == nil || root.mode != folder {
		a.fail(http.StatusNotFound, "No commit found for the ref "+ref)
		return
	}
	e := (&Tree{root: root}).lookup(path)
	if target := (&Tree{root: root}).follow(path); e != nil && e.mode == Symlink && target != nil {
		// GitHub gives the file that a link leads to, under the link's name.
		e = &entry{name: e.name, mode: target.mode, oid: target.oid, size: target.size, read: target.read}
	}
	if e == nil {
		a.fail(http.StatusNotFound, "Not Found")
		return
	}
	if e.mode == folder {
		list := []any{}
		for _, child := range e.entries {
			list = append(list, s.showContent(r, repo, ref, strings.TrimPrefix(path+"/"+child.name, "/"), child))
		}
		a.json(list)
		return
	}
	content, err := e.content()
	if err != nil {
		a.fail(http.StatusInternalServerError, "Server Error")
		return
	}
	shown := s.showContent(r, repo, ref, path, e)
	if e.mode == Symlink {
		shown["target"] = string(content)
	} else {
		shown["encoding"], shown["content"] = "base64", wrapped(content)
	}
	a.json(shown)
}

func (s *Server) showContent(r *http.Request, repo *Repo, ref, path string, e *entry) map[string]any {
	full := "/repos/" + s.org.owner(repo) + "/" + repo.Name
	escaped := (&url.URL{Path: path}).EscapedPath()
	self := s.api(r) + full + "/contents/" + escaped + "?ref=" + url.QueryEscape(ref)
	git := s.api(r) + full + "/git/" + e.mode.kind() + "s/" + e.oid
	html := s.options.HTMLBase + "/" + s.org.owner(repo) + "/" + repo.Name + "/" + e.mode.kind() + "/" + ref + "/" + escaped
	kind := "file"
	switch e.mode {
	case folder:
		kind = "dir"
	case Symlink:
		kind = "symlink"
	case Submodule:
		kind = "submodule"
	}
	return map[string]any{
		"type": kind, "name": e.name, "path": path, "sha": e.oid, "size": e.size, "url": self, "git_url": git, "html_url": html,
		"download_url": nil, "_links": map[string]any{"self": self, "git": git, "html": html},
	}
}
