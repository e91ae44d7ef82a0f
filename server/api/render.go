package api

// Fast answers.
//
// Answers that hold entities would spend nearly all of their time encoding
// them field by field, the same each time. So each entity is encoded once for
// each form and kept with its index.Record, and an answer is put together from
// such pieces:
//
//   - For gRPC, the piece is the entity in wire format. It is given to the
//     answer as unknown fields: protobuf writes those to the wire verbatim, so
//     that every client reads fully typed entities.
//   - For REST, spec and, where possible, metadata are taken from
//     Entity.Document as they are; what is kept is where they stand there.
//     The whole answer is put under one unknown field with the highest number
//     that there is, and the gateway's marshaler takes it out again.
//
// Which form a caller wants is in the context, see formOf. In-process callers
// and those that ask for a read_mask get typed messages. Tests hold both forms
// against proto.Marshal and protojson of the typed message.

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"github.com/tidwall/gjson"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	catalogv1 "github.com/waypost-dev/waypost/proto/waypost/catalog/v1"
	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/index"
)

// The forms in which an entity is kept with its record.
const (
	viewWire index.ViewKey = 1 + iota
	viewJSON
)

// form is how an answer is wanted.
type form int

const (
	formWire  form = iota // by a client over the network
	formJSON              // by our REST gateway
	formTyped             // by Go code in this process
)

type formKey struct{}

// rest is a REST request: its mark in the context, and the buffer that its
// answer is written to. The buffer is used again once the request is over,
// which is safe because the handler runs on the request's own goroutine.
type rest struct{ buffer []byte }

var rests = sync.Pool{New: func() any { return &rest{} }}

// maxKeptBuffer is the size in bytes above which a buffer is not used again.
const maxKeptBuffer = 1 << 20

func (r *rest) release() {
	if cap(r.buffer) <= maxKeptBuffer {
		rests.Put(r)
	}
}

func formOf(ctx context.Context) (form, *rest) {
	v := ctx.Value(formKey{})
	if v == nil {
		return formWire, nil
	}
	if r := v.(*rest); r != nil {
		return formJSON, r
	}
	return formTyped, nil
}

// The unknown field that holds an answer in JSON. Its length is written with a
// fixed width, as a varint may be, because it is known last.
const jsonField = protowire.MaxValidNumber

var jsonTag = protowire.AppendTag(nil, jsonField, protowire.BytesType)

const jsonLength = 5

// startJSON begins an answer in JSON.
func (r *rest) startJSON() []byte {
	b := append(r.buffer[:0], jsonTag...)
	return append(b, make([]byte, jsonLength)...)
}

// endJSON makes m, an empty message, the answer that b was begun for.
func (r *rest) endJSON(b []byte, m proto.Message) {
	r.buffer = b
	n := uint64(len(b) - len(jsonTag) - jsonLength)
	for i := range jsonLength {
		b[len(jsonTag)+i] = byte(n>>(7*i))&0x7f | 0x80
	}
	b[len(jsonTag)+jsonLength-1] &= 0x7f
	m.ProtoReflect().SetUnknown(b)
}

// marshaler is protojson for everything but answers that are JSON already.
type marshaler struct{ runtime.JSONPb }

func newMarshaler() *marshaler {
	return &marshaler{runtime.JSONPb{
		MarshalOptions:   protojson.MarshalOptions{},
		UnmarshalOptions: protojson.UnmarshalOptions{},
	}}
}

// Marshal implements runtime.Marshaler.
func (m *marshaler) Marshal(v any) ([]byte, error) {
	if p, ok := v.(proto.Message); ok {
		if u := p.ProtoReflect().GetUnknown(); bytes.HasPrefix(u, jsonTag) {
			return u[len(jsonTag)+jsonLength:], nil
		}
	}
	return m.JSONPb.Marshal(v)
}

// wireOf is the entity in wire format. It must not be changed.
func wireOf(s *index.Snapshot, r *index.Record) []byte {
	return r.View(viewWire, func() []byte { return wireView(s, r) })
}

func wireView(s *index.Snapshot, r *index.Record) []byte {
	if b, ok := encodeEntity(r.Entity, s.Relations(r)); ok {
		return b
	}
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(maskedEntity(s, r, nil))
	if err != nil {
		// A document that is no JSON or no UTF-8 cannot come out of the store;
		// the call fails, the server does not.
		panic(fmt.Sprintf("encode %s: %v", r.Entity.Ref, err))
	}
	return b
}

// The fields of an entity that are not its content.
var relationsField, factsField = fieldNumber("relations"), fieldNumber("facts")

func fieldNumber(name protoreflect.Name) protowire.Number {
	return (*catalogv1.Entity)(nil).ProtoReflect().Descriptor().Fields().ByName(name).Number()
}

