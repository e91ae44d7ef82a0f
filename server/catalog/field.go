package catalog

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"
)

// Field reads one value of the document without decoding the rest: its JSON, or
// nil if there is none or the path cannot be read. The path is written as in a
// Problem or Relation: spec.owner, spec.dependsOn[2],
// metadata.annotations["backstage.io/source-location"].
func (e *Entity) Field(path string) json.RawMessage {
	r, ok := e.field(path)
	if !ok {
		return nil
	}
	return json.RawMessage(r.Raw)
}

// Text reads one value of the document as text: a string as it is, a number or
// a truth value as JSON writes it, and "" for everything else.
func (e *Entity) Text(path string) string {
	r, ok := e.field(path)
	if !ok {
		return ""
	}
	switch r.Type {
	case gjson.String:
		return r.Str
	case gjson.Number, gjson.True, gjson.False:
		return r.Raw
	}
	return ""
}

// Annotation reads one annotation, or "" if there is none of that key.
func (e *Entity) Annotation(key string) string {
	return gjson.GetBytes(e.Document, "metadata.annotations."+escapeKey(key)).Str
}

func (e *Entity) field(path string) (gjson.Result, bool) {
	query := path
	if strings.ContainsAny(path, `["\|#@*?!{}()=<>%:`+"'") {
		keys, ok := SplitFieldPath(path)
		if !ok {
			return gjson.Result{}, false
		}
		for i, k := range keys {
			keys[i] = escapeKey(k)
		}
		query = strings.Join(keys, ".")
	}
	if query == "" {
		return gjson.Result{}, false
	}
	r := gjson.GetBytes(e.Document, query)
	return r, r.Exists()
}

// escapeKey keeps a key from being read as gjson's query language.
func escapeKey(key string) string {
	plain := true
	for i := 0; i < len(key); i++ {
		if c := key[i] | 0x20; !isDigit(key[i]) && ('a' > c || c > 'z') && key[i] != '-' && key[i] != '_' && key[i] != '/' && key[i] < 0x80 {
			plain = false
			break
		}
	}
	if plain {
		return key
	}
	return gjson.Escape(key)
}

// SplitFieldPath is the inverse of FieldPath. It tells false if the path is not
// written as FieldPath writes one.
func SplitFieldPath(path string) ([]string, bool) {
	var out []string
	for rest := path; rest != ""; {
		if rest[0] == '[' {
			inner := rest[1:]
			if strings.HasPrefix(inner, `"`) {
				quoted, err := strconv.QuotedPrefix(inner)
				if err != nil || !strings.HasPrefix(inner[len(quoted):], "]") {
					return nil, false
				}
				key, err := strconv.Unquote(quoted)
				if err != nil {
					return nil, false
				}
				out, rest = append(out, key), inner[len(quoted)+1:]
			} else {
				index, after, ok := strings.Cut(inner, "]")
				if _, err := strconv.Atoi(index); !ok || err != nil {
					return nil, false
				}
				out, rest = append(out, index), after
			}
		} else {
			end := strings.IndexAny(rest, ".[")
			if end < 0 {
				end = len(rest)
			}
			if end == 0 {
				return nil, false
			}
			out, rest = append(out, rest[:end]), rest[end:]
		}
		if strings.HasPrefix(rest, ".") {
			if rest = rest[1:]; rest == "" || rest[0] == '[' {
				return nil, false
			}
		}
	}
	return out, len(out) > 0
}
