package harvest_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waypost-dev/waypost/sample"
	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/harvest"
	"github.com/waypost-dev/waypost/server/source"
	"github.com/waypost-dev/waypost/server/source/gitdir"
	"github.com/waypost-dev/waypost/server/source/gitdir/clonetest"
	"github.com/waypost-dev/waypost/server/source/github"
	"github.com/waypost-dev/waypost/server/source/githubtest"
	"github.com/waypost-dev/waypost/server/store"
)

// TestReadmeOfTheSample reads a README from clones, and from a GitHub: there what
// was asked once is not asked again.
func TestReadmeOfTheSample(t *testing.T) {
	t.Parallel()
	local, err := gitdir.New(gitdir.Options{Path: clonetest.Clones(t, sample.Acme()), Owner: "acme"})
	require.NoError(t, err)
	org, err := githubtest.LoadFS(sample.Acme())
	require.NoError(t, err)
	fake := githubtest.NewServer(org, githubtest.Options{Enterprise: true, Token: "secret"})
	var requests atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		fake.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	forge, err := github.New(github.Options{Organisation: "acme", URL: server.URL, Token: "secret"})
	require.NoError(t, err)
	for name, src := range map[string]source.Source{"clones": local, "GitHub": forge} {
		st := openStore(t)
		e := harvest.New(st, slog.New(slog.DiscardHandler))
		e.Add(harvest.Config{Source: src})
		_, err := e.Run(t.Context(), src.Name(), harvest.Order{}, nil)
		require.NoError(t, err)
		var entity *catalog.Entity
		_, err = st.Load(t.Context(), func(e *catalog.Entity) error {
			if e.Origin.Repository == "acme/trail-map" {
				entity = e
			}
			return nil
		})
		require.NoError(t, err)
		require.NotNil(t, entity)
		before := requests.Load()
		for range 3 {
			r, err := e.Readme(t.Context(), entity)
			require.NoError(t, err, name)
			require.Equal(t, "README.md", r.Path)
			require.Contains(t, r.Content, "#")
			require.Equal(t, "acme/trail-map", r.Repository)
			require.NotEmpty(t, r.Commit)
			require.False(t, r.Truncated)
			if src == source.Source(forge) {
				require.Equal(t, "https://github.com/acme/trail-map/blob/main/README.md", r.URL)
			}
		}
		if src == source.Source(forge) {
			require.EqualValues(t, 1, requests.Load()-before)
		}
	}
}

// shelf is a source with files of one repository.
type shelf struct {
	files    map[string]string
	asked    int // for anything
	err      error
	contents []string // that were read
}

func (s *shelf) Name() string                                            { return "test:acme" }
func (s *shelf) Harvest(context.Context, source.Known, source.Out) error { return nil }
func (s *shelf) Commits(context.Context, source.Place, time.Time, int) ([]source.Commit, error) {
	return nil, source.ErrNotGiven
}

func (s *shelf) Files(_ context.Context, at source.Place) ([]string, error) {
	s.asked++
	var out []string
	for p := range s.files {
		if at.Folder == "" || strings.HasPrefix(p, at.Folder+"/") {
			out = append(out, p)
		}
	}
	return out, s.err
}

func (s *shelf) Content(_ context.Context, at source.Place, path string) ([]byte, error) {
	s.asked++
	s.contents = append(s.contents, at.Name+" "+path)
	text, ok := s.files[path]
	if !ok && s.err == nil {
		return nil, source.ErrNotGiven
	}
	return []byte(text), s.err
}

