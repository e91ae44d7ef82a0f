package githubtest

import (
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator/rules"
)

//go:embed schema.graphql
var schemaText string

var schema = gqlparser.MustLoadSchema(&ast.Source{Name: "schema.graphql", Input: schemaText})

// Bounds that GitHub documents: nodes in one query, and items in one page.
const (
	maxNodes = 500_000
	maxPage  = 100
)

// graphqlError is an error in GitHub's form, which adds a type.
type graphqlError struct {
	Type    string `json:"type,omitempty"`
	Path    []any  `json:"path,omitempty"`
	Message string `json:"message"`
}

func (s *Server) graphql(w http.ResponseWriter, r *http.Request) {
	a := w.(*answer)
	var request struct {
		Query     string         `json:"query"`
		Variables map[string]any `json:"variables"`
	}
	if err := json.NewDecoder(r.Body).Decode(&request); err != nil {
		a.fail(http.StatusBadRequest, "Problems parsing JSON")
		return
	}
	refuse := func(kind, format string, args ...any) {
		a.json(map[string]any{"errors": []graphqlError{{Type: kind, Message: fmt.Sprintf(format, args...)}}})
	}
	doc, errs := gqlparser.LoadQueryWithRules(schema, request.Query, rules.NewDefaultRules())
	if errs != nil {
		var list []graphqlError
		for _, err := range errs {
			list = append(list, graphqlError{Message: err.Message})
		}
		a.json(map[string]any{"errors": list})
		return
	}
	if len(doc.Operations) != 1 || doc.Operations[0].Operation != ast.Query {
		refuse("", "one query is expected")
		return
	}
	op := doc.Operations[0]
	e := &execution{s: s, r: r, vars: request.Variables, schema: schema}
	for _, v := range op.VariableDefinitions {
		if _, ok := e.vars[v.Variable]; !ok && v.Type.NonNull && v.DefaultValue == nil {
			refuse("", "Variable $%s of type %s was provided invalid value", v.Variable, v.Type)
			return
		}
	}
	e.cost(op.SelectionSet, 1)
	switch {
	case e.refused != "":
		refuse("", "%s", e.refused)
		return
	case e.nodes > maxNodes:
		refuse("MAX_NODE_LIMIT_EXCEEDED", "This query requests up to %d possible nodes which exceeds the maximum limit of 500,000.", e.nodes)
		return
	case s.options.Batch > 0 && e.objects > s.options.Batch:
		a.fail(http.StatusBadGateway, "Something went wrong while executing your query. This may be the result of a timeout, or it could be a GitHub bug.")
		return
	}
	a.points = max(1, (e.requests+50)/100)
	e.points = a.points
	data, ok := e.run(op.SelectionSet, &result{kind: "Query", field: e.query}, nil)
	reply := map[string]any{"data": data}
	if !ok {
		reply["data"] = nil
	}
	if len(e.errors) > 0 {
		reply["errors"] = e.errors
	}
	a.json(reply)
}

// result is a value of an object type while it is being resolved.
type result struct {
	kind  string
	field func(name string, args map[string]any) (any, error)
}

// execution is one query while it is being answered.
type execution struct {
	s       *Server
	r       *http.Request
	schema  *ast.Schema
	vars    map[string]any
	errors  []graphqlError
	refused string

	requests, nodes, objects, points int
}

// cost estimates a query as GitHub documents it: the points from the number of
// requests that its connections need, and the nodes that it may return.
func (e *execution) cost(set ast.SelectionSet, times int) {
	for _, selection := range set {
		switch selection := selection.(type) {
		case *ast.InlineFragment:
			e.cost(selection.SelectionSet, times)
		case *ast.FragmentSpread:
			e.cost(selection.Definition.SelectionSet, times)
		case *ast.Field:
			args := selection.ArgumentMap(e.vars)
			inner := times
			switch {
			case strings.HasSuffix(selection.Definition.Type.Name(), "Connection"):
				first, ok := integer(args["first"])
				if !ok || first < 0 || first > maxPage {
					e.refused = fmt.Sprintf("You must provide a `first` value between 0 and %d to properly paginate the `%s` connection.", maxPage, selection.Name)
					return
				}
				e.requests += times
				inner = times * max(first, 1)
				e.nodes += inner
			case selection.Name == "nodes" && selection.ObjectDefinition == e.schema.Query:
				ids, _ := args["ids"].([]any)
				if len(ids) > maxPage {
					e.refused = fmt.Sprintf("You may not provide more than %d node ids; you provided %d.", maxPage, len(ids))
					return
				}
				inner = times * len(ids)
				e.objects += inner
				e.nodes += inner
			case selection.Name == "object":
				e.objects += times
			}
			e.cost(selection.SelectionSet, inner)
		}
	}
}

