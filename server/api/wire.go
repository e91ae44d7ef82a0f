package api

import (
	"bytes"
	"encoding/binary"
	"math"
	"strconv"
	"strings"
	"sync"
	"unicode/utf16"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/index"
)

// wireWriter writes entities in wire format straight from their JSON, one pass
// over it and without messages in between: those cost ten times as much. It
// writes byte for byte what a deterministic proto.Marshal of maskedEntity does.
//
// It knows JSON as the store has it: an envelope with sorted keys and without
// white space. At everything else it gives up, see wireView.
type wireWriter struct {
	b    []byte // what is written
	doc  []byte // what is read
	at   int    // where in doc
	deep int    // how many objects and lists are open
	bad  bool   // doc is not what it knows

	extra []piece // of the metadata
}

// piece is a part of what is written.
type piece struct{ from, to int }

// maxWireDepth is deeper than any document that the decoder lets through. What
// is written has to make room for the length of each object that it is in.
const maxWireDepth = 128

var wireWriters = sync.Pool{New: func() any { return &wireWriter{} }}

// encodeEntity is the entity in wire format, unless its JSON is unusual.
func encodeEntity(e *catalog.Entity, relations []index.Relation) (form []byte, ok bool) {
	w := wireWriters.Get().(*wireWriter)
	w.b, w.deep, w.bad = w.b[:0], 0, false
	w.entity(e, relations)
	form, ok = bytes.Clone(w.b), !w.bad
	w.doc = nil
	if cap(w.b) <= maxKeptBuffer {
		wireWriters.Put(w)
	}
	return form, ok
}

// tag writes the tag of a field of bytes with a number below 16.
func (w *wireWriter) tag(field protowire.Number) {
	w.b = append(w.b, byte(protowire.EncodeTag(field, protowire.BytesType)))
}

func (w *wireWriter) varint(field protowire.Number, v uint64) {
	if v != 0 {
		w.b = protowire.AppendVarint(protowire.AppendTag(w.b, field, protowire.VarintType), v)
	}
}

func (w *wireWriter) string(field protowire.Number, v string) {
	if v != "" {
		w.bad = w.bad || !utf8.ValidString(v)
		w.tag(field)
		w.b = protowire.AppendString(w.b, v)
	}
}

// open begins something behind its length, and close ends it. The length gets
// one byte, and more only if it turns out to need them.
func (w *wireWriter) open() (start int) {
	w.b = append(w.b, 0)
	return len(w.b)
}

func (w *wireWriter) close(start int) {
	n := uint64(len(w.b) - start)
	if more := protowire.SizeVarint(n) - 1; more > 0 {
		var room [binary.MaxVarintLen64]byte
		w.b = append(w.b, room[:more]...)
		copy(w.b[start+more:], w.b[start:])
	}
	binary.PutUvarint(w.b[start-1:], n)
}

// arrange puts pieces of what was written since start in place of all of it.
func (w *wireWriter) arrange(start int, pieces []piece) {
	end := len(w.b)
	for _, p := range pieces {
		w.b = append(w.b, w.b[p.from:p.to]...)
	}
	w.b = w.b[:start+copy(w.b[start:], w.b[end:])]
}

// The numbers of fields are those of catalog.proto and struct.proto; tests hold
// them.

func (w *wireWriter) entity(e *catalog.Entity, relations []index.Relation) {
	w.tag(1)
	name := w.open()
	w.b = append(w.b, namePrefix...)
	w.ref(e.Ref)
	w.close(name)
	w.string(2, e.UID)
	w.string(3, e.Hash())
	w.varint(4, uint64(e.Revision))
	if !e.Changed.IsZero() {
		w.tag(5)
		changed := w.open()
		w.varint(1, uint64(e.Changed.Unix()))
		w.varint(2, uint64(e.Changed.Nanosecond()))
		w.close(changed)
	}
	w.read(e.Document)
	w.envelope(e.Ref)
	w.ended()
	for _, rel := range relations {
		w.tag(10)
		relation := w.open()
		w.string(1, rel.Type)
		w.tag(2)
		target := w.open()
		w.ref(rel.Target)
		w.close(target)
		if rel.Exists {
			w.varint(3, 1)
		}
		w.close(relation)
	}
	o := e.Origin
	w.tag(11)
	origin := w.open()
	w.string(1, o.Source)
	w.string(2, o.Repository)
	w.string(3, o.Path)
	w.varint(4, uint64(int32(o.Line)))
	w.string(5, o.Commit)
	if o.Inferred {
		w.varint(6, 1)
	}
	w.close(origin)
	if len(e.Facts) > 0 {
		w.read(e.Facts)
		w.tag(12)
		w.object()
		w.ended()
	}
}

// ref writes a ref as resource names and relations carry it.
func (w *wireWriter) ref(r catalog.Ref) {
	w.b = append(append(w.b, strings.ToLower(r.Kind)...), ':')
	w.b = append(append(w.b, strings.ToLower(r.Namespace)...), '/')
	w.b = append(w.b, strings.ToLower(r.Name)...)
}

