package github

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/source"
	"github.com/waypost-dev/waypost/server/source/reach"
)

const (
	// maxFailures is how many queries may fail one after the other, for each
	// that may be under way, before the harvest is given up.
	maxFailures = 12
	// maxTries is how often a query for a single repository is made.
	maxTries = 3
	// maxDocuments is how many catalog files of one repository are read.
	maxDocuments = 10_000
	// maxCodeowners is the size above which GitHub does not load a CODEOWNERS
	// file (docs: About code owners, "CODEOWNERS file size").
	maxCodeowners = 3 << 20
)

// reader reads repositories in batches, and their files across them.
type reader struct {
	*harvest
	query string

	mu       sync.Mutex
	queue    []listed
	batch    int // repositories in a query
	failures int // in a row
	files    []*file
	leading  []*reading // whose catalog files lead to others
}

// reading is a repository of which files are still missing.
type reading struct {
	source.Repository
	missing int // files; guarded by reader.mu
}

// read reads repositories and reports each as soon as all of it is there.
func (h *harvest) read(ctx context.Context, repositories []listed) error {
	r := &reader{harvest: h, query: h.s.plan.query(h.s.o.Branch), queue: repositories, batch: h.s.o.Batch}
	group, groupCtx := errgroup.WithContext(ctx)
	for range h.s.o.Parallel {
		group.Go(func() error {
			for groupCtx.Err() == nil {
				next := r.take()
				if len(next) == 0 {
					return nil
				}
				if err := r.readBatch(groupCtx, next, 1); err != nil {
					return err
				}
				if err := r.readFiles(groupCtx, false); err != nil {
					return err
				}
			}
			return groupCtx.Err()
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	if err := r.readFiles(ctx, true); err != nil {
		return err
	}
	return r.lead(ctx)
}

func (r *reader) take() []listed {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := min(r.batch, len(r.queue))
	next := r.queue[:n]
	r.queue = r.queue[n:]
	return next
}

// went notes how a query went. It returns an error when nothing seems to go
// any more.
func (r *reader) went(err error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err == nil {
		r.failures = 0
		// One repository that is hard must not make all queries small for good.
		r.batch = min(r.s.o.Batch, r.batch+max(1, r.s.o.Batch/8))
		return nil
	}
	if r.failures++; r.failures >= maxFailures*r.s.o.Parallel {
		return fmt.Errorf("gave up after %d failed requests in a row: %w", r.failures, err)
	}
	r.batch = max(1, r.batch/2)
	return nil
}

// node is a repository in the answer to plan.query.
type node struct {
	ID   string
	Head *struct {
		Oid           string
		CommittedDate time.Time
		Author        *struct{ User *struct{ Login string } }
		Tree          *tree
	}
	Languages *struct {
		Edges []*struct {
			Size int64
			Node struct{ Name string }
		}
	}
	Github, Docs *struct {
		Oid      string
		ByteSize int64
	}
}

type tree struct{ Entries []treeEntry }

type treeEntry struct {
	Name, Type, Oid string
	Mode            int
	Size            int64
	Object          *tree
}

// readBatch asks for the facts of repositories. When GitHub does not manage,
// it asks for each half by itself.
func (r *reader) readBatch(ctx context.Context, batch []listed, try int) error {
	ids := make([]string, len(batch))
	for i, l := range batch {
		ids[i] = l.GetNodeID()
	}
	var data struct{ Nodes []json.RawMessage }
	problems, err := r.s.query(ctx, r.query, map[string]any{"ids": ids}, &data)
	if err == nil && len(data.Nodes) != len(batch) {
		err = &errTooMuch{fmt.Errorf("GitHub's GraphQL API answered %d of %d repositories", len(data.Nodes), len(batch))}
	}
	var tooMuch *errTooMuch
	if err != nil && !errors.As(err, &tooMuch) {
		return fmt.Errorf("read repositories of %s: %w", r.s.o.Organisation, err)
	}
	if broken := r.went(err); broken != nil {
		return fmt.Errorf("read repositories of %s: %w", r.s.o.Organisation, broken)
	}
	switch {
	case err != nil && len(batch) > 1:
		half := len(batch) / 2
		if err := r.readBatch(ctx, batch[:half], 1); err != nil {
			return err
		}
		return r.readBatch(ctx, batch[half:], 1)
	case err != nil && try < maxTries:
		if err := sleep(ctx, r.s.o.backoff<<try); err != nil {
			return err
		}
		return r.readBatch(ctx, batch, try+1)
	case err != nil:
		return r.keep(ctx, batch[0], err)
	}
	wrong := map[int]*queryError{}
	for _, p := range problems {
		at, ok := 0.0, false
		if len(p.Path) > 1 && p.Path[0] == "nodes" {
			at, ok = p.Path[1].(float64)
		}
		if !ok {
			return fmt.Errorf("read repositories of %s: %w", r.s.o.Organisation, &p)
		}
		wrong[int(at)] = &p
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(r.s.o.Parallel)
	for i, l := range batch {
		group.Go(func() error { return r.readOne(ctx, l, data.Nodes[i], wrong[i]) })
	}
	return group.Wait()
}

func (r *reader) keep(ctx context.Context, l listed, err error) error {
	p := r.problem(l.GetFullName(), "", catalog.CodeUnreadable, "the repository could not be read and stays as it was: "+err.Error(), "the next harvest tries again")
	if err := r.out.Keep(ctx, l.GetNodeID(), p); err != nil {
		return fmt.Errorf("report %s: %w", l.GetFullName(), err)
	}
	return nil
}

// readOne makes a repository of what GraphQL answered, and queues its files.
func (r *reader) readOne(ctx context.Context, l listed, answer json.RawMessage, wrong *queryError) error {
	if wrong != nil || string(answer) == "null" {
		return r.unanswered(ctx, l, wrong)
	}
	var n node
	folders := map[string]json.RawMessage{}
	if err := json.Unmarshal(answer, &n); err != nil || n.ID != l.GetNodeID() {
		return r.keep(ctx, l, fmt.Errorf("GitHub's answer is not understood: %w", errors.Join(err, fmt.Errorf("it is about %q", n.ID))))
	}
	if err := json.Unmarshal(answer, &folders); err != nil {
		return r.keep(ctx, l, err)
	}
	repo := &reading{Repository: l.facts(r.s.o.Branch)}
	if n.Languages != nil {
		for _, e := range n.Languages.Edges {
			if e != nil {
				repo.Languages = append(repo.Languages, source.Language{Name: e.Node.Name, Bytes: e.Size})
			}
		}
	}
	if n.Head == nil || n.Head.Oid == "" || n.Head.Tree == nil {
		if b := r.s.o.Branch; b != "" && b != l.GetDefaultBranch() {
			repo.Problems = append(repo.Problems, r.problem(l.GetFullName(), "", catalog.CodeUnreadable,
				fmt.Sprintf("the repository has no branch %q, so no files were read", b), "make the branch, or leave the source's branch empty to read default branches"))
		}
		return r.report(ctx, repo)
	}
	repo.Commit = n.Head.Oid
	if a := n.Head.Author; a != nil && a.User != nil {
		repo.Author = a.User.Login
	}
	if repo.PushedAt.IsZero() {
		repo.PushedAt = n.Head.CommittedDate
	}
	for _, e := range n.Head.Tree.Entries {
		name := e.Name
		if e.Type == "tree" {
			name += "/"
		}
		repo.Root = append(repo.Root, name)
	}
	slices.Sort(repo.Root)
	files, err := r.find(ctx, l, &n, folders)
	switch {
	case errors.Is(err, errTree):
		// Trying again would not help: what was found is reported, with this.
		repo.Problems = append(repo.Problems, r.problem(l.GetFullName(), "", catalog.CodeTooLarge,
			"the repository has more files or folders than can be searched, so that only a part was", "name the folders of catalog files in the patterns, in place of **"))
	case err != nil:
		if fatal(ctx, err) {
			return fmt.Errorf("read the tree of %s: %w", l.GetFullName(), err)
		}
		if status(err) == http.StatusNotFound {
			return r.unanswered(ctx, l, &queryError{Type: "NOT_FOUND", Message: err.Error()})
		}
		return r.keep(ctx, l, err)
	}
	return r.enqueue(ctx, repo, &n, files)
}

// facts is what the list says of a repository.
func (l listed) facts(branch string) source.Repository {
	repo := source.Repository{
		ID: l.GetNodeID(), State: l.state, Asked: l.asked, Owner: l.GetOwner().GetLogin(), Name: l.GetName(), URL: strings.TrimRight(l.GetHTMLURL(), "/"),
		Branch: l.GetDefaultBranch(), Description: l.GetDescription(), Homepage: l.GetHomepage(), Visibility: visibility(l.Repository),
		Archived: l.GetArchived(), Fork: l.GetFork(), Template: l.GetIsTemplate(), Topics: l.Topics, License: l.GetLicense().GetSPDXID(),
		PushedAt: l.GetPushedAt().Time, Stars: l.GetStargazersCount(), OpenIssues: l.GetOpenIssuesCount(), Teams: l.teams, Properties: l.CustomProperties,
	}
	if branch != "" {
		repo.Branch = branch
	}
	if repo.License == "NOASSERTION" { // SPDX for: we did not find out
		repo.License = ""
	}
	return repo
}

// unanswered handles a repository that was listed and that GraphQL does not
// give. It may have been deleted since: REST says so for certain.
func (r *reader) unanswered(ctx context.Context, l listed, wrong *queryError) error {
	if wrong == nil {
		wrong = &queryError{Message: "GitHub's GraphQL API left it out"}
	}
	if wrong.Type == "NOT_FOUND" {
		_, _, err := r.s.rest.Repositories.Get(ctx, l.GetOwner().GetLogin(), l.GetName())
		switch {
		case status(err) == http.StatusNotFound:
			if !r.partial {
				return nil // it is gone, and not reported
			}
			return r.gone(ctx, l.GetNodeID())
		case err != nil && fatal(ctx, err):
			return r.listingError(err)
		case err != nil:
			return r.keep(ctx, l, err)
		}
	}
	return r.keep(ctx, l, wrong)
}

func (r *reader) report(ctx context.Context, repo *reading) error {
	for _, d := range repo.Documents {
		if d.Problem != nil && d.Problem.Code == catalog.CodeUnreadable && !strings.HasSuffix(repo.State, incomplete) {
			repo.State += incomplete
		}
	}
	known, _ := r.known.Repository(repo.ID)
	if (reach.Walk{Known: known.Documents}).Needed(repo.Documents) {
		return r.leads(ctx, repo)
	}
	if err := r.out.Repository(ctx, repo.Repository); err != nil {
		return fmt.Errorf("report %s: %w", repo.FullName(), err)
	}
	return nil
}
