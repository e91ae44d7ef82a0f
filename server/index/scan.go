package index

import "strings"

// members calls yield for each member of an object in a document, until it
// returns false: the key and the value as they are written. Documents have no
// white space, which makes this several times as fast as a parser that must
// look for it; search reads every document that it shows.
func members(object string, yield func(key, value string) bool) {
	if object == "" || object[0] != '{' {
		return
	}
	for i := 1; i < len(object) && object[i] == '"'; i++ {
		end := stringEnd(object, i)
		if end < i+2 {
			return // cut short
		}
		key := object[i+1 : end-1]
		i = end + 1 // behind the colon
		if end = valueEnd(object, i); end > len(object) || end <= i || !yield(key, object[i:end]) {
			return
		}
		i = end // at the comma, or the end
	}
}

// openMembers is members for an object of which it need not be known where it
// and its values end: rest begins with the value, and more may follow.
func openMembers(object string, yield func(key, rest string) bool) {
	if object == "" || object[0] != '{' {
		return
	}
	for i := 1; i < len(object) && object[i] == '"'; i++ {
		end := stringEnd(object, i)
		if end < i+2 {
			return // cut short
		}
		key := object[i+1 : end-1]
		if i = end + 1; i >= len(object) || !yield(key, object[i:]) {
			return
		}
		i = valueEnd(object, i)
	}
}

// stringEnd is behind the string that begins at i.
func stringEnd(s string, i int) int {
	for i++; ; i++ {
		n := strings.IndexByte(s[i:], '"')
		if n < 0 {
			return len(s)
		}
		i += n
		back := i
		for s[back-1] == '\\' {
			back--
		}
		if (i-back)%2 == 0 {
			return i + 1
		}
	}
}

// valueEnd is behind the value that begins at i.
func valueEnd(s string, i int) int {
	depth := 0
	for i < len(s) {
		switch s[i] {
		case '"':
			i = stringEnd(s, i)
			if depth == 0 {
				return i
			}
			continue
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 {
				return i // of a number or a word
			}
			if depth--; depth == 0 {
				return i + 1
			}
		case ',':
			if depth == 0 {
				return i
			}
		}
		i++
	}
	return i
}
