// Package frontend is the portal: a web UI over the REST API, built by Vite from
// src/ and carried by the binary if it is built with the tag ui.
package frontend

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
)

// nonceMark is what Vite writes where a page's nonce belongs; see vite.config.ts.
const nonceMark = "__WAYPOST_NONCE__"

// policy allows what the portal's own files need and nothing else: no script in
// the page, nothing from other hosts, not even pictures, which would tell
// strangers whose README is read where. Style elements, which the component
// library writes, carry the page's nonce.
const policy = "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-%s'; img-src 'self' data:; font-src 'self'; " +
	"connect-src 'self'; worker-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// file is one file of the build. Its content stays where it is, in the binary:
// embed.FS copies a file only if it is read whole.
type file struct {
	name    string
	kind    string // Content-Type
	etag    string
	forms   []form // in which it is there too, the smallest first
	forever bool   // its name has its hash
}

// form is a way in which a file is compressed.
type form struct {
	coding string // as Accept-Encoding calls it
	suffix string // of the name
}

// Browsers take Brotli from https and from loopback only.
var forms = []form{{"br", ".br"}, {"gzip", ".gz"}}

// Handler serves the portal: its files, and the page at every other address, for
// the page itself knows which there are. It is safe for concurrent use.
func Handler() http.Handler { return handler(dist()) }

func handler(dist fs.FS) http.Handler {
	files := map[string]file{}
	err := fs.WalkDir(dist, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || name == "index.html" || name == manifest || slices.ContainsFunc(forms, func(f form) bool { return strings.HasSuffix(name, f.suffix) }) {
			return err
		}
		f := file{name: name, kind: mime.TypeByExtension(path.Ext(name)), forever: strings.HasPrefix(name, "assets/")}
		if path.Ext(name) == ".woff2" {
			f.kind = "font/woff2" // not known everywhere
		}
		for _, form := range forms {
			if _, missing := fs.Stat(dist, name+form.suffix); missing == nil {
				f.forms = append(f.forms, form)
			}
		}
		if f.etag = `"` + path.Base(name) + `"`; !f.forever {
			content, err := fs.ReadFile(dist, name)
			if err != nil {
				return err
			}
			sum := sha256.Sum256(content)
			f.etag = `"` + hex.EncodeToString(sum[:8]) + `"`
		}
		files["/"+name] = f
		return nil
	})
	if err != nil {
		panic("frontend: " + err.Error()) // the files are compiled in
	}
	pageAt, err := pages(dist)
	if err != nil {
		panic("frontend: " + err.Error()) // the files are compiled in
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
			return
		}
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Referrer-Policy", "same-origin")
		if f, ok := files[r.URL.Path]; ok {
			f.serve(dist, w, r)
			return
		}
		// Who asks for a file or for data must not get a page in its place.
		if strings.HasPrefix(r.URL.Path, "/assets/") || r.URL.Path != "/" && !strings.Contains(r.Header.Get("Accept"), "text/html") {
			http.NotFound(w, r)
			return
		}
		servePage(w, pageAt(r.URL.Path))
	})
}

func (f file) serve(dist fs.FS, w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", f.kind)
	h.Set("Etag", f.etag)
	h.Set("Cache-Control", "no-cache")
	if f.forever {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	name := f.name
	if len(f.forms) > 0 {
		h.Set("Vary", "Accept-Encoding")
	}
	for _, form := range f.forms {
		if r.Header.Get("Range") == "" && accepts(r.Header.Get("Accept-Encoding"), form.coding) {
			h.Set("Content-Encoding", form.coding)
			h.Set("Etag", f.etag[:len(f.etag)-1]+"-"+form.coding+`"`)
			name += form.suffix
			break
		}
	}
	content, err := dist.Open(name)
	if err != nil {
		http.NotFound(w, r) // cannot be: it was there when the program began
		return
	}
	defer content.Close()
	seeker, ok := content.(io.ReadSeeker)
	if !ok {
		http.NotFound(w, r) // files of embed.FS can seek
		return
	}
	http.ServeContent(w, r, f.name, time.Time{}, seeker)
}

// accepts tells whether an Accept-Encoding names a coding (RFC 9110, 12.5.3) and
// does not give it the weight 0, which refuses it.
func accepts(header, coding string) bool {
	for part := range strings.SplitSeq(header, ",") {
		name, weight, _ := strings.Cut(strings.TrimSpace(part), ";")
		if strings.TrimSpace(name) == coding {
			q, err := strconv.ParseFloat(strings.TrimPrefix(strings.TrimSpace(weight), "q="), 64)
			return err != nil || q > 0
		}
	}
	return false
}

// servePage answers with the page and a nonce that was never used before.
func servePage(w http.ResponseWriter, page []byte) {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	nonce := base64.RawURLEncoding.EncodeToString(b[:])
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", fmt.Sprintf(policy, nonce))
	_, _ = w.Write(bytes.ReplaceAll(page, []byte(nonceMark), []byte(nonce)))
}
