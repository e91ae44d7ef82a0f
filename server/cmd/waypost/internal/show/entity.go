// Package show lays out entities and graphs for people.
package show

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/structpb"

	catalogv1 "github.com/waypost-dev/waypost/proto/waypost/catalog/v1"
	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/cmd/waypost/internal/output"
	"github.com/waypost-dev/waypost/server/cmd/waypost/internal/report"
)

// Ref is an entity's ref from its resource name.
func Ref(e *catalogv1.Entity) string { return strings.TrimPrefix(e.GetName(), "entities/") }

// Short is a ref as people write it: without the default namespace, and
// without the kind if it is the one that is expected there.
func Short(ref, kind string) string {
	r, err := catalog.ParseRef(ref, catalog.RefContext{})
	if err != nil {
		return ref
	}
	s := r.Name
	if r.Namespace != catalog.DefaultNamespace {
		s = r.Namespace + "/" + s
	}
	if !strings.EqualFold(r.Kind, kind) {
		s = r.Kind + ":" + s
	}
	return s
}

// Masks of the fields that the tables show.
var (
	TableFields = []string{"name", "kind", "metadata", "spec", "relations", "origin"}
	WideFields  = append(slices.Clone(TableFields), "update_time")
)

// Table prints entities. If all are of one kind, that kind is given and left
// out of the names. Columns that would be empty are left out.
func Table(p *output.Printer, entities []*catalogv1.Entity, kind string, wide bool, now time.Time) error {
	header := []string{"NAME", "TYPE", "LIFECYCLE", "OWNER", "SYSTEM", "TITLE"}
	if wide {
		header = append(header, "TAGS", "DECLARED IN", "SOURCE", "CHANGED")
	}
	rows := make([][]string, len(entities))
	for i, e := range entities {
		row := []string{
			Short(Ref(e), kind), text(e, "type"), text(e, "lifecycle"),
			targets(e, catalog.OwnedBy, "group"), targets(e, catalog.PartOf, "system"), e.GetMetadata().GetTitle(),
		}
		if wide {
			row = append(row, strings.Join(e.GetMetadata().GetTags(), ","), Place(e.GetOrigin()), e.GetOrigin().GetSource(), age(e, now))
		}
		rows[i] = row
	}
	header, rows = dropEmpty(header, rows)
	return p.Table(header, rows)
}

func dropEmpty(header []string, rows [][]string) ([]string, [][]string) {
	var keep []int
	for c := range header {
		if c == 0 || slices.ContainsFunc(rows, func(row []string) bool { return row[c] != "" }) {
			keep = append(keep, c)
		}
	}
	pick := func(row []string) []string {
		out := make([]string, len(keep))
		for i, c := range keep {
			out[i] = row[c]
		}
		return out
	}
	out := make([][]string, len(rows))
	for i, row := range rows {
		out[i] = pick(row)
	}
	return pick(header), out
}

// text is a string of the spec.
func text(e *catalogv1.Entity, field string) string {
	return e.GetSpec().GetFields()[field].GetStringValue()
}

// targets are the other ends of relations of a type.
func targets(e *catalogv1.Entity, relation, kind string) string {
	var out []string
	for _, r := range e.GetRelations() {
		if r.GetType() == relation && (relation != catalog.PartOf || strings.HasPrefix(r.GetTargetRef(), kind+":")) {
			out = append(out, Short(r.GetTargetRef(), kind))
		}
	}
	return strings.Join(out, ",")
}

// Place is where an entity was declared.
func Place(o *catalogv1.Origin) string {
	switch {
	case o == nil:
		return ""
	case o.Inferred:
		return strings.TrimSpace(o.Repository + " (inferred)")
	}
	s := strings.Trim(o.Repository+"/"+o.Path, "/")
	if o.Line > 0 {
		s += fmt.Sprintf(":%d", o.Line)
	}
	return s
}

func age(e *catalogv1.Entity, now time.Time) string {
	if e.GetUpdateTime() == nil {
		return ""
	}
	return report.Since(e.GetUpdateTime().AsTime(), now)
}

// Describe prints all there is to know of an entity.
func Describe(p *output.Printer, e *catalogv1.Entity, problems []catalog.Problem) error {
	var b strings.Builder
	line := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&b, "%s%s\n", p.Mark(output.Bold, fmt.Sprintf("%-13s", name+":")), output.Clean(value))
		}
	}
	section := func(name string) { fmt.Fprintf(&b, "\n%s\n", p.Mark(output.Bold, name)) }

	m := e.GetMetadata()
	line("Entity", Ref(e))
	line("Kind", e.GetKind()+" ("+e.GetApiVersion()+")")
	line("Title", m.GetTitle())
	line("Description", m.GetDescription())
	line("Owner", targets(e, catalog.OwnedBy, "group"))
	line("System", targets(e, catalog.PartOf, "system"))
	line("Type", text(e, "type"))
	line("Lifecycle", text(e, "lifecycle"))
	line("Tags", strings.Join(m.GetTags(), ", "))
	declared := Place(e.GetOrigin())
	if c := e.GetOrigin().GetCommit(); c != "" {
		declared += " at " + c[:min(len(c), 12)]
	}
	line("Declared in", declared)
	line("Source", e.GetOrigin().GetSource())
	if e.GetUpdateTime() != nil {
		line("Changed", fmt.Sprintf("%s, revision %d", e.GetUpdateTime().AsTime().Format(time.RFC3339), e.GetRevision()))
	}
	line("UID", e.GetUid())

	if len(e.GetRelations()) > 0 {
		section("Relations")
		last := ""
		for _, r := range e.GetRelations() {
			name := r.GetType()
			if name == last {
				name = ""
			}
			last = r.GetType()
			fmt.Fprintf(&b, "  %-14s %s", output.Clean(name), output.Clean(r.GetTargetRef()))
			if !r.GetTargetExists() {
				b.WriteString(" " + p.Mark(output.Yellow, "(does not exist)"))
			}
			b.WriteByte('\n')
		}
	}
	if len(m.GetLinks()) > 0 {
		section("Links")
		for _, l := range m.GetLinks() {
			fmt.Fprintf(&b, "  %s\n", output.Clean(strings.TrimSpace(l.GetTitle()+" "+l.GetUrl())))
		}
	}
	pairs(&b, section, "Labels", m.GetLabels())
	pairs(&b, section, "Annotations", m.GetAnnotations())
	if err := spec(&b, section, e.GetSpec()); err != nil {
		return err
	}
	if _, err := p.Write([]byte(b.String())); err != nil || len(problems) == 0 {
		return err
	}
	fmt.Fprintf(p, "\n%s\n", p.Mark(output.Bold, "Problems"))
	return report.Print(p, "table", "", problems)
}

func pairs(b *strings.Builder, section func(string), name string, m map[string]string) {
	if len(m) == 0 {
		return
	}
	section(name)
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, k := range keys {
		fmt.Fprintf(b, "  %s: %s\n", output.Clean(k), output.Clean(m[k]))
	}
}

func spec(b *strings.Builder, section func(string), s *structpb.Struct) error {
	if len(s.GetFields()) == 0 {
		return nil
	}
	section("Spec")
	var y strings.Builder
	if err := (&output.Printer{Writer: &y}).YAML(s); err != nil {
		return err
	}
	for l := range strings.Lines(y.String()) {
		b.WriteString("  " + output.Clean(strings.TrimSuffix(l, "\n")) + "\n")
	}
	return nil
}
