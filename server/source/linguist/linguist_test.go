package linguist

import (
	"regexp"
	"strings"
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
}

// TestEnry holds every extension and name that linguist knows against go-enry,
// of which the tables are generated: after an update of it, run go generate.
func TestEnry(t *testing.T) {
	t.Parallel()
	counted := func(language string) string {
		if kind := enry.GetLanguageType(language); kind != enry.Programming && kind != enry.Markup {
			return ""
		}
		if group := enry.GetLanguageGroup(language); group != "" {
			return group
		}
		return language
	}
	chosen := 0
	for ext, languages := range data.LanguagesByExtension {
		if ext != strings.ToLower(ext) {
			continue // go-enry does not find it either
		}
		_, known := extended(ext)
		require.True(t, known, ext)
		first, _ := enry.GetLanguageByExtension("x" + ext)
		got := Language("x" + ext)
		if got == counted(first) {
			continue
		}
		// We may choose where GitHub looks into the file, but only among what it could be.
		chosen++
		var possible []string
		for _, l := range languages {
			possible = append(possible, counted(l))
		}
		require.Contains(t, possible, got, ext)
	}
	require.Positive(t, chosen)
	for name := range data.LanguagesByFilename {
		want, _ := enry.GetLanguageByFilename(name)
		require.Equal(t, counted(want), Language(name), name)
	}
	for _, name := range []string{"x.unheard-of", "x", ".", "x."} {
		require.Empty(t, Language(name), name)
	}
}

func enryForeign(path string) bool {
	return enry.IsVendor(path) || enry.IsDocumentation(path) || enry.IsGenerated(path, nil)
}

// TestEnryForeign holds our patterns against go-enry: each of theirs as a
// path that may match it, in several folders, with several ends.
func TestEnryForeign(t *testing.T) {
	t.Parallel()
	require.Equal(t, data.FastVendorMatcher.String(), vendorPattern)
	require.Len(t, documentationPatterns, len(data.DocumentationMatchers))
	for i, m := range data.DocumentationMatchers {
		require.Equal(t, m.String(), documentationPatterns[i])
	}
	require.Len(t, generatedPatterns, len(data.GeneratedCodeNameMatchers)+len(data.GeneratedCodeExtensions))
	names := []string{"main.go", "a.pb.go", "a.min.js", "a.ts", "README", "a.designer.cs", "A.Feature.cs", "x.zep.c", "_TLB.pas", "query-1.json", ".pnp.cjs", "x.esy.lock"}
	for ext := range data.GeneratedCodeExtensions {
		names = append(names, "x"+ext, "x"+strings.ToUpper(ext), ext, "x"+ext+".go")
	}
	// What is left of a pattern without its operators is a path that it nearly or wholly matches.
	plain := strings.NewReplacer(`\`, "", "(?i)", "", "(?:", "", "(", "", ")", "", "^", "", "$", "", "|", "", "?", "", ".*", "x", ".+", "x", "[-0-9A-Za-z]+", "x", "+", "")
	for _, pattern := range generatedPatterns {
		names = append(names, plain.Replace(pattern), pattern)
	}
	matched := 0
	for _, dir := range []string{"", "src/", "vendor/", "vendor/github.com/a/", "docs/", "x/node_modules/", "Pods/", ".idea/", "Godeps/", "htmlcov/", "__generated__/", ".sqlx/", "x/.sqlx/", "Carthage/Build/"} {
		for _, name := range names {
			for _, end := range []string{"", "x", "/", "/x"} {
				path := dir + name + end
				require.Equal(t, enryForeign(path), Foreign(path), path)
				if Foreign(path) {
					matched++
				}
			}
		}
	}
	require.Positive(t, matched)
	// Each of our own patterns, alone, for a function of theirs: the order is the same.
	for i, matches := range data.GeneratedCodeNameMatchers {
		own := regexp.MustCompile(generatedPatterns[i])
		for _, name := range names {
			for _, dir := range []string{"", "x/", "vendor/github.com/"} {
				require.Equal(t, matches(dir+name), own.MatchString(dir+name), "%s of %s", generatedPatterns[i], dir+name)
			}
		}
	}
}

func BenchmarkForeign(b *testing.B) {
	for b.Loop() {
		Foreign("server/source/linguist/linguist.go")
	}
}

func BenchmarkLanguage(b *testing.B) {
	for b.Loop() {
		Language("linguist.go")
	}
}
