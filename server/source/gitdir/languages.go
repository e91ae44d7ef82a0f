package gitdir

import (
	"cmp"
	"path"
	"slices"
	"strings"

	"github.com/go-enry/go-enry/v2"

	"github.com/waypost-dev/waypost/server/source"
)

// usual decides between languages that share an extension, where GitHub looks
// into the file and we do not.
var usual = map[string]string{
	".cl": "Common Lisp", ".cls": "Apex", ".cs": "C#", ".d": "D", ".es": "JavaScript", ".ex": "Elixir", ".f": "Fortran",
	".fs": "F#", ".gs": "JavaScript", ".inc": "PHP", ".m": "Objective-C", ".ml": "OCaml", ".mm": "Objective-C++",
	".php": "PHP", ".pl": "Perl", ".pm": "Perl", ".pp": "Puppet", ".rs": "Rust", ".sc": "Scala", ".sql": "SQL",
	".st": "Smalltalk", ".t": "Perl", ".v": "Verilog", ".vb": "Visual Basic .NET", ".html": "HTML",
}

// language is the language under which GitHub counts a file of this name, or
// empty if it counts it under none: data, prose and unknown files.
func language(name string) string {
	lang, _ := enry.GetLanguageByFilename(name)
	if lang == "" {
		if lang = usual[strings.ToLower(path.Ext(name))]; lang == "" {
			lang, _ = enry.GetLanguageByExtension(name)
		}
	}
	if lang == "" {
		return ""
	}
	if t := enry.GetLanguageType(lang); t != enry.Programming && t != enry.Markup {
		return ""
	}
	if g := enry.GetLanguageGroup(lang); g != "" {
		return g
	}
	return lang
}

// foreign tells whether a folder, with its slash, holds nothing that counts
// for the repository's languages: vendored code or documentation.
func foreign(dir string) bool { return enry.IsVendor(dir) || enry.IsDocumentation(dir) }

// counted tells whether a file counts, going by its path alone.
func counted(path string) bool {
	return !enry.IsVendor(path) && !enry.IsDocumentation(path) && !enry.IsGenerated(path, nil)
}

// byBytes lists languages, the largest first.
func byBytes(sizes map[string]int64) []source.Language {
	var list []source.Language
	for name, n := range sizes {
		if n > 0 {
			list = append(list, source.Language{Name: name, Bytes: n})
		}
	}
	slices.SortFunc(list, func(a, b source.Language) int {
		return cmp.Or(cmp.Compare(b.Bytes, a.Bytes), cmp.Compare(a.Name, b.Name))
	})
	return list
}
