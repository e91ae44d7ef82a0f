package catalog

import "fmt"

// Severity says what a problem costs.
type Severity string

const (
	SeverityError   Severity = "error"   // the entity or document is not in the catalog, or not in this form
	SeverityWarning Severity = "warning" // it is in the catalog, and something is wrong with it
)

// Code names a kind of problem, for filters and for SARIF rule ids.
type Code string

const (
	CodeSyntax       Code = "yaml-syntax"       // not YAML
	CodeTooLarge     Code = "too-large"         // over a bound of size, depth or aliases
	CodeEncoding     Code = "encoding"          // not UTF-8, or NUL inside
	CodeDuplicateKey Code = "duplicate-key"     // a mapping names a key twice
	CodeEnvelope     Code = "envelope"          // apiVersion, kind, metadata or a foreign root field
	CodeField        Code = "field"             // a metadata field breaks its rule
	CodeSpec         Code = "spec"              // the spec breaks the schema of its kind
	CodeReference    Code = "reference"         // an entity reference cannot be parsed
	CodeUnknownKind  Code = "unknown-kind"      // a custom kind without a schema: kept, and told
	CodeNotAllowed   Code = "kind-not-allowed"  // the source may not declare entities of this kind
	CodeUnreadable   Code = "unreadable"        // the source could not give the document
	CodeConflict     Code = "conflict"          // another document claims the same ref, and wins
	CodeDuplicateRef Code = "duplicate-ref"     // the same file claims the ref twice
	CodeDangling     Code = "dangling-relation" // the target of a relation does not exist
	CodeHeld         Code = "removals-held"     // a source lost more than it may at once
	CodeTemplate     Code = "unrendered-template"
)

// Problem is something wrong at a place that a person can go to.
type Problem struct {
	Code     Code     `json:"code"`
	Severity Severity `json:"severity"`
	Source   string   `json:"source,omitempty"`
	// Repository is owner/name.
	Repository string `json:"repository,omitempty"`
	Path       string `json:"path,omitempty"`
	Line       int    `json:"line,omitempty"` // from 1; 0 for the file as a whole
	Column     int    `json:"column,omitempty"`
	// Entity is the ref of the entity concerned, if there is one.
	Entity string `json:"entity,omitempty"`
	// Field is the path in the document, such as spec.owner.
	Field string `json:"field,omitempty"`
	// Message says what is wrong and what was found.
	Message string `json:"message"`
	// Hint says what is allowed and how to mend it.
	Hint string `json:"hint,omitempty"`
	// Fix is what to write, where that is certain.
	Fix Fix `json:"fix,omitzero"`
}

// Error makes a Problem an error, in the form of a compiler's message:
// path:line:column: message; hint.
func (p Problem) Error() string {
	s := p.Path
	if p.Repository != "" {
		s = p.Repository + "/" + s
	}
	if p.Line > 0 {
		s += fmt.Sprintf(":%d", p.Line)
		if p.Column > 0 {
			s += fmt.Sprintf(":%d", p.Column)
		}
	}
	if s != "" {
		s += ": "
	}
	s += p.Message
	if p.Hint != "" {
		s += "; " + p.Hint
	}
	return s
}
