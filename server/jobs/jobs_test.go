package jobs_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/riverqueue/river/rivertype"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/jobs"
	"github.com/waypost-dev/waypost/server/source"
	"github.com/waypost-dev/waypost/server/store"
)

func TestFirstHarvestAtOnce(t *testing.T) {
	databases(t, func(t *testing.T, dsn string) {
		st := openStore(t, dsn, store.Options{})
		fresh, stale, none := &place{name: "dir:/fresh"}, &place{name: "dir:/stale"}, &place{name: "dir:/none"}
		e := engineOf(st, time.Hour, fresh, stale, none)
		_, err := e.Run(t.Context(), fresh.name, orderOf("test"), nil)
		require.NoError(t, err)
		stale.set(func(context.Context) error { return errors.New("down") })
		_, err = e.Run(t.Context(), stale.name, orderOf("test"), nil)
		require.Error(t, err)
		stale.set(nil)

		c := newClient(t, st, e, jobs.Options{})
		begin := time.Now()
		start(t, c)
		eventually(t, "first harvests", func() bool { return none.harvests.Load() == 1 && stale.harvests.Load() == 2 })
		t.Logf("first harvests began within %s of Start", time.Since(begin).Round(time.Millisecond))
		require.EqualValues(t, 1, fresh.harvests.Load(), "it succeeded within its hour")
		for _, s := range e.Sources() {
			require.True(t, s.Next.After(time.Now()) && s.Next.Before(time.Now().Add(time.Hour+time.Second)), "%s: next at %s", s.Name, s.Next)
		}
	})
}

func TestPeriodic(t *testing.T) {
	databases(t, func(t *testing.T, dsn string) {
		st := openStore(t, dsn, store.Options{})
		p := &place{name: "dir:/often"}
		e := engineOf(st, 2*time.Second, p)
		start(t, newClient(t, st, e, jobs.Options{}))
		eventually(t, "three harvests", func() bool { return p.harvests.Load() >= 3 })
		list, err := st.Harvests(t.Context(), p.name, 10)
		require.NoError(t, err)
		require.Equal(t, "schedule", list[0].Cause)
		require.Equal(t, "start", list[len(list)-1].Cause)
	})
}

// A source that is added to a running engine is harvested at once, one that is
// removed is not any more.
func TestFollowsTheEngine(t *testing.T) {
	databases(t, func(t *testing.T, dsn string) {
		st := openStore(t, dsn, store.Options{})
		e := engineOf(st, time.Hour)
		start(t, newClient(t, st, e, jobs.Options{}))
		p := &place{name: "dir:/late"}
		e.Add(configOf(p, time.Second))
		eventually(t, "the new source's harvests", func() bool { return p.harvests.Load() >= 2 })
		_, err := e.Remove(t.Context(), p.name, catalog.Cause{})
		require.NoError(t, err)
		time.Sleep(2500 * time.Millisecond) // what was on its way
		n := p.harvests.Load()
		time.Sleep(2500 * time.Millisecond)
		require.Equal(t, n, p.harvests.Load())
	})
}

// A source has one harvest of the schedule that has not ended, and however often
// somebody asks for more while one runs, one more that waits.
func TestUnique(t *testing.T) {
	databases(t, func(t *testing.T, dsn string) {
		st := openStore(t, dsn, store.Options{})
		p := &place{name: "dir:/slow"}
		release := make(chan struct{})
		p.set(func(ctx context.Context) error {
			select {
			case <-release:
			case <-ctx.Done():
			}
			return ctx.Err()
		})
		c := newClient(t, st, engineOf(st, time.Second, p), jobs.Options{})
		start(t, c)
		eventually(t, "it runs", func() bool { return p.harvests.Load() == 1 })
		of := func() []*rivertype.JobRow {
			list, _, err := c.List(t.Context(), jobs.Query{Kind: jobs.KindHarvest, Limit: 100})
			require.NoError(t, err)
			return list
		}
		time.Sleep(3 * time.Second) // its time comes again and again
		list := of()
		require.Len(t, list, 1)
		require.Equal(t, rivertype.JobStateRunning, list[0].State)
		require.Equal(t, c.ID(), list[0].AttemptedBy[len(list[0].AttemptedBy)-1])

		require.NoError(t, c.Harvest(t.Context(), p.name, "webhook"))
		waits := func() bool {
			return slices.ContainsFunc(of(), func(job *rivertype.JobRow) bool {
				return job.State == rivertype.JobStateAvailable && strings.Contains(string(job.Metadata), "snoozes")
			})
		}
		eventually(t, "the second one finds the source busy, and waits", waits)
		for range 5 {
			require.NoError(t, c.Harvest(t.Context(), p.name, "webhook"))
		}
		// One that waits is enough, unless it looked just then whether the source is busy still.
		require.LessOrEqual(t, len(of()), 3)
		close(release)
		eventually(t, "it is harvested once more, by the webhook", func() bool {
			list, err := st.Harvests(t.Context(), p.name, 100)
			require.NoError(t, err)
			return slices.ContainsFunc(list, func(h store.Harvest) bool {
				return h.Cause == "webhook" && h.State == store.HarvestSucceeded
			})
		})
	})
}

