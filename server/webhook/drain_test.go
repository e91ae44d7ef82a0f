package webhook_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"
	"pgregory.net/rapid"

	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/source"
	"github.com/waypost-dev/waypost/server/store"
	"github.com/waypost-dev/waypost/server/webhook"
)

// put puts deliveries into the inbox, numbered from 1, a microsecond apart.
func put(t testing.TB, s *store.Store, payloads ...string) {
	t.Helper()
	var batch []store.Delivery
	for n, p := range payloads {
		batch = append(batch, store.Delivery{
			ID: fmt.Sprint(n + 1), Source: acme, Event: "push", Payload: []byte(p), Waiting: true,
			Received: time.UnixMicro(int64(1_000_000 + n)),
		})
	}
	_, err := s.PutDeliveries(t.Context(), batch)
	require.NoError(t, err)
}

// outcomes by id.
func outcomes(t testing.TB, s *store.Store) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, d := range deliveries(t, s, acme) {
		require.NotEqual(t, d.Waiting, d.Outcome != "", "delivery %s", d.ID)
		out[d.ID] = d.Outcome
	}
	return out
}

func TestDrain(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, dsn string) {
		s, e := open(t, dsn), &engine{counts: store.Counts{Changed: 2}}
		i := inbox(t, s, sourcesOf(acme, "github:other"), e.options())
		require.NoError(t, i.Drain(t.Context(), acme))
		require.ErrorContains(t, i.Drain(t.Context(), "github:none"), "no such source")

		put(t, s,
			`{"Repositories":[{"ID":"R1","Number":1,"Name":"acme/old"}],"Actor":"ann"}`,
			`{"Ignored":"no watched path"}`,
			`{"Error":"no repository in it"}`,
			`{"Panic":"index out of range"}`,
			`{"Repositories":[{"ID":"R2","Number":2,"Name":"acme/two"},{"Number":1,"Name":"acme/new","Teams":true}],"Actor":"bob"}`,
			`not JSON`,
			`{}`,
			`{"Ignored":"`+strings.Repeat("ü", 400)+`"}`)
		require.NoError(t, i.Drain(t.Context(), acme))
		require.Empty(t, cmp.Diff([]call{{
			Source: acme,
			Scope:  source.Scope{Repositories: []source.Pointer{{ID: "R1", Number: 1, Name: "acme/new", Teams: true}, {ID: "R2", Number: 2, Name: "acme/two"}}},
			Cause:  catalog.Cause{Via: catalog.ViaWebhook, Actor: "bob", Delivery: "5"},
		}}, e.refreshes))
		require.Empty(t, e.harvests)
		got := outcomes(t, s)
		require.Contains(t, got["6"], "failed: payload of push: invalid character")
		require.LessOrEqual(t, len(got["8"]), 510)
		delete(got, "6")
		delete(got, "8")
		const refreshed = "refreshed 2 repositories for 2 deliveries: 0 added, 2 changed, 0 removed"
		require.Empty(t, cmp.Diff(map[string]string{
			"1": refreshed, "2": "ignored: no watched path", "3": "failed: no repository in it", "4": "failed: panic: index out of range",
			"5": refreshed, "7": "ignored: it names nothing to look at",
		}, got))
		require.Empty(t, waiting(t, s, acme))
		require.NoError(t, i.Drain(t.Context(), acme))
		require.Len(t, e.refreshes, 1)
	})
}

// A change of files that nobody reads for their own sake counts only if the catalog
// has one of them.
func TestDrainTouched(t *testing.T) {
	t.Parallel()
	s, e := memory(t), &engine{}
	o := e.options()
	var broken error
	o.Leads = func(_ context.Context, name string, at source.Pointer, files []string) (bool, error) {
		require.Equal(t, acme, name)
		return at.ID == "R1" && slices.Contains(files, "api/orders.json"), broken
	}
	i := inbox(t, s, sourcesOf(acme), o)
	put(t, s,
		`{"Repositories":[{"ID":"R1"}],"Touched":["main.go"]}`,
		`{"Repositories":[{"ID":"R1"}],"Touched":["main.go","api/orders.json"]}`,
		`{"Repositories":[{"ID":"R2"}],"Touched":["api/orders.json"]}`,
		`{"Repositories":[{"ID":"R1"}],"Touched":[]}`)
	broken = errors.New("the database is away")
	require.ErrorContains(t, i.Drain(t.Context(), acme), "the database is away")
	require.Len(t, waiting(t, s, acme), 4, "they are looked at again")
	broken = nil
	require.NoError(t, i.Drain(t.Context(), acme))
	require.Len(t, e.refreshes, 1)
	require.Equal(t, []source.Pointer{{ID: "R1"}}, e.refreshes[0].Scope.Repositories)
	const nothing = "ignored: it changes no path that is watched"
	got := outcomes(t, s)
	require.Contains(t, got["2"], "refreshed R1: ")
	delete(got, "2")
	require.Equal(t, map[string]string{"1": nothing, "3": nothing, "4": nothing}, got)
}

