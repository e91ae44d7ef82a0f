// Package sourcetest holds every implementation of source.Source to the same
// promises. An implementation opens a Place, which puts abstract repositories
// where its source finds them (clones in a temporary folder, a GitHub to test
// against), and calls Run:
//
//	sourcetest.Run(t, func(t *testing.T, o sourcetest.Options) sourcetest.Place {
//		return newPlace(t, o)
//	})
package sourcetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/source"
)

// Repository is one repository as a test wants it.
type Repository struct {
	// Key is its identity for as long as the place lives; Name may change.
	Key, Name string
	// Files at the head of the default branch. Without any, the repository is
	// empty: it has no commit.
	Files []File
}

// File is a file at the head of a repository.
type File struct {
	Path    string // with slashes; a hostile one is to be stored as it is
	Content string
	Symlink bool // Content is the target
}

// Options are what a test asks of the source.
type Options struct {
	// Patterns of catalog files; empty for the source's default, which is
	// catalog-info.yaml in the root.
	Patterns []string
	// ReadAllow are the hosts to which catalog files may lead.
	ReadAllow []string
}

// Place is where an implementation puts what a test wants harvested.
type Place interface {
	// Set makes the place hold exactly these repositories. One that is equal to
	// what stands is left untouched; one with a new Name under its Key is
	// renamed. A file that the place cannot hold at all is left out.
	Set(t *testing.T, repositories ...Repository)
	// Source returns a source over the place, made anew as after a restart and
	// always under the same name.
	Source(t *testing.T) source.Source
	// Break makes the listing of repositories fail until it is mended.
	Break(t *testing.T, broken bool)
}

// Open opens an empty place.
type Open func(t *testing.T, o Options) Place

const document = "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata:\n  name: %s\n"

// Document is the text of a catalog file that declares a component.
func Document(name string) string { return fmt.Sprintf(document, name) }

func catalogFile(name string) File {
	return File{Path: "catalog-info.yaml", Content: Document(name)}
}

func simple(name string) Repository {
	return Repository{Key: name, Name: name, Files: []File{catalogFile(name), {Path: "README.md", Content: "# " + name + "\n"}}}
}

// Run holds the source behind open to the promises of package source.
func Run(t *testing.T, open Open) {
	for name, test := range map[string]func(*testing.T, Open){
		"everything is reported":                          everything,
		"content is what git has":                         content,
		"patterns":                                        patterns,
		"what is unchanged is said to be":                 unchanged,
		"a lost catalog is read again":                    lost,
		"a change is read and nothing else":               change,
		"what is gone from a repository":                  goneDocument,
		"repositories come, go and change their name":     comeAndGo,
		"hostile paths":                                   hostile,
		"a symbolic link is not followed out":             symlinks,
		"a symbolic link within is followed":              within,
		"a document over the limit is refused":            tooLarge,
		"CODEOWNERS is found where GitHub looks":          codeowners,
		"a broken listing removes nothing":                broken,
		"a cancelled harvest ends":                        cancelled,
		"an error from Out ends the harvest":              outError,
		"two harvests at once do not disturb one another": atOnce,
		"a refresh reads what it is asked for":            refreshChanged,
		"a refresh tells what is gone":                    refreshGone,
		"a refresh follows a change of name":              refreshRenamed,
		"a refresh finds what is new by its name":         refreshNew,
		"a cancelled refresh ends":                        refreshCancelled,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open)
		})
	}
}

// harvest must succeed.
func harvest(t *testing.T, l *Ledger, p Place) *Report {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	report, err := l.Harvest(ctx, t, p.Source(t))
	require.NoError(t, err)
	require.Empty(t, report.Kept, "no repository is unreadable here")
	return report
}

