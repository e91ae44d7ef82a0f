package github

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waypost-dev/waypost/server/source/githubtest"
	"github.com/waypost-dev/waypost/server/source/sourcetest"
)

func TestLean(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		`[{"url":"u","html_url":"h","x_url":"x","owner":{"login":"a","url":"u"},"n":1}]`: `[{"html_url":"h","n":1,"owner":{"login":"a"}}]`,
		`[]`:          `[]`,
		`null`:        `null`,
		`{"url":"u"}`: `{"url":"u"}`,
		`[1,2]`:       `[1,2]`,
		`not JSON`:    `not JSON`,
		`[null]`:      `[null]`,
	} {
		require.Equal(t, want, string(lean([]byte(in))))
	}
}

func FuzzLean(f *testing.F) {
	f.Add([]byte(`[{"url":"u","owner":{"url":[]}}]`))
	f.Fuzz(func(t *testing.T, body []byte) {
		if out := lean(body); json.Valid(body) && !json.Valid(out) {
			t.Fatalf("%q became %q", body, out)
		}
	})
}

// TestWhatIsKept looks at the size of what is kept, that no secret is among
// it, and that damage to it does no harm.
func TestWhatIsKept(t *testing.T) {
	t.Parallel()
	p := newPlace(t, sized(200, 2), Options{Token: "ghp_secret"}, githubtest.Options{Token: "ghp_secret"})
	var l sourcetest.Ledger
	run(t, &l, p)
	cache := p.o.Cache.(*memory)
	total := 0
	cache.entries.Range(func(k, v any) bool {
		total += len(v.([]byte))
		require.NotContains(t, string(v.([]byte)), "ghp_secret")
		require.NotContains(t, k, "ghp_secret")
		return true
	})
	// Each repository is in the list, and in that of one team.
	t.Logf("%d bytes are kept for each repository", total/200)
	require.Less(t, total/200, 3500)

	for _, damage := range []func([]byte) []byte{
		func(v []byte) []byte { return v[:len(v)/2] },
		func([]byte) []byte { return nil },
		func(v []byte) []byte { return []byte(strings.Replace(string(v), "\n", "", 1)) },
	} {
		cache.entries.Range(func(k, v any) bool {
			cache.Set(k.(string), damage(v.([]byte)))
			return true
		})
		report := run(t, &l, p)
		require.Len(t, report.Unchanged, 200)
		require.NotNil(t, report.Directory)
	}
}
