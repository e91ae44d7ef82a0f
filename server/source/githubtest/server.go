package githubtest

import (
	"bytes"
	"cmp"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Options are what a Server can be told. The zero value serves like
// github.com: REST at the root and GraphQL at /graphql, to everybody.
type Options struct {
	// Enterprise serves REST below /api/v3 and GraphQL at /api/graphql, as
	// GitHub Enterprise Server does.
	Enterprise bool
	// HTMLBase is where the web pages are said to be; https://github.com when
	// empty.
	HTMLBase string
	// Token must come with each request when it is set.
	Token string
	// App makes the server accept a GitHub App's installation tokens as well.
	App *App
	// Limit is how many requests, and separately GraphQL points, are granted in
	// a Window; 5,000 in an hour when zero.
	Limit  int
	Window time.Duration
	// TreeLimit is how many entries a recursive tree may have before it is cut
	// short; 100,000 when zero, as GitHub says.
	TreeLimit int
	// Fault is asked before each request is answered, when it is set. It may
	// read the request's body.
	Fault func(*http.Request) *Fault
	// Batch bounds the nodes in one GraphQL query; more are answered with 502,
	// as GitHub does when a query takes too long. Zero means no bound.
	Batch int
}

// App is a GitHub App that is installed in the organisation.
type App struct {
	ID, Installation int64
	// Key verifies the App's signature.
	Key *rsa.PublicKey
	// Lifetime of an installation token; an hour when zero.
	Lifetime time.Duration
}

// Fault is what goes wrong with one request.
type Fault struct {
	Status     int           // answer with this status; 0 for what would have been answered
	Message    string        // of the error's JSON body
	RetryAfter int           // seconds; a secondary limit, with the message that GitHub uses
	Exhausted  time.Duration // the primary limit is used up and is reset after this time
	Delay      time.Duration // before anything is answered
	Hang       bool          // answer nothing until the client gives up
	Reset      bool          // close the connection without an answer
	Truncate   bool          // send half of the body
	Body       string        // in place of the body
	Location   string        // of a redirect
}

// Request is a line of the server's log.
type Request struct {
	Method, Path string // path with query, without the base
	Status       int
	Resource     string // core, graphql, or app for what an App asks about itself
	Counted      bool   // against the limit
	Points       int    // that it cost
}

// Server serves an organisation. It is safe for concurrent use.
type Server struct {
	org     *Org
	options Options
	mux     *http.ServeMux
	base    string

	mu     sync.Mutex
	log    []Request
	used   map[string]int
	reset  time.Time
	tokens map[string]time.Time // installation tokens and when they end

	// made are answers to GET requests, by address, for as long as the
	// organisation does not change.
	made  map[string]answer
	turns int
}

// NewServer returns a server of org.
func NewServer(org *Org, o Options) *Server {
	o.HTMLBase = strings.TrimRight(cmp.Or(o.HTMLBase, "https://github.com"), "/")
	o.Limit = cmp.Or(o.Limit, 5000)
	o.Window = cmp.Or(o.Window, time.Hour)
	o.TreeLimit = cmp.Or(o.TreeLimit, 100_000)
	s := &Server{org: org, options: o, mux: http.NewServeMux(), used: map[string]int{}, tokens: map[string]time.Time{}}
	graphql := "/graphql"
	if o.Enterprise {
		s.base, graphql = "/api/v3", "/api/graphql"
	}
	org.Update(func(*Org) {})
	s.routes()
	s.mux.HandleFunc("POST "+graphql, s.graphql)
	return s
}

// Log is every request since the start or the last ResetLog, in the order in
// which they were answered.
func (s *Server) Log() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Request(nil), s.log...)
}

// ResetLog forgets the log.
func (s *Server) ResetLog() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.log = nil
}

// Spent counts the logged requests that counted against the limit, and those
// that were free because nothing had changed.
func (s *Server) Spent() (counted, free int) {
	for _, r := range s.Log() {
		switch {
		case r.Counted:
			counted++
		case r.Status == http.StatusNotModified:
			free++
		}
	}
	return counted, free
}

// SetFault changes Options.Fault.
func (s *Server) SetFault(fault func(*http.Request) *Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.options.Fault = fault
}

