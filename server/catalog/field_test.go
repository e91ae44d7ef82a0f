package catalog

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestField(t *testing.T) {
	t.Parallel()
	e, found := NewEntity("backstage.io/v1alpha1", "Component", map[string]any{
		"name": "shop", "annotations": map[string]any{"a.b/c": "1", "x": "y", "q\"*?@#|\\": "odd"},
	}, map[string]any{"type": "service", "lifecycle": "production", "owner": "team-a", "replicas": 3, "dependsOn": []string{"component:a", "api:b"}, "on": true}, Origin{})
	require.Len(t, found, 1, "the odd key")
	require.Equal(t, "shop", e.Text("metadata.name"))
	require.Equal(t, "default", e.Text("metadata.namespace"))
	require.Equal(t, "1", e.Text(`metadata.annotations["a.b/c"]`))
	require.Equal(t, "1", e.Annotation("a.b/c"))
	require.Equal(t, "odd", e.Annotation("q\"*?@#|\\"))
	require.Equal(t, "odd", e.Text(FieldPath([]string{"metadata", "annotations", "q\"*?@#|\\"})))
	require.Equal(t, "y", e.Text("metadata.annotations.x"))
	require.Equal(t, "api:b", e.Text("spec.dependsOn[1]"))
	require.Equal(t, "3", e.Text("spec.replicas"))
	require.Equal(t, "true", e.Text("spec.on"))
	require.Equal(t, "", e.Text("spec.dependsOn"))
	require.Equal(t, json.RawMessage(`["component:a","api:b"]`), e.Field("spec.dependsOn"))
	require.Nil(t, e.Field("spec.absent"))
	require.Nil(t, e.Field("spec.dependsOn[#]"))
	require.Nil(t, e.Field(""))
}

func TestFieldFindsEveryKey(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		annotations := rapid.MapOfN(rapid.String(), rapid.String(), 1, 5).Draw(t, "annotations")
		values := map[string]any{}
		for k, v := range annotations {
			values[k] = v
		}
		e := &Entity{Document: appendJSON(nil, map[string]any{"metadata": map[string]any{"annotations": values}})}
		for k, v := range annotations {
			require.Equal(t, v, e.Annotation(k), "%q in %s", k, e.Document)
			require.Equal(t, v, e.Text(FieldPath([]string{"metadata", "annotations", k})))
		}
	})
}

func BenchmarkField(b *testing.B) {
	e, _ := NewEntity("backstage.io/v1alpha1", "Component", map[string]any{"name": "shop", "annotations": map[string]any{"a.b/c": "1"}},
		map[string]any{"type": "service", "lifecycle": "production", "owner": "team-a"}, Origin{})
	b.ReportAllocs()
	for b.Loop() {
		if e.Text("spec.owner") != "team-a" {
			b.Fatal()
		}
	}
}
