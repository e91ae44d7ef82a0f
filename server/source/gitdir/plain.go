package gitdir

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/source"
	"github.com/waypost-dev/waypost/server/source/gitdir/objectdb"
	"github.com/waypost-dev/waypost/server/source/linguist"
	"github.com/waypost-dev/waypost/server/source/reach"
)

// A folder without any repository is one repository without versions: Branch,
// Commit and URL are empty, and its files are read as they stand. Hidden
// folders but .github, and node_modules, are passed over.
//
// Where the options name no patterns, catalog-info.yaml counts anywhere in the
// folder; where there is none at all, every .yaml and .yml file counts, since
// somebody who points at a folder of generated files means those.
//
// The working tree of a clone (Options.WorkingTree) is read the same way, with the
// clone's own names. It holds what a commit of it would as far as can be told
// without git: hidden folders count, .git, submodules and node_modules do not, nor
// does any folder in which no pattern looks. A file that no pattern names, but to which
// a document leads, counts only if git knows it (tracked.go). Languages and the root
// folder are not looked at.
//
// Files count as unchanged while path, size and time of change are.

const (
	maxPlainFiles = 100_000
	maxPlainDepth = 32
)

var (
	plainPatterns = []string{"**/catalog-info.yaml", "**/catalog-info.yml"}
	anyYAML       = []string{"**/*.yaml", "**/*.yml"}
)

// plainFile is a file of the folder.
type plainFile struct {
	path  string
	stamp string // size and time of change
	size  int64
	err   error
}

func (s *Source) harvestPlain(ctx context.Context, known source.Known, out source.Out) error {
	root, err := os.OpenRoot(s.path)
	if err != nil {
		return err
	}
	defer root.Close()
	r := &reading{
		source: s, clone: clone{id: ".", path: s.path, parent: filepath.Base(filepath.Dir(s.path))},
		repo: source.Repository{Asked: time.Now()},
	}
	r.nameByFolders()
	tree := reach.Folder{Root: root, Clone: s.o.WorkingTree}
	if s.o.WorkingTree {
		r.nameByClone()
		if tree.Tracked, err = tracked(s.path); err != nil {
			return err
		}
	}
	out.Expect(1)
	if !s.wanted(r.repo.Owner, r.repo.Name) {
		return nil
	}
	files, sizes, err := r.list(ctx, root.FS())
	if err != nil {
		return err
	}
	sum := sha256.New()
	fmt.Fprintf(sum, "%s\x00%s\x00%s\n", s.options, r.repo.FullName(), strings.Join(r.repo.Root, "\x00"))
	for _, f := range files {
		fmt.Fprintf(sum, "%s\x00%s\n", f.path, f.stamp)
	}
	r.repo.State = "files " + hex.EncodeToString(sum.Sum(nil)[:16])
	before, ok := known.Repository(r.repo.ID)
	if ok && before.State == r.repo.State {
		return out.Unchanged(ctx, r.repo.ID)
	}
	r.repo.Languages = byBytes(sizes)
	var total int64
	for _, f := range files {
		if err := ctx.Err(); err != nil {
			return err
		}
		b, err := readPlain(tree, f)
		if slices.Contains(codeownersPaths, f.path) {
			if r.repo.Codeowners == nil && err == nil {
				r.repo.Codeowners = &source.File{Path: f.path, Hash: blobID(b), Content: b}
			}
			continue
		}
		d := source.Document{Path: f.path}
		if total += int64(len(b)); err == nil && total > maxContents {
			err = errTotal
		}
		if err != nil {
			p := r.problem(f.path, err)
			d.Problem = &p
			if p.Code == catalog.CodeUnreadable && !strings.HasSuffix(r.repo.State, incomplete) {
				r.repo.State += incomplete
			}
		} else if d.Hash = blobID(b); before.Documents[f.path] != d.Hash {
			d.Content = b
		}
		r.repo.Documents = append(r.repo.Documents, d)
	}
	if err := r.reach(ctx, before, tree, true); err != nil {
		return err
	}
	if ok && before.State == r.repo.State && !strings.HasSuffix(before.State, incomplete) {
		return out.Unchanged(ctx, r.repo.ID)
	}
	return out.Repository(ctx, r.repo)
}

// nameByClone takes owner, name and address of a clone's repository, and the branch
// for which its files are meant. What cannot be read of it is named by its folders.
func (r *reading) nameByClone() {
	if r.clone.git, r.clone.err = openClone(r.clone.path); r.clone.err != nil {
		return
	}
	if c, err := r.clone.git.config(); err == nil {
		if o, ok := parseOrigin(c.origin); ok {
			r.repo.Owner, r.repo.Name, r.repo.URL = o.owner, o.name, o.url
		}
	}
	if r.repo.Branch = r.source.o.Branch; r.repo.Branch != "" {
		return
	}
	const origin = "refs/remotes/origin/"
	if ref, _, err := r.clone.git.resolve(origin + "HEAD"); err == nil && ref != origin+"HEAD" && strings.HasPrefix(ref, origin) {
		r.repo.Branch = strings.TrimPrefix(ref, origin)
	} else if h, err := r.clone.git.head(""); err == nil {
		r.repo.Branch = h.branch
	}
}

