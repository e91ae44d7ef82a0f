package api

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"google.golang.org/grpc/codes"

	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/harvest"
	"github.com/waypost-dev/waypost/server/index"
	"github.com/waypost-dev/waypost/server/store"
)

// metrics counts calls as they happen; the state of the catalog and of the
// sources is read when Prometheus asks.
type metrics struct {
	registry *prometheus.Registry
	calls    *prometheus.HistogramVec
	// observers are the series by method and code, so that a call need not
	// look its labels up.
	observers sync.Map // callKey → prometheus.Observer
}

type callKey struct {
	method string
	code   codes.Code
}

func newMetrics(o Options, p *problems) *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		calls: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "waypost_api_request_duration_seconds",
			Help:    "Time to answer a call, over gRPC and REST, by method and gRPC code.",
			Buckets: []float64{.0001, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10},
		}, []string{"method", "code"}),
	}
	info := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "waypost_build_info", Help: "Always 1; the label is the version.", ConstLabels: prometheus.Labels{"version": o.Version},
	})
	info.Set(1)
	m.registry.MustRegister(m.calls, info,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "waypost_catalog_revision", Help: "Revision of the catalog that is served.",
		}, func() float64 { return float64(o.Index.Snapshot().Revision()) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "waypost_catalog_entities", Help: "Entities in the catalog that is served.",
		}, func() float64 { return float64(o.Index.Snapshot().Len()) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "waypost_watches", Help: "Callers who watch the catalog.",
		}, func() float64 {
			if o.Feed == nil {
				return 0
			}
			return float64(o.Feed.Watches())
		}),
		newStateCollector(o.Index, o.Store, o.Engine, p),
	)
	m.registry.MustRegister(o.Collectors...)
	return m
}

func (m *metrics) call(method string, code codes.Code, took time.Duration) {
	key := callKey{method, code}
	observer, ok := m.observers.Load(key)
	if !ok {
		observer, _ = m.observers.LoadOrStore(key, m.calls.WithLabelValues(method, code.String()))
	}
	observer.(prometheus.Observer).Observe(took.Seconds())
}

func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4, Timeout: 10 * time.Second, ErrorHandling: promhttp.ContinueOnError})
}

// stateCollector reads problems and harvests when it is asked.
type stateCollector struct {
	index    *index.Index
	store    *store.Store
	engine   *harvest.Engine
	problems *problems

	problemsDesc, runningDesc, remainingDesc, lagDesc, heldDesc, indexLagDesc, endedDesc, durationDesc, entitiesDesc, requestsDesc *prometheus.Desc
}

func newStateCollector(x *index.Index, st *store.Store, e *harvest.Engine, p *problems) *stateCollector {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("waypost_"+name, help, labels, nil)
	}
	return &stateCollector{
		index: x, store: st, engine: e, problems: p,
		problemsDesc:  desc("catalog_problems", "Problems in the catalog.", "severity", "code"),
		runningDesc:   desc("harvest_running", "Whether a harvest of the source runs in this process.", "source"),
		remainingDesc: desc("source_requests_remaining", "Requests that the source's upstream, such as GitHub, last said are left.", "source"),
		lagDesc:       desc("harvest_lag_seconds", "Time since the start of the source's latest harvest that succeeded: how old the catalog may be.", "source"),
		heldDesc:      desc("source_held_entities", "Entities that are gone from the source and were not removed, because they are too many at once.", "source"),
		indexLagDesc:  desc("index_lag_revisions", "Revisions that the database has and the catalog that is served has not yet."),
		endedDesc:     desc("harvest_last_end_timestamp_seconds", "When the source's latest finished harvest ended.", "source", "state"),
		durationDesc:  desc("harvest_last_duration_seconds", "How long the source's latest finished harvest took.", "source"),
		entitiesDesc:  desc("harvest_last_entities", "Entities that the source's latest finished harvest added, changed and removed.", "source", "change"),
		requestsDesc:  desc("harvest_last_requests", "Requests that the source's latest finished harvest made: counted against the limit, or free.", "source", "kind"),
	}
}

// Describe implements prometheus.Collector.
func (c *stateCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{c.problemsDesc, c.runningDesc, c.remainingDesc, c.lagDesc, c.heldDesc, c.indexLagDesc, c.endedDesc, c.durationDesc, c.entitiesDesc, c.requestsDesc} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (c *stateCollector) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	if list, err := c.problems.all(ctx); err != nil {
		ch <- prometheus.NewInvalidMetric(c.problemsDesc, err)
	} else {
		type kind struct {
			severity catalog.Severity
			code     catalog.Code
		}
		counts := map[kind]int{}
		for _, p := range list {
			counts[kind{p.Severity, p.Code}]++
		}
		for k, n := range counts {
			gauge(c.problemsDesc, float64(n), string(k.severity), string(k.code))
		}
	}
	served := c.index.Snapshot().Revision() // before the database is asked, so that it is never ahead
	if latest, err := c.store.Latest(ctx); err != nil {
		ch <- prometheus.NewInvalidMetric(c.indexLagDesc, err)
	} else {
		gauge(c.indexLagDesc, float64(latest-served))
	}
	held, err := c.store.Held(ctx)
	if err != nil {
		ch <- prometheus.NewInvalidMetric(c.heldDesc, err)
	}
	for _, s := range c.engine.Sources() {
		gauge(c.heldDesc, float64(held[s.Name].Entities), s.Name)
		running := 0.0
		if s.Running != nil {
			running = 1
		}
		gauge(c.runningDesc, running, s.Name)
		if s.Budget.Remaining >= 0 && s.Budget.Limit > 0 {
			gauge(c.remainingDesc, float64(s.Budget.Remaining), s.Name)
		}
		latest, err := c.store.Harvests(ctx, s.Name, 2) // the one before, if one runs
		if err != nil {
			ch <- prometheus.NewInvalidMetric(c.endedDesc, err)
			continue
		}
		for _, h := range latest {
			if h.Finished.IsZero() {
				continue
			}
			if at, ok, err := c.store.LastSuccess(ctx, s.Name); err != nil {
				ch <- prometheus.NewInvalidMetric(c.lagDesc, err)
			} else if ok {
				gauge(c.lagDesc, time.Since(at).Seconds(), s.Name)
			}
			gauge(c.endedDesc, float64(h.Finished.UnixMilli())/1000, s.Name, string(h.State))
			gauge(c.durationDesc, h.Finished.Sub(h.Started).Seconds(), s.Name)
			gauge(c.entitiesDesc, float64(h.Added), s.Name, "added")
			gauge(c.entitiesDesc, float64(h.Changed), s.Name, "changed")
			gauge(c.entitiesDesc, float64(h.Removed), s.Name, "removed")
			gauge(c.requestsDesc, float64(h.Requests), s.Name, "counted")
			gauge(c.requestsDesc, float64(h.FreeRequests), s.Name, "free")
			break
		}
	}
}
