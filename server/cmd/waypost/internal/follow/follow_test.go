package follow

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/index"
	"github.com/waypost-dev/waypost/server/store"
)

func open(t *testing.T, dsn string) *store.Store {
	st, err := store.Open(t.Context(), dsn, store.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, st.Close()) })
	return st
}

// put stores one repository with n components, named by prefix.
func put(t *testing.T, st *store.Store, repository string, n int) {
	t.Helper()
	u := store.RepositoryUpdate{Repository: store.Repository{ID: repository, Name: "acme/" + repository, State: "1", Facts: []byte("{}")}}
	for i := range n {
		name := fmt.Sprintf("%s-%d", repository, i)
		u.Claims = append(u.Claims, store.Claim{Key: name, Entity: &catalog.Entity{
			Ref:      catalog.Ref{Kind: "Component", Namespace: "default", Name: name},
			Document: fmt.Appendf(nil, `{"apiVersion":"backstage.io/v1alpha1","kind":"Component","metadata":{"name":%q},"spec":{}}`, name),
			Origin:   catalog.Origin{Source: "test:one", Repository: "acme/" + repository, Path: "catalog-info.yaml", Line: 1},
		}})
	}
	_, err := st.Apply(t.Context(), "test:one", []store.RepositoryUpdate{u})
	require.NoError(t, err)
}

func TestFollow(t *testing.T) {
	t.Parallel()
	dsn := "sqlite:" + filepath.Join(t.TempDir(), "x.db")
	st := open(t, dsn)
	put(t, st, "before", 3)

	x := index.New()
	f := New(st, x, slog.New(slog.DiscardHandler))
	require.NoError(t, f.Load(t.Context()))
	require.Equal(t, 3, x.Snapshot().Len())

	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- f.Run(ctx) }()
	// More than one step, through this process, which is told at once.
	begin := time.Now()
	put(t, st, "here", step+5)
	require.Eventually(t, func() bool { return x.Snapshot().Len() == step+8 }, 5*time.Second, 5*time.Millisecond)
	t.Logf("seen after %s", time.Since(begin))
	// Through another process, which only the polling sees.
	put(t, open(t, dsn), "elsewhere", 1)
	require.Eventually(t, func() bool { return x.Snapshot().Len() == step+9 }, 5*poll, 10*time.Millisecond)

	cancel()
	require.NoError(t, <-ended)
}
