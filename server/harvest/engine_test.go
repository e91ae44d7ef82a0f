package harvest_test

import (
	"context"
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/harvest"
	"github.com/waypost-dev/waypost/server/source"
	"github.com/waypost-dev/waypost/server/store"
)

// scripted is a source whose content a test sets between harvests. Unlike the
// real ones it can be told to fail at any point.
type scripted struct {
	repositories []source.Repository
	directory    *source.Directory
	fail         error // after everything was reported, instead of Complete
	unreadable   map[string]bool
}

func (s *scripted) Name() string { return "test:acme" }

func (s *scripted) Harvest(ctx context.Context, known source.Known, out source.Out) error {
	out.Expect(len(s.repositories))
	for _, r := range s.repositories {
		if s.unreadable[r.ID] {
			if err := out.Keep(ctx, r.ID, catalog.Problem{Code: catalog.CodeUnreadable, Severity: catalog.SeverityError, Message: "unreadable today"}); err != nil {
				return err
			}
			continue
		}
		before, ok := known.Repository(r.ID)
		if ok && before.State == r.State {
			if err := out.Unchanged(ctx, r.ID); err != nil {
				return err
			}
			continue
		}
		r.Documents = append([]source.Document(nil), r.Documents...)
		for i, d := range r.Documents {
			if before.Documents[d.Path] == d.Hash && d.Hash != "" {
				r.Documents[i].Content = nil
			}
		}
		if err := out.Repository(ctx, r); err != nil {
			return err
		}
	}
	if s.directory != nil {
		if err := out.Directory(ctx, *s.directory); err != nil {
			return err
		}
	}
	if s.fail != nil {
		return s.fail
	}
	return out.Complete(ctx)
}

// repo is a repository with some files; its state follows from them.
func repo(name string, files map[string]string) source.Repository {
	r := source.Repository{
		ID: "R_" + name, Owner: "acme", Name: name, URL: "https://github.com/acme/" + name, Branch: "main",
		Root: []string{"README.md", "go.mod"}, PushedAt: time.Now().Add(-time.Hour),
	}
	h := sha1.New()
	for path, text := range files {
		d := source.Document{Path: path, Hash: blob(text), Content: []byte(text)}
		r.Documents = append(r.Documents, d)
		_, _ = fmt.Fprintf(h, "%s %s\n", path, d.Hash)
	}
	r.Commit = hex.EncodeToString(h.Sum(nil))
	r.State = r.Commit
	return r
}

func blob(text string) string {
	sum := sha1.Sum([]byte(fmt.Sprintf("blob %d\x00%s", len(text), text)))
	return hex.EncodeToString(sum[:])
}

func component(name string, more string) string {
	return "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata:\n  name: " + name +
		"\nspec:\n  type: service\n  lifecycle: production\n  owner: team-a\n" + more
}

type bundle struct {
	store  *store.Store
	source *scripted
	engine *harvest.Engine
}

func setup(t *testing.T, change ...func(*harvest.Config)) *bundle {
	t.Helper()
	st := openStore(t)
	b := &bundle{store: st, source: &scripted{}, engine: harvest.New(st, slog.New(slog.DiscardHandler))}
	c := harvest.Config{Source: b.source}
	for _, f := range change {
		f(&c)
	}
	b.engine.Add(c)
	return b
}

func (b *bundle) run(t *testing.T) harvest.Progress {
	t.Helper()
	p, err := b.engine.Run(t.Context(), b.source.Name(), harvest.Order{}, nil)
	require.NoError(t, err)
	require.Equal(t, store.HarvestSucceeded, p.State)
	return p
}

// refs are the entities that are served, by key.
func (b *bundle) entities(t *testing.T) map[string]*catalog.Entity {
	t.Helper()
	out := map[string]*catalog.Entity{}
	_, err := b.store.Load(t.Context(), func(e *catalog.Entity) error {
		out[e.Ref.Key()] = e
		return nil
	})
	require.NoError(t, err)
	return out
}

