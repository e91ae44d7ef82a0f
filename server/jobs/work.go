package jobs

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/harvest"
	"github.com/waypost-dev/waypost/server/source"
	"github.com/waypost-dev/waypost/server/store"
)

// The kinds of jobs.
const (
	KindHarvest    = "harvest"
	KindRefresh    = "refresh"
	KindDeliveries = "deliveries"
	KindPrune      = "prune"
	KindPlugin     = "plugin"
)

// Causes of a harvest, as in harvest.Order, that this package gives itself.
const (
	causeStart    = "start"
	causeSchedule = "schedule"
)

// HarvestArgs asks for a harvest of a source. Slot 0 is that of the start and of
// the schedule: one that waits or runs is enough, and it is skipped if somebody
// was quicker. The other slots are as in insertWaiting.
type HarvestArgs struct {
	Source string `json:"source" river:"unique"`
	Slot   int    `json:"slot,omitempty" river:"unique"`
	Cause  string `json:"cause,omitempty"` // as in harvest.Order
}

// RefreshArgs asks for a part of a source to be read again.
type RefreshArgs struct {
	Source string        `json:"source" river:"unique"`
	Scope  source.Scope  `json:"scope" river:"unique"`
	Slot   int           `json:"slot,omitempty" river:"unique"`
	Cause  catalog.Cause `json:"cause"`
}

// DeliveriesArgs asks for the webhook deliveries of a source to be worked off.
type DeliveriesArgs struct {
	Source string `json:"source" river:"unique"`
	Slot   int    `json:"slot,omitempty" river:"unique"`
}

// PluginArgs asks for a plugin to be run over what it has to do.
type PluginArgs struct {
	Plugin string `json:"plugin" river:"unique"`
	Slot   int    `json:"slot,omitempty" river:"unique"`
}

// PruneArgs asks for what nobody needs any more to be removed.
type PruneArgs struct{}

// Kind is how River finds the worker.
func (HarvestArgs) Kind() string    { return KindHarvest }
func (RefreshArgs) Kind() string    { return KindRefresh }    //nolint:revive // as above
func (DeliveriesArgs) Kind() string { return KindDeliveries } //nolint:revive // as above
func (PruneArgs) Kind() string      { return KindPrune }      //nolint:revive // as above
func (PluginArgs) Kind() string     { return KindPlugin }     //nolint:revive // as above

// live are the states of a job that has not ended.
var live = []rivertype.JobState{
	rivertype.JobStateAvailable, rivertype.JobStatePending, rivertype.JobStateRetryable,
	rivertype.JobStateRunning, rivertype.JobStateScheduled,
}

// InsertOpts are how River takes the job: how often it is tried, and that one
// which has not ended is enough.
func (HarvestArgs) InsertOpts() river.InsertOpts {
	return river.InsertOpts{Queue: harvests, MaxAttempts: 10, UniqueOpts: river.UniqueOpts{ByArgs: true, ByState: live}}
}

func (RefreshArgs) InsertOpts() river.InsertOpts { //nolint:revive // as above
	return river.InsertOpts{Queue: others, MaxAttempts: 10, UniqueOpts: river.UniqueOpts{ByArgs: true, ByState: live}}
}

func (DeliveriesArgs) InsertOpts() river.InsertOpts { //nolint:revive // as above
	return river.InsertOpts{Queue: others, MaxAttempts: 25, UniqueOpts: river.UniqueOpts{ByArgs: true, ByState: live}}
}

func (PruneArgs) InsertOpts() river.InsertOpts { //nolint:revive // as above
	return river.InsertOpts{Queue: others, MaxAttempts: 3, UniqueOpts: river.UniqueOpts{ByArgs: true, ByState: live}}
}

func (PluginArgs) InsertOpts() river.InsertOpts { //nolint:revive // as above
	return river.InsertOpts{Queue: pluginRuns, MaxAttempts: 10, UniqueOpts: river.UniqueOpts{ByArgs: true, ByState: live}}
}

func (c *Client) workers() *river.Workers {
	w := river.NewWorkers()
	river.AddWorker(w, &worker[HarvestArgs]{work: c.harvest, timeout: -1}) // a large organisation waits for its limits
	river.AddWorker(w, &worker[RefreshArgs]{work: c.refresh, timeout: 15 * time.Minute})
	river.AddWorker(w, &worker[DeliveriesArgs]{work: c.deliver, timeout: 15 * time.Minute})
	river.AddWorker(w, &worker[PluginArgs]{work: c.plugin, timeout: -1}) // its calls have deadlines, and there may be many
	river.AddWorker(w, &worker[PruneArgs]{work: c.prune, timeout: time.Hour})
	return w
}

// worker is a function as River wants it.
type worker[T river.JobArgs] struct {
	river.WorkerDefaults[T]
	work    func(ctx context.Context, args T) error
	timeout time.Duration // -1 for none
}

func (w *worker[T]) Timeout(*river.Job[T]) time.Duration { return w.timeout }

