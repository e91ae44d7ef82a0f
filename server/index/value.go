package index

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
	"unsafe"

	"github.com/tidwall/gjson"
)

// kind is what a field of a document holds.
type kind uint8

const (
	kindBroken kind = iota // what the field should be in is missing, or no object
	kindAbsent             // the object is there and has no such key
	kindNull
	kindFalse
	kindTrue
	kindNumber
	kindString
	kindList
	kindMap
	kinds
)

// value is what one or many documents hold in a field. It is immutable.
type value struct {
	kind kind
	num  float64
	str  string  // of a string, and the JSON of a map
	fold string  // str in lower case, for order
	list []value // distinct elements of a list that can be told apart: no lists and maps
}

// orderLength is how much of a string orders entities, in bytes; it also bounds
// the length of page tokens.
const orderLength = 256

func clip(s string) string {
	if len(s) <= orderLength {
		return s
	}
	n := orderLength
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// text is a document without a copy; documents are immutable.
func text(doc []byte) string { return unsafe.String(unsafe.SliceData(doc), len(doc)) }

// inFacts begins the path of a field in the facts of an entity, and not in its
// document. No field of a document has that name at the top.
const inFacts = "\x00facts"

// inRevision is the path of an entity's revision, which is in no document either.
const inRevision = "\x00revision"

// lookup finds a field as CEL does: only objects have fields.
func lookup(record *Record, path []string) (gjson.Result, kind) {
	e := record.Entity
	doc := e.Document
	switch path[0] {
	case inStatus:
		return record.status(path[1:])
	case inOrigin:
		return record.origin(path[1:])
	case inFacts:
		doc, path = e.Facts, path[1:]
		if len(doc) == 0 {
			doc = noFacts
		}
	case inRevision:
		return gjson.Result{Type: gjson.Number, Num: float64(e.Revision)}, kindNumber
	}
	r := gjson.Result{Type: gjson.JSON, Raw: text(doc)}
	for i, key := range path {
		if !r.IsObject() {
			return r, kindBroken
		}
		r = member(r.Raw, key)
		if !r.Exists() {
			if i == len(path)-1 {
				return r, kindAbsent
			}
			return r, kindBroken
		}
	}
	return r, kindOf(r)
}

var noFacts = []byte("{}")

func kindOf(r gjson.Result) kind {
	switch r.Type {
	case gjson.Null:
		return kindNull
	case gjson.False:
		return kindFalse
	case gjson.True:
		return kindTrue
	case gjson.Number:
		return kindNumber
	case gjson.String:
		return kindString
	}
	if r.IsArray() {
		return kindList
	}
	return kindMap
}

// member finds a key of an object.
func member(object, key string) gjson.Result {
	for i := range len(key) {
		if c := key[i]; !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_') {
			return awkward(object, key)
		}
	}
	if key == "" {
		return awkward(object, key)
	}
	return gjson.Get(object, key)
}

// awkward finds a key that gjson's path syntax could read as something else.
func awkward(object, key string) (found gjson.Result) {
	gjson.Parse(object).ForEach(func(k, v gjson.Result) bool {
		if k.Str == key {
			found = v
			return false
		}
		return true
	})
	return found
}

func makeValue(r gjson.Result, k kind) value {
	v := value{kind: k}
	switch k {
	case kindNumber:
		v.num = r.Num
	case kindString:
		v.str = strings.Clone(r.Str)
		v.fold = foldOrder(v.str)
	case kindMap:
		v.str = strings.Clone(r.Raw)
	case kindList:
		r.ForEach(func(_, e gjson.Result) bool {
			if e.Type == gjson.JSON {
				return true
			}
			x := makeValue(e, kindOf(e))
			if !slices.ContainsFunc(v.list, func(o value) bool { return o.kind == x.kind && o.num == x.num && o.str == x.str }) {
				v.list = append(v.list, x)
			}
			return true
		})
	}
	return v
}

func foldOrder(s string) string { return strings.ToLower(clip(s)) }

// key tells scalar values apart.
func (v *value) key() string {
	switch v.kind {
	case kindNumber:
		if v.num == 0 {
			return "n0" // minus zero too
		}
		return "n" + strconv.FormatFloat(v.num, 'g', -1, 64)
	case kindString:
		return "s" + v.str
	}
	return string('0' + rune(v.kind))
}

// text is the value as a facet shows it.
func (v *value) text() string {
	switch v.kind {
	case kindFalse:
		return "false"
	case kindTrue:
		return "true"
	case kindNumber:
		return strconv.FormatFloat(v.num, 'f', -1, 64)
	}
	return v.str
}

// rank orders values of different kinds; what cannot be ordered counts as
// missing and is highest.
func (v *value) rank() int {
	switch v.kind {
	case kindFalse:
		return 0
	case kindTrue:
		return 1
	case kindNumber:
		return 2
	case kindString:
		return 3
	}
	return missing
}

const missing = 4

// compareValues orders two values: truth values, then numbers, then strings
// without regard to case, then with it; missing ones last in both directions.
func compareValues(a, b *value, desc bool) int {
	ra, rb := a.rank(), b.rank()
	if ra == missing || rb == missing {
		return cmp.Compare(ra/missing, rb/missing)
	}
	c := cmp.Compare(ra, rb)
	if c == 0 && ra == 2 {
		c = cmp.Compare(a.num, b.num)
	}
	if c == 0 && ra == 3 {
		if c = strings.Compare(a.fold, b.fold); c == 0 {
			c = strings.Compare(clip(a.str), clip(b.str))
		}
	}
	if desc {
		return -c
	}
	return c
}
