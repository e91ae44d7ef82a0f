package feed

import (
	"fmt"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waypost-dev/waypost/server/catalog"
)

// BenchmarkHub has a thousand watches hear of one change after the other: with
// the same filter, with ten, and each with its own. An operation is one change,
// from being published until all have looked at it.
func BenchmarkHub(b *testing.B) {
	const watches = 1000
	for _, distinct := range []int{1, 10, watches} {
		b.Run(fmt.Sprintf("filters=%d", distinct), func(b *testing.B) {
			w := newWorld(b, sqlite(b))
			var all []*Watch
			for i := range watches {
				x, err := w.hub.Watch(fmt.Sprintf(`entity.spec.lifecycle == "production" && entity.spec.owner != "team-%d"`, i%distinct), 0)
				require.NoError(b, err)
				all = append(all, x)
			}
			for i := range 512 { // all that the benchmark publishes, again and again
				w.write("one", entity("c", "a", []string{"production", "experimental"}[i%2]))
			}
			changes, err := w.st.Changes(b.Context(), 0, 1000)
			require.NoError(b, err)
			heard := 0
			b.ResetTimer()
			for n := range b.N {
				c := changes[n%len(changes)]
				c.Revision = w.seen + 1
				w.seen = c.Revision
				was := w.x.Snapshot()
				w.x.Apply(append(changes[:0:0], c))
				w.hub.Publish(was, append(changes[:0:0], c))
				for _, x := range all {
					events, _, err := x.Next(b.Context())
					if err != nil {
						b.Fatal(err)
					}
					heard += len(events)
				}
			}
			b.StopTimer()
			require.Equal(b, b.N*watches, heard)
		})
	}
}

// TestManyWatches measures what a thousand watches cost that wait in their own
// goroutines, and holds them to hear everything.
func TestManyWatches(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED: it measures")
	}
	const watches, changes = 1000, 100
	w := newWorld(t, sqlite(t))
	w.write("one", entity("c", "a", "0"))
	w.follow(10)
	before := memory()
	var ready, done sync.WaitGroup
	for i := range watches {
		ready.Add(1)
		done.Go(func() {
			x, err := w.hub.Watch(fmt.Sprintf(`entity.spec.owner == "a" && entity.spec.lifecycle != "x%d"`, i%10), w.seen)
			if err != nil {
				t.Error(err)
				return
			}
			defer x.Close()
			heard := 0
			for waited := false; heard < changes; {
				events, wait, err := x.Next(t.Context())
				if err != nil {
					t.Error(err)
					return
				}
				heard += len(events)
				if wait != nil {
					if !waited {
						waited = true
						ready.Done()
					}
					<-wait
				}
			}
		})
	}
	ready.Wait()
	each := float64(memory()-before) / watches
	begin := time.Now()
	for i := range changes {
		w.write("one", entity("c", "a", fmt.Sprint(i+1)))
		w.follow(10)
	}
	done.Wait()
	t.Logf("%d watches: %.0f bytes each; %d changes written, followed and heard by all in %s", watches, each, changes, time.Since(begin))
	require.Less(t, each, 16384.0)
}

// memory is what is in use, with the stacks of goroutines.
func memory() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapInuse + m.StackInuse)
}

// TestManyReturn has a thousand watches come back at once to a process that
// knows nothing of the past: they share what is read from the store.
func TestManyReturn(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED: it measures")
	}
	const watches, changes = 1000, 3000
	w := newWorld(t, sqlite(t))
	for i := range changes / 100 {
		var entities []*catalog.Entity
		for k := range 100 {
			entities = append(entities, entity(fmt.Sprintf("c-%d", k), "a", fmt.Sprint(i)))
		}
		w.write("one", entities...)
		w.follow(1000)
	}
	w.hub = New(w.st)
	w.hub.Reset(changes)
	begin := time.Now()
	var done sync.WaitGroup
	for i := range watches {
		done.Go(func() {
			after := catalog.Revision(i % 50)
			x, err := w.hub.Watch(fmt.Sprintf(`entity.spec.owner == "a" && entity.spec.lifecycle != "x%d"`, i%10), after)
			if err != nil {
				t.Error(err)
				return
			}
			defer x.Close()
			for x.At() < changes {
				events, _, err := x.Next(t.Context())
				if err != nil {
					t.Error(err)
					return
				}
				for _, e := range events {
					if after++; e.Change.Revision != after {
						t.Errorf("revision %d, want %d", e.Change.Revision, after)
					}
				}
			}
			if after != changes {
				t.Errorf("it ends at %d", after)
			}
		})
	}
	done.Wait()
	t.Logf("%d watches, %d changes behind, have caught up in %s", watches, changes, time.Since(begin))
}
