package index

import (
	"github.com/waypost-dev/waypost/server/catalog"
)

// Query selects and orders entities.
type Query struct {
	// Filter is a CEL expression over entity and relations; empty selects all.
	Filter string
	// OrderBy is a list of fields as in AIP-132: "spec.type, metadata.name
	// desc", revision, that of the entity's last change, or
	// status.level: see SetLevels. Entities without a field come last in both directions. Ties, and
	// an empty OrderBy, are ordered by ref.
	OrderBy string
	// Size is how many entities to return, from 1 to MaxPage.
	Size int
	// Token continues where an earlier page of the same Filter and OrderBy ended.
	Token string
	// Skip is how many entities to leave out after Token, from 0.
	Skip int
}

// MaxPage is the most entities in one page.
const MaxPage = 500

// Page is a part of the answer to a Query.
type Page struct {
	Records []*Record
	// Next continues after this page; empty on the last.
	Next string
	// Total is how many entities the filter selects.
	Total int
}

// Facet is a field and how many of the selected entities have each value. An
// entity with several values counts under each.
type Facet struct {
	Field  string
	Values []FacetValue // by count, highest first, then by value
	// More is how many further values were left out because of the limit.
	More int
}

// FacetValue is one value and its count.
type FacetValue struct {
	Value string
	Count int
}

// Search is a full-text query.
type Search struct {
	Text   string // words; the last one may be the beginning of a word
	Filter string // CEL, as in Query
	Size   int
	Token  string
}

// Found is a part of the answer to a Search, best first.
type Found struct {
	Hits  []Hit
	Next  string
	Total int
}

// Hit is an entity that matched.
type Hit struct {
	Record     *Record
	Score      float64
	Highlights []Highlight
}

// Highlight is a piece of a field's text, of a long one what is around the first
// match, and the byte ranges of it that matched.
type Highlight struct {
	Field  string // such as metadata.title
	Text   string
	Ranges [][2]int // half-open, in bytes of Text, ascending
}

// GraphQuery asks for what is around some entities.
type GraphQuery struct {
	Roots []catalog.Ref
	// Depth is how many relations away to go, from 1 to MaxDepth.
	Depth int
	// Types keeps relations of these types only, and is applied in the
	// direction in which one walks: dependsOn follows what a root needs,
	// dependencyOf what needs it. Empty keeps all.
	Types []string
	// Kinds keeps entities of these kinds only; roots are always kept.
	Kinds []string
	// Limit is the most nodes in the answer, from 1 to MaxNodes.
	Limit int
}

// Bounds of a graph.
const (
	MaxDepth = 20
	MaxNodes = 5000
)

// Graph is the answer to a GraphQuery.
type Graph struct {
	Nodes []Node // roots first, then by distance, then by ref
	Edges []Edge
	// Truncated tells that Limit cut nodes off.
	Truncated bool
}

// Node is an entity in a graph, or the name of one that does not exist.
type Node struct {
	Ref      catalog.Ref
	Record   *Record // nil if it does not exist
	Distance int
}

// Edge is a relation in a graph, in the direction in which it was declared.
type Edge struct {
	Source, Target catalog.Ref
	Type           string
}

// Relation is an edge as one of its ends sees it.
type Relation struct {
	Type   string
	Target catalog.Ref
	// Exists tells whether the target is in the catalog.
	Exists bool
}
