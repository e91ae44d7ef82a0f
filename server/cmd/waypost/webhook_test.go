package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waypost-dev/waypost/server/source/githubtest"
	"github.com/waypost-dev/waypost/server/store/pgtest"
)

// safeBuffer is what a program prints while others read it.
type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

var addresses = regexp.MustCompile(`serving http=(\S+) grpc=(\S+)`)

// serveOrg runs the whole program for an organisation, and returns the address
// of its HTTP listener.
func serveOrg(t *testing.T, org *githubtest.Org, db, secret string) string {
	t.Helper()
	forge := httptest.NewServer(githubtest.NewServer(org, githubtest.Options{Enterprise: true}))
	t.Cleanup(forge.Close)
	secrets := filepath.Join(t.TempDir(), "secret")
	require.NoError(t, os.WriteFile(secrets, []byte("another\n"+secret+"\n"), 0o600))
	file := filepath.Join(t.TempDir(), "waypost.yaml")
	require.NoError(t, os.WriteFile(file, fmt.Appendf(nil, `
db: %q
http: 127.0.0.1:0
grpc: 127.0.0.1:0
every: 1h
sources:
  - {type: github, org: %s, url: %q, webhookSecretFile: %q}
`, db, org.Login, forge.URL, secrets), 0o600))
	ctx, stop := context.WithCancel(t.Context())
	out, messages := &safeBuffer{}, &safeBuffer{}
	ended := make(chan int, 1)
	go func() {
		ended <- run(ctx, []string{"serve", "--config", file}, strings.NewReader(""), out, messages, os.Environ())
	}()
	t.Cleanup(func() {
		stop()
		require.Zero(t, <-ended, "%s", messages)
	})
	require.Eventually(t, func() bool { return strings.Contains(out.String(), "harvested") }, 30*time.Second, 10*time.Millisecond, "%s", messages)
	return addresses.FindStringSubmatch(out.String())[1]
}

// TestWebhook pushes to a forge that announces it: what was pushed can be read
// soon, through the whole program, on both databases. The periodic harvest is an
// hour away and takes no part.
func TestWebhook(t *testing.T) {
	t.Parallel()
	for name, db := range map[string]string{"sqlite": "sqlite:" + filepath.Join(t.TempDir(), "x.db"), "postgres": pgtest.URL(t)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			catalog := func(title string) githubtest.File {
				return githubtest.File{Path: "catalog-info.yaml", Content: fmt.Appendf(nil,
					"apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata: {name: shop, title: %q}\nspec: {type: service, lifecycle: production, owner: team}\n", title)}
			}
			org := &githubtest.Org{Login: "acme"}
			org.Add(githubtest.NewRepo("shop", catalog("First")))
			address := serveOrg(t, org, db, "secret")
			send := func(d githubtest.Delivery, secret string) int {
				r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+address+"/webhooks/github", bytes.NewReader(d.Payload))
				require.NoError(t, err)
				r.Header = d.Header(secret)
				answer, err := http.DefaultClient.Do(r)
				require.NoError(t, err)
				defer answer.Body.Close()
				return answer.StatusCode
			}
			get := func(path string) (int, string) {
				r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address+path, nil)
				require.NoError(t, err)
				answer, err := http.DefaultClient.Do(r)
				require.NoError(t, err)
				defer answer.Body.Close()
				b, err := io.ReadAll(answer.Body)
				require.NoError(t, err)
				return answer.StatusCode, string(b)
			}
			var took []time.Duration
			org.SetActor("ada")
			for i := range 5 {
				title := fmt.Sprint("Title ", i)
				org.Announce(func(d githubtest.Delivery) {
					begin := time.Now()
					require.Equal(t, http.StatusUnauthorized, send(d, "guessed"))
					require.Equal(t, http.StatusAccepted, send(d, "secret"))
					require.Equal(t, http.StatusOK, send(d, "secret"), "it was delivered before")
					took = append(took, time.Since(begin))
				})
				begin := time.Now()
				org.Push("shop", catalog(title))
				org.Announce(nil)
				require.Eventually(t, func() bool {
					_, body := get("/v1/entities/component:default/shop")
					return strings.Contains(body, title)
				}, 20*time.Second, 5*time.Millisecond)
				t.Logf("three deliveries took %s; visible after %s", took[len(took)-1].Round(time.Millisecond), time.Since(begin).Round(time.Millisecond))
			}
			// A file that the catalog file includes is followed too, and one to which
			// nothing leads is not.
			includes := catalog("Included")
			includes.Content = append(includes.Content, "---\napiVersion: backstage.io/v1alpha1\nkind: API\nmetadata: {name: orders}\n"+
				"spec: {type: openapi, lifecycle: production, owner: team, definition: {$text: ./api/orders.txt}}\n"...)
			push := func(files ...githubtest.File) {
				org.Announce(func(d githubtest.Delivery) { require.Equal(t, http.StatusAccepted, send(d, "secret")) })
				defer org.Announce(nil)
				org.Push("shop", files...)
			}
			push(includes, githubtest.File{Path: "api/orders.txt", Content: []byte("version one")})
			for _, want := range []string{"version one", "version two", "version three"} {
				require.Eventually(t, func() bool {
					_, body := get("/v1/entities/api:default/orders")
					return strings.Contains(body, want)
				}, 20*time.Second, 5*time.Millisecond)
				if next, ok := map[string]string{"version one": "version two", "version two": "version three"}[want]; ok {
					push(githubtest.File{Path: "src/other.txt", Content: []byte(want)})
					push(githubtest.File{Path: "api/orders.txt", Content: []byte(next)})
				}
			}

			_, history := get("/v1/entities/component:default/shop/revisions")
			require.Contains(t, history, `"via":"webhook"`)

			org.Announce(func(d githubtest.Delivery) { require.Equal(t, http.StatusAccepted, send(d, "secret")) })
			org.Delete("shop")
			require.Eventually(t, func() bool {
				code, _ := get("/v1/entities/component:default/shop")
				return code == http.StatusNotFound
			}, 20*time.Second, 5*time.Millisecond)
		})
	}
}