func (b *bundle) refs(t *testing.T) []string {
	t.Helper()
	out := []string{}
	for k := range b.entities(t) {
		out = append(out, k)
	}
	return out
}

func (b *bundle) revision(t *testing.T) catalog.Revision {
	t.Helper()
	r, err := b.store.Load(t.Context(), func(*catalog.Entity) error { return nil })
	require.NoError(t, err)
	return r
}

func (b *bundle) problems(t *testing.T) []catalog.Problem {
	t.Helper()
	p, err := b.store.Problems(t.Context())
	require.NoError(t, err)
	return p
}

func TestHarvestAddsChangesAndRemoves(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.source.repositories = []source.Repository{
		repo("shop", map[string]string{"catalog-info.yaml": component("shop", "") + "---\n" + component("cart", "")}),
		repo("mail", map[string]string{"catalog-info.yaml": component("mail", "")}),
	}
	p := b.run(t)
	require.Equal(t, 3, p.Added)
	require.Equal(t, 2, p.Repositories)
	require.Equal(t, 2, p.Read)
	require.ElementsMatch(t, []string{"component:default/shop", "component:default/cart", "component:default/mail"}, b.refs(t))
	shop := b.entities(t)["component:default/shop"]
	require.Equal(t, catalog.Origin{Source: "test:acme", Repository: "acme/shop", Path: "catalog-info.yaml", Commit: b.source.repositories[0].Commit, Line: 1}, shop.Origin)
	require.Equal(t, 10, b.entities(t)["component:default/cart"].Origin.Line)

	// One entity changes, one goes, one comes; the other repository is at rest.
	b.source.repositories[0] = repo("shop", map[string]string{"catalog-info.yaml": component("shop", "  system: store\n") + "---\n" + component("till", "")})
	before := b.revision(t)
	p = b.run(t)
	require.Equal(t, store.Counts{Added: 1, Changed: 1, Removed: 1}, store.Counts{Added: p.Added, Changed: p.Changed, Removed: p.Removed})
	require.Equal(t, 1, p.Unchanged)
	require.Equal(t, 1, p.Read)
	require.Equal(t, before+3, b.revision(t))
	require.Equal(t, shop.UID, b.entities(t)["component:default/shop"].UID)

	// A whole repository goes.
	b.source.repositories = b.source.repositories[:1]
	p = b.run(t)
	require.Equal(t, 1, p.Removed)
	require.ElementsMatch(t, []string{"component:default/shop", "component:default/till"}, b.refs(t))
}

func TestUnchangedHarvestWritesNoRevision(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.source.repositories = []source.Repository{
		repo("shop", map[string]string{"catalog-info.yaml": component("shop", "")}),
		repo("bare", nil),
	}
	b.source.directory = &source.Directory{Organisation: "acme", Teams: []source.Team{{Slug: "team-a", Name: "A", Members: []string{"ann"}}}, Users: []source.User{{Login: "ann"}}}
	b.run(t)
	before := b.revision(t)
	p := b.run(t)
	require.Equal(t, before, b.revision(t))
	require.Equal(t, 2, p.Unchanged)
	require.Zero(t, p.Read)
	require.Zero(t, p.Added+p.Changed+p.Removed)

	// New commits that leave the file as it is cost a repository row, no revision.
	b.source.repositories[0].State, b.source.repositories[0].Commit = "later", "later"
	p = b.run(t)
	require.Equal(t, before, b.revision(t))
	require.Zero(t, p.Read)
}

func TestNothingIsRemovedWithoutACompleteListing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.source.repositories = []source.Repository{
		repo("shop", map[string]string{"catalog-info.yaml": component("shop", "")}),
		repo("mail", map[string]string{"catalog-info.yaml": component("mail", "")}),
	}
	b.run(t)
	b.source.repositories = b.source.repositories[:1]
	b.source.fail = errors.New("listing broke off")
	p, err := b.engine.Run(t.Context(), b.source.Name(), harvest.Order{}, nil)
	require.ErrorContains(t, err, "listing broke off")
	require.Equal(t, store.HarvestFailed, p.State)
	require.Len(t, b.refs(t), 2)

	b.source.fail = nil
	b.source.unreadable = map[string]bool{"R_mail": true}
	b.source.repositories = append(b.source.repositories, source.Repository{ID: "R_mail"})
	b.run(t)
	require.Len(t, b.refs(t), 2)
	require.Equal(t, "unreadable today", b.problems(t)[0].Message)

	b.source.repositories = b.source.repositories[:1]
	p = b.run(t)
	require.Equal(t, 1, p.Removed)
	require.Empty(t, b.problems(t), "the problem of the earlier harvest is gone with it")
}

