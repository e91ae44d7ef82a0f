package api

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	catalogv1 "github.com/waypost-dev/waypost/proto/waypost/catalog/v1"
	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/feed"
	"github.com/waypost-dev/waypost/server/harvest"
	"github.com/waypost-dev/waypost/server/index"
	"github.com/waypost-dev/waypost/server/store"
)

// live is a server over a store whose changes a test brings in.
type live struct {
	*Server
	t     testing.TB
	store *store.Store
	index *index.Index
	hub   *feed.Hub
	seen  catalog.Revision
}

func newLive(t testing.TB) *live {
	t.Helper()
	st, err := store.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "waypost.db"), store.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, st.Close()) })
	l := &live{t: t, store: st, index: index.New(), hub: feed.New(st)}
	log := slog.New(slog.DiscardHandler)
	l.Server, err = New(Options{Index: l.index, Store: st, Engine: harvest.New(st, log), Feed: l.hub, Logger: log})
	require.NoError(t, err)
	l.SetReady(true)
	return l
}

// component is what a test watches.
func component(t testing.TB, name, lifecycle string) *catalog.Entity {
	e := document(t, map[string]any{
		"kind": "Component", "metadata": map[string]any{"name": name},
		"spec": map[string]any{"type": "service", "lifecycle": lifecycle, "owner": "payments"},
	}, catalog.Relation{Type: catalog.OwnedBy, Target: group("payments"), Field: "spec.owner"})
	e.Origin = catalog.Origin{Source: "test:acme", Repository: "acme/one", Path: "catalog-info.yaml", Line: 1}
	return e
}

// write makes the catalog hold these entities and no others.
func (l *live) write(entities ...*catalog.Entity) {
	u := store.RepositoryUpdate{Repository: store.Repository{ID: "one", Name: "acme/one", State: "1", Facts: []byte("{}")}, Cause: catalog.Cause{Via: catalog.ViaWebhook, Actor: "ada"}}
	for _, e := range entities {
		u.Claims = append(u.Claims, store.Claim{Key: e.Ref.Name, Entity: e})
	}
	_, err := l.store.Apply(context.Background(), "test:acme", []store.RepositoryUpdate{u})
	require.NoError(l.t, err)
	l.follow()
}

// follow brings what was written to the index and to those who watch.
func (l *live) follow() {
	changes, err := l.store.Changes(context.Background(), l.seen, 100_000)
	require.NoError(l.t, err)
	if len(changes) > 0 {
		was := l.index.Snapshot()
		l.index.Apply(changes)
		l.hub.Publish(was, changes)
		l.seen = changes[len(changes)-1].Revision
	}
}

func (l *live) dial() *grpc.ClientConn {
	listener := bufconn.Listen(1 << 20)
	go l.GRPC().Serve(listener) //nolint:errcheck // it ends with Stop
	l.t.Cleanup(l.GRPC().Stop)
	return dial(l.t, "passthrough:bufconn", grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) }))
}

// told is an answer in short.
func told(m *catalogv1.WatchEntitiesResponse) string {
	name := ""
	if m.Entity != nil {
		name = " " + m.Entity.Metadata.Name
	}
	return fmt.Sprint(strings.TrimPrefix(m.Type.String(), "TYPE_"), name, " ", m.Revision)
}

func receive(t testing.TB, stream grpc.ServerStreamingClient[catalogv1.WatchEntitiesResponse], n int) []string {
	t.Helper()
	var out []string
	for range n {
		m, err := stream.Recv()
		require.NoError(t, err)
		out = append(out, told(m))
	}
	return out
}

const inProduction = `entity.spec.lifecycle == "production"`

