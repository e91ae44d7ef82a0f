// Package linguist says by a file's path under which language GitHub counts it.
// The tables and patterns are those of GitHub's linguist, as go-enry has them.
//
// go-enry itself would do, but for its classifier of contents: ten megabytes of
// word frequencies that every start of the program would build as maps. Here
// nothing is looked into, so the linker leaves them out.
package linguist

import (
	"path"
	"strings"

	"github.com/go-enry/go-enry/v2/data"
)

// usual decides between languages that share an extension, where GitHub looks
// into the file and we do not.
var usual = map[string]string{
	".asc": "Public Key", ".bas": "Visual Basic 6.0", ".cgi": "Shell", ".cl": "Common Lisp", ".cls": "Apex", ".cs": "C#", ".d": "D",
	".ddl": "SQL", ".es": "JavaScript", ".ex": "Elixir", ".f": "Fortran", ".fr": "Text", ".frag": "GLSL", ".fs": "F#", ".ftl": "FreeMarker",
	".gd": "GDScript", ".gml": "XML", ".gs": "JavaScript", ".html": "HTML", ".inc": "PHP", ".jq": "jq", ".l": "Lex", ".m": "Objective-C",
	".md": "Markdown", ".ml": "OCaml", ".mm": "Objective-C++", ".p": "OpenEdge ABL", ".php": "PHP", ".pl": "Perl", ".pm": "Perl",
	".pp": "Puppet", ".prc": "SQL", ".pro": "Proguard", ".rs": "Rust", ".rsc": "RouterOS Script", ".sc": "Scala", ".shader": "ShaderLab",
	".sol": "Solidity", ".spec": "RPM Spec", ".sql": "SQL", ".srt": "SubRip Text", ".st": "Smalltalk", ".t": "Perl", ".tpl": "Smarty",
	".v": "Verilog", ".w": "OpenEdge ABL",
}

// Language is the language under which GitHub counts a file of this name, or
// empty if it counts it under none: data, prose and unknown files.
func Language(name string) string {
	name = path.Base(name)
	language := ""
	if named := data.LanguagesByFilename[name]; len(named) > 0 {
		language = named[0]
	} else {
		language = byExtension(strings.ToLower(name))
	}
	if t := data.LanguagesType[language]; t != int(data.TypeProgramming) && t != int(data.TypeMarkup) {
		return ""
	}
	if group := data.LanguagesGroup[language]; group != "" {
		return group // TSX counts as TypeScript
	}
	return language
}

// byExtension tries the longest extension first: .blade.php before .php.
func byExtension(name string) string {
	for i := range len(name) {
		if name[i] == '.' {
			if language := usual[name[i:]]; language != "" {
				return language
			}
			if languages := data.LanguagesByExtension[name[i:]]; len(languages) > 0 {
				return languages[0]
			}
		}
	}
	return ""
}

// Foreign tells whether a file does not count by its path: vendored or
// generated code, or documentation.
func Foreign(file string) bool {
	if vendored(file) {
		return true
	}
	for _, m := range data.DocumentationMatchers {
		if m.MatchString(file) {
			return true
		}
	}
	if _, ok := data.GeneratedCodeExtensions[strings.ToLower(path.Ext(file))]; ok {
		return true
	}
	for _, matches := range data.GeneratedCodeNameMatchers {
		if matches(file) {
			return true
		}
	}
	return false
}

func vendored(file string) bool {
	if data.FastVendorMatcher != nil {
		return data.FastVendorMatcher.MatchString(file)
	}
	for _, m := range data.VendorMatchers {
		if m != nil && m.MatchString(file) {
			return true
		}
	}
	return false
}
