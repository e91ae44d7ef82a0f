// Package frontend is the web UI that the binary carries: for now one static
// page over the REST API, without a build step.
package frontend

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"time"
)

//go:embed static
var static embed.FS

// Handler serves the page at / and what belongs to it, and answers 404 to
// anything else. It is safe for concurrent use.
func Handler() http.Handler {
	type file struct {
		name, etag string
		content    []byte
	}
	files := map[string]file{}
	entries, err := fs.ReadDir(static, "static")
	if err != nil {
		panic("frontend: " + err.Error()) // the files are compiled in
	}
	for _, e := range entries {
		b, err := fs.ReadFile(static, path.Join("static", e.Name()))
		if err != nil {
			panic("frontend: " + err.Error())
		}
		sum := sha256.Sum256(b)
		files["/"+e.Name()] = file{e.Name(), `"` + hex.EncodeToString(sum[:8]) + `"`, b}
	}
	files["/"] = files["/index.html"]
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f, ok := files[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
			return
		}
		h := w.Header()
		h.Set("Etag", f.etag)
		h.Set("Cache-Control", "no-cache")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		if strings.HasSuffix(f.name, ".html") {
			h.Set("Content-Security-Policy", "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
		}
		http.ServeContent(w, r, f.name, time.Time{}, bytes.NewReader(f.content))
	})
}
