package catalog

import (
	"fmt"
	"strings"
)

// DefaultNamespace is the namespace of an entity that names none.
const DefaultNamespace = "default"

// Ref names an entity as kind:namespace/name. It keeps the case in which it
// was written; two refs name the same entity when their Keys are equal.
// The zero Ref names nothing.
type Ref struct {
	Kind, Namespace, Name string
}

// RefContext supplies the parts that a written reference leaves out. An empty
// Namespace means DefaultNamespace; an empty Kind makes the kind mandatory.
type RefContext struct {
	Kind, Namespace string
}

// ParseRef reads [kind:][namespace/]name. The kind ends at the first colon and
// the namespace at the first slash after it, as in Backstage's
// parseEntityRef. Parts are not checked against the naming rules; see
// CheckName.
func ParseRef(s string, in RefContext) (Ref, error) {
	rest := strings.TrimSpace(s)
	if rest == "" {
		return Ref{}, fmt.Errorf("entity reference is empty; write [kind:][namespace/]name")
	}
	r := Ref{Kind: in.Kind, Namespace: in.Namespace}
	slash := strings.IndexByte(rest, '/')
	if colon := strings.IndexByte(rest, ':'); colon >= 0 && (slash < 0 || colon < slash) {
		if colon == 0 {
			return Ref{}, fmt.Errorf("entity reference %q has an empty kind; write [kind:][namespace/]name", s)
		}
		r.Kind, rest = rest[:colon], rest[colon+1:]
		slash = strings.IndexByte(rest, '/')
	}
	if slash >= 0 {
		if slash == 0 {
			return Ref{}, fmt.Errorf("entity reference %q has an empty namespace; write [kind:][namespace/]name", s)
		}
		r.Namespace, rest = rest[:slash], rest[slash+1:]
	}
	if r.Namespace == "" {
		r.Namespace = DefaultNamespace
	}
	r.Name = rest
	switch {
	case r.Kind == "":
		return Ref{}, fmt.Errorf("entity reference %q has no kind; write kind:%s", s, s)
	case r.Name == "":
		return Ref{}, fmt.Errorf("entity reference %q has no name; write [kind:][namespace/]name", s)
	case strings.ContainsAny(r.Name, "/:"):
		return Ref{}, fmt.Errorf("entity reference %q has a stray %q in its name; write [kind:][namespace/]name", s, r.Name[strings.IndexAny(r.Name, "/:")])
	}
	return r, nil
}

// String is the full form, in the case in which it was written.
func (r Ref) String() string {
	return r.Kind + ":" + r.Namespace + "/" + r.Name
}

// Key is the identity of the entity: the full form in lower case.
func (r Ref) Key() string {
	return strings.ToLower(r.String())
}

// Lower is the ref as relations carry it, in lower case throughout.
func (r Ref) Lower() Ref {
	return Ref{strings.ToLower(r.Kind), strings.ToLower(r.Namespace), strings.ToLower(r.Name)}
}

// IsZero tells whether r names nothing.
func (r Ref) IsZero() bool { return r == Ref{} }
