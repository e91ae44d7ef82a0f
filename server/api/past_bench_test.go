package api

import (
	"bufio"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	catalogv1 "github.com/waypost-dev/waypost/proto/waypost/catalog/v1"
	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/feed"
	"github.com/waypost-dev/waypost/server/harvest"
	"github.com/waypost-dev/waypost/server/index"
	"github.com/waypost-dev/waypost/server/store"
	"github.com/waypost-dev/waypost/server/store/pgtest"
)

// BenchmarkAsOf compares the entity as it was with the entity as it is, on both
// databases: over REST and gRPC without a network, and over HTTP as another
// process sees it.
//
//   - now: as it is
//   - tenth: a tenth of the entities have changed since, which may be the entity
//     or a target of its relations
//   - last: the entity itself is among the last thousand that changed
//   - every: every entity has changed since, and five of six targets
//   - old: the same, at revisions older than those that a server remembers
//   - warm: all of one revision, which is in memory
//   - remember: what the first one who asks for the past has read, once
//
// times-now compares the median of blocks of reads with that of the present's
// between them. But for warm, no revision is read twice by a server. Entities are of about 2 kB
// with six relations, of half of them five to other such entities.
func BenchmarkAsOf(b *testing.B) {
	for name, dsn := range map[string]func(testing.TB) string{
		"sqlite":   func(t testing.TB) string { return "sqlite:" + filepath.Join(t.TempDir(), "waypost.db") },
		"postgres": func(t testing.TB) string { return pgtest.URL(t) },
	} {
		b.Run(name, func(b *testing.B) { benchAsOf(b, dsn(b)) })
	}
}

// The catalog of BenchmarkAsOf: each entity is put as often as there are rounds,
// then every tenth again and again, each time as a revision of its own.
const (
	pastEntities = 4000
	pastRounds   = 5
	pastTenths   = 10
	pastTargets  = 100 // that never change
	pastLast     = 1000
)

// follows is the feed of a server that was started at a revision and has seen
// everything since.
func (f *fixture) follows(b *testing.B, from catalog.Revision) *feed.Hub {
	var entities []*catalog.Entity
	require.NoError(b, f.store.LoadAt(b.Context(), from, func(e *catalog.Entity) error {
		entities = append(entities, e)
		return nil
	}))
	x, hub := index.New(), feed.New(f.store)
	x.Load(entities, from)
	hub.Reset(from)
	changes, err := f.store.Changes(b.Context(), from, pastLast)
	require.NoError(b, err)
	hub.Publish(x.Snapshot(), changes)
	return hub
}

