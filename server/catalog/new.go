package catalog

import (
	"bytes"
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"
)

// NewEntity makes an entity of Go values: anything that encoding/json can
// marshal, and metadata with at least a name. The entity is
// nil if a violation of SeverityError touches its name, namespace or kind, so
// that it has no ref; other violations are left to the caller to judge.
func NewEntity(apiVersion, kind string, metadata, spec map[string]any, from Origin) (*Entity, []Violation) {
	doc := map[string]any{"apiVersion": apiVersion, "kind": kind, "metadata": plain(metadata)}
	if spec != nil {
		doc["spec"] = plain(spec)
	}
	found := Check(doc, nil)
	return Assemble(doc, from, found)
}

// plain copies a value as Check wants it. What is none of JSON becomes null.
func plain(v any) any {
	switch v := v.(type) {
	case nil, bool, string, int64, float64:
		return v
	case int:
		return int64(v)
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = plain(e)
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v)+1)
		for k, e := range v {
			out[k] = plain(e)
		}
		return out
	}
	text, err := json.Marshal(v)
	if err != nil {
		return nil
	}
	var out any
	if err := json.Unmarshal(text, &out); err != nil {
		return nil
	}
	return out
}

// scratches are buffers in which documents are written before their length is
// known; larger ones than maxScratch are not kept.
var scratches = sync.Pool{New: func() any { return new([]byte) }}

const maxScratch = 64 << 10

// Assemble makes an entity of a document and what Check found of it, and adds
// what is wrong with its references. It completes metadata with the namespace,
// and so changes the document, which it takes over.
// The entity is nil if it has no valid ref.
func Assemble(doc map[string]any, from Origin, found []Violation) (*Entity, []Violation) {
	metadata, _ := doc["metadata"].(map[string]any)
	kind, _ := doc["kind"].(string)
	name, _ := metadata["name"].(string)
	namespace, _ := metadata["namespace"].(string)
	if namespace == "" {
		namespace = DefaultNamespace
	}
	if kind == "" || name == "" || checkKind(kind) != "" || CheckName(name) != "" || checkNamespace(namespace) != "" {
		return nil, found
	}
	// Refs are compared without regard to case, and a namespace has no other use.
	namespace = strings.ToLower(namespace)
	if metadata["namespace"] != namespace {
		metadata["namespace"] = namespace
	}
	ref := Ref{Kind: kind, Namespace: namespace, Name: name}
	spec, _ := doc["spec"].(map[string]any)
	apiVersion, _ := doc["apiVersion"].(string)
	relations, broken := relate(apiVersion, ref, spec)
	// uid and etag are given by the catalog, whatever a document says.
	delete(metadata, "uid")
	delete(metadata, "etag")
	scratch := scratches.Get().(*[]byte)
	document := append((*scratch)[:0], `{"apiVersion":`...)
	document = appendJSON(document, doc["apiVersion"])
	document = append(document, `,"kind":`...)
	document = appendJSON(document, kind)
	document = append(document, `,"metadata":`...)
	document = appendJSON(document, metadata)
	if spec != nil {
		document = append(document, `,"spec":`...)
		document = appendJSON(document, spec)
	}
	document = append(document, '}')
	own := bytes.Clone(document)
	if cap(document) <= maxScratch {
		*scratch = document
		scratches.Put(scratch)
	}
	return &Entity{Ref: ref, Document: own, Relations: relations, Origin: from}, append(found, broken...)
}

// appendJSON writes a value as JSON with sorted keys, without white space and
// without the escapes that only HTML needs.
func appendJSON(b []byte, v any) []byte {
	switch v := v.(type) {
	case nil:
		return append(b, "null"...)
	case bool:
		return strconv.AppendBool(b, v)
	case int64:
		return strconv.AppendInt(b, v, 10)
	case float64:
		return appendFloat(b, v)
	case string:
		return appendString(b, v)
	case []any:
		b = append(b, '[')
		for i, e := range v {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendJSON(b, e)
		}
		return append(b, ']')
	case map[string]any:
		var room [16]string
		keys := room[:0]
		for k := range v {
			keys = append(keys, k)
		}
		slices.Sort(keys)
		b = append(b, '{')
		for i, k := range keys {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendString(b, k)
			b = append(b, ':')
			b = appendJSON(b, v[k])
		}
		return append(b, '}')
	}
	panic("catalog: a document holds a value that is not of JSON")
}

// appendFloat writes a number as JavaScript does; what JSON cannot say is null.
func appendFloat(b []byte, f float64) []byte {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return append(b, "null"...)
	}
	if f == 0 {
		return append(b, '0') // minus zero too
	}
	text, err := json.Marshal(f)
	if err != nil {
		panic(err) // only what was tested above cannot be marshalled
	}
	return append(b, text...)
}

// Number writes a finite number as JavaScript does.
func Number(f float64) string { return string(appendFloat(nil, f)) }

const hexDigits = "0123456789abcdef"

func appendString(b []byte, s string) []byte {
	b = append(b, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= 0x20 && c != '"' && c != '\\' && c < utf8.RuneSelf {
			i++
			continue
		}
		if c >= utf8.RuneSelf {
			r, n := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && n == 1 {
				b = append(b, s[start:i]...)
				b = append(b, "\ufffd"...)
				i++
				start = i
				continue
			}
			i += n
			continue
		}
		b = append(b, s[start:i]...)
		switch c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\n':
			b = append(b, '\\', 'n')
		case '\r':
			b = append(b, '\\', 'r')
		case '\t':
			b = append(b, '\\', 't')
		default:
			b = append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
		i++
		start = i
	}
	b = append(b, s[start:]...)
	return append(b, '"')
}
