package catalog

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Violation is a rule that a document breaks, and where in the document.
type Violation struct {
	Code     Code
	Severity Severity
	// Path leads to the offending value: keys of objects and indices of arrays.
	// If the value is missing, its last element is the missing key.
	Path []string
	// Key says that not the value at Path offends but its key.
	Key     bool
	Message string
	Hint    string
}

// Field is the path as people write it, such as spec.dependsOn[2], clipped if
// it is very long.
func (v Violation) Field() string { return clip(FieldPath(v.Path), maxMessage) }

// FieldPath joins a path as people write it: indices in brackets, and keys that
// are more than a word in brackets and quotes.
func FieldPath(path []string) string {
	var b strings.Builder
	for i, p := range path {
		switch {
		case i > 0 && isIndex(p):
			b.WriteString("[" + p + "]")
		case !isWord(p):
			b.WriteString("[" + strconv.Quote(p) + "]")
		default:
			if i > 0 {
				b.WriteByte('.')
			}
			b.WriteString(p)
		}
	}
	return b.String()
}

// isIndex tells whether s is written as the index of a list.
func isIndex(s string) bool {
	for i := 0; i < len(s); i++ {
		if !isDigit(s[i]) {
			return false
		}
	}
	return s != "" && len(s) < 10
}

// isWord tells whether a key may stand in a path without quotes.
func isWord(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i] | 0x20; !isDigit(s[i]) && ('a' > c || c > 'z') && s[i] != '-' && s[i] != '_' && s[i] != '$' {
			return false
		}
	}
	return s != ""
}

// maxViolations bounds what is told of one document.
const maxViolations = 50

// maxMessage is the most bytes of a message: what was found may be anything.
const maxMessage = 500

// checker gathers violations.
type checker struct{ found []Violation }

func (c *checker) add(code Code, severity Severity, path []string, message, hint string) {
	if len(c.found) < maxViolations {
		c.found = append(c.found, Violation{Code: code, Severity: severity, Path: slices.Clone(path), Message: clip(message, maxMessage), Hint: clip(hint, maxMessage)})
	}
}

// failKey tells of a key that may not be what it is.
func (c *checker) failKey(code Code, path []string, message, hint string) {
	n := len(c.found)
	c.fail(code, path, message, hint)
	if len(c.found) > n {
		c.found[n].Key = true
	}
}

func (c *checker) fail(code Code, path []string, message, hint string) {
	c.add(code, SeverityError, path, message, hint)
}

// Check holds a document against the rules of Backstage's catalog model: the
// envelope, the formats of metadata fields, and the schema of its kind. The
// document consists of map[string]any, []any, string, bool, int64, float64 and
// nil. A document without a violation of SeverityError is an entity. Schemas
// hold custom kinds; it may be nil.
func Check(doc map[string]any, custom *Schemas) []Violation {
	c := &checker{}
	c.envelope(doc)
	if m, ok := doc["metadata"].(map[string]any); ok {
		c.formats(m)
	}
	apiVersion, _ := doc["apiVersion"].(string)
	kind, _ := doc["kind"].(string)
	readable := apiVersion != "" && kind != ""
	if hint := checkAPIVersion(apiVersion); hint != "" && apiVersion != "" {
		readable = false
		c.fail(CodeField, []string{"apiVersion"}, fmt.Sprintf("apiVersion %s is not valid", quote(apiVersion)), "write it "+hint)
	}
	if hint := checkKind(kind); hint != "" && kind != "" {
		readable = false
		c.fail(CodeField, []string{"kind"}, fmt.Sprintf("kind %s is not valid", quote(kind)), "a kind is "+hint)
	}
	if readable {
		c.spec(apiVersion, kind, doc, custom)
	}
	return c.found
}

var rootFields = []string{"apiVersion", "kind", "metadata", "spec"}

