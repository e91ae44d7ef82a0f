package storetest

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/waypost-dev/waypost/server/store"
)

// received is when the deliveries of the tests began to come in.
var received = time.Date(2026, 11, 23, 12, 0, 0, 1000, time.UTC)

// delivery is one that waits, received so many microseconds later.
func delivery(id string, later int) store.Delivery {
	return store.Delivery{
		ID: id, Source: source, Event: "push", Received: received.Add(time.Duration(later) * time.Microsecond),
		Payload: fmt.Appendf(nil, `{"id":%q}`, id), Waiting: true,
	}
}

func (b *bundle) put(deliveries ...store.Delivery) []bool {
	b.Helper()
	fresh, err := b.PutDeliveries(b.Context(), deliveries)
	require.NoError(b, err)
	return fresh
}

func (b *bundle) waiting(source string, limit int) []store.Delivery {
	b.Helper()
	out, err := b.WaitingDeliveries(b.Context(), source, limit)
	require.NoError(b, err)
	return out
}

func (b *bundle) deliveries(source string, limit int) []store.Delivery {
	b.Helper()
	out, err := b.Deliveries(b.Context(), source, limit)
	require.NoError(b, err)
	return out
}

func deliveries(b *bundle) {
	require.Empty(b, b.put())
	require.Empty(b, b.waiting(source, 10))
	queues, err := b.DeliveryQueues(b.Context())
	require.NoError(b, err)
	require.Empty(b, queues)

	// The order of receipt is that of the time, whatever the ids are.
	third, first, second := delivery("a", 3), delivery("b", 1), delivery("c", 2)
	other := delivery("a", 9)
	other.Source = "github:acme a" // whose ids are its own
	ping := delivery("d", 4)
	ping.Event, ping.Payload, ping.Waiting, ping.Outcome = "ping", nil, false, "pong"
	require.Equal(b, []bool{true, true, true, true, true}, b.put(third, first, second, other, ping))
	require.Empty(b, cmp.Diff([]store.Delivery{first, second, third}, b.waiting(source, 10)))
	require.Empty(b, cmp.Diff([]store.Delivery{first, second}, b.waiting(source, 2)))
	require.Empty(b, cmp.Diff([]store.Delivery{other}, b.waiting(other.Source, 2)))

	// What is there stays; what is new is put beside it.
	again := delivery("b", 5)
	again.Payload = []byte(`{}`)
	fresh := delivery("e", 6)
	require.Equal(b, []bool{false, true, false, false}, b.put(again, fresh, fresh, ping))
	require.Empty(b, cmp.Diff([]store.Delivery{first, second, third, fresh}, b.waiting(source, 10)))

	queues, err = b.DeliveryQueues(b.Context())
	require.NoError(b, err)
	require.Empty(b, cmp.Diff([]store.DeliveryQueue{
		{Source: source, Depth: 4, Oldest: first.Received}, {Source: other.Source, Depth: 1, Oldest: other.Received},
	}, queues))

	first.Outcome, third.Outcome = "refreshed acme/a", "ignored: no watched path"
	require.NoError(b, b.FinishDeliveries(b.Context(), []store.Delivery{third, first}))
	require.Empty(b, cmp.Diff([]store.Delivery{second, fresh}, b.waiting(source, 10)))
	first.Outcome = "too late"
	require.NoError(b, b.FinishDeliveries(b.Context(), []store.Delivery{first}), "another replica was faster")
	require.NoError(b, b.FinishDeliveries(b.Context(), nil))

	for _, d := range []*store.Delivery{&first, &second, &third, &fresh, &other} {
		d.Payload = nil // a listing leaves them out
	}
	first.Outcome, first.Waiting, third.Waiting = "refreshed acme/a", false, false
	require.Empty(b, cmp.Diff([]store.Delivery{fresh, ping, third, second, first}, b.deliveries(source, 10)))
	require.Empty(b, cmp.Diff([]store.Delivery{fresh, ping}, b.deliveries(source, 2)))
	require.Empty(b, cmp.Diff([]store.Delivery{other, fresh, ping}, b.deliveries("", 3)))
	require.Equal(b, []bool{false}, b.put(delivery("b", 7)), "what was processed is known")

	// What waits is never forgotten, nor is what came later.
	n, err := b.PruneDeliveries(b.Context(), third.Received)
	require.NoError(b, err)
	require.Equal(b, 1, n)
	require.Empty(b, cmp.Diff([]store.Delivery{fresh, ping, third, second}, b.deliveries(source, 10)))
	require.Equal(b, []bool{true}, b.put(delivery("b", 7)), "what was forgotten is new")
}

