package webhook_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/source"
	"github.com/waypost-dev/waypost/server/store"
	"github.com/waypost-dev/waypost/server/store/pgtest"
	"github.com/waypost-dev/waypost/server/webhook"
)

const (
	acme   = "github:acme"
	secret = "it is a secret"
)

// announcer is a source whose payloads are announcements.
type announcer struct {
	source.Refresher // nil: nothing here harvests
	name             string
}

type payload struct {
	Repositories []source.Pointer
	Directory    bool
	Everything   bool
	Ignored      string
	Touched      []string
	Actor        string
	Error        string
	Panic        string
}

func (a announcer) Name() string { return a.name }

func (a announcer) Announced(event string, text []byte) (source.Announcement, error) {
	switch event {
	case "star":
		return source.Announcement{Ignored: "stars are not in the catalog"}, nil
	case "crash":
		panic("index out of range")
	}
	var p payload
	if err := json.Unmarshal(text, &p); err != nil {
		return source.Announcement{}, fmt.Errorf("payload of %s: %w", event, err)
	}
	if p.Panic != "" {
		panic(p.Panic)
	}
	if p.Error != "" {
		return source.Announcement{}, errors.New(p.Error)
	}
	return source.Announcement{
		Scope:      source.Scope{Repositories: p.Repositories, Directory: p.Directory},
		Everything: p.Everything, Ignored: p.Ignored, Touched: p.Touched, Cause: catalog.Cause{Actor: p.Actor},
	}, nil
}

// call is a call of Refresh or Harvest.
type call struct {
	Source string
	Scope  source.Scope
	Cause  catalog.Cause
}

// engine records what it is asked for.
type engine struct {
	mu                  sync.Mutex
	refreshes, harvests []call
	refuse              error // of either
	counts              store.Counts
}

func (e *engine) refresh(_ context.Context, name string, scope source.Scope, cause catalog.Cause) (store.Counts, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.refreshes = append(e.refreshes, call{name, scope, cause})
	return e.counts, e.refuse
}

func (e *engine) harvest(_ context.Context, name string, cause catalog.Cause) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.harvests = append(e.harvests, call{Source: name, Cause: cause})
	return e.refuse
}

func (e *engine) options() webhook.Options {
	return webhook.Options{Refresh: e.refresh, Harvest: e.harvest}
}

// each runs a test on every database.
func each(t *testing.T, run func(t *testing.T, dsn string)) {
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		run(t, "sqlite:"+filepath.Join(t.TempDir(), "waypost.db"))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		run(t, pgtest.URL(t))
	})
}

func open(t testing.TB, dsn string) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), dsn, store.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

func memory(t testing.TB) *store.Store { return open(t, "sqlite::memory:") }

func sourcesOf(names ...string) []webhook.Source {
	var out []webhook.Source
	for _, name := range names {
		out = append(out, webhook.Source{Announcer: announcer{name: name}, Secrets: []string{secret}})
	}
	return out
}

// inbox makes an Inbox that is closed before its store is.
func inbox(t testing.TB, st webhook.Store, sources []webhook.Source, options webhook.Options) *webhook.Inbox {
	t.Helper()
	if options.Refresh == nil {
		options.Refresh = (&engine{}).refresh
	}
	if options.Harvest == nil {
		options.Harvest = (&engine{}).harvest
	}
	i, err := webhook.New(st, sources, slog.New(slog.DiscardHandler), options)
	require.NoError(t, err)
	t.Cleanup(i.Close)
	return i
}

func sign(body []byte, secret string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}

// request is a delivery as GitHub sends it.
func request(path, event, id string, body []byte) *http.Request {
	r := httptest.NewRequest(http.MethodPost, path, bytes.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-GitHub-Event", event)
	r.Header.Set("X-GitHub-Delivery", id)
	r.Header.Set("X-Hub-Signature-256", sign(body, secret))
	return r
}

func send(t testing.TB, h http.Handler, r *http.Request) (int, webhook.Answer, http.Header) {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	require.Equal(t, "application/json", w.Header().Get("Content-Type"))
	var a webhook.Answer
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &a), w.Body)
	return w.Code, a, w.Header()
}

func waiting(t testing.TB, s *store.Store, name string) []store.Delivery {
	t.Helper()
	out, err := s.WaitingDeliveries(t.Context(), name, 1_000_000)
	require.NoError(t, err)
	return out
}

func deliveries(t testing.TB, s *store.Store, name string) []store.Delivery {
	t.Helper()
	out, err := s.Deliveries(t.Context(), name, 1_000_000)
	require.NoError(t, err)
	return out
}

// eventually waits for something that another goroutine does.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !ok(); time.Sleep(5 * time.Millisecond) {
		require.True(t, time.Now().Before(end), what)
	}
}

// pad makes a JSON object as large as GitHub's usual ones.
func pad(fields string, size int) []byte {
	if fields != "" {
		fields += ","
	}
	return []byte("{" + fields + `"pad":"` + strings.Repeat("0123456789abcde\\n", size/17) + `"}`)
}