func (c *checker) envelope(doc map[string]any) {
	c.text(CodeEnvelope, doc, []string{"apiVersion"}, true, "backstage.io/v1alpha1")
	c.text(CodeEnvelope, doc, []string{"kind"}, true, "Component")
	if len(doc) > len(rootFields) || !contains(rootFields, doc) {
		c.foreign(doc)
	}
	if s, ok := doc["spec"]; ok && s != nil {
		if _, ok := s.(map[string]any); !ok {
			c.fail(CodeEnvelope, []string{"spec"}, "spec is "+describe(s), "write its fields below it, indented")
		}
	} else if ok {
		c.fail(CodeEnvelope, []string{"spec"}, "spec is empty", "write its fields below it, indented, or leave it out")
	}
	m, ok := doc["metadata"]
	if !ok {
		c.fail(CodeEnvelope, []string{"metadata"}, "metadata is missing", `add "metadata:" with at least a name below it`)
		return
	}
	metadata, ok := m.(map[string]any)
	if !ok {
		c.fail(CodeEnvelope, []string{"metadata"}, "metadata is "+describe(m), "write its fields below it, indented, with at least a name")
		return
	}
	at := func(key string) []string { return []string{"metadata", key} }
	c.text(CodeEnvelope, metadata, at("name"), true, "payment-service")
	for _, key := range []string{"namespace", "title", "uid", "etag"} {
		c.text(CodeEnvelope, metadata, at(key), false, "")
	}
	if d, ok := metadata["description"]; ok {
		if _, ok := d.(string); !ok {
			c.fail(CodeEnvelope, at("description"), "metadata.description is "+describe(d), "write it as text")
		}
	}
	for _, key := range []string{"labels", "annotations"} {
		v, ok := metadata[key]
		if !ok {
			continue
		}
		values, ok := v.(map[string]any)
		if !ok {
			c.fail(CodeEnvelope, at(key), fmt.Sprintf("metadata.%s is %s", key, describe(v)), `write it as "key: value" pairs, or leave it out`)
			continue
		}
		if allText(values) {
			continue
		}
		for _, k := range sortedKeys(values) {
			if _, ok := values[k].(string); !ok && !substituted(values[k]) {
				c.fail(CodeEnvelope, []string{"metadata", key, k}, fmt.Sprintf("the value of %s is %s", k, describe(values[k])), "a value is text; put quotes around it")
			}
		}
	}
	if tags, ok := c.list(CodeEnvelope, metadata, at("tags"), "a list of words"); ok {
		for i, t := range tags {
			if s, ok := t.(string); !ok || s == "" {
				c.fail(CodeEnvelope, []string{"metadata", "tags", strconv.Itoa(i)}, "a tag is "+describe(t), "remove it, or write text; put quotes around what looks like a number")
			}
		}
	}
	if links, ok := c.list(CodeEnvelope, metadata, at("links"), "a list, each with a url"); ok {
		for i, l := range links {
			path := []string{"metadata", "links", strconv.Itoa(i)}
			link, ok := l.(map[string]any)
			if !ok {
				c.fail(CodeEnvelope, path, "a link is "+describe(l), `write it as "- url: https://…"`)
				continue
			}
			at := func(key string) []string { return append(path[:3:3], key) }
			c.text(CodeEnvelope, link, at("url"), true, "https://runbooks.example.com/payment")
			for _, key := range [...]string{"title", "icon", "type"} {
				if _, ok := link[key]; ok {
					c.text(CodeEnvelope, link, at(key), false, "")
				}
			}
		}
	}
}

// contains tells whether fields has every key of doc.
func contains(fields []string, doc map[string]any) bool {
	for key := range doc {
		if !slices.Contains(fields, key) {
			return false
		}
	}
	return true
}

// foreign tells of fields that do not belong at the root of a document, and
// where they probably do.
func (c *checker) foreign(doc map[string]any) {
	for _, key := range sortedKeys(doc) {
		if slices.Contains(rootFields, key) {
			continue
		}
		hint := "only apiVersion, kind, metadata and spec stand at the root of a document"
		if n := nearest(key, rootFields); n != "" {
			hint = "did you mean " + n + "? " + hint
		} else if _, ok := specFields[key]; ok {
			hint = "indent it below spec; " + hint
		} else if slices.Contains(metadataFields, key) {
			hint = "indent it below metadata; " + hint
		} else if key == "relations" || key == "status" {
			hint = "the catalog works it out by itself; remove it"
		}
		c.failKey(CodeEnvelope, []string{key}, quote(key)+" is no field of an entity", hint)
	}
}

