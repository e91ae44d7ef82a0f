package api

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/tidwall/gjson"
	"google.golang.org/protobuf/types/known/structpb"

	catalogv1 "github.com/waypost-dev/waypost/proto/waypost/catalog/v1"
	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/index"
)

// namePrefix begins the resource name of every entity.
const namePrefix = "entities/"

// resourceName is the name of an entity in the API.
func resourceName(ref catalog.Ref) string {
	l := ref.Lower()
	return namePrefix + l.Kind + ":" + l.Namespace + "/" + l.Name
}

// parseName reads entities/kind:namespace/name, whose form has been validated.
func parseName(name string) (catalog.Ref, error) {
	ref, err := catalog.ParseRef(strings.TrimPrefix(name, namePrefix), catalog.RefContext{})
	if err != nil {
		return catalog.Ref{}, badField("name", "INVALID_NAME", err.Error())
	}
	return ref, nil
}

// refString is a ref as relations carry it.
func refString(ref catalog.Ref) string { return ref.Lower().String() }

// envelope is an entity's document, read as far as every form needs it.
type envelope struct {
	APIVersion string          `json:"apiVersion"`
	Kind       string          `json:"kind"`
	Metadata   map[string]any  `json:"metadata"`
	Spec       json.RawMessage `json:"spec"`
}

// readEnvelope panics if the document is no JSON object, which the store does
// not let through: the call fails, the server does not.
func readEnvelope(e *catalog.Entity) envelope {
	var doc envelope
	if err := json.Unmarshal(e.Document, &doc); err != nil {
		panic(fmt.Sprintf("decode document of %s: %v", e.Ref, err))
	}
	if len(doc.Spec) > 0 && doc.Spec[0] != '{' {
		doc.Spec = nil // null, or nothing that a Struct can hold
	}
	return doc
}

// maskedEntity is what a mask keeps of an entity, as a message, field by field.
func maskedEntity(s *index.Snapshot, r *index.Record, keep mask) *catalogv1.Entity {
	out := maskedForm(r.Entity, keep)
	if keep.wants("relations") {
		out.Relations = relationMessages(s.Relations(r))
	}
	return out
}

func relationMessages(list []index.Relation) []*catalogv1.Relation {
	var out []*catalogv1.Relation
	for _, rel := range list {
		out = append(out, &catalogv1.Relation{Type: rel.Type, TargetRef: refString(rel.Target), TargetExists: rel.Exists})
	}
	return out
}

// typedForm is an entity by itself, without relations.
func typedForm(e *catalog.Entity) *catalogv1.Entity { return maskedForm(e, nil) }

// maskedForm is typedForm with what a mask keeps. What is not asked for is not
// read.
func maskedForm(e *catalog.Entity, keep mask) *catalogv1.Entity {
	o := e.Origin
	out := &catalogv1.Entity{
		Name:       resourceName(e.Ref),
		Uid:        e.UID,
		Revision:   int64(e.Revision),
		UpdateTime: timestamp(e.Changed),
		Origin: &catalogv1.Origin{
			Source: o.Source, Repository: o.Repository, Path: o.Path,
			Line: int32(o.Line), Commit: o.Commit, Inferred: o.Inferred,
		},
	}
	if keep.wants("etag") {
		out.Etag = e.Hash()
	}
	if keep.wants("metadata") || keep.wants("spec") {
		doc := readEnvelope(e)
		out.ApiVersion, out.Kind = doc.APIVersion, doc.Kind
		if keep.wants("metadata") {
			out.Metadata = typedMetadata(e.Ref, doc.Metadata)
		}
		if keep.wants("spec") && doc.Spec != nil {
			var spec map[string]any
			if err := json.Unmarshal(doc.Spec, &spec); err != nil {
				panic(fmt.Sprintf("decode spec of %s: %v", e.Ref, err))
			}
			out.Spec = structOf(spec)
		}
	} else {
		found := gjson.GetManyBytes(e.Document, "apiVersion", "kind")
		out.ApiVersion, out.Kind = text(found[0]), text(found[1])
	}
	if keep.wants("facts") && len(e.Facts) > 0 {
		var facts map[string]any
		if err := json.Unmarshal(e.Facts, &facts); err != nil {
			panic(fmt.Sprintf("decode facts of %s: %v", e.Ref, err))
		}
		out.Facts = structOf(facts)
	}
	if keep != nil {
		keep.prune(out)
	}
	return out
}

// typedMetadata takes out the fields that Metadata has, if they have their
// type; everything else becomes extra.
func typedMetadata(ref catalog.Ref, m map[string]any) *catalogv1.Metadata {
	out := &catalogv1.Metadata{Name: ref.Name, Namespace: ref.Namespace}
	extra := map[string]any{}
	for k, v := range m {
		if !setMetadata(out, k, v) {
			extra[k] = v
		}
	}
	if len(extra) > 0 {
		out.Extra = structOf(extra)
	}
	return out
}

func setMetadata(out *catalogv1.Metadata, key string, v any) bool {
	text, isText := v.(string)
	ok := isText
	switch key {
	case "name", "namespace": // the ref has them, with defaults
		return true
	case "title":
		out.Title = text
	case "description":
		out.Description = text
	case "labels":
		out.Labels, ok = texts(v)
	case "annotations":
		out.Annotations, ok = texts(v)
	case "tags":
		out.Tags, ok = textList(v)
	case "links":
		out.Links, ok = links(v)
	default:
		return false
	}
	return ok
}

func texts(v any) (map[string]string, bool) {
	m, ok := v.(map[string]any)
	out := make(map[string]string, len(m))
	for k, v := range m {
		if out[k], ok = v.(string); !ok {
			return nil, false
		}
	}
	return out, ok
}

func textList(v any) ([]string, bool) {
	l, ok := v.([]any)
	out := make([]string, len(l))
	for i, v := range l {
		if out[i], ok = v.(string); !ok {
			return nil, false
		}
	}
	return out, ok
}

// links refuses a list with a field that Link has not, so that it goes to
// extra whole and nothing is lost.
func links(v any) ([]*catalogv1.Link, bool) {
	l, ok := v.([]any)
	if !ok {
		return nil, false
	}
	out := make([]*catalogv1.Link, len(l))
	for i, v := range l {
		m, ok := texts(v)
		if !ok {
			return nil, false
		}
		out[i] = &catalogv1.Link{Url: m["url"], Title: m["title"], Icon: m["icon"], Type: m["type"]}
		for k := range m {
			if k != "url" && k != "title" && k != "icon" && k != "type" {
				return nil, false
			}
		}
	}
	return out, true
}

func structOf(m map[string]any) *structpb.Struct {
	s, err := structpb.NewStruct(m)
	if err != nil {
		// encoding/json gives nothing that a Struct cannot hold.
		panic(fmt.Sprintf("make struct: %v", err))
	}
	return s
}
