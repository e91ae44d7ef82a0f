package github

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	gh "github.com/google/go-github/v60/github"
	"golang.org/x/sync/errgroup"

	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/source"
)

// Refresh reports what the scope names; see source.Refresher. A repository
// costs a request for its record, and what a harvest would spend on it, which
// is one request for a batch of repositories and one for a batch of files. Its
// teams cost one more if they may have changed or are not known; they are free
// when the directory is read too.
func (s *Source) Refresh(ctx context.Context, scope source.Scope, known source.Known, out source.Out) error {
	h := &harvest{s: s, known: known, out: out, partial: true}
	ctx = withBudget(ctx, out)
	var people directory
	if scope.Directory && !s.o.NoDirectory {
		var err error
		if people, err = h.directory(ctx); err != nil {
			return err
		}
		if people.complete {
			if err := out.Directory(ctx, people.Directory); err != nil {
				return fmt.Errorf("report teams and members: %w", err)
			}
		}
	}
	pointers := merged(scope.Repositories)
	out.Expect(len(pointers))
	f := &finder{harvest: h, records: map[string]listed{}, gone: map[string]bool{}, teams: map[string]bool{}}
	if err := f.all(ctx, pointers); err != nil {
		return err
	}
	if err := f.report(ctx, len(pointers)); err != nil {
		return err
	}
	wanted, err := f.wanted(ctx, people)
	if err != nil {
		return err
	}
	if err := h.read(ctx, wanted); err != nil {
		return err
	}
	return ctx.Err()
}

// merged takes pointers to the same repository together.
func merged(pointers []source.Pointer) []source.Pointer {
	var distinct []source.Pointer
	at := map[string]int{}
	for _, p := range pointers {
		key := "id " + p.ID
		switch {
		case p.ID != "":
		case p.Number > 0:
			key = fmt.Sprint("number ", p.Number)
		default:
			key = "name " + strings.ToLower(p.Name)
		}
		i, ok := at[key]
		if !ok {
			at[key] = len(distinct)
			distinct = append(distinct, p)
			continue
		}
		// The last one is likely to know the name best.
		p.Teams = p.Teams || distinct[i].Teams
		if p.Number == 0 {
			p.Number = distinct[i].Number
		}
		distinct[i] = p
	}
	return distinct
}

// finder finds out what has become of repositories.
type finder struct {
	*harvest

	mu      sync.Mutex
	records map[string]listed // by ID
	gone    map[string]bool   // IDs
	teams   map[string]bool   // IDs of those whose teams must be asked for
	failed  []failure
}

type failure struct {
	source.Pointer
	err error
}

// errGone says that GitHub has no such repository, or none that we may see.
var errGone = errors.New("there is no such repository")

func (f *finder) all(ctx context.Context, pointers []source.Pointer) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(f.s.o.Parallel)
	for _, p := range pointers {
		group.Go(func() error {
			err := f.one(ctx, p)
			if err == nil {
				return nil
			}
			if fatal(ctx, err) {
				return f.listingError(err)
			}
			f.mu.Lock()
			defer f.mu.Unlock()
			f.failed = append(f.failed, failure{p, err})
			return nil
		})
	}
	return group.Wait()
}

// one looks a repository up by its number, else by its ID, else by its name.
// Where these lead to different repositories, each of them is noted: a name may
// have been given to another one.
func (f *finder) one(ctx context.Context, p source.Pointer) error {
	if p.Number <= 0 && p.ID == "" {
		_, err := f.byName(ctx, p.Name, p.Teams)
		if errors.Is(err, errGone) {
			err = fmt.Errorf("GitHub has no repository %s that the token can see (404)", p.Name)
		}
		return err
	}
	var r *gh.Repository
	var err error
	if p.Number > 0 {
		r, err = f.record(ctx, p.Teams, func() (*gh.Repository, *gh.Response, error) { return f.s.rest.Repositories.GetByID(ctx, p.Number) })
	}
	_, known := f.known.Repository(p.ID)
	switch {
	case p.ID == "":
	case p.Number <= 0, err == nil && known && r.GetNodeID() != p.ID, errors.Is(err, errGone):
		// A single 404 is not enough to remove a repository by.
		r, err = f.byID(ctx, p.ID, p.Teams)
	}
	if errors.Is(err, errGone) {
		f.mu.Lock()
		if p.ID != "" {
			f.gone[p.ID] = true
		}
		f.mu.Unlock()
		err = nil
	}
	if err != nil {
		return err
	}
	if owner, _, _ := strings.Cut(p.Name, "/"); strings.EqualFold(owner, f.s.o.Organisation) && !strings.EqualFold(r.GetFullName(), p.Name) {
		if _, err := f.byName(ctx, p.Name, p.Teams); err != nil && !errors.Is(err, errGone) {
			return err
		}
	}
	return nil
}

