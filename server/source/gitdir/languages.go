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
	".asc": "Public Key", ".bas": "Visual Basic 6.0", ".cgi": "Shell", ".cl": "Common Lisp", ".cls": "Apex", ".cs": "C#", ".d": "D",
	".ddl": "SQL", ".es": "JavaScript", ".ex": "Elixir", ".f": "Fortran", ".fr": "Text", ".frag": "GLSL", ".fs": "F#", ".ftl": "FreeMarker",
	".gd": "GDScript", ".gml": "XML", ".gs": "JavaScript", ".html": "HTML", ".inc": "PHP", ".jq": "jq", ".l": "Lex", ".m": "Objective-C",
	".md": "Markdown", ".ml": "OCaml", ".mm": "Objective-C++", ".p": "OpenEdge ABL", ".php": "PHP", ".pl": "Perl", ".pm": "Perl",
	".pp": "Puppet", ".prc": "SQL", ".pro": "Proguard", ".rs": "Rust", ".rsc": "RouterOS Script", ".sc": "Scala", ".shader": "ShaderLab",
	".sol": "Solidity", ".spec": "RPM Spec", ".sql": "SQL", ".srt": "SubRip Text", ".st": "Smalltalk", ".t": "Perl", ".tpl": "Smarty",
	".v": "Verilog", ".w": "OpenEdge ABL",
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
func foreign(dir string) bool {
	dir = tail(dir)
	return enry.IsVendor(dir) || enry.IsDocumentation(dir)
}

// counted tells whether a file in a folder that is not foreign counts, going
// by its path alone.
func counted(path string) bool {
	path = tail(path)
	return !enry.IsVendor(path) && !enry.IsDocumentation(path) && !enry.IsGenerated(path, nil)
}

// tail shortens a path to as much as linguist's rules look at, which are slow
// on long paths: its last three names, with something in front of them that
// tells rules for the root that this is not it.
func tail(path string) string {
	at := len(strings.TrimSuffix(path, "/"))
	for range 3 {
		if at = strings.LastIndexByte(path[:at], '/'); at < 0 {
			return path
		}
	}
	if strings.IndexByte(path, '/') == at { // one name more: as short as it gets
		return path
	}
	return "-" + path[at:]
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
