package api

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"github.com/grpc-ecosystem/grpc-gateway/v2/utilities"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/waypost-dev/waypost/plugins"
	catalogv1 "github.com/waypost-dev/waypost/proto/waypost/catalog/v1"
	harvestv1 "github.com/waypost-dev/waypost/proto/waypost/harvest/v1"
	pluginv1 "github.com/waypost-dev/waypost/proto/waypost/plugin/v1"
)

// newHandler puts together everything that is answered over HTTP.
func (s *Server) newHandler(o Options) (http.Handler, error) {
	m := newMarshaler()
	gateway, err := newGateway(s.inProcess, m, o.Services)
	if err != nil {
		return nil, err
	}
	document, err := OpenAPI(o.Version)
	if err != nil {
		return nil, err
	}
	docs, err := docsPage(document)
	if err != nil {
		return nil, err
	}
	fallback := o.Fallback
	if fallback == nil {
		fallback = http.NotFoundHandler()
	}
	mux := http.NewServeMux()
	mux.Handle("GET /openapi.json", static("application/json", document))
	mux.Handle("GET /docs", docs)
	mux.Handle("GET /metrics", s.metrics.handler())
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { reply(w, http.StatusOK, "ok\n") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if s.ready.Load() {
			reply(w, http.StatusOK, "ready\n")
		} else {
			reply(w, http.StatusServiceUnavailable, "not ready: the catalog is being loaded, or the server is stopping\n")
		}
	})
	if o.Webhooks != nil {
		mux.Handle("/webhooks/", o.Webhooks)
	}
	mux.Handle("/", fallback)
	t := newTracing(o.Tracing)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/v1/") || r.URL.Path == "/v1" {
			serveREST(s.inProcess, gateway, m, t, w, r)
			return
		}
		mux.ServeHTTP(w, r)
	}), nil
}

// Values of headers that every answer carries, made once. Answers of the API
// are data: nothing may be loaded because of them, and nobody frames them.
var (
	nosniff    = []string{"nosniff"}
	noReferrer = []string{"no-referrer"}
	deny       = []string{"DENY"}
	noContent  = []string{"default-src 'none'; frame-ancestors 'none'"}
	noStore    = []string{"no-store"}
)

func secure(h http.Header) {
	h["X-Content-Type-Options"] = nosniff
	h["Referrer-Policy"] = noReferrer
	h["X-Frame-Options"] = deny
	h["Content-Security-Policy"] = noContent
	h["Cache-Control"] = noStore
}

// crossOrigin keeps other sites from changing anything through the browser of
// somebody who can reach this server.
var crossOrigin = http.NewCrossOriginProtection()

// serveREST hands a request to the gateway, with a request id, a bound on its
// body, and a buffer for the answer.
func serveREST(conn *inProcess, gateway *runtime.ServeMux, m runtime.Marshaler, t tracing, w http.ResponseWriter, r *http.Request) {
	id := r.Header.Get(requestIDHeader)
	if !validRequestID(id) {
		id = newRequestID()
	}
	h := w.Header()
	secure(h)
	h["X-Request-Id"] = []string{id}
	if r.Body != nil && r.Body != http.NoBody {
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	}
	if err := crossOrigin.Check(r); err != nil {
		runtime.HTTPError(r.Context(), gateway, m, w, r, status.Error(codes.PermissionDenied, "a page of another origin must not change anything here: "+err.Error()))
		return
	}
	if strings.HasSuffix(r.URL.Path, ":watch") {
		// A harvest may take longer than any other answer. Once the time to
		// read the request is over, the server takes the caller for gone. Both
		// fail only where there is no connection, in tests.
		connection := http.NewResponseController(w)
		_ = connection.SetWriteDeadline(time.Time{})
		_ = connection.SetReadDeadline(time.Time{})
	}
	if wantsEvents(r) {
		client := catalogv1.NewWatchServiceClient(conn)
		serveEvents(client, func(err error) { runtime.HTTPError(r.Context(), gateway, m, w, r, err) }, w, r, id, quiet)
		return
	}
	call := rests.Get().(*rest)
	defer call.release()
	ctx := context.WithValue(t.ofHTTP(r.Context(), r), formKey{}, call)
	ctx = context.WithValue(ctx, requestIDKey{}, id)
	gateway.ServeHTTP(w, r.WithContext(ctx))
}

