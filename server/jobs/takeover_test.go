package jobs_test

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/riverqueue/river/rivertype"
	"github.com/stretchr/testify/require"

	"github.com/waypost-dev/waypost/server/harvest"
	"github.com/waypost-dev/waypost/server/jobs"
	"github.com/waypost-dev/waypost/server/store"
)

// victim is the environment variable that makes this program a runner which
// harvests one source for ever, over the database that the variable names.
const victim = "WAYPOST_TEST_VICTIM"

func TestMain(m *testing.M) {
	if dsn := os.Getenv(victim); dsn != "" {
		if err := suffer(dsn); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

func suffer(dsn string) error {
	ctx := context.Background()
	log := slog.New(slog.DiscardHandler)
	st, err := store.Open(ctx, dsn, store.Options{})
	if err != nil {
		return err
	}
	e := harvest.New(st, log)
	p := &place{name: "dir:/shared"}
	p.set(func(context.Context) error { fmt.Println("harvesting"); select {} })
	e.Add(harvest.Config{Source: p})
	c, err := jobs.New(ctx, st, e, log, jobs.Options{})
	if err != nil {
		return err
	}
	if err := c.Start(ctx); err != nil {
		return err
	}
	time.Sleep(time.Minute)
	return nil
}

// A runner that is killed in the middle of a harvest loses nothing: another one
// of the machine goes on at once, and so does its successor.
func TestKilled(t *testing.T) {
	databases(t, func(t *testing.T, dsn string) {
		st := openStore(t, dsn, store.Options{}) // migrates, and keeps the database alive
		child := exec.Command(os.Args[0])
		child.Env = append(os.Environ(), victim+"="+dsn)
		out, err := child.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, child.Start())
		t.Cleanup(func() { _ = child.Process.Kill() })
		line, err := bufio.NewReader(out).ReadString('\n')
		require.NoError(t, err)
		require.Equal(t, "harvesting\n", line)
		require.NoError(t, child.Process.Kill())
		_ = child.Wait()

		p := &place{name: "dir:/shared"}
		c := newClient(t, st, engineOf(st, 0, p), jobs.Options{})
		begin := time.Now()
		start(t, c)
		eventually(t, "it is taken over", func() bool { return p.harvests.Load() == 1 })
		t.Logf("taken over within %s of the start of a successor", time.Since(begin).Round(time.Millisecond))
		var job *rivertype.JobRow
		eventually(t, "it succeeds", func() bool {
			list, _, err := c.List(t.Context(), jobs.Query{Kind: jobs.KindHarvest, Limit: 10})
			require.NoError(t, err)
			require.Len(t, list, 1)
			job = list[0]
			return job.State == rivertype.JobStateCompleted
		})
		require.Equal(t, 2, job.Attempt)
		require.Len(t, job.Errors, 1)
		require.Contains(t, job.Errors[0].Error, "the process that ran it ended")
		require.Len(t, job.AttemptedBy, 2)
		there, err := st.Attending(t.Context())
		require.NoError(t, err)
		require.Equal(t, map[string]bool{c.ID(): true}, there, "nothing is left of the one that was killed")
	})
}

// A runner that is heard of no more loses its jobs when its lease has lapsed.
func TestVanished(t *testing.T) {
	databases(t, func(t *testing.T, dsn string) {
		lease := store.Options{Lease: time.Second}
		lost, st := openStore(t, dsn, lease), openStore(t, dsn, lease)
		hang := make(chan struct{})
		var calls atomic.Int32
		work := func(context.Context, string) error {
			if calls.Add(1) == 1 {
				<-hang
			}
			return nil
		}
		gone := newClient(t, lost, engineOf(lost, 0), jobs.Options{Deliveries: work})
		stop := start(t, gone)
		require.NoError(t, gone.Deliveries(t.Context(), "github:acme"))
		eventually(t, "it runs", func() bool { return calls.Load() == 1 })

		other := newClient(t, st, engineOf(st, 0), jobs.Options{Deliveries: work})
		start(t, other)
		time.Sleep(2500 * time.Millisecond)
		require.EqualValues(t, 1, calls.Load(), "its runner is there")
		begin := time.Now()
		gone.Vanish()
		eventually(t, "it is taken over", func() bool { return calls.Load() == 2 })
		t.Logf("taken over %s after it was heard of last, with a lease of 1 s", time.Since(begin).Round(time.Millisecond))
		close(hang)
		stop()
	})
}

// Two replicas share the work, and each job is done once.
func TestTwoReplicas(t *testing.T) {
	databases(t, func(t *testing.T, dsn string) {
		var places [2][]*place
		var clients [2]*jobs.Client
		const sources = 20
		for i := range 2 {
			st := openStore(t, dsn, store.Options{})
			for n := range sources {
				p := &place{name: fmt.Sprintf("dir:/srv/%02d", n)}
				p.set(func(ctx context.Context) error {
					select {
					case <-time.After(200 * time.Millisecond):
					case <-ctx.Done():
					}
					return ctx.Err()
				})
				places[i] = append(places[i], p)
			}
			clients[i] = newClient(t, st, engineOf(st, time.Hour, places[i]...), jobs.Options{})
		}
		start(t, clients[0])
		start(t, clients[1])
		count := func(i int) (n int) {
			for _, p := range places[i] {
				n += int(p.harvests.Load())
			}
			return n
		}
		eventually(t, "all are harvested", func() bool {
			list, _, err := clients[0].List(t.Context(), jobs.Query{Limit: 100, States: []rivertype.JobState{rivertype.JobStateCompleted}})
			require.NoError(t, err)
			return len(list) >= sources // and one that was skipped, if its time came just now
		})
		for n := range sources {
			require.EqualValues(t, 1, places[0][n].harvests.Load()+places[1][n].harvests.Load(), places[0][n].name)
		}
		t.Logf("the replicas did %d and %d", count(0), count(1))
		require.Positive(t, count(0))
		require.Positive(t, count(1))
	})
}

// A stop ends what runs within the deadline, and hands it to others as it was.
func TestGracefulStop(t *testing.T) {
	databases(t, func(t *testing.T, dsn string) {
		st := openStore(t, dsn, store.Options{})
		long := &place{name: "dir:/long"}
		long.set(func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() })
		short := make(chan struct{})
		c := newClient(t, st, engineOf(st, 0, long), jobs.Options{Grace: time.Second, Deliveries: func(ctx context.Context, _ string) error {
			close(short)
			time.Sleep(200 * time.Millisecond) // within the grace
			return ctx.Err()
		}})
		stop := start(t, c)
		require.NoError(t, c.Deliveries(t.Context(), "github:acme"))
		<-short
		eventually(t, "it runs", func() bool { return long.harvests.Load() == 1 })
		begin := time.Now()
		stop()
		require.Less(t, time.Since(begin), 3*time.Second)
		t.Logf("stopped within %s", time.Since(begin).Round(time.Millisecond))

		look := newClient(t, st, nil, jobs.Options{NoMigrate: true})
		list, _, err := look.List(t.Context(), jobs.Query{Limit: 10})
		require.NoError(t, err)
		require.Len(t, list, 2)
		for _, job := range list {
			require.Empty(t, job.Errors, job.Kind)
			if job.Kind == jobs.KindHarvest {
				require.Equal(t, rivertype.JobStateAvailable, job.State)
				require.Zero(t, job.Attempt)
			} else {
				require.Equal(t, rivertype.JobStateCompleted, job.State)
			}
		}
		require.NoError(t, look.Stop(t.Context()))

		next := &place{name: long.name}
		start(t, newClient(t, st, engineOf(st, 0, next), jobs.Options{}))
		eventually(t, "another one goes on", func() bool { return next.harvests.Load() == 1 })
	})
}

