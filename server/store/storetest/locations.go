package storetest

import (
	"fmt"
	"sync"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/waypost-dev/waypost/server/store"
)

func locations(b *bundle) {
	ctx := b.Context()
	list := func(after string, limit int) []store.Location {
		out, err := b.Locations(ctx, after, limit)
		require.NoError(b, err)
		return out
	}
	require.Empty(b, list("", 10))
	created := time.Date(2026, 11, 23, 12, 0, 0, 1000, time.UTC)
	// Byte by byte in this order, whatever the database's collation is.
	all := []store.Location{
		{ID: "3", Target: "file:/x\x00y", Created: created}, // not text that PostgreSQL takes
		{ID: "1", Target: "url:https://example.com/Z.yaml", Created: created, Creator: "ada"},
		{ID: "2", Target: "url:https://example.com/a.yaml", Created: created.Add(time.Microsecond)},
		{ID: "0", Target: "url:https://example.com/ä.yaml", Created: created},
	}
	for _, l := range []int{2, 0, 3, 1} {
		require.NoError(b, b.PutLocation(ctx, all[l]))
	}
	byTarget := append(append([]store.Location{}, all[1:]...), all[0]) // its mark sorts last
	require.Empty(b, cmp.Diff(byTarget, list("", 10)))
	require.Empty(b, cmp.Diff(byTarget[:2], list("", 2)))
	require.Empty(b, cmp.Diff(byTarget[2:], list(byTarget[1].Target, 10)))
	require.Empty(b, list(byTarget[3].Target, 10))

	require.ErrorIs(b, b.PutLocation(ctx, store.Location{ID: "9", Target: all[1].Target, Creator: "eve"}), store.ErrExists)
	got, err := b.GetLocation(ctx, "1", "")
	require.NoError(b, err)
	require.Empty(b, cmp.Diff(all[1], got), "what is there stays")
	got, err = b.GetLocation(ctx, "", all[0].Target)
	require.NoError(b, err)
	require.Empty(b, cmp.Diff(all[0], got))
	_, err = b.GetLocation(ctx, "9", "")
	require.ErrorIs(b, err, store.ErrNotFound)

	require.NoError(b, b.DeleteLocation(ctx, "1"))
	require.ErrorIs(b, b.DeleteLocation(ctx, "1"), store.ErrNotFound)
	require.Len(b, list("", 10), 3)

	// Of many that register the same target at once one does.
	var group sync.WaitGroup
	errs := make([]error, 8)
	for i := range errs {
		group.Go(func() {
			errs[i] = b.PutLocation(ctx, store.Location{ID: fmt.Sprint("many-", i), Target: "url:https://example.com/many", Created: created})
		})
	}
	group.Wait()
	won := 0
	for _, err := range errs {
		if err == nil {
			won++
		} else {
			require.ErrorIs(b, err, store.ErrExists)
		}
	}
	require.Equal(b, 1, won)
}
