package client

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"testing"

	"github.com/fullstorydev/grpchan/inprocgrpc"
	"github.com/stretchr/testify/require"

	catalogv1 "github.com/waypost-dev/waypost/proto/waypost/catalog/v1"
)

// paged answers with total items of everything, a page at a time, and notes the
// sizes of the pages that it was asked for.
type paged struct {
	catalogv1.UnimplementedCatalogServiceServer
	total int
	asked []int
}

// page is where a page begins and ends, and the token of the next one.
func (p *paged) page(size int32, token string) (from, to int, next string) {
	p.asked = append(p.asked, int(size))
	from, _ = strconv.Atoi(token)
	to = min(p.total, from+int(size))
	if to < p.total {
		next = strconv.Itoa(to)
	}
	return from, to, next
}

func (p *paged) ListEntities(_ context.Context, r *catalogv1.ListEntitiesRequest) (*catalogv1.ListEntitiesResponse, error) {
	from, to, next := p.page(r.PageSize, r.PageToken)
	answer := &catalogv1.ListEntitiesResponse{NextPageToken: next, TotalSize: int32(p.total)}
	for i := from; i < to; i++ {
		answer.Entities = append(answer.Entities, &catalogv1.Entity{Name: fmt.Sprint(i)})
	}
	return answer, nil
}

func (p *paged) SearchEntities(_ context.Context, r *catalogv1.SearchEntitiesRequest) (*catalogv1.SearchEntitiesResponse, error) {
	from, to, next := p.page(r.PageSize, r.PageToken)
	return &catalogv1.SearchEntitiesResponse{Results: make([]*catalogv1.SearchResult, to-from), NextPageToken: next, TotalSize: int32(p.total)}, nil
}

func (p *paged) ListProblems(_ context.Context, r *catalogv1.ListProblemsRequest) (*catalogv1.ListProblemsResponse, error) {
	from, to, next := p.page(r.PageSize, r.PageToken)
	answer := &catalogv1.ListProblemsResponse{NextPageToken: next}
	for i := from; i < to; i++ {
		answer.Problems = append(answer.Problems, &catalogv1.Problem{Line: int32(i)})
	}
	return answer, nil
}

func (p *paged) QueryFacets(context.Context, *catalogv1.QueryFacetsRequest) (*catalogv1.QueryFacetsResponse, error) {
	return &catalogv1.QueryFacetsResponse{Facets: []*catalogv1.Facet{{Field: "kind", Values: []*catalogv1.FacetValue{
		{Value: "Component"}, {Value: "Policy"}, {Value: "policy"}, {Value: "Model"}, {Value: "Mesh"},
	}}}}, nil
}

func connect(total int) (*Client, *paged) {
	p := &paged{total: total}
	channel := &inprocgrpc.Channel{}
	catalogv1.RegisterCatalogServiceServer(channel, p)
	return New(channel, io.NopCloser(nil)), p
}

func TestEntities(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		total, limit, want int
		asked              []int
	}{
		{1200, 0, 1200, []int{500, 500, 500}},
		{1000, 0, 1000, []int{500, 500}},
		{1200, 700, 700, []int{500, 200}},
		{1200, 500, 500, []int{500}},
		{3, 10, 3, []int{10}},
		{0, 0, 0, []int{500}},
	} {
		c, p := connect(test.total)
		n := 0
		for e, err := range c.Entities(t.Context(), &catalogv1.ListEntitiesRequest{}, test.limit) {
			require.NoError(t, err)
			require.Equal(t, strconv.Itoa(n), e.Name)
			n++
		}
		require.Equal(t, test.want, n)
		require.Equal(t, test.asked, p.asked)
	}
}

func TestSearchAndProblems(t *testing.T) {
	t.Parallel()
	c, p := connect(1200)
	results, total, err := c.Search(t.Context(), &catalogv1.SearchEntitiesRequest{Query: "x"}, 600)
	require.NoError(t, err)
	require.Len(t, results, 600)
	require.Equal(t, 1200, total)
	require.Equal(t, []int{500, 100}, p.asked)

	problems, err := c.Problems(t.Context(), &catalogv1.ListProblemsRequest{})
	require.NoError(t, err)
	require.Len(t, problems, 1200)
}

func TestKinds(t *testing.T) {
	t.Parallel()
	c, _ := connect(0)
	for word, want := range map[string][]string{
		"component": {"Component"}, "Components": {"Component"}, "APIS": {"API"}, "team": {"Group"},
		"model": {"Model"}, "Models": {"Model"}, "policies": {"Policy", "policy"}, "meshes": {"Mesh"},
	} {
		got, err := c.Kinds(t.Context(), word)
		require.NoError(t, err, word)
		require.Equal(t, want, got, word)
	}
	_, err := c.Kinds(t.Context(), "gizmos")
	require.ErrorIs(t, err, ErrUnknownKind)
	require.EqualError(t, err, `unknown kind "gizmos"; the catalog has component, mesh, model, policy`)
}

func TestUnreachable(t *testing.T) {
	t.Parallel()
	c, err := Dial("127.0.0.1:1")
	require.NoError(t, err)
	defer c.Close()
	for _, err := range c.Entities(t.Context(), &catalogv1.ListEntitiesRequest{}, 0) {
		require.Error(t, err)
		require.False(t, IsNotFound(err))
	}
}
