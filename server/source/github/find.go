package github

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/source"
)

// Modes of tree entries, as git has them.
const (
	modeLink = 0o120000
	modeType = 0o170000
	modeFile = 0o100000
)

// found is a file that matches a pattern.
type found struct {
	path, oid string
	size      int64
	link      bool // symbolic
	hostile   bool // its path is not safe to use
}

// errTree is a tree that cannot be read whole, now or later.
var errTree = errors.New("the repository has more files than can be searched")

// maxTreeRequests bounds the requests for a tree that GitHub cuts short.
const maxTreeRequests = 200

// find finds the catalog files of a repository.
func (r *reader) find(ctx context.Context, l listed, n *node, folders map[string]json.RawMessage) ([]found, error) {
	var files []found
	seen := map[string]bool{}
	add := func(path string, mode int, oid string, size int64) {
		if kind := mode & modeType; kind != modeFile && kind != modeLink || seen[path] || !r.s.plan.match(path) {
			return
		}
		seen[path] = true
		files = append(files, found{path: path, oid: oid, size: size, link: mode&modeType == modeLink, hostile: !safe(path)})
	}
	if r.s.plan.recursive {
		if !slices.ContainsFunc(n.Head.Tree.Entries, func(e treeEntry) bool { return e.Type == "tree" }) {
			addEntries("", n.Head.Tree, add)
			return files, nil
		}
		requests := 0
		err := r.walk(ctx, l, n.Head.Oid, "", &requests, add)
		return files, err
	}
	addEntries("", n.Head.Tree, add)
	for i, f := range r.s.plan.folders {
		var folder *tree
		if err := json.Unmarshal(folders[fmt.Sprintf("folder%d", i)], &folder); err != nil {
			return nil, fmt.Errorf("GitHub's answer about the folder %s is not understood: %w", f.path, err)
		}
		prefix := f.path
		if prefix != "" {
			prefix += "/"
		}
		addEntries(prefix, folder, add)
	}
	return files, nil
}

func addEntries(prefix string, folder *tree, add func(path string, mode int, oid string, size int64)) {
	if folder == nil {
		return
	}
	for _, e := range folder.Entries {
		add(prefix+e.Name, e.Mode, e.Oid, e.Size)
		addEntries(prefix+e.Name+"/", e.Object, add)
	}
}

// walk reads a whole tree by REST. A tree that GitHub cuts short is read
// folder by folder.
func (r *reader) walk(ctx context.Context, l listed, oid, prefix string, requests *int, add func(string, int, string, int64)) error {
	if *requests++; *requests > maxTreeRequests {
		return errTree
	}
	whole, _, err := r.s.rest.Git.GetTree(ctx, l.GetOwner().GetLogin(), l.GetName(), oid, true)
	if err != nil {
		return err
	}
	if whole.GetTruncated() {
		if *requests++; *requests > maxTreeRequests {
			return errTree
		}
		if whole, _, err = r.s.rest.Git.GetTree(ctx, l.GetOwner().GetLogin(), l.GetName(), oid, false); err != nil {
			return err
		}
		if whole.GetTruncated() {
			return errTree
		}
		for _, e := range whole.Entries {
			if e.GetType() == "tree" {
				if err := r.walk(ctx, l, e.GetSHA(), prefix+e.GetPath()+"/", requests, add); err != nil {
					return err
				}
			}
		}
	}
	for _, e := range whole.Entries {
		var mode int
		if _, err := fmt.Sscanf(e.GetMode(), "%o", &mode); err != nil {
			return fmt.Errorf("the tree entry %q has the mode %q", e.GetPath(), e.GetMode())
		}
		add(prefix+e.GetPath(), mode, e.GetSHA(), int64(e.GetSize()))
	}
	return nil
}

