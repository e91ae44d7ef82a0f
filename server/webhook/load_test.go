package webhook_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/source"
	"github.com/waypost-dev/waypost/server/store"
	"github.com/waypost-dev/waypost/server/store/pgtest"
	"github.com/waypost-dev/waypost/server/webhook"
)

// payloadSize is that of an ordinary push.
const payloadSize = 8 << 10

// site is the handler over loopback, with somebody who drains.
type site struct {
	*store.Store
	url    string
	client *http.Client
}

func newSite(t testing.TB, dsn string) *site {
	t.Helper()
	s := &site{Store: open(t, dsn), client: &http.Client{
		Transport: &http.Transport{MaxIdleConnsPerHost: 1000, MaxIdleConns: 1000}, Timeout: 30 * time.Second,
	}}
	t.Cleanup(s.client.CloseIdleConnections)
	drain := make(chan struct{}, 1)
	i := inbox(t, s.Store, sourcesOf(acme), webhook.Options{
		Refresh: func(context.Context, string, source.Scope, catalog.Cause) (store.Counts, error) {
			time.Sleep(50 * time.Millisecond) // a request to the forge
			return store.Counts{}, nil
		},
		Wake: func(context.Context, string) error {
			select {
			case drain <- struct{}{}:
			default:
			}
			return nil
		},
	})
	ctx, cancel := context.WithCancel(context.Background())
	var drains sync.WaitGroup
	drains.Go(func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-drain:
				if err := i.Drain(ctx, acme); err != nil && ctx.Err() == nil {
					t.Error(err)
				}
			}
		}
	})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	server := &http.Server{Handler: i, ReadHeaderTimeout: 10 * time.Second}
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	t.Cleanup(func() {
		require.NoError(t, server.Close())
		require.ErrorIs(t, <-served, http.ErrServerClosed)
		cancel()
		drains.Wait()
	})
	s.url = "http://" + l.Addr().String() + "/webhooks/github"
	return s
}

// post sends a delivery that is signed already.
func (s *site) post(id, signature string, body []byte) (int, error) {
	r, err := http.NewRequest(http.MethodPost, s.url, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	r.Header = http.Header{
		"Content-Type": {"application/json"}, "X-Github-Event": {"push"}, "X-Github-Delivery": {id}, "X-Hub-Signature-256": {signature},
	}
	answer, err := s.client.Do(r)
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	_, err = io.Copy(io.Discard, answer.Body)
	return answer.StatusCode, err
}

// flow sends deliveries at a rate, whether or not earlier ones were answered,
// and returns how long each took from the moment when it was due, sorted, and
// how many were not acknowledged as new.
func (s *site) flow(perSecond int, d time.Duration) (took []time.Duration, refused int64) {
	const repositories = 100
	var bodies [repositories][]byte
	var signatures [repositories]string
	for n := range bodies {
		bodies[n] = pad(fmt.Sprintf(`"Repositories":[{"ID":"R%d","Name":"acme/r%d"}],"Actor":"ann"`, n, n), payloadSize)
		signatures[n] = sign(bodies[n], secret)
	}
	all := int(d.Seconds() * float64(perSecond))
	took = make([]time.Duration, all)
	var failed atomic.Int64
	var sent sync.WaitGroup
	begin := time.Now()
	for n := range all {
		due := begin.Add(time.Duration(n) * time.Second / time.Duration(perSecond))
		time.Sleep(time.Until(due))
		sent.Go(func() {
			code, err := s.post(fmt.Sprint(n), signatures[n%repositories], bodies[n%repositories])
			took[n] = time.Since(due)
			if err != nil || code != http.StatusAccepted {
				failed.Add(1)
			}
		})
	}
	sent.Wait()
	slices.Sort(took)
	return took, failed.Load()
}

// settled waits until everything that came was processed, and checks that what
// was acknowledged is among it. What was refused may be there too, if the sender
// was told before the database was done.
func (s *site) settled(t testing.TB, acknowledged int) {
	t.Helper()
	eventually(t, "everything is processed", func() bool {
		queues, err := s.DeliveryQueues(t.Context())
		require.NoError(t, err)
		return len(queues) == 0
	})
	require.GreaterOrEqual(t, len(deliveries(t, s.Store, acme)), acknowledged)
}

func share(took []time.Duration, part float64) time.Duration {
	return took[min(int(float64(len(took))*part), len(took)-1)]
}

// A short flow of deliveries: each is acknowledged, in the store, and processed.
func TestLoad(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, dsn string) {
		s := newSite(t, dsn)
		took, refused := s.flow(300, 2*time.Second)
		require.Zero(t, refused)
		s.settled(t, len(took))
		t.Logf("acknowledged within %v (median), %v (99th percentile)", share(took, .5), share(took, .99))
	})
}

