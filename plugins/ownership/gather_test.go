package ownership

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waypost-dev/waypost/plugins"
	"github.com/waypost-dev/waypost/server/catalog"
)

// because tells why the candidate of a source and a name lost.
func because(t *testing.T, o *Ownership, from Source, name string) string {
	t.Helper()
	for _, c := range o.Candidates {
		if c.Source == from && c.Owner.Name == name {
			return c.RejectedBecause
		}
	}
	t.Fatalf("%s is no candidate from %s: %+v", name, from, o.Candidates)
	return ""
}

func TestDeclared(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.team("payments", "ann", "bob")
	w.team("solo", "cyn")
	w.team("ghosts")
	w.team("leavers")
	w.add("user:default/dan", map[string]any{"memberOf": []any{"leavers"}}, "", annotationSuspended, "true")
	w.repo("web", nil)
	at := "acme/web:catalog-info.yaml"
	for name, c := range map[string]struct {
		owner  string
		want   string
		status Status
	}{
		"fine":     {"payments", "group:default/payments", StatusOwned},
		"full":     {"group:default/Payments", "group:default/payments", StatusOwned},
		"person":   {"user:ann", "user:default/ann", StatusSinglePerson},
		"one":      {"solo", "group:default/solo", StatusSinglePerson},
		"empty":    {"ghosts", "group:default/ghosts", StatusDisbanded},
		"gone":     {"leavers", "group:default/leavers", StatusDisbanded},
		"missing":  {"nobody", "", StatusDangling},
		"endless":  {strings.Repeat("x", 100_000), "", StatusDangling},
		"unwanted": {"", "", StatusUnowned},
	} {
		spec := map[string]any{"type": "service", "lifecycle": "production"}
		if c.owner != "" {
			spec["owner"] = c.owner
		}
		w.add("component:default/"+name, spec, at)
		o := w.explain(`{}`, "component:default/"+name)
		got := ""
		if !o.Owner.IsZero() {
			got = o.Owner.Key()
		}
		require.Equal(t, c.want, got, name)
		require.Equal(t, c.status, o.Status, name)
	}
	o := w.explain(`{}`, "component:default/missing")
	require.Equal(t, "group:default/nobody", o.Declared.Key())
	require.Equal(t, becauseMissing, because(t, &o, SourceDeclared, "nobody"))
	require.Equal(t, "https://github.com/acme/web/blob/c0ffee/catalog-info.yaml", o.Candidates[0].Evidence[0].URL)
}

// TestMembers counts through nested groups, and ends in circles.
func TestMembers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.add("group:default/all", map[string]any{"type": "department", "children": []any{"inner"}}, "")
	w.add("group:default/inner", map[string]any{"type": "team", "children": []any{"all"}}, "")
	w.user("ann", "inner")
	p := &people{census: &census{Users: 1}}
	require.Equal(t, 1, p.members(view{w}, ref("group", "all"), 2))
	w.user("bob", "inner")
	require.Equal(t, 2, p.members(view{w}, ref("group", "all"), 2))
	require.Equal(t, 2, p.members(view{w}, ref("group", "inner"), 9))
	require.True(t, Belongs(view{w}, ref("user", "ann"), ref("group", "all")))
	require.False(t, Belongs(view{w}, ref("user", "eve"), ref("group", "all")))
	empty := &people{census: &census{}}
	require.Equal(t, -1, empty.members(view{w}, ref("group", "unheard"), 2), "without users nothing can be said")
	require.Equal(t, 0, p.members(view{w}, ref("group", "unheard"), 2))
}

