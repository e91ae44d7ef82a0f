package catalog

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// shape is what a field holds.
type shape int

const (
	text       shape = iota // at least one character
	anyText                 // text, which may be empty
	texts                   // a list of texts of at least one character
	anyTexts                // a list of texts
	oneOrMore               // text, or a list of texts
	object                  // a mapping with the fields in rule.fields
	objects                 // a list of such
	oneOrMany               // a mapping or a list of them
	textOrBool              // text, or true or false
)

// rule is one field of a spec, or of a mapping within.
type rule struct {
	field    string
	shape    shape
	required bool
	example  string
	oneOf    []string
	fields   []rule
	others   *rule // of a mapping: the rule of every field not in fields; nil if they are free
}

var (
	profile = rule{field: "profile", shape: object, fields: []rule{{field: "displayName"}, {field: "email"}, {field: "picture"}}}

	permissions = rule{field: "backstage:permissions", shape: object, fields: []rule{{field: "tags", shape: anyTexts}}}
	condition   = rule{field: "if", shape: textOrBool}
	decorator   = []rule{{field: "id", shape: anyText}, {field: "input", shape: object}}
)

// kindRules are the schemas of Backstage's kinds, as its catalog-model and, for
// Template, its scaffolder have them. Fields beyond these are allowed.
var kindRules = map[string][]rule{
	"Component": {
		{field: "type", required: true, example: "service"},
		{field: "lifecycle", required: true, example: "production"},
		{field: "owner", required: true, example: "group:payments"},
		{field: "system"}, {field: "subcomponentOf"},
		{field: "providesApis", shape: texts}, {field: "consumesApis", shape: texts},
		{field: "dependsOn", shape: texts}, {field: "dependencyOf", shape: oneOrMore},
	},
	"API": {
		{field: "type", required: true, example: "openapi"},
		{field: "lifecycle", required: true, example: "production"},
		{field: "owner", required: true, example: "group:payments"},
		{field: "definition", required: true, example: "{$text: ./openapi.yaml}"},
		{field: "system"},
	},
	"Resource": {
		{field: "type", required: true, example: "database"},
		{field: "owner", required: true, example: "group:payments"},
		{field: "system"},
		{field: "dependsOn", shape: texts}, {field: "dependencyOf", shape: oneOrMore},
	},
	"System": {
		{field: "owner", required: true, example: "group:payments"},
		{field: "domain"}, {field: "type"},
	},
	"Domain": {
		{field: "owner", required: true, example: "group:payments"},
		{field: "subdomainOf"}, {field: "type"},
	},
	"Group": {
		{field: "type", required: true, example: "team"},
		{field: "children", shape: texts, required: true, example: "[]"},
		{field: "parent"}, {field: "members", shape: texts}, profile,
	},
	"User": {
		{field: "memberOf", shape: texts, required: true, example: "[platform]"},
		profile,
	},
	"Location": {
		{field: "type"}, {field: "target"}, {field: "targets", shape: texts},
		{field: "presence", oneOf: []string{"required", "optional"}},
	},
	"Template": {
		{field: "type", required: true, example: "service"},
		{field: "owner"}, {field: "lifecycle"},
		{field: "parameters", shape: oneOrMany, fields: []rule{permissions}},
		{field: "secrets", shape: object, fields: []rule{{field: "schema", shape: object}}},
		{field: "presentation", shape: object, fields: []rule{{field: "buttonLabels", shape: object, fields: []rule{
			{field: "backButtonText", shape: anyText}, {field: "createButtonText", shape: anyText}, {field: "reviewButtonText", shape: anyText},
		}}}},
		{field: "EXPERIMENTAL_recovery", shape: object, fields: []rule{{field: "EXPERIMENTAL_strategy", shape: anyText}}},
		{field: "formDecorators", shape: objects, fields: decorator},
		{field: "EXPERIMENTAL_formDecorators", shape: objects, fields: decorator},
		{field: "steps", shape: objects, required: true, example: "[]", fields: []rule{
			{field: "id", shape: anyText}, {field: "name", shape: anyText},
			{field: "action", shape: anyText, required: true, example: "fetch:template"},
			{field: "input", shape: object}, condition, permissions,
		}},
		{field: "output", shape: object, others: &rule{shape: anyText}, fields: []rule{
			{field: "links", shape: objects, fields: []rule{condition, {field: "url"}, {field: "entityRef"}, {field: "title"}, {field: "icon"}}},
			{field: "text", shape: objects, fields: []rule{condition, {field: "title"}, {field: "icon"}, {field: "content", shape: anyText}}},
		}},
	},
}

// specFields are all fields of all kinds, to tell what stands at the wrong place.
var specFields = func() map[string]struct{} {
	all := map[string]struct{}{}
	for _, rules := range kindRules {
		for _, r := range rules {
			all[r.field] = struct{}{}
		}
	}
	return all
}()

