package store

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/waypost-dev/waypost/server/catalog"
)

// Any text comes back as it went in, in relations and in text columns.
func TestEncodings(t *testing.T) {
	t.Parallel()
	text := rapid.OneOf(rapid.String(), rapid.StringMatching(`[\\\t\ntn"]*`), rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) }))
	rapid.Check(t, func(t *rapid.T) {
		relations := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) catalog.Relation {
			return catalog.Relation{
				Type:   text.Draw(t, "type"),
				Target: catalog.Ref{Kind: text.Draw(t, "kind"), Namespace: text.Draw(t, "namespace"), Name: text.Draw(t, "name")},
				Field:  text.Draw(t, "field"), Line: rapid.Int().Draw(t, "line"), Column: rapid.Int().Draw(t, "column"),
			}
		}), 0, 4).Draw(t, "relations")
		got, err := decodeRelations(encodeRelations(relations), nil)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(relations, got, cmpopts.EquateEmpty()); diff != "" {
			t.Fatal(diff)
		}
		s := text.Draw(t, "text")
		if got := fromText(toText(s)); got != s {
			t.Fatalf("%q came back as %q", s, got)
		}
	})
}
