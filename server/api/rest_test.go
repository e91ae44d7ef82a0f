package api

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"flag"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/fieldmaskpb"
)

var update = flag.Bool("update", false, "write the golden files anew")

func maskOf(paths ...string) *fieldmaskpb.FieldMask { return &fieldmaskpb.FieldMask{Paths: paths} }

func (f *fixture) ask(t testing.TB, method, target, body string) *http.Response {
	t.Helper()
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	r.Header.Set("X-Request-Id", "test-1")
	w := httptest.NewRecorder()
	f.Handler().ServeHTTP(w, r)
	return w.Result()
}

func bodyOf(t testing.TB, resp *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	return string(b)
}

func TestRESTAnswers(t *testing.T) {
	t.Parallel()
	f := newFixture(t, acme(t))
	yaml := "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata:\n  name: new\nspec:\n  type: service\n  lifecycle: production\n  owner: payments\n  dependsOn: [component:default/gone]\n"
	broken := "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata:\n  name: bad name\nspec: {}\n"
	validate, err := json.Marshal(map[string]any{"documents": []any{
		map[string]any{"path": "catalog-info.yaml", "content": base64.StdEncoding.EncodeToString([]byte(yaml))},
		map[string]any{"path": "broken.yaml", "content": base64.StdEncoding.EncodeToString([]byte(broken))},
	}})
	require.NoError(t, err)
	for name, c := range map[string]struct {
		method, target, body string
		code                 int
	}{
		"get":              {"GET", "/v1/entities/Component:default/checkout", "", 200},
		"get-no-spec":      {"GET", "/v1/entities/thing:other/no-spec", "", 200},
		"get-masked":       {"GET", "/v1/entities/component:default/checkout?readMask=metadata.title,spec.owner", "", 200},
		"get-missing":      {"GET", "/v1/entities/component:default/gone", "", 404},
		"get-bad-name":     {"GET", "/v1/entities/component/gone", "", 400},
		"batch":            {"GET", "/v1/entities:batchGet?names=entities/group:default/payments&names=entities/group:default/gone", "", 200},
		"batch-post":       {"POST", "/v1/entities:batchGet", `{"names":["entities/group:default/payments"],"readMask":"name"}`, 200},
		"list":             {"GET", "/v1/entities?pageSize=2", "", 200},
		"list-empty":       {"GET", "/v1/entities?filter=false", "", 200},
		"list-masked":      {"GET", "/v1/entities?readMask=name", "", 200},
		"list-bad-mask":    {"GET", "/v1/entities?readMask=nmae", "", 400},
		"list-bad-size":    {"GET", "/v1/entities?pageSize=-1", "", 400},
		"list-bad-type":    {"GET", "/v1/entities?pageSize=many", "", 400},
		"list-unknown":     {"GET", "/v1/entities?pagesize=3", "", 400},
		"facets":           {"GET", "/v1/entities:facets?fields=kind&fields=metadata.tags", "", 200},
		"facets-none":      {"GET", "/v1/entities:facets", "", 400},
		"search":           {"GET", "/v1/entities:search?query=ledger", "", 200},
		"search-empty":     {"GET", "/v1/entities:search", "", 400},
		"graph":            {"GET", "/v1/graph?roots=component:default/checkout&depth=2", "", 200},
		"graph-bad-root":   {"GET", "/v1/graph?roots=checkout", "", 400},
		"problems":         {"GET", "/v1/problems", "", 200},
		"problems-filter":  {"GET", "/v1/problems?code=dangling-relation&severity=SEVERITY_WARNING&entityRef=Component:ledger", "", 200},
		"problems-token":   {"GET", "/v1/problems?pageToken=x", "", 400},
		"validate":         {"POST", "/v1/entities:validate", string(validate), 200},
		"validate-nothing": {"POST", "/v1/entities:validate", `{}`, 400},
		"validate-garbage": {"POST", "/v1/entities:validate", `{"documents":`, 400},
		"sources":          {"GET", "/v1/sources", "", 200},
		"harvest-unknown":  {"POST", "/v1/harvests", `{"source":"github:nobody"}`, 404},
		"harvest-missing":  {"GET", "/v1/harvests/99", "", 404},
		"watch-missing":    {"GET", "/v1/harvests/99:watch", "", 404},
		"harvests":         {"GET", "/v1/harvests", "", 200},
		"no-route":         {"GET", "/v1/nothing/here", "", 404},
		"no-method":        {"DELETE", "/v1/entities/component:default/checkout", "", 405},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			resp := f.ask(t, c.method, c.target, c.body)
			body := bodyOf(t, resp)
			require.Equal(t, c.code, resp.StatusCode, body)
			require.Equal(t, "application/json", resp.Header.Get("Content-Type"))
			require.Equal(t, "nosniff", resp.Header.Get("X-Content-Type-Options"))
			require.Equal(t, "test-1", resp.Header.Get("X-Request-Id"))
			golden(t, name, body)
		})
	}
}

