package frontend

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
)

func zip(t *testing.T, s string) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := w.Write([]byte(s))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return b.Bytes()
}

func TestHandler(t *testing.T) {
	t.Parallel()
	script := strings.Repeat("console.log(1);", 100)
	h := handler(fstest.MapFS{
		"index.html":            {Data: []byte(`<meta property="csp-nonce" nonce="__WAYPOST_NONCE__"><script src="/assets/app-1a2b.js"></script>`)},
		"icon.svg":              {Data: []byte(`<svg/>`)},
		"assets/app-1a2b.js":    {Data: []byte(script)},
		"assets/app-1a2b.js.gz": {Data: zip(t, script)},
		"assets/app-1a2b.js.br": {Data: []byte("as Brotli")},
		"assets/font.woff2":     {Data: []byte("font")},
	})
	ask := func(method, path string, header ...string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(method, path, nil)
		for i := 0; i < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w
	}

	t.Run("the page has a nonce of its own each time", func(t *testing.T) {
		nonces := map[string]bool{}
		for _, path := range []string{"/", "/catalog/default/component/web", "/index.html"} {
			w := ask("GET", path, "Accept", "text/html,*/*")
			require.Equal(t, 200, w.Code, path)
			require.Equal(t, "no-store", w.Header().Get("Cache-Control"))
			policy := w.Header().Get("Content-Security-Policy")
			nonce := regexp.MustCompile(`style-src 'self' 'nonce-([\w-]{22})'`).FindStringSubmatch(policy)
			require.NotNil(t, nonce, policy)
			require.Contains(t, w.Body.String(), `nonce="`+nonce[1]+`"`)
			require.NotContains(t, w.Body.String(), "__WAYPOST")
			require.NotContains(t, policy, "unsafe")
			require.Contains(t, policy, "default-src 'none'; script-src 'self';")
			nonces[nonce[1]] = true
		}
		require.Len(t, nonces, 3)
	})
	t.Run("files", func(t *testing.T) {
		w := ask("GET", "/assets/app-1a2b.js")
		require.Equal(t, script, w.Body.String())
		require.Contains(t, w.Header().Get("Content-Type"), "text/javascript")
		require.Contains(t, w.Header().Get("Cache-Control"), "immutable")
		require.Empty(t, w.Header().Get("Content-Encoding"))
		etag := w.Header().Get("Etag")
		require.Equal(t, 304, ask("GET", "/assets/app-1a2b.js", "If-None-Match", etag).Code)

		w = ask("GET", "/assets/app-1a2b.js", "Accept-Encoding", "gzip, deflate, br")
		require.Equal(t, "br", w.Header().Get("Content-Encoding"))
		require.Equal(t, "as Brotli", w.Body.String())
		brotli := w.Header().Get("Etag")
		require.NotEqual(t, etag, brotli)
		require.Empty(t, ask("GET", "/assets/app-1a2b.js", "Accept-Encoding", "zstd, brotli").Header().Get("Content-Encoding"))
		require.Empty(t, ask("GET", "/assets/app-1a2b.js", "Accept-Encoding", "br", "Range", "bytes=0-3").Header().Get("Content-Encoding"))

		w = ask("GET", "/assets/app-1a2b.js", "Accept-Encoding", "br;q=0, gzip;q=0.5")
		require.Equal(t, "gzip", w.Header().Get("Content-Encoding"))
		require.NotEqual(t, etag, w.Header().Get("Etag"))
		require.NotEqual(t, brotli, w.Header().Get("Etag"))
		r, err := gzip.NewReader(w.Body)
		require.NoError(t, err)
		got, err := io.ReadAll(r)
		require.NoError(t, err)
		require.Equal(t, script, string(got))

		require.Equal(t, "no-cache", ask("GET", "/icon.svg").Header().Get("Cache-Control"))
		require.Equal(t, "image/svg+xml", ask("GET", "/icon.svg").Header().Get("Content-Type"))
		require.Equal(t, "font/woff2", ask("GET", "/assets/font.woff2").Header().Get("Content-Type"))
	})
	t.Run("no page in place of what is not there", func(t *testing.T) {
		for _, path := range []string{"/assets/gone.js", "/v1x", "/../embed.go", "/assets/app-1a2b.js.gz", "/assets/app-1a2b.js.br"} {
			require.Equal(t, http.StatusNotFound, ask("GET", path, "Accept", "application/json").Code, path)
		}
		require.Equal(t, http.StatusNotFound, ask("GET", "/assets/gone.js", "Accept", "text/html").Code)
		require.Equal(t, http.StatusMethodNotAllowed, ask("POST", "/").Code)
	})
}

