package store

import (
	"bytes"
	"io/fs"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"entgo.io/ent/dialect/sql/schema"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/waypost-dev/waypost/server/store/migrations"
	"github.com/waypost-dev/waypost/server/store/pgtest"
)

// each runs a test on both databases, empty at first.
func each(t *testing.T, test func(t *testing.T, dsn string)) {
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		test(t, "sqlite:"+filepath.Join(t.TempDir(), "waypost.db"))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		test(t, pgtest.URL(t))
	})
}

func open(t testing.TB, dsn string, opts Options) *Store {
	t.Helper()
	s, err := Open(t.Context(), dsn, opts)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

// The migrations make exactly the tables of ent/schema.
func TestMigrationsAreTheSchema(t *testing.T) {
	t.Parallel()
	var alone sync.Mutex // ent sets up the tables of the whole process anew for each of these
	each(t, func(t *testing.T, dsn string) {
		alone.Lock()
		defer alone.Unlock()
		s := open(t, dsn, Options{NoMigrate: true})
		var before bytes.Buffer
		require.NoError(t, s.writes.Schema.WriteTo(t.Context(), &before))
		require.Contains(t, before.String(), "CREATE TABLE", "an empty database differs")

		require.NoError(t, s.Migrate(t.Context()))
		var after bytes.Buffer
		require.NoError(t, s.writes.Schema.WriteTo(t.Context(), &after, schema.WithDropColumn(true), schema.WithDropIndex(true)))
		require.Empty(t, strings.TrimSpace(after.String()), "run: go run ./server/store/migrations/migratediff NAME")

		_, err := s.writer.ExecContext(t.Context(), `DROP INDEX "claim_served"`)
		require.NoError(t, err)
		require.NoError(t, s.writes.Schema.WriteTo(t.Context(), &after))
		require.Contains(t, after.String(), "claim_served", "a difference shows")
	})
}

// The columns that are written in bulk are those of the tables.
func TestBulkColumns(t *testing.T) {
	t.Parallel()
	s := open(t, "sqlite:"+filepath.Join(t.TempDir(), "waypost.db"), Options{})
	for _, table := range []bulk{repositoriesTable, documentsTable, contentsTable, claimsTable, revisionsTable} {
		rows, err := s.reader.QueryContext(t.Context(), `SELECT * FROM "`+table.name+`"`)
		require.NoError(t, err)
		want, err := rows.Columns()
		require.NoError(t, err)
		require.NoError(t, rows.Err())
		require.NoError(t, rows.Close()) //nolint:sqlclosecheck // in a loop
		var got []string
		for _, c := range table.columns {
			got = append(got, c.name)
		}
		require.ElementsMatch(t, want, got, table.name)
	}
}

func TestMigrate(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, dsn string) {
		s := open(t, dsn, Options{NoMigrate: true})
		all, err := s.Migrations(t.Context())
		require.NoError(t, err)
		require.NotEmpty(t, all)
		for _, m := range all {
			require.False(t, m.Applied)
			require.Len(t, m.Version, 14)
			require.NotEmpty(t, m.Name)
		}

		// Several processes start at once.
		var g errgroup.Group
		for range 4 {
			other := open(t, dsn, Options{NoMigrate: true})
			g.Go(func() error { return other.Migrate(t.Context()) })
		}
		require.NoError(t, g.Wait())
		all, err = s.Migrations(t.Context())
		require.NoError(t, err)
		for _, m := range all {
			require.True(t, m.Applied)
		}
		require.NoError(t, s.Migrate(t.Context()), "again")

		// Another form of a migration, and one from the future.
		_, err = s.writer.ExecContext(t.Context(), `UPDATE "schema_migrations" SET "hash" = 'x' || "hash"`)
		require.NoError(t, err)
		require.ErrorContains(t, s.Migrate(t.Context()), "was applied in another form")
		_, err = s.writer.ExecContext(t.Context(), `UPDATE "schema_migrations" SET "hash" = substr("hash", 2)`)
		require.NoError(t, err)
		require.NoError(t, s.Migrate(t.Context()))
		_, err = s.writer.ExecContext(t.Context(), `INSERT INTO "schema_migrations" ("version", "hash", "applied") VALUES ('29990101000000', '', 0)`)
		require.NoError(t, err)
		_, err = Open(t.Context(), dsn, Options{})
		require.ErrorContains(t, err, "a newer Waypost has migrated it")
	})
}

// Both databases have the same migrations under the same names.
func TestMigrationsComeInPairs(t *testing.T) {
	t.Parallel()
	names := func(folder string) []string {
		entries, err := fs.ReadDir(migrations.FS, folder)
		require.NoError(t, err)
		var out []string
		for _, e := range entries {
			_, name, _ := strings.Cut(e.Name(), "_")
			out = append(out, name)
		}
		return out
	}
	require.Equal(t, names("sqlite"), names("postgres"))
}
