package codeowners

import (
	"slices"
	"strings"
)

// matcher finds the last rule that matches a path without trying all of them.
// Each rule lies where a path that it may match comes by: rules that begin at
// the root in a tree of their literal folders, others under the literal name or
// the ending that one of the path's names must have. What has neither is tried
// for every path. In each place the later rules come first, and none is tried
// that stands before one that has matched.
type matcher struct {
	root   node
	names  map[string][]int32 // **/name…
	ends   map[string][]int32 // **/*.ending…
	others []int32            // **/a*b…
}

// maxNodes bounds how deep one rule goes into the tree, and so what a hostile
// file takes of memory: rules are tried at the last node.
const maxNodes = 8

// node is a folder in the tree of anchored patterns.
type node struct {
	below map[string]*node
	// rules go on here with a wildcard, or end here.
	rules []int32
}

func newMatcher() *matcher {
	return &matcher{names: map[string][]int32{}, ends: map[string][]int32{}}
}

func (m *matcher) add(rule int32, p *pattern) {
	if p.segments[0].kind != any {
		at := &m.root
		for depth, s := range p.segments {
			if s.kind != literal || depth == maxNodes {
				break
			}
			next := at.below[s.text]
			if next == nil {
				next = &node{}
				if at.below == nil {
					at.below = map[string]*node{}
				}
				at.below[s.text] = next
			}
			at = next
		}
		at.rules = append(at.rules, rule)
		return
	}
	// Further ** change nothing in that a name must come.
	i := 0
	for i < len(p.segments) && p.segments[i].kind == any {
		i++
	}
	if i == len(p.segments) {
		m.others = append(m.others, rule)
		return
	}
	switch s := p.segments[i]; {
	case s.kind == literal:
		m.names[s.text] = append(m.names[s.text], rule)
	case s.kind == glob && s.glob[0] == anyText && len(s.glob) > 1 && s.glob[1] == '.' && !strings.ContainsAny(s.glob[1:], "\x00\x01"):
		m.ends[s.glob[1:]] = append(m.ends[s.glob[1:]], rule)
	default:
		m.others = append(m.others, rule)
	}
}

// seal puts later rules first.
func (m *matcher) seal() {
	slices.Reverse(m.others)
	for _, rules := range m.names {
		slices.Reverse(rules)
	}
	for _, rules := range m.ends {
		slices.Reverse(rules)
	}
	m.root.seal()
}

func (n *node) seal() {
	slices.Reverse(n.rules)
	for _, below := range n.below {
		below.seal()
	}
}

// last is the number of the last rule that matches; -1 if none does.
func (m *matcher) last(rules []Rule, path string) int32 {
	var room [32]string
	names := room[:0]
	for rest := path; ; {
		name, after, more := strings.Cut(rest, "/")
		names = append(names, name)
		if !more {
			break
		}
		rest = after
	}
	best := int32(-1)
	try := func(list []int32) {
		for _, i := range list {
			if i <= best {
				return
			}
			if rules[i].pattern.matches(names, 0, 0) {
				best = i
				return
			}
		}
	}
	at := &m.root
	try(at.rules)
	for _, name := range names {
		if at = at.below[name]; at == nil {
			break
		}
		try(at.rules)
	}
	for k, name := range names {
		if slices.Contains(names[:k], name) {
			continue // its rules were tried
		}
		if len(m.names) > 0 {
			try(m.names[name])
		}
		if len(m.ends) > 0 {
			for i := range len(name) {
				if name[i] == '.' {
					try(m.ends[name[i:]])
				}
			}
		}
	}
	try(m.others)
	return best
}
