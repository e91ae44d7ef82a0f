package storetest

import (
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/store"
)

// troubles: a problem is opened once, goes on while it moves and changes its
// words, is gone when it is, and comes back as itself within a day.
func troubles(b *bundle) {
	problem := func(entity, message string, line int) store.Trouble {
		return store.Trouble{Owner: "group:default/shop", Problem: catalog.Problem{
			Code: catalog.CodeDangling, Severity: catalog.SeverityWarning, Source: source, Repository: "acme/r1", Path: "x.yaml",
			Line: line, Entity: entity, Field: "spec.owner", Message: message, Fix: catalog.Fix{Line: line, Found: "a", Replacement: "b"},
		}}
	}
	remember := func(now ...store.Trouble) {
		b.Helper()
		require.NoError(b, b.RememberTroubles(b.Context(), now))
	}
	one := func(gone bool) store.Trouble {
		b.Helper()
		all, err := b.Troubles(b.Context(), gone)
		require.NoError(b, err)
		require.Len(b, all, 1)
		for _, t := range all {
			return t
		}
		return store.Trouble{}
	}
	remember(problem("a", "first", 3))
	first := one(false)
	require.WithinDuration(b, time.Now(), first.Opened, time.Minute)
	require.Zero(b, first.Gone)
	require.Equal(b, problem("a", "first", 3).Problem, first.Problem)

	remember(problem("a", "in other words", 7))
	moved := one(false)
	require.Equal(b, first.Opened, moved.Opened)
	require.Equal(b, 7, moved.Problem.Line)
	remember()
	gone := one(true)
	require.Equal(b, first.Opened, gone.Opened)
	require.False(b, gone.Gone.Before(first.Opened))
	remember(problem("a", "again", 7))
	require.Equal(b, first.Opened, one(false).Opened, "it has not been away for long")

	// Two of one kind at one place are two.
	remember(problem("a", "again", 7), problem("a", "and again", 9))
	all, err := b.Troubles(b.Context(), false)
	require.NoError(b, err)
	require.Len(b, all, 2)
	remember(problem("a", "again", 7))
	one(false)
	one(true)
	require.NoError(b, b.PruneTroubles(b.Context(), time.Now().Add(-time.Hour)))
	one(true)
	require.NoError(b, b.PruneTroubles(b.Context(), time.Now().Add(time.Hour)))
	all, err = b.Troubles(b.Context(), true)
	require.NoError(b, err)
	require.Empty(b, all)
	require.Equal(b, "again", one(false).Problem.Message)
}