func everything(t *testing.T, open Open) {
	p := open(t, Options{})
	var want []string
	var repositories []Repository
	for i := range 7 {
		name := fmt.Sprintf("repo-%d", i)
		want = append(want, name)
		repositories = append(repositories, simple(name))
	}
	repositories[2].Files = nil
	repositories[3].Files = []File{{Path: "src/main.go", Content: "package main\n"}, {Path: "go.mod", Content: "module x\n"}}
	p.Set(t, repositories...)

	var l Ledger
	report := harvest(t, &l, p)
	require.Equal(t, want, report.Names())
	require.Empty(t, report.Unchanged)
	for _, name := range want {
		e, _ := l.Named(name)
		switch name {
		case "repo-2":
			require.Empty(t, e.Commit, "an empty repository has no commit")
			require.Empty(t, e.Documents)
			require.Empty(t, e.Root)
		case "repo-3":
			require.Len(t, e.Commit, 40)
			require.Empty(t, e.Documents)
			require.Equal(t, []string{"go.mod", "src/"}, e.Root)
		default:
			require.Len(t, e.Commit, 40)
			require.NotEmpty(t, e.Branch)
			require.Equal(t, Document(name), string(e.Contents["catalog-info.yaml"]))
			require.Equal(t, []string{"README.md", "catalog-info.yaml"}, e.Root)
		}
	}
}

func content(t *testing.T, open Open) {
	p := open(t, Options{Patterns: []string{"catalog/*.yaml"}})
	texts := map[string]string{
		"catalog/crlf.yaml":    "a: 1\r\nb: 2\r\n",
		"catalog/bom.yaml":     "\ufeffa: 1\n",
		"catalog/latin1.yaml":  "name: caf\xe9\n",
		"catalog/nul.yaml":     "a: \x00b\n",
		"catalog/empty.yaml":   "",
		"catalog/open.yaml":    "no newline at the end",
		"catalog/unicode.yaml": "name: Größe – 名前\n",
		"catalog/long.yaml":    strings.Repeat("# a line of a long file that must come whole\n", 20_000), // 900 kB
	}
	repo := Repository{Key: "r", Name: "r"}
	for path, text := range texts {
		repo.Files = append(repo.Files, File{Path: path, Content: text})
	}
	p.Set(t, repo)
	var l Ledger
	harvest(t, &l, p)
	e, ok := l.Named("r")
	require.True(t, ok)
	require.Len(t, e.Documents, len(texts))
	for path, text := range texts {
		require.True(t, text == string(e.Contents[path]), "%s is not byte for byte what was committed", path)
	}
}

func patterns(t *testing.T, open Open) {
	repo := Repository{Key: "r", Name: "r"}
	for _, path := range []string{
		"catalog-info.yaml", "catalog-info.yml", "docs/catalog-info.yaml", "services/a/catalog-info.yaml",
		"services/b/catalog-info.yaml", "services/b/deep/catalog-info.yaml", "services/b/deep/er/still/catalog-info.yaml",
		".backstage/x.yaml", ".backstage/y.yml", "README.md",
	} {
		repo.Files = append(repo.Files, File{Path: path, Content: "path: " + path + "\n"})
	}
	for _, test := range []struct {
		patterns []string
		want     []string
	}{
		{nil, []string{"catalog-info.yaml"}},
		{[]string{"/catalog-info.yaml"}, []string{"catalog-info.yaml"}},
		{[]string{"docs/catalog-info.yaml", "missing/catalog-info.yaml"}, []string{"docs/catalog-info.yaml"}},
		{[]string{"catalog-info.{yaml,yml}", ".backstage/*.yaml"}, []string{".backstage/x.yaml", "catalog-info.yaml", "catalog-info.yml"}},
		{[]string{"services/*/catalog-info.yaml"}, []string{"services/a/catalog-info.yaml", "services/b/catalog-info.yaml"}},
		{[]string{"services/*/*/*/*/catalog-info.yaml"}, []string{"services/b/deep/er/still/catalog-info.yaml"}},
		{[]string{"*/catalog-info.yaml", "catalog-info.yaml"}, []string{"catalog-info.yaml", "docs/catalog-info.yaml"}},
		{[]string{"**/catalog-info.yaml"}, []string{"catalog-info.yaml", "docs/catalog-info.yaml", "services/a/catalog-info.yaml",
			"services/b/catalog-info.yaml", "services/b/deep/catalog-info.yaml", "services/b/deep/er/still/catalog-info.yaml"}},
	} {
		t.Run(strings.Join(test.patterns, ","), func(t *testing.T) {
			t.Parallel()
			p := open(t, Options{Patterns: test.patterns})
			p.Set(t, repo)
			var l Ledger
			harvest(t, &l, p)
			e, _ := l.Named("r")
			var got []string
			for _, d := range e.Documents {
				got = append(got, d.Path)
				require.Equal(t, "path: "+d.Path+"\n", string(e.Contents[d.Path]))
			}
			slices.Sort(got)
			require.Equal(t, test.want, got)
		})
	}
}

