package sourcetest

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waypost-dev/waypost/server/source"
)

// Location is the text of a Location with targets, the first of which stands on
// line 7.
func Location(targets ...string) string {
	s := "apiVersion: backstage.io/v1alpha1\nkind: Location\nmetadata:\n  name: x\nspec:\n  targets:\n"
	for _, t := range targets {
		s += "    - " + t + "\n"
	}
	return s
}

// API is the text of an API whose definition is a placeholder.
func API(name, key, target string) string {
	return "apiVersion: backstage.io/v1alpha1\nkind: API\nmetadata:\n  name: " + name +
		"\nspec:\n  type: openapi\n  lifecycle: production\n  owner: shop\n  definition:\n    " + key + ": " + target + "\n"
}

// RunReach holds the source behind open to the promises of package reach, of
// which package source says less: open must allow Options.ReadAllow.
func RunReach(t *testing.T, open Open) {
	for name, test := range map[string]func(*testing.T, Open){
		"Locations are followed in the repository":                  followed,
		"Locations are bounded":                                     bounded,
		"placeholders are read":                                     included,
		"what leads elsewhere changes":                              leadsChange,
		"Locations and placeholders lead to hosts that are allowed": foreign,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open)
		})
	}
}

func one(t *testing.T, p Place, l *Ledger) Entry {
	t.Helper()
	harvest(t, l, p)
	e, ok := l.Named("r")
	require.True(t, ok)
	return e
}

func files(of map[string]string) Repository {
	r := Repository{Key: "r", Name: "r"}
	for _, path := range slices.Sorted(maps.Keys(of)) {
		text := of[path]
		r.Files = append(r.Files, File{Path: path, Content: text})
	}
	return r
}

func documents(e Entry) []string {
	var paths []string
	for _, d := range e.Documents {
		paths = append(paths, d.Path)
	}
	return paths
}

func told(e Entry) string {
	var lines []string
	for _, p := range e.Problems {
		lines = append(lines, fmt.Sprintf("%s:%d:%d %s: %s", p.Path, p.Line, p.Column, p.Field, p.Message))
	}
	return strings.Join(lines, "\n")
}

func followed(t *testing.T, open Open) {
	p := open(t, Options{})
	r := files(map[string]string{
		"catalog-info.yaml": Location("./teams/*.yaml", "systems/all.yaml", "./missing.yaml", "../outside.yaml", "/root.yaml", "./teams", "./link.yaml", "./out.yaml", "./deep/**/x.yaml", "https://elsewhere.example/x.yaml", "./none/*.yaml"),
		"teams/a.yaml":      Document("a"), "teams/b.yaml": Document("b"), "teams/c.yml": Document("c"), "teams/.hidden.yaml": Document("hidden"),
		"systems/all.yaml": Location("./own.yaml", "../teams/a.yaml", "../catalog-info.yaml"), "systems/own.yaml": Document("own"),
		"root.yaml": Document("root"), "deep/er/x.yaml": Document("deeper"), "deep/x.yaml": Document("deep"), "deep/er/y.yaml": Document("y"),
		"unnamed.yaml": Document("unnamed"), "optional.yaml": "",
	})
	r.Files = append(r.Files, File{Path: "link.yaml", Content: "root.yaml", Symlink: true}, File{Path: "out.yaml", Content: "../../etc/hostname", Symlink: true})
	p.Set(t, r)
	var l Ledger
	e := one(t, p, &l)
	require.Equal(t, []string{"catalog-info.yaml", "deep/er/x.yaml", "deep/x.yaml", "link.yaml", "root.yaml", "systems/all.yaml", "systems/own.yaml", "teams/a.yaml", "teams/b.yaml"}, documents(e))
	require.Equal(t, Document("own"), string(e.Contents["systems/own.yaml"]))
	require.Equal(t, Document("root"), string(e.Contents["link.yaml"]))
	require.Equal(t, strings.Join([]string{
		`catalog-info.yaml:10:7 spec.targets.3: target "../outside.yaml": it leads out of the repository`,
		`catalog-info.yaml:9:7 spec.targets.2: target "./missing.yaml": there is no such file in the repository`,
		`catalog-info.yaml:12:7 spec.targets.5: target "./teams": it is a folder`,
		`catalog-info.yaml:16:7 spec.targets.9: target "https://elsewhere.example/x.yaml": the host elsewhere.example is not allowed to be read`,
		`catalog-info.yaml:14:7 spec.targets.7: target "./out.yaml": it is a symbolic link that leads to no file of the repository`,
		`systems/all.yaml:9:7 spec.targets.2: target "../catalog-info.yaml": it leads back to catalog-info.yaml, in a circle`,
	}, "\n"), told(e))
	for _, p := range e.Problems {
		require.NotEmpty(t, p.Hint)
	}
	report := harvest(t, &l, p)
	require.Len(t, report.Unchanged, 1, "that a host is not allowed does not make the repository restless")

	// Addresses of the repository itself are its own files.
	e, _ = l.Named("r")
	if e.URL == "" {
		return
	}
	page := e.URL + "/blob/" + e.Branch
	p.Set(t, files(map[string]string{
		"catalog-info.yaml": Location(page+"/teams/a.yaml", page+"/teams/*.yaml", page+"/../../../../x.yaml"),
		"teams/a.yaml":      Document("a"), "teams/b.yaml": Document("b"),
	}))
	e = one(t, p, &l)
	require.Equal(t, []string{"catalog-info.yaml", "teams/a.yaml", "teams/b.yaml"}, documents(e))
	require.Equal(t, `catalog-info.yaml:9:7 spec.targets.2: target "`+page+`/../../../../x.yaml": there is no such file in the repository`, told(e))
}

