package harvest_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	mathrand "math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/stretchr/testify/require"

	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/harvest"
	"github.com/waypost-dev/waypost/server/index"
	"github.com/waypost-dev/waypost/server/source"
	"github.com/waypost-dev/waypost/server/source/github"
	"github.com/waypost-dev/waypost/server/source/githubtest"
	"github.com/waypost-dev/waypost/server/store"
	"github.com/waypost-dev/waypost/server/store/pgtest"
	"github.com/waypost-dev/waypost/server/webhook"
)

// world is an organisation that changes at random, and the catalog that follows
// it by webhooks, some of which get lost, and by harvests, some of which fail.
type world struct {
	*testing.T
	rand   *mathrand.Rand
	org    *githubtest.Org
	fake   *githubtest.Server
	source *github.Source
	store  *store.Store
	engine *harvest.Engine
	inbox  *webhook.Inbox

	slow    atomic.Bool // answers come late, and so tell of the past
	mu      sync.Mutex
	waiting []githubtest.Delivery // on their way
	lossy   bool

	entities int // made so far; each has a name of its own
	log      []string
}

func newWorld(t *testing.T, seed uint64, dsn string) *world {
	t.Helper()
	w := &world{T: t, rand: mathrand.New(mathrand.NewPCG(seed, 1)), org: &githubtest.Org{Login: "acme"}}
	w.lossy = w.chance(50)
	for i := range 4 {
		w.org.Add(githubtest.NewRepo(fmt.Sprint("repo-", i), w.document("catalog-info.yaml")))
	}
	w.org.AddTeam(&githubtest.Team{Name: "Owners"})
	w.fake = githubtest.NewServer(w.org, githubtest.Options{Enterprise: true})
	server := httptest.NewServer(http.HandlerFunc(w.answer))
	t.Cleanup(server.Close)
	var err error
	w.source, err = github.New(github.Options{
		Organisation: "acme", URL: server.URL, Patterns: []string{"catalog-info.yaml", "*/catalog-info.yaml"}, MaxWait: time.Second, Timeout: 5 * time.Second,
	})
	require.NoError(t, err)
	w.store, err = store.Open(t.Context(), dsn, store.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, w.store.Close()) })
	quiet := slog.New(slog.DiscardHandler)
	w.engine = harvest.New(w.store, quiet)
	w.engine.Add(harvest.Config{Source: w.source})
	w.inbox, err = webhook.New(w.store, []webhook.Source{{Announcer: w.source, Secrets: []string{"secret"}}}, quiet, webhook.Options{
		Refresh: func(ctx context.Context, name string, scope source.Scope, cause catalog.Cause) (store.Counts, error) {
			done, err := w.engine.Refresh(ctx, name, scope, cause)
			return done.Counts, err
		},
		Harvest: func(ctx context.Context, name string, _ catalog.Cause) error {
			_, err := w.engine.Run(ctx, name, harvest.Order{Cause: "webhook"}, nil)
			return err
		},
	})
	require.NoError(t, err)
	t.Cleanup(w.inbox.Close)
	w.org.Announce(func(d githubtest.Delivery) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.waiting = append(w.waiting, d)
	})
	return w
}

// answer answers for GitHub, in a slow world long after it has looked.
func (w *world) answer(to http.ResponseWriter, r *http.Request) {
	if !w.slow.Load() || mathrand.IntN(3) > 0 {
		w.fake.ServeHTTP(to, r)
		return
	}
	late := httptest.NewRecorder()
	w.fake.ServeHTTP(late, r)
	time.Sleep(time.Duration(mathrand.IntN(40)) * time.Millisecond)
	maps.Copy(to.Header(), late.Header())
	to.WriteHeader(late.Code)
	_, _ = to.Write(late.Body.Bytes()) // who does not listen any more has given up
}

// chance is true in so many of a hundred cases.
func (w *world) chance(percent int) bool { return w.rand.IntN(100) < percent }

// document is a catalog file with one to three entities that nobody else has.
func (w *world) document(path string) githubtest.File {
	text := ""
	for range 1 + w.rand.IntN(3) {
		w.entities++
		kind := "Component"
		spec := fmt.Sprintf("{type: service, lifecycle: production, owner: owners, dependsOn: [component:e-%d]}", 1+w.rand.IntN(w.entities))
		if w.chance(20) {
			kind, spec = "System", "{owner: owners}"
		}
		text += fmt.Sprintf("---\napiVersion: backstage.io/v1alpha1\nkind: %s\nmetadata: {name: e-%d, title: %q}\nspec: %s\n", kind, w.entities, fmt.Sprint("at ", w.rand.Uint32()), spec)
	}
	return githubtest.File{Path: path, Content: []byte(text)}
}

