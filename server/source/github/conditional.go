package github

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
)

// conditional asks for lists with the validator of the last answer, and gives
// that answer again when GitHub says that it still holds. It asks each time:
// what GitHub says of an answer's age (max-age=60) would hide changes.
//
// It takes the place of a general cache such as httpcache, which writes an
// answer again whenever it was confirmed, and would so write on each harvest
// of an unchanged organisation; and which keeps the Authorization header,
// because GitHub's answers vary with it.
type conditional struct {
	name  string // of the source, under which it keeps
	cache Cache
	next  http.RoundTripper
}

// confirmed is the header that marks an answer that GitHub confirmed.
const confirmed = "X-Waypost-Confirmed"

// kept is the first line of a cache entry; the body follows.
type kept struct {
	ETag string `json:"etag"`
	Link string `json:"link,omitempty"`
}

func (c *conditional) RoundTrip(r *http.Request) (*http.Response, error) {
	// Only the organisation's lists are asked for again and again.
	if r.Method != http.MethodGet || !strings.Contains(r.URL.Path, "/orgs/") {
		return c.next.RoundTrip(r)
	}
	// Not the host: the sample organisation is served at another port each time.
	key := c.name + " GET " + r.URL.RequestURI()
	head, body, ok := c.load(key)
	switch {
	case ok:
		r = r.Clone(r.Context())
		r.Header.Set("If-None-Match", head.ETag)
	case !mayAsk(r.Context()):
		return nil, errAllowance
	}
	answer, err := c.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	answer.Header.Del(confirmed)
	switch {
	case ok && answer.StatusCode == http.StatusNotModified:
		answer.StatusCode, answer.Status = http.StatusOK, "200 OK"
		answer.Header.Set(confirmed, "1")
		answer.Header.Set("Content-Type", "application/json; charset=utf-8")
		if head.Link != "" {
			answer.Header.Set("Link", head.Link)
		}
	case answer.StatusCode == http.StatusOK && answer.Header.Get("ETag") != "":
		if body, err = io.ReadAll(answer.Body); err != nil {
			return nil, err
		}
		body = lean(body)
		c.store(key, kept{answer.Header.Get("ETag"), answer.Header.Get("Link")}, body)
	default:
		return answer, nil
	}
	answer.Body = io.NopCloser(bytes.NewReader(body))
	answer.ContentLength = int64(len(body))
	return answer, nil
}

// errAllowance is a list whose validator is not known, and more such lists
// than may be asked for.
var errAllowance = errors.New("the allowance for lists without a validator is used up")

type allowanceKey struct{}

// withAllowance lets requests in this context ask for so many lists of which
// no validator is known. Without it there is no bound.
func withAllowance(ctx context.Context, lists int) context.Context {
	left := new(atomic.Int64)
	left.Store(int64(lists))
	return context.WithValue(ctx, allowanceKey{}, left)
}

// mayAsk takes one of what is allowed.
func mayAsk(ctx context.Context) bool {
	left, bounded := ctx.Value(allowanceKey{}).(*atomic.Int64)
	return !bounded || left.Add(-1) >= 0
}

// load returns what is kept. An entry that is damaged is none.
func (c *conditional) load(key string) (kept, []byte, bool) {
	value, ok := c.cache.Get(key)
	if !ok {
		return kept{}, nil, false
	}
	line, body, ok := bytes.Cut(value, []byte("\n"))
	var head kept
	if !ok || json.Unmarshal(line, &head) != nil || head.ETag == "" || !json.Valid(body) {
		return kept{}, nil, false
	}
	return head, body, true
}

func (c *conditional) store(key string, head kept, body []byte) {
	if !json.Valid(body) {
		return
	}
	line, err := json.Marshal(head)
	if err != nil {
		return
	}
	c.cache.Set(key, append(append(line, '\n'), body...))
}

// lean leaves the addresses out of a list, but for those of web pages and
// pictures. Of an entry in a list of repositories they are four fifths, and
// what is kept is read again on every harvest.
func lean(body []byte) []byte {
	var list []map[string]json.RawMessage
	if json.Unmarshal(body, &list) != nil || list == nil {
		return body // no list, or not one of objects
	}
	for _, entry := range list {
		leanEntry(entry)
		for key, value := range entry {
			var inner map[string]json.RawMessage
			if value[0] == '{' && json.Unmarshal(value, &inner) == nil {
				leanEntry(inner)
				if small, err := json.Marshal(inner); err == nil {
					entry[key] = small
				}
			}
		}
	}
	small, err := json.Marshal(list)
	if err != nil {
		return body
	}
	return small
}

func leanEntry(entry map[string]json.RawMessage) {
	for key := range entry {
		if (key == "url" || strings.HasSuffix(key, "_url")) && key != "html_url" && key != "avatar_url" {
			delete(entry, key)
		}
	}
}
