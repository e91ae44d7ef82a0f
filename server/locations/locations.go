// Package locations keeps the locations that were registered through the API: their
// records in the store, and the sources that harvest them in the engine, beside those
// of the configuration. Each replica brings its engine in line with the store.
package locations

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/harvest"
	"github.com/waypost-dev/waypost/server/source/location"
	"github.com/waypost-dev/waypost/server/source/reach"
	"github.com/waypost-dev/waypost/server/store"
)

// Options say how registered locations are read and harvested.
type Options struct {
	// Source are the options of each location; its Target and Name are set here.
	Source location.Options
	// Harvest is how each is harvested; its Source is set here.
	Harvest harvest.Config
	// Files allows locations of files of this machine.
	Files bool
	// Every is how often the store is looked at for what other replicas registered;
	// 5 seconds if zero.
	Every time.Duration
}

// Errors of Register. What is wrong stands in a *TargetError.
var (
	ErrTarget     = errors.New("no target of a location")
	ErrNotAllowed = errors.New("not allowed to be read")
	ErrUnreadable = errors.New("cannot be read")
)

// TargetError says what is wrong with a target. It is one of the errors above.
type TargetError struct {
	Is      error
	Target  string
	Message string
	Hint    string // empty if there is none
}

// Error says it all.
func (e *TargetError) Error() string {
	s := fmt.Sprintf("location %.300q: %s", e.Target, e.Message)
	if e.Hint != "" {
		s += "; " + e.Hint
	}
	return s
}

// Unwrap is the kind of error.
func (e *TargetError) Unwrap() error { return e.Is }

// Registry is the registered locations. It is safe for concurrent use.
type Registry struct {
	store  *store.Store
	engine *harvest.Engine
	log    *slog.Logger
	o      Options

	mu    sync.Mutex      // held while engine and store are brought in line
	added map[string]bool // names of sources that are in the engine because of us
}

// New returns a Registry that has put no source into the engine yet; see Sync.
func New(st *store.Store, e *harvest.Engine, log *slog.Logger, o Options) *Registry {
	if o.Every == 0 {
		o.Every = 5 * time.Second
	}
	o.Harvest.NoInference = true // a location stands for no repository
	return &Registry{store: st, engine: e, log: log, o: o, added: map[string]bool{}}
}

// Run syncs every so often until ctx ends.
func (r *Registry) Run(ctx context.Context) error {
	tick := time.NewTicker(r.o.Every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if err := r.Sync(ctx); err != nil && ctx.Err() == nil {
			r.log.Warn("registered locations could not be looked at; this is tried again", "error", err)
		}
	}
}

// Sync adds to the engine the locations that are in the store, and removes, with what
// they declared, those that are there no longer. A location that is also a source of
// the configuration is left to that.
func (r *Registry) Sync(ctx context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	listed := map[string]bool{}
	for after := ""; ; {
		page, err := r.store.Locations(ctx, after, pageSize)
		if err != nil {
			return err
		}
		for _, l := range page {
			after = l.Target
			listed[l.Target] = true
			if r.engine.Source(l.Target) != nil {
				continue
			}
			s, err := r.open(l.Target)
			if err != nil {
				r.log.Debug("a registered location is not harvested", "target", l.Target, "error", err)
				continue
			}
			r.add(s)
		}
		if len(page) < pageSize {
			break
		}
	}
	for name := range r.added {
		if !listed[name] {
			if err := r.remove(ctx, name); err != nil {
				return err
			}
		}
	}
	return nil
}

// pageSize is how many locations are read from the store at once.
const pageSize = 500

// add needs r.mu.
func (r *Registry) add(s *location.Source) {
	c := r.o.Harvest
	c.Source = s
	r.engine.Add(c)
	r.added[s.Name()] = true
}

// remove needs r.mu.
func (r *Registry) remove(ctx context.Context, name string) error {
	cause := catalog.Cause{Via: catalog.ViaAPI}
	if _, err := r.engine.Remove(ctx, name, cause); err != nil && !errors.Is(err, harvest.ErrUnknownSource) {
		return err
	}
	delete(r.added, name)
	return nil
}

// open makes the source of a target, if it may be read.
func (r *Registry) open(target string) (*location.Source, error) {
	o := r.o.Source
	o.Target, o.Name = target, ""
	s, err := location.New(o)
	if err != nil {
		return nil, &TargetError{Is: ErrTarget, Target: target, Message: err.Error()}
	}
	if s.IsFile() && !r.o.Files {
		return nil, &TargetError{Is: ErrNotAllowed, Target: target, Message: "files of the server's machine are not registered through the API",
			Hint: "register its web address, configure it as a source with --location file:PATH, or allow it with registerFiles in the configuration"}
	}
	if err := s.Check(); err != nil {
		e := &TargetError{Is: ErrNotAllowed, Target: target, Message: err.Error()}
		if f, ok := errors.AsType[*reach.Failure](err); ok {
			e.Hint = f.Hint
			if f.Hint != "" {
				e.Hint += " or in the list readAllow of the server's configuration"
			}
		}
		return nil, e
	}
	return s, nil
}

// List returns up to limit locations by target, those after a target if it is not
// empty.
func (r *Registry) List(ctx context.Context, after string, limit int) ([]store.Location, error) {
	return r.store.Locations(ctx, after, limit)
}