// Kinds are the names of the kinds with a schema of their own, sorted.
func Kinds() []string {
	out := make([]string, 0, len(kindRules))
	for k := range kindRules {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// known tells whether apiVersion is one under which Backstage defines kind.
func known(apiVersion, kind string) bool {
	if _, ok := kindRules[kind]; !ok {
		return false
	}
	if kind == "Template" {
		return apiVersion == "scaffolder.backstage.io/v1beta3" || apiVersion == "backstage.io/v1beta2"
	}
	return apiVersion == "backstage.io/v1alpha1" || apiVersion == "backstage.io/v1beta1"
}

// backstages tells whether Backstage gives the kinds of apiVersion their meaning.
func backstages(apiVersion string) bool {
	group, _, _ := strings.Cut(apiVersion, "/")
	return group == "backstage.io" || strings.HasSuffix(group, ".backstage.io")
}

// spec holds the spec against the schema of its kind. A kind in another case,
// such as component, is an error as it is in Backstage: refs do not mind the
// case, so that it would take the place of a Component whose rules it escapes.
func (c *checker) spec(apiVersion, kind string, doc map[string]any, custom *Schemas) {
	if !backstages(apiVersion) {
		c.custom(apiVersion, kind, doc, custom)
		return
	}
	rules, ok := kindRules[kind]
	if !ok {
		for k := range kindRules {
			if strings.EqualFold(k, kind) {
				c.fail(CodeEnvelope, []string{"kind"}, fmt.Sprintf("the kind %s is written in another case", quote(kind)), "write kind: "+k)
				return
			}
		}
		c.custom(apiVersion, kind, doc, custom)
		return
	}
	if !known(apiVersion, kind) {
		c.fail(CodeEnvelope, []string{"apiVersion"}, fmt.Sprintf("there is no %s under apiVersion %s", kind, quote(apiVersion)), "write apiVersion: "+versionOf(kind))
		return
	}
	spec, isMap := doc["spec"].(map[string]any)
	if _, ok := doc["spec"]; ok && !isMap {
		return // told with the envelope
	}
	if spec == nil {
		c.fail(CodeSpec, []string{"spec"}, "spec is missing", fmt.Sprintf("add it; a %s has %s", kind, requiredFields(rules)))
		return
	}
	c.fields(spec, rules, nil, []string{"spec"})
}

func versionOf(kind string) string {
	if kind == "Template" {
		return "scaffolder.backstage.io/v1beta3"
	}
	return "backstage.io/v1alpha1"
}

func requiredFields(rules []rule) string {
	var names []string
	for _, r := range rules {
		if r.required {
			names = append(names, "spec."+r.field)
		}
	}
	if len(names) == 0 {
		return "a spec, which may be {}"
	}
	return strings.Join(names, ", ")
}

// fields holds a mapping, which stands at path, against the rules of its fields.
func (c *checker) fields(m map[string]any, rules []rule, others *rule, path []string) {
	for i := range rules {
		r := &rules[i]
		v, ok := m[r.field]
		switch {
		case ok:
			if !simple(v, r.shape) || r.oneOf != nil {
				c.value(v, r, append(path[:len(path):len(path)], r.field))
			}
		case r.required:
			at := append(path[:len(path):len(path)], r.field)
			c.fail(CodeSpec, at, FieldPath(at)+" is missing", missingHint(r))
		}
	}
	if others == nil {
		return
	}
	for _, k := range sortedKeys(m) {
		if !slices.ContainsFunc(rules, func(r rule) bool { return r.field == k }) {
			c.value(m[k], others, append(path[:len(path):len(path)], k))
		}
	}
}

// simple is the quick way past a value that is right.
func simple(v any, s shape) bool {
	t, ok := v.(string)
	return ok && (s == text && t != "" || s == anyText)
}

// value holds one value against its rule.
func (c *checker) value(v any, r *rule, path []string) {
	if substituted(v) {
		return
	}
	wrong := func(hint string) { c.fail(CodeSpec, path, FieldPath(path)+" is "+describe(v), hint) }
	element := func(i int) []string { return append(path[:len(path):len(path)], strconv.Itoa(i)) }
	s, isText := v.(string)
	list, isList := v.([]any)
	m, isMap := v.(map[string]any)
	switch r.shape {
	case text:
		switch {
		case !isText || s == "":
			c.notText(CodeSpec, v, path, r.required, r.example)
		case r.oneOf != nil && !slices.Contains(r.oneOf, s):
			wrong("it is one of " + strings.Join(r.oneOf, ", "))
		}
	case anyText:
		if !isText {
			c.notText(CodeSpec, v, path, r.required, r.example)
		}
	case textOrBool:
		if _, ok := v.(bool); !ok && !isText {
			wrong("it is text, or true or false")
		}
	case texts, anyTexts, oneOrMore:
		switch {
		case isList:
			for i, e := range list {
				if s, ok := e.(string); (!ok || s == "" && r.shape != anyTexts) && !substituted(e) {
					at := element(i)
					c.fail(CodeSpec, at, FieldPath(at)+" is "+describe(e), "each is text; remove it, or put quotes around it")
				}
			}
		case r.shape != oneOrMore || !isText || s == "":
			wrong("it is a list, each behind a dash, or left out")
		}
	case object:
		if !isMap {
			wrong("write its fields below it, indented, or leave it out")
			return
		}
		c.fields(m, r.fields, r.others, path)
	case objects, oneOrMany:
		switch {
		case isList:
			for i, e := range list {
				at := element(i)
				if em, ok := e.(map[string]any); ok {
					c.fields(em, r.fields, r.others, at)
				} else {
					c.fail(CodeSpec, at, FieldPath(at)+" is "+describe(e), "each has fields, behind a dash and indented")
				}
			}
		case isMap && r.shape == oneOrMany:
			c.fields(m, r.fields, r.others, path)
		default:
			wrong("it is a list, each with its fields behind a dash, or left out")
		}
	}
}

func missingHint(r *rule) string {
	example := fmt.Sprintf("for example %q", r.field+": "+r.example)
	switch r.field {
	case "owner":
		return "name the team that owns this, " + example
	case "lifecycle":
		return "say how far it is: experimental, production or deprecated, " + example
	case "definition":
		return "put the API's definition here, or name its file, " + example
	case "memberOf":
		return "list the groups that the user is in, or none: " + strconv.Quote("memberOf: []")
	case "children":
		return "list the groups below this one, or none: " + strconv.Quote("children: []")
	}
	return "add it, " + example
}
