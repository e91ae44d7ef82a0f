package gitdir

import (
	"cmp"
	"slices"
	"strings"

	"github.com/waypost-dev/waypost/server/source"
	"github.com/waypost-dev/waypost/server/source/linguist"
)

// memory remembers what linguist said of paths. Its rules are regular
// expressions by the dozen, so that what they said is remembered: of folders
// by the end of their path, of files by their name. The zero value is ready;
// it is for one goroutine.
type memory struct {
	folders, files map[string]bool
}

// remembered bounds each of the maps.
const remembered = 10_000

// foreign tells whether a folder, with its slash, holds nothing that counts
// for the repository's languages: vendored or generated code, documentation.
func (l *memory) foreign(dir string) bool {
	return ask(&l.folders, tail(dir), func(dir string) bool {
		return linguist.Foreign(dir) || linguist.Foreign(dir+"x")
	})
}

// counted tells whether a file counts that lies in no foreign folder.
func (l *memory) counted(path string) bool {
	if slash := strings.LastIndexByte(path, '/'); slash >= 0 {
		path = "-" + path[slash:]
	}
	return !ask(&l.files, path, func(path string) bool {
		return linguist.Foreign(path)
	})
}

// countedBelow is counted for a file of which the folders were not asked about.
func (l *memory) countedBelow(path string) bool {
	for i := range len(path) {
		if path[i] == '/' && l.foreign(path[:i+1]) {
			return false
		}
	}
	return l.counted(path)
}

func ask(answers *map[string]bool, key string, rule func(string) bool) bool {
	is, ok := (*answers)[key]
	if !ok {
		if *answers == nil || len(*answers) >= remembered {
			*answers = map[string]bool{}
		}
		is = rule(key)
		(*answers)[key] = is
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
