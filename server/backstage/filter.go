package backstage

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/tidwall/gjson"
)

// Bounds of a filter.
const (
	maxDepth = 40   // of nested predicates
	maxTerms = 2000 // fields that are compared
	maxKeys  = 32   // different ones
	maxIn    = 20_000
)

type op uint8

const (
	opAll op = iota
	opAny
	opNot
	opExists // the key is there
	opIn     // the key has one of the values
	opPrefix // the key has a value that starts with values[0]
)

// cond is a filter that was read. Keys and values are in lower case.
type cond struct {
	op     op
	args   []*cond
	key    string
	values []string
}

// needs adds the keys of c.
func (c *cond) needs(to []need) []need {
	if c == nil {
		return to
	}
	if c.key != "" && !slices.ContainsFunc(to, func(n need) bool { return n.key == c.key }) {
		to = append(to, need{key: c.key})
	}
	for _, a := range c.args {
		to = a.needs(to)
	}
	return to
}

// selected is a new set of who c is true for.
func (t *table) selected(c *cond) *roaring.Bitmap {
	out := roaring.New()
	switch c.op {
	case opAll:
		for i, a := range c.args {
			if i == 0 {
				out = t.selected(a)
			} else if out.IsEmpty() {
				break
			} else {
				out.And(t.selected(a))
			}
		}
		if len(c.args) == 0 {
			out = t.live.Clone()
		}
	case opAny:
		for _, a := range c.args {
			out.Or(t.selected(a))
		}
	case opNot:
		out = roaring.AndNot(t.live, t.selected(c.args[0]))
	case opExists:
		out = t.columns[c.key].present.Clone()
	case opIn:
		for _, v := range c.values {
			t.columns[c.key].equal(out, v)
		}
	case opPrefix:
		t.columns[c.key].matching(out, func(lower string) bool { return strings.HasPrefix(lower, c.values[0]) })
	}
	return out
}

// parseFilters reads the filters of a query string, any of which must hold, as a
// predicate; nil if there are none.
func parseFilters(filters []string) ([]byte, error) {
	var outer []any
	for _, filter := range filters {
		inner, err := parseFilter(filter)
		if err != nil {
			return nil, err
		}
		switch len(inner) {
		case 0:
		case 1:
			outer = append(outer, inner[0])
		default:
			outer = append(outer, map[string]any{"$all": inner})
		}
	}
	var all any
	switch len(outer) {
	case 0:
		return nil, nil
	case 1:
		all = outer[0]
	default:
		all = map[string]any{"$any": outer}
	}
	return json.Marshal(all)
}

// parseFilter reads a=b,c=d: all keys must have one of the values given for them.
func parseFilter(filter string) ([]any, error) {
	var keys []string
	values := map[string][]string{}
	for statement := range strings.SplitSeq(filter, ",") {
		if statement = strings.TrimSpace(statement); statement == "" {
			continue
		}
		key, value, equals := strings.Cut(statement, "=")
		if equals {
			key, value = strings.TrimSpace(key), strings.TrimSpace(value)
		}
		if key == "" {
			return nil, inputError("Invalid filter, '%s' is not a valid statement (expected a string on the form a=b or a= or a)", statement)
		}
		if !slices.Contains(keys, key) {
			if keys = append(keys, key); len(keys) > maxKeys {
				return nil, inputError("Invalid filter, more than %d keys", maxKeys)
			}
		}
		if equals {
			values[key] = append(values[key], value)
		}
	}
	var out []any
	for _, key := range keys {
		var v any
		switch found := values[key]; len(found) {
		case 0:
			v = map[string]any{"$exists": true}
		case 1:
			v = found[0]
		default:
			v = map[string]any{"$in": found}
		}
		out = append(out, map[string]any{key: v})
	}
	return out, nil
}

// parsePredicate reads a predicate, nil for none.
func parsePredicate(raw []byte) (*cond, error) {
	if raw == nil {
		return nil, nil
	}
	v := gjson.ParseBytes(raw)
	if !v.IsObject() {
		if v.IsArray() || v.Type == gjson.Null {
			return nil, inputError("Invalid query: Validation error: Expected object")
		}
		return nil, inputError("Query must be an object")
	}
	p := &predicates{keys: map[string]bool{}}
	return p.read(v, 0)
}

type predicates struct {
	terms int
	keys  map[string]bool
}

func invalid(format string, args ...any) error {
	return inputError("Invalid query: Validation error: "+format, args...)
}

func (p *predicates) read(v gjson.Result, depth int) (*cond, error) {
	if depth > maxDepth {
		return nil, invalid("nested more than %d deep", maxDepth)
	}
	if isPrimitive(v) {
		return nil, inputError("Invalid filter predicate: top-level primitive values are not supported. Wrap the value in a field expression, e.g. { \"kind\": %s }", v.Raw)
	}
	if !v.IsObject() {
		return nil, invalid("Expected object")
	}
	var out *cond
	var fields []*cond
	var failed error
	members := 0
	v.ForEach(func(k, value gjson.Result) bool {
		members++
		if strings.HasPrefix(k.Str, "$") {
			out, failed = p.logic(k.Str, value, depth)
			return failed == nil
		}
		var f *cond
		if f, failed = p.field(k.Str, value); f != nil {
			fields = append(fields, f)
		}
		return failed == nil
	})
	switch {
	case failed != nil:
		return nil, failed
	case out != nil && members > 1:
		return nil, invalid("Unrecognized key(s) in object beside $all, $any or $not")
	case out != nil:
		return out, nil
	case len(fields) == 1:
		return fields[0], nil
	}
	return &cond{op: opAll, args: fields}, nil
}

