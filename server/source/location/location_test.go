package location_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/source"
	"github.com/waypost-dev/waypost/server/source/location"
	"github.com/waypost-dev/waypost/server/source/sourcetest"
)

// leads is a Location with targets.
func leads(targets ...string) string {
	s := "apiVersion: backstage.io/v1alpha1\nkind: Location\nmetadata:\n  name: x\nspec:\n  targets:\n"
	for _, t := range targets {
		s += "    - " + t + "\n"
	}
	return s
}

func write(t *testing.T, dir string, files map[string]string) {
	for name, content := range files {
		writeFile(t, filepath.Join(dir, filepath.FromSlash(name)), content)
	}
}

func writeFile(t testing.TB, file, content string) {
	require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
	require.NoError(t, os.WriteFile(file, []byte(content), 0o644))
}

func open(t *testing.T, o location.Options) *location.Source {
	s, err := location.New(o)
	require.NoError(t, err)
	return s
}

// one is the only repository of the ledger, with the report of one harvest.
func one(t *testing.T, l *sourcetest.Ledger, s source.Source) (sourcetest.Entry, *sourcetest.Report) {
	t.Helper()
	report, err := l.Harvest(t.Context(), t, s)
	require.NoError(t, err)
	require.True(t, report.Completed)
	require.Len(t, l.Repositories, 1)
	for _, e := range l.Repositories {
		return e, report
	}
	panic("unreachable")
}

func paths(e sourcetest.Entry) []string {
	var out []string
	for _, d := range e.Documents {
		if d.Problem == nil {
			out = append(out, d.Path)
		}
	}
	slices.Sort(out)
	return out
}

func messages(problems []catalog.Problem) string {
	var lines []string
	for _, p := range problems {
		lines = append(lines, fmt.Sprintf("%s:%d:%d %s: %s", p.Path, p.Line, p.Column, p.Field, p.Message))
	}
	return strings.Join(lines, "\n")
}

func TestNew(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"", "file", "file:", "url:", "url:ftp://example.com/x", "url:/x", "url:https://", "url:https://me:secret@example.com/x", "github:acme", "file:a\x00b", "file:a[b"} {
		_, err := location.New(location.Options{Target: bad})
		require.Error(t, err, bad)
		require.NotContains(t, err.Error(), "secret@", "a password is not repeated")
	}
	s := open(t, location.Options{Target: "url:https://EXAMPLE.com/a:b.yaml#here"})
	require.Equal(t, "url:https://example.com/a:b.yaml", s.Name())
	_, err := location.New(location.Options{Target: "url:https://example.com/x", ReadAllow: []string{"https://example.com/"}})
	require.ErrorContains(t, err, "read-allow")
}

