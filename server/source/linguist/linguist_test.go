package linguist

import (
	"testing"

	"github.com/go-enry/go-enry/v2"
	"github.com/go-enry/go-enry/v2/data"
	"github.com/stretchr/testify/require"
)

func TestLanguage(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"main.go": "Go", "a.rs": "Rust", "a.ts": "TypeScript", "a.tsx": "TypeScript", "a.h": "C", "a.php": "PHP", "a.m": "Objective-C",
		"a.cs": "C#", "Dockerfile": "Dockerfile", "Makefile": "Makefile", "a.html": "HTML", "a.css": "CSS", "a.tf": "HCL", "a.kt": "Kotlin",
		"a.yaml": "", "a.json": "", "README.md": "", "a.sql": "", "a.txt": "", "LICENSE": "", "go.mod": "", "a.unknown": "", "": "",
	} {
		require.Equal(t, want, Language(name), name)
	}
	for ext, lang := range usual { // a name that linguist does not have would be no language at all
		require.Contains(t, enry.GetLanguagesByExtension("x"+ext, nil, nil), lang, ext)
	}
}

// TestEnry holds every extension and name that linguist knows against go-enry.
func TestEnry(t *testing.T) {
	t.Parallel()
	want := func(name string) string {
		language, _ := enry.GetLanguageByFilename(name)
		if language == "" {
			language, _ = enry.GetLanguageByExtension(name)
		}
		if kind := enry.GetLanguageType(language); kind != enry.Programming && kind != enry.Markup {
			return ""
		}
		if group := enry.GetLanguageGroup(language); group != "" {
			return group
		}
		return language
	}
	for ext := range data.LanguagesByExtension {
		if _, ok := usual[ext]; !ok {
			require.Equal(t, want("x"+ext), Language("x"+ext), ext)
		}
	}
	for name := range data.LanguagesByFilename {
		require.Equal(t, want(name), Language(name), name)
	}
	for _, path := range []string{"main.go", "vendor/a.go", "docs/a.go", "a.pb.go", "x/node_modules/y.js", "a.min.js", "Pods/a.m", "src/a.ts", "package-lock.json"} {
		require.Equal(t, enry.IsVendor(path) || enry.IsDocumentation(path) || enry.IsGenerated(path, nil), Foreign(path), path)
	}
}
