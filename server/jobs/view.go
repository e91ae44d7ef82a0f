package jobs

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/rivertype"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// Errors that callers may test for with errors.Is.
var (
	ErrNotFound = rivertype.ErrNotFound
	// ErrPageToken: the token is none that List gave out for the same query.
	ErrPageToken = errors.New("page token of another list")
	// ErrRunning: the job runs, and so cannot be made due.
	ErrRunning = errors.New("job is running")
	// ErrWaiting: an equal job waits or runs, and so this one cannot be made due.
	ErrWaiting = errors.New("an equal job waits")
)

// Query selects jobs.
type Query struct {
	Kind   string               // empty for all
	States []rivertype.JobState // empty for all
	Limit  int                  // above 0
	Token  string               // of the page before
}

// order is that of a list: what runs, what failed for good, what failed and is
// tried again, what waits, what ended. Within each the newest comes first.
var order = [][]rivertype.JobState{
	{rivertype.JobStateRunning},
	{rivertype.JobStateDiscarded},
	{rivertype.JobStateRetryable},
	{rivertype.JobStateAvailable},
	{rivertype.JobStateScheduled, rivertype.JobStatePending},
	{rivertype.JobStateCancelled},
	{rivertype.JobStateCompleted},
}

// token is where the next page begins. A job that changes its state between two
// pages may be seen twice, or not.
type token struct {
	Query  string `json:"q"`
	Group  int    `json:"g"`           // of order
	Cursor []byte `json:"c,omitempty"` // of River, within the group
}

func (q Query) text() string { return fmt.Sprintf("%s %v", q.Kind, q.States) }

// List returns a page of jobs and the token of the next one, which is empty
// after the last.
func (c *Client) List(ctx context.Context, q Query) ([]*rivertype.JobRow, string, error) {
	at := token{Query: q.text()}
	if q.Token != "" {
		var given token
		b, err := base64.RawURLEncoding.DecodeString(q.Token)
		if err != nil || json.Unmarshal(b, &given) != nil || given.Query != at.Query || given.Group < 0 || given.Group >= len(order) {
			return nil, "", ErrPageToken
		}
		at = given
	}
	var out []*rivertype.JobRow
	for ; at.Group < len(order); at.Group, at.Cursor = at.Group+1, nil {
		states := order[at.Group]
		if len(q.States) > 0 {
			states = slices.DeleteFunc(slices.Clone(states), func(s rivertype.JobState) bool { return !slices.Contains(q.States, s) })
		}
		if len(states) == 0 {
			continue
		}
		params := river.NewJobListParams().States(states...).OrderBy(river.JobListOrderByID, river.SortOrderDesc).First(q.Limit - len(out) + 1)
		if q.Kind != "" {
			params = params.Kinds(q.Kind)
		}
		if at.Cursor != nil {
			var cursor river.JobListCursor
			if cursor.UnmarshalText(at.Cursor) != nil {
				return nil, "", ErrPageToken
			}
			params = params.After(&cursor)
		}
		// One more than fits tells whether there is a next page.
		found, err := c.queue.JobList(ctx, params)
		if err != nil {
			return nil, "", fmt.Errorf("list jobs: %w", err)
		}
		room := q.Limit - len(out)
		if len(found.Jobs) <= room {
			out = join(out, found.Jobs)
			continue
		}
		if room > 0 {
			// The cursor is that of the last job of the page, which River gives
			// for the end of a list alone.
			if found, err = c.queue.JobList(ctx, params.First(room)); err != nil {
				return nil, "", fmt.Errorf("list jobs: %w", err)
			}
			out = join(out, found.Jobs)
			if found.LastCursor != nil {
				if at.Cursor, err = found.LastCursor.MarshalText(); err != nil {
					return nil, "", fmt.Errorf("list jobs: %w", err)
				}
			}
		}
		b, err := json.Marshal(at)
		if err != nil {
			return nil, "", fmt.Errorf("list jobs: %w", err)
		}
		return out, base64.RawURLEncoding.EncodeToString(b), nil
	}
	return out, "", nil
}

