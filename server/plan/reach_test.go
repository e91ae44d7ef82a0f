package plan_test

import (
	"maps"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/descriptor"
	"github.com/waypost-dev/waypost/server/harvest"
	"github.com/waypost-dev/waypost/server/plan"
	"github.com/waypost-dev/waypost/server/source"
	"github.com/waypost-dev/waypost/server/source/gitdir"
	"github.com/waypost-dev/waypost/server/source/githubtest"
)

const leads = "apiVersion: backstage.io/v1alpha1\nkind: Location\nmetadata: {name: all}\nspec: {targets: [./apis/*.yaml]}\n"

func declared(name string) string {
	return "apiVersion: backstage.io/v1alpha1\nkind: API\nmetadata: {name: " + name + "}\nspec:\n  type: openapi\n  lifecycle: production\n  owner: team\n  definition: {$text: ./" + name + ".json}\n"
}

// planTree plans the whole of a repository as it lies in a folder.
func (w *world) planTree(repository string, files map[string]string) *plan.Plan {
	w.Helper()
	dir := w.TempDir()
	for name, content := range files {
		full := filepath.Join(dir, filepath.FromSlash(name))
		require.NoError(w, os.MkdirAll(filepath.Dir(full), 0o755))
		require.NoError(w, os.WriteFile(full, []byte(content), 0o644))
	}
	tree, err := gitdir.New(gitdir.Options{Path: dir, WorkingTree: true})
	require.NoError(w, err)
	read, err := harvest.Read(w.Context(), tree, source.Scope{Repositories: []source.Pointer{{ID: "."}}})
	require.NoError(w, err)
	id, err := w.store.RepositoryID(w.Context(), w.source, repository)
	require.NoError(w, err)
	kept, err := w.store.Repository(w.Context(), w.source, id)
	require.NoError(w, err)
	p := plan.Proposal{Source: w.source, Repository: repository, Complete: true, Documents: map[string]plan.Document{}}
	for _, read := range read[0].Documents {
		d := descriptor.Decode(harvest.FileOf(w.source, harvest.RepositoryOf(kept), read))
		doc := plan.Document{Entities: d.Entities, Problems: d.Problems}
		doc.Broken, doc.AllBroken = harvest.Broken(d)
		p.Documents[read.Path] = doc
	}
	return plan.Make(w.index.Snapshot(), p)
}

// TestPlanOfWhatFilesLeadTo holds plans of a working tree, with what placeholders
// and Locations lead to, against what a harvest then does.
func TestPlanOfWhatFilesLeadTo(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name     string
		write    map[string]string // "" removes
		want     []string
		problems []catalog.Code
	}{
		{name: "nothing"},
		{name: "a file beside", write: map[string]string{"apis/unused.json": "{}"}},
		{name: "an included file", write: map[string]string{"apis/a.json": `{"v":2}`}, want: []string{"changed api:default/a"}},
		{name: "a followed file comes", write: map[string]string{"apis/c.yaml": declared("c"), "apis/c.json": "{}"}, want: []string{"added api:default/c"}, problems: []catalog.Code{catalog.CodeDangling}},
		{name: "a followed file goes", write: map[string]string{"apis/b.yaml": ""}, want: []string{"removed api:default/b"}},
		{name: "the Location leads nowhere", write: map[string]string{"catalog-info.yaml": component("instead", "")},
			want: []string{"removed api:default/a", "removed api:default/b", "changed component:default/instead from location:default/all"}, problems: []catalog.Code{catalog.CodeDangling}},
		{name: "an included file goes", write: map[string]string{"apis/a.json": ""}, problems: []catalog.Code{catalog.CodeUnreadable}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			files := map[string]string{"catalog-info.yaml": leads, "apis/a.yaml": declared("a"), "apis/a.json": `{"v":1}`, "apis/b.yaml": declared("b"), "apis/b.json": `{}`}
			var initial []githubtest.File
			for path, text := range files {
				initial = append(initial, file(path, text))
			}
			w.org.Add(githubtest.NewRepo("apis", initial...))
			w.harvest()
			before := w.index.Snapshot()
			next := maps.Clone(files)
			var push []githubtest.File
			var gone []string
			for path, text := range test.write {
				if text == "" {
					delete(next, path)
					gone = append(gone, path)
				} else {
					next[path] = text
					push = append(push, file(path, text))
				}
			}
			p := w.planTree("acme/apis", next)
			require.ElementsMatch(t, test.want, told(p))
			var codes []catalog.Code
			for _, problem := range p.Problems {
				codes = append(codes, problem.Code)
			}
			require.Equal(t, test.problems, codes, "%v", p.Problems)

			if len(gone) > 0 {
				w.org.Remove("apis", gone...)
			}
			if len(push) > 0 {
				w.org.Push("apis", push...)
			}
			w.harvest()
			require.ElementsMatch(t, test.want, happened(before, w.index.Snapshot()), "the harvest does what was planned")
		})
	}
}