// change changes the organisation.
func (w *world) change() {
	var names []string
	w.org.Update(func(o *githubtest.Org) {
		for _, r := range o.Repos {
			names = append(names, r.Name)
		}
	})
	slices.Sort(names)
	free := fmt.Sprint("repo-", 4+w.rand.IntN(1000))
	if len(names) < 2 || slices.Contains(names, free) {
		w.org.Add(githubtest.NewRepo(fmt.Sprint("repo-", 2000+w.entities), w.document("catalog-info.yaml")))
		return
	}
	name := names[w.rand.IntN(len(names))]
	path := []string{"catalog-info.yaml", "one/catalog-info.yaml", "two/catalog-info.yaml"}[w.rand.IntN(3)]
	changes := []struct {
		what string
		do   func()
	}{
		{"add", func() { w.org.Add(githubtest.NewRepo(free, w.document(path))) }},
		{"delete", func() { w.org.Delete(name) }},
		{"rename", func() { w.org.Rename(name, free) }},
		{"transfer", func() { w.org.Transfer(name, "elsewhere") }},
		{"archive", func() { w.org.Archive(name, w.chance(50)) }},
		{"rename and archive", func() { w.org.Rename(name, free); w.org.Archive(free, true) }},
		{"push", func() { w.org.Push(name, w.document(path)) }},
		{"push again", func() { w.org.Push(name, w.document(path)) }},
		{"push elsewhere", func() { w.org.Push(name, githubtest.File{Path: "src/main.go", Content: []byte("package main")}) }},
		{"break", func() { w.org.Push(name, githubtest.File{Path: path, Content: []byte("kind: [\n")}) }},
		{"remove", func() { w.org.Remove(name, path) }},
		{"empty", func() { w.org.Replace(name) }},
		{"fill", func() { w.org.Replace(name, w.document("catalog-info.yaml"), w.document("one/catalog-info.yaml")) }},
		{"side branch", func() { w.org.PushTo(name, "side", w.document(path)) }},
		{"default branch", func() { w.org.PushTo(name, "side", w.document(path)); w.org.SetDefaultBranch(name, "side") }},
		{"hide", func() { w.org.SetVisibility(name, "private") }},
		{"describe", func() { w.org.Describe(name, fmt.Sprint("as of ", w.rand.Uint32())) }},
		{"team", func() { w.org.AddTeam(&githubtest.Team{Name: fmt.Sprint("Team ", w.rand.Uint32())}) }},
		{"join", func() { w.org.Join("owners", fmt.Sprint("user-", w.rand.IntN(20))) }},
		{"grant", func() { w.org.Grant(name, "owners", []string{"", "pull", "admin"}[w.rand.IntN(3)]) }},
	}
	c := changes[w.rand.IntN(len(changes))]
	w.log = append(w.log, c.what+" "+name)
	c.do()
}

// post puts some of what is on its way into the inbox: in any order, some of it
// twice, and in a lossy world not all of it.
func (w *world) post(all bool) {
	w.mu.Lock()
	var now []githubtest.Delivery
	w.rand.Shuffle(len(w.waiting), func(i, j int) { w.waiting[i], w.waiting[j] = w.waiting[j], w.waiting[i] })
	for len(w.waiting) > 0 && (all || w.chance(70)) {
		d := w.waiting[0]
		if !w.chance(15) { // else it will come again
			w.waiting = w.waiting[1:]
		}
		if !w.lossy || w.chance(70) {
			now = append(now, d)
		}
	}
	w.mu.Unlock()
	for _, d := range now {
		r := httptest.NewRequestWithContext(w.Context(), "POST", "/webhooks/"+w.source.Name(), bytes.NewReader(d.Payload))
		r.Header = d.Header("secret")
		answer := httptest.NewRecorder()
		w.inbox.ServeHTTP(answer, r)
		require.Less(w, answer.Code, 300, "%s: %s", d.Event, answer.Body)
	}
}

func (w *world) drain() {
	w.Helper()
	for range 20 {
		err := w.inbox.Drain(w.Context(), w.source.Name())
		if err == nil {
			return
		}
		require.ErrorIs(w, err, store.ErrBusy, "%v", w.log) // a harvest runs; the job would be tried again
		time.Sleep(20 * time.Millisecond)
	}
	w.Fatal("the inbox does not drain")
}

func (w *world) harvest() {
	w.Helper()
	_, err := w.engine.Run(w.Context(), w.source.Name(), harvest.Order{Cause: "schedule"}, nil)
	if !errors.Is(err, store.ErrBusy) {
		require.NoError(w, err, "%v", w.log)
	}
}

// live changes the organisation for a while, with webhooks and harvests at the
// same time.
func (w *world) live(steps int) {
	w.slow.Store(w.chance(60))
	defer w.slow.Store(false)
	var background sync.WaitGroup
	for range steps {
		w.change()
		w.post(false)
		switch w.rand.IntN(6) {
		case 0:
			w.drain()
		case 1:
			background.Go(func() { // beside everything else
				if err := w.inbox.Drain(w.Context(), w.source.Name()); err != nil && !errors.Is(err, store.ErrBusy) {
					w.Errorf("drain: %v", err)
				}
			})
		case 2:
			background.Go(func() {
				_, err := w.engine.Run(w.Context(), w.source.Name(), harvest.Order{Cause: "schedule"}, nil)
				if err != nil && !errors.Is(err, store.ErrBusy) {
					w.Errorf("harvest: %v", err)
				}
			})
		case 3:
			w.harvest()
		}
	}
	background.Wait()
}