// maxLog bounds the log, in requests: the oldest half is forgotten then.
const maxLog = 100_000

// maxBody bounds the body of a request, in bytes.
const maxBody = 4 << 20

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		http.Error(w, "body too large", http.StatusRequestEntityTooLarge)
		return
	}
	rewind := func() { r.Body = io.NopCloser(bytes.NewReader(body)) }
	rewind()
	a := &answer{header: http.Header{}, status: http.StatusOK, resource: "core", points: 1}
	a.header.Set("Content-Type", "application/json; charset=utf-8")
	a.header.Set("Server", "github.com")
	a.header.Set("X-GitHub-Media-Type", "github.v3; format=json")
	if strings.HasSuffix(r.URL.Path, "/graphql") {
		a.resource = "graphql"
	}
	s.mu.Lock()
	hook := s.options.Fault
	s.mu.Unlock()
	var fault *Fault
	if hook != nil {
		fault = hook(r)
		rewind()
	}
	if fault == nil {
		fault = &Fault{}
	}
	switch {
	case fault.Hang:
		<-r.Context().Done()
		s.record(r, a)
		return
	case fault.Reset:
		s.record(r, a)
		panic(http.ErrAbortHandler)
	}
	if fault.Delay > 0 {
		select {
		case <-time.After(fault.Delay):
		case <-r.Context().Done():
			return
		}
	}
	if !fault.answer(a) {
		s.answer(a, r)
	}
	if fault.Body != "" {
		a.body = []byte(fault.Body)
	}
	s.conditional(a, r)
	s.record(r, a)
	s.meter(a, fault)
	for k, v := range a.header {
		w.Header()[k] = v
	}
	if fault.Truncate && len(a.body) > 1 {
		w.Header().Set("Content-Length", strconv.Itoa(len(a.body)))
		w.WriteHeader(a.status)
		_, _ = w.Write(a.body[:len(a.body)/2])
		panic(http.ErrAbortHandler)
	}
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body)
}

// answer is a response while it is being made.
type answer struct {
	header   http.Header
	status   int
	body     []byte
	resource string
	points   int
}

// Header, Write and WriteHeader make answer an http.ResponseWriter for the
// handlers behind the mux.
func (a *answer) Header() http.Header { return a.header }

func (a *answer) Write(b []byte) (int, error) {
	a.body = append(a.body, b...)
	return len(b), nil
}

func (a *answer) WriteHeader(status int) { a.status = status }

func (a *answer) json(v any) {
	body, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("githubtest: encode %T: %v", v, err))
	}
	a.body = body
}

// fail answers with GitHub's form of an error.
func (a *answer) fail(status int, message string) {
	a.status = status
	a.json(map[string]string{"message": message, "documentation_url": "https://docs.github.com/rest", "status": strconv.Itoa(status)})
}

func (f *Fault) answer(a *answer) bool {
	switch {
	case f.RetryAfter > 0:
		a.status = cmp.Or(f.Status, http.StatusForbidden)
		a.header.Set("Retry-After", strconv.Itoa(f.RetryAfter))
		a.json(map[string]string{
			"message":           "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.",
			"documentation_url": "https://docs.github.com/free-pro-team@latest/rest/overview/rate-limits-for-the-rest-api#about-secondary-rate-limits",
		})
	case f.Exhausted > 0:
		a.fail(cmp.Or(f.Status, http.StatusForbidden), "API rate limit exceeded for installation ID 1.")
	case f.Status != 0:
		a.fail(f.Status, cmp.Or(f.Message, http.StatusText(f.Status)))
		if f.Location != "" {
			a.header.Set("Location", f.Location)
		}
	default:
		return false
	}
	return true
}

