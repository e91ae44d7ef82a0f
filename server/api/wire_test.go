package api

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	catalogv1 "github.com/waypost-dev/waypost/proto/waypost/catalog/v1"
	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/index"
)

func messageBytes(t require.TestingT, s *index.Snapshot, r *index.Record) []byte {
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(maskedEntity(s, r, nil))
	require.NoError(t, err)
	return b
}

// raw is an entity whose document is as given.
func raw(document, facts string) (*index.Snapshot, *index.Record) {
	e := &catalog.Entity{Ref: catalog.Ref{Kind: "Thing", Namespace: "default", Name: "x"}, Document: []byte(document), Facts: []byte(facts)}
	x := index.New()
	x.Load([]*catalog.Entity{e}, 1)
	s := x.Snapshot()
	r, _ := s.Get(e.Ref)
	return s, r
}

// TestWireFromJSON: what is in a document comes out of it byte for byte as
// proto.Marshal has it, without the way over messages.
func TestWireFromJSON(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("abcdefghij", 2000)
	for _, spec := range []string{
		`{}`, `null`, `[]`, `[{"a":1}]`, `"text"`, `3`,
		`{"":""}`, `{"a":{"b":{"c":{"":[[[]],{}]}}}}`,
		`{"n":[0,-0,1,-1,1.5,1e300,-2.5E-3,12345678901234567890,5e-324,1e-400]}`,
		`{"b":[true,false,null]}`,
		`{"e":"\"\\\/\b\f\n\r\t\u0000\u00e9\u2028\ufffd\u003c"}`,
		`{"k\n\u00e9":"key"}`,
		`{"s":["\ud83d\ude00","\ud83d","\ude00","\ud83dx","\ud83d\u0041","\ud83d\ud83d\ude00","\ude00\ud83d"]}`,
		`{"u":"héllo ☃ 😀"}`,
		`{"z":"` + long[:127] + `"}`, `{"z":"` + long[:128] + `"}`, `{"z":"` + long + `"}`,
	} {
		for _, metadata := range []string{
			`{"name":"x"}`, `{}`, `{"title":"t","description":"d"}`, `{"description":"","labels":{},"links":[],"tags":[],"title":""}`,
			`{"labels":{"":"","a":"b"},"annotations":{"x":"\n"}}`, `{"labels":{"a":"b","c":1},"tags":["a",null],"title":7}`,
			`{"links":[{},{"icon":"i","title":"t","type":"y","url":"u"}]}`, `{"links":[{"url":"u"},{"rel":"r"}]}`, `{"links":[{"url":1}]}`,
			`{"links":null,"labels":null,"annotations":[],"tags":{},"description":{"a":[]},"zz":{"a":1},"aa":null}`,
			`{"name":{"odd":[1]},"namespace":null}`,
		} {
			document := `{"apiVersion":"v1","kind":"Thing","metadata":` + metadata + `,"spec":` + spec + `}`
			s, r := raw(document, `{"a.b":1}`)
			got, ok := encodeEntity(r.Entity, s.Relations(r))
			require.True(t, ok, "%s", document)
			// Odd keys are not in order here, and messages have no order.
			var typed catalogv1.Entity
			require.NoError(t, proto.Unmarshal(got, &typed), "%s", document)
			require.True(t, proto.Equal(maskedEntity(s, r, nil), &typed), "%s", document)
			require.Len(t, got, len(messageBytes(t, s, r)), "%s", document)
		}
	}
}

// TestWireOfUnusual: what the writer does not know goes the long way, and comes
// to the same.
func TestWireOfUnusual(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat("[", 2*maxWireDepth) + strings.Repeat("]", 2*maxWireDepth)
	for name, document := range map[string]string{
		"space":             `{"apiVersion": "v1","kind":"Thing","metadata":{},"spec":{}}`,
		"space at the end":  `{"apiVersion":"v1","kind":"Thing","metadata":{},"spec":{}} `,
		"order":             `{"kind":"Thing","apiVersion":"v1","metadata":{},"spec":{}}`,
		"another key":       `{"apiVersion":"v1","kind":"Thing","metadata":{},"status":{}}`,
		"no metadata":       `{"apiVersion":"v1","kind":"Thing","spec":{}}`,
		"metadata null":     `{"apiVersion":"v1","kind":"Thing","metadata":null}`,
		"apiVersion null":   `{"apiVersion":null,"kind":"Thing","metadata":{}}`,
		"escaped known key": `{"apiVersion":"v1","kind":"Thing","metadata":{"t\u0069tle":"t"}}`,
		"no UTF-8":          "{\"apiVersion\":\"v1\",\"kind\":\"Thing\",\"metadata\":{},\"spec\":{\"a\":\"\xff\"}}",
		"deep":              `{"apiVersion":"v1","kind":"Thing","metadata":{},"spec":{"a":` + deep + `}}`,
	} {
		s, r := raw(document, "")
		_, ok := encodeEntity(r.Entity, s.Relations(r))
		require.False(t, ok, name)
		require.Equal(t, messageBytes(t, s, r), wireView(s, r), name)
	}
}

// canonical tells whether a document is JSON as encoding/json would write it.
func canonical(document string) bool {
	var v any
	if json.Unmarshal([]byte(document), &v) != nil {
		return false
	}
	b, err := json.Marshal(v)
	return err == nil && string(b) == document
}

// FuzzWire: no document, however broken, makes the writer panic, and one as the
// store has it comes to the same as over messages.
func FuzzWire(f *testing.F) {
	f.Add(`{"apiVersion":"v1","kind":"Thing","metadata":{"labels":{"a":"b"},"links":[{"url":"u"}],"name":"x","tags":["a"],"x":[1]},"spec":{"a":[1,true,null,"\ud83d\ude00"]}}`, `{"a.b":1}`)
	f.Add(`{"apiVersion":"\`, `{"a`)
	f.Add(`{"metadata":{"labels":{"a":`, `{"a":tru`)
	f.Add(`{"metadata":{"title":"\ud83d\`, `{"a":"\u12`)
	f.Fuzz(func(t *testing.T, document, facts string) {
		s, r := raw(document, facts)
		got, ok := encodeEntity(r.Entity, s.Relations(r))
		if !ok || !canonical(document) || facts != "" && !canonical(facts) {
			return
		}
		var typed catalogv1.Entity
		require.NoError(t, proto.Unmarshal(got, &typed))
		require.True(t, proto.Equal(maskedEntity(s, r, nil), &typed))
	})
}
