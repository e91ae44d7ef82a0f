package webhook

import (
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"github.com/waypost-dev/waypost/server/store"
)

// Path is where the handler is to be mounted, and what the names of sources
// follow in a URL.
const Path = "/webhooks/"

// forge is the name that stands for every source of GitHub in a URL: the
// payload says which one it is for.
const forge = "github"

// acknowledgeTimeout is how long a request waits for its commit. GitHub itself
// gives up after 10 s.
const acknowledgeTimeout = 10 * time.Second

// Answer is what a sender is told, as JSON.
type Answer struct {
	// Status is accepted, duplicate, pong or ignored; empty if the delivery was refused.
	Status string `json:"status,omitempty"`
	// Message says why a delivery was refused or ignored, and what to do about it.
	Message string `json:"message,omitempty"`
	// Delivery is the forge's id of it.
	Delivery string `json:"delivery,omitempty"`
	// Sources are those that the delivery was put into the inbox for.
	Sources []string `json:"sources,omitempty"`
}

// refusal is an error with the HTTP status that it is told with.
type refusal struct {
	code    int
	message string
}

func (r *refusal) Error() string { return r.message }

func refuse(code int, format string, args ...any) error {
	return &refusal{code, fmt.Sprintf(format, args...)}
}

// ServeHTTP implements http.Handler. A delivery that it answers with 202 is in
// the store; 200 says that it was there already.
func (i *Inbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	code, answer, err := i.receive(w, r)
	if err != nil {
		code = http.StatusServiceUnavailable
		if known, ok := errors.AsType[*refusal](err); ok {
			code = known.code
		}
		answer = Answer{Message: err.Error(), Delivery: answer.Delivery}
		if code == http.StatusServiceUnavailable {
			w.Header().Set("Retry-After", "5")
		}
		i.refusals.Do(func() {
			i.log.Warn("webhook delivery refused", "path", r.URL.Path, "remote", r.RemoteAddr, "status", code, "error", err)
		})
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(answer) // a sender who has gone is no matter
}

// receive checks a request, from what is cheap to what is dear, and returns
// when what it brought is in the store.
func (i *Inbox) receive(w http.ResponseWriter, r *http.Request) (int, Answer, error) {
	var answer Answer
	candidates, err := i.candidates(r.URL.Path)
	if err != nil {
		return 0, answer, err
	}
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		return 0, answer, refuse(http.StatusMethodNotAllowed, "deliveries come by POST")
	}
	candidates = slices.DeleteFunc(candidates, func(s Source) bool { return len(s.Secrets) == 0 })
	if len(candidates) == 0 {
		return 0, answer, refuse(http.StatusForbidden, "no webhook secret is configured for %s, so that no delivery can be checked; "+
			"configure one for the source, and the same in the settings of the webhook on GitHub", strings.TrimPrefix(r.URL.Path, Path))
	}
	signed, err := signatureOf(r.Header)
	if err != nil {
		return 0, answer, refuse(http.StatusUnauthorized, "%v", err)
	}
	event, err := word(r.Header, headerEvent)
	if err != nil {
		return 0, answer, err
	}
	if answer.Delivery, err = word(r.Header, headerDelivery); err != nil {
		return 0, answer, err
	}
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || (kind != "application/json" && kind != "application/x-www-form-urlencoded") {
		return 0, answer, refuse(http.StatusUnsupportedMediaType, "the content type is neither application/json nor application/x-www-form-urlencoded")
	}

	held := &reserve{inbox: i}
	defer func() { held.release() }()
	if !held.grow(requestMemory) {
		return 0, answer, errFull
	}
	body, err := readBody(w, r, held)
	switch {
	case errors.Is(err, errTooLarge):
		return 0, answer, refuse(http.StatusRequestEntityTooLarge, "%v", err)
	case errors.Is(err, errFull):
		return 0, answer, err
	case errors.Is(err, os.ErrDeadlineExceeded):
		return 0, answer, refuse(http.StatusRequestTimeout, "the body did not come within %v", bodyTimeout)
	case err != nil:
		return 0, answer, refuse(http.StatusBadRequest, "%v", err)
	}
	// Nothing of the body is looked at before somebody is known to have signed it.
	candidates = slices.DeleteFunc(candidates, func(s Source) bool {
		return !slices.ContainsFunc(s.Secrets, func(secret string) bool { return signed.matches(body, secret) })
	})
	if len(candidates) == 0 {
		return 0, answer, refuse(http.StatusUnauthorized, "the signature does not match: the secret in the settings of the webhook is not the source's, or the body was changed on its way")
	}
	payload := body
	if kind != "application/json" {
		if !held.grow(len(body)) {
			return 0, answer, errFull
		}
		if payload, err = formPayload(body); err != nil {
			return 0, answer, refuse(http.StatusBadRequest, "%v", err)
		}
	}
	if candidates, err = i.dispatch(r.URL.Path, candidates, payload); err != nil {
		return 0, answer, err
	}
	if len(candidates) == 0 {
		answer.Status, answer.Message = "ignored", "the payload names no organisation, so that no source can be meant by it"
		if event == "ping" {
			answer.Status, answer.Message = "pong", ""
		}
		return http.StatusAccepted, answer, nil
	}

	it := &item{held: held, done: make(chan struct{})}
	held = &reserve{inbox: i} // the committer's now
	now := time.Now()
	answer.Status = "accepted"
	for _, s := range candidates {
		d := store.Delivery{ID: answer.Delivery, Source: s.Name(), Event: event, Received: now, Payload: payload, Waiting: true}
		if event == "ping" {
			answer.Status, d = "pong", finished(d, "pong")
		} else if why := i.uninteresting(s, d); why != "" {
			answer.Status, answer.Message, d = "ignored", why, finished(d, "ignored: "+why)
		}
		if !d.Waiting {
			d.Payload = nil
		}
		it.deliveries = append(it.deliveries, d)
		answer.Sources = append(answer.Sources, d.Source)
	}
	if err := i.commit(r.Context(), it); err != nil {
		return 0, answer, err
	}
	if !it.fresh {
		answer.Status = "duplicate"
		return http.StatusOK, answer, nil
	}
	return http.StatusAccepted, answer, nil
}

