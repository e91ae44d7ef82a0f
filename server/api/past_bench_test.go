package api

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	catalogv1 "github.com/waypost-dev/waypost/proto/waypost/catalog/v1"
	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/harvest"
	"github.com/waypost-dev/waypost/server/index"
	"github.com/waypost-dev/waypost/server/store"
	"github.com/waypost-dev/waypost/server/store/pgtest"
)

// BenchmarkAsOf compares the entity as it was with the entity as it is, over
// REST and gRPC without a network, on both databases.
//
//   - now: as it is
//   - cold: no revision is read twice by a server, so that nothing of it is in
//     memory, and the targets of relations are as they were then, as owners
//     and systems mostly are
//   - cold-moved: the same, but five of six targets have changed since
//   - warm: all of one revision, which is in memory
//
// Entities are of about 2 kB with six relations.
func BenchmarkAsOf(b *testing.B) {
	for name, dsn := range map[string]func(testing.TB) string{
		"sqlite":   func(t testing.TB) string { return "sqlite:" + filepath.Join(t.TempDir(), "waypost.db") },
		"postgres": func(t testing.TB) string { return pgtest.URL(t) },
	} {
		b.Run(name, func(b *testing.B) { benchAsOf(b, dsn(b)) })
	}
}

// The catalog of BenchmarkAsOf: each entity is put as often as there are
// rounds, each time as a revision of its own.
const (
	pastEntities = 4000
	pastRounds   = 3
	pastTargets  = 100 // that never change
)

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
	for round := range pastRounds {
		var updates []store.RepositoryUpdate
		for i := range pastEntities {
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
	require.EqualValues(b, pastTargets+1+pastEntities*pastRounds, last)
	log := slog.New(slog.DiscardHandler)
	// A new server remembers nothing of what another one was asked.
	serve := func() *Server {
		s, err := New(Options{Index: f.index, Store: st, Engine: harvest.New(st, log), Logger: log})
		require.NoError(b, err)
		s.SetReady(true)
		return s
	}
	// From the end of the first round on there are all entities.
	const first, revisions = pastTargets + 1 + pastEntities, pastEntities * (pastRounds - 1)
	cases := []struct {
		name     string
		revision func(i int) int64
		odd      int
	}{
		{"now", func(int) int64 { return 0 }, 0},
		{"cold", func(i int) int64 { return int64(first + i*7919%revisions) }, 0},
		{"cold-moved", func(i int) int64 { return int64(first + i*7919%revisions) }, 1},
		{"warm", func(int) int64 { return first }, 0},
	}
	for _, form := range []string{"rest", "grpc"} {
		for _, test := range cases {
			b.Run(form+"/"+test.name, func(b *testing.B) {
				s := serve()
				ask := s.askAsOf(b, form)
				for i := range 20 { // connections
					ask(2*i+test.odd, test.revision(revisions-1-i))
				}
				if test.name == "warm" {
					_, err := catalogv1.NewCatalogServiceClient(s.Conn()).ListEntities(b.Context(), &catalogv1.ListEntitiesRequest{AsOfRevision: first, PageSize: 1})
					require.NoError(b, err)
				}
				b.ReportAllocs()
				before := cpuTime(b)
				b.ResetTimer()
				for i := range b.N {
					if test.revision(1) != test.revision(0) && i > 0 && i%(revisions-20) == 0 {
						b.StopTimer()
						ask = serve().askAsOf(b, form)
						b.StartTimer()
					}
					ask(2*i+test.odd, test.revision(i%(revisions-20)))
				}
				b.ReportMetric(float64((cpuTime(b)-before).Nanoseconds())/float64(b.N), "cpu-ns/op")
			})
		}
	}
}

// askAsOf asks for the i-th entity, as of a revision if that is not 0.
func (s *Server) askAsOf(b *testing.B, form string) func(i int, revision int64) {
	if form == "grpc" {
		client := (&fixture{Server: s}).catalog(b)
		return func(i int, revision int64) {
			e, err := client.GetEntity(b.Context(), &catalogv1.GetEntityRequest{Name: fmt.Sprintf("entities/component:default/e%d", i%pastEntities), AsOfRevision: revision})
			if err != nil || proto.Size(e) < 1500 {
				b.Fatalf("%v, %d bytes", err, proto.Size(e))
			}
		}
	}
	h := s.Handler()
	return func(i int, revision int64) {
		path := fmt.Sprintf("/v1/entities/component:default/e%d", i%pastEntities)
		if revision > 0 {
			path += fmt.Sprint("?asOfRevision=", revision)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequestWithContext(b.Context(), http.MethodGet, path, nil))
		if w.Code != http.StatusOK || w.Body.Len() < 1500 {
			b.Fatalf("%d: %s", w.Code, w.Body)
		}
	}
}
