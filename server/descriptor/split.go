package descriptor

import (
	"bytes"
)

// piece is one document of a stream, with its marker.
type piece struct {
	text []byte
	line int // of the file on which it starts, from 1
}

// split cuts a stream into documents at the markers, which YAML allows in the
// first column only, whatever stands around them. Each document is then parsed
// by itself, so that a fault in one leaves the others alone.
func split(content []byte) []piece {
	var out []piece
	start, startLine := 0, 1
	open := false       // content was seen since start
	directives := false // a %-line was seen since start; it belongs to the next ---
	cut := func(end, next, nextLine int) {
		if open {
			out = append(out, piece{withoutVersion(content[start:end]), startLine})
		}
		start, startLine, open, directives = next, nextLine, false, false
	}
	for at, line := 0, 1; at < len(content); line++ {
		end := bytes.IndexByte(content[at:], '\n')
		next := len(content)
		if end >= 0 {
			next = at + end + 1
		}
		text := content[at:next]
		switch {
		case marker(text, "---"):
			if !directives || open {
				cut(at, at, line)
			}
			open, directives = true, false
		case marker(text, "..."):
			cut(at, next, line+1)
		case !open && len(text) > 0 && text[0] == '%':
			directives = true
		case !blank(text):
			open = true
		}
		at = next
	}
	cut(len(content), len(content), 0)
	return out
}

// withoutVersion makes a comment of a %YAML directive: the parser refuses every
// version but 1.1, and we read all as 1.2 anyway.
func withoutVersion(text []byte) []byte {
	for at := 0; at < len(text) && !marker(text[at:], "---"); {
		if bytes.HasPrefix(text[at:], []byte("%YAML")) {
			text = bytes.Clone(text)
			text[at] = '#'
			return text
		}
		next := bytes.IndexByte(text[at:], '\n')
		if next < 0 || !blank(text[at:at+next]) && text[at] != '%' {
			break
		}
		at += next + 1
	}
	return text
}

// marker tells whether a line is a document marker.
func marker(line []byte, mark string) bool {
	if !bytes.HasPrefix(line, []byte(mark)) {
		return false
	}
	return len(line) == 3 || line[3] == ' ' || line[3] == '\t' || line[3] == '\n' || line[3] == '\r'
}

// blank tells whether a line holds nothing but space or a comment.
func blank(line []byte) bool {
	line = bytes.TrimSpace(line)
	return len(line) == 0 || line[0] == '#'
}
