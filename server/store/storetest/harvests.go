package storetest

import (
	"bytes"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/store"
)

func problems(b *bundle) {
	u := update("r2")
	u.Repository.Documents["b.yaml"] = store.Document{Hash: "h", Problems: []catalog.Problem{
		{Code: catalog.CodeSpec, Severity: catalog.SeverityError, Line: 9, Message: "second"},
		{Code: catalog.CodeSpec, Severity: catalog.SeverityError, Line: 2, Message: "first"},
	}}
	u.Problems = []catalog.Problem{{Code: catalog.CodeUnreadable, Severity: catalog.SeverityWarning, Path: "CODEOWNERS", Message: "no right to read it"}}
	v := update("r1")
	v.Problems = []catalog.Problem{{Code: catalog.CodeUnreadable, Severity: catalog.SeverityWarning, Message: "empty"}}
	b.apply(u, v)
	h := begin(b.Context(), b, b.Store)
	h.State = store.HarvestFailed
	require.NoError(b, b.FinishHarvest(b.Context(), h, []catalog.Problem{{Code: catalog.CodeUnreadable, Severity: catalog.SeverityError, Message: "no right to list teams"}}))
	want := []catalog.Problem{
		{Code: catalog.CodeUnreadable, Severity: catalog.SeverityError, Source: source, Message: "no right to list teams"},
		{Code: catalog.CodeUnreadable, Severity: catalog.SeverityWarning, Source: source, Repository: "acme/r1", Message: "empty"},
		{Code: catalog.CodeUnreadable, Severity: catalog.SeverityWarning, Source: source, Repository: "acme/r2", Path: "CODEOWNERS", Message: "no right to read it"},
		{Code: catalog.CodeSpec, Severity: catalog.SeverityError, Source: source, Repository: "acme/r2", Path: "b.yaml", Line: 2, Message: "first"},
		{Code: catalog.CodeSpec, Severity: catalog.SeverityError, Source: source, Repository: "acme/r2", Path: "b.yaml", Line: 9, Message: "second"},
	}
	require.Empty(b, cmp.Diff(want, b.problems()))

	// A running harvest hides nothing; the next one that ends replaces.
	h = begin(b.Context(), b, b.Store)
	require.Len(b, b.problems(), 5)
	h.State = store.HarvestSucceeded
	require.NoError(b, b.FinishHarvest(b.Context(), h, nil))
	require.Len(b, b.problems(), 4)
	b.apply(update("r2"))
	require.Len(b, b.problems(), 1)
}

func harvests(b *bundle) {
	h := begin(b.Context(), b, b.Store)
	require.Positive(b, h.ID)
	require.Equal(b, store.HarvestRunning, h.State)
	require.WithinDuration(b, time.Now(), h.Started, time.Minute)
	got, err := b.GetHarvest(b.Context(), h.ID)
	require.NoError(b, err)
	require.Empty(b, cmp.Diff(h, got, cmpopts.EquateApproxTime(time.Millisecond)))

	require.ErrorContains(b, b.FinishHarvest(b.Context(), h, nil), "say how it ended")
	h.State, h.Error, h.Finished = store.HarvestFailed, "no\x00 more", time.Now().UTC()
	h.Repositories, h.Read, h.Added, h.Changed, h.Removed, h.Unchanged, h.Problems, h.Requests, h.FreeRequests = 1, 2, 3, 4, 5, 6, 7, 8, 9
	require.NoError(b, b.FinishHarvest(b.Context(), h, nil))
	got, err = b.GetHarvest(b.Context(), h.ID)
	require.NoError(b, err)
	require.Empty(b, cmp.Diff(h, got, cmpopts.EquateApproxTime(time.Millisecond)))

	second := begin(b.Context(), b, b.Store)
	second.State = store.HarvestSucceeded
	require.NoError(b, b.FinishHarvest(b.Context(), second, nil))
	other, err := b.BeginHarvest(b.Context(), "dir:/x", "test")
	require.NoError(b, err)
	list := func(source string, limit int) []int64 {
		all, err := b.Store.Harvests(b.Context(), source, limit)
		require.NoError(b, err)
		var ids []int64
		for _, h := range all {
			ids = append(ids, h.ID)
		}
		return ids
	}
	require.Equal(b, []int64{second.ID, h.ID}, list(source, 10))
	require.Equal(b, []int64{second.ID}, list(source, 1))
	require.Equal(b, []int64{other.ID, second.ID, h.ID}, list("", 10))
	sources, err := b.Sources(b.Context())
	require.NoError(b, err)
	require.Equal(b, []string{"dir:/x", source}, sources)
	_, err = b.GetHarvest(b.Context(), 9999)
	require.ErrorIs(b, err, store.ErrNotFound)
}

