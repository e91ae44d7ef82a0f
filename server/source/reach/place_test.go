package reach

import (
	"net/url"
	"path"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waypost-dev/waypost/server/source"
)

func TestResolve(t *testing.T) {
	t.Parallel()
	r := Walk{Repository: source.Repository{Owner: "acme", Name: "shop", URL: "https://github.com/acme/shop", Branch: "release/1", Commit: "c0ffee"}}.begin()
	page, err := url.Parse("https://example.com/cat/all.yaml")
	require.NoError(t, err)
	const web = "https://github.com/acme/shop/blob/release/1/"
	for _, test := range []struct {
		page *url.URL
		text string
		want string // a path, a path and a glob, an address, or "!" and a part of the message
	}{
		{nil, "a.yaml", "docs/a.yaml"},
		{nil, "./x/../a.yaml", "docs/a.yaml"},
		{nil, "../a.yaml", "a.yaml"},
		{nil, "/a.yaml", "a.yaml"},
		{nil, "/../../a.yaml", "a.yaml"},
		{nil, "../../a.yaml", "!out of the repository"},
		{nil, "..", "!folder"},
		{nil, "", "!no path"},
		{nil, "a\x00b", "!no path"},
		{nil, "a\xff", "!no path"},
		{nil, strings.Repeat("a", 5000), "!no path"},
		{nil, "x/*.yaml", "docs/x *.yaml"},
		{nil, "/**/x.yaml", " **/x.yaml"},
		{nil, `/a\*.yaml`, "a*.yaml"},
		{nil, "x/[a", "!valid glob"},
		{nil, web + "a.yaml", "a.yaml"},
		{nil, web + "x/*.yaml", "x *.yaml"},
		{nil, "https://github.com/ACME/Shop/tree/release/1/a.yaml", "a.yaml"},
		{nil, "https://github.com/acme/shop/raw/c0ffee/a.yaml", "a.yaml"},
		{nil, "https://github.com/acme/shop/-/blob/HEAD/a.yaml", "a.yaml"},
		{nil, "https://raw.githubusercontent.com/acme/shop/release/1/a.yaml", "a.yaml"},
		{nil, "https://raw.githubusercontent.com/acme/shop/refs/heads/release/1/a.yaml", "a.yaml"},
		{nil, web + "../../../../../etc/passwd", "etc/passwd"},
		{nil, web + "%2e%2e/%2e%2e/a.yaml", "a.yaml"},
		{nil, "https://github.com/acme/shop/blob/other/a.yaml", "https://github.com/acme/shop/blob/other/a.yaml"},
		{nil, "https://github.com/acme/shopping/blob/release/1/a.yaml", "https://github.com/acme/shopping/blob/release/1/a.yaml"},
		{nil, "http://github.com/acme/shop/blob/release/1/a.yaml", "http://github.com/acme/shop/blob/release/1/a.yaml"},
		{nil, "https://github.com.evil.example/acme/shop/blob/release/1/a.yaml", "https://github.com.evil.example/acme/shop/blob/release/1/a.yaml"},
		{nil, web + "a.yaml?x=1", web + "a.yaml?x=1"},
		{nil, "https://elsewhere.example/*.yaml", "!wildcard"},
		{nil, "https://me:secret@example.com/a.yaml", "!user name"},
		{nil, "ftp://example.com/a.yaml", "!must start with https"},
		{page, "a.yaml", "https://example.com/cat/a.yaml"},
		{page, "/a.yaml", "https://example.com/a.yaml"},
		{page, "//other.example/a.yaml", "https://other.example/a.yaml"},
		{page, "file:///etc/passwd", "!must start with https"},
		{page, web + "a.yaml", "a.yaml"},
	} {
		got, err := r.resolve("docs/all.yaml", test.page, test.text, true)
		text := got.path
		switch {
		case err != nil:
			require.Contains(t, err.Error(), strings.TrimPrefix(test.want, "!"), test.text)
			require.True(t, strings.HasPrefix(test.want, "!"), "%s: %v", test.text, err)
			require.NotContains(t, err.Error(), "secret")
			continue
		case got.page != nil:
			text = got.page.String()
		case got.glob != "":
			text += " " + got.glob
		}
		require.Equal(t, test.want, text, test.text)
	}
}

