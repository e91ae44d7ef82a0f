// Package api serves the catalog over gRPC and REST. Handlers are thin: they
// translate a request, ask server/index, server/store or server/harvest, and
// translate the answer. What holds for every call (request ids, validation,
// limits, error mapping, log, metrics) stands in interceptors, once; the REST
// gateway reaches the services through an in-process connection that passes
// the same interceptors.
package api

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/reflection"

	"github.com/waypost-dev/waypost/plugins"
	catalogv1 "github.com/waypost-dev/waypost/proto/waypost/catalog/v1"
	harvestv1 "github.com/waypost-dev/waypost/proto/waypost/harvest/v1"
	pluginv1 "github.com/waypost-dev/waypost/proto/waypost/plugin/v1"
	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/enrich"
	"github.com/waypost-dev/waypost/server/feed"
	"github.com/waypost-dev/waypost/server/harvest"
	"github.com/waypost-dev/waypost/server/index"
	"github.com/waypost-dev/waypost/server/jobs"
	"github.com/waypost-dev/waypost/server/locations"
	"github.com/waypost-dev/waypost/server/store"
)

// Bounds of what a caller may ask of one process.
const (
	// maxMessage is the largest request in bytes. Three documents of the
	// largest size that is read fit.
	maxMessage = 16 << 20
	// maxBody is the largest REST request in bytes: JSON carries documents in
	// base64, a third larger.
	maxBody = 22 << 20
	// maxStreams is how many calls one connection may have open.
	maxStreams = 256
	// streamWorkers is how many goroutines are kept for calls: a new one would
	// have to grow its stack in each call. Calls beyond, and those while as many
	// watch, get one of their own.
	streamWorkers = 32
	// maxWait bounds a call that waits for a revision and has no deadline.
	maxWait = 10 * time.Second
)

// Options are what a Server needs. Index, Store and Engine are mandatory.
type Options struct {
	Index  *index.Index
	Store  *store.Store
	Engine *harvest.Engine
	// Feed tells what changes in Index; nil if nothing does.
	Feed *feed.Hub
	// Jobs is the queue of durable work; nil for a server that has none.
	Jobs *jobs.Client
	// Locations are those that are registered; nil for a server that keeps none.
	Locations *locations.Registry
	// Logger takes unexpected errors, and at debug level every call; nil for
	// slog.Default.
	Logger *slog.Logger
	// Plugins are those that this process runs; nil if it runs none.
	Plugins *enrich.Runner
	// Services are the plugins that have services of their own.
	Services []plugins.Server
	// Schemas are those of custom kinds; nil if there are none.
	Schemas *catalog.Schemas
	// Version is shown in the OpenAPI document and in the metrics.
	Version string
	// Tracing records a span for each call with OpenTelemetry's global tracer.
	Tracing bool
	// Collectors are metrics that other parts of the process have.
	Collectors []prometheus.Collector
	// Webhooks answers below /webhooks/; nil for 404.
	Webhooks http.Handler
	// Announced tells that a forge can send webhooks: one has a secret for it.
	Announced bool
	// Fallback answers every HTTP request outside the API, such as the UI's;
	// nil for 404.
	Fallback http.Handler
}

// Server is the API. It is safe for concurrent use.
type Server struct {
	grpc      *grpc.Server
	inProcess *inProcess
	health    *health.Server
	metrics   *metrics
	problems  *problems
	log       *slog.Logger
	handler   http.Handler
	ready     atomic.Bool
}

