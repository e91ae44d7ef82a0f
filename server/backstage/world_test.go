package backstage

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/harvest"
	"github.com/waypost-dev/waypost/server/index"
	"github.com/waypost-dev/waypost/server/locations"
	"github.com/waypost-dev/waypost/server/source/location"
	"github.com/waypost-dev/waypost/server/store"
)

// golden is where the replies of a real Backstage are, and the catalog that they
// are about.
const golden = "../../../shared/backstage-golden"

// world is a Handler over a catalog that was harvested from a copy of the golden
// one.
type world struct {
	*Handler
	dir    string // of the copy
	remote *httptest.Server
	store  *store.Store
	engine *harvest.Engine
	index  *index.Index
	source string
}

func needGolden(t testing.TB) {
	if _, err := os.Stat(golden); errors.Is(err, os.ErrNotExist) {
		t.Skip("SKIPPED: ../shared/backstage-golden is not here; nothing was compared with a real Backstage")
	}
}

func newWorld(t *testing.T) *world { return makeWorld(t, true) }

// makeWorld makes one of what Backstage shows alone, or of all that there is.
func makeWorld(t *testing.T, trimmed bool) *world {
	t.Helper()
	needGolden(t)
	w := &world{dir: t.TempDir(), index: index.New()}
	require.NoError(t, os.CopyFS(w.dir, os.DirFS(filepath.Join(golden, "catalog"))))
	if trimmed {
		w.trim(t)
	}
	files := http.FileServer(http.Dir(filepath.Join(golden, "remote")))
	w.remote = httptest.NewServer(files)
	t.Cleanup(w.remote.Close)

	st, err := store.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "waypost.db"), store.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, st.Close()) })
	require.NoError(t, st.Migrate(t.Context()))
	log := slog.New(slog.DiscardHandler)
	w.store, w.engine = st, harvest.New(st, log)
	registry := locations.New(st, w.engine, log, locations.Options{
		Source: location.Options{ReadAllow: []string{strings.TrimPrefix(w.remote.URL, "http://")}},
	})
	root, err := location.New(location.Options{Target: "file:" + filepath.Join(w.dir, "all.yaml")})
	require.NoError(t, err)
	w.source = root.Name()
	w.engine.Add(harvest.Config{Source: root, NoInference: true})
	w.harvest(t)
	w.follow(t)
	w.Handler, err = New(Options{
		Index: w.index, Locations: registry, Log: log, Refresh: w.refresh,
		Sources: func() (names []string) {
			for _, s := range w.engine.Sources() {
				names = append(names, s.Name)
			}
			return names
		},
		Delete: func(ctx context.Context, uid string) error {
			gone, err := w.store.Delete(ctx, uid, catalog.Cause{Via: catalog.ViaAPI})
			if err != nil {
				return err
			}
			return w.index.Wait(ctx, gone)
		},
		Problems: func() ([]catalog.Problem, error) { return w.store.Problems(context.Background()) },
		RefreshEntity: func(ctx context.Context, ref catalog.Ref) error {
			r, _ := w.index.Snapshot().Get(ref)
			return w.refresh(ctx, r.Entity.Origin.Source)
		},
	})
	require.NoError(t, err)
	return w
}

func (w *world) harvest(t *testing.T) {
	_, err := w.engine.Run(t.Context(), w.source, harvest.Order{Cause: "start", ConfirmRemovals: true}, nil)
	require.NoError(t, err)
	w.catchUp(t)
	if w.Handler != nil {
		w.view.asked.Store(0) // else it is asked again within a second
	}
}

func (w *world) refresh(ctx context.Context, source string) error {
	_, err := w.engine.Run(ctx, source, harvest.Order{Cause: "api"}, nil)
	return err
}

// catchUp brings the index in line with the store.
func (w *world) catchUp(t *testing.T) {
	changes, err := w.store.Changes(t.Context(), w.index.Snapshot().Revision(), 10_000)
	require.NoError(t, err)
	w.index.Apply(changes)
}

// follow keeps the index in line while the test runs.
func (w *world) follow(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for ctx.Err() == nil {
			var changes []catalog.Change
			changes, _ = w.store.Changes(ctx, w.index.Snapshot().Revision(), 10_000) // it is asked again
			w.index.Apply(changes)
			select {
			case <-ctx.Done():
			case <-time.After(10 * time.Millisecond):
			}
		}
	}()
	t.Cleanup(func() { cancel(); <-ended })
}

// trim takes out of the copy what Backstage shows nothing of, and what we keep:
// Locations of which a file is missing or has a kind that is not allowed, and
// placeholders in files.
func (w *world) trim(t *testing.T) {
	for file, first := range map[string]string{
		"all.yaml":     "---\napiVersion: backstage.io/v1alpha1\nkind: Location\nmetadata:\n  name: golden-broken\n",
		"invalid.yaml": "---\n# placeholders",
	} {
		file = filepath.Join(w.dir, file)
		b, err := os.ReadFile(file)
		require.NoError(t, err)
		before, _, ok := strings.Cut(string(b), first)
		require.True(t, ok, file)
		require.NoError(t, os.WriteFile(file, []byte(before), 0o600))
	}
}
