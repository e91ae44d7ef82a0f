package github

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"

	gh "github.com/google/go-github/v60/github"
	"golang.org/x/sync/errgroup"

	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/source"
)

// directory is what was read of the organisation's people.
type directory struct {
	source.Directory
	complete bool // teams and members were read whole
	// permissions are those of teams by the repository's node id; nil if they
	// could not be read.
	permissions map[string][]source.TeamPermission
}

// team is a team while it is being read.
type team struct {
	*gh.Team
	members []string // direct ones, and those of the teams below it
	direct  []string
}

// directory reads teams and members. What may not be read is a problem, and
// what is known of it stays; an error means that the harvest cannot go on.
func (h *harvest) directory(ctx context.Context) (directory, error) {
	org := h.s.o.Organisation
	var d directory
	listed, err := list(ctx, &h.s.o, h.s.o.Parallel, func(ctx context.Context, o gh.ListOptions) ([]*gh.Team, *gh.Response, error) {
		return h.s.rest.Teams.ListTeams(ctx, org, &o)
	}, nil)
	if err != nil {
		return d, h.missing(ctx, "teams", err)
	}
	var teams []*team
	for _, t := range listed.all() {
		teams = append(teams, &team{Team: t})
	}
	slices.SortFunc(teams, func(a, b *team) int { return strings.Compare(a.GetSlug(), b.GetSlug()) })
	teams = slices.CompactFunc(teams, func(a, b *team) bool { return a.GetID() == b.GetID() })

	permissions, err := h.teamLists(ctx, teams)
	if err != nil {
		return d, h.missing(ctx, "teams", err)
	}
	d.permissions = permissions

	members, err := list(ctx, &h.s.o, h.s.o.Parallel, func(ctx context.Context, o gh.ListOptions) ([]*gh.User, *gh.Response, error) {
		return h.s.rest.Organizations.ListMembers(ctx, org, &gh.ListMembersOptions{ListOptions: o})
	}, nil)
	if err != nil {
		return d, h.missing(ctx, "members", err)
	}
	names, err := h.who(ctx, teams, members.all())
	var doubt *emptyList
	if errors.As(err, &doubt) {
		d.permissions = nil
		return d, h.missing(ctx, doubt.what, err)
	}
	if err != nil {
		return d, err
	}
	d.Organisation, d.URL = org, h.s.o.URL+"/"+org
	for _, t := range teams {
		d.Teams = append(d.Teams, source.Team{
			Slug: t.GetSlug(), Name: t.GetName(), Description: t.GetDescription(), Parent: t.GetParent().GetSlug(),
			Members: t.direct, URL: t.GetHTMLURL(),
		})
	}
	for _, u := range members.all() {
		d.Users = append(d.Users, source.User{
			Login: u.GetLogin(), Name: names[u.GetLogin()].Name, Email: names[u.GetLogin()].Email,
			AvatarURL: u.GetAvatarURL(), URL: u.GetHTMLURL(), Suspended: u.SuspendedAt != nil,
		})
	}
	slices.SortFunc(d.Users, func(a, b source.User) int { return strings.Compare(a.Login, b.Login) })
	d.Users = slices.CompactFunc(d.Users, func(a, b source.User) bool { return a.Login == b.Login })
	d.complete = true
	return d, nil
}

// missing turns an error into a problem, unless the harvest cannot go on.
func (h *harvest) missing(ctx context.Context, what string, err error) error {
	if fatal(ctx, err) {
		return h.listingError(err)
	}
	message := fmt.Sprintf("the %s of %s could not be read and stay as they were: %v", what, h.s.o.Organisation, err)
	hint := "the next harvest tries again"
	switch status(err) {
	case http.StatusForbidden, http.StatusNotFound:
		message = fmt.Sprintf("the token lacks members:read on %s, so its %s were not read and stay as they were", h.s.o.Organisation, what)
		hint = "grant the organisation permission Members: read (GitHub App, fine-grained token) or the scope read:org, or switch teams off for this source"
	}
	h.out.Problem(h.problem("", "", catalog.CodeUnreadable, message, hint))
	return nil
}

// teamGone is a team that is listed and cannot be found. It will have been
// deleted in between, but a team is not dropped on such evidence: the next
// harvest lists the teams again.
type teamGone struct{ slug string }

func (e *teamGone) Error() string {
	return "the team " + e.slug + " is listed, and cannot be found (404)"
}

