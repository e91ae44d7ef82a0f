package show

import (
	"encoding/json"
	"fmt"
	"strings"

	"google.golang.org/protobuf/types/known/structpb"

	catalogv1 "github.com/waypost-dev/waypost/proto/waypost/catalog/v1"
	"github.com/waypost-dev/waypost/server/cmd/waypost/internal/output"
)

// Plan prints what would change, an entity at a time.
func Plan(p *output.Printer, plan *catalogv1.PlanChangesResponse) error {
	var b strings.Builder
	for _, c := range plan.GetChanges() {
		ref := output.Clean(c.GetEntityRef())
		switch c.GetOp() {
		case catalogv1.EntityRevision_OP_ADDED:
			fmt.Fprintln(&b, p.Mark(output.Green, "+ "+ref))
		case catalogv1.EntityRevision_OP_REMOVED:
			fmt.Fprintln(&b, p.Mark(output.Red, "- "+ref))
		default:
			line := "~ " + ref
			if from := c.GetRenamedRef(); from != "" {
				line += " (now " + output.Clean(from) + ")"
			}
			fmt.Fprintln(&b, p.Mark(output.Yellow, line))
		}
		for _, f := range c.GetChanges() {
			fmt.Fprintln(&b, "    "+FieldChange(f))
		}
		for _, r := range c.GetRelationsAdded() {
			fmt.Fprintf(&b, "    + %s %s\n", r.GetType(), output.Clean(r.GetTargetRef()))
		}
		for _, r := range c.GetRelationsRemoved() {
			fmt.Fprintf(&b, "    - %s %s\n", r.GetType(), output.Clean(r.GetTargetRef()))
		}
	}
	for _, q := range plan.GetMended() {
		fmt.Fprintln(&b, p.Mark(output.Green, "mends "+output.Clean(q.GetMessage())))
	}
	_, err := p.Write([]byte(b.String()))
	return err
}

// FieldChange is a change of one field in a line.
func FieldChange(f *catalogv1.FieldChange) string {
	switch {
	case f.GetBefore() == nil:
		return output.Clean(fmt.Sprintf("%s: %s (new)", f.GetField(), value(f.GetAfter())))
	case f.GetAfter() == nil:
		return output.Clean(fmt.Sprintf("%s: was %s (gone)", f.GetField(), value(f.GetBefore())))
	}
	return output.Clean(fmt.Sprintf("%s: %s → %s", f.GetField(), value(f.GetBefore()), value(f.GetAfter())))
}

// longest is how many characters of a value are shown.
const longest = 80

func value(v *structpb.Value) string {
	s, ok := v.GetKind().(*structpb.Value_StringValue)
	text := ""
	if ok {
		text = s.StringValue
	} else if b, err := json.Marshal(v.AsInterface()); err == nil {
		text = string(b)
	}
	text = strings.Join(strings.Fields(text), " ")
	if r := []rune(text); len(r) > longest {
		text = string(r[:longest-1]) + "…"
	}
	if text == "" {
		return `""`
	}
	return text
}
