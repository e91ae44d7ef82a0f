package webhook_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	gh "github.com/google/go-github/v60/github"
	"github.com/stretchr/testify/require"

	"github.com/waypost-dev/waypost/server/source/github"
	"github.com/waypost-dev/waypost/server/source/githubtest/octokit"
	"github.com/waypost-dev/waypost/server/store"
	"github.com/waypost-dev/waypost/server/webhook"
)

func TestAccepted(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, dsn string) {
		s := open(t, dsn)
		woken := make(chan string, 10)
		i := inbox(t, s, sourcesOf(acme, "gitlab:acme"), webhook.Options{
			Wake: func(_ context.Context, name string) error { woken <- name; return errors.New("is only logged") },
		})
		body := []byte(`{"ref":"refs/heads/main"}`)
		begin := time.Now()
		code, answer, _ := send(t, i, request("/webhooks/github:acme", "push", "1", body))
		require.Equal(t, http.StatusAccepted, code)
		require.Equal(t, webhook.Answer{Status: "accepted", Delivery: "1", Sources: []string{acme}}, answer)
		got := waiting(t, s, acme)
		require.Len(t, got, 1)
		require.WithinDuration(t, begin, got[0].Received, 30*time.Second)
		got[0].Received = time.Time{}
		require.Empty(t, cmp.Diff(store.Delivery{ID: "1", Source: acme, Event: "push", Payload: body, Waiting: true}, got[0]))
		require.Equal(t, acme, <-woken)

		code, answer, _ = send(t, i, request("/webhooks/github", "push", "1", []byte(`{"other":1}`)))
		require.Equal(t, http.StatusOK, code)
		require.Equal(t, "duplicate", answer.Status)
		got = waiting(t, s, acme)
		require.Len(t, got, 1)
		require.Equal(t, body, got[0].Payload, "the first one stands")

		// The same id from another forge is another delivery.
		code, _, _ = send(t, i, request("/webhooks/gitlab:acme", "push", "1", body))
		require.Equal(t, http.StatusAccepted, code)
		require.Equal(t, "gitlab:acme", <-woken)

		code, answer, _ = send(t, i, request("/webhooks/github", "ping", "2", []byte(`{"zen":"Design for failure."}`)))
		require.Equal(t, http.StatusAccepted, code)
		require.Equal(t, "pong", answer.Status)
		require.Equal(t, "pong", deliveries(t, s, acme)[0].Outcome)
		require.Len(t, waiting(t, s, acme), 1, "a ping calls for nothing")
		i.Close()
		require.Empty(t, woken, "neither a duplicate nor a ping wakes anybody")
		code, answer, header := send(t, i, request("/webhooks/github", "push", "3", body))
		require.Equal(t, http.StatusServiceUnavailable, code)
		require.Contains(t, answer.Message, "the server is stopping")
		require.NotEmpty(t, header.Get("Retry-After"))
		require.Len(t, deliveries(t, s, ""), 3)
	})
}

// What is of no interest whatever it says is known, and not kept.
func TestUninteresting(t *testing.T) {
	t.Parallel()
	s := memory(t)
	woken := make(chan string, 10)
	i := inbox(t, s, sourcesOf(acme), webhook.Options{Wake: func(_ context.Context, name string) error { woken <- name; return nil }})
	code, answer, _ := send(t, i, request("/webhooks/github", "star", "1", []byte(`{}`)))
	require.Equal(t, http.StatusAccepted, code)
	require.Equal(t, webhook.Answer{Status: "ignored", Message: "stars are not in the catalog", Delivery: "1", Sources: []string{acme}}, answer)
	got := deliveries(t, s, acme)
	require.Len(t, got, 1)
	require.False(t, got[0].Waiting)
	require.Equal(t, "ignored: stars are not in the catalog", got[0].Outcome)
	code, answer, _ = send(t, i, request("/webhooks/github", "star", "1", []byte(`{}`)))
	require.Equal(t, http.StatusOK, code)
	require.Equal(t, "duplicate", answer.Status)
	require.Empty(t, woken)

	code, answer, _ = send(t, i, request("/webhooks/github", "crash", "2", []byte(`{}`)))
	require.Equal(t, http.StatusAccepted, code)
	require.Equal(t, "accepted", answer.Status, "it is looked at later, where it is marked as failed")
	require.Equal(t, acme, <-woken)
	require.NoError(t, i.Drain(t.Context(), acme))
	require.Equal(t, "failed: panic: index out of range", deliveries(t, s, acme)[0].Outcome)
}

