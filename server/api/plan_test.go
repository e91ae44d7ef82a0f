package api

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	catalogv1 "github.com/waypost-dev/waypost/proto/waypost/catalog/v1"
	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/harvest"
	"github.com/waypost-dev/waypost/server/source/gitdir"
)

const ordersAPI = `apiVersion: backstage.io/v1alpha1
kind: API
metadata: {name: orders}
spec:
  type: openapi
  lifecycle: production
  owner: team
  definition: {$text: ./orders.json}
`

func TestPlanIncludes(t *testing.T) {
	t.Parallel()
	plan := catalogv1.NewPlanServiceClient(newFixture(t, nil).dial(t))
	req := func(includes ...*catalogv1.Include) *catalogv1.PlanChangesRequest {
		return &catalogv1.PlanChangesRequest{Documents: []*catalogv1.Document{{Path: "apis/orders.yaml", Content: []byte(ordersAPI)}}, Includes: includes}
	}
	read := &catalogv1.Include{DocumentPath: "apis/orders.yaml", Target: "./orders.json", Path: "apis/orders.json", Content: []byte(`{"v":1}`)}
	answer, err := plan.PlanChanges(t.Context(), req(read))
	require.NoError(t, err)
	require.Len(t, answer.Changes, 1)
	require.Equal(t, `{"v":1}`, answer.Changes[0].Entity.GetSpec().AsMap()["definition"])

	unread := &catalogv1.Include{DocumentPath: "apis/orders.yaml", Target: "./orders.json", Problem: &catalogv1.Problem{Message: "it is not there", Hint: "write it"}}
	answer, err = plan.PlanChanges(t.Context(), req(unread))
	require.NoError(t, err)
	require.Empty(t, answer.Changes)
	require.Len(t, answer.Problems, 1)
	require.Equal(t, "unreadable", answer.Problems[0].Code)
	require.Equal(t, "apis/orders.yaml", answer.Problems[0].Path)
	require.EqualValues(t, 8, answer.Problems[0].Line)
	require.Contains(t, answer.Problems[0].Message, "it is not there")

	_, err = plan.PlanChanges(t.Context(), req(&catalogv1.Include{DocumentPath: "other.yaml", Target: "x"}))
	require.Equal(t, codes.InvalidArgument, status.Code(err))
	_, err = plan.PlanChanges(t.Context(), req(&catalogv1.Include{DocumentPath: "apis/orders.yaml", Target: strings.Repeat("x", 5000)}))
	require.Equal(t, codes.InvalidArgument, status.Code(err))
}

// TestPlanKeepsOtherHosts: who sends all documents of a repository cannot send
// those to which its Locations lead on other hosts.
func TestPlanKeepsOtherHosts(t *testing.T) {
	t.Parallel()
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(strings.ReplaceAll(ordersAPI, "{$text: ./orders.json}", "'{}'")))
	}))
	t.Cleanup(web.Close)
	location := "apiVersion: backstage.io/v1alpha1\nkind: Location\nmetadata: {name: all}\nspec: {targets: [" + web.URL + "/orders.yaml]}\n"
	dir := filepath.Join(t.TempDir(), "shop")
	require.NoError(t, os.MkdirAll(dir, 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "catalog-info.yaml"), []byte(location), 0o600))
	src, err := gitdir.New(gitdir.Options{Path: dir, Owner: "acme", ReadAllow: []string{strings.TrimPrefix(web.URL, "http://")}})
	require.NoError(t, err)
	f := newFixture(t, nil)
	f.engine.Add(harvest.Config{Source: src})
	_, err = f.engine.Run(t.Context(), src.Name(), harvest.Order{}, nil)
	require.NoError(t, err)
	var all []*catalog.Entity
	revision, err := f.store.Load(t.Context(), func(e *catalog.Entity) error { all = append(all, e); return nil })
	require.NoError(t, err)
	require.Len(t, all, 2)
	f.index.Load(all, revision)
	plan := catalogv1.NewPlanServiceClient(f.dial(t))
	answer, err := plan.PlanChanges(t.Context(), &catalogv1.PlanChangesRequest{
		Repository: "acme/shop", Complete: true, Documents: []*catalogv1.Document{{Path: "catalog-info.yaml", Content: []byte(location)}},
	})
	require.NoError(t, err)
	require.Empty(t, answer.Changes)
	require.EqualValues(t, 1, answer.Unchanged)
	require.Empty(t, answer.Mended)
}
