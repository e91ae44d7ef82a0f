package location

import (
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/bmatcuk/doublestar/v4"
	"golang.org/x/sync/errgroup"

	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/source"
	"github.com/waypost-dev/waypost/server/source/reach"
)

// node is one document, read or not.
type node struct {
	key     string
	page    *url.URL // nil for a file
	parent  *node
	depth   int
	content []byte
	hash    string
	err     error
	gone    bool    // positively: the local file does not exist
	at      *target // that led here first; nil if the configuration did
}

// target is one target of a Location, and the document in which it stands.
type target struct {
	reach.Target
	from *node // nil for the configuration
}

// run is one harvest.
type run struct {
	source *Source
	repo   source.Repository
	github reach.GitHubFile
	known  source.RepositoryState
	root   *os.Root

	seen     map[string]*node
	order    []*node
	problems []catalog.Problem
	// documents are those that were read, with what they include.
	documents []source.Document
	failed    bool // a document that had been read could not be read this time
	bytes     int
	full      bool // a bound was reached, and told
}

// read reads the location breadth first, so that the order is always the same.
// Its error says that the location itself could not be read.
func (r *run) read(ctx context.Context) error {
	if r.source.kind == "file" {
		root, err := os.OpenRoot(r.source.dir)
		if err != nil {
			return fmt.Errorf("open the folder %s: %w", r.source.dir, reach.Bare(err))
		}
		defer root.Close()
		r.root = root
	}
	level, err := r.first()
	if err != nil {
		return err
	}
	for depth := 0; len(level) > 0; depth++ {
		if err := r.fetch(ctx, level); err != nil {
			return err
		}
		if depth == 0 && len(level) == 1 && level[0].err != nil {
			return level[0].err
		}
		var next []*node
		for _, n := range level {
			r.settle(n)
			for _, t := range reach.Targets(n.content) {
				next = append(next, r.follow(target{t, n})...)
			}
		}
		level = next
	}
	return r.include(ctx)
}

// include reads what the placeholders of the documents name. Those of a local file
// lead to files of the folder, those of a page to pages.
func (r *run) include(ctx context.Context) error {
	w := reach.Walk{Source: r.source.o.Name, Known: r.known.Documents, Web: r.source.web}
	if r.root != nil {
		w.Tree = reach.Folder{Root: r.root}
	}
	pages := map[string]*url.URL{}
	var documents []source.Document
	for _, n := range r.order {
		if n.err != nil {
			continue
		}
		documents = append(documents, source.Document{Path: n.key, Hash: n.hash, Content: n.content, Location: r.locationOf(n)})
		if n.page != nil {
			pages[n.key] = n.page
		}
	}
	out, err := w.Include(ctx, documents, pages)
	r.documents = out.Documents
	return err
}

// first are the documents that the configuration names.
func (r *run) first() ([]*node, error) {
	if r.source.kind == "url" {
		return []*node{r.add(&node{key: r.keyOf(r.source.page), page: r.source.page})}, nil
	}
	at := &target{Target: reach.Target{Text: r.source.pattern}}
	if !reach.IsGlob(r.source.pattern) {
		return []*node{r.add(&node{key: reach.Unescape(r.source.pattern)})}, nil
	}
	nodes, err := r.glob(at, ".", r.source.pattern)
	if err == nil && len(nodes) == 0 { // rather an unmounted folder than the end of all files
		err = reach.Fail("check the path and its wildcards; what was known is kept", "no file matches")
	}
	if err != nil && len(nodes) > 0 { // too many
		r.problems = append(r.problems, r.problem(nil, err))
		err = nil
	}
	return nodes, err
}

