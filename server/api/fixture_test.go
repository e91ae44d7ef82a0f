package api

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/test/bufconn"

	catalogv1 "github.com/waypost-dev/waypost/proto/waypost/catalog/v1"
	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/harvest"
	"github.com/waypost-dev/waypost/server/index"
	"github.com/waypost-dev/waypost/server/store"
)

// fixture is a server over an index of its own.
type fixture struct {
	*Server
	index  *index.Index
	store  *store.Store
	engine *harvest.Engine
	log    *logBuffer
}

// logBuffer is a log that a test may read while it is written.
type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func newFixture(t testing.TB, entities []*catalog.Entity) *fixture {
	t.Helper()
	st, err := store.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "waypost.db"), store.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, st.Close()) })
	require.NoError(t, st.Migrate(t.Context()))
	f := &fixture{index: index.New(), store: st, log: &logBuffer{}}
	f.index.Load(entities, catalog.Revision(len(entities)))
	log := slog.New(slog.NewTextHandler(f.log, &slog.HandlerOptions{Level: slog.LevelInfo}))
	f.engine = harvest.New(st, log)
	f.Server, err = New(Options{Index: f.index, Store: st, Engine: f.engine, Logger: log, Version: "1.2.3"})
	require.NoError(t, err)
	f.SetReady(true)
	return f
}

// dial connects to the server over gRPC, without a network.
func (f *fixture) dial(t testing.TB) *grpc.ClientConn {
	t.Helper()
	l := bufconn.Listen(1 << 20)
	go f.GRPC().Serve(l) //nolint:errcheck // it ends with Stop
	t.Cleanup(f.GRPC().Stop)
	return dial(t, "passthrough:bufconn", grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return l.DialContext(ctx) }))
}

func dial(t testing.TB, address string, opts ...grpc.DialOption) *grpc.ClientConn {
	t.Helper()
	cc, err := grpc.NewClient(address, append(opts, grpc.WithTransportCredentials(insecure.NewCredentials()))...)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, cc.Close()) })
	return cc
}

// listen serves HTTP and gRPC on loopback.
func (f *fixture) listen(t testing.TB) (httpAddr, grpcAddr string) {
	t.Helper()
	hl, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	gl, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	hs := NewHTTPServer("", f.Handler(), slog.New(slog.DiscardHandler))
	go hs.Serve(hl)       //nolint:errcheck // it ends with Close
	go f.GRPC().Serve(gl) //nolint:errcheck // it ends with Stop
	t.Cleanup(func() { _ = hs.Close(); f.GRPC().Stop() })
	return hl.Addr().String(), gl.Addr().String()
}

// document is an entity of which a test says what matters to it.
func document(t testing.TB, doc map[string]any, relations ...catalog.Relation) *catalog.Entity {
	t.Helper()
	meta := doc["metadata"].(map[string]any)
	if meta["namespace"] == nil {
		meta["namespace"] = catalog.DefaultNamespace
	}
	if doc["apiVersion"] == nil {
		doc["apiVersion"] = "backstage.io/v1alpha1"
	}
	b, err := json.Marshal(doc)
	require.NoError(t, err)
	return &catalog.Entity{
		Ref:       catalog.Ref{Kind: doc["kind"].(string), Namespace: meta["namespace"].(string), Name: meta["name"].(string)},
		Document:  b,
		Relations: relations,
	}
}

// stored gives entities what the store would give them.
func stored(entities []*catalog.Entity) []*catalog.Entity {
	for i, e := range entities {
		e.UID = fmt.Sprintf("uid-%04d", i+1)
		e.Revision = catalog.Revision(i + 1)
		e.Changed = time.Date(2026, 11, 1, 12, 0, i%60, 123456000*(i%3), time.UTC)
		if e.Origin.Source == "" {
			e.Origin = catalog.Origin{Source: "dir:/srv/git", Repository: "acme/" + e.Ref.Name, Path: "catalog-info.yaml", Line: 1, Commit: "0123456789abcdef0123456789abcdef01234567"}
		}
	}
	return entities
}

func group(name string) catalog.Ref {
	return catalog.Ref{Kind: "group", Namespace: "default", Name: name}
}