func unchanged(t *testing.T, open Open) {
	p := open(t, Options{})
	p.Set(t, simple("a"), simple("b"), Repository{Key: "empty", Name: "empty"})
	var l Ledger
	harvest(t, &l, p)
	report := harvest(t, &l, p)
	require.Empty(t, report.Names(), "nothing has changed")
	require.Len(t, report.Unchanged, 3)
	require.Equal(t, []string{"a", "b", "empty"}, l.Names())
}

func lost(t *testing.T, open Open) {
	p := open(t, Options{})
	p.Set(t, simple("a"), simple("b"))
	harvest(t, &Ledger{}, p)
	var l Ledger
	report := harvest(t, &l, p)
	require.Equal(t, []string{"a", "b"}, report.Names(), "whatever a source keeps to itself, Known decides what is left out")
	e, _ := l.Named("a")
	require.Equal(t, Document("a"), string(e.Contents["catalog-info.yaml"]))
}

func change(t *testing.T, open Open) {
	p := open(t, Options{Patterns: []string{"catalog-info.yaml", "catalog/*.yaml"}})
	a := simple("a")
	a.Files = append(a.Files, File{Path: "catalog/other.yaml", Content: Document("other")})
	p.Set(t, a, simple("b"))
	var l Ledger
	harvest(t, &l, p)
	before, _ := l.Named("a")

	a.Files = slices.Clone(a.Files)
	a.Files[0].Content = Document("changed")
	p.Set(t, a, simple("b"))
	report := harvest(t, &l, p)
	require.Equal(t, []string{"a"}, report.Names())
	require.Len(t, report.Unchanged, 1)
	after, _ := l.Named("a")
	require.NotEqual(t, before.State, after.State)
	require.NotEqual(t, before.Commit, after.Commit)
	require.Equal(t, Document("changed"), string(after.Contents["catalog-info.yaml"]))
	require.Equal(t, Document("other"), string(after.Contents["catalog/other.yaml"]))
	for _, d := range report.Repositories[after.ID].Documents {
		if d.Path == "catalog/other.yaml" {
			require.Nil(t, d.Content, "a known document is left unread")
		}
	}
}

func goneDocument(t *testing.T, open Open) {
	p := open(t, Options{})
	p.Set(t, simple("a"))
	var l Ledger
	harvest(t, &l, p)
	a := simple("a")
	a.Files = a.Files[1:]
	p.Set(t, a)
	harvest(t, &l, p)
	e, _ := l.Named("a")
	require.Empty(t, e.Documents)

	a.Files = nil
	p.Set(t, a, simple("b"))
	harvest(t, &l, p)
	e, _ = l.Named("a")
	require.Empty(t, e.Documents)
	require.Empty(t, e.Root)
}

func comeAndGo(t *testing.T, open Open) {
	p := open(t, Options{})
	p.Set(t, simple("a"), simple("b"), simple("c"))
	var l Ledger
	harvest(t, &l, p)

	p.Set(t, simple("a"), simple("c"), simple("d"))
	harvest(t, &l, p)
	require.Equal(t, []string{"a", "c", "d"}, l.Names())

	renamed := simple("a")
	renamed.Name = "z"
	p.Set(t, renamed, simple("c"), simple("d"))
	harvest(t, &l, p)
	require.Equal(t, []string{"c", "d", "z"}, l.Names())
	e, _ := l.Named("z")
	require.Equal(t, Document("a"), string(e.Contents["catalog-info.yaml"]))

	p.Set(t)
	harvest(t, &l, p)
	require.Empty(t, l.Names(), "an empty place, listed whole, holds nothing")
}

