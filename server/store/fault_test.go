package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/stretchr/testify/require"

	"github.com/waypost-dev/waypost/ent"
	"github.com/waypost-dev/waypost/server/catalog"
)

// faults makes a database fail at one statement, counted from when it was armed.
type faults struct {
	armed atomic.Bool
	at    atomic.Int64 // statements until the one that fails
	seen  atomic.Int64
}

var errFault = errors.New("the database failed as it was told to")

func (f *faults) arm(at int) {
	f.at.Store(int64(at))
	f.seen.Store(0)
	f.armed.Store(true)
}

// disarm returns how many statements there were.
func (f *faults) disarm() int {
	f.armed.Store(false)
	return int(f.seen.Load())
}

func (f *faults) statement() error {
	if f.armed.Load() && f.seen.Add(1) == f.at.Load() {
		return errFault
	}
	return nil
}

// faulty is a connector whose connections fail when they are told to.
type faulty struct {
	open   func(context.Context) (driver.Conn, error)
	driver driver.Driver
	faults *faults
}

func (c *faulty) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.open(ctx)
	if err != nil {
		return nil, err
	}
	return &faultyConn{conn, c.faults}, nil
}

func (c *faulty) Driver() driver.Driver { return c.driver }

// faultyConn passes everything on that the two drivers have.
type faultyConn struct {
	driver.Conn
	faults *faults
}

func (c *faultyConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	if err := c.faults.statement(); err != nil {
		return nil, err
	}
	return c.Conn.(driver.ExecerContext).ExecContext(ctx, query, args)
}

func (c *faultyConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	if err := c.faults.statement(); err != nil {
		return nil, err
	}
	return c.Conn.(driver.QueryerContext).QueryContext(ctx, query, args)
}

func (c *faultyConn) BeginTx(ctx context.Context, o driver.TxOptions) (driver.Tx, error) {
	if err := c.faults.statement(); err != nil {
		return nil, err
	}
	tx, err := c.Conn.(driver.ConnBeginTx).BeginTx(ctx, o)
	if err != nil {
		return nil, err
	}
	return &faultyTx{tx, c.faults}, nil
}

func (c *faultyConn) CheckNamedValue(v *driver.NamedValue) error {
	if checker, ok := c.Conn.(driver.NamedValueChecker); ok {
		return checker.CheckNamedValue(v)
	}
	return driver.ErrSkip
}

func (c *faultyConn) ResetSession(ctx context.Context) error {
	if r, ok := c.Conn.(driver.SessionResetter); ok {
		return r.ResetSession(ctx)
	}
	return nil
}

// faultyTx fails to commit, and rolls back.
type faultyTx struct {
	driver.Tx
	faults *faults
}

func (tx *faultyTx) Commit() error {
	if err := tx.faults.statement(); err != nil {
		return errors.Join(err, tx.Tx.Rollback())
	}
	return tx.Tx.Commit()
}

// fail puts faults under everything that a store writes.
func fail(t *testing.T, s *Store, dsn string) *faults {
	t.Helper()
	f := &faults{}
	c := &faulty{driver: s.writer.Driver(), faults: f}
	name := dialect.Postgres
	if s.postgres {
		c.open = stdlib.GetConnector(*s.config).Connect
	} else {
		name = dialect.SQLite
		file := "file:" + strings.TrimPrefix(dsn, "sqlite:") + "?_pragma=busy_timeout(5000)&_pragma=foreign_keys(1)&_txlock=immediate"
		c.open = func(context.Context) (driver.Conn, error) { return c.driver.Open(file) }
	}
	require.NoError(t, s.writer.Close())
	s.writer = sql.OpenDB(c)
	if !s.postgres {
		s.writer.SetMaxOpenConns(1)
	}
	s.writes = ent.NewClient(ent.Driver(entsql.OpenDB(name, s.writer)))
	if s.postgres {
		s.reader, s.reads = s.writer, s.writes
	}
	return f
}

// TestEachStatementFails lets the database fail at each statement of each write
// of a harvest's life, one after the other: the write says so, and nothing of it
// is there; made again without a fault, it is there whole.
func TestEachStatementFails(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, dsn string) {
		if dsn == "" || strings.Contains(dsn, ":memory:") {
			dsn = "sqlite:" + filepath.Join(t.TempDir(), "x.db")
		}
		s := open(t, dsn, Options{Lease: time.Hour})
		reader := open(t, dsn, Options{})
		_, err := s.Apply(t.Context(), "s", []RepositoryUpdate{repositoryOf("r", 20, "one"), repositoryOf("q", 10, "one"), repositoryOf("gone", 2, "one")})
		require.NoError(t, err)
		f := fail(t, s, dsn)

		var running Harvest
		renamed := repositoryOf("q", 10, "two")
		renamed.Claims[0].Entity.Ref.Name = "another"
		orphans := Removals{Share: 0.9, Orphans: Orphans{Keep: true}}
		seen := map[string]struct{}{"r": {}, "q": {}}
		steps := []struct {
			name string
			do   func(context.Context) error
		}{
			{"begin", func(ctx context.Context) (err error) {
				var h Harvest
				if h, err = s.BeginHarvest(ctx, "s", "test"); err == nil {
					running = h
				}
				return err
			}},
			{"stage", func(ctx context.Context) error {
				_, err := s.Stage(ctx, "s", []RepositoryUpdate{repositoryOf("r", 15, "two"), renamed})
				return err
			}},
			{"refresh", func(ctx context.Context) error {
				_, err := s.Refresh(ctx, "s", []RepositoryUpdate{repositoryOf("new", 3, "one"), {Repository: Repository{ID: "gone"}, Gone: true}}, Removals{})
				return err
			}},
			{"sweep", func(ctx context.Context) error {
				_, err := s.Sweep(ctx, "s", seen, time.Now().Add(time.Hour), orphans, catalog.Cause{Via: catalog.ViaHarvest, Harvest: running.ID})
				return err
			}},
			{"finish", func(ctx context.Context) error {
				h := running
				h.State, h.Finished = HarvestSucceeded, time.Now()
				return s.FinishHarvest(ctx, h, []catalog.Problem{{Code: catalog.CodeField, Message: "x"}})
			}},
			{"remove", func(ctx context.Context) error {
				_, err := s.RemoveSource(ctx, "s", catalog.Cause{})
				return err
			}},
		}
		for _, step := range steps {
			before, latest := texts(t, reader), latestOf(t, reader)
			failed := 0
			for at := 1; ; at++ {
				f.arm(at)
				err := step.do(t.Context())
				statements := f.disarm()
				if statements < at { // the fault was not met: it is done
					require.NoError(t, err, step.name)
					break
				}
				require.ErrorIs(t, err, errFault, "%s at statement %d", step.name, at)
				require.Equal(t, before, texts(t, reader), "%s at statement %d left something", step.name, at)
				require.Equal(t, latest, latestOf(t, reader))
				failed++
				require.Less(t, failed, 200)
			}
			require.GreaterOrEqual(t, failed, 3, "%s was tried", step.name)
			t.Logf("%s: failed at each of %d statements", step.name, failed)
			invariants(t, reader)
		}
		require.Empty(t, texts(t, reader))
	})
}

func latestOf(t testing.TB, s *Store) catalog.Revision {
	t.Helper()
	r, err := s.Latest(t.Context())
	require.NoError(t, err)
	return r
}