// TestWatchEntities follows a selection over gRPC and in process.
func TestWatchEntities(t *testing.T) {
	t.Parallel()
	l := newLive(t)
	l.write(component(t, "a", "production"))
	b := component(t, "b", "experimental")
	l.write(component(t, "a", "production"), b)
	cc := l.dial()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	conns := map[string]grpc.ClientConnInterface{"network": cc, "in process": l.Conn()}
	streams := map[string]grpc.ServerStreamingClient[catalogv1.WatchEntitiesResponse]{}
	for name, conn := range conns {
		s, err := catalogv1.NewWatchServiceClient(conn).WatchEntities(ctx, &catalogv1.WatchEntitiesRequest{Filter: inProduction, SendInitial: true})
		require.NoError(t, err)
		require.Equal(t, []string{"ADDED a 0", "BOOKMARK 2"}, receive(t, s, 2), name)
		streams[name] = s
	}
	l.write(component(t, "a", "experimental"), b)
	l.write(component(t, "a", "production"), b)
	changed := component(t, "a", "production")
	changed.Origin.Path = "other.yaml"
	l.write(changed, b)
	l.write(changed, b, component(t, "c", "experimental")) // nobody hears of it
	l.write(b, component(t, "c", "experimental"))
	want := []string{"REMOVED a 3", "ADDED a 4", "CHANGED a 5", "REMOVED a 7"}
	for name, s := range streams {
		require.Equal(t, want, receive(t, s, 4), name)
	}
	for name, conn := range conns {
		s, err := catalogv1.NewWatchServiceClient(conn).WatchEntities(ctx, &catalogv1.WatchEntitiesRequest{Filter: inProduction, AfterRevision: 2})
		require.NoError(t, err)
		require.Equal(t, append(want, "BOOKMARK 7"), receive(t, s, 5), name)
		s, err = catalogv1.NewWatchServiceClient(conn).WatchEntities(ctx, &catalogv1.WatchEntitiesRequest{})
		require.NoError(t, err)
		require.Equal(t, []string{"BOOKMARK 7"}, receive(t, s, 1), "from now: "+name)
	}
}

// TestWatchForms holds what is sent as bytes against what the other readers get.
func TestWatchForms(t *testing.T) {
	t.Parallel()
	l := newLive(t)
	l.write(component(t, "a", "production"))
	cc := l.dial()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	first := func(conn grpc.ClientConnInterface, req *catalogv1.WatchEntitiesRequest) *catalogv1.WatchEntitiesResponse {
		s, err := catalogv1.NewWatchServiceClient(conn).WatchEntities(ctx, req)
		require.NoError(t, err)
		m, err := s.Recv()
		require.NoError(t, err)
		return m
	}
	same := func(a, b proto.Message) { t.Helper(); require.Empty(t, cmp.Diff(a, b, protocmp.Transform())) }
	is, err := catalogv1.NewCatalogServiceClient(cc).GetEntity(ctx, &catalogv1.GetEntityRequest{Name: "entities/component:default/a"})
	require.NoError(t, err)

	initial := first(cc, &catalogv1.WatchEntitiesRequest{SendInitial: true})
	same(initial, first(l.Conn(), &catalogv1.WatchEntitiesRequest{SendInitial: true}))
	same(&catalogv1.WatchEntitiesResponse{Type: catalogv1.WatchEntitiesResponse_TYPE_ADDED, Time: is.UpdateTime, Entity: is}, initial)

	l.write()
	was := is
	cause := &catalogv1.Cause{Via: "webhook", Actor: "ada"}
	removed := first(l.Conn(), &catalogv1.WatchEntitiesRequest{AfterRevision: 1})
	same(removed, first(cc, &catalogv1.WatchEntitiesRequest{AfterRevision: 1}))
	same(&catalogv1.WatchEntitiesResponse{Type: catalogv1.WatchEntitiesResponse_TYPE_REMOVED, Revision: 2, Time: removed.Time, Entity: was, Cause: cause}, removed)

	ts := httptest.NewServer(l.Handler())
	t.Cleanup(ts.Close) // after the answers that are open
	for _, c := range []struct {
		query string
		want  *catalogv1.WatchEntitiesResponse
	}{{"afterRevision=1", removed}, {"sendInitial=true", nil}} {
		e := openEvents(t, ts.URL+"/v1/entities:watch?"+c.query, "")
		ev := e.next()
		if c.want == nil {
			require.Equal(t, "bookmark", ev.name)
			continue
		}
		got := &catalogv1.WatchEntitiesResponse{}
		require.NoError(t, protojson.Unmarshal([]byte(ev.data), got), ev.data)
		same(c.want, got)
	}
}

