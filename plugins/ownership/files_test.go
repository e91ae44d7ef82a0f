package ownership

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waypost-dev/waypost/plugins"
)

// owners gives a repository a CODEOWNERS file.
func owners(lines ...string) func(*plugins.Repository) {
	content := strings.Join(lines, "\n") + "\n"
	return func(r *plugins.Repository) {
		r.Codeowners = &plugins.Codeowners{Path: ".github/CODEOWNERS", Hash: content, Content: content}
	}
}

func TestCodeowners(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.team("web", "ann", "bob")
	w.team("pay", "cyn", "dan")
	w.files = map[string][]string{"acme/mono": {"catalog-info.yaml", "web/a.js", "web/b.js", "web/c.js", "web/README.md", "pay/a.go", "pay/b.go", "pay/doc/c.md", "free/x"}}
	w.repo("mono", owners("# who", "/web/ @acme/web", "*.md @acme/pay", "/pay/ @cyn pay@acme.example @acme/pay", "/free/", "!x @acme/web"))
	for folder, c := range map[string]struct {
		want       string
		status     Status
		confidence float64
		line       int
	}{
		"web":     {"web codeowners", StatusOwned, 0.9 * 0.75, 2},
		"pay":     {"pay codeowners", StatusOwned, 0.9, 4},
		"pay/doc": {"pay codeowners", StatusOwned, 0.9, 4},
		"free":    {" none", StatusUnowned, 0, 5},
		"none":    {" none", StatusUnowned, 0, 0},
		"":        {" none", StatusSplit, 0, 2},
	} {
		name := "c" + strings.ReplaceAll(folder, "/", "-")
		w.add("component:default/"+name, nil, "acme/mono:"+strings.TrimPrefix(folder+"/catalog-info.yaml", "/"))
		o := w.explain(`{}`, "component:default/"+name)
		require.Equal(t, c.want, pair(o), folder)
		require.Equal(t, c.status, o.Status, folder)
		require.InDelta(t, c.confidence, o.Confidence, 1e-9, folder)
		if c.line > 0 {
			e := o.Candidates[0].Evidence[0]
			require.Equal(t, c.line, e.Line, folder)
			require.Equal(t, fmt.Sprintf("https://github.com/acme/mono/blob/c0ffee/.github/CODEOWNERS#L%d", c.line), e.URL)
			require.Equal(t, "c0ffee", e.Commit)
		}
		require.Contains(t, o.Mends, Mend{Reason: "invalid", Repository: "acme/mono", Path: ".github/CODEOWNERS", Line: 6, Text: "Give the path to its owners in a later line, or to nobody by a line without owners."})
	}
	o := w.explain(`{}`, "component:default/cpay")
	require.Equal(t, becauseBetter, because(t, &o, SourceCodeowners, "cyn"), "teams go before people")
	require.Equal(t, ".github/CODEOWNERS gives 100 % of 3 files in pay to @cyn pay@acme.example @acme/pay (/pay/).", o.Candidates[0].Evidence[0].Text)
	o = w.explain(`{}`, "component:default/cweb")
	require.Contains(t, because(t, &o, SourceCodeowners, "pay"), "25 % of the files")
	o = w.explain(`{}`, "component:default/cfree")
	require.Equal(t, becauseNobody, because(t, &o, SourceCodeowners, ""))
	o = w.explain(`{}`, "component:default/c")
	require.Contains(t, because(t, &o, SourceCodeowners, "web"), "33 % of the files")
}

// TestCodeownersWithoutFiles matches the folder as such, and says so.
func TestCodeownersWithoutFiles(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.team("web", "ann", "bob")
	w.repo("mono", owners("*.yaml @acme/pay", "/web/ @acme/web"))
	w.add("component:default/web", nil, "acme/mono:web/catalog-info.yaml")
	o := w.explain(`{}`, "component:default/web")
	require.Equal(t, "web codeowners", pair(o))
	require.InDelta(t, 0.9*guessFactor, o.Confidence, 1e-9)
	require.Contains(t, o.Candidates[0].Evidence[0].Text, "the folder as such, as its files are not known")
}

