package gitdir

import (
	"bytes"
	"errors"
	"fmt"
	"path"
	"strings"
	"unicode/utf8"

	"github.com/waypost-dev/waypost/server/source/gitdir/objectdb"
	"github.com/waypost-dev/waypost/server/source/linguist"
)

const (
	maxTree    = 32 << 20 // bytes of one tree object
	maxEntries = 300_000  // of a commit that are looked at; a tree can name itself a billion times over
	maxSized   = 50_000   // files whose size is asked for, for languages
	maxDepth   = 100      // folders within each other
	maxPath    = 4096     // bytes
	maxRoot    = 5_000    // names listed of the root folder
	maxHops    = 10       // symbolic links to one file
)

// The modes of tree entries.
const (
	modeTree    = "40000"
	modeSymlink = "120000"
	modeGitlink = "160000" // a submodule
)

// entry is one name in a tree.
type entry struct {
	name, mode string
	id         objectdb.ID
}

func (e entry) isTree() bool { return e.mode == modeTree }
func (e entry) isFile() bool {
	return e.mode != modeTree && e.mode != modeGitlink && e.mode != modeSymlink
}

// parseTree reads a tree object, a row of "mode name\0id". Names that could
// lead elsewhere are left out and counted.
func parseTree(b []byte, idSize int) (entries []entry, hostile []string, err error) {
	for len(b) > 0 {
		space := bytes.IndexByte(b, ' ')
		nul := bytes.IndexByte(b, 0)
		if space < 5 || space > 6 || nul < space || len(b) < nul+1+idSize {
			return nil, nil, fmt.Errorf("tree: %w", objectdb.ErrCorrupt)
		}
		e := entry{mode: string(b[:space]), name: string(b[space+1 : nul]), id: objectdb.ID(b[nul+1 : nul+1+idSize])}
		b = b[nul+1+idSize:]
		if e.name == "" || e.name == "." || e.name == ".." || strings.EqualFold(e.name, ".git") || strings.Contains(e.name, "/") {
			hostile = append(hostile, e.name)
			continue
		}
		entries = append(entries, e)
	}
	return entries, hostile, nil
}

// file is a file or link in a tree that a pattern asks for.
type file struct {
	path string
	entry
}

// listing is what a walk over the tree of a commit gathers.
type listing struct {
	root    []string
	files   []file           // that match a pattern
	sizes   map[string]int64 // by language
	hostile []string         // paths left out
	cut     bool             // a bound was reached
	partial bool             // sizes or folders are missing
}

// walk reads the tree once, for everything.
type walk struct {
	db       *objectdb.DB
	patterns *patterns
	listing
	entries, sized int
	memory         memory
}

func (w *walk) tree(id objectdb.ID) ([]entry, error) {
	kind, b, err := w.db.Read(id, maxTree)
	if err != nil {
		return nil, err
	}
	if kind != objectdb.Tree {
		return nil, fmt.Errorf("%s is a %s, not a tree: %w", id, kind, objectdb.ErrCorrupt)
	}
	entries, hostile, err := parseTree(b, len(id))
	for _, name := range hostile {
		if len(w.hostile) < 20 {
			w.hostile = append(w.hostile, name)
		}
	}
	return entries, err
}

// dir looks at a folder. wanted and lingual say whether catalog files and
// languages are looked for.
func (w *walk) dir(dir string, id objectdb.ID, depth int, wanted, lingual bool) error {
	entries, err := w.tree(id)
	if err != nil {
		return fmt.Errorf("folder %q: %w", dir, err)
	}
	for _, e := range entries {
		if w.entries++; w.entries > maxEntries {
			w.cut = true
			return nil
		}
		full := e.name
		if dir != "" {
			full = dir + "/" + e.name
		}
		if dir == "" {
			w.addRoot(e)
		}
		if len(full) > maxPath || !utf8.ValidString(full) {
			if len(w.hostile) < 20 {
				w.hostile = append(w.hostile, full)
			}
			continue
		}
		switch {
		case e.isTree():
			in := wanted && w.patterns.enter(full)
			counts := lingual && w.sized < maxSized && !w.memory.foreign(full+"/")
			if !in && !counts {
				continue
			}
			if depth == maxDepth {
				w.cut = true
				continue
			}
			err := w.dir(full, e.id, depth+1, in, counts)
			if errors.Is(err, objectdb.ErrMissing) && !in {
				w.partial = true // a folder that only languages are read from
			} else if err != nil {
				return err
			}
		case e.mode == modeGitlink:
		default:
			if wanted && w.patterns.match(full) {
				w.files = append(w.files, file{full, e})
			}
			if lingual && e.isFile() {
				w.count(full, e)
			}
		}
	}
	return nil
}

func (w *walk) addRoot(e entry) {
	if len(w.root) == maxRoot {
		w.cut = true
		return
	}
	name := strings.ToValidUTF8(e.name, "\ufffd")
	if e.isTree() {
		name += "/"
	}
	w.root = append(w.root, name)
}

// count adds a file to its language.
func (w *walk) count(full string, e entry) {
	lang := linguist.Language(e.name)
	if lang == "" || w.sized == maxSized || !w.memory.counted(full) {
		return
	}
	w.sized++
	n, err := w.db.Size(e.id)
	if err != nil {
		w.partial = true // a partial clone has no file that was not asked for
		return
	}
	if w.sizes == nil {
		w.sizes = map[string]int64{}
	}
	w.sizes[lang] += n
}

var (
	errOutside = errors.New("it leads out of the repository")
	errNoFile  = errors.New("there is no such file in the repository")
)

// lookup finds a path from the root of the tree, through symbolic links as
// long as they stay inside.
func (w *walk) lookup(root objectdb.ID, full string) (entry, error) {
	hops := 0
	for {
		at, dir := entry{mode: modeTree, id: root}, ""
		rest, link := full, ""
		for rest != "" {
			var name string
			name, rest, _ = strings.Cut(rest, "/")
			if !at.isTree() {
				return entry{}, errNoFile
			}
			entries, err := w.tree(at.id)
			if err != nil {
				return entry{}, err
			}
			found := false
			for _, e := range entries {
				if e.name == name {
					at, found = e, true
					break
				}
			}
			if !found {
				return entry{}, errNoFile
			}
			if at.mode == modeSymlink {
				target, err := w.target(dir, at.id)
				if err != nil {
					return entry{}, err
				}
				link = path.Join(target, rest)
				break
			}
			dir = path.Join(dir, name)
		}
		if link == "" {
			return at, nil
		}
		if hops++; hops > maxHops {
			return entry{}, errors.New("links lead to each other without end")
		}
		full = link
	}
}

// target reads a link in a folder and returns where it leads, from the root.
func (w *walk) target(dir string, id objectdb.ID) (string, error) {
	_, b, err := w.db.Read(id, maxPath)
	if err != nil {
		return "", err
	}
	if len(b) == 0 || b[0] == '/' || bytes.IndexByte(b, 0) >= 0 || bytes.IndexByte(b, '\\') >= 0 {
		return "", errOutside
	}
	full := path.Join(dir, string(b))
	if full == ".." || strings.HasPrefix(full, "../") || full == "." {
		return "", errOutside
	}
	return full, nil
}
