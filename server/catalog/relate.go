package catalog

import (
	"fmt"
	"strconv"
)

// edge is a field of a spec whose values are refs.
type edge struct {
	field    string
	relation string
	kind     string // default kind of the target, in lower case; "" makes it mandatory
	path     string // of the field in the document
}

func edgeOf(field, relation, kind string) edge {
	return edge{field, relation, kind, "spec." + field}
}

// edges are the relations that each kind's spec declares, as Backstage's
// built-in kinds processor emits them. A target without a namespace has that
// of the entity.
var edges = map[string][]edge{
	"Component": {
		edgeOf("owner", OwnedBy, "group"), edgeOf("subcomponentOf", PartOf, "component"),
		edgeOf("providesApis", ProvidesAPI, "api"), edgeOf("consumesApis", ConsumesAPI, "api"),
		edgeOf("dependsOn", DependsOn, ""), edgeOf("dependencyOf", DependencyOf, ""), edgeOf("system", PartOf, "system"),
	},
	"API":      {edgeOf("owner", OwnedBy, "group"), edgeOf("system", PartOf, "system")},
	"Resource": {edgeOf("owner", OwnedBy, "group"), edgeOf("dependsOn", DependsOn, ""), edgeOf("dependencyOf", DependencyOf, ""), edgeOf("system", PartOf, "system")},
	"User":     {edgeOf("memberOf", MemberOf, "group")},
	"Group":    {edgeOf("parent", ChildOf, "group"), edgeOf("children", ParentOf, "group"), edgeOf("members", HasMember, "user")},
	"System":   {edgeOf("owner", OwnedBy, "group"), edgeOf("domain", PartOf, "domain")},
	"Domain":   {edgeOf("owner", OwnedBy, "group"), edgeOf("subdomainOf", PartOf, "domain")},
	"Template": {edgeOf("owner", OwnedBy, "group")},
	"Location": {},
}

// customEdges are read in custom kinds, where Backstage reads nothing: an owner
// is an owner everywhere.
var customEdges = []edge{
	edgeOf("owner", OwnedBy, "group"), edgeOf("system", PartOf, "system"), edgeOf("domain", PartOf, "domain"),
	edgeOf("dependsOn", DependsOn, ""), edgeOf("dependencyOf", DependencyOf, ""),
}

// relate lists the relations that a spec declares, without lines, and what is
// wrong with its references. A reference that cannot be parsed costs the
// relation, not the entity. In a custom kind a value that is no reference is
// passed over, since nobody promised that it is one.
func relate(apiVersion string, self Ref, spec map[string]any) ([]Relation, []Violation) {
	fields := customEdges
	builtIn := known(apiVersion, self.Kind)
	if builtIn {
		fields = edges[self.Kind]
	}
	var r relator
	r.self, r.tolerant = self, !builtIn
	for _, e := range fields {
		switch v := spec[e.field].(type) {
		case string:
			r.emit(e, v, -1)
		case []any:
			for i, s := range v {
				if s, ok := s.(string); ok {
					r.emit(e, s, i)
				}
			}
		}
	}
	return r.out, r.found
}

// relator gathers the relations of one entity.
type relator struct {
	checker
	self     Ref
	tolerant bool
	out      []Relation
	seen     map[Relation]bool // by type and target; made once out is long
}

// emit adds the relation to what s names, unless it is there already. The
// index is that of s in its list, or -1 if the field is no list.
func (r *relator) emit(e edge, s string, index int) {
	if s == "" {
		return
	}
	target, err := ParseRef(s, RefContext{Kind: e.kind, Namespace: r.self.Namespace})
	if err != nil {
		if r.tolerant {
			return
		}
		path := []string{"spec", e.field}
		if index >= 0 {
			path = append(path, strconv.Itoa(index))
		}
		hint := "write [kind:][namespace/]name"
		if e.kind == "" && CheckName(s) == "" {
			hint = fmt.Sprintf("say what it is: component:%s, resource:%s or api:%s", s, s, s)
		}
		r.add(CodeReference, SeverityWarning, path, fmt.Sprintf("%s is %s, which names no entity, and makes no relation", FieldPath(path), quote(s)), hint)
		return
	}
	relation := Relation{Type: e.relation, Target: target.Lower()}
	if r.repeated(relation) {
		return
	}
	relation.Field = e.path
	if index >= 0 {
		relation.Field = e.path + "[" + strconv.Itoa(index) + "]"
	}
	r.out = append(r.out, relation)
}

func (r *relator) repeated(relation Relation) bool {
	const few = 16
	if len(r.out) < few {
		for i := range r.out {
			if r.out[i].Type == relation.Type && r.out[i].Target == relation.Target {
				return true
			}
		}
		return false
	}
	if r.seen == nil {
		r.seen = make(map[Relation]bool, 4*few)
		for _, o := range r.out {
			r.seen[Relation{Type: o.Type, Target: o.Target}] = true
		}
	}
	if r.seen[relation] {
		return true
	}
	r.seen[relation] = true
	return false
}
