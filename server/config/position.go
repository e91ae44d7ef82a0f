package config

import (
	"fmt"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Problem is one thing that is wrong with a configuration.
type Problem struct {
	Where   string // file:line:column, --flag or environment variable NAME
	Message string
	Hint    string
}

// Error is the problem as a compiler would print it.
func (p Problem) Error() string {
	s := p.Message
	if p.Where != "" {
		s = p.Where + ": " + s
	}
	if p.Hint != "" {
		s += "; " + p.Hint
	}
	return s
}

// Errors is everything that is wrong with a configuration, at least one.
type Errors []Problem

func (e Errors) Error() string {
	lines := make([]string, len(e))
	for i, p := range e {
		lines[i] = p.Error()
	}
	return strings.Join(lines, "\n")
}

// positions knows where each key was set, by its path with dots.
type positions struct {
	file string
	at   map[string]string
}

func (p *positions) set(path, where string) {
	if p.at == nil {
		p.at = map[string]string{}
	}
	// Whatever was below the key before was replaced.
	for old := range p.at {
		if strings.HasPrefix(old, path+".") {
			delete(p.at, old)
		}
	}
	p.at[path] = where
}

// find is the place of a path, or of the nearest thing around it.
func (p *positions) find(path string) string {
	for {
		if where, ok := p.at[path]; ok {
			return where
		}
		i := strings.LastIndexByte(path, '.')
		if i < 0 {
			return p.file
		}
		path = path[:i]
	}
}

// index records the place of every key and item of the file.
func (p *positions) index(content []byte) error {
	var doc yaml.Node
	if err := yaml.Unmarshal(content, &doc); err != nil {
		return Errors{{Where: p.file, Message: strings.TrimPrefix(err.Error(), "yaml: ")}}
	}
	if len(doc.Content) == 0 {
		return nil
	}
	root := doc.Content[0]
	if root.Kind != yaml.MappingNode {
		return Errors{{Where: p.place(root), Message: "the configuration is not a mapping of keys to values",
			Hint: "run waypost config schema to see the keys"}}
	}
	p.walk("", root)
	return nil
}

func (p *positions) walk(path string, n *yaml.Node) {
	join := func(key string) string {
		if path == "" {
			return key
		}
		return path + "." + key
	}
	switch n.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			key := join(n.Content[i].Value)
			p.set(key, p.place(n.Content[i]))
			p.walk(key, n.Content[i+1])
		}
	case yaml.SequenceNode:
		for i, item := range n.Content {
			key := join(strconv.Itoa(i))
			p.set(key, p.place(item))
			p.walk(key, item)
		}
	}
}

func (p *positions) place(n *yaml.Node) string {
	return fmt.Sprintf("%s:%d:%d", p.file, n.Line, n.Column)
}
