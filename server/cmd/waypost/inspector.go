package main

import (
	"context"
	"errors"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/maypok86/otter/v2"

	"github.com/waypost-dev/waypost/plugins"
	"github.com/waypost-dev/waypost/server/harvest"
	"github.com/waypost-dev/waypost/server/source"
)

// inspector reads what plugins want to know of repositories, from the sources
// that can tell. What a commit holds never changes, so it is kept for a while.
type inspector struct {
	engine  *harvest.Engine
	files   *otter.Cache[source.Place, []string]
	commits *otter.Cache[history, []plugins.Commit]
}

// history is a question about commits.
type history struct {
	source.Place
	since time.Time
	limit int
}

// keptPaths bounds the paths in memory, and keptHistories the lists of commits.
const (
	keptPaths     = 100_000
	keptHistories = 500
	keptFor       = 10 * time.Minute
)

func newInspector(e *harvest.Engine) *inspector {
	return &inspector{
		engine: e,
		files: otter.Must(&otter.Options[source.Place, []string]{
			MaximumWeight: keptPaths, Weigher: func(_ source.Place, paths []string) uint32 { return uint32(len(paths)) + 1 },
			ExpiryCalculator: otter.ExpiryAccessing[source.Place, []string](keptFor),
		}),
		commits: otter.Must(&otter.Options[history, []plugins.Commit]{
			MaximumSize: keptHistories, ExpiryCalculator: otter.ExpiryAccessing[history, []plugins.Commit](keptFor),
		}),
	}
}

// source is the one that reported a repository, if it can tell.
func (i *inspector) source(name string) (source.Inspector, error) {
	s, ok := i.engine.Source(name).(source.Inspector)
	if !ok {
		return nil, plugins.ErrNotGiven
	}
	return s, nil
}

// given says 'not given' in the words of plugins.
func given(err error) error {
	if errors.Is(err, source.ErrNotGiven) {
		return errors.Join(plugins.ErrNotGiven, err)
	}
	return err
}

// Files implements plugins.Inspector.
func (i *inspector) Files(ctx context.Context, r plugins.Repository, folder string) ([]string, error) {
	s, err := i.source(r.Source)
	if err != nil {
		return nil, err
	}
	// Of all folders at once: a repository with many components is read once.
	all, err := i.files.Get(ctx, source.Place{ID: r.ID, Name: r.Name, Commit: r.Commit}, otter.LoaderFunc[source.Place, []string](s.Files))
	if err != nil || folder == "" {
		return all, given(err)
	}
	var out []string
	for _, path := range all {
		if strings.HasPrefix(path, folder+"/") {
			out = append(out, path)
		}
	}
	return out, nil
}

// Text implements plugins.Inspector. Few ask, and each when a person does, so it is
// not kept.
func (i *inspector) Text(ctx context.Context, r plugins.Repository, path string) (string, error) {
	s, err := i.source(r.Source)
	if err != nil {
		return "", err
	}
	b, err := s.Content(ctx, source.Place{ID: r.ID, Name: r.Name, Commit: r.Commit}, path)
	if err == nil && !utf8.Valid(b) {
		err = source.ErrNotGiven
	}
	return string(b), given(err)
}

// Commits implements plugins.Inspector. Times are those of a day, so that asking
// again soon is the same question.
func (i *inspector) Commits(ctx context.Context, r plugins.Repository, folder string, since time.Time, limit int) ([]plugins.Commit, error) {
	s, err := i.source(r.Source)
	if err != nil {
		return nil, err
	}
	q := history{source.Place{ID: r.ID, Name: r.Name, Commit: r.Commit, Folder: folder}, since.UTC().Truncate(24 * time.Hour), limit}
	out, err := i.commits.Get(ctx, q, otter.LoaderFunc[history, []plugins.Commit](func(ctx context.Context, q history) ([]plugins.Commit, error) {
		found, err := s.Commits(ctx, q.Place, q.since, q.limit)
		out := make([]plugins.Commit, len(found))
		for n, c := range found {
			out[n] = plugins.Commit(c)
		}
		return out, err
	}))
	return out, given(err)
}
