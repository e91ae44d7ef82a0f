package jobs_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/riverqueue/river/rivertype"
	"github.com/stretchr/testify/require"

	"github.com/waypost-dev/waypost/server/harvest"
	"github.com/waypost-dev/waypost/server/jobs"
	"github.com/waypost-dev/waypost/server/source"
	"github.com/waypost-dev/waypost/server/store"
	"github.com/waypost-dev/waypost/server/store/pgtest"
)

// soon bounds every wait of these tests.
const soon = 40 * time.Second

// place is a source whose harvests are what a test makes of them.
type place struct {
	name      string
	harvests  atomic.Int32
	refreshed atomic.Int32
	mu        sync.Mutex
	do        func(context.Context) error // of a harvest; nil for success
	re        func(context.Context) error // of a refresh; nil for success
}

func (p *place) Name() string { return p.name }

func (p *place) set(do func(context.Context) error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.do = do
}

func (p *place) Harvest(ctx context.Context, _ source.Known, out source.Out) error {
	p.harvests.Add(1)
	p.mu.Lock()
	do := p.do
	p.mu.Unlock()
	if do != nil {
		if err := do(ctx); err != nil {
			return err
		}
	}
	return out.Complete(ctx)
}

func (p *place) Refresh(ctx context.Context, _ source.Scope, _ source.Known, _ source.Out) error {
	p.refreshed.Add(1)
	if p.re != nil {
		return p.re(ctx)
	}
	return nil
}

// databases runs a test on both.
func databases(t *testing.T, test func(t *testing.T, dsn string)) {
	t.Parallel()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		test(t, "sqlite:"+filepath.Join(t.TempDir(), "waypost.db"))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		test(t, pgtest.URL(t))
	})
}

func openStore(t *testing.T, dsn string, o store.Options) *store.Store {
	t.Helper()
	st, err := store.Open(t.Context(), dsn, o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, st.Close()) })
	return st
}

func engineOf(st *store.Store, every time.Duration, places ...*place) *harvest.Engine {
	e := harvest.New(st, slog.New(slog.DiscardHandler))
	for _, p := range places {
		e.Add(harvest.Config{Source: p, Every: every})
	}
	return e
}

func newClient(t *testing.T, st *store.Store, e *harvest.Engine, o jobs.Options) *jobs.Client {
	t.Helper()
	c, err := jobs.New(t.Context(), st, e, slog.New(slog.DiscardHandler), o)
	require.NoError(t, err)
	return c
}

// start runs a client until the test ends or the returned function is called.
func start(t *testing.T, c *jobs.Client) (stop func()) {
	t.Helper()
	require.NoError(t, c.Start(t.Context()))
	stop = sync.OnceFunc(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), soon)
		defer cancel()
		require.NoError(t, c.Stop(ctx))
	})
	t.Cleanup(stop)
	return stop
}

func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	require.Eventually(t, condition, soon, 10*time.Millisecond, what)
}

func orderOf(cause string) harvest.Order { return harvest.Order{Cause: cause} }

func configOf(p *place, every time.Duration) harvest.Config {
	return harvest.Config{Source: p, Every: every}
}

func collect[A, B any](list []A, f func(A) B) []B {
	out := make([]B, len(list))
	for i, a := range list {
		out[i] = f(a)
	}
	return out
}

func scopeOf(t *testing.T, job *rivertype.JobRow) source.Scope {
	t.Helper()
	var args jobs.RefreshArgs
	require.NoError(t, json.Unmarshal(job.EncodedArgs, &args))
	return args.Scope
}
