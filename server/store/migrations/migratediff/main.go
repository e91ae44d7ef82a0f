// Command migratediff writes the migrations that bring the databases to the
// tables of ent/schema: one versioned file for SQLite and one for PostgreSQL,
// below server/store/migrations. Run it at the root of the module:
//
//	go run ./server/store/migrations/migratediff NAME
//
// NAME says what changes, in words_like_these. Migrations that have landed are
// frozen; a later change is another file. It needs PostgreSQL where pgtest finds
// one, to replay the existing migrations on.
package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	atlas "ariga.io/atlas/sql/migrate"
	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	"entgo.io/ent/dialect/sql/schema"
	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/waypost-dev/waypost/ent"
	"github.com/waypost-dev/waypost/server/store/pgtest"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: go run ./server/store/migrations/migratediff NAME")
		os.Exit(2)
	}
	if err := run(context.Background(), os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "migratediff:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, name string) error {
	postgres, drop, err := pgtest.Database()
	if err != nil {
		return err
	}
	defer drop()
	return errors.Join(
		diff(ctx, name, "sqlite", "sqlite", "file:migratediff?mode=memory&cache=shared&_pragma=foreign_keys(1)", dialect.SQLite),
		diff(ctx, name, "postgres", "pgx", postgres, dialect.Postgres),
	)
}

func diff(ctx context.Context, name, folder, driver, address, of string) error {
	dir, err := atlas.NewLocalDir(filepath.Join("server", "store", "migrations", folder))
	if err != nil {
		return err
	}
	db, err := sql.Open(driver, address)
	if err != nil {
		return err
	}
	defer db.Close()
	client := ent.NewClient(ent.Driver(entsql.OpenDB(of, db)))
	err = client.Schema.NamedDiff(ctx, name,
		schema.WithDir(dir), schema.WithFormatter(atlas.DefaultFormatter), schema.WithMigrationMode(schema.ModeReplay),
		schema.WithDialect(of), schema.WithDropColumn(true), schema.WithDropIndex(true))
	if err != nil {
		return fmt.Errorf("%s: %w", folder, err)
	}
	return nil
}
