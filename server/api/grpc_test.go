package api

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	reflectionv1 "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	catalogv1 "github.com/waypost-dev/waypost/proto/waypost/catalog/v1"
	harvestv1 "github.com/waypost-dev/waypost/proto/waypost/harvest/v1"
	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/index"
	"github.com/waypost-dev/waypost/server/store"
)

func finished(h store.Harvest) store.Harvest {
	h.State, h.Finished = store.HarvestSucceeded, h.Started.Add(1500*time.Millisecond)
	h.Repositories, h.Read, h.Added, h.Requests = 3, 4, 5, 6
	return h
}

// detail returns the first detail of a type.
func detail[T proto.Message](t *testing.T, err error) T {
	t.Helper()
	for _, d := range status.Convert(err).Details() {
		if m, ok := d.(T); ok {
			return m
		}
	}
	require.Fail(t, "no such detail", "%v has %v", err, status.Convert(err).Details())
	panic("unreachable")
}

func TestErrors(t *testing.T) {
	t.Parallel()
	f := newFixture(t, acme(t))
	cc := f.dial(t)
	for name, conn := range map[string]grpc.ClientConnInterface{"network": cc, "in process": f.Conn()} {
		t.Run(name, func(t *testing.T) {
			client := catalogv1.NewCatalogServiceClient(conn)

			_, err := client.GetEntity(t.Context(), &catalogv1.GetEntityRequest{Name: "entities/component:default/gone"})
			require.Equal(t, codes.NotFound, status.Code(err))
			require.Equal(t, "entities/component:default/gone", detail[*errdetails.ResourceInfo](t, err).ResourceName)

			_, err = client.GetEntity(t.Context(), &catalogv1.GetEntityRequest{Name: "gone"})
			require.Equal(t, codes.InvalidArgument, status.Code(err))
			require.Equal(t, "name", detail[*errdetails.BadRequest](t, err).FieldViolations[0].Field)

			_, err = client.ListEntities(t.Context(), &catalogv1.ListEntitiesRequest{Filter: `entity.kind == `})
			require.Equal(t, codes.InvalidArgument, status.Code(err))
			require.Equal(t, "filter", detail[*errdetails.BadRequest](t, err).FieldViolations[0].Field)
			require.NotEmpty(t, detail[*errdetails.ErrorInfo](t, err).Metadata["offset"])

			names := make([]string, 1001)
			for i := range names {
				names[i] = "x"
			}
			_, err = client.BatchGetEntities(t.Context(), &catalogv1.BatchGetEntitiesRequest{Names: names})
			require.Equal(t, codes.InvalidArgument, status.Code(err))
			require.LessOrEqual(t, len(detail[*errdetails.BadRequest](t, err).FieldViolations), 100)
			require.Less(t, len(status.Convert(err).Message()), 1000)

			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			_, err = client.GetEntity(ctx, &catalogv1.GetEntityRequest{Name: "entities/component:default/checkout", MinRevision: 1000})
			require.Equal(t, codes.DeadlineExceeded, status.Code(err))

			err = conn.Invoke(t.Context(), "/waypost.catalog.v1.CatalogService/Nothing", &catalogv1.GetEntityRequest{}, &catalogv1.Entity{})
			require.Equal(t, codes.Unimplemented, status.Code(err))
		})
	}
}

