// Package check reads and validates catalog files where they lie, with all that
// they lead to: no database, and no network but the hosts that are allowed. They
// are read and decoded exactly as a harvest does it once they are committed.
package check

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/descriptor"
	"github.com/waypost-dev/waypost/server/harvest"
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
	Reading
}

// Result is what was found.
type Result struct {
	Files    int
	Entities []catalog.Ref
	Problems []catalog.Problem // by path, line and column
}

// ErrNoFiles: nothing was there to check.
var ErrNoFiles = errors.New("no catalog files found")

// Run checks files, and the files in folders that match the patterns, with all to
// which their Locations and placeholders lead in the same repository.
func Run(ctx context.Context, paths []string, o Options) (Result, error) {
	c := checker{claims: map[string]claim{}, seen: map[string]bool{}, schemas: o.Schemas}
	places, err := places(paths, o.Patterns)
	if err != nil {
		return Result{}, fmt.Errorf("check: %w", err)
	}
	for _, p := range places {
		repo, err := o.Read(ctx, p.root, p.patterns)
		if err != nil {
			return Result{}, fmt.Errorf("check %s: %w", p.root, err)
		}
		c.repository(p, repo)
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
	seen      map[string]bool  // files, as shown
	relations []relation
	schemas   *catalog.Schemas
}

type relation struct {
	catalog.Relation
	from catalog.Ref
	path string
}

// repository checks what was read.
func (c *checker) repository(p *place, repo source.Repository) {
	foreign := map[string]bool{"": true}
	for _, d := range repo.Documents {
		foreign[d.Path] = d.Location != ""
	}
	shown := func(path string) string {
		if foreign[path] {
			return path
		}
		return display(filepath.Join(p.root, filepath.FromSlash(path)))
	}
	for _, q := range repo.Problems {
		c.tell(q, shown(q.Path))
	}
	read := map[string]bool{}
	for _, d := range repo.Documents {
		read[d.Path] = true
		at := shown(d.Path)
		if c.seen[at] {
			continue
		}
		c.seen[at] = true
		c.Files++
		if d.Problem != nil {
			c.tell(*d.Problem, at)
			continue
		}
		c.document(d, at)
	}
	for _, path := range p.files {
		if !read[path] {
			c.Files++
			c.tell(catalog.Problem{
				Code: catalog.CodeUnreadable, Severity: catalog.SeverityError, Message: "it is not read: it lies in no folder of the repository",
				Hint: "name the file by a path without .git, links to folders, and more than 32 folders within each other",
			}, shown(path))
		}
	}
}

// tell takes a problem in, at a path as it is shown.
func (c *checker) tell(p catalog.Problem, path string) {
	p.Source, p.Repository, p.Path = "", "", path
	c.Problems = append(c.Problems, p)
}

func (c *checker) document(d source.Document, shown string) {
	file := harvest.FileOf("", source.Repository{}, d)
	decoded := descriptor.Decode(descriptor.File{Path: d.Path, Content: d.Content, Schemas: c.schemas, Include: file.Include})
	for _, p := range decoded.Problems {
		c.tell(p, shown)
	}
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
