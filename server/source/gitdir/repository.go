package gitdir

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"path"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/source"
	"github.com/waypost-dev/waypost/server/source/gitdir/objectdb"
)

const (
	maxDocuments  = 20_000    // in one repository
	maxContents   = 128 << 20 // bytes of all its documents
	maxCodeowners = 3 << 20   // above which GitHub does not load the file either
	maxCommit     = 1 << 20
	// incomplete ends the state of a repository that could not be read whole:
	// it equals no state computed from HEAD, so the next harvest reads again.
	incomplete = " incomplete"
)

// codeownersPaths are where GitHub looks for the file, in its order.
var codeownersPaths = []string{".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS"}

// harvest reports one clone.
func (s *Source) harvest(ctx context.Context, c clone, known source.Known, out source.Out) error {
	r := &reading{source: s, clone: c, repo: source.Repository{Asked: time.Now()}}
	state, err := r.look()
	if errors.Is(err, errUnwanted) {
		return nil
	}
	before, isKnown := known.Repository(c.id)
	if err == nil && isKnown && before.State == state {
		return out.Unchanged(ctx, c.id)
	}
	if err == nil {
		r.repo.State = state
		err = r.read(ctx, before)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		p := r.problem("", err)
		if p.Hint == "" && errors.Is(err, objectdb.ErrMissing) || errors.Is(err, objectdb.ErrCorrupt) {
			p.Hint = "run git fsck in the clone, and clone it anew if it complains; until then the last good state is kept"
		}
		return out.Keep(ctx, c.id, p)
	}
	if isKnown && before.State == r.repo.State && !strings.HasSuffix(before.State, incomplete) { // other hosts were asked, and nothing is new
		return out.Unchanged(ctx, c.id)
	}
	return out.Repository(ctx, r.repo)
}

// reading is the reading of one clone.
type reading struct {
	source *Source
	clone  clone
	head   head
	config config
	repo   source.Repository
}

var errUnwanted = errors.New("left out by the repository filters")

// look reads what tells whether anything has changed: HEAD, its ref, and the
// configuration, no object. It returns the state.
func (r *reading) look() (string, error) {
	r.nameByFolders()
	if r.clone.err != nil {
		return "", r.clone.err
	}
	var err error
	if r.config, err = r.clone.git.config(); err != nil {
		return "", err
	}
	if o, ok := parseOrigin(r.config.origin); ok {
		r.repo.Owner, r.repo.Name, r.repo.URL = o.owner, o.name, o.url
	}
	if !r.source.wanted(r.repo.Owner, r.repo.Name) {
		return "", errUnwanted
	}
	if r.config.refs != "" {
		return "", fmt.Errorf("its refs are stored as %.20q, which is not read yet; run git refs migrate --ref-format=files", r.config.refs)
	}
	if r.head, err = r.clone.git.head(r.source.o.Branch); err != nil {
		return "", err
	}
	r.repo.Branch, r.repo.Commit = r.head.branch, r.head.commit.String()
	sum := sha256.Sum256([]byte(strings.Join([]string{r.source.options, r.repo.Owner, r.repo.Name, r.repo.URL}, "\x00")))
	return r.repo.Commit + " " + r.head.branch + " " + hex.EncodeToString(sum[:6]), nil
}

func (r *reading) nameByFolders() {
	r.repo.ID = r.clone.id
	r.repo.Name = strings.TrimSuffix(path.Base(strings.ReplaceAll(r.clone.path, "\\", "/")), ".git")
	r.repo.Owner = cmp.Or(r.source.o.Owner, r.clone.parent)
}

