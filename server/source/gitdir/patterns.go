package gitdir

import (
	"fmt"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
)

// patterns are globs over the paths of a tree that also know into which
// folders there is no use going.
type patterns struct {
	globs []string
	parts []pattern
}

type pattern struct {
	base  string // folder without a wildcard, "." for the root
	depth int    // slashes in a path that can match; -1 if any number
}

func newPatterns(globs []string) (*patterns, error) {
	p := &patterns{}
	for _, g := range globs {
		clean := strings.TrimPrefix(g, "/")
		if clean == "" || len(clean) > 1024 || !doublestar.ValidatePattern(clean) {
			return nil, fmt.Errorf("catalog file pattern %q is no valid glob", g)
		}
		base, rest := doublestar.SplitPattern(clean)
		depth := strings.Count(clean, "/")
		if strings.Contains(rest, "**") || strings.Contains(rest, "{") {
			depth = -1
		}
		p.globs = append(p.globs, clean)
		p.parts = append(p.parts, pattern{base, depth})
	}
	return p, nil
}

// match tells whether a file is wanted.
func (p *patterns) match(path string) bool {
	for _, g := range p.globs {
		if doublestar.MatchUnvalidated(g, path) {
			return true
		}
	}
	return false
}

// enter tells whether a wanted file may lie in the folder or below it.
func (p *patterns) enter(dir string) bool {
	for _, q := range p.parts {
		inside := q.base == "." || q.base == dir || strings.HasPrefix(dir, q.base+"/") || strings.HasPrefix(q.base, dir+"/")
		if inside && (q.depth < 0 || strings.Count(dir, "/") < q.depth) {
			return true
		}
	}
	return false
}

// names tells whether a glob says by name, and not by a wildcard, that a wanted
// file may lie in the folder or below it.
func (p *patterns) names(dir string) bool {
	for _, q := range p.parts {
		if q.base == dir || strings.HasPrefix(q.base, dir+"/") {
			return true
		}
	}
	return false
}
