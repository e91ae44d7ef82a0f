package webhook

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"

	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/source"
	"github.com/waypost-dev/waypost/server/store"
)

// drainBatch is how many deliveries are processed together.
const drainBatch = 500

// maxOutcome is the length of the longest outcome in bytes.
const maxOutcome = 500

// Drain processes what waits for a source, in order of receipt, until nothing
// does. A delivery that cannot be understood is marked as failed. When a
// refresh fails, or a harvest cannot be asked for, what called for it still
// waits, and the error says so: call Drain again after a while. Several may
// drain one source at once; they may do the same work twice.
func (i *Inbox) Drain(ctx context.Context, name string) error {
	s, ok := i.sources[name]
	if !ok {
		return fmt.Errorf("drain the inbox of %s: no such source takes webhooks", name)
	}
	for {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("drain the inbox of %s: %w", name, err)
		}
		waiting, err := i.store.WaitingDeliveries(ctx, name, drainBatch)
		if err != nil {
			return fmt.Errorf("drain the inbox of %s: %w", name, err)
		}
		if len(waiting) == 0 {
			return nil
		}
		if err := i.process(ctx, s, waiting); err != nil {
			return fmt.Errorf("drain the inbox of %s: %w", name, err)
		}
	}
}

// process does what deliveries call for together, and marks those for which
// that succeeded.
func (i *Inbox) process(ctx context.Context, s Source, waiting []store.Delivery) error {
	var done []store.Delivery // nothing more is to be done for them
	var refresh, harvest part
	for _, d := range waiting {
		a, err := i.announced(s, d)
		if err == nil && a.Touched != nil {
			leads, broken := i.leads(ctx, s.Name(), a)
			if broken != nil {
				return broken
			}
			if !leads {
				a = source.Announcement{Ignored: "it changes no path that is watched"}
			}
		}
		if i.options.Told != nil && err == nil {
			i.options.Told(ctx, d)
		}
		d.Payload = nil
		switch empty := len(a.Scope.Repositories) == 0 && !a.Scope.Directory; {
		case err != nil:
			i.log.Warn("webhook delivery not understood", "source", d.Source, "event", d.Event, "delivery", d.ID, "error", err)
			done = append(done, finished(d, "failed: "+err.Error()))
		case a.Ignored != "":
			done = append(done, finished(d, "ignored: "+a.Ignored))
		case a.Everything:
			// Its scope too: a harvest may take a while, and the scope may not.
			harvest.add(d, a)
			refresh.scope.add(a.Scope)
		case empty:
			done = append(done, finished(d, "ignored: it names nothing to look at"))
		default:
			refresh.add(d, a)
		}
	}
	var failed error
	if len(harvest.deliveries) > 0 {
		if err := i.options.Harvest(ctx, s.Name(), harvest.cause); err != nil {
			failed = fmt.Errorf("ask for a harvest: %w", err)
		} else {
			done = append(done, harvest.finished("asked for a harvest")...)
		}
	}
	if !refresh.scope.empty() {
		if len(refresh.deliveries) == 0 {
			refresh.cause = harvest.cause
		}
		counts, err := i.options.Refresh(ctx, s.Name(), refresh.scope.Scope, refresh.cause)
		_, held := errors.AsType[store.Held](err)
		switch {
		case held:
			done = append(done, refresh.finished("refreshed, but for what is held: "+err.Error())...)
		case err != nil:
			failed = errors.Join(failed, err)
		default:
			done = append(done, refresh.finished(refresh.outcome(counts))...)
		}
	}
	if len(done) == 0 {
		return failed
	}
	return errors.Join(failed, i.store.FinishDeliveries(ctx, done))
}

// leads tells whether files that changed are part of what the catalog has.
func (i *Inbox) leads(ctx context.Context, name string, a source.Announcement) (bool, error) {
	if i.options.Leads == nil || len(a.Scope.Repositories) != 1 {
		return false, nil
	}
	leads, err := i.options.Leads(ctx, name, a.Scope.Repositories[0], a.Touched)
	if err != nil {
		return false, fmt.Errorf("look whether the catalog has a changed file: %w", err)
	}
	return leads, nil
}

