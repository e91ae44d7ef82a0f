package enrich

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"log/slog"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/sony/gobreaker/v2"
	"golang.org/x/time/rate"

	"github.com/waypost-dev/waypost/plugins"
	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/index"
)

// plugin is a plugin in this process.
type plugin struct {
	c       Configured
	log     *slog.Logger
	d       plugins.Descriptor
	name    string
	version string // with which its facts are made
	kinds   map[string]bool
	types   map[string]factType
	limits  plugins.Limits
	rate    *rate.Limiter
	breaker *gobreaker.CircuitBreaker[[]plugins.Answer]

	enricher  plugins.Enricher
	collector plugins.Collector
	relater   plugins.Relater

	work          sync.Mutex // held by Work: one at a time
	collectedSize int        // entities in the catalog when it last collected
	collectAfter  time.Time  // since the last time failed
	collectFailed error      // the last time

	mu         sync.Mutex // what follows
	again      []catalog.Ref
	allAgain   bool
	collectNow bool
	next       time.Time // when something is due; zero for never
	heldSince  time.Time // since when a harvest has been waited for; zero for not at all
	hung       int       // calls that did not end at their deadline
	trace      *trace    // of Work alone
	lastRun    int64     // id of the last run in the store when trace was right
	stats      stats
}

type factType struct {
	plugins.FactType
	schema *jsonschema.Schema
}

// Bounds of the breaker: it opens after so many failures in a row, and lets one
// call through after so long.
const (
	breakerFailures = 5
	breakerOpen     = 30 * time.Second
)

func newPlugin(c Configured, log *slog.Logger) (*plugin, error) {
	d := c.Plugin.Describe()
	if err := d.Check(); err != nil {
		return nil, fmt.Errorf("plugin %q: %w", d.Name, err)
	}
	p := &plugin{c: c, log: log, d: d, name: d.Name, kinds: map[string]bool{}, types: map[string]factType{}, limits: d.Limits.Effective(), rate: rate.NewLimiter(rate.Inf, 1)}
	if p.limits.PerSecond > 0 {
		p.rate = rate.NewLimiter(rate.Limit(p.limits.PerSecond), 1)
	}
	h := fnv.New64a()
	h.Write(c.Config)
	p.version = d.Version + "+" + strconv.FormatUint(h.Sum64(), 36)
	for _, k := range d.Kinds {
		p.kinds[strings.ToLower(k)] = true
	}
	for _, f := range d.Facts {
		s, err := catalog.CompileSchema(f.Schema)
		if err != nil {
			return nil, fmt.Errorf("plugin %s: fact %s: %w", d.Name, f.Key, err)
		}
		p.types[f.Key] = factType{f, s}
	}
	p.enricher, _ = c.Plugin.(plugins.Enricher)
	p.collector, _ = c.Plugin.(plugins.Collector)
	p.relater, _ = c.Plugin.(plugins.Relater)
	p.breaker = gobreaker.NewCircuitBreaker[[]plugins.Answer](gobreaker.Settings{
		Name: d.Name, MaxRequests: 1, Timeout: breakerOpen,
		ReadyToTrip: func(n gobreaker.Counts) bool { return n.ConsecutiveFailures >= breakerFailures },
		// A call that was not made because the server stops is no failure.
		IsSuccessful: func(err error) bool { return err == nil || errors.Is(err, context.Canceled) },
	})
	return p, nil
}

// extend adds the plugin's functions to filters.
func (p *plugin) extend(e plugins.Extender) error {
	var functions []plugins.Function
	if err := p.guarded(func() error { functions = e.Functions(); return nil }); err != nil {
		return err
	}
	if err := p.d.CheckFunctions(functions); err != nil {
		return err
	}
	var added []index.Function
	for _, f := range functions {
		added = append(added, index.Function{Name: f.Name, Arguments: f.Arguments, Result: f.Result, Call: f.Call})
	}
	return index.Extend(added...)
}

// concerns tells whether the plugin is asked about an entity.
func (p *plugin) concerns(e *catalog.Entity) bool {
	return p.enricher != nil && (len(p.kinds) == 0 || p.kinds[strings.ToLower(e.Ref.Kind)])
}

// due tells whether something is to be done at a time, and that it will be.
func (p *plugin) due(now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.next.IsZero() || p.next.After(now) {
		return false
	}
	p.next = time.Time{}
	return true
}

// soon sees to it that something is done at a time, or before.
func (p *plugin) soon(at time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !at.IsZero() && (p.next.IsZero() || at.Before(p.next)) {
		p.next = at
	}
}

// Why a plugin is not called.
var (
	errHangs = errors.New("calls that should have ended long ago still run")
	errOpen  = errors.New("it has failed too often and is left alone for a while")
)

// call makes one call of Enrich, within the plugin's limits. What the plugin
// does beyond its deadline is not waited for.
func (p *plugin) call(ctx context.Context, subjects []plugins.Subject) ([]plugins.Answer, error) {
	if err := p.rate.Wait(ctx); err != nil {
		return nil, err
	}
	p.mu.Lock()
	stuck := p.hung >= 2*p.limits.Concurrent
	p.mu.Unlock()
	if stuck {
		return nil, errHangs
	}
	answers, err := p.breaker.Execute(func() ([]plugins.Answer, error) {
		limited, cancel := context.WithTimeout(ctx, p.limits.Deadline)
		defer cancel()
		type result struct {
			answers []plugins.Answer
			err     error
		}
		done := make(chan result, 1)
		var late bool
		go func() {
			var got result
			got.err = p.guarded(func() (err error) {
				got.answers, err = p.enricher.Enrich(limited, subjects)
				return err
			})
			done <- got
			p.mu.Lock()
			defer p.mu.Unlock()
			if late {
				p.hung--
			}
		}()
		select {
		case got := <-done:
			if got.err == nil && len(got.answers) != len(subjects) {
				got.err = fmt.Errorf("it gave %d answers to %d questions", len(got.answers), len(subjects))
			}
			return got.answers, got.err
		case <-limited.Done():
			p.mu.Lock()
			defer p.mu.Unlock()
			select {
			case <-done: // at the last moment: it does not hang
			default:
				late = true
				p.hung++
			}
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			return nil, fmt.Errorf("it did not answer within %s", p.limits.Deadline)
		}
	})
	if errors.Is(err, gobreaker.ErrOpenState) || errors.Is(err, gobreaker.ErrTooManyRequests) {
		err = errOpen
	}
	return answers, err
}

// guarded runs a plugin's code: a panic is an error, whose stack is in the log.
func (p *plugin) guarded(f func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			p.log.Error("plugin panicked", "plugin", p.name, "panic", v, "stack", string(debug.Stack()))
			err = fmt.Errorf("it panicked: %v; the server's log has where", v)
		}
	}()
	return f()
}
