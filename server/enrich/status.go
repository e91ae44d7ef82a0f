package enrich

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/waypost-dev/waypost/plugins"
	"github.com/waypost-dev/waypost/server/store"
)

// stats are numbers of a plugin in this process, for metrics.
type stats struct {
	waiting                                 atomic.Int64
	runs, failures, asked, changed, refused atomic.Int64
	micros                                  atomic.Int64
}

func (s *stats) observe(r store.PluginRun) {
	s.runs.Add(1)
	if r.Error != "" {
		s.failures.Add(1)
	}
	s.asked.Add(int64(r.Asked))
	s.changed.Add(int64(r.Changed))
	s.refused.Add(int64(r.Refused))
	s.micros.Add(r.Finished.Sub(r.Started).Microseconds())
}

// State is how a plugin does.
type State string

// The states of a plugin.
const (
	StateOK      State = "ok"
	StateFailing State = "failing" // it failed lately
	StateOpen    State = "open"    // its circuit breaker is open
	StateDown    State = "down"    // its process does not run
)

// Status is how a plugin stands.
type Status struct {
	Descriptor plugins.Descriptor
	Roles      []string // enrich, collect, handle, relate, serve, extend
	Remote     bool
	Config     []byte
	State      State
	Error      string    // the last one; empty since it succeeded
	Until      time.Time // when an open breaker lets something through
	Collected  time.Time
	Ran        time.Time // when the last run ended
	Counts     store.PluginCounts
	Waiting    int64
}

// Status tells how plugins stand, all if none is named, by name.
func (r *Runner) Status(ctx context.Context, names ...string) ([]Status, error) {
	if len(names) == 0 {
		names = r.names
	}
	known, err := r.o.Store.Plugins(ctx)
	if err != nil {
		return nil, err
	}
	counts, err := r.o.Store.CountPlugins(ctx, time.Now())
	if err != nil {
		return nil, err
	}
	out := make([]Status, 0, len(names))
	for _, name := range names {
		p, ok := r.plugins[name]
		if !ok {
			return nil, fmt.Errorf("%s: %w", name, ErrUnknownPlugin)
		}
		k := known[name]
		s := Status{
			Descriptor: p.d, Roles: roles(p.c.Plugin), Remote: p.c.Remote, Config: p.c.Config, State: StateOK,
			Error: k.Error, Until: k.Until, Collected: k.Collected, Counts: counts[name], Waiting: p.stats.waiting.Load(),
		}
		runs, err := r.o.Store.PluginRuns(ctx, name, 1)
		if err != nil {
			return nil, err
		}
		if len(runs) > 0 {
			s.Ran = runs[0].Finished
		}
		if k.Error != "" {
			s.State = StateFailing
		}
		if k.Breaker == "open" && k.Until.After(time.Now()) {
			s.State = StateOpen
		}
		if p.c.Down != nil {
			if err := p.c.Down(); err != nil {
				s.State, s.Error = StateDown, clip(err.Error(), maxError)
			}
		}
		out = append(out, s)
	}
	return out, nil
}

func roles(p plugins.Plugin) []string {
	var out []string
	add := func(is bool, name string) {
		if is {
			out = append(out, name)
		}
	}
	_, enriches := p.(plugins.Enricher)
	_, collects := p.(plugins.Collector)
	_, handles := p.(plugins.Handler)
	_, relates := p.(plugins.Relater)
	_, serves := p.(plugins.Server)
	_, extends := p.(plugins.Extender)
	add(enriches, RoleEnrich)
	add(collects, RoleCollect)
	add(handles, RoleHandle)
	add(relates, "relate")
	add(serves, "serve")
	add(extends, "extend")
	return out
}

// FactTypes are the declarations of all facts, by key.
func (r *Runner) FactTypes() map[string]plugins.FactType {
	out := map[string]plugins.FactType{}
	for _, p := range r.plugins {
		for key, t := range p.types {
			out[key] = t.FactType
		}
	}
	return out
}

var (
	runsDesc     = prometheus.NewDesc("waypost_plugin_runs_total", "Runs of a plugin in this process.", []string{"plugin"}, nil)
	failuresDesc = prometheus.NewDesc("waypost_plugin_failed_runs_total", "Runs of a plugin in this process with an error.", []string{"plugin"}, nil)
	askedDesc    = prometheus.NewDesc("waypost_plugin_entities_asked_total", "Entities that a plugin was asked about.", []string{"plugin"}, nil)
	changedDesc  = prometheus.NewDesc("waypost_plugin_entities_changed_total", "Entities of which a plugin said something else than before.", []string{"plugin"}, nil)
	refusedDesc  = prometheus.NewDesc("waypost_plugin_answers_refused_total", "Answers that were not as the plugin declares.", []string{"plugin"}, nil)
	secondsDesc  = prometheus.NewDesc("waypost_plugin_run_seconds_total", "Time spent in runs of a plugin.", []string{"plugin"}, nil)
	waitingDesc  = prometheus.NewDesc("waypost_plugin_entities_waiting", "Entities that a plugin is still to be asked about.", []string{"plugin"}, nil)
	openDesc     = prometheus.NewDesc("waypost_plugin_breaker_open", "1 while the circuit breaker of a plugin is open.", []string{"plugin"}, nil)
)

// Describe implements prometheus.Collector.
func (r *Runner) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{runsDesc, failuresDesc, askedDesc, changedDesc, refusedDesc, secondsDesc, waitingDesc, openDesc} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (r *Runner) Collect(ch chan<- prometheus.Metric) {
	for _, name := range r.names {
		p := r.plugins[name]
		s := &p.stats
		counter := func(d *prometheus.Desc, v float64) {
			ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, v, name)
		}
		counter(runsDesc, float64(s.runs.Load()))
		counter(failuresDesc, float64(s.failures.Load()))
		counter(askedDesc, float64(s.asked.Load()))
		counter(changedDesc, float64(s.changed.Load()))
		counter(refusedDesc, float64(s.refused.Load()))
		counter(secondsDesc, float64(s.micros.Load())/1e6)
		ch <- prometheus.MustNewConstMetric(waitingDesc, prometheus.GaugeValue, float64(s.waiting.Load()), name)
		open := 0.0
		if p.breaker.State().String() == "open" {
			open = 1
		}
		ch <- prometheus.MustNewConstMetric(openDesc, prometheus.GaugeValue, open, name)
	}
}
