package index

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"sync/atomic"
	"unicode/utf8"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"github.com/maypok86/otter/v2"
)

// Bounds of a filter.
const (
	maxFilter        = 8192 // bytes
	maxFilterNesting = 50
	maxFilterCost    = 200_000 // of CEL, for one entity
	maxPlans         = 4096    // kept compiled: each watch may have a filter of its own
)

// newEnvironment declares what a filter may speak of.
func newEnvironment() *cel.Env {
	env, err := cel.NewEnv(
		cel.Variable("entity", cel.MapType(cel.StringType, cel.DynType)),
		cel.Variable("facts", cel.MapType(cel.StringType, cel.DynType)),
		cel.Variable("relations", cel.MapType(cel.StringType, cel.ListType(cel.StringType))),
		cel.Variable("ref", cel.StringType),
		cel.ParserRecursionLimit(maxFilterNesting),
		cel.ParserExpressionSizeLimit(maxFilter),
		cel.EnableMacroCallTracking(),
		cel.EnableErrorOnBadPresenceTest(true), // as the specification has it
	)
	if err != nil {
		panic(err) // the declarations are constant
	}
	return env
}

var (
	environment atomic.Pointer[cel.Env] // newEnvironment's, with what Extend added
	plans       = otter.Must(&otter.Options[string, *plan]{MaximumSize: maxPlans})
)

func init() { environment.Store(newEnvironment()) }

// op is what a node of a plan does.
type op uint8

const (
	opAnd op = iota
	opOr
	opNot
	opConst    // of the truth value in yes
	opTruth    // the field is true
	opEqual    // the field is one of the values
	opPrefix   // the field is a string that starts with text
	opHas      // the field is there
	opMember   // the field is a list with text in it, or an object with that key
	opRelated  // there is a relation of type text to target
	opRelates  // there is a relation of type text
	opRef      // the ref is one of the values
	opEvaluate // left to CEL
)

// plan is a compiled filter. An expression has one of three outcomes for an
// entity, true, false or an error, and a plan gives the same ones as CEL.
type plan struct {
	op      op
	args    []*plan
	yes     bool
	path    []string
	values  []string // keys of values
	text    string
	target  string
	program cel.Program
}

// compile reads a filter.
func compile(filter string) (*plan, error) {
	if p, ok := plans.GetIfPresent(filter); ok {
		return p, nil
	}
	if len(filter) > maxFilter {
		return nil, &QueryError{Field: "filter", Offset: maxFilter, Reason: fmt.Sprintf("the filter has %d bytes; at most %d are read", len(filter), maxFilter), Hint: "write a shorter filter"}
	}
	if !utf8.ValidString(filter) {
		return nil, &QueryError{Field: "filter", Reason: "the filter is not UTF-8", Hint: "write it in UTF-8"}
	}
	checked, issues := environment.Load().Compile(filter)
	if issues.Err() != nil {
		e := issues.Errors()[0]
		return nil, &QueryError{
			Field: "filter", Offset: offsetOf(filter, e.Location.Line(), e.Location.Column()), Reason: e.Message,
			Hint: `a filter is a CEL expression over entity, facts, relations and ref, such as entity.spec.type == "service" && "group:default/payments" in relations.ownedBy`,
		}
	}
	if t := checked.OutputType(); !t.IsExactType(cel.BoolType) && !t.IsExactType(cel.DynType) {
		return nil, &QueryError{Field: "filter", Reason: fmt.Sprintf("the filter is of type %s, and neither true nor false", t), Hint: `compare it with something, such as == "service"`}
	}
	native := checked.NativeRep()
	b := &planner{info: native.SourceInfo()}
	p, err := b.plan(native.Expr())
	if err != nil {
		return nil, &QueryError{Field: "filter", Reason: err.Error(), Hint: "write a simpler filter"}
	}
	plans.Set(filter, p)
	return p, nil
}