// record asks for a repository's record and notes it.
func (f *finder) record(ctx context.Context, teams bool, ask func() (*gh.Repository, *gh.Response, error)) (*gh.Repository, error) {
	asked := time.Now()
	r, _, err := ask()
	switch {
	case status(err) == http.StatusNotFound && !fatal(ctx, err):
		return nil, errGone
	case err != nil:
		return nil, err
	case r.GetNodeID() == "" || r.GetName() == "" || r.GetOwner().GetLogin() == "":
		return nil, errors.New("GitHub's answer has no id or name")
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.records[r.GetNodeID()] = listed{Repository: r, asked: asked}
	f.teams[r.GetNodeID()] = f.teams[r.GetNodeID()] || teams
	return r, nil
}

// fullName is what GitHub allows as owner/name. What comes from a payload goes
// into the path of a request.
var fullName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_-]{0,99}/[A-Za-z0-9._-]{1,100}$`)

func (f *finder) byName(ctx context.Context, full string, teams bool) (*gh.Repository, error) {
	owner, name, _ := strings.Cut(full, "/")
	if !fullName.MatchString(full) || name == "." || name == ".." {
		return nil, fmt.Errorf("%.100q is no name of a repository", full)
	}
	return f.record(ctx, teams, func() (*gh.Repository, *gh.Response, error) { return f.s.rest.Repositories.Get(ctx, owner, name) })
}

const nameQuery = `query($id: ID!) { node(id: $id) { ... on Repository { nameWithOwner } } }`

// byID asks GraphQL for the name, and then for the record by it.
func (f *finder) byID(ctx context.Context, id string, teams bool) (*gh.Repository, error) {
	before := ""
	for range maxTries {
		var data struct {
			Node *struct{ NameWithOwner string }
		}
		problems, err := f.s.query(ctx, nameQuery, map[string]any{"id": id}, &data)
		switch {
		case err != nil:
			return nil, err
		case len(problems) > 0 && problems[0].Type == "NOT_FOUND":
			return nil, errGone
		case len(problems) > 0:
			return nil, &problems[0]
		case data.Node == nil || data.Node.NameWithOwner == "":
			return nil, errors.New("GitHub's GraphQL API answers nothing about the repository")
		}
		name := data.Node.NameWithOwner
		r, err := f.byName(ctx, name, teams)
		switch {
		case err != nil && !errors.Is(err, errGone):
			return nil, err
		case err == nil && r.GetNodeID() == id:
			return r, nil
		case name == before:
			return r, errGone // or GitHub knows the repository by another form of its id
		}
		before = name // it may have been given to another one just now
	}
	return nil, errors.New("the repository changed its name while it was looked up")
}

// report reports what is gone and what could not be looked up.
func (f *finder) report(ctx context.Context, pointers int) error {
	for _, id := range slices.Sorted(maps.Keys(f.gone)) {
		if _, ok := f.records[id]; ok {
			continue
		}
		if err := f.harvest.gone(ctx, id); err != nil {
			return err
		}
	}
	var errs []error
	definite := false
	for _, x := range f.failed {
		errs = append(errs, fmt.Errorf("read %s: %w", called(x.Pointer), x.err))
		definite = definite || status(x.err) >= 400 && status(x.err) < 500
	}
	if len(errs) > 0 && len(errs) == pointers && !definite {
		return errors.Join(errs[:min(len(errs), 3)]...) // GitHub does not answer: all of it is to be tried again
	}
	for i, x := range f.failed {
		p := f.problem(x.Name, "", catalog.CodeUnreadable, "the repository could not be read and stays as it was: "+errs[i].Error(), "the next harvest tries again")
		if _, ok := f.records[x.ID]; ok {
			continue
		}
		if _, known := f.known.Repository(x.ID); !known {
			f.out.Problem(p)
			continue
		}
		if err := f.out.Keep(ctx, x.ID, p); err != nil {
			return fmt.Errorf("report %s: %w", x.Name, err)
		}
	}
	return nil
}

func called(p source.Pointer) string {
	switch {
	case p.Name != "":
		return p.Name
	case p.ID != "":
		return p.ID
	}
	return fmt.Sprint("repository ", p.Number)
}

func (h *harvest) gone(ctx context.Context, id string) error {
	if err := h.out.Gone(ctx, id); err != nil {
		return fmt.Errorf("report that %s is gone: %w", id, err)
	}
	return nil
}

// wanted reports the repositories that do not belong to the source (any more),
// and returns the others with their teams.
func (f *finder) wanted(ctx context.Context, people directory) ([]listed, error) {
	var wanted []listed
	for _, id := range slices.Sorted(maps.Keys(f.records)) {
		r := f.records[id]
		if !strings.EqualFold(r.GetOwner().GetLogin(), f.s.o.Organisation) || !f.s.o.wanted(r.Repository) {
			if err := f.harvest.gone(ctx, id); err != nil {
				return nil, err
			}
			continue
		}
		wanted = append(wanted, r)
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(f.s.o.Parallel)
	for i := range wanted {
		group.Go(func() error { return f.withTeams(ctx, &wanted[i], people) })
	}
	return wanted, group.Wait()
}

// withTeams gives a repository its teams and its State.
func (f *finder) withTeams(ctx context.Context, r *listed, people directory) error {
	asked := r.asked
	if *r, _ = f.compare(r.Repository, people); people.permissions == nil && !f.s.o.NoDirectory {
		before, _ := f.known.Repository(r.GetNodeID())
		if _, known := f.knownTeams(before); !known || f.teams[r.GetNodeID()] {
			teams, err := f.teamsOf(ctx, r.Repository)
			switch {
			case err == nil:
				r.teams, r.state = teams, f.own(r.Repository)+teamsPart(teams)
			case fatal(ctx, err):
				return f.listingError(err)
			default:
				// The token need not be allowed this: then the next harvest finds the
				// teams by its lists, and the State must not be met by it.
				r.state = f.own(r.Repository) + teamsUnknown
			}
		}
	}
	r.asked = asked
	return nil
}