func bounded(t *testing.T, open Open) {
	p := open(t, Options{})
	of := map[string]string{"catalog-info.yaml": Location("./l00.yaml", "./self.yaml"), "self.yaml": Location("./self.yaml"), "huge.yaml": strings.Repeat("x", source.MaxDocument+1)}
	for i := range 12 {
		of[fmt.Sprintf("l%02d.yaml", i)] = Location(fmt.Sprintf("./l%02d.yaml", i+1))
	}
	of["l00.yaml"] = Location("./l01.yaml", "./huge.yaml")
	p.Set(t, files(of))
	e := one(t, p, &Ledger{})
	require.Len(t, e.Documents, 12)
	require.Contains(t, told(e), `l09.yaml:7:7 spec.targets.0: target "./l10.yaml": Locations lead from one to the next more than 10 times`)
	require.Contains(t, told(e), `self.yaml:7:7 spec.targets.0: target "./self.yaml": it leads back to self.yaml, in a circle`)
	require.Contains(t, told(e), `l00.yaml:8:7 spec.targets.1: target "./huge.yaml": it has more than 5242880 bytes`)

	optional := Location("./missing.yaml") + "  presence: optional\n"
	p.Set(t, files(map[string]string{"catalog-info.yaml": optional}))
	require.Empty(t, one(t, p, &Ledger{}).Problems)
}

func included(t *testing.T, open Open) {
	p := open(t, Options{Patterns: []string{"catalog-info.yaml", "apis/*.yaml"}})
	p.Set(t, files(map[string]string{
		"catalog-info.yaml": Document("plain") + "---\n" + API("a", "$text", "./openapi.yaml") + "---\n" + API("b", "$json", "apis/b/b.json") + "---\n" + API("c", "$text", "../secret"),
		"apis/c.yaml":       API("c", "$text", "/openapi.yaml") + "---\n" + API("d", "$openapi", "./d"),
		"openapi.yaml":      "openapi: 3.0.0\nx: {$text: ./never}\n",
		"apis/b/b.json":     `{"x": {"$text": "./b.md"}, "y": {"$yaml": "b.json"}, "z": {"$ref": "#/x"}}`,
		"apis/b/b.md":       "# b\n",
	}))
	var l Ledger
	report := harvest(t, &l, p)
	e, _ := l.Named("r")
	require.Empty(t, told(e))
	var got []string
	for _, d := range report.Repositories[e.ID].Documents {
		for _, i := range d.Includes {
			outcome := fmt.Sprintf("%q", i.Content)
			if i.Problem != nil {
				outcome = i.Problem.Message
			}
			got = append(got, fmt.Sprintf("%s: %s|%s -> %s: %s", d.Path, i.From, i.Target, i.Path, outcome))
		}
	}
	b := `"{\"x\": {\"$text\": \"./b.md\"}, \"y\": {\"$yaml\": \"b.json\"}, \"z\": {\"$ref\": \"#/x\"}}"`
	openapi := `"openapi: 3.0.0\nx: {$text: ./never}\n"`
	require.Equal(t, []string{
		`apis/c.yaml: |/openapi.yaml -> openapi.yaml: ` + openapi,
		`catalog-info.yaml: |./openapi.yaml -> openapi.yaml: ` + openapi,
		`catalog-info.yaml: |apis/b/b.json -> apis/b/b.json: ` + b,
		`catalog-info.yaml: |../secret -> : it leads out of the repository`,
		`catalog-info.yaml: apis/b/b.json|./b.md -> apis/b/b.md: "# b\n"`,
		`catalog-info.yaml: apis/b/b.json|b.json -> apis/b/b.json: ` + b,
	}, got)
	require.Len(t, harvest(t, &l, p).Unchanged, 1)
}