// offsetOf turns a line from 1 and a column in characters from 0 into bytes.
func offsetOf(s string, line, column int) int {
	offset := 0
	for ; line > 1; line-- {
		i := strings.IndexByte(s[offset:], '\n')
		if i < 0 {
			break
		}
		offset += i + 1
	}
	for ; column > 0 && offset < len(s); column-- {
		_, w := utf8.DecodeRuneInString(s[offset:])
		offset += w
	}
	return offset
}

type planner struct{ info *ast.SourceInfo }

func (b *planner) plan(e ast.Expr) (*plan, error) {
	if e.Kind() == ast.CallKind {
		call := e.AsCall()
		switch call.FunctionName() {
		case operators.LogicalAnd, operators.LogicalOr, operators.LogicalNot:
			p := &plan{op: map[string]op{operators.LogicalAnd: opAnd, operators.LogicalOr: opOr, operators.LogicalNot: opNot}[call.FunctionName()]}
			for _, a := range call.Args() {
				q, err := b.plan(a)
				if err != nil {
					return nil, err
				}
				p.args = append(p.args, q)
			}
			return p, nil
		}
	}
	if p := indexable(e); p != nil {
		return p, nil
	}
	return b.evaluate(e)
}

// evaluate leaves an expression to CEL.
func (b *planner) evaluate(e ast.Expr) (*plan, error) {
	source, err := cel.ExprToString(e, b.info)
	if err != nil {
		return nil, fmt.Errorf("print a part of the filter: %w", err)
	}
	checked, issues := environment.Load().Compile(source)
	if issues.Err() != nil {
		return nil, fmt.Errorf("compile a part of the filter: %w", issues.Err())
	}
	program, err := environment.Load().Program(checked, cel.CostLimit(maxFilterCost), cel.InterruptCheckFrequency(100))
	if err != nil {
		return nil, fmt.Errorf("compile a part of the filter: %w", err)
	}
	return &plan{op: opEvaluate, program: program}, nil
}

// indexable is the plan of a term that the columns can answer, or nil.
func indexable(e ast.Expr) *plan {
	switch e.Kind() {
	case ast.LiteralKind:
		if v, ok := e.AsLiteral().(types.Bool); ok {
			return &plan{op: opConst, yes: bool(v)}
		}
	case ast.SelectKind:
		s := e.AsSelect()
		if s.IsTestOnly() {
			if s.Operand().Kind() == ast.IdentKind && s.Operand().AsIdent() == "relations" {
				return &plan{op: opRelates, text: s.FieldName()}
			}
			if p, ok := entityPath(s.Operand()); ok {
				return &plan{op: opHas, path: append(p, s.FieldName())}
			}
			return nil
		}
		if p, ok := entityPath(e); ok && isField(p) {
			return &plan{op: opTruth, path: p}
		}
	case ast.CallKind:
		return indexableCall(e)
	}
	return nil
}

func indexableCall(e ast.Expr) *plan {
	call := e.AsCall()
	args := call.Args()
	switch call.FunctionName() {
	case operators.Index:
		if p, ok := entityPath(e); ok && isField(p) {
			return &plan{op: opTruth, path: p}
		}
	case operators.Equals, operators.NotEquals:
		p := equal(args[0], args[1])
		if p == nil {
			p = equal(args[1], args[0])
		}
		if p != nil && call.FunctionName() == operators.NotEquals {
			return &plan{op: opNot, args: []*plan{p}}
		}
		return p
	case operators.In:
		if args[1].Kind() == ast.ListKind {
			var out *plan
			for _, x := range args[1].AsList().Elements() {
				p := equal(args[0], x)
				if p == nil {
					return nil
				}
				if out == nil {
					out = p
				} else {
					out.values = append(out.values, p.values...)
				}
			}
			return out
		}
		if args[0].Kind() != ast.LiteralKind {
			return nil
		}
		word, ok := args[0].AsLiteral().(types.String)
		if !ok {
			return nil
		}
		if args[1].Kind() == ast.SelectKind || args[1].Kind() == ast.CallKind {
			if typ, ok := relationType(args[1]); ok {
				return &plan{op: opRelated, text: typ, target: string(word)}
			}
		}
		p, ok := entityPath(args[1])
		if ok && len(p) == 1 && p[0] == inFacts {
			return &plan{op: opHas, path: []string{inFacts, string(word)}}
		}
		if ok && len(p) > 0 {
			return &plan{op: opMember, path: p, text: string(word)}
		}
	case "startsWith":
		if !call.IsMemberFunction() || len(args) != 1 || args[0].Kind() != ast.LiteralKind {
			return nil
		}
		prefix, ok := args[0].AsLiteral().(types.String)
		if !ok {
			return nil
		}
		if p, ok := entityPath(call.Target()); ok && isField(p) {
			return &plan{op: opPrefix, path: p, text: string(prefix)}
		}
	}
	return nil
}

