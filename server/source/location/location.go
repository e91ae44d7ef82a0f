// Package location harvests one configured location, as Backstage's
// configuration has them: file:PATH, where PATH may be a glob, or url:ADDRESS.
// It follows entities of kind Location from file to file.
//
// A location is reported as one repository, and its ID is the location's ref.
//
//   - Of a file: location, the repository stands for the folder of the target
//     (of a glob: the folder before its first wildcard), and documents are
//     keyed by their path below it. Nothing outside of that folder is read, by
//     .. or by symbolic link.
//   - Of a url: location, documents are keyed by host and path, such as
//     example.com/catalog/all.yaml. If the target is a file on GitHub
//     (https://github.com/o/r/blob/main/all.yaml), then the repository stands
//     for o/r, and documents on the same branch are keyed by their path in it.
//
// A target that cannot be read is a problem at the line that names it. What
// was known of it, and of all that was reached through it, stays: only a local
// file that does not exist is believed to be gone.
package location

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/source"
	"github.com/waypost-dev/waypost/server/source/reach"
)

// Options configure a Source.
type Options struct {
	// Target is type:target: file:PATH or url:https://HOST/PATH.
	Target string
	// Name is the source's name. If empty it is the location's ref.
	Name string
	// ReadAllow, Cache and Timeout are those of reach.WebOptions.
	ReadAllow []string
	Cache     reach.Cache
	Timeout   time.Duration
	// MaxDepth is how many Locations may lead from one to the next; 10 if zero.
	MaxDepth int
	// MaxDocuments of the location; 50,000 if zero.
	MaxDocuments int
}

// maxContents bounds the bytes of all documents of a location.
const maxContents = 256 << 20

// Source is one configured location. It is safe for concurrent use.
type Source struct {
	o       Options
	ref     string
	kind    string // file or url
	dir     string // of a file: location, absolute
	pattern string // below dir, with slashes; may be a glob
	page    *url.URL
	web     *reach.Web
}

var _ source.Source = (*Source)(nil)

// New checks the options. The type of a target ends at its first colon.
func New(o Options) (*Source, error) {
	if o.MaxDepth == 0 {
		o.MaxDepth = 10
	}
	if o.MaxDocuments == 0 {
		o.MaxDocuments = 50_000
	}
	kind, target, ok := strings.Cut(o.Target, ":")
	if !ok || target == "" || strings.ContainsRune(target, 0) {
		return nil, fmt.Errorf("location %q is not TYPE:TARGET; write file:PATH or url:https://HOST/PATH", o.Target)
	}
	w, err := reach.NewWeb(reach.WebOptions{Allow: o.ReadAllow, Cache: o.Cache, Timeout: o.Timeout})
	if err != nil {
		return nil, err
	}
	s := &Source{o: o, kind: kind, web: w}
	switch kind {
	case "file":
		err = s.openFile(target)
	case "url":
		s.page, err = reach.ParseURL(target)
		if err == nil {
			s.ref = "url:" + s.page.String()
		}
	default:
		err = fmt.Errorf("its type %q is not known; write file: or url:", kind)
	}
	if err != nil {
		return nil, fmt.Errorf("location %q: %w", redacted(o.Target), err)
	}
	if s.o.Name == "" {
		s.o.Name = s.ref
	}
	return s, nil
}

func (s *Source) openFile(target string) error {
	abs, err := filepath.Abs(target)
	if err != nil {
		return err
	}
	abs = filepath.ToSlash(abs)
	s.ref = "file:" + abs
	if !doublestar.ValidatePattern(abs) {
		return errors.New("the path is no valid glob; write \\ before *, ?, [ and { that are meant as they are")
	}
	base, pattern := doublestar.SplitPattern(abs)
	s.dir, s.pattern = filepath.FromSlash(base), pattern
	return nil
}

// redacted leaves out of a target what may be a password.
func redacted(target string) string {
	if at := strings.LastIndexByte(target, '@'); at >= 0 {
		if start := strings.Index(target, "://"); start >= 0 && start < at {
			return target[:start+3] + "***" + target[at:]
		}
	}
	return target
}

// Name is the source's name.
func (s *Source) Name() string { return s.o.Name }

// IsFile tells whether the location is a file of this machine.
func (s *Source) IsFile() bool { return s.kind == "file" }

// Check tells whether the location's host is one that may be read. The error is a
// *reach.Failure. It makes no request.
func (s *Source) Check() error {
	if s.page == nil {
		return nil
	}
	return s.web.Check(reach.Address(s.page))
}

// Harvest reads the location and all that it leads to.
func (s *Source) Harvest(ctx context.Context, known source.Known, out source.Out) error {
	out.Expect(1)
	before, isKnown := known.Repository(s.ref)
	r := &run{source: s, known: before, seen: map[string]*node{}}
	r.describe()
	err := r.read(ctx)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		p := r.problem(nil, err)
		if err := out.Keep(ctx, s.ref, p); err != nil {
			return err
		}
		return out.Complete(ctx)
	}
	repo := r.report()
	if isKnown && before.State == repo.State {
		err = out.Unchanged(ctx, s.ref)
	} else {
		err = out.Repository(ctx, repo)
	}
	if err != nil {
		return err
	}
	return out.Complete(ctx)
}

// describe names the repository that stands for the location.
func (r *run) describe() {
	s := r.source
	r.repo = source.Repository{ID: s.ref}
	if s.kind == "file" {
		dir := filepath.ToSlash(s.dir)
		r.repo.Owner, r.repo.Name = strings.TrimSuffix(path.Dir(dir), "/"), path.Base(dir)
		return
	}
	if g, ok := reach.OnGitHub(s.page); ok {
		r.github = g
		r.repo.Owner, r.repo.Name, r.repo.Branch = g.Owner, g.Name, g.Branch
		r.repo.URL = "https://github.com/" + g.Owner + "/" + g.Name
		return
	}
	r.repo.Owner = s.page.Host
	r.repo.Name = strings.Trim(path.Dir(s.page.Path), "/.")
	if r.repo.Name == "" {
		r.repo.Name = path.Base(s.page.Path)
	}
	if r.repo.Name == "/" || r.repo.Name == "." {
		r.repo.Name = s.page.Host
	}
}

// problem makes an error a Problem at the target that named it, or at the
// location as a whole.
func (r *run) problem(at *target, err error) catalog.Problem {
	p := catalog.Problem{
		Code: catalog.CodeUnreadable, Severity: catalog.SeverityError, Source: r.source.o.Name, Repository: r.repo.FullName(),
		Message: err.Error(),
	}
	var f *reach.Failure
	if errors.As(err, &f) {
		p.Hint = f.Hint
		if f.Code != "" {
			p.Code = f.Code
		}
	}
	if errors.Is(err, os.ErrNotExist) && p.Hint == "" {
		p.Hint = "write the path relative to the file that names it, or remove the target"
	}
	if at != nil && at.from != nil {
		p.Path, p.Line, p.Column, p.Field, p.Entity = at.from.key, at.Line, at.Column, at.Field, at.Entity
		p.Message = fmt.Sprintf("target %.200q: %s", at.Text, p.Message)
	} else {
		p.Message = fmt.Sprintf("location %.200q: %s", r.source.ref, p.Message)
	}
	return p
}
