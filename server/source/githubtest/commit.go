package githubtest

import (
	"crypto/sha1" //nolint:gosec // ids as git's
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Commit is one of a repository's commits, as the list of commits tells. The
// trees of branches do not follow from them.
type Commit struct {
	Login       string // of a user of the organisation; empty if GitHub does not know the author
	Name, Email string
	Time        time.Time
	Paths       []string // that it changed
	Merge       bool
}

// sha is made up of the repository's name and the commit's place.
func (c Commit) sha(repo string, n int) string {
	sum := sha1.Sum(fmt.Appendf(nil, "%s %d %s %s", repo, n, c.Email, c.Time)) //nolint:gosec // as above
	return hex.EncodeToString(sum[:])
}

func (s *Server) listCommits(a *answer, r *http.Request, repo *Repo) {
	if len(repo.Branches) == 0 {
		a.fail(http.StatusConflict, "Git Repository is empty.")
		return
	}
	q := r.URL.Query()
	since, _ := time.Parse(time.RFC3339, q.Get("since"))
	path := strings.Trim(q.Get("path"), "/")
	var list []int
	for n, c := range repo.Commits {
		in := path == "" || slices.ContainsFunc(c.Paths, func(p string) bool { return p == path || strings.HasPrefix(p, path+"/") })
		if in && !c.Time.Before(since) {
			list = append(list, n)
		}
	}
	page(s, a, r, list, func(n int) any { return s.showCommit(r, repo, n) })
}

func (s *Server) showCommit(r *http.Request, repo *Repo, n int) any {
	c := repo.Commits[n]
	sha := c.sha(repo.Name, n)
	api := s.api(r) + "/repos/" + s.org.owner(repo) + "/" + repo.Name
	page := s.options.HTMLBase + "/" + s.org.owner(repo) + "/" + repo.Name
	parents := []any{}
	for i := range 1 + map[bool]int{true: 1}[c.Merge] {
		p := c.sha(repo.Name, n+1+i)
		parents = append(parents, map[string]any{"sha": p, "url": api + "/commits/" + p, "html_url": page + "/commit/" + p})
	}
	var user any
	if i := slices.IndexFunc(s.org.Users, func(u *User) bool { return u.Login == c.Login }); i >= 0 && c.Login != "" {
		user = s.showUser(r, s.org.Users[i])
	}
	who := map[string]any{"name": c.Name, "email": c.Email, "date": c.Time.UTC().Format(time.RFC3339)}
	tree := c.sha("tree of "+repo.Name, n)
	return map[string]any{
		"sha": sha, "node_id": nodeID("C", int64(n)), "url": api + "/commits/" + sha, "html_url": page + "/commit/" + sha,
		"comments_url": api + "/commits/" + sha + "/comments", "author": user, "committer": user, "parents": parents,
		"commit": map[string]any{
			"author": who, "committer": who, "message": "change", "comment_count": 0, "url": api + "/git/commits/" + sha,
			"tree": map[string]any{"sha": tree, "url": api + "/git/trees/" + tree},
		},
	}
}
