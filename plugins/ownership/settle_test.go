package ownership

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/waypost-dev/waypost/plugins"
	"github.com/waypost-dev/waypost/server/catalog"
)

// codes are the problems of an answer.
func codes(a plugins.Answer) string {
	var out []string
	for _, p := range a.Problems {
		out = append(out, string(p.Code))
	}
	return strings.Join(out, " ")
}

func TestFacts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.team("a", "ann", "bob")
	w.repo("web", nil)
	w.add("component:default/web", map[string]any{"owner": "a", "responsibilities": map[string]any{"run": "a"}}, "acme/web:catalog-info.yaml")
	a := w.enrich(w.plugin(`{}`), "component:default/web")
	require.Equal(t, map[string]string{
		FactOwner: "group:default/a", FactSource: "declared", FactConfidence: "0.95", FactStatus: "owned",
		FactDeclared: "group:default/a", FactAccountable: "group:default/a", FactVerification: "due",
		FactResponsibilities: `[{"role":"run","owner":"group:default/a"}]`,
	}, factsOf(a))
	require.Empty(t, a.Problems)
	require.WithinRange(t, a.Again, w.now.Add(daily*3/4), w.now.Add(daily*5/4), "the weight of commits changes")

	// Kinds that need none, and declare none, are left alone.
	require.Empty(t, w.enrich(w.plugin(`{}`), "user:default/ann").Facts)
	w.add("component:default/bare", nil, "")
	a = w.enrich(w.plugin(`{}`), "component:default/bare")
	require.Equal(t, "unowned", factsOf(a)[FactStatus])
	require.Zero(t, a.Again, "nothing in it changes with time")
	require.Empty(t, w.enrich(w.plugin(`{"kinds":["api"]}`), "component:default/bare").Facts)
}

func TestProblems(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.team("a", "ann", "bob")
	w.team("solo", "cyn")
	w.team("ghosts")
	w.repo("web", func(r *plugins.Repository) { r.Topics = []string{"owner-a"} })
	at := "acme/web:catalog-info.yaml"
	p := w.plugin(`{}`)
	_, err := p.Collect(t.Context(), view{w})
	require.NoError(t, err)
	for owner, want := range map[string]catalog.Problem{
		"nobody": {
			Code: "dangling", Message: "the declared owner group:default/nobody is not in the catalog; group:default/a counts, from property",
			Hint: "write owner: a into the spec, or add the declared owner to the catalog", Fix: catalog.Fix{Found: "nobody", Replacement: "a"},
		},
		"ghosts": {
			Code: "disbanded", Message: "its owner group:default/ghosts has no active member",
			Hint: "write owner: a into the spec, or add members to the declared owner",
		},
		"solo":     {Code: "single-person", Message: "its owner group:default/solo has only one active member", Hint: "add a second person to group:default/solo"},
		"user:ann": {Code: "single-person", Message: "its owner user:default/ann is one person", Hint: "name a group of at least two people in spec.owner"},
	} {
		w.add("component:default/x", map[string]any{"owner": owner}, at)
		got := w.enrich(p, "component:default/x").Problems
		want.Severity, want.Path, want.Line, want.Field = catalog.SeverityWarning, "catalog-info.yaml", 1, "spec.owner"
		require.Equal(t, []catalog.Problem{want}, got, owner)
	}
}

