// Package linguist says by a file's path under which language GitHub counts it.
// The tables and patterns are those of GitHub's linguist, as go-enry has them.
//
// go-enry itself would do, but that its tables are maps which every start of
// the program builds, for five megabytes, and its patterns are all compiled
// then. Ours are generated from it: the tables cost a start nothing, and the
// patterns are compiled when they are first asked.
package linguist

//go:generate go run generate.go

import (
	"path"
	"regexp"
	"strings"
	"sync"
)

// Language is the language under which GitHub counts a file of this name, or
// empty if it counts it under none: data, prose and unknown files.
func Language(name string) string {
	name = path.Base(name)
	if language, known := named(name); known {
		return language
	}
	// The longest extension first: .blade.php before .php.
	name = strings.ToLower(name)
	for i := range len(name) {
		if name[i] == '.' {
			if language, known := extended(name[i:]); known {
				return language
			}
		}
	}
	return ""
}

// foreign are the patterns of paths that do not count.
var foreign = sync.OnceValue(func() []*regexp.Regexp {
	all := []*regexp.Regexp{regexp.MustCompile(vendorPattern)}
	for _, patterns := range [][]string{documentationPatterns[:], generatedPatterns[:]} {
		for _, p := range patterns {
			all = append(all, regexp.MustCompile(p))
		}
	}
	return all
})

// Foreign tells whether a file does not count by its path: vendored or
// generated code, or documentation.
func Foreign(file string) bool {
	for _, m := range foreign() {
		if m.MatchString(file) {
			return true
		}
	}
	return false
}
