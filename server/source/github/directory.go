package github

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	gh "github.com/google/go-github/v60/github"

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

	permissions, err := h.teamLists(ctx, teams, h.teamAllowance(listed))
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
