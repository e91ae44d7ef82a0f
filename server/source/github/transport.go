package github

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/bradleyfalzon/ghinstallation/v2"
	"github.com/gofri/go-github-ratelimit/v2/github_ratelimit"
	"github.com/gofri/go-github-ratelimit/v2/github_ratelimit/github_primary_ratelimit"
	"github.com/gofri/go-github-ratelimit/v2/github_ratelimit/github_secondary_ratelimit"
	gh "github.com/google/go-github/v60/github"
	"golang.org/x/time/rate"

	"github.com/waypost-dev/waypost/server/source"
)

// roundTrip makes a function a transport.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// newTransport stacks up what a request passes through, from the outside in:
//
//	conditional   asks with the validators of the last answer
//	retry         makes a failed GET again, and waits for the primary limit
//	limiter       waits for secondary limits (go-github-ratelimit)
//	meter         counts, bounds what is under way, and reads answers whole
//	authorise     puts the token to it
//	guard         lets nothing out to a foreign host
//
// Authorisation is inside of conditional: neither the key nor what is kept
// knows the token, so a new installation token changes nothing.
func newTransport(o Options, base *url.URL, cache Cache) (http.RoundTripper, error) {
	network := o.Transport
	if network == nil {
		network = http.DefaultTransport
	}
	guard := roundTrip(func(r *http.Request) (*http.Response, error) {
		if r.URL.Host != base.Host || r.URL.Scheme != base.Scheme {
			return nil, fmt.Errorf("refused a request to %s, which is not the configured GitHub", r.URL.Host)
		}
		return network.RoundTrip(r)
	})
	authorised, err := authorise(o, base, guard)
	if err != nil {
		return nil, err
	}
	m := &meter{next: authorised, pace: rate.NewLimiter(rate.Inf, 0), slots: make(chan struct{}, o.Parallel), timeout: o.Timeout}
	if strings.HasSuffix(base.Host, "github.com") || strings.HasSuffix(base.Host, ".ghe.com") {
		// No more than 900 points in a minute, of which a GET costs one (docs:
		// Rate limits for the REST API, "About secondary rate limits").
		m.pace = rate.NewLimiter(14, 60)
	}
	limiter := github_ratelimit.New(m,
		github_primary_ratelimit.WithBypassLimit(), // retry waits; the limiter's own memory mixes REST up with GraphQL
		github_secondary_ratelimit.WithSingleSleepLimit(o.MaxWait, nil),
		github_secondary_ratelimit.WithLimitDetectedCallback(func(c *github_secondary_ratelimit.CallbackContext) {
			spending(c.Request.Context()).waiting(time.Until(*c.ResetTime))
		}),
	)
	return &conditional{name: o.Name, cache: cache, next: &retry{next: limiter, options: o}}, nil
}

func authorise(o Options, base *url.URL, next http.RoundTripper) (http.RoundTripper, error) {
	if o.App != nil {
		apps, err := ghinstallation.NewAppsTransport(next, o.App.ID, o.App.PrivateKey)
		if err != nil {
			return nil, fmt.Errorf("read the GitHub App's private key: %w", err)
		}
		apps.BaseURL = strings.TrimRight(base.String(), "/")
		return &installation{apps: apps, base: base, organisation: o.Organisation, id: o.App.Installation}, nil
	}
	if o.Token == "" {
		return next, nil
	}
	if strings.ContainsFunc(o.Token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return nil, errors.New("the GitHub token has characters that no token has, such as a line break")
	}
	return roundTrip(func(r *http.Request) (*http.Response, error) {
		r = r.Clone(r.Context())
		r.Header.Set("Authorization", "Bearer "+o.Token)
		return next.RoundTrip(r)
	}), nil
}

// installation authorises as a GitHub App, whose installation in the
// organisation it looks up at the first request if it has not been told.
type installation struct {
	apps         *ghinstallation.AppsTransport
	base         *url.URL
	organisation string

	mu   sync.Mutex
	id   int64
	next *ghinstallation.Transport
}

func (i *installation) RoundTrip(r *http.Request) (*http.Response, error) {
	next, err := i.transport(r.Context())
	if err != nil {
		return nil, err
	}
	return next.RoundTrip(r)
}

func (i *installation) transport(ctx context.Context) (*ghinstallation.Transport, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.next != nil {
		return i.next, nil
	}
	if i.id == 0 {
		client := gh.NewClient(&http.Client{Transport: i.apps})
		client.BaseURL = i.base
		found, _, err := client.Apps.FindOrganizationInstallation(ctx, i.organisation)
		if err != nil {
			return nil, fmt.Errorf("find the GitHub App's installation in %s; is it installed there: %w", i.organisation, err)
		}
		i.id = found.GetID()
	}
	i.next = ghinstallation.NewFromAppsTransport(i.apps, i.id)
	return i.next, nil
}

// maxAnswer bounds an answer, in bytes. The largest are recursive trees, which
// GitHub cuts at 7 MB, and blobs of up to source.MaxDocument.
const maxAnswer = 64 << 20

// meter counts requests for the harvest that makes them, bounds how many are
// under way, and reads each answer whole, so that one that is cut short is an
// error of the request.
type meter struct {
	next    http.RoundTripper
	slots   chan struct{}
	pace    *rate.Limiter
	timeout time.Duration
}

