package show

import (
	"fmt"
	"slices"
	"strings"

	catalogv1 "github.com/waypost-dev/waypost/proto/waypost/catalog/v1"
	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/cmd/waypost/internal/output"
)

// Outward are the relation types in which an entity names another in its own
// spec, but for custom ones.
var Outward = []string{
	catalog.OwnedBy, catalog.ProvidesAPI, catalog.ConsumesAPI, catalog.DependsOn, catalog.PartOf, catalog.MemberOf, catalog.ChildOf,
}

// Inward are the relation types of the entities that name this one.
func Inward() []string {
	out := make([]string, len(Outward))
	for i, t := range Outward {
		out[i] = catalog.Inverse(t)
	}
	return out
}

// branch is an edge as one walks it.
type branch struct {
	relation, to string
	leaf         bool // not unfolded: to is as far from the root
}

// Tree prints a graph as a tree from its first node. Every entity is unfolded
// once, where it is nearest to the root, and only named elsewhere.
func Tree(p *output.Printer, g *catalogv1.GetGraphResponse) error {
	if len(g.GetNodes()) == 0 {
		return nil
	}
	distance := map[string]int32{}
	missing := map[string]bool{}
	for _, n := range g.GetNodes() {
		distance[n.GetRef()] = n.GetDistance()
		missing[n.GetRef()] = !n.GetExists()
	}
	next := map[string][]branch{}
	for _, e := range g.GetEdges() {
		from, to, relation := e.GetSourceRef(), e.GetTargetRef(), e.GetType()
		// Every edge is shown once, away from the root.
		if distance[to] < distance[from] {
			from, to = to, from
			if relation = catalog.Inverse(e.GetType()); relation == "" {
				relation = "← " + e.GetType()
			}
		}
		next[from] = append(next[from], branch{relation, to, distance[to] == distance[from]})
	}
	var b strings.Builder
	unfolded := map[string]bool{}
	name := func(ref string) string {
		if missing[ref] {
			return output.Clean(ref) + " " + p.Mark(output.Yellow, "(does not exist)")
		}
		return output.Clean(ref)
	}
	var walk func(ref, indent string)
	walk = func(ref, indent string) {
		unfolded[ref] = true
		branches := next[ref]
		slices.SortFunc(branches, func(a, b branch) int {
			return strings.Compare(a.relation+" "+a.to, b.relation+" "+b.to)
		})
		for i, br := range branches {
			tick, deeper := "├─ ", "│  "
			if i == len(branches)-1 {
				tick, deeper = "└─ ", "   "
			}
			fmt.Fprintf(&b, "%s%s%s %s", indent, tick, p.Mark(output.Faint, output.Clean(br.relation)), name(br.to))
			if br.leaf || unfolded[br.to] {
				if !br.leaf && len(next[br.to]) > 0 {
					b.WriteString(" " + p.Mark(output.Faint, "(above)"))
				}
				b.WriteByte('\n')
				continue
			}
			b.WriteByte('\n')
			walk(br.to, indent+deeper)
		}
	}
	for _, n := range g.GetNodes() {
		if n.GetDistance() == 0 {
			b.WriteString(p.Mark(output.Bold, name(n.GetRef())) + "\n")
			walk(n.GetRef(), "")
		}
	}
	_, err := p.Write([]byte(b.String()))
	return err
}

// Mermaid prints a graph for Mermaid, which code hosts draw in Markdown.
// https://mermaid.js.org/syntax/flowchart.html
func Mermaid(p *output.Printer, g *catalogv1.GetGraphResponse) error {
	ids := numbers(g)
	var b strings.Builder
	b.WriteString("flowchart LR\n")
	for _, n := range g.GetNodes() {
		fmt.Fprintf(&b, "  n%d[\"%s\"]\n", ids[n.GetRef()], mermaidText(label(n)))
	}
	for _, e := range g.GetEdges() {
		fmt.Fprintf(&b, "  n%d -->|\"%s\"| n%d\n", ids[e.GetSourceRef()], mermaidText(e.GetType()), ids[e.GetTargetRef()])
	}
	missing := make([]string, 0)
	for _, n := range g.GetNodes() {
		if !n.GetExists() {
			missing = append(missing, fmt.Sprintf("n%d", ids[n.GetRef()]))
		}
	}
	if len(missing) > 0 {
		fmt.Fprintf(&b, "  classDef missing stroke-dasharray: 4\n  class %s missing\n", strings.Join(missing, ","))
	}
	_, err := p.Write([]byte(b.String()))
	return err
}

// mermaidText writes as entity codes what ends or begins something in Mermaid.
func mermaidText(s string) string {
	var b strings.Builder
	for _, r := range output.Clean(s) {
		if strings.ContainsRune("\"#;<>&`\\{}[]|", r) {
			fmt.Fprintf(&b, "#%d;", r)
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

// Dot prints a graph in Graphviz' language.
// https://graphviz.org/doc/info/lang.html
func Dot(p *output.Printer, g *catalogv1.GetGraphResponse) error {
	quote := func(s string) string {
		return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(output.Clean(s)) + `"`
	}
	var b strings.Builder
	b.WriteString("digraph waypost {\n  rankdir=LR;\n  node [shape=box];\n")
	for _, n := range g.GetNodes() {
		style := ""
		if !n.GetExists() {
			style = ", style=dashed"
		}
		fmt.Fprintf(&b, "  %s [label=%s%s];\n", quote(n.GetRef()), quote(label(n)), style)
	}
	for _, e := range g.GetEdges() {
		fmt.Fprintf(&b, "  %s -> %s [label=%s];\n", quote(e.GetSourceRef()), quote(e.GetTargetRef()), quote(e.GetType()))
	}
	b.WriteString("}\n")
	_, err := p.Write([]byte(b.String()))
	return err
}

func label(n *catalogv1.GraphNode) string {
	s := Short(n.GetRef(), "")
	if n.GetTitle() != "" {
		s += " (" + n.GetTitle() + ")"
	}
	return s
}

func numbers(g *catalogv1.GetGraphResponse) map[string]int {
	ids := make(map[string]int, len(g.GetNodes()))
	for i, n := range g.GetNodes() {
		ids[n.GetRef()] = i
	}
	return ids
}

// Names prints the refs of a graph's entities, nearest first.
func Names(p *output.Printer, g *catalogv1.GetGraphResponse) error {
	for _, n := range g.GetNodes() {
		if _, err := fmt.Fprintln(p, output.Clean(n.GetRef())); err != nil {
			return err
		}
	}
	return nil
}