// fetch reads documents, several at once.
func (r *run) fetch(ctx context.Context, level []*node) error {
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(reach.Parallel)
	for _, n := range level {
		group.Go(func() error {
			if err := groupCtx.Err(); err != nil {
				return err
			}
			if n.page != nil {
				n.content, n.err = r.source.web.Get(groupCtx, n.page)
			} else {
				n.content, n.err = reach.ReadFile(r.root, n.key)
				n.gone = errors.Is(n.err, fs.ErrNotExist)
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	return ctx.Err()
}

// settle takes in what was read.
func (r *run) settle(n *node) {
	if n.err == nil {
		if r.bytes += len(n.content); r.bytes > maxContents {
			n.err = &reach.Failure{Code: catalog.CodeTooLarge, Message: fmt.Sprintf("the documents of the location together have more than %d bytes", maxContents), Hint: "configure several locations"}
		}
	}
	if n.err == nil {
		n.hash = blobID(n.content)
		return
	}
	n.content = nil
	if _, was := r.known.Documents[n.key]; was && !n.gone {
		r.failed = true
	}
}

// blobID is git's id of a blob, in hex.
func blobID(b []byte) string {
	h := sha1.New()
	fmt.Fprintf(h, "blob %d\x00", len(b))
	h.Write(b)
	return hex.EncodeToString(h.Sum(nil))
}

// add makes a document known.
func (r *run) add(n *node) *node {
	r.seen[n.key] = n
	r.order = append(r.order, n)
	return n
}

// follow returns the documents behind a target that were not met before.
func (r *run) follow(t target) []*node {
	nodes, err := r.resolve(&t)
	if err != nil {
		r.problems = append(r.problems, r.problem(&t, err))
	}
	return nodes
}

func (r *run) resolve(t *target) ([]*node, error) {
	if t.from.depth+1 > r.source.o.MaxDepth {
		return nil, reach.Fail("let the first Location name the file itself", "Locations lead from one to the next more than %d times", r.source.o.MaxDepth)
	}
	if len(t.Text) > 4096 || !utf8.ValidString(t.Text) || strings.ContainsRune(t.Text, 0) {
		return nil, reach.Fail("name a file or an address", "it is no path")
	}
	kind := t.Kind
	if kind == "" {
		kind = "file"
		if t.from.page != nil || strings.Contains(t.Text, "://") {
			kind = "url"
		}
	}
	switch {
	case kind == "url":
		return r.resolveURL(t)
	case kind == "file" && t.from.page != nil && !strings.Contains(t.Text, "://"):
		return r.resolveURL(t) // beside the document, as Backstage reads it
	case kind == "file" && t.from.page == nil:
		return r.resolveFile(t)
	case kind == "file":
		return nil, reach.Fail("set spec.type to url", "a document from the web cannot name local files")
	}
	return nil, reach.Fail("set spec.type to file or url", "the type %.40q of the Location is not known", kind)
}

func (r *run) resolveURL(t *target) ([]*node, error) {
	u, err := url.Parse(t.Text)
	if err == nil && t.from.page != nil {
		u = t.from.page.ResolveReference(u)
	}
	if err == nil {
		u, err = reach.ParseURL(u.String())
	}
	if err != nil {
		return nil, reach.Fail("write https://HOST/PATH, or a path relative to the document", "%s", err)
	}
	if strings.ContainsAny(u.Path, "*") {
		return nil, reach.Fail("name each file; wildcards are for file targets", "it holds a wildcard")
	}
	return r.meet(t, &node{key: r.keyOf(u), page: u})
}

func (r *run) resolveFile(t *target) ([]*node, error) {
	text := strings.TrimPrefix(t.Text, "file:")
	dir := path.Dir(t.from.key)
	if path.IsAbs(text) { // as long as it is below the folder
		rest, ok := strings.CutPrefix(path.Clean(text), strings.TrimSuffix(filepath.ToSlash(r.source.dir), "/")+"/")
		if !ok {
			return nil, outside(r.source.dir)
		}
		dir, text = ".", rest
	}
	if reach.IsGlob(text) {
		if !doublestar.ValidatePattern(text) {
			return nil, reach.Fail("close every [ and {", "it is no valid glob")
		}
		return r.glob(t, dir, text)
	}
	key := path.Join(dir, text)
	if key == ".." || strings.HasPrefix(key, "../") {
		return nil, outside(r.source.dir)
	}
	return r.meet(t, &node{key: key})
}

func outside(dir string) error {
	return reach.Fail("configure a location of its own for it", "it is outside of the folder %s", dir)
}

var errEnough = errors.New("enough")

// glob finds files below the root. Symbolic links to folders are not entered.
func (r *run) glob(t *target, dir, pattern string) ([]*node, error) {
	base, rest := doublestar.SplitPattern(pattern)
	base = path.Join(dir, base)
	if base == ".." || strings.HasPrefix(base, "../") || path.IsAbs(base) {
		return nil, outside(r.source.dir)
	}
	var nodes []*node
	sub, err := fs.Sub(r.root.FS(), base)
	if err != nil {
		return nil, reach.Bare(err)
	}
	looked := 0
	err = doublestar.GlobWalk(sub, rest, func(name string, d fs.DirEntry) error {
		if looked++; looked > 4*r.source.o.MaxDocuments {
			return errEnough
		}
		key := path.Join(base, name)
		if _, met := r.seen[key]; met { // such as the Location itself
			return nil
		}
		more, err := r.meet(t, &node{key: key})
		nodes = append(nodes, more...)
		return err
	}, doublestar.WithFilesOnly(), doublestar.WithNoFollow(), doublestar.WithNoHidden())
	if errors.Is(err, errEnough) {
		err = nil
	}
	return nodes, err
}

// meet takes a document in, unless it was met before or is one too many. A
// document that leads back to itself is told.
func (r *run) meet(t *target, n *node) ([]*node, error) {
	n.parent = t.from
	if t.from != nil {
		n.depth = t.from.depth + 1
	}
	if old, ok := r.seen[n.key]; ok {
		for up := n.parent; up != nil; up = up.parent {
			if up == old {
				return nil, reach.Fail("remove the target", "it leads back to %s, in a circle", old.key)
			}
		}
		return nil, nil
	}
	if len(r.order) >= r.source.o.MaxDocuments {
		r.failed = true // what was known is not gone for that
		if r.full {
			return nil, nil
		}
		r.full = true
		return nil, &reach.Failure{Code: catalog.CodeTooLarge, Message: fmt.Sprintf("the location has more than %d documents", r.source.o.MaxDocuments), Hint: "configure several locations"}
	}
	if n.page == nil && !utf8.ValidString(n.key) {
		return nil, reach.Fail("rename the file", "its name is not UTF-8")
	}
	if t.from != nil {
		n.at = t
	}
	return []*node{r.add(n)}, nil
}

// report makes the repository of what was read.
func (r *run) report() source.Repository {
	repo := r.repo
	repo.Documents = r.documents
	for _, n := range r.order {
		if n.err == nil {
			continue
		}
		p := r.problem(n.at, n.err) // told at the line that names the target
		if _, was := r.known.Documents[n.key]; was && !n.gone {
			repo.Documents = append(repo.Documents, source.Document{Path: n.key, Problem: &p})
		} else if n.at == nil || !n.at.Optional || !missing(n) {
			r.problems = append(r.problems, p)
		}
	}
	if r.failed { // what was reached through a document that failed stays
		for key, hash := range r.known.Documents {
			if _, ok := r.seen[key]; !ok {
				repo.Documents = append(repo.Documents, source.Document{Path: key, Hash: hash})
			}
		}
	}
	slices.SortFunc(repo.Documents, func(a, b source.Document) int { return strings.Compare(a.Path, b.Path) })
	repo.Problems = r.problems
	repo.State = state(repo)
	return repo
}

// missing tells whether there is nothing at the place of a document.
func missing(n *node) bool {
	f, ok := errors.AsType[*reach.Failure](n.err)
	return n.gone || ok && f.Missing
}

// locationOf is the location ref of a document, as Backstage writes it.
func (r *run) locationOf(n *node) string {
	if n.page != nil {
		return "url:" + n.page.String()
	}
	return "file:" + path.Join(filepath.ToSlash(r.source.dir), n.key)
}

// state identifies what is reported: it differs as soon as anything does.
func state(repo source.Repository) string {
	h := sha256.New()
	for _, d := range repo.Documents {
		fmt.Fprintf(h, "%s\x00%s\x00", d.Path, d.Hash)
		if d.Problem != nil {
			fmt.Fprintf(h, "%s\x00", d.Problem.Error())
		}
	}
	for _, p := range repo.Problems {
		fmt.Fprintf(h, "%s\x00", p.Error())
	}
	return "1 " + hex.EncodeToString(h.Sum(nil)[:16])
}

// keyOf is the path under which a document from the web is reported.
func (r *run) keyOf(u *url.URL) string {
	if g, ok := reach.OnGitHub(u); ok && r.github.Branch == g.Branch &&
		strings.EqualFold(r.github.Owner, g.Owner) && strings.EqualFold(r.github.Name, g.Name) {
		return g.Path
	}
	return reach.Key(u)
}
