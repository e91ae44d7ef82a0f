package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/waypost-dev/waypost/ent"
)

// attempts is how often a transaction is tried that another one was in the way of.
const attempts = 6

// writerLock is the key of PostgreSQL's advisory lock that a writer of the
// catalog holds until it has committed. It makes revisions numbered in commit
// order, and winners of refs decided one after the other, as on SQLite, whose
// writers are one at a time by nature. It writes nothing, and readers need it not.
const writerLock = 0x776179706f7374 // "waypost"

// write runs f in a transaction, alone among the writers of the catalog. now is
// the time by the database's clock, in Unix microseconds: processes on several
// machines share it. It runs f again if the database asks for that.
func (s *Store) write(ctx context.Context, f func(tx *ent.Tx, now int64) error) error {
	return retry(ctx, func() error {
		tx, err := s.writes.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		defer tx.Rollback() //nolint:errcheck // after Commit there is nothing to roll back
		now := time.Now().UnixMicro()
		if s.postgres {
			if _, err := tx.ExecContext(ctx, "SELECT pg_advisory_xact_lock("+strconv.Itoa(writerLock)+")"); err != nil {
				return err
			}
			if err := queryRow(ctx, tx, "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint", nil, &now); err != nil {
				return err
			}
		}
		if err := f(tx, now); err != nil {
			return err
		}
		return tx.Commit()
	})
}

// retry runs f again while another transaction is in its way.
func retry(ctx context.Context, f func() error) error {
	wait := 5 * time.Millisecond
	for n := 1; ; n++ {
		err := f()
		if err == nil || n == attempts || !passing(err) || ctx.Err() != nil {
			return explain(err)
		}
		timer := time.NewTimer(wait + rand.N(wait))
		select {
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		case <-timer.C:
		}
		wait *= 3
	}
}

// passing tells whether the same transaction may succeed if tried again.
func passing(err error) bool {
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		return pg.Code == "40001" || pg.Code == "40P01" // serialization_failure, deadlock_detected
	}
	if lite, ok := errors.AsType[*sqlite.Error](err); ok {
		switch lite.Code() & 0xff { // without the extended part
		case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
			return true
		}
	}
	return false
}

// explain adds to an error what an operator can do about it.
func explain(err error) error {
	full := false
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		full = pg.Code == "53100" // disk_full
	}
	if lite, ok := errors.AsType[*sqlite.Error](err); ok {
		full = lite.Code()&0xff == sqlite3.SQLITE_FULL
	}
	if full {
		return fmt.Errorf("the disk of the database is full; make room, then harvest again: what was written before is intact: %w", err)
	}
	return err
}

// queryer is a pool or a transaction.
type queryer interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// queryRow reads one row; it returns sql.ErrNoRows if there is none.
func queryRow(ctx context.Context, q queryer, query string, args []any, into ...any) error {
	found := false
	err := queryRows(ctx, q, query, args, func(r *sql.Rows) error {
		found = true
		return r.Scan(into...)
	})
	if err == nil && !found {
		return sql.ErrNoRows
	}
	return err
}

// queryRows calls each for every row.
func queryRows(ctx context.Context, q queryer, query string, args []any, each func(*sql.Rows) error) error {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	return readRows(rows, each)
}

func readRows(rows *sql.Rows, each func(*sql.Rows) error) error {
	defer rows.Close()
	for rows.Next() {
		if err := each(rows); err != nil {
			return err
		}
	}
	return errors.Join(rows.Err(), rows.Close())
}

// bind writes a query's question marks as the database wants them.
func (s *Store) bind(query string) string {
	if !s.postgres {
		return query
	}
	var b strings.Builder
	n := 0
	for {
		before, after, found := strings.Cut(query, "?")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		n++
		b.WriteByte('$')
		b.WriteString(strconv.Itoa(n))
		query = after
	}
}

// in is the condition that column is one of a list, which is one argument, made
// by list: the text of the query does not depend on its length.
func (s *Store) in(column string) string {
	if s.postgres {
		return column + " = ANY(?)"
	}
	return column + " IN (SELECT value FROM json_each(?))"
}

// list is the argument of in.
func list[T string | int64](s *Store, values []T) any {
	if values == nil {
		values = []T{}
	}
	if s.postgres {
		return values
	}
	return asJSON(values)
}

func asJSON[T string | int64](values []T) string {
	b, err := json.Marshal(values)
	if err != nil {
		panic(err) // neither strings nor numbers fail to encode
	}
	return string(b)
}
