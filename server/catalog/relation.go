package catalog

// Relation is one edge between two entities, as the entity that declares it
// sees it. It is stored once; the reverse is derived (see Inverse).
type Relation struct {
	Type   string `json:"type"`
	Target Ref    `json:"target"`          // lower case; it may not exist
	Field  string `json:"field,omitempty"` // that declares it, such as spec.owner or spec.dependsOn[2]
	Line   int    `json:"line,omitempty"`  // of that field's value, from 1; 0 if unknown
	Column int    `json:"column,omitempty"`
}

// The relation types, in pairs, as in Backstage's well-known relations.
const (
	OwnedBy       = "ownedBy"
	OwnerOf       = "ownerOf"
	ProvidesAPI   = "providesApi"
	APIProvidedBy = "apiProvidedBy"
	ConsumesAPI   = "consumesApi"
	APIConsumedBy = "apiConsumedBy"
	DependsOn     = "dependsOn"
	DependencyOf  = "dependencyOf"
	ParentOf      = "parentOf"
	ChildOf       = "childOf"
	MemberOf      = "memberOf"
	HasMember     = "hasMember"
	PartOf        = "partOf"
	HasPart       = "hasPart"
)

var inverse = map[string]string{
	OwnedBy: OwnerOf, OwnerOf: OwnedBy,
	ProvidesAPI: APIProvidedBy, APIProvidedBy: ProvidesAPI,
	ConsumesAPI: APIConsumedBy, APIConsumedBy: ConsumesAPI,
	DependsOn: DependencyOf, DependencyOf: DependsOn,
	ParentOf: ChildOf, ChildOf: ParentOf,
	MemberOf: HasMember, HasMember: MemberOf,
	PartOf: HasPart, HasPart: PartOf,
}

// Inverse is the type under which the target of a relation sees it.
func Inverse(relationType string) string { return inverse[relationType] }
