package location

import (
	"bytes"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
)

// target is one target of a Location and where it is written.
type target struct {
	from         *node
	kind         string // spec.type: file, url, or empty
	text         string
	optional     bool // spec.presence
	field        string
	line, column int
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

// maxTargets of one Location.
const maxTargets = 10_000

// targets reads the Locations in a document, as far as they can be read: what
// is wrong with them is told when the document is decoded as a whole.
func targets(n *node) []target {
	if !maybe(n.content) {
		return nil
	}
	var found []target
	for _, part := range documents(n.content) {
		if !maybe(part.text) {
			continue
		}
		var doc yaml.Node
		if err := yaml.Unmarshal(part.text, &doc); err != nil || len(doc.Content) == 0 {
			continue
		}
		root := doc.Content[0]
		if kind := field(root, "kind"); kind == nil || !strings.EqualFold(kind.Value, "location") {
			continue
		}
		spec := field(root, "spec")
		if spec == nil {
			continue
		}
		common := target{from: n}
		if t := field(spec, "type"); t != nil {
			common.kind = t.Value
		}
		if p := field(spec, "presence"); p != nil {
			common.optional = p.Value == "optional"
		}
		add := func(node *yaml.Node, name string) {
			if node == nil || node.Kind != yaml.ScalarNode || node.Value == "" || len(found) == maxTargets {
				return
			}
			t := common
			t.text, t.field, t.line, t.column = node.Value, name, node.Line+part.line, node.Column
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

// isGlob tells whether a path holds a wildcard that is meant as one.
func isGlob(path string) bool {
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

// unescape takes the backslashes away that keep wildcards from being meant.
func unescape(path string) string {
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