// A stop whose deadline passes says so, and gives up what still runs.
func TestStopInTime(t *testing.T) {
	databases(t, func(t *testing.T, dsn string) {
		st := openStore(t, dsn, store.Options{})
		began, hang := make(chan struct{}), make(chan struct{})
		c := newClient(t, st, engineOf(st, 0), jobs.Options{Grace: 10 * time.Millisecond, Deliveries: func(context.Context, string) error {
			close(began)
			<-hang
			return nil
		}})
		require.NoError(t, c.Start(t.Context()))
		require.NoError(t, c.Deliveries(t.Context(), "github:acme"))
		<-began
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		begin := time.Now()
		err := c.Stop(ctx)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Less(t, time.Since(begin), 2*time.Second)
		there, err := st.Attending(t.Context())
		require.NoError(t, err)
		require.Empty(t, there)
		close(hang)
		time.Sleep(300 * time.Millisecond) // it ends, before the database does
	})
}

func TestMigrations(t *testing.T) {
	databases(t, func(t *testing.T, dsn string) {
		st := openStore(t, dsn, store.Options{})
		before, err := jobs.Migrations(t.Context(), st)
		require.NoError(t, err)
		require.NotEmpty(t, before)
		for _, m := range before {
			require.False(t, m.Applied, m)
			require.True(t, strings.HasPrefix(m.Version, "river-"), m)
		}
		_, err = jobs.New(t.Context(), st, nil, slog.New(slog.DiscardHandler), jobs.Options{NoMigrate: true})
		require.ErrorContains(t, err, "waypost migrate up")

		// Several processes may start at once.
		errs := make(chan error, 4)
		for range cap(errs) {
			go func() {
				own, err := store.Open(t.Context(), dsn, store.Options{})
				if err == nil {
					var c *jobs.Client
					if c, err = jobs.New(t.Context(), own, nil, slog.New(slog.DiscardHandler), jobs.Options{}); err == nil {
						err = c.Stop(t.Context())
					}
					_ = own.Close()
				}
				errs <- err
			}()
		}
		for range cap(errs) {
			require.NoError(t, <-errs)
		}
		after, err := jobs.Migrations(t.Context(), st)
		require.NoError(t, err)
		for _, m := range after {
			require.True(t, m.Applied, m)
		}
	})
}
