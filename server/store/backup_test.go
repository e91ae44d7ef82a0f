package store

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waypost-dev/waypost/server/store/pgtest"
)

// TestBackup backs a database up while it is written to: the copy is the state
// at one moment, and can be gone on with.
func TestBackup(t *testing.T) {
	t.Parallel()
	s := open(t, "sqlite:"+filepath.Join(t.TempDir(), "x.db"), Options{})
	_, err := s.Apply(t.Context(), "s", []RepositoryUpdate{repositoryOf("r", 200, "0")})
	require.NoError(t, err)
	var writing sync.WaitGroup
	ctx, stop := context.WithCancel(t.Context())
	writing.Go(func() {
		for i := 1; ctx.Err() == nil; i++ {
			if _, err := s.Apply(ctx, "s", []RepositoryUpdate{repositoryOf("r", 200, fmt.Sprint(i))}); err != nil && ctx.Err() == nil {
				t.Errorf("write beside the backup: %v", err)
				return
			}
		}
	})
	for i := range 3 {
		copied := filepath.Join(t.TempDir(), "copy.db")
		require.NoError(t, s.Backup(t.Context(), copied))
		info, err := os.Stat(copied)
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
		restored := open(t, "sqlite:"+copied, Options{})
		invariants(t, restored)
		found := texts(t, restored)
		require.Len(t, found, 1, "one moment: %v", found)
		_, err = restored.Apply(t.Context(), "s", []RepositoryUpdate{repositoryOf("r", 200, fmt.Sprint("restored ", i))})
		require.NoError(t, err)
		require.Error(t, s.Backup(t.Context(), copied), "it overwrites nothing")
	}
	stop()
	writing.Wait()
}

// TestPostgresBackup restores what pg_dump wrote, as docs/operations.md says.
func TestPostgresBackup(t *testing.T) {
	t.Parallel()
	from, to := pgtest.URL(t), pgtest.URL(t)
	for _, tool := range []string{"pg_dump", "pg_restore"} {
		if _, err := exec.LookPath(tool); err != nil {
			if os.Getenv("WAYPOST_REQUIRE_ALL") == "1" {
				t.Fatalf("%v, and WAYPOST_REQUIRE_ALL=1", err)
			}
			t.Skipf("NOT TESTED: restoring what pg_dump wrote: %v", err)
		}
	}
	s := open(t, from, Options{})
	require.ErrorIs(t, s.Backup(t.Context(), filepath.Join(t.TempDir(), "x")), ErrNoBackup)
	_, err := s.Apply(t.Context(), "s", []RepositoryUpdate{repositoryOf("r", 50, "one")})
	require.NoError(t, err)
	var dump, said bytes.Buffer
	backup := exec.CommandContext(t.Context(), "pg_dump", "--format=custom", "--dbname="+from)
	backup.Stdout, backup.Stderr = &dump, &said
	require.NoError(t, backup.Run(), "%s", &said)
	restore := exec.CommandContext(t.Context(), "pg_restore", "--no-owner", "--exit-on-error", "--dbname="+to)
	restore.Stdin, restore.Stderr = &dump, &said
	require.NoError(t, restore.Run(), "%s", &said)
	restored := open(t, to, Options{})
	require.Equal(t, texts(t, s), texts(t, restored))
	invariants(t, restored)
	_, err = restored.Apply(t.Context(), "s", []RepositoryUpdate{repositoryOf("r", 50, "two")})
	require.NoError(t, err)
}