func (m *meter) RoundTrip(r *http.Request) (*http.Response, error) {
	select {
	case m.slots <- struct{}{}:
		defer func() { <-m.slots }()
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
	if err := m.pace.Wait(r.Context()); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(r.Context(), m.timeout)
	defer cancel() // the answer has been read whole by then
	// The limiter may send the same request again: each needs a body of its own.
	r = r.Clone(ctx)
	r.Header.Set("User-Agent", "waypost") // GitHub refuses requests without one
	if r.GetBody != nil {
		body, err := r.GetBody()
		if err != nil {
			return nil, err
		}
		r.Body = body
	}
	answer, err := m.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	spending(r.Context()).answered(answer)
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer+1))
	if err != nil {
		return nil, fmt.Errorf("read the answer to %s %s: %w", r.Method, r.URL.Path, err)
	}
	if len(body) > maxAnswer {
		return nil, fmt.Errorf("the answer to %s %s is over %d MB", r.Method, r.URL.Path, maxAnswer>>20)
	}
	answer.Body = io.NopCloser(bytes.NewReader(body))
	answer.ContentLength = int64(len(body))
	return answer, nil
}

// limitError says that GitHub's limit is used up and will not be reset soon
// enough.
type limitError struct {
	reset time.Time
	max   time.Duration
}

func (e *limitError) Error() string {
	return fmt.Sprintf("GitHub's rate limit is used up until %s, which is longer than the %s that a harvest may wait; harvest less often, or use a GitHub App, whose limit grows with the organisation",
		e.reset.Format(time.RFC3339), e.max)
}

const (
	attempts   = 3 // of a GET that fails
	limitTries = 5 // waits for a limit that is said to be over and is not
)

// retry makes a GET that failed again, and waits until the primary limit is
// reset. A POST is a GraphQL query, which whoever made it makes again in
// another form.
type retry struct {
	next    http.RoundTripper
	options Options
}

func (t *retry) RoundTrip(r *http.Request) (*http.Response, error) {
	waits := 0
	for attempt := 1; ; attempt++ {
		answer, err := t.next.RoundTrip(r)
		var limit *github_primary_ratelimit.RateLimitReachedError
		if errors.As(err, &limit) {
			if waits++; waits > limitTries {
				return nil, err
			}
			attempt--
			var reset time.Time
			if limit.ResetTime != nil {
				reset = *limit.ResetTime
			}
			if err := pause(r.Context(), reset, t.options.MaxWait); err != nil {
				return nil, err
			}
			continue
		}
		failed := err != nil || answer.StatusCode >= 500
		if !failed || r.Method != http.MethodGet || attempt == attempts || r.Context().Err() != nil {
			if err == nil && answer.StatusCode < 400 {
				// go-github would refuse further requests by these, without waiting.
				for _, name := range []string{"X-RateLimit-Remaining", "X-RateLimit-Limit", "X-RateLimit-Reset", "X-RateLimit-Used"} {
					answer.Header.Del(name)
				}
			}
			return answer, err
		}
		backoff := t.options.backoff << (attempt - 1)
		if err := sleep(r.Context(), backoff/2+rand.N(backoff)); err != nil {
			return nil, err
		}
	}
}

// pause waits for a limit to be reset, and shows that it does.
func pause(ctx context.Context, reset time.Time, longest time.Duration) error {
	// A second more, for clocks that differ a little.
	wait := max(time.Until(reset), 0) + time.Second
	if wait > longest {
		return &limitError{reset, longest}
	}
	spending(ctx).waiting(wait)
	return sleep(ctx, wait)
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// budget is what one harvest has spent.
type budget struct {
	mu    sync.Mutex
	spent source.Budget
	out   source.Out
}

type budgetKey struct{}

// withBudget makes requests in this context be counted for out.
func withBudget(ctx context.Context, out source.Out) context.Context {
	return context.WithValue(ctx, budgetKey{}, &budget{out: out, spent: source.Budget{Remaining: -1, Limit: -1}})
}

// spending is the budget of the harvest that a request is made for; a new one
// that nobody sees if there is none.
func spending(ctx context.Context) *budget {
	if b, ok := ctx.Value(budgetKey{}).(*budget); ok {
		return b
	}
	return &budget{}
}

func (b *budget) answered(answer *http.Response) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.spent.Waiting = 0
	if answer.StatusCode == http.StatusNotModified {
		b.spent.Free++
	} else {
		b.spent.Counted++
	}
	number := func(name string) (int, bool) {
		n, err := strconv.Atoi(answer.Header.Get(name))
		return n, err == nil
	}
	remaining, ok1 := number("X-RateLimit-Remaining")
	limit, ok2 := number("X-RateLimit-Limit")
	reset, ok3 := number("X-RateLimit-Reset")
	if ok1 && ok2 && ok3 {
		at := time.Unix(int64(reset), 0)
		// REST and GraphQL have a limit each: the one that is nearer is shown.
		if b.spent.Limit < 0 || remaining <= b.spent.Remaining || at.After(b.spent.Reset) {
			b.spent.Remaining, b.spent.Limit, b.spent.Reset = remaining, limit, at
		}
	}
	b.tell()
}

func (b *budget) waiting(d time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.spent.Waiting = d
	b.tell()
}

func (b *budget) tell() {
	if b.out != nil {
		b.out.Spent(b.spent)
	}
}
