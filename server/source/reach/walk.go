package reach

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/bmatcuk/doublestar/v4"
	"golang.org/x/sync/errgroup"

	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/source"
)

// File is a file of a repository, read or not.
type File struct {
	Path   string // from the root
	Hash   string // git's blob id, in hex; of a link that of the link itself until it was read
	Size   int64  // in bytes; 0 if unknown
	Link   bool   // a symbolic link
	Folder bool

	// Untracked says that git does not know it: no wildcard means it.
	Untracked bool

	// Content and Err are set by Tree.Read.
	Content []byte
	Err     error
}

// Tree is the files of a repository at one commit. An error ends the walk; trouble
// with a single file is its Err.
type Tree interface {
	// List lists folders by their paths, "" for the root. One that is not there is
	// not in the answer. What the answer holds is not changed afterwards.
	List(ctx context.Context, folders []string) (map[string][]File, error)
	// Below lists the files, and no folders, below a folder at any depth.
	Below(ctx context.Context, folder string) ([]File, error)
	// Read reads files. It follows links within the repository and sets Hash to that
	// of what they lead to. An Err that is no *Failure may be gone the next time.
	Read(ctx context.Context, files []*File) error
}

// Walk is what a repository's catalog files lead to. Its zero values are defaults.
type Walk struct {
	Source       string            // for problems
	Repository   source.Repository // its names, URL, Branch and Commit
	Known        map[string]string // hashes of documents by path, as last reported
	Tree         Tree
	Web          *Web // nil if no host is allowed
	Tolerant     bool // a Location on a host that is not allowed is a warning: who harvests may allow it
	MaxDepth     int  // of Locations that lead to Locations; 10 if zero
	MaxDocuments int  // 10,000 if zero
	MaxBytes     int  // of all that is reached; 64 MiB if zero
}

// Reached is the outcome of a Walk.
type Reached struct {
	Documents []source.Document // those that it began with, and those that they lead to
	Problems  []catalog.Problem
	Foreign   bool // files of other hosts are among them, or should be
	Failed    bool // a file of the repository could not be read that may be read the next time
}

// Known tells whether a document with the blob id hash may be left unread, given
// the hash under which it was last reported: then it leads nowhere.
func Known(before, hash string) bool { return hash != "" && before == hash }

// Elsewhere tells by the hash under which a document was reported whether it stands
// on another host.
func Elsewhere(hash string) bool { return strings.Contains(hash, "@") }

// Needed tells whether the documents that patterns found may lead anywhere, or may
// have led to something that is known, so that Do has to find out.
func (w Walk) Needed(documents []source.Document) bool {
	broken := false
	for _, d := range documents {
		if Leads(d.Content) {
			return true
		}
		broken = broken || d.Problem != nil
	}
	return broken && len(w.Known) > 0
}

// Foreign is in the State of a repository that leads to files of other hosts,
// which have to be asked for again; what precedes it is the state of all the rest.
const Foreign = " @"

// State is the State under which a repository is reported.
func (r Reached) State(own string) string {
	if !r.Foreign {
		return own
	}
	return own + Foreign + digestOf(r)
}

// node is one document on the walk.
type node struct {
	source.Document
	page   *url.URL // nil for a file of the repository
	hashes []string // blob ids of Includes
	parent *node
	depth  int
	at     Target // that led here first
	file   *File
	blob   string
	unread bool // it is as it is known to be, and leads nowhere
}

type walk struct {
	Walk
	out      Reached
	seen     map[string]*node
	order    []*node
	folders  map[string][]File
	listed   int
	included map[string]*content
	bytes    int
	full     bool // a bound was reached, and told
	failed   bool // what was known and not met may still be there
	retained bool
}

// maxFolders bounds the folders of one repository that are looked into, and the
// times that all of it is.
const (
	maxFolders = 1000
	maxBelow   = 10
)

// Do walks. The documents to begin with are those that patterns found: read,
// unless they are Known or have a Problem. Its error is one of the Tree's, or ctx's.
func (w Walk) Do(ctx context.Context, documents []source.Document) (Reached, error) {
	r := w.begin()
	var level []*node
	for _, d := range documents {
		n := &node{Document: d, blob: d.Hash, unread: d.Content == nil && d.Problem == nil}
		level = append(level, r.add(n))
		r.failed = r.failed || d.Problem != nil
	}
	for {
		for len(level) > 0 {
			next, err := r.next(ctx, level)
			if err != nil {
				return Reached{}, err
			}
			level = next
		}
		var err error
		if level, err = r.retain(ctx); err != nil {
			return Reached{}, err
		}
		if len(level) == 0 {
			break
		}
	}
	if err := r.include(ctx); err != nil {
		return Reached{}, err
	}
	return r.report(), nil
}

// Include reads what the placeholders of documents name, and follows no Location:
// for sources that do so themselves. pages are the addresses of those from the web,
// by path. A nil Tree has no files.
func (w Walk) Include(ctx context.Context, documents []source.Document, pages map[string]*url.URL) (Reached, error) {
	r := w.begin()
	for _, d := range documents {
		r.add(&node{Document: d, blob: d.Hash, page: pages[d.Path], unread: d.Content == nil})
	}
	if err := r.include(ctx); err != nil {
		return Reached{}, err
	}
	return r.report(), nil
}

