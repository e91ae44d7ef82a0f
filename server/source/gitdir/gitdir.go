// Package gitdir harvests a directory of git clones, bare or not, without a
// network and without git: it reads HEAD, refs and objects itself, and runs
// nothing that a repository brings along, neither hooks nor filters nor what a
// configuration names.
//
// The path may be one clone, or hold clones at depth one (name) or two
// (owner/name). What is read is the commit at HEAD, or of the configured
// branch; the working tree does not matter, so that a clone gives the same as
// the repository on its forge. Owner, name and web address come from the URL
// of the remote called origin, and where that names no host, from the folders.
// What git does not hold (description, topics, visibility, teams) stays empty.
//
// A path that holds no repository at all, but files, is one repository without
// versions: see plain.go. So is the working tree of a clone, if the options say
// to read that.
//
// An unchanged clone costs three small reads (HEAD, its ref and config) and
// opens no object.
package gitdir

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/bmatcuk/doublestar/v4"
	"golang.org/x/sync/errgroup"

	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/source"
	"github.com/waypost-dev/waypost/server/source/reach"
)

// Options configure a Source.
type Options struct {
	// Path is the folder. It must be set; relative paths are made absolute.
	Path string
	// Name is the source's name. If empty it is dir: and the absolute path.
	Name string
	// Owner is used for clones whose remote names no forge. If empty, it is
	// the name of the folder in which the clone lies.
	Owner string
	// Branch is read in place of HEAD: the local branch, or else origin's. A
	// repository without that branch is reported as empty.
	Branch string
	// Patterns are doublestar globs of catalog files, against paths with
	// slashes from the root. If empty they are DefaultPatterns.
	Patterns []string
	// Include keeps only repositories whose name or owner/name matches one of
	// these globs; Exclude leaves out those which match one of its globs.
	Include, Exclude []string
	// ReadAllow are the hosts to which Locations and placeholders may lead, and
	// Cache keeps what they answered; see reach.WebOptions. The clones' own forge
	// is none of them by itself.
	ReadAllow []string
	Cache     reach.Cache
	// WorkingTree reads the files that lie at Path, clone or not, as if they were
	// committed: what a harvest would read once they are. Path is one repository
	// then, its ID is ".", and Branch is not read but is the one that addresses of
	// its own web pages name; if empty that which origin/HEAD names, or else HEAD.
	// See plain.go.
	WorkingTree bool
}

// DefaultPatterns are the catalog files looked for in a repository.
var DefaultPatterns = []string{"catalog-info.yaml"}

// maxRepositories below one path.
const maxRepositories = 200_000

// formatVersion is part of every State: raise it when the same commit would be
// reported differently.
const formatVersion = "2"

// Source is a directory of git clones. It is safe for concurrent use.
type Source struct {
	o        Options
	path     string
	patterns *patterns // of repositories
	web      *reach.Web
	options  string // all that changes what a commit is reported as
}

var _ source.Source = (*Source)(nil)

// New checks the options. Whether the path exists is seen at each harvest.
func New(o Options) (*Source, error) {
	if o.Path == "" {
		return nil, errors.New("a directory source needs a path")
	}
	abs, err := filepath.Abs(o.Path)
	if err != nil {
		return nil, fmt.Errorf("directory %s: %w", o.Path, err)
	}
	if o.Name == "" {
		o.Name = "dir:" + filepath.ToSlash(abs)
	}
	if o.Branch != "" && !validRef("refs/heads/"+o.Branch) {
		return nil, fmt.Errorf("branch %q is no name of a branch", o.Branch)
	}
	for _, glob := range slices.Concat(o.Include, o.Exclude) {
		if !doublestar.ValidatePattern(glob) {
			return nil, fmt.Errorf("repository pattern %q is no valid glob", glob)
		}
	}
	globs := o.Patterns
	if len(globs) == 0 {
		globs = DefaultPatterns
	}
	p, err := newPatterns(globs)
	if err != nil {
		return nil, err
	}
	web, err := reach.NewWeb(reach.WebOptions{Allow: o.ReadAllow, Cache: o.Cache})
	if err != nil {
		return nil, err
	}
	s := &Source{o: o, path: abs, patterns: p, web: web}
	s.options = strings.Join([]string{formatVersion, o.Owner, strings.Join(p.globs, "\n"), strings.Join(o.ReadAllow, "\n")}, "\x00")
	return s, nil
}

// Name is the source's name.
func (s *Source) Name() string { return s.o.Name }

