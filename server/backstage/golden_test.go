package backstage

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
)

// recorded is a request and what a real Backstage answered.
type recorded struct {
	ID      string `json:"id"`
	Request struct {
		Method   string            `json:"method"`
		Path     string            `json:"path"`
		Template string            `json:"pathTemplate"`
		Headers  map[string]string `json:"headers"`
		Body     json.RawMessage   `json:"body"`
	} `json:"request"`
	Response struct {
		Status  int               `json:"status"`
		Headers map[string]string `json:"headers"`
		Body    any               `json:"body"`
		IsJSON  bool              `json:"bodyIsJson"`
	} `json:"response"`
}

// comparedHeaders are those whose values must be the same. The others are those
// of another HTTP server: security headers, its weak ETag, chunks.
var comparedHeaders = []string{"content-type", "link", "deprecation", "location", "warning", "sunset"}

// unorderedByID are the cases whose items come in the order of their uids, which
// are others here.
var unorderedByID = []string{"17-entities-all", "31-by-query-default", "24-entities-filter-exists"}

// different are the cases that differ from Backstage, and why. A case that is
// here and does not differ fails.
var different = map[string]string{
	"54-validate-bad-label":   "all that is wrong is told, not the first thing alone",
	"91-permissions-metadata": "permissions are not covered",
	"95-openapi-json":         "Backstage's own description is not served again",
}

// otherWords are the cases in which nothing but the text of messages differs, and
// why.
var otherWords = map[string]string{
	"35-by-query-bad-cursor":              "Backstage says what JavaScript's parser says",
	"41-by-query-post-bad":                "Backstage lists all that its validator would have allowed",
	"52-validate-missing-owner":           "what is wrong is told in our words, with the field and how to mend it",
	"53-validate-bad-name":                "as 52",
	"64-locations-dryrun-bad-entity":      "as 52, with file and line",
	"96-by-name-broken-afterwards-status": "as 64",
}

// masked are the members that may have any value, as long as there is one of the
// same type.
var masked = []string{"uid", "etag"}

// TestGolden replays what was asked of a real Backstage, in the same order.
func TestGolden(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var index struct {
		Fixtures []struct{ ID string } `json:"fixtures"`
	}
	b, err := os.ReadFile(filepath.Join(golden, "index.json"))
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(b, &index))
	require.NotEmpty(t, index.Fixtures)
	r := &replay{world: w, got: map[string]any{}, ids: map[string]string{}}
	passed, differ := 0, 0
	for _, f := range index.Fixtures {
		b, err := os.ReadFile(filepath.Join(golden, f.ID+".json"))
		require.NoError(t, err)
		var want recorded
		require.NoError(t, json.Unmarshal(b, &want))
		diff := r.run(t, want)
		reason, known := different[f.ID]
		switch {
		case diff == "" && known:
			t.Errorf("%s does not differ any more: take it off the list (%s)", f.ID, reason)
		case diff == "":
			passed++
		case known:
			differ++
			t.Logf("%s differs, as is known: %s", f.ID, reason)
		default:
			t.Errorf("%s %s %s (-Backstage +Waypost)\n%s", f.ID, want.Request.Method, want.Request.Path, diff)
		}
	}
	t.Logf("%d of %d replies are Backstage's; %d differ as is known", passed, len(index.Fixtures), differ)
}

type replay struct {
	*world
	got map[string]any    // bodies by case
	ids map[string]string // of a location, Backstage's to ours
}

