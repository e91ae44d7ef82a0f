package catalog

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWithAnnotation(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ doc, want string }{
		"first":    {`{"kind":"X","metadata":{"name":"a"}}`, `{"kind":"X","metadata":{"annotations":{"k/x":"v"},"name":"a"}}`},
		"another":  {`{"metadata":{"annotations":{"z":"1"}}}`, `{"metadata":{"annotations":{"k/x":"v","z":"1"}}}`},
		"replaced": {`{"metadata":{"annotations":{"k/x":"1"}}}`, `{"metadata":{"annotations":{"k/x":"v"}}}`},
		"numbers":  {`{"metadata":{},"spec":{"a":9007199254740993,"b":1.5,"c":[1,{"d":-2}]}}`, `{"metadata":{"annotations":{"k/x":"v"}},"spec":{"a":9007199254740993,"b":1.5,"c":[1,{"d":-2}]}}`},
		"bare":     {`{}`, `{"metadata":{"annotations":{"k/x":"v"}}}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := &Entity{Ref: Ref{"X", "default", "a"}, Document: []byte(test.doc)}
			got, err := e.WithAnnotation("k/x", "v")
			require.NoError(t, err)
			require.Equal(t, test.want, string(got.Document))
			require.Equal(t, test.doc, string(e.Document), "the original stays")
		})
	}
	_, err := (&Entity{Document: []byte(`[]`)}).WithAnnotation("k", "v")
	require.Error(t, err)
}