// join appends jobs that were read later. One that changed its state meanwhile
// is among both.
func join(list, more []*rivertype.JobRow) []*rivertype.JobRow {
	list = slices.DeleteFunc(list, func(job *rivertype.JobRow) bool {
		return slices.ContainsFunc(more, func(m *rivertype.JobRow) bool { return m.ID == job.ID })
	})
	return append(list, more...)
}

// Get returns a job, or ErrNotFound.
func (c *Client) Get(ctx context.Context, id int64) (*rivertype.JobRow, error) {
	job, err := c.queue.JobGet(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("read job %d: %w", id, err)
	}
	return job, nil
}

// Retry makes a job due now that failed, was cancelled or ended otherwise. It
// returns ErrNotFound, ErrRunning or ErrWaiting.
func (c *Client) Retry(ctx context.Context, id int64) (*rivertype.JobRow, error) {
	err := c.forgive(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("retry job %d: %w", id, err)
	}
	job, err := c.queue.JobRetry(ctx, id)
	switch {
	case duplicate(err):
		err = ErrWaiting
	case err == nil && job.State == rivertype.JobStateRunning:
		err = ErrRunning
	}
	if err != nil {
		return nil, fmt.Errorf("retry job %d: %w", id, err)
	}
	c.wake(ctx, job.Queue)
	return job, nil
}

// cancelled is where River notes that a job was to be cancelled. It leaves the
// note when the job is made due again, and would cancel it at its next failure.
const cancelled = "cancel_attempted_at"

// forgive takes that note away from a job that does not run.
func (c *Client) forgive(ctx context.Context, id int64) error {
	job, err := c.queue.JobGet(ctx, id)
	if err != nil || job.State == rivertype.JobStateRunning {
		return err
	}
	var metadata map[string]json.RawMessage
	if err := json.Unmarshal(job.Metadata, &metadata); err != nil {
		return err
	}
	if _, ok := metadata[cancelled]; !ok {
		return nil
	}
	delete(metadata, cancelled)
	b, err := json.Marshal(metadata)
	if err != nil {
		return err
	}
	_, err = c.executor.JobUpdateFull(ctx, &riverdriver.JobUpdateFullParams{ID: id, MetadataDoUpdate: true, Metadata: b})
	return err
}

// duplicate tells whether a database refused a row that must be unique.
func duplicate(err error) bool {
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		return pg.Code == "23505" // unique_violation
	}
	if lite, ok := errors.AsType[*sqlite.Error](err); ok {
		return lite.Code() == sqlite3.SQLITE_CONSTRAINT_UNIQUE
	}
	return false
}

// Cancel ends a job that waits, and tells one that runs to stop. One that has
// ended stays as it is. It returns ErrNotFound.
func (c *Client) Cancel(ctx context.Context, id int64) (*rivertype.JobRow, error) {
	job, err := c.queue.JobCancel(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("cancel job %d: %w", id, err)
	}
	return job, nil
}

// Stats is how the queue does.
type Stats struct {
	// Jobs are how many there are by state; states without any are missing.
	Jobs map[rivertype.JobState]int
	// Oldest is how long the job waits that has been due longest without being
	// taken up; 0 if none waits.
	Oldest time.Duration
}

// Stats reads how the queue does, for metrics. It looks at every job that is
// still remembered.
func (c *Client) Stats(ctx context.Context) (Stats, error) {
	counts, err := c.executor.JobCountByAllStates(ctx, &riverdriver.JobCountByAllStatesParams{})
	if err != nil {
		return Stats{}, fmt.Errorf("count jobs: %w", err)
	}
	out := Stats{Jobs: counts}
	if counts[rivertype.JobStateAvailable] == 0 {
		return out, nil
	}
	first, err := c.queue.JobList(ctx, river.NewJobListParams().States(rivertype.JobStateAvailable).
		OrderBy(river.JobListOrderByScheduledAt, river.SortOrderAsc).First(1))
	if err != nil {
		return Stats{}, fmt.Errorf("find oldest job: %w", err)
	}
	for _, job := range first.Jobs {
		out.Oldest = max(0, time.Since(job.ScheduledAt))
	}
	return out, nil
}
