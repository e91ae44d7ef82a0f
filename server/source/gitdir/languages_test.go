package gitdir

import (
	"strings"
	"testing"

	"github.com/go-enry/go-enry/v2"
	"github.com/stretchr/testify/require"
)

func TestLanguage(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"main.go": "Go", "a.rs": "Rust", "a.ts": "TypeScript", "a.tsx": "TypeScript", "a.h": "C", "a.php": "PHP", "a.m": "Objective-C",
		"a.cs": "C#", "Dockerfile": "Dockerfile", "Makefile": "Makefile", "a.html": "HTML", "a.css": "CSS", "a.tf": "HCL", "a.kt": "Kotlin",
		"a.yaml": "", "a.json": "", "README.md": "", "a.sql": "", "a.txt": "", "LICENSE": "", "go.mod": "", "a.unknown": "", "": "",
	} {
		require.Equal(t, want, language(name), name)
	}
	for ext, lang := range usual { // a name that linguist does not have would be no language at all
		require.Contains(t, enry.GetLanguagesByExtension("x"+ext, nil, nil), lang, ext)
	}
}

// TestTail holds the shortened path against the whole one.
func TestTail(t *testing.T) {
	t.Parallel()
	names := []string{"docs", "vendor", "node_modules", "src", "deps", "cache", "dist", "examples", "Documentation", ".github", "testdata", "Godeps/_workspace", "inst/doc"}
	files := []string{"main.go", "jquery.min.js", "bootstrap.css", "README.md", "a.pb.go", "package-lock.json", "configure", "rebar"}
	for _, a := range names {
		for _, b := range names {
			for _, c := range names {
				dir := "src/lib/" + strings.Join([]string{a, b, c}, "/") + "/"
				own := enry.IsVendor(dir) || enry.IsDocumentation(dir)
				by := foreign("src/lib/"+a+"/") || foreign("src/lib/"+a+"/"+b+"/") || foreign(dir)
				require.Equal(t, own, by, dir)
				for _, f := range files {
					if !own {
						require.Equal(t, !enry.IsVendor(dir+f) && !enry.IsDocumentation(dir+f) && !enry.IsGenerated(dir+f, nil), counted(dir+f), dir+f)
					}
				}
				short := a + "/" + b + "/"
				require.Equal(t, enry.IsVendor(short) || enry.IsDocumentation(short), foreign(short), short)
			}
		}
	}
}
