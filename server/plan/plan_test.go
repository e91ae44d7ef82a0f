package plan_test

import (
	"fmt"
	"log/slog"
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/descriptor"
	"github.com/waypost-dev/waypost/server/harvest"
	"github.com/waypost-dev/waypost/server/index"
	"github.com/waypost-dev/waypost/server/plan"
	"github.com/waypost-dev/waypost/server/source"
	"github.com/waypost-dev/waypost/server/source/github"
	"github.com/waypost-dev/waypost/server/source/githubtest"
	"github.com/waypost-dev/waypost/server/store"
)

const system = `apiVersion: backstage.io/v1alpha1
kind: System
metadata: {name: shop}
spec: {owner: team}
`

func component(name, more string) string {
	return fmt.Sprintf("apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata:\n  name: %s\nspec: {type: service, lifecycle: production, owner: team%s}\n", name, more)
}

// world is an organisation and its catalog.
type world struct {
	*testing.T
	org    *githubtest.Org
	engine *harvest.Engine
	source string
	store  *store.Store
	index  *index.Index
}

func newWorld(t *testing.T) *world {
	t.Helper()
	org := &githubtest.Org{Login: "acme"}
	org.Add(githubtest.NewRepo("one", file("catalog-info.yaml", component("one", ", system: shop"))))
	org.Add(githubtest.NewRepo("many", file("catalog-info.yaml", component("a", ", dependsOn: [component:one]")+"---\n"+component("b", ", subcomponentOf: a")+"---\n"+component("c", ""))))
	org.Add(githubtest.NewRepo("bare", file("README.md", "nothing yet"), file("Dockerfile", "FROM scratch")))
	org.Add(githubtest.NewRepo("shop", file("catalog-info.yaml", system)))
	server := httptest.NewServer(githubtest.NewServer(org, githubtest.Options{Enterprise: true}))
	t.Cleanup(server.Close)
	src, err := github.New(github.Options{Organisation: "acme", URL: server.URL})
	require.NoError(t, err)
	st, err := store.Open(t.Context(), "sqlite::memory:", store.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, st.Close()) })
	e := harvest.New(st, slog.New(slog.DiscardHandler))
	e.Add(harvest.Config{Source: src})
	w := &world{T: t, org: org, engine: e, source: src.Name(), store: st, index: index.New()}
	w.harvest()
	return w
}

func file(path, content string) githubtest.File {
	return githubtest.File{Path: path, Content: []byte(content)}
}

func (w *world) harvest() {
	w.Helper()
	_, err := w.engine.Run(w.Context(), w.source, harvest.Order{}, nil)
	require.NoError(w, err)
	var all []*catalog.Entity
	revision, err := w.store.Load(w.Context(), func(e *catalog.Entity) error { all = append(all, e); return nil })
	require.NoError(w, err)
	w.index.Load(all, revision)
}

// plan plans documents of a repository.
func (w *world) plan(repository string, complete bool, removed []string, files map[string]string) *plan.Plan {
	w.Helper()
	id, err := w.store.RepositoryID(w.Context(), w.source, repository)
	require.NoError(w, err)
	kept, err := w.store.Repository(w.Context(), w.source, id)
	require.NoError(w, err)
	p := plan.Proposal{Source: w.source, Repository: repository, Complete: complete, RemovedPaths: removed, Documents: map[string]plan.Document{}}
	for path, text := range files {
		d := descriptor.Decode(harvest.FileOf(w.source, harvest.RepositoryOf(kept), source.Document{Path: path, Content: []byte(text)}))
		doc := plan.Document{Entities: d.Entities, Problems: d.Problems}
		doc.Broken, doc.AllBroken = harvest.Broken(d)
		p.Documents[path] = doc
	}
	if len(files) == 0 {
		p.Inferred = harvest.Inferred(w.source, kept)
	}
	return plan.Make(w.index.Snapshot(), p)
}

func told(p *plan.Plan) []string {
	var out []string
	for _, c := range p.Changes {
		text := string(c.Op) + " " + c.Ref.Key()
		if c.RenamedFrom != nil {
			text += " from " + c.RenamedFrom.Key()
		}
		out = append(out, text)
	}
	return out
}

