package github

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"

	gh "github.com/google/go-github/v60/github"
	"golang.org/x/sync/errgroup"

	"github.com/waypost-dev/waypost/server/source"
	"github.com/waypost-dev/waypost/server/source/reach"
)

const (
	// maxLeading is how many repositories whose catalog files lead to others are
	// followed at once, so that what they ask for shares queries. Their contents
	// are held in memory meanwhile.
	maxLeading = 50
	// perQuery is how many folders are listed in one query.
	perQuery = 50
)

// leads takes a repository whose catalog files may lead to others. It follows
// them when enough have come together; see lead for the rest.
func (r *reader) leads(ctx context.Context, repo *reading) error {
	r.mu.Lock()
	r.leading = append(r.leading, repo)
	full := len(r.leading) >= maxLeading
	r.mu.Unlock()
	if !full {
		return nil
	}
	return r.lead(ctx)
}

// lead follows what the catalog files of the waiting repositories lead to, and
// reports them.
func (r *reader) lead(ctx context.Context) error {
	r.mu.Lock()
	repos := r.leading
	r.leading = nil
	r.mu.Unlock()
	if len(repos) == 0 {
		return nil
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	t := &together{reader: r, walking: len(repos)}
	var group errgroup.Group
	for _, repo := range repos {
		group.Go(func() error {
			err := r.walkOne(ctx, repo, t)
			if err != nil {
				cancel()
			}
			t.left(ctx)
			return err
		})
	}
	return group.Wait()
}

func (r *reader) walkOne(ctx context.Context, repo *reading, t *together) error {
	known, isKnown := r.known.Repository(repo.ID)
	w := reach.Walk{Source: r.s.Name(), Repository: repo.Repository, Known: known.Documents, Tree: forgeTree{t, repo}, Web: r.s.web, MaxDocuments: maxDocuments}
	out, err := w.Do(ctx, repo.Documents)
	if err != nil {
		if fatal(ctx, err) {
			return fmt.Errorf("read what catalog files of %s lead to: %w", repo.FullName(), err)
		}
		return r.keep(ctx, recordOf(repo), err)
	}
	repo.Documents = out.Documents
	repo.Problems = append(repo.Problems, out.Problems...)
	repo.State = out.State(repo.State)
	if out.Failed && !strings.HasSuffix(repo.State, incomplete) {
		repo.State += incomplete
	}
	if isKnown && known.State == repo.State && !strings.HasSuffix(known.State, incomplete) { // other hosts were asked, and nothing is new
		if err := r.out.Unchanged(ctx, repo.ID); err != nil {
			return fmt.Errorf("report %s: %w", repo.FullName(), err)
		}
		return nil
	}
	if err := r.out.Repository(ctx, repo.Repository); err != nil {
		return fmt.Errorf("report %s: %w", repo.FullName(), err)
	}
	return nil
}

// recordOf is as much of a repository's record as its requests need.
func recordOf(repo *reading) listed {
	return listed{Repository: &gh.Repository{
		NodeID: &repo.ID, Name: &repo.Name, Owner: &gh.User{Login: &repo.Owner}, FullName: gh.String(repo.FullName()),
	}}
}

// together gathers what several walks ask for at the same time: when each of them
// waits for an answer, all that they asked is asked of GitHub at once.
type together struct {
	*reader
	mu      sync.Mutex
	walking int
	waiting []*question
}

// question is what one walk asks, folders or files.
type question struct {
	repo    *reading
	folders []string
	found   map[string][]reach.File
	files   []*reach.File
	err     error
	done    chan struct{}
}

func (t *together) ask(ctx context.Context, q *question) error {
	q.done = make(chan struct{})
	t.mu.Lock()
	t.waiting = append(t.waiting, q)
	t.mu.Unlock()
	t.flush(ctx)
	<-q.done // whoever comes last answers, also when ctx has ended
	return q.err
}

// left says that one walk asks nothing more.
func (t *together) left(ctx context.Context) {
	t.mu.Lock()
	t.walking--
	t.mu.Unlock()
	t.flush(ctx)
}

func (t *together) flush(ctx context.Context) {
	t.mu.Lock()
	if len(t.waiting) == 0 || len(t.waiting) < t.walking {
		t.mu.Unlock()
		return
	}
	questions := t.waiting
	t.waiting = nil
	t.mu.Unlock()
	if err := errors.Join(t.listAll(ctx, questions), t.readAll(ctx, questions)); err != nil {
		for _, q := range questions {
			q.err = err
		}
	}
	for _, q := range questions {
		close(q.done)
	}
}

// folderOf is a folder that is to be listed.
type folderOf struct {
	q    *question
	path string
}

func (t *together) listAll(ctx context.Context, questions []*question) error {
	var folders []folderOf
	for _, q := range questions {
		for _, f := range q.folders {
			folders = append(folders, folderOf{q, f})
		}
	}
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(t.s.o.Parallel)
	var mu sync.Mutex // of the answers
	for some := range slices.Chunk(folders, perQuery) {
		group.Go(func() error { return t.list(groupCtx, some, &mu, 1) })
	}
	return group.Wait()
}

// list asks for folders. When GitHub does not manage, it asks for each half by
// itself.
func (t *together) list(ctx context.Context, folders []folderOf, mu *sync.Mutex, try int) error {
	var q strings.Builder
	q.WriteString("{\n")
	for i, f := range folders {
		at, _ := json.Marshal(f.q.repo.Commit + ":" + f.path) // a JSON string is a GraphQL string
		id, _ := json.Marshal(f.q.repo.ID)
		fmt.Fprintf(&q, "  f%d: node(id: %s) { ... on Repository { folder: object(expression: %s) { ... on Tree { %s } } } }\n", i, id, at, entries(0))
	}
	q.WriteString("}\n")
	var data map[string]*struct {
		Folder *struct{ Entries *[]treeEntry }
	}
	// What is wrong with a single repository is an error of its own, below.
	_, err := t.s.query(ctx, q.String(), nil, &data)
	var tooMuch *errTooMuch
	if err != nil && !errors.As(err, &tooMuch) {
		return err
	}
	if broken := t.went(err); broken != nil {
		return broken
	}
	switch {
	case err != nil && len(folders) > 1:
		half := len(folders) / 2
		if err := t.list(ctx, folders[:half], mu, 1); err != nil {
			return err
		}
		return t.list(ctx, folders[half:], mu, 1)
	case err != nil && try < maxTries:
		if err := sleep(ctx, t.s.o.backoff<<try); err != nil {
			return err
		}
		return t.list(ctx, folders, mu, try+1)
	}
	mu.Lock()
	defer mu.Unlock()
	for i, f := range folders {
		answer := data["f"+strconv.Itoa(i)]
		switch {
		case err != nil || answer == nil:
			f.q.err = cmp.Or(err, errors.New("GitHub's GraphQL API does not list its folders"))
		case answer.Folder != nil && answer.Folder.Entries != nil:
			files := make([]reach.File, 0, len(*answer.Folder.Entries))
			for _, e := range *answer.Folder.Entries {
				if kind := e.Mode & modeType; kind == modeFile || kind == modeLink || e.Type == "tree" {
					files = append(files, reach.File{Path: path.Join(f.path, e.Name), Hash: e.Oid, Size: e.Size, Link: kind == modeLink, Folder: e.Type == "tree"})
				}
			}
			f.q.found[f.path] = files
		}
	}
	return nil
}

func (t *together) readAll(ctx context.Context, questions []*question) error {
	var files []*file
	for _, q := range questions {
		for _, f := range q.files {
			files = append(files, &file{repo: q.repo, path: f.Path, oid: f.Hash, size: f.Size, link: f.Link, done: func(oid string, content []byte, err error) {
				switch {
				case err != nil && f.Link && status(err) == 404:
					err = reach.LeadsNowhere()
				case err == nil && len(content) > source.MaxDocument:
					err, content = reach.TooLarge(), nil
				}
				f.Content, f.Err = content, err
				if err == nil {
					f.Hash = oid
				}
			}})
		}
	}
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(t.s.o.Parallel)
	for len(files) > 0 {
		n, bytes := 0, int64(0)
		for n < len(files) && n < maxFiles && bytes <= maxBytes {
			bytes += files[n].size
			n++
		}
		some := files[:n]
		files = files[n:]
		group.Go(func() error { return t.readTexts(groupCtx, some, 1) })
	}
	return group.Wait()
}

// forgeTree is the files of a repository at its head.
type forgeTree struct {
	*together
	repo *reading
}

// List implements reach.Tree. Links to folders are not followed.
func (t forgeTree) List(ctx context.Context, folders []string) (map[string][]reach.File, error) {
	q := &question{repo: t.repo, folders: folders, found: make(map[string][]reach.File, len(folders))}
	err := t.ask(ctx, q)
	return q.found, err
}

// Below implements reach.Tree. It costs a request for each repository.
func (t forgeTree) Below(ctx context.Context, folder string) ([]reach.File, error) {
	var files []reach.File
	requests := 0
	prefix := folder + "/"
	err := t.walk(ctx, recordOf(t.repo), t.repo.Commit, "", &requests, func(name string, mode int, oid string, size int64) {
		if kind := mode & modeType; (kind == modeFile || kind == modeLink) && safe(name) && (folder == "" || strings.HasPrefix(name, prefix)) {
			files = append(files, reach.File{Path: name, Hash: oid, Size: size, Link: kind == modeLink})
		}
	})
	if errors.Is(err, errTree) {
		return nil, reach.TooMany()
	}
	return files, err
}

// Read implements reach.Tree.
func (t forgeTree) Read(ctx context.Context, files []*reach.File) error {
	if len(files) == 0 {
		return ctx.Err()
	}
	return t.ask(ctx, &question{repo: t.repo, files: files})
}
