package exchange

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func annotated(kind, namespace, name, origin string) entity {
	return entity{"backstage.io/v1alpha1", kind, map[string]any{
		"name": name, "namespace": namespace, "uid": "u", "etag": "e",
		"annotations": map[string]any{"backstage.io/managed-by-origin-location": origin, "backstage.io/managed-by-location": origin, "keep.example/me": "yes"},
	}, map[string]any{"owner": "x", "type": "service"}}
}

// backstage answers as one does, in pages of two.
func backstage(t *testing.T, old bool, entities []entity, locations string) *httptest.Server {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/catalog/locations", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, locations) })
	if old {
		mux.HandleFunc("GET /api/catalog/entities", func(w http.ResponseWriter, r *http.Request) {
			require.Equal(t, "0", r.URL.Query().Get("offset"))
			require.NoError(t, json.NewEncoder(w).Encode(entities))
		})
	} else {
		mux.HandleFunc("GET /api/catalog/entities/by-query", func(w http.ResponseWriter, r *http.Request) {
			at := 0
			if c := r.URL.Query().Get("cursor"); c != "" {
				_, err := fmt.Sscan(c, &at)
				require.NoError(t, err)
			}
			to := min(at+2, len(entities))
			page := map[string]any{"items": entities[at:to], "totalItems": len(entities), "pageInfo": map[string]any{}}
			if to < len(entities) {
				page["pageInfo"] = map[string]any{"nextCursor": fmt.Sprint(to)}
			}
			require.NoError(t, json.NewEncoder(w).Encode(page))
		})
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer secret" {
			http.Error(w, `{"error":{"name":"AuthenticationError"}}`, http.StatusUnauthorized)
			return
		}
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

func TestImport(t *testing.T) {
	t.Parallel()
	const shop = "url:https://github.com/acme/shop/blob/main/catalog-info.yaml"
	entities := []entity{
		annotated("Component", "default", "shop", shop),
		annotated("Location", "default", "generated-1", shop),
		annotated("User", "default", "ann", "ldap:ou=people"),
		annotated("User", "default", "ANN", "ldap:ou=people"),
		annotated("Group", "../../etc", "..", "file:/etc/groups.yaml"),
		annotated("Location", "default", "groups", "file:/etc/groups.yaml"),
		annotated("Component", "default", "found", "url:https://github.com/*/*/catalog-info.yaml"),
	}
	locations := `[{"data":{"id":"1","type":"url","target":"https://github.com/acme/shop/blob/main/catalog-info.yaml"}},
		{"data":{"id":"2","type":"url","target":"https://github.com/acme/pay/blob/main/catalog-info.yaml"}},
		{"data":{"id":"3","type":"url","target":"https://github.com/acme/web/blob/main/catalog-info.yaml"}},
		{"data":{"id":"4","type":"file","target":"/etc/groups.yaml"}}]`
	for _, old := range []bool{false, true} {
		s := backstage(t, old, entities, locations)
		folder := filepath.Join(t.TempDir(), "moved")
		var told []int
		i := Import{URL: s.URL + "/", Token: "secret", Progress: func(done, _ int) { told = append(told, done) }}
		done, err := i.Run(t.Context(), folder)
		require.NoError(t, err)
		require.Equal(t, Imported{
			Locations: []string{
				"url:https://github.com/acme/pay/blob/main/catalog-info.yaml", shop, "url:https://github.com/acme/web/blob/main/catalog-info.yaml",
			},
			Hosts: []string{"github.com"}, Read: 2, Copied: 4, LeftOut: 1, GitHub: map[string]int{"acme": 3},
		}, done)
		require.NotEmpty(t, told)
		var files []string
		require.NoError(t, filepath.WalkDir(filepath.Dir(folder), func(path string, e os.DirEntry, err error) error {
			if err == nil && !e.IsDir() {
				rel, _ := filepath.Rel(folder, path)
				files = append(files, rel)
			}
			return err
		}))
		require.Equal(t, []string{
			"entities/default/component/found.yaml", "entities/default/user/ann-1.yaml", "entities/default/user/ann.yaml",
			"entities/etc/group/unnamed.yaml", "waypost.yaml",
		}, renumbered(files))
		text, err := os.ReadFile(filepath.Join(folder, "entities/default/component/found.yaml"))
		require.NoError(t, err)
		require.Equal(t, "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata:\n  name: found\n  annotations:\n    keep.example/me: \"yes\"\nspec:\n  type: service\n  owner: x\n", string(text))
		config, err := os.ReadFile(filepath.Join(folder, "waypost.yaml"))
		require.NoError(t, err)
		require.Contains(t, string(config), "readAllow:\n  - github.com\n")
		_, err = i.Run(t.Context(), folder)
		require.ErrorContains(t, err, "is not empty")

		i.Copy = true
		done, err = i.Run(t.Context(), folder+"2")
		require.NoError(t, err)
		require.Empty(t, done.Locations)
		require.Equal(t, []int{5, 2}, []int{done.Copied, done.LeftOut})
	}
}

// renumbered writes -1 for the number of a second file of a name.
func renumbered(files []string) []string {
	for i, f := range files {
		if at := strings.Index(f, "ann-"); at >= 0 {
			files[i] = f[:at] + "ann-1.yaml"
		}
	}
	return files
}

// What a Backstage names must not open the network of the server that reads it.
func TestInside(t *testing.T) {
	t.Parallel()
	for host, want := range map[string]bool{
		"github.com": false, "git.example.org:8443": false, "140.82.121.4": false, "[2606:50c0:8000::153]:443": false,
		"localhost": true, "localhost:9090": true, "LOCALHOST.": true, "a.localhost": true, "vault": true, "db.internal": true, "printer.local:80": true,
		"127.0.0.1:8200": true, "169.254.169.254": true, "10.1.2.3": true, "192.168.0.1:80": true, "[::1]:80": true, "[fd00::1]": true,
		"0.0.0.0": true, "2130706433": true, "0x7f.1": true, "127.1": true, "0177.0.0.0x1": true, "[::ffff:127.0.0.1]:80": true,
	} {
		require.Equal(t, want, inside(host), host)
	}
}

func TestImportRefused(t *testing.T) {
	t.Parallel()
	s := backstage(t, false, nil, `[]`)
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		require.Empty(t, r.Header.Get("Authorization"), "the token is for one host")
		fmt.Fprint(w, `{"items":[]}`)
	}))
	t.Cleanup(other.Close)
	away := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, strings.Replace(other.URL, "127.0.0.1", "localhost", 1), http.StatusFound)
	}))
	t.Cleanup(away.Close)
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>") }))
	t.Cleanup(front.Close)
	same := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `{"items":[{"kind":"x"}],"pageInfo":{"nextCursor":"a"}}`)
	}))
	t.Cleanup(same.Close)
	for _, c := range []struct {
		i    Import
		want string
	}{
		{Import{URL: "backstage.example.com"}, "is no address of a Backstage"},
		{Import{URL: "https://me:secret@backstage.example.com"}, "holds a name or a password"},
		{Import{URL: s.URL}, "it answered 401 Unauthorized; give it a token with --token-file"},
		{Import{URL: s.URL + "/elsewhere", Token: "secret"}, "is this the address of the back end"},
		{Import{URL: front.URL}, "and not of the front end"},
		{Import{URL: same.URL}, "the same page again and again"},
		{Import{URL: away.URL, Token: "secret"}, "read the locations"},
	} {
		_, err := c.i.Run(t.Context(), filepath.Join(t.TempDir(), "x"))
		require.ErrorContains(t, err, c.want)
		require.NotContains(t, err.Error(), "secret")
	}
}