func lease(b *bundle) {
	h := begin(b.Context(), b, b.Store)
	_, err := b.BeginHarvest(b.Context(), source, "test")
	require.ErrorIs(b, err, store.ErrBusy, "this process has it")
	second := b.another(store.Options{})
	_, err = second.BeginHarvest(b.Context(), source, "test")
	require.ErrorIs(b, err, store.ErrBusy, "another process has it")
	_, err = second.Apply(b.Context(), source, []store.RepositoryUpdate{update("r1")})
	require.ErrorIs(b, err, store.ErrBusy, "who has no lease does not write")
	_, err = second.BeginHarvest(b.Context(), "dir:/x", "test")
	require.NoError(b, err, "other sources are free")
	b.apply(update("r1"))
	h.State = store.HarvestSucceeded
	require.NoError(b, b.FinishHarvest(b.Context(), h, nil))

	// One of many gets it.
	var won sync.Map
	var g errgroup.Group
	for i := range 4 {
		g.Go(func() error {
			h, err := []*store.Store{b.Store, second}[i%2].BeginHarvest(b.Context(), source, "test")
			if errors.Is(err, store.ErrBusy) {
				return nil
			}
			won.Store(h.ID, true)
			return err
		})
	}
	require.NoError(b, g.Wait())
	n := 0
	won.Range(func(any, any) bool { n++; return true })
	require.Equal(b, 1, n)
}

// leaseLost: the lease of a process that does not renew it any more lapses.
func leaseLost(b *bundle) {
	const short = 300 * time.Millisecond
	first, second := b.another(store.Options{Lease: short}), b.another(store.Options{Lease: short})
	h := begin(b.Context(), b, first)
	time.Sleep(3 * short)
	_, err := second.BeginHarvest(b.Context(), source, "test")
	require.ErrorIs(b, err, store.ErrBusy, "it is renewed")

	require.NoError(b, first.Close())
	h2, err := second.BeginHarvest(b.Context(), source, "test")
	require.NoError(b, err, "closing gives it back")
	got, err := b.GetHarvest(b.Context(), h.ID)
	require.NoError(b, err)
	require.Equal(b, store.HarvestInterrupted, got.State)
	require.False(b, got.Finished.IsZero())
	h.State = store.HarvestSucceeded
	require.ErrorIs(b, b.FinishHarvest(b.Context(), h, nil), store.ErrNotFound, "it was given up already")
	_, err = b.Apply(b.Context(), source, []store.RepositoryUpdate{update("r1")})
	require.ErrorIs(b, err, store.ErrBusy)
	h2.State = store.HarvestSucceeded
	require.NoError(b, second.FinishHarvest(b.Context(), h2, nil))
}

func responses(b *bundle) {
	_, ok, err := b.Response(b.Context(), "https://api/x")
	require.NoError(b, err)
	require.False(b, ok)
	for _, value := range [][]byte{[]byte("one"), []byte("two"), {0, 0xff}, {}} {
		require.NoError(b, b.PutResponse(b.Context(), "https://api/x", value))
		got, ok, err := b.Response(b.Context(), "https://api/x")
		require.NoError(b, err)
		require.True(b, ok)
		require.True(b, bytes.Equal(value, got))
	}
	require.NoError(b, b.PutResponse(b.Context(), "https://api/x", make([]byte, store.MaxResponse+1)))
	_, ok, err = b.Response(b.Context(), "https://api/x")
	require.NoError(b, err)
	require.False(b, ok, "neither the large one nor the one it replaced is kept")
	require.NoError(b, b.PutResponse(b.Context(), "https://api/y", []byte("x")))
	require.NoError(b, b.PutResponse(b.Context(), "https://api/y", nil))
	_, ok, err = b.Response(b.Context(), "https://api/y")
	require.NoError(b, err)
	require.False(b, ok)
}

func notify(b *bundle) {
	changed, stop := b.Store.Notify()
	got := func() bool {
		select {
		case <-changed:
			return true
		default:
			return false
		}
	}
	u := update("r1", entity("a", "acme/r1", file, 1, "one"))
	b.apply(u)
	require.True(b, got())
	b.apply(u)
	require.False(b, got(), "nothing changed")
	for i := range 3 { // nobody reads; the sender does not wait
		b.apply(update("r1", entity("a", "acme/r1", file, 1, fmt.Sprint(i))))
	}
	require.True(b, got())
	require.False(b, got())
	stop()
	b.apply(u)
	require.False(b, got())
}
