// Package jobs runs durable work on River, in the tables that it keeps beside
// the catalog: harvests at their times, refreshes, webhook deliveries, pruning.
// Whatever is asked for survives the process; what a process that died was
// doing is taken over by another one, or by its successor.
package jobs

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	mathrand "math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/rivertype"

	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/harvest"
	"github.com/waypost-dev/waypost/server/source"
	"github.com/waypost-dev/waypost/server/store"
)

// Options are what an operator may set, and the work that other packages do.
type Options struct {
	// Deliveries works off the webhook deliveries of a source that wait; nil if
	// nothing takes deliveries. It is not called for one source twice at a time
	// in this process.
	Deliveries func(ctx context.Context, source string) error
	// Plugin runs a plugin over what it has to do; nil if there is none.
	Plugin func(ctx context.Context, plugin string) error
	// Prune removes what nobody needs to remember any more, daily; nil for
	// never.
	Prune func(ctx context.Context) error
	// Grace is how long Stop lets running jobs go on before it tells them to
	// stop. Default 500 ms.
	Grace time.Duration
	// NoMigrate refuses a database whose tables are not up to date.
	NoMigrate bool
}

const defaultGrace = 500 * time.Millisecond

// Client puts work into the queue, shows what is there, and after Start does
// it. It is safe for concurrent use.
type Client struct {
	store    *store.Store
	engine   *harvest.Engine
	log      *slog.Logger
	options  Options
	id       string
	queue    queue
	executor riverdriver.Executor
	close    func() // of the connections that are the queue's own

	begun    bool
	stop     context.CancelFunc
	done     sync.WaitGroup
	planned  map[string]plan // periodic harvests by source; of follow alone
	firsts   []string        // sources that Start asked to be harvested
	draining sync.Map        // source → *sync.Mutex
	backoff  func(*rivertype.JobRow) time.Duration
}

// New opens the queue and brings its tables up to date. The engine may be nil
// for a Client that only looks and is never started.
func New(ctx context.Context, st *store.Store, e *harvest.Engine, log *slog.Logger, o Options) (*Client, error) {
	if o.Grace <= 0 {
		o.Grace = defaultGrace
	}
	c := &Client{store: st, engine: e, log: log, options: o, id: newID(), planned: map[string]plan{}, backoff: backoff}
	if err := c.open(ctx); err != nil {
		return nil, fmt.Errorf("open job queue: %w", err)
	}
	return c, nil
}

// newID names a runner so that a person recognises it, and no other has it.
func newID() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return strings.Join([]string{host[:min(len(host), 60)], strconv.Itoa(os.Getpid()), strings.ToLower(rand.Text()[:6])}, "-")
}

// ID is the name under which this Client runs jobs.
func (c *Client) ID() string { return c.id }

// Start takes over what runners that died have left, puts the harvests into the
// queue that are due, and begins to work. It does nothing that outlives it with
// ctx; Stop ends it.
func (c *Client) Start(ctx context.Context) error {
	if c.engine == nil {
		return errors.New("start jobs: there is no engine to harvest with")
	}
	if err := c.store.Attend(ctx, c.id); err != nil {
		return fmt.Errorf("start jobs: %w", err)
	}
	if err := c.takeOver(ctx); err != nil {
		return fmt.Errorf("start jobs: take over: %w", err)
	}
	c.follow(ctx)
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	c.stop = stop
	if err := c.queue.Start(running); err != nil {
		stop()
		return fmt.Errorf("start jobs: %w", err)
	}
	c.begun = true
	c.done.Go(func() { c.tend(running) })
	return nil
}

// Stop takes no more work, gives running jobs Options.Grace to end, tells them
// to stop, and hands those that did back to the queue. It returns when that is
// done or ctx ends, and closes the Client either way. A second call does nothing.
func (c *Client) Stop(ctx context.Context) error {
	var err error
	if c.begun {
		c.begun = false
		err = c.queue.Stop(ctx)
		c.stop()
		c.done.Wait()
		// What still runs is another's now, also if it did not end in time.
		leaving, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
		defer cancel()
		err = errors.Join(err, c.store.Leave(leaving, c.id))
	}
	if err != nil {
		go c.close() // waits for what did not end
		return fmt.Errorf("stop jobs: %w", err)
	}
	c.close()
	return nil
}

