package githubtest

import (
	"cmp"
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// Org is an organisation. Fill it in, then hand it to NewServer; once it is
// served, change it only through its methods, which are safe for concurrent
// use.
type Org struct {
	Login       string
	Name        string
	Description string
	Repos       []*Repo
	Teams       []*Team
	Users       []*User

	mu     sync.RWMutex
	tick   time.Time        // of the last change
	turns  int              // counts changes
	byNode map[string]*Repo // by node id
	byName map[string]*Repo // by name in lower case
}

// Repo is a repository. Its zero fields get GitHub's defaults when it is
// added to an Org that is served.
type Repo struct {
	Name          string
	Description   string
	Homepage      string
	Topics        []string
	Visibility    string // public, private or internal; empty means public
	Archived      bool
	Fork          bool
	Template      bool
	DefaultBranch string // empty means main
	License       string // SPDX id
	Languages     map[string]int64
	CreatedAt     time.Time
	UpdatedAt     time.Time
	PushedAt      time.Time
	Stars         int
	OpenIssues    int
	Teams         map[string]string // permission by team slug: pull, triage, push, maintain or admin
	Branches      map[string]*Tree  // by name; none for an empty repository
	// Broken makes GraphQL answer null for this repository, with an error of
	// this type, such as FORBIDDEN.
	Broken string

	id int64
}

// Team is a group of an organisation.
type Team struct {
	Slug, Name, Description string
	Parent                  string // slug
	Privacy                 string // closed or secret; empty means closed
	Members                 []string

	id int64
}

// User is a member of an organisation.
type User struct {
	Login, Name, Email string

	id int64
}

// NewOrg returns an empty organisation.
func NewOrg(login string) *Org { return &Org{Login: login, Name: login} }

// epoch is when everything happened that says nothing of its time.
var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// settle gives ids, defaults and users to all that has none. It is
// deterministic: the same organisation gets the same ids.
func (o *Org) settle() {
	if o.tick.IsZero() {
		o.tick = epoch
	}
	for i, r := range o.Repos {
		if r.id != 0 {
			continue
		}
		r.id = number("repo", o.Login, r.Name)
		r.Visibility = cmp.Or(r.Visibility, "public")
		r.DefaultBranch = cmp.Or(r.DefaultBranch, "main")
		if r.CreatedAt.IsZero() {
			r.CreatedAt = epoch.Add(time.Duration(i) * time.Second)
		}
		if r.PushedAt.IsZero() {
			r.PushedAt = r.CreatedAt
		}
		if r.UpdatedAt.IsZero() {
			r.UpdatedAt = r.PushedAt
		}
		for _, t := range []time.Time{r.CreatedAt, r.UpdatedAt, r.PushedAt} {
			if t.After(o.tick) {
				o.tick = t
			}
		}
		if head := r.Branches[r.DefaultBranch]; head != nil && r.Languages == nil {
			r.Languages = head.languages()
		}
	}
	o.byNode, o.byName = make(map[string]*Repo, len(o.Repos)), make(map[string]*Repo, len(o.Repos))
	for _, r := range o.Repos {
		o.byNode[r.NodeID()], o.byName[strings.ToLower(r.Name)] = r, r
	}
	have := map[string]bool{}
	for _, u := range o.Users {
		have[u.Login] = true
	}
	for _, t := range o.Teams {
		t.Slug = cmp.Or(t.Slug, strings.ReplaceAll(strings.ToLower(t.Name), " ", "-"))
		t.Name = cmp.Or(t.Name, t.Slug)
		t.Privacy = cmp.Or(t.Privacy, "closed")
		if t.id == 0 {
			t.id = number("team", o.Login, t.Slug)
		}
		slices.Sort(t.Members)
		for _, login := range t.Members {
			if !have[login] {
				have[login] = true
				o.Users = append(o.Users, &User{Login: login})
			}
		}
	}
	for _, u := range o.Users {
		if u.id == 0 {
			u.id = number("user", u.Login)
		}
	}
	slices.SortFunc(o.Users, func(a, b *User) int { return strings.Compare(a.Login, b.Login) })
	slices.SortFunc(o.Teams, func(a, b *Team) int { return strings.Compare(a.Name, b.Name) })
}

// number makes an id of 40 bits, which JavaScript and GitHub's schema can hold.
func number(parts ...string) int64 {
	h := sha1.Sum([]byte(strings.Join(parts, "\x00")))
	return int64(binary.BigEndian.Uint64(h[:8]) >> 24)
}

func nodeID(prefix string, id int64) string {
	return prefix + "_" + base64.RawURLEncoding.EncodeToString(binary.BigEndian.AppendUint64(nil, uint64(id)))
}

// NodeID is GitHub's global id of the repository, once it is served.
func (r *Repo) NodeID() string { return nodeID("R", r.id) }

func (o *Org) repo(name string) *Repo {
	return o.byName[strings.ToLower(name)]
}

func (o *Org) team(slug string) *Team {
	for _, t := range o.Teams {
		if strings.EqualFold(t.Slug, slug) {
			return t
		}
	}
	return nil
}

func (o *Org) user(login string) *User {
	i, ok := slices.BinarySearchFunc(o.Users, login, func(u *User, l string) int { return strings.Compare(u.Login, l) })
	if !ok {
		return nil
	}
	return o.Users[i]
}

// children are the teams directly below t.
func (o *Org) children(t *Team) []*Team {
	var below []*Team
	for _, c := range o.Teams {
		if c.Parent == t.Slug {
			below = append(below, c)
		}
	}
	return below
}

// members are the logins in t and in all teams below it, sorted. GitHub counts
// the members of child teams in.
func (o *Org) members(t *Team) []string {
	all := map[string]bool{}
	seen := map[*Team]bool{} // a loop of parents must not hang us
	var walk func(*Team)
	walk = func(t *Team) {
		if seen[t] {
			return
		}
		seen[t] = true
		for _, m := range t.Members {
			all[m] = true
		}
		for _, c := range o.children(t) {
			walk(c)
		}
	}
	walk(t)
	var logins []string
	for m := range all {
		logins = append(logins, m)
	}
	slices.Sort(logins)
	return logins
}

// Update changes the organisation while no request is being answered.
func (o *Org) Update(change func(*Org)) {
	o.mu.Lock()
	defer o.mu.Unlock()
	change(o)
	o.turns++
	o.settle()
}

// now is a moment later than every one before it.
func (o *Org) now() time.Time {
	o.tick = o.tick.Add(time.Second)
	return o.tick
}

func (o *Org) change(repo string, change func(*Repo)) {
	o.Update(func(o *Org) {
		r := o.repo(repo)
		if r == nil {
			panic(fmt.Sprintf("githubtest: there is no repository %s/%s", o.Login, repo))
		}
		change(r)
		r.UpdatedAt = o.now()
	})
}

// Add adds a repository.
func (o *Org) Add(r *Repo) { o.Update(func(o *Org) { o.Repos = append(o.Repos, r) }) }

// Delete removes a repository.
func (o *Org) Delete(repo string) {
	o.Update(func(o *Org) {
		o.Repos = slices.DeleteFunc(o.Repos, func(r *Repo) bool { return strings.EqualFold(r.Name, repo) })
	})
}

// Rename gives a repository a new name; its ids stay.
func (o *Org) Rename(repo, name string) { o.change(repo, func(r *Repo) { r.Name = name }) }

// Archive sets a repository's archived flag.
func (o *Org) Archive(repo string, archived bool) {
	o.change(repo, func(r *Repo) { r.Archived = archived })
}

// Push commits files on the default branch, in addition to what is there.
func (o *Org) Push(repo string, files ...File) {
	o.change(repo, func(r *Repo) {
		r.PushedAt = o.now()
		r.commit(slices.Concat(r.Branches[r.DefaultBranch].Files(), files), r.PushedAt)
	})
}

// Replace commits files on the default branch in place of all that is there.
// Without files, the repository becomes one without a commit.
func (o *Org) Replace(repo string, files ...File) {
	o.change(repo, func(r *Repo) {
		r.PushedAt = o.now()
		r.commit(files, r.PushedAt)
	})
}

// Remove commits the removal of paths from the default branch.
func (o *Org) Remove(repo string, paths ...string) {
	o.change(repo, func(r *Repo) {
		r.PushedAt = o.now()
		files := slices.DeleteFunc(r.Branches[r.DefaultBranch].Files(), func(f File) bool { return slices.Contains(paths, f.Path) })
		r.commit(files, r.PushedAt)
	})
}

func (r *Repo) commit(files []File, at time.Time) {
	var parent string
	if head := r.Branches[r.DefaultBranch]; head != nil {
		parent = head.Commit
	}
	if r.Branches == nil {
		r.Branches = map[string]*Tree{}
	}
	if len(files) == 0 {
		delete(r.Branches, r.DefaultBranch)
		r.Languages = nil
		return
	}
	r.Branches[r.DefaultBranch] = NewTree(files, at, parent)
	r.Languages = r.Branches[r.DefaultBranch].languages()
}

// NewRepo returns a repository with files at the head of its default branch,
// committed at a fixed time.
func NewRepo(name string, files ...File) *Repo {
	r := &Repo{Name: name, DefaultBranch: "main"}
	r.commit(files, epoch)
	return r
}
