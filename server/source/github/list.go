package github

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
	gh "github.com/google/go-github/v60/github"
	"golang.org/x/sync/errgroup"
)

// fetch asks for one page of a list.
type fetch[T any] func(context.Context, gh.ListOptions) ([]T, *gh.Response, error)

// pages is a list, page by page, and whether every page was confirmed to be
// what it was the last time.
type pages[T any] struct {
	list      [][]T
	confirmed bool
}

func (p pages[T]) all() []T { return slices.Concat(p.list...) }

// errNoList is an answer that is JSON and no list, not even an empty one.
var errNoList = errors.New("GitHub answered null in place of a list")

// maxListed bounds a list, in pages: a million entries.
const maxListed = 10_000

// list asks for all pages: for the first, which says how many there are, and
// then for the others side by side. Total is told the number of pages, when it
// is set.
func list[T any](ctx context.Context, o *Options, parallel int, get fetch[T], total func(pages int)) (pages[T], error) {
	first, answer, err := get(ctx, gh.ListOptions{Page: 1, PerPage: o.pageSize})
	if err != nil {
		return pages[T]{}, err
	}
	if first == nil {
		return pages[T]{}, errNoList
	}
	last := max(answer.LastPage, 1)
	if last > maxListed {
		return pages[T]{}, fmt.Errorf("the list has %d pages; %d are allowed", last, maxListed)
	}
	if total != nil {
		total(last)
	}
	found := pages[T]{list: make([][]T, last)}
	found.list[0] = first
	answers := make([]*gh.Response, last)
	answers[0] = answer
	outer := ctx
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(parallel)
	for page := 2; page <= last; page++ {
		group.Go(func() (err error) {
			found.list[page-1], answers[page-1], err = get(ctx, gh.ListOptions{Page: page, PerPage: o.pageSize})
			if err == nil && found.list[page-1] == nil {
				err = errNoList
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return pages[T]{}, err
	}
	// The first page may have been confirmed, and then comes with the Link of
	// the time when it was read: pages have been added since if the last one is
	// full. It also may have been added to while we read.
	for at := last - 1; len(found.list[at]) >= o.pageSize || answers[at].NextPage != 0; at++ {
		if at+1 >= maxListed {
			return pages[T]{}, fmt.Errorf("the list has more than %d pages", maxListed)
		}
		more, answer, err := get(outer, gh.ListOptions{Page: at + 2, PerPage: o.pageSize})
		if err == nil && more == nil {
			err = errNoList
		}
		if err != nil {
			return pages[T]{}, err
		}
		found.list, answers = append(found.list, more), append(answers, answer)
	}
	found.confirmed = true
	for _, answer := range answers {
		found.confirmed = found.confirmed && answer.Header.Get(confirmed) != ""
	}
	return found, nil
}

// passes bounds how often a list is read until it holds still.
const passes = 5

// repositories lists the organisation. GitHub numbers its pages: when a
// repository is deleted while they are read, those behind it move up, and one
// of them slips from a page that we shall read to one that we have read. So a
// list of several pages is read until all pages are those of the pass before,
// which GitHub does not count.
func (h *harvest) repositories(ctx context.Context) ([]*gh.Repository, error) {
	get := func(ctx context.Context, o gh.ListOptions) ([]*gh.Repository, *gh.Response, error) {
		return h.s.rest.Repositories.ListByOrg(ctx, h.s.o.Organisation, &gh.RepositoryListByOrgOptions{
			Type: "all", Sort: "created", Direction: "asc", ListOptions: o,
		})
	}
	var before pages[*gh.Repository]
	for pass := range passes {
		now, err := list(ctx, &h.s.o, h.s.o.Parallel, get, func(pages int) {
			if pass == 0 {
				h.out.Expect(pages * h.s.o.pageSize)
			}
		})
		if err != nil {
			return nil, h.listingError(err)
		}
		if now.confirmed || len(now.list) == 1 || pass > 0 && slices.EqualFunc(before.list, now.list, sameRepositories) {
			if len(now.all()) == 0 {
				return nil, h.reallyEmpty(ctx)
			}
			return distinct(now.all())
		}
		before = now
	}
	return nil, fmt.Errorf("the list of repositories of %s changed while it was read, %d times in a row", h.s.o.Organisation, passes)
}

// reallyEmpty asks for other evidence before an empty list is believed, because
// it removes everything.
func (h *harvest) reallyEmpty(ctx context.Context) error {
	org, _, err := h.s.rest.Organizations.Get(ctx, h.s.o.Organisation)
	if err != nil {
		return h.listingError(err)
	}
	if !strings.EqualFold(org.GetLogin(), h.s.o.Organisation) || org.PublicRepos == nil {
		return fmt.Errorf("GitHub lists no repositories of %s, and does not say how many it has", h.s.o.Organisation)
	}
	if n := org.GetPublicRepos(); n > 0 {
		return fmt.Errorf("GitHub lists no repositories of %s, which has %d public ones", h.s.o.Organisation, n)
	}
	return nil
}

func sameRepositories(a, b []*gh.Repository) bool {
	return slices.EqualFunc(a, b, func(a, b *gh.Repository) bool { return a.GetNodeID() == b.GetNodeID() })
}

func distinct(listed []*gh.Repository) ([]*gh.Repository, error) {
	seen := make(map[string]bool, len(listed))
	var repositories []*gh.Repository
	for _, r := range listed {
		if r.GetNodeID() == "" || r.GetName() == "" || r.GetOwner().GetLogin() == "" {
			return nil, errors.New("the list of repositories has an entry without id or name")
		}
		if !seen[r.GetNodeID()] {
			seen[r.GetNodeID()] = true
			repositories = append(repositories, r)
		}
	}
	return repositories, nil
}

// listingError says what can be done about a list that cannot be read.
func (h *harvest) listingError(err error) error {
	org := h.s.o.Organisation
	var secondary *gh.AbuseRateLimitError
	if errors.As(err, &secondary) {
		return fmt.Errorf("GitHub asks to wait for %s because of too many requests at once (secondary rate limit), which is longer than the %s that a harvest may wait: %w",
			secondary.GetRetryAfter(), h.s.o.MaxWait, err)
	}
	switch status(err) {
	case http.StatusUnauthorized:
		return fmt.Errorf("GitHub refused the token (401); it may have expired or been revoked: %w", err)
	case http.StatusForbidden:
		return fmt.Errorf("the token may not list the repositories of %s (403); it needs metadata:read and, with SAML, to be authorised for the organisation: %w", org, err)
	case http.StatusNotFound:
		return fmt.Errorf("there is no organisation %s that the token can see (404); is it the name of a user: %w", org, err)
	}
	return fmt.Errorf("list the repositories of %s: %w", org, err)
}

// status is that of GitHub's answer; 0 if there was none.
func status(err error) int {
	var answer *gh.ErrorResponse
	if errors.As(err, &answer) && answer.Response != nil {
		return answer.Response.StatusCode
	}
	return 0
}

// fatal tells whether an error would be met again by everything else that the
// harvest asks for.
func fatal(ctx context.Context, err error) bool {
	var limit *limitError
	var primary *gh.RateLimitError
	var secondary *gh.AbuseRateLimitError
	return ctx.Err() != nil || errors.As(err, &limit) || errors.As(err, &primary) || errors.As(err, &secondary) || status(err) == http.StatusUnauthorized
}

// wanted applies the filters.
func (o *Options) wanted(r *gh.Repository) bool {
	matches := func(globs []string) bool {
		return slices.ContainsFunc(globs, func(g string) bool {
			return doublestar.MatchUnvalidated(strings.ToLower(g), strings.ToLower(r.GetName()))
		})
	}
	tagged := func(topics []string) bool {
		return slices.ContainsFunc(topics, func(t string) bool { return slices.Contains(r.Topics, strings.ToLower(t)) })
	}
	switch {
	case len(o.Include) > 0 && !matches(o.Include), matches(o.Exclude):
		return false
	case len(o.Topics) > 0 && !tagged(o.Topics), tagged(o.NoTopics):
		return false
	case len(o.Visibility) > 0 && !slices.Contains(o.Visibility, visibility(r)):
		return false
	case o.NoArchived && r.GetArchived(), o.NoForks && r.GetFork():
		return false
	}
	return true
}

func visibility(r *gh.Repository) string {
	switch {
	case r.GetVisibility() != "":
		return r.GetVisibility()
	case r.GetPrivate():
		return "private"
	}
	return "public"
}
