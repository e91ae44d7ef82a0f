package store

import (
	"context"
	"errors"
	"fmt"
	"os"
)

// ErrNoBackup: the database has its own tools for that.
var ErrNoBackup = errors.New("back PostgreSQL up with pg_dump --format=custom, and restore it with pg_restore")

// Backup copies an SQLite database, as it is at one moment, into a file that
// must not exist, while others read and write. The copy is a database that can
// be opened like any other. For PostgreSQL it returns ErrNoBackup.
func (s *Store) Backup(ctx context.Context, path string) error {
	if s.postgres {
		return ErrNoBackup
	}
	// Made here, so that nobody else can read it.
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("back up: %w", err)
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("back up: %w", err)
	}
	if _, err := s.reader.ExecContext(ctx, `VACUUM INTO ?`, path); err != nil {
		return errors.Join(fmt.Errorf("back up to %s: %w", path, explain(err)), os.Remove(path))
	}
	return nil
}
