package github

import (
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/bmatcuk/doublestar/v4"
)

// plan is how catalog files are looked for: in which folders by GraphQL, and
// whether in the whole tree.
type plan struct {
	globs     []string
	folders   []lookup // besides the root, which is always read
	recursive bool
}

// lookup is a folder that is listed, with so many levels of folders below it.
type lookup struct {
	path  string // empty for the root
	depth int
}

const (
	maxDepth    = 2    // of nested folders that GraphQL is asked for
	maxFolders  = 20   // in one query for each repository
	maxPattern  = 1024 // bytes
	maxPatterns = 100
)

func newPlan(globs []string) (*plan, error) {
	if len(globs) == 0 {
		globs = []string{"catalog-info.yaml"}
	}
	if len(globs) > maxPatterns {
		return nil, fmt.Errorf("there are %d catalog file patterns; %d are allowed", len(globs), maxPatterns)
	}
	p := &plan{}
	depths := map[string]int{}
	for _, g := range globs {
		clean := strings.TrimPrefix(g, "/")
		if clean == "" || len(clean) > maxPattern || !utf8.ValidString(clean) || !doublestar.ValidatePattern(clean) {
			return nil, fmt.Errorf("catalog file pattern %q is no valid glob", g)
		}
		p.globs = append(p.globs, clean)
		base, rest := doublestar.SplitPattern(clean)
		if base == "." {
			base = ""
		}
		depth := strings.Count(rest, "/")
		if strings.Contains(rest, "**") || depth > maxDepth || depth > 0 && strings.Contains(rest, "{") {
			p.recursive = true
			continue
		}
		depths[base] = max(depths[base], depth)
	}
	for base, depth := range depths {
		if base != "" || depth > 0 {
			p.folders = append(p.folders, lookup{base, depth})
		}
	}
	slices.SortFunc(p.folders, func(a, b lookup) int { return strings.Compare(a.path, b.path) })
	if len(p.folders) > maxFolders {
		p.recursive = true
	}
	if p.recursive {
		p.folders = nil
	}
	return p, nil
}

// match tells whether a file is wanted.
func (p *plan) match(file string) bool {
	return slices.ContainsFunc(p.globs, func(g string) bool { return doublestar.MatchUnvalidated(g, file) })
}

// safe tells whether a path from a tree can be used: git allows names that a
// file system does not mean to be names.
func safe(file string) bool {
	return file != "" && len(file) <= 4096 && utf8.ValidString(file) && path.Clean(file) == file &&
		!path.IsAbs(file) && file != ".." && !strings.HasPrefix(file, "../")
}

// query is the GraphQL query for the facts of repositories by their node ids.
func (p *plan) query(branch string) string {
	head := "HEAD"
	if branch != "" {
		head = "refs/heads/" + branch
	}
	at := func(path string) string {
		b, _ := json.Marshal(head + ":" + path) // a JSON string is a GraphQL string
		return string(b)
	}
	commit, _ := json.Marshal(head)
	var q strings.Builder
	fmt.Fprintf(&q, `query($ids: [ID!]!) {
  nodes(ids: $ids) {
    ... on Repository {
      id
      head: object(expression: %s) { ... on Commit { oid committedDate author { user { login } } tree { %s } } }
      languages(first: 30, orderBy: {field: SIZE, direction: DESC}) { edges { size node { name } } }
      github: object(expression: %s) { ... on Blob { oid byteSize } }
      docs: object(expression: %s) { ... on Blob { oid byteSize } }
`, commit, entries(0), at(".github/CODEOWNERS"), at("docs/CODEOWNERS"))
	for i, f := range p.folders {
		if f.path == "" {
			fmt.Fprintf(&q, "      folder%d: object(expression: %s) { ... on Tree { %s } }\n", i, at(""), entries(f.depth))
			continue
		}
		fmt.Fprintf(&q, "      folder%d: object(expression: %s) { ... on Tree { %s } }\n", i, at(f.path), entries(f.depth))
	}
	q.WriteString("    }\n  }\n}\n")
	return q.String()
}

func entries(depth int) string {
	below := ""
	if depth > 0 {
		below = " object { ... on Tree { " + entries(depth-1) + " } }"
	}
	return "entries { name type mode oid size" + below + " }"
}
