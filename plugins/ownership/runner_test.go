package ownership_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waypost-dev/waypost/plugins"
	"github.com/waypost-dev/waypost/plugins/ownership"
	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/enrich"
	"github.com/waypost-dev/waypost/server/feed"
	"github.com/waypost-dev/waypost/server/index"
	"github.com/waypost-dev/waypost/server/store"
)

// server is as much of a server as runs a plugin, over SQLite in memory.
type server struct {
	testing.TB
	st   *store.Store
	x    *index.Index
	hub  *feed.Hub
	seen catalog.Revision
	r    *enrich.Runner
}

func newServer(t testing.TB) *server {
	st, err := store.Open(t.Context(), "sqlite::memory:", store.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, st.Close()) })
	return &server{TB: t, st: st, x: index.New(), hub: feed.New(st)}
}

func (s *server) start() {
	var err error
	s.r, err = enrich.New(s.Context(), enrich.Options{
		Store: s.st, Index: s.x, Feed: s.hub, Log: slog.New(slog.DiscardHandler), Quiet: -1,
		Enqueue: func(context.Context, string) error { return nil },
	}, []enrich.Configured{{Plugin: ownership.New()}})
	require.NoError(s, err)
}

// entity makes an entity of kind:name and spec, as JSON.
func (s *server) entity(repository, ref, spec string) store.Claim {
	kind, name, _ := strings.Cut(ref, ":")
	var fields map[string]any
	require.NoError(s, json.Unmarshal([]byte(spec), &fields))
	e, _ := catalog.NewEntity("backstage.io/v1alpha1", kind, map[string]any{"name": name}, fields, catalog.Origin{
		Source: "github:acme", Repository: "acme/" + repository, Path: "catalog-info.yaml", Line: 1,
	})
	require.NotNil(s, e)
	return store.Claim{Key: ref, Entity: e}
}

func (s *server) put(repository string, facts plugins.RepositoryFacts, claims ...store.Claim) {
	b, err := json.Marshal(facts)
	require.NoError(s, err)
	u := store.RepositoryUpdate{Repository: store.Repository{ID: repository, Name: "acme/" + repository, Commit: "c0ffee", State: string(b), Facts: b}, Claims: claims}
	_, err = s.st.Apply(s.Context(), "github:acme", []store.RepositoryUpdate{u})
	require.NoError(s, err)
}

func (s *server) follow() {
	for {
		changes, err := s.st.Changes(s.Context(), s.seen, 1000)
		require.NoError(s, err)
		if len(changes) == 0 {
			return
		}
		was := s.x.Snapshot()
		s.x.Apply(changes)
		s.hub.Publish(was, changes)
		s.seen = changes[len(changes)-1].Revision
	}
}

func (s *server) work() {
	s.Helper()
	s.follow()
	require.NoError(s, s.r.Work(s.Context(), ownership.Name))
	s.follow()
}

func (s *server) fact(ref, key string) string {
	s.Helper()
	parsed, err := catalog.ParseRef(ref, catalog.RefContext{})
	require.NoError(s, err)
	r, ok := s.x.Snapshot().Get(parsed)
	require.True(s, ok)
	return strings.Trim(string(r.Entity.Fact(key)), `"`)
}

// TestServer has the server ask, and hold the answers against what is declared.
func TestServer(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	people := func(members ...string) {
		claims := []store.Claim{s.entity("org", "Group:web", `{"type":"team","children":[]}`), s.entity("org", "Group:pay", `{"type":"team","children":[],"members":["cyn","dan"]}`)}
		for _, m := range members {
			claims = append(claims, s.entity("org", "User:"+m, `{"memberOf":["web"]}`))
		}
		claims = append(claims, s.entity("org", "User:cyn", `{"memberOf":[]}`), s.entity("org", "User:dan", `{"memberOf":[]}`))
		s.put("org", plugins.RepositoryFacts{}, claims...)
	}
	people("ann", "bob")
	content := "* @acme/web\n/x !bad\n"
	s.put("shop", plugins.RepositoryFacts{URL: "https://github.com/acme/shop", Codeowners: &plugins.Codeowners{Path: "CODEOWNERS", Hash: "1", Content: content}},
		s.entity("shop", "Component:shop", `{"type":"service","lifecycle":"production","owner":"nobody","responsibilities":{"run":"pay"}}`))
	s.start()
	s.work()
	const shop = "component:default/shop"
	require.Equal(t, "group:default/web", s.fact(shop, ownership.FactOwner))
	require.Equal(t, "dangling", s.fact(shop, ownership.FactStatus))
	require.Equal(t, "codeowners", s.fact(shop, ownership.FactSource))
	require.Equal(t, `[{"owner":"group:default/pay","role":"run"}]`, s.fact(shop, ownership.FactResponsibilities))

	// The declared owner comes to be.
	s.put("more", plugins.RepositoryFacts{}, s.entity("more", "Group:nobody", `{"type":"team","children":[],"members":["ann","bob"]}`))
	s.work()
	require.Equal(t, "group:default/nobody declared owned", s.fact(shop, ownership.FactOwner)+" "+s.fact(shop, ownership.FactSource)+" "+s.fact(shop, ownership.FactStatus))

	// Everybody leaves who was in it.
	people()
	s.work()
	require.Equal(t, "disbanded", s.fact(shop, ownership.FactStatus))
}

// BenchmarkServer asks about 15,500 entities through the server: with its index
// as the view, its store for answers, and no history of commits.
func BenchmarkServer(b *testing.B) {
	s := newServer(b)
	const teams = 500
	var claims []store.Claim
	for i := range teams {
		claims = append(claims, s.entity("org", fmt.Sprintf("Group:team-%d", i), `{"type":"team","children":[]}`))
	}
	for i := range 3000 {
		claims = append(claims, s.entity("org", fmt.Sprintf("User:user-%d", i), fmt.Sprintf(`{"memberOf":["team-%d"]}`, i%teams)))
	}
	s.put("org", plugins.RepositoryFacts{}, claims...)
	for i := range 12_000 {
		name := fmt.Sprintf("c-%d", i)
		s.put(name, plugins.RepositoryFacts{
			URL: "https://github.com/acme/" + name, Teams: map[string]string{fmt.Sprintf("team-%d", i%teams): "push"},
			Codeowners: &plugins.Codeowners{Path: "CODEOWNERS", Hash: fmt.Sprint(i % teams), Content: fmt.Sprintf("* @acme/team-%d\n", i%teams)},
		}, s.entity(name, "Component:"+name, `{"type":"service","lifecycle":"production"}`))
	}
	s.follow()
	for b.Loop() {
		b.StopTimer()
		s.start()
		_, err := s.r.Again(b.Context(), ownership.Name)
		require.NoError(b, err)
		b.StartTimer()
		start := time.Now()
		require.NoError(b, s.r.Work(b.Context(), ownership.Name))
		b.ReportMetric(time.Since(start).Seconds(), "s")
	}
	s.follow()
	require.Equal(b, "group:default/team-7", s.fact("component:default/c-7", ownership.FactOwner))
}
