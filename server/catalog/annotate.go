package catalog

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
)

// WithAnnotation returns a copy of the entity with one more annotation, or with
// another value for it.
func (e *Entity) WithAnnotation(key, value string) (*Entity, error) {
	var doc map[string]any
	read := json.NewDecoder(bytes.NewReader(e.Document))
	read.UseNumber()
	if err := read.Decode(&doc); err != nil {
		return nil, fmt.Errorf("read %s: %w", e.Ref, err)
	}
	metadata, ok := doc["metadata"].(map[string]any)
	if !ok {
		metadata = map[string]any{}
		doc["metadata"] = metadata
	}
	annotations, ok := metadata["annotations"].(map[string]any)
	if !ok {
		annotations = map[string]any{}
		metadata["annotations"] = annotations
	}
	annotations[key] = value
	own := *e
	own.Document = appendJSON(nil, exact(doc))
	return &own, nil
}

// exact turns the numbers of a decoder into those that appendJSON writes as
// they were.
func exact(v any) any {
	switch v := v.(type) {
	case json.Number:
		if n, err := strconv.ParseInt(v.String(), 10, 64); err == nil {
			return n
		}
		f, err := v.Float64()
		if err != nil {
			return nil
		}
		return f
	case []any:
		for i := range v {
			v[i] = exact(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = exact(v[k])
		}
	}
	return v
}
