package index

import (
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// token is a word of a text: where it stands, and how it is compared.
type token struct{ from, to int }

// maxText bounds how much of a field is searched, in bytes, and maxTokens how
// many of its words.
const (
	maxText   = 4096
	maxTokens = 400
)

// tokenize splits a text into words: runs of letters and digits, split again
// where lower case turns to upper case (camelCase), and before the last of
// several capitals (HTTPServer). Marks belong to the letter before them.
func tokenize(s string, out []token) []token {
	if len(s) > maxText {
		s = s[:maxText]
	}
	start, runs := -1, 0
	var before rune
	for i := 0; i < len(s); {
		if plain[s[i]] { // as most of most texts is
			if start < 0 {
				start, runs = i, -1
			}
			for ; i < len(s) && plain[s[i]]; i++ {
				runs++
			}
			before = rune(s[i-1])
			continue
		}
		r, w := rune(s[i]), 1
		if r >= utf8.RuneSelf {
			r, w = utf8.DecodeRuneInString(s[i:])
		}
		word := isWordRune(r)
		if word && start >= 0 && upper(r) {
			if lower(before) {
				out, start = append(out, token{start, i}), i
			} else if upper(before) && i+w < len(s) && i > start && 'a' <= s[i+w] && s[i+w] <= 'z' && runs > 0 {
				out, start = append(out, token{start, i}), i
			}
		}
		switch {
		case word && start < 0:
			start, runs = i, 0
		case word:
			runs++
		case start >= 0:
			out, start = append(out, token{start, i}), -1
		}
		if len(out) >= maxTokens {
			return out
		}
		before = r
		i += w
	}
	if start >= 0 {
		out = append(out, token{start, len(s)})
	}
	return out
}

// plain are small letters and digits of ASCII.
var plain = func() (p [256]bool) {
	for _, c := range []byte("abcdefghijklmnopqrstuvwxyz0123456789") {
		p[c] = true
	}
	return p
}()

func isWordRune(r rune) bool {
	if r < utf8.RuneSelf {
		return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
	}
	return unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.Is(unicode.Mn, r)
}

func upper(r rune) bool {
	if r < utf8.RuneSelf {
		return 'A' <= r && r <= 'Z'
	}
	return unicode.IsUpper(r)
}

func lower(r rune) bool {
	if r < utf8.RuneSelf {
		return 'a' <= r && r <= 'z'
	}
	return unicode.IsLower(r)
}

// maxWord bounds a word, in bytes.
const maxWord = 64

// fold writes a word in the form in which words are compared: compatibility
// decomposition without marks, in lower case (Unicode TR 15, NFKD). Sharp s
// and final sigma become what they are in capitals' lower case.
func fold(b []byte, word string) []byte {
	if len(word) > maxWord {
		word = clip(word[:maxWord])
	}
	for i := range len(word) {
		c := word[i]
		if c >= utf8.RuneSelf {
			return foldUnicode(b[:0], word)
		}
		if 'A' <= c && c <= 'Z' {
			c |= 0x20
		}
		b = append(b, c)
	}
	return b
}

func foldUnicode(b []byte, word string) []byte {
	for _, r := range norm.NFKD.String(word) {
		switch {
		case unicode.Is(unicode.Mn, r):
		case r == 'ß':
			b = append(b, "ss"...)
		case r == 'ς':
			b = utf8.AppendRune(b, 'σ')
		default:
			b = utf8.AppendRune(b, unicode.ToLower(r))
		}
	}
	return b
}
