package api

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
	"github.com/tidwall/gjson"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/fieldmaskpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	catalogv1 "github.com/waypost-dev/waypost/proto/waypost/catalog/v1"
	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/store"
)

// remember writes to the store and brings the index to its latest state.
func (f *fixture) remember(t testing.TB, updates ...store.RepositoryUpdate) int64 {
	t.Helper()
	_, err := f.store.Apply(t.Context(), "dir:/srv/git", updates)
	require.NoError(t, err)
	changes, err := f.store.Changes(t.Context(), f.index.Snapshot().Revision(), 1_000_000)
	require.NoError(t, err)
	f.index.Apply(changes)
	return int64(f.index.Snapshot().Revision())
}

// declares is a repository whose one file declares a component, and the group
// that owns it if group is not empty.
func declares(t testing.TB, repository, name, title, group string) store.RepositoryUpdate {
	t.Helper()
	u := store.RepositoryUpdate{
		Repository: store.Repository{ID: repository, Name: "acme/" + repository, State: "1", Facts: []byte("{}"),
			Documents: map[string]store.Document{"catalog-info.yaml": {Hash: title + name, Commit: "c1"}}},
		Cause: catalog.Cause{Via: catalog.ViaWebhook, Actor: "ada", Commit: "abc"},
	}
	add := func(key string, e *catalog.Entity) {
		e.Origin = catalog.Origin{Source: "dir:/srv/git", Repository: "acme/" + repository, Path: "catalog-info.yaml", Line: 1, Commit: "c1"}
		u.Claims = append(u.Claims, store.Claim{Key: key, Entity: e})
	}
	add("1", document(t, map[string]any{
		"kind": "Component", "metadata": map[string]any{"name": name, "title": title}, "spec": map[string]any{"type": "service", "owner": "team"},
	}, catalog.Relation{Type: catalog.OwnedBy, Target: catalog.Ref{Kind: "group", Namespace: "default", Name: "team"}, Field: "spec.owner"}))
	if group != "" {
		add("2", document(t, map[string]any{"kind": "Group", "metadata": map[string]any{"name": group}, "spec": map[string]any{"type": "team", "children": []any{}}}))
	}
	return u
}

