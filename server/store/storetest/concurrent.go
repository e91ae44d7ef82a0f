package storetest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/store"
)

// writers: several processes write crossing refs while readers follow the feed.
// No writer sees an error, and no reader ever sees a gap.
func writers(b *bundle) {
	const each, rounds, names = 2, 20, 12
	stores := []*store.Store{b.Store, b.another(store.Options{}), b.another(store.Options{})}
	var writing, reading errgroup.Group
	stop := make(chan struct{})
	for i, s := range stores {
		for j := range each {
			source := fmt.Sprintf("source-%d-%d", i, j)
			random := rand.New(rand.NewPCG(uint64(i), uint64(j)))
			writing.Go(func() error {
				for round := range rounds {
					var updates []store.RepositoryUpdate
					for r := range 2 {
						id := fmt.Sprintf("%s-r%d", source, r)
						var entities []*catalog.Entity
						for _, n := range random.Perm(names)[:4] {
							e := entity(fmt.Sprintf("n%d", n), id, file, 1, fmt.Sprint(round))
							e.Origin.Source = source
							entities = append(entities, e)
						}
						updates = append(updates, update(id, entities...))
					}
					if _, err := s.Apply(b.Context(), source, updates); err != nil {
						return err
					}
				}
				return nil
			})
		}
		// A follower polls without mercy.
		reading.Go(func() error {
			var seen catalog.Revision
			for {
				var last bool
				select {
				case <-stop:
					last = true
				default:
				}
				changes, err := s.Changes(b.Context(), seen, 50)
				if err != nil {
					return err
				}
				for _, c := range changes {
					if c.Revision != seen+1 {
						return fmt.Errorf("the feed skips from %d to %d", seen, c.Revision)
					}
					seen = c.Revision
				}
				if last && len(changes) == 0 {
					latest, err := s.Latest(b.Context())
					if err == nil && latest != seen {
						err = fmt.Errorf("the feed ends at %d, the catalog at %d", seen, latest)
					}
					return err
				}
			}
		})
	}
	require.NoError(b, writing.Wait())
	close(stop)
	require.NoError(b, reading.Wait())
	require.Positive(b, b.latest())
	b.consistent()
}

// refNeverEmpty: while a ref goes back and forth between two repositories and
// two files, a reader always finds it.
func refNeverEmpty(b *bundle) {
	one := update("r1", entity("a", "acme/r1", "a.yaml", 1, "one"), entity("b", "acme/r1", "b.yaml", 1, "one"))
	one.Claims[0].Key, one.Claims[1].Key = "a.yaml", "b.yaml"
	two := update("r1", entity("b", "acme/r1", "a.yaml", 1, "one"), entity("a", "acme/r1", "b.yaml", 1, "one"))
	two.Claims[0].Key, two.Claims[1].Key = "a.yaml", "b.yaml"
	elsewhere := update("r2", entity("a", "acme/r2", file, 1, "two"), entity("b", "acme/r2", file, 1, "two"))
	b.apply(one)
	ctx, cancel := context.WithTimeout(b.Context(), 20*time.Second)
	defer cancel()
	g, ctx := errgroup.WithContext(ctx)
	done := make(chan struct{})
	g.Go(func() error {
		defer close(done)
		for range 15 {
			for _, updates := range [][]store.RepositoryUpdate{{two}, {one}, {update("r1"), elsewhere}, {update("r2"), one}} {
				if _, err := b.Apply(ctx, source, updates); err != nil {
					return err
				}
			}
		}
		return nil
	})
	g.Go(func() error {
		for {
			n := 0
			if _, err := b.Load(ctx, func(*catalog.Entity) error { n++; return nil }); err != nil {
				return err
			}
			if n != 2 {
				return fmt.Errorf("%d of 2 entities are served", n)
			}
			select {
			case <-done:
				return nil
			default:
			}
		}
	})
	require.NoError(b, g.Wait())
	for _, c := range b.changes(0) {
		require.Equal(b, catalog.OpPut, c.Op, "the feed never takes it away either")
	}
	b.consistent()
}