// BenchmarkFlow is 1,000 deliveries a second for 30 s, each of 8 kB; run it with
// -benchtime 1x. Beside a harvest means that entities are written all the time.
func BenchmarkFlow(b *testing.B) {
	onDatabases(b, func(b *testing.B, kind string) {
		for _, harvest := range []bool{false, true} {
			b.Run(map[bool]string{false: "alone", true: "beside-a-harvest"}[harvest], func(b *testing.B) {
				for range b.N {
					s := newSite(b, fresh(b, kind))
					stop := func() int { return 0 }
					if harvest {
						stop = s.harvestForever(b)
					}
					took, refused := s.flow(1000, 30*time.Second)
					applied := stop()
					s.settled(b, len(took)-int(refused))
					b.ReportMetric(float64(share(took, .5).Microseconds())/1e3, "ms-median")
					b.ReportMetric(float64(share(took, .99).Microseconds())/1e3, "ms-99th")
					b.ReportMetric(float64(took[len(took)-1].Microseconds())/1e3, "ms-worst")
					b.ReportMetric(float64(refused), "refused")
					b.ReportMetric(float64(applied)/30, "entities/s")
				}
			})
		}
	})
}

// BenchmarkReceive is how many deliveries of 8 kB are taken by eight senders
// that wait for each answer.
func BenchmarkReceive(b *testing.B) {
	onDatabases(b, func(b *testing.B, kind string) {
		s := newSite(b, fresh(b, kind))
		body := pad(`"Ignored":"no watched path"`, payloadSize)
		signature := sign(body, secret)
		var n atomic.Int64
		b.SetBytes(int64(len(body)))
		b.SetParallelism(4)
		b.ResetTimer()
		b.RunParallel(func(p *testing.PB) {
			for p.Next() {
				code, err := s.post(fmt.Sprint(n.Add(1)), signature, body)
				if err != nil || code != http.StatusAccepted {
					b.Errorf("%d %v", code, err)
				}
			}
		})
	})
}

// BenchmarkDrain is how long it takes to work off 10,000 deliveries of 8 kB for
// 100 repositories, the refreshes aside.
func BenchmarkDrain(b *testing.B) {
	const all = 10_000
	onDatabases(b, func(b *testing.B, kind string) {
		s := open(b, fresh(b, kind))
		i := inbox(b, s, sourcesOf(acme), webhook.Options{})
		for round := 0; b.Loop(); round++ {
			b.StopTimer()
			var batch []store.Delivery
			for n := range all {
				batch = append(batch, store.Delivery{
					ID: fmt.Sprint(round, "-", n), Source: acme, Event: "push", Received: time.Now(), Waiting: true,
					Payload: pad(fmt.Sprintf(`"Repositories":[{"ID":"R%d"}]`, n%100), payloadSize),
				})
			}
			_, err := s.PutDeliveries(b.Context(), batch)
			require.NoError(b, err)
			b.StartTimer()
			require.NoError(b, i.Drain(b.Context(), acme))
		}
		require.Empty(b, waiting(b, s, acme))
		b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/all, "µs/delivery")
	})
}

func onDatabases(b *testing.B, run func(b *testing.B, kind string)) {
	for _, kind := range []string{"sqlite", "postgres"} {
		b.Run(kind, func(b *testing.B) { run(b, kind) })
	}
}

func fresh(b *testing.B, kind string) string {
	if kind == "postgres" {
		return pgtest.URL(b)
	}
	return "sqlite:" + filepath.Join(b.TempDir(), "waypost.db")
}

// harvestForever applies batches as a harvest does of which every entity has
// changed, until it is stopped; stop returns how many entities it wrote.
func (s *site) harvestForever(b *testing.B) (stop func() int) {
	const repositories, entities = 200, 10 // 2,000 entities, the batch of harvest
	ctx, cancel := context.WithCancel(context.Background())
	var done sync.WaitGroup
	written := 0
	done.Go(func() {
		for round := 0; ctx.Err() == nil; round++ {
			var batch []store.RepositoryUpdate
			for r := range repositories {
				batch = append(batch, repositoryOf(r, entities, round))
			}
			if _, err := s.Apply(ctx, acme, batch); err != nil {
				if ctx.Err() == nil {
					b.Error(err)
				}
				return
			}
			written += repositories * entities
		}
	})
	return func() int {
		cancel()
		done.Wait()
		return written
	}
}

func repositoryOf(r, entities, round int) store.RepositoryUpdate {
	name := fmt.Sprintf("acme/r%d", r)
	u := store.RepositoryUpdate{Repository: store.Repository{
		ID: name, Name: name, State: fmt.Sprint(round), Documents: map[string]store.Document{"catalog-info.yaml": {Hash: fmt.Sprint(round)}},
	}}
	for e := range entities {
		ref := catalog.Ref{Kind: "Component", Namespace: "default", Name: fmt.Sprintf("c-%d-%d", r, e)}
		u.Claims = append(u.Claims, store.Claim{Key: ref.Key(), Entity: &catalog.Entity{
			Ref: ref, Origin: catalog.Origin{Source: acme, Repository: name, Path: "catalog-info.yaml", Line: e + 1},
			Document: fmt.Appendf(nil, `{"kind":"Component","metadata":{"name":%q,"description":"round %d %s"}}`, ref.Name, round, bytes.Repeat([]byte("text "), 380)),
		}})
	}
	return u
}