// TestMinRevision: each call that reads the catalog can wait for a revision, and
// then shows it; one that does not come is told of in the same way by all.
func TestMinRevision(t *testing.T) {
	t.Parallel()
	const name, ref, want = "entities/component:default/late", "component:default/late", 9
	for _, tt := range []struct {
		call string
		// read tells whether the late entity is in the answer.
		read func(ctx context.Context, client catalogv1.CatalogServiceClient, revision int64) (bool, error)
	}{
		{"get", func(ctx context.Context, client catalogv1.CatalogServiceClient, revision int64) (bool, error) {
			e, err := client.GetEntity(ctx, &catalogv1.GetEntityRequest{Name: name, MinRevision: revision})
			return e.GetName() == name, err
		}},
		{"batch get", func(ctx context.Context, client catalogv1.CatalogServiceClient, revision int64) (bool, error) {
			a, err := client.BatchGetEntities(ctx, &catalogv1.BatchGetEntitiesRequest{Names: []string{name}, MinRevision: revision})
			return len(a.GetEntities()) == 1, err
		}},
		{"list", func(ctx context.Context, client catalogv1.CatalogServiceClient, revision int64) (bool, error) {
			a, err := client.ListEntities(ctx, &catalogv1.ListEntitiesRequest{Filter: `entity.metadata.name == "late"`, MinRevision: revision})
			return len(a.GetEntities()) == 1, err
		}},
		{"facets", func(ctx context.Context, client catalogv1.CatalogServiceClient, revision int64) (bool, error) {
			a, err := client.QueryFacets(ctx, &catalogv1.QueryFacetsRequest{Fields: []string{"metadata.name"}, Filter: `entity.metadata.name == "late"`, MinRevision: revision})
			return a.GetTotalSize() == 1, err
		}},
		{"search", func(ctx context.Context, client catalogv1.CatalogServiceClient, revision int64) (bool, error) {
			a, err := client.SearchEntities(ctx, &catalogv1.SearchEntitiesRequest{Query: "late", MinRevision: revision})
			return slices.ContainsFunc(a.GetResults(), func(r *catalogv1.SearchResult) bool { return r.GetEntity().GetName() == name }), err
		}},
		{"graph", func(ctx context.Context, client catalogv1.CatalogServiceClient, revision int64) (bool, error) {
			a, err := client.GetGraph(ctx, &catalogv1.GetGraphRequest{Roots: []string{ref}, MinRevision: revision})
			return len(a.GetNodes()) == 1 && a.GetNodes()[0].GetExists(), err
		}},
	} {
		t.Run(tt.call, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, acme(t))
			client := f.catalog(t)

			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			_, err := tt.read(ctx, client, want)
			require.Equal(t, codes.DeadlineExceeded, status.Code(err))
			_, err = tt.read(t.Context(), client, -1)
			require.Equal(t, codes.InvalidArgument, status.Code(err))
			require.Equal(t, "min_revision", detail[*errdetails.BadRequest](t, err).FieldViolations[0].Field)

			all := append(acme(t), document(t, map[string]any{"kind": "Component", "metadata": map[string]any{"name": "late"}, "spec": map[string]any{}}))
			loaded := make(chan struct{})
			go func() {
				defer close(loaded)
				time.Sleep(20 * time.Millisecond)
				f.index.Load(all, want)
			}()
			found, err := tt.read(t.Context(), client, want)
			require.NoError(t, err)
			require.True(t, found, "it did not wait")
			<-loaded
			found, err = tt.read(t.Context(), client, 0)
			require.NoError(t, err)
			require.True(t, found)
		})
	}
}

func TestUnexpectedErrorsKeepTheirCause(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	g, err := newGate(slog.New(slog.NewTextHandler(f.log, nil)), f.metrics, tracing{})
	require.NoError(t, err)
	info := &grpc.UnaryServerInfo{FullMethod: "/waypost.test/Method"}
	ctx := metadata.NewIncomingContext(t.Context(), metadata.Pairs(requestIDHeader, "id-7"))
	req := &catalogv1.ListEntitiesRequest{}
	for name, handle := range map[string]grpc.UnaryHandler{
		"error": func(context.Context, any) (any, error) { return nil, fmt.Errorf("secret password") },
		"panic": func(context.Context, any) (any, error) { panic("secret password") },
	} {
		_, err := g.unary(ctx, req, info, handle)
		require.Equal(t, codes.Internal, status.Code(err), name)
		require.Contains(t, err.Error(), "id-7", name)
		require.NotContains(t, err.Error(), "secret", name)
		require.Contains(t, f.log.String(), "secret password", name)
		require.Contains(t, f.log.String(), "request_id=id-7", name)
	}
	for want, cause := range map[codes.Code]error{
		codes.NotFound:         fmt.Errorf("read: %w", store.ErrNotFound),
		codes.Aborted:          fmt.Errorf("begin: %w", store.ErrBusy),
		codes.Canceled:         fmt.Errorf("read: %w", context.Canceled),
		codes.DeadlineExceeded: fmt.Errorf("read: %w", context.DeadlineExceeded),
		codes.Unavailable:      status.Error(codes.Unavailable, "later"),
		codes.InvalidArgument:  fmt.Errorf("list: %w", &index.QueryError{Field: "filter", Offset: 3, Reason: "r", Hint: "h"}),
	} {
		_, err := g.unary(ctx, req, info, func(context.Context, any) (any, error) { return nil, cause })
		require.Equal(t, want, status.Code(err), cause.Error())
	}
}