func hostile(t *testing.T, open Open) {
	p := open(t, Options{Patterns: []string{"**/*.yaml", "*.yaml"}})
	good := []string{
		"with space/a b.yaml", "umlaut/größe.yaml", "quote/it's \"quoted\".yaml", "glob/[a]*?{b}.yaml", "dash/--help.yaml",
		"dots/...yaml", "percent/%2e%2e%2f.yaml", "colon/a:b.yaml", "back/a\\b.yaml", "hash/a#b?c=d&e.yaml", "dollar/$(id).yaml",
	}
	bad := []string{"../outside.yaml", "/absolute.yaml", "a/../../outside.yaml", "./dot.yaml", "a//b.yaml", "x/./y.yaml"}
	repo := Repository{Key: "r", Name: "r"}
	for _, path := range append(slices.Clone(good), bad...) {
		repo.Files = append(repo.Files, File{Path: path, Content: "path: " + path + "\n"})
	}
	// A folder with the name of a catalog file is no document.
	repo.Files = append(repo.Files, File{Path: "folder.yaml/README.md", Content: "text"})
	odd := simple(".github")
	dots := simple("a.b_c-d")
	p.Set(t, repo, odd, dots)
	var l Ledger
	harvest(t, &l, p) // wellFormed looks at the paths
	e, _ := l.Named("r")
	for _, path := range good {
		require.Equal(t, "path: "+path+"\n", string(e.Contents[path]), "document %q", path)
	}
	require.NotContains(t, e.Contents, "folder.yaml")
	require.Equal(t, []string{".github", "a.b_c-d", "r"}, l.Names())
}

func symlinks(t *testing.T, open Open) {
	p := open(t, Options{Patterns: []string{"catalog-info.yaml", "links/*.yaml"}})
	p.Set(t,
		Repository{Key: "out", Name: "out", Files: []File{
			{Path: "README.md", Content: "x"},
			{Path: "catalog-info.yaml", Content: "/etc/hostname", Symlink: true},
			{Path: "links/up.yaml", Content: "../../../../../../etc/hostname", Symlink: true},
			{Path: "links/self.yaml", Content: "self.yaml", Symlink: true},
			{Path: "links/nothing.yaml", Content: "missing.yaml", Symlink: true},
			{Path: "links/true.yaml", Content: Document("true")},
		}},
		Repository{Key: "folder", Name: "folder", Files: []File{
			{Path: "README.md", Content: "x"},
			{Path: "links", Content: "/etc", Symlink: true},
		}},
	)
	var l Ledger
	harvest(t, &l, p)
	e, _ := l.Named("out")
	require.Equal(t, Document("true"), string(e.Contents["links/true.yaml"]))
	for path, text := range e.Contents {
		require.Equal(t, "links/true.yaml", path, "content of the link %s was read: %q", path, text)
	}
	e, _ = l.Named("folder")
	require.Empty(t, e.Contents)
}

func within(t *testing.T, open Open) {
	p := open(t, Options{Patterns: []string{"catalog-info.yaml", "a/*.yaml"}})
	p.Set(t, Repository{Key: "r", Name: "r", Files: []File{
		{Path: "catalog-info.yaml", Content: "docs/real.yaml", Symlink: true},
		{Path: "a/up.yaml", Content: "../docs/real.yaml", Symlink: true},
		{Path: "docs/real.yaml", Content: Document("real")},
	}})
	var l Ledger
	harvest(t, &l, p)
	e, _ := l.Named("r")
	require.Equal(t, Document("real"), string(e.Contents["catalog-info.yaml"]))
	require.Equal(t, Document("real"), string(e.Contents["a/up.yaml"]))
}

func tooLarge(t *testing.T, open Open) {
	p := open(t, Options{Patterns: []string{"*.yaml"}})
	p.Set(t, Repository{Key: "r", Name: "r", Files: []File{
		{Path: "large.yaml", Content: strings.Repeat("x", source.MaxDocument+1)},
		{Path: "small.yaml", Content: "a: 1\n"},
	}})
	var l Ledger
	report := harvest(t, &l, p)
	e, _ := l.Named("r")
	require.Equal(t, "a: 1\n", string(e.Contents["small.yaml"]))
	require.NotContains(t, e.Contents, "large.yaml")
	for _, d := range report.Repositories[e.ID].Documents {
		if d.Path == "large.yaml" {
			require.NotNil(t, d.Problem)
			require.Equal(t, catalog.CodeTooLarge, d.Problem.Code)
			require.NotEmpty(t, d.Problem.Hint)
			return
		}
	}
	t.Fatal("large.yaml is not listed")
}

