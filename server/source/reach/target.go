package reach

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/waypost-dev/waypost/server/catalog"
)

// Target is one target of a Location and where it is written.
type Target struct {
	Kind         string // spec.type: file, url, or empty
	Text         string
	Optional     bool // spec.presence
	Field        string
	Line, Column int
	Entity       string // ref of the Location; empty if it has no name
}

// maybe tells whether a document may be a Location, in YAML or JSON: it looks
// for kind: Location. Most files hold none, and are not parsed for it.
func maybe(b []byte) bool {
	for {
		i := bytes.Index(b, []byte("ocation"))
		if i < 0 {
			return false
		}
		before := b[:max(i-1, 0)]
		if i > 0 && b[i-1]|0x20 == 'l' {
			before = bytes.TrimRight(before, " \t\r\n\"'")
			if key, ok := bytes.CutSuffix(before, []byte(":")); ok {
				key = bytes.TrimRight(key, " \t\"'")
				if len(key) >= 4 && string(key[len(key)-4:]) == "kind" {
					return true
				}
			}
		}
		b = b[i+len("ocation"):]
	}
}

// maxTargets of one file.
const maxTargets = 10_000

// Targets reads the Locations in a file, as far as they can be read: what is
// wrong with them is told when the file is decoded as a whole.
func Targets(content []byte) []Target {
	if !maybe(content) {
		return nil
	}
	var found []Target
	for _, part := range documents(content) {
		if !maybe(part.text) {
			continue
		}
		root, err := parse(part.text)
		if err != nil {
			continue
		}
		kind := field(root, "kind")
		if kind == nil || !strings.EqualFold(kind.Value, "location") {
			continue
		}
		spec := field(root, "spec")
		if spec == nil {
			continue
		}
		var common Target
		if t := field(spec, "type"); t != nil {
			common.Kind = t.Value
		}
		common.Entity = refOf(kind.Value, field(root, "metadata"))
		if p := field(spec, "presence"); p != nil {
			common.Optional = p.Value == "optional"
		}
		add := func(node *yaml.Node, name string) {
			if node == nil || node.Kind != yaml.ScalarNode || node.Value == "" || len(found) == maxTargets {
				return
			}
			t := common
			t.Text, t.Field, t.Line, t.Column = node.Value, name, node.Line+part.line, node.Column
			found = append(found, t)
		}
		add(field(spec, "target"), "spec.target")
		if list := field(spec, "targets"); list != nil && list.Kind == yaml.SequenceNode {
			for i, item := range list.Content {
				add(resolved(item), fmt.Sprintf("spec.targets.%d", i))
			}
		}
	}
	return found
}

// refOf is the ref of an entity as it is written, as far as it can be read.
func refOf(kind string, metadata *yaml.Node) string {
	text := func(name string) string {
		if metadata == nil {
			return ""
		}
		if n := field(metadata, name); n != nil && n.Kind == yaml.ScalarNode {
			return n.Value
		}
		return ""
	}
	r := catalog.Ref{Kind: kind, Namespace: cmp.Or(text("namespace"), catalog.DefaultNamespace), Name: text("name")}
	if r.Name == "" || len(r.String()) > 300 {
		return ""
	}
	return r.String()
}

// maxSeparators bounds what the parser is given, which takes some 200 bytes of
// memory for each value: there is one between two separators.
const maxSeparators = 300_000

// parse returns the root of a YAML document. A fault of the parser itself is an
// error too: it must not take the other files with it.
func parse(text []byte) (root *yaml.Node, err error) {
	defer func() {
		if p := recover(); p != nil {
			root, err = nil, fmt.Errorf("yaml: the parser failed: %v", p)
		}
	}()
	separators := 0
	for _, c := range text {
		switch c {
		case '\n', ',', '[', '{', ':', '-', '?':
			separators++
		}
	}
	if separators > maxSeparators {
		return nil, errors.New("the document may hold too many values")
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return nil, err
	}
	if len(doc.Content) == 0 {
		return nil, errors.New("the document is empty")
	}
	return doc.Content[0], nil
}

// part is one YAML document of a file.
type part struct {
	text []byte
	line int // lines before it
}

// documents cuts a file at its lines that start with ---, which always end a
// YAML document.
func documents(b []byte) []part {
	var parts []part
	start, first := 0, 0
	line := 0
	for at := 0; at < len(b); line++ {
		end := bytes.IndexByte(b[at:], '\n')
		if end < 0 {
			end = len(b)
		} else {
			end += at + 1
		}
		if l := bytes.TrimRight(b[at:end], "\r\n"); bytes.HasPrefix(l, []byte("---")) && (len(l) == 3 || l[3] == ' ' || l[3] == '\t') {
			parts = append(parts, part{b[start:at], first})
			start, first = at, line
		}
		at = end
	}
	return append(parts, part{b[start:], first})
}

// field is the value of a key, with an alias resolved; nil if there is none.
func field(mapping *yaml.Node, key string) *yaml.Node {
	mapping = resolved(mapping)
	if mapping == nil || mapping.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		if mapping.Content[i].Value == key {
			return resolved(mapping.Content[i+1])
		}
	}
	return nil
}

func resolved(n *yaml.Node) *yaml.Node {
	if n != nil && n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

// IsGlob tells whether a path holds a wildcard that is meant as one.
func IsGlob(path string) bool {
	for i := 0; i < len(path); i++ {
		switch path[i] {
		case '\\':
			i++
		case '*', '?', '[', '{':
			return true
		}
	}
	return false
}

// Unescape takes the backslashes away that keep wildcards from being meant.
func Unescape(path string) string {
	if !strings.Contains(path, `\`) {
		return path
	}
	var b strings.Builder
	for i := 0; i < len(path); i++ {
		if path[i] == '\\' && i+1 < len(path) {
			i++
		}
		b.WriteByte(path[i])
	}
	return b.String()
}
