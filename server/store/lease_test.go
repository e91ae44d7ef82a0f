package store

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/waypost-dev/waypost/server/store/pgtest"
)

// A holder elsewhere, of which nothing is known, is waited for.
func TestLeaseOfUnknownHolder(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, dsn string) {
		s := open(t, dsn, Options{})
		lease := func(holder string, left time.Duration) {
			_, err := s.writer.ExecContext(t.Context(), s.bind(`DELETE FROM "leases"`))
			require.NoError(t, err)
			_, err = s.writer.ExecContext(t.Context(), s.bind(`INSERT INTO "leases" ("source", "holder", "expires") VALUES (?, ?, ?)`),
				"s", holder, time.Now().Add(left).UnixMicro())
			require.NoError(t, err)
		}
		for _, holder := range []string{"elsewhere/other-boot/1/X", "", "a/b", "not a holder"} {
			lease(holder, time.Hour)
			_, err := s.BeginHarvest(t.Context(), "s", "test")
			require.ErrorIs(t, err, ErrBusy, holder)
			lease(holder, -time.Second)
			h, err := s.BeginHarvest(t.Context(), "s", "test")
			require.NoError(t, err, "the lease has lapsed")
			h.State = HarvestSucceeded
			require.NoError(t, s.FinishHarvest(t.Context(), h, nil))
		}
	})
}

// On PostgreSQL one process hears of another's changes.
func TestNotifyAcrossProcesses(t *testing.T) {
	t.Parallel()
	dsn := pgtest.URL(t)
	one, other := open(t, dsn, Options{}), open(t, dsn, Options{})
	changed, stop := one.Notify()
	defer stop()
	// Listening starts in the background: until it does, changes go unheard.
	require.Eventually(t, func() bool {
		var n int64
		require.NoError(t, queryRow(t.Context(), other.reader, `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query = 'LISTEN waypost_changes'`, nil, &n))
		return n == 1
	}, 10*time.Second, 5*time.Millisecond)
	_, err := other.Apply(t.Context(), "s", []RepositoryUpdate{repositoryOf("r", 1, "x")})
	require.NoError(t, err)
	select {
	case <-changed:
	case <-time.After(10 * time.Second):
		t.Fatal("it hears nothing")
	}

	// The connection is lost: it comes back, and tells that something may have
	// been missed.
	_, err = other.writer.ExecContext(t.Context(), `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND query = 'LISTEN waypost_changes'`)
	require.NoError(t, err)
	select {
	case <-changed:
	case <-time.After(10 * time.Second):
		t.Fatal("it does not listen again")
	}
}

// Only what may pass is tried again, and not for ever.
func TestRetry(t *testing.T) {
	t.Parallel()
	deadlock := fmt.Errorf("apply: %w", &pgconn.PgError{Code: "40P01"})
	for _, test := range []struct {
		name   string
		errs   []error
		tries  int
		passes bool
	}{
		{"at once", []error{nil}, 1, true},
		{"deadlock, then serialization failure", []error{deadlock, &pgconn.PgError{Code: "40001"}, nil}, 3, true},
		{"deadlock for ever", []error{deadlock, deadlock, deadlock, deadlock, deadlock, deadlock, deadlock}, attempts, false},
		{"another error", []error{&pgconn.PgError{Code: "23505"}, nil}, 1, false},
		{"not the database's", []error{errors.New("x"), nil}, 1, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			n := 0
			err := retry(t.Context(), func() error { n++; return test.errs[n-1] })
			require.Equal(t, test.passes, err == nil)
			require.Equal(t, test.tries, n)
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	n := 0
	err := retry(ctx, func() error { n++; cancel(); return deadlock })
	require.Error(t, err)
	require.Equal(t, 1, n, "nobody waits for it any more")
	require.ErrorContains(t, retry(t.Context(), func() error { return &pgconn.PgError{Code: "53100"} }), "the disk of the database is full")
}