// The page of an address names what that needs, each file once, and nothing that every page has.
func TestPagesNameTheirFiles(t *testing.T) {
	t.Parallel()
	h := handler(fstest.MapFS{
		"index.html": {Data: []byte(`<head><script src="/assets/app.js"></script></head>`)},
		"manifest.json": {Data: []byte(`{
			"index.html": {"file": "assets/app.js", "css": ["assets/app.css"], "imports": ["_base.js"]},
			"_base.js": {"file": "assets/base.js"},
			"_parts.js": {"file": "assets/parts.js", "css": ["assets/parts.css"], "imports": ["_base.js"]},
			"_table.js": {"file": "assets/table.js", "imports": ["_parts.js"]},
			"src/pages/catalog/Catalog.tsx": {"file": "assets/catalog.js", "css": ["assets/catalog.css"], "imports": ["_base.js", "_parts.js", "_table.js"]},
			"src/pages/entity/EntityPage.tsx": {"file": "assets/entity.js", "imports": ["_parts.js"]}
		}`)},
	})
	page := func(path string) string {
		r := httptest.NewRequest(http.MethodGet, path, nil)
		r.Header.Set("Accept", "text/html")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		require.Equal(t, 200, w.Code, path)
		return w.Body.String()
	}
	script := func(name string) string {
		return `<link rel="modulepreload" crossorigin href="/assets/` + name + `">`
	}
	style := func(name string) string {
		return `<link rel="stylesheet" crossorigin href="/assets/` + name + `">`
	}
	head := `<head><script src="/assets/app.js"></script>`
	require.Equal(t, head+script("catalog.js")+style("catalog.css")+script("parts.js")+style("parts.css")+script("table.js")+`</head>`, page("/catalog?q=x"))
	require.Equal(t, head+script("entity.js")+script("parts.js")+style("parts.css")+`</head>`, page("/catalog/default/component/web/history"))
	require.Equal(t, head+`</head>`, page("/no/such/page"))

	r := httptest.NewRequest(http.MethodGet, "/manifest.json", nil)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	require.Equal(t, http.StatusNotFound, w.Code)
}

// The router has these pages at these addresses, and no others.
func TestPagesAreThoseOfTheRouter(t *testing.T) {
	t.Parallel()
	router, err := os.ReadFile("src/router.tsx")
	require.NoError(t, err)
	routed := map[string]string{}
	path, page := regexp.MustCompile(`path: '(/[^']*)'`), regexp.MustCompile(`import\('\./(pages/[^']+)'\)`)
	for _, route := range strings.Split(string(router), "createRoute(")[1:] {
		at, of := path.FindStringSubmatch(route), page.FindStringSubmatch(route)
		if of == nil {
			continue // a tab, which is part of a page
		}
		require.NotNil(t, at, route)
		address, below, _ := strings.Cut(at[1], "$")
		if below != "" {
			require.Equal(t, entityBelow, address)
		}
		routed[address] = "src/" + of[1] + ".tsx"
	}
	require.Equal(t, modules, routed)
	require.Equal(t, len(routed), strings.Count(string(router), "lazyRouteComponent(() =>"))
}

// What is compiled in is a page, whether with the portal or without.
func TestEmbedded(t *testing.T) {
	t.Parallel()
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	w := httptest.NewRecorder()
	Handler().ServeHTTP(w, r)
	require.Equal(t, 200, w.Code)
	require.Contains(t, w.Body.String(), "<title>Waypost</title>")
}