// What a process left that ended before it could tell anybody is remembered.
func TestRecall(t *testing.T) {
	t.Parallel()
	s := memory(t)
	put(t, s, `{}`)
	woken := make(chan string, 10)
	inbox(t, s, sourcesOf(acme, "github:other"), webhook.Options{Wake: func(_ context.Context, name string) error { woken <- name; return nil }})
	select {
	case name := <-woken:
		require.Equal(t, acme, name)
	case <-time.After(30 * time.Second):
		require.Fail(t, "nobody was told")
	}
}

// Each example of Octokit's goes through: to its organisation, and to an
// outcome that is no failure.
func TestExamples(t *testing.T) {
	t.Parallel()
	s, e := memory(t), &engine{}
	var sources []webhook.Source
	for _, organisation := range []string{"Codertocat", "Octocoders", "octocat"} {
		real, err := github.New(github.Options{Organisation: organisation, Token: "none"})
		require.NoError(t, err)
		sources = append(sources, webhook.Source{Announcer: real, Secrets: []string{secret}})
	}
	i := inbox(t, s, sources, e.options())
	statuses := map[string]int{}
	for _, from := range []string{"api.github.com", "ghes-35"} {
		for _, event := range octokit.Webhooks(t, from) {
			for n, example := range event.Examples {
				code, answer, _ := send(t, i, request("/webhooks/github", event.Name, fmt.Sprint(from, event.Name, n), example))
				if code == http.StatusNotFound { // of other organisations than the three
					require.Contains(t, answer.Message, "the payload is of", "%s %s", event.Name, example)
				} else {
					require.Equal(t, http.StatusAccepted, code, "%s: %s", event.Name, answer.Message)
				}
				statuses[answer.Status]++
			}
		}
	}
	for _, source := range sources {
		require.NoError(t, i.Drain(t.Context(), source.Name()))
	}
	words := map[string]int{}
	for _, d := range deliveries(t, s, "") {
		word, _, _ := strings.Cut(d.Outcome, " ")
		words[word]++
		require.Contains(t, []string{"pong", "ignored:", "refreshed", "asked"}, word, "%s of %s: %s", d.ID, d.Source, d.Outcome)
	}
	t.Logf("answers %v, outcomes %v", statuses, words)
	require.Greater(t, statuses["accepted"], 20)
	require.Greater(t, words["refreshed"], 10)
}