// golden compares JSON with a file, indented so that people can read it.
func golden(t *testing.T, name, body string) {
	t.Helper()
	var v any
	// What the index alone decides is no matter here.
	body = regexp.MustCompile(`"(nextPageToken)":"[^"]+"|"(score)":[0-9.e+-]+`).ReplaceAllString(body, `"$1$2":"(any)"`)
	require.NoError(t, json.Unmarshal([]byte(body), &v), body)
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	require.NoError(t, enc.Encode(v))
	file := filepath.Join("testdata", name+".json")
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(file, b.Bytes(), 0o644))
		return
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err, "run with -update")
	require.Equal(t, string(want), b.String())
}

func TestRESTPages(t *testing.T) {
	t.Parallel()
	f := newFixture(t, many(t, 300))
	seen := map[string]bool{}
	token := ""
	for range 10 {
		var page struct {
			Entities      []struct{ Name string }
			NextPageToken string
			TotalSize     int
			Revision      string
		}
		resp := f.ask(t, "GET", query{"pageSize": "70", "orderBy": "metadata.title", "pageToken": token}.path("/v1/entities"), "")
		require.NoError(t, json.Unmarshal([]byte(bodyOf(t, resp)), &page))
		require.Equal(t, 300, page.TotalSize)
		require.Equal(t, "300", page.Revision)
		for _, e := range page.Entities {
			require.False(t, seen[e.Name], "%s comes twice", e.Name)
			seen[e.Name] = true
		}
		if token = page.NextPageToken; token == "" {
			break
		}
	}
	require.Len(t, seen, 300)
	resp := f.ask(t, "GET", "/v1/entities?pageToken=garbage!", "")
	require.Equal(t, 400, resp.StatusCode)
	require.Contains(t, bodyOf(t, resp), `"field":"page_token"`)
	// More than the maximum is the maximum.
	var page struct{ Entities []any }
	require.NoError(t, json.Unmarshal([]byte(bodyOf(t, f.ask(t, "GET", "/v1/entities?pageSize=100000", ""))), &page))
	require.Len(t, page.Entities, 300)

	// Any window of the list, with and without a filter.
	window := func(skip string, filter string) []string {
		var page struct{ Entities []struct{ Name string } }
		resp := f.ask(t, "GET", query{"pageSize": "100", "orderBy": "metadata.title", "skip": skip, "filter": filter}.path("/v1/entities"), "")
		require.NoError(t, json.Unmarshal([]byte(bodyOf(t, resp)), &page))
		out := []string{}
		for _, e := range page.Entities {
			out = append(out, e.Name)
		}
		return out
	}
	for _, filter := range []string{"", `entity.kind == "Component"`} {
		whole := append(append(window("0", filter), window("100", filter)...), window("200", filter)...)
		require.GreaterOrEqual(t, len(whole), 290)
		require.Equal(t, whole[150:250], window("150", filter))
		require.Empty(t, window("1000", filter))
	}
	require.Equal(t, 400, f.ask(t, "GET", "/v1/entities?skip=-1", "").StatusCode)
}

