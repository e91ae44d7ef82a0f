package gitdir

import (
	"context"
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"strings"

	"github.com/waypost-dev/waypost/server/source"
)

var _ source.Brancher = (*Source)(nil)

// Refresh reads the named clones and looks at no other; one that is named by
// its owner and name only is looked for.
func (s *Source) Refresh(ctx context.Context, scope source.Scope, known source.Known, out source.Out) error {
	out.Expect(len(scope.Repositories))
	done := map[string]bool{}
	for _, p := range scope.Repositories {
		if err := ctx.Err(); err != nil {
			return err
		}
		id := p.ID
		if id == "" {
			var err error
			if id, err = s.named(ctx, p.Name, out); err != nil {
				return fmt.Errorf("find %s in %s: %w", p.Name, s.path, err)
			}
		}
		if done[id] || id == "" {
			continue
		}
		done[id] = true
		if err := s.refresh(ctx, id, known, out); err != nil {
			return err
		}
	}
	return nil
}

// insideSource tells whether a clone of a source can have such a path.
func insideSource(id string) bool {
	return id != "" && id == path.Clean(id) && !path.IsAbs(id) && !strings.HasPrefix(id, "..") && strings.Count(id, "/") <= 1
}

func (s *Source) refresh(ctx context.Context, id string, known source.Known, out source.Out) error {
	if !insideSource(id) {
		return out.Gone(ctx, id) // no clone of this source has such a path
	}
	if s.o.WorkingTree {
		if id != "." {
			return out.Gone(ctx, id)
		}
		if err := s.harvestPlain(ctx, known, out); err != nil {
			return fmt.Errorf("read %s: %w", s.path, err)
		}
		return nil
	}
	c := clone{id: id, path: filepath.Join(s.path, filepath.FromSlash(id))}
	c.parent = filepath.Base(filepath.Dir(c.path))
	c.git, c.err = openClone(c.path)
	if !errors.Is(c.err, errNoRepository) {
		return s.harvest(ctx, c, known, out)
	}
	// Files without versions, a clone that is gone, or a folder that is not
	// mounted: the listing of everything can tell.
	found, err := s.discover(ctx, out)
	if err != nil {
		return fmt.Errorf("list repositories in %s: %w", s.path, err)
	}
	if len(found.clones) == 0 {
		if id == "." && found.files && found.incomplete == nil {
			return s.harvestPlain(ctx, known, out)
		}
		return fmt.Errorf("read %s: %w", s.path, errors.New("there are no repositories; what is known is kept"))
	}
	return out.Gone(ctx, id)
}

// named is the path of the clone whose owner and name are these.
func (s *Source) named(ctx context.Context, name string, out source.Out) (string, error) {
	found, err := s.discover(ctx, out)
	if err != nil {
		return "", err
	}
	for _, c := range found.clones {
		r := &reading{source: s, clone: c}
		if _, err := r.look(); err == nil && strings.EqualFold(r.repo.FullName(), name) {
			return c.id, nil
		}
	}
	if len(found.clones) == 0 && found.files {
		return ".", nil
	}
	return "", nil
}

// OnBranch returns the same clones read at another branch.
func (s *Source) OnBranch(branch string) (source.Refresher, error) {
	o := s.o
	o.Branch = branch
	return New(o)
}

// FullName is the owner and name of the clone at a path, as its remote says, or
// its folders; false if there is no clone.
func FullName(path string) (string, bool) {
	s, err := New(Options{Path: path})
	if err != nil {
		return "", false
	}
	g, err := openClone(s.path)
	if err != nil {
		return "", false
	}
	r := &reading{source: s, clone: clone{id: ".", path: s.path, parent: filepath.Base(filepath.Dir(s.path)), git: g}}
	if _, err := r.look(); err != nil {
		return "", false
	}
	return r.repo.FullName(), true
}
