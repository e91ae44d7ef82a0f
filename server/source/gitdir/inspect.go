package gitdir

import (
	"bytes"
	"container/heap"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/waypost-dev/waypost/server/source"
	"github.com/waypost-dev/waypost/server/source/gitdir/objectdb"
)

var _ source.Inspector = (*Source)(nil)

// maxWalked bounds the commits that are looked at for one answer.
const maxWalked = 50_000

// inspect opens the clone of a place, and finds the commit.
func (s *Source) inspect(at source.Place) (*walk, objectdb.ID, error) {
	if !insideSource(at.ID) {
		return nil, "", source.ErrNotGiven
	}
	g, err := openClone(filepath.Join(s.path, filepath.FromSlash(at.ID)))
	if errors.Is(err, errNoRepository) {
		return nil, "", source.ErrNotGiven
	}
	if err != nil {
		return nil, "", err
	}
	id, err := objectdb.ParseID(at.Commit)
	if err != nil {
		return nil, "", source.ErrNotGiven
	}
	return &walk{db: objectdb.Open(g.common + "/objects")}, id, nil
}

// Files walks the tree of the commit.
func (s *Source) Files(ctx context.Context, at source.Place) ([]string, error) {
	w, id, err := s.inspect(at)
	if err != nil {
		return nil, fmt.Errorf("list the files of %s: %w", at.Name, err)
	}
	defer w.db.Close()
	c, err := w.commit(id)
	if err != nil {
		return nil, fmt.Errorf("list the files of %s: %w", at.Name, err)
	}
	tree := entry{mode: modeTree, id: c.tree}
	if at.Folder != "" {
		if tree, err = w.lookup(c.tree, at.Folder); errors.Is(err, errNoFile) || err == nil && !tree.isTree() {
			return nil, nil
		} else if err != nil {
			return nil, fmt.Errorf("list the files of %s in %s: %w", at.Folder, at.Name, err)
		}
	}
	var out []string
	if err := w.paths(ctx, at.Folder, tree.id, 0, &out); err != nil {
		return nil, fmt.Errorf("list the files of %s: %w", at.Name, err)
	}
	return out, nil
}

// Content finds the file in the tree of the commit.
func (s *Source) Content(_ context.Context, at source.Place, path string) ([]byte, error) {
	w, id, err := s.inspect(at)
	if err != nil {
		return nil, fmt.Errorf("read %s of %s: %w", path, at.Name, err)
	}
	defer w.db.Close()
	c, err := w.commit(id)
	if err != nil {
		return nil, fmt.Errorf("read %s of %s: %w", path, at.Name, err)
	}
	e, err := w.lookup(c.tree, path)
	if errors.Is(err, errNoFile) || err == nil && !e.isFile() {
		err = source.ErrNotGiven
	}
	if err != nil {
		return nil, fmt.Errorf("read %s of %s: %w", path, at.Name, err)
	}
	_, b, err := w.db.Read(e.id, source.MaxDocument)
	if err != nil {
		return nil, fmt.Errorf("read %s of %s: %w", path, at.Name, err)
	}
	return b, nil
}

// paths gathers the paths of files below a folder, in the order of the trees.
func (w *walk) paths(ctx context.Context, dir string, id objectdb.ID, depth int, out *[]string) error {
	if err := ctx.Err(); err != nil || depth > maxDepth {
		return err
	}
	entries, err := w.tree(id)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if w.entries++; w.entries > maxEntries || len(*out) == source.MaxFiles {
			return nil
		}
		full := e.name
		if dir != "" {
			full = dir + "/" + e.name
		}
		switch {
		case len(full) > maxPath || e.mode == modeGitlink:
		case e.isTree():
			if err := w.paths(ctx, full, e.id, depth+1, out); err != nil {
				return err
			}
		default:
			*out = append(*out, full)
		}
	}
	return nil
}

// commit is what a commit object says.
type commit struct {
	id          objectdb.ID
	tree        objectdb.ID
	parents     []objectdb.ID
	name, email string
	authored    time.Time
	committed   time.Time
}

