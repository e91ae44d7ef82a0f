package gitdir

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path"
	"strings"
	"unicode/utf8"

	"github.com/waypost-dev/waypost/server/source"
	"github.com/waypost-dev/waypost/server/source/gitdir/objectdb"
	"github.com/waypost-dev/waypost/server/source/reach"
)

// reach takes in what the documents lead to. always says that their State does
// not show a change of it.
func (r *reading) reach(ctx context.Context, known source.RepositoryState, tree reach.Tree, always bool) error {
	w := reach.Walk{Source: r.source.Name(), Repository: r.repo, Known: known.Documents, Tree: tree, Web: r.source.web, MaxDocuments: maxDocuments,
		Tolerant: r.source.o.WorkingTree}
	if !w.Needed(r.repo.Documents) {
		return nil
	}
	out, err := w.Do(ctx, r.repo.Documents)
	if err != nil {
		return err
	}
	r.repo.Documents = out.Documents
	r.repo.Problems = append(r.repo.Problems, out.Problems...)
	out.Foreign = out.Foreign || always
	r.repo.State = out.State(r.repo.State)
	if out.Failed && !strings.HasSuffix(r.repo.State, incomplete) {
		r.repo.State += incomplete
	}
	return nil
}

// commitTree is the files of a commit, from the object database.
type commitTree struct {
	*walk
	id objectdb.ID // of the root
}

// List implements reach.Tree. Links to folders are not followed.
func (t commitTree) List(ctx context.Context, folders []string) (map[string][]reach.File, error) {
	found := make(map[string][]reach.File, len(folders))
	for _, folder := range folders {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		entries, err := t.folder(folder)
		if errors.Is(err, errNoFile) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("folder %q: %w", folder, err)
		}
		files := make([]reach.File, 0, len(entries))
		for _, e := range entries {
			if e.mode != modeGitlink {
				files = append(files, fileOf(path.Join(folder, e.name), e))
			}
		}
		found[folder] = files
	}
	return found, nil
}

func fileOf(path string, e entry) reach.File {
	return reach.File{Path: path, Hash: e.id.String(), Link: e.mode == modeSymlink, Folder: e.isTree()}
}

func (t commitTree) folder(full string) ([]entry, error) {
	entries, err := t.tree(t.id)
	for rest := full; err == nil && rest != ""; {
		var name string
		name, rest, _ = strings.Cut(rest, "/")
		next := objectdb.ID("")
		for _, e := range entries {
			if e.name == name && e.isTree() {
				next = e.id
			}
		}
		if next == "" {
			return nil, errNoFile
		}
		entries, err = t.tree(next)
	}
	return entries, err
}

// Below implements reach.Tree.
func (t commitTree) Below(ctx context.Context, folder string) ([]reach.File, error) {
	entries, err := t.folder(folder)
	if errors.Is(err, errNoFile) {
		return nil, nil
	}
	var files []reach.File
	looked := 0
	var look func(dir string, entries []entry, depth int) error
	look = func(dir string, entries []entry, depth int) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		for _, e := range entries {
			if looked++; looked > maxEntries || depth > maxDepth {
				return reach.TooMany()
			}
			full := path.Join(dir, e.name)
			switch {
			case e.mode == modeGitlink || len(full) > maxPath || !utf8.ValidString(full):
			case e.isTree():
				below, err := t.tree(e.id)
				if err != nil {
					return fmt.Errorf("folder %q: %w", full, err)
				}
				if err := look(full, below, depth+1); err != nil {
					return err
				}
			default:
				files = append(files, fileOf(full, e))
			}
		}
		return nil
	}
	if err == nil {
		err = look(folder, entries, 0)
	}
	return files, err
}

// Read implements reach.Tree.
func (t commitTree) Read(ctx context.Context, files []*reach.File) error {
	for _, f := range files {
		if err := ctx.Err(); err != nil {
			return err
		}
		f.Content, f.Err = t.read(f)
	}
	return nil
}

func (t commitTree) read(f *reach.File) ([]byte, error) {
	id := f.Hash
	if f.Link {
		e, err := t.lookup(t.id, f.Path)
		if errors.Is(err, errNoFile) || errors.Is(err, errOutside) || err == nil && !e.isFile() {
			return nil, reach.LeadsNowhere()
		}
		if err != nil {
			return nil, err
		}
		id = e.id.String()
	}
	object, err := objectdb.ParseID(id)
	if err != nil {
		return nil, err
	}
	kind, b, err := t.db.Read(object, source.MaxDocument)
	switch {
	case errors.Is(err, objectdb.ErrTooLarge):
		return nil, reach.TooLarge()
	case err != nil:
		return nil, err
	case kind != objectdb.Blob:
		return nil, fmt.Errorf("it is a %s: %w", kind, objectdb.ErrCorrupt)
	case bytes.HasPrefix(b, []byte("version https://git-lfs.github.com/spec/v1\n")):
		return nil, reach.Fail("keep the file out of Git LFS: git lfs untrack "+f.Path, "%s", errLFS)
	}
	f.Hash = id
	return b, nil
}