func TestResolve(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.team("payments", "ann")
	w.add("group:default/renamed", map[string]any{"type": "team", "children": []any{}, "profile": map[string]any{"email": "Platform@acme.example"}}, "", annotationTeam, "acme/platform")
	w.add("group:default/taken", map[string]any{"type": "team", "children": []any{}}, "", annotationTeam, "other/taken")
	w.add("user:default/robert", map[string]any{"memberOf": []any{}, "profile": map[string]any{"email": "bob@acme.example"}}, "", annotationUser, "bob")
	for written, want := range map[string]string{
		"@acme/payments":        "group:default/payments true",
		"@ACME/Payments":        "group:default/payments true",
		"@acme/platform":        "group:default/renamed true",
		"@acme/taken":           "group:default/taken false",
		"@other/taken":          "group:default/taken true",
		"@ann":                  "user:default/ann true",
		"@bob":                  "user:default/robert true",
		"@payments":             "group:default/payments true",
		"@nobody":               "user:default/nobody false",
		"Bob@acme.example":      "user:default/robert true",
		"platform@acme.example": "group:default/renamed true",
		"eve@acme.example":      "::/ false",
		"payments":              "group:default/payments true",
		"platform":              "group:default/renamed true",
		"acme/platform":         "group:default/renamed true",
		"user:default/ann":      "user:default/ann true",
		"a:b:c":                 "::/ false",
		"@":                     "::/ false",
		"@acme/":                "::/ false",
	} {
		p := &people{census: &census{}}
		got, ok := p.resolve(view{w}, written)
		key := got.Key()
		if got.IsZero() {
			key = "::/"
		}
		if ok {
			key += " true"
		} else {
			key += " false"
		}
		require.Equal(t, want, key, written)
	}
	// A name that is that of an entity is found without going through all of them.
	clear(w.reads)
	_, ok := (&people{census: &census{}}).resolve(view{w}, "@acme/payments")
	require.True(t, ok)
	require.Empty(t, w.reads)
}

func TestInherited(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.team("near", "ann", "bob")
	w.team("far", "cyn", "dan")
	w.team("direct", "eve", "fay")
	w.add("domain:default/bank", map[string]any{"owner": "far", "subdomainOf": "bank"}, "")
	w.add("system:default/pay", map[string]any{"owner": "near", "domain": "bank"}, "")
	w.add("system:default/lost", map[string]any{"owner": "nobody", "domain": "bank"}, "")
	w.add("component:default/in", map[string]any{"system": "pay"}, "")
	w.add("component:default/sub", map[string]any{"subcomponentOf": "in"}, "")
	w.add("component:default/through", map[string]any{"system": "lost"}, "")
	w.add("component:default/own", map[string]any{"system": "pay", "owner": "direct"}, "")
	w.add("component:default/a", map[string]any{"subcomponentOf": "b"}, "")
	w.add("component:default/b", map[string]any{"subcomponentOf": "a"}, "")

	o := w.explain(`{}`, "component:default/in")
	require.Equal(t, "near inherited", o.Owner.Name+" "+string(o.Source))
	require.InDelta(t, 0.7, o.Confidence, 1e-9)
	require.Equal(t, becauseBetter, because(t, &o, SourceInherited, "far"))
	o = w.explain(`{}`, "component:default/sub")
	require.Equal(t, "near", o.Owner.Name)
	require.InDelta(t, 0.6, o.Confidence, 1e-9)
	require.Equal(t, "far", must(w.explain(`{}`, "component:default/through")).Owner.Name)
	require.Equal(t, StatusUnowned, must(w.explain(`{}`, "component:default/a")).Status)
	require.Equal(t, StatusUnowned, must(w.explain(`{"inheritance":"NONE"}`, "component:default/in")).Status)
	o = w.explain(`{"inheritance":"APPEND"}`, "component:default/own")
	require.Equal(t, "direct", o.Owner.Name)
	require.Equal(t, []catalog.Ref{ref("group", "near")}, o.Additional)

	// A decision about the system reaches its parts.
	w.record(OverrideKey(ref("system", "pay")), Override{Owner: "group:default/far", Reason: "handed over", Actor: "user:default/ann", Time: w.now})
	require.Equal(t, "far", must(w.explain(`{}`, "component:default/in")).Owner.Name)
	require.ElementsMatch(t, []catalog.Ref{ref("system", "pay"), ref("component", "in"), ref("component", "own"), ref("component", "sub")}, Affected(view{w}, ref("system", "pay")))
}

func must(o Ownership) *Ownership { return &o }

func TestOverride(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.team("a", "ann", "bob")
	w.team("b", "cyn", "dan")
	e := w.add("component:default/web", map[string]any{"owner": "a"}, "")
	w.record(OverrideKey(e), Override{Owner: "group:default/b", Reason: "handed over", Actor: "user:default/ann", Time: w.now, Expires: w.now.Add(daily)})
	o := w.explain(`{}`, "component:default/web")
	require.Equal(t, "b override", o.Owner.Name+" "+string(o.Source))
	require.Equal(t, becauseHigher, because(t, &o, SourceDeclared, "a"))
	require.Equal(t, "user:default/ann decided on 2026-03-01: handed over (until 2026-03-02)", o.Candidates[0].Evidence[0].Text)
	w.now = w.now.Add(daily)
	require.Equal(t, "a", must(w.explain(`{}`, "component:default/web")).Owner.Name)
}

