package frontend

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestHandler(t *testing.T) {
	t.Parallel()
	h := Handler()
	ask := func(method, path, etag string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(method, path, nil)
		if etag != "" {
			r.Header.Set("If-None-Match", etag)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w
	}
	page := ask("GET", "/", "")
	require.Equal(t, 200, page.Code)
	require.Contains(t, page.Header().Get("Content-Type"), "text/html")
	require.Contains(t, page.Header().Get("Content-Security-Policy"), "default-src 'self'")
	require.Contains(t, page.Body.String(), "<title>Waypost</title>")
	for path, kind := range map[string]string{"/app.js": "text/javascript", "/style.css": "text/css", "/icon.svg": "image/svg+xml"} {
		w := ask("GET", path, "")
		require.Equal(t, 200, w.Code, path)
		require.Contains(t, w.Header().Get("Content-Type"), kind)
		require.Equal(t, http.StatusNotModified, ask("GET", path, w.Header().Get("Etag")).Code)
	}
	require.Equal(t, 404, ask("GET", "/static/app.js", "").Code)
	require.Equal(t, 404, ask("GET", "/../embed.go", "").Code)
	require.Equal(t, 405, ask("POST", "/", "").Code)
}