// uninteresting says why an event is of no interest to a source whatever its
// payload says; empty if the payload matters.
func (i *Inbox) uninteresting(s Source, d store.Delivery) string {
	d.Payload = nil
	if a, err := i.announced(s, d); err == nil {
		return a.Ignored
	}
	return ""
}

// candidates are the sources that a URL may mean.
func (i *Inbox) candidates(path string) ([]Source, error) {
	name := strings.TrimPrefix(path, Path)
	if s, ok := i.sources[name]; ok {
		return []Source{s}, nil
	}
	var out []Source
	if name == forge {
		for _, n := range i.order {
			if strings.HasPrefix(n, forge+":") {
				out = append(out, i.sources[n])
			}
		}
	}
	if len(out) == 0 {
		return nil, refuse(http.StatusNotFound, "no source that takes webhooks is configured under this path; it is %s and the name of a source, such as %sgithub:acme", Path, Path)
	}
	return out, nil
}

// owners are where a payload names organisations that it is of interest to: who
// has the repository, who had it, and who has the installation of the app.
var owners = []string{
	"organization.login", "repository.owner.login", "installation.account.login",
	"changes.owner.from.organization.login", "changes.owner.from.user.login", "changes.login.from",
}

// dispatch chooses among sources whose secret signed the payload. None, without
// an error, says that the payload names no organisation at all.
func (i *Inbox) dispatch(path string, signers []Source, payload []byte) ([]Source, error) {
	if all, err := i.candidates(path); err != nil || len(all) == 1 {
		return signers, err
	}
	named := slices.DeleteFunc(gjson.GetManyBytes(payload, owners...), func(r gjson.Result) bool {
		return r.Type != gjson.String || r.Str == ""
	})
	if len(named) == 0 {
		return nil, nil
	}
	meant := slices.DeleteFunc(signers, func(s Source) bool {
		return !slices.ContainsFunc(named, func(r gjson.Result) bool { return strings.EqualFold(s.Name(), forge+":"+r.Str) })
	})
	if len(meant) == 0 {
		return nil, refuse(http.StatusNotFound, "the payload is of %q, and no source with the secret that it is signed with harvests that; configure one, or end the webhook", named[0].Str)
	}
	return meant, nil
}

// maxWord is the length of the longest id or event. GitHub's ids have 36
// characters, its longest event 33.
const maxWord = 200

// word is a header of visible ASCII characters.
func word(h http.Header, name string) (string, error) {
	text := h.Get(name)
	if text == "" {
		return "", refuse(http.StatusBadRequest, "%s is missing", name)
	}
	if len(text) > maxWord || strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return "", refuse(http.StatusBadRequest, "%s is not a word of up to %d letters, digits and signs", name, maxWord)
	}
	return text, nil
}
