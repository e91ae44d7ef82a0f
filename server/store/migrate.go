package store

import (
	"context"
	"database/sql"
	"fmt"
	"io/fs"

	atlas "ariga.io/atlas/sql/migrate"

	"github.com/waypost-dev/waypost/ent"
	"github.com/waypost-dev/waypost/server/store/migrations"
)

// Migration is one versioned change of the tables.
type Migration struct {
	Version string // time at which it was written, YYYYMMDDHHMMSS
	Name    string
	Applied bool
}

// Migrations returns all migrations that this program knows, in order. It
// changes nothing.
func (s *Store) Migrations(ctx context.Context) ([]Migration, error) {
	files, err := s.migrationFiles()
	if err != nil {
		return nil, err
	}
	applied, err := s.applied(ctx, s.reader)
	if err != nil {
		return nil, fmt.Errorf("read applied migrations: %w", err)
	}
	out := make([]Migration, len(files))
	for i, f := range files {
		_, ok := applied[f.Version()]
		out[i] = Migration{Version: f.Version(), Name: f.Desc(), Applied: ok}
	}
	return out, nil
}

// Migrate brings the tables up to date: all pending migrations in one
// transaction, so that several processes may start at once, and one that fails
// leaves no trace. It refuses a database that a newer program has migrated.
func (s *Store) Migrate(ctx context.Context) error {
	files, err := s.migrationFiles()
	if err != nil {
		return err
	}
	applied, err := s.applied(ctx, s.reader)
	if err != nil {
		return fmt.Errorf("read applied migrations: %w", err)
	}
	if todo, err := pending(files, applied); err != nil || len(todo) == 0 {
		return err // nothing is locked and nothing written
	}
	err = s.write(ctx, func(tx *ent.Tx, now int64) error {
		if _, err := tx.ExecContext(ctx, `CREATE TABLE IF NOT EXISTS "schema_migrations" ("version" text PRIMARY KEY, "hash" text NOT NULL, "applied" bigint NOT NULL)`); err != nil {
			return err
		}
		applied, err := s.applied(ctx, tx)
		if err != nil {
			return err
		}
		todo, err := pending(files, applied)
		if err != nil {
			return err
		}
		for _, f := range todo {
			statements, err := f.Stmts()
			if err != nil {
				return fmt.Errorf("%s: %w", f.Name(), err)
			}
			for _, statement := range statements {
				if _, err := tx.ExecContext(ctx, statement); err != nil {
					return fmt.Errorf("%s: %w", f.Name(), err)
				}
			}
			if _, err := tx.ExecContext(ctx, s.bind(`INSERT INTO "schema_migrations" ("version", "hash", "applied") VALUES (?, ?, ?)`), f.Version(), hashOf(f), now); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	return nil
}

// pending are the files that are not applied yet.
func pending(files []atlas.File, applied map[string]string) ([]atlas.File, error) {
	var out []atlas.File
	known := map[string]struct{}{}
	for _, f := range files {
		known[f.Version()] = struct{}{}
		switch hash, ok := applied[f.Version()]; {
		case !ok:
			out = append(out, f)
		case hash != hashOf(f):
			return nil, fmt.Errorf("migration %s was applied in another form: the database was migrated by a build that was never released; restore it from a backup", f.Name())
		}
	}
	for version := range applied {
		if _, ok := known[version]; !ok {
			return nil, fmt.Errorf("the database has migration %s, which this program does not know: a newer Waypost has migrated it; start that one", version)
		}
	}
	return out, nil
}

func hashOf(f atlas.File) string {
	h, err := atlas.NewHashFile([]atlas.File{f})
	if err != nil {
		panic(err) // hashing does not fail
	}
	return h.Sum()
}

// migrationFiles reads the embedded migrations, and checks them against their sum.
func (s *Store) migrationFiles() ([]atlas.File, error) {
	folder := "sqlite"
	if s.postgres {
		folder = "postgres"
	}
	dir := &atlas.MemDir{}
	entries, err := fs.ReadDir(migrations.FS, folder)
	if err != nil {
		return nil, fmt.Errorf("read migrations: %w", err)
	}
	for _, e := range entries {
		text, err := fs.ReadFile(migrations.FS, folder+"/"+e.Name())
		if err != nil {
			return nil, fmt.Errorf("read migrations: %w", err)
		}
		if err := dir.WriteFile(e.Name(), text); err != nil {
			return nil, fmt.Errorf("read migrations: %w", err)
		}
	}
	if err := atlas.Validate(dir); err != nil {
		return nil, fmt.Errorf("migrations of %s: %w", folder, err)
	}
	return dir.Files()
}

// applied returns the hashes of the applied migrations by version.
func (s *Store) applied(ctx context.Context, q queryer) (map[string]string, error) {
	exists := `SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'schema_migrations'`
	if s.postgres {
		exists = `SELECT count(*) FROM pg_catalog.pg_class WHERE oid = to_regclass('schema_migrations')`
	}
	var n int64
	if err := queryRow(ctx, q, exists, nil, &n); err != nil {
		return nil, err
	}
	out := map[string]string{}
	if n == 0 {
		return out, nil
	}
	err := queryRows(ctx, q, `SELECT "version", "hash" FROM "schema_migrations"`, nil, func(r *sql.Rows) error {
		var version, hash string
		err := r.Scan(&version, &hash)
		out[version] = hash
		return err
	})
	return out, err
}
