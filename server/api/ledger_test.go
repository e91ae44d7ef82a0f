package api

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	catalogv1 "github.com/waypost-dev/waypost/proto/waypost/catalog/v1"
	"github.com/waypost-dev/waypost/server/catalog"
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
