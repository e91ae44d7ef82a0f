package index

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"sync"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
)

// Function is a function that filters may call as name(entity, argument...). It
// is pure, quick and safe for concurrent use: a filter asks it once for each
// entity that the rest of the filter leaves.
type Function struct {
	Name      string   // qualified, such as ownership.covers
	Arguments []string // types beside the entity's: string, int, double, bool, dyn
	Result    string   // one of the same
	// Call gets the entity's document, which it must not change, and arguments as
	// string, int64, float64, bool, or what JSON decodes to. An error is that of
	// the term in which the function stands: it selects no entity.
	Call func(entity map[string]any, arguments []any) (any, error)
}

var celTypes = map[string]*cel.Type{"string": cel.StringType, "int": cel.IntType, "double": cel.DoubleType, "bool": cel.BoolType, "dyn": cel.DynType}

// extensions are the functions by name, for all filters of the process.
var extensions struct {
	sync.Mutex
	byName map[string]Function
}

// Extend lets filters call functions, from then on. One of a known name takes its
// place. It is meant for the start of a program, since filters that were compiled
// before are compiled again. Nothing changes if there is an error.
func Extend(functions ...Function) error {
	if len(functions) == 0 {
		return nil
	}
	extensions.Lock()
	defer extensions.Unlock()
	all := maps.Clone(extensions.byName)
	if all == nil {
		all = map[string]Function{}
	}
	for _, f := range functions {
		all[f.Name] = f
	}
	var options []cel.EnvOption
	for _, name := range slices.Sorted(maps.Keys(all)) {
		o, err := all[name].declare()
		if err != nil {
			return err
		}
		options = append(options, o)
	}
	env, err := newEnvironment().Extend(options...)
	if err != nil {
		return fmt.Errorf("add functions to filters: %w", err)
	}
	environment.Store(env)
	plans.InvalidateAll()
	extensions.byName = all
	return nil
}

func (f Function) declare() (cel.EnvOption, error) {
	parameters := []*cel.Type{cel.MapType(cel.StringType, cel.DynType)}
	for _, a := range append(slices.Clone(f.Arguments), f.Result) {
		t, ok := celTypes[a]
		if !ok {
			return nil, fmt.Errorf("function %s: %q is no type; there are string, int, double, bool and dyn", f.Name, a)
		}
		parameters = append(parameters, t)
	}
	last := len(parameters) - 1
	return cel.Function(f.Name, cel.Overload(f.Name+"_entity", parameters[:last], parameters[last], cel.FunctionBinding(f.call))), nil
}

// call is guarded: a filter that a stranger wrote must not end the process.
func (f Function) call(values ...ref.Val) (out ref.Val) {
	defer func() {
		if v := recover(); v != nil {
			out = types.NewErr("%s panicked: %v", f.Name, v)
		}
	}()
	entity, ok := values[0].Value().(map[string]any)
	if !ok {
		return types.NewErr("the first argument of %s is not entity", f.Name)
	}
	arguments := make([]any, len(values)-1)
	for i, v := range values[1:] {
		arguments[i] = v.Value()
	}
	got, err := f.Call(entity, arguments)
	if err != nil {
		return types.NewErr("%s: %v", f.Name, err)
	}
	if x, ok := got.(float64); ok && f.Result == "int" && x == math.Trunc(x) {
		got = int64(x)
	}
	v := types.DefaultTypeAdapter.NativeToValue(got)
	if want := celTypes[f.Result]; !types.IsError(v) && !want.IsExactType(cel.DynType) && v.Type().TypeName() != want.TypeName() {
		return types.NewErr("%s gave a %s, not a %s", f.Name, v.Type().TypeName(), f.Result)
	}
	return v
}
