package descriptor

import (
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// placer finds the lines of a document's values.
type placer struct {
	root   *yaml.Node
	offset int // lines of the file before the document
}

// at is the line and column of the value at path, or of the nearest one around
// it that is there; of a key for a value that is empty.
func (p placer) at(path []string) (line, column int) {
	n := p.root
	for i, key := range path {
		next, k := step(n, key)
		if next == nil {
			if i > 0 {
				// The key of the mapping in which it is missing.
				if _, parent := p.find(path[:i]); parent != nil {
					n = parent
				}
			}
			break
		}
		if i == len(path)-1 && k != nil && (next.Kind != yaml.ScalarNode || next.Value == "") {
			n = k
			break
		}
		n = next
	}
	return n.Line + p.offset, n.Column
}

// inSpec is where the value of a relation's field stands: spec.x or spec.x[n].
func (p placer) inSpec(field string) (line, column int) {
	name, index, _ := strings.Cut(strings.TrimPrefix(field, "spec."), "[")
	spec := child(p.root, "spec")
	n := child(spec, name)
	if n == nil { // merged in from elsewhere
		n = spec
	} else if element := child(n, strings.TrimSuffix(index, "]")); index != "" && element != nil {
		n = element
	}
	if n == nil {
		n = p.root
	}
	return n.Line + p.offset, n.Column
}

// find is the value at path and its key.
func (p placer) find(path []string) (value, key *yaml.Node) {
	value = p.root
	for _, k := range path {
		if value, key = step(value, k); value == nil {
			return nil, nil
		}
	}
	return value, key
}

// step is what a mapping or list holds under a key, and the key itself.
func step(n *yaml.Node, key string) (value, at *yaml.Node) {
	if n == nil {
		return nil, nil
	}
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	switch n.Kind {
	case yaml.SequenceNode:
		if i, err := strconv.Atoi(key); err == nil && i >= 0 && i < len(n.Content) {
			return n.Content[i], nil
		}
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value == key {
				return n.Content[i+1], n.Content[i]
			}
		}
	}
	return nil, nil
}

func child(n *yaml.Node, key string) *yaml.Node {
	v, _ := step(n, key)
	return v
}