// read fills in the repository from its objects.
func (r *reading) read(ctx context.Context, known source.RepositoryState) error {
	if r.head.commit == "" { // empty
		if branch := r.source.o.Branch; branch != "" {
			p := r.problem("", fmt.Errorf("the repository has no branch %q", branch))
			p.Severity, p.Hint = catalog.SeverityWarning, "fetch the branch, leave the repository out of the source, or configure another branch"
			r.repo.Problems = append(r.repo.Problems, p)
		}
		return nil
	}
	db := objectdb.Open(r.clone.git.common + "/objects")
	defer db.Close()
	root, err := r.commit(db)
	if err != nil {
		return err
	}
	w := &walk{db: db, patterns: r.source.patterns}
	if err := w.dir("", root, 0, true, true); err != nil {
		return err
	}
	slices.Sort(w.root)
	r.repo.Root, r.repo.Languages = w.root, byBytes(w.sizes)
	r.notes(w)
	if err := r.codeowners(w, root); err != nil {
		return err
	}
	if err := r.documents(ctx, w, root, known); err != nil {
		return err
	}
	return r.reach(ctx, known, commitTree{w, root}, false)
}

// commit reads the head, and returns its tree.
func (r *reading) commit(db *objectdb.DB) (objectdb.ID, error) {
	id := r.head.commit
	for range 5 { // a branch may point to a tag, which may point to a tag
		kind, b, err := db.Read(id, maxCommit)
		if err != nil {
			return "", err
		}
		field := "tree "
		if kind == objectdb.Tag {
			field = "object "
		} else if kind != objectdb.Commit {
			return "", fmt.Errorf("%s is a %s, not a commit", id, kind)
		}
		line, rest, _ := bytes.Cut(b, []byte("\n"))
		target, err := objectdb.ParseID(strings.TrimPrefix(string(line), field))
		if err != nil {
			return "", fmt.Errorf("%s %s: %w", kind, id, objectdb.ErrCorrupt)
		}
		if kind == objectdb.Tag {
			id = target
			continue
		}
		r.repo.Commit = id.String()
		r.repo.PushedAt = committed(rest)
		return target, nil
	}
	return "", fmt.Errorf("tags point to each other without end")
}

// committed is the committer date in the header of a commit; zero if it has
// none that can be read.
func committed(header []byte) time.Time {
	for line := range bytes.Lines(header) {
		if len(line) <= 1 {
			break
		}
		if !bytes.HasPrefix(line, []byte("committer ")) {
			continue
		}
		after := line[bytes.LastIndexByte(line, '>')+1:]
		if f := bytes.Fields(after); len(f) > 0 {
			if n, err := strconv.ParseInt(string(f[0]), 10, 64); err == nil && n > 0 && n < 1<<37 {
				return time.Unix(n, 0).UTC()
			}
		}
	}
	return time.Time{}
}

// notes tells what was left out.
func (r *reading) notes(w *walk) {
	warn := func(code catalog.Code, message, hint string) {
		p := r.problem("", nil)
		p.Code, p.Severity, p.Message, p.Hint = code, catalog.SeverityWarning, message, hint
		r.repo.Problems = append(r.repo.Problems, p)
	}
	if len(w.hostile) > 0 {
		warn(catalog.CodeUnreadable, fmt.Sprintf("%d paths are not safe to use and were left out, the first is %.100q", len(w.hostile), w.hostile[0]),
			"rename them; a path is valid UTF-8 of at most 4096 bytes without . and .. as names")
	}
	if w.cut {
		warn(catalog.CodeTooLarge, "there are too many files or folders within folders, so that only a part was looked at",
			"name catalog files by patterns that start with a folder")
	}
	if w.partial {
		warn(catalog.CodeUnreadable, "the clone does not hold all files, so languages are counted in part",
			"clone without --filter if languages matter")
	}
}

func (r *reading) codeowners(w *walk, root objectdb.ID) error {
	for _, p := range codeownersPaths {
		e, err := w.lookup(root, p)
		if errors.Is(err, errNoFile) || err == nil && !e.isFile() {
			continue
		}
		var b []byte
		if err == nil {
			_, b, err = w.db.Read(e.id, maxCodeowners)
		}
		if err != nil {
			r.repo.Problems = append(r.repo.Problems, r.problem(p, err))
			return nil
		}
		r.repo.Codeowners = &source.File{Path: p, Hash: e.id.String(), Content: b}
		return nil
	}
	return nil
}

