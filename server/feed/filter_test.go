package feed

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/descriptor"
	"github.com/waypost-dev/waypost/server/index"
)

// relationTypes are all that a filter may name.
var relationTypes = []string{
	catalog.OwnedBy, catalog.OwnerOf, catalog.ProvidesAPI, catalog.APIProvidedBy, catalog.ConsumesAPI, catalog.APIConsumedBy, catalog.DependsOn,
	catalog.DependencyOf, catalog.ParentOf, catalog.ChildOf, catalog.MemberOf, catalog.HasMember, catalog.PartOf, catalog.HasPart,
}

// TestOwn holds the list of relations that a watch may speak of against what
// documents can declare: none may be there because another entity says so.
func TestOwn(t *testing.T) {
	t.Parallel()
	spec := map[string]any{"type": "x", "lifecycle": "x", "target": "x", "definition": "x", "steps": []any{}, "profile": map[string]any{}}
	for _, one := range append([]string{"owner", "system", "domain", "subdomainOf", "subcomponentOf", "parent"}, relationTypes...) {
		spec[one] = "component:default/other"
	}
	for _, list := range []string{"providesApis", "consumesApis", "dependsOn", "dependencyOf", "memberOf", "children", "members"} {
		spec[list] = []any{"component:default/other"}
	}
	declared := map[string]bool{}
	decode := func(kind, version string) {
		b, err := json.Marshal(map[string]any{"apiVersion": version, "kind": kind, "metadata": map[string]any{"name": "one"}, "spec": spec})
		require.NoError(t, err)
		d := descriptor.Decode(descriptor.File{Source: "test:one", Repository: "acme/one", Path: "catalog-info.yaml", Content: b})
		require.Len(t, d.Entities, 1, "%s: %v", kind, d.Problems)
		for _, r := range d.Entities[0].Relations {
			declared[r.Type] = true
		}
	}
	for _, kind := range catalog.Kinds() {
		version := "backstage.io/v1alpha1"
		if kind == "Template" {
			version = "scaffolder.backstage.io/v1beta3"
		}
		decode(kind, version)
	}
	decode("Widget", "example.com/v1")
	for filter, ok := range map[string]bool{`has(entity.status.level)`: false, `entity["status"].level == "error"`: false, `"status" in entity.metadata.tags && entity.spec.status == "x"`: true} {
		_, err := New(nil).Watch(filter, 0)
		require.Equal(t, ok, err == nil, filter)
	}
	for _, typ := range relationTypes {
		mayWatch := slices.Contains(own, typ)
		require.Equal(t, declared[typ] && !declared[catalog.Inverse(typ)], mayWatch, typ)
		for _, filter := range []string{"has(relations." + typ + ")", `"group:default/a" in relations["` + typ + `"]`} {
			_, err := New(nil).Watch(filter, 0)
			if mayWatch {
				require.NoError(t, err, filter)
				continue
			}
			var bad *index.QueryError
			require.ErrorAs(t, err, &bad, filter)
			require.Equal(t, "filter", bad.Field)
			require.Contains(t, bad.Reason, "relations."+typ)
			require.Contains(t, bad.Hint, "list")
		}
	}
}

// TestOtherEnds changes what an entity is related to, and not the entity: a
// watch that may speak of the relation has nothing to tell, and the list agrees;
// and the entity itself, after which the list and the watch agree again.
func TestOtherEnds(t *testing.T) {
	t.Parallel()
	for name, dsn := range databases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, dsn(t))
			team := func(doc string, relations ...catalog.Relation) *catalog.Entity {
				return &catalog.Entity{
					Ref: catalog.Ref{Kind: "Group", Namespace: "default", Name: "a"}, Document: []byte(doc), Relations: relations,
					Origin: catalog.Origin{Source: "test:one", Repository: "acme/two", Path: "catalog-info.yaml", Line: 1},
				}
			}
			const plain = `{"apiVersion":"backstage.io/v1alpha1","kind":"Group","metadata":{"name":"a"},"spec":{"type":"team","children":[]}}`
			const titled = `{"apiVersion":"backstage.io/v1alpha1","kind":"Group","metadata":{"name":"a","title":"A"},"spec":{"type":"team","children":[]}}`
			const filter = `"group:default/a" in relations.ownedBy`
			watch, err := w.hub.Watch(filter, 0)
			require.NoError(t, err)
			has := replica{t, map[string]catalog.Revision{}, 0}
			step := func(told int, held ...string) {
				t.Helper()
				before := w.seen
				w.follow(1000)
				require.Greater(t, w.seen, before, "something happened")
				events := take(t, watch)
				require.Len(t, events, told)
				has.apply(events)
				require.Equal(t, w.selected(filter), has.held)
				require.Len(t, has.held, len(held))
				for _, key := range held {
					require.Contains(t, has.held, key)
				}
			}
			c := entity("c", "a", "production")
			w.write("one", c)
			step(1, c.Ref.Key()) // although there is no such group yet
			w.write("two", team(plain))
			step(0, c.Ref.Key())
			w.write("two", team(titled, catalog.Relation{Type: catalog.DependencyOf, Target: c.Ref.Lower()}))
			step(0, c.Ref.Key())
			w.write("two")
			step(0, c.Ref.Key())
			w.write("one", entity("c", "b", "production"))
			step(1)
		})
	}
}