// Delete removes a registered location and what it declared, and returns the
// revision without it; or store.ErrNotFound.
func (r *Registry) Delete(ctx context.Context, id string) (catalog.Revision, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	l, err := r.store.GetLocation(ctx, id, "")
	if err != nil {
		return 0, err
	}
	// The record goes last: when this fails in between, the location is still
	// registered, and harvested again. A source of the configuration stays.
	switch {
	case r.added[l.Target]:
		err = r.remove(ctx, l.Target)
	case r.engine.Source(l.Target) == nil: // it may not be read any more, or another replica harvests it
		_, err = r.store.RemoveSource(ctx, l.Target, catalog.Cause{Via: catalog.ViaAPI})
	}
	if err != nil {
		return 0, fmt.Errorf("remove what %s declared: %w", l.Target, err)
	}
	if err := r.store.DeleteLocation(ctx, id); err != nil {
		return 0, err
	}
	return r.store.Latest(ctx)
}

// Registered is what came of Register.
type Registered struct {
	Location store.Location    // without an ID if nothing was registered
	Refs     []string          // of what it declares, sorted
	Entities []*catalog.Entity // the same, as they are read
	Problems []catalog.Problem
	Revision catalog.Revision // with which all of it can be read
}

// Register reads a location and adds it to those that are harvested, and returns when
// the catalog holds what it declares. With dryRun it registers nothing. The error is a
// *TargetError if it may not or cannot be read, and a store.ErrExists if it is
// harvested already.
func (r *Registry) Register(ctx context.Context, target, creator string, dryRun bool) (Registered, error) {
	s, err := r.open(target)
	if err != nil {
		return Registered{}, err
	}
	name := s.Name()
	if r.engine.Source(name) != nil {
		return Registered{}, fmt.Errorf("location %s: %w", name, store.ErrExists)
	}
	if _, err := r.store.GetLocation(ctx, "", name); err == nil {
		return Registered{}, fmt.Errorf("location %s: %w", name, store.ErrExists)
	} else if !errors.Is(err, store.ErrNotFound) {
		return Registered{}, err
	}
	out, err := r.look(ctx, s)
	if err != nil {
		return Registered{}, err
	}
	out.Location = store.Location{Target: name, Created: time.Now().UTC().Truncate(time.Microsecond), Creator: creator}
	if !dryRun {
		out.Location.ID = uuid.NewString()
		if err := r.put(ctx, s, out.Location); err != nil {
			return Registered{}, err
		}
		if err := r.harvest(ctx, name); err != nil {
			return Registered{}, err
		}
	}
	out.Revision, err = r.store.Latest(ctx)
	return out, err
}

func (r *Registry) put(ctx context.Context, s *location.Source, l store.Location) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.store.PutLocation(ctx, l); err != nil {
		return err
	}
	if r.engine.Source(l.Target) == nil {
		r.add(s)
	}
	return nil
}

// busyTries is how often a harvest is tried that another replica is at.
const busyTries = 20

// harvest harvests a location and waits until it is done, also if somebody else, such
// as the schedule, began with it. The harvest outlives ctx.
func (r *Registry) harvest(ctx context.Context, name string) error {
	var p harvest.Progress
	for try := 1; ; try++ {
		var err error
		if p, err = r.engine.Start(ctx, name, harvest.Order{Cause: "api"}); err == nil {
			break
		}
		if !errors.Is(err, store.ErrBusy) || try == busyTries {
			return fmt.Errorf("%s is registered, and its first harvest could not begin; it is tried again: %w", name, err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(250 * time.Millisecond):
		}
	}
	updates, stop, err := r.engine.Watch(p.ID)
	if err == nil {
		defer stop()
		for open := true; open; {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case _, open = <-updates:
			}
		}
	}
	done, err := r.store.GetHarvest(ctx, p.ID)
	if err != nil {
		return err
	}
	if done.State != store.HarvestSucceeded {
		return fmt.Errorf("%s is registered, and its first harvest %s; it is tried again: %s", name, done.State, done.Error)
	}
	return nil
}

// Get finds a registered location by its id, or by its target if id is empty; or
// store.ErrNotFound.
func (r *Registry) Get(ctx context.Context, id, target string) (store.Location, error) {
	return r.store.GetLocation(ctx, id, target)
}

// Update gives a registered location another target, and returns when the catalog
// holds what that declares instead of what the old one did. Its errors are those of
// Register, and store.ErrNotFound.
func (r *Registry) Update(ctx context.Context, id, target string) (Registered, error) {
	old, err := r.store.GetLocation(ctx, id, "")
	if err != nil {
		return Registered{}, err
	}
	s, err := r.open(target)
	if err != nil {
		return Registered{}, err
	}
	name := s.Name()
	if name != old.Target {
		if r.engine.Source(name) != nil {
			return Registered{}, fmt.Errorf("location %s: %w", name, store.ErrExists)
		}
		if _, err := r.look(ctx, s); err != nil {
			return Registered{}, err
		}
		if _, err := r.Delete(ctx, id); err != nil {
			return Registered{}, err
		}
		if err := r.put(ctx, s, store.Location{ID: id, Target: name, Created: old.Created, Creator: old.Creator}); err != nil {
			return Registered{}, err
		}
	}
	if err := r.harvest(ctx, name); err != nil {
		return Registered{}, err
	}
	out := Registered{Location: store.Location{ID: id, Target: name, Created: old.Created, Creator: old.Creator}}
	out.Revision, err = r.store.Latest(ctx)
	return out, err
}
