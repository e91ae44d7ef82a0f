package api

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestGetServer(t *testing.T) {
	t.Parallel()
	f := newFixture(t, acme(t))
	require.JSONEq(t, `{"version": "1.2.3", "revision": "4", "totalSize": 4, "authMode": "AUTH_MODE_NONE",
		"kinds": [{"kind": "Component", "count": 2}, {"kind": "Group", "count": 1}, {"kind": "Thing", "count": 1}]}`, bodyOf(t, f.ask(t, "GET", "/v1/server", "")))
}
