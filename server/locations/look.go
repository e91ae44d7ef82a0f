package locations

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/descriptor"
	"github.com/waypost-dev/waypost/server/harvest"
	"github.com/waypost-dev/waypost/server/source"
	"github.com/waypost-dev/waypost/server/source/location"
)

// Bounds of what is told of one location.
const (
	maxRefs     = 20_000
	maxProblems = 1000
)

// look reads a location and writes nothing.
func (r *Registry) look(ctx context.Context, s *location.Source) (Registered, error) {
	var seen look
	if err := s.Harvest(ctx, nobody{}, &seen); err != nil {
		return Registered{}, err
	}
	if p := seen.unreadable; p != nil {
		message := strings.TrimPrefix(p.Message, fmt.Sprintf("location %.200q: ", s.Name()))
		return Registered{}, &TargetError{Is: ErrUnreadable, Target: s.Name(), Message: message, Hint: p.Hint}
	}
	out := Registered{Problems: seen.problems}
	for _, repo := range seen.repositories {
		out.Problems = append(out.Problems, repo.Problems...)
		for _, d := range repo.Documents {
			if err := ctx.Err(); err != nil {
				return Registered{}, err
			}
			if d.Problem != nil {
				out.Problems = append(out.Problems, *d.Problem)
				continue
			}
			f := harvest.FileOf(s.Name(), repo, d)
			f.Schemas, f.Allow = r.o.Harvest.Schemas, r.o.Harvest.Allow
			decoded := descriptor.Decode(f)
			out.Problems = append(out.Problems, decoded.Problems...)
			for _, e := range decoded.Entities {
				out.Refs = append(out.Refs, e.Ref.Key())
				out.Entities = append(out.Entities, e)
			}
		}
	}
	slices.Sort(out.Refs)
	out.Refs = slices.Compact(out.Refs)
	out.Refs = out.Refs[:min(len(out.Refs), maxRefs)]
	slices.SortStableFunc(out.Entities, func(a, b *catalog.Entity) int { return cmp.Compare(a.Ref.Key(), b.Ref.Key()) })
	out.Entities = slices.CompactFunc(out.Entities, func(a, b *catalog.Entity) bool { return a.Ref.Key() == b.Ref.Key() })
	out.Entities = out.Entities[:min(len(out.Entities), maxRefs)]
	slices.SortStableFunc(out.Problems, func(a, b catalog.Problem) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	out.Problems = out.Problems[:min(len(out.Problems), maxProblems)]
	return out, nil
}

// nobody knows nothing.
type nobody struct{}

// Repository implements source.Known.
func (nobody) Repository(string) (source.RepositoryState, bool) {
	return source.RepositoryState{}, false
}

// look is a source.Out that keeps what a location reports.
type look struct {
	mu           sync.Mutex
	repositories []source.Repository
	unreadable   *catalog.Problem
	problems     []catalog.Problem
}

func (l *look) Repository(_ context.Context, r source.Repository) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.repositories = append(l.repositories, r)
	return nil
}

func (l *look) Keep(_ context.Context, _ string, p catalog.Problem) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.unreadable = &p
	return nil
}

func (l *look) Problem(p catalog.Problem) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.problems = append(l.problems, p)
}

func (l *look) Unchanged(context.Context, string) error           { return nil }
func (l *look) Gone(context.Context, string) error                { return nil }
func (l *look) Expect(int)                                        {}
func (l *look) Directory(context.Context, source.Directory) error { return nil }
func (l *look) Spent(source.Budget)                               {}
func (l *look) Complete(context.Context) error                    { return nil }
