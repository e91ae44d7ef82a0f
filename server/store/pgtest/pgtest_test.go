package pgtest_test

import (
	"database/sql"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waypost-dev/waypost/server/store/pgtest"
)

func TestURL(t *testing.T) {
	t.Parallel()
	a, b := open(t, pgtest.URL(t)), open(t, pgtest.URL(t))
	_, err := a.ExecContext(t.Context(), "CREATE TABLE only_in_a (n bigint)")
	require.NoError(t, err)
	_, err = a.ExecContext(t.Context(), "SELECT n FROM only_in_a")
	require.NoError(t, err)
	_, err = b.ExecContext(t.Context(), "SELECT n FROM only_in_a")
	require.ErrorContains(t, err, "does not exist", "each test has a database of its own")
}

func open(t *testing.T, address string) *sql.DB {
	t.Helper()
	db, err := sql.Open("pgx", address)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}
