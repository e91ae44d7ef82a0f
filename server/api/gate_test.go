package api

import (
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/dynamicpb"
)

// TestRulesCompile holds an empty request of every method against its rules: a
// rule that does not compile would fail at its first caller's.
func TestRulesCompile(t *testing.T) {
	t.Parallel()
	g, err := newGate(slog.New(slog.DiscardHandler), nil, tracing{})
	require.NoError(t, err)
	methods := 0
	protoregistry.GlobalFiles.RangeFilesByPackage("waypost.catalog.v1", func(f protoreflect.FileDescriptor) bool { methods += checkRules(t, g, f); return true })
	protoregistry.GlobalFiles.RangeFilesByPackage("waypost.harvest.v1", func(f protoreflect.FileDescriptor) bool { methods += checkRules(t, g, f); return true })
	require.Greater(t, methods, 20)
}

func checkRules(t *testing.T, g *gate, f protoreflect.FileDescriptor) (methods int) {
	t.Helper()
	for i := range f.Services().Len() {
		service := f.Services().Get(i)
		for j := range service.Methods().Len() {
			methods++
			input := service.Methods().Get(j).Input()
			err := g.validate.Validate(dynamicpb.NewMessage(input))
			if err != nil {
				require.Contains(t, err.Error(), "validation error", "%s", input.FullName()) // and not one of compilation
			}
		}
	}
	return methods
}