func leadsChange(t *testing.T, open Open) {
	p := open(t, Options{})
	of := map[string]string{
		"catalog-info.yaml": Location("./parts/*.yaml"), "parts/a.yaml": API("a", "$text", "../a.txt"), "parts/b.yaml": Document("b"),
		"a.txt": "one", "README.md": "x",
	}
	p.Set(t, files(of))
	var l Ledger
	before := one(t, p, &l)
	require.Equal(t, []string{"catalog-info.yaml", "parts/a.yaml", "parts/b.yaml"}, documents(before))

	changed := func() map[string]bool { // which documents have content
		report := harvest(t, &l, p)
		out := map[string]bool{}
		for _, r := range report.Repositories {
			for _, d := range r.Documents {
				out[d.Path] = d.Content != nil
			}
		}
		return out
	}
	of["README.md"] = "y"
	p.Set(t, files(of))
	require.Equal(t, map[string]bool{"catalog-info.yaml": false, "parts/a.yaml": false, "parts/b.yaml": false}, changed(), "nothing that the catalog shows has changed")
	of["a.txt"] = "two"
	p.Set(t, files(of))
	require.Equal(t, map[string]bool{"catalog-info.yaml": false, "parts/a.yaml": true, "parts/b.yaml": false}, changed(), "an included file changes what includes it")
	of["parts/c.yaml"] = Document("c")
	p.Set(t, files(of))
	require.Equal(t, map[string]bool{"catalog-info.yaml": false, "parts/a.yaml": false, "parts/b.yaml": false, "parts/c.yaml": true}, changed(), "a glob finds what is new")
	delete(of, "parts/b.yaml")
	of["parts/a.yaml"] = Document("a")
	p.Set(t, files(of))
	require.Equal(t, map[string]bool{"catalog-info.yaml": false, "parts/a.yaml": true, "parts/c.yaml": false}, changed())
	of["catalog-info.yaml"] = Document("x")
	p.Set(t, files(of))
	require.Equal(t, map[string]bool{"catalog-info.yaml": true}, changed(), "what no Location names any more is gone")
}

// pages is a web server whose pages can change.
type pages struct {
	*httptest.Server
	mu    sync.Mutex
	of    map[string]string
	fail  int
	asked atomic.Int32
	saved atomic.Int32 // answered with 304
}

func (s *pages) set(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
}

func foreign(t *testing.T, open Open) {
	s := &pages{of: map[string]string{}}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.asked.Add(1)
		s.mu.Lock()
		defer s.mu.Unlock()
		page, ok := s.of[r.URL.Path]
		etag := `"` + BlobID([]byte(page)) + `"`
		switch {
		case s.fail != 0:
			w.WriteHeader(s.fail)
		case !ok:
			http.NotFound(w, r)
		case r.Header.Get("If-None-Match") == etag:
			s.saved.Add(1)
			w.WriteHeader(http.StatusNotModified)
		default:
			w.Header().Set("ETag", etag)
			fmt.Fprint(w, page)
		}
	}))
	t.Cleanup(s.Close)
	host := strings.TrimPrefix(s.URL, "http://")
	p := open(t, Options{ReadAllow: []string{host}})
	s.of["/all.yaml"] = Location("./part.yaml", "/gone.yaml", "file:/etc/hostname")
	s.of["/part.yaml"] = API("part", "$text", "text.md")
	s.of["/text.md"] = "# one\n"
	p.Set(t, files(map[string]string{"catalog-info.yaml": Location(s.URL+"/all.yaml", "./own.yaml"), "own.yaml": API("own", "$text", s.URL+"/text.md")}), simple("other"))
	var l Ledger
	e := one(t, p, &l)
	all := []string{host + "/all.yaml", host + "/part.yaml", "catalog-info.yaml", "own.yaml"}
	require.Equal(t, all, documents(e))
	require.Equal(t, "url:"+s.URL+"/part.yaml", e.Documents[1].Location)
	require.Contains(t, told(e), host+`/all.yaml:8:7 spec.targets.1: target "/gone.yaml": the server answers 404 Not Found`)
	require.Contains(t, told(e), host+`/all.yaml:9:7 spec.targets.2: target "file:/etc/hostname"`)

	asked := s.asked.Load()
	report := harvest(t, &l, p)
	require.Len(t, report.Unchanged, 2, "other hosts were asked, and nothing is new")
	require.Greater(t, s.asked.Load(), asked)
	require.EqualValues(t, 3, s.saved.Load(), "what has not changed is not sent again")

	s.set(func() { s.of["/text.md"] = "# two\n" })
	report = harvest(t, &l, p)
	e, _ = l.Named("r")
	for _, d := range report.Repositories[e.ID].Documents {
		includes := d.Path == "own.yaml" || d.Path == host+"/part.yaml"
		require.Equal(t, includes, d.Content != nil, d.Path)
		if includes {
			require.Equal(t, "# two\n", string(d.Includes[0].Content))
		}
	}

	// What fails stays as it was, and what was reached through it.
	s.set(func() { s.fail = 503 })
	e = one(t, p, &l)
	require.Equal(t, all, documents(e))
	require.NotNil(t, e.Documents[0].Problem)
	require.Equal(t, API("part", "$text", "text.md"), string(e.Contents[host+"/part.yaml"]))
	s.set(func() { s.fail = 0 })
	e = one(t, p, &l)
	require.Nil(t, e.Documents[0].Problem)
	require.Equal(t, all, documents(e))
	require.Len(t, harvest(t, &l, p).Unchanged, 2)

	// What is named no longer is gone.
	p.Set(t, files(map[string]string{"catalog-info.yaml": Location("./own.yaml"), "own.yaml": Document("own")}), simple("other"))
	e = one(t, p, &l)
	require.Equal(t, []string{"catalog-info.yaml", "own.yaml"}, documents(e))
	asked = s.asked.Load()
	harvest(t, &l, p)
	require.Equal(t, asked, s.asked.Load())
}
