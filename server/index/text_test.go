package index

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// TestTokenize holds the words of a text against what the rules of tokenize
// say of each place between two runes, looked at on its own.
func TestTokenize(t *testing.T) {
	t.Parallel()
	plainly := func(s string) (out []token) {
		var at []int
		var runes []rune
		for i, r := range s {
			at, runes = append(at, i), append(runes, r)
		}
		at = append(at, len(s))
		word := func(i int) bool { return i >= 0 && i < len(runes) && isWordRune(runes[i]) }
		run := 0 // where the letters and digits without a gap began
		for i := range runes {
			if !word(i) {
				continue
			}
			camel := word(i-1) && lower(runes[i-1]) && upper(runes[i])
			// The last of several capitals begins a word if a small letter of
			// ASCII follows, but not as the second of a run.
			last := word(i-1) && i-run >= 2 && upper(runes[i-1]) && upper(runes[i]) && i+1 < len(runes) && 'a' <= runes[i+1] && runes[i+1] <= 'z'
			if !word(i - 1) {
				run = i
			}
			if !word(i-1) || camel || last {
				out = append(out, token{at[i], 0})
			}
			out[len(out)-1].to = at[i+1]
		}
		return out
	}
	require.Equal(t, []token{{0, 4}, {4, 10}, {11, 13}}, plainly("HTTPServer v2"))
	text := rapid.OneOf(rapid.StringMatching(`[a-zA-Z0-9 _.-]{0,40}`), rapid.StringMatching(`[a-cA-C1éÉßΣς\x{301} -]{0,20}`))
	rapid.Check(t, func(t *rapid.T) {
		s := text.Draw(t, "text")
		require.Equal(t, plainly(s), tokenize(s, nil), "%q", s)
	})
}
