package reach

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/source"
)

// maxNested is how deep placeholders may stand in what placeholders bring.
const maxNested = 3

// content is a file that placeholders name.
type content struct {
	page *url.URL
	path string
	hash string // blob id
	text []byte
	err  error
}

// want is one placeholder of one document.
type want struct {
	doc  *node
	from *content // nil for the document itself
	placeholder
	place
	err error
}

func (w want) key() string {
	if w.page != nil {
		return "@" + Key(w.page)
	}
	return w.path
}

// include reads what the placeholders of the documents name.
func (r *walk) include(ctx context.Context) error {
	var level []want
	for _, n := range r.order {
		for _, p := range placeholders(n.Content) {
			level = append(level, want{doc: n, placeholder: p})
		}
	}
	met := map[*node]map[[2]string]bool{}
	for depth := 1; len(level) > 0 && depth <= maxNested; depth++ {
		if err := r.fetch(ctx, level); err != nil {
			return err
		}
		var next []want
		for _, w := range level {
			if met[w.doc] == nil {
				met[w.doc] = map[[2]string]bool{}
			}
			i := source.Include{Target: w.target}
			if w.from != nil {
				i.From = w.from.path
			}
			id := [2]string{i.From, i.Target}
			if met[w.doc][id] && w.kind == "$text" {
				continue
			}
			err, got := w.err, r.included[w.key()]
			if err == nil {
				i.Path = got.path
				i.Content, err = got.text, got.err
			}
			if err != nil {
				p := failed(err)
				i.Content, i.Problem = nil, &p
			}
			if !met[w.doc][id] {
				met[w.doc][id] = true
				w.doc.Includes = append(w.doc.Includes, i)
				hash := ""
				if got != nil {
					hash = got.hash
				}
				w.doc.hashes = append(w.doc.hashes, hash)
			}
			if err != nil || w.kind == "$text" || len(w.doc.Includes) > maxPlaceholders {
				continue
			}
			for _, p := range placeholders(got.text) {
				next = append(next, want{doc: w.doc, from: got, placeholder: p})
			}
		}
		level = next
	}
	return ctx.Err()
}

// fetch reads the files that are wanted and were not read before.
func (r *walk) fetch(ctx context.Context, level []want) error {
	var folders []string
	for i := range level {
		w := &level[i]
		from, page := w.doc.Path, w.doc.page
		if w.from != nil {
			from, page = w.from.path, w.from.page
		}
		if w.place, w.err = r.resolve(from, page, w.target, false); w.err != nil {
			continue
		}
		if w.page != nil {
			w.err = r.allowed(w.page)
		} else {
			folders = append(folders, folderOf(w.path))
		}
	}
	if err := r.list(ctx, folders); err != nil {
		return err
	}
	var files []*File
	var fresh []*content
	byFile := map[*File]*content{}
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(Parallel)
	for i := range level {
		w := &level[i]
		if w.err != nil || r.included[w.key()] != nil {
			continue
		}
		c := &content{page: w.page, path: w.path}
		r.included[w.key()] = c
		fresh = append(fresh, c)
		if w.page != nil {
			r.out.Foreign = true
			c.path = Key(w.page)
			group.Go(func() error {
				c.text, c.err = r.Web.Get(groupCtx, c.page)
				return nil
			})
			continue
		}
		f, err := r.file(w.path)
		if err == nil && f.Size > source.MaxDocument {
			err = TooLarge()
		}
		if c.err = err; err == nil {
			files = append(files, &f)
			byFile[&f] = c
		}
	}
	err := r.Tree.Read(ctx, files)
	_ = group.Wait() // no function returns an error
	if err = errors.Join(err, ctx.Err()); err != nil {
		return err
	}
	for _, f := range files {
		byFile[f].text, byFile[f].err, byFile[f].hash = f.Content, f.Err, f.Hash
	}
	for _, c := range fresh {
		if c.err == nil {
			c.err = r.count(c.text)
		}
		var f *Failure
		switch {
		case c.err != nil:
			c.text = nil
			r.out.Failed = r.out.Failed || !errors.As(c.err, &f)
		case c.text == nil:
			c.text = []byte{}
		}
		if c.page != nil && c.err == nil {
			c.hash = blobID(c.text)
		}
	}
	return nil
}

// report makes documents of all that was met.
func (r *walk) report() Reached {
	for _, n := range r.order {
		d := n.Document
		switch {
		case d.Problem != nil:
		case n.unread:
			d.Hash = n.blob
		default:
			d.Hash = r.hash(n)
			if r.Known[d.Path] == d.Hash {
				d.Content, d.Includes = nil, nil
			}
		}
		r.out.Documents = append(r.out.Documents, d)
	}
	slices.SortFunc(r.out.Documents, func(a, b source.Document) int { return strings.Compare(a.Path, b.Path) })
	return r.out
}

// hash is the hash under which a document is reported.
func (r *walk) hash(n *node) string {
	mark := ""
	switch {
	case n.page != nil:
		mark = "@"
	case len(n.Includes) > 0 || len(Targets(n.Content)) > 0:
		mark = "+"
	}
	return n.blob + mark + digest(n)
}

// digest identifies what a document includes; empty if it is nothing.
func digest(n *node) string {
	if len(n.Includes) == 0 {
		return ""
	}
	h := sha256.New()
	for at, i := range n.Includes {
		fmt.Fprintf(h, "%s\x00%s\x00%s\x00%s\x00", i.From, i.Target, i.Path, n.hashes[at])
		if i.Problem != nil {
			fmt.Fprintf(h, "!%s\x00%s\x00", i.Problem.Message, i.Problem.Hint)
		}
	}
	return hex.EncodeToString(h.Sum(nil)[:10])
}

// digestOf identifies the outcome of a walk.
func digestOf(r Reached) string {
	h := sha256.New()
	problem := func(p catalog.Problem) { fmt.Fprintf(h, "!%s\x00", p.Error()) }
	for _, d := range r.Documents {
		fmt.Fprintf(h, "%s\x00%s\x00", d.Path, d.Hash)
		if d.Problem != nil {
			problem(*d.Problem)
		}
	}
	for _, p := range r.Problems {
		problem(p)
	}
	return hex.EncodeToString(h.Sum(nil)[:10])
}