func TestDrainEverything(t *testing.T) {
	t.Parallel()
	s, e := memory(t), &engine{}
	i := inbox(t, s, sourcesOf(acme), e.options())
	put(t, s, `{"Everything":true,"Actor":"ann"}`, `{"Everything":true,"Actor":"bob"}`)
	require.NoError(t, i.Drain(t.Context(), acme))
	require.Empty(t, cmp.Diff([]call{{Source: acme, Cause: catalog.Cause{Via: catalog.ViaWebhook, Actor: "bob", Delivery: "2"}}}, e.harvests))
	require.Empty(t, e.refreshes)
	require.Equal(t, map[string]string{"1": "asked for a harvest", "2": "asked for a harvest"}, outcomes(t, s))
}

// A harvest takes a while: what an announcement names beside it is refreshed.
func TestDrainBoth(t *testing.T) {
	t.Parallel()
	s, e := memory(t), &engine{}
	i := inbox(t, s, sourcesOf(acme), e.options())
	put(t, s, `{"Everything":true,"Actor":"ann","Repositories":[{"Name":"acme/one"}]}`)
	require.NoError(t, i.Drain(t.Context(), acme))
	require.Len(t, e.harvests, 1)
	require.Empty(t, cmp.Diff([]call{{
		Source: acme, Scope: source.Scope{Repositories: []source.Pointer{{Name: "acme/one"}}},
		Cause: catalog.Cause{Via: catalog.ViaWebhook, Actor: "ann", Delivery: "1"},
	}}, e.refreshes))
}

// What a failed refresh was for waits for the next attempt; the others do not.
func TestDrainRetried(t *testing.T) {
	t.Parallel()
	s, e := memory(t), &engine{refuse: errors.New("the forge is down")}
	i := inbox(t, s, sourcesOf(acme), e.options())
	put(t, s, `{"Directory":true}`, `{"Ignored":"a star"}`, `{"Everything":true}`)
	for range 3 {
		err := i.Drain(t.Context(), acme)
		require.ErrorContains(t, err, "drain the inbox of github:acme: ask for a harvest: the forge is down\nthe forge is down")
		require.Equal(t, map[string]string{"1": "", "2": "ignored: a star", "3": ""}, outcomes(t, s))
	}
	for _, d := range waiting(t, s, acme) {
		require.NotEmpty(t, d.Payload)
	}
	e.refuse = nil
	require.NoError(t, i.Drain(t.Context(), acme))
	require.Equal(t, map[string]string{
		"1": "refreshed the directory: 0 added, 0 changed, 0 removed", "2": "ignored: a star", "3": "asked for a harvest",
	}, outcomes(t, s))
	require.Equal(t, "1", e.refreshes[3].Cause.Delivery)

	// What is held is applied as far as it may be: trying again helps nobody.
	e.refuse = fmt.Errorf("refresh: %w", store.Held{Entities: 30, Of: 100})
	put(t, s, "", "", "", `{"Repositories":[{"ID":"R1"}]}`)
	require.NoError(t, i.Drain(t.Context(), acme))
	require.Contains(t, outcomes(t, s)["4"], "refreshed, but for what is held: refresh: 30 of 100 entities would be removed")
}

func TestDrainEnds(t *testing.T) {
	t.Parallel()
	s, e := memory(t), &engine{}
	i := inbox(t, s, sourcesOf(acme), e.options())
	put(t, s, `{"Directory":true}`)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, i.Drain(ctx, acme), context.Canceled)
	require.Empty(t, e.refreshes)
	require.Len(t, waiting(t, s, acme), 1)
}