func codeowners(t *testing.T, open Open) {
	owners := func(path string) File { return File{Path: path, Content: "* @from-" + path + "\n"} }
	for _, test := range []struct {
		have []string
		want string
	}{
		{[]string{"CODEOWNERS", "docs/CODEOWNERS", ".github/CODEOWNERS"}, ".github/CODEOWNERS"},
		{[]string{"CODEOWNERS", "docs/CODEOWNERS"}, "CODEOWNERS"},
		{[]string{"docs/CODEOWNERS"}, "docs/CODEOWNERS"},
		{[]string{"src/CODEOWNERS"}, ""},
	} {
		t.Run(strings.Join(test.have, ","), func(t *testing.T) {
			t.Parallel()
			p := open(t, Options{})
			repo := simple("r")
			for _, path := range test.have {
				repo.Files = append(repo.Files, owners(path))
			}
			p.Set(t, repo)
			var l Ledger
			harvest(t, &l, p)
			e, _ := l.Named("r")
			if test.want == "" {
				require.Nil(t, e.Codeowners)
				return
			}
			require.NotNil(t, e.Codeowners)
			require.Equal(t, test.want, e.Codeowners.Path)
			require.Equal(t, "* @from-"+test.want+"\n", string(e.Codeowners.Content))
		})
	}
}

func broken(t *testing.T, open Open) {
	p := open(t, Options{})
	p.Set(t, simple("a"), simple("b"))
	var l Ledger
	harvest(t, &l, p)
	p.Break(t, true)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	report, err := l.Harvest(ctx, t, p.Source(t))
	require.Error(t, err)
	require.False(t, report.Completed)
	require.Equal(t, []string{"a", "b"}, l.Names())

	p.Break(t, false)
	harvest(t, &l, p)
	require.Equal(t, []string{"a", "b"}, l.Names())
}

func cancelled(t *testing.T, open Open) {
	p := open(t, Options{})
	var repositories []Repository
	for i := range 20 {
		repositories = append(repositories, simple(fmt.Sprintf("repo-%02d", i)))
	}
	p.Set(t, repositories...)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var l Ledger
	report, err := l.Harvest(ctx, t, p.Source(t))
	require.ErrorIs(t, err, context.Canceled)
	require.False(t, report.Completed)

	ctx, cancel = context.WithCancel(t.Context())
	defer cancel()
	var at time.Time
	var once sync.Once
	report, err = l.Harvest(ctx, t, p.Source(t), func(source.Repository) error {
		once.Do(func() { at = time.Now(); cancel() })
		return ctx.Err()
	})
	require.ErrorIs(t, err, context.Canceled)
	require.False(t, report.Completed)
	require.Less(t, time.Since(at), 10*time.Second, "the harvest went on after it was cancelled")
}

func outError(t *testing.T, open Open) {
	p := open(t, Options{})
	var repositories []Repository
	for i := range 20 {
		repositories = append(repositories, simple(fmt.Sprintf("repo-%02d", i)))
	}
	p.Set(t, repositories...)
	full := errors.New("the disk is full")
	var l Ledger
	report, err := l.Harvest(t.Context(), t, p.Source(t), func(r source.Repository) error {
		if r.Name == "repo-07" {
			return full
		}
		return nil
	})
	require.ErrorIs(t, err, full)
	require.False(t, report.Completed)
}

func atOnce(t *testing.T, open Open) {
	p := open(t, Options{})
	p.Set(t, simple("a"), simple("b"), simple("c"))
	src := p.Source(t)
	var group sync.WaitGroup
	ledgers := make([]Ledger, 3)
	errs := make([]error, len(ledgers))
	for i := range ledgers {
		group.Go(func() { _, errs[i] = ledgers[i].Harvest(t.Context(), t, src) })
	}
	group.Wait()
	for i := range ledgers {
		require.NoError(t, errs[i])
		require.Equal(t, []string{"a", "b", "c"}, ledgers[i].Names())
	}
}
