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
	"syscall"

	"github.com/waypost-dev/waypost/server/source"
)

// maxLooked bounds the files that are looked at below a folder.
const maxLooked = 100_000

// Folder is a Tree of files without versions. Links are followed within it.
type Folder struct{ Root *os.Root }

// List implements Tree.
func (t Folder) List(ctx context.Context, folders []string) (map[string][]File, error) {
	found := make(map[string][]File, len(folders))
	for _, folder := range folders {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		entries, err := fs.ReadDir(t.Root.FS(), orDot(folder))
		if err != nil {
			continue // it is not there, or it is no folder
		}
		files := make([]File, 0, len(entries))
		for _, e := range entries {
			files = append(files, File{Path: path.Join(folder, e.Name()), Link: e.Type()&fs.ModeSymlink != 0, Folder: e.IsDir()})
		}
		found[folder] = files
	}
	return found, nil
}

func orDot(folder string) string {
	if folder == "" {
		return "."
	}
	return folder
}

// Below implements Tree. Hidden folders are left out.
func (t Folder) Below(ctx context.Context, folder string) ([]File, error) {
	var files []File
	looked := 0
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
		case e.IsDir() && e.Name()[0] == '.' && name != orDot(folder):
			return fs.SkipDir
		case !e.IsDir():
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
		f.Content, f.Err = ReadFile(t.Root, f.Path)
		if f.Err != nil && f.Link {
			f.Err = LeadsNowhere()
		}
		if f.Err == nil {
			f.Hash = blobID(f.Content)
		}
	}
	return nil
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
