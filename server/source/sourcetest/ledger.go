package sourcetest

import (
	"context"
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/source"
)

// Ledger keeps what a harvester would keep of a source from one harvest to the
// next. The zero Ledger knows nothing.
type Ledger struct {
	Repositories map[string]Entry // by ID
	Directory    *source.Directory
}

// Entry is what a Ledger keeps of one repository.
type Entry struct {
	source.Repository                   // as last reported; its Documents carry no content
	Contents          map[string][]byte // of the documents by path
}

// Report is what one harvest said.
type Report struct {
	Repositories map[string]source.Repository // by ID
	Unchanged    []string                     // IDs, sorted
	Kept         map[string]catalog.Problem   // by ID
	Gone         []string                     // IDs
	Directory    *source.Directory
	Problems     []catalog.Problem
	Budget       source.Budget // the last one said
	Expected     int           // the last one said
	Completed    bool
}

// Names are the names of the repositories reported with content, sorted.
func (r *Report) Names() []string {
	var names []string
	for _, repo := range r.Repositories {
		names = append(names, repo.Name)
	}
	slices.Sort(names)
	return names
}

// Named returns the repository of this name as the ledger has it.
func (l *Ledger) Named(name string) (Entry, bool) {
	for _, e := range l.Repositories {
		if e.Name == name {
			return e, true
		}
	}
	return Entry{}, false
}

// Names are the names of all repositories in the ledger, sorted.
func (l *Ledger) Names() []string {
	var names []string
	for _, e := range l.Repositories {
		names = append(names, e.Name)
	}
	slices.Sort(names)
	return names
}

// Harvest runs src against the ledger and holds what it reports to the
// promises that bind every single call. What was reported is kept in the
// ledger as a harvester would: all of it, and removals only after Complete.
// Hooks, if given, are asked at each Repository and may fail it.
func (l *Ledger) Harvest(ctx context.Context, t testing.TB, src source.Source, hooks ...func(source.Repository) error) (*Report, error) {
	t.Helper()
	rec := l.recorder(t, hooks)
	err := src.Harvest(ctx, rec.known, rec)
	report := rec.end()
	if err != nil && report.Completed {
		t.Errorf("Harvest called Complete and then returned an error: %v", err)
	}
	if err == nil && !report.Completed {
		t.Errorf("Harvest returned no error and did not call Complete")
	}
	l.keep(report)
	return report, err
}

// Refresh runs a refresh of src against the ledger, as Harvest does a harvest.
func (l *Ledger) Refresh(ctx context.Context, t testing.TB, src source.Refresher, scope source.Scope, hooks ...func(source.Repository) error) (*Report, error) {
	t.Helper()
	rec := l.recorder(t, hooks)
	err := src.Refresh(ctx, scope, rec.known, rec)
	report := rec.end()
	if report.Completed {
		t.Errorf("Refresh called Complete")
		report.Completed = false
	}
	for id, repo := range report.Repositories {
		if repo.Asked.IsZero() || repo.Asked.After(time.Now()) || repo.Asked.Before(rec.begun) {
			t.Errorf("repository %q was asked for at %s, which is not while it was refreshed", id, repo.Asked)
		}
	}
	if report.Directory != nil && !scope.Directory {
		t.Errorf("Refresh reported a directory that it was not asked for")
	}
	l.keep(report)
	return report, err
}

func (l *Ledger) recorder(t testing.TB, hooks []func(source.Repository) error) *recorder {
	known := make(known, len(l.Repositories))
	for id, e := range l.Repositories {
		state := source.RepositoryState{State: e.State, Documents: map[string]string{}}
		for _, d := range e.Documents {
			state.Documents[d.Path] = d.Hash
		}
		known[id] = state
	}
	return &recorder{t: t, known: known, hooks: hooks, seen: map[string]bool{}, begun: time.Now(), report: &Report{
		Repositories: map[string]source.Repository{}, Kept: map[string]catalog.Problem{},
	}}
}

// end closes the recorder when the source has returned.
func (r *recorder) end() *Report {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.over = true
	slices.Sort(r.report.Unchanged)
	return r.report
}

func (l *Ledger) keep(r *Report) {
	next := map[string]Entry{}
	if !r.Completed {
		next = maps.Clone(l.Repositories)
		if next == nil {
			next = map[string]Entry{}
		}
	}
	for _, id := range r.Gone {
		delete(next, id)
	}
	for _, id := range append(slices.Collect(maps.Keys(r.Kept)), r.Unchanged...) {
		if e, ok := l.Repositories[id]; ok {
			next[id] = e
		}
	}
	for id, repo := range r.Repositories {
		e := Entry{Repository: repo, Contents: map[string][]byte{}}
		e.Documents = nil
		before := l.Repositories[id]
		for _, d := range repo.Documents {
			switch {
			case d.Problem != nil:
				d.Hash = ""
				if c, ok := before.Contents[d.Path]; ok {
					e.Contents[d.Path] = c
				}
			case d.Content == nil:
				e.Contents[d.Path] = before.Contents[d.Path]
			default:
				e.Contents[d.Path] = d.Content
			}
			d.Content = nil
			e.Documents = append(e.Documents, d)
		}
		next[id] = e
	}
	l.Repositories = next
	if r.Directory != nil {
		l.Directory = r.Directory
	}
}

type known map[string]source.RepositoryState