// TestWatchRefuses asks for what cannot be had.
func TestWatchRefuses(t *testing.T) {
	t.Parallel()
	l := newLive(t)
	l.write(component(t, "a", "production"))
	client := catalogv1.NewWatchServiceClient(l.dial())
	ask := func(timeout time.Duration, req *catalogv1.WatchEntitiesRequest) error {
		ctx, cancel := context.WithTimeout(t.Context(), timeout)
		defer cancel()
		s, err := client.WatchEntities(ctx, req)
		require.NoError(t, err)
		_, err = s.Recv()
		return err
	}
	for _, req := range []*catalogv1.WatchEntitiesRequest{
		{Filter: "entity.kind =="}, {AfterRevision: -1}, {AfterRevision: 1, SendInitial: true}, {Filter: strings.Repeat("x", 9000)},
	} {
		require.Equal(t, codes.InvalidArgument, status.Code(ask(time.Minute, req)), "%v", req)
	}
	// What may change with another entity. A list takes it.
	ts := httptest.NewServer(l.Handler())
	t.Cleanup(ts.Close)
	for _, filter := range []string{`"component:default/a" in relations.ownerOf`, `has(relations.hasPart)`, `"component:default/b" in relations["dependencyOf"]`} {
		err := ask(time.Minute, &catalogv1.WatchEntitiesRequest{Filter: filter})
		require.Equal(t, codes.InvalidArgument, status.Code(err), filter)
		require.Equal(t, "filter", detail[*errdetails.BadRequest](t, err).FieldViolations[0].Field)
		require.Contains(t, err.Error(), "cannot be watched", filter)
		require.Contains(t, detail[*errdetails.ErrorInfo](t, err).Metadata["hint"], "entity.spec", filter)
		for _, accept := range []string{"application/json", "text/event-stream"} {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			req, err := http.NewRequestWithContext(ctx, http.MethodGet, ts.URL+"/v1/entities:watch?filter="+url.QueryEscape(filter), nil)
			require.NoError(t, err)
			req.Header.Set("Accept", accept)
			answer, err := ts.Client().Do(req)
			require.NoError(t, err)
			require.NoError(t, answer.Body.Close())
			cancel()
			require.Equal(t, http.StatusBadRequest, answer.StatusCode, "%s as %s", filter, accept)
		}
		_, err = catalogv1.NewCatalogServiceClient(l.Conn()).ListEntities(t.Context(), &catalogv1.ListEntitiesRequest{Filter: filter})
		require.NoError(t, err, filter)
	}
	// Revisions that are not there, as retention leaves them.
	l.hub.Reset(50)
	l.index.Load(nil, 50)
	err := ask(time.Minute, &catalogv1.WatchEntitiesRequest{AfterRevision: 20})
	require.Equal(t, codes.OutOfRange, status.Code(err))
	require.Equal(t, "REVISION_TOO_OLD", detail[*errdetails.ErrorInfo](t, err).Reason)
	require.Contains(t, err.Error(), "list the entities anew")
	require.Equal(t, codes.DeadlineExceeded, status.Code(ask(100*time.Millisecond, &catalogv1.WatchEntitiesRequest{AfterRevision: 1 << 40})))
	if testing.Short() {
		t.Skip("SKIPPED: a revision that never comes is waited for")
	}
	err = ask(time.Minute, &catalogv1.WatchEntitiesRequest{AfterRevision: 1 << 40})
	require.Equal(t, codes.OutOfRange, status.Code(err))
	require.Equal(t, "REVISION_AHEAD", detail[*errdetails.ErrorInfo](t, err).Reason)
}

// TestWatchFacts: what a plugin says of an entity is a change of it, and shows
// the entity as a read does, with the relations that lead to it.
func TestWatchFacts(t *testing.T) {
	t.Parallel()
	l := newLive(t)
	a, b := component(t, "a", "production"), component(t, "b", "production")
	b.Relations = append(b.Relations, catalog.Relation{Type: catalog.DependsOn, Target: a.Ref.Lower(), Field: "spec.dependsOn[0]"})
	l.write(a, b)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	cc := l.dial()
	const inSystem = `"system:default/shop" in relations.partOf`
	streams := map[string]grpc.ServerStreamingClient[catalogv1.WatchEntitiesResponse]{}
	for _, filter := range []string{"", inProduction, inSystem} {
		s, err := catalogv1.NewWatchServiceClient(cc).WatchEntities(ctx, &catalogv1.WatchEntitiesRequest{Filter: filter})
		require.NoError(t, err)
		require.Equal(t, []string{"BOOKMARK 2"}, receive(t, s, 1), filter)
		streams[filter] = s
	}
	r, ok := l.index.Snapshot().Get(a.Ref)
	require.True(t, ok)
	say := func(value string, relations ...catalog.Relation) {
		n, err := l.store.PutEnrichments(ctx, "own", []store.Enrichment{{
			UID: r.Entity.UID, Ref: r.Entity.Ref, Facts: []catalog.Fact{{Key: "own.value", Value: json.RawMessage(value)}}, Relations: relations, Reads: []byte("r"),
		}})
		require.NoError(t, err)
		require.Equal(t, 1, n)
		l.follow()
	}
	for i, step := range []struct {
		relations []catalog.Relation
		want      string // of the one who watches a relation
	}{
		{[]catalog.Relation{{Type: catalog.PartOf, Target: catalog.Ref{Kind: "system", Namespace: "default", Name: "shop"}}}, "ADDED"},
		{nil, "REMOVED"},
	} {
		say(fmt.Sprint(i), step.relations...)
		is, err := catalogv1.NewCatalogServiceClient(cc).GetEntity(ctx, &catalogv1.GetEntityRequest{Name: "entities/component:default/a"})
		require.NoError(t, err)
		for filter, s := range streams {
			want := map[bool]string{true: step.want, false: "CHANGED"}[filter == inSystem]
			m, err := s.Recv()
			require.NoError(t, err)
			require.Equal(t, fmt.Sprint(want, " a ", 3+i), told(m), filter)
			require.Empty(t, cmp.Diff(is, m.Entity, protocmp.Transform()), filter)
		}
	}
}

