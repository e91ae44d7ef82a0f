package catalog

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// shape is what a field of a spec holds.
type shape int

const (
	text      shape = iota // at least one character
	texts                  // a list of such
	oneOrMore              // text, or a list of texts
	object                 // a mapping
	objects                // a list of mappings
	anyOf                  // a mapping or a list of them
)

// rule is one field of a kind's spec.
type rule struct {
	field    string
	shape    shape
	required bool
	example  string
	oneOf    []string
}

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
		{field: "parent"}, {field: "members", shape: texts}, {field: "profile", shape: object},
	},
	"User": {
		{field: "memberOf", shape: texts, required: true, example: "[platform]"},
		{field: "profile", shape: object},
	},
	"Location": {
		{field: "type"}, {field: "target"}, {field: "targets", shape: texts},
		{field: "presence", oneOf: []string{"required", "optional"}},
	},
	"Template": {
		{field: "type", required: true, example: "service"},
		{field: "steps", shape: objects, required: true, example: "[]"},
		{field: "owner"}, {field: "lifecycle"},
		{field: "parameters", shape: anyOf}, {field: "output", shape: object},
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
	for _, r := range rules {
		c.field(spec, []string{"spec", r.field}, r)
	}
	if profile, ok := spec["profile"].(map[string]any); ok && (kind == "Group" || kind == "User") {
		for _, f := range []string{"displayName", "email", "picture"} {
			c.text(CodeSpec, profile, []string{"spec", "profile", f}, false, "")
		}
	}
	if kind == "Template" {
		c.steps(spec)
	}
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

func (c *checker) field(spec map[string]any, path []string, r rule) {
	v, ok := spec[r.field]
	if !ok {
		if r.required {
			c.fail(CodeSpec, path, "spec."+r.field+" is missing", missingHint(r))
		}
		return
	}
	if substituted(v) {
		return
	}
	switch r.shape {
	case text:
		c.text(CodeSpec, spec, path, r.required, r.example)
		if s, ok := v.(string); ok && r.oneOf != nil && !slices.Contains(r.oneOf, s) {
			c.fail(CodeSpec, path, fmt.Sprintf("spec.%s is %s", r.field, describe(v)), "it is one of "+strings.Join(r.oneOf, ", "))
		}
	case texts, oneOrMore:
		if s, ok := v.(string); ok && s != "" && r.shape == oneOrMore {
			return
		}
		l, _ := c.list(CodeSpec, spec, path, "a list")
		for i, e := range l {
			if s, ok := e.(string); (!ok || s == "") && !substituted(e) {
				c.fail(CodeSpec, append(slices.Clone(path), strconv.Itoa(i)), fmt.Sprintf("an element of spec.%s is %s", r.field, describe(e)), "each is text; remove it, or put quotes around it")
			}
		}
	case objects:
		l, _ := c.list(CodeSpec, spec, path, "a list")
		for i, e := range l {
			if _, ok := e.(map[string]any); !ok {
				c.fail(CodeSpec, append(slices.Clone(path), strconv.Itoa(i)), fmt.Sprintf("an element of spec.%s is %s", r.field, describe(e)), `each has fields, as in "- id: fetch"`)
			}
		}
	case object:
		if _, ok := v.(map[string]any); !ok {
			c.fail(CodeSpec, path, fmt.Sprintf("spec.%s is %s", r.field, describe(v)), "write its fields below it, indented, or leave it out")
		}
	case anyOf:
		switch v.(type) {
		case map[string]any, []any:
		default:
			c.fail(CodeSpec, path, fmt.Sprintf("spec.%s is %s", r.field, describe(v)), "write its fields below it, indented, or leave it out")
		}
	}
}

func missingHint(r rule) string {
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

// steps checks the steps of a Template, as far as its schema says.
func (c *checker) steps(spec map[string]any) {
	steps, _ := spec["steps"].([]any)
	for i, s := range steps {
		step, ok := s.(map[string]any)
		if !ok {
			continue
		}
		path := func(key string) []string { return []string{"spec", "steps", strconv.Itoa(i), key} }
		for _, key := range []string{"id", "name"} {
			if v, ok := step[key]; ok {
				if _, ok := v.(string); !ok {
					c.fail(CodeSpec, path(key), fmt.Sprintf("the %s of a step is %s", key, describe(v)), "it is text; put quotes around it")
				}
			}
		}
		if v, ok := step["action"]; !ok {
			c.fail(CodeSpec, path("action"), "a step has no action", `add the action that it runs, for example "action: fetch:template"`)
		} else if _, ok := v.(string); !ok {
			c.fail(CodeSpec, path("action"), "the action of a step is "+describe(v), "it is text; put quotes around it")
		}
		if v, ok := step["input"]; ok {
			if _, ok := v.(map[string]any); !ok {
				c.fail(CodeSpec, path("input"), "the input of a step is "+describe(v), "write its fields below it, indented, or leave it out")
			}
		}
		if v, ok := step["if"]; ok {
			switch v.(type) {
			case string, bool:
			default:
				c.fail(CodeSpec, path("if"), "the condition of a step is "+describe(v), "it is text or true or false")
			}
		}
	}
}
