package github

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	gh "github.com/google/go-github/v60/github"

	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/source"
)

// Bounds of what is taken from one delivery.
const (
	// maxCommits is how many commits GitHub lists in a push (docs: Webhook
	// events and payloads, push, "commits").
	maxCommits = 2048
	// maxPointers is how many repositories are looked up one by one; for more,
	// the list of all of them is cheaper.
	maxPointers = 100
	maxID       = 200 // bytes of a node id
	maxLogin    = 100 // bytes of a login
)

// Why deliveries are ignored, where more can be said than otherIgnored.
const (
	otherIgnored     = "nothing in the catalog depends on it"
	foreignIgnored   = "it is about another owner"
	directoryIgnored = "the source leaves teams and members out"
	countIgnored     = "the next harvest counts anew"
)

var ignored = map[string]string{
	"ping":                     "GitHub tries the webhook",
	"github_app_authorization": "it is about a user's own authorisation of the App, which is not used",
	"member":                   "collaborators are not in the catalog, only teams and their members",
	"fork":                     "a fork within the organisation is announced as a new repository",
	"issues":                   countIgnored,
	"pull_request":             countIgnored,
	"star":                     countIgnored,
	"watch":                    countIgnored,
}

// Announced says what a delivery calls for; see source.Announcer.
//
// Of a push, these paths are watched, on the branch that is read: whatever a
// catalog file pattern matches; CODEOWNERS in the three places where GitHub
// looks for it; and files that come into the root folder or leave it, because
// inference reads the layout there. What else a harvest reads (languages,
// folders in the root, the target of a symbolic link, files outside of the
// patterns to which Locations and placeholders lead) does not make a push
// worth a request: pushed_at has changed, so that the next harvest reads the
// repository again.
func (s *Source) Announced(event string, payload []byte) (source.Announcement, error) {
	var announced func(any) (source.Announcement, error)
	switch event {
	case "push":
		announced = s.pushed
	case "repository", "public", "create", "delete", "repository_import":
		announced = s.aboutRepository
	case "team", "team_add", "membership", "organization":
		announced = s.aboutPeople
	case "meta", "installation", "installation_repositories", "installation_target":
		announced = s.aboutAccess
	default:
		return source.Announcement{Ignored: cmp.Or(ignored[event], otherIgnored)}, nil
	}
	if !bytes.HasPrefix(bytes.TrimSpace(payload), []byte("{")) {
		return source.Announcement{}, fmt.Errorf("a payload of %s is a JSON object, and this one is not", event)
	}
	payload = plainProperties(payload)
	parsed, err := gh.ParseWebHook(event, payload)
	if err != nil {
		return source.Announcement{}, fmt.Errorf("decode a payload of %s: %w", event, err)
	}
	if e, ok := parsed.(*gh.OrganizationEvent); ok {
		parsed, err = renaming(e, payload)
	}
	if err != nil {
		return source.Announcement{}, fmt.Errorf("decode a payload of %s: %w", event, err)
	}
	a, err := announced(parsed)
	if err != nil {
		return source.Announcement{}, fmt.Errorf("a payload of %s is not as GitHub documents it: %w", event, err)
	}
	a.Cause.Via = catalog.ViaWebhook
	if by, ok := parsed.(interface{ GetSender() *gh.User }); ok && a.Cause.Actor == "" {
		a.Cause.Actor = by.GetSender().GetLogin()
	}
	if len(a.Cause.Actor) > maxLogin {
		a.Cause.Actor = ""
	}
	return a, nil
}

func (s *Source) ours(login string) bool { return strings.EqualFold(login, s.o.Organisation) }

// repository is what all payloads say of a repository.
type repository interface {
	GetID() int64
	GetNodeID() string
	GetFullName() string
	GetOwner() *gh.User
}

// owned tells whose a repository is, as far as the payload says.
func owned(r repository) string {
	owner, _, _ := strings.Cut(r.GetFullName(), "/")
	return cmp.Or(r.GetOwner().GetLogin(), r.GetOwner().GetName(), owner)
}

func pointerTo(r repository) (source.Pointer, error) {
	p := source.Pointer{ID: r.GetNodeID(), Number: max(r.GetID(), 0), Name: r.GetFullName()}
	if len(p.ID) > maxID {
		return p, fmt.Errorf("the node_id of a repository has %d bytes; %d are allowed", len(p.ID), maxID)
	}
	if p.ID == "" && p.Number == 0 {
		return p, fmt.Errorf("a repository has neither id nor node_id")
	}
	if !fullName.MatchString(p.Name) {
		p.Name = ""
	}
	return p, nil
}

// look asks to look a repository up, if it is ours.
func (s *Source) look(r repository, teams bool) (source.Announcement, error) {
	if !s.ours(owned(r)) {
		return source.Announcement{Ignored: foreignIgnored}, nil
	}
	p, err := pointerTo(r)
	p.Teams = teams && !s.o.NoDirectory
	return source.Announcement{Scope: source.Scope{Repositories: []source.Pointer{p}}}, err
}