// TestWatchBookmarks waits for bookmarks, while nothing and while much happens.
func TestWatchBookmarks(t *testing.T) {
	t.Parallel()
	l := newLive(t)
	l.write(component(t, "a", "production"))
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	w := &watchService{index: l.index, feed: l.hub, every: 20 * time.Millisecond}
	got := &streamStub{ctx: ctx, sent: make(chan *catalogv1.WatchEntitiesResponse)}
	ended := make(chan error, 1)
	go func() { ended <- w.WatchEntities(&catalogv1.WatchEntitiesRequest{Filter: "false"}, got) }()
	for range 3 {
		require.Equal(t, "BOOKMARK 1", told(<-got.sent))
	}
	l.write()
	require.Eventually(t, func() bool { return told(<-got.sent) == "BOOKMARK 2" }, 10*time.Second, time.Millisecond)
	l.hub.Close()
	for stop := false; !stop; {
		select {
		case <-got.sent:
		case err := <-ended:
			stop = true
			require.Contains(t, err.Error(), "stopping")
		}
	}
}

type streamStub struct {
	grpc.ServerStream
	ctx  context.Context
	sent chan *catalogv1.WatchEntitiesResponse
}

func (s *streamStub) Context() context.Context { return s.ctx }
func (s *streamStub) Send(m *catalogv1.WatchEntitiesResponse) error {
	select {
	case s.sent <- m:
		return nil
	case <-s.ctx.Done():
		return s.ctx.Err()
	}
}

// TestWatchEndsWithServer stops a server that is watched.
func TestWatchEndsWithServer(t *testing.T) {
	t.Parallel()
	l := newLive(t)
	client := catalogv1.NewWatchServiceClient(l.dial())
	s, err := client.WatchEntities(t.Context(), &catalogv1.WatchEntitiesRequest{})
	require.NoError(t, err)
	require.Equal(t, []string{"BOOKMARK 0"}, receive(t, s, 1))
	begin := time.Now()
	l.hub.Close()
	l.GRPC().GracefulStop()
	require.Less(t, time.Since(begin), 5*time.Second)
	_, err = s.Recv()
	require.Equal(t, codes.Unavailable, status.Code(err))
	require.Equal(t, "STOPPING", detail[*errdetails.ErrorInfo](t, err).Reason)
}

// events reads server-sent events as the standard has it, as far as we use it.
type events struct {
	t     testing.TB
	resp  *http.Response
	lines *bufio.Scanner
	// comments is how many there were.
	comments int
}

type event struct{ id, name, data string }

func openEvents(t testing.TB, address, last string) *events {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	require.NoError(t, err)
	r.Header.Set("Accept", "text/event-stream")
	if last != "" {
		r.Header.Set("Last-Event-ID", last)
	}
	resp, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	t.Cleanup(func() { resp.Body.Close() })
	e := &events{t: t, resp: resp, lines: bufio.NewScanner(resp.Body)}
	e.lines.Buffer(nil, 1<<20)
	return e
}

func (e *events) next() event {
	e.t.Helper()
	var out event
	for e.lines.Scan() {
		line := e.lines.Text()
		key, value, _ := strings.Cut(line, ":")
		value = strings.TrimPrefix(value, " ")
		switch {
		case line == "" && out.name != "":
			return out
		case line == "":
		case key == "":
			e.comments++
		case key == "id":
			out.id = value
		case key == "event":
			out.name = value
		case key == "data":
			out.data += value
		default:
			require.Fail(e.t, "no field of an event", line)
		}
	}
	require.Fail(e.t, "the stream ended", "%v", e.lines.Err())
	return out
}