// TestReadmePlaces: where a README is looked for, and what is none.
func TestReadmePlaces(t *testing.T) {
	t.Parallel()
	st := openStore(t)
	repository := func(id, facts, commit string) {
		_, err := st.Apply(t.Context(), "test:acme", []store.RepositoryUpdate{{Repository: store.Repository{ID: id, Name: "acme/" + id, State: facts, Facts: []byte(facts), Commit: commit}}})
		require.NoError(t, err)
	}
	repository("shop", `{"url":"https://git.example.com/acme/shop","branch":"main","root":["README","readme.MD","services/"]}`, "c1")
	repository("tools", `{"url":"https://git.example.com/acme/tools","branch":"main","root":["x"]}`, "c2")
	repository("empty", `{"url":"https://git.example.com/acme/empty"}`, "")
	long := strings.Repeat("ü", harvest.MaxReadme/2) + "xü"
	s := &shelf{files: map[string]string{
		"readme.MD": "root", "README": "plain", "services/web/README.rst": "web", "services/web/docs/README.md": "deeper", "services/pay/x.go": "x",
		"services/odd/README.md": "a\x00b", "services/bad/README.md": "\xff", "services/long/README.md": "x" + long, "my docs/README.md": "docs",
	}}
	e := harvest.New(st, slog.New(slog.DiscardHandler))
	e.Add(harvest.Config{Source: s})
	read := func(repository, path, location string) (harvest.Readme, error) {
		annotations := map[string]any{}
		if location != "" {
			annotations["backstage.io/source-location"] = location
		}
		entity, _ := catalog.NewEntity("backstage.io/v1alpha1", "Component", map[string]any{"name": "x", "annotations": annotations}, map[string]any{},
			catalog.Origin{Source: "test:acme", Repository: repository, Path: path})
		require.NotNil(t, entity)
		return e.Readme(t.Context(), entity)
	}
	const shop = "url:https://git.example.com/acme/shop"
	for _, c := range []struct{ path, location, want, url string }{
		{"catalog-info.yaml", "", "readme.MD", "/acme/shop/blob/main/readme.MD"},
		{"", "", "readme.MD", "/acme/shop/blob/main/readme.MD"},
		{"services/web/catalog-info.yaml", "", "services/web/README.rst", "/acme/shop/blob/main/services/web/README.rst"},
		{"services/pay/catalog-info.yaml", "", "readme.MD", "/acme/shop/blob/main/readme.MD"},
		{"catalog-info.yaml", shop + "/tree/main/services/web/", "services/web/README.rst", "/acme/shop/blob/main/services/web/README.rst"},
		{"catalog-info.yaml", shop + "/tree/main/my%20docs", "my docs/README.md", "/acme/shop/blob/main/my%20docs/README.md"},
		{"services/web/catalog-info.yaml", shop + "/tree/main/services/pay/", "services/web/README.rst", "/acme/shop/blob/main/services/web/README.rst"},
		{"services/web/catalog-info.yaml", shop + "/tree/main/../../etc", "services/web/README.rst", "/acme/shop/blob/main/services/web/README.rst"},
		{"catalog-info.yaml", shop + "-other/tree/main/services/web", "readme.MD", "/acme/shop/blob/main/readme.MD"},
		{"catalog-info.yaml", "url:https://elsewhere.example.com/acme/tools/tree/main/", "readme.MD", "/acme/shop/blob/main/readme.MD"},
	} {
		r, err := read("acme/shop", c.path, c.location)
		require.NoError(t, err, "%+v", c)
		require.Equal(t, c.want, r.Path, "%+v", c)
		require.Equal(t, s.files[c.want], r.Content)
		require.Equal(t, "https://git.example.com"+c.url, r.URL)
	}
	for _, read := range s.contents {
		require.True(t, strings.HasPrefix(read, "acme/shop "), read)
	}
	r, err := read("acme/shop", "services/long/x.yaml", "")
	require.NoError(t, err)
	require.True(t, r.Truncated)
	require.Equal(t, "x"+strings.Repeat("ü", harvest.MaxReadme/2-1), r.Content)

	asked := s.asked
	for range 2 { // what there is not is kept too
		for _, c := range []struct{ repository, path, location, why string }{
			{"acme/tools", "catalog-info.yaml", "", "acme/tools has none"},
			{"acme/shop", "catalog-info.yaml", "url:https://git.example.com/acme/tools/tree/main/", "acme/tools has none"},
			{"acme/empty", "", "", "no commit"},
			{"acme/unknown", "", "", "nothing is known"},
		} {
			_, err := read(c.repository, c.path, c.location)
			require.ErrorIs(t, err, harvest.ErrNoReadme)
			require.ErrorContains(t, err, c.why)
		}
	}
	require.Equal(t, asked, s.asked)
	for _, folder := range []string{"odd", "bad"} { // no text: that of the root is
		r, err := read("acme/shop", "services/"+folder+"/catalog-info.yaml", "")
		require.NoError(t, err)
		require.Equal(t, "readme.MD", r.Path)
	}

	// A source that does not answer is asked again.
	broken := errors.New("broken")
	s.err = broken
	_, err = read("acme/shop", "services/new/x.yaml", "")
	require.ErrorIs(t, err, broken)
	s.err = source.ErrSpent
	_, err = read("acme/shop", "services/new/x.yaml", "")
	require.ErrorIs(t, err, source.ErrSpent)
	require.NotErrorIs(t, err, harvest.ErrNoReadme)
	s.err = nil
	s.files["services/new/README.md"] = "new"
	r, err = read("acme/shop", "services/new/x.yaml", "")
	require.NoError(t, err)
	require.Equal(t, "new", r.Content)
}