func TestBrokenDocumentKeepsItsLastGoodForm(t *testing.T) {
	t.Parallel()
	b := setup(t)
	set := func(text string) {
		b.source.repositories = []source.Repository{repo("shop", map[string]string{"catalog-info.yaml": text})}
	}
	set(component("shop", "") + "---\n" + component("cart", ""))
	b.run(t)

	// One of two becomes invalid: it stays as it was; the other may change.
	set(component("shop", "  system: store\n") + "---\n" + "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata:\n  name: cart\nspec:\n  type: service\n")
	p := b.run(t)
	require.Equal(t, 1, p.Changed)
	require.Zero(t, p.Removed)
	require.ElementsMatch(t, []string{"component:default/shop", "component:default/cart"}, b.refs(t))
	require.NotEmpty(t, b.problems(t))
	for _, problem := range b.problems(t) {
		require.Equal(t, "acme/shop", problem.Repository)
		require.GreaterOrEqual(t, problem.Line, 12)
	}

	// The whole file becomes unreadable as YAML.
	set("kind: [\n")
	p = b.run(t)
	require.Zero(t, p.Removed)
	require.Len(t, b.refs(t), 2)

	// A valid file without them removes them, and their problems.
	set(component("till", ""))
	p = b.run(t)
	require.Equal(t, 2, p.Removed)
	require.Equal(t, []string{"component:default/till"}, b.refs(t))
	require.Empty(t, b.problems(t))
}

func TestRepositoryWithoutACatalogFileIsInferred(t *testing.T) {
	t.Parallel()
	b := setup(t)
	r := repo("Old.Site--v2", nil)
	r.Root = []string{"Dockerfile", "src/"}
	r.Topics = []string{"Go", "back_end"}
	r.Description = "Sells tents"
	r.Homepage = "https://acme.example"
	b.source.repositories = []source.Repository{r}
	b.run(t)
	e := b.entities(t)["component:default/old.site-v2"]
	require.NotNil(t, e)
	require.True(t, e.Origin.Inferred)
	require.JSONEq(t, `{
		"apiVersion": "backstage.io/v1alpha1", "kind": "Component",
		"metadata": {"name": "Old.Site-v2", "namespace": "default", "description": "Sells tents", "tags": ["go", "back-end"],
			"links": [{"url": "https://acme.example", "title": "Homepage"}],
			"annotations": {"waypost.dev/inferred": "true", "github.com/project-slug": "acme/Old.Site--v2",
				"backstage.io/managed-by-location": "url:https://github.com/acme/Old.Site--v2",
				"backstage.io/managed-by-origin-location": "url:https://github.com/acme/Old.Site--v2",
				"backstage.io/view-url": "https://github.com/acme/Old.Site--v2",
				"backstage.io/source-location": "url:https://github.com/acme/Old.Site--v2/tree/main/"}},
		"spec": {"type": "service", "lifecycle": "production"}}`, string(e.Document))

	// A declared entity with the same ref replaces it and keeps its identity.
	declared := repo("Old.Site--v2", map[string]string{"catalog-info.yaml": component("old.site-v2", "")})
	b.source.repositories = []source.Repository{declared}
	b.run(t)
	now := b.entities(t)["component:default/old.site-v2"]
	require.False(t, now.Origin.Inferred)
	require.Equal(t, e.UID, now.UID)
	require.Empty(t, b.problems(t))

	// When the file goes, the repository is inferred again.
	r.State = "later"
	b.source.repositories = []source.Repository{r}
	b.run(t)
	require.True(t, b.entities(t)["component:default/old.site-v2"].Origin.Inferred)
}