func (r *replay) run(t *testing.T, want recorded) string {
	t.Helper()
	switch want.ID {
	case "96-by-name-broken-afterwards-status":
		r.edit(t, "  owner: bob\n", "")
	case "97-by-name-removed-from-yaml":
		file := filepath.Join(r.dir, "components.yaml")
		b, err := os.ReadFile(file)
		require.NoError(t, err)
		at := strings.LastIndex(string(b), "---\n")
		require.NoError(t, os.WriteFile(file, b[:at], 0o600))
		r.harvest(t)
	}
	var body string
	if len(want.Request.Body) > 0 {
		body = string(want.Request.Body)
		var text string
		if json.Unmarshal(want.Request.Body, &text) == nil {
			body = text
		}
	}
	path := r.path(want)
	req := httptest.NewRequestWithContext(t.Context(), want.Request.Method, path, strings.NewReader(r.ours(body)))
	for k, v := range want.Request.Headers {
		req.Header.Set(k, v)
	}
	rec := httptest.NewRecorder()
	r.ServeHTTP(rec, req)
	got := map[string]any{"status": rec.Code}
	expected := map[string]any{"status": want.Response.Status}
	for _, h := range comparedHeaders {
		if v := want.Response.Headers[h]; v != "" || rec.Header().Get(h) != "" {
			expected[h], got[h] = v, rec.Header().Get(h)
		}
	}
	gotBody := any(rec.Body.String())
	if want.Response.IsJSON {
		var v any
		if err := json.Unmarshal(rec.Body.Bytes(), &v); err == nil {
			gotBody = v
		}
	}
	r.got[want.ID] = gotBody
	if want.ID == "68-locations-create" {
		r.ids[idOf(want.Response.Body)] = idOf(gotBody)
	}
	expected["body"], got["body"] = r.normal(want.ID, want.Response.Body, false), r.normal(want.ID, gotBody, true)
	return cmp.Diff(expected, got)
}

func (r *replay) edit(t *testing.T, old, replacement string) {
	file := filepath.Join(r.dir, "components.yaml")
	b, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Contains(t, string(b), old)
	require.NoError(t, os.WriteFile(file, []byte(strings.Replace(string(b), old, replacement, 1)), 0o600))
	r.harvest(t)
}

// ours puts our addresses in place of those of the recording.
func (r *replay) ours(s string) string {
	return strings.ReplaceAll(s, "http://127.0.0.1:7999", r.remote.URL)
}

var uuids = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)

// path is the path of a request, with our ids and cursors in it.
func (r *replay) path(want recorded) string {
	cursorOf := func(id, name string) string {
		page := r.got[id].(map[string]any)["pageInfo"].(map[string]any)
		return Prefix + "/entities/by-query?limit=2&fields=kind,metadata.name&cursor=" + strings.NewReplacer("=", "%3D", "+", "%2B").Replace(fmt.Sprint(page[name]))
	}
	switch {
	case want.ID == "29-by-query-next-cursor":
		return cursorOf("28-by-query-ordered", "nextCursor")
	case want.ID == "30-by-query-prev-cursor":
		return cursorOf("29-by-query-next-cursor", "prevCursor")
	case want.ID == "84-delete-by-uid":
		return Prefix + "/entities/by-uid/" + r.uid("component:default/remote-one")
	case strings.Contains(want.Request.Template, "{uid of "):
		_, ref, _ := strings.Cut(want.Request.Template, "{uid of ")
		return Prefix + "/entities/by-uid/" + r.uid(strings.TrimSuffix(ref, "}"))
	}
	return uuids.ReplaceAllStringFunc(want.Request.Path, func(id string) string {
		if ours, ok := r.ids[id]; ok {
			return ours
		}
		return id
	})
}

// idOf is the id of a location that was created.
func idOf(body any) string {
	object, _ := body.(map[string]any)
	location, _ := object["location"].(map[string]any)
	return fmt.Sprint(location["id"])
}

func (r *replay) uid(ref string) string {
	var out string
	for record := range r.index.Snapshot().Each {
		if record.Entity.Ref.Key() == ref {
			out = record.Entity.UID
		}
	}
	return out
}

var generatedNames = regexp.MustCompile(`generated-[0-9a-f]{40}`)