func TestRequestIDInMetadata(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	client := f.catalog(t)
	var header metadata.MD
	ctx := metadata.AppendToOutgoingContext(t.Context(), requestIDHeader, "mine")
	_, err := client.ListEntities(ctx, &catalogv1.ListEntitiesRequest{}, grpc.Header(&header))
	require.NoError(t, err)
	require.Equal(t, []string{"mine"}, header.Get(requestIDHeader))
	_, err = client.ListEntities(t.Context(), &catalogv1.ListEntitiesRequest{}, grpc.Header(&header))
	require.NoError(t, err)
	require.Len(t, header.Get(requestIDHeader), 1)
	require.NotEqual(t, "mine", header.Get(requestIDHeader)[0])
}

func TestHealthAndReflection(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	cc := f.dial(t)
	health := healthv1.NewHealthClient(cc)
	for _, service := range []string{"", "waypost.catalog.v1.CatalogService", "waypost.harvest.v1.HarvestService"} {
		r, err := health.Check(t.Context(), &healthv1.HealthCheckRequest{Service: service})
		require.NoError(t, err)
		require.Equal(t, healthv1.HealthCheckResponse_SERVING, r.Status)
	}
	f.SetReady(false)
	r, err := health.Check(t.Context(), &healthv1.HealthCheckRequest{})
	require.NoError(t, err)
	require.Equal(t, healthv1.HealthCheckResponse_NOT_SERVING, r.Status)

	stream, err := reflectionv1.NewServerReflectionClient(cc).ServerReflectionInfo(t.Context())
	require.NoError(t, err)
	require.NoError(t, stream.Send(&reflectionv1.ServerReflectionRequest{MessageRequest: &reflectionv1.ServerReflectionRequest_ListServices{}}))
	answer, err := stream.Recv()
	require.NoError(t, err)
	var names []string
	for _, s := range answer.GetListServicesResponse().Service {
		names = append(names, s.Name)
	}
	require.Subset(t, names, []string{"waypost.catalog.v1.CatalogService", "waypost.harvest.v1.HarvestService", "grpc.health.v1.Health"})
}

// TestLargeEntities pages through entities of which few fit into an answer.
func TestLargeEntities(t *testing.T) {
	t.Parallel()
	var entities []*catalog.Entity
	for i := range 10 {
		entities = append(entities, document(t, map[string]any{
			"kind": "Component", "metadata": map[string]any{"name": fmt.Sprintf("large-%d", i), "description": "large " + strings.Repeat("x", 1<<20)}, "spec": map[string]any{},
		}))
	}
	f := newFixture(t, stored(entities))
	client := f.catalog(t) // takes 4 MiB, as clients do
	var names []string
	req := &catalogv1.ListEntitiesRequest{PageSize: 500}
	for range 20 {
		page, err := client.ListEntities(t.Context(), req)
		require.NoError(t, err)
		require.EqualValues(t, 10, page.TotalSize)
		for _, e := range page.Entities {
			names = append(names, e.Name)
		}
		if req.PageToken = page.NextPageToken; req.PageToken == "" {
			break
		}
	}
	require.Len(t, names, 10)
	found := 0
	search := &catalogv1.SearchEntitiesRequest{Query: "large", PageSize: 500}
	for range 20 {
		page, err := client.SearchEntities(t.Context(), search)
		require.NoError(t, err)
		found += len(page.Results)
		if search.PageToken = page.NextPageToken; search.PageToken == "" {
			break
		}
	}
	require.Equal(t, 10, found)
	_, err := client.BatchGetEntities(t.Context(), &catalogv1.BatchGetEntitiesRequest{Names: names})
	require.Equal(t, codes.ResourceExhausted, status.Code(err))
	require.Contains(t, err.Error(), "ask for 2 at once")
}