// What is asked for while an equal job runs is looked at after that: it may
// have looked already.
func TestRefreshIsNeverLost(t *testing.T) {
	databases(t, func(t *testing.T, dsn string) {
		st := openStore(t, dsn, store.Options{})
		began, release := make(chan struct{}, 100), make(chan struct{})
		p := &place{name: "github:acme", re: func(ctx context.Context) error {
			began <- struct{}{}
			select {
			case <-release:
			case <-ctx.Done():
			}
			return ctx.Err()
		}}
		c := newClient(t, st, engineOf(st, 0, p), jobs.Options{})
		start(t, c)
		ask := func(name string) {
			require.NoError(t, c.Refresh(t.Context(), p.name, source.Scope{Repositories: []source.Pointer{{Name: name}}}, catalog.Cause{Via: catalog.ViaWebhook}))
		}
		ask("acme/shop")
		<-began
		// It runs now: one more waits or runs for each question at most, in a slot of its own.
		ask("acme/shop")
		<-began
		ask("acme/other")
		<-began
		close(release)
		eventually(t, "all end", func() bool {
			s, err := c.Stats(t.Context())
			require.NoError(t, err)
			list, _, err := c.List(t.Context(), jobs.Query{Kind: jobs.KindRefresh, Limit: 10, States: []rivertype.JobState{rivertype.JobStateCompleted}})
			require.NoError(t, err)
			return len(list) == 3 && s.Oldest == 0
		})
		require.EqualValues(t, 3, p.refreshed.Load())
	})
}

func TestRefreshWaitsOnce(t *testing.T) {
	databases(t, func(t *testing.T, dsn string) {
		st := openStore(t, dsn, store.Options{})
		p := &place{name: "github:acme"}
		c := newClient(t, st, engineOf(st, 0, p), jobs.Options{})
		scope := source.Scope{Repositories: []source.Pointer{{Name: "acme/shop", Number: 7}}, Directory: true}
		for range 5 {
			require.NoError(t, c.Refresh(t.Context(), p.name, scope, catalog.Cause{Delivery: time.Now().String()}))
		}
		list, _, err := c.List(t.Context(), jobs.Query{Limit: 100})
		require.NoError(t, err)
		require.Len(t, list, 1, "one that waits is enough, whatever asked for it")
		stats, err := c.Stats(t.Context())
		require.NoError(t, err)
		require.Equal(t, 1, stats.Jobs[rivertype.JobStateAvailable])
		require.Greater(t, stats.Oldest, time.Duration(0))
		start(t, c)
		eventually(t, "it is done", func() bool { return p.refreshed.Load() == 1 })
	})
}

// A source that fails is tried again, less and less often, while others go on.
func TestBackoffOfOneSourceAlone(t *testing.T) {
	databases(t, func(t *testing.T, dsn string) {
		st := openStore(t, dsn, store.Options{})
		bad, good := &place{name: "dir:/bad"}, &place{name: "dir:/good"}
		bad.set(func(context.Context) error { return errors.New("no such folder") })
		e := engineOf(st, time.Second, bad, good)
		c := newClient(t, st, e, jobs.Options{})
		c.SetBackoff(100 * time.Millisecond)
		start(t, c)
		eventually(t, "both are tried", func() bool { return bad.harvests.Load() >= 3 && good.harvests.Load() >= 3 })
		list, _, err := c.List(t.Context(), jobs.Query{Kind: jobs.KindHarvest, Limit: 100})
		require.NoError(t, err)
		var ofBad []*rivertype.JobRow
		for _, job := range list {
			var args jobs.HarvestArgs
			require.NoError(t, json.Unmarshal(job.EncodedArgs, &args))
			if args.Source == bad.name {
				ofBad = append(ofBad, job)
			}
		}
		require.Len(t, ofBad, 1, "one job of the source is tried again and again: the schedule adds none")
		require.GreaterOrEqual(t, len(ofBad[0].Errors), 2)
		require.Contains(t, ofBad[0].Errors[0].Error, "no such folder")
	})
}

// The wait doubles with each failure up to a bound, and varies.
func TestBackoff(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		failures := rapid.IntRange(0, 200).Draw(t, "failures")
		first, most := 2*time.Second, 10*time.Minute
		kind := rapid.SampledFrom([]string{jobs.KindHarvest, jobs.KindRefresh, jobs.KindDeliveries}).Draw(t, "kind")
		if kind == jobs.KindHarvest {
			first, most = 15*time.Second, time.Hour
		}
		want := most
		for n, w := 0, first; w < most; n, w = n+1, w*2 {
			if n == failures {
				want = w
			}
		}
		got := jobs.Backoff(&rivertype.JobRow{Kind: kind, Errors: make([]rivertype.AttemptError, failures)})
		require.InDelta(t, want, got, float64(want)/5+1)
	})
}

