// Package exchange moves catalogs to and from a Backstage, as files that either
// reads: the way in and out is the same as every day's.
package exchange

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/waypost-dev/waypost/server/cmd/waypost/internal/output"
)

// derived are the annotations that a catalog writes itself when it reads a file.
// What another one wrote would be wrong here, or be taken for ours.
var derived = []string{
	"backstage.io/managed-by-location", "backstage.io/managed-by-origin-location", "backstage.io/orphan",
	"waypost.dev/inferred",
}

// document is an entity as its file declares it.
type document struct {
	APIVersion string
	Kind       string
	Metadata   map[string]any
	Spec       map[string]any
}

// Fields that come first, in this order; others follow by name.
var (
	metadataFields = []string{"name", "namespace", "title", "description", "labels", "annotations", "tags", "links"}
	specFields     = []string{"type", "lifecycle", "owner", "system", "domain"}
)

// strip takes out what a catalog adds to what a file declares.
func (d *document) strip() {
	for _, field := range []string{"uid", "etag", "generation"} {
		delete(d.Metadata, field)
	}
	if d.Metadata["namespace"] == "default" {
		delete(d.Metadata, "namespace")
	}
	if annotations, ok := d.Metadata["annotations"].(map[string]any); ok {
		annotations = maps.Clone(annotations)
		for _, a := range derived {
			delete(annotations, a)
		}
		if d.Metadata["annotations"] = annotations; len(annotations) == 0 {
			delete(d.Metadata, "annotations")
		}
	}
}

func (d *document) text(field string) string {
	s, _ := d.Metadata[field].(string)
	return s
}

// key sorts documents, and tells them apart.
func (d *document) key() string {
	namespace := d.text("namespace")
	if namespace == "" {
		namespace = "default"
	}
	return strings.ToLower(d.Kind + ":" + namespace + "/" + d.text("name"))
}

// yaml writes the document as people would.
func (d *document) yaml() ([]byte, error) {
	var b bytes.Buffer
	b.WriteString(`{"apiVersion":`)
	if err := encode(&b, d.APIVersion); err != nil {
		return nil, err
	}
	b.WriteString(`,"kind":`)
	if err := encode(&b, d.Kind); err != nil {
		return nil, err
	}
	b.WriteString(`,"metadata":`)
	if err := object(&b, d.Metadata, metadataFields); err != nil {
		return nil, err
	}
	if d.Spec != nil {
		b.WriteString(`,"spec":`)
		if err := object(&b, d.Spec, specFields); err != nil {
			return nil, err
		}
	}
	b.WriteString("}")
	text, err := output.YAML(b.Bytes())
	if err != nil {
		return nil, fmt.Errorf("write %s: %w", d.key(), err)
	}
	return text, nil
}

func object(b *bytes.Buffer, m map[string]any, first []string) error {
	keys := slices.Sorted(maps.Keys(m))
	rank := func(key string) int {
		if i := slices.Index(first, key); i >= 0 {
			return i
		}
		return len(first)
	}
	slices.SortStableFunc(keys, func(x, y string) int { return rank(x) - rank(y) })
	b.WriteByte('{')
	for i, key := range keys {
		if i > 0 {
			b.WriteByte(',')
		}
		if err := encode(b, key); err != nil {
			return err
		}
		b.WriteByte(':')
		if err := encode(b, m[key]); err != nil {
			return err
		}
	}
	b.WriteByte('}')
	return nil
}

func encode(b *bytes.Buffer, v any) error {
	e := json.NewEncoder(b)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}
