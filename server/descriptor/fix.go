package descriptor

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/waypost-dev/waypost/server/catalog"
)

// maxFix is the length in bytes of the longest line that a fix shows.
const maxFix = 500

// fix says what to write on the line of a violation, if that is certain: the
// text at fault stands there once and as it is.
func (d *decoder) fix(v catalog.Violation, node *yaml.Node, line int) catalog.Fix {
	if node == nil || node.Kind != yaml.ScalarNode || node.Value == "" || line < 1 {
		return catalog.Fix{}
	}
	written := v.Suggest(node.Value)
	if written == "" {
		return catalog.Fix{}
	}
	found := lineOf(d.file.Content, line)
	if len(found) > maxFix || !utf8.ValidString(found) || strings.Count(found, node.Value) != 1 {
		return catalog.Fix{}
	}
	return catalog.Fix{Line: line, Found: found, Replacement: strings.Replace(found, node.Value, written, 1)}
}

// lineOf is a line of a text, from 1, without its end; empty if there is none.
func lineOf(text []byte, n int) string {
	for ; n > 1; n-- {
		_, rest, ok := bytes.Cut(text, []byte("\n"))
		if !ok {
			return ""
		}
		text = rest
	}
	line, _, _ := bytes.Cut(text, []byte("\n"))
	return strings.TrimRight(string(line), "\r")
}
