package gitdir

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/go-git/go-git/v5/plumbing/format/index"
)

// tracked tells which files git knows in the clone of which a folder is part, by
// its index: what is committed, and what was added since. It is nil if the folder
// is in no clone. A file that git does not know may be a secret that somebody keeps
// beside their work, such as .env, and a .gitignore is no guard against it: who
// proposes a change may propose another .gitignore with it.
func tracked(folder string) (func(path string) bool, error) {
	folder, err := filepath.Abs(folder)
	if err == nil {
		folder, err = filepath.EvalSymlinks(folder)
	}
	if err != nil {
		return nil, err
	}
	for top := folder; ; top = filepath.Dir(top) {
		if _, err := os.Lstat(filepath.Join(top, ".git")); err == nil {
			below, err := filepath.Rel(top, folder)
			if err != nil {
				return nil, err
			}
			known, err := readIndex(top)
			if err != nil {
				return nil, fmt.Errorf("read what git knows of %s: %w", top, err)
			}
			return func(path string) bool { return known[filepath.ToSlash(filepath.Join(below, path))] }, nil
		}
		if top == filepath.Dir(top) {
			return nil, nil
		}
	}
}

// readIndex are the paths in the index of a clone. The reader is go-git's, since the
// index has four versions and extensions of its own; it is read once for a plan.
func readIndex(clone string) (map[string]bool, error) {
	g, err := openClone(clone)
	if err != nil {
		return nil, err
	}
	f, err := os.Open(filepath.Join(g.dir, "index"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil // nothing was added yet
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var read index.Index
	if err := index.NewDecoder(bufio.NewReader(f)).Decode(&read); err != nil {
		return nil, err
	}
	known := make(map[string]bool, len(read.Entries))
	for _, e := range read.Entries {
		known[e.Name] = true
	}
	return known, nil
}