func benchAsOf(b *testing.B, dsn string) {
	st, err := store.Open(b.Context(), dsn, store.Options{})
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, st.Close()) })
	f := &fixture{index: index.New(), store: st}
	settled := []store.RepositoryUpdate{declares(b, "s", "s0", "", "team")}
	for i := range pastTargets - 1 {
		settled = append(settled, declares(b, fmt.Sprint("s", i+1), fmt.Sprint("s", i+1), "", ""))
	}
	last := f.remember(b, settled...)
	for round := range pastRounds + pastTenths {
		var updates []store.RepositoryUpdate
		for i := range pastEntities {
			if round >= pastRounds && i/2%10 != 0 { // both with and without targets that change
				continue
			}
			title := fmt.Sprint(round) + strings.Repeat("x", 1500)
			u := declares(b, fmt.Sprint("r", i), fmt.Sprint("e", i), title, "")
			e := u.Claims[0].Entity
			for k := range 5 {
				target := fmt.Sprint("s", (i+k*31)%pastTargets)
				if i%2 == 1 {
					target = fmt.Sprint("e", (i+k*31+1)%pastEntities)
				}
				e.Relations = append(e.Relations, catalog.Relation{
					Type: catalog.DependsOn, Target: catalog.Ref{Kind: "component", Namespace: "default", Name: target}, Field: "spec.dependsOn",
				})
			}
			updates = append(updates, u)
		}
		last = f.remember(b, updates...)
	}
	hub := f.follows(b, catalog.Revision(last)-pastLast)
	log := slog.New(slog.DiscardHandler)
	// A new server remembers nothing of what another one was asked.
	serve := func() *Server {
		s, err := New(Options{Index: f.index, Store: st, Feed: hub, Engine: harvest.New(st, log), Logger: log})
		require.NoError(b, err)
		s.SetReady(true)
		require.NoError(b, s.past().recent.read(b.Context(), f.index.Snapshot().Revision()))
		runtime.GC() // what that left behind is no part of the reads
		return s
	}
	// A revision of a round, of those before its last few.
	const spread, few = 3000, 300
	in := func(round int) func(i int) int64 {
		return func(i int) int64 { return int64(pastTargets + 1 + pastEntities*(round+1) + i*7919%spread) }
	}
	require.Greater(b, last-in(0)(0)-spread, int64(maxRecent), "old is older than what is remembered")
	cases := []struct {
		name     string
		revision func(i int) int64
		spread   int // revisions
		odd, by  int
	}{
		{"now", nil, spread, 0, 1},
		{"tenth", in(pastRounds - 1), spread, 0, 1},
		{"last", func(i int) int64 { return last - pastLast + int64(i*79%few) }, few, 1, 20},
		{"every", in(pastRounds - 3), spread, 1, 2},
		{"old", in(0), spread, 1, 2},
		{"warm", func(int) int64 { return in(0)(0) }, spread, 0, 1},
	}
	b.Run("remember", func(b *testing.B) {
		b.ReportAllocs()
		for range b.N {
			r := newRecent(st)
			require.NoError(b, r.read(b.Context(), f.index.Snapshot().Revision()))
			require.Len(b, r.steps, maxRecent)
		}
	})
	for _, form := range []string{"rest", "http", "grpc"} {
		for _, test := range cases {
			b.Run(form+"/"+test.name, func(b *testing.B) {
				s := serve()
				ask := s.askAsOf(b, form)
				at := func(i int) int64 { return 0 }
				if test.revision != nil {
					at = test.revision
				}
				asked := func(from, n int, at func(i int) int64) time.Duration {
					block := make([]question, n)
					for k := range block {
						block[k] = question{test.by*(from+k) + test.odd, at((from + k) % (test.spread - 20))}
					}
					return ask(block)
				}
				none := func(int) int64 { return 0 }
				for i := 0; i < pastEntities; i += 100 { // the forms of now, which are kept
					asked(i, 100, none)
				}
				for i := range 20 { // connections
					ask([]question{{test.by*i + test.odd, at(test.spread - 1 - i)}})
				}
				if test.name == "warm" {
					asked(0, 20, at)
					past := s.past()
					require.Eventually(b, func() bool { _, ok := past.snapshots.GetIfPresent(catalog.Revision(at(0))); return ok }, time.Minute, time.Millisecond)
				}
				runtime.GC()
				// Between blocks of reads there are as many of now, so that both
				// are compared in the same minute, whatever else the machine does.
				const block = 20
				var then, now []time.Duration
				b.ReportAllocs()
				var spent time.Duration
				b.ResetTimer()
				for i := 0; i < b.N; i += block {
					b.StopTimer()
					if at(1) != at(0) && i > 0 && i%(test.spread-20) == 0 {
						ask = serve().askAsOf(b, form)
					}
					before := cpuTime(b)
					b.StartTimer()
					took := asked(i, min(block, b.N-i), at)
					b.StopTimer()
					spent += cpuTime(b) - before
					if b.N-i >= block {
						then, now = append(then, took), append(now, asked(i, block, none))
					}
					b.StartTimer()
				}
				if len(then) > 0 {
					slices.Sort(then)
					slices.Sort(now)
					b.ReportMetric(float64(then[len(then)/2])/float64(now[len(now)/2]), "times-now")
				}
				b.ReportMetric(float64(spent.Nanoseconds())/float64(b.N), "cpu-ns/op")
			})
		}
	}
}