// TestPlan holds plans against what a harvest then does.
func TestPlan(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, repository string
		complete         bool
		removed          []string
		files            map[string]string // the proposal
		want             []string
		problems         []catalog.Code
		mended           int
	}{
		{
			name: "nothing", repository: "acme/one",
			files: map[string]string{"catalog-info.yaml": component("one", ", system: shop")},
		},
		{
			name: "a changed field", repository: "acme/one",
			files: map[string]string{"catalog-info.yaml": component("one", "")},
			want:  []string{"changed component:default/one"},
		},
		{
			name: "a new name breaks what depends on the old one", repository: "acme/one",
			files:    map[string]string{"catalog-info.yaml": component("uno", ", system: shop")},
			want:     []string{"changed component:default/uno from component:default/one"},
			problems: []catalog.Code{catalog.CodeDangling, catalog.CodeDangling}, // its own owner anew, and a's dependency
			mended:   1,
		},
		{
			name: "one of several goes", repository: "acme/many",
			files:  map[string]string{"catalog-info.yaml": component("b", ", subcomponentOf: a") + "---\n" + component("c", "") + "---\n" + component("d", "")},
			want:   []string{"removed component:default/a", "added component:default/d"},
			mended: 1, problems: []catalog.Code{catalog.CodeDangling, catalog.CodeDangling},
		},
		{
			name: "a document goes", repository: "acme/many", removed: []string{"catalog-info.yaml"},
			want:   []string{"removed component:default/a", "removed component:default/b", "removed component:default/c", "added component:default/many"},
			mended: 3,
		},
		{
			name: "a broken document keeps its last good form", repository: "acme/many",
			files:    map[string]string{"catalog-info.yaml": component("a", ", dependsOn: [component:one]") + "---\n" + component("b", ", lifecycle: [") + "---\n"},
			want:     nil,
			problems: []catalog.Code{catalog.CodeSyntax},
		},
		{
			name: "the first document takes the place of what was inferred", repository: "acme/bare",
			files:    map[string]string{"catalog-info.yaml": component("dressed", "")},
			want:     []string{"removed component:default/bare", "added component:default/dressed"},
			problems: []catalog.Code{catalog.CodeDangling},
		},
		{
			name: "under the same name", repository: "acme/bare",
			files:    map[string]string{"catalog-info.yaml": component("bare", "")},
			want:     []string{"changed component:default/bare"},
			problems: []catalog.Code{catalog.CodeDangling},
		},
		{
			name: "a name that is taken", repository: "acme/one",
			files:    map[string]string{"catalog-info.yaml": component("one", ", system: shop") + "---\n" + component("c", "")},
			problems: []catalog.Code{catalog.CodeConflict},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			before := w.index.Snapshot()
			p := w.plan(test.repository, test.complete, test.removed, test.files)
			require.ElementsMatch(t, test.want, told(p))
			var codes []catalog.Code
			for _, problem := range p.Problems {
				codes = append(codes, problem.Code)
			}
			require.Equal(t, test.problems, codes, "%v", p.Problems)
			require.Len(t, p.Mended, test.mended, "%v", p.Mended)
			require.Same(t, before, w.index.Snapshot(), "a plan changes nothing")

			name := test.repository[len("acme/"):]
			if len(test.removed) > 0 {
				w.org.Remove(name, test.removed...)
			}
			var files []githubtest.File
			for path, text := range test.files {
				files = append(files, file(path, text))
			}
			if len(files) > 0 {
				w.org.Push(name, files...)
			}
			w.harvest()
			require.ElementsMatch(t, test.want, happened(before, w.index.Snapshot()), "the harvest does what was planned")
		})
	}
}

// happened tells two catalogs apart as a plan does.
func happened(before, after *index.Snapshot) []string {
	var out []string
	after.Each(func(r *index.Record) bool {
		key := r.Entity.Ref.Key()
		was, ok := before.Get(r.Entity.Ref)
		switch {
		case !ok:
			if old, renamed := before.ByUID(r.Entity.UID); renamed {
				out = append(out, "changed "+key+" from "+old.Entity.Ref.Key())
			} else {
				out = append(out, "added "+key)
			}
		case was.Entity.Hash() != r.Entity.Hash():
			out = append(out, "changed "+key)
		}
		return true
	})
	before.Each(func(r *index.Record) bool {
		if _, ok := after.Get(r.Entity.Ref); !ok {
			if _, renamed := after.ByUID(r.Entity.UID); !renamed {
				out = append(out, "removed "+r.Entity.Ref.Key())
			}
		}
		return true
	})
	slices.Sort(out)
	return out
}
