package gitdir

import (
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

// TestLinguist holds what is remembered by parts of paths against the rules
// applied to whole ones.
func TestLinguist(t *testing.T) {
	t.Parallel()
	var l linguist
	names := []string{"docs", "vendor", "node_modules", "src", "deps", "cache", "dist", "examples", "Documentation", ".github", "testdata", "Godeps/_workspace", "inst/doc"}
	files := []string{"main.go", "jquery.min.js", "bootstrap.css", "README.md", "a.pb.go", "package-lock.json", "configure", "rebar", "Gopkg.lock", "x.designer.cs"}
	counts := func(path string) bool {
		return !enry.IsVendor(path) && !enry.IsDocumentation(path) && !enry.IsGenerated(path, nil)
	}
	for _, a := range names {
		for _, b := range names {
			for _, c := range names {
				for _, f := range files {
					for _, path := range []string{f, a + "/" + f, a + "/" + b + "/" + f, a + "/" + b + "/" + c + "/" + f, "src/lib/" + a + "/" + b + "/" + c + "/" + f} {
						require.Equal(t, counts(path), l.countedBelow(path), path)
					}
				}
			}
		}
	}
}