func TestRESTHostile(t *testing.T) {
	t.Parallel()
	f := newFixture(t, acme(t))
	deep := strings.Repeat("(", 4000) + "true" + strings.Repeat(")", 4000)
	for name, c := range map[string]struct {
		method, target, body string
		code                 int
	}{
		"huge filter":      {"GET", "/v1/entities?filter=" + strings.Repeat("x", 9000), "", 400},
		"deep filter":      {"GET", "/v1/entities?filter=" + url.QueryEscape(deep), "", 400},
		"bad UTF-8 path":   {"GET", "/v1/entities/component:default/%ff%fe", "", 404},
		"bad UTF-8 filter": {"GET", "/v1/entities?filter=%ff%fe", "", 400},
		"NUL in name":      {"GET", "/v1/entities/component:default/a%00b", "", 404},
		"slash in name":    {"GET", "/v1/entities/component:default/..%2f..%2fetc", "", 404},
		"dots":             {"GET", "/v1/entities/../../etc/passwd", "", 404},
		"deep JSON":        {"POST", "/v1/entities:validate", strings.Repeat(`{"documents":[`, 20000), 400},
		"unknown field":    {"POST", "/v1/entities:validate", `{"documents":[{"path":"a","content":""}],"x":1}`, 400},
		"not base64":       {"POST", "/v1/entities:validate", `{"documents":[{"path":"a","content":"*"}]}`, 400},
		"harvest id":       {"GET", "/v1/harvests/99999999999999999999", "", 400},
		"negative id":      {"GET", "/v1/harvests/-1", "", 400},
		"huge facets":      {"GET", "/v1/entities:facets?" + strings.Repeat("fields=kind&", 30), "", 400},
		"verb":             {"GET", "/v1/entities:nothing", "", 404},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			resp := f.ask(t, c.method, c.target, c.body)
			body := bodyOf(t, resp)
			require.Equal(t, c.code, resp.StatusCode, body)
			require.True(t, json.Valid([]byte(body)), body)
			require.Less(t, len(body), 20000, "the answer is not larger than it need be")
		})
	}
	require.NotContains(t, f.log.String(), "panic")
}

func TestRESTBodyLimit(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	resp := f.ask(t, "POST", "/v1/entities:validate", `{"documents":[{"path":"a","content":"`+strings.Repeat("QUFB", maxBody/4)+`"}]}`)
	require.Contains(t, []int{400, 413}, resp.StatusCode, bodyOf(t, resp))
}

func TestRequestID(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	for given, kept := range map[string]bool{"abc-1.2_3": true, "": false, "a b": false, strings.Repeat("x", 65): false, "x\ty": false} {
		r := httptest.NewRequest(http.MethodGet, "/v1/entities", nil)
		r.Header.Set("X-Request-Id", given)
		w := httptest.NewRecorder()
		f.Handler().ServeHTTP(w, r)
		got := w.Header().Get("X-Request-Id")
		require.Equal(t, kept, got == given, "%q became %q", given, got)
		require.Regexp(t, regexp.MustCompile(`^[a-zA-Z0-9._-]+$`), got)
	}
}

func TestOtherOriginsChangeNothing(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	for site, code := range map[string]int{"cross-site": 403, "same-origin": 404} {
		r := httptest.NewRequest(http.MethodPost, "/v1/harvests", strings.NewReader(`{"source":"github:acme"}`))
		r.Header.Set("Sec-Fetch-Site", site)
		w := httptest.NewRecorder()
		f.Handler().ServeHTTP(w, r)
		require.Equal(t, code, w.Code, w.Body.String())
		require.True(t, json.Valid(w.Body.Bytes()))
	}
}

func TestPlainPages(t *testing.T) {
	t.Parallel()
	f := newFixture(t, acme(t))
	require.Equal(t, "ok\n", bodyOf(t, f.ask(t, "GET", "/healthz", "")))
	require.Equal(t, 200, f.ask(t, "GET", "/readyz", "").StatusCode)
	f.SetReady(false)
	require.Equal(t, 503, f.ask(t, "GET", "/readyz", "").StatusCode)
	f.SetReady(true)
	require.Equal(t, 404, f.ask(t, "GET", "/anything", "").StatusCode)

	f.ask(t, "GET", "/v1/entities/component:default/gone", "")
	metrics := bodyOf(t, f.ask(t, "GET", "/metrics", ""))
	for _, line := range []string{
		`waypost_api_request_duration_seconds_count{code="NotFound",method="/waypost.catalog.v1.CatalogService/GetEntity"} 1`,
		"waypost_catalog_entities 4", "waypost_catalog_revision 4", `waypost_build_info{version="1.2.3"} 1`,
		`waypost_catalog_problems{code="dangling-relation",severity="warning"} 1`,
	} {
		require.Contains(t, metrics, line)
	}

	page := f.ask(t, "GET", "/docs", "")
	require.Contains(t, page.Header.Get("Content-Security-Policy"), "style-src 'sha256-")
	html := bodyOf(t, page)
	require.Contains(t, html, "/v1/entities/{kind}:{namespace}/{name}")
	require.NotContains(t, html, "http://")
	require.NotContains(t, html, "<script")
}

func TestFallback(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	s, err := New(Options{Index: f.index, Store: f.store, Engine: f.engine, Fallback: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "UI "+r.URL.Path)
	})})
	require.NoError(t, err)
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/catalog", nil))
	require.Equal(t, "UI /catalog", w.Body.String())
	_, err = New(Options{})
	require.Error(t, err)
}