func (p *predicates) logic(name string, v gjson.Result, depth int) (*cond, error) {
	out := &cond{}
	switch name {
	case "$not":
		arg, err := p.read(v, depth+1)
		if err != nil {
			return nil, err
		}
		return &cond{op: opNot, args: []*cond{arg}}, nil
	case "$all":
	case "$any":
		out.op = opAny
	default:
		return nil, invalid("Unrecognized key(s) in object: '%s'", clip(name))
	}
	if !v.IsArray() {
		return nil, invalid("Expected array at \"%s\"", name)
	}
	var failed error
	v.ForEach(func(_, element gjson.Result) bool {
		var arg *cond
		if arg, failed = p.read(element, depth+1); failed == nil {
			out.args = append(out.args, arg)
			if p.terms++; p.terms > maxTerms {
				failed = invalid("more than %d terms", maxTerms)
			}
		}
		return failed == nil
	})
	return out, failed
}

func (p *predicates) field(name string, v gjson.Result) (*cond, error) {
	if p.terms++; p.terms > maxTerms {
		return nil, invalid("more than %d terms", maxTerms)
	}
	key := strings.ToLower(name)
	c, err := p.compare(key, name, v)
	if err != nil {
		return nil, err
	}
	if p.keys[c.key] = true; len(p.keys) > maxKeys {
		return nil, invalid("more than %d different keys", maxKeys)
	}
	return c, nil
}

func (p *predicates) compare(key, name string, v gjson.Result) (*cond, error) {
	if isPrimitive(v) {
		return &cond{op: opIn, key: key, values: []string{lowerOf(v)}}, nil
	}
	if !v.IsObject() {
		return nil, invalid("Expected string, received %s at \"%s\"", kindOf(v), clip(name))
	}
	if x := v.Get("\\$exists"); x.IsBool() {
		c := &cond{op: opExists, key: key}
		if !x.Bool() {
			return &cond{op: opNot, key: key, args: []*cond{c}}, nil
		}
		return c, nil
	}
	if x := v.Get("\\$in"); x.IsArray() {
		c := &cond{op: opIn, key: key}
		x.ForEach(func(_, e gjson.Result) bool {
			if !isPrimitive(e) || len(c.values) >= maxIn {
				c = nil
				return false
			}
			c.values = append(c.values, lowerOf(e))
			return true
		})
		if c == nil {
			return nil, invalid("Invalid value at \"%s.$in\"", clip(name))
		}
		slices.Sort(c.values)
		c.values = slices.Compact(c.values)
		return c, nil
	}
	if x := v.Get("\\$hasPrefix"); x.Type == gjson.String {
		return &cond{op: opPrefix, key: key, values: []string{strings.ToLower(x.Str)}}, nil
	}
	if x := v.Get("\\$contains"); x.Exists() {
		switch {
		case isPrimitive(x):
			return &cond{op: opIn, key: key, values: []string{lowerOf(x)}}, nil
		case x.IsObject() && key == "relations":
			return containsRelation(x)
		case x.IsObject():
			return nil, inputError("Object form of $contains is not supported for field \"%s\"", clip(key))
		}
	}
	return nil, invalid("Expected string, received object at \"%s\", or Required at \"%[1]s.$exists\", or Required at \"%[1]s.$in\", or Required at \"%[1]s.$contains\", or Required at \"%[1]s.$hasPrefix\"", clip(name))
}

// containsRelation reads {"type": "ownedBy", "targetRef": "group:default/a"}.
func containsRelation(v gjson.Result) (*cond, error) {
	var typ string
	var targets []string
	var failed error
	v.ForEach(func(k, x gjson.Result) bool {
		switch strings.ToLower(k.Str) {
		case "type":
			if x.Type != gjson.String || typ != "" {
				failed = inputError(`The $contains operator for "relations" requires a "type" string property`)
			}
			typ = strings.ToLower(x.Str)
		case "targetref":
			list := x.Get("\\$in")
			if x.Type == gjson.String {
				targets = []string{strings.ToLower(x.Str)}
			} else if list.IsArray() && len(list.Array()) > 0 && len(list.Array()) <= maxIn {
				for _, e := range list.Array() {
					targets = append(targets, lowerOf(e))
				}
			} else {
				failed = inputError(`Unsupported value in $contains for "relations": expected a string or { "$in": [strings] }, but got %s`, clip(x.Raw))
			}
		default:
			failed = inputError(`Unsupported key "%s" in $contains for "relations". Only "type" and "targetRef" are supported`, clip(k.Str))
		}
		return failed == nil
	})
	if failed == nil && typ == "" {
		failed = inputError(`The $contains operator for "relations" requires a "type" string property`)
	}
	if failed != nil {
		return nil, failed
	}
	if targets == nil {
		return &cond{op: opExists, key: "relations." + typ}, nil
	}
	return &cond{op: opIn, key: "relations." + typ, values: targets}, nil
}

func isPrimitive(v gjson.Result) bool {
	return v.Type == gjson.String || v.Type == gjson.Number || v.IsBool()
}

func lowerOf(v gjson.Result) string {
	if v.Type == gjson.String {
		return strings.ToLower(v.Str)
	}
	return strings.ToLower(v.Raw)
}

func kindOf(v gjson.Result) string {
	switch {
	case v.IsArray():
		return "array"
	case v.IsObject():
		return "object"
	}
	return strings.ToLower(v.Type.String())
}

// clip bounds what a message repeats of a request.
func clip(s string) string { return fmt.Sprintf("%.200s", s) }
