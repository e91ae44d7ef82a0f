package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/waypost-dev/waypost/ent"
)

// channel is PostgreSQL's channel on which a process tells the others that it
// has committed changes. The payload is its holder name.
const channel = "waypost_changes"

// relisten is the pause before listening again after the connection was lost.
const relisten = time.Second

// announce has PostgreSQL tell the other processes when tx commits.
func (s *Store) announce(ctx context.Context, tx *ent.Tx) error {
	if !s.postgres {
		return nil
	}
	if _, err := tx.ExecContext(ctx, `SELECT pg_notify('`+channel+`', $1)`, s.holder); err != nil {
		return fmt.Errorf("announce changes: %w", err)
	}
	return nil
}

// listen tells the watchers of this process what other processes announce,
// until ctx ends. It is no more than a hint: who follows the feed also asks now
// and then, and so misses nothing while the connection is lost.
func (s *Store) listen(ctx context.Context, config *pgx.ConnConfig) {
	for ctx.Err() == nil {
		_ = s.listenOnce(ctx, config) // the database's trouble shows where it is asked
		select {
		case <-ctx.Done():
		case <-time.After(relisten):
			s.tell() // of what may have been missed
		}
	}
}

func (s *Store) listenOnce(ctx context.Context, config *pgx.ConnConfig) error {
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return err
	}
	defer func() {
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = conn.Close(closing)
	}()
	if _, err := conn.Exec(ctx, "LISTEN "+channel); err != nil {
		return err
	}
	s.tell() // of what came before anybody listened
	for {
		n, err := conn.WaitForNotification(ctx)
		if err != nil {
			return err
		}
		if n.Payload != s.holder { // its own watchers know already
			s.tell()
		}
	}
}
