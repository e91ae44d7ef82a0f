package reach

import (
	"bytes"

	"go.yaml.in/yaml/v3"
)

// placeholder is a mapping whose only key is $text, $json or $yaml.
type placeholder struct {
	kind   string
	target string
}

// maxPlaceholders of one file; the others are told to be unread.
const maxPlaceholders = 1000

// placeholders finds those of a file, each target once for each kind.
func placeholders(content []byte) []placeholder {
	if !holds(content) {
		return nil
	}
	var found []placeholder
	seen := map[placeholder]bool{}
	var look func(n *yaml.Node, depth int)
	look = func(n *yaml.Node, depth int) {
		if depth > 200 || len(found) == maxPlaceholders {
			return
		}
		if n.Kind == yaml.MappingNode && len(n.Content) == 2 {
			switch key, value := n.Content[0].Value, resolved(n.Content[1]); key {
			case "$text", "$json", "$yaml":
				if p := (placeholder{key, value.Value}); value.Kind == yaml.ScalarNode && value.Value != "" && !seen[p] {
					seen[p] = true
					found = append(found, p)
				}
				return
			}
		}
		for _, c := range n.Content { // what an alias stands for is met where its anchor is
			look(c, depth+1)
		}
	}
	for _, part := range documents(content) {
		if !holds(part.text) {
			continue
		}
		if root, err := parse(part.text); err == nil {
			look(root, 0)
		}
	}
	return found
}

// holds tells whether a text may hold a placeholder. Most files hold none, and
// are not parsed for it.
func holds(b []byte) bool {
	return bytes.Contains(b, []byte("$text")) || bytes.Contains(b, []byte("$json")) || bytes.Contains(b, []byte("$yaml"))
}

// Leads tells whether a catalog file may lead to other files.
func Leads(content []byte) bool { return maybe(content) || holds(content) }