// wireWithRelations is an entity in wire format with other relations in the
// place of its own, and without facts.
func wireWithRelations(wire []byte, relations []index.Relation) []byte {
	out := make([]byte, 0, len(wire)+64*len(relations))
	for len(wire) > 0 {
		number, _, n := protowire.ConsumeField(wire)
		if n < 0 {
			panic(fmt.Sprintf("read what was encoded here: %v", protowire.ParseError(n)))
		}
		if number != relationsField && number != factsField {
			out = append(out, wire[:n]...)
		}
		wire = wire[n:]
	}
	out, err := proto.MarshalOptions{}.MarshalAppend(out, &catalogv1.Entity{Relations: relationMessages(relations)})
	if err != nil {
		panic(fmt.Sprintf("encode relations: %v", err)) // of the store's texts, which are UTF-8
	}
	return out
}

// A JSON view holds what is dear to find or to make, and no more, so that the
// views of a whole catalog fit into the room that the index has for them:
// where in the Document some values are, each as two numbers of four bytes, or
// 0 and 0; the length of the metadata that follows; the etag; the metadata, if
// the Document's own does not serve; and the relations: whether
// the target exists, the type and the target.
const (
	atMetadata = iota
	atSpec
	atAPIVersion
	atKind
	jsonPlaces
	jsonViewHead = 8*jsonPlaces + 4
	etagLength   = 32
)

// appendJSON appends the entity in JSON.
func appendJSON(b []byte, s *index.Snapshot, r *index.Record) []byte {
	return appendViewed(b, r.Entity, jsonOf(s, r))
}

// jsonOf is the JSON view of an entity. It must not be changed.
func jsonOf(s *index.Snapshot, r *index.Record) []byte {
	return r.View(viewJSON, func() []byte { return jsonView(r.Entity, s.Relations(r)) })
}

// appendViewed is appendJSON with the JSON view of the entity.
func appendViewed(b []byte, e *catalog.Entity, v []byte) []byte {
	number := func(i int) uint32 { return binary.LittleEndian.Uint32(v[4*i:]) }
	etag, rest := v[jsonViewHead:jsonViewHead+etagLength], v[jsonViewHead+etagLength:]
	metadata, relations := rest[:number(2*jsonPlaces)], string(rest[number(2*jsonPlaces):])
	from := func(place int) []byte { return e.Document[number(2*place):number(2*place+1)] }
	if len(metadata) == 0 {
		metadata = from(atMetadata)
	}
	o := object{b: b}
	o.string("name", resourceName(e.Ref))
	o.string("uid", e.UID)
	o.key("etag")
	o.b = append(append(append(o.b, '"'), etag...), '"')
	o.int64("revision", int64(e.Revision))
	o.time("updateTime", e.Changed)
	o.raw("apiVersion", from(atAPIVersion))
	o.raw("kind", from(atKind))
	o.raw("metadata", metadata)
	o.raw("spec", from(atSpec))
	for i := 0; len(relations) > 0; i++ {
		if i == 0 {
			o.key("relations")
			o.b = append(o.b, '[')
		} else {
			o.b = append(o.b, ',')
		}
		rel := object{b: o.b}
		exists := relations[0] == 1
		var field string
		field, relations = cutText(relations[1:])
		rel.string("type", field)
		field, relations = cutText(relations)
		rel.string("targetRef", field)
		rel.bool("targetExists", exists)
		o.b = rel.end()
		if len(relations) == 0 {
			o.b = append(o.b, ']')
		}
	}
	o.key("origin")
	origin := object{b: o.b}
	origin.string("source", e.Origin.Source)
	origin.string("repository", e.Origin.Repository)
	origin.string("path", e.Origin.Path)
	origin.int("line", e.Origin.Line)
	origin.string("commit", e.Origin.Commit)
	origin.bool("inferred", e.Origin.Inferred)
	o.b = origin.end()
	o.raw("facts", e.Facts)
	return o.end()
}

// appendText and cutText write and read a text behind its length.
func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func cutText(s string) (first, rest string) {
	n, size := binary.Uvarint([]byte(s[:min(len(s), binary.MaxVarintLen64)]))
	s = s[size:]
	return s[:n], s[n:]
}

func jsonView(e *catalog.Entity, relations []index.Relation) []byte {
	parts := gjson.GetManyBytes(e.Document, "apiVersion", "kind", "metadata", "spec")
	view := make([]byte, jsonViewHead, jsonViewHead+etagLength+64*len(relations))
	place := func(place int, v gjson.Result) {
		binary.LittleEndian.PutUint32(view[8*place:], uint32(v.Index))
		binary.LittleEndian.PutUint32(view[8*place+4:], uint32(v.Index+len(v.Raw)))
	}
	if text(parts[0]) != "" {
		place(atAPIVersion, parts[0])
	}
	if text(parts[1]) != "" {
		place(atKind, parts[1])
	}
	if parts[3].IsObject() {
		place(atSpec, parts[3])
	}
	view = append(view, e.Hash()...)
	if plainMetadata(e.Ref, parts[2]) {
		place(atMetadata, parts[2])
	} else {
		view = append(view, compactJSON(typedMetadata(e.Ref, readEnvelope(e).Metadata))...)
		binary.LittleEndian.PutUint32(view[8*jsonPlaces:], uint32(len(view)-jsonViewHead-etagLength))
	}
	return slices.Clone(appendRelations(view, relations))
}