// mend leaves no broken document: what keeps its last good form depends on the past.
func (w *world) mend() {
	var broken []struct{ name, path string }
	w.org.Update(func(o *githubtest.Org) {
		for _, r := range o.Repos {
			head := r.Branches[r.DefaultBranch]
			if head == nil {
				continue
			}
			for _, f := range head.Files() {
				if string(f.Content) == "kind: [\n" {
					broken = append(broken, struct{ name, path string }{r.Name, f.Path})
				}
			}
		}
	})
	for _, b := range broken {
		w.org.Push(b.name, w.document(b.path))
	}
}

// form is an entity as far as it does not depend on the past.
func form(t *testing.T, st *store.Store) map[string]*catalog.Entity {
	t.Helper()
	out := map[string]*catalog.Entity{}
	_, err := st.Load(t.Context(), func(e *catalog.Entity) error {
		plain := *e
		plain.UID, plain.Revision, plain.Changed, plain.Origin.Commit = "", 0, time.Time{}, ""
		out[e.Ref.Key()] = &plain
		return nil
	})
	require.NoError(t, err)
	return out
}

// fresh is the catalog of a first harvest.
func (w *world) fresh() map[string]*catalog.Entity {
	w.Helper()
	st, err := store.Open(w.Context(), "sqlite::memory:", store.Options{})
	require.NoError(w, err)
	defer st.Close()
	e := harvest.New(st, slog.New(slog.DiscardHandler))
	e.Add(harvest.Config{Source: w.source})
	_, err = e.Run(w.Context(), w.source.Name(), harvest.Order{}, nil)
	require.NoError(w, err)
	return form(w.T, st)
}

// consistent holds the history: no gap, nothing twice, and replayed it is the
// catalog; the read model that follows it is too.
func (w *world) consistent() {
	w.Helper()
	changes, err := w.store.Changes(w.Context(), 0, 1_000_000)
	require.NoError(w, err)
	replayed := map[string]*catalog.Entity{}
	uids := map[string]string{}
	x := index.New()
	for i, c := range changes {
		require.Equal(w, catalog.Revision(i+1), c.Revision, "no gap, and nothing twice")
		key := c.Entity.Ref.Key()
		if c.Op == catalog.OpDelete {
			require.Contains(w, replayed, key)
			delete(replayed, key)
			delete(uids, c.Entity.UID)
		} else {
			if of, ok := uids[c.Entity.UID]; ok {
				require.Equal(w, of, key, "an identity has one name at a time")
			}
			replayed[key], uids[c.Entity.UID] = c.Entity, key
		}
	}
	x.Apply(changes)
	served := map[string]*catalog.Entity{}
	_, err = w.store.Load(w.Context(), func(e *catalog.Entity) error { served[e.Ref.Key()] = e; return nil })
	require.NoError(w, err)
	require.Empty(w, cmp.Diff(replayed, served, cmpopts.EquateEmpty()), "%v", w.log)
	require.Equal(w, len(served), x.Snapshot().Len())
	for _, e := range served {
		r, ok := x.Snapshot().Get(e.Ref)
		require.True(w, ok)
		require.Equal(w, e.Hash(), r.Entity.Hash())
	}
}

// TestWorld lives through random changes and then compares the catalog at rest
// with one that was harvested afresh. WAYPOST_MODEL_TIME says for how long,
// such as 1m or 1h; WAYPOST_MODEL_SEED repeats one life.
func TestWorld(t *testing.T) {
	t.Parallel()
	length := 5 * time.Second
	if text := os.Getenv("WAYPOST_MODEL_TIME"); text != "" {
		var err error
		length, err = time.ParseDuration(text)
		require.NoError(t, err)
	}
	seed := uint64(time.Now().UnixNano())
	once := false
	if text := os.Getenv("WAYPOST_MODEL_SEED"); text != "" {
		_, err := fmt.Sscan(text, &seed)
		require.NoError(t, err)
		once = true
	}
	lives, steps := 0, 0
	for end := time.Now().Add(length); time.Now().Before(end); lives++ {
		dsn := "sqlite:" + filepath.Join(t.TempDir(), fmt.Sprint(lives, ".db"))
		database := "sqlite"
		if lives%4 == 3 {
			dsn, database = pgtest.URL(t), "postgres"
		}
		ok := t.Run(fmt.Sprintf("%s seed %d", database, seed), func(t *testing.T) {
			w := newWorld(t, seed, dsn)
			if w.chance(80) {
				w.harvest()
			}
			n := 5 + w.rand.IntN(40)
			steps += n
			w.live(n)
			w.mend()
			w.post(true)
			w.drain()
			w.consistent()
			w.harvest()
			require.Empty(t, cmp.Diff(w.fresh(), form(t, w.store), cmpopts.EquateEmpty()), "at rest, after a harvest; %v", w.log)
			w.consistent()
		})
		if !ok || once {
			break
		}
		seed++
	}
	t.Logf("%d lives, %d changes", lives, steps)
}
