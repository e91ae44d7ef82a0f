package backstage

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/index"
)

func searched(t *testing.T, entities ...[2]string) func(query string) (int, map[string]any) {
	t.Helper()
	x := index.New()
	var all []*catalog.Entity
	for i, e := range entities {
		var metadata, spec map[string]any
		require.NoError(t, json.Unmarshal([]byte(e[1]), &metadata))
		spec, _ = metadata["spec"].(map[string]any)
		delete(metadata, "spec")
		made, violations := catalog.NewEntity("backstage.io/v1alpha1", e[0], metadata, spec, catalog.Origin{Source: "test"})
		require.NotNil(t, made, "%v", violations)
		made.UID = "00000000-0000-4000-8000-" + strconv.Itoa(100_000_000_000+i)
		all = append(all, made)
	}
	x.Load(all, 1)
	h, err := New(Options{Index: x})
	require.NoError(t, err)
	return func(query string) (int, map[string]any) {
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), http.MethodGet, SearchPrefix+"?"+query, http.NoBody))
		var body map[string]any
		require.NoError(t, json.Unmarshal(rec.Body.Bytes(), &body), "%s", rec.Body)
		return rec.Code, body
	}
}

func titles(body map[string]any) []string {
	out := []string{}
	for _, r := range body["results"].([]any) {
		out = append(out, r.(map[string]any)["document"].(map[string]any)["title"].(string))
	}
	return out
}

func TestSearch(t *testing.T) {
	t.Parallel()
	ask := searched(t,
		[2]string{"Component", `{"name":"payment-gateway","title":"Payments","description":"Takes <b>payment</b> cards","spec":{"type":"service","lifecycle":"production","owner":"shop"}}`},
		[2]string{"API", `{"name":"payment","namespace":"Other","spec":{"type":"openapi","lifecycle":"experimental","owner":"shop","definition":"x"}}`},
		[2]string{"Group", `{"name":"shop","description":"We sell","spec":{"type":"team","children":[],"profile":{"displayName":"The Shop"}}}`},
		[2]string{"System", `{"name":"empty","spec":{"owner":"shop"}}`},
	)
	code, body := ask("term=payment")
	require.Equal(t, http.StatusOK, code)
	require.ElementsMatch(t, []string{"Payments", "payment"}, titles(body))
	require.InDelta(t, 2, body["numberOfResults"], 0)
	require.NotContains(t, body, "nextPageCursor")
	for _, r := range body["results"].([]any) {
		r := r.(map[string]any)
		require.Equal(t, "software-catalog", r["type"])
		doc := r["document"].(map[string]any)
		if doc["title"] != "Payments" {
			require.Equal(t, "/catalog/other/api/payment", doc["location"])
			continue
		}
		require.Equal(t, map[string]any{
			"title": "Payments", "text": "Takes <b>payment</b> cards", "componentType": "service", "type": "service", "namespace": "default",
			"kind": "Component", "lifecycle": "production", "owner": "shop", "location": "/catalog/default/component/payment-gateway",
		}, doc)
		h := r["highlight"].(map[string]any)
		pre, post := h["preTag"].(string), h["postTag"].(string)
		require.Equal(t, "Takes <b>"+pre+"payment"+post+"</b> cards", h["fields"].(map[string]any)["text"])
	}

	// As a front end filters, and browses.
	for query, want := range map[string][]string{
		"term=&filters[kind]=Group":                                 {"shop"},
		"term=&filters[kind][0]=Group&filters[kind][1]=System":      {"shop", "empty"},
		"term=payment&filters[lifecycle][]=production":              {"Payments"},
		"term=&filters[namespace]=default&filters[owner]=shop":      {"Payments", "empty"},
		"term=&types[0]=software-catalog&filters[type]=openapi":     {"payment"},
		"term=&types[0]=techdocs":                                   {},
		"term=&filters[nothing]=x":                                  {},
		"term=&filters[kind]=" + url.QueryEscape(`x" || true || "`): {},
		"term=zzzz": {},
		"types=software-catalog&term=shop&filters[componentType]=team": {"shop"},
		"term=" + url.QueryEscape("\x00\u202e'\"") + "&pageLimit=100":  {},
	} {
		code, body := ask(query)
		require.Equal(t, http.StatusOK, code, query)
		require.ElementsMatch(t, want, titles(body), query)
	}

	// Pages, forth and back.
	for _, term := range []string{"", "payment"} {
		var seen []string
		query := "term=" + term + "&pageLimit=1"
		for n := 0; ; n++ {
			_, body := ask(query)
			require.Equal(t, n > 0, body["previousPageCursor"] != nil)
			for i, r := range body["results"].([]any) {
				require.InDelta(t, n+i+1, r.(map[string]any)["rank"], 0)
			}
			seen = append(seen, titles(body)...)
			next, ok := body["nextPageCursor"].(string)
			if !ok {
				break
			}
			query = "term=" + term + "&pageLimit=1&pageCursor=" + url.QueryEscape(next)
		}
		require.Len(t, seen, map[string]int{"": 4, "payment": 2}[term])
	}
	_, body = ask("term=payment&pageCursor=" + searchCursor(7))
	require.Empty(t, titles(body))

	for _, query := range []string{
		"pageLimit=0", "pageLimit=101", "pageLimit=x", "pageCursor=%%%", "pageCursor=" + searchCursor(-1), "pageCursor=" + searchCursor(1_000_000), "query=x",
		"filters[a][b][c]=x", "filters=x", "term=" + strings.Repeat("x", 5000), "term=%zz",
	} {
		code, body := ask(query)
		require.Equal(t, http.StatusBadRequest, code, query)
		require.Equal(t, "InputError", body["error"].(map[string]any)["name"], query)
	}
}
