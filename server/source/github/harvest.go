package github

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"

	gh "github.com/google/go-github/v60/github"
	"golang.org/x/sync/errgroup"

	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/source"
)

// stateVersion goes into every State: raise it when more is read of a
// repository than before, so that all are read again.
const stateVersion = 1

const (
	teamsUnknown = "?" // in place of a State's part about teams
	incomplete   = "!" // ends a State that must not be met again, so that the repository is read again
)

// harvest is one run.
type harvest struct {
	s     *Source
	known source.Known
	out   source.Out
}

// listed is a repository from the list, and under which State it is reported.
type listed struct {
	*gh.Repository
	state string
	teams []source.TeamPermission
}

// Harvest reports the organisation; see source.Source.
func (s *Source) Harvest(ctx context.Context, known source.Known, out source.Out) error {
	h := &harvest{s: s, known: known, out: out}
	ctx = context.WithValue(ctx, budgetKey{}, &budget{out: out, spent: source.Budget{Remaining: -1, Limit: -1}})

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
	l := listed{Repository: r, teams: people.permissions[r.GetNodeID()]}
	own := h.s.version + "-" + digest(r.GetFullName(), r.GetHTMLURL(), r.GetDefaultBranch(), r.GetDescription(), r.GetHomepage(),
		visibility(r), r.GetArchived(), r.GetFork(), r.GetIsTemplate(), r.Topics, r.GetLicense().GetSPDXID(), r.GetLanguage(),
		r.GetPushedAt().Unix(), r.GetStargazersCount(), r.GetOpenIssuesCount())[:24] + "+"
	before, known := h.known.Repository(r.GetNodeID())
	if people.permissions == nil && !h.s.o.NoDirectory {
		// Nothing is known of teams this time: what was known of them stays.
		l.state = own + teamsUnknown
		return l, known && strings.HasPrefix(before.State, own) && !strings.HasSuffix(before.State, incomplete)
	}
	l.state = own + digest(l.teams)[:12]
	return l, known && before.State == l.state
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
