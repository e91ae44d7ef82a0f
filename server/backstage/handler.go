package backstage

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/rs/cors"

	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/index"
	"github.com/waypost-dev/waypost/server/locations"
)

// Prefix is where the API is mounted.
const Prefix = "/api/catalog"

// HealthPrefix is where Backstage tells how it is.
const HealthPrefix = "/.backstage/health/v1"

// Options are what a Handler needs.
type Options struct {
	Index *index.Index
	// Locations are those that are registered; nil for a server that keeps none.
	Locations *locations.Registry
	// RefreshEntity reads an entity again, and Refresh a source. They return when
	// the store has what was found; nil for a server that cannot.
	RefreshEntity func(context.Context, catalog.Ref) error
	Refresh       func(ctx context.Context, source string) error
	// Delete takes the entity with a uid out of the catalog, and returns when it can
	// be read no more; nil for a server that cannot.
	Delete func(ctx context.Context, uid string) error
	// Problems are all that is wrong, with the entities concerned: the same list for
	// as long as nothing has changed. It is asked at most once a second; nil for none.
	Problems func() ([]catalog.Problem, error)
	// Sources names what is harvested; nil for nothing.
	Sources func() []string
	// Ready tells whether the catalog is loaded; nil for always.
	Ready func() bool
	// Origins are those of pages that may use the API from a browser, such as
	// https://portal.example.com: a front end of Backstage. None may if it is empty.
	Origins []string
	// Observe is told of each call: its method and route, such as GET
	// entities/by-name/*/*/*, the status, and how long it took; nil for nobody.
	Observe func(route string, status int, took time.Duration)
	// Schemas are those of custom kinds; nil if there are none.
	Schemas *catalog.Schemas
	// Log takes unexpected errors; nil for slog.Default.
	Log *slog.Logger
}

// Handler answers below Prefix and HealthPrefix, and at SearchPrefix. It is safe for concurrent use.
type Handler struct {
	o     Options
	view  *view
	table *table
	// crossOrigin keeps other sites from changing anything through the browser of
	// somebody who can reach this server, as for the other APIs; cors lets those of
	// Origins read the answers.
	crossOrigin *http.CrossOriginProtection
	cors        *cors.Cors // nil for none
}

// New returns a Handler of an index.
func New(o Options) (*Handler, error) {
	if o.Index == nil {
		return nil, errors.New("backstage: Index is needed")
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	v := &view{index: o.Index, sources: o.Sources, problems: o.Problems, log: o.Log}
	h := &Handler{o: o, view: v, table: newTable(v.snapshot), crossOrigin: http.NewCrossOriginProtection()}
	for _, origin := range o.Origins {
		if err := h.crossOrigin.AddTrustedOrigin(origin); err != nil {
			return nil, fmt.Errorf("origin %q: %w", origin, err)
		}
	}
	if len(o.Origins) > 0 {
		h.cors = cors.New(cors.Options{
			AllowedOrigins: o.Origins, AllowCredentials: true, AllowedHeaders: []string{"Authorization", "Content-Type", "Accept", "Backstage-Token"},
			AllowedMethods: []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodDelete}, ExposedHeaders: []string{"Link"},
		})
	}
	return h, nil
}

// Owns tells whether a path is one that a Handler answers: every plugin of a
// Backstage has its API below /api.
func Owns(path string) bool {
	return strings.HasPrefix(path, "/api/") || strings.HasPrefix(path, HealthPrefix+"/")
}

// call is one request.
type call struct {
	*Handler
	log   *slog.Logger
	w     http.ResponseWriter
	r     *http.Request
	url   string   // below Prefix, as it was written
	path  []string // of the route, decoded
	query url.Values
	route string // for Observe; empty for none
}

// statusWriter remembers the status of an answer.
type statusWriter struct {
	http.ResponseWriter
	status int
}

// WriteHeader implements http.ResponseWriter.
func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap is for http.ResponseController.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// route is what is done for a method and a path; a star in the path stands for
// any part of it.
type route struct {
	method string
	path   []string
	params []string // of the query string
	do     func(*call) error
}

func routes() []route {
	at := func(method, path, params string, do func(*call) error) route {
		return route{method, strings.Split(path, "/"), strings.Fields(params), do}
	}
	return []route{
		at("GET", "entities", "fields limit filter offset after order", (*call).listEntities),
		at("GET", "entities/by-query", "fields limit offset orderField cursor filter fullTextFilterTerm fullTextFilterFields totalItems", (*call).queryGET),
		at("POST", "entities/by-query", "", (*call).queryPOST),
		at("GET", "entities/by-uid/*", "", (*call).entityByUID),
		at("DELETE", "entities/by-uid/*", "", (*call).deleteByUID),
		at("GET", "entities/by-name/*/*/*", "", (*call).entityByName),
		at("GET", "entities/by-name/*/*/*/ancestry", "", (*call).ancestry),
		at("POST", "entities/by-refs", "filter fields", (*call).entitiesByRefs),
		at("GET", "entity-facets", "facet filter", (*call).facetsGET),
		at("POST", "entity-facets", "", (*call).facetsPOST),
		at("GET", "locations", "", (*call).listLocations),
		at("POST", "locations", "dryRun onConflict", (*call).createLocation),
		at("POST", "locations/by-query", "", (*call).queryLocations),
		at("GET", "locations/by-entity/*/*/*", "", (*call).locationByEntity),
		at("GET", "locations/*", "", (*call).locationByID),
		at("PUT", "locations/*", "", (*call).updateLocation),
		at("DELETE", "locations/*", "", (*call).deleteLocation),
		at("POST", "refresh", "", (*call).refresh),
		at("POST", "validate-entity", "", (*call).validate),
		at("POST", "analyze-location", "", (*call).analyze),
	}
}

