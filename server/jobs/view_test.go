package jobs_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/riverqueue/river/rivertype"
	"github.com/stretchr/testify/require"

	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/jobs"
	"github.com/waypost-dev/waypost/server/source"
	"github.com/waypost-dev/waypost/server/store"
)

func TestView(t *testing.T) {
	databases(t, func(t *testing.T, dsn string) {
		st := openStore(t, dsn, store.Options{})
		ok, held := &place{name: "dir:/ok"}, &place{name: "dir:/running"}
		held.set(func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() })
		broken := &place{name: "github:broken", re: func(context.Context) error { return errors.New("bad gateway") }}
		c := newClient(t, st, engineOf(st, 0, ok, held, broken), jobs.Options{})
		stop := start(t, c)
		scope := func(n int) source.Scope {
			return source.Scope{Repositories: []source.Pointer{{Name: fmt.Sprintf("acme/%d", n)}}}
		}
		for n := range 5 {
			require.NoError(t, c.Refresh(t.Context(), broken.name, scope(n), catalog.Cause{}))
		}
		// A source that nobody knows is not tried again.
		require.NoError(t, c.Harvest(t.Context(), "dir:/unknown", "api"))
		// Another one that only looks sees the same, and may change it.
		look := newClient(t, st, nil, jobs.Options{NoMigrate: true})
		list := func(q jobs.Query) []*rivertype.JobRow {
			t.Helper()
			q.Limit = 100
			out, next, err := look.List(t.Context(), q)
			require.NoError(t, err)
			require.Empty(t, next)
			return out
		}
		eventually(t, "all have been tried", func() bool {
			s, err := c.Stats(t.Context())
			require.NoError(t, err)
			failed := 0
			for _, job := range list(jobs.Query{Kind: jobs.KindRefresh}) {
				failed += min(1, len(job.Errors))
			}
			return failed == 5 && s.Jobs[rivertype.JobStateCancelled] == 1 && s.Jobs[rivertype.JobStateCompleted] == 2 && s.Jobs[rivertype.JobStateRunning] == 1
		})

		all := list(jobs.Query{})
		require.Len(t, all, 9) // three first harvests, one of an unknown source, five refreshes
		require.Equal(t, rivertype.JobStateRunning, all[0].State)
		require.Equal(t, rivertype.JobStateCompleted, all[8].State)
		require.Len(t, list(jobs.Query{States: []rivertype.JobState{rivertype.JobStateCompleted}}), 2)
		require.Empty(t, list(jobs.Query{Kind: "nonsense"}))

		stop() // nothing moves any more
		all = list(jobs.Query{})
		var paged []*rivertype.JobRow
		q := jobs.Query{Limit: 2}
		for pages := 0; ; pages++ {
			require.Less(t, pages, 10)
			page, next, err := look.List(t.Context(), q)
			require.NoError(t, err)
			require.LessOrEqual(t, len(page), 2)
			paged = append(paged, page...)
			if q.Token = next; next == "" {
				break
			}
			other := q
			other.Kind = jobs.KindRefresh
			_, _, err = look.List(t.Context(), other)
			require.ErrorIs(t, err, jobs.ErrPageToken)
		}
		id := func(job *rivertype.JobRow) int64 { return job.ID }
		require.Equal(t, collect(all, id), collect(paged, id))
		for _, token := range []string{"x", "e30", "eyJxIjoiIFtdIiwiZyI6LTF9", "eyJxIjoiIFtdIiwiZyI6OTl9", "eyJxIjoiIFtdIiwiZyI6MCwiYyI6ImFhYWEifQ"} {
			_, _, err := look.List(t.Context(), jobs.Query{Limit: 2, Token: token})
			require.ErrorIs(t, err, jobs.ErrPageToken, token)
		}

		at := slices.IndexFunc(all, func(job *rivertype.JobRow) bool { return job.Kind == jobs.KindRefresh })
		cancelled, err := look.Cancel(t.Context(), all[at].ID)
		require.NoError(t, err)
		require.Equal(t, rivertype.JobStateCancelled, cancelled.State)
		require.NoError(t, look.Refresh(t.Context(), broken.name, scopeOf(t, cancelled), catalog.Cause{}))
		_, err = look.Retry(t.Context(), cancelled.ID)
		require.ErrorIs(t, err, jobs.ErrWaiting)
		done := slices.IndexFunc(all, func(job *rivertype.JobRow) bool { return job.State == rivertype.JobStateCancelled })
		retried, err := look.Retry(t.Context(), all[done].ID)
		require.NoError(t, err)
		require.Equal(t, rivertype.JobStateAvailable, retried.State)
		for _, do := range []func(context.Context, int64) (*rivertype.JobRow, error){look.Get, look.Retry, look.Cancel} {
			_, err := do(t.Context(), 1<<40)
			require.ErrorIs(t, err, jobs.ErrNotFound)
		}
		require.Error(t, look.Start(t.Context()), "there is no engine")
		require.NoError(t, look.Stop(t.Context()))
	})
}

// A job that runs cannot be made due, and stops when it is cancelled.
func TestCancelRunning(t *testing.T) {
	databases(t, func(t *testing.T, dsn string) {
		st := openStore(t, dsn, store.Options{})
		p := &place{name: "dir:/running"}
		p.set(func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() })
		c := newClient(t, st, engineOf(st, 0, p), jobs.Options{})
		start(t, c)
		eventually(t, "it runs", func() bool { return p.harvests.Load() == 1 })
		list, _, err := c.List(t.Context(), jobs.Query{Limit: 1})
		require.NoError(t, err)
		_, err = c.Retry(t.Context(), list[0].ID)
		require.ErrorIs(t, err, jobs.ErrRunning)
		_, err = c.Cancel(t.Context(), list[0].ID)
		require.NoError(t, err)
		eventually(t, "it is cancelled", func() bool {
			job, err := c.Get(t.Context(), list[0].ID)
			require.NoError(t, err)
			return job.State == rivertype.JobStateCancelled
		})
	})
}
