package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"github.com/waypost-dev/waypost/frontend"
	"github.com/waypost-dev/waypost/server/api"
	"github.com/waypost-dev/waypost/server/cmd/waypost/internal/client"
	"github.com/waypost-dev/waypost/server/cmd/waypost/internal/follow"
	"github.com/waypost-dev/waypost/server/cmd/waypost/internal/output"
	"github.com/waypost-dev/waypost/server/cmd/waypost/internal/service"
	"github.com/waypost-dev/waypost/server/config"
	"github.com/waypost-dev/waypost/server/enrich"
	"github.com/waypost-dev/waypost/server/harvest"
	"github.com/waypost-dev/waypost/server/index"
	"github.com/waypost-dev/waypost/server/jobs"
	"github.com/waypost-dev/waypost/server/store"
	"github.com/waypost-dev/waypost/server/telemetry"
	"github.com/waypost-dev/waypost/server/webhook"
)

// runServer puts the parts of a server together and runs them until ctx ends.
func (c *cli) runServer(ctx context.Context, cfg *config.Config) (err error) {
	begin := time.Now()
	log := c.logger(cfg)
	tele, err := telemetry.Start(ctx, telemetry.Options{Version: buildVersion().Version, Getenv: c.getenv, Logger: log})
	if err != nil {
		return err
	}
	defer func() {
		if err := tele.Stop(context.WithoutCancel(ctx)); err != nil {
			log.Warn("telemetry was lost", "error", err)
		}
	}()
	st, err := store.Open(ctx, cfg.DB, store.Options{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	e, done, err := engine(cfg, st, log)
	if err != nil {
		return err
	}
	defer done()
	registry := registered(cfg, st, e, log)
	if err := registry.Sync(ctx); err != nil {
		return err
	}
	x := index.New()
	follower := follow.New(st, x, log)
	run, stopPlugins, err := configured(ctx, cfg, log)
	if err != nil {
		return err
	}
	defer stopPlugins()
	// The queue's tables are made while the catalog is read.
	var runner *enrich.Runner // made before the queue is started
	var queue *jobs.Client
	var inbox *webhook.Inbox // made before the queue is started
	var opening errgroup.Group
	opening.Go(func() (err error) {
		queue, err = jobs.New(ctx, st, e, log, jobs.Options{
			Deliveries: func(ctx context.Context, source string) error { return inbox.Drain(ctx, source) },
			Prune:      func(ctx context.Context) error { return prune(ctx, cfg, st) },
			Plugin:     func(ctx context.Context, name string) error { return runner.Work(ctx, name) },
		})
		return err
	})
	calm := c.collect(loadPercent)
	err = follower.Load(ctx)
	calm()
	releaseMemory()
	if err = errors.Join(err, opening.Wait()); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, queue.Stop(context.WithoutCancel(ctx))) }() // if it was not stopped below
	runner, err = enrich.New(ctx, enrich.Options{Store: st, Index: x, Feed: follower.Feed(), Log: log, Enqueue: queue.Plugin, Inspector: newInspector(e)}, run)
	if err != nil {
		return usage(err)
	}
	if inbox, err = newInbox(cfg, st, e, queue, runner, log); err != nil {
		return err
	}
	defer inbox.Close() // before the queue stops, and after the listeners
	server, err := api.New(api.Options{
		Index: x, Store: st, Engine: e, Feed: follower.Feed(), Jobs: queue, Locations: registry, Schemas: cfg.Schemas,
		Logger: log, Version: buildVersion().Version, Tracing: tele.Tracing(), Collectors: []prometheus.Collector{newQueues(queue, st), runner},
		Plugins: runner, Services: services(run),
		Webhooks: inbox, Announced: announced(cfg), Fallback: frontend.Handler(),
	})
	if err != nil {
		return err
	}
	tele.Gather(server.Metrics())
	handler, err := dropIn(x, st, e, registry, server, cfg, log)
	if err != nil {
		return err
	}

	grpcListener, err := listen(ctx, cfg.GRPC)
	if err != nil {
		return err
	}
	httpListener, err := listen(ctx, cfg.HTTP)
	if err != nil {
		grpcListener.Close()
		return err
	}
	web := api.NewHTTPServer("", handler, log)
	ready, begun := make(chan struct{}), make(chan struct{})
	first := func(ctx context.Context) error {
		for _, wait := range []chan struct{}{ready, begun} {
			select {
			case <-wait:
			case <-ctx.Done():
				return nil
			}
		}
		c.firstHarvest(ctx, st, queue.First(), x, begin)
		return nil
	}
	// Stopped from the last to the first: jobs go back to the queue and harvests
	// end, so that nobody watches one for ever, then the listeners drain.
	return service.Run(ctx, log, cfg.ShutdownTimeout, []service.Service{
		service.Background("change feed", follower.Run),
		{
			Name:  "gRPC",
			Serve: func() error { return server.GRPC().Serve(grpcListener) },
			Stop:  func(ctx context.Context) error { return drain(ctx, server) },
		},
		{
			Name:  "HTTP",
			Serve: func() error { return closed(web.Serve(httpListener)) },
			Stop: func(ctx context.Context) error {
				return errors.Join(web.Shutdown(ctx), web.Close())
			},
		},
		{Name: "harvests", Stop: e.Stop}, // that callers of the API began
		{
			// Nobody who asks waits until the queue has begun.
			Name:  "jobs",
			Serve: func() error { defer close(begun); return queue.Start(context.WithoutCancel(ctx)) },
			Stop: func(ctx context.Context) error {
				select {
				case <-begun:
				case <-ctx.Done():
				}
				return queue.Stop(ctx)
			},
		},
		service.Background("problems", server.KeepProblems),
		service.Background("registered locations", registry.Run),
		service.Background("plugins", func(ctx context.Context) error {
			select {
			case <-begun: // the queue takes no work while it begins
				return runner.Run(ctx)
			case <-ctx.Done():
				return nil
			}
		}),
		service.Background("first harvest", first),
		service.Background("idle memory", func(ctx context.Context) error {
			return releaseIdle(ctx, func(ctx context.Context) error {
				follower.Feed().Release()
				return st.ReleaseMemory(ctx)
			}, log)
		}),
		{Name: "watches", Stop: func(context.Context) error { follower.Feed().Close(); return nil }},
		{Name: "readiness", Stop: func(context.Context) error { server.SetReady(false); return nil }},
	}, func() {
		server.SetReady(true)
		fmt.Fprintf(c.out, "serving http=%s grpc=%s\n", httpListener.Addr(), grpcListener.Addr())
		c.say("Open http://%s/", httpListener.Addr())
		if len(e.Sources()) == 0 {
			c.say("No source is configured: nothing will be harvested. Name one with --github-org, --dir, --location or --sample.")
		}
		close(ready)
	})
}

