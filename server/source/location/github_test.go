package location

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waypost-dev/waypost/server/source/reach"
)

func TestOnGitHub(t *testing.T) {
	t.Parallel()
	s, err := New(Options{Target: "url:https://github.com/acme/shop/blob/main/catalog/all.yaml"})
	require.NoError(t, err)
	r := &run{source: s}
	r.describe()
	require.Equal(t, "acme/shop", r.repo.FullName())
	require.Equal(t, "https://github.com/acme/shop", r.repo.URL)
	require.Equal(t, "main", r.repo.Branch)
	require.Equal(t, "https://raw.githubusercontent.com/acme/shop/main/catalog/all.yaml", r.github.Raw().String())
	for address, want := range map[string]string{
		"https://github.com/acme/shop/blob/main/catalog/a.yaml":    "catalog/a.yaml",
		"https://github.com/Acme/Shop/tree/main/a.yaml":            "a.yaml",
		"https://github.com/acme/shop/blob/other/a.yaml":           "github.com/acme/shop/blob/other/a.yaml",
		"https://github.com/acme/shop/blob/main/../../../x":        "github.com/acme/x",
		"https://example.com/a/../b//c?q=../../x":                  "example.com/b/c?q=..%2F..%2Fx",
		"https://example.com":                                      "example.com",
		"https://github.com/acme/shop/blob/main/%2e%2e/%2e%2e/etc": "github.com/acme/shop/etc",
	} {
		u, err := reach.ParseURL(address)
		require.NoError(t, err)
		require.Equal(t, want, r.keyOf(u), address)
	}
}
