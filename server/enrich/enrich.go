// Package enrich runs plugins: it asks each for what changed or went stale,
// holds what they say against what they declared, and keeps it. A plugin that
// hangs, fails or lies delays nobody else, and its last good facts stay.
//
// What has to be asked is not kept as a list. Each answer is kept with what it
// was made from; what has changed since follows from that, after a restart and
// on another replica too. See trace.go.
package enrich

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/waypost-dev/waypost/plugins"
	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/feed"
	"github.com/waypost-dev/waypost/server/index"
	"github.com/waypost-dev/waypost/server/store"
)

// Options are what a Runner works with.
type Options struct {
	Store *store.Store
	Index *index.Index
	Feed  *feed.Hub
	Log   *slog.Logger
	// Inspector reads repositories for plugins; nil if no source can.
	Inspector plugins.Inspector
	// Enqueue asks for Work on a plugin soon, as a durable job; nil to do it in
	// Run itself.
	Enqueue func(ctx context.Context, plugin string) error
	// Quiet is how long nothing may have changed before plugins are asked, so
	// that a harvest comes in first; default 150 ms. At most 30 times that is
	// waited, and up to half a minute for a harvest that still runs. Negative for
	// not at all.
	Quiet time.Duration
}

// Configured is a plugin with its configuration.
type Configured struct {
	Plugin plugins.Plugin
	// Config is JSON; empty for none. Its schema was checked.
	Config []byte
	// Remote says that it runs in another process.
	Remote bool
	// Down tells why its process is not there; nil if the plugin has none.
	Down func() error
}

// ErrUnknownPlugin: no plugin of that name is configured.
var ErrUnknownPlugin = errors.New("no such plugin")

// Runner runs plugins. It is safe for concurrent use.
type Runner struct {
	o       Options
	plugins map[string]*plugin
	names   []string // sorted
	repos   *repositories

	mu     sync.Mutex
	wanted map[string]struct{} // plugins that were asked for, of Refresh
	wake   chan struct{}
}

// New checks and configures the plugins. An error names the plugin.
func New(ctx context.Context, o Options, configured []Configured) (*Runner, error) {
	if o.Quiet == 0 {
		o.Quiet = 150 * time.Millisecond
	}
	r := &Runner{o: o, plugins: map[string]*plugin{}, repos: newRepositories(o.Store), wanted: map[string]struct{}{}, wake: make(chan struct{}, 1)}
	for _, c := range configured {
		p, err := newPlugin(c, o.Log)
		if err != nil {
			return nil, err
		}
		if r.plugins[p.name] != nil {
			return nil, fmt.Errorf("plugin %s is configured twice", p.name)
		}
		r.plugins[p.name] = p
		r.names = append(r.names, p.name)
		if configurer, ok := c.Plugin.(plugins.Configurer); ok {
			config := c.Config
			if len(config) == 0 {
				config = []byte("null")
			}
			ctx, cancel := context.WithTimeout(ctx, p.limits.Deadline)
			err := p.guarded(func() error { return configurer.Configure(ctx, config, host{r, p}) })
			cancel()
			if err != nil {
				return nil, fmt.Errorf("configure plugin %s: %w", p.name, err)
			}
		}
		if extender, ok := c.Plugin.(plugins.Extender); ok {
			if err := p.extend(extender); err != nil {
				return nil, fmt.Errorf("functions of plugin %s: %w", p.name, err)
			}
		}
	}
	slices.Sort(r.names)
	return r, nil
}

// Names are the plugins, sorted.
func (r *Runner) Names() []string { return slices.Clone(r.names) }

// Plugin returns a plugin, for those who look for its other roles.
func (r *Runner) Plugin(name string) (plugins.Plugin, bool) {
	p, ok := r.plugins[name]
	if !ok {
		return nil, false
	}
	return p.c.Plugin, true
}

// Again marks entities to be asked for again, all if none is named, and sees to
// it that they soon are. It returns how many.
func (r *Runner) Again(ctx context.Context, name string, refs ...catalog.Ref) (int, error) {
	p, ok := r.plugins[name]
	if !ok {
		return 0, fmt.Errorf("%s: %w; there are: %s", name, ErrUnknownPlugin, strings.Join(r.names, ", "))
	}
	p.mu.Lock()
	p.collectNow = p.collectNow || len(refs) == 0
	p.again = append(p.again, refs...)
	p.allAgain = p.allAgain || len(refs) == 0
	p.mu.Unlock()
	n := len(refs)
	if n == 0 {
		for record := range r.o.Index.Snapshot().Each {
			if p.concerns(record.Entity) {
				n++
			}
		}
	}
	return n, r.enqueue(ctx, name)
}

func (r *Runner) enqueue(ctx context.Context, name string) error {
	if r.o.Enqueue != nil {
		return r.o.Enqueue(ctx, name)
	}
	r.want(name)
	return nil
}