func (k known) Repository(id string) (source.RepositoryState, bool) {
	s, ok := k[id]
	return s, ok
}

// recorder is an Out that checks each call by itself.
type recorder struct {
	t     testing.TB
	known known
	hooks []func(source.Repository) error
	begun time.Time

	mu     sync.Mutex
	report *Report
	seen   map[string]bool // IDs that were reported
	over   bool            // Harvest has returned
}

func (r *recorder) call(name string) func() {
	r.mu.Lock()
	if r.over {
		r.t.Errorf("%s was called after Harvest had returned", name)
	}
	if r.report.Completed {
		r.t.Errorf("%s was called after Complete", name)
	}
	return r.mu.Unlock
}

func (r *recorder) Expect(n int) {
	defer r.call("Expect")()
	r.report.Expected = n
}

func (r *recorder) Spent(b source.Budget) {
	r.mu.Lock() // the last request may well be told after Complete
	defer r.mu.Unlock()
	r.report.Budget = b
}

func (r *recorder) Problem(p catalog.Problem) {
	defer r.call("Problem")()
	assert.NotEmpty(r.t, p.Message, "a Problem without a message")
	r.report.Problems = append(r.report.Problems, p)
}

func (r *recorder) Directory(_ context.Context, d source.Directory) error {
	defer r.call("Directory")()
	if r.report.Directory != nil {
		r.t.Errorf("Directory was called twice")
	}
	for _, team := range d.Teams {
		assert.True(r.t, slices.IsSorted(team.Members), "members of %s are not sorted: %v", team.Slug, team.Members)
	}
	r.report.Directory = &d
	return nil
}

func (r *recorder) Unchanged(_ context.Context, id string) error {
	defer r.call("Unchanged")()
	r.once(id)
	if _, ok := r.known[id]; !ok {
		r.t.Errorf("Unchanged(%q): the repository was not known", id)
	}
	r.report.Unchanged = append(r.report.Unchanged, id)
	return nil
}

func (r *recorder) Keep(_ context.Context, id string, p catalog.Problem) error {
	defer r.call("Keep")()
	r.once(id)
	assert.NotEmpty(r.t, p.Message, "Keep(%q) without a message", id)
	r.report.Kept[id] = p
	return nil
}

func (r *recorder) Gone(_ context.Context, id string) error {
	defer r.call("Gone")()
	r.once(id)
	r.report.Gone = append(r.report.Gone, id)
	return nil
}

func (r *recorder) Complete(context.Context) error {
	defer r.call("Complete")()
	r.report.Completed = true
	return nil
}

func (r *recorder) Repository(_ context.Context, repo source.Repository) error {
	defer r.call("Repository")()
	for _, hook := range r.hooks {
		if err := hook(repo); err != nil {
			return err
		}
	}
	r.once(repo.ID)
	r.report.Repositories[repo.ID] = repo
	if err := wellFormed(repo, r.known[repo.ID]); err != nil {
		r.t.Errorf("repository %s: %v", repo.Name, err)
	}
	return nil
}

// once fails the test if a repository is reported a second time.
func (r *recorder) once(id string) {
	if r.seen[id] {
		r.t.Errorf("repository %q was reported twice", id)
	}
	r.seen[id] = true
}

func wellFormed(repo source.Repository, known source.RepositoryState) error {
	var errs []error
	complain := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if repo.ID == "" || repo.State == "" || repo.Name == "" {
		complain("ID %q, State %q and Name %q must be set", repo.ID, repo.State, repo.Name)
	}
	if !slices.IsSorted(repo.Root) {
		complain("Root is not sorted: %q", repo.Root)
	}
	seen := map[string]bool{}
	for _, d := range repo.Documents {
		switch {
		case seen[d.Path]:
			complain("document %q is reported twice", d.Path)
		case d.Path == "" || path.Clean(d.Path) != d.Path || path.IsAbs(d.Path) || d.Path == ".." || strings.HasPrefix(d.Path, "../"):
			complain("document path %q is not clean and relative", d.Path)
		case d.Problem != nil && d.Content != nil:
			complain("document %q has a problem and content", d.Path)
		case d.Problem != nil:
		case d.Content == nil && known.Documents[d.Path] != d.Hash:
			complain("document %q has no content, though its hash %s is not known", d.Path, d.Hash)
		case d.Content != nil && BlobID(d.Content) != blobOf(d.Hash):
			complain("document %q: Hash is %s, git says %s", d.Path, d.Hash, BlobID(d.Content))
		}
		seen[d.Path] = true
	}
	if c := repo.Codeowners; c != nil && BlobID(c.Content) != c.Hash {
		complain("%s: Hash is %s, git says %s", c.Path, c.Hash, BlobID(c.Content))
	}
	return errors.Join(errs...)
}

// blobOf is the blob id in the hash of a document, which goes on if the document
// leads to other files.
func blobOf(hash string) string {
	if i := strings.IndexAny(hash, "+@"); i >= 0 {
		return hash[:i]
	}
	return hash
}

// BlobID is git's id of a blob, in hex: SHA-1 over "blob", the size and the
// content (gitformat-pack, "Object types").
func BlobID(content []byte) string {
	h := sha1.New()
	h.Write([]byte("blob " + strconv.Itoa(len(content)) + "\x00"))
	h.Write(content)
	return hex.EncodeToString(h.Sum(nil))
}
