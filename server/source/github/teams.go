package github

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"

	gh "github.com/google/go-github/v60/github"
	"golang.org/x/sync/errgroup"

	"github.com/waypost-dev/waypost/server/source"
)

// Each team has two lists, its members and its repositories. REST confirms a
// list for nothing once its validator is known, and charges for it once before
// that. GraphQL reads a hundred teams at once, and charges each time. So a
// harvest asks REST for as many unknown lists as its allowance grants, and
// GraphQL for the teams that are left: no harvest of an organisation with many
// teams costs much, and after some of them an unchanged one costs nothing.
const (
	coldLists = 28 // unknown lists that a harvest asks REST for
	warmLists = 48 // the same, if it found the list of teams unchanged, and so has little else to ask
	// perTeams is how many teams are read in one query: up to a hundred members
	// and a hundred repositories each.
	perTeams = 100
	// maxTeamPages bounds the pages of one team: a hundred thousand members.
	maxTeamPages = 1000
)

// team is a team while it is being read.
type team struct {
	*gh.Team
	members []string // direct ones, and those of the teams below it
	direct  []string
	granted map[string]string // permission by the repository's node id
}

// teamGone is a team that is listed and cannot be found. It will have been
// deleted in between, but a team is not dropped on such evidence: the next
// harvest lists the teams again.
type teamGone struct{ slug string }

func (e *teamGone) Error() string {
	return "the team " + e.slug + " is listed, and cannot be found (404)"
}

// teamAllowance is how many unknown lists this harvest asks REST for.
func (h *harvest) teamAllowance(teams pages[*gh.Team]) int {
	queries := 2 * (len(teams.all()) / perTeams) // these teams cost a page and a query too
	switch {
	case h.partial, h.s.o.coldLists < 0: // a webhook's refresh should be quick; the next harvest gets to know more lists
		return 0
	case teams.confirmed:
		return max(warmLists-queries, 2)
	}
	return max(h.s.o.coldLists-queries, 2)
}

// teamLists reads the members and repositories of each team, and returns the
// permissions of teams by the repository's node id.
func (h *harvest) teamLists(ctx context.Context, teams []*team, allowance int) (map[string][]source.TeamPermission, error) {
	left, err := h.restTeams(withAllowance(ctx, allowance), teams)
	if err == nil {
		left, err = h.queryTeams(ctx, left)
	}
	if err == nil {
		// What GraphQL does not answer, and why, REST will tell.
		_, err = h.restTeams(ctx, left)
	}
	if err != nil {
		return nil, err
	}
	permissions := map[string][]source.TeamPermission{}
	for _, t := range teams {
		slices.Sort(t.members)
		t.members = slices.Compact(t.members)
		for id, permission := range t.granted {
			permissions[id] = append(permissions[id], source.TeamPermission{Team: t.GetSlug(), Permission: permission})
		}
	}
	for id, list := range permissions {
		permissions[id] = ordered(list)
	}
	return permissions, nil
}

// restTeams reads the lists of teams by REST. It returns the teams for which
// the allowance was not enough.
func (h *harvest) restTeams(ctx context.Context, teams []*team) ([]*team, error) {
	org := h.s.o.Organisation
	var mu sync.Mutex
	var left []*team
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
			switch {
			case errors.Is(err, errAllowance):
				mu.Lock()
				defer mu.Unlock()
				left = append(left, t)
				return nil
			case status(err) == http.StatusNotFound:
				return &teamGone{slug}
			case err != nil:
				return err
			}
			t.members, t.granted = nil, map[string]string{}
			for _, m := range members.all() {
				t.members = append(t.members, m.GetLogin())
			}
			for _, r := range repositories.all() {
				t.granted[r.GetNodeID()] = highest(r.Permissions)
			}
			return nil
		})
	}
	return left, group.Wait()
}

// teamQuery is a team in a query, and from where on its lists are asked for.
type teamQuery struct {
	*team
	members, repositories *string // cursors; "" for the first page, nil when there is no more
}

// teamAnswer is what GraphQL says of a team.
type teamAnswer struct {
	Members *struct {
		Nodes    []*struct{ Login string }
		PageInfo page
	}
	Repositories *struct {
		Edges []*struct {
			Permission string
			Node       *struct{ ID string }
		}
		PageInfo page
	}
}