// Harvest reports every repository below the path.
func (s *Source) Harvest(ctx context.Context, known source.Known, out source.Out) error {
	if s.o.WorkingTree {
		if err := s.harvestPlain(ctx, known, out); err != nil {
			return fmt.Errorf("read %s: %w", s.path, err)
		}
		return out.Complete(ctx)
	}
	found, err := s.discover(ctx, out)
	if err != nil {
		return fmt.Errorf("list repositories in %s: %w", s.path, err)
	}
	out.Expect(len(found.clones))
	if len(found.clones) == 0 && found.files && found.incomplete == nil {
		if err := s.harvestPlain(ctx, known, out); err != nil {
			return fmt.Errorf("read %s: %w", s.path, err)
		}
		return out.Complete(ctx)
	}
	group, ctx2 := errgroup.WithContext(ctx)
	var next atomic.Int64
	for range max(1, min(runtime.GOMAXPROCS(0), len(found.clones))) {
		group.Go(func() error {
			for {
				i := int(next.Add(1)) - 1
				if i >= len(found.clones) {
					return nil
				}
				if err := ctx2.Err(); err != nil {
					return err
				}
				if err := s.harvest(ctx2, found.clones[i], known, out); err != nil {
					return err
				}
			}
		})
	}
	if err := group.Wait(); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return err
	}
	if found.incomplete != nil {
		return fmt.Errorf("list repositories in %s: %w", s.path, found.incomplete)
	}
	return out.Complete(ctx)
}

// clone is a repository found.
type clone struct {
	id     string // path below the source, with slashes; "." for the source itself
	path   string
	parent string // name of the folder in which it lies
	git    gitDir
	err    error // it is a repository, but cannot be opened
}

// found is what discovery saw.
type found struct {
	clones     []clone
	files      bool  // there is anything else
	incomplete error // a folder could not be looked into
}

// discover lists the clones below the path. Links to folders are not followed:
// that would find a repository twice, or one that is somewhere else.
func (s *Source) discover(ctx context.Context, out source.Out) (found, error) {
	var f found
	if g, err := openClone(s.path); err == nil {
		f.clones = []clone{{id: ".", path: s.path, parent: filepath.Base(filepath.Dir(s.path)), git: g}}
		return f, nil
	} else if !errors.Is(err, errNoRepository) {
		return f, err
	}
	entries, err := os.ReadDir(s.path)
	if err != nil {
		return f, err
	}
	for _, e := range entries {
		if err := ctx.Err(); err != nil {
			return f, err
		}
		if !e.IsDir() {
			s.noteLink(e, e.Name(), &f, out)
			continue
		}
		f.files = true
		isClone, err := s.probe(e.Name(), filepath.Base(s.path), &f)
		if err != nil {
			return f, err
		}
		if isClone || e.Name()[0] == '.' {
			continue
		}
		below, err := os.ReadDir(filepath.Join(s.path, e.Name()))
		if err != nil {
			f.incomplete = fmt.Errorf("look into %s: %w", e.Name(), err)
			out.Problem(s.problem(catalog.CodeUnreadable, e.Name(), "the folder cannot be listed: "+reason(err),
				"let the user that runs Waypost read it; until then nothing of this source is removed"))
			continue
		}
		for _, b := range below {
			name := e.Name() + "/" + b.Name()
			if !b.IsDir() {
				s.noteLink(b, name, &f, out)
			} else if _, err := s.probe(name, e.Name(), &f); err != nil {
				return f, err
			}
		}
	}
	return f, nil
}

// probe adds the folder if it is a clone.
func (s *Source) probe(id, parent string, f *found) (bool, error) {
	path := filepath.Join(s.path, filepath.FromSlash(id))
	g, err := openClone(path)
	if errors.Is(err, errNoRepository) {
		return false, nil
	}
	if errors.Is(err, os.ErrPermission) {
		if _, lerr := os.ReadDir(path); lerr != nil {
			return false, nil //nolint:nilerr // the caller cannot look into it either, and says so
		}
	}
	if len(f.clones) == maxRepositories {
		return false, fmt.Errorf("more than %d repositories; configure several sources", maxRepositories)
	}
	f.clones = append(f.clones, clone{id: id, path: path, parent: parent, git: g, err: err})
	return true, nil
}

func (s *Source) noteLink(e os.DirEntry, name string, f *found, out source.Out) {
	f.files = true
	if e.Type()&os.ModeSymlink == 0 {
		return
	}
	if st, err := os.Stat(filepath.Join(s.path, filepath.FromSlash(name))); err == nil && st.IsDir() {
		out.Problem(s.problem(catalog.CodeUnreadable, name, "the folder is a symbolic link and is not followed",
			"give the link's target to a source of its own"))
	}
}

// wanted applies the repository filters.
func (s *Source) wanted(owner, name string) bool {
	match := func(globs []string) bool {
		for _, g := range globs {
			if doublestar.MatchUnvalidated(g, name) || doublestar.MatchUnvalidated(g, owner+"/"+name) {
				return true
			}
		}
		return false
	}
	return (len(s.o.Include) == 0 || match(s.o.Include)) && !match(s.o.Exclude)
}

func (s *Source) problem(code catalog.Code, path, message, hint string) catalog.Problem {
	return catalog.Problem{Code: code, Severity: catalog.SeverityError, Source: s.o.Name, Path: path, Message: message, Hint: hint}
}

// reason is an error without the path that os puts into it.
func reason(err error) string {
	if pe, ok := errors.AsType[*os.PathError](err); ok {
		return pe.Err.Error()
	}
	return err.Error()
}
