package api

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

	catalogv1 "github.com/waypost-dev/waypost/proto/waypost/catalog/v1"
	"github.com/waypost-dev/waypost/server/catalog"
)

// large is a component of about so many bytes.
func large(t testing.TB, name string, state, bytes int) *catalog.Entity {
	e := document(t, map[string]any{
		"kind": "Component", "metadata": map[string]any{"name": name, "description": strings.Repeat("x", bytes)},
		"spec": map[string]any{"type": "service", "state": state},
	})
	e.Origin = catalog.Origin{Source: "test:acme", Repository: "acme/one", Path: "catalog-info.yaml", Line: 1}
	return e
}

// TestSlowWatcher has one watcher who takes nothing. The others hear everything
// meanwhile, the server keeps nothing for him, and in the end he has missed
// nothing either.
func TestSlowWatcher(t *testing.T) {
	t.Parallel()
	l := newLive(t)
	cc := l.dial()
	client := catalogv1.NewWatchServiceClient(cc)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	slow, err := client.WatchEntities(ctx, &catalogv1.WatchEntitiesRequest{})
	require.NoError(t, err)
	fast, err := client.WatchEntities(ctx, &catalogv1.WatchEntitiesRequest{})
	require.NoError(t, err)
	require.Equal(t, []string{"BOOKMARK 0"}, receive(t, fast, 1))
	require.Equal(t, []string{"BOOKMARK 0"}, receive(t, slow, 1))
	const changes = 1500 // more than the ring holds, and than the connection buffers
	for i := range changes {
		l.write(large(t, "a", i, 8<<10))
		require.EqualValues(t, i+1, nextChange(t, fast).Revision)
	}
	for i := range changes {
		m := nextChange(t, slow)
		require.EqualValues(t, i+1, m.Revision)
		require.EqualValues(t, i, m.Entity.Spec.Fields["state"].GetNumberValue())
	}
}

// nextChange is the next message that is no bookmark: these come after half a
// minute, which a slow machine may need for such a test.
func nextChange(t testing.TB, stream grpc.ServerStreamingClient[catalogv1.WatchEntitiesResponse]) *catalogv1.WatchEntitiesResponse {
	t.Helper()
	for {
		m, err := stream.Recv()
		require.NoError(t, err)
		if m.Type != catalogv1.WatchEntitiesResponse_TYPE_BOOKMARK {
			return m
		}
	}
}

// TestThousandWatchers has a thousand watchers over gRPC on loopback hear every
// change, and measures what they cost. Both ends are in this process.
func TestThousandWatchers(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED: it measures")
	}
	const watchers, connections, changes, filters = 1000, 4, 100, 10
	l := newLive(t)
	f := &fixture{Server: l.Server}
	_, address := f.listen(t)
	l.write(large(t, "a", -1, 1500))
	var ccs []*grpc.ClientConn
	for range connections {
		ccs = append(ccs, dial(t, address))
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	memory := func() int64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapInuse + m.StackInuse)
	}
	before := memory()
	var done, started sync.WaitGroup
	for i := range watchers {
		started.Add(1)
		done.Go(func() {
			req := &catalogv1.WatchEntitiesRequest{Filter: fmt.Sprintf(`entity.kind == "Component" && entity.spec.state != %d.5`, i%filters)}
			s, err := catalogv1.NewWatchServiceClient(ccs[i%connections]).WatchEntities(ctx, req)
			if err == nil {
				_, err = s.Recv()
			}
			started.Done()
			for want := int64(2); err == nil && want < changes+2; {
				var m *catalogv1.WatchEntitiesResponse
				if m, err = s.Recv(); err == nil && m.Type != catalogv1.WatchEntitiesResponse_TYPE_BOOKMARK {
					if m.Revision != want {
						t.Errorf("revision %d, want %d", m.Revision, want)
					}
					want++
				}
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	started.Wait()
	each := (memory() - before) / watchers
	begin, busy := time.Now(), cpu()
	for i := range changes {
		l.write(large(t, "a", i, 1500))
	}
	done.Wait()
	took, busy := time.Since(begin), cpu()-busy
	t.Logf("%d watchers: %d bytes each with their client; %d changes heard by all in %s, %s of CPU for a change, %s for a watcher and change, with the client",
		watchers, each, changes, took.Round(time.Millisecond), (busy / changes).Round(time.Microsecond), (busy / changes / watchers).Round(10*time.Nanosecond))
	require.Less(t, each, int64(128<<10))
	l.hub.Close()
}

// cpu is what this process has used.
func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