func (w Walk) begin() *walk {
	if w.MaxDepth == 0 {
		w.MaxDepth = 10
	}
	if w.MaxDocuments == 0 {
		w.MaxDocuments = 10_000
	}
	if w.MaxBytes == 0 {
		w.MaxBytes = 64 << 20
	}
	if w.Tree == nil {
		w.Tree = nothing{}
	}
	return &walk{Walk: w, seen: map[string]*node{}, folders: map[string][]File{}, included: map[string]*content{}}
}

func (r *walk) add(n *node) *node {
	r.seen[n.Path] = n
	r.order = append(r.order, n)
	return n
}

// step is a target on its way to be read.
type step struct {
	Target
	from *node
	place
}

// next are the documents to which those of a level lead, read.
func (r *walk) next(ctx context.Context, level []*node) ([]*node, error) {
	var steps []step
	var folders []string
	for _, n := range level {
		for _, t := range Targets(n.Content) {
			p, err := r.target(n, t)
			if err != nil {
				r.broken(step{Target: t, from: n}, err)
				continue
			}
			steps = append(steps, step{t, n, p})
			if p.page == nil && p.glob == "" {
				folders = append(folders, folderOf(p.path))
			} else if p.glob != "" && !p.deep() {
				folders = append(folders, p.path)
			}
		}
	}
	if err := r.list(ctx, folders); err != nil {
		return nil, err
	}
	var found []*node
	for _, s := range steps {
		nodes, err := r.find(ctx, s)
		var f *Failure
		if err != nil && !errors.As(err, &f) {
			return nil, err
		}
		if err != nil && !(f.Missing && s.Optional) {
			r.broken(s, err)
		}
		found = append(found, nodes...)
	}
	return found, r.read(ctx, found)
}

// target says where a target leads.
func (r *walk) target(n *node, t Target) (place, error) {
	if n.depth+1 > r.MaxDepth {
		return place{}, Fail("let the first Location name the file itself", "Locations lead from one to the next more than %d times", r.MaxDepth)
	}
	switch t.Kind {
	case "", "url":
	case "file":
		t.Text = strings.TrimPrefix(t.Text, "file:")
	default:
		return place{}, Fail("set spec.type to file or url", "the type %.40q of the Location is not known", t.Kind)
	}
	return r.resolve(n.Path, n.page, t.Text, true)
}

// find makes documents of what a target leads to, unless they were met before.
func (r *walk) find(ctx context.Context, s step) ([]*node, error) {
	switch {
	case s.page != nil:
		if err := r.allowed(s.page); err != nil {
			return nil, err
		}
		r.out.Foreign = true
		return r.meet(s, &node{Document: source.Document{Path: Key(s.page), Location: "url:" + s.page.String()}, page: s.page})
	case s.glob == "":
		f, err := r.file(s.path)
		if err != nil {
			return nil, err
		}
		return r.meet(s, &node{Document: source.Document{Path: f.Path}, file: &f})
	}
	files := r.folders[s.path]
	if s.deep() {
		if r.listed += maxFolders / maxBelow; r.listed > maxFolders {
			return nil, tooMany()
		}
		var err error
		if files, err = r.Tree.Below(ctx, s.path); err != nil {
			return nil, err
		}
	}
	var nodes []*node
	for _, f := range files {
		rest := f.Path
		if s.path != "" {
			rest = strings.TrimPrefix(f.Path, s.path+"/")
		}
		if f.Folder || f.Untracked || strings.HasPrefix(rest, ".") || strings.Contains(rest, "/.") || !utf8.ValidString(f.Path) ||
			path.Clean(f.Path) != f.Path || !doublestar.MatchUnvalidated(s.glob, rest) {
			continue
		}
		if r.seen[f.Path] != nil { // such as the Location itself
			continue
		}
		more, err := r.meet(s, &node{Document: source.Document{Path: f.Path}, file: &f})
		nodes = append(nodes, more...)
		if err != nil {
			return nodes, err
		}
	}
	return nodes, nil
}

// meet takes a document in, unless it was met before or is one too many. One
// that leads back to itself is told.
func (r *walk) meet(s step, n *node) ([]*node, error) {
	n.parent, n.depth, n.at = s.from, s.from.depth+1, s.Target
	if old := r.seen[n.Path]; old != nil {
		if (old.page == nil) != (n.page == nil) {
			return nil, Fail("rename the file or its folder", "the file %s of the repository has the same name", n.Path)
		}
		for up := n.parent; up != nil; up = up.parent {
			if up == old {
				return nil, Fail("remove the target", "it leads back to %s, in a circle", old.Path)
			}
		}
		return nil, nil
	}
	if len(r.order) >= r.MaxDocuments {
		if r.full {
			return nil, nil
		}
		r.full = true
		return nil, &Failure{Code: catalog.CodeTooLarge, Message: fmt.Sprintf("the repository has more than %d documents", r.MaxDocuments), Hint: "name fewer files"}
	}
	return []*node{r.add(n)}, nil
}

