package main

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/waypost-dev/waypost/plugins"
	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/config"
	"github.com/waypost-dev/waypost/server/enrich"
	"github.com/waypost-dev/waypost/server/harvest"
	"github.com/waypost-dev/waypost/server/jobs"
	"github.com/waypost-dev/waypost/server/source"
	"github.com/waypost-dev/waypost/server/store"
	"github.com/waypost-dev/waypost/server/webhook"
)

// newInbox makes the inbox of the sources whose forges announce changes.
func newInbox(cfg *config.Config, st *store.Store, e *harvest.Engine, queue *jobs.Client, plugged *enrich.Runner, log *slog.Logger) (*webhook.Inbox, error) {
	var sources []webhook.Source
	for _, s := range cfg.Sources {
		announcer, ok := e.Source(s.Name()).(source.Announcer)
		if !ok {
			continue
		}
		w := webhook.Source{Announcer: announcer}
		for _, secret := range s.WebhookSecrets {
			w.Secrets = append(w.Secrets, secret.Reveal())
		}
		sources = append(sources, w)
	}
	return webhook.New(st, sources, log, webhook.Options{
		Refresh: func(ctx context.Context, name string, scope source.Scope, cause catalog.Cause) (store.Counts, error) {
			done, err := e.Refresh(ctx, name, scope, cause)
			return done.Counts, err
		},
		Harvest: func(ctx context.Context, name string, _ catalog.Cause) error {
			return queue.Harvest(ctx, name, "webhook")
		},
		Leads: e.Leads,
		Wake:  queue.Deliveries,
		Told: func(ctx context.Context, d store.Delivery) {
			plugged.Handle(ctx, plugins.Event{Source: d.Source, Type: d.Event, Payload: d.Payload, Received: d.Received})
		},
	})
}

// announced tells whether the forge of a source can send webhooks that are taken.
func announced(cfg *config.Config) bool {
	return slices.ContainsFunc(cfg.Sources, func(s config.Source) bool { return len(s.WebhookSecrets) > 0 })
}

// keepTroubles is how long a problem is remembered that is gone.
const keepTroubles = 90 * 24 * time.Hour

// prune forgets what is older than the configuration wants it kept.
func prune(ctx context.Context, cfg *config.Config, st *store.Store) error {
	_, deliveries := st.PruneDeliveries(ctx, time.Now().Add(-webhook.Keep))
	_, history := st.Prune(ctx, store.Policy{KeepFor: time.Duration(cfg.History.Days) * 24 * time.Hour, KeepLast: cfg.History.Last})
	return errors.Join(deliveries, history, st.PruneTroubles(ctx, time.Now().Add(-keepTroubles)))
}

// queues are the metrics of what waits.
type queues struct {
	jobs  *jobs.Client
	store *store.Store

	jobsDesc, jobAge, deliveriesDesc, deliveryAge *prometheus.Desc
}

func newQueues(q *jobs.Client, st *store.Store) *queues {
	return &queues{
		jobs: q, store: st,
		jobsDesc:       prometheus.NewDesc("waypost_jobs", "Durable jobs that are still remembered.", []string{"state"}, nil),
		jobAge:         prometheus.NewDesc("waypost_jobs_oldest_waiting_seconds", "How long the job waits that has been due longest without being taken up.", nil, nil),
		deliveriesDesc: prometheus.NewDesc("waypost_webhook_deliveries_waiting", "Webhook deliveries that were received and not processed yet.", []string{"source"}, nil),
		deliveryAge:    prometheus.NewDesc("waypost_webhook_deliveries_oldest_waiting_seconds", "Age of the oldest webhook delivery that waits.", []string{"source"}, nil),
	}
}

// Describe implements prometheus.Collector.
func (q *queues) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{q.jobsDesc, q.jobAge, q.deliveriesDesc, q.deliveryAge} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (q *queues) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if stats, err := q.jobs.Stats(ctx); err != nil {
		ch <- prometheus.NewInvalidMetric(q.jobsDesc, err)
	} else {
		for state, n := range stats.Jobs {
			ch <- prometheus.MustNewConstMetric(q.jobsDesc, prometheus.GaugeValue, float64(n), string(state))
		}
		ch <- prometheus.MustNewConstMetric(q.jobAge, prometheus.GaugeValue, stats.Oldest.Seconds())
	}
	waiting, err := q.store.DeliveryQueues(ctx)
	if err != nil {
		ch <- prometheus.NewInvalidMetric(q.deliveriesDesc, err)
		return
	}
	for _, w := range waiting {
		ch <- prometheus.MustNewConstMetric(q.deliveriesDesc, prometheus.GaugeValue, float64(w.Depth), w.Source)
		ch <- prometheus.MustNewConstMetric(q.deliveryAge, prometheus.GaugeValue, time.Since(w.Oldest).Seconds(), w.Source)
	}
}