// TestResolveInOddFolders has a file in a folder whose name looks like a glob.
func TestResolveInOddFolders(t *testing.T) {
	t.Parallel()
	r := Walk{}.begin()
	for _, folder := range []string{"[a]", "{b,c}", "*", `d\e`, "f?"} {
		for _, globs := range []bool{true, false} {
			p, err := r.resolve(folder+"/all.yaml", nil, "./x.yaml", globs)
			require.NoError(t, err)
			require.Equal(t, place{path: folder + "/x.yaml"}, p)
		}
		p, err := r.resolve(folder+"/all.yaml", nil, "x/*.yaml", true)
		require.NoError(t, err)
		require.Equal(t, place{path: folder + "/x", glob: "*.yaml"}, p)
	}
}

// FuzzResolve looks for a path that leads out of the repository.
func FuzzResolve(f *testing.F) {
	for _, s := range []string{"../../x", "/..", "https://github.com/acme/shop/blob/main/../../x", "a/./b/**/*.yaml", `\..\x`, "https://github.com/acme/shop/blob/main/%2e%2e/x", "{..,a}/../*"} {
		f.Add("a/b.yaml", s)
	}
	r := Walk{Repository: source.Repository{URL: "https://github.com/acme/shop", Branch: "main"}}.begin()
	f.Fuzz(func(t *testing.T, from, text string) {
		if from != path.Clean(from) || path.IsAbs(from) || strings.HasPrefix(from, "..") {
			return
		}
		for _, globs := range []bool{true, false} {
			p, err := r.resolve(from, nil, text, globs)
			if err != nil || p.page != nil {
				continue
			}
			if p.path != "" && (path.Clean(p.path) != p.path || path.IsAbs(p.path) || p.path == ".." || strings.HasPrefix(p.path, "../")) && p.glob == "" {
				t.Fatalf("%q from %q leads to %q", text, from, p.path)
			}
			if p.glob != "" && (p.path == ".." || strings.HasPrefix(p.path, "../") || path.IsAbs(p.path)) {
				t.Fatalf("%q from %q leads to %q below %q", text, from, p.glob, p.path)
			}
		}
	})
}

func TestPlaceholders(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]placeholder{
		"a: {$text: x}": {{"$text", "x"}},
		"# c\n---\na:\n  $text: ./x\nb: [{$json: y}, {$yaml: \"z\"}]\n---\nc: {$text: x}\n": {{"$text", "./x"}, {"$json", "y"}, {"$yaml", "z"}, {"$text", "x"}},
		"a: {$text: x, b: 1}":                  nil,
		"a: {$text: [x]}":                      nil,
		"a: {$openapi: x}":                     nil,
		"a: &a {$text: x}\nb: *a":              {{"$text", "x"}},
		"a: \"$text\"":                         nil,
		"a: [\n$text: x":                       nil,
		`{"a": {"$json": "x"}}`:                {{"$json", "x"}},
		"a: |\n  {$text: x}\n":                 nil,
		strings.Repeat("- {$text: x}\n", 5000): {{"$text", "x"}},
		"a: &x\n  b: *x\n  c: {$text: x}\n":    {{"$text", "x"}},
	} {
		require.Equal(t, want, placeholders([]byte(text)), "%.60q", text)
	}
}

func FuzzPlaceholders(f *testing.F) {
	f.Add([]byte("a: {$text: x}\n---\n$yaml: {$json: y}\n"))
	f.Add([]byte("a: &a [*a, {$text: *a}]\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, p := range placeholders(b) {
			if p.target == "" || !holds([]byte(p.kind)) {
				t.Fatalf("%q", p)
			}
		}
	})
}

// BenchmarkLeads is what most catalog files cost: one that leads nowhere.
func BenchmarkLeads(b *testing.B) {
	doc := []byte(strings.Repeat("---\napiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata:\n  name: shop\n  annotations: {backstage.io/source-location: x}\nspec:\n  type: service\n  lifecycle: production\n  owner: payments\n", 100))
	b.SetBytes(int64(len(doc)))
	for b.Loop() {
		if Leads(doc) {
			b.Fatal("it leads nowhere")
		}
	}
}

// BenchmarkPlaceholders finds a placeholder beside a definition of 100 kB.
func BenchmarkPlaceholders(b *testing.B) {
	doc := []byte("kind: API\nspec:\n  definition: |\n" + strings.Repeat("    a: [1, 2, 3]\n", 6000) + "---\nkind: API\nspec:\n  definition:\n    $text: x\n")
	b.SetBytes(int64(len(doc)))
	for b.Loop() {
		if len(placeholders(doc)) != 1 {
			b.Fatal("there is one")
		}
	}
}
