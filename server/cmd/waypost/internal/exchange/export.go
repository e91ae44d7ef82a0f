package exchange

import (
	"bytes"
	"fmt"
	"io"
	"iter"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	catalogv1 "github.com/waypost-dev/waypost/proto/waypost/catalog/v1"
)

// Exported is what came of an export.
type Exported struct {
	Files    int
	Entities int
	// Owned are entities whose file names no owner, and which got the one that the
	// evidence speaks for; Unowned got the owner unknown, as Backstage refuses a
	// component without one.
	Owned, Unowned int
}

// perFile is how many entities go into one file: Backstage reads each file as one
// unit of work.
const perFile = 250

// Export writes entities as catalog files into a folder that does not exist yet or
// is empty: all.yaml is a Location that leads to all others. What is declared by
// Locations is exported itself, so that no other Location is.
func Export(entities iter.Seq2[*catalogv1.Entity, error], folder string) (Exported, error) {
	var done Exported
	kinds, err := gather(entities, &done)
	if err != nil {
		return done, err
	}
	if err := newFolder(folder); err != nil {
		return done, err
	}
	all := document{APIVersion: "backstage.io/v1alpha1", Kind: "Location", Metadata: map[string]any{"name": "waypost-export"}}
	var targets []any
	for _, kind := range slices.Sorted(maps.Keys(kinds)) {
		part := 0
		for some := range slices.Chunk(kinds[kind], perFile) {
			name := fileName(kind)
			if part++; len(kinds[kind]) > perFile {
				name = fmt.Sprintf("%s-%03d", name, part)
			}
			var b bytes.Buffer
			if err := write(&b, some); err != nil {
				return done, err
			}
			if err := os.WriteFile(filepath.Join(folder, name+".yaml"), b.Bytes(), 0o644); err != nil {
				return done, err
			}
			targets = append(targets, "./"+name+".yaml")
		}
	}
	all.Spec = map[string]any{"targets": targets}
	text, err := all.yaml()
	if err != nil {
		return done, err
	}
	done.Files = len(targets) + 1
	return done, os.WriteFile(filepath.Join(folder, "all.yaml"), text, 0o644)
}

// ExportTo writes all entities to one stream of YAML documents.
func ExportTo(entities iter.Seq2[*catalogv1.Entity, error], w io.Writer) (Exported, error) {
	var done Exported
	kinds, err := gather(entities, &done)
	if err != nil {
		return done, err
	}
	var all []document
	for _, kind := range slices.Sorted(maps.Keys(kinds)) {
		all = append(all, kinds[kind]...)
	}
	return done, write(w, all)
}

func write(w io.Writer, documents []document) error {
	for i := range documents {
		text, err := documents[i].yaml()
		if err != nil {
			return err
		}
		if i > 0 {
			text = append([]byte("---\n"), text...)
		}
		if _, err := w.Write(text); err != nil {
			return err
		}
	}
	return nil
}

// gather sorts entities by kind and ref.
func gather(entities iter.Seq2[*catalogv1.Entity, error], done *Exported) (map[string][]document, error) {
	kinds := map[string][]document{}
	for e, err := range entities {
		if err != nil {
			return nil, err
		}
		if strings.EqualFold(e.Kind, "Location") {
			continue
		}
		d := documentOf(e)
		d.strip()
		if needsOwner[strings.ToLower(e.Kind)] && d.Spec["owner"] == nil {
			owner := e.GetFacts().GetFields()["ownership.owner"].GetStringValue()
			if owner == "" {
				owner = "unknown"
				done.Unowned++
			} else {
				done.Owned++
			}
			if d.Spec == nil {
				d.Spec = map[string]any{}
			}
			d.Spec["owner"] = owner
		}
		kind := strings.ToLower(e.Kind)
		kinds[kind] = append(kinds[kind], d)
		done.Entities++
	}
	for _, documents := range kinds {
		slices.SortFunc(documents, func(a, b document) int { return strings.Compare(a.key(), b.key()) })
	}
	return kinds, nil
}

// needsOwner are the kinds whose spec Backstage refuses without an owner.
var needsOwner = map[string]bool{"component": true, "api": true, "resource": true, "system": true, "domain": true}

// documentOf is the entity as a file would declare it.
func documentOf(e *catalogv1.Entity) document {
	m := e.GetMetadata()
	d := document{APIVersion: e.ApiVersion, Kind: e.Kind, Metadata: m.GetExtra().AsMap()}
	if d.Metadata == nil {
		d.Metadata = map[string]any{}
	}
	for field, value := range map[string]string{"name": m.GetName(), "namespace": m.GetNamespace(), "title": m.GetTitle(), "description": m.GetDescription()} {
		if value != "" {
			d.Metadata[field] = value
		}
	}
	for field, values := range map[string]map[string]string{"labels": m.GetLabels(), "annotations": m.GetAnnotations()} {
		if len(values) > 0 {
			all := map[string]any{}
			for k, v := range values {
				all[k] = v
			}
			d.Metadata[field] = all
		}
	}
	if len(m.GetTags()) > 0 {
		d.Metadata["tags"] = m.GetTags()
	}
	var links []any
	for _, l := range m.GetLinks() {
		link := map[string]any{"url": l.Url}
		for field, value := range map[string]string{"title": l.Title, "icon": l.Icon, "type": l.Type} {
			if value != "" {
				link[field] = value
			}
		}
		links = append(links, link)
	}
	if links != nil {
		d.Metadata["links"] = links
	}
	if e.Spec != nil {
		d.Spec = e.Spec.AsMap()
	}
	return d
}