// equal plans field == literal.
func equal(field, literal ast.Expr) *plan {
	if literal.Kind() != ast.LiteralKind {
		return nil
	}
	key, ok := literalKey(literal.AsLiteral())
	if !ok {
		return nil
	}
	if field.Kind() == ast.IdentKind && field.AsIdent() == "ref" {
		return &plan{op: opRef, values: []string{key}}
	}
	if p, ok := entityPath(field); ok && isField(p) {
		return &plan{op: opEqual, path: p, values: []string{key}}
	}
	return nil
}

// literalKey is the key of a value that equals a literal. Numbers of all types
// are equal to CEL when they are the same number.
func literalKey(v ref.Val) (string, bool) {
	const exact = 1 << 53
	x := value{}
	switch v := v.(type) {
	case types.String:
		x.kind, x.str = kindString, string(v)
	case types.Bool:
		x.kind = kindFalse
		if v {
			x.kind = kindTrue
		}
	case types.Null:
		x.kind = kindNull
	case types.Int:
		if v > exact || v < -exact {
			return "", false
		}
		x.kind, x.num = kindNumber, float64(v)
	case types.Uint:
		if v > exact {
			return "", false
		}
		x.kind, x.num = kindNumber, float64(v)
	case types.Double:
		if math.IsNaN(float64(v)) {
			return "", false
		}
		x.kind, x.num = kindNumber, float64(v)
	default:
		return "", false
	}
	return x.key(), true
}

// entityPath reads entity.a["b"].c, and facts["a.b"].c.
func entityPath(e ast.Expr) ([]string, bool) {
	if p, ok := chain(e, "entity", 0); ok {
		return p, len(p) == 0 || p[0] != inFacts // a field of that name is for CEL to look for
	}
	if p, ok := chain(e, "facts", 0); ok {
		return append([]string{inFacts}, p...), true
	}
	return nil, false
}

// isField tells whether a path leads into the document or the facts, and is not
// the whole of either.
func isField(path []string) bool {
	return len(path) > 1 || len(path) == 1 && path[0] != inFacts
}

func relationType(e ast.Expr) (string, bool) {
	p, ok := chain(e, "relations", 0)
	if !ok || len(p) != 1 {
		return "", false
	}
	return p[0], true
}

func chain(e ast.Expr, root string, depth int) ([]string, bool) {
	if depth > maxFilterNesting {
		return nil, false
	}
	var of ast.Expr
	var key string
	switch e.Kind() {
	case ast.IdentKind:
		return nil, e.AsIdent() == root
	case ast.SelectKind:
		s := e.AsSelect()
		if s.IsTestOnly() {
			return nil, false
		}
		of, key = s.Operand(), s.FieldName()
	case ast.CallKind:
		c := e.AsCall()
		if c.FunctionName() != operators.Index || c.Args()[1].Kind() != ast.LiteralKind {
			return nil, false
		}
		k, ok := c.Args()[1].AsLiteral().(types.String)
		if !ok {
			return nil, false
		}
		of, key = c.Args()[0], string(k)
	default:
		return nil, false
	}
	p, ok := chain(of, root, depth+1)
	return append(p, key), ok
}

var errTooDear = errors.New("the filter takes too long")