// commit reads a commit.
func (w *walk) commit(id objectdb.ID) (*commit, error) {
	kind, b, err := w.db.Read(id, maxCommit)
	if err != nil {
		return nil, err
	}
	if kind != objectdb.Commit {
		return nil, fmt.Errorf("%s is a %s, not a commit", id, kind)
	}
	c := &commit{id: id, committed: committed(b)}
	for line := range bytes.Lines(b) {
		key, value, _ := strings.Cut(strings.TrimSuffix(string(line), "\n"), " ")
		switch key {
		case "": // the message follows
			return c, nil
		case "tree", "parent":
			to, err := objectdb.ParseID(value)
			if err != nil {
				return nil, fmt.Errorf("commit %s: %w", id, objectdb.ErrCorrupt)
			}
			if key == "tree" {
				c.tree = to
			} else {
				c.parents = append(c.parents, to)
			}
		case "author":
			c.name, c.email, c.authored = signature(value)
		}
	}
	return c, nil
}

// signature reads "name <email> seconds zone".
func signature(s string) (name, email string, at time.Time) {
	open, shut := strings.IndexByte(s, '<'), strings.LastIndexByte(s, '>')
	if open < 0 || shut < open {
		return "", "", time.Time{}
	}
	name, email = strings.TrimSpace(s[:open]), strings.TrimSpace(s[open+1:shut])
	if f := strings.Fields(s[shut+1:]); len(f) > 0 {
		if n, err := strconv.ParseInt(f[0], 10, 64); err == nil && n > 0 && n < 1<<37 {
			at = time.Unix(n, 0).UTC()
		}
	}
	return strings.ToValidUTF8(name, "\ufffd"), strings.ToValidUTF8(email, "\ufffd"), at
}

// newest is a heap of commits, the latest committed first.
type newest []*commit

func (n newest) Len() int           { return len(n) }
func (n newest) Less(i, j int) bool { return n[i].committed.After(n[j].committed) }
func (n newest) Swap(i, j int)      { n[i], n[j] = n[j], n[i] }
func (n *newest) Push(x any)        { *n = append(*n, x.(*commit)) }
func (n *newest) Pop() any {
	last := (*n)[len(*n)-1]
	*n = (*n)[:len(*n)-1]
	return last
}

// Commits walks back from the commit, as git log --no-merges --since=… -- FOLDER
// does. What a shallow clone does not hold ends the walk.
func (s *Source) Commits(ctx context.Context, at source.Place, since time.Time, limit int) ([]source.Commit, error) {
	w, id, err := s.inspect(at)
	if err != nil {
		return nil, fmt.Errorf("list the commits of %s: %w", at.Name, err)
	}
	defer w.db.Close()
	first, err := w.commit(id)
	if err != nil {
		return nil, fmt.Errorf("list the commits of %s: %w", at.Name, err)
	}
	queue := newest{first}
	seen := map[objectdb.ID]bool{id: true}
	var out []source.Commit
	for walked := 0; len(queue) > 0 && len(out) < limit && walked < maxWalked; walked++ {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		c := heap.Pop(&queue).(*commit)
		if c.committed.Before(since) {
			continue // its parents are older, but for clocks that went wrong
		}
		var parents []*commit
		cut := false
		for _, p := range c.parents {
			parent, err := w.commit(p)
			if errors.Is(err, objectdb.ErrMissing) {
				cut = true
				continue
			}
			if err != nil {
				return nil, fmt.Errorf("list the commits of %s: %w", at.Name, err)
			}
			parents = append(parents, parent)
			if !seen[p] {
				seen[p] = true
				heap.Push(&queue, parent)
			}
		}
		if len(c.parents) > 1 || cut {
			continue // a merge; or one of which it is not known what it changed
		}
		changed, err := w.changed(c, parents, at.Folder)
		if err != nil {
			return nil, fmt.Errorf("list the commits of %s: %w", at.Name, err)
		}
		if changed {
			out = append(out, source.Commit{Hash: c.id.String(), Email: c.email, Name: c.name, Time: c.authored})
		}
	}
	return out, nil
}

// changed tells whether a commit changed something below a folder.
func (w *walk) changed(c *commit, parents []*commit, folder string) (bool, error) {
	now, err := w.at(c.tree, folder)
	if err != nil {
		return false, err
	}
	var before objectdb.ID
	if len(parents) == 1 {
		if before, err = w.at(parents[0].tree, folder); err != nil {
			return false, err
		}
	}
	return now != before, nil
}

// at is the id of a folder in a tree; empty if there is none.
func (w *walk) at(tree objectdb.ID, folder string) (objectdb.ID, error) {
	if folder == "" {
		return tree, nil
	}
	e, err := w.lookup(tree, folder)
	if errors.Is(err, errNoFile) {
		return "", nil
	}
	return e.id, err
}
