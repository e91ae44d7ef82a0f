package storetest

import (
	"context"
	"errors"
	"path"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/store"
)

const file = "catalog-info.yaml"

func feed(b *bundle) {
	require.Equal(b, store.Counts{Added: 2}, b.apply(update("r1", entity("a", "acme/r1", file, 1, "one"), entity("b", "acme/r1", file, 9, "two"))))
	want := entity("a", "acme/r1", file, 1, "one")
	got := *b.get("a")
	require.NotEmpty(b, got.UID)
	require.Positive(b, got.Revision)
	require.WithinDuration(b, time.Now(), got.Changed, time.Minute)
	got.UID, got.Revision, got.Changed = "", 0, time.Time{}
	require.Empty(b, cmp.Diff(want, &got), "an entity comes back as it went in")
	uid := b.get("a").UID

	// Changed, added and removed in one.
	counts := b.apply(update("r1", entity("a", "acme/r1", file, 1, "uno"), entity("c", "acme/r1", file, 9, "three")))
	require.Equal(b, store.Counts{Added: 1, Changed: 1, Removed: 1}, counts)
	require.Equal(b, uid, b.get("a").UID)
	changes := b.changes(2)
	require.Len(b, changes, 3)
	require.Equal(b, catalog.OpDelete, changes[0].Op)
	require.Equal(b, "two", title(b, changes[0].Entity), "a deletion tells what was there")
	require.Equal(b, "component:default/b", changes[0].Entity.Ref.Key())
	for _, c := range changes {
		require.Equal(b, c.Revision, c.Entity.Revision)
		require.Equal(b, c.Time, c.Entity.Changed)
	}
	some, err := b.Changes(b.Context(), 1, 2)
	require.NoError(b, err)
	require.Len(b, some, 2, "limit")
	require.Equal(b, catalog.Revision(2), some[0].Revision)
	require.Equal(b, "two", title(b, b.changes(0)[1].Entity), "history keeps what was")

	rev, err := b.Load(b.Context(), func(*catalog.Entity) error { return nil })
	require.NoError(b, err)
	require.Equal(b, b.latest(), rev)
	require.Equal(b, catalog.Revision(5), rev)
	stop := errors.New("stop")
	_, err = b.Load(b.Context(), func(*catalog.Entity) error { return stop })
	require.Equal(b, stop, err)
	b.consistent()
}

func unchanged(b *bundle) {
	u := update("r1", entity("a", "acme/r1", file, 1, "one"), entity("b", "acme/r1", file, 9, "two"))
	u.Problems = []catalog.Problem{{Code: catalog.CodeUnreadable, Severity: catalog.SeverityWarning, Message: "no CODEOWNERS"}}
	b.apply(u)
	before := b.latest()
	require.Equal(b, store.Counts{}, b.apply(u))
	require.Equal(b, before, b.latest())

	// Read again at another commit: the repository has changed, no entity has.
	for i := range u.Claims {
		e := *u.Claims[i].Entity
		e.Origin.Commit = "c2"
		u.Claims[i].Entity = &e
	}
	u.Repository.Commit, u.Repository.State = "c2", "s2"
	require.Equal(b, store.Counts{}, b.apply(u))
	require.Equal(b, before, b.latest())
	require.Equal(b, "c1", b.get("a").Origin.Commit, "the commit at which the content was first seen")
	known, err := b.Store.Repositories(b.Context(), source)
	require.NoError(b, err)
	require.Equal(b, "c2", known["r1"].Commit)
	require.Equal(b, "s2", known["r1"].State)

	counts, err := b.Apply(b.Context(), source, nil)
	require.NoError(b, err)
	require.Equal(b, store.Counts{}, counts)
}

func moved(b *bundle) {
	b.apply(update("r1", entity("a", "acme/r1", file, 1, "one")))
	e := entity("a", "acme/r1", file, 4, "one") // three lines were put above it
	e.Origin.Commit = "c2"
	require.Equal(b, store.Counts{}, b.apply(update("r1", e)))
	require.Equal(b, catalog.Revision(1), b.latest(), "a move within the document is no revision")
	got := b.get("a")
	require.Equal(b, 4, got.Origin.Line)
	require.Equal(b, "c2", got.Origin.Commit, "line and commit go together")
	require.Equal(b, 9, got.Relations[0].Line)
	b.consistent()
}

