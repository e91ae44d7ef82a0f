package ownership

import (
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/waypost-dev/waypost/plugins"
	"github.com/waypost-dev/waypost/server/catalog"
)

// The annotations by which a catalog says who somebody is on a forge, and that
// an account is suspended there.
const (
	annotationTeam      = "github.com/team-slug"
	annotationUser      = "github.com/user-login"
	annotationSuspended = "waypost.dev/suspended"
)

// people finds the catalog's groups and users behind the names of a forge. It
// serves one call of the plugin, whose views all show the same moment, and is
// not safe for concurrent use.
//
// An entity is looked for by its name first: only if that fails are all groups
// or users gone through, because an answer that read them all is asked for again
// whenever one of them changes.
type people struct {
	census *census
	once   struct{ groups, users sync.Once }
	teams  map[string]catalog.Ref // by org/slug and by slug, in lower case
	logins map[string]catalog.Ref
	emails map[string]catalog.Ref // of users and groups

	actives map[catalog.Ref]bool // of users that exist
	noted   []string             // kinds that the view at hand has noted
}

// resolve finds who is meant by @org/team, @user, an e-mail address or a ref, as
// CODEOWNERS and properties write them. It tells false, with the ref as it would
// be, if the catalog has no such entity. The ref is zero if nothing can be made
// of the text.
func (p *people) resolve(v plugins.View, written string) (catalog.Ref, bool) {
	written = strings.TrimSpace(written)
	if len(written) > maxRef {
		return catalog.Ref{}, false
	}
	if name, ok := strings.CutPrefix(written, "@"); ok {
		if org, team := path.Split(name); org != "" {
			return p.team(v, strings.TrimSuffix(org, "/"), team)
		}
		user, ok := p.user(v, name)
		if ok {
			return user, true
		}
		if team, ok := p.team(v, "", name); ok { // GitLab writes groups so
			return team, true
		}
		return user, false
	}
	if strings.Contains(written, "@") {
		return p.email(v, written)
	}
	ref, err := catalog.ParseRef(written, groups)
	if err != nil {
		return catalog.Ref{}, false
	}
	if e, ok := v.Entity(ref); ok {
		return e.Ref.Lower(), true
	}
	if strings.EqualFold(ref.Kind, "group") {
		org := ""
		if strings.Contains(written, "/") {
			org = ref.Namespace
		}
		if team, ok := p.team(v, org, ref.Name); ok {
			return team, true
		}
	}
	return ref.Lower(), false
}

func (p *people) team(v plugins.View, org, slug string) (catalog.Ref, bool) {
	ref := catalog.Ref{Kind: "group", Namespace: catalog.DefaultNamespace, Name: strings.ToLower(slug)}
	if slug == "" {
		return catalog.Ref{}, false
	}
	if e, ok := v.Entity(ref); ok {
		said := e.Annotation(annotationTeam)
		if said == "" || sameTeam(said, org, slug) {
			return ref, true
		}
	}
	p.allGroups(v)
	if found, ok := p.teams[strings.ToLower(org+"/"+slug)]; ok {
		return found, true
	}
	if found, ok := p.teams["/"+strings.ToLower(slug)]; ok {
		if e, ok := v.Entity(found); ok && sameTeam(e.Annotation(annotationTeam), org, slug) {
			return found, true
		}
	}
	return ref, false
}

// sameTeam tells whether an annotation, org/slug or slug alone, names a team.
func sameTeam(said, org, slug string) bool {
	saidOrg, saidSlug := path.Split(said)
	saidOrg = strings.TrimSuffix(saidOrg, "/")
	return strings.EqualFold(saidSlug, slug) && (org == "" || saidOrg == "" || strings.EqualFold(saidOrg, org))
}

func (p *people) user(v plugins.View, login string) (catalog.Ref, bool) {
	ref := catalog.Ref{Kind: "user", Namespace: catalog.DefaultNamespace, Name: strings.ToLower(login)}
	if login == "" {
		return catalog.Ref{}, false
	}
	if e, ok := v.Entity(ref); ok {
		if said := e.Annotation(annotationUser); said == "" || strings.EqualFold(said, login) {
			return ref, true
		}
	}
	p.allUsers(v)
	if found, ok := p.logins[strings.ToLower(login)]; ok {
		return found, true
	}
	return ref, false
}

func (p *people) email(v plugins.View, address string) (catalog.Ref, bool) {
	address = strings.ToLower(address)
	p.allUsers(v)
	if found, ok := p.emails[address]; ok && found.Kind == "user" {
		return found, true
	}
	p.allGroups(v)
	found, ok := p.emails[address]
	return found, ok
}

