package descriptor

import (
	"bytes"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/waypost-dev/waypost/server/catalog"
)

// yamlError is the form of the parser's errors.
var yamlError = regexp.MustCompile(`^yaml: (?:line (\d+): )?(.*)$`)

// syntax tells of a document that is not YAML.
func (d *decoder) syntax(p piece, err error) {
	line, column, message := locate(p.text, err)
	found := catalog.Problem{Code: catalog.CodeSyntax, Severity: catalog.SeverityError, Line: p.line + line - 1, Column: column,
		Message: "the document is not YAML: " + clip(message), Hint: "mend this line or the one before it"}
	lines := bytes.Split(p.text, []byte("\n"))
	at := lines[line-1]
	indent := at[:len(at)-len(bytes.TrimLeft(at, " \t"))]
	tab := bytes.IndexByte(indent, '\t')
	switch {
	case placeholder.Match(at) || strings.Contains(message, "cannot start any token") && placeholder.Match(p.text):
		found.Code = catalog.CodeTemplate
		found.Hint = "this looks like the skeleton of a software template; leave its folder out of the patterns that are harvested, or put quotes around the placeholders"
	case tab >= 0:
		found.Column = tab + 1
		found.Message = "the line is indented with a tab"
		found.Hint = "indent with spaces; YAML allows no tabs there"
	case bytes.IndexByte(at, '\t') >= 0 && strings.Contains(message, "cannot start any token"):
		found.Hint = "write a space instead of the tab"
	case strings.Contains(message, "mapping values are not allowed"):
		found.Hint = "put quotes around a value that has a colon and a space in it, or indent this line as the one before it"
	case strings.Contains(message, "cannot start any token"):
		found.Hint = "put quotes around a value that starts with @, ` or %"
	case strings.Contains(message, "unknown anchor"):
		found.Hint = "declare the anchor with & before it is used, or put quotes around a value that starts with *"
	case strings.Contains(message, "did not find expected key"), strings.Contains(message, "did not find expected '-' indicator"):
		found.Hint = "indent this line as its neighbours, or close the quotes or brackets before it"
	case strings.Contains(message, "unexpected end of stream"), strings.Contains(message, "did not find expected ',' or"):
		found.Hint = "close the quote or bracket that is opened here"
	}
	d.problem(found)
}

// placeholder is what template engines put into skeletons.
var placeholder = regexp.MustCompile(`\{\{|\{%|<%`)

// maxLocated is the size up to which the place of a syntax error is searched.
const maxLocated = 64 << 10

// locate finds where in text the parser gives up, from 1. The parser tells a
// line at best, and often the one on which the enclosing mapping starts. So the
// shortest beginning of the text is searched that makes it say the same.
func locate(text []byte, err error) (line, column int, message string) {
	line, message = 1, err.Error()
	if m := yamlError.FindStringSubmatch(message); m != nil {
		message = m[2]
		if n, err := strconv.Atoi(m[1]); err == nil {
			line = min(max(n, 1), bytes.Count(text, []byte("\n"))+1)
		}
	}
	if len(text) > maxLocated {
		return line, 0, message
	}
	same := func(end int) bool {
		_, err := parse(text[:end])
		return err != nil && strings.HasSuffix(err.Error(), message)
	}
	var ends []int // of the lines, their line ends included
	for at := 0; at < len(text); {
		next := bytes.IndexByte(text[at:], '\n')
		if next < 0 {
			ends = append(ends, len(text))
			break
		}
		at += next + 1
		ends = append(ends, at)
	}
	n := sort.Search(len(ends)-1, func(i int) bool { return same(ends[i]) })
	if n < 0 || !same(ends[n]) {
		return line, 0, message
	}
	start := 0
	if n > 0 {
		start = ends[n-1]
	}
	within := sort.Search(ends[n]-start, func(i int) bool { return same(start + i + 1) })
	within = min(within, len(bytes.TrimRight(text[start:ends[n]], "\r\n")))
	return n + 1, utf8.RuneCount(text[start:start+within]) + 1, message
}
