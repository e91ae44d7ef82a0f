package index

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waypost-dev/waypost/server/catalog"
)

func TestOrigin(t *testing.T) {
	t.Parallel()
	x := New()
	entity := func(name string, o catalog.Origin) *catalog.Entity {
		e := thing(t, name, nil, nil)
		e.Origin = o
		return e
	}
	x.Load([]*catalog.Entity{
		entity("declared", catalog.Origin{Source: "github:acme", Repository: "acme/shop", Path: "catalog-info.yaml"}),
		entity("inferred", catalog.Origin{Source: "github:acme", Repository: "acme/old", Inferred: true}),
		entity("located", catalog.Origin{Source: `url:"quoted"`}),
	}, 3)
	s := x.Snapshot()
	for filter, want := range map[string][]string{
		`entity.origin.source == "github:acme"`:                              {"declared", "inferred"},
		`entity.origin.source == "url:\"quoted\""`:                           {"located"},
		`entity.origin.inferred`:                                             {"inferred"},
		`!entity.origin.inferred && has(entity.origin.path)`:                 {"declared"},
		`!has(entity.origin.repository)`:                                     {"located"},
		`entity.origin.repository.startsWith("acme/")`:                       {"declared", "inferred"},
		`entity.origin.source.contains("acme") && entity.origin.path != "x"`: {"declared"},
	} {
		got, err := s.List(Query{Filter: filter, Size: 10})
		require.NoError(t, err, filter)
		require.ElementsMatch(t, want, names(got), filter)
	}
	f, _, err := s.Facets("", []string{"origin.source", "origin.inferred"}, 0)
	require.NoError(t, err)
	require.Equal(t, []FacetValue{{"github:acme", 2}, {`url:"quoted"`, 1}}, f[0].Values)
	require.Equal(t, []FacetValue{{"false", 2}, {"true", 1}}, f[1].Values)
}
