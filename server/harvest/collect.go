package harvest

import (
	"context"
	"errors"
	"sync"

	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/source"
)

// Read reads repositories of a source whole, whatever the catalog knows of
// them, and hands them back in place of writing anything.
func Read(ctx context.Context, from source.Refresher, scope source.Scope) ([]source.Repository, error) {
	c := collector{}
	if err := from.Refresh(ctx, scope, unknown{}, &c); err != nil {
		return nil, err
	}
	if len(c.repositories) == 0 {
		return nil, errors.Join(append(c.problems, errors.New("the source has no such repository"))...)
	}
	return c.repositories, nil
}

// unknown knows nothing, so that everything is read.
type unknown struct{}

func (unknown) Repository(string) (source.RepositoryState, bool) {
	return source.RepositoryState{}, false
}

// collector implements source.Out and keeps what is reported.
type collector struct {
	mu           sync.Mutex
	repositories []source.Repository
	problems     []error
}

func (c *collector) Repository(_ context.Context, r source.Repository) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.repositories = append(c.repositories, r)
	return nil
}

func (c *collector) Problem(p catalog.Problem) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.problems = append(c.problems, p)
}

func (c *collector) Keep(_ context.Context, _ string, p catalog.Problem) error {
	c.Problem(p)
	return nil
}

func (*collector) Expect(int)                                        {}
func (*collector) Unchanged(context.Context, string) error           { return nil }
func (*collector) Gone(context.Context, string) error                { return nil }
func (*collector) Directory(context.Context, source.Directory) error { return nil }
func (*collector) Spent(source.Budget)                               {}
func (*collector) Complete(context.Context) error                    { return nil }
