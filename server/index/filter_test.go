package index

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/waypost-dev/waypost/server/catalog"
)

// TestFilters: what is missing is an error for that entity, also under a
// negation, and numbers are equal whatever their type.
func TestFilters(t *testing.T) {
	t.Parallel()
	s := loaded(
		thing(t, "int", nil, map[string]any{"v": 1}),
		thing(t, "list", map[string]any{"tags": []any{"x"}}, map[string]any{"v": []any{"x", "y"}}),
		thing(t, "map", nil, map[string]any{"v": map[string]any{"x": 1}}),
		thing(t, "none", nil, map[string]any{"w": true}),
		thing(t, "null", nil, map[string]any{"v": nil}),
		thing(t, "text", nil, map[string]any{"v": "1"}),
	)
	for filter, want := range map[string]string{
		`entity.spec.v == 1`:                              "int",
		`entity.spec.v == 1.0`:                            "int",
		`1u == entity.spec.v`:                             "int",
		`entity.spec.v == "1"`:                            "text",
		`entity.spec.v == null`:                           "null",
		`!(entity.spec.v == 1)`:                           "list map null text",
		`entity.spec.v != 1`:                              "list map null text",
		`has(entity.spec.v)`:                              "int list map null text",
		`!has(entity.spec.v)`:                             "none",
		`!has(entity.spec.v) || entity.spec.v == 1`:       "int none",
		`"x" in entity.spec.v`:                            "list map",
		`!("x" in entity.spec.v)`:                         "",
		`entity.spec.v in [1, "1"]`:                       "int text",
		`!(entity.spec.v in [1, "1"])`:                    "list map null",
		`entity.spec.w`:                                   "none",
		`!entity.spec.w`:                                  "",
		`entity.spec.missing == 1 || true`:                "int list map none null text",
		`!(entity.spec.missing == 1 && false)`:            "int list map none null text",
		`!(entity.spec.missing == 1)`:                     "",
		`ref in ["thing:default/int", "thing:default/z"]`: "int",
	} {
		p, err := s.List(Query{Filter: filter, Size: 50})
		require.NoError(t, err, filter)
		require.Equal(t, want, strings.Join(names(p), " "), filter)
	}
}

// TestFacts: facts select, count and order as fields of the document do, and a
// change of them alone is heard.
func TestFacts(t *testing.T) {
	t.Parallel()
	with := func(name, facts string) *catalog.Entity {
		e := thing(t, name, nil, map[string]any{"v": 1})
		if facts != "" {
			e.Facts = []byte(facts)
		}
		return e
	}
	x := New()
	x.Load([]*catalog.Entity{
		with("a", `{"own.owner":"group:default/x","own.sure":0.9}`), with("b", `{"own.owner":"group:default/y","own.sure":0.5}`), with("none", ""),
	}, 1)
	check := func(filter, want string) {
		t.Helper()
		p, err := x.Snapshot().List(Query{Filter: filter, Size: 50})
		require.NoError(t, err, filter)
		require.Equal(t, want, strings.Join(names(p), " "), filter)
	}
	check(`facts["own.owner"] == "group:default/x"`, "a")
	check(`facts["own.owner"] != "group:default/x"`, "b")
	check(`!("own.owner" in facts)`, "none")
	check(`facts["own.sure"] >= 0.5`, "a b")
	check(`facts["own.sure"] >= 0.8 && entity.spec.v == 1`, "a")
	check(`size(facts) == 0`, "none")
	check("entity[\"\\u0000facts\"][\"own.owner\"] == \"group:default/x\"", "")
	f, _, err := x.Snapshot().Facets("", []string{`facts["own.owner"]`}, 0)
	require.NoError(t, err)
	require.Equal(t, []FacetValue{{"group:default/x", 1}, {"group:default/y", 1}}, f[0].Values)
	p, err := x.Snapshot().List(Query{OrderBy: `facts["own.sure"]`, Size: 50})
	require.NoError(t, err)
	require.Equal(t, "b a none", strings.Join(names(p), " "))

	before, _ := x.Snapshot().Get(with("b", "").Ref)
	x.Apply([]catalog.Change{{Revision: 2, Op: catalog.OpFacts, Entity: with("b", `{"own.owner":"group:default/x"}`)}})
	after, _ := x.Snapshot().Get(before.Entity.Ref)
	require.NotSame(t, before, after, "what was rendered is rendered anew")
	check(`facts["own.owner"] == "group:default/x"`, "a b")
	f, _, err = x.Snapshot().Facets("", []string{`facts["own.owner"]`}, 0)
	require.NoError(t, err)
	require.Equal(t, []FacetValue{{"group:default/x", 2}}, f[0].Values)
	_, _, err = x.Snapshot().Facets("", []string{"facts"}, 0)
	require.Error(t, err)
}

// TestHighlightRanges: whatever the text is, ranges are ascending, within the
// text and on the boundaries of characters.
func TestHighlightRanges(t *testing.T) {
	t.Parallel()
	word := rapid.SampledFrom([]string{"İstanbul", "Straße", "ledgerBook", "Crème", "ΟΔΟΣ", "e\u0301te\u0301", "日本語", "a-b", "ﬁn", "🙂", "K", " "})
	rapid.Check(t, func(t *rapid.T) {
		title := strings.Join(rapid.SliceOfN(word, 1, 60).Draw(t, "title"), rapid.SampledFrom([]string{" ", "", "-"}).Draw(t, "between"))
		ask := word.Draw(t, "asked")
		f, err := loaded(thing(t, "n", map[string]any{"title": title}, nil)).Search(Search{Text: ask, Size: 5})
		require.NoError(t, err)
		for _, hit := range f.Hits {
			for _, h := range hit.Highlights {
				at := fmt.Sprintf("%v for %q in %q", h.Ranges, ask, h.Text)
				require.True(t, utf8.ValidString(h.Text), at)
				end := 0
				for _, r := range h.Ranges {
					require.GreaterOrEqual(t, r[0], end, at)
					require.Greater(t, r[1], r[0], at)
					require.LessOrEqual(t, r[1], len(h.Text), at)
					require.True(t, utf8.ValidString(h.Text[r[0]:r[1]]), at)
					end = r[1]
				}
			}
		}
	})
}
