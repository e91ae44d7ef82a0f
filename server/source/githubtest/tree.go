package githubtest

import (
	"bytes"
	"cmp"
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/waypost-dev/waypost/server/source/linguist"
)

// File is a file of a repository.
type File struct {
	Path    string
	Mode    Mode // zero means Regular
	Content []byte
}

// Mode is git's mode of a tree entry.
type Mode uint32

// The modes of git (gitformat-index, "mode").
const (
	Regular    Mode = 0o100644
	Executable Mode = 0o100755
	Symlink    Mode = 0o120000
	Submodule  Mode = 0o160000
	folder     Mode = 0o040000
)

// kind is the type of the object behind an entry of this mode.
func (m Mode) kind() string {
	switch m {
	case folder:
		return "tree"
	case Submodule:
		return "commit"
	}
	return "blob"
}

// Tree is what stands at the head of a branch. It is immutable.
type Tree struct {
	Commit    string // id
	Committed time.Time
	Author    string // login of the commit's author; empty if GitHub knows none
	root      *entry
	objects   map[string]*entry // blobs and trees by id
}

// entry is a file or folder in a tree.
type entry struct {
	name     string
	mode     Mode
	oid      string
	size     int64
	entries  []*entry // of a folder, in git's order
	read     func() ([]byte, error)
	children map[string]*entry // of a folder, while it is being built
}

func (e *entry) content() ([]byte, error) {
	if e.read == nil {
		return nil, nil
	}
	return e.read()
}

// NewTree makes a tree of files and a commit on top of parent, which may be
// empty. Of two files with the same path the latter stands. Paths are taken as
// they are: "../a" puts a folder with the name ".." into the tree, as a
// hostile client of git can.
func NewTree(files []File, at time.Time, parent string) *Tree {
	return newTree(files, at, parent, "")
}

func newTree(files []File, at time.Time, parent, author string) *Tree {
	b := newBuilder()
	for _, f := range files {
		content := f.Content
		mode := f.Mode
		if mode == 0 {
			mode = Regular
		}
		b.add(f.Path, &entry{mode: mode, oid: objectID("blob", content), size: int64(len(content)), read: func() ([]byte, error) { return content, nil }})
	}
	return b.tree("", at, parent, author)
}

type builder struct{ root *entry }

func newBuilder() builder { return builder{&entry{mode: folder, children: map[string]*entry{}}} }

func (b builder) add(at string, file *entry) {
	parts := strings.Split(at, "/")
	dir := b.root
	for _, name := range parts[:len(parts)-1] {
		next := dir.children[name]
		if next == nil || next.mode != folder {
			next = &entry{name: name, mode: folder, children: map[string]*entry{}}
			dir.children[name] = next
		}
		dir = next
	}
	file.name = parts[len(parts)-1]
	dir.children[file.name] = file
}

// tree seals what was added; commit is made up when it is empty.
func (b builder) tree(commit string, at time.Time, parent, author string) *Tree {
	t := &Tree{Commit: commit, Committed: at.UTC(), Author: author, root: b.root, objects: map[string]*entry{}}
	t.seal(b.root)
	if commit == "" {
		text := "tree " + t.root.oid + "\n"
		if parent != "" {
			text += "parent " + parent + "\n"
		}
		who := fmt.Sprintf("%s <%s> %d +0000", t.actor(), t.address(), at.Unix())
		t.Commit = objectID("commit", []byte(text+"author "+who+"\ncommitter "+who+"\n\nChange files\n"))
	}
	return t
}

// actor is the name that the commit says of its author.
func (t *Tree) actor() string { return cmp.Or(t.Author, "Waypost") }

func (t *Tree) address() string { return strings.ToLower(t.actor()) + "@example.org" }

// seal gives a folder its entries in git's order, which compares a folder as
// if its name ended in a slash, and computes its id.
func (t *Tree) seal(dir *entry) {
	key := func(e *entry) string {
		if e.mode == folder {
			return e.name + "/"
		}
		return e.name
	}
	dir.entries = slices.SortedFunc(maps.Values(dir.children), func(a, b *entry) int { return strings.Compare(key(a), key(b)) })
	dir.children = nil
	var text bytes.Buffer
	for _, e := range dir.entries {
		if e.mode == folder {
			t.seal(e)
		}
		id, _ := hex.DecodeString(e.oid)
		fmt.Fprintf(&text, "%o %s\x00%s", e.mode, e.name, id)
		if e.mode != Submodule {
			t.objects[e.oid] = e
		}
	}
	dir.oid = objectID("tree", text.Bytes())
	t.objects[dir.oid] = dir
}

// objectID is git's id of an object, in hex.
func objectID(kind string, content []byte) string {
	h := sha1.New()
	fmt.Fprintf(h, "%s %d\x00", kind, len(content))
	h.Write(content)
	return hex.EncodeToString(h.Sum(nil))
}

// lookup finds what is at a path; nil if nothing is.
func (t *Tree) lookup(path string) *entry {
	at := t.root
	if path == "" {
		return at
	}
	for name := range strings.SplitSeq(path, "/") {
		i := slices.IndexFunc(at.entries, func(e *entry) bool { return e.name == name })
		if i < 0 {
			return nil
		}
		at = at.entries[i]
	}
	return at
}

// follow finds the file that a symbolic link leads to, through other links if
// need be; nil if that is no file of the tree.
func (t *Tree) follow(at string) *entry {
	for range 8 {
		e := t.lookup(at)
		if e == nil || e.mode == Regular || e.mode == Executable {
			return e
		}
		if e.mode != Symlink {
			return nil
		}
		target, err := e.content()
		if err != nil || path.IsAbs(string(target)) {
			return nil
		}
		at = path.Join(path.Dir(at), string(target))
	}
	return nil
}

// walk calls visit for everything below the root, folders before what they
// hold.
func (t *Tree) walk(visit func(path string, e *entry)) { walk("", t.root, visit) }

func walk(prefix string, dir *entry, visit func(string, *entry)) {
	for _, e := range dir.entries {
		visit(prefix+e.name, e)
		if e.mode == folder {
			walk(prefix+e.name+"/", e, visit)
		}
	}
}

// Files are all files of the tree, in git's order. It returns nil for no tree,
// and leaves out files whose content cannot be read.
func (t *Tree) Files() []File {
	if t == nil {
		return nil
	}
	var files []File
	t.walk(func(path string, e *entry) {
		if e.mode == folder {
			return
		}
		if content, err := e.content(); err == nil {
			files = append(files, File{Path: path, Mode: e.mode, Content: content})
		}
	})
	return files
}

// languages counts the bytes by language as GitHub does with linguist, but by
// the names of files alone.
func (t *Tree) languages() map[string]int64 {
	found := map[string]int64{}
	t.walk(func(path string, e *entry) {
		if e.mode != Regular && e.mode != Executable || e.size == 0 || e.size > 1<<20 {
			return
		}
		if linguist.Foreign(path) {
			return
		}
		if language := linguist.Language(path); language != "" {
			found[language] += e.size
		}
	})
	return found
}
