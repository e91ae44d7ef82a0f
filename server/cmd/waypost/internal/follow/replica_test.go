package follow

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	catalogv1 "github.com/waypost-dev/waypost/proto/waypost/catalog/v1"
	"github.com/waypost-dev/waypost/server/api"
	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/feed"
	"github.com/waypost-dev/waypost/server/harvest"
	"github.com/waypost-dev/waypost/server/index"
	"github.com/waypost-dev/waypost/server/store"
	"github.com/waypost-dev/waypost/server/store/pgtest"
)

// replica is what one process of several has over a database.
type replica struct {
	store *store.Store
	feed  *feed.Hub
	conn  *grpc.ClientConn
}

func newReplica(t *testing.T, dsn string) *replica {
	t.Helper()
	st := open(t, dsn)
	x := index.New()
	log := slog.New(slog.DiscardHandler)
	f := New(st, x, log)
	require.NoError(t, f.Load(t.Context()))
	server, err := api.New(api.Options{Index: x, Store: st, Engine: harvest.New(st, log), Feed: f.Feed(), Logger: log})
	require.NoError(t, err)
	server.SetReady(true)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 2)
	go func() { ended <- f.Run(ctx) }()
	go func() { ended <- server.GRPC().Serve(l) }()
	conn, err := grpc.NewClient(l.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	t.Cleanup(func() {
		_ = conn.Close()
		cancel()
		server.GRPC().Stop()
		require.NoError(t, errors.Join(<-ended, <-ended))
	})
	return &replica{st, f.Feed(), conn}
}

func (r *replica) watch(t *testing.T, after int64, initial bool) grpc.ServerStreamingClient[catalogv1.WatchEntitiesResponse] {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	s, err := catalogv1.NewWatchServiceClient(r.conn).WatchEntities(ctx, &catalogv1.WatchEntitiesRequest{AfterRevision: after, SendInitial: initial})
	require.NoError(t, err)
	return s
}

// claim is a component in a state.
func claim(name, state string) store.Claim {
	return store.Claim{Key: name, Entity: &catalog.Entity{
		Ref:      catalog.Ref{Kind: "Component", Namespace: "default", Name: name},
		Document: fmt.Appendf(nil, `{"apiVersion":"backstage.io/v1alpha1","kind":"Component","metadata":{"name":%q},"spec":{"state":%q}}`, name, state),
		Origin:   catalog.Origin{Source: "test:one", Repository: "acme/x", Path: "catalog-info.yaml", Line: 1},
	}}
}

// slow bounds what has to take less than 500 ms, on a machine that does much
// else.
const slow = 5 * time.Second

// change is the next answer that is no bookmark.
func change(t *testing.T, s grpc.ServerStreamingClient[catalogv1.WatchEntitiesResponse]) *catalogv1.WatchEntitiesResponse {
	t.Helper()
	for range 100 {
		m, err := s.Recv()
		require.NoError(t, err)
		if m.Type != catalogv1.WatchEntitiesResponse_TYPE_BOOKMARK {
			return m
		}
	}
	require.Fail(t, "nothing but bookmarks")
	return nil
}

// TestReplicas writes at one replica and reads at the other: by a watch, and by
// reads that wait for a revision.
func TestReplicas(t *testing.T) {
	t.Parallel()
	for name, dsn := range map[string]string{"sqlite": "sqlite:" + filepath.Join(t.TempDir(), "x.db"), "postgres": ""} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if dsn == "" {
				dsn = pgtest.URL(t)
			}
			a, b := newReplica(t, dsn), newReplica(t, dsn)
			watch := b.watch(t, 0, false)
			_, err := watch.Recv() // the bookmark: it has begun
			require.NoError(t, err)
			client := catalogv1.NewCatalogServiceClient(b.conn)
			rounds := 20
			if name == "sqlite" { // where only asking again tells of another process
				rounds = 5
			}
			var all []time.Duration
			for i := range rounds {
				repository := fmt.Sprintf("r%d", i)
				begin := time.Now()
				put(t, a.store, repository, 1)
				m := change(t, watch)
				took := time.Since(begin)
				all = append(all, took.Round(time.Microsecond))
				require.EqualValues(t, 2*i+1, m.Revision)
				require.Less(t, took, slow)
				// One's own writes are there wherever one asks.
				put(t, a.store, repository, 2)
				latest := int64(2*i + 2)
				list, err := client.ListEntities(t.Context(), &catalogv1.ListEntitiesRequest{MinRevision: latest})
				require.NoError(t, err)
				require.Equal(t, latest, list.Revision)
				require.EqualValues(t, latest, list.TotalSize)
				put(t, a.store, repository, 2) // which changes nothing
				e, err := client.GetEntity(t.Context(), &catalogv1.GetEntityRequest{Name: "entities/component:default/" + repository + "-1", MinRevision: latest})
				require.NoError(t, err)
				require.Equal(t, latest, e.Revision)
				require.Equal(t, latest, change(t, watch).Revision)
			}
			t.Logf("a change was seen at the other replica after %s", all)
		})
	}
}

