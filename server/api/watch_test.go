package api

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	catalogv1 "github.com/waypost-dev/waypost/proto/waypost/catalog/v1"
	harvestv1 "github.com/waypost-dev/waypost/proto/waypost/harvest/v1"
	"github.com/waypost-dev/waypost/server/harvest"
	"github.com/waypost-dev/waypost/server/source"
)

// steppedSource reports a repository for each step that the test takes.
type steppedSource struct {
	name  string
	steps chan struct{}
}

func (s *steppedSource) Name() string { return s.name }

func (s *steppedSource) Harvest(ctx context.Context, _ source.Known, out source.Out) error {
	out.Expect(3)
	for i := 1; ; i++ {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case _, more := <-s.steps:
			if !more {
				return out.Complete(ctx)
			}
		}
		name := "repo-" + strconv.Itoa(i)
		out.Spent(source.Budget{Counted: i, Remaining: 5000 - i, Limit: 5000})
		if err := out.Repository(ctx, source.Repository{ID: name, State: "1", Owner: "acme", Name: name, Branch: "main", Commit: strings.Repeat("a", 40)}); err != nil {
			return err
		}
	}
}

// TestWatchHarvest follows one harvest over gRPC, in process and over REST.
func TestWatchHarvest(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	src := &steppedSource{"test:acme", make(chan struct{})}
	f.engine.Add(harvest.Config{Source: src})
	httpAddr, grpcAddr := f.listen(t)
	client := harvestv1.NewHarvestServiceClient(dial(t, grpcAddr))

	started, err := client.StartHarvest(t.Context(), &harvestv1.StartHarvestRequest{Source: "test:acme"})
	require.NoError(t, err)
	id := started.Harvest.Id
	require.Equal(t, harvestv1.Harvest_STATE_RUNNING, started.Harvest.State)
	again, err := client.StartHarvest(t.Context(), &harvestv1.StartHarvestRequest{Source: "test:acme"})
	require.NoError(t, err)
	require.Equal(t, id, again.Harvest.Id, "a running harvest is returned")

	type end struct {
		last    *harvestv1.Harvest
		reports int
		err     error
	}
	follow := func(c harvestv1.HarvestServiceClient) <-chan end {
		done := make(chan end, 1)
		stream, err := c.WatchHarvest(t.Context(), &harvestv1.WatchHarvestRequest{Id: id})
		require.NoError(t, err)
		first, err := stream.Recv()
		require.NoError(t, err)
		require.Equal(t, harvestv1.Harvest_STATE_RUNNING, first.Harvest.State)
		go func() {
			e := end{last: first.Harvest, reports: 1}
			for {
				m, err := stream.Recv()
				if err != nil {
					if !errors.Is(err, io.EOF) {
						e.err = err
					}
					done <- e
					return
				}
				e.last, e.reports = m.Harvest, e.reports+1
			}
		}()
		return done
	}
	overGRPC := follow(client)
	inProcess := follow(harvestv1.NewHarvestServiceClient(f.Conn()))

	resp, err := http.Get("http://" + httpAddr + "/v1/harvests/" + strconv.FormatInt(id, 10) + ":watch")
	require.NoError(t, err)
	defer resp.Body.Close()
	require.Equal(t, 200, resp.StatusCode)
	lines := bufio.NewScanner(resp.Body)
	var line struct {
		Result struct {
			Harvest struct {
				State            string
				RepositoriesSeen int
				Requests         struct{ Counted, Remaining int }
			}
		}
	}
	require.True(t, lines.Scan(), "the first line comes while the harvest runs")
	require.NoError(t, json.Unmarshal(lines.Bytes(), &line))
	require.Equal(t, "STATE_RUNNING", line.Result.Harvest.State)

	for range 3 {
		src.steps <- struct{}{}
	}
	sources, err := client.ListSources(t.Context(), &harvestv1.ListSourcesRequest{})
	require.NoError(t, err)
	require.Equal(t, harvestv1.Harvest_STATE_RUNNING, sources.Sources[0].Latest.State)
	require.Contains(t, bodyOf(t, f.ask(t, "GET", "/metrics", "")), `waypost_harvest_running{source="test:acme"} 1`)
	close(src.steps)

	for lines.Scan() {
		require.NoError(t, json.Unmarshal(lines.Bytes(), &line), lines.Text())
	}
	require.NoError(t, lines.Err())
	require.Equal(t, "STATE_SUCCEEDED", line.Result.Harvest.State)
	require.Equal(t, 3, line.Result.Harvest.RepositoriesSeen)
	require.Equal(t, 3, line.Result.Harvest.Requests.Counted)
	for name, done := range map[string]<-chan end{"gRPC": overGRPC, "in process": inProcess} {
		select {
		case e := <-done:
			require.NoError(t, e.err, name)
			require.Equal(t, harvestv1.Harvest_STATE_SUCCEEDED, e.last.State, name)
			require.EqualValues(t, 3, e.last.RepositoriesSeen, name)
			require.GreaterOrEqual(t, e.reports, 2, name)
		case <-time.After(10 * time.Second):
			t.Fatal(name + ": the stream does not end")
		}
	}
	got, err := client.GetHarvest(t.Context(), &harvestv1.GetHarvestRequest{Id: id})
	require.NoError(t, err)
	require.Equal(t, harvestv1.Harvest_STATE_SUCCEEDED, got.Harvest.State)
	require.EqualValues(t, 3, got.Harvest.RepositoriesSeen)
	require.Contains(t, bodyOf(t, f.ask(t, "GET", "/metrics", "")), `waypost_source_requests_remaining{source="test:acme"}`)
}

