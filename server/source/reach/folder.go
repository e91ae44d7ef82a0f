package reach

import (
	"context"
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/waypost-dev/waypost/server/source"
)

// maxLooked bounds the files that are looked at below a folder.
const maxLooked = 100_000

// Folder is a Tree of files as they stand in a folder. Links are followed within it.
// What git keeps in .git is not part of it, whichever way leads there: a commit
// could not hold it either, and it may hold credentials.
type Folder struct {
	Root *os.Root
	// Clone says that the folder is the working tree of a clone, and leads where
	// the commit of it would: neither links to folders nor submodules are followed.
	Clone bool
	// Tracked tells which files may be read though nobody but a document named
	// them; nil allows all.
	Tracked func(name string) bool
}

func (t Folder) tracked(name string) bool { return t.Tracked == nil || t.Tracked(name) }

// real is where a path below the root leads, through links; false if it is in a
// .git, out of the root or not there.
func (t Folder) real(name string) (string, bool) {
	full := name
	for hops := 0; ; hops++ {
		next, err := t.follow(full)
		if err != nil || hops > maxHops || next == ".." || strings.HasPrefix(next, "../") {
			return "", false
		}
		if next == full {
			break
		}
		full = next
	}
	for part := range strings.SplitSeq(full, "/") {
		if strings.EqualFold(part, ".git") {
			return "", false
		}
	}
	return full, true
}

// enter is where a folder is, if it may be looked into.
func (t Folder) enter(folder string) (string, bool) {
	real, ok := t.real(folder)
	if !ok || !t.Clone {
		return real, ok
	}
	for at := folder; at != "."; at = path.Dir(at) {
		if t.another(at) {
			return "", false
		}
	}
	return real, real == folder
}

// another tells whether a folder is a submodule, or else a clone of its own.
func (t Folder) another(folder string) bool {
	_, err := t.Root.Lstat(filepath.FromSlash(folder + "/.git"))
	return err == nil
}

// maxHops is how many links may lead to one file.
const maxHops = 40

// follow replaces the first link in a path.
func (t Folder) follow(full string) (string, error) {
	full = path.Clean(full)
	for at := 0; at < len(full); at++ {
		if i := strings.IndexByte(full[at:], '/'); i >= 0 {
			at += i
		} else {
			at = len(full)
		}
		st, err := t.Root.Lstat(filepath.FromSlash(full[:at]))
		if err != nil {
			return "", err
		}
		if st.Mode()&fs.ModeSymlink == 0 {
			continue
		}
		target, err := t.Root.Readlink(filepath.FromSlash(full[:at]))
		if err != nil {
			return "", err
		}
		if filepath.IsAbs(target) {
			return "..", nil
		}
		return path.Join(path.Dir(full[:at]), filepath.ToSlash(target), full[at:]), nil
	}
	return full, nil
}

// List implements Tree.
func (t Folder) List(ctx context.Context, folders []string) (map[string][]File, error) {
	found := make(map[string][]File, len(folders))
	for _, folder := range folders {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		real, ok := t.enter(orDot(folder))
		if !ok {
			continue
		}
		entries, err := fs.ReadDir(t.Root.FS(), real)
		if err != nil {
			continue // it is not there, or it is no folder
		}
		files := make([]File, 0, len(entries))
		for _, e := range entries {
			if strings.EqualFold(e.Name(), ".git") {
				continue
			}
			name := path.Join(folder, e.Name())
			files = append(files, File{Path: name, Link: e.Type()&fs.ModeSymlink != 0, Folder: e.IsDir(), Untracked: !e.IsDir() && !t.tracked(path.Join(real, e.Name()))})
		}
		found[folder] = files
	}
	return found, nil
}

var errGone = errors.New("it is not there any more, or not part of the repository")

func orDot(folder string) string {
	if folder == "" {
		return "."
	}
	return folder
}

// Below implements Tree. Hidden folders are left out, of which no wildcard means any.
func (t Folder) Below(ctx context.Context, folder string) ([]File, error) {
	var files []File
	looked := 0
	if _, ok := t.enter(orDot(folder)); !ok {
		return nil, nil
	}
	err := fs.WalkDir(t.Root.FS(), orDot(folder), func(name string, e fs.DirEntry, err error) error {
		switch looked++; {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil:
			return err
		case looked > maxLooked:
			return TooMany()
		case e.IsDir() && name != orDot(folder) && (e.Name()[0] == '.' || t.Clone && t.another(name)):
			return fs.SkipDir
		case !e.IsDir() && t.tracked(name):
			files = append(files, File{Path: name, Link: e.Type()&fs.ModeSymlink != 0})
		}
		return nil
	})
	return files, err
}

// Read implements Tree.
func (t Folder) Read(ctx context.Context, files []*File) error {
	for _, f := range files {
		if err := ctx.Err(); err != nil {
			return err
		}
		if f.Untracked {
			f.Err = untracked()
			continue
		}
		f.Content, f.Err = t.File(f.Path)
		if f.Err != nil && f.Link {
			f.Err = LeadsNowhere()
		}
		if f.Err == nil {
			f.Hash = blobID(f.Content)
		}
	}
	return nil
}

// File reads one file as ReadFile does, unless a link leads to what is not part of
// the folder.
func (t Folder) File(name string) ([]byte, error) {
	// What is read is what was looked at: a link that stands behind another and a
	// .. may mean something else to the system.
	real, ok := t.real(name)
	if !ok {
		return nil, errGone
	}
	if real != name && !t.tracked(real) {
		return nil, untracked()
	}
	return ReadFile(t.Root, real)
}

func untracked() error {
	return Fail("run git add with it, if it is to be part of the repository", "git does not know this file, so that a commit would not hold it")
}

// ReadFile reads a file below a root, of at most source.MaxDocument bytes. It waits
// for no pipe. A file that does not exist is an fs.ErrNotExist.
func ReadFile(root *os.Root, name string) ([]byte, error) {
	f, err := root.OpenFile(filepath.FromSlash(name), os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, Bare(err)
	}
	defer f.Close()
	st, err := f.Stat()
	switch {
	case err != nil:
		return nil, Bare(err)
	case st.IsDir():
		return nil, Fail("name the files in it, for example "+name+"/*.yaml", "it is a folder")
	case !st.Mode().IsRegular():
		return nil, Fail("name a regular file", "it is not a regular file")
	case st.Size() > source.MaxDocument:
		return nil, TooLarge()
	}
	b, err := io.ReadAll(io.LimitReader(f, source.MaxDocument+1))
	if err != nil {
		return nil, Bare(err)
	}
	if len(b) > source.MaxDocument {
		return nil, TooLarge()
	}
	return b, nil
}

// Bare is an error without the path that os puts into it.
func Bare(err error) error {
	if pe, ok := errors.AsType[*os.PathError](err); ok {
		return pe.Err
	}
	return err
}

// blobID is git's id of a blob, in hex.
func blobID(b []byte) string {
	h := sha1.New()
	fmt.Fprintf(h, "blob %d\x00", len(b))
	h.Write(b)
	return hex.EncodeToString(h.Sum(nil))
}

// nothing is a Tree without files.
type nothing struct{}

func (nothing) List(context.Context, []string) (map[string][]File, error) { return nil, nil }
func (nothing) Below(context.Context, string) ([]File, error)             { return nil, nil }
func (nothing) Read(context.Context, []*File) error                       { return nil }
