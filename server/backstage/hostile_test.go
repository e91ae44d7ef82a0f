package backstage

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waypost-dev/waypost/server/index"
)

// TestHostile asks for what makes no sense, or too much of it: that is the
// caller's fault, and told so.
func TestHostile(t *testing.T) {
	t.Parallel()
	x := index.New()
	x.Load(made(t, 50), 1)
	h, err := New(Options{Index: x})
	require.NoError(t, err)
	deep := strings.Repeat(`{"$not":`, 100) + `{"kind":"a"}` + strings.Repeat(`}`, 100)
	keys := make([]string, 100)
	for i := range keys {
		keys[i] = strings.Repeat("k", i+1)
	}
	for _, c := range []struct {
		method, path, body string
		status             int
	}{
		{"GET", "/entities?filter=" + strings.Join(keys, ","), "", 400},
		{"GET", "/entities?limit=99999999999999999999", "", 400},
		{"GET", "/entities?after=e30&bogus=1", "", 400},
		{"GET", "/entities?fields=metadata.tags[0]", "", 400},
		{"GET", "/entities?%zz=1", "", 400},
		{"GET", "/entities?offset=1000000", "", 200},
		{"GET", "/entities/by-query?offset=-1", "", 400},
		{"GET", "/entities/by-query?limit=1&offset=2000000000", "", 200},
		{"GET", "/entities/by-query?cursor=bnVsbA==", "", 400},
		{"GET", "/entities/by-query?cursor=eyJvcmRlckZpZWxkcyI6W10sIm9yZGVyRmllbGRWYWx1ZXMiOltdfQ==", "", 400},
		{"POST", "/entities/by-query", `{"query":` + deep + `}`, 400},
		{"POST", "/entities/by-query", `{"query":[]}`, 400},
		{"POST", "/entities/by-query", `{"query":"kind"}`, 400},
		{"POST", "/entities/by-query", `{"query":{"$all":{}}}`, 400},
		{"POST", "/entities/by-query", `{"query":{"$any":[]}}`, 200},
		{"POST", "/entities/by-query", `{"limit":1.5}`, 400},
		{"POST", "/entities/by-query", `[]`, 400},
		{"POST", "/entities/by-query", `{"fields":[1]}`, 400},
		{"POST", "/entities/by-refs", `{"entityRefs":"a"}`, 400},
		{"POST", "/entities/by-refs", `{"entityRefs":["` + strings.Repeat("a", maxBody) + `"]}`, 413},
		{"POST", "/entity-facets", `{"facets":[""]}`, 400},
		{"POST", "/validate-entity", `{"entity":[],"location":"url:x"}`, 400},
		{"POST", "/validate-entity", `{"entity":{"apiVersion":1},"location":"url:x"}`, 400},
		{"POST", "/analyze-location", `{"location":{"type":"url","target":"::"}}`, 400},
		{"POST", "/locations/by-query", `{"cursor":"bnVsbA=="}`, 400},
		{"POST", "/refresh", `{"entityRef":"::"}`, 404},
		{"GET", "/entities/by-name/%2e%2e/..%2f/x", "", 404},
		{"GET", "/entities/by-name/api/default/%ff", "", 404},
	} {
		r := httptest.NewRequest(c.method, Prefix+c.path, strings.NewReader(c.body))
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		require.Equal(t, c.status, w.Code, "%s %.100s %.100s: %.300s", c.method, c.path, c.body, w.Body)
		if c.status != http.StatusOK {
			require.Contains(t, w.Body.String(), `"message"`, c.path)
		}
	}
}

// TestOtherOrigin keeps pages of other sites from changing anything.
func TestOtherOrigin(t *testing.T) {
	t.Parallel()
	h, err := New(Options{Index: index.New()})
	require.NoError(t, err)
	r := httptest.NewRequest(http.MethodPost, Prefix+"/refresh", strings.NewReader(`{"entityRef":"component:default/a"}`))
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	require.Equal(t, http.StatusForbidden, w.Code)
}

// TestObserve: each call is told of by its route, whatever was in the path.
func TestObserve(t *testing.T) {
	t.Parallel()
	var told []string
	h, err := New(Options{Index: index.New(), Observe: func(route string, status int, took time.Duration) {
		require.GreaterOrEqual(t, took, time.Duration(0))
		told = append(told, fmt.Sprint(route, " ", status))
	}})
	require.NoError(t, err)
	for _, path := range []string{Prefix + "/entities", Prefix + "/entities/by-name/a/b/c", Prefix + "/entities/by-query?limit=x", Prefix + "/nothing/" + strings.Repeat("x", 100), SearchPrefix + "?term=x"} {
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, http.NoBody))
	}
	require.Equal(t, []string{
		"GET entities 200", "GET entities/by-name/*/*/* 404", "GET entities/by-query 400", "unknown 404", "GET search/query 200",
	}, told)
}
