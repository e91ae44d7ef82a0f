package enrich

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/waypost-dev/waypost/plugins"
	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/store"
)

// Times of collecting. A failed one is tried again after collectRetry, if that
// is sooner than the next one.
const (
	collectEvery = 15 * time.Minute
	collectRetry = time.Minute
)

// collect has the plugin read its outside system, and propose entities, if it is
// time.
func (r *Runner) collect(ctx context.Context, p *plugin) error {
	if p.collector == nil && p.relater == nil {
		return nil
	}
	known, err := r.o.Store.Plugins(ctx)
	if err != nil {
		return err
	}
	every := cmp.Or(p.d.Every, collectEvery)
	p.mu.Lock()
	now := p.collectNow
	p.collectNow = false
	p.mu.Unlock()
	// A catalog of another size has to be looked at anew: it was harvested first.
	size := r.o.Index.Snapshot().Len()
	grown := max(size-p.collectedSize, p.collectedSize-size)*10 > p.collectedSize
	next := known[p.name].Collected.Add(every)
	if grown {
		next = time.Time{}
	}
	if p.collectAfter.After(next) {
		next = p.collectAfter
	}
	if !now && next.After(time.Now()) {
		p.soon(next)
		return nil
	}
	if err := r.repos.catchUp(ctx); err != nil {
		return err
	}
	var failed error
	if p.collector != nil {
		err := r.roleRun(ctx, p, RoleCollect, func(ctx context.Context, v *view) (int, error) {
			refs, err := p.collector.Collect(ctx, v)
			p.mu.Lock()
			p.again = append(p.again, refs...)
			p.mu.Unlock()
			return len(refs), err
		})
		failed = err
	}
	if p.relater != nil && failed == nil {
		failed = r.roleRun(ctx, p, RoleInfer, func(ctx context.Context, v *view) (int, error) {
			entities, err := p.relater.Infer(ctx, v)
			if err != nil {
				return 0, err
			}
			return r.infer(ctx, p, entities)
		})
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if failed != nil {
		p.collectFailed, p.collectAfter = failed, time.Now().Add(min(collectRetry, every))
		p.soon(p.collectAfter)
		return r.stand(ctx, p, failed, false)
	}
	p.collectedSize = size
	p.soon(time.Now().Add(every))
	state := known[p.name]
	state.Name, state.Breaker, state.Collected = p.name, p.breaker.State().String(), time.Now()
	if p.collectFailed != nil {
		p.collectFailed, state.Error = nil, ""
	}
	return r.o.Store.PutPlugin(ctx, state)
}

// roleRun runs one of the smaller roles, and records it.
func (r *Runner) roleRun(ctx context.Context, p *plugin, role string, f func(context.Context, *view) (int, error)) error {
	run := store.PluginRun{Plugin: p.name, Role: role, Started: time.Now(), Calls: 1}
	limited, cancel := context.WithTimeout(ctx, max(p.limits.Deadline, 2*time.Minute))
	defer cancel()
	type result struct {
		n   int
		err error
	}
	done := make(chan result, 1)
	go func() {
		var got result
		got.err = p.guarded(func() (err error) {
			got.n, err = f(limited, &view{ctx: limited, s: r.o.Index.Snapshot(), repos: r.repos, whole: true})
			return err
		})
		done <- got
	}()
	var got result
	select {
	case got = <-done:
	case <-limited.Done():
		got.err = fmt.Errorf("it did not end in time: %w", limited.Err())
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	run.Finished, run.Changed = time.Now(), got.n
	if got.err != nil {
		run.Error = clip(got.err.Error(), maxError)
	}
	if _, err := r.o.Store.PutPluginRun(ctx, run); err != nil {
		return err
	}
	p.stats.observe(run)
	return got.err
}

// Handle tells the plugins that want it of a webhook delivery. What they make of
// it is theirs; trouble is recorded with the plugin.
func (r *Runner) Handle(ctx context.Context, event plugins.Event) {
	for _, name := range r.names {
		p := r.plugins[name]
		handler, ok := p.c.Plugin.(plugins.Handler)
		if !ok || !slices.Contains(p.d.Events, event.Type) {
			continue
		}
		err := r.roleRun(ctx, p, RoleHandle, func(ctx context.Context, v *view) (int, error) {
			refs, err := handler.Handle(ctx, event, v)
			p.mu.Lock()
			p.again = append(p.again, refs...)
			p.mu.Unlock()
			return len(refs), err
		})
		if err != nil {
			r.o.Log.Warn("a plugin did not take a webhook delivery", "plugin", name, "event", event.Type, "error", err)
			continue
		}
		r.ask(ctx, name)
	}
}

// pluginSource and its name is the source of what a plugin infers.
const pluginSource = "plugin:"

// Bounds of what a plugin infers.
const maxInferred = 10_000

// infer keeps the entities that a plugin proposes, all and only these. They
// belong to a source named after it.
func (r *Runner) infer(ctx context.Context, p *plugin, entities []*catalog.Entity) (int, error) {
	if len(entities) > maxInferred {
		return 0, fmt.Errorf("it infers %d entities; %d are the most", len(entities), maxInferred)
	}
	source := pluginSource + p.name
	u := store.RepositoryUpdate{
		Repository: store.Repository{ID: "inferred", Name: "", State: p.version, Facts: []byte("{}"), Documents: map[string]store.Document{}},
		Cause:      catalog.Cause{Via: catalog.ViaPlugin, Actor: p.name},
	}
	seen := map[string]bool{}
	for _, e := range entities {
		made, err := inferred(e, source)
		if err != nil {
			return 0, err
		}
		key := made.Ref.Key()
		if seen[key] {
			return 0, fmt.Errorf("it infers %s twice", key)
		}
		seen[key] = true
		// Below every source that a person configures.
		u.Claims = append(u.Claims, store.Claim{Key: key, Priority: -1_000_000, Entity: made})
	}
	h, err := r.o.Store.BeginHarvest(ctx, source, "plugin")
	if err != nil {
		return 0, err
	}
	counts, err := r.o.Store.Apply(ctx, source, []store.RepositoryUpdate{u})
	h.State, h.Added, h.Changed, h.Removed = store.HarvestSucceeded, counts.Added, counts.Changed, counts.Removed
	if err != nil {
		h.State, h.Error = store.HarvestFailed, err.Error()
	}
	if end := r.o.Store.FinishHarvest(context.WithoutCancel(ctx), h, nil); err == nil {
		err = end
	}
	return counts.Added + counts.Changed + counts.Removed, err
}

// inferred holds a proposed entity against the rules of the catalog.
func inferred(e *catalog.Entity, source string) (*catalog.Entity, error) {
	if e == nil {
		return nil, fmt.Errorf("it infers an entity that is nil")
	}
	var doc struct {
		APIVersion string         `json:"apiVersion"`
		Kind       string         `json:"kind"`
		Metadata   map[string]any `json:"metadata"`
		Spec       map[string]any `json:"spec"`
	}
	if err := json.Unmarshal(e.Document, &doc); err != nil {
		return nil, fmt.Errorf("it infers an entity that is not JSON: %w", err)
	}
	made, violations := catalog.NewEntity(doc.APIVersion, doc.Kind, doc.Metadata, doc.Spec, catalog.Origin{Source: source, Inferred: true})
	for _, v := range violations {
		if v.Severity == catalog.SeverityError {
			return nil, fmt.Errorf("it infers %s %v, whose %s is wrong: %s", strings.ToLower(doc.Kind), doc.Metadata["name"], v.Field(), v.Message)
		}
	}
	return made, nil
}