var metadataFields = []string{"name", "namespace", "title", "description", "labels", "annotations", "tags", "links"}

// formats checks the texts in metadata that are there.
func (c *checker) formats(m map[string]any) {
	if name, ok := m["name"].(string); ok && name != "" {
		if hint := CheckName(name); hint != "" {
			if unrendered(name) {
				c.fail(CodeTemplate, []string{"metadata", "name"}, fmt.Sprintf("the name %s is a placeholder of a template", quote(name)),
					skeletonHint)
			} else {
				c.fail(CodeField, []string{"metadata", "name"}, fmt.Sprintf("the name %s is not valid", quote(name)), "a name is "+hint)
			}
		}
	}
	if ns, ok := m["namespace"].(string); ok && ns != "" {
		if hint := checkNamespace(ns); hint != "" {
			c.fail(CodeField, []string{"metadata", "namespace"}, fmt.Sprintf("the namespace %s is not valid", quote(ns)), "a namespace is "+hint)
		}
	}
	for _, field := range []string{"labels", "annotations"} {
		values, _ := m[field].(map[string]any)
		if wellFormed(values, field == "labels") {
			continue
		}
		for _, k := range sortedKeys(values) {
			v := values[k]
			if hint := checkKey(k); hint != "" {
				c.failKey(CodeField, []string{"metadata", field, k}, fmt.Sprintf("the key %s in metadata.%s is not valid", quote(k), field), "a key is "+hint)
			}
			if s, ok := v.(string); ok && field == "labels" {
				if hint := checkLabelValue(s); hint != "" {
					c.fail(CodeField, []string{"metadata", field, k}, fmt.Sprintf("the value %s of label %s is not valid", quote(s), k),
						"a label's value is "+hint+"; longer text goes into annotations")
				}
			}
		}
	}
	tags, _ := m["tags"].([]any)
	for i, t := range tags {
		if s, ok := t.(string); ok && s != "" {
			if hint := checkTag(s); hint != "" {
				c.fail(CodeField, []string{"metadata", "tags", strconv.Itoa(i)}, fmt.Sprintf("the tag %s is not valid", quote(s)), "a tag is "+hint)
			}
		}
	}
	links, _ := m["links"].([]any)
	for i, l := range links {
		link, _ := l.(map[string]any)
		path := func(key string) []string { return []string{"metadata", "links", strconv.Itoa(i), key} }
		if s, ok := link["url"].(string); ok && s != "" {
			if hint := checkURL(s); hint != "" {
				c.fail(CodeField, path("url"), fmt.Sprintf("the address %s is not valid", quote(s)), "an address is "+hint)
			}
		}
		for _, key := range [...]string{"title", "icon"} {
			if s, ok := link[key].(string); ok && s != "" && strings.TrimSpace(s) == "" {
				c.fail(CodeField, path(key), fmt.Sprintf("the %s of a link is blank", key), "write some text, or leave it out")
			}
		}
	}
}

func allText(values map[string]any) bool {
	for _, v := range values {
		if _, ok := v.(string); !ok {
			return false
		}
	}
	return true
}

// wellFormed is the quick way through the labels or annotations of an entity
// that has nothing wrong with them.
func wellFormed(values map[string]any, labels bool) bool {
	for k, v := range values {
		s, ok := v.(string)
		if checkKey(k) != "" || labels && ok && checkLabelValue(s) != "" {
			return false
		}
	}
	return true
}

// text checks a field that holds text of at least one character. The last
// element of path is its key in m.
func (c *checker) text(code Code, m map[string]any, path []string, required bool, example string) {
	key := path[len(path)-1]
	v, ok := m[key]
	if !ok {
		if required {
			c.fail(code, path, FieldPath(path)+" is missing", fmt.Sprintf("add it, for example %q", key+": "+example))
		}
		return
	}
	if s, ok := v.(string); ok && s != "" || substituted(v) {
		return
	}
	c.notText(code, v, path, required, example)
}