func integer(v any) (int, bool) {
	switch v := v.(type) {
	case int64:
		return int(v), true
	case float64:
		return int(v), true
	}
	return 0, false
}

// run resolves a selection on a value. It returns false when a field that must
// not be null is, which makes the value null in turn.
func (e *execution) run(set ast.SelectionSet, on *result, path []any) (map[string]any, bool) {
	fields, order := map[string][]*ast.Field{}, []string{}
	e.collect(set, on.kind, fields, &order)
	data := make(map[string]any, len(order))
	for _, key := range order {
		same := fields[key]
		first := same[0]
		if first.Name == "__typename" {
			data[key] = on.kind
			continue
		}
		at := append(path[:len(path):len(path)], key)
		value, err := on.field(first.Name, first.ArgumentMap(e.vars))
		if err != nil {
			e.fail(err, at)
			value = nil
		}
		var sub ast.SelectionSet
		for _, f := range same {
			sub = append(sub, f.SelectionSet...)
		}
		shown, ok := e.complete(first.Definition.Type, value, sub, at)
		if !ok {
			return nil, false
		}
		data[key] = shown
	}
	return data, true
}

func (e *execution) fail(err error, path []any) {
	failure := graphqlError{Path: path, Message: err.Error()}
	if typed := (typedError{}); errors.As(err, &typed) {
		failure.Type = typed.kind
	}
	e.errors = append(e.errors, failure)
}

// typedError is an error with one of GitHub's types, such as NOT_FOUND.
type typedError struct{ kind, message string }

func (t typedError) Error() string { return t.message }

func (e *execution) collect(set ast.SelectionSet, kind string, into map[string][]*ast.Field, order *[]string) {
	for _, selection := range set {
		switch selection := selection.(type) {
		case *ast.Field:
			if !e.wanted(selection.Directives) {
				continue
			}
			if into[selection.Alias] == nil {
				*order = append(*order, selection.Alias)
			}
			into[selection.Alias] = append(into[selection.Alias], selection)
		case *ast.InlineFragment:
			if e.wanted(selection.Directives) && e.is(kind, selection.TypeCondition) {
				e.collect(selection.SelectionSet, kind, into, order)
			}
		case *ast.FragmentSpread:
			if e.wanted(selection.Directives) && e.is(kind, selection.Definition.TypeCondition) {
				e.collect(selection.Definition.SelectionSet, kind, into, order)
			}
		}
	}
}

func (e *execution) is(kind, condition string) bool {
	if condition == "" || condition == kind {
		return true
	}
	for _, possible := range e.schema.GetPossibleTypes(e.schema.Types[condition]) {
		if possible.Name == kind {
			return true
		}
	}
	return false
}

func (e *execution) wanted(directives ast.DirectiveList) bool {
	if d := directives.ForName("skip"); d != nil && d.ArgumentMap(e.vars)["if"] == true {
		return false
	}
	if d := directives.ForName("include"); d != nil && d.ArgumentMap(e.vars)["if"] == false {
		return false
	}
	return true
}

// complete brings a value into the form that its type has in the reply.
func (e *execution) complete(t *ast.Type, value any, set ast.SelectionSet, path []any) (any, bool) {
	if o, ok := value.(*result); ok && o == nil {
		value = nil
	}
	if value == nil {
		if t.NonNull && (len(e.errors) == 0) {
			e.errors = append(e.errors, graphqlError{Path: path, Message: "a field that cannot be null is null"})
		}
		return nil, !t.NonNull
	}
	if t.Elem != nil {
		list := []any{}
		for i, item := range value.([]any) {
			at := append(path[:len(path):len(path)], i)
			if err, ok := item.(error); ok {
				e.fail(err, at)
				item = nil
			}
			shown, ok := e.complete(t.Elem, item, set, at)
			if !ok {
				return nil, !t.NonNull
			}
			list = append(list, shown)
		}
		return list, true
	}
	if o, ok := value.(*result); ok {
		data, ok := e.run(set, o, path)
		if !ok {
			return nil, !t.NonNull
		}
		return data, true
	}
	if at, ok := value.(time.Time); ok {
		return at.UTC().Format(time.RFC3339), true
	}
	return value, true
}
