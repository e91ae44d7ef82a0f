package github

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	gh "github.com/google/go-github/v60/github"
	"golang.org/x/sync/errgroup"

	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/source"
	"github.com/waypost-dev/waypost/server/source/reach"
)

// stateVersion goes into every State: raise it when more is read of a
// repository than before, so that all are read again.
const stateVersion = 2

const (
	teamsUnknown = "?" // in place of a State's part about teams
	incomplete   = "!" // ends a State that must not be met again, so that the repository is read again
)

// harvest is one run, of the whole organisation or of a few repositories.
type harvest struct {
	s       *Source
	known   source.Known
	out     source.Out
	partial bool // a Refresh: what is gone must be said
}

// listed is a repository's record, and under which State it is reported.
type listed struct {
	*gh.Repository
	asked time.Time // when the record was
	state string
	teams []source.TeamPermission
}

// Harvest reports the organisation; see source.Source.
func (s *Source) Harvest(ctx context.Context, known source.Known, out source.Out) error {
	h := &harvest{s: s, known: known, out: out}
	ctx = withBudget(ctx, out)
	asked := time.Now()

	var repositories []*gh.Repository
	var people directory
	group, groupCtx := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		repositories, err = h.repositories(groupCtx)
		return err
	})
	if !s.o.NoDirectory {
		group.Go(func() (err error) {
			people, err = h.directory(groupCtx)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	if people.complete {
		if err := out.Directory(ctx, people.Directory); err != nil {
			return fmt.Errorf("report teams and members: %w", err)
		}
	}

	var wanted []*gh.Repository
	for _, r := range repositories {
		if s.o.wanted(r) {
			wanted = append(wanted, r)
		}
	}
	out.Expect(len(wanted))
	var changed []listed
	for _, r := range wanted {
		l, same := h.compare(r, people)
		l.asked = asked
		if !same {
			changed = append(changed, l)
			continue
		}
		if err := out.Unchanged(ctx, r.GetNodeID()); err != nil {
			return fmt.Errorf("report %s: %w", r.GetFullName(), err)
		}
	}
	if err := h.read(ctx, changed); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := out.Complete(ctx); err != nil {
		return fmt.Errorf("complete the harvest of %s: %w", s.Name(), err)
	}
	return nil
}

// compare tells whether a repository is as it was when it was last reported.
func (h *harvest) compare(r *gh.Repository, people directory) (listed, bool) {
	l := listed{Repository: r}
	before, known := h.known.Repository(r.GetNodeID())
	own := h.own(r)
	if people.permissions == nil && !h.s.o.NoDirectory {
		// Nothing is known of teams this time: what was known of them stays.
		l.state = own + teamsUnknown
		if teams, ok := h.knownTeams(before); ok {
			l.teams, l.state = teams, own+teamsPart(teams)
		}
		return l, known && strings.HasPrefix(before.State, own) && !strings.HasSuffix(before.State, incomplete) && !strings.Contains(before.State, reach.Foreign)
	}
	l.teams = people.permissions[r.GetNodeID()]
	l.state = own + teamsPart(l.teams)
	return l, known && before.State == l.state
}

// own is a State's part about the repository itself.
func (h *harvest) own(r *gh.Repository) string {
	return h.s.version + "-" + digest(r.GetFullName(), r.GetHTMLURL(), r.GetDefaultBranch(), r.GetDescription(), r.GetHomepage(),
		visibility(r), r.GetArchived(), r.GetFork(), r.GetIsTemplate(), append([]string{}, r.Topics...), r.GetLicense().GetSPDXID(), r.GetLanguage(),
		r.GetPushedAt().Unix(), r.GetStargazersCount(), r.GetOpenIssuesCount(), r.CustomProperties)[:24] + "+"
}

// maxTeams bounds a State's part about teams, in bytes.
const maxTeams = 2000

// teamsPart is a State's part about teams. It spells them out, so that a
// Refresh need not ask for what has not changed, unless they are too many.
func teamsPart(teams []source.TeamPermission) string {
	var spelt []string
	for _, t := range teams {
		spelt = append(spelt, t.Team+":"+t.Permission)
	}
	part := strings.Join(spelt, ",")
	if again, ok := parseTeams(part); len(part) > maxTeams || !ok || !slices.Equal(again, teams) {
		return "#" + digest(teams)[:12]
	}
	return part
}

func parseTeams(part string) ([]source.TeamPermission, bool) {
	if strings.ContainsAny(part, teamsUnknown+incomplete+"#+") {
		return nil, false
	}
	var teams []source.TeamPermission
	for spelt := range strings.SplitSeq(part, ",") {
		if part == "" {
			break
		}
		team, permission, ok := strings.Cut(spelt, ":")
		if !ok {
			return nil, false
		}
		teams = append(teams, source.TeamPermission{Team: team, Permission: permission})
	}
	return teams, true
}

// knownTeams are the teams that a State spells out.
func (h *harvest) knownTeams(before source.RepositoryState) ([]source.TeamPermission, bool) {
	state, _, _ := strings.Cut(strings.TrimSuffix(before.State, incomplete), reach.Foreign)
	own, part, ok := strings.Cut(state, "+")
	if !ok || !strings.HasPrefix(own, h.s.version+"-") {
		return nil, false
	}
	return parseTeams(part)
}

// digest identifies values that JSON can hold.
func digest(values ...any) string {
	text, err := json.Marshal(values)
	if err != nil {
		panic(err) // only of types that JSON cannot hold
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

func (h *harvest) problem(repository, path string, code catalog.Code, message, hint string) catalog.Problem {
	return catalog.Problem{
		Code: code, Severity: catalog.SeverityWarning, Source: h.s.Name(), Repository: repository, Path: path, Message: message, Hint: hint,
	}
}