// What is refused leaves nothing behind, and says why.
func TestRefused(t *testing.T) {
	t.Parallel()
	s := memory(t)
	sources := append(sourcesOf(acme), webhook.Source{Announcer: announcer{name: "github:bare"}})
	i := inbox(t, s, sources, webhook.Options{})
	body := []byte(`{"a":1}`)
	form := []byte("payload=" + url.QueryEscape(string(body)))
	const path = "/webhooks/github:acme"
	set := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	content := func(kind string, body []byte) func(*http.Request) {
		return func(r *http.Request) {
			*r = *request(path, "push", "1", body)
			r.Header.Set("Content-Type", kind)
		}
	}
	for name, test := range map[string]struct {
		path    string
		change  func(*http.Request)
		code    int
		message string
	}{
		"path":             {"/webhooks/github:other", nil, 404, "no source that takes webhooks is configured under this path"},
		"no path":          {"/webhooks/", nil, 404, "/webhooks/github:acme"},
		"prefix":           {"/webhooks/git", nil, 404, "no source"},
		"method":           {path, func(r *http.Request) { r.Method = http.MethodGet }, 405, "POST"},
		"no secret":        {"/webhooks/github:bare", nil, 403, "no webhook secret is configured for github:bare"},
		"unsigned":         {path, func(r *http.Request) { r.Header.Del("X-Hub-Signature-256") }, 401, "the delivery is not signed"},
		"sha1":             {path, func(r *http.Request) { r.Header.Del("X-Hub-Signature-256"); r.Header.Set("X-Hub-Signature", "sha1=00") }, 401, "SHA-1 alone"},
		"sha1 as 256":      {path, set("X-Hub-Signature-256", "sha1=56f6a3b0b0e0c0e0d0e0"), 401, "does not begin with sha256="},
		"not hex":          {path, set("X-Hub-Signature-256", "sha256="+strings.Repeat("x", 64)), 401, "64 hexadecimal digits"},
		"short":            {path, set("X-Hub-Signature-256", "sha256=00"), 401, "64 hexadecimal digits"},
		"empty signature":  {path, set("X-Hub-Signature-256", "sha256="), 401, "64 hexadecimal digits"},
		"wrong secret":     {path, set("X-Hub-Signature-256", sign(body, "another")), 401, "the signature does not match"},
		"empty secret":     {path, set("X-Hub-Signature-256", sign(body, "")), 401, "the signature does not match"},
		"other body":       {path, set("X-Hub-Signature-256", sign([]byte(`{"a":2}`), secret)), 401, "the signature does not match"},
		"no event":         {path, func(r *http.Request) { r.Header.Del("X-GitHub-Event") }, 400, "X-GitHub-Event is missing"},
		"no delivery":      {path, func(r *http.Request) { r.Header.Del("X-GitHub-Delivery") }, 400, "X-GitHub-Delivery is missing"},
		"long delivery":    {path, set("X-GitHub-Delivery", strings.Repeat("1", 201)), 400, "X-GitHub-Delivery is not a word"},
		"odd event":        {path, set("X-GitHub-Event", "push\x00"), 400, "X-GitHub-Event is not a word"},
		"two words":        {path, set("X-GitHub-Event", "push it"), 400, "X-GitHub-Event is not a word"},
		"no content type":  {path, set("Content-Type", ""), 415, "neither application/json nor"},
		"content type":     {path, set("Content-Type", "text/plain"), 415, "neither application/json nor"},
		"odd content type": {path, set("Content-Type", "application/json; ="), 415, "neither application/json nor"},
		"form without it":  {path, content("application/x-www-form-urlencoded", []byte("load=1")), 400, "no field payload"},
		"broken form":      {path, content("application/x-www-form-urlencoded", []byte("payload=%zz")), 400, "the field payload of the form"},
		"form signed as JSON": {path, func(r *http.Request) {
			content("application/x-www-form-urlencoded", form)(r)
			set("X-Hub-Signature-256", sign(body, secret))(r)
		}, 401, "the signature does not match"},
		"too large": {path, content("application/json", make([]byte, webhook.MaxBody+1)), 413, "over 25 MiB"},
		"too large, untold": {path, func(r *http.Request) {
			content("application/json", make([]byte, webhook.MaxBody+1))(r)
			r.ContentLength = -1
		}, 413, "over 25 MiB"},
		"cut off": {path, func(r *http.Request) {
			r.Body = io.NopCloser(io.MultiReader(strings.NewReader(`{"a`), failing{}))
		}, 400, "read the body: the line is dead"},
		"cut short": {path, func(r *http.Request) { r.Body = io.NopCloser(strings.NewReader(`{"a`)) }, 401, "the signature does not match"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := request(test.path, "push", "1", body)
			if test.change != nil {
				test.change(r)
			}
			code, answer, _ := send(t, i, r)
			require.Equal(t, test.code, code, answer.Message)
			require.Contains(t, answer.Message, test.message)
			require.Empty(t, answer.Status)
			require.Empty(t, deliveries(t, s, ""))
		})
	}
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errors.New("the line is dead") }

// Without any secret the forge's own path refuses too.
func TestNoSecret(t *testing.T) {
	t.Parallel()
	i := inbox(t, memory(t), []webhook.Source{{Announcer: announcer{name: acme}}}, webhook.Options{})
	body := []byte(`{}`)
	r := request("/webhooks/github", "push", "1", body)
	r.Header.Set("X-Hub-Signature-256", sign(body, ""))
	code, answer, _ := send(t, i, r)
	require.Equal(t, http.StatusForbidden, code)
	require.Contains(t, answer.Message, "configure one")
}

func TestNew(t *testing.T) {
	t.Parallel()
	s, e := memory(t), &engine{}
	_, err := webhook.New(s, sourcesOf(acme, acme), nil, e.options())
	require.ErrorContains(t, err, "github:acme is there twice")
	_, err = webhook.New(s, []webhook.Source{{Announcer: announcer{name: acme}, Secrets: []string{"a", " \n"}}}, nil, e.options())
	require.ErrorContains(t, err, "a secret of source github:acme is empty")
	_, err = webhook.New(s, nil, nil, webhook.Options{})
	require.ErrorContains(t, err, "nothing is there to refresh")
}

// While a secret is replaced, both are good.
func TestRotation(t *testing.T) {
	t.Parallel()
	i := inbox(t, memory(t), []webhook.Source{{Announcer: announcer{name: acme}, Secrets: []string{"old", "new"}}}, webhook.Options{})
	body := []byte(`{}`)
	for n, key := range []string{"old", "new", "older"} {
		r := request("/webhooks/github", "push", fmt.Sprint(n), body)
		r.Header.Set("X-Hub-Signature-256", sign(body, key))
		code, answer, _ := send(t, i, r)
		require.Equal(t, []int{202, 202, 401}[n], code, answer.Message)
	}
}