func TestDrift(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.team("a", "ann", "bob")
	w.team("b", "cyn", "dan")
	w.repo("web", nil)
	e := w.add("component:default/web", map[string]any{"owner": "a"}, "acme/web:catalog-info.yaml")
	w.commit("web", "cyn", 8, 1)
	w.commit("web", "dan", 8, 2)
	w.commit("web", "ann", 2, 3)
	p := w.plugin(`{}`)
	_, err := p.Collect(t.Context(), view{w})
	require.NoError(t, err)
	start := w.now

	a := w.enrich(p, e.Key())
	require.NotContains(t, factsOf(a), FactDrift, "a day is no drift")
	explained, err := p.Explain(t.Context(), view{w}, e)
	require.NoError(t, err)
	require.Equal(t, start, explained.Drift.Since)
	require.False(t, explained.Drift.Standing(w.now))
	require.Equal(t, 18, explained.Drift.Commits)

	later := func(d time.Duration) { // the commits grow older all the same
		w.now = start.Add(d)
	}
	later(13*daily + hours(12))
	require.Equal(t, start.Add(driftAfter), w.enrich(p, e.Key()).Again, "it is asked about again when the fortnight ends")
	later(14 * daily)
	a = w.enrich(p, e.Key())
	require.Equal(t, "group:default/b", factsOf(a)[FactDrift])
	require.Equal(t, "drift", codes(a))
	require.Equal(t, "group:default/a is declared, and group:default/b did 89 % of the work in the last 90 days (18 commits)", a.Problems[0].Message)
	require.Equal(t, "write owner: b into the spec, or dismiss this with a reason", a.Problems[0].Hint)

	// A dismissal holds for this difference, and for its time.
	until := start.Add(20 * daily)
	w.record(DismissalKey(e), Dismissal{Declared: "group:default/a", Evident: "group:default/b", Reason: "they help out", Actor: "user:default/ann", Until: until})
	require.Empty(t, w.enrich(p, e.Key()).Problems)
	explained, err = p.Explain(t.Context(), view{w}, e)
	require.NoError(t, err)
	require.Equal(t, "they help out", explained.Drift.DismissedReason)
	require.Equal(t, until, explained.Drift.DismissedUntil)
	w.record(DismissalKey(e), Dismissal{Declared: "group:default/a", Evident: "group:default/other", Until: until})
	require.Equal(t, "drift", codes(w.enrich(p, e.Key())))
	w.record(DismissalKey(e), Dismissal{Declared: "group:default/a", Evident: "group:default/b", Until: until})
	later(20 * daily)
	require.Equal(t, "drift", codes(w.enrich(p, e.Key())))

	// A forge that is down leaves what was said.
	w.broken = errBroken
	require.ErrorIs(t, w.enrich(p, e.Key()).Err, errBroken)
	w.broken = nil

	// Agreement forgets since when.
	w.commit("web", "ann", 40, -19)
	require.Empty(t, w.enrich(p, e.Key()).Problems)
	require.NotContains(t, w.records.kept, driftKey(e))
}

// TestNoDrift are differences that are none.
func TestNoDrift(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		owner   string
		commits int
		want    bool
	}{
		"of another team":         {"a", 10, true},
		"too few commits":         {"a", 9, false},
		"of a team below":         {"department", 10, false},
		"of one's own team":       {"user:cyn", 10, false},
		"of somebody else's team": {"user:ann", 10, true},
		"of nothing declared":     {"", 10, false},
	} {
		w := newWorld(t)
		w.team("a", "ann")
		w.team("b", "cyn", "dan")
		w.add("group:default/department", map[string]any{"type": "department", "children": []any{"b"}}, "")
		w.repo("web", nil)
		spec := map[string]any{}
		if c.owner != "" {
			spec["owner"] = c.owner
		}
		w.add("component:default/web", spec, "acme/web:catalog-info.yaml")
		w.commit("web", "cyn", c.commits, 89)
		w.commit("web", "ann", 100, 91)
		require.Equal(t, c.want, w.explain(`{}`, "component:default/web").Drift != nil, name)
	}
}

func TestVerification(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.team("a", "ann", "bob")
	e := w.add("component:default/web", map[string]any{"owner": "a"}, "", "waypost.dev/tier", "1")
	config := `{"verification":{"days":180,"tiers":{"1":100}}}`
	start := w.now
	w.record(VerifiedKey(e), VerifiedBy{Owner: "group:default/a", Actor: "user:default/ann", Time: start})
	p := w.plugin(config)
	for days, want := range map[int]string{0: "verified", 99: "verified", 100: "due", 124: "due", 125: "overdue"} {
		w.now = start.Add(time.Duration(days) * daily)
		got := factsOf(w.enrich(p, e.Key()))
		require.Equal(t, want, got[FactVerification], days)
		require.Equal(t, time.Duration(days), w.now.Sub(start)/daily)
		require.Contains(t, got, FactVerifiedAge)
	}
	w.now = start.Add(99*daily + hours(20))
	a := w.enrich(p, e.Key())
	require.Equal(t, start.Add(100*daily), a.Again)
	require.Equal(t, "99", factsOf(a)[FactVerifiedAge])

	// Another owner has not verified it.
	w.record(VerifiedKey(e), VerifiedBy{Owner: "group:default/b", Actor: "user:default/ann", Time: start})
	got := factsOf(w.enrich(p, e.Key()))
	require.Equal(t, "due", got[FactVerification])
	require.NotContains(t, got, FactVerifiedAge)

	// The file may say so too.
	w.add("component:default/file", map[string]any{"owner": "a"}, "", "waypost.dev/verified-at", start.Format(time.DateOnly))
	w.now = start.Add(10 * daily)
	require.Equal(t, "verified", factsOf(w.enrich(p, "component:default/file"))[FactVerification])
	w.add("component:default/future", map[string]any{"owner": "a"}, "", "waypost.dev/verified-at", "2999-01-01")
	require.Equal(t, "due", factsOf(w.enrich(p, "component:default/future"))[FactVerification])
	w.add("component:default/nobodys", nil, "")
	require.NotContains(t, factsOf(w.enrich(p, "component:default/nobodys")), FactVerification)
}

