package store

import (
	"encoding/hex"
	"strings"
	"unicode/utf8"
)

// marked begins a string that is kept in hexadecimal.
const marked = "\uFFFDhex:"

// toText is s in a form that every database takes as text: PostgreSQL takes
// neither NUL nor what is not UTF-8, and paths and names may hold both. Other
// strings stay as they are; fromText gives s back.
func toText(s string) string {
	if utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 && !strings.HasPrefix(s, marked) {
		return s
	}
	return marked + hex.EncodeToString([]byte(s))
}

// fromText undoes toText.
func fromText(s string) string {
	digits, ok := strings.CutPrefix(s, marked)
	if !ok {
		return s
	}
	b, err := hex.DecodeString(digits)
	if err != nil {
		return s // not ours
	}
	return string(b)
}