// TestReplicasWithoutNotifications cuts the connections on which PostgreSQL
// tells of changes, again and again.
func TestReplicasWithoutNotifications(t *testing.T) {
	t.Parallel()
	dsn := pgtest.URL(t)
	a, b := newReplica(t, dsn), newReplica(t, dsn)
	db, err := sql.Open("pgx", dsn)
	require.NoError(t, err)
	defer db.Close()
	watch := b.watch(t, 0, false)
	_, err = watch.Recv()
	require.NoError(t, err)
	// As if it were cut at the worst moment: nobody is told of what follows.
	cut := func() int {
		var n int
		require.NoError(t, db.QueryRowContext(t.Context(), `SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
			WHERE datname = current_database() AND query LIKE 'LISTEN %'`).Scan(&n))
		return n
	}
	require.Eventually(t, func() bool { return cut() == 2 }, 10*time.Second, 10*time.Millisecond, "both listen")
	for i := range 5 {
		cut()
		begin := time.Now()
		put(t, a.store, fmt.Sprintf("r%d", i), 1)
		require.EqualValues(t, i+1, change(t, watch).Revision)
		took := time.Since(begin)
		t.Logf("without a notification, a change was seen after %s", took)
		require.Less(t, took, slow)
	}
}

// TestWatchMovesToAnotherReplica goes on at one replica from where another one
// stopped, while changes go on.
func TestWatchMovesToAnotherReplica(t *testing.T) {
	t.Parallel()
	dsn := pgtest.URL(t)
	keeps := newReplica(t, dsn)
	const writes = 60
	written := make(chan error, 1)
	go func() {
		for i := range writes {
			u := store.RepositoryUpdate{Repository: store.Repository{ID: "x", Name: "acme/x", State: fmt.Sprint(i), Facts: []byte("{}")}}
			for k := range 1 + i%5 {
				u.Claims = append(u.Claims, claim(fmt.Sprintf("c-%d", k), fmt.Sprint(i)))
			}
			if _, err := keeps.store.Apply(context.Background(), "test:one", []store.RepositoryUpdate{u}); err != nil {
				written <- err
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
		written <- nil
	}()
	held := map[string]int64{}
	last := int64(0)
	done := int64(0) // the last revision, once it is known
	for moves := 0; moves < 200 && (done == 0 || last < done); moves++ {
		at := newReplica(t, dsn)
		s := at.watch(t, last, last == 0)
		stop := time.AfterFunc(150*time.Millisecond, at.feed.Close)
		for {
			m, err := s.Recv()
			if err != nil {
				require.NotErrorIs(t, err, io.EOF)
				require.Equal(t, codes.Unavailable, status.Code(err), err)
				break
			}
			switch m.Type {
			case catalogv1.WatchEntitiesResponse_TYPE_BOOKMARK:
				require.GreaterOrEqual(t, m.Revision, last)
				last = m.Revision
				continue
			case catalogv1.WatchEntitiesResponse_TYPE_ADDED:
				require.NotContains(t, held, m.Entity.Name)
				held[m.Entity.Name] = m.Entity.Revision
			case catalogv1.WatchEntitiesResponse_TYPE_CHANGED:
				require.Contains(t, held, m.Entity.Name)
				held[m.Entity.Name] = m.Entity.Revision
			case catalogv1.WatchEntitiesResponse_TYPE_REMOVED:
				require.Contains(t, held, m.Entity.Name)
				delete(held, m.Entity.Name)
			}
			if m.Revision != 0 {
				require.Equal(t, last+1, m.Revision, "every revision, once, in order")
				last = m.Revision
			}
		}
		stop.Stop()
		select {
		case err := <-written:
			require.NoError(t, err)
			latest, err := keeps.store.Latest(t.Context())
			require.NoError(t, err)
			done = int64(latest)
		default:
		}
	}
	require.NotZero(t, done)
	require.Equal(t, done, last)
	list, err := catalogv1.NewCatalogServiceClient(keeps.conn).ListEntities(t.Context(), &catalogv1.ListEntitiesRequest{MinRevision: done})
	require.NoError(t, err)
	is := map[string]int64{}
	for _, e := range list.Entities {
		is[e.Name] = e.Revision
	}
	require.Equal(t, is, held)
}
