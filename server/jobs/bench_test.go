package jobs_test

import (
	"context"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waypost-dev/waypost/server/harvest"
	"github.com/waypost-dev/waypost/server/jobs"
	"github.com/waypost-dev/waypost/server/store"
	"github.com/waypost-dev/waypost/server/store/pgtest"
)

// benchmark runs on both databases, each time on a fresh one.
func benchmark(b *testing.B, run func(b *testing.B, dsn func() string)) {
	b.Run("sqlite", func(b *testing.B) {
		run(b, func() string { return "sqlite:" + filepath.Join(b.TempDir(), "waypost.db") })
	})
	b.Run("postgres", func(b *testing.B) {
		run(b, func() string { return pgtest.URL(b) })
	})
}

func benchOpen(b *testing.B, st *store.Store, o jobs.Options) *jobs.Client {
	b.Helper()
	log := slog.New(slog.DiscardHandler)
	e := harvest.New(st, log)
	for _, name := range []string{"dir:/a", "dir:/b", "dir:/c"} {
		e.Add(harvest.Config{Source: &place{name: name}, Every: time.Hour})
	}
	c, err := jobs.New(b.Context(), st, e, log, o)
	require.NoError(b, err)
	return c
}

func benchStore(b *testing.B, dsn string) *store.Store {
	b.Helper()
	st, err := store.Open(b.Context(), dsn, store.Options{})
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, st.Close()) })
	return st
}

// BenchmarkFirstStart is what jobs add to the start on a new database: the
// tables, and three harvests in the queue.
func BenchmarkFirstStart(b *testing.B) {
	benchmark(b, func(b *testing.B, dsn func() string) {
		for b.Loop() {
			b.StopTimer()
			st := benchStore(b, dsn())
			b.StartTimer()
			c := benchOpen(b, st, jobs.Options{})
			require.NoError(b, c.Start(b.Context()))
			b.StopTimer()
			require.NoError(b, c.Stop(context.WithoutCancel(b.Context())))
			b.StartTimer()
		}
	})
}

// BenchmarkStart is what jobs add to a start on a database that has their
// tables, and nothing that is due.
func BenchmarkStart(b *testing.B) {
	benchmark(b, func(b *testing.B, dsn func() string) {
		st := benchStore(b, dsn())
		for b.Loop() {
			c := benchOpen(b, st, jobs.Options{})
			require.NoError(b, c.Start(b.Context()))
			b.StopTimer()
			require.NoError(b, c.Stop(context.WithoutCancel(b.Context())))
			b.StartTimer()
		}
	})
}

// BenchmarkDeliveries is from asking for a job until it has begun.
func BenchmarkDeliveries(b *testing.B) {
	benchmark(b, func(b *testing.B, dsn func() string) {
		began := make(chan struct{}, 1)
		c := benchOpen(b, benchStore(b, dsn()), jobs.Options{Deliveries: func(context.Context, string) error {
			began <- struct{}{}
			return nil
		}})
		require.NoError(b, c.Start(b.Context()))
		defer func() { require.NoError(b, c.Stop(context.WithoutCancel(b.Context()))) }()
		for b.Loop() {
			require.NoError(b, c.Deliveries(b.Context(), "github:acme"))
			<-began
		}
	})
}