func TestInferenceCanBeTurnedOff(t *testing.T) {
	t.Parallel()
	b := setup(t, func(c *harvest.Config) { c.NoInference = true })
	b.source.repositories = []source.Repository{repo("bare", nil)}
	b.source.directory = &source.Directory{Organisation: "acme", Users: []source.User{{Login: "ann"}}}
	b.run(t)
	require.Empty(t, b.refs(t))
}

func TestTimeAloneDeprecatesWhatIsInferred(t *testing.T) {
	t.Parallel()
	b := setup(t)
	r := repo("old", nil)
	r.PushedAt = time.Now().Add(-2*365*24*time.Hour + 500*time.Millisecond)
	b.source.repositories = []source.Repository{r}
	b.run(t)
	require.Contains(t, string(b.entities(t)["component:default/old"].Document), `"lifecycle":"production"`)
	time.Sleep(600 * time.Millisecond) // the age is measured in real time
	p := b.run(t)
	require.Equal(t, 1, p.Unchanged, "the repository is not read again")
	require.Contains(t, string(b.entities(t)["component:default/old"].Document), `"lifecycle":"deprecated"`)
}

func TestDirectoryBecomesGroupsAndUsers(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.source.directory = &source.Directory{
		Organisation: "acme",
		Teams: []source.Team{
			{Slug: "platform", Name: "Platform", Members: []string{"ann"}},
			{Slug: "core", Name: "Core", Parent: "platform", Members: []string{"Bob", "ann"}, Description: "The core", URL: "https://github.com/orgs/acme/teams/core"},
		},
		Users: []source.User{{Login: "ann", Name: "Ann", Email: "ann@acme.example"}, {Login: "Bob", Suspended: true}},
	}
	b.run(t)
	es := b.entities(t)
	require.Len(t, es, 4)
	require.Equal(t, "group:default/platform", relation(es["group:default/core"], catalog.ChildOf))
	require.Equal(t, "group:default/platform", relation(es["user:default/ann"], catalog.MemberOf))
	require.Contains(t, string(es["user:default/bob"].Document), `"waypost.dev/suspended":"true"`)

	// The listing fails for lack of rights: what is known of the teams stays.
	kept := b.source.directory
	b.source.directory = nil
	b.run(t)
	require.Len(t, b.refs(t), 4)

	// A user leaves.
	kept.Users = kept.Users[:1]
	b.source.directory = kept
	p := b.run(t)
	require.Equal(t, 1, p.Removed)
}

// relation is the first target of a relation of this type.
func relation(e *catalog.Entity, relationType string) string {
	for _, r := range e.Relations {
		if r.Type == relationType {
			return r.Target.Key()
		}
	}
	return ""
}

func TestTwoClaimsToOneRef(t *testing.T) {
	t.Parallel()
	b := setup(t)
	one := repo("one", map[string]string{"catalog-info.yaml": component("shop", "")})
	two := repo("two", map[string]string{"catalog-info.yaml": component("shop", "  system: store\n")})
	b.source.repositories = []source.Repository{one}
	b.run(t)
	b.source.repositories = []source.Repository{one, two}
	p := b.run(t)
	require.Zero(t, p.Added+p.Changed)
	require.Len(t, b.problems(t), 1)
	conflict := b.problems(t)[0]
	require.Equal(t, catalog.CodeConflict, conflict.Code)
	require.Equal(t, "acme/two", conflict.Repository)
	require.Contains(t, conflict.Message, "acme/one")

	uid := b.entities(t)["component:default/shop"].UID
	b.source.repositories = []source.Repository{two}
	b.run(t)
	e := b.entities(t)["component:default/shop"]
	require.Equal(t, "acme/two", e.Origin.Repository)
	require.Equal(t, uid, e.UID)
	require.Empty(t, b.problems(t))
}