func blobID(b []byte) string { return objectdb.Hash(20, objectdb.Blob, b).String() }

// list walks the folder, and returns the files to read, CODEOWNERS first in
// the order of their precedence, and the bytes by language.
func (r *reading) list(ctx context.Context, fsys fs.FS) ([]plainFile, map[string]int64, error) {
	globs, fallback := r.source.patterns, (*patterns)(nil)
	if len(r.source.o.Patterns) == 0 {
		globs, _ = newPatterns(plainPatterns)
		fallback, _ = newPatterns(anyYAML)
	}
	var owners, files, others []plainFile
	sizes := map[string]int64{}
	w := &walk{}
	err := fs.WalkDir(fsys, ".", func(path string, e fs.DirEntry, err error) error {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if path == "." {
			return err
		}
		if err != nil { // a folder that cannot be listed: what is in it cannot count as gone
			return err
		}
		if w.entries++; w.entries > maxPlainFiles {
			w.cut = true
			return fs.SkipAll
		}
		if !strings.Contains(path, "/") {
			w.addRoot(entry{name: e.Name(), mode: map[bool]string{true: modeTree}[e.IsDir()]})
		}
		if !utf8.ValidString(path) || len(path) > maxPath {
			w.hostile = append(w.hostile, path)
			if e.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if e.IsDir() {
			if r.passes(fsys, globs, path) {
				return fs.SkipDir
			}
			if strings.Count(path, "/") >= maxPlainDepth {
				w.cut = true
				return fs.SkipDir
			}
			return nil
		}
		isOwners := slices.Contains(codeownersPaths, path)
		isFile := globs.match(path)
		isOther := !isFile && fallback != nil && fallback.match(path)
		if isOwners || isFile || isOther {
			f, ok := lookAt(fsys, path)
			if !ok {
				return nil
			}
			switch {
			case isOwners:
				owners = append(owners, f)
			case isFile:
				files = append(files, f)
			default:
				others = append(others, f)
			}
		}
		if r.source.o.WorkingTree {
			return nil
		}
		if lang := linguist.Language(e.Name()); lang != "" && e.Type().IsRegular() && w.sized < maxSized && w.memory.countedBelow(path) {
			if st, err := e.Info(); err == nil {
				w.sized++
				sizes[lang] += st.Size()
			}
		}
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	slices.Sort(w.root)
	r.repo.Root = w.root
	r.notes(w)
	if len(files) == 0 {
		files = others
	}
	if len(files) > maxDocuments {
		files = files[:maxDocuments]
	}
	slices.SortFunc(owners, func(a, b plainFile) int {
		return slices.Index(codeownersPaths, a.path) - slices.Index(codeownersPaths, b.path)
	})
	return append(owners, files...), sizes, nil
}

// passes tells whether a folder is passed over.
func (r *reading) passes(fsys fs.FS, globs *patterns, folder string) bool {
	name := folder[strings.LastIndexByte(folder, '/')+1:]
	if !r.source.o.WorkingTree {
		return name[0] == '.' && folder != ".github" || name == "node_modules"
	}
	if strings.EqualFold(name, ".git") || !globs.enter(folder) || name == "node_modules" && !globs.names(folder) {
		return true
	}
	_, err := fs.Stat(fsys, folder+"/.git") // of a submodule, or of a clone that is not part of this one
	return err == nil
}

// lookAt follows a link within the folder. It says false for one that leads to
// a folder.
func lookAt(fsys fs.FS, path string) (plainFile, bool) {
	f := plainFile{path: path}
	st, err := fs.Stat(fsys, path)
	switch {
	case err != nil:
		f.err = errors.New(reason(err))
	case st.IsDir():
		return f, false
	case !st.Mode().IsRegular():
		f.err = errors.New("it is not a regular file")
	default:
		f.size, f.stamp = st.Size(), fmt.Sprint(st.Size(), st.ModTime().UnixNano())
	}
	return f, true
}

func readPlain(tree reach.Folder, f plainFile) ([]byte, error) {
	if f.err != nil {
		return nil, f.err
	}
	if f.size > source.MaxDocument {
		return nil, fmt.Errorf("it has %d bytes, more than %d: %w", f.size, source.MaxDocument, objectdb.ErrTooLarge)
	}
	b, err := tree.File(f.path)
	if failure, ok := errors.AsType[*reach.Failure](err); ok && failure.Code == catalog.CodeTooLarge {
		return nil, fmt.Errorf("it grew over %d bytes while it was read: %w", source.MaxDocument, objectdb.ErrTooLarge)
	}
	return b, err
}
