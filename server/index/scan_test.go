package index

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// TestMembers holds the scanner against encoding/json, whose output for maps is
// what documents look like.
func TestMembers(t *testing.T) {
	t.Parallel()
	text := rapid.OneOf(rapid.String(), rapid.StringMatching(`["\\{}\[\]:,a\n]{0,8}`))
	leaf := rapid.OneOf(rapid.Map(text, func(s string) any { return s }), rapid.Map(rapid.Float64Range(-1e9, 1e9), func(f float64) any { return f }),
		rapid.Just[any](nil), rapid.Just[any](true), rapid.Just[any]([]any{}), rapid.Just[any](map[string]any{}))
	value := rapid.OneOf(leaf, rapid.Map(rapid.SliceOfN(leaf, 0, 4), func(l []any) any { return l }),
		rapid.Map(rapid.MapOfN(text, leaf, 0, 4), func(m map[string]any) any { return m }))
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.MapOfN(text, value, 0, 6).Draw(t, "object")
		var b strings.Builder
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(false)
		require.NoError(t, e.Encode(want))
		got := map[string]any{}
		members(strings.TrimSpace(b.String()), func(key, raw string) bool {
			var k string
			require.NoError(t, json.Unmarshal([]byte(`"`+key+`"`), &k), key)
			var v any
			require.NoError(t, json.Unmarshal([]byte(raw), &v), raw)
			got[k] = v
			return true
		})
		text, err := json.Marshal(want)
		require.NoError(t, err)
		again, err := json.Marshal(got)
		require.NoError(t, err)
		require.JSONEq(t, string(text), string(again))
	})
}

// What is no object, or cut off, is passed over.
func TestMembersOfOddities(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"", "{", "{}", "[]", `"a"`, "null", `{"a`, `{"a"`, `{"a":`, `{"a":[`, `{"a":"b`, `{"a":1`, `{"a":1,`, `{"\`} {
		members(s, func(string, string) bool { return true })
	}
}
