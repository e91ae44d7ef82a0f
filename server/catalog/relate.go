package catalog

import (
	"fmt"
	"strconv"
)

// edge is a field of a spec whose values are refs.
type edge struct {
	field    string
	relation string
	kind     string // default kind of the target; "" makes it mandatory
}

// edges are the relations that each kind's spec declares, as Backstage's
// built-in kinds processor emits them. A target without a namespace has that
// of the entity.
var edges = map[string][]edge{
	"component": {
		{"owner", OwnedBy, "Group"}, {"subcomponentOf", PartOf, "Component"},
		{"providesApis", ProvidesAPI, "API"}, {"consumesApis", ConsumesAPI, "API"},
		{"dependsOn", DependsOn, ""}, {"dependencyOf", DependencyOf, ""}, {"system", PartOf, "System"},
	},
	"api":      {{"owner", OwnedBy, "Group"}, {"system", PartOf, "System"}},
	"resource": {{"owner", OwnedBy, "Group"}, {"dependsOn", DependsOn, ""}, {"dependencyOf", DependencyOf, ""}, {"system", PartOf, "System"}},
	"user":     {{"memberOf", MemberOf, "Group"}},
	"group":    {{"parent", ChildOf, "Group"}, {"children", ParentOf, "Group"}, {"members", HasMember, "User"}},
	"system":   {{"owner", OwnedBy, "Group"}, {"domain", PartOf, "Domain"}},
	"domain":   {{"owner", OwnedBy, "Group"}, {"subdomainOf", PartOf, "Domain"}},
	"template": {{"owner", OwnedBy, "Group"}},
	"location": {},
}

// customEdges are read in custom kinds, where Backstage reads nothing: an owner
// is an owner everywhere.
var customEdges = []edge{
	{"owner", OwnedBy, "Group"}, {"system", PartOf, "System"}, {"domain", PartOf, "Domain"},
	{"dependsOn", DependsOn, ""}, {"dependencyOf", DependencyOf, ""},
}

// relate lists the relations that a spec declares, without lines, and what is
// wrong with its references. In a custom kind a value that is no reference is
// passed over, since nobody promised that it is one.
func relate(self Ref, spec map[string]any) ([]Relation, []Violation) {
	fields, builtIn := edges[self.Lower().Kind]
	if !builtIn {
		fields = customEdges
	}
	var out []Relation
	c := &checker{}
	emit := func(e edge, s string, path []string) {
		target, err := ParseRef(s, RefContext{Kind: e.kind, Namespace: self.Namespace})
		if err != nil {
			if builtIn {
				c.fail(CodeReference, path, fmt.Sprintf("%s: %s", FieldPath(path), err), "")
			}
			return
		}
		target = target.Lower()
		for _, r := range out {
			if r.Type == e.relation && r.Target == target {
				return
			}
		}
		out = append(out, Relation{Type: e.relation, Target: target, Field: FieldPath(path)})
	}
	for _, e := range fields {
		switch v := spec[e.field].(type) {
		case string:
			if v != "" {
				emit(e, v, []string{"spec", e.field})
			}
		case []any:
			for i, s := range v {
				if s, ok := s.(string); ok && s != "" {
					emit(e, s, []string{"spec", e.field, strconv.Itoa(i)})
				}
			}
		}
	}
	return out, c.found
}