// Two replicas that drain at once, while deliveries come in: each delivery is
// part of a refresh that began after it had come, and is done at the end.
func TestDrainTogether(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, dsn string) {
		const all, repositories = 2000, 50
		var mu sync.Mutex
		committed := 0                    // deliveries, in order
		seen := make([]int, repositories) // how many were committed when it was last refreshed
		refresh := func(_ context.Context, _ string, scope source.Scope, _ catalog.Cause) (store.Counts, error) {
			mu.Lock()
			defer mu.Unlock()
			for _, p := range scope.Repositories {
				seen[p.Number] = max(seen[p.Number], committed)
			}
			return store.Counts{}, nil
		}
		var replicas []*webhook.Inbox
		var stores []*store.Store
		for range 2 {
			stores = append(stores, open(t, dsn))
			replicas = append(replicas, inbox(t, stores[len(stores)-1], sourcesOf(acme), webhook.Options{Refresh: refresh}))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		stop := make(chan struct{})
		var g errgroup.Group
		for _, i := range replicas {
			g.Go(func() error {
				for {
					select {
					case <-stop:
						return i.Drain(ctx, acme)
					default:
						if err := i.Drain(ctx, acme); err != nil {
							return err
						}
					}
				}
			})
		}
		last := make([]int, repositories)
		for n := 0; n < all; n += 20 {
			var batch []store.Delivery
			for k := n; k < n+20; k++ {
				r := (k * 31) % repositories
				batch = append(batch, store.Delivery{
					ID: fmt.Sprint(k), Source: acme, Event: "push", Waiting: true, Received: time.Now(),
					Payload: fmt.Appendf(nil, `{"Repositories":[{"Number":%d,"ID":"R%d"}]}`, r, r),
				})
			}
			mu.Lock()
			_, err := stores[n/20%2].PutDeliveries(ctx, batch)
			committed += 20
			mu.Unlock()
			require.NoError(t, err)
			for k := n; k < n+20; k++ {
				last[(k*31)%repositories] = committed
			}
		}
		close(stop)
		require.NoError(t, g.Wait())
		for r := range repositories {
			require.GreaterOrEqual(t, seen[r], last[r], "repository %d was refreshed after its last delivery", r)
		}
		require.Empty(t, waiting(t, stores[0], acme))
		require.Len(t, deliveries(t, stores[1], acme), all)
	})
}

// Whatever is named stays named, once.
func TestScope(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		word := rapid.SampledFrom([]string{"", "a", "b", "B", "c"})
		var all []source.Pointer
		var merged webhook.Scope
		for range rapid.IntRange(0, 12).Draw(t, "pointers") {
			p := source.Pointer{ID: word.Draw(t, "id"), Name: word.Draw(t, "name")}
			if p.ID != "" { // ids and numbers are two names of one thing
				p.Number = int64(slices.Index([]string{"", "a", "b", "B", "c"}, p.ID)) * int64(rapid.IntRange(0, 1).Draw(t, "known"))
				p.ID = []string{p.ID, ""}[rapid.IntRange(0, 1).Draw(t, "hidden")]
			}
			if p == (source.Pointer{}) {
				continue
			}
			all = append(all, p)
			merged.Add(source.Scope{Repositories: []source.Pointer{p}})
		}
		ids, numbers, names := map[string]int{}, map[int64]int{}, map[string]int{}
		for _, p := range merged.Repositories {
			if p.ID != "" {
				ids[p.ID]++
			}
			if p.Number != 0 {
				numbers[p.Number]++
			}
			if p.ID == "" && p.Number == 0 {
				names[strings.ToLower(p.Name)]++
			}
		}
		for _, p := range all {
			switch {
			case p.ID != "":
				if ids[p.ID] == 0 {
					t.Fatalf("%+v is lost in %+v", p, merged.Repositories)
				}
			case p.Number != 0:
				if numbers[p.Number] == 0 {
					t.Fatalf("%+v is lost in %+v", p, merged.Repositories)
				}
			default:
				if names[strings.ToLower(p.Name)] == 0 {
					t.Fatalf("%+v is lost in %+v", p, merged.Repositories)
				}
			}
		}
		for _, n := range slices.Concat(slices.Collect(maps.Values(ids)), slices.Collect(maps.Values(names))) {
			if n != 1 {
				t.Fatalf("twice in %+v", merged.Repositories)
			}
		}
	})
}
