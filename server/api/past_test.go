package api

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	catalogv1 "github.com/waypost-dev/waypost/proto/waypost/catalog/v1"
)

// TestAsOfLoadsWhatIsAskedForOften: who reads several entities of one revision
// soon gets all their relations, those included that other entities declared.
func TestAsOfLoadsWhatIsAskedForOften(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	c := f.catalog(t)
	f.remember(t, declares(t, "r1", "shop", "One", "team"))
	at := f.remember(t, declares(t, "r2", "pay", "Two", "team"))
	f.remember(t, declares(t, "r2", "pay", "Three", ""))
	team := &catalogv1.GetEntityRequest{Name: "entities/group:default/team", AsOfRevision: at}
	first, err := c.GetEntity(t.Context(), team)
	require.NoError(t, err)
	require.Empty(t, first.Relations, "read by itself, it has what it declares")
	require.Eventually(t, func() bool {
		e, err := c.GetEntity(t.Context(), team)
		require.NoError(t, err)
		return len(e.Relations) == 2
	}, 10*time.Second, 5*time.Millisecond)
	body := f.fetched(t, fmt.Sprint("/v1/entities/component:default/pay?asOfRevision=", at))
	require.Contains(t, body, `"title":"Two"`)
}