func TestFileFollowsLocations(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, map[string]string{
		"all.yaml":          "# a comment\n---\n" + sourcetest.Document("first") + "---\n" + leads("./teams/*.yaml", "systems/all.yaml", "./missing.yaml", "../outside.yaml", "/etc/hostname", "./teams/"),
		"teams/a.yaml":      sourcetest.Document("a"),
		"teams/b.yaml":      sourcetest.Document("b"),
		"teams/c.yml":       sourcetest.Document("c"),
		"systems/all.yaml":  leads("./deep.yaml", "../teams/a.yaml", "../all.yaml"),
		"systems/deep.yaml": sourcetest.Document("deep"),
		"unnamed.yaml":      sourcetest.Document("unnamed"),
	})
	s := open(t, location.Options{Target: "file:" + filepath.Join(dir, "all.yaml")})
	var l sourcetest.Ledger
	e, _ := one(t, &l, s)
	require.Equal(t, []string{"all.yaml", "systems/all.yaml", "systems/deep.yaml", "teams/a.yaml", "teams/b.yaml"}, paths(e))
	require.Equal(t, "file:"+filepath.ToSlash(dir)+"/all.yaml", e.ID)
	require.Equal(t, filepath.ToSlash(dir), e.FullName())
	got := messages(e.Problems)
	for _, want := range []string{
		`all.yaml:16:7 spec.targets.2: target "./missing.yaml": no such file or directory`,
		`all.yaml:17:7 spec.targets.3: target "../outside.yaml": it is outside of the folder`,
		`all.yaml:18:7 spec.targets.4: target "/etc/hostname": it is outside of the folder`,
		`systems/all.yaml:9:7 spec.targets.2: target "../all.yaml": it leads back to all.yaml, in a circle`,
	} {
		require.Contains(t, got, want)
	}
	require.Contains(t, got, `all.yaml:19:7 spec.targets.5: target "./teams/": it is a folder`)

	_, report := one(t, &l, s)
	require.Len(t, report.Unchanged, 1)

	write(t, dir, map[string]string{"teams/a.yaml": sourcetest.Document("new")})
	require.NoError(t, os.Remove(filepath.Join(dir, "teams/b.yaml")))
	e, report = one(t, &l, s)
	require.Empty(t, report.Unchanged)
	require.Equal(t, sourcetest.Document("new"), string(e.Contents["teams/a.yaml"]))
	require.NotContains(t, e.Contents, "teams/b.yaml", "a file that is not there any more is gone")

	// The location itself is away: everything is kept.
	require.NoError(t, os.Rename(dir, dir+".away"))
	defer os.Rename(dir+".away", dir)
	after, report := one(t, &l, s)
	require.Len(t, report.Kept, 1)
	require.Equal(t, e.Contents, after.Contents)
}

func TestFileGlob(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, map[string]string{"a/x.yaml": "a: 1\n", "a/b/y.yaml": "b: 1\n", "a/z.txt": "no", "a/.hidden/h.yaml": "h: 1\n"})
	s := open(t, location.Options{Target: "file:" + dir + "/a/**/*.yaml"})
	var l sourcetest.Ledger
	e, _ := one(t, &l, s)
	require.Equal(t, []string{"b/y.yaml", "x.yaml"}, paths(e))

	require.NoError(t, os.Remove(dir+"/a/x.yaml"))
	e, _ = one(t, &l, s)
	require.Equal(t, []string{"b/y.yaml"}, paths(e))

	require.NoError(t, os.RemoveAll(dir+"/a/b"))
	e, report := one(t, &l, s)
	require.Equal(t, []string{"b/y.yaml"}, paths(e), "an empty folder removes nothing")
	require.Len(t, report.Kept, 1)
}

func TestFileStaysInside(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, map[string]string{
		"secret.yaml":       "secret: 1\n",
		"in/all.yaml":       leads("./link.yaml", "./folder/secret.yaml", "./inner.yaml", "./folder/*.yaml", "./pipe.yaml"),
		"in/true.yaml":      "a: 1\n",
		"folder/other.yaml": "other: 1\n",
	})
	require.NoError(t, os.Symlink("../secret.yaml", filepath.Join(dir, "in", "link.yaml")))
	require.NoError(t, os.Symlink("..", filepath.Join(dir, "in", "folder")))
	require.NoError(t, os.Symlink("true.yaml", filepath.Join(dir, "in", "inner.yaml")))
	s := open(t, location.Options{Target: "file:" + filepath.Join(dir, "in", "all.yaml")})
	var l sourcetest.Ledger
	e, _ := one(t, &l, s)
	require.Equal(t, []string{"all.yaml", "inner.yaml"}, paths(e))
	for _, content := range e.Contents {
		require.NotContains(t, string(content), "secret: 1")
	}
}