// normal puts something fixed in place of what may differ.
func (r *replay) normal(id string, v any, isOurs bool) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for k, m := range v {
			s, isText := m.(string)
			switch {
			case isText && s != "" && (slices.Contains(masked, k) || k == "message" && otherWords[id] != ""):
				out[k] = "any"
			case isText && strings.HasSuffix(k, "Cursor"):
				out[k] = r.cursor(id, s, isOurs)
			default:
				out[k] = r.normal(id, m, isOurs)
			}
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = r.normal(id, v[i], isOurs)
		}
		if slices.Contains(unorderedByID, id) {
			slices.SortStableFunc(out, func(a, b any) int { return strings.Compare(nameOf(a), nameOf(b)) })
		}
		return out
	case string:
		if isOurs {
			v = strings.ReplaceAll(v, r.dir, "/golden/catalog")
			v = strings.ReplaceAll(v, r.remote.URL, "http://127.0.0.1:7999")
		}
		return generatedNames.ReplaceAllString(uuids.ReplaceAllString(v, "uuid"), "generated-hash")
	}
	return v
}

// nameOf orders entities by kind and name, and nothing else.
func nameOf(v any) string {
	e, _ := v.(map[string]any)
	metadata, ok := e["metadata"].(map[string]any)
	if !ok {
		return ""
	}
	return fmt.Sprint(e["kind"], metadata["name"])
}

// cursor is what a cursor holds.
func (r *replay) cursor(id, s string, isOurs bool) any {
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		return "not base64: " + s
	}
	var v any
	if err := json.Unmarshal(b, &v); err != nil {
		return "not JSON: " + string(b)
	}
	return r.normal(id, v, isOurs)
}

// TestGoldenHeaders keeps the list of headers honest: there is nothing in the
// recording that a client acts on and that is not compared.
func TestGoldenHeaders(t *testing.T) {
	t.Parallel()
	needGolden(t)
	files, err := filepath.Glob(filepath.Join(golden, "[0-9]*.json"))
	require.NoError(t, err)
	other := []string{
		"content-length", "transfer-encoding", "etag", "vary", "content-security-policy", "referrer-policy", "strict-transport-security",
		"x-content-type-options", "x-dns-prefetch-control", "x-download-options", "x-frame-options", "x-permitted-cross-domain-policies", "x-xss-protection",
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		require.NoError(t, err)
		var got recorded
		require.NoError(t, json.Unmarshal(b, &got))
		for h := range got.Response.Headers {
			require.True(t, slices.Contains(comparedHeaders, h) || slices.Contains(other, h), "%s: %s", f, http.CanonicalHeaderKey(h))
		}
	}
}

// TestWhatBackstageHides: the whole of the recorded catalog, of which Backstage drops
// what is valid beside what is not, and hides a Location whose file is missing.
func TestWhatBackstageHides(t *testing.T) {
	t.Parallel()
	w := makeWorld(t, false)
	get := func(ref string) map[string]any {
		rec := httptest.NewRecorder()
		w.ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), http.MethodGet, Prefix+"/entities/by-name/"+ref, http.NoBody))
		if rec.Code != http.StatusOK {
			return nil
		}
		var e map[string]any
		require.NoError(t, json.Unmarshal(rec.Body.Bytes(), &e))
		return e
	}
	require.NotNil(t, get("component/default/blocked"), "a valid sibling of a forbidden kind")
	require.Contains(t, get("api/default/text-api")["spec"].(map[string]any)["definition"], "openapi", "a placeholder in a file")
	require.Nil(t, get("component/default/no-owner"), "it never was valid")
	require.NotContains(t, fmt.Sprint(get("component/default/fraud-lib")), "DUPLICATE")
	location := get("location/default/golden-broken")
	require.NotNil(t, location)
	status, err := json.Marshal(location["status"])
	require.NoError(t, err)
	require.Contains(t, string(status), "does-not-exist.yaml")
	require.NotContains(t, get("location/default/golden-root"), "status")
}
