package jobs

import (
	"context"
	"encoding/json"
	"hash/fnv"
	"sync/atomic"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
)

// plan is a periodic harvest in the queue.
type plan struct {
	every  time.Duration
	handle rivertype.PeriodicJobHandle
}

// times are when a source is harvested: every so often, at a phase that follows
// from its name. Sources are spread over time by that, and every replica knows
// the times without asking, whoever leads and whenever it was started.
type times struct {
	every, phase time.Duration
}

func timesOf(source string, every time.Duration) times {
	h := fnv.New64a()
	h.Write([]byte(source))
	return times{every, time.Duration(h.Sum64() % uint64(every))}
}

// Next is the first time after t.
func (s times) Next(t time.Time) time.Time {
	since := t.UnixNano() - int64(s.phase)
	n := since / int64(s.every)
	if since%int64(s.every) < 0 {
		n-- // downwards, also before 1970
	}
	return time.Unix(0, (n+1)*int64(s.every)+int64(s.phase))
}

// follow brings the periodic harvests in line with the engine's sources, and
// asks at once for the first harvest of a source that is new here and was not
// harvested just now.
func (c *Client) follow(ctx context.Context) {
	now := time.Now()
	found := map[string]struct{}{}
	for _, s := range c.engine.Sources() {
		found[s.Name] = struct{}{}
		every := c.engine.Every(s.Name)
		p, known := c.planned[s.Name]
		if known && p.every == every {
			switch {
			case s.Next.IsZero() || s.Next.After(now):
			case every > 0:
				c.engine.SetNext(s.Name, timesOf(s.Name, every).Next(now))
			default: // it was a retry
				c.engine.SetNext(s.Name, time.Time{})
			}
			continue
		}
		if !known && !c.first(ctx, s.Name, every, now) {
			continue // once more in a second
		}
		c.forget(s.Name)
		p = plan{every: every}
		if every > 0 {
			schedule := timesOf(s.Name, every)
			p.handle = c.queue.PeriodicJobs().Add(river.NewPeriodicJob(schedule, func() (river.JobArgs, *river.InsertOpts) {
				return HarvestArgs{Source: s.Name, Cause: causeSchedule}, nil
			}, nil))
			c.engine.SetNext(s.Name, schedule.Next(now))
		}
		c.planned[s.Name] = p
	}
	for name := range c.planned {
		if _, ok := found[name]; !ok {
			c.forget(name)
		}
	}
}

// fresh is how recent a harvest must be for a start not to ask for another one:
// a start often follows a change of the configuration, and a source that is as
// it was costs nothing. A process that starts again and again asks for few.
const fresh = 30 * time.Second

// first asks for the first harvest of a source if it is due, and tells whether
// that could be told.
func (c *Client) first(ctx context.Context, source string, every time.Duration, now time.Time) bool {
	began, err := c.lastSuccess(ctx, source)
	if err == nil && (every <= 0 || now.Sub(began) >= min(every, fresh)) {
		if _, err = c.insert(ctx, HarvestArgs{Source: source, Cause: causeStart}); err == nil && c.stop == nil { // Start is at it
			c.firsts = append(c.firsts, source)
		}
	}
	if err != nil && ctx.Err() == nil {
		c.log.Warn("the first harvest of a source is not in the queue; this is tried again", "source", source, "error", err)
	}
	return err == nil
}

func (c *Client) forget(source string) {
	if p, ok := c.planned[source]; ok && p.every > 0 {
		c.queue.PeriodicJobs().Remove(p.handle)
	}
	delete(c.planned, source)
}

// pruning is daily, and first a while after somebody began to lead: no server
// runs so shortly that it never prunes, and none prunes at its start.
func pruning() *river.PeriodicJob {
	return river.NewPeriodicJob(&daily{}, func() (river.JobArgs, *river.InsertOpts) { return PruneArgs{}, nil }, nil)
}

type daily struct{ begun atomic.Bool }

func (d *daily) Next(t time.Time) time.Time {
	if d.begun.CompareAndSwap(false, true) {
		return t.Add(10 * time.Minute)
	}
	return t.Add(24 * time.Hour)
}

func decode(job *rivertype.JobRow, into any) error { return json.Unmarshal(job.EncodedArgs, into) }