// notText tells of a value that should be text.
func (c *checker) notText(code Code, v any, path []string, required bool, example string) {
	key := path[len(path)-1]
	if m, ok := v.(map[string]any); ok && placeholderKey(m) {
		c.fail(CodeTemplate, path, FieldPath(path)+" is a placeholder of a template", skeletonHint)
		return
	}
	hint := "write some text"
	if example != "" {
		hint = fmt.Sprintf("write text, for example %q", key+": "+example)
	} else if !required {
		hint = "write some text, or leave it out"
	}
	switch v.(type) {
	case bool, int64, float64:
		hint = "put quotes around it"
	}
	c.fail(code, path, FieldPath(path)+" is "+describe(v), hint)
}

func (c *checker) list(code Code, m map[string]any, path []string, what string) ([]any, bool) {
	v, ok := m[path[len(path)-1]]
	if !ok {
		return nil, false
	}
	l, ok := v.([]any)
	if !ok && !substituted(v) {
		c.fail(code, path, FieldPath(path)+" is "+describe(v), "it is "+what+", each behind a dash, or left out")
	}
	return l, ok
}

// substituted tells whether v is one of Backstage's placeholders, whose value
// comes from another file: {$text: ./api.yaml}.
func substituted(v any) bool {
	m, ok := v.(map[string]any)
	if !ok || len(m) != 1 {
		return false
	}
	for k := range m {
		return slices.Contains(placeholders, k)
	}
	return false
}

var placeholders = []string{"$text", "$json", "$yaml", "$openapi", "$asyncapi"}

// unrendered tells whether s has a placeholder of a template engine in it.
func unrendered(s string) bool {
	return strings.Contains(s, "{{") || strings.Contains(s, "{%") || strings.Contains(s, "<%")
}

const skeletonHint = "this file looks like the skeleton of a software template; leave its folder out of the patterns that are harvested"

// placeholderKey tells whether m is what YAML makes of an unquoted {{ name }}:
// a mapping whose only key is a mapping.
func placeholderKey(m map[string]any) bool {
	for k, v := range m {
		return len(m) == 1 && v == nil && strings.HasPrefix(k, "{")
	}
	return false
}

// describe says what a value is, as a part of a sentence.
func describe(v any) string {
	switch v := v.(type) {
	case nil:
		return "empty"
	case string:
		if v == "" {
			return "empty text"
		}
		return "the text " + quote(v)
	case bool:
		return "the truth value " + strconv.FormatBool(v)
	case int64:
		return "the number " + strconv.FormatInt(v, 10)
	case float64:
		return "the number " + strconv.FormatFloat(v, 'g', -1, 64)
	case []any:
		return "a list"
	case map[string]any:
		return "a mapping"
	}
	return fmt.Sprintf("a %T", v)
}

// quote quotes what was found, clipped to what a person reads.
func quote(s string) string {
	const most = 80
	if short := clip(s, most); len(short) != len(s) {
		return strconv.Quote(strings.TrimSuffix(short, "…")) + "…"
	}
	return strconv.Quote(s)
}

// clip cuts s to at most so many bytes and an ellipsis, between characters.
func clip(s string, most int) string {
	if len(s) <= most {
		return s
	}
	for most > 0 && s[most]&0xC0 == 0x80 {
		most--
	}
	return s[:most] + "…"
}

func sortedKeys(m map[string]any) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// nearest is the word that s was probably meant to be, or "".
func nearest(s string, words []string) string {
	for _, w := range words {
		if strings.EqualFold(s, w) || oneEdit(strings.ToLower(s), strings.ToLower(w)) {
			return w
		}
	}
	return ""
}

// oneEdit tells whether a and b differ by one character, or two neighbours
// that changed places.
func oneEdit(a, b string) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	if len(b)-len(a) > 1 || len(a) < 3 {
		return false
	}
	i := 0
	for i < len(a) && a[i] == b[i] {
		i++
	}
	if len(a) < len(b) {
		return a[i:] == b[i+1:]
	}
	return i < len(a) && (a[i+1:] == b[i+1:] || i+1 < len(a) && a[i] == b[i+1] && a[i+1] == b[i] && a[i+2:] == b[i+2:])
}
