package jobs

import (
	"time"

	"github.com/riverqueue/river/rivertype"
)

// Backoff is how long a job waits after a failure.
var Backoff = backoff

// NextTime is the schedule of a source.
func NextTime(source string, every time.Duration) func(time.Time) time.Time {
	return timesOf(source, every).Next
}

// SetBackoff makes the first retry come after d, and each one after that later
// as in production.
func (c *Client) SetBackoff(d time.Duration) {
	c.backoff = func(job *rivertype.JobRow) time.Duration {
		return time.Duration(float64(backoff(job)) * float64(d) / float64(15*time.Second))
	}
}

// Vanish makes the other runners hear no more of this one, as if its machine
// had been lost. Its jobs still run.
func (c *Client) Vanish() {
	c.stop()
	c.done.Wait()
}