// acme is a small organisation with something of everything.
func acme(t testing.TB) []*catalog.Entity {
	t.Helper()
	return stored([]*catalog.Entity{
		document(t, map[string]any{
			"kind": "Component",
			"metadata": map[string]any{
				"name": "Checkout", "title": "Checkout service", "description": "Takes <orders> & payments",
				"labels":      map[string]any{"tier": "1"},
				"annotations": map[string]any{"github.com/project-slug": "acme/checkout"},
				"tags":        []any{"go", "payments"},
				"links":       []any{map[string]any{"url": "https://checkout.example.com", "title": "Site", "icon": "web"}},
			},
			"spec": map[string]any{"type": "service", "lifecycle": "production", "owner": "payments", "weight": 12345678901, "ratio": 0.25, "none": nil, "deep": map[string]any{"a": []any{1, "x", true, map[string]any{}}}},
		},
			catalog.Relation{Type: catalog.OwnedBy, Target: group("payments"), Field: "spec.owner", Line: 9, Column: 10},
			catalog.Relation{Type: catalog.DependsOn, Target: catalog.Ref{Kind: "component", Namespace: "default", Name: "ledger"}, Field: "spec.dependsOn[0]", Line: 12},
		),
		document(t, map[string]any{
			"kind":     "Component",
			"metadata": map[string]any{"name": "ledger", "title": "", "custom": map[string]any{"n": 1.5}, "tags": "not-a-list"},
			"spec":     map[string]any{"type": "library", "lifecycle": "experimental", "owner": "nobody"},
		}, catalog.Relation{Type: catalog.OwnedBy, Target: group("nobody"), Field: "spec.owner", Line: 7, Column: 10}),
		document(t, map[string]any{
			"kind":     "Group",
			"metadata": map[string]any{"name": "payments", "links": []any{map[string]any{"url": "https://x.example", "rel": "odd"}}},
			"spec":     map[string]any{"type": "team", "children": []any{}},
		}),
		document(t, map[string]any{
			"kind":     "Thing",
			"metadata": map[string]any{"name": "no-spec", "namespace": "other", "description": "line\u2028break \u0001 \"quoted\" \\ héllo"},
		}),
	})
}

// many makes n entities of about two kilobytes that own and need each other.
func many(t testing.TB, n int) []*catalog.Entity {
	t.Helper()
	types := []string{"service", "website", "library", "documentation"}
	lifecycles := []string{"production", "experimental", "deprecated"}
	words := []string{"order", "payment", "ledger", "catalog", "search", "session", "shipping", "invoice", "customer", "report", "pricing", "stock", "gateway", "event", "audit", "billing"}
	teams := max(n/100, 1)
	out := make([]*catalog.Entity, 0, n)
	for i := range n {
		if i < teams {
			out = append(out, document(t, map[string]any{
				"kind": "Group", "metadata": map[string]any{"name": fmt.Sprintf("team-%04d", i), "title": fmt.Sprintf("Team %d", i)},
				"spec": map[string]any{"type": "team", "children": []any{}},
			}))
			continue
		}
		word := func(k int) string { return words[(i*7+k*k*3+i/16)%len(words)] }
		team := fmt.Sprintf("team-%04d", i%teams)
		name := fmt.Sprintf("%s-%s-%05d", word(1), word(2), i)
		description := ""
		for k := range 60 {
			description += word(k) + " "
		}
		annotations := map[string]any{}
		for k := range 8 {
			annotations[fmt.Sprintf("example.com/annotation-%d", k)] = fmt.Sprintf("https://example.com/%s/%s/%d", name, word(k), k)
		}
		relations := []catalog.Relation{{Type: catalog.OwnedBy, Target: group(team), Field: "spec.owner"}}
		var needs []any
		for k := 1; k <= 3 && i-k*11 >= teams; k++ {
			target := out[i-k*11].Ref
			needs = append(needs, refString(target))
			relations = append(relations, catalog.Relation{Type: catalog.DependsOn, Target: target.Lower(), Field: "spec.dependsOn"})
		}
		out = append(out, document(t, map[string]any{
			"kind": "Component",
			"metadata": map[string]any{
				"name": name, "title": word(1) + " " + word(2) + fmt.Sprint(" ", i), "description": description,
				"annotations": annotations, "labels": map[string]any{"tier": fmt.Sprint(i % 4), "region": word(3)},
				"tags":  []any{word(4), "go"},
				"links": []any{map[string]any{"url": "https://example.com/" + name, "title": "Runbook"}},
			},
			"spec": map[string]any{"type": types[i%len(types)], "lifecycle": lifecycles[i%len(lifecycles)], "owner": team, "dependsOn": needs},
		}, relations...))
	}
	return stored(out)
}

func (f *fixture) catalog(t testing.TB) catalogv1.CatalogServiceClient {
	return catalogv1.NewCatalogServiceClient(f.dial(t))
}

func indexQuery(token string) index.Query { return index.Query{Size: index.MaxPage, Token: token} }