// enqueue notes which files of a repository must be read, and reports it if
// there are none.
func (r *reader) enqueue(ctx context.Context, repo *reading, n *node, matches []found) error {
	known, _ := r.known.Repository(repo.ID)
	slices.SortFunc(matches, func(a, b found) int { return strings.Compare(a.path, b.path) })
	warn := func(path string, code catalog.Code, message, hint string) {
		repo.Problems = append(repo.Problems, r.problem(repo.FullName(), path, code, message, hint))
	}
	if hostile := slices.IndexFunc(matches, func(f found) bool { return f.hostile }); hostile >= 0 {
		warn("", catalog.CodeUnreadable, fmt.Sprintf("a path is not safe to use and was left out: %.100q", matches[hostile].path),
			"rename it; a path is valid UTF-8 of at most 4096 bytes without . and .. as names")
		matches = slices.DeleteFunc(matches, func(f found) bool { return f.hostile })
	}
	if len(matches) > maxDocuments {
		warn("", catalog.CodeTooLarge, fmt.Sprintf("%d files match the patterns, more than %d; the others were left out", len(matches), maxDocuments), "make the patterns narrower")
		matches = matches[:maxDocuments]
	}
	var files []*file
	repo.Documents = make([]source.Document, len(matches))
	for i, f := range matches {
		d := &repo.Documents[i]
		d.Path = f.path
		switch {
		case f.link:
			files = append(files, &file{repo: repo, path: f.path, link: true, done: r.document(repo, d, known)})
		case f.size > source.MaxDocument:
			p := r.tooLarge(repo, f.path, f.size)
			d.Hash, d.Problem = f.oid, &p
		default:
			if d.Hash = f.oid; known.Documents[f.path] != f.oid {
				files = append(files, &file{repo: repo, path: f.path, oid: f.oid, size: f.size, done: r.document(repo, d, known)})
			}
		}
	}
	if owners := codeowners(n); owners != nil {
		if owners.size > maxCodeowners {
			warn(owners.path, catalog.CodeTooLarge, fmt.Sprintf("the file has %d bytes; GitHub ignores a CODEOWNERS file of more than %d", owners.size, maxCodeowners), "use fewer and wider patterns")
		} else {
			files = append(files, &file{repo: repo, path: owners.path, oid: owners.oid, size: owners.size, done: func(oid string, content []byte, err error) {
				if err != nil {
					warn(owners.path, catalog.CodeUnreadable, "the file could not be read: "+err.Error(), "the next harvest tries again")
					repo.State += incomplete
					return
				}
				repo.Codeowners = &source.File{Path: owners.path, Hash: oid, Content: content}
			}})
		}
	}
	if len(files) == 0 {
		return r.report(ctx, repo)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	repo.missing = len(files)
	r.files = append(r.files, files...)
	return nil
}

func (r *reader) tooLarge(repo *reading, path string, size int64) catalog.Problem {
	p := r.problem(repo.FullName(), path, catalog.CodeTooLarge, fmt.Sprintf("the file has %d bytes, more than the %d that are read", size, source.MaxDocument), "split it into several files")
	p.Severity = catalog.SeverityError
	return p
}

// document returns what is to be done when a catalog file has been read.
func (r *reader) document(repo *reading, d *source.Document, known source.RepositoryState) func(string, []byte, error) {
	return func(oid string, content []byte, err error) {
		switch {
		case err != nil:
			p := r.problem(repo.FullName(), d.Path, catalog.CodeUnreadable, "the file could not be read: "+err.Error(), "the next harvest tries again")
			p.Severity = catalog.SeverityError
			d.Problem = &p
		case len(content) > source.MaxDocument:
			p := r.tooLarge(repo, d.Path, int64(len(content)))
			d.Hash, d.Problem = oid, &p
		default:
			if d.Hash = oid; known.Documents[d.Path] != oid {
				d.Content = content
			}
		}
	}
}

// codeowners finds the file in force: GitHub looks into .github, the root and
// docs, in this order.
func codeowners(n *node) *found {
	if n.Github != nil && n.Github.Oid != "" {
		return &found{path: path.Join(".github", "CODEOWNERS"), oid: n.Github.Oid, size: n.Github.ByteSize}
	}
	for _, e := range n.Head.Tree.Entries {
		if e.Name == "CODEOWNERS" && e.Mode&modeType == modeFile {
			return &found{path: e.Name, oid: e.Oid, size: e.Size}
		}
	}
	if n.Docs != nil && n.Docs.Oid != "" {
		return &found{path: path.Join("docs", "CODEOWNERS"), oid: n.Docs.Oid, size: n.Docs.ByteSize}
	}
	return nil
}