// allGroups learns all groups, once, and has every view that asked note that its
// answer depends on them.
func (p *people) allGroups(v plugins.View) {
	p.note(v, "group")
	p.once.groups.Do(func() {
		p.teams = map[string]catalog.Ref{}
		v.Each("group", func(e *catalog.Entity) bool {
			ref := e.Ref.Lower()
			if said := strings.ToLower(e.Annotation(annotationTeam)); said != "" {
				keep(p.teams, said, ref)
				keep(p.teams, "/"+path.Base(said), ref)
			}
			keepEmail(&p.emails, e.Text("spec.profile.email"), ref)
			return true
		})
	})
}

func (p *people) allUsers(v plugins.View) {
	p.note(v, "user")
	p.once.users.Do(func() {
		p.logins = map[string]catalog.Ref{}
		v.Each("user", func(e *catalog.Entity) bool {
			ref := e.Ref.Lower()
			if said := strings.ToLower(e.Annotation(annotationUser)); said != "" {
				keep(p.logins, said, ref)
			}
			keepEmail(&p.emails, e.Text("spec.profile.email"), ref)
			return true
		})
	})
}

// note has a view note that its answer depends on all entities of a kind, unless
// it did so already.
func (p *people) note(v plugins.View, kind string) {
	if !slices.Contains(p.noted, kind) {
		p.noted = append(p.noted, kind)
		v.Each(kind, func(*catalog.Entity) bool { return false })
	}
}

func keepEmail(in *map[string]catalog.Ref, address string, ref catalog.Ref) {
	if *in == nil {
		*in = map[string]catalog.Ref{}
	}
	if address != "" {
		keep(*in, strings.ToLower(address), ref)
	}
}

// keep gives a name to the first ref in order that claims it, since entities
// come in none: users go before groups, and then the names decide.
func keep(in map[string]catalog.Ref, name string, ref catalog.Ref) {
	had, ok := in[name]
	if !ok || ref.Kind > had.Kind || ref.Kind == had.Kind && ref.Key() < had.Key() {
		in[name] = ref
	}
}

// Bounds of walking through groups.
const (
	maxGroups = 1000
	maxDepth  = 100
)

// members counts the active members of an owner, those of groups below it
// included, up to a number. A user is its own. It is -1 if the catalog knows of
// no users, so that nothing can be said.
func (p *people) members(v plugins.View, owner catalog.Ref, most int) int {
	if strings.EqualFold(owner.Kind, "user") {
		if p.active(v, owner) {
			return 1
		}
		return 0
	}
	n := count(v, owner, most, func(user catalog.Ref) bool { return p.active(v, user) })
	if n == 0 && p.census.Users == 0 {
		return -1
	}
	return n
}

// count counts the members of a group that are wanted, those of groups below it
// included, up to a number.
func count(v plugins.View, owner catalog.Ref, most int, wanted func(catalog.Ref) bool) int {
	counted := map[catalog.Ref]bool{}
	seen := map[catalog.Ref]bool{owner.Lower(): true}
	for todo := []catalog.Ref{owner.Lower()}; len(todo) > 0; todo = todo[1:] {
		for _, r := range v.Relations(todo[0], catalog.HasMember, catalog.ParentOf) {
			switch {
			case r.Type == catalog.HasMember && !counted[r.Target] && wanted(r.Target):
				if counted[r.Target] = true; len(counted) >= most {
					return len(counted)
				}
			case r.Type == catalog.ParentOf && !seen[r.Target] && len(seen) < maxGroups:
				seen[r.Target] = true
				todo = append(todo, r.Target)
			}
		}
	}
	return len(counted)
}

// active tells whether a user is in the catalog and not suspended.
func (p *people) active(v plugins.View, user catalog.Ref) bool {
	e, ok := v.Entity(user) // even if it is known, as the answer depends on it
	if !ok {
		return false
	}
	active, known := p.actives[user]
	if !known {
		if p.actives == nil {
			p.actives = map[catalog.Ref]bool{}
		}
		active = e.Annotation(annotationSuspended) != "true"
		p.actives[user] = active
	}
	return active
}

// Belongs tells whether a user or group is in a group, through any number of
// groups, or is the same. It looks at 100 groups at most.
func Belongs(v plugins.View, inner, outer catalog.Ref) bool {
	outer = outer.Lower()
	seen := map[catalog.Ref]bool{inner.Lower(): true}
	for todo := []catalog.Ref{inner.Lower()}; len(todo) > 0; todo = todo[1:] {
		if todo[0] == outer {
			return true
		}
		for _, r := range v.Relations(todo[0], catalog.MemberOf, catalog.ChildOf) {
			if (r.Type == catalog.MemberOf || r.Type == catalog.ChildOf) && !seen[r.Target] && len(seen) < maxDepth {
				seen[r.Target] = true
				todo = append(todo, r.Target)
			}
		}
	}
	return false
}

// teamsOf are the groups that a user is a direct member of.
func (p *people) teamsOf(v plugins.View, user catalog.Ref) []catalog.Ref {
	var out []catalog.Ref
	for _, r := range v.Relations(user, catalog.MemberOf) {
		if r.Type == catalog.MemberOf {
			out = append(out, r.Target.Lower())
		}
	}
	return out
}