func TestProperty(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.team("a", "ann", "bob")
	w.team("b", "cyn", "dan")
	w.add("component:default/web", map[string]any{"type": "service"}, "acme/web:catalog-info.yaml")
	w.repo("web", func(r *plugins.Repository) { r.Topics = []string{"go", "owner-b"} })
	require.Equal(t, "b property", pair(w.explain(`{}`, "component:default/web")))
	require.Equal(t, " none", pair(w.explain(`{"topicPrefix":"team-"}`, "component:default/web")))
	w.repo("web", func(r *plugins.Repository) {
		r.Topics, r.Properties = []string{"owner-b"}, map[string]string{"owner": "a", "cost": "1"}
	})
	o := w.explain(`{}`, "component:default/web")
	require.Equal(t, "a property", pair(o))
	require.Equal(t, becauseBetter, because(t, &o, SourceProperty, "b"))
	require.Equal(t, "b property", pair(w.explain(`{"properties":["squad"]}`, "component:default/web")))
}

func pair(o Ownership) string { return o.Owner.Name + " " + string(o.Source) }

func TestPermission(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.team("big", "a1", "a2", "a3")
	w.team("small", "b1", "b2")
	w.team("admins", "c1", "c2")
	w.team("readers", "d1", "d2")
	w.add("component:default/web", nil, "acme/web:catalog-info.yaml")
	w.repo("web", func(r *plugins.Repository) {
		r.Teams = map[string]string{"big": "maintain", "small": "maintain", "admins": "admin", "readers": "pull"}
	})
	for _, name := range []string{"r1", "r2", "r3", "r4", "r5"} {
		w.add("component:default/"+name, nil, "acme/"+name+":catalog-info.yaml")
		w.repo(name, func(r *plugins.Repository) { r.Teams = map[string]string{"admins": "admin"} })
	}
	o := w.explain(`{}`, "component:default/web")
	require.Equal(t, "small permission", pair(o), "the smaller team of the two that maintain it; the admins are everywhere")
	require.Contains(t, because(t, &o, SourcePermission, "admins"), "access to 100 %")
	require.Equal(t, becauseBetter, because(t, &o, SourcePermission, "big"))
	for _, c := range o.Candidates {
		require.NotEqual(t, "readers", c.Owner.Name)
	}
	w.repo("web", func(r *plugins.Repository) {
		r.Teams = map[string]string{"big": "push", "small": "pull", "missing": "admin"}
	})
	o = w.explain(`{}`, "component:default/web")
	require.Equal(t, "big permission", pair(o))
	require.InDelta(t, 0.4, o.Confidence, 1e-9)
	require.Equal(t, becauseMissing, because(t, &o, SourcePermission, "missing"))
}

func TestActivity(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.team("a", "ann", "bob")
	w.team("b", "cyn", "dan")
	w.add("component:default/web", nil, "acme/web:catalog-info.yaml")
	w.repo("web", nil)
	w.commit("web", "ann", 12, 1)
	w.commit("web", "bob", 12, 1)
	w.commit("web", "cyn", 2, 1)
	w.commit("web", "renovate[bot]", 500, 1)
	o := w.explain(`{}`, "component:default/web")
	require.Equal(t, " none", pair(o), "activity recommends")
	require.Equal(t, becauseAutoApply, because(t, &o, SourceActivity, "a"))
	require.InDelta(t, 24.0/26, o.Candidates[0].Confidence, 0.001)
	require.Contains(t, because(t, &o, SourceActivity, "b"), "it did 8 % of the work")
	require.Equal(t, "a activity", pair(w.explain(`{"autoApply":true}`, "component:default/web")))

	// One person is no team.
	clear(w.commits)
	w.commit("web", "ann", 40, 1)
	o = w.explain(`{"autoApply":true}`, "component:default/web")
	require.Equal(t, "only one person of the team commits", because(t, &o, SourceActivity, "a"))

	// Few commits are a weak recommendation.
	clear(w.commits)
	w.commit("web", "ann", 3, 1)
	w.commit("web", "bob", 3, 1)
	o = w.explain(`{"autoApply":true}`, "component:default/web")
	require.Equal(t, " none", pair(o))
	require.InDelta(t, 0.3, o.Candidates[0].Confidence, 0.001)
	require.Equal(t, "activity only recommends below a confidence of 0.8", because(t, &o, SourceActivity, "a"))
}

