package index

import (
	"slices"
	"strings"

	"github.com/waypost-dev/waypost/server/catalog"
)

// Graph walks breadth first from the roots. Roots that do not exist are nodes
// without a record. If Limit cuts nodes off, those nearest to the roots are
// kept, and of equally near ones those first by ref.
func (s *Snapshot) Graph(q GraphQuery) (Graph, error) {
	if len(q.Roots) == 0 {
		return Graph{}, &QueryError{Field: "roots", Reason: "there is no root", Hint: "name at least one entity"}
	}
	depth, limit := min(max(q.Depth, 0), MaxDepth), q.Limit
	if limit <= 0 || limit > MaxNodes {
		limit = MaxNodes
	}
	kinds := make([]string, len(q.Kinds))
	for i, k := range q.Kinds {
		kinds[i] = strings.ToLower(k)
	}
	var g Graph
	seen := map[string]bool{}
	var level []Node
	enter := func(ref catalog.Ref, key string, distance int) {
		n := Node{Ref: ref, Distance: distance}
		if r, ok := s.ByKey(key); ok {
			n.Record, n.Ref = r, r.Entity.Ref
		}
		level = append(level, n)
	}
	for _, ref := range q.Roots {
		if key := ref.Key(); !seen[key] {
			if len(seen) == limit {
				g.Truncated = true
				break
			}
			seen[key] = true
			enter(ref.Lower(), key, 0)
		}
	}
	edges := map[Edge]bool{}
	for distance := 1; len(level) > 0; distance++ {
		g.Nodes = append(g.Nodes, level...)
		if distance > depth {
			break
		}
		var walked []step
		found := map[string]catalog.Ref{}
		for _, n := range level {
			if n.Record == nil {
				continue
			}
			from := n.Record.Entity.Ref.Lower()
			s.neighbours(n.Record, func(typ string, target catalog.Ref, declared bool) {
				if len(q.Types) > 0 && !slices.Contains(q.Types, typ) {
					return
				}
				key := target.Key()
				if len(kinds) > 0 && !slices.Contains(kinds, target.Kind) && !seen[key] {
					return
				}
				if !seen[key] {
					found[key] = target
				}
				e := Edge{from, target, typ}
				if !declared {
					e = Edge{target, from, catalog.Inverse(typ)}
				}
				walked = append(walked, step{e, key})
			})
		}
		keys := make([]string, 0, len(found))
		for k := range found {
			keys = append(keys, k)
		}
		slices.Sort(keys)
		if room := limit - len(seen); len(keys) > room {
			keys, g.Truncated = keys[:room], true
		}
		level = nil
		for _, k := range keys {
			seen[k] = true
			enter(found[k], k, distance)
		}
		for _, w := range walked {
			if seen[w.target] && !edges[w.edge] {
				edges[w.edge] = true
				g.Edges = append(g.Edges, w.edge)
			}
		}
	}
	return g, nil
}

type step struct {
	edge   Edge
	target string
}
