package backstage

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waypost-dev/waypost/server/index"
)

// A front end that is served elsewhere may use the API if it is named, and no other
// page may.
func TestOrigins(t *testing.T) {
	t.Parallel()
	const ours, other = "https://portal.example.com", "https://evil.example"
	_, err := New(Options{Index: index.New(), Origins: []string{"portal.example.com"}})
	require.ErrorContains(t, err, `origin "portal.example.com"`)
	for _, named := range []bool{true, false} {
		o := Options{Index: index.New()}
		if named {
			o.Origins = []string{ours}
		}
		h, err := New(o)
		require.NoError(t, err)
		ask := func(method, origin string, headers ...string) *httptest.ResponseRecorder {
			r := httptest.NewRequestWithContext(t.Context(), method, Prefix+"/entities/by-refs", strings.NewReader(`{"entityRefs":[]}`))
			r.Header.Set("Origin", origin)
			r.Header.Set("Sec-Fetch-Site", "cross-site")
			r.Header.Set("Content-Type", "application/json")
			for i := 0; i < len(headers); i += 2 {
				r.Header.Set(headers[i], headers[i+1])
			}
			rec := httptest.NewRecorder()
			h.ServeHTTP(rec, r)
			return rec
		}
		for _, origin := range []string{ours, other} {
			allowed := named && origin == ours
			preflight := ask(http.MethodOptions, origin, "Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "authorization,content-type")
			answer := ask(http.MethodPost, origin)
			for _, rec := range []*httptest.ResponseRecorder{preflight, answer} {
				want := ""
				if allowed {
					want = origin
				}
				require.Equal(t, want, rec.Header().Get("Access-Control-Allow-Origin"), "%v %s", named, origin)
			}
			require.Equal(t, map[bool]int{true: http.StatusOK, false: http.StatusForbidden}[allowed], answer.Code)
		}
	}
}
