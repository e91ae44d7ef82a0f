package githubtest

import (
	"cmp"
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"slices"
	"strconv"
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

	mu       sync.RWMutex
	tick     time.Time        // of the last change
	turns    int              // counts changes
	actor    string           // login of whoever makes the next change
	accounts map[string]*User // by login, of all who ever were members
	away     []*Repo          // transferred to another owner
	moved    map[string]*Repo // by a former owner/name in lower case
	taken    map[int64]bool   // ids of all repositories that ever were
	byNode   map[string]*Repo // by node id
	byNumber map[string]*Repo // by id
	byName   map[string]*Repo // by name in lower case

	telling sync.Mutex
	take    func(Delivery)
	unsaid  []func() Delivery
	said    int // counts deliveries
}

// Repo is a repository. Its zero fields get GitHub's defaults when it is
// added to an Org that is served.
type Repo struct {
	Name          string
	Description   string
	Homepage      string
	Topics        []string
	Properties    map[string]any // custom ones: strings, lists of strings, nil
	Visibility    string         // public, private or internal; empty means public
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
	Commits       []Commit          // newest first
	// Broken makes GraphQL answer null for this repository, with an error of
	// this type, such as FORBIDDEN.
	Broken string

	id    int64
	owner string // if it is not the organisation
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
	if o.taken == nil {
		o.taken = map[int64]bool{}
	}
	for i, r := range o.Repos {
		if r.id != 0 {
			continue
		}
		r.id = number("repo", o.Login, r.Name)
		for n := 1; o.taken[r.id]; n++ { // a name may be taken again
			r.id = number("repo", o.Login, r.Name, strconv.Itoa(n))
		}
		o.taken[r.id] = true
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
	o.byNode, o.byNumber, o.byName = make(map[string]*Repo, len(o.Repos)), make(map[string]*Repo, len(o.Repos)), make(map[string]*Repo, len(o.Repos))
	for _, r := range o.Repos {
		o.byName[strings.ToLower(r.Name)] = r
		delete(o.moved, strings.ToLower(o.Login+"/"+r.Name))
	}
	for _, r := range slices.Concat(o.Repos, o.away) {
		o.byNode[r.NodeID()], o.byNumber[strconv.FormatInt(r.id, 10)] = r, r
	}
	if o.accounts == nil {
		o.accounts = map[string]*User{}
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
		o.accounts[u.Login] = u
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

// Number is GitHub's other id of the repository, once it is served.
func (r *Repo) Number() int64 { return r.id }

func (o *Org) owner(r *Repo) string { return cmp.Or(r.owner, o.Login) }

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

// commit puts a commit with exactly these files on a branch; without files the
// branch goes.
func (r *Repo) commit(branch string, files []File, at time.Time, author string) {
	var parent string
	if head := r.Branches[branch]; head != nil {
		parent = head.Commit
	}
	if r.Branches == nil {
		r.Branches = map[string]*Tree{}
	}
	if len(files) == 0 {
		delete(r.Branches, branch)
	} else {
		r.Branches[branch] = newTree(files, at, parent, author)
	}
	r.Languages = nil
	if head := r.Branches[r.DefaultBranch]; head != nil {
		r.Languages = head.languages()
	}
}

// NewRepo returns a repository with files at the head of its default branch,
// committed at a fixed time.
func NewRepo(name string, files ...File) *Repo {
	r := &Repo{Name: name, DefaultBranch: "main"}
	r.commit(r.DefaultBranch, files, epoch, "")
	return r
}