var allRoutes = routes()

var jsonType = []string{"application/json; charset=utf-8"}

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if h.cors == nil {
		h.serve(w, r)
		return
	}
	h.cors.ServeHTTP(w, r, h.serve)
}

func (h *Handler) serve(w http.ResponseWriter, r *http.Request) {
	c := &call{Handler: h, log: h.o.Log, w: w, r: r, url: strings.TrimPrefix(r.URL.RequestURI(), Prefix)}
	if h.o.Observe != nil {
		told := &statusWriter{ResponseWriter: w, status: http.StatusOK}
		c.w, w = told, told
		start := time.Now()
		defer func() { h.o.Observe(cmp.Or(c.route, "unknown"), told.status, time.Since(start)) }()
	}
	defer func() {
		if v := recover(); v != nil {
			if v == http.ErrAbortHandler { //nolint:errorlint // it is that value
				panic(v)
			}
			c.log.Error("a call of Backstage's API panicked", "method", r.Method, "path", r.URL.Path, "panic", v, "stack", string(debug.Stack()))
			c.fail(&failure{http.StatusInternalServerError, "Error", "An unexpected error occurred; the server's log has it"})
		}
	}()
	head := w.Header()
	head["X-Content-Type-Options"] = []string{"nosniff"}
	head["Referrer-Policy"] = []string{"no-referrer"}
	head["X-Frame-Options"] = []string{"SAMEORIGIN"}
	head["Content-Security-Policy"] = []string{"default-src 'none'; frame-ancestors 'none'"}
	if c.health() {
		return
	}
	if err := h.crossOrigin.Check(r); err != nil {
		c.fail(&failure{http.StatusForbidden, "NotAllowedError", "a page of another origin must not change anything here: " + err.Error()})
		return
	}
	if r.URL.Path == SearchPrefix && (r.Method == http.MethodGet || r.Method == http.MethodHead) {
		c.url, c.route = strings.TrimPrefix(c.r.URL.RequestURI(), "/api/search"), "GET search/query"
		if err := c.search(); err != nil {
			c.fail(err)
		}
		return
	}
	found := c.find()
	if found == nil {
		w.WriteHeader(http.StatusNotFound) // with an empty body, as Backstage does
		return
	}
	c.route = found.method + " " + strings.Join(found.path, "/")
	if err := c.answer(found); err != nil {
		c.fail(err)
	}
}

func (c *call) answer(to *route) error {
	query, err := url.ParseQuery(c.r.URL.RawQuery)
	if err != nil {
		return inputError("Malformed query string: %s", err)
	}
	for name := range query {
		known := false
		for _, p := range to.params {
			known = known || p == name
		}
		if !known {
			return inputError("Unknown query parameter '%s'", clip(name))
		}
	}
	c.query = query
	return to.do(c)
}

// find is the route of a request, or nil.
func (c *call) find() *route {
	escaped, ok := strings.CutPrefix(c.r.URL.EscapedPath(), Prefix+"/")
	if !ok {
		return nil
	}
	escaped = strings.TrimSuffix(escaped, "/")
	c.path = strings.Split(escaped, "/")
	for i, part := range c.path {
		part, err := url.PathUnescape(part)
		if err != nil || part == "" {
			return nil
		}
		c.path[i] = part
	}
	method := c.r.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	for i := range allRoutes {
		if to := &allRoutes[i]; to.method == method && to.matches(c.path) {
			return to
		}
	}
	return nil
}

func (to *route) matches(path []string) bool {
	if len(path) != len(to.path) {
		return false
	}
	for i, part := range to.path {
		if part != "*" && part != path[i] {
			return false
		}
	}
	return true
}

// integer is a parameter that must be a whole number; ok is false if it is not
// there.
func (c *call) integer(name string) (n int, ok bool, err error) {
	values := c.query[name]
	if len(values) == 0 {
		return 0, false, nil
	}
	n, err = strconv.Atoi(values[0])
	if err != nil || len(values) > 1 {
		return 0, false, inputError("request/query/%s must be integer", name)
	}
	return n, true, nil
}

// send writes an answer that is JSON already.
func (c *call) send(status int, body []byte) {
	h := c.w.Header()
	h["Content-Type"] = jsonType
	h["Content-Length"] = []string{strconv.Itoa(len(body))}
	c.w.WriteHeader(status)
	_, _ = c.w.Write(body) // a caller who has gone is no matter
}

// health answers below HealthPrefix.
func (c *call) health() bool {
	if c.r.Method != http.MethodGet && c.r.Method != http.MethodHead {
		return false
	}
	switch c.r.URL.Path {
	case HealthPrefix + "/liveness":
	case HealthPrefix + "/readiness":
		if c.o.Ready != nil && !c.o.Ready() {
			c.json(http.StatusServiceUnavailable, map[string]string{"message": "Backend has not started yet", "status": "error"})
			return true
		}
	default:
		return false
	}
	c.json(http.StatusOK, map[string]string{"status": "ok"})
	return true
}
