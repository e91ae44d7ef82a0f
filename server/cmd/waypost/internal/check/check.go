// Package check validates catalog files where they lie: no database, no
// network. It decodes them exactly as a harvest does.
package check

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/descriptor"
	"github.com/waypost-dev/waypost/server/source"
)

// DefaultPatterns find the catalog files of a folder, at any depth.
var DefaultPatterns = []string{"**/catalog-info.yaml", "**/catalog-info.yml"}

// Options say what is checked.
type Options struct {
	// Patterns select files in a folder by their path below it, with * and **.
	Patterns []string
	// Complete says that what is checked holds every entity there is, so that a
	// relation to anything else is a problem.
	Complete bool
	// Schemas are those of custom kinds; nil if there are none.
	Schemas *catalog.Schemas
}

// Result is what was found.
type Result struct {
	Files    int
	Entities []catalog.Ref
	Problems []catalog.Problem // by path, line and column
}

// ErrNoFiles: nothing was there to check.
var ErrNoFiles = errors.New("no catalog files found")

// Run checks files, and the files in folders that match the patterns. Symbolic
// links in folders are not followed.
func Run(paths []string, o Options) (Result, error) {
	for _, p := range o.Patterns {
		if !doublestar.ValidatePattern(p) {
			return Result{}, fmt.Errorf("pattern %q is malformed", p)
		}
	}
	c := checker{claims: map[string]claim{}, schemas: o.Schemas}
	for _, p := range paths {
		info, err := os.Stat(p)
		if err != nil {
			return Result{}, fmt.Errorf("check %s: %w", p, err)
		}
		if !info.IsDir() {
			c.file(p)
			continue
		}
		if err := c.folder(p, o.Patterns); err != nil {
			return Result{}, fmt.Errorf("check %s: %w", p, err)
		}
	}
	if c.Files == 0 {
		return Result{}, fmt.Errorf("%w in %s", ErrNoFiles, strings.Join(paths, ", "))
	}
	if o.Complete {
		c.dangling()
	}
	slices.SortStableFunc(c.Problems, func(a, b catalog.Problem) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return c.Result, nil
}

type claim struct {
	path string
	line int
}

type checker struct {
	Result
	claims    map[string]claim // by key of the ref
	relations []relation
	schemas   *catalog.Schemas
}

type relation struct {
	catalog.Relation
	from catalog.Ref
	path string
}

func (c *checker) folder(dir string, patterns []string) error {
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			if path == dir {
				return err
			}
			c.unreadable(path, err)
			return nil
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
		if d.Type().IsRegular() && slices.ContainsFunc(patterns, func(p string) bool {
			return doublestar.MatchUnvalidated(p, filepath.ToSlash(rel))
		}) {
			c.file(path)
		}
		return nil
	})
}

func (c *checker) file(path string) {
	c.Files++
	shown := display(path)
	content, err := read(path)
	if err != nil {
		c.unreadable(path, err)
		return
	}
	if len(content) > source.MaxDocument {
		c.Problems = append(c.Problems, catalog.Problem{
			Code: catalog.CodeTooLarge, Severity: catalog.SeverityError, Path: shown,
			Message: fmt.Sprintf("the file is larger than %d MiB", source.MaxDocument>>20), Hint: "split it into several files",
		})
		return
	}
	decoded := descriptor.Decode(descriptor.File{Path: shown, Content: content, Schemas: c.schemas})
	c.Problems = append(c.Problems, decoded.Problems...)
	for _, e := range decoded.Entities {
		key := e.Ref.Key()
		if first, ok := c.claims[key]; ok {
			if first.path != shown { // within one file the decoder tells
				c.Problems = append(c.Problems, catalog.Problem{
					Code: catalog.CodeConflict, Severity: catalog.SeverityError, Path: shown, Line: e.Origin.Line, Entity: key,
					Message: fmt.Sprintf("%s is declared in %s:%d already", key, first.path, first.line),
					Hint:    "rename one of the two, or remove it",
				})
			}
			continue
		}
		c.claims[key] = claim{shown, e.Origin.Line}
		c.Entities = append(c.Entities, e.Ref)
		for _, r := range e.Relations {
			c.relations = append(c.relations, relation{r, e.Ref, shown})
		}
	}
}

// read reads a file, and one byte beyond the bound at most.
func read(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, source.MaxDocument+1))
}

func (c *checker) unreadable(path string, err error) {
	var pathError *fs.PathError
	if errors.As(err, &pathError) {
		err = pathError.Err
	}
	c.Problems = append(c.Problems, catalog.Problem{
		Code: catalog.CodeUnreadable, Severity: catalog.SeverityError, Path: display(path),
		Message: "cannot be read: " + err.Error(),
	})
}

func (c *checker) dangling() {
	for _, r := range c.relations {
		if _, ok := c.claims[r.Target.Key()]; ok {
			continue
		}
		c.Problems = append(c.Problems, catalog.Problem{
			Code: catalog.CodeDangling, Severity: catalog.SeverityWarning, Path: r.path, Line: r.Line, Column: r.Column,
			Entity: r.from.Key(), Field: r.Field,
			Message: fmt.Sprintf("%s does not exist", r.Target.Key()),
			Hint:    "correct the reference, or declare the entity",
		})
	}
}

// display is a path as it is shown: with slashes, and relative to the working
// directory if it lies below, because that is how code hosts name files.
func display(path string) string {
	if filepath.IsAbs(path) {
		if wd, err := os.Getwd(); err == nil {
			if rel, err := filepath.Rel(wd, path); err == nil && filepath.IsLocal(rel) {
				path = rel
			}
		}
	}
	return filepath.ToSlash(filepath.Clean(path))
}