func TestHistory(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	c, h := f.catalog(t), catalogv1.NewHistoryServiceClient(f.Conn())
	ctx := t.Context()
	one := f.remember(t, declares(t, "r1", "shop", "One\nline", "")) // 1
	two := f.remember(t, declares(t, "r1", "shop", "Two\nline", "")) // 2
	f.remember(t, declares(t, "r1", "market", "Two\nline", ""))      // 3, 4

	all, err := h.ListEntityRevisions(ctx, &catalogv1.ListEntityRevisionsRequest{Name: "entities/Component:default/Market", WithEntities: true, WithChanges: true})
	require.NoError(t, err)
	require.False(t, all.Truncated)
	require.Empty(t, all.NextPageToken)
	require.Len(t, all.Revisions, 3)
	newest := all.Revisions[0]
	require.Equal(t, "component:default/shop", newest.RenamedRef)
	require.Equal(t, "component:default/market", newest.EntityRef)
	require.Equal(t, catalogv1.EntityRevision_OP_CHANGED, newest.Op)
	require.Equal(t, "metadata.name", newest.Changes[0].Field)
	require.Equal(t, "ada", newest.Cause.Actor)
	require.Equal(t, []string{"metadata.title", "One\nline", "Two\nline"},
		[]string{all.Revisions[1].Changes[0].Field, all.Revisions[1].Changes[0].Before.GetStringValue(), all.Revisions[1].Changes[0].After.GetStringValue()})
	require.Equal(t, catalogv1.EntityRevision_OP_ADDED, all.Revisions[2].Op)
	require.Empty(t, all.Revisions[2].Changes)
	require.Equal(t, "One\nline", all.Revisions[2].Entity.Metadata.Title)

	var paged []*catalogv1.EntityRevision
	for token := ""; len(paged) < 10; {
		page, err := h.ListEntityRevisions(ctx, &catalogv1.ListEntityRevisionsRequest{Name: "entities/component:default/market", WithEntities: true, WithChanges: true, PageSize: 1, PageToken: token})
		require.NoError(t, err)
		require.Len(t, page.Revisions, 1)
		paged = append(paged, page.Revisions...)
		if token = page.NextPageToken; token == "" {
			break
		}
	}
	require.Empty(t, cmp.Diff(all.Revisions, paged, protocmp.Transform()))

	d, err := h.DiffEntity(ctx, &catalogv1.DiffEntityRequest{Name: "entities/component:default/market", FromRevision: one, ToRevision: two})
	require.NoError(t, err)
	require.Equal(t, []int64{one, two}, []int64{d.FromRevision, d.ToRevision})
	patch := d.JsonPatch.Values[0].GetStructValue().AsMap()
	require.Equal(t, map[string]any{"op": "replace", "path": "/metadata/title", "value": "Two\nline"}, patch)
	require.Len(t, d.Changes, 1)
	require.Contains(t, d.Text, "--- component:default/shop\trevision 1\n+++ component:default/shop\trevision 2\n")
	require.Contains(t, d.Text, "-    One\n+    Two\n     line\n")
	last, err := h.DiffEntity(ctx, &catalogv1.DiffEntityRequest{Name: "entities/component:default/market"})
	require.NoError(t, err)
	require.Equal(t, []int64{two, 4}, []int64{last.FromRevision, last.ToRevision})
	whole, err := h.DiffEntity(ctx, &catalogv1.DiffEntityRequest{Name: "entities/component:default/market", ToRevision: one})
	require.NoError(t, err)
	require.Zero(t, whole.FromRevision)
	require.Contains(t, whole.Text, "--- /dev/null\n")
	gone, err := h.DiffEntity(ctx, &catalogv1.DiffEntityRequest{Name: "entities/component:default/shop"})
	require.NoError(t, err)
	require.Contains(t, gone.Text, "+++ /dev/null\n")

	for what, req := range map[string]*catalogv1.DiffEntityRequest{
		"InvalidArgument from_revision": {FromRevision: 3, ToRevision: 2},
		"InvalidArgument to_revision":   {ToRevision: 99},
	} {
		req.Name = "entities/component:default/market"
		_, err := h.DiffEntity(ctx, req)
		require.Equal(t, what, status.Code(err).String()+" "+strings.SplitN(status.Convert(err).Message(), ":", 2)[0])
	}
	_, err = h.ListEntityRevisions(ctx, &catalogv1.ListEntityRevisionsRequest{Name: "entities/component:default/nobody"})
	require.Equal(t, codes.NotFound, status.Code(err))
	_, err = h.ListEntityRevisions(ctx, &catalogv1.ListEntityRevisionsRequest{Name: "entities/component:default/shop", PageToken: "?"})
	require.Equal(t, codes.InvalidArgument, status.Code(err))
	_, err = c.GetEntity(ctx, &catalogv1.GetEntityRequest{Name: "entities/component:default/market", AsOfRevision: two})
	require.Equal(t, codes.NotFound, status.Code(err))
}

