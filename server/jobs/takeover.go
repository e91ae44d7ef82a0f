package jobs

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/rivertype"
	"github.com/tidwall/gjson"
)

// River rescues jobs by their age alone, and a harvest may rightly take hours.
// So runners say that they are there, and the jobs of one that is not are put
// back at once when its death is certain, and else when its lease has lapsed.

// most bounds one look at the running jobs.
const most = 1000

// takeOver puts the jobs back that runners were at which are not there any
// more, and forgets those runners.
func (c *Client) takeOver(ctx context.Context) error {
	running, err := c.executor.JobGetStuck(ctx, &riverdriver.JobGetStuckParams{Max: most, StuckHorizon: time.Now().Add(24 * time.Hour)})
	if err != nil {
		return fmt.Errorf("read running jobs: %w", err)
	}
	// Read after the jobs: who runs one of them attended before.
	there, err := c.store.Attending(ctx)
	if err != nil {
		return err
	}
	for _, job := range running {
		if len(job.AttemptedBy) == 0 || job.AttemptedAt == nil {
			continue
		}
		runner := job.AttemptedBy[len(job.AttemptedBy)-1]
		if runner == c.id || there[runner] {
			continue
		}
		if err := c.putBack(ctx, job, runner); err != nil {
			return fmt.Errorf("put job %d back: %w", job.ID, err)
		}
	}
	for name, alive := range there {
		if !alive && name != c.id {
			if err := c.store.Leave(ctx, name); err != nil {
				return err
			}
		}
	}
	return nil
}

// putBack makes a job due now whose runner died in its middle, unless it was
// put back by somebody else meanwhile.
func (c *Client) putBack(ctx context.Context, job *rivertype.JobRow, runner string) error {
	now := time.Now().UTC()
	told, err := json.Marshal(rivertype.AttemptError{At: now, Attempt: job.Attempt, Error: "the process that ran it ended: " + runner})
	if err != nil {
		return err
	}
	state, finalized, due := rivertype.JobStateAvailable, (*time.Time)(nil), now
	switch {
	case gjson.GetBytes(job.Metadata, cancelled).Exists():
		state, finalized, due = rivertype.JobStateCancelled, &now, job.ScheduledAt
	case job.Attempt >= job.MaxAttempts:
		state, finalized, due = rivertype.JobStateDiscarded, &now, job.ScheduledAt
	}
	c.log.Warn("a job is taken over", "job", job.ID, "kind", job.Kind, "from", runner, "state", state)
	_, err = c.executor.JobRescueMany(ctx, &riverdriver.JobRescueManyParams{
		ID: []int64{job.ID}, Error: [][]byte{told}, FinalizedAt: []*time.Time{finalized}, ScheduledAt: []time.Time{due}, State: []string{string(state)},
		// An attempt that began later is not the one that we saw.
		StuckHorizon: job.AttemptedAt.Add(time.Millisecond),
	})
	if err == nil {
		c.wake(ctx, job.Queue)
	}
	return err
}