// TestShares works the formula of the specification by hand.
func TestShares(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	at := func(person string, days float64, teams ...string) work {
		c := work{Person: person, Commit: &plugins.Commit{Time: w.now.Add(-hours(24 * days))}}
		for _, x := range teams {
			c.Teams = append(c.Teams, ref("group", x))
		}
		return c
	}
	got, n := shares([]work{
		at("ann", 0, "a"),       // 1
		at("bob", 30, "a", "b"), // ½, a quarter for each
		at("eve", 60),           // ¼, for nobody
		at("old", 181, "b"),
	}, w.now.Add(-activityWindow), w.now)
	require.Equal(t, 3, n)
	require.Len(t, got, 2)
	require.Equal(t, "a", got[0].Team.Name)
	require.InDelta(t, 1.25/1.75, got[0].Share, 1e-9)
	require.Equal(t, 2, got[0].Commits)
	require.Equal(t, 2, got[0].People)
	require.InDelta(t, 0.25/1.75, got[1].Share, 1e-9)
	require.InDelta(t, 1.25/1.75*2/20, got[0].confidence(), 1e-9)
}

func TestAuthor(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.team("a", "ann")
	w.add("user:default/robert", map[string]any{"memberOf": []any{}, "profile": map[string]any{"email": "bob@acme.example"}}, "", annotationUser, "bobby")
	g := gatherer{config: &Config{}, census: takeCensus(view{w}, nil)}
	for want, c := range map[string]plugins.Commit{
		"ann":    {Author: "Ann"},
		"robert": {Author: "bobby"},
		"":       {Email: "stranger@else.example"},
	} {
		got, ok := g.author(view{w}, &c)
		require.Equal(t, want, got.Name)
		require.Equal(t, want != "", ok)
	}
	for _, email := range []string{"ann@acme.example", "ANN@acme.example", "ann@users.noreply.github.com", "123+ann@users.noreply.github.com"} {
		got, _ := g.author(view{w}, &plugins.Commit{Email: email})
		require.Equal(t, "ann", got.Name, email)
	}
}

func TestPaging(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.team("ops", "ann", "bob")
	w.add("component:default/web", nil, "", "pagerduty.com/service-id", "PX1")
	config := `{"paging":{"annotations":["pagerduty.com/service-id"],"teams":{"PX1":"ops"}},"defaultOwner":"nobody"}`
	o := w.explain(config, "component:default/web")
	require.Equal(t, "ops paging", pair(o))
	require.Equal(t, becauseMissing, because(t, &o, SourceDefault, "nobody"))
	require.Equal(t, "ops default", pair(w.explain(`{"defaultOwner":"ops"}`, "component:default/web")))
	w.add("component:default/fact", nil, "")
	w.entities["component:default/fact"].Facts = []byte(`{"pagerduty.team":"group:default/ops"}`)
	require.Equal(t, "ops paging", pair(w.explain(`{"paging":{"facts":["pagerduty.team"]}}`, "component:default/fact")))
}

func TestResponsibilities(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.team("a", "ann", "bob")
	w.add("component:default/web", map[string]any{"owner": "a", "accountable": "user:ann", "responsibilities": map[string]any{"run": "sre", "security": "sec/team", "bad": "a:b:c", "worse": 1}}, "")
	o := w.explain(`{}`, "component:default/web")
	require.Equal(t, "user:default/ann", o.Accountable.Key())
	require.Equal(t, map[string]catalog.Ref{"run": ref("group", "sre"), "security": {Kind: "group", Namespace: "sec", Name: "team"}}, o.Responsibilities)
}

