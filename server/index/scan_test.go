package index

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/waypost-dev/waypost/server/catalog"
)

// TestMembers holds the scanner against encoding/json, whose output for maps is
// what documents look like.
func TestMembers(t *testing.T) {
	t.Parallel()
	text := rapid.OneOf(rapid.String(), rapid.StringMatching(`["\\{}\[\]:,a\n]{0,8}`))
	leaf := rapid.OneOf(rapid.Map(text, func(s string) any { return s }), rapid.Map(rapid.Float64Range(-1e9, 1e9), func(f float64) any { return f }),
		rapid.Just[any](nil), rapid.Just[any](true), rapid.Just[any]([]any{}), rapid.Just[any](map[string]any{}))
	value := rapid.OneOf(leaf, rapid.Map(rapid.SliceOfN(leaf, 0, 4), func(l []any) any { return l }),
		rapid.Map(rapid.MapOfN(text, leaf, 0, 4), func(m map[string]any) any { return m }))
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.MapOfN(text, value, 0, 6).Draw(t, "object")
		var b strings.Builder
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(false)
		require.NoError(t, e.Encode(want))
		got := map[string]any{}
		members(strings.TrimSpace(b.String()), func(key, raw string) bool {
			var k string
			require.NoError(t, json.Unmarshal([]byte(`"`+key+`"`), &k), key)
			var v any
			require.NoError(t, json.Unmarshal([]byte(raw), &v), raw)
			got[k] = v
			return true
		})
		text, err := json.Marshal(want)
		require.NoError(t, err)
		again, err := json.Marshal(got)
		require.NoError(t, err)
		require.JSONEq(t, string(text), string(again))
	})
}

// What is no object, or cut off, is passed over.
func TestMembersOfOddities(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"", "{", "{}", "[]", `"a"`, "null", `{"a`, `{"a"`, `{"a":`, `{"a":[`, `{"a":"b`, `{"a":1`, `{"a":1,`, `{"\`} {
		members(s, func(string, string) bool { return true })
	}
}

// TestWantedFields: reading some of the fields gives what reading all of them
// says of these.
func TestWantedFields(t *testing.T) {
	t.Parallel()
	type found struct {
		field     int
		key, text string
	}
	read := func(e *catalog.Entity, wanted fields) (all []found) {
		fieldsOf(e, wanted, func(field int, key, text string) { all = append(all, found{field, key, text}) })
		return all
	}
	es := []*catalog.Entity{
		thing(t, "full", map[string]any{
			"annotations": map[string]any{"a": "x"}, "description": "d", "labels": map[string]any{"l": "1", "m": "2"},
			"links": []any{map[string]any{"url": "https://example.com"}}, "tags": []any{"t", "u"}, "title": "T",
		}, map[string]any{"lifecycle": "production", "owner": "o", "profile": map[string]any{"displayName": "D", "email": "e"}, "type": "service"}),
		thing(t, "bare", nil, nil),
		thing(t, "odd", map[string]any{"description": 1, "tags": "t", "labels": "l", "title": "é\"\n"}, map[string]any{"owner": []any{"o"}, "profile": "p", "type": true}),
	}
	require.Len(t, read(es[0], allFields), 11)
	for _, e := range append(es, corpus(t, 300)...) {
		all := read(e, allFields)
		for wanted := range allFields + 1 {
			var want []found
			for _, f := range all {
				if wanted.has(f.field) {
					want = append(want, f)
				}
			}
			require.Equal(t, want, read(e, wanted), "%s, fields %b", e.Ref, wanted)
		}
	}
}

// FuzzDocument: whatever a document in a damaged database is, the catalog loads,
// finds and orders.
func FuzzDocument(f *testing.F) {
	for _, s := range []string{`{"`, `{"kind":"`, `{"kind":,`, `{"kind":}`, `{"metadata":{"name":"`, `{"metadata":{"tags":[`, `{"spec":{"owner":"\`} {
		f.Add(s)
	}
	f.Add(`{"apiVersion":"v1","kind":"Thing","metadata":{"labels":{"a":"b"},"name":"x","tags":["a"],"title":"T"},"spec":{"owner":"a","profile":{"displayName":"A"},"type":"x"}}`)
	f.Fuzz(func(t *testing.T, document string) {
		e := &catalog.Entity{Ref: catalog.Ref{Kind: "Thing", Namespace: "default", Name: "x"}, UID: "1", Revision: 1, Document: []byte(document)}
		loaded, applied := New(), New()
		loaded.Load([]*catalog.Entity{e}, 1)
		applied.Apply([]catalog.Change{{Revision: 1, Op: catalog.OpPut, Entity: e}})
		for _, x := range []*Index{loaded, applied} {
			if _, err := x.Snapshot().Search(Search{Text: "a"}); err != nil {
				t.Error(err)
			}
			page, err := x.Snapshot().List(Query{OrderBy: "metadata.title,spec.type", Size: 10})
			if err != nil || len(page.Records) != 1 {
				t.Error(page, err)
			}
			if _, _, err := x.Snapshot().Facets("", []string{"kind", "spec.type", "metadata.tags"}, 10); err != nil {
				t.Error(err)
			}
		}
		if !json.Valid([]byte(document)) {
			return // a filter says of it that it is damaged
		}
		if _, err := loaded.Snapshot().List(Query{Filter: `entity.kind != "" || entity.metadata.name == "x"`, Size: 10}); err != nil {
			t.Error(err)
		}
	})
}