func (s *Source) people() source.Announcement {
	if s.o.NoDirectory {
		return source.Announcement{Ignored: directoryIgnored}
	}
	return source.Announcement{Scope: source.Scope{Directory: true}}
}

func (s *Source) pushed(parsed any) (source.Announcement, error) {
	e := parsed.(*gh.PushEvent)
	r := e.GetRepo()
	if r == nil || e.GetRef() == "" {
		return source.Announcement{}, fmt.Errorf("it has no ref or no repository")
	}
	a, err := s.look(r, false)
	if err != nil || a.Ignored != "" {
		return a, err
	}
	branch, ok := strings.CutPrefix(e.GetRef(), "refs/heads/")
	if read := cmp.Or(s.o.Branch, r.GetDefaultBranch(), r.GetMasterBranch()); !ok || read != "" && branch != read {
		return source.Announcement{Ignored: "the ref is not the branch that is read"}, nil
	}
	if !s.touched(e) {
		a.Touched = []string{}
		for _, c := range e.Commits {
			a.Touched = slices.Concat(a.Touched, c.Added, c.Removed, c.Modified)
		}
	}
	if id := e.GetAfter(); !e.GetDeleted() && objectID(id) {
		a.Cause.Commit = id
	}
	a.Cause.Actor = e.GetHeadCommit().GetAuthor().GetLogin()
	return a, nil
}

// objectID tells whether an id is one of git's, in hex.
func objectID(id string) bool {
	return (len(id) == 40 || len(id) == 64) && strings.Trim(id, "0123456789abcdef") == ""
}

// touched tells whether a push may have changed what is watched. Where GitHub
// does not list all that has changed, it may have changed everything.
func (s *Source) touched(e *gh.PushEvent) bool {
	switch n := len(e.Commits); {
	case e.GetCreated(), e.GetDeleted(), e.GetForced(), n == 0, n >= maxCommits, e.GetSize() > n:
		return true
	}
	listed := false
	for _, c := range e.Commits {
		if c == nil {
			return true
		}
		listed = listed || len(c.Added)+len(c.Removed)+len(c.Modified) > 0
		if slices.ContainsFunc(c.Modified, s.plan.watched) {
			return true
		}
		for _, paths := range [][]string{c.Added, c.Removed} {
			if slices.ContainsFunc(paths, func(p string) bool { return !strings.Contains(p, "/") || s.plan.watched(p) }) {
				return true
			}
		}
	}
	return !listed // as with pushes whose files GitHub leaves out
}

// watched tells whether a file's content counts.
func (p *plan) watched(file string) bool {
	switch file {
	case "CODEOWNERS", ".github/CODEOWNERS", "docs/CODEOWNERS":
		return true
	}
	return p.match(file)
}

func (s *Source) aboutRepository(parsed any) (source.Announcement, error) {
	var r *gh.Repository
	teams := false
	switch e := parsed.(type) {
	case *gh.RepositoryEvent:
		r = e.GetRepo()
		switch e.GetAction() {
		case "":
			return source.Announcement{}, fmt.Errorf("it has no action")
		case "transferred":
			// It may have been ours before, and has lost its teams.
			from := e.GetChanges().GetOwner().GetOwnerInfo()
			if r != nil && (s.ours(from.GetOrg().GetLogin()) || s.ours(from.GetUser().GetLogin())) {
				p, err := pointerTo(r)
				p.Teams = !s.o.NoDirectory
				return source.Announcement{Scope: source.Scope{Repositories: []source.Pointer{p}}}, err
			}
			teams = true
		case "publicized", "privatized":
			teams = true // which of them GitHub lists depends on it
		}
	case *gh.PublicEvent:
		r, teams = e.GetRepo(), true
	case *gh.CreateEvent:
		r = e.GetRepo()
		if !s.read(e.GetRefType(), e.GetRef(), r) {
			return source.Announcement{Ignored: "the ref is not the branch that is read"}, nil
		}
	case *gh.DeleteEvent:
		r = e.GetRepo()
		if !s.read(e.GetRefType(), e.GetRef(), r) {
			return source.Announcement{Ignored: "the ref is not the branch that is read"}, nil
		}
	case *gh.RepositoryImportEvent:
		r = e.GetRepo()
		if e.GetStatus() != "success" {
			return source.Announcement{Ignored: "the import brought nothing"}, nil
		}
	}
	if r == nil {
		return source.Announcement{}, fmt.Errorf("it has no repository")
	}
	return s.look(r, teams)
}

// read tells whether a ref that was created or deleted may be the branch that
// is read.
func (s *Source) read(kind, ref string, r *gh.Repository) bool {
	return kind != "tag" && (r == nil || ref == cmp.Or(s.o.Branch, r.GetDefaultBranch(), ref))
}