func TestBounds(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	files := map[string]string{}
	for i := range 20 {
		files[fmt.Sprintf("l%02d.yaml", i)] = leads(fmt.Sprintf("./l%02d.yaml", i+1))
	}
	files["many.yaml"] = leads("./f/*.yaml")
	for i := range 20 {
		files[fmt.Sprintf("f/%02d.yaml", i)] = "a: 1\n"
	}
	files["big.yaml"] = leads("./huge.yaml")
	files["huge.yaml"] = strings.Repeat("x", source.MaxDocument+1)
	write(t, dir, files)

	e, _ := one(t, &sourcetest.Ledger{}, open(t, location.Options{Target: "file:" + dir + "/l00.yaml"}))
	require.Len(t, e.Documents, 11)
	require.Contains(t, messages(e.Problems), "l10.yaml:7:7 spec.targets.0: target \"./l11.yaml\": Locations lead from one to the next more than 10 times")

	e, _ = one(t, &sourcetest.Ledger{}, open(t, location.Options{Target: "file:" + dir + "/many.yaml", MaxDocuments: 5}))
	require.Len(t, e.Documents, 5)
	require.Contains(t, messages(e.Problems), "the location has more than 5 documents")

	e, _ = one(t, &sourcetest.Ledger{}, open(t, location.Options{Target: "file:" + dir + "/big.yaml"}))
	require.Equal(t, []string{"big.yaml"}, paths(e))
	require.Len(t, e.Problems, 1)
	require.Equal(t, catalog.CodeTooLarge, e.Problems[0].Code)
	require.Equal(t, 7, e.Problems[0].Line)
}

// site is a web server whose pages can fail.
type site struct {
	*httptest.Server
	mu    sync.Mutex
	pages map[string]string
	fail  map[string]int
	asked atomic.Int32
	saved atomic.Int32 // answered with 304
}

func newSite(t *testing.T, pages map[string]string) *site {
	s := &site{pages: pages, fail: map[string]int{}}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.asked.Add(1)
		s.mu.Lock()
		defer s.mu.Unlock()
		if code := s.fail[r.URL.Path]; code != 0 {
			w.WriteHeader(code)
			return
		}
		page, ok := s.pages[r.URL.Path]
		if to, redirect := strings.CutPrefix(page, "redirect:"); redirect {
			http.Redirect(w, r, to, http.StatusFound)
			return
		}
		if !ok {
			http.NotFound(w, r)
			return
		}
		etag := `"` + sourcetest.BlobID([]byte(page)) + `"`
		w.Header().Set("ETag", etag)
		if r.Header.Get("If-None-Match") == etag {
			s.saved.Add(1)
			w.WriteHeader(http.StatusNotModified)
			return
		}
		fmt.Fprint(w, page)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *site) set(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
}

func (s *site) host() string { return strings.TrimPrefix(s.URL, "http://") }

type cache struct {
	mu sync.Mutex
	m  map[string][]byte
}

func (c *cache) Get(key string) ([]byte, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	b, ok := c.m[key]
	return b, ok
}

func (c *cache) Set(key string, value []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.m[key] = value
}