func (s *Server) past() *past {
	return s.inProcess.methods["/waypost.catalog.v1.CatalogService/GetEntity"].service.(*catalogService).past
}

// question is for the i-th entity, as of a revision if that is not 0.
type question struct {
	i        int
	revision int64
}

// askAsOf asks one question after another, and tells how long that took.
func (s *Server) askAsOf(b *testing.B, form string) func([]question) time.Duration {
	path := func(q question) string {
		path := fmt.Sprintf("/v1/entities/component:default/e%d", q.i%pastEntities)
		if q.revision > 0 {
			path += fmt.Sprint("?asOfRevision=", q.revision)
		}
		return path
	}
	var one func(q question)
	switch form {
	case "http":
		return clientProcess(b, s.Handler(), path)
	case "grpc":
		client := (&fixture{Server: s}).catalog(b)
		one = func(q question) {
			e, err := client.GetEntity(b.Context(), &catalogv1.GetEntityRequest{Name: fmt.Sprintf("entities/component:default/e%d", q.i%pastEntities), AsOfRevision: q.revision})
			if err != nil || proto.Size(e) < leastPast {
				b.Fatalf("%v, %d bytes", err, proto.Size(e))
			}
		}
	default:
		h := s.Handler()
		one = func(q question) {
			w := httptest.NewRecorder()
			h.ServeHTTP(w, httptest.NewRequestWithContext(b.Context(), http.MethodGet, path(q), nil))
			if w.Code != http.StatusOK || w.Body.Len() < leastPast {
				b.Fatalf("%d: %s", w.Code, w.Body)
			}
		}
	}
	return func(block []question) time.Duration {
		begun := time.Now()
		for _, q := range block {
			one(q)
		}
		return time.Since(begun)
	}
}

// leastPast is less than any answer has, in bytes.
const leastPast = 1500

// clientEnv makes this program a client: it reads lines of addresses, asks for
// one after another, and prints how many nanoseconds a line took.
const clientEnv = "WAYPOST_BENCH_CLIENT"

func TestMain(m *testing.M) {
	if os.Getenv(clientEnv) == "" {
		os.Exit(m.Run())
	}
	for lines := bufio.NewReader(os.Stdin); ; {
		line, err := lines.ReadString('\n')
		if err != nil {
			return
		}
		begun := time.Now()
		for url := range strings.FieldsSeq(line) {
			answer, err := http.Get(url) //nolint:gosec,noctx // of a benchmark
			if err != nil {
				panic(err)
			}
			n, err := io.Copy(io.Discard, answer.Body)
			if err != nil || answer.Body.Close() != nil || answer.StatusCode != http.StatusOK || n < leastPast {
				panic(fmt.Sprintf("%s: %v, %s, %d bytes", url, err, answer.Status, n))
			}
		}
		fmt.Println(time.Since(begun).Nanoseconds())
	}
}

// clientProcess asks from another process: client and server share neither
// memory nor threads.
func clientProcess(b *testing.B, h http.Handler, path func(question) string) func([]question) time.Duration {
	web := httptest.NewServer(h)
	b.Cleanup(web.Close)
	client := exec.CommandContext(b.Context(), os.Args[0]) //nolint:gosec // this program
	client.Env, client.Stderr = append(os.Environ(), clientEnv+"=1"), os.Stderr
	in, err := client.StdinPipe()
	require.NoError(b, err)
	out, err := client.StdoutPipe()
	require.NoError(b, err)
	require.NoError(b, client.Start())
	b.Cleanup(func() {
		_ = in.Close()
		_ = client.Wait()
	})
	answers := bufio.NewReader(out)
	return func(block []question) time.Duration {
		var line strings.Builder
		for _, q := range block {
			fmt.Fprint(&line, web.URL, path(q), " ")
		}
		_, err := fmt.Fprintln(in, line.String())
		require.NoError(b, err)
		var took int64
		_, err = fmt.Fscanln(answers, &took)
		require.NoError(b, err)
		return time.Duration(took)
	}
}
