package descriptor

import (
	"bytes"
	"regexp"
)

// The parser takes some 200 bytes of memory for each value, so that a list of
// ones within the bound of size would take a gigabyte. It has no bound of its
// own; therefore the values are counted before it sees them.

// crowded tells whether a document may hold more than maxNodes values. It errs
// on the side of counting too many, save that text in block scalars, such as
// an API's definition in JSON, is passed over where it is certainly that.
func crowded(text []byte) bool {
	if len(text) < maxNodes {
		return false // each value takes a byte at least
	}
	return separators(text) > maxNodes && countOutsideBlocks(text) > maxNodes
}

// separators counts the places between which values stand: a value begins a
// line, or follows one of these.
func separators(text []byte) int {
	n := 0
	for _, c := range text {
		switch c {
		case '\n', ',', '[', '{', ':', '-', '?':
			n++
		}
	}
	return n
}

const key = `(?:[\w.$/-]+|"[^"\\]*"|'[^']*') *:`

var (
	// blockHeader is a line after which a block scalar stands, provided that no
	// quotes and no brackets are open before it.
	blockHeader = regexp.MustCompile(`^ *(?:- +)*` + key + ` +[|>][0-9+-]{0,2}\s*$`)
	// closed is a line that opens no quotes and no brackets without closing
	// them, under the same provision. It need not match every such line.
	closed = regexp.MustCompile(`^ *(?:#.*|(?:- +)*(?:` + key + `(?: +|$))?(?:"[^"\\]*"|'[^']*'|\[[^"'\[\]{}]*\]|[^"'\[\]{}]*))\s*$`)
)

// countOutsideBlocks counts without the lines of block scalars, up to the
// first line that might leave a quote or bracket open; from there on it counts
// them all.
func countOutsideBlocks(text []byte) int {
	n := 0
	indent := -1 // of the header of the block scalar in which we are
	for len(text) > 0 {
		end := bytes.IndexByte(text, '\n') + 1
		if end == 0 {
			end = len(text)
		}
		line := text[:end]
		spaces := len(line) - len(bytes.TrimLeft(line, " "))
		if indent >= 0 && (spaces > indent || len(bytes.TrimSpace(line)) == 0) {
			text = text[end:]
			continue
		}
		indent = -1
		switch {
		case blockHeader.Match(line):
			indent = spaces
		case !closed.Match(line):
			return n + separators(text)
		}
		n += separators(line)
		text = text[end:]
	}
	return n
}