func TestURL(t *testing.T) {
	t.Parallel()
	s := newSite(t, map[string]string{
		"/cat/all.yaml":     leads("./a.yaml", "sub/all.yaml", "/b.yaml", "./gone.yaml", "file:/etc/hostname", "http://elsewhere.example/x.yaml", "./*.yaml"),
		"/cat/a.yaml":       sourcetest.Document("a"),
		"/b.yaml":           sourcetest.Document("b"),
		"/cat/sub/all.yaml": leads("c.yaml", "../all.yaml"),
		"/cat/sub/c.yaml":   sourcetest.Document("c"),
	})
	store := &cache{m: map[string][]byte{}}
	src := open(t, location.Options{Target: "url:" + s.URL + "/cat/all.yaml", ReadAllow: []string{s.host()}, Cache: store})
	var l sourcetest.Ledger
	e, _ := one(t, &l, src)
	h := s.host()
	all := []string{h + "/b.yaml", h + "/cat/a.yaml", h + "/cat/all.yaml", h + "/cat/sub/all.yaml", h + "/cat/sub/c.yaml"}
	require.Equal(t, all, paths(e))
	got := messages(e.Problems)
	require.Contains(t, got, h+`/cat/all.yaml:10:7 spec.targets.3: target "./gone.yaml": the server answers 404 Not Found`)
	require.Contains(t, got, `spec.targets.5: target "http://elsewhere.example/x.yaml": the host elsewhere.example is not allowed to be read`)
	require.Contains(t, got, "spec.targets.4: target \"file:/etc/hostname\"")
	require.Contains(t, got, "spec.targets.6: target \"./*.yaml\": it holds a wildcard")
	require.Contains(t, got, "in a circle")

	_, report := one(t, &l, src)
	require.Len(t, report.Unchanged, 1)
	require.EqualValues(t, len(all), s.saved.Load(), "what has not changed is not sent again")

	// A Location in the middle fails: what was reached through it stays.
	for _, code := range []int{500, 503, 404, 403} {
		s.set(func() { s.fail["/cat/sub/all.yaml"] = code })
		e, _ = one(t, &l, src)
		require.Equal(t, sourcetest.Document("c"), string(e.Contents[h+"/cat/sub/c.yaml"]))
		require.Equal(t, leads("c.yaml", "../all.yaml"), string(e.Contents[h+"/cat/sub/all.yaml"]))
	}
	s.set(func() { clear(s.fail) })
	e, _ = one(t, &l, src)
	require.Equal(t, all, paths(e))

	// The location itself fails.
	s.set(func() { s.fail["/cat/all.yaml"] = 502 })
	_, report = one(t, &l, src)
	require.Len(t, report.Kept, 1)
	s.set(func() { clear(s.fail) })

	// A target that is no longer named is gone.
	s.set(func() { s.pages["/cat/all.yaml"] = leads("./a.yaml") })
	e, _ = one(t, &l, src)
	require.Equal(t, []string{h + "/cat/a.yaml", h + "/cat/all.yaml"}, paths(e))
}

// TestIncludes reads what placeholders name, beside a file and beside a page.
func TestIncludes(t *testing.T) {
	t.Parallel()
	s := newSite(t, map[string]string{
		"/cat/all.yaml":     sourcetest.API("a", "$text", "./openapi.yaml") + "---\n" + sourcetest.API("b", "$json", "/b.json"),
		"/cat/openapi.yaml": "openapi: 3.0.0\n", "/b.json": `{"x": {"$text": "cat/openapi.yaml"}}`,
	})
	dir := t.TempDir()
	write(t, dir, map[string]string{
		"in/all.yaml":     sourcetest.Location("./apis/a.yaml", s.URL+"/cat/all.yaml"),
		"in/apis/a.yaml":  sourcetest.API("c", "$text", "../openapi.yaml") + "---\n" + sourcetest.API("d", "$text", "../../secret") + "---\n" + sourcetest.API("e", "$text", "./link"),
		"in/openapi.yaml": "openapi: 3.1.0\n",
		"secret":          "secret",
	})
	require.NoError(t, os.Symlink("../../secret", filepath.Join(dir, "in", "apis", "link")))
	included := func(r *sourcetest.Report, path string) []string {
		var out []string
		for _, repo := range r.Repositories {
			for _, d := range repo.Documents {
				for _, i := range d.Includes {
					text := string(i.Content)
					if i.Problem != nil {
						text = i.Problem.Message
					}
					if d.Path == path {
						out = append(out, i.Target+": "+text)
					}
				}
			}
		}
		return out
	}
	web := []string{"./openapi.yaml: openapi: 3.0.0\n", `/b.json: {"x": {"$text": "cat/openapi.yaml"}}`, "cat/openapi.yaml: openapi: 3.0.0\n"}
	for _, target := range []string{"url:" + s.URL + "/cat/all.yaml", "file:" + filepath.Join(dir, "in", "all.yaml")} {
		var l sourcetest.Ledger
		src := open(t, location.Options{Target: target, ReadAllow: []string{s.host()}})
		_, report := one(t, &l, src)
		require.Equal(t, web, included(report, s.host()+"/cat/all.yaml"))
		if strings.HasPrefix(target, "file:") {
			require.Equal(t, []string{"../openapi.yaml: openapi: 3.1.0\n", "../../secret: it leads out of the repository",
				"./link: it is a symbolic link that leads to no file of the repository"}, included(report, "apis/a.yaml"))
		}
		_, report = one(t, &l, src)
		require.Len(t, report.Unchanged, 1)
		s.set(func() { s.pages["/cat/openapi.yaml"] = "changed" })
		_, report = one(t, &l, src)
		require.Equal(t, []string{"./openapi.yaml: changed", web[1], "cat/openapi.yaml: changed"}, included(report, s.host()+"/cat/all.yaml"))
		s.set(func() { s.pages["/cat/openapi.yaml"] = "openapi: 3.0.0\n" })
	}
}