func (s *Source) aboutPeople(parsed any) (source.Announcement, error) {
	switch e := parsed.(type) {
	case *gh.TeamAddEvent:
		return s.granted(e.GetRepo())
	case *gh.TeamEvent:
		if !s.ours(e.GetOrg().GetLogin()) {
			return s.foreign(e.GetOrg())
		}
		if r := e.GetRepo(); r != nil {
			return s.granted(r)
		}
		switch e.GetAction() {
		case "deleted":
			return s.allTeams(), nil
		case "edited":
			if c := e.GetChanges(); c == nil || c.Name != nil || c.Description == nil && c.Privacy == nil {
				return s.allTeams(), nil
			}
		}
		return s.people(), nil
	case *gh.MembershipEvent:
		if !s.ours(e.GetOrg().GetLogin()) {
			return s.foreign(e.GetOrg())
		}
		return s.people(), nil
	}
	e := parsed.(*organizationEvent)
	if e.GetAction() == "" {
		return source.Announcement{}, fmt.Errorf("it has no action")
	}
	if !s.ours(e.GetOrganization().GetLogin()) && !s.ours(e.from) {
		return s.foreign(e.GetOrganization())
	}
	switch e.GetAction() {
	case "member_added", "member_removed":
		return s.people(), nil
	case "member_invited":
		return source.Announcement{Ignored: "who is invited is no member yet"}, nil
	}
	// A harvest of what is gone removes nothing, and shows what is wrong.
	return source.Announcement{Everything: true}, nil
}

// organizationEvent is one with what go-github leaves out of it.
type organizationEvent struct {
	*gh.OrganizationEvent
	from string // the former login, if it was renamed
}

func renaming(e *gh.OrganizationEvent, payload []byte) (*organizationEvent, error) {
	var said struct {
		Changes struct{ Login struct{ From string } }
	}
	if err := json.Unmarshal(payload, &said); err != nil {
		return nil, err
	}
	return &organizationEvent{e, said.Changes.Login.From}, nil
}

// foreign is for what is about another organisation.
func (s *Source) foreign(org *gh.Organization) (source.Announcement, error) {
	if org.GetLogin() == "" {
		return source.Announcement{}, fmt.Errorf("it has no organization")
	}
	return source.Announcement{Ignored: foreignIgnored}, nil
}

// granted is for a team's permission on a repository, which has changed.
func (s *Source) granted(r *gh.Repository) (source.Announcement, error) {
	if r == nil {
		return source.Announcement{}, fmt.Errorf("it has no repository")
	}
	a, err := s.look(r, true)
	if err == nil && a.Ignored == "" && s.o.NoDirectory {
		return source.Announcement{Ignored: directoryIgnored}, nil
	}
	return a, err
}

// allTeams is for changes of a team that show at every repository on which it
// has a permission; which these are is not said.
func (s *Source) allTeams() source.Announcement {
	if s.o.NoDirectory {
		return source.Announcement{Ignored: directoryIgnored}
	}
	return source.Announcement{Everything: true}
}

func (s *Source) aboutAccess(parsed any) (source.Announcement, error) {
	switch e := parsed.(type) {
	case *gh.MetaEvent:
		return source.Announcement{Ignored: "the webhook was deleted: from now on only harvests find changes"}, nil
	case *gh.InstallationTargetEvent:
		if s.ours(e.GetAccount().GetLogin()) || s.ours(e.GetChanges().GetLogin().GetFrom()) {
			return source.Announcement{Everything: true}, nil
		}
		return source.Announcement{Ignored: foreignIgnored}, nil
	case *gh.InstallationEvent:
		return s.installed(e.GetInstallation())
	}
	e := parsed.(*gh.InstallationRepositoriesEvent)
	a, err := s.installed(e.GetInstallation())
	if changed := slices.Concat(e.RepositoriesAdded, e.RepositoriesRemoved); a.Everything && len(changed) <= maxPointers {
		a = source.Announcement{Ignored: "no repository was added or removed"}
		for _, r := range changed {
			p, err := pointerTo(r)
			if err != nil {
				return source.Announcement{}, err
			}
			a.Scope.Repositories, a.Ignored = append(a.Scope.Repositories, p), ""
		}
	}
	return a, err
}

// installed is for a change of what the App may see. Where it may see nothing
// any more, the harvest says so and removes nothing.
func (s *Source) installed(i *gh.Installation) (source.Announcement, error) {
	if i.GetAccount().GetLogin() == "" {
		return source.Announcement{}, fmt.Errorf("it has no installation with an account")
	}
	if !s.ours(i.GetAccount().GetLogin()) {
		return source.Announcement{Ignored: foreignIgnored}, nil
	}
	return source.Announcement{Everything: true}, nil
}