// addProblems fills the store with problems of documents and of a source.
func (f *fixture) addProblems(t *testing.T, n int) {
	t.Helper()
	h, err := f.store.BeginHarvest(t.Context(), "dir:/srv/git", "test")
	require.NoError(t, err)
	doc := store.Document{Hash: "h", Commit: "c"}
	for i := range n {
		doc.Problems = append(doc.Problems, catalog.Problem{
			Code: catalog.CodeField, Severity: catalog.SeverityError, Source: "dir:/srv/git", Repository: "acme/shop", Path: "catalog-info.yaml",
			Line: n - i, Message: fmt.Sprintf("problem %d", i), Entity: "Component:default/Shop",
		})
	}
	_, err = f.store.Apply(t.Context(), "dir:/srv/git", []store.RepositoryUpdate{{
		Repository: store.Repository{ID: "r1", Name: "acme/shop", State: "s", Facts: []byte(`{"url":"https://github.com/acme/shop","branch":"main"}`), Documents: map[string]store.Document{"catalog-info.yaml": doc}},
	}})
	require.NoError(t, err)
	require.NoError(t, f.store.FinishHarvest(t.Context(), finished(h), []catalog.Problem{
		{Code: catalog.CodeUnreadable, Severity: catalog.SeverityError, Source: "dir:/srv/git", Message: "source trouble"},
	}))
}

func TestProblems(t *testing.T) {
	t.Parallel()
	f := newFixture(t, acme(t))
	client := f.catalog(t)
	before, err := client.ListProblems(t.Context(), &catalogv1.ListProblemsRequest{})
	require.NoError(t, err)
	require.EqualValues(t, 1, before.TotalSize, "the dangling owner of ledger")
	f.addProblems(t, 25)

	var lines []int32
	req := &catalogv1.ListProblemsRequest{Repository: "ACME/shop", EntityRef: "component:shop", PageSize: 10}
	for range 5 {
		page, err := client.ListProblems(t.Context(), req)
		require.NoError(t, err)
		require.EqualValues(t, 25, page.TotalSize)
		for _, p := range page.Problems {
			lines = append(lines, p.Line)
			require.Equal(t, fmt.Sprintf("https://github.com/acme/shop/blob/main/catalog-info.yaml#L%d", p.Line), p.Url)
		}
		if req.PageToken = page.NextPageToken; req.PageToken == "" {
			break
		}
	}
	require.Len(t, lines, 25)
	require.True(t, slices.IsSorted(lines))

	all, err := client.ListProblems(t.Context(), &catalogv1.ListProblemsRequest{PageSize: 5})
	require.NoError(t, err)
	require.EqualValues(t, 27, all.TotalSize)
	for field, bad := range map[string]*catalogv1.ListProblemsRequest{
		"page_token": {PageSize: 5, Code: "field", PageToken: all.NextPageToken},
		"entity_ref": {EntityRef: "::"},
		"severity":   {Severity: 9},
		"page_size":  {PageSize: -1},
	} {
		_, err = client.ListProblems(t.Context(), bad)
		require.Equal(t, codes.InvalidArgument, status.Code(err), field)
		require.Equal(t, field, detail[*errdetails.BadRequest](t, err).FieldViolations[0].Field)
	}
	warnings, err := client.ListProblems(t.Context(), &catalogv1.ListProblemsRequest{Severity: catalogv1.Severity_SEVERITY_WARNING})
	require.NoError(t, err)
	require.EqualValues(t, 1, warnings.TotalSize)
}

// TestProblemTokens turns pages over problems that differ late in long texts,
// while some are mended.
func TestProblemTokens(t *testing.T) {
	t.Parallel()
	var list []store.Trouble
	for i := range 30 {
		list = append(list, store.Trouble{Problem: catalog.Problem{
			Path: strings.Repeat("\xff\x00/", 2000), Line: i / 10, Message: strings.Repeat("m", 5000) + fmt.Sprintf("%02d", i), Hint: strings.Repeat("\n", 9000),
			Fix: catalog.Fix{Line: i, Found: "a", Replacement: "b"},
		}})
	}
	for last := range list {
		token, err := newProblemToken(7, list[last].Problem)
		require.NoError(t, err)
		require.Less(t, len(token), 8192, "the longest token that is taken")
		rest, err := behind(list, token, 7)
		require.NoError(t, err)
		require.Equal(t, len(list)-last-1, len(rest))
		_, err = behind(list, token, 8)
		require.ErrorContains(t, err, "other filters")
		mended := slices.Delete(slices.Clone(list), last, last+1)
		rest, err = behind(mended, token, 7)
		require.NoError(t, err)
		require.GreaterOrEqual(t, len(rest), len(list)-last-1, "nothing is hidden")
	}
}

