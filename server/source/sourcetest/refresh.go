package sourcetest

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waypost-dev/waypost/server/source"
)

// refresher is the place's source, if it can refresh single repositories.
func refresher(t *testing.T, p Place) source.Refresher {
	t.Helper()
	r, ok := p.Source(t).(source.Refresher)
	if !ok {
		t.Skip("the source refreshes no single repositories")
	}
	return r
}

// Pointer is a pointer to what the ledger has, as a caller would make it.
func (e Entry) Pointer() source.Pointer { return source.Pointer{ID: e.ID, Name: e.FullName()} }

func named(t *testing.T, l *Ledger, name string) source.Pointer {
	t.Helper()
	e, ok := l.Named(name)
	require.True(t, ok, "the ledger has no %s", name)
	return e.Pointer()
}

// agrees harvests, which must find everything as it was refreshed.
func agrees(t *testing.T, l *Ledger, p Place, names ...string) {
	t.Helper()
	require.Equal(t, names, l.Names())
	report := harvest(t, l, p)
	require.Empty(t, report.Names(), "the harvest finds changed what was just refreshed")
	require.Len(t, report.Unchanged, len(names))
	require.Equal(t, names, l.Names())
}

func refreshChanged(t *testing.T, open Open) {
	p := open(t, Options{})
	p.Set(t, simple("a"), simple("b"), simple("c"))
	src := refresher(t, p)
	var l Ledger
	harvest(t, &l, p)

	// Nothing has changed.
	_, err := l.Refresh(t.Context(), t, src, source.Scope{Repositories: []source.Pointer{named(t, &l, "b")}})
	require.NoError(t, err)
	agrees(t, &l, p, "a", "b", "c")

	changed := simple("b")
	changed.Files[0].Content = Document("other")
	p.Set(t, simple("a"), changed, simple("c"))
	pointer := named(t, &l, "b")
	report, err := l.Refresh(t.Context(), t, src, source.Scope{Repositories: []source.Pointer{pointer, pointer}})
	require.NoError(t, err)
	require.Equal(t, []string{"b"}, report.Names())
	e, _ := l.Named("b")
	require.Equal(t, Document("other"), string(e.Contents["catalog-info.yaml"]))
	agrees(t, &l, p, "a", "b", "c")

	// A catalog file goes, then all files.
	changed.Files = changed.Files[1:]
	p.Set(t, simple("a"), changed, simple("c"))
	_, err = l.Refresh(t.Context(), t, src, source.Scope{Repositories: []source.Pointer{pointer}})
	require.NoError(t, err)
	e, _ = l.Named("b")
	require.Empty(t, e.Documents)
	agrees(t, &l, p, "a", "b", "c")
}

func refreshGone(t *testing.T, open Open) {
	p := open(t, Options{})
	p.Set(t, simple("a"), simple("b"), simple("c"))
	src := refresher(t, p)
	var l Ledger
	harvest(t, &l, p)
	pointer := named(t, &l, "b")
	p.Set(t, simple("a"), simple("c"))
	report, err := l.Refresh(t.Context(), t, src, source.Scope{Repositories: []source.Pointer{pointer, named(t, &l, "c")}})
	require.NoError(t, err)
	require.Equal(t, []string{pointer.ID}, report.Gone)
	agrees(t, &l, p, "a", "c")

	// It is told again, late, and when another one has its name.
	p.Set(t, simple("a"), simple("c"), Repository{Key: "b again", Name: "b", Files: []File{catalogFile("b")}})
	_, err = l.Refresh(t.Context(), t, src, source.Scope{Repositories: []source.Pointer{pointer}})
	require.NoError(t, err)
	agrees(t, &l, p, "a", "b", "c")
}

func refreshRenamed(t *testing.T, open Open) {
	p := open(t, Options{})
	p.Set(t, simple("a"), simple("b"))
	src := refresher(t, p)
	var l Ledger
	harvest(t, &l, p)
	pointer := named(t, &l, "b")
	renamed := simple("b")
	renamed.Name = "c"
	p.Set(t, simple("a"), renamed)
	_, err := l.Refresh(t.Context(), t, src, source.Scope{Repositories: []source.Pointer{pointer}})
	require.NoError(t, err)
	_, old := l.Named("b")
	require.False(t, old, "the former name is still there")
	harvest(t, &l, p)
	agrees(t, &l, p, "a", "c")

	// Another one takes the former name: both are found.
	p.Set(t, simple("a"), renamed, Repository{Key: "b again", Name: "b", Files: []File{catalogFile("b")}})
	_, err = l.Refresh(t.Context(), t, src, source.Scope{Repositories: []source.Pointer{pointer}})
	require.NoError(t, err)
	harvest(t, &l, p)
	agrees(t, &l, p, "a", "b", "c")
}

func refreshNew(t *testing.T, open Open) {
	p := open(t, Options{})
	p.Set(t, simple("a"))
	src := refresher(t, p)
	var l Ledger
	harvest(t, &l, p)
	a, _ := l.Named("a")
	p.Set(t, simple("a"), simple("b"))
	a.Name = "b"
	_, err := l.Refresh(t.Context(), t, src, source.Scope{Repositories: []source.Pointer{{Name: a.FullName()}}})
	require.NoError(t, err)
	agrees(t, &l, p, "a", "b")
}

func refreshCancelled(t *testing.T, open Open) {
	p := open(t, Options{})
	p.Set(t, simple("a"))
	src := refresher(t, p)
	var l Ledger
	harvest(t, &l, p)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := l.Refresh(ctx, t, src, source.Scope{Repositories: []source.Pointer{named(t, &l, "a")}})
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, []string{"a"}, l.Names())
}
