package github

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	gh "github.com/google/go-github/v60/github"

	"github.com/waypost-dev/waypost/server/source"
)

var _ source.Inspector = (*Source)(nil)

// forHarvests is the part of GitHub's request limit that inspecting leaves to harvests.
const forHarvests = 0.5

// inspecting is a context whose requests are counted, and the count.
func inspecting(ctx context.Context) (context.Context, *budget) {
	b := &budget{spent: source.Budget{Remaining: -1, Limit: -1}}
	return context.WithValue(ctx, budgetKey{}, b), b
}

// afford tells whether a request may be spent on what a harvest does not need.
func (s *Source) afford() error {
	if left := s.left.Load(); left != nil && left.Reset.After(time.Now()) && float64(left.Remaining) < forHarvests*float64(left.Limit) {
		return fmt.Errorf("%w: %d of GitHub's %d requests are left until %s, and half of them are for harvests",
			source.ErrSpent, left.Remaining, left.Limit, left.Reset.UTC().Format(time.RFC3339))
	}
	return nil
}

// spent remembers what GitHub said is left.
func (s *Source) spent(b *budget) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if left := b.spent; left.Limit > 0 {
		s.left.Store(&left)
	}
}

// split is the owner and the name of a place.
func split(at source.Place) (owner, name string, err error) {
	owner, name, ok := strings.Cut(at.Name, "/")
	if !ok || owner == "" || name == "" {
		return "", "", source.ErrNotGiven
	}
	return owner, name, nil
}

// notThere is source.ErrNotGiven where GitHub says that there is no such thing, or
// nothing in it.
func notThere(answer *gh.Response, err error) error {
	if answer != nil && (answer.StatusCode == http.StatusNotFound || answer.StatusCode == http.StatusConflict) {
		return fmt.Errorf("%w: %w", source.ErrNotGiven, err)
	}
	return err
}

// Files costs one counted request. Of a tree that GitHub cuts short, it is what
// GitHub gives.
func (s *Source) Files(ctx context.Context, at source.Place) ([]string, error) {
	owner, name, err := split(at)
	if err == nil {
		err = s.afford()
	}
	if err != nil {
		return nil, fmt.Errorf("list the files of %s: %w", at.Name, err)
	}
	ctx, b := inspecting(ctx)
	tree, answer, err := s.rest.Git.GetTree(ctx, owner, name, at.Commit, true)
	s.spent(b)
	if err != nil {
		return nil, fmt.Errorf("list the files of %s: %w", at.Name, notThere(answer, err))
	}
	prefix := at.Folder
	if prefix != "" {
		prefix += "/"
	}
	var out []string
	for _, e := range tree.Entries {
		if e.GetType() == "blob" && strings.HasPrefix(e.GetPath(), prefix) && len(out) < source.MaxFiles {
			out = append(out, e.GetPath())
		}
	}
	return out, nil
}

// Content costs one counted request.
func (s *Source) Content(ctx context.Context, at source.Place, path string) ([]byte, error) {
	owner, name, err := split(at)
	if err == nil {
		err = s.afford()
	}
	if err != nil {
		return nil, fmt.Errorf("read %s of %s: %w", path, at.Name, err)
	}
	ctx, b := inspecting(ctx)
	file, _, answer, err := s.rest.Repositories.GetContents(ctx, owner, name, path, &gh.RepositoryContentGetOptions{Ref: at.Commit})
	s.spent(b)
	if err != nil {
		return nil, fmt.Errorf("read %s of %s: %w", path, at.Name, notThere(answer, err))
	}
	if file.GetType() != "file" || file.GetSize() > source.MaxDocument {
		return nil, fmt.Errorf("read %s of %s: %w", path, at.Name, source.ErrNotGiven)
	}
	text, err := file.GetContent()
	if err != nil {
		return nil, fmt.Errorf("read %s of %s: %w", path, at.Name, err)
	}
	return []byte(text), nil
}

// Commits costs one counted request for each 100 commits.
func (s *Source) Commits(ctx context.Context, at source.Place, since time.Time, limit int) ([]source.Commit, error) {
	owner, name, err := split(at)
	if err != nil {
		return nil, fmt.Errorf("list the commits of %s: %w", at.Name, err)
	}
	o := &gh.CommitsListOptions{SHA: at.Commit, Path: at.Folder, Since: since, ListOptions: gh.ListOptions{PerPage: 100}}
	ctx, b := inspecting(ctx)
	var out []source.Commit
	for {
		if err := s.afford(); err != nil {
			return nil, fmt.Errorf("list the commits of %s: %w", at.Name, err)
		}
		page, answer, err := s.rest.Repositories.ListCommits(ctx, owner, name, o)
		s.spent(b)
		if err != nil {
			return nil, fmt.Errorf("list the commits of %s: %w", at.Name, notThere(answer, err))
		}
		for _, c := range page {
			if len(c.Parents) > 1 {
				continue
			}
			author := c.GetCommit().GetAuthor()
			out = append(out, source.Commit{
				Hash: c.GetSHA(), Author: c.GetAuthor().GetLogin(), Email: author.GetEmail(), Name: author.GetName(), Time: author.GetDate().Time,
			})
			if len(out) == limit {
				return out, nil
			}
		}
		if answer.NextPage == 0 {
			return out, nil
		}
		o.Page = answer.NextPage
	}
}