// read reads documents.
func (r *walk) read(ctx context.Context, nodes []*node) error {
	var files []*File
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(Parallel)
	errs := make([]error, len(nodes))
	for i, n := range nodes {
		switch {
		case n.page != nil:
			group.Go(func() error {
				n.Content, errs[i] = r.Web.Get(groupCtx, n.page)
				return nil
			})
		case !n.file.Link && Known(r.Known[n.Path], n.file.Hash):
			n.Hash, n.blob, n.unread = n.file.Hash, n.file.Hash, true
		case n.file.Size > source.MaxDocument:
			errs[i] = TooLarge()
		default:
			files = append(files, n.file)
		}
	}
	err := r.Tree.Read(ctx, files)
	_ = group.Wait() // no function returns an error
	if err = errors.Join(err, ctx.Err()); err != nil {
		return err
	}
	for i, n := range nodes {
		if n.unread {
			continue
		}
		if n.file != nil && errs[i] == nil {
			n.Content, errs[i], n.blob = n.file.Content, n.file.Err, n.file.Hash
		} else if n.page != nil {
			n.blob = blobID(n.Content)
		}
		if errs[i] == nil {
			errs[i] = r.count(n.Content)
		}
		if errs[i] == nil {
			if n.Content == nil {
				n.Content = []byte{}
			}
			continue
		}
		n.Content = nil
		r.unreadable(n, errs[i])
	}
	return nil
}

// count counts bytes that are held.
func (r *walk) count(b []byte) error {
	if r.bytes += len(b); r.bytes > r.MaxBytes {
		return &Failure{Code: catalog.CodeTooLarge, Message: fmt.Sprintf("what the catalog files of the repository lead to has more than %d bytes in all", r.MaxBytes), Hint: "name fewer or smaller files"}
	}
	return nil
}

// unreadable handles a document that could not be read.
func (r *walk) unreadable(n *node, err error) {
	p := r.problem(step{Target: n.at, from: n.parent}, err)
	_, was := r.Known[n.Path]
	var f *Failure
	lasting := errors.As(err, &f)
	r.out.Failed = r.out.Failed || !lasting
	if was {
		n.Problem, r.failed = &p, true
		return
	}
	r.order = slices.DeleteFunc(r.order, func(o *node) bool { return o == n }) // it stays in seen
	if lasting && f.Missing && n.at.Optional {
		return
	}
	r.out.Problems, r.failed = append(r.out.Problems, p), true
}

// retain takes in what was known and not met, when something failed through which
// it may have been reached: what is still there stays.
func (r *walk) retain(ctx context.Context) ([]*node, error) {
	if !r.failed || r.retained {
		return nil, nil
	}
	r.retained = true
	var folders, paths []string
	for p, hash := range r.Known {
		switch {
		case r.seen[p] != nil:
		case Elsewhere(hash):
			n := r.add(&node{Document: source.Document{Path: p, Hash: hash}, unread: true})
			n.blob = hash
			r.out.Foreign = true
		default:
			paths, folders = append(paths, p), append(folders, folderOf(p))
		}
	}
	slices.Sort(paths)
	if err := r.list(ctx, folders); err != nil {
		return nil, err
	}
	var nodes []*node
	for _, p := range paths {
		if f, err := r.file(p); err == nil {
			nodes = append(nodes, r.add(&node{Document: source.Document{Path: p}, file: &f, at: Target{Optional: true}}))
		}
	}
	return nodes, r.read(ctx, nodes)
}

// list looks into folders that were not looked into before.
func (r *walk) list(ctx context.Context, folders []string) error {
	slices.Sort(folders)
	var ask []string
	for _, f := range slices.Compact(folders) {
		if _, ok := r.folders[f]; !ok && r.listed < maxFolders {
			r.listed++
			ask = append(ask, f)
		}
	}
	if len(ask) == 0 {
		return ctx.Err()
	}
	found, err := r.Tree.List(ctx, ask)
	for _, f := range ask {
		r.folders[f] = found[f]
	}
	return err
}

// file finds a file in a folder that was listed.
func (r *walk) file(p string) (File, error) {
	files, ok := r.folders[folderOf(p)]
	if !ok {
		return File{}, tooMany()
	}
	for _, f := range files {
		if f.Path == p && f.Folder {
			return File{}, Fail("name the files in it, for example "+p+"/*.yaml", "it is a folder")
		}
		if f.Path == p {
			return f, nil
		}
	}
	return File{}, &Failure{Message: "there is no such file in the repository", Hint: "write the path relative to the file that names it, or from the root with a / before it", Missing: true}
}

func tooMany() error {
	return &Failure{Code: catalog.CodeTooLarge, Message: fmt.Sprintf("more than %d folders would have to be looked into", maxFolders), Hint: "keep the files in fewer folders"}
}

func folderOf(p string) string {
	if i := strings.LastIndexByte(p, '/'); i >= 0 {
		return p[:i]
	}
	return ""
}
