package enrich

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/sony/gobreaker/v2"
	"golang.org/x/sync/errgroup"

	"github.com/waypost-dev/waypost/plugins"
	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/index"
	"github.com/waypost-dev/waypost/server/store"
)

// The roles, as runs name them.
const (
	RoleEnrich  = "enrich"
	RoleCollect = "collect"
	RoleHandle  = "handle"
	RoleInfer   = "infer"
)

// Work asks a plugin for everything that there is to ask now: to collect, if it
// is time, and about the entities that changed or went stale. It does so once at
// a time in this process. An error is one of the database: trouble with the
// plugin is recorded with it, and tried again later.
func (r *Runner) Work(ctx context.Context, name string) error {
	p, ok := r.plugins[name]
	if !ok {
		return fmt.Errorf("%s: %w", name, ErrUnknownPlugin)
	}
	p.work.Lock()
	defer p.work.Unlock()
	if r.held(ctx, p) {
		return nil
	}
	r.caughtUp(ctx)
	if err := r.collect(ctx, p); err != nil {
		return err
	}
	if p.enricher == nil {
		return nil
	}
	w := &working{r: r, p: p, run: store.PluginRun{Plugin: p.name, Role: RoleEnrich, Started: time.Now()}}
	err := w.all(ctx)
	if err := w.finish(context.WithoutCancel(ctx)); err != nil {
		return err
	}
	return err
}

// working is one run of Enrich over what there is to ask.
type working struct {
	r      *Runner
	p      *plugin
	s      *index.Snapshot
	common *gathered // of the views of s

	mu       sync.Mutex // what follows, and the plugin's trace
	run      store.PluginRun
	versions *versions
	failed   error // the last failure of the plugin
}

// rounds bounds how often a run looks for more: what changes all the time is the
// next run's.
const rounds = 10

func (w *working) all(ctx context.Context) error {
	for range rounds {
		if w.r.held(ctx, w.p) {
			return nil
		}
		s, err := w.r.refresh(ctx, w.p)
		if err != nil {
			return err
		}
		w.s, w.versions = s, &versions{s: s, repos: w.r.repos, known: map[read]uint64{}}
		w.common = &gathered{s: s}
		w.asked()
		todo, next := w.p.trace.todo(s, time.Now())
		w.p.stats.waiting.Store(int64(len(todo)))
		if len(todo) == 0 {
			w.p.soon(next)
			return nil
		}
		if err := w.batches(ctx, todo); err != nil {
			w.p.stats.waiting.Store(int64(w.p.trace.stale()))
			if errors.Is(err, errOpen) || errors.Is(err, errHangs) {
				w.p.soon(time.Now().Add(breakerOpen))
				return nil
			}
			return err
		}
	}
	w.p.soon(time.Now())
	return nil
}

// asked takes over what people asked for.
func (w *working) asked() {
	p := w.p
	p.mu.Lock()
	again, all := p.again, p.allAgain
	p.again, p.allAgain = nil, false
	p.mu.Unlock()
	for _, ref := range again {
		if record, ok := w.s.Get(ref); ok {
			if x := p.trace.subjects[record.Entity.UID]; x != nil {
				x.stale = true
			}
		}
	}
	if all {
		for _, x := range p.trace.subjects {
			x.stale = true
		}
	}
}