func unchangedDocuments(b *bundle) {
	one, two := entity("a", "acme/r1", "a.yaml", 1, "one"), entity("b", "acme/r1", "b.yaml", 1, "two")
	b.apply(update("r1", one, two))
	u := update("r1", entity("a", "acme/r1", "a.yaml", 1, "uno"))
	u.Repository.Documents["b.yaml"] = store.Document{Hash: "h-b.yaml", Commit: "c1"}
	u.Unchanged = []string{"b.yaml"}
	require.Equal(b, store.Counts{Changed: 1}, b.apply(u))
	require.Equal(b, "two", title(b, b.get("b")))

	// The claim moves from the changed document into a new one: same entity.
	uid := b.get("a").UID
	u = update("r1", entity("a", "acme/r1", "c.yaml", 1, "uno"))
	u.Repository.Documents["b.yaml"] = store.Document{Hash: "h-b.yaml", Commit: "c1"}
	u.Unchanged = []string{"b.yaml"}
	require.Equal(b, store.Counts{Changed: 1}, b.apply(u))
	require.Equal(b, uid, b.get("a").UID)
	require.Equal(b, "c.yaml", b.get("a").Origin.Path)
	known, err := b.Store.Repositories(b.Context(), source)
	require.NoError(b, err)
	require.NotContains(b, known["r1"].Documents, "a.yaml")
	require.Contains(b, known["r1"].Documents, "c.yaml")

	require.Equal(b, store.Counts{Removed: 1}, b.apply(update("r1", entity("a", "acme/r1", "c.yaml", 1, "uno"))))
	b.consistent()
}

// single gives the only claim of a file the file's key, as harvest does.
func single(u store.RepositoryUpdate) store.RepositoryUpdate {
	u.Claims[0].Key = u.Claims[0].Entity.Origin.Path
	return u
}

func broken(b *bundle) {
	a := entity("a", "acme/r1", file, 1, "one")
	b.apply(single(update("r1", a)))
	uid := b.get("a").UID

	// The file cannot be parsed at all.
	u := update("r1")
	u.Repository.Documents[file] = store.Document{Hash: "h2", Commit: "c2", Problems: []catalog.Problem{{Code: catalog.CodeSyntax, Severity: catalog.SeverityError, Line: 3, Message: "not YAML"}}}
	u.Broken = []store.BrokenDocument{{Path: file, All: true}}
	require.Equal(b, store.Counts{}, b.apply(u))
	require.Equal(b, "one", title(b, b.get("a")), "the last good form is served")
	require.Len(b, b.problems(), 1)

	// It has a valid entity now, under the key that the first one had, which is
	// still there and not valid.
	u = single(update("r1", entity("b", "acme/r1", file, 9, "two")))
	u.Broken = []store.BrokenDocument{{Path: file, Refs: []string{"component:default/a"}}}
	require.Equal(b, store.Counts{Added: 1}, b.apply(u))
	require.Equal(b, uid, b.get("a").UID)
	require.NotEqual(b, uid, b.get("b").UID, "no renaming: the first one is still there")
	require.Equal(b, store.Counts{}, b.apply(u), "again")

	// Both are valid.
	require.Equal(b, store.Counts{Changed: 1}, b.apply(update("r1", entity("a", "acme/r1", file, 1, "uno"), entity("b", "acme/r1", file, 9, "two"))))
	require.Equal(b, uid, b.get("a").UID)

	// Broken says that another one is there, not this one: it is gone.
	u = update("r1", entity("b", "acme/r1", file, 9, "two"))
	u.Broken = []store.BrokenDocument{{Path: file, Refs: []string{"component:default/z"}}, {Path: "other.yaml", All: true}}
	require.Equal(b, store.Counts{Removed: 1}, b.apply(u))
	b.consistent()
}

func repositories(b *bundle) {
	u := update("r1", entity("a", "acme/r1", file, 1, "one"))
	u.Repository.Documents["bad.yaml"] = store.Document{Hash: "h", Commit: "c1", Problems: []catalog.Problem{{Code: catalog.CodeSyntax, Severity: catalog.SeverityError, Line: 2, Message: "not YAML"}}}
	b.apply(u, update("r2"))
	known, err := b.Store.Repositories(b.Context(), source)
	require.NoError(b, err)
	require.Len(b, known, 2)
	require.Empty(b, cmp.Diff(u.Repository, known["r1"]))
	other, err := b.Store.Repositories(b.Context(), "dir:/elsewhere")
	require.NoError(b, err)
	require.Empty(b, other)

	u.Repository.Facts = []byte(`{"stars":2}`)
	b.apply(u)
	known, err = b.Store.Repositories(b.Context(), source)
	require.NoError(b, err)
	require.JSONEq(b, `{"stars":2}`, string(known["r1"].Facts))
}

