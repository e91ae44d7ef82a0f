package api

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	catalogv1 "github.com/waypost-dev/waypost/proto/waypost/catalog/v1"
	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/store"
)

// TestProblemsHaveALife lets a problem come, stay and go.
func TestProblemsHaveALife(t *testing.T) {
	t.Parallel()
	f := newFixture(t, acme(t))
	client := f.catalog(t)
	open := func(state catalogv1.ProblemState) []*catalogv1.Problem {
		answer, err := client.ListProblems(t.Context(), &catalogv1.ListProblemsRequest{State: state})
		require.NoError(t, err)
		return answer.Problems
	}
	before := open(0)
	require.NotEmpty(t, before)
	require.Nil(t, before[0].OpenTime, "nobody has remembered it yet")
	require.NoError(t, f.RememberProblems(t.Context()))
	first := open(catalogv1.ProblemState_PROBLEM_STATE_OPEN)
	require.Len(t, first, len(before))
	require.WithinDuration(t, time.Now(), first[0].OpenTime.AsTime(), time.Minute)

	// A new one, with an owner and what to write.
	ledger := document(t, map[string]any{"kind": "Component", "metadata": map[string]any{"name": "new"}, "spec": map[string]any{}},
		catalog.Relation{Type: catalog.OwnedBy, Target: catalog.Ref{Kind: "group", Namespace: "default", Name: "payments"}, Field: "spec.owner", Line: 7},
		catalog.Relation{Type: catalog.DependsOn, Target: catalog.Ref{Kind: "component", Namespace: "default", Name: "chekout"}, Field: "spec.dependsOn[0]", Line: 9})
	ledger.Origin.Path = "catalog-info.yaml"
	f.index.Apply([]catalog.Change{{Revision: 1000, Op: catalog.OpPut, Entity: ledger}})
	require.NoError(t, f.RememberProblems(t.Context()))
	owned, err := client.ListProblems(t.Context(), &catalogv1.ListProblemsRequest{OwnerRef: "payments", EntityRef: "component:default/new"})
	require.NoError(t, err)
	require.Len(t, owned.Problems, 1)
	p := owned.Problems[0]
	require.Equal(t, "group:default/payments", p.OwnerRef)
	require.Equal(t, "did you mean component:default/checkout?", p.Hint)
	require.EqualValues(t, 9, p.Fix.Line)
	require.Equal(t, "component:default/checkout", p.Fix.Replacement)
	summary, err := client.SummarizeProblems(t.Context(), &catalogv1.SummarizeProblemsRequest{By: "owner"})
	require.NoError(t, err)
	found := false
	for _, c := range summary.Counts {
		if c.Value == "group:default/payments" {
			found = true
			require.Positive(t, c.Warnings)
			require.NotNil(t, c.OldestTime)
		}
	}
	require.True(t, found, "%v", summary.Counts)

	// Mended: it is gone, and remembered.
	f.index.Apply([]catalog.Change{{Revision: 1001, Op: catalog.OpDelete, Entity: ledger}})
	require.NoError(t, f.RememberProblems(t.Context()))
	require.Len(t, open(0), len(before))
	gone := open(catalogv1.ProblemState_PROBLEM_STATE_GONE)
	require.Len(t, gone, 1)
	require.Equal(t, p.Message, gone[0].Message)
	require.False(t, gone[0].GoneTime.AsTime().Before(gone[0].OpenTime.AsTime()))
}