// envelope writes what an entity has of its document, whose keys come in the
// order of the fields.
func (w *wireWriter) envelope(ref catalog.Ref) {
	last, hasMetadata := 0, false
	for first := w.begin('{'); w.more(first, '}'); first = false {
		field := 0
		switch string(w.key()) {
		case "apiVersion":
			field = 6
			w.text(6)
		case "kind":
			field = 7
			w.text(7)
		case "metadata":
			field, hasMetadata = 8, true
			w.metadata(ref)
		case "spec":
			field = 9
			start, isObject := len(w.b), w.peek() == '{'
			if w.tag(9); isObject {
				w.object()
			} else { // null, or nothing that a Struct can hold
				w.value()
				w.b = w.b[:start]
			}
		}
		w.bad = w.bad || field <= last
		last = field
	}
	w.bad = w.bad || !hasMetadata
}

// metadata writes each member as it comes, and then puts them in order.
func (w *wireWriter) metadata(ref catalog.Ref) {
	w.tag(8)
	start := w.open()
	w.string(1, ref.Name)
	w.string(2, ref.Namespace)
	var known [10]piece
	w.extra = w.extra[:0]
	members := len(w.b)
	for first := w.begin('{'); w.more(first, '}'); first = false {
		keyAt, from := w.at, len(w.b)
		field, ok := 0, false
		switch string(w.key()) {
		case "name", "namespace": // the ref has them, with defaults
			w.value()
			w.b = w.b[:from]
			continue
		case "title":
			field, ok = 3, w.text(3)
		case "description":
			field, ok = 4, w.text(4)
		case "labels":
			field, ok = 5, w.texts(5)
		case "annotations":
			field, ok = 6, w.texts(6)
		case "tags":
			field, ok = 7, w.textList(7)
		case "links":
			field, ok = 8, w.links(8)
		}
		if ok {
			known[field] = piece{from, len(w.b)}
			continue
		}
		w.at, w.b = keyAt, w.b[:from]
		w.member()
		w.extra = append(w.extra, piece{from, len(w.b)})
	}
	if len(w.extra) > 0 {
		from := len(w.b)
		w.tag(9)
		extra := w.open()
		for _, p := range w.extra {
			w.b = append(w.b, w.b[p.from:p.to]...)
		}
		w.close(extra)
		known[9] = piece{from, len(w.b)}
	}
	w.arrange(members, known[:])
	w.close(start)
}

// text writes a field of text, unless it is empty.
func (w *wireWriter) text(field protowire.Number) bool {
	if w.peek() != '"' {
		return false
	}
	from := len(w.b)
	w.tag(field)
	start := len(w.b)
	w.quoted()
	if len(w.b) == start+1 && w.b[start] == 0 {
		w.b = w.b[:from]
	}
	return true
}

// texts writes a map of texts.
func (w *wireWriter) texts(field protowire.Number) bool {
	if w.peek() != '{' {
		return false
	}
	for first := w.begin('{'); w.more(first, '}'); first = false {
		w.tag(field)
		entry := w.open()
		w.tag(1)
		w.quoted()
		w.skip(':')
		if w.peek() != '"' {
			return false
		}
		w.tag(2)
		w.quoted()
		w.close(entry)
	}
	return true
}

// textList writes a list of texts.
func (w *wireWriter) textList(field protowire.Number) bool {
	if w.peek() != '[' {
		return false
	}
	for first := w.begin('['); w.more(first, ']'); first = false {
		if w.peek() != '"' {
			return false
		}
		w.tag(field)
		w.quoted()
	}
	return true
}

// links refuses what links does.
func (w *wireWriter) links(field protowire.Number) bool {
	if w.peek() != '[' {
		return false
	}
	for first := w.begin('['); w.more(first, ']'); first = false {
		if w.peek() != '{' {
			return false
		}
		w.tag(field)
		start := w.open()
		var known [5]piece
		for first := w.begin('{'); w.more(first, '}'); first = false {
			n := 0
			switch string(w.key()) {
			case "url":
				n = 1
			case "title":
				n = 2
			case "icon":
				n = 3
			case "type":
				n = 4
			default:
				return false
			}
			from := len(w.b)
			if !w.text(protowire.Number(n)) {
				return false
			}
			known[n] = piece{from, len(w.b)}
		}
		w.arrange(start, known[:])
		w.close(start)
	}
	return true
}

// object writes a Struct.
func (w *wireWriter) object() {
	start := w.open()
	for first := w.begin('{'); w.more(first, '}'); first = false {
		w.member()
	}
	w.close(start)
}

// member writes a key and its value, as a Struct has them.
func (w *wireWriter) member() {
	w.tag(1)
	entry := w.open()
	w.tag(1)
	w.quoted()
	w.skip(':')
	w.tag(2)
	value := w.open()
	w.value()
	w.close(value)
	w.close(entry)
}