// announced asks the source what a delivery means. A source that panics has
// failed on this delivery alone.
func (i *Inbox) announced(s Source, d store.Delivery) (a source.Announcement, err error) {
	defer func() {
		if r := recover(); r != nil {
			i.log.Error("webhook delivery made the source panic", "source", d.Source, "event", d.Event, "delivery", d.ID,
				"panic", r, "stack", string(debug.Stack()))
			a, err = source.Announcement{}, fmt.Errorf("panic: %v", r)
		}
	}()
	return s.Announced(d.Event, d.Payload)
}

// finished is d with what came of it, in valid UTF-8 and of bounded length.
func finished(d store.Delivery, outcome string) store.Delivery {
	if len(outcome) > maxOutcome {
		outcome = outcome[:maxOutcome] + "…"
	}
	d.Outcome, d.Waiting = strings.ToValidUTF8(outcome, ""), false
	return d
}

// part is deliveries that are answered by one call.
type part struct {
	deliveries []store.Delivery
	scope      scope
	cause      catalog.Cause // of the newest of them
}

// add takes a delivery that was received later than those before.
func (p *part) add(d store.Delivery, a source.Announcement) {
	p.deliveries = append(p.deliveries, d)
	p.scope.add(a.Scope)
	p.cause = a.Cause
	p.cause.Via, p.cause.Delivery = catalog.ViaWebhook, d.ID
}

func (p *part) finished(outcome string) []store.Delivery {
	out := make([]store.Delivery, len(p.deliveries))
	for n, d := range p.deliveries {
		out[n] = finished(d, outcome)
	}
	return out
}

// outcome says what a refresh was of and what it changed.
func (p *part) outcome(c store.Counts) string {
	var what []string
	switch r := p.scope.Repositories; {
	case len(r) == 1:
		what = append(what, nameOf(r[0]))
	case len(r) > 1:
		what = append(what, fmt.Sprintf("%d repositories", len(r)))
	}
	if p.scope.Directory {
		what = append(what, "the directory")
	}
	of := ""
	if n := len(p.deliveries); n > 1 {
		of = fmt.Sprintf(" for %d deliveries", n)
	}
	return fmt.Sprintf("refreshed %s%s: %d added, %d changed, %d removed", strings.Join(what, " and "), of, c.Added, c.Changed, c.Removed)
}

func nameOf(p source.Pointer) string {
	switch {
	case p.Name != "":
		return p.Name
	case p.ID != "":
		return p.ID
	default:
		return fmt.Sprintf("repository %d", p.Number)
	}
}

// scope is a source.Scope that grows without naming a repository twice. Its
// zero value is empty.
type scope struct {
	source.Scope
	ids     map[string]int // places in Repositories
	numbers map[int64]int
	names   map[string]int // of those that have neither
}

func (s *scope) empty() bool { return len(s.Repositories) == 0 && !s.Directory }

// add takes what was named later than what is there: later names win.
func (s *scope) add(more source.Scope) {
	s.Directory = s.Directory || more.Directory
	if s.ids == nil {
		s.ids, s.numbers, s.names = map[string]int{}, map[int64]int{}, map[string]int{}
	}
	for _, p := range more.Repositories {
		n, found := s.find(p)
		if !found {
			n = len(s.Repositories)
			s.Repositories = append(s.Repositories, p)
		}
		known := &s.Repositories[n]
		if p.ID != "" {
			known.ID = p.ID
			s.ids[p.ID] = n
		}
		if p.Number != 0 {
			known.Number = p.Number
			s.numbers[p.Number] = n
		}
		if p.Name != "" {
			known.Name = p.Name
		}
		known.Teams = known.Teams || p.Teams
		if p.ID == "" && p.Number == 0 {
			s.names[strings.ToLower(p.Name)] = n
		}
	}
}

// find looks a repository up by what it is known by. A name alone is not taken
// for a repository that an id tells: it may have passed to another one.
func (s *scope) find(p source.Pointer) (int, bool) {
	if p.ID != "" {
		if n, ok := s.ids[p.ID]; ok {
			return n, true
		}
	}
	if p.Number != 0 {
		if n, ok := s.numbers[p.Number]; ok && (p.ID == "" || s.Repositories[n].ID == "" || s.Repositories[n].ID == p.ID) {
			return n, true
		}
	}
	if p.ID == "" && p.Number == 0 {
		n, ok := s.names[strings.ToLower(p.Name)]
		return n, ok
	}
	return 0, false
}