// deliveryText: what a caller sends cannot break a row, or pass for another's.
func deliveryText(b *bundle) {
	hostile := []string{"nul\x00", "\xff\xfe", `quote"'\`, "two words", "", strings.Repeat("long", 1000), "\uFFFDhex:00"}
	var want []store.Delivery
	for i, text := range hostile {
		d := delivery(text, i)
		d.Event, d.Payload = text, []byte(text+"\x00\xff")
		want = append(want, d)
	}
	b.put(want...)
	require.Empty(b, cmp.Diff(want, b.waiting(source, 100)))
	for i := range want {
		want[i].Outcome = hostile[i]
	}
	require.NoError(b, b.FinishDeliveries(b.Context(), want))
	require.Empty(b, b.waiting(source, 100))
	for i, d := range b.deliveries(source, 100) {
		require.Equal(b, hostile[len(hostile)-1-i], d.Outcome)
	}
}

// deliveryBounds: many rows and large payloads come and go in pieces.
func deliveryBounds(b *bundle) {
	var many []store.Delivery
	for i := range 5000 {
		many = append(many, delivery(fmt.Sprintf("%04d", (i*7919)%5000), i))
	}
	for _, isNew := range b.put(many...) {
		require.True(b, isNew)
	}
	require.Empty(b, cmp.Diff(many, b.waiting(source, 10_000)))
	require.NoError(b, b.FinishDeliveries(b.Context(), many))
	n, err := b.PruneDeliveries(b.Context(), received.Add(time.Hour))
	require.NoError(b, err)
	require.Equal(b, 5000, n)

	large := make([]store.Delivery, 4)
	for i := range large {
		large[i] = delivery(fmt.Sprint(i), i)
		large[i].Payload = make([]byte, 12<<20)
	}
	b.put(large...)
	require.Len(b, b.waiting(source, 10), 2, "not all of them in memory at once")
	huge := delivery("huge", -1)
	huge.Payload = make([]byte, 40<<20)
	b.put(huge)
	got := b.waiting(source, 10)
	require.Len(b, got, 1, "one at least")
	require.Len(b, got[0].Payload, 40<<20)
}

// deliveryWriters: of many that put one delivery one is told that it is new,
// and a harvest that writes is in nobody's way for long.
func deliveryWriters(b *bundle) {
	stores := []*store.Store{b.Store, b.another(store.Options{})}
	ctx, cancel := context.WithTimeout(b.Context(), time.Minute)
	defer cancel()
	var mu sync.Mutex
	times := map[string]int{}
	var g errgroup.Group
	for w := range 6 {
		g.Go(func() error {
			for round := range 20 {
				var batch []store.Delivery
				for i := range 10 {
					n := i
					if w%2 == 1 {
						n = 9 - i // the other way round
					}
					batch = append(batch, delivery(fmt.Sprintf("%d-%d", round, n), n))
				}
				fresh, err := stores[w%2].PutDeliveries(ctx, batch)
				if err != nil {
					return err
				}
				mu.Lock()
				for i, isNew := range fresh {
					if isNew {
						times[batch[i].ID]++
					}
				}
				mu.Unlock()
			}
			return nil
		})
	}
	g.Go(func() error {
		for i := range 20 {
			if _, err := stores[0].Apply(ctx, source, []store.RepositoryUpdate{update("r1", entity("a", "acme/r1", file, 1, fmt.Sprint(i)))}); err != nil {
				return err
			}
		}
		return nil
	})
	// Two that drain: nothing is lost, and nothing comes back.
	var drained sync.Map
	stop := make(chan struct{})
	var drains errgroup.Group
	for _, s := range stores {
		drains.Go(func() error {
			for last := false; ; {
				got, err := s.WaitingDeliveries(ctx, source, 7)
				if err != nil || (len(got) == 0 && last) {
					return err
				}
				for i := range got {
					drained.Store(got[i].ID, true)
					got[i].Outcome = fmt.Sprintf("of %d", i)
				}
				if err := s.FinishDeliveries(ctx, got); err != nil {
					return err
				}
				select {
				case <-stop:
					last = true
				default:
				}
			}
		})
	}
	require.NoError(b, g.Wait())
	close(stop)
	require.NoError(b, drains.Wait())
	require.Len(b, times, 200)
	for id, n := range times {
		require.Equal(b, 1, n, "delivery %s is new once", id)
		_, ok := drained.Load(id)
		require.True(b, ok, "delivery %s was processed", id)
	}
	require.Empty(b, b.waiting(source, 10))
	require.Len(b, b.deliveries(source, 1000), 200)
}