// TestLevelsOfEntities: what is wrong is seen in filters, facets and orders, from
// the first question on and without a change of the entity.
func TestLevelsOfEntities(t *testing.T) {
	t.Parallel()
	f := newFixture(t, acme(t))
	client := f.catalog(t)
	list := func(req *catalogv1.ListEntitiesRequest) (out []string) {
		answer, err := client.ListEntities(t.Context(), req)
		require.NoError(t, err)
		for _, e := range answer.Entities {
			out = append(out, e.Metadata.Name)
		}
		return out
	}
	require.Equal(t, []string{"ledger"}, list(&catalogv1.ListEntitiesRequest{Filter: `entity.status.level == "warning"`}), "its owner does not exist")
	require.Len(t, list(&catalogv1.ListEntitiesRequest{Filter: `!has(entity.status.level)`}), 3)
	revision := f.index.Snapshot().Revision()
	facets := func() map[string]int32 {
		answer, err := client.QueryFacets(t.Context(), &catalogv1.QueryFacetsRequest{Fields: []string{"status.level"}})
		require.NoError(t, err)
		out := map[string]int32{}
		for _, v := range answer.Facets[0].Values {
			out[v.Value] = v.Count
		}
		return out
	}
	require.Equal(t, map[string]int32{"warning": 1}, facets())

	// A file becomes wrong, and right again.
	becomes := func(problems ...catalog.Problem) {
		h, err := f.store.BeginHarvest(t.Context(), "dir:/srv/git", "test")
		require.NoError(t, err)
		_, err = f.store.Apply(t.Context(), "dir:/srv/git", []store.RepositoryUpdate{{
			Repository: store.Repository{ID: "r1", Name: "acme/checkout", State: time.Now().String(), Documents: map[string]store.Document{"catalog-info.yaml": {Hash: "h", Commit: "c", Problems: problems}}},
		}})
		require.NoError(t, err)
		require.NoError(t, f.store.FinishHarvest(t.Context(), finished(h), nil))
		require.NoError(t, f.RememberProblems(t.Context()))
	}
	becomes(catalog.Problem{Code: catalog.CodeField, Severity: catalog.SeverityWarning, Entity: "Component:default/Checkout", Message: "a"},
		catalog.Problem{Code: catalog.CodeSpec, Severity: catalog.SeverityError, Entity: "Component:default/Checkout", Message: "b"},
		catalog.Problem{Code: catalog.CodeField, Severity: catalog.SeverityWarning, Entity: "Component:default/Checkout", Message: "c"})
	require.Equal(t, map[string]int32{"error": 1, "warning": 1}, facets())
	require.Equal(t, []string{"Checkout", "ledger"}, list(&catalogv1.ListEntitiesRequest{OrderBy: "status.level", PageSize: 2}))
	require.Equal(t, []string{"Checkout"}, list(&catalogv1.ListEntitiesRequest{Filter: `entity.status.level == "error" && entity.kind == "Component"`}))
	becomes()
	require.Equal(t, map[string]int32{"warning": 1}, facets())
	require.Equal(t, revision, f.index.Snapshot().Revision())

	for _, req := range []*catalogv1.ListEntitiesRequest{{Filter: "has(entity.status.level)", AsOfRevision: 1}, {OrderBy: "status.level", AsOfRevision: 1}} {
		_, err := client.ListEntities(t.Context(), req)
		require.Equal(t, codes.InvalidArgument, status.Code(err))
	}
}

// TestProblemsOfAnOwner turns pages over what a team has to mend.
func TestProblemsOfAnOwner(t *testing.T) {
	t.Parallel()
	f := newFixture(t, append(acme(t), document(t, map[string]any{"kind": "Component", "metadata": map[string]any{"name": "Shop"}, "spec": map[string]any{}},
		catalog.Relation{Type: catalog.OwnedBy, Target: group("payments"), Field: "spec.owner"})))
	f.addProblems(t, 25)
	seen := map[string]bool{}
	req := &catalogv1.ListProblemsRequest{OwnerRef: "Group:default/Payments", PageSize: 7}
	for range 5 {
		page, err := f.catalog(t).ListProblems(t.Context(), req)
		require.NoError(t, err)
		require.EqualValues(t, 25, page.TotalSize)
		for _, p := range page.Problems {
			require.Equal(t, "group:default/payments", p.OwnerRef)
			require.False(t, seen[p.Message])
			seen[p.Message] = true
		}
		if req.PageToken = page.NextPageToken; req.PageToken == "" {
			break
		}
	}
	require.Len(t, seen, 25)
}
