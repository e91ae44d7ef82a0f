package backstage

import (
	"strings"
	"unicode/utf8"
	"unsafe"

	"github.com/tidwall/gjson"

	"github.com/waypost-dev/waypost/server/index"
)

// maxValue is how long a value may be, in UTF-16 code units as JavaScript counts
// them; a longer one counts as null. Keys longer than maxKey are not searched.
const (
	maxValue = 200
	maxKey   = 200
)

// refKey is a key that no document has: of the ref, in lower case.
const refKey = "\x00ref"

// row is a value that an entity has under a key.
type row struct {
	text string // as it is written; shared with the document
	null bool   // there is a value, and it cannot be compared: null or too long
}

// rowsOf calls yield for each value that an entity has under a key in lower
// case. A value may come more than once.
func rowsOf(s *index.Snapshot, r *index.Record, key string, yield func(row)) {
	if len(key) > maxKey {
		return
	}
	e := r.Entity
	emit := func(text string) { yield(row{text, tooLong(text)}) }
	switch key {
	case refKey:
		emit(e.Ref.Key())
		return
	case "metadata.name":
		emit(e.Ref.Name)
		return
	case "metadata.namespace":
		emit(e.Ref.Namespace)
		return
	case "metadata.uid":
		emit(e.UID)
		return
	}
	switch top, rest, _ := strings.Cut(key, "."); top {
	case "relations":
		for _, rel := range s.Relations(r) {
			if strings.EqualFold(rel.Type, rest) {
				emit(rel.Target.String())
			}
		}
		return
	case "attachments", "status":
		return
	case "metadata":
		if name, _, _ := strings.Cut(rest, "."); name == "name" || name == "namespace" || name == "uid" || name == "etag" {
			return
		}
	}
	walk(gjson.Parse(text(e.Document)), key, true, yield)
}

// walk looks for key in v. Keys may hold dots themselves, so there may be
// several ways to read one.
func walk(v gjson.Result, key string, root bool, yield func(row)) {
	switch {
	case v.IsObject():
		v.ForEach(func(k, member gjson.Result) bool {
			rest, ok := cutFold(key, k.Str)
			switch {
			case !ok:
			case rest == "":
				walk(member, "", false, yield)
			case rest[0] == '.':
				walk(member, rest[1:], false, yield)
			}
			return true
		})
	case v.IsArray():
		v.ForEach(func(_, element gjson.Result) bool {
			walk(element, key, false, yield)
			if element.Type == gjson.String && key != "" && strings.ToLower(element.Str) == key {
				yield(row{text: "true"})
			}
			return true
		})
	case key != "" || root:
	case v.Type == gjson.Null:
		yield(row{null: true})
	case v.Type == gjson.String:
		yield(row{v.Str, tooLong(v.Str)})
	default:
		yield(row{v.Raw, tooLong(v.Raw)})
	}
}

// cutFold cuts prefix, in any case, off what is in lower case.
func cutFold(lower, prefix string) (rest string, ok bool) {
	if len(prefix) == 0 {
		return "", false
	}
	for i := range len(prefix) {
		if prefix[i] >= utf8.RuneSelf {
			return strings.CutPrefix(lower, strings.ToLower(prefix))
		}
		if i >= len(lower) {
			return "", false
		}
		c := prefix[i]
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != lower[i] {
			return "", false
		}
	}
	return lower[len(prefix):], true
}

func tooLong(s string) bool {
	if len(s) <= maxValue {
		return false
	}
	units := 0
	for _, r := range s {
		if units++; r > 0xFFFF {
			units++
		}
		if units > maxValue {
			return true
		}
	}
	return false
}

// text is a document without a copy; documents are immutable.
func text(doc []byte) string { return unsafe.String(unsafe.SliceData(doc), len(doc)) }