func TestCodeownersIneffective(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.team("web", "ann", "bob")
	w.team("pay", "cyn", "dan")
	w.files = map[string][]string{"acme/mono": {"web/a.js"}}
	w.repo("mono", func(r *plugins.Repository) {
		owners("/web/ @acme/web @acme/gone @acme/pay")(r)
		r.Teams = map[string]string{"web": "pull", "pay": "push"}
	})
	w.add("component:default/web", nil, "acme/mono:web/catalog-info.yaml")
	p := w.plugin(`{}`)
	o := w.explain(`{}`, "component:default/web")
	require.Equal(t, "pay codeowners", pair(o))
	require.Equal(t, "the team's permission on the repository is pull, not to write", because(t, &o, SourceCodeowners, "web"))
	require.Equal(t, "the team has no permission on the repository", because(t, &o, SourceCodeowners, "gone"))
	a := w.enrich(p, "component:default/web")
	require.Equal(t, "ineffective ineffective", codes(a))
	require.Equal(t, ".github/CODEOWNERS:1: the owner @acme/web does not count: the team's permission on the repository is pull, not to write; give @acme/web the permission to write, or name another owner", a.Problems[0].Error())
}

func TestCodeownersTooLarge(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.repo("mono", func(r *plugins.Repository) { r.Codeowners = &plugins.Codeowners{Path: "CODEOWNERS", Hash: "1"} })
	w.add("component:default/web", nil, "acme/mono:catalog-info.yaml")
	require.Equal(t, "unowned too-large", codes(w.enrich(w.plugin(`{}`), "component:default/web")))
}

// TestSample takes a share of each folder's files, and always the same ones.
func TestSample(t *testing.T) {
	t.Parallel()
	var files []string
	for i := range 10_000 {
		files = append(files, fmt.Sprintf("%s/%05d", []string{"a", "b", "b", "b"}[i%4], i))
	}
	got := sample(files)
	require.Len(t, got, maxSample)
	a := 0
	for _, f := range got {
		if f[0] == 'a' {
			a++
		}
	}
	require.Equal(t, maxSample/4, a)
	require.Equal(t, got, sample(files))
	require.Len(t, sample(files[:maxSample]), maxSample)
}

func TestFindInCodeowners(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.repo("mono", owners("/web/ @acme/web", "/web/free/"))
	p := w.plugin(`{}`)
	r := w.repos["acme/mono"]
	found, evidence, ok := p.FindInCodeowners(r, "/web/a.js")
	require.True(t, ok)
	require.Equal(t, []string{"@acme/web"}, found)
	require.Equal(t, "https://github.com/acme/mono/blob/c0ffee/.github/CODEOWNERS#L1", evidence.URL)
	found, _, ok = p.FindInCodeowners(r, "web/free/x")
	require.True(t, ok)
	require.Empty(t, found)
	_, _, ok = p.FindInCodeowners(r, "other")
	require.False(t, ok)
	r.Codeowners = nil
	_, _, ok = p.FindInCodeowners(r, "web/a.js")
	require.False(t, ok)
}

// TestGitLab has each section decide for itself.
func TestGitLab(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.team("web", "ann", "bob")
	w.team("sec", "cyn", "dan")
	w.files = map[string][]string{"acme/mono": {"web/a", "web/b", "web/c", "web/key"}}
	w.repo("mono", owners("[Code]", "web/ @acme/web", "[Security] @acme/sec", "key"))
	w.add("component:default/web", nil, "acme/mono:web/catalog-info.yaml")
	o := w.explain(`{"codeowners":{"dialect":"gitlab"}}`, "component:default/web")
	require.Equal(t, "web codeowners", pair(o))
	require.InDelta(t, 0.9*0.75, o.Confidence, 1e-9)
	require.Contains(t, because(t, &o, SourceCodeowners, "sec"), "25 % of the files")
}