// hostileText is what paths, names and ids of real file systems may hold.
func hostileText(b *bundle) {
	for _, s := range []string{"\x00directory", "caf\xe9", "'); DROP TABLE claims; --", "naïve/日本", `C:\x`, "\uFFFDhex:00", "?", "$1", strings.Repeat("x", 5000)} {
		u := update(s, entity("a", s, path.Join(s, "f.yaml"), 1, s))
		u.Repository.Name, u.Repository.State, u.Repository.Commit = s, s, s
		u.Claims[0].Key = s
		counts := b.apply(u)
		require.Equal(b, store.Counts{Added: 1}, counts, "%q", s)
		require.Equal(b, store.Counts{}, b.apply(u), "%q", s)
		require.Equal(b, s, b.get("a").Origin.Repository)
		known, err := b.Store.Repositories(b.Context(), source)
		require.NoError(b, err)
		require.Empty(b, cmp.Diff(u.Repository, known[s]))
		_, err = b.Store.Sweep(b.Context(), source, map[string]struct{}{s: {}}, time.Time{}, store.Removals{}, catalog.Cause{})
		require.NoError(b, err)
		require.Len(b, b.served(), 1)
		require.NoError(b, b.PutResponse(b.Context(), s, []byte(s)))
		value, ok, err := b.Response(b.Context(), s)
		require.NoError(b, err)
		require.True(b, ok)
		require.Equal(b, s, string(value))
		_, err = b.Store.Sweep(b.Context(), source, nil, time.Time{}, store.Removals{}, catalog.Cause{})
		require.NoError(b, err)
	}
}

func twiceInOneBatch(b *bundle) {
	counts := b.apply(update("r1", entity("a", "acme/r1", file, 1, "one")), update("r1", entity("b", "acme/r1", file, 1, "two")))
	require.Equal(b, store.Counts{Added: 1}, counts, "the last one counts")
	b.get("b")
}

func duplicateKey(b *bundle) {
	u := update("r1", entity("a", "acme/r1", file, 1, "one"), entity("b", "acme/r1", file, 2, "two"))
	u.Claims[1].Key = u.Claims[0].Key
	_, err := b.Apply(b.Context(), source, []store.RepositoryUpdate{u})
	require.ErrorContains(b, err, "two claims with the key")
	require.Empty(b, b.served(), "nothing of it was written")
}

func sweep(b *bundle) {
	other := update("o1", entity("o", "other/o1", file, 1, "other"))
	_, err := b.Apply(b.Context(), "dir:/elsewhere", []store.RepositoryUpdate{other})
	require.NoError(b, err)
	b.apply(update("r1", entity("a", "acme/r1", file, 1, "one")), update("r2", entity("b", "acme/r2", file, 1, "two")), update("r3"))

	counts, err := b.Store.Sweep(b.Context(), source, map[string]struct{}{"r1": {}, "r2": {}, "r3": {}}, time.Time{}, store.Removals{}, catalog.Cause{})
	require.NoError(b, err)
	require.Equal(b, store.Counts{}, counts)
	require.Equal(b, catalog.Revision(3), b.latest())

	counts, err = b.Store.Sweep(b.Context(), source, map[string]struct{}{"r1": {}}, time.Time{}, store.Removals{}, catalog.Cause{})
	require.NoError(b, err)
	require.Equal(b, store.Counts{Removed: 1}, counts)
	known, err := b.Store.Repositories(b.Context(), source)
	require.NoError(b, err)
	require.Len(b, known, 1)
	b.get("o")

	counts, err = b.Store.Sweep(b.Context(), source, nil, time.Time{}, store.Removals{}, catalog.Cause{})
	require.NoError(b, err)
	require.Equal(b, store.Counts{Removed: 1}, counts)
	require.Len(b, b.served(), 1)
	b.consistent()
}

func reopen(b *bundle) {
	b.apply(update("r1", entity("a", "acme/r1", file, 1, "one")))
	before := b.served()
	again := &bundle{T: b.T, Store: b.another(store.Options{})}
	require.Empty(b, cmp.Diff(before, again.served()))
	require.Equal(b, store.Counts{Changed: 1}, again.apply(update("r1", entity("a", "acme/r1", file, 1, "uno"))))
	require.Equal(b, "uno", title(b, b.get("a")))
	b.consistent()
}

func cancelled(b *bundle) {
	ctx, cancel := context.WithCancel(b.Context())
	cancel()
	_, err := b.Apply(ctx, source, []store.RepositoryUpdate{update("r1", entity("a", "acme/r1", file, 1, "one"))})
	require.ErrorIs(b, err, context.Canceled)
	require.Empty(b, b.served())
	b.apply(update("r1", entity("a", "acme/r1", file, 1, "one")))
}