func FuzzProblemToken(f *testing.F) {
	good, err := newProblemToken(0, catalog.Problem{Path: "a"})
	require.NoError(f, err)
	f.Add(good)
	f.Add("")
	f.Add("e30")
	list := []store.Trouble{{Problem: catalog.Problem{Path: "a"}}, {Problem: catalog.Problem{Path: "b"}}}
	f.Fuzz(func(t *testing.T, token string) {
		rest, err := behind(list, token, 0)
		if err == nil {
			require.LessOrEqual(t, len(rest), len(list))
		}
	})
}

func TestValidateDocuments(t *testing.T) {
	t.Parallel()
	f := newFixture(t, acme(t))
	component := func(name, owner string) []byte {
		return []byte("apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata:\n  name: " + name + "\nspec:\n  type: service\n  lifecycle: production\n  owner: " + owner + "\n")
	}
	answer, err := f.catalog(t).ValidateDocuments(t.Context(), &catalogv1.ValidateDocumentsRequest{Documents: []*catalogv1.Document{
		{Path: "a.yaml", Content: component("a", "payments")}, // in the catalog
		{Path: "b.yaml", Content: component("b", "new-team")}, // in the set
		{Path: "c.yaml", Content: component("c", "nobody-at-all")},
		{Path: "team.yaml", Content: []byte("apiVersion: backstage.io/v1alpha1\nkind: Group\nmetadata:\n  name: new-team\nspec:\n  type: team\n  children: []\n")},
		{Path: "again.yaml", Content: component("A", "payments")},
		{Path: "broken.yaml", Content: []byte("kind: [")},
	}})
	require.NoError(t, err)
	require.Equal(t, []string{"component:default/a", "component:default/b", "component:default/c", "group:default/new-team"}, answer.EntityRefs)
	var got []string
	for _, p := range answer.Problems {
		got = append(got, fmt.Sprintf("%s:%d %s", p.Path, p.Line, p.Code))
	}
	require.Contains(t, got, "again.yaml:1 conflict")
	require.Contains(t, got, "c.yaml:8 dangling-relation")
	require.True(t, slices.ContainsFunc(got, func(s string) bool { return strings.HasPrefix(s, "broken.yaml:") }), "%v", got)
	require.Len(t, got, 3)
}

func TestHarvestRecords(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	client := harvestv1.NewHarvestServiceClient(f.dial(t))
	h, err := f.store.BeginHarvest(t.Context(), "github:acme", "test")
	require.NoError(t, err)
	require.NoError(t, f.store.FinishHarvest(t.Context(), finished(h), nil))

	got, err := client.GetHarvest(t.Context(), &harvestv1.GetHarvestRequest{Id: h.ID})
	require.NoError(t, err)
	require.Equal(t, harvestv1.Harvest_STATE_SUCCEEDED, got.Harvest.State)
	require.EqualValues(t, 5, got.Harvest.EntitiesAdded)
	require.EqualValues(t, 6, got.Harvest.Requests.Counted)
	require.NotNil(t, got.Harvest.EndTime)

	list, err := client.ListHarvests(t.Context(), &harvestv1.ListHarvestsRequest{Source: "github:acme"})
	require.NoError(t, err)
	require.Len(t, list.Harvests, 1)
	list, err = client.ListHarvests(t.Context(), &harvestv1.ListHarvestsRequest{Source: "github:other"})
	require.NoError(t, err)
	require.Empty(t, list.Harvests)

	_, err = client.GetHarvest(t.Context(), &harvestv1.GetHarvestRequest{Id: 99})
	require.Equal(t, codes.NotFound, status.Code(err))
	require.Equal(t, "harvests/99", detail[*errdetails.ResourceInfo](t, err).ResourceName)
	_, err = client.StartHarvest(t.Context(), &harvestv1.StartHarvestRequest{Source: "github:acme"})
	require.Equal(t, codes.NotFound, status.Code(err))
	require.Contains(t, err.Error(), "not configured")

	stream, err := client.WatchHarvest(t.Context(), &harvestv1.WatchHarvestRequest{Id: h.ID})
	require.NoError(t, err)
	last, err := stream.Recv()
	require.NoError(t, err)
	require.Equal(t, harvestv1.Harvest_STATE_SUCCEEDED, last.Harvest.State)
	_, err = stream.Recv()
	require.ErrorContains(t, err, "EOF")
	stream, err = client.WatchHarvest(t.Context(), &harvestv1.WatchHarvestRequest{Id: -1})
	require.NoError(t, err)
	_, err = stream.Recv()
	require.Equal(t, codes.InvalidArgument, status.Code(err))
}