// New returns a Server that is not ready yet: see SetReady.
func New(o Options) (*Server, error) {
	if o.Index == nil || o.Store == nil || o.Engine == nil {
		return nil, errors.New("api: Index, Store and Engine are needed")
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.Version == "" {
		o.Version = "dev"
	}
	problems := &problems{index: o.Index, store: o.Store}
	m := newMetrics(o, problems)
	g, err := newGate(o.Logger, m, newTracing(o.Tracing))
	if err != nil {
		return nil, err
	}
	s := &Server{
		grpc: grpc.NewServer(
			grpc.UnaryInterceptor(g.unary),
			grpc.StreamInterceptor(g.stream),
			grpc.ForceServerCodecV2(newCodec()),
			grpc.NumStreamWorkers(streamWorkers),
			grpc.MaxRecvMsgSize(maxMessage),
			grpc.MaxConcurrentStreams(maxStreams),
			grpc.ConnectionTimeout(10*time.Second),
			grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: 10 * time.Second, PermitWithoutStream: true}),
			grpc.KeepaliveParams(keepalive.ServerParameters{MaxConnectionIdle: 30 * time.Minute, Time: time.Minute, Timeout: 20 * time.Second}),
		),
		inProcess: newInProcess(g),
		health:    health.NewServer(),
		metrics:   m,
		problems:  problems,
		log:       o.Logger,
	}
	watches, past := newWatchService(o), newPast(o)
	for _, r := range []grpc.ServiceRegistrar{s.grpc, s.inProcess} {
		catalogv1.RegisterWatchServiceServer(r, watches)
		catalogv1.RegisterHistoryServiceServer(r, &historyService{past: past, problems: problems})
		catalogv1.RegisterCatalogServiceServer(r, &catalogService{past: past, schemas: o.Schemas, engine: o.Engine, index: o.Index, problems: problems})
		catalogv1.RegisterServerServiceServer(r, &serverService{index: o.Index, engine: o.Engine, version: o.Version, webhooks: o.Announced})
		catalogv1.RegisterPlanServiceServer(r, &planService{index: o.Index, store: o.Store, engine: o.Engine, problems: problems, schemas: o.Schemas})
		catalogv1.RegisterLocationServiceServer(r, &locationService{locations: o.Locations})
		harvestv1.RegisterJobServiceServer(r, &jobService{jobs: o.Jobs})
		pluginv1.RegisterPluginServiceServer(r, &pluginService{index: o.Index, store: o.Store, plugins: o.Plugins})
		for _, p := range o.Services {
			p.RegisterGRPC(r)
		}
		harvestv1.RegisterHarvestServiceServer(r, &harvestService{store: o.Store, engine: o.Engine, index: o.Index})
	}
	healthv1.RegisterHealthServer(s.grpc, s.health)
	reflection.Register(s.grpc)
	s.SetReady(false)
	if s.handler, err = s.newHandler(o); err != nil {
		return nil, fmt.Errorf("make REST gateway: %w", err)
	}
	return s, nil
}

// GRPC is the server to hand a listener to, and to stop.
func (s *Server) GRPC() *grpc.Server { return s.grpc }

// Conn is a connection to the services within this process. Calls over it pass
// the same interceptors as those that come from outside. Unary calls run on
// the caller's goroutine; requests and answers are handed over without a copy.
func (s *Server) Conn() grpc.ClientConnInterface { return s.inProcess }

// Handler answers HTTP: REST under /v1/, /openapi.json, /docs, /healthz,
// /readyz and /metrics, and Options.Fallback for anything else.
func (s *Server) Handler() http.Handler { return s.handler }

// Metrics are those that /metrics shows.
func (s *Server) Metrics() prometheus.Gatherer { return s.metrics.registry }

// SetReady says whether the catalog is loaded and calls are welcome: it
// decides what /readyz and the gRPC health service answer.
func (s *Server) SetReady(ready bool) {
	s.ready.Store(ready)
	status := healthv1.HealthCheckResponse_NOT_SERVING
	if ready {
		status = healthv1.HealthCheckResponse_SERVING
	}
	s.health.SetServingStatus("", status)
	for service := range s.grpc.GetServiceInfo() {
		if strings.HasPrefix(service, "waypost.") {
			s.health.SetServingStatus(service, status)
		}
	}
}

// Ready is what SetReady said last.
func (s *Server) Ready() bool { return s.ready.Load() }

// Observe counts a call of another API that is served beside this one, with what
// HTTP said of it, among ours in the metrics.
func (s *Server) Observe(method string, status int, took time.Duration) {
	code := codes.OK
	switch {
	case status == http.StatusNotFound:
		code = codes.NotFound
	case status == http.StatusForbidden:
		code = codes.PermissionDenied
	case status >= http.StatusInternalServerError:
		code = codes.Internal
	case status >= http.StatusBadRequest:
		code = codes.InvalidArgument
	}
	s.metrics.call(method, code, took)
}

// Problems is all that is wrong now. The list must not be changed; it is the same one
// for as long as nothing has.
func (s *Server) Problems(ctx context.Context) ([]catalog.Problem, error) {
	return s.problems.all(ctx)
}

// NewHTTPServer returns a server with the time-outs that a handler of this
// package expects. Those who watch a harvest or entities are exempt from the
// time-out of writing.
func NewHTTPServer(addr string, handler http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Addr:              addr,
		Handler:           handler,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       60 * time.Second,
		WriteTimeout:      60 * time.Second,
		IdleTimeout:       120 * time.Second,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
}