// teamLists reads the members and repositories of each team.
func (h *harvest) teamLists(ctx context.Context, teams []*team) (map[string][]source.TeamPermission, error) {
	org := h.s.o.Organisation
	permissions := map[string][]source.TeamPermission{}
	var mu sync.Mutex
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(h.s.o.Parallel)
	for _, t := range teams {
		slug := t.GetSlug()
		group.Go(func() error {
			members, err := list(ctx, &h.s.o, 1, func(ctx context.Context, o gh.ListOptions) ([]*gh.User, *gh.Response, error) {
				return h.s.rest.Teams.ListTeamMembersBySlug(ctx, org, slug, &gh.TeamListTeamMembersOptions{ListOptions: o})
			}, nil)
			var repositories pages[*gh.Repository]
			if err == nil {
				repositories, err = list(ctx, &h.s.o, 1, func(ctx context.Context, o gh.ListOptions) ([]*gh.Repository, *gh.Response, error) {
					return h.s.rest.Teams.ListTeamReposBySlug(ctx, org, slug, &o)
				}, nil)
			}
			if status(err) == http.StatusNotFound {
				return &teamGone{slug}
			}
			if err != nil {
				return err
			}
			for _, m := range members.all() {
				t.members = append(t.members, m.GetLogin())
			}
			slices.Sort(t.members)
			t.members = slices.Compact(t.members)
			mu.Lock()
			defer mu.Unlock()
			for _, r := range repositories.all() {
				permissions[r.GetNodeID()] = append(permissions[r.GetNodeID()], source.TeamPermission{Team: slug, Permission: highest(r.Permissions)})
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	for id, list := range permissions {
		permissions[id] = ordered(list)
	}
	return permissions, nil
}

// ordered sorts teams, and keeps each once.
func ordered(teams []source.TeamPermission) []source.TeamPermission {
	slices.SortFunc(teams, func(a, b source.TeamPermission) int {
		return cmp.Or(strings.Compare(a.Team, b.Team), strings.Compare(a.Permission, b.Permission))
	})
	return slices.Compact(teams)
}

// teamsOf asks for the teams of one repository.
func (h *harvest) teamsOf(ctx context.Context, r *gh.Repository) ([]source.TeamPermission, error) {
	listed, err := list(ctx, &h.s.o, 1, func(ctx context.Context, o gh.ListOptions) ([]*gh.Team, *gh.Response, error) {
		return h.s.rest.Repositories.ListTeams(ctx, r.GetOwner().GetLogin(), r.GetName(), &o)
	}, nil)
	if err != nil {
		return nil, err
	}
	var teams []source.TeamPermission
	for _, t := range listed.all() {
		granted := t.Permissions
		if len(granted) == 0 {
			granted = map[string]bool{t.GetPermission(): true}
		}
		teams = append(teams, source.TeamPermission{Team: t.GetSlug(), Permission: highest(granted)})
	}
	return ordered(teams), nil
}

// highest is the most that a team may do: GitHub lists all that it implies.
func highest(granted map[string]bool) string {
	for _, p := range []string{"admin", "maintain", "push", "triage"} {
		if granted[p] {
			return p
		}
	}
	return "pull"
}

// person is what GraphQL knows of a user and REST does not list.
type person struct {
	Login string `json:"login"`
	Name  string `json:"name"`
	Email string `json:"email"`
}

// answers are what GraphQL said of the organisation's people, kept for as long
// as the lists that REST confirms for nothing stay the same.
type answers struct {
	Digest string              `json:"digest"`
	Teams  int                 `json:"teams"`  // that there are
	Direct map[string][]string `json:"direct"` // members by slug, for teams with teams below them
	People map[string]person   `json:"people"` // by login
}

// emptyList is a list that may well be empty by mistake.
type emptyList struct{ what string }

func (e *emptyList) Error() string {
	return "GitHub's REST API lists no " + e.what + ", which its GraphQL API does not confirm"
}

// who finds the direct members of teams, because REST counts the members of
// child teams in, and the names of the organisation's members.
func (h *harvest) who(ctx context.Context, teams []*team, members []*gh.User) (map[string]person, error) {
	parents := map[string]*team{}
	var ids []string
	for _, t := range teams {
		t.direct = t.members
		for _, p := range teams {
			if slug := t.GetParent().GetSlug(); slug != "" && p.GetSlug() == slug && parents[slug] == nil {
				parents[slug] = p
				ids = append(ids, p.GetNodeID())
			}
		}
	}
	question := []any{stateVersion}
	for _, t := range teams {
		question = append(question, t.GetNodeID(), t.GetSlug(), t.GetParent().GetSlug(), t.members)
	}
	for _, m := range members {
		question = append(question, m.GetLogin())
	}
	key := h.s.o.Name + " people"
	var kept answers
	if value, ok := h.s.cache.Get(key); !ok || json.Unmarshal(value, &kept) != nil || kept.Digest != digest(question...) {
		var err error
		kept, err = h.ask(ctx, ids)
		if err != nil && fatal(ctx, err) {
			return nil, err
		}
		// An empty list removes everything: it needs other evidence.
		switch {
		case len(teams) == 0 && (err != nil || kept.Teams > 0):
			return nil, &emptyList{"teams"}
		case len(members) == 0 && (err != nil || len(kept.People) > 0):
			return nil, &emptyList{"members"}
		}
		if err != nil {
			h.out.Problem(h.problem("", "", catalog.CodeUnreadable,
				"names of members, and who is in a team itself rather than in one below it, could not be read: "+err.Error(), "the next harvest tries again"))
			return nil, nil //nolint:nilerr // told as a problem; the rest of the harvest goes on
		}
		kept.Digest = digest(question...)
		if value, err := json.Marshal(kept); err == nil {
			h.s.cache.Set(key, value)
		}
	}
	for slug, p := range parents {
		if direct, ok := kept.Direct[slug]; ok {
			p.direct = direct
		}
	}
	return kept.People, nil
}

type page struct {
	HasNextPage bool
	EndCursor   string
}

// The queries for people. A hundred teams with a hundred members each cost one
// point.
const (
	peopleQuery = `query($login: String!, $after: String) {
  organization(login: $login) {
    teams(first: 1) { totalCount }
    membersWithRole(first: 100, after: $after) { nodes { login name email } pageInfo { hasNextPage endCursor } }
  }
}`
	directQuery = `query($ids: [ID!]!, $after: String) {
  nodes(ids: $ids) {
    ... on Team { id slug members(first: 100, after: $after, membership: IMMEDIATE) { nodes { login } pageInfo { hasNextPage endCursor } } }
  }
}`
)

func (h *harvest) ask(ctx context.Context, teams []string) (answers, error) {
	found := answers{Direct: map[string][]string{}, People: map[string]person{}}
	for after := any(nil); ; {
		var data struct {
			Organization *struct {
				Teams           struct{ TotalCount int }
				MembersWithRole struct {
					Nodes    []*person
					PageInfo page
				}
			}
		}
		problems, err := h.s.query(ctx, peopleQuery, map[string]any{"login": h.s.o.Organisation, "after": after}, &data)
		if err != nil {
			return found, err
		}
		if data.Organization == nil || len(problems) > 0 {
			return found, partial(problems)
		}
		found.Teams = data.Organization.Teams.TotalCount
		for _, p := range data.Organization.MembersWithRole.Nodes {
			if p != nil {
				found.People[p.Login] = *p
			}
		}
		next := data.Organization.MembersWithRole.PageInfo
		if !next.HasNextPage || next.EndCursor == "" || next.EndCursor == after {
			break
		}
		after = next.EndCursor
	}
	slices.Sort(teams)
	for chunk := range slices.Chunk(teams, maxNodes) {
		if err := h.askDirect(ctx, chunk, nil, found.Direct); err != nil {
			return found, err
		}
	}
	for _, direct := range found.Direct {
		slices.Sort(direct)
	}
	return found, nil
}

// askDirect asks for a page of the direct members of teams, and goes on team
// by team where there are more.
func (h *harvest) askDirect(ctx context.Context, teams []string, after any, direct map[string][]string) error {
	var data struct {
		Nodes []*struct {
			ID, Slug string
			Members  struct {
				Nodes    []*struct{ Login string }
				PageInfo page
			}
		}
	}
	problems, err := h.s.query(ctx, directQuery, map[string]any{"ids": teams, "after": after}, &data)
	if err != nil {
		return err
	}
	if len(problems) > 0 {
		return partial(problems)
	}
	for _, t := range data.Nodes {
		if t == nil {
			continue
		}
		if direct[t.Slug] == nil {
			direct[t.Slug] = []string{}
		}
		for _, m := range t.Members.Nodes {
			if m != nil {
				direct[t.Slug] = append(direct[t.Slug], m.Login)
			}
		}
		if next := t.Members.PageInfo; next.HasNextPage && next.EndCursor != "" && next.EndCursor != after {
			if err := h.askDirect(ctx, []string{t.ID}, next.EndCursor, direct); err != nil {
				return err
			}
		}
	}
	return nil
}

func partial(problems []queryError) error {
	if len(problems) == 0 {
		return errors.New("GitHub's GraphQL API left out a part of the answer")
	}
	return fmt.Errorf("GitHub's GraphQL API left out a part of the answer: %w", &problems[0])
}
