package check

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/waypost-dev/waypost/server/source"
)

// File is a catalog file as it lies there.
type File struct {
	Path    string // with slashes, below the folder that was named
	Content []byte
}

// Files reads the files in a folder that match the patterns, in order. Symbolic
// links are not followed.
func Files(dir string, patterns []string) ([]File, error) {
	for _, p := range patterns {
		if !doublestar.ValidatePattern(p) {
			return nil, fmt.Errorf("pattern %q is malformed", p)
		}
	}
	var out []File
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if d.Name() == ".git" {
				return fs.SkipDir
			}
			return nil
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		if !d.Type().IsRegular() || !slices.ContainsFunc(patterns, func(p string) bool { return doublestar.MatchUnvalidated(p, rel) }) {
			return nil
		}
		content, err := read(path)
		if err != nil {
			return err
		}
		if len(content) > source.MaxDocument {
			return fmt.Errorf("%s is larger than %d MiB; split it into several files", rel, source.MaxDocument>>20)
		}
		out = append(out, File{rel, content})
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", dir, err)
	}
	return out, nil
}

// ReadFile reads one file, named as it was given.
func ReadFile(path string) (File, error) {
	content, err := read(path)
	if err != nil {
		return File{}, fmt.Errorf("read %s: %w", path, err)
	}
	if info, err := os.Stat(path); err == nil && info.Size() > source.MaxDocument {
		return File{}, fmt.Errorf("%s is larger than %d MiB; split it into several files", path, source.MaxDocument>>20)
	}
	return File{display(path), content}, nil
}