func TestPlace(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.repo("web", func(r *plugins.Repository) { r.Branch = "release/2" })
	for location, want := range map[string]string{
		"":                                 "deep/er",
		"url:https://github.com/acme/web":  "",
		"url:https://github.com/acme/web/": "",
		"url:https://github.com/ACME/Web/tree/release/2/":                   "",
		"url:https://github.com/acme/web/tree/release/2/services/a/":        "services/a",
		"url:https://github.com/acme/web/tree/main/services/a":              "services/a",
		"url:https://github.com/acme/web/-/tree/main/services/a":            "services/a",
		"url:https://github.com/acme/web/blob/main/services/a/catalog.yaml": "services/a",
		"url:https://github.com/acme/web/tree/main/../../x":                 "x",
		"url:https://github.com/acme/web.git":                               "",
		"url:https://github.com/acme/website/tree/main/":                    "elsewhere",
		"url:https://github.com/acme/other/tree/main/":                      "elsewhere",
		"url:https://gitlab.com/acme/web/tree/main/":                        "elsewhere",
		"url:://": "elsewhere",
		"dir:.":   "deep/er",
	} {
		name := "x"
		w.add("component:default/"+name, nil, "acme/web:deep/er/catalog-info.yaml", "backstage.io/source-location", location)
		got, ok := placeOf(view{w}, w.entities["component:default/"+name])
		folder := got.Folder
		if !ok {
			folder = "elsewhere"
		}
		require.Equal(t, want, folder, location)
	}
}

var errBroken = errors.New("the forge is down")

func TestTrouble(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.team("a", "ann", "bob")
	w.add("component:default/web", map[string]any{"owner": "a"}, "acme/web:catalog-info.yaml")
	w.add("component:default/bare", nil, "acme/web:catalog-info.yaml")
	w.repo("web", nil)
	w.broken = errBroken
	a := w.enrich(w.plugin(`{}`), "component:default/web")
	require.NoError(t, a.Err, "nothing that failed could have changed it")
	require.Equal(t, w.now.Add(hours(1)), a.Again)
	a = w.enrich(w.plugin(`{"autoApply":true}`), "component:default/bare")
	require.ErrorIs(t, a.Err, errBroken)
	require.Empty(t, a.Facts)
}

func TestConfigMistakes(t *testing.T) {
	t.Parallel()
	for config, want := range map[string]string{
		`{"inheritance":"MAYBE"}`:             "must be FALLBACK",
		`{"unheard":1}`:                       "unheard",
		`{"defaultOwner":"a:b:c"}`:            "defaultOwner",
		`{"codeowners":{"dialect":"svn"}}`:    "codeowners.dialect",
		`{"verification":{"days":0}}`:         "verification.days",
		`{"verification":{"tiers":{"1":0}}}`:  "verification.tiers.1",
		`{"paging":{"teams":{"P1":"a/b/c"}}}`: "paging.teams.P1",
		`{"kinds":`:                           "configuration of ownership",
	} {
		err := New().Configure(t.Context(), []byte(config), host{newWorld(t)})
		require.ErrorContains(t, err, want, config)
	}
	require.NoError(t, New().Describe().Check())
	require.True(t, strings.HasPrefix(configSchema, "{"))
	_, err := New().Enrich(t.Context(), nil)
	require.ErrorContains(t, err, "not configured")
}

func TestBots(t *testing.T) {
	t.Parallel()
	c := DefaultConfig()
	for _, name := range []string{"renovate[bot]", "dependabot", "Dependabot-preview", "49699333+dependabot[bot]@users.noreply.github.com", "acme-bot", "ci+bot@acme.example"} {
		require.True(t, c.isBot(name), name)
	}
	for _, name := range []string{"", "robot", "botox", "ann@acme.example"} {
		require.False(t, c.isBot(name), name)
	}
	for pattern, want := range map[string]bool{"abc": true, "a*": true, "*c": true, "a*c": true, "*b*": true, "*": true, "**": true, "ab": false, "b*": false, "*b": false, "abc*abc": false, "a*bc*c": false} {
		require.Equal(t, want, matchStars(pattern, "abc"), pattern)
	}
}

// TestDepends holds that each answer that needed all groups depends on them, and
// not only that of the first entity of a call.
func TestDepends(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.add("group:default/renamed", map[string]any{"type": "team", "children": []any{}}, "", annotationTeam, "acme/platform")
	w.repo("web", func(r *plugins.Repository) { r.Topics = []string{"owner-platform"} })
	p := w.plugin(`{}`)
	var subjects []plugins.Subject
	for _, name := range []string{"a", "b"} {
		e := w.add("component:default/"+name, nil, "acme/web:catalog-info.yaml")
		subjects = append(subjects, plugins.Subject{Entity: w.entities[e.Key()], View: &noting{view: view{w}, reads: map[string]struct{}{}}})
	}
	out, err := p.Enrich(t.Context(), subjects)
	require.NoError(t, err)
	for i, s := range subjects {
		require.Equal(t, "group:default/renamed", factsOf(out[i])[FactOwner])
		require.Contains(t, s.View.(*noting).reads, "k:group")
	}
}
