package store

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waypost-dev/waypost/server/catalog"
)

// What lies side by side must not reach into what lies beside it.
func TestRoom(t *testing.T) {
	t.Parallel()
	for name, r := range map[string]*room{"room": {}, "none": nil} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const many = 5000
			var entities []*catalog.Entity
			var relations [][]catalog.Relation
			for i := range many {
				e := r.entity()
				require.Zero(t, *e)
				e.UID = r.text(fmt.Appendf(nil, "uid-%d", i))
				e.Document = r.join([]byte("{"), fmt.Append(nil, i), []byte("}"))
				out := r.some(i % 40) // some are too large for a piece
				for range i % 40 {
					out = append(out, catalog.Relation{Line: i})
				}
				entities, relations = append(entities, e), append(relations, out)
			}
			for i, e := range entities {
				// Who appends gets memory of their own.
				_ = append(e.Document, "x"...)
				_ = append(relations[i], catalog.Relation{Line: -1})
			}
			for i, e := range entities {
				require.Equal(t, fmt.Sprintf("uid-%d", i), e.UID)
				require.Equal(t, fmt.Sprintf("{%d}", i), string(e.Document))
				require.Len(t, relations[i], i%40)
				for _, x := range relations[i] {
					require.Equal(t, i, x.Line)
				}
			}
			large := make([]byte, 2*roomBytes)
			require.Equal(t, large, r.join(large))
			require.Equal(t, string(large), r.text(large))
		})
	}
}