// First are the sources that were due when Start was called, and so are
// harvested first of all.
func (c *Client) First() []string { return slices.Clone(c.firsts) }

// tend does what recurs besides the jobs themselves.
func (c *Client) tend(ctx context.Context) {
	second := time.NewTicker(time.Second)
	defer second.Stop()
	presence := time.NewTicker(c.store.Handle().Lease / 3)
	defer presence.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-second.C:
			c.follow(ctx)
		case <-presence.C:
			err := c.store.Attend(ctx, c.id)
			if err == nil {
				err = c.takeOver(ctx)
			}
			if err != nil && ctx.Err() == nil {
				c.log.Warn("jobs of runners that died are not taken over; this is tried again", "error", err)
			}
		}
	}
}

// Harvest asks for a harvest of a source that begins later than now. One that
// somebody asked for and that waits is enough. cause is as in harvest.Order.
func (c *Client) Harvest(ctx context.Context, source, cause string) error {
	err := c.insertWaiting(ctx, func(slot int) river.JobArgs { return HarvestArgs{Source: source, Cause: cause, Slot: 1 + slot} })
	if err != nil {
		return fmt.Errorf("ask for a harvest of %s: %w", source, err)
	}
	return nil
}

// Refresh asks for a part of a source to be read again. One of the same scope
// that waits is enough, and its cause stays.
func (c *Client) Refresh(ctx context.Context, source string, scope source.Scope, cause catalog.Cause) error {
	args := RefreshArgs{Source: source, Scope: scope, Cause: cause}
	err := c.insertWaiting(ctx, func(slot int) river.JobArgs { args.Slot = slot; return args })
	if err != nil {
		return fmt.Errorf("ask for a refresh of %s: %w", source, err)
	}
	return nil
}

// Deliveries asks for the webhook deliveries of a source to be worked off that
// are in the database now.
func (c *Client) Deliveries(ctx context.Context, source string) error {
	err := c.insertWaiting(ctx, func(slot int) river.JobArgs { return DeliveriesArgs{Source: source, Slot: slot} })
	if err != nil {
		return fmt.Errorf("ask for the deliveries of %s: %w", source, err)
	}
	return nil
}

// Plugin asks for a run of a plugin that begins later than now.
func (c *Client) Plugin(ctx context.Context, name string) error {
	err := c.insertWaiting(ctx, func(slot int) river.JobArgs { return PluginArgs{Plugin: name, Slot: slot} })
	if err != nil {
		return fmt.Errorf("ask for a run of plugin %s: %w", name, err)
	}
	return nil
}

// insertWaiting sees to it that a job has yet to begin: one that runs may have
// looked already at what the caller wants it to see, and another slot is a job
// of its own to the queue.
func (c *Client) insertWaiting(ctx context.Context, args func(slot int) river.JobArgs) error {
	for slot := range slots {
		r, err := c.insert(ctx, args(slot))
		if err != nil {
			return err
		}
		if !r.UniqueSkippedAsDuplicate || r.Job.State != rivertype.JobStateRunning {
			return nil
		}
	}
	_, err := c.insert(ctx, args(slots+mathrand.IntN(1<<30)))
	return err
}

func (c *Client) insert(ctx context.Context, args river.JobArgs) (*rivertype.JobInsertResult, error) {
	r, err := c.queue.Insert(ctx, args, nil)
	if err == nil && !r.UniqueSkippedAsDuplicate {
		c.wake(ctx, r.Job.Queue)
	}
	return r, err
}

// wake has PostgreSQL tell the workers of all replicas that there is work.
// River does that by itself, but not within its cool-down after the last time,
// and then the work would lie until the next poll. On SQLite River wakes the
// workers of this process after every insertion.
func (c *Client) wake(ctx context.Context, queue string) {
	if c.store.Handle().Postgres == nil {
		return
	}
	err := c.executor.NotifyMany(ctx, &riverdriver.NotifyManyParams{Topic: "river_insert", Payload: []string{fmt.Sprintf(`{"queue":%q}`, queue)}})
	if err != nil {
		c.log.Debug("workers are not told of a job; they will look for themselves", "error", err)
	}
}

// slots is how many equal jobs may run before one more is put into the queue
// without looking for an equal one that waits. River records the end of a job a
// quarter of a second late, so that it seems to run meanwhile.
const slots = 4
