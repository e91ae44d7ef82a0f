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

// linguist says what does not count by its path. Its rules are regular
// expressions by the dozen, so that what they said is remembered: of folders
// by the end of their path, of files by their name. The zero value is ready;
// it is for one goroutine.
type linguist struct {
	folders, files map[string]bool
}

// remembered bounds each of the maps.
const remembered = 10_000

// foreign tells whether a folder, with its slash, holds nothing that counts
// for the repository's languages: vendored or generated code, documentation.
func (l *linguist) foreign(dir string) bool {
	return ask(&l.folders, tail(dir), func(dir string) bool {
		return enry.IsVendor(dir) || enry.IsDocumentation(dir) || enry.IsGenerated(dir+"x", nil)
	})
}

// counted tells whether a file counts that lies in no foreign folder.
func (l *linguist) counted(path string) bool {
	if slash := strings.LastIndexByte(path, '/'); slash >= 0 {
		path = "-" + path[slash:]
	}
	return !ask(&l.files, path, func(path string) bool {
		return enry.IsVendor(path) || enry.IsDocumentation(path) || enry.IsGenerated(path, nil)
	})
}

// countedBelow is counted for a file of which the folders were not asked about.
func (l *linguist) countedBelow(path string) bool {
	for i := range len(path) {
		if path[i] == '/' && l.foreign(path[:i+1]) {
			return false
		}
	}
	return l.counted(path)
}

func ask(memory *map[string]bool, key string, rule func(string) bool) bool {
	is, ok := (*memory)[key]
	if !ok {
		if *memory == nil || len(*memory) >= remembered {
			*memory = map[string]bool{}
		}
		is = rule(key)
		(*memory)[key] = is
	}
	return is
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
