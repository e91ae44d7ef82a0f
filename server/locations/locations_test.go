package locations_test

import (
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
	"github.com/waypost-dev/waypost/server/harvest"
	"github.com/waypost-dev/waypost/server/locations"
	"github.com/waypost-dev/waypost/server/source/location"
	"github.com/waypost-dev/waypost/server/source/sourcetest"
	"github.com/waypost-dev/waypost/server/store"
	"github.com/waypost-dev/waypost/server/store/pgtest"
)

// world is a web server and replicas over one database.
type world struct {
	t   *testing.T
	dsn string
	url string

	mu    sync.Mutex
	pages map[string]string
}

func component(name string) string {
	return sourcetest.Document(name) + "spec: {type: service, lifecycle: production, owner: shop}\n"
}

func newWorld(t *testing.T, dsn string) *world {
	w := &world{t: t, dsn: dsn, pages: map[string]string{
		"/all.yaml":  sourcetest.Location("./a.yaml", "./missing.yaml"),
		"/a.yaml":    component("a") + "---\n" + sourcetest.API("b", "$text", "./b.txt"),
		"/b.txt":     "b",
		"/solo.yaml": component("solo"),
	}}
	s := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.mu.Lock()
		defer w.mu.Unlock()
		page, ok := w.pages[r.URL.Path]
		if !ok {
			http.NotFound(rw, r)
			return
		}
		fmt.Fprint(rw, page)
	}))
	t.Cleanup(s.Close)
	w.url = s.URL
	return w
}

type replica struct {
	*locations.Registry
	store  *store.Store
	engine *harvest.Engine
}

func (w *world) replica(files bool) *replica {
	w.t.Helper()
	st, err := store.Open(w.t.Context(), w.dsn, store.Options{})
	require.NoError(w.t, err)
	w.t.Cleanup(func() { require.NoError(w.t, st.Close()) })
	require.NoError(w.t, st.Migrate(w.t.Context()))
	log := slog.New(slog.DiscardHandler)
	e := harvest.New(st, log)
	r := locations.New(st, e, log, locations.Options{
		Source: location.Options{ReadAllow: []string{strings.TrimPrefix(w.url, "http://")}}, Files: files, Every: 10 * time.Millisecond,
	})
	return &replica{r, st, e}
}

func (r *replica) refs(t *testing.T) []string {
	var out []string
	_, err := r.store.Load(t.Context(), func(e *catalog.Entity) error {
		out = append(out, e.Ref.Key())
		return nil
	})
	require.NoError(t, err)
	return out
}

func (r *replica) sources() []string {
	var out []string
	for _, s := range r.engine.Sources() {
		out = append(out, s.Name)
	}
	return out
}

func databases(t *testing.T, test func(*testing.T, string)) {
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		test(t, "sqlite:"+filepath.Join(t.TempDir(), "waypost.db"))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		test(t, pgtest.URL(t))
	})
}

func TestRegister(t *testing.T) {
	t.Parallel()
	databases(t, func(t *testing.T, dsn string) {
		ctx := t.Context()
		w := newWorld(t, dsn)
		r := w.replica(false)
		target := "url:" + w.url + "/all.yaml"

		dry, err := r.Register(ctx, target, "ada", true)
		require.NoError(t, err)
		require.Equal(t, []string{"api:default/b", "component:default/a", "location:default/x"}, dry.Refs)
		require.Empty(t, dry.Location.ID)
		require.NotEmpty(t, dry.Problems)
		require.Empty(t, r.refs(t), "a dry run writes nothing")
		require.Empty(t, r.sources())
		list, err := r.List(ctx, "", 10)
		require.NoError(t, err)
		require.Empty(t, list)

		begin := time.Now()
		done, err := r.Register(ctx, target+"#here", "ada", false)
		took := time.Since(begin)
		require.NoError(t, err)
		t.Logf("registered in %s", took)
		require.Less(t, took, time.Second)
		require.Equal(t, dry.Refs, done.Refs)
		require.ElementsMatch(t, dry.Refs, r.refs(t), "what it declares can be read when the call returns")
		latest, err := r.store.Latest(ctx)
		require.NoError(t, err)
		require.Equal(t, latest, done.Revision)
		require.Equal(t, target, done.Location.Target)
		require.Equal(t, "ada", done.Location.Creator)
		list, err = r.List(ctx, "", 10)
		require.NoError(t, err)
		require.Equal(t, []store.Location{done.Location}, list)
		found := false
		for _, p := range done.Problems {
			found = found || p.Line == 8 && strings.Contains(p.Message, "404")
		}
		require.True(t, found, "%v", done.Problems)

		for _, dry := range []bool{true, false} {
			_, err = r.Register(ctx, target, "eve", dry)
			require.ErrorIs(t, err, store.ErrExists)
		}
		_, err = r.Delete(ctx, "none")
		require.ErrorIs(t, err, store.ErrNotFound)
		rev, err := r.Delete(ctx, done.Location.ID)
		require.NoError(t, err)
		require.Greater(t, rev, done.Revision)
		require.Empty(t, r.refs(t))
		require.Empty(t, r.sources())
		_, err = r.Register(ctx, target, "ada", false)
		require.NoError(t, err, "it can be registered again")
		require.Len(t, r.refs(t), 3)
	})
}

func TestRegisterRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "sqlite:"+filepath.Join(t.TempDir(), "waypost.db"))
	dir := t.TempDir()
	for target, want := range map[string]struct {
		is   error
		text string
	}{
		"url:https://elsewhere.example/x.yaml":                {locations.ErrNotAllowed, "the host elsewhere.example is not allowed to be read; allow it with --read-allow elsewhere.example or in the list readAllow"},
		"url:http://169.254.169.254/latest/meta-data":         {locations.ErrNotAllowed, "169.254.169.254 is not allowed"},
		"url:https://github.com/acme/shop/blob/main/all.yaml": {locations.ErrNotAllowed, "raw.githubusercontent.com"},
		"file:" + dir + "/x.yaml":                             {locations.ErrNotAllowed, "--location file:PATH"},
		"url:" + w.url + "/gone.yaml":                         {locations.ErrUnreadable, "the server answers 404 Not Found; mend the address"},
		"url:ftp://example.com/x":                             {locations.ErrTarget, "must start with https"},
		"github:acme":                                         {locations.ErrTarget, "write file: or url:"},
	} {
		r := w.replica(false)
		for _, dry := range []bool{true, false} {
			_, err := r.Register(t.Context(), target, "", dry)
			require.ErrorIs(t, err, want.is, target)
			require.ErrorContains(t, err, want.text)
			var wrong *locations.TargetError
			require.True(t, errors.As(err, &wrong))
		}
		require.Empty(t, r.sources())
		list, err := r.List(t.Context(), "", 10)
		require.NoError(t, err)
		require.Empty(t, list)
	}
	r := w.replica(true)
	_, err := r.Register(t.Context(), "file:"+dir+"/x.yaml", "", false)
	require.ErrorIs(t, err, locations.ErrUnreadable)
}

// TestReplicas registers at one replica and deletes at another one.
func TestReplicas(t *testing.T) {
	t.Parallel()
	databases(t, func(t *testing.T, dsn string) {
		ctx := t.Context()
		w := newWorld(t, dsn)
		a, b := w.replica(false), w.replica(false)
		solo := "url:" + w.url + "/solo.yaml"
		done, err := a.Register(ctx, solo, "", false)
		require.NoError(t, err)
		require.Empty(t, b.sources())
		go b.Run(ctx) //nolint:errcheck // it ends with ctx
		require.Eventually(t, func() bool { return len(b.sources()) == 1 }, 5*time.Second, 5*time.Millisecond)

		_, err = b.Delete(ctx, done.Location.ID)
		require.NoError(t, err)
		require.Empty(t, b.sources())
		require.Empty(t, a.refs(t))
		require.Len(t, a.sources(), 1)
		// a harvests once more before it learns of it; what comes of that goes too.
		_, err = a.engine.Run(ctx, solo, harvest.Order{}, nil)
		require.NoError(t, err)
		require.Len(t, a.refs(t), 1)
		require.NoError(t, a.Sync(ctx))
		require.Empty(t, a.sources())
		require.Empty(t, a.refs(t))

		// A replica that starts has what is registered, unless the configuration has it.
		_, err = a.Register(ctx, solo, "", false)
		require.NoError(t, err)
		c := w.replica(false)
		configured, err := location.New(location.Options{Target: solo})
		require.NoError(t, err)
		c.engine.Add(harvest.Config{Source: configured})
		require.NoError(t, c.Sync(ctx))
		require.Len(t, c.sources(), 1)
		_, err = c.Register(ctx, solo, "", false)
		require.ErrorIs(t, err, store.ErrExists)
	})
}

// TestAtOnce registers one target many times at once: one call wins.
func TestAtOnce(t *testing.T) {
	t.Parallel()
	databases(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		a, b := w.replica(false), w.replica(false)
		var group sync.WaitGroup
		errs := make([]error, 6)
		for i := range errs {
			r := []*replica{a, b}[i%2]
			group.Go(func() { _, errs[i] = r.Register(t.Context(), "url:"+w.url+"/solo.yaml", "", false) })
		}
		group.Wait()
		won := 0
		for _, err := range errs {
			if err == nil {
				won++
			} else {
				require.ErrorIs(t, err, store.ErrExists)
			}
		}
		require.Equal(t, 1, won)
		require.Equal(t, []string{"component:default/solo"}, a.refs(t))

	})
}
