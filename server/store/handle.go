package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// Handle is what the job queue needs to keep its tables in the same database.
type Handle struct {
	// SQLite is the one connection that writes, whose callers queue in the order
	// in which they come: a second connection would have to wait for the file's
	// lock, which is not fair. It belongs to the Store. Nil on PostgreSQL.
	SQLite *sql.DB
	// Postgres is where to connect to; nil on SQLite.
	Postgres *pgx.ConnConfig
	// Lease is how long a name is present that Attend was last called with.
	Lease time.Duration
}

// Handle is the way to the database for the job queue, and for nobody else.
func (s *Store) Handle() Handle {
	h := Handle{Lease: s.lease}
	if s.postgres {
		h.Postgres = s.config.Copy()
	} else {
		h.SQLite = s.writer
	}
	return h
}

// attendant precedes the name of a job runner in the table of leases.
const attendant = "jobs "

// Attend makes a job runner of this Store known to the others, or says that it
// is still there. Call it three times in each Handle.Lease.
func (s *Store) Attend(ctx context.Context, name string) error {
	err := retry(ctx, func() error {
		_, err := s.writer.ExecContext(ctx, s.bind(`INSERT INTO "leases" ("source", "holder", "expires") VALUES (?, ?, `+s.clock()+` + ?)
			ON CONFLICT ("source") DO UPDATE SET "holder" = excluded."holder", "expires" = excluded."expires"`),
			attendant+name, s.holder, s.lease.Microseconds())
		return err
	})
	if err != nil {
		return fmt.Errorf("attend as %s: %w", name, err)
	}
	return nil
}

// Leave takes back what Attend said, of this runner or of one that has died.
func (s *Store) Leave(ctx context.Context, name string) error {
	err := retry(ctx, func() error {
		_, err := s.writer.ExecContext(ctx, s.bind(`DELETE FROM "leases" WHERE "source" = ?`), attendant+name)
		return err
	})
	if err != nil {
		return fmt.Errorf("leave as %s: %w", name, err)
	}
	return nil
}

// Attending tells of every job runner that has not left whether it is still
// there: it attended within the lease, and its process has not ended for all
// that can be told from here.
func (s *Store) Attending(ctx context.Context) (map[string]bool, error) {
	out := map[string]bool{}
	err := queryRows(ctx, s.reader, s.bind(`SELECT "source", "holder", "expires" > `+s.clock()+` FROM "leases" WHERE "source" LIKE ?`), []any{attendant + "%"},
		func(rows *sql.Rows) error {
			var id, holder string
			var lasting bool
			if err := rows.Scan(&id, &holder, &lasting); err != nil {
				return err
			}
			out[strings.TrimPrefix(id, attendant)] = lasting && !s.dead(holder)
			return nil
		})
	if err != nil {
		return nil, fmt.Errorf("read who attends: %w", err)
	}
	return out, nil
}

// clock is the database's clock in Unix microseconds, as an expression.
func (s *Store) clock() string {
	if s.postgres {
		return "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint"
	}
	return "CAST(unixepoch('now', 'subsec') * 1000000 AS INTEGER)"
}