func (s *Server) answer(a *answer, r *http.Request) {
	if !s.authorised(a, r) {
		return
	}
	if a.resource != "app" && s.exhausted(a.resource) {
		a.fail(http.StatusForbidden, "API rate limit exceeded for user ID 1.")
		return
	}
	s.org.mu.RLock()
	defer s.org.mu.RUnlock()
	key := r.Host + r.URL.RequestURI()
	keep := r.Method == http.MethodGet && strings.HasPrefix(r.URL.Path, s.base+"/orgs/") && a.resource != "app"
	if keep && s.again(key, a) {
		return
	}
	s.mux.ServeHTTP(a, r)
	if a.status == http.StatusNotFound && !json.Valid(a.body) { // the mux's own
		a.header.Set("Content-Type", "application/json; charset=utf-8")
		a.body = nil
		a.fail(http.StatusNotFound, "Not Found")
	}
	if keep {
		s.mu.Lock()
		s.made[key] = answer{header: a.header.Clone(), status: a.status, body: a.body}
		s.mu.Unlock()
	}
}

// again answers as before, if nothing has changed since.
func (s *Server) again(key string, a *answer) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.made == nil || s.turns != s.org.turns || len(s.made) > 1000 {
		s.made, s.turns = map[string]answer{}, s.org.turns
	}
	made, ok := s.made[key]
	if ok {
		a.header, a.status, a.body = made.header.Clone(), made.status, made.body
	}
	return ok
}

// conditional gives a good answer its ETag, and turns it into a 304 when the
// client has it already.
func (s *Server) conditional(a *answer, r *http.Request) {
	if a.status != http.StatusOK || r.Method != http.MethodGet || a.resource == "app" || strings.HasSuffix(r.URL.Path, "/rate_limit") {
		return
	}
	// Of the body alone: whether GitHub's tells of the Link header as well is
	// not documented, so that a client must not rely on it.
	sum := sha256.Sum256(a.body)
	tag := `W/"` + hex.EncodeToString(sum[:]) + `"`
	a.header.Set("ETag", tag)
	a.header.Set("Cache-Control", "private, max-age=60, s-maxage=60")
	a.header.Set("Vary", "Accept, Authorization, Cookie, X-GitHub-OTP,Accept-Encoding, Accept, X-Requested-With")
	weak := func(tag string) string { return strings.TrimPrefix(strings.TrimSpace(tag), "W/") }
	for have := range strings.SplitSeq(r.Header.Get("If-None-Match"), ",") {
		if weak(have) == weak(tag) {
			a.status, a.body = http.StatusNotModified, nil
			a.header.Del("Content-Type")
			a.header.Del("Link")
			return
		}
	}
}

func (s *Server) record(r *http.Request, a *answer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	line := Request{
		Method: r.Method, Path: strings.TrimPrefix(r.URL.RequestURI(), s.base), Status: a.status, Resource: a.resource,
		Counted: a.status != http.StatusNotModified && a.resource != "app" && !strings.HasSuffix(r.URL.Path, "/rate_limit"),
	}
	if line.Counted {
		line.Points = a.points
		s.turn()
		s.used[a.resource] += a.points
	}
	if len(s.log) >= maxLog {
		s.log = append([]Request(nil), s.log[maxLog/2:]...)
	}
	s.log = append(s.log, line)
}

// turn starts a new window when the last one is over.
func (s *Server) turn() {
	if now := time.Now(); !now.Before(s.reset) {
		s.reset = now.Add(s.options.Window)
		clear(s.used)
	}
}

func (s *Server) exhausted(resource string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.turn()
	return s.used[resource] >= s.options.Limit
}

// remaining is what is left of a resource, and until when.
func (s *Server) remaining(resource string) (used, left int, reset time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.turn()
	used = min(s.used[resource], s.options.Limit)
	return used, s.options.Limit - used, s.reset
}

// meter sets the headers that tell of the limit.
func (s *Server) meter(a *answer, f *Fault) {
	if a.resource == "app" {
		return
	}
	used, left, reset := s.remaining(a.resource)
	if f.Exhausted > 0 {
		used, left, reset = s.options.Limit, 0, time.Now().Add(f.Exhausted)
	}
	a.header.Set("X-RateLimit-Limit", strconv.Itoa(s.options.Limit))
	a.header.Set("X-RateLimit-Remaining", strconv.Itoa(left))
	a.header.Set("X-RateLimit-Used", strconv.Itoa(used))
	// GitHub tells the second in which the window ends; rounding down would
	// send clients back too early.
	a.header.Set("X-RateLimit-Reset", strconv.FormatInt(reset.Add(time.Second-1).Unix(), 10))
	a.header.Set("X-RateLimit-Resource", a.resource)
}