// TestWatchEndsWithItsCaller leaves a stream while the harvest goes on.
func TestWatchEndsWithItsCaller(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	src := &steppedSource{"test:acme", make(chan struct{})}
	f.engine.Add(harvest.Config{Source: src})
	p, err := f.engine.Start(t.Context(), "test:acme", harvest.Order{})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	stream, err := harvestv1.NewHarvestServiceClient(f.Conn()).WatchHarvest(ctx, &harvestv1.WatchHarvestRequest{Id: p.ID})
	require.NoError(t, err)
	_, err = stream.Recv()
	require.NoError(t, err)
	cancel()
	for err == nil {
		_, err = stream.Recv()
	}
	require.Equal(t, codes.Canceled, status.Code(err))
	close(src.steps)
	updates, stop, err := f.engine.Watch(p.ID)
	if err == nil { // it has not ended yet
		defer stop()
		for range updates {
		}
	}
}

// TestWatchOutlastsTimeouts follows a harvest that takes longer than the
// server gives to other answers.
func TestWatchOutlastsTimeouts(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	src := &steppedSource{"test:acme", make(chan struct{})}
	f.engine.Add(harvest.Config{Source: src})
	p, err := f.engine.Start(t.Context(), "test:acme", harvest.Order{})
	require.NoError(t, err)
	ts := httptest.NewUnstartedServer(f.Handler())
	ts.Config.ReadTimeout, ts.Config.WriteTimeout = 100*time.Millisecond, 100*time.Millisecond
	ts.Start()
	defer ts.Close()
	resp, err := http.Get(ts.URL + "/v1/harvests/" + strconv.FormatInt(p.ID, 10) + ":watch")
	require.NoError(t, err)
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	require.True(t, lines.Scan())
	time.Sleep(300 * time.Millisecond)
	close(src.steps)
	last := ""
	for lines.Scan() {
		last = lines.Text()
	}
	require.NoError(t, lines.Err())
	require.Contains(t, last, "STATE_SUCCEEDED")
}

// TestInProcessStreamsAreGuarded sends what the rules refuse over the
// in-process connection.
func TestInProcessStreamsAreGuarded(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	stream, err := harvestv1.NewHarvestServiceClient(f.Conn()).WatchHarvest(t.Context(), &harvestv1.WatchHarvestRequest{})
	require.NoError(t, err)
	_, err = stream.Recv()
	require.Equal(t, codes.InvalidArgument, status.Code(err))
}

// BenchmarkInProcess compares our unary calls with grpchan's, which the REST
// gateway would make otherwise.
func BenchmarkInProcess(b *testing.B) {
	f := newFixture(b, acme(b))
	c := f.Conn().(*inProcess)
	for name, conn := range map[string]grpc.ClientConnInterface{"ours": c, "grpchan": c.Channel} {
		client := catalogv1.NewCatalogServiceClient(conn)
		b.Run(name, func(b *testing.B) {
			ctx := context.WithValue(b.Context(), requestIDKey{}, "x")
			b.ReportAllocs()
			for b.Loop() {
				_, err := client.QueryFacets(ctx, &catalogv1.QueryFacetsRequest{Fields: []string{"kind"}})
				require.NoError(b, err)
			}
		})
	}
}
