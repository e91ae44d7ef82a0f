package follow

import (
	"strings"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/index"
)

func TestShare(t *testing.T) {
	t.Parallel()
	made := func(uid string, revision catalog.Revision, facts string, relations ...catalog.Relation) *catalog.Entity {
		return &catalog.Entity{
			Ref: catalog.Ref{Kind: "Component", Namespace: "default", Name: "a"}, UID: uid, Revision: revision,
			Document: []byte(`{"kind":"Component"}`), Relations: relations, Facts: []byte(facts),
			Origin: catalog.Origin{Path: strings.Repeat("a", 9)}, // each its own
		}
	}
	owned := catalog.Relation{Type: catalog.OwnedBy, Target: catalog.Ref{Kind: "group", Namespace: "default", Name: "x"}}
	x := index.New()
	x.Load([]*catalog.Entity{made("1", 7, "{}", owned)}, 7)
	r, ok := x.Snapshot().Get(catalog.Ref{Kind: "Component", Namespace: "default", Name: "a"})
	require.True(t, ok)
	old := r.Entity

	for name, c := range map[string]struct {
		change           catalog.Change
		content, related bool // are those that were there
	}{
		"facts":               {catalog.Change{Op: catalog.OpFacts, Entity: made("1", 7, `{"a":1}`, owned)}, true, true},
		"facts and relations": {catalog.Change{Op: catalog.OpFacts, Entity: made("1", 7, `{"a":1}`, owned, owned)}, true, false},
		"newer content":       {catalog.Change{Op: catalog.OpFacts, Entity: made("1", 8, `{"a":1}`, owned)}, false, false},
		"another entity":      {catalog.Change{Op: catalog.OpFacts, Entity: made("2", 7, `{"a":1}`, owned)}, false, false},
		"a put":               {catalog.Change{Op: catalog.OpPut, Entity: made("1", 7, `{"a":1}`, owned)}, false, false},
	} {
		relations := len(c.change.Entity.Relations)
		share(x.Snapshot(), []catalog.Change{c.change})
		e := c.change.Entity
		require.Equal(t, c.content, &e.Document[0] == &old.Document[0], name)
		require.Equal(t, c.content, unsafe.StringData(e.Origin.Path) == unsafe.StringData(old.Origin.Path), name)
		require.Equal(t, c.related, &e.Relations[0] == &old.Relations[0], name)
		require.Len(t, e.Relations, relations, name)
		require.JSONEq(t, `{"a":1}`, string(e.Facts), name)
	}
}