func listen(ctx context.Context, address string) (net.Listener, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("%w; if another process has that address, choose another one with --http or --grpc, port 0 for any", err)
	}
	return l, nil
}

// drain lets running calls end, until ctx does.
func drain(ctx context.Context, server *api.Server) error {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		server.GRPC().GracefulStop()
	}()
	select {
	case <-ended:
	case <-ctx.Done():
		server.GRPC().Stop()
		<-ended
	}
	return nil
}

func closed(err error) error {
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// firstHarvest waits until the sources that were due at the start are
// harvested, and says so.
func (c *cli) firstHarvest(ctx context.Context, st *store.Store, pending []string, x *index.Index, begin time.Time) {
	if len(pending) == 0 {
		if n := x.Snapshot().Len(); n > 0 {
			fmt.Fprintf(c.out, "harvested %d entities before; nothing is due yet\n", n)
		}
		return
	}
	if x.Snapshot().Len() == 0 {
		defer c.collect(fillPercent)()
	}
	var failed []string
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for len(pending) > 0 {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		pending = slices.DeleteFunc(pending, func(name string) bool {
			h, err := st.Harvests(ctx, name, 1)
			if err != nil || len(h) == 0 || h[0].State == store.HarvestRunning || h[0].Finished.Before(begin.Truncate(time.Microsecond)) {
				return false
			}
			if h[0].State != store.HarvestSucceeded {
				failed = append(failed, fmt.Sprintf("%s: %s", name, h[0].Error))
			}
			return true
		})
	}
	if rev, err := st.Latest(ctx); err == nil {
		wait, cancel := context.WithTimeout(ctx, 10*time.Second)
		defer cancel()
		_ = x.Wait(wait, rev) // the count below is then a little behind
	}
	fmt.Fprintf(c.out, "harvested %d entities in %s\n", x.Snapshot().Len(), time.Since(begin).Round(time.Millisecond))
	if len(failed) > 0 {
		c.say("%s %d harvests failed, and are tried again later: %s", c.err.Mark(output.Red, "error:"), len(failed), output.Clean(strings.Join(failed, "; ")))
	}
	releaseMemory()
}

// inProcess returns a client of the services over a database, without a server.
func (c *cli) inProcess(ctx context.Context, dsn string) (*client.Client, error) {
	log := c.logger(&config.Config{LogLevel: "warn"})
	st, err := openRead(ctx, dsn)
	if err != nil {
		return nil, err
	}
	server, err := c.services(ctx, st, log)
	if err != nil {
		st.Close()
		return nil, err
	}
	server.SetReady(true)
	return client.New(server.Conn(), st), nil
}

// queueInProcess returns a client of the job queue of a database, without a
// server.
func (c *cli) queueInProcess(ctx context.Context, dsn string) (*client.Client, error) {
	log := c.logger(&config.Config{LogLevel: "warn"})
	st, err := openRead(ctx, dsn)
	if err != nil {
		return nil, err
	}
	queue, err := jobs.New(ctx, st, nil, log, jobs.Options{NoMigrate: true})
	if err != nil {
		return nil, errors.Join(err, st.Close())
	}
	shut := closers{func() error { return queue.Stop(context.WithoutCancel(ctx)) }, st.Close}
	server, err := api.New(api.Options{Index: index.New(), Store: st, Engine: harvest.New(st, log), Jobs: queue, Logger: log, Version: buildVersion().Version})
	if err != nil {
		return nil, errors.Join(err, shut.Close())
	}
	server.SetReady(true)
	return client.New(server.Conn(), shut), nil
}

// closers are closed together, in order.
type closers []func() error

func (c closers) Close() error {
	var errs []error
	for _, f := range c {
		errs = append(errs, f())
	}
	return errors.Join(errs...)
}

// services are the services over a database, with the catalog as it is now.
func (c *cli) services(ctx context.Context, st *store.Store, log *slog.Logger) (*api.Server, error) {
	x := index.New()
	if err := follow.New(st, x, log).Load(ctx); err != nil {
		return nil, err
	}
	return api.New(api.Options{Index: x, Store: st, Engine: harvest.New(st, log), Logger: log, Version: buildVersion().Version})
}