// TestServerSentEvents watches as a browser does.
func TestServerSentEvents(t *testing.T) {
	t.Parallel()
	l := newLive(t)
	l.write(component(t, "a", "production"))
	ts := httptest.NewUnstartedServer(l.Handler())
	ts.Config.ReadTimeout, ts.Config.WriteTimeout = 100*time.Millisecond, 100*time.Millisecond
	ts.Start()
	t.Cleanup(ts.Close) // after the answers that are open
	watch := ts.URL + "/v1/entities:watch?filter=" + url.QueryEscape(inProduction)

	e := openEvents(t, watch+"&sendInitial=true", "")
	require.Equal(t, 200, e.resp.StatusCode)
	require.Equal(t, "text/event-stream", e.resp.Header.Get("Content-Type"))
	require.Equal(t, "no", e.resp.Header.Get("X-Accel-Buffering"))
	require.Equal(t, "no-store", e.resp.Header.Get("Cache-Control"))
	is := e.next()
	require.Equal(t, "added", is.name)
	require.Empty(t, is.id, "nobody can go on from the middle of the first selection")
	at := e.next()
	require.Equal(t, event{"1", "bookmark", at.data}, at)
	time.Sleep(300 * time.Millisecond) // longer than other answers may take
	l.write(component(t, "a", "experimental"))
	gone := e.next()
	require.Equal(t, event{"2", "removed", gone.data}, gone)
	var data struct {
		Type, Revision string
		Entity         struct{ Metadata struct{ Name string } }
	}
	require.NoError(t, json.Unmarshal([]byte(gone.data), &data))
	require.Equal(t, "TYPE_REMOVED", data.Type)
	require.Equal(t, "2", data.Revision)
	require.Equal(t, "a", data.Entity.Metadata.Name)
	require.NoError(t, e.resp.Body.Close())
	l.write(component(t, "a", "production"))

	// A browser asks the same again, with the id that it saw last.
	e = openEvents(t, watch+"&sendInitial=true", gone.id)
	back := e.next()
	require.Equal(t, event{"3", "added", back.data}, back)
	require.Equal(t, "bookmark", e.next().name)

	// What is wrong is said as everywhere, with a code that ends the trying.
	for query, last := range map[string]string{"?filter=x+%3D": "", "?after=3": "", "": "x", "?afterRevision=1&sendInitial=true": ""} {
		e = openEvents(t, ts.URL+"/v1/entities:watch"+query, last)
		require.Equal(t, 400, e.resp.StatusCode, query)
		require.Equal(t, "application/json", e.resp.Header.Get("Content-Type"))
	}

	// Without the Accept header, a JSON value a line.
	resp, err := http.Get(watch + "&afterRevision=1")
	require.NoError(t, err)
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	for _, want := range []string{"TYPE_REMOVED", "TYPE_ADDED", "TYPE_BOOKMARK"} {
		require.True(t, lines.Scan())
		var line struct{ Result struct{ Type string } }
		require.NoError(t, json.Unmarshal(lines.Bytes(), &line))
		require.Equal(t, want, line.Result.Type)
	}

	// The server stops: the answers end.
	l.hub.Close()
	require.True(t, lines.Scan())
	require.Contains(t, lines.Text(), "stopping")
	require.False(t, lines.Scan())
}

// TestEventsKeepAlive has nothing to say for a while.
func TestEventsKeepAlive(t *testing.T) {
	t.Parallel()
	l := newLive(t)
	ts := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		serveEvents(catalogv1.NewWatchServiceClient(l.Conn()), func(err error) { t.Error(err) }, w, r, "id", 5*time.Millisecond)
	}))
	t.Cleanup(ts.Close) // after the answers that are open
	e := openEvents(t, ts.URL, "")
	require.Equal(t, "bookmark", e.next().name)
	time.Sleep(100 * time.Millisecond)
	l.write(component(t, "a", "production"))
	require.Equal(t, "added", e.next().name)
	require.Positive(t, e.comments)
}

func TestWantsEvents(t *testing.T) {
	t.Parallel()
	for accept, want := range map[string]bool{
		"text/event-stream": true, "text/html, text/event-stream;q=0.9": true, "TEXT/Event-Stream": true,
		"": false, "*/*": false, "application/json": false, "text/event-stream;q=0": false,
	} {
		r := httptest.NewRequest(http.MethodGet, "/v1/entities:watch", nil)
		r.Header.Set("Accept", accept)
		require.Equal(t, want, wantsEvents(r), accept)
	}
}