func TestOneUnreadableDocumentSpoilsNothingElse(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.source.repositories = []source.Repository{repo("shop", map[string]string{"a.yaml": component("a", ""), "b.yaml": component("b", "")})}
	b.run(t)
	r := repo("shop", map[string]string{"a.yaml": component("a", "  system: store\n")})
	r.Documents = append(r.Documents, source.Document{Path: "b.yaml", Hash: "new", Problem: &catalog.Problem{
		Code: catalog.CodeTooLarge, Severity: catalog.SeverityError, Message: "too large"}})
	b.source.repositories = []source.Repository{r}
	p := b.run(t)
	require.Equal(t, 1, p.Changed)
	require.Zero(t, p.Removed)
	require.Len(t, b.refs(t), 2)
	require.Len(t, b.problems(t), 1)
	require.Equal(t, "b.yaml", b.problems(t)[0].Path)

	// It is asked for again although the repository says that nothing changed.
	p = b.run(t)
	require.Zero(t, p.Unchanged)
}

func TestStartWatchAndBusy(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.source.repositories = []source.Repository{repo("shop", map[string]string{"catalog-info.yaml": component("shop", "")})}
	_, err := b.engine.Start(t.Context(), "test:other", harvest.Order{})
	require.ErrorIs(t, err, harvest.ErrUnknownSource)

	ctx, cancel := context.WithCancel(t.Context())
	p, err := b.engine.Start(ctx, b.source.Name(), harvest.Order{})
	cancel() // a background harvest outlives the call that began it
	require.NoError(t, err)
	require.Positive(t, p.ID)
	if updates, stop, err := b.engine.Watch(p.ID); err == nil {
		defer stop()
		var last harvest.Progress
		for last = range updates {
		}
		require.Equal(t, store.HarvestSucceeded, last.State)
	} else {
		require.ErrorIs(t, err, store.ErrNotFound, "it has ended already")
	}
	require.Eventually(t, func() bool {
		h, err := b.store.GetHarvest(t.Context(), p.ID)
		return err == nil && h.State == store.HarvestSucceeded && h.Added == 1
	}, 5*time.Second, 5*time.Millisecond)
}

// slow is a source that does not end by itself.
type slow struct{ begun chan struct{} }

func (s slow) Name() string { return "test:slow" }

func (s slow) Harvest(ctx context.Context, _ source.Known, _ source.Out) error {
	close(s.begun)
	<-ctx.Done()
	return ctx.Err()
}

func TestStopEndsWhatRuns(t *testing.T) {
	t.Parallel()
	b := setup(t)
	s := slow{make(chan struct{})}
	b.engine.Add(harvest.Config{Source: s})
	p, err := b.engine.Start(t.Context(), s.Name(), harvest.Order{Cause: "api"})
	require.NoError(t, err)
	<-s.begun
	require.NoError(t, b.engine.Stop(t.Context()))
	h, err := b.store.GetHarvest(t.Context(), p.ID)
	require.NoError(t, err)
	require.Equal(t, store.HarvestFailed, h.State)
	require.Equal(t, "api", h.Cause)
	_, err = b.engine.Start(t.Context(), b.source.Name(), harvest.Order{})
	require.ErrorContains(t, err, "stopping")
}

func TestRenamedRepositoryKeepsItsEntitiesAndTellsItsNewAddress(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.source.repositories = []source.Repository{repo("shop", map[string]string{"catalog-info.yaml": component("shop", "")})}
	b.run(t)
	before := b.entities(t)["component:default/shop"]

	r := repo("store", map[string]string{"catalog-info.yaml": component("shop", "")})
	r.ID, r.State = "R_shop", "renamed"
	b.source.repositories = []source.Repository{r}
	b.run(t) // the document is known, and is not read
	b.run(t) // the repository is, since it moved
	after := b.entities(t)["component:default/shop"]
	require.Equal(t, before.UID, after.UID)
	require.Equal(t, "acme/store", after.Origin.Repository)
	require.Contains(t, string(after.Document), "https://github.com/acme/store/blob/main/catalog-info.yaml")
	require.Equal(t, 1, b.run(t).Unchanged)
}