// The times of a source are its own, a whole period apart, and the same
// whenever they are asked for.
func TestTimes(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		every := time.Duration(rapid.Int64Range(1, int64(100*24*time.Hour)).Draw(t, "every"))
		at := time.Unix(rapid.Int64Range(-1e9, 5e9).Draw(t, "seconds"), rapid.Int64Range(0, 999_999_999).Draw(t, "nanos"))
		next := jobs.NextTime(rapid.String().Draw(t, "source"), every)
		first := next(at)
		require.True(t, first.After(at), "%s is not after %s", first, at)
		require.LessOrEqual(t, first.Sub(at), every)
		require.Equal(t, first.Add(every), next(first))
		require.Equal(t, first, next(first.Add(-1)))
	})
	// A hundred sources do not meet.
	seconds := map[int64]int{}
	for i := range 100 {
		seconds[jobs.NextTime(fmt.Sprintf("dir:/srv/%d", i), 10*time.Minute)(time.Unix(0, 0)).Unix()]++
	}
	for at, n := range seconds {
		require.LessOrEqual(t, n, 5, "%d of 100 sources in second %d of 600", n, at)
	}
}

// A source that somebody else harvests is no failure of ours.
func TestBusyIsNoFailure(t *testing.T) {
	databases(t, func(t *testing.T, dsn string) {
		st, theirs := openStore(t, dsn, store.Options{}), openStore(t, dsn, store.Options{})
		p := &place{name: "dir:/shared"}
		record, err := theirs.BeginHarvest(t.Context(), p.name, "cli")
		require.NoError(t, err)
		c := newClient(t, st, engineOf(st, 0, p), jobs.Options{})
		start(t, c)
		var id int64
		eventually(t, "it snoozes", func() bool {
			list, _, err := c.List(t.Context(), jobs.Query{Limit: 10})
			require.NoError(t, err)
			if len(list) == 1 {
				id = list[0].ID
				return list[0].State != rivertype.JobStateRunning && list[0].ScheduledAt.After(time.Now().Add(time.Second))
			}
			return false
		})
		record.State, record.Finished = store.HarvestFailed, time.Now()
		require.NoError(t, theirs.FinishHarvest(t.Context(), record, nil))
		eventually(t, "it is harvested", func() bool {
			job, err := c.Get(t.Context(), id)
			require.NoError(t, err)
			require.Empty(t, job.Errors)
			return job.State == rivertype.JobStateCompleted
		})
		require.EqualValues(t, 1, p.harvests.Load())
	})
}

func TestDeliveriesOneAtATime(t *testing.T) {
	databases(t, func(t *testing.T, dsn string) {
		st := openStore(t, dsn, store.Options{})
		var inside, overlaps, calls atomic.Int32
		c := newClient(t, st, engineOf(st, 0), jobs.Options{Deliveries: func(_ context.Context, source string) error {
			if inside.Add(1) > 1 {
				overlaps.Add(1)
			}
			defer inside.Add(-1)
			calls.Add(1)
			time.Sleep(50 * time.Millisecond)
			return nil
		}})
		start(t, c)
		for range 20 {
			require.NoError(t, c.Deliveries(t.Context(), "github:acme"))
			time.Sleep(10 * time.Millisecond)
		}
		eventually(t, "all end", func() bool {
			s, err := c.Stats(t.Context())
			require.NoError(t, err)
			return s.Jobs[rivertype.JobStateAvailable]+s.Jobs[rivertype.JobStateRunning] == 0
		})
		require.Zero(t, overlaps.Load())
		require.GreaterOrEqual(t, calls.Load(), int32(2))
		require.LessOrEqual(t, calls.Load(), int32(20))
	})
}

// A job that this process asks for begins at once, though nothing is polled for
// meanwhile.
func TestBeginsAtOnce(t *testing.T) {
	databases(t, func(t *testing.T, dsn string) {
		st := openStore(t, dsn, store.Options{})
		began := make(chan time.Time, 1)
		c := newClient(t, st, engineOf(st, 0), jobs.Options{Deliveries: func(context.Context, string) error {
			began <- time.Now()
			return nil
		}})
		start(t, c)
		var slowest time.Duration
		for range 10 {
			time.Sleep(60 * time.Millisecond)
			asked := time.Now()
			require.NoError(t, c.Deliveries(t.Context(), "github:acme"))
			select {
			case at := <-began:
				slowest = max(slowest, at.Sub(asked))
			case <-time.After(soon):
				t.Fatal("it did not begin")
			}
		}
		t.Logf("slowest of 10: %s", slowest)
		require.Less(t, slowest, 500*time.Millisecond, "a poll would take up to a second")
	})
}