func TestURLRefuses(t *testing.T) {
	t.Parallel()
	inside := newSite(t, map[string]string{"/secret.yaml": "secret: 1\n"})
	_, port, _ := strings.Cut(inside.host(), ":")
	s := newSite(t, map[string]string{
		"/redirect.yaml":  "redirect:" + inside.URL + "/secret.yaml",
		"/metadata.yaml":  "redirect:http://169.254.169.254/latest/meta-data/",
		"/circle.yaml":    "redirect:/circle.yaml",
		"/scheme.yaml":    "redirect:file:///etc/hostname",
		"/large.yaml":     strings.Repeat("x", source.MaxDocument+1),
		"/localhost.yaml": "redirect:http://localhost:" + port + "/secret.yaml",
	})
	for path, want := range map[string]string{
		"/redirect.yaml":  "is not allowed to be read",
		"/metadata.yaml":  "is not allowed to be read",
		"/circle.yaml":    "redirected more than",
		"/scheme.yaml":    "not http",
		"/large.yaml":     "more than",
		"/localhost.yaml": "is not allowed to be read",
	} {
		src := open(t, location.Options{Target: "url:" + s.URL + path, ReadAllow: []string{s.host()}})
		report, err := (&sourcetest.Ledger{}).Harvest(t.Context(), t, src)
		require.NoError(t, err)
		require.Len(t, report.Kept, 1, path)
		for _, p := range report.Kept {
			require.Contains(t, p.Message, want, path)
			require.NotEmpty(t, p.Hint, path)
		}
	}
	before := inside.asked.Load()
	src := open(t, location.Options{Target: "url:" + inside.URL + "/secret.yaml"})
	report, err := (&sourcetest.Ledger{}).Harvest(t.Context(), t, src)
	require.NoError(t, err)
	require.Len(t, report.Kept, 1, "without an allow-list nothing is read")
	require.Equal(t, before, inside.asked.Load())
	require.Zero(t, inside.asked.Load(), "nobody ever came here")
}

func TestURLTimeout(t *testing.T) {
	t.Parallel()
	stop := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow-body" {
			fmt.Fprint(w, "a")
			w.(http.Flusher).Flush()
		}
		select {
		case <-stop:
		case <-r.Context().Done():
		}
	}))
	defer s.Close()
	defer close(stop)
	for _, path := range []string{"/slow-head", "/slow-body"} {
		src := open(t, location.Options{Target: "url:" + s.URL + path, ReadAllow: []string{"127.0.0.1:" + s.URL[strings.LastIndexByte(s.URL, ':')+1:]}, Timeout: 200 * time.Millisecond})
		start := time.Now()
		report, err := (&sourcetest.Ledger{}).Harvest(t.Context(), t, src)
		require.NoError(t, err)
		require.Less(t, time.Since(start), 5*time.Second)
		for _, p := range report.Kept {
			require.Contains(t, p.Message, "too long")
		}
		require.Len(t, report.Kept, 1)
	}
}
