package feed

import (
	"fmt"
	"slices"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"

	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/index"
)

// own are the relations that only the entity itself declares. Every other one
// may come and go with a change of its other end, which is not a change of this
// entity: it has no revision of its own by which a watch could tell of it.
var own = []string{catalog.OwnedBy, catalog.PartOf, catalog.ProvidesAPI, catalog.ConsumesAPI}

var nothing = index.New().Snapshot()

// check refuses a filter that is none, or whose outcome for an entity depends on
// more than the entity.
func check(filter string) error {
	if strings.TrimSpace(filter) == "" {
		return nil
	}
	if _, err := nothing.List(index.Query{Filter: filter, Size: 1}); err != nil {
		return err
	}
	if index.ReadsStatus(filter) {
		return &index.QueryError{
			Field: "filter", Offset: -1,
			Reason: "entity.status cannot be watched, because it says what is wrong with an entity, and may change without a change of the entity",
			Hint:   "leave it out, or list again now and then",
		}
	}
	if !strings.Contains(filter, "relations") {
		return nil
	}
	// The index has compiled it, so it is within bounds and can be parsed.
	env, err := cel.NewEnv(cel.EnableMacroCallTracking())
	if err != nil {
		return fmt.Errorf("make CEL environment: %w", err)
	}
	parsed, issues := env.Parse(filter)
	if issues.Err() != nil {
		return &index.QueryError{Field: "filter", Offset: -1, Reason: issues.Err().Error()}
	}
	named := map[int64]string{} // the relation that a mention of relations names
	root := ast.NavigateAST(parsed.NativeRep())
	for _, e := range ast.MatchDescendants(root, ast.AllMatcher()) {
		if base, name, ok := member(e); ok && base.Kind() == ast.IdentKind && base.AsIdent() == "relations" {
			named[base.ID()] = name
		}
	}
	for _, e := range ast.MatchDescendants(root, ast.KindMatcher(ast.IdentKind)) {
		name, ok := named[e.ID()]
		if e.AsIdent() != "relations" || slices.Contains(own, name) {
			continue
		}
		what := "relations without the name of one"
		if ok {
			what = fmt.Sprintf("relations.%.100s", name)
		}
		return &index.QueryError{
			Field: "filter", Offset: -1,
			Reason: what + " cannot be watched, because it may change with another entity and without a change of this one; " +
				"a watch can speak of those that an entity declares itself, each by its name: " + strings.Join(own, ", "),
			Hint: "write it over entity.spec, such as entity.spec.dependsOn, or list again when something changes",
		}
	}
	return nil
}

// member reads base.name and base["name"].
func member(e ast.Expr) (base ast.Expr, name string, ok bool) {
	switch e.Kind() {
	case ast.SelectKind:
		return e.AsSelect().Operand(), e.AsSelect().FieldName(), true
	case ast.CallKind:
		args := e.AsCall().Args()
		if e.AsCall().FunctionName() != operators.Index || args[1].Kind() != ast.LiteralKind {
			return nil, "", false
		}
		text, ok := args[1].AsLiteral().(types.String)
		return args[0], string(text), ok
	}
	return nil, "", false
}