func appendRelations(view []byte, relations []index.Relation) []byte {
	for _, rel := range relations {
		exists := byte(0)
		if rel.Exists {
			exists = 1
		}
		view = appendText(append(view, exists), rel.Type)
		view = appendText(view, refString(rel.Target))
	}
	return view
}

// withRelations is a JSON view with other relations in the place of its own.
func withRelations(view []byte, relations []index.Relation) []byte {
	at := jsonViewHead + etagLength + int(binary.LittleEndian.Uint32(view[8*jsonPlaces:]))
	return appendRelations(append(make([]byte, 0, at+64*len(relations)), view[:at]...), relations)
}

// plainMetadata tells whether protojson says of the typed metadata what the
// document says of it already: no field is unknown, of another type, or empty.
func plainMetadata(ref catalog.Ref, metadata gjson.Result) bool {
	named, plain := 0, true
	each := func(v gjson.Result, ok func(k, v gjson.Result) bool) bool {
		n, all := 0, true
		v.ForEach(func(k, v gjson.Result) bool {
			n, all = n+1, ok(k, v)
			return all
		})
		return all && n > 0
	}
	isText := func(_, v gjson.Result) bool { return v.Type == gjson.String }
	isLinkField := func(k, v gjson.Result) bool {
		return text(v) != "" && (k.Str == "url" || k.Str == "title" || k.Str == "icon" || k.Str == "type")
	}
	metadata.ForEach(func(k, v gjson.Result) bool {
		switch k.Str {
		case "name":
			named++
			plain = v.Type == gjson.String && v.Str == ref.Name
		case "namespace":
			named++
			plain = v.Type == gjson.String && v.Str == ref.Namespace
		case "title", "description":
			plain = text(v) != ""
		case "labels", "annotations":
			plain = v.IsObject() && each(v, isText)
		case "tags":
			plain = v.IsArray() && each(v, isText)
		case "links":
			plain = v.IsArray() && each(v, func(_, v gjson.Result) bool { return v.IsObject() && each(v, isLinkField) })
		default:
			plain = false
		}
		return plain
	})
	return plain && named == 2
}

// compactJSON is protojson without the white space that it adds at random.
func compactJSON(m proto.Message) []byte {
	b, err := protojson.Marshal(m)
	if err != nil {
		panic(fmt.Sprintf("encode %T: %v", m, err))
	}
	var c bytes.Buffer
	if err := json.Compact(&c, b); err != nil {
		panic(fmt.Sprintf("encode %T: %v", m, err))
	}
	return c.Bytes()
}

// object writes the members of a JSON object as protojson does: what is unset
// is left out.
type object struct {
	b     []byte
	begun bool
}

func (o *object) key(name string) {
	sep := byte(',')
	if !o.begun {
		sep, o.begun = '{', true
	}
	o.b = append(o.b, sep, '"')
	o.b = append(append(o.b, name...), '"', ':')
}

func (o *object) string(name, v string) {
	if v != "" {
		o.key(name)
		o.b = appendString(o.b, v)
	}
}

func (o *object) int(name string, v int) {
	if v != 0 {
		o.key(name)
		o.b = strconv.AppendInt(o.b, int64(v), 10)
	}
}

// int64 writes a 64-bit number as protojson does: as a string.
func (o *object) int64(name string, v int64) {
	if v != 0 {
		o.key(name)
		o.b = append(strconv.AppendInt(append(o.b, '"'), v, 10), '"')
	}
}

func (o *object) float(name string, v float64) {
	if v != 0 && !math.IsInf(v, 0) && !math.IsNaN(v) {
		o.key(name)
		o.b = strconv.AppendFloat(o.b, v, 'g', -1, 64)
	}
}

func (o *object) bool(name string, v bool) {
	if v {
		o.key(name)
		o.b = append(o.b, "true"...)
	}
}

// time writes a time as protojson does: with as many groups of three decimals
// as it needs.
func (o *object) time(name string, v time.Time) {
	if v.IsZero() {
		return
	}
	t := v.UTC().Format("2006-01-02T15:04:05.000000000")
	t = strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(t, "000"), "000"), ".000")
	o.string(name, t+"Z")
}

// raw writes what is JSON already.
func (o *object) raw(name string, v []byte) {
	if len(v) > 0 {
		o.key(name)
		o.b = append(o.b, v...)
	}
}

// list writes n elements, if there are any.
func (o *object) list(name string, n int, element func(b []byte, i int) []byte) {
	if n > 0 {
		o.key(name)
		o.b = appendList(o.b, n, element)
	}
}

func appendList(b []byte, n int, element func(b []byte, i int) []byte) []byte {
	for i := range n {
		sep := byte(',')
		if i == 0 {
			sep = '['
		}
		b = element(append(b, sep), i)
	}
	return append(b, ']')
}

func (o *object) end() []byte {
	if !o.begun {
		o.b = append(o.b, '{')
	}
	return append(o.b, '}')
}

// wireEntity makes e, an empty message, the entity in wire format.
func wireEntity(e *catalogv1.Entity, s *index.Snapshot, r *index.Record) *catalogv1.Entity {
	e.ProtoReflect().SetUnknown(wireOf(s, r))
	return e
}