func TestAsOf(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	c := f.catalog(t)
	ctx := t.Context()
	f.remember(t, declares(t, "r1", "shop", "One", ""))
	dangling := &catalogv1.GetEntityRequest{Name: "entities/component:default/shop", AsOfRevision: 1}
	e, err := c.GetEntity(ctx, dangling)
	require.NoError(t, err)
	require.False(t, e.Relations[0].TargetExists)

	for i := range 5 {
		f.remember(t, declares(t, fmt.Sprint("x", i), fmt.Sprint("other-", i), "Other", ""))
	}
	at := f.remember(t, declares(t, "r1", "shop", "Two", "team"))
	name := "entities/component:default/shop"
	now, err := c.GetEntity(ctx, &catalogv1.GetEntityRequest{Name: name})
	require.NoError(t, err)
	lists := []*catalogv1.ListEntitiesRequest{
		{}, {Filter: `"group:default/team" in relations.ownedBy`, OrderBy: "metadata.name desc", PageSize: 2},
		{Filter: `entity.kind == "Group"`, ReadMask: &fieldmaskpb.FieldMask{Paths: []string{"name", "relations"}}},
	}
	pages := make([][]*catalogv1.ListEntitiesResponse, len(lists))
	read := func(req *catalogv1.ListEntitiesRequest) (out []*catalogv1.ListEntitiesResponse) {
		for token := ""; len(out) < 10; {
			req.PageToken = token
			page, err := c.ListEntities(ctx, req)
			require.NoError(t, err)
			out = append(out, page)
			if token = page.NextPageToken; token == "" {
				break
			}
		}
		return out
	}
	for i, req := range lists {
		pages[i] = read(req)
	}
	time.Sleep(2 * time.Millisecond)
	between := time.Now().Add(-time.Millisecond)
	time.Sleep(500 * time.Millisecond) // what follows is pruned to the time between, by a clock that goes on
	f.remember(t, declares(t, "r1", "shop", "Three", ""))

	for _, req := range []*catalogv1.GetEntityRequest{{AsOfRevision: at}, {AsOfTime: timestamppb.New(between)}} {
		req.Name = name
		was, err := c.GetEntity(ctx, req)
		require.NoError(t, err)
		require.Empty(t, cmp.Diff(now, was, protocmp.Transform()), "an entity with relations of its own alone")
	}
	for i, req := range lists {
		req.AsOfRevision, req.AsOfTime = at, nil
		require.Empty(t, cmp.Diff(pages[i], read(req), protocmp.Transform()))
		req.AsOfRevision, req.AsOfTime = 0, timestamppb.New(between)
		require.Empty(t, cmp.Diff(pages[i], read(req), protocmp.Transform()))
	}
	body := f.fetched(t, fmt.Sprintf("/v1/%s?asOfRevision=%d", name, at))
	require.Equal(t, "Two", gjson.Get(body, "metadata.title").String())

	failing := func(code codes.Code, text string, revision int64, when *timestamppb.Timestamp) error {
		_, err := c.GetEntity(ctx, &catalogv1.GetEntityRequest{Name: name, AsOfRevision: revision, AsOfTime: when})
		require.Equal(t, code, status.Code(err), "%v", err)
		require.ErrorContains(t, err, text)
		_, err = c.ListEntities(ctx, &catalogv1.ListEntitiesRequest{AsOfRevision: revision, AsOfTime: when})
		require.Equal(t, code, status.Code(err), "%v", err)
		require.ErrorContains(t, err, text)
		return err
	}
	failing(codes.InvalidArgument, "set one of the two", 1, timestamppb.New(between))
	failing(codes.InvalidArgument, "revision 999 has not been yet", 999, nil)
	failing(codes.InvalidArgument, "lies in the future", 0, timestamppb.New(time.Now().Add(time.Hour)))
	failing(codes.InvalidArgument, "as_of_time", 0, &timestamppb.Timestamp{Nanos: -1})
	failing(codes.OutOfRange, "oldest revision is 1", 0, timestamppb.New(time.Unix(0, 0)))

	_, err = f.store.Prune(ctx, store.Policy{KeepFor: time.Since(between)})
	require.NoError(t, err)
	err = failing(codes.OutOfRange, fmt.Sprintf("oldest revision is %d", at), 2, nil)
	var info *errdetails.ErrorInfo
	for _, d := range status.Convert(err).Details() {
		info, _ = d.(*errdetails.ErrorInfo)
	}
	require.Equal(t, "REVISION_TOO_OLD", info.GetReason())
	require.Equal(t, fmt.Sprint(at), info.Metadata["oldest_revision"])
	h := catalogv1.NewHistoryServiceClient(f.Conn())
	rest, err := h.ListEntityRevisions(ctx, &catalogv1.ListEntityRevisionsRequest{Name: name})
	require.NoError(t, err)
	require.Len(t, rest.Revisions, 2)
}

// fetched is the body of a REST answer with status 200.
func (f *fixture) fetched(t testing.TB, path string) string {
	t.Helper()
	w := httptest.NewRecorder()
	f.Handler().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
	require.Equal(t, http.StatusOK, w.Code, w.Body.String())
	return w.Body.String()
}