// batches asks about subjects. One that failed before is asked about alone, so
// that it takes no others with it.
func (w *working) batches(ctx context.Context, todo []*subject) error {
	var together, alone []*subject
	for _, x := range todo {
		if x.failures > 0 {
			alone = append(alone, x)
		} else {
			together = append(together, x)
		}
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(w.p.limits.Concurrent)
	for _, part := range []struct {
		subjects []*subject
		size     int
	}{{together, w.p.limits.Batch}, {alone, 1}} {
		for batch := range slices.Chunk(part.subjects, part.size) {
			if ctx.Err() != nil {
				break
			}
			g.Go(func() error { return w.batch(ctx, batch) })
		}
	}
	return g.Wait()
}

// batch asks about some subjects and keeps what comes.
func (w *working) batch(ctx context.Context, batch []*subject) error {
	var asked []*subject
	var subjects []plugins.Subject
	var views []*view
	var entities []*catalog.Entity
	for _, x := range batch {
		record, ok := w.s.ByUID(x.uid)
		if !ok {
			w.mu.Lock()
			delete(w.p.trace.subjects, x.uid)
			w.mu.Unlock()
			continue
		}
		v := &view{ctx: ctx, s: w.s, repos: w.r.repos, common: w.common}
		v.note(entityRead(record.Entity.Ref.Key()))
		views = append(views, v)
		entities = append(entities, record.Entity)
		asked = append(asked, x)
		subjects = append(subjects, plugins.Subject{Entity: record.Entity, View: v})
	}
	if len(asked) == 0 {
		return nil
	}
	near, err := w.r.repos.together(ctx, entities)
	if err != nil {
		return err
	}
	for _, v := range views {
		v.near = near
	}
	answers, err := w.p.call(ctx, subjects)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	now := time.Now()
	w.mu.Lock()
	w.run.Calls++
	if errors.Is(err, errOpen) || errors.Is(err, errHangs) {
		w.failed = cmp.Or(w.failed, err)
		w.mu.Unlock()
		return err
	}
	if err != nil {
		w.failed = err
	}
	w.run.Asked += len(asked)
	keep := make([]store.Enrichment, len(asked))
	reads := make([][]read, len(asked))
	for i, x := range asked {
		e := store.Enrichment{UID: x.uid, Ref: subjects[i].Entity.Ref}
		failure := err
		if failure == nil {
			failure = w.p.accept(&e, subjects[i].Entity, answers[i], now)
			if failure != nil && answers[i].Err == nil {
				w.run.Refused++
			}
		}
		reads[i] = slices.Sorted(maps.Keys(views[i].taken()))
		if failure != nil {
			e = store.Enrichment{UID: e.UID, Ref: e.Ref, Error: clip(failure.Error(), maxError), Failures: int(x.failures) + 1, Due: now.Add(backoff(int(x.failures)))}
		} else {
			e.Reads = encodeReads(reads[i], w.versions)
			w.run.Answered++
		}
		keep[i] = e
	}
	w.mu.Unlock()
	changed, err := w.r.o.Store.PutEnrichments(ctx, w.p.name, keep)
	if err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.run.Changed += changed
	for i, x := range asked {
		x.stale, x.due, x.failures = false, keep[i].Due, int32(keep[i].Failures)
		if keep[i].Error == "" {
			x.depend(reads[i])
		} else {
			w.failed = cmp.Or(w.failed, errors.New(keep[i].Error))
		}
	}
	return nil
}

// backoff is how long an entity is left alone whose question failed so often
// before: 30 s, doubling to an hour, give or take a tenth.
func backoff(failures int) time.Duration {
	wait := time.Hour
	if failures < 7 {
		wait = min(wait, 30*time.Second<<failures)
	}
	return wait*9/10 + rand.N(wait/5)
}

// finish records the run, if it asked anything, and how the plugin stands.
func (w *working) finish(ctx context.Context) error {
	p := w.p
	if w.run.Calls == 0 && w.failed == nil {
		return nil
	}
	w.run.Finished = time.Now()
	if w.failed != nil {
		w.run.Error = clip(w.failed.Error(), maxError)
	}
	id, err := w.r.o.Store.PutPluginRun(ctx, w.run)
	if err != nil {
		return err
	}
	p.lastRun = id
	p.stats.observe(w.run)
	return w.r.stand(ctx, p, w.failed, p.trace != nil && p.trace.stale() == 0)
}

// stand keeps how a plugin stands. Its version is kept once everything was asked
// with it.
func (r *Runner) stand(ctx context.Context, p *plugin, failed error, whole bool) error {
	known, err := r.o.Store.Plugins(ctx)
	if err != nil {
		return err
	}
	had := known[p.name]
	state := store.Plugin{Name: p.name, Version: had.Version, Breaker: p.breaker.State().String(), Collected: had.Collected}
	if whole {
		state.Version = p.version
	}
	if p.breaker.State() == gobreaker.StateOpen {
		state.Until = time.Now().Add(breakerOpen)
	}
	if failed = cmp.Or(failed, p.collectFailed); failed != nil {
		state.Error = clip(failed.Error(), maxError)
	}
	if state == had {
		return nil
	}
	return r.o.Store.PutPlugin(ctx, state)
}