// documents reads the catalog files that are not known yet, several at once
// where there are many.
func (r *reading) documents(ctx context.Context, w *walk, root objectdb.ID, known source.RepositoryState) error {
	if len(w.files) > maxDocuments {
		p := r.problem("", nil)
		p.Code, p.Message = catalog.CodeTooLarge, fmt.Sprintf("%d files match the patterns, more than %d; the others were left out", len(w.files), maxDocuments)
		p.Hint = "make the patterns narrower"
		r.repo.Problems = append(r.repo.Problems, p)
		w.files = w.files[:maxDocuments]
	}
	docs := make([]source.Document, len(w.files))
	var total atomic.Int64
	one := func(i int) {
		f := w.files[i]
		docs[i].Path = f.path
		if err := r.document(w, root, f, known, &docs[i], &total); err != nil {
			p := r.problem(f.path, err)
			docs[i].Content, docs[i].Problem = nil, &p
		}
	}
	if len(docs) < 8 {
		for i := range docs {
			one(i)
		}
	} else {
		group := errgroup.Group{}
		group.SetLimit(runtime.GOMAXPROCS(0))
		for i := range docs {
			if ctx.Err() != nil {
				break
			}
			group.Go(func() error { one(i); return nil })
		}
		_ = group.Wait()
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	// A folder or a foreign file that a link leads to is no catalog file.
	r.repo.Documents = slices.DeleteFunc(docs, func(d source.Document) bool { return d.Hash == "" && d.Problem == nil })
	for _, d := range docs {
		if d.Problem != nil && !strings.HasSuffix(r.repo.State, incomplete) && d.Problem.Code == catalog.CodeUnreadable {
			r.repo.State += incomplete
		}
	}
	return nil
}

var (
	errLFS   = errors.New("the file is kept in Git LFS and only its pointer is in the repository")
	errTotal = fmt.Errorf("the catalog files of the repository together have more than %d bytes: %w", maxContents, objectdb.ErrTooLarge)
)

func (r *reading) document(w *walk, root objectdb.ID, f file, known source.RepositoryState, d *source.Document, total *atomic.Int64) error {
	e := f.entry
	if e.mode == modeSymlink {
		var err error
		if e, err = w.lookup(root, f.path); err != nil {
			return fmt.Errorf("the symbolic link cannot be followed: %w", err)
		}
		if !e.isFile() {
			return nil
		}
	}
	d.Hash = e.id.String()
	if known.Documents[f.path] == d.Hash {
		return nil
	}
	kind, b, err := w.db.Read(e.id, source.MaxDocument)
	if err != nil {
		return err
	}
	if kind != objectdb.Blob {
		return fmt.Errorf("it is a %s: %w", kind, objectdb.ErrCorrupt)
	}
	if total.Add(int64(len(b))) > maxContents {
		return errTotal
	}
	if bytes.HasPrefix(b, []byte("version https://git-lfs.github.com/spec/v1\n")) {
		return errLFS
	}
	d.Content = b
	return nil
}

// problem makes an error a Problem at a path of the repository.
func (r *reading) problem(path string, err error) catalog.Problem {
	p := r.source.problem(catalog.CodeUnreadable, path, "", "")
	p.Repository = r.repo.FullName()
	if err == nil {
		return p
	}
	p.Message = reason(err)
	switch {
	case errors.Is(err, errLFS):
		p.Hint = "keep catalog files out of Git LFS: git lfs untrack " + path
	case errors.Is(err, objectdb.ErrTooLarge):
		p.Code = catalog.CodeTooLarge
		p.Hint = fmt.Sprintf("split the file; at most %d bytes are read", source.MaxDocument)
	case errors.Is(err, objectdb.ErrMissing) && r.config.partial:
		p.Hint = "the clone is partial; fetch without --filter, or git fetch --refetch"
	case errors.Is(err, errNoFile):
		p.Hint = "let the link point to a file that is there, or remove it"
	case errors.Is(err, errOutside):
		p.Hint = "let the link point to a file of the same repository, by a relative path"
	}
	return p
}
