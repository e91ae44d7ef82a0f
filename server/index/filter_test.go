package index

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
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
