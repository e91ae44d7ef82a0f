package store_test

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waypost-dev/waypost/server/store"
	"github.com/waypost-dev/waypost/server/store/pgtest"
	"github.com/waypost-dev/waypost/server/store/storetest"
)

func TestSQLite(t *testing.T)   { storetest.Run(t, sqlite) }
func TestPostgres(t *testing.T) { pgtest.URL(t); storetest.Run(t, postgres) }

// sqlite and postgres make a database for a test and open Stores over it.
func sqlite(t testing.TB) func(store.Options) *store.Store {
	return opener(t, "sqlite:"+filepath.Join(t.TempDir(), "waypost.db"))
}

func postgres(t testing.TB) func(store.Options) *store.Store { return opener(t, pgtest.URL(t)) }

func opener(t testing.TB, dsn string) func(store.Options) *store.Store {
	return func(opts store.Options) *store.Store {
		s, err := store.Open(t.Context(), dsn, opts)
		require.NoError(t, err)
		t.Cleanup(func() {
			if !t.Failed() {
				look, err := store.Open(context.Background(), dsn, store.Options{})
				require.NoError(t, err)
				store.Invariants(t, look)
				require.NoError(t, look.Close())
			}
			require.NoError(t, s.Close())
		})
		return s
	}
}