func newGateway(conn *inProcess, m runtime.Marshaler, more []plugins.Server) (*runtime.ServeMux, error) {
	mux := runtime.NewServeMux(
		runtime.WithMarshalerOption(runtime.MIMEWildcard, m),
		runtime.WithRoutingErrorHandler(routingError),
		runtime.WithWriteContentLength(),
		// Neither a form in place of a query nor a method in a header.
		runtime.WithDisablePathLengthFallback(),
		runtime.WithDisableHTTPMethodOverride(),
		// Only what the services look at goes on as metadata.
		runtime.WithIncomingHeaderMatcher(func(string) (string, bool) { return "", false }),
	)
	ctx := context.Background() // it bounds connections, and there is none
	for service, err := range map[string]error{
		"catalog":   catalogv1.RegisterCatalogServiceHandlerClient(ctx, mux, catalogv1.NewCatalogServiceClient(conn)),
		"history":   catalogv1.RegisterHistoryServiceHandlerClient(ctx, mux, catalogv1.NewHistoryServiceClient(conn)),
		"watch":     catalogv1.RegisterWatchServiceHandlerClient(ctx, mux, catalogv1.NewWatchServiceClient(conn)),
		"plan":      catalogv1.RegisterPlanServiceHandlerClient(ctx, mux, catalogv1.NewPlanServiceClient(conn)),
		"server":    catalogv1.RegisterServerServiceHandlerClient(ctx, mux, catalogv1.NewServerServiceClient(conn)),
		"locations": catalogv1.RegisterLocationServiceHandlerClient(ctx, mux, catalogv1.NewLocationServiceClient(conn)),
		"harvests":  harvestv1.RegisterHarvestServiceHandlerClient(ctx, mux, harvestv1.NewHarvestServiceClient(conn)),
		"jobs":      harvestv1.RegisterJobServiceHandlerClient(ctx, mux, harvestv1.NewJobServiceClient(conn)),
		"plugins":   pluginv1.RegisterPluginServiceHandlerClient(ctx, mux, pluginv1.NewPluginServiceClient(conn)),
	} {
		if err != nil {
			return nil, fmt.Errorf("register %s: %w", service, err)
		}
	}
	for _, p := range more {
		if err := p.RegisterREST(ctx, mux, conn); err != nil {
			return nil, fmt.Errorf("register the service of a plugin: %w", err)
		}
	}
	return mux, nil
}

// strictQuery refuses query parameters that the request does not have. The
// gateway's own parser ignores them, and a mistyped filter would then select
// everything.
type strictQuery struct{ runtime.DefaultQueryParser }

// The gateway keeps its parser for the whole process.
var _ = runtime.NewServeMux(runtime.SetQueryParameterParser(strictQuery{}))

// Parse implements runtime.QueryParameterParser.
func (q strictQuery) Parse(m proto.Message, values url.Values, filter *utilities.DoubleArray) error {
	fields := m.ProtoReflect().Descriptor().Fields()
	for key := range values {
		name, _, _ := strings.Cut(key, ".")
		name, _, _ = strings.Cut(name, "[")
		if fields.ByJSONName(name) != nil || fields.ByName(protoreflect.Name(name)) != nil {
			continue
		}
		known := make([]string, fields.Len())
		for i := range known {
			known[i] = fields.Get(i).JSONName()
		}
		return fmt.Errorf("unknown query parameter %.100q; there are %s", key, strings.Join(known, ", "))
	}
	return q.DefaultQueryParser.Parse(m, values, filter)
}

// routingError answers requests that fit no route, in the form of any other
// error.
func routingError(ctx context.Context, mux *runtime.ServeMux, m runtime.Marshaler, w http.ResponseWriter, r *http.Request, code int) {
	c := codes.Internal
	message := "there is no %s %s; /openapi.json lists what there is"
	switch code {
	case http.StatusNotFound:
		c = codes.NotFound
	case http.StatusMethodNotAllowed:
		c = codes.Unimplemented
		message = "the method is not allowed for this path: %s %s; /openapi.json lists those that are"
	case http.StatusBadRequest:
		c = codes.InvalidArgument
		message = "the path cannot be read: %s %s"
	}
	path := strings.ToValidUTF8(r.URL.Path, "\uFFFD")
	if len(path) > 200 {
		path = strings.ToValidUTF8(path[:200], "") + "…"
	}
	err := &runtime.HTTPStatusError{HTTPStatus: code, Err: status.Errorf(c, message, r.Method, path)}
	runtime.HTTPError(ctx, mux, m, w, r, err)
}

func reply(w http.ResponseWriter, code int, text string) {
	secure(w.Header())
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(code)
	_, _ = w.Write([]byte(text)) // a caller who has gone is no matter
}

func static(contentType string, content []byte) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		secure(w.Header())
		w.Header().Set("Content-Type", contentType)
		_, _ = w.Write(content)
	})
}
