package github

import (
	"context"
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"

	gh "github.com/google/go-github/v60/github"
	"golang.org/x/sync/errgroup"

	"github.com/waypost-dev/waypost/server/source/reach"
)

const (
	// maxFiles is how many files are asked for in one query.
	maxFiles = 100
	// maxBytes is how many bytes they may have together.
	maxBytes = 4 << 20
	// maxText is the size above which GraphQL cuts the text of a file short.
	maxText = 500_000
)

// file is one that must be read.
type file struct {
	repo *reading
	path string
	oid  string
	size int64
	link bool // a symbolic link, which REST follows within the repository
	// done takes the content, or why there is none.
	done func(oid string, content []byte, err error)
}

// readFiles reads the files that were queued, a hundred at a time. What makes
// less than a full query waits for more, unless it is the rest.
func (r *reader) readFiles(ctx context.Context, rest bool) error {
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(r.s.o.Parallel)
	for {
		next := r.takeFiles(rest)
		if len(next) == 0 {
			return group.Wait()
		}
		group.Go(func() error {
			if err := r.readTexts(groupCtx, next, 1); err != nil {
				return err
			}
			return r.deliver(groupCtx, next)
		})
	}
}

func (r *reader) takeFiles(rest bool) []*file {
	r.mu.Lock()
	defer r.mu.Unlock()
	n, bytes := 0, int64(0)
	for n < len(r.files) && n < maxFiles && bytes <= maxBytes {
		bytes += r.files[n].size
		n++
	}
	if n == 0 || !rest && n < maxFiles && bytes <= maxBytes {
		return nil
	}
	next := r.files[:n]
	r.files = r.files[n:]
	return next
}

// deliver reports the repositories of which these were the last files.
func (r *reader) deliver(ctx context.Context, files []*file) error {
	for _, f := range files {
		r.mu.Lock()
		f.repo.missing--
		whole := f.repo.missing == 0
		r.mu.Unlock()
		if !whole {
			continue
		}
		if err := r.report(ctx, f.repo); err != nil {
			return err
		}
	}
	return nil
}

// readTexts reads files by GraphQL, and by REST those that GraphQL does not
// give byte for byte.
func (r *reader) readTexts(ctx context.Context, files []*file, try int) error {
	var texts, raw []*file
	for _, f := range files {
		if f.link || f.size > maxText {
			raw = append(raw, f)
		} else {
			texts = append(texts, f)
		}
	}
	if len(texts) > 0 {
		left, err := r.queryTexts(ctx, texts)
		var tooMuch *errTooMuch
		if err != nil && !errors.As(err, &tooMuch) {
			return fmt.Errorf("read files of %s: %w", r.s.o.Organisation, err)
		}
		if broken := r.went(err); broken != nil {
			return fmt.Errorf("read files of %s: %w", r.s.o.Organisation, broken)
		}
		switch {
		case err != nil && len(texts) > 1:
			half := len(texts) / 2
			if err := r.readTexts(ctx, texts[:half], 1); err != nil {
				return err
			}
			if err := r.readTexts(ctx, texts[half:], 1); err != nil {
				return err
			}
		case err != nil && try < maxTries:
			if err := sleep(ctx, r.s.o.backoff<<try); err != nil {
				return err
			}
			if err := r.readTexts(ctx, texts, try+1); err != nil {
				return err
			}
		case err != nil:
			raw = append(raw, texts...)
		default:
			raw = append(raw, left...)
		}
	}
	for _, f := range raw {
		oid, content, err := r.raw(ctx, f)
		if err != nil && fatal(ctx, err) {
			return r.listingError(err)
		}
		f.done(oid, content, err)
	}
	return nil
}

// queryTexts asks for the text of files. It returns those that must be read in
// another way: binary ones, those that are cut short, and those of which
// GitHub changed bytes to make text of them.
func (r *reader) queryTexts(ctx context.Context, files []*file) ([]*file, error) {
	var q strings.Builder
	variables := map[string]any{}
	q.WriteString("{\n")
	byRepo := map[*reading][]int{}
	var order []*reading
	for i, f := range files {
		if byRepo[f.repo] == nil {
			order = append(order, f.repo)
		}
		byRepo[f.repo] = append(byRepo[f.repo], i)
	}
	for i, repo := range order {
		fmt.Fprintf(&q, "  r%d: node(id: %q) { ... on Repository {\n", i, repo.ID)
		for _, at := range byRepo[repo] {
			fmt.Fprintf(&q, "    f%d: object(oid: %q) { ... on Blob { isBinary isTruncated text } }\n", at, files[at].oid)
		}
		q.WriteString("  } }\n")
	}
	q.WriteString("}\n")
	type blob struct {
		IsBinary    *bool
		IsTruncated bool
		Text        *string
	}
	var data map[string]map[string]*blob
	// What is wrong with a single file is found out when it is read by REST.
	if _, err := r.s.query(ctx, q.String(), variables, &data); err != nil {
		return nil, err
	}
	var left []*file
	for i, repo := range order {
		for _, at := range byRepo[repo] {
			f := files[at]
			b := data["r"+strconv.Itoa(i)]["f"+strconv.Itoa(at)]
			if b == nil || b.Text == nil || b.IsTruncated || blobID([]byte(*b.Text)) != f.oid {
				left = append(left, f)
				continue
			}
			f.done(f.oid, []byte(*b.Text), nil)
		}
	}
	return left, nil
}

// raw reads one file by REST.
func (r *reader) raw(ctx context.Context, f *file) (string, []byte, error) {
	if f.link {
		return r.follow(ctx, f)
	}
	content, _, err := r.s.rest.Git.GetBlobRaw(ctx, f.repo.Owner, f.repo.Name, f.oid)
	if err != nil {
		return "", nil, err
	}
	if id := blobID(content); id != f.oid {
		return "", nil, fmt.Errorf("GitHub sent another file: its id is %s, not %s", id, f.oid)
	}
	if content == nil {
		content = []byte{}
	}
	return f.oid, content, nil
}

// follow reads what a symbolic link leads to. GitHub follows a link to a file
// of the same repository, and no other.
func (r *reader) follow(ctx context.Context, f *file) (string, []byte, error) {
	target, _, _, err := r.s.rest.Repositories.GetContents(ctx, f.repo.Owner, f.repo.Name, f.path, &gh.RepositoryContentGetOptions{Ref: f.repo.Commit})
	if err != nil {
		return "", nil, err
	}
	if target.GetType() != "file" {
		return "", nil, reach.LeadsNowhere()
	}
	text, err := target.GetContent()
	if err != nil {
		return "", nil, err
	}
	return blobID([]byte(text)), []byte(text), nil
}

// blobID is git's id of a file's content (gitformat-pack, "Object types").
func blobID(content []byte) string {
	h := sha1.New()
	fmt.Fprintf(h, "blob %d\x00", len(content))
	h.Write(content)
	return hex.EncodeToString(h.Sum(nil))
}