func (r *Runner) want(names ...string) {
	r.mu.Lock()
	for _, name := range names {
		r.wanted[name] = struct{}{}
	}
	r.mu.Unlock()
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// look is how often repositories and due times are looked at.
const look = time.Second

// Run watches the catalog and asks for Work until ctx ends.
func (r *Runner) Run(ctx context.Context) error {
	if len(r.names) == 0 {
		<-ctx.Done()
		return nil
	}
	var wg sync.WaitGroup
	defer wg.Wait()
	if r.o.Enqueue == nil {
		wg.Go(func() { r.workHere(ctx) })
	}
	tick := time.NewTicker(look)
	defer tick.Stop()
	r.settle(ctx)
	if !r.ask(ctx, r.names...) {
		return nil
	}
	at := r.o.Index.Snapshot().Revision()
	var touched int64 = -1
	for ctx.Err() == nil {
		moved, next, err := r.moved(ctx, at)
		switch {
		case err != nil && ctx.Err() == nil && !errors.Is(err, feed.ErrClosed):
			r.o.Log.Warn("plugins do not hear of changes; this is tried again", "error", err)
			at = r.o.Index.Snapshot().Revision()
			r.ask(ctx, r.names...)
		case moved:
			r.settle(ctx)
			at = r.o.Index.Snapshot().Revision()
			r.ask(ctx, r.names...)
			continue
		default:
			at = max(at, next.at)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-next.wait:
		case <-tick.C:
			if last, err := r.repos.last(ctx); err == nil && last != touched {
				touched = last
				r.settle(ctx)
				r.ask(ctx, r.names...)
			}
			now := time.Now()
			for _, name := range r.names {
				if r.plugins[name].due(now) {
					r.ask(ctx, name)
				}
			}
		}
	}
	return nil
}

type position struct {
	at   catalog.Revision
	wait <-chan struct{}
}

// moved tells whether an entity has changed after a revision, other than in what
// plugins say of it.
func (r *Runner) moved(ctx context.Context, after catalog.Revision) (bool, position, error) {
	w, err := r.o.Feed.Watch("", after)
	if err != nil {
		return false, position{}, err
	}
	defer w.Close()
	for {
		events, wait, err := w.Next(ctx)
		if err != nil {
			return false, position{}, err
		}
		if wait != nil {
			return false, position{w.At(), wait}, nil
		}
		for _, e := range events {
			if e.Change.Op != catalog.OpFacts {
				return true, position{}, nil
			}
		}
	}
}

// harvestWait is how long plugins wait for a harvest to end: asked in the midst of
// a first one, they answer from a half of the catalog and are asked again.
const (
	harvestWait = 30 * time.Second
	indexWait   = 5 * time.Second
)

// settle waits until nothing has changed for a while and no harvest runs.
func (r *Runner) settle(ctx context.Context) {
	if r.o.Quiet < 0 {
		return
	}
	began := time.Now()
	for at := r.o.Index.Snapshot().Revision(); time.Since(began) < harvestWait; {
		select {
		case <-ctx.Done():
			return
		case <-time.After(r.o.Quiet):
		}
		if r.harvesting(ctx) {
			continue
		}
		now := r.o.Index.Snapshot().Revision()
		if now == at || time.Since(began) > 30*r.o.Quiet {
			return
		}
		at = now
	}
}

// harvesting tells whether a source is being read. What plugins infer is kept as
// a harvest too, which is none.
func (r *Runner) harvesting(ctx context.Context) bool {
	last, err := r.o.Store.Harvests(ctx, "", 20)
	return err == nil && slices.ContainsFunc(last, func(h store.Harvest) bool {
		return h.State == store.HarvestRunning && !strings.HasPrefix(h.Source, pluginSource)
	})
}

// held tells whether a plugin has to wait for a harvest, and sees to it that the
// plugin is asked again.
func (r *Runner) held(ctx context.Context, p *plugin) bool {
	if r.o.Quiet < 0 {
		return false
	}
	harvesting := r.harvesting(ctx)
	p.mu.Lock()
	if !harvesting {
		p.heldSince = time.Time{}
	} else if p.heldSince.IsZero() {
		p.heldSince = time.Now()
	}
	held := harvesting && time.Since(p.heldSince) < harvestWait
	p.mu.Unlock()
	if held {
		p.soon(time.Now().Add(r.o.Quiet))
	}
	return held
}

// caughtUp waits for the index to have what was harvested. What comes later is
// asked about later.
func (r *Runner) caughtUp(ctx context.Context) {
	if latest, err := r.o.Store.Latest(ctx); err == nil && r.o.Quiet >= 0 {
		limited, cancel := context.WithTimeout(ctx, indexWait)
		defer cancel()
		_ = r.o.Index.Wait(limited, latest)
	}
}

// ask puts Work on plugins into the queue.
func (r *Runner) ask(ctx context.Context, names ...string) bool {
	for _, name := range names {
		if err := r.enqueue(ctx, name); err != nil {
			if ctx.Err() != nil {
				return false
			}
			r.o.Log.Warn("a plugin is not asked now; this is tried again", "plugin", name, "error", err)
			r.plugins[name].soon(time.Now().Add(5 * time.Second))
		}
	}
	return true
}

// workHere does the work without a queue, each plugin by itself.
func (r *Runner) workHere(ctx context.Context) {
	var wg sync.WaitGroup
	defer wg.Wait()
	for {
		r.mu.Lock()
		wanted := r.wanted
		r.wanted = map[string]struct{}{}
		r.mu.Unlock()
		for name := range wanted {
			wg.Go(func() {
				if err := r.Work(ctx, name); err != nil && ctx.Err() == nil {
					r.o.Log.Warn("plugin failed", "plugin", name, "error", err)
				}
			})
		}
		select {
		case <-ctx.Done():
			return
		case <-r.wake:
		}
	}
}