func (w *worker[T]) Work(ctx context.Context, job *river.Job[T]) error {
	err := w.work(ctx, job.Args)
	if err != nil && ctx.Err() != nil {
		// However a driver words it, River must see that the job was stopped.
		return errors.Join(err, ctx.Err())
	}
	return err
}

func (c *Client) harvest(ctx context.Context, args HarvestArgs) error {
	name := args.Source
	if args.Slot == 0 {
		began, err := c.lastSuccess(ctx, name)
		if err != nil {
			return err
		}
		if every := c.engine.Every(name); !began.IsZero() && time.Since(began) < enough(args.Cause, every) {
			return nil // somebody was quicker
		}
	}
	_, err := c.engine.Run(ctx, name, harvest.Order{Cause: args.Cause}, nil)
	c.shrink(ctx)
	var held store.Held
	switch {
	case err == nil:
		return nil
	case errors.Is(err, store.ErrBusy):
		return river.JobSnooze(busyWait + rand.N(busyWait/4))
	case ctx.Err() != nil:
		return err
	case errors.Is(err, harvest.ErrUnknownSource), errors.As(err, &held):
		// Trying again helps nobody: the next periodic one, or a person, does.
		c.log.Error("harvest failed", "source", name, "error", err)
		return river.JobCancel(err)
	}
	c.log.Error("harvest failed", "source", name, "error", err)
	return err
}

// shrink empties the page cache of SQLite's writer. The store closes that
// connection when it is idle, which it never is while jobs are looked for.
func (c *Client) shrink(ctx context.Context) {
	if db := c.store.Handle().SQLite; db != nil {
		_, _ = db.ExecContext(context.WithoutCancel(ctx), "PRAGMA shrink_memory") // it costs memory only if it fails
	}
}

// busyWait is how soon a harvest is tried again whose source another process
// harvests, or one that died and whose lease has not lapsed. It is no failure.
const busyWait = 4 * time.Second

// enough is how fresh a source must be for a harvest to be skipped: the times
// of the schedule do not depend on when it was harvested otherwise.
func enough(cause string, every time.Duration) time.Duration {
	if cause == causeStart {
		return min(every, fresh)
	}
	return every / 2
}

// lastSuccess is when the latest harvest of a source began that succeeded; zero
// if none of the last few did.
func (c *Client) lastSuccess(ctx context.Context, name string) (time.Time, error) {
	list, err := c.store.Harvests(ctx, name, 10)
	if err != nil {
		return time.Time{}, fmt.Errorf("read harvests of %s: %w", name, err)
	}
	for _, h := range list {
		if h.State == store.HarvestSucceeded {
			return h.Started, nil
		}
	}
	return time.Time{}, nil
}

func (c *Client) refresh(ctx context.Context, args RefreshArgs) error {
	_, err := c.engine.Refresh(ctx, args.Source, args.Scope, args.Cause)
	var held store.Held
	switch {
	case errors.Is(err, store.ErrBusy):
		return river.JobSnooze(busyWait + rand.N(busyWait/4))
	case errors.Is(err, harvest.ErrUnknownSource), errors.Is(err, harvest.ErrNoRefresh), errors.As(err, &held):
		return river.JobCancel(err)
	}
	return err
}

func (c *Client) deliver(ctx context.Context, args DeliveriesArgs) error {
	if c.options.Deliveries == nil {
		return river.JobCancel(errors.New("this server takes no webhook deliveries"))
	}
	// Another slot may be at it: this one waits, and then sees what that one
	// did not.
	v, _ := c.draining.LoadOrStore(args.Source, &sync.Mutex{})
	one := v.(*sync.Mutex)
	one.Lock()
	defer one.Unlock()
	return c.options.Deliveries(ctx, args.Source)
}

func (c *Client) plugin(ctx context.Context, args PluginArgs) error {
	if c.options.Plugin == nil {
		return river.JobCancel(errors.New("this server runs no plugins"))
	}
	return c.options.Plugin(ctx, args.Plugin)
}

func (c *Client) prune(ctx context.Context, _ PruneArgs) error {
	if c.options.Prune == nil {
		return nil
	}
	return c.options.Prune(ctx)
}

// retryPolicy is how River asks when a job is due again.
type retryPolicy struct{ c *Client }

func (p retryPolicy) NextRetry(job *rivertype.JobRow) time.Time {
	next := time.Now().Add(p.c.backoff(job))
	var args HarvestArgs
	if job.Kind == KindHarvest && decode(job, &args) == nil && p.c.engine != nil {
		p.c.engine.SetNext(args.Source, next)
	}
	return next
}

// backoff doubles with each failure, up to a bound, and varies by a fifth.
func backoff(job *rivertype.JobRow) time.Duration {
	first, most := 2*time.Second, 10*time.Minute
	if job.Kind == KindHarvest {
		first, most = 15*time.Second, time.Hour
	}
	wait := most
	if n := len(job.Errors); n < 12 {
		wait = min(most, first<<n)
	}
	return wait*4/5 + rand.N(wait*2/5)
}
