package jobs

import (
	"time"

	"github.com/riverqueue/river/rivertype"
)

// SetBackoff makes the first retry come after d, and each one after that later
// as in production.
func (c *Client) SetBackoff(d time.Duration) {
	c.backoff = func(job *rivertype.JobRow) time.Duration {
		return backoff(job) * d / (15 * time.Second)
	}
}