// GitHub signs the body as it is sent, whichever its form is; its own client
// reads the same from it.
func TestForm(t *testing.T) {
	t.Parallel()
	s := memory(t)
	i := inbox(t, s, sourcesOf(acme), webhook.Options{})
	text := "{\"message\":\"a & b = c+d % ü \\u0000\"}"
	body := []byte(url.Values{"payload": {text}}.Encode())
	r := request("/webhooks/github", "push", "1", body)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	theirs, err := gh.ValidatePayload(r.Clone(t.Context()), []byte(secret))
	require.NoError(t, err)
	r.Body = io.NopCloser(bytes.NewReader(body))
	code, answer, _ := send(t, i, r)
	require.Equal(t, http.StatusAccepted, code, answer.Message)
	require.Equal(t, text, string(waiting(t, s, acme)[0].Payload))
	require.Equal(t, text, string(theirs))
}

func TestLargest(t *testing.T) {
	t.Parallel()
	s := memory(t)
	i := inbox(t, s, sourcesOf(acme), webhook.Options{})
	body := bytes.Repeat([]byte("x"), webhook.MaxBody)
	for n, length := range []int64{webhook.MaxBody, -1} {
		r := request("/webhooks/github", "push", fmt.Sprint(n), body)
		r.ContentLength = length
		code, answer, _ := send(t, i, r)
		require.Equal(t, http.StatusAccepted, code, answer.Message)
	}
	require.True(t, bytes.Equal(body, waiting(t, s, acme)[0].Payload))

	form := append([]byte("payload="), body[len("payload="):]...)
	r := request("/webhooks/github", "push", "form", form)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	code, answer, _ := send(t, i, r)
	require.Equal(t, http.StatusAccepted, code, answer.Message)
}

// One URL serves several organisations: the payload says which, and only among
// those whose secret signed it.
func TestDispatch(t *testing.T) {
	t.Parallel()
	s := memory(t)
	sources := append(sourcesOf(acme, "github:Beta"),
		webhook.Source{Announcer: announcer{name: "github:own"}, Secrets: []string{"own"}},
		webhook.Source{Announcer: announcer{name: "github:bare"}},
		webhook.Source{Announcer: announcer{name: "gitlab:acme"}, Secrets: []string{secret}})
	i := inbox(t, s, sources, webhook.Options{})
	for n, test := range []struct {
		event, payload, key string
		code                int
		want                string // sources, or part of the message
	}{
		{"push", `{"organization":{"login":"acme"}}`, secret, 202, "github:acme"},
		{"push", `{"organization":{"login":"ACME"}}`, secret, 202, "github:acme"},
		{"push", `{"repository":{"owner":{"login":"beta"}}}`, secret, 202, "github:Beta"},
		{"installation", `{"installation":{"account":{"login":"beta"}}}`, secret, 202, "github:Beta"},
		{"repository", `{"organization":{"login":"beta"},"changes":{"owner":{"from":{"organization":{"login":"acme"}}}}}`, secret, 202, "github:acme github:Beta"},
		{"push", `{"organization":{"login":"own"}}`, "own", 202, "github:own"},
		{"push", `{"organization":{"login":"own"}}`, secret, 404, `of "own", and no source with the secret that it is signed with`},
		{"push", `{"organization":{"login":"acme"}}`, "own", 404, `of "acme"`},
		{"push", `{"organization":{"login":"bare"}}`, secret, 404, `of "bare"`},
		{"push", `{"organization":{"login":"stranger"}}`, secret, 404, `of "stranger"`},
		{"push", `{"organization":{"login":"acme"}}`, "wrong", 401, "the signature does not match"},
		{"ping", `{"organization":{"login":"beta"}}`, secret, 202, "github:Beta"},
		{"ping", `{"hook":{}}`, secret, 202, ""},
		{"security_advisory", `{"organization":{"login":7}}`, secret, 202, "names no organisation"},
		{"push", `not JSON`, secret, 202, "names no organisation"},
		{"push", ``, secret, 202, "names no organisation"},
	} {
		body := []byte(test.payload)
		r := request("/webhooks/github", test.event, fmt.Sprint(n), body)
		r.Header.Set("X-Hub-Signature-256", sign(body, test.key))
		before := len(deliveries(t, s, ""))
		code, answer, _ := send(t, i, r)
		require.Equal(t, test.code, code, "%s: %s", test.payload, answer.Message)
		if len(answer.Sources) == 0 {
			require.Contains(t, answer.Message, test.want, test.payload)
		} else {
			require.Equal(t, test.want, strings.Join(answer.Sources, " "), test.payload)
		}
		require.Len(t, deliveries(t, s, ""), before+len(answer.Sources))
	}
	require.Len(t, waiting(t, s, acme), 3)
}
