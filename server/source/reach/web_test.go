package reach

import (
	"net/netip"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCheckAddress(t *testing.T) {
	t.Parallel()
	w, err := NewWeb(WebOptions{Allow: []string{"named.example", "*.wild.example", "169.254.169.254", "[fd00::1]:8443"}})
	require.NoError(t, err)
	public := []string{"93.184.216.34", "2606:2800:220:1::1", "8.8.8.8"}
	private := []string{"127.0.0.1", "::1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "fd00::2", "100.64.0.1", "::ffff:10.0.0.1", "198.18.0.1"}
	never := []string{"169.254.1.1", "fe80::1", "0.0.0.0", "::", "224.0.0.1", "ff02::1", "64:ff9b::a00:1", "2002:a00:1::", "240.0.0.1", "255.255.255.255", "::ffff:169.254.1.1", "fe80::1%eth0"}
	for _, a := range public {
		require.NoError(t, w.checkAddress("x.wild.example", netip.MustParseAddr(a)), a)
	}
	for _, a := range private {
		require.Error(t, w.checkAddress("x.wild.example", netip.MustParseAddr(a)), a)
		require.NoError(t, w.checkAddress("Named.example", netip.MustParseAddr(a)), a)
	}
	for _, a := range never {
		require.Error(t, w.checkAddress("x.wild.example", netip.MustParseAddr(a)), a)
		require.Error(t, w.checkAddress("named.example", netip.MustParseAddr(a)), a)
	}
	require.NoError(t, w.checkAddress("169.254.169.254", netip.MustParseAddr("169.254.169.254")))
	require.NoError(t, w.checkAddress("fd00::1", netip.MustParseAddr("fd00::1")))
}

func TestCheckURL(t *testing.T) {
	t.Parallel()
	w, err := NewWeb(WebOptions{Allow: []string{"example.com", "other.example:8443", "*.wild.example"}})
	require.NoError(t, err)
	for address, ok := range map[string]bool{
		"https://example.com/x":       true,
		"http://example.com/x":        true,
		"https://EXAMPLE.com:443/x":   true,
		"https://example.com:8443/x":  false,
		"https://a.example.com/x":     false,
		"https://badexample.com/x":    false,
		"https://other.example:8443/": true,
		"https://other.example/":      false,
		"https://a.b.wild.example/":   true,
		"https://wild.example/":       false,
		"https://notwild.example/":    false,
		"ftp://example.com/x":         false,
	} {
		u, err := url.Parse(address)
		require.NoError(t, err)
		if ok {
			require.NoError(t, w.Check(u), address)
		} else {
			require.Error(t, w.Check(u), address)
		}
	}
}

func FuzzTargets(f *testing.F) {
	f.Add([]byte("kind: Location\nspec:\n  targets:\n    - ./a.yaml\n"))
	f.Add([]byte("a: 1\n---\n{kind: Location, spec: {target: &a x, targets: [*a, [*a]], presence: optional}}\n"))
	f.Add([]byte("--- # x\r\nkind: location\r\nspec: {type: url}\r\n...\r\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		lines := 1
		for _, c := range b {
			if c == '\n' || c == '\r' {
				lines++
			}
		}
		for _, found := range Targets(b) {
			if found.Text == "" || found.Line < 1 || found.Line > lines+1 {
				t.Fatalf("target %q at line %d of %d", found.Text, found.Line, lines)
			}
		}
	})
}