// TestCensus holds that it is kept, read by other processes, and asks anew only
// if it tells something else.
func TestCensus(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.add("component:default/web", nil, "acme/web:catalog-info.yaml")
	w.repo("web", nil)
	p := w.plugin(`{}`)
	refs, err := p.Collect(t.Context(), view{w})
	require.NoError(t, err)
	require.Empty(t, refs)
	w.team("a", "ann", "bob")
	refs, err = p.Collect(t.Context(), view{w})
	require.NoError(t, err)
	require.Len(t, refs, 1, "that there are users at all makes empty groups tell something")
	version := w.records.kept[censusPeople+"0000"].Version
	refs, err = p.Collect(t.Context(), view{w})
	require.NoError(t, err)
	require.Empty(t, refs)
	require.Equal(t, version, w.records.kept[censusPeople+"0000"].Version, "nothing is written that is there")

	c, err := loadCensus(t.Context(), &w.records)
	require.NoError(t, err)
	require.Equal(t, 2, c.Users)
	require.Equal(t, ref("user", "ann"), c.people["ann@acme.example"])

	// Many people are kept in parts, and parts that are too many go.
	big := &census{people: map[string]catalog.Ref{}}
	for i := range peoplePart + 1 {
		big.people[strings.Repeat("x", 1+i%40)+string(rune('a'+i%26))+time.Duration(i).String()] = ref("user", "ann")
	}
	require.NoError(t, big.store(t.Context(), &w.records))
	require.Len(t, keysBelow(w, censusPeople), 2)
	again, err := loadCensus(t.Context(), &w.records)
	require.NoError(t, err)
	require.Equal(t, big.people, again.people)
	require.NoError(t, c.store(t.Context(), &w.records))
	require.Len(t, keysBelow(w, censusPeople), 1)
}

func keysBelow(w *world, prefix string) []string {
	var out []string
	for key := range w.records.kept {
		if strings.HasPrefix(key, prefix) {
			out = append(out, key)
		}
	}
	return out
}

// TestBatch holds that records are the same whether they are read one by one or
// together.
func TestBatch(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.team("a", "ann", "bob")
	w.team("b", "cyn", "dan")
	p := w.plugin(`{}`)
	var subjects []plugins.Subject
	for i := range fewEntities + 1 {
		e := w.add("component:default/c"+string(rune('a'+i)), map[string]any{"owner": "a"}, "")
		w.record(OverrideKey(e), Override{Owner: "group:default/b", Reason: "so"})
		subjects = append(subjects, plugins.Subject{Entity: w.entities[e.Key()], View: view{w}})
	}
	together, err := p.Enrich(t.Context(), subjects)
	require.NoError(t, err)
	for i, s := range subjects {
		require.Equal(t, w.enrich(p, s.Entity.Ref.Key()), together[i])
		require.Equal(t, "group:default/b", factsOf(together[i])[FactOwner])
	}
}

// TestConcurrent has several calls run at a time, as the limits allow, and
// explanations beside them.
func TestConcurrent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.team("a", "ann", "bob")
	w.files = map[string][]string{"acme/web": {"x"}}
	w.repo("web", owners("* @acme/a"))
	e := w.add("component:default/web", nil, "acme/web:catalog-info.yaml")
	w.commit("web", "ann", 20, 1)
	p := w.plugin(`{}`)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 20 {
				s := plugins.Subject{Entity: w.entities[e.Key()], View: &noting{view: view{w}, reads: map[string]struct{}{}}}
				out, err := p.Enrich(t.Context(), []plugins.Subject{s, s})
				if assert.NoError(t, err) {
					assert.Equal(t, "group:default/a", factsOf(out[1])[FactOwner])
				}
				_, err = p.Explain(t.Context(), s.View, e)
				assert.NoError(t, err)
			}
		})
	}
	wg.Go(func() {
		for range 20 {
			_, err := p.Collect(t.Context(), &noting{view: view{newWorld(t)}, reads: map[string]struct{}{}})
			assert.NoError(t, err)
		}
	})
	wg.Wait()
}
