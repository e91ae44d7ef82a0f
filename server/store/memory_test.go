package store_test

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waypost-dev/waypost/server/store"
)

// TestReleaseMemory asks for it in the middle of the Store's life: everything
// works afterwards, in a file and in memory, and a caller who gives up is heeded.
func TestReleaseMemory(t *testing.T) {
	t.Parallel()
	for _, dsn := range []string{"sqlite:" + filepath.Join(t.TempDir(), "m.db"), "sqlite::memory:"} {
		st, err := store.Open(t.Context(), dsn, store.Options{})
		require.NoError(t, err)
		require.NoError(t, st.ReleaseMemory(t.Context()))
		_, err = st.Latest(t.Context())
		require.NoError(t, err)
		require.NoError(t, st.ReleaseMemory(t.Context()))
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		require.ErrorIs(t, st.ReleaseMemory(gone), context.Canceled)
		require.NoError(t, st.Close())
	}
}