// queryTeams reads the lists of teams by GraphQL, a page of every team's at a
// time. It returns the teams of which GraphQL did not say everything.
func (h *harvest) queryTeams(ctx context.Context, teams []*team) ([]*team, error) {
	var ask []*teamQuery
	for _, t := range teams {
		t.members, t.granted = nil, map[string]string{}
		ask = append(ask, &teamQuery{t, new(string), new(string)})
	}
	var mu sync.Mutex
	var left []*team
	for page := 0; len(ask) > 0; page++ {
		if page == maxTeamPages {
			for _, q := range ask {
				left = append(left, q.team)
			}
			break
		}
		var next []*teamQuery
		group, groupCtx := errgroup.WithContext(ctx)
		group.SetLimit(h.s.o.Parallel)
		for some := range slices.Chunk(ask, perTeams) {
			group.Go(func() error {
				more, failed, err := h.askTeams(groupCtx, some)
				mu.Lock()
				defer mu.Unlock()
				next, left = append(next, more...), append(left, failed...)
				return err
			})
		}
		if err := group.Wait(); err != nil {
			return nil, err
		}
		ask = next
	}
	return left, nil
}

// askTeams asks for a page of each list. When GitHub does not manage, it asks
// for each half by itself. It returns the teams that have more pages, and
// those that were not answered.
func (h *harvest) askTeams(ctx context.Context, ask []*teamQuery) (more []*teamQuery, failed []*team, err error) {
	var data map[string]*teamAnswer
	problems, err := h.s.query(ctx, teamsText(ask), nil, &data)
	var tooMuch *errTooMuch
	switch {
	case err != nil && fatal(ctx, err):
		return nil, nil, err
	case errors.As(err, &tooMuch) && len(ask) > 1:
		half := len(ask) / 2
		for _, some := range [][]*teamQuery{ask[:half], ask[half:]} {
			m, f, err := h.askTeams(ctx, some)
			if err != nil {
				return nil, nil, err
			}
			more, failed = append(more, m...), append(failed, f...)
		}
		return more, failed, nil
	}
	doubtful := map[any]bool{}
	for _, p := range problems {
		if len(p.Path) == 0 {
			doubtful[nil] = true
			continue
		}
		doubtful[p.Path[0]] = true
	}
	for i, q := range ask {
		name := "t" + strconv.Itoa(i)
		if err != nil || doubtful[nil] || doubtful[name] || !q.take(data[name]) {
			failed = append(failed, q.team)
		} else if q.members != nil || q.repositories != nil {
			more = append(more, q)
		}
	}
	return more, failed, nil
}

// teamsText is a query for one page of the lists of teams.
func teamsText(ask []*teamQuery) string {
	var q strings.Builder
	literal := func(s string) string {
		text, _ := json.Marshal(s) // a JSON string is a GraphQL string
		return string(text)
	}
	list := func(name string, cursor *string, what string) {
		if cursor == nil {
			return
		}
		after := ""
		if *cursor != "" {
			after = ", after: " + literal(*cursor)
		}
		fmt.Fprintf(&q, " %s(first: 100%s) { %s pageInfo { hasNextPage endCursor } }", name, after, what)
	}
	q.WriteString("{\n")
	for i, t := range ask {
		fmt.Fprintf(&q, "  t%d: node(id: %s) { ... on Team { id", i, literal(t.GetNodeID()))
		list("members", t.members, "nodes { login }")
		list("repositories", t.repositories, "edges { permission node { id } }")
		q.WriteString(" } }\n")
	}
	q.WriteString("}\n")
	return q.String()
}

// graphqlPermissions are REST's words for those of GraphQL.
var graphqlPermissions = map[string]string{"ADMIN": "admin", "MAINTAIN": "maintain", "WRITE": "push", "TRIAGE": "triage", "READ": "pull"}

// take takes an answer in and moves the cursors on. It reports whether the
// answer is all that was asked for.
func (q *teamQuery) take(answer *teamAnswer) bool {
	if answer == nil || q.members != nil && answer.Members == nil || q.repositories != nil && answer.Repositories == nil {
		return false
	}
	if q.members != nil {
		for _, m := range answer.Members.Nodes {
			if m == nil || m.Login == "" {
				return false
			}
			q.team.members = append(q.team.members, m.Login)
		}
		if !advance(&q.members, answer.Members.PageInfo) {
			return false
		}
	}
	if q.repositories != nil {
		for _, e := range answer.Repositories.Edges {
			if e == nil || e.Node == nil || e.Node.ID == "" || graphqlPermissions[e.Permission] == "" {
				return false
			}
			q.granted[e.Node.ID] = graphqlPermissions[e.Permission]
		}
		if !advance(&q.repositories, answer.Repositories.PageInfo) {
			return false
		}
	}
	return true
}

// advance moves a cursor to the next page. It reports false if GitHub says
// that there is one and does not lead to it.
func advance(cursor **string, p page) bool {
	switch {
	case !p.HasNextPage:
		*cursor = nil
	case p.EndCursor == "" || p.EndCursor == **cursor:
		return false
	default:
		*cursor = &p.EndCursor
	}
	return true
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