// value writes what is in a Value.
func (w *wireWriter) value() {
	if w.deep++; w.deep > maxWireDepth {
		w.bad = true
	}
	switch c := w.peek(); {
	case w.bad:
	case c == '{':
		w.tag(5)
		w.object()
	case c == '[':
		w.tag(6)
		start := w.open()
		for first := w.begin('['); w.more(first, ']'); first = false {
			w.tag(1)
			element := w.open()
			w.value()
			w.close(element)
		}
		w.close(start)
	case c == '"':
		w.tag(3)
		w.quoted()
	case c == 't':
		w.word("true")
		w.b = append(w.b, byte(protowire.EncodeTag(4, protowire.VarintType)), 1)
	case c == 'f':
		w.word("false")
		w.b = append(w.b, byte(protowire.EncodeTag(4, protowire.VarintType)), 0)
	case c == 'n':
		w.word("null")
		w.b = append(w.b, byte(protowire.EncodeTag(1, protowire.VarintType)), 0)
	default:
		w.number()
	}
	w.deep--
}

func (w *wireWriter) number() {
	from := w.at
	for c := w.peek(); '0' <= c && c <= '9' || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E'; c = w.peek() {
		w.at++
	}
	f, err := strconv.ParseFloat(string(w.doc[from:w.at]), 64)
	w.bad = w.bad || err != nil
	w.b = append(w.b, byte(protowire.EncodeTag(2, protowire.Fixed64Type)))
	w.b = protowire.AppendFixed64(w.b, math.Float64bits(f))
}

// read begins to read a document. No part of it can then be other than UTF-8.
func (w *wireWriter) read(doc []byte) {
	w.doc, w.at = doc, 0
	w.bad = w.bad || !utf8.Valid(doc)
}

func (w *wireWriter) ended() { w.bad = w.bad || w.at != len(w.doc) }

func (w *wireWriter) peek() byte {
	if w.at < len(w.doc) {
		return w.doc[w.at]
	}
	return 0
}

func (w *wireWriter) skip(c byte) {
	if w.peek() != c {
		w.bad = true
		return
	}
	w.at++
}

func (w *wireWriter) word(s string) {
	if !bytes.HasPrefix(w.doc[w.at:], []byte(s)) {
		w.bad = true
		return
	}
	w.at += len(s)
}

// begin goes into an object or a list, and more to its next member, if there
// is one, else behind its end.
func (w *wireWriter) begin(c byte) (first bool) {
	w.skip(c)
	return true
}

func (w *wireWriter) more(first bool, end byte) bool {
	if w.peek() == end {
		w.at++
		return false
	}
	if !first {
		w.skip(',')
	}
	return !w.bad
}

// key reads a key that has to be a plain word to be known.
func (w *wireWriter) key() []byte {
	w.skip('"')
	if w.bad {
		return nil
	}
	from := w.at
	n := bytes.IndexByte(w.doc[from:], '"')
	if n < 0 {
		w.bad = true
		return nil
	}
	w.at += n + 1
	key := w.doc[from : from+n]
	if bytes.IndexByte(key, '\\') >= 0 {
		w.bad = true
	}
	w.skip(':')
	return key
}

// quoted writes a text behind its length.
func (w *wireWriter) quoted() {
	w.skip('"')
	if w.bad {
		return
	}
	rest := w.doc[w.at:]
	n := bytes.IndexByte(rest, '"')
	if n >= 0 && bytes.IndexByte(rest[:n], '\\') < 0 {
		w.b = protowire.AppendBytes(w.b, rest[:n])
		w.at += n + 1
		return
	}
	start, from := w.open(), w.at
	for w.at < len(w.doc) {
		switch w.doc[w.at] {
		case '"':
			w.b = append(w.b, w.doc[from:w.at]...)
			w.at++
			w.close(start)
			return
		case '\\':
			w.b = append(w.b, w.doc[from:w.at]...)
			w.escaped()
			from = w.at
		default:
			w.at++
		}
	}
	w.bad = true
}

// escaped writes what an escape stands for. A half of a surrogate pair stands
// for the replacement character, as in encoding/json.
func (w *wireWriter) escaped() {
	w.at += 2
	if w.at > len(w.doc) {
		w.bad = true
		return
	}
	switch c := w.doc[w.at-1]; c {
	case '"', '\\', '/':
		w.b = append(w.b, c)
	case 'b':
		w.b = append(w.b, '\b')
	case 'f':
		w.b = append(w.b, '\f')
	case 'n':
		w.b = append(w.b, '\n')
	case 'r':
		w.b = append(w.b, '\r')
	case 't':
		w.b = append(w.b, '\t')
	case 'u':
		r := w.hex()
		if utf16.IsSurrogate(r) {
			second := w.at
			if bytes.HasPrefix(w.doc[w.at:], []byte(`\u`)) {
				w.at += 2
				r = utf16.DecodeRune(r, w.hex())
			} else {
				r = utf8.RuneError
			}
			if r == utf8.RuneError {
				w.at = second
			}
		}
		w.b = utf8.AppendRune(w.b, r)
	default:
		w.bad = true
	}
}

// hex reads the four digits of an escape.
func (w *wireWriter) hex() rune {
	if w.at+4 > len(w.doc) {
		w.bad = true
		return 0
	}
	n, err := strconv.ParseUint(string(w.doc[w.at:w.at+4]), 16, 16)
	w.bad = w.bad || err != nil
	w.at += 4
	return rune(n)
}
