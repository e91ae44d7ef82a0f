package api

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/riverqueue/river/rivertype"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/protoadapt"
	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	harvestv1 "github.com/waypost-dev/waypost/proto/waypost/harvest/v1"
	"github.com/waypost-dev/waypost/server/jobs"
)

const (
	defaultJobs = 50
	maxJobs     = 500
)

// jobService implements JobService.
type jobService struct {
	harvestv1.UnimplementedJobServiceServer
	jobs *jobs.Client // nil if this server has no queue
}

func (j *jobService) ListJobs(ctx context.Context, req *harvestv1.ListJobsRequest) (*harvestv1.ListJobsResponse, error) {
	if j.jobs == nil {
		return nil, errNoJobs
	}
	list, next, err := j.jobs.List(ctx, jobs.Query{
		Kind: req.Kind, States: riverStates(req.State), Token: req.PageToken,
		Limit: pageSize(req.PageSize, defaultJobs, maxJobs),
	})
	if errors.Is(err, jobs.ErrPageToken) {
		return nil, badField("page_token", "INVALID_PAGE_TOKEN", "is none that this server gave out for these filters; pass next_page_token of the page before, or nothing for the first page")
	}
	if err != nil {
		return nil, err
	}
	out := &harvestv1.ListJobsResponse{NextPageToken: next}
	for _, row := range list {
		out.Jobs = append(out.Jobs, jobMessage(row))
	}
	return out, nil
}

func (j *jobService) GetJob(ctx context.Context, req *harvestv1.GetJobRequest) (*harvestv1.GetJobResponse, error) {
	m, err := j.one(ctx, req.Id, (*jobs.Client).Get)
	return &harvestv1.GetJobResponse{Job: m}, err
}

func (j *jobService) RetryJob(ctx context.Context, req *harvestv1.RetryJobRequest) (*harvestv1.RetryJobResponse, error) {
	m, err := j.one(ctx, req.Id, (*jobs.Client).Retry)
	return &harvestv1.RetryJobResponse{Job: m}, err
}

func (j *jobService) CancelJob(ctx context.Context, req *harvestv1.CancelJobRequest) (*harvestv1.CancelJobResponse, error) {
	m, err := j.one(ctx, req.Id, (*jobs.Client).Cancel)
	return &harvestv1.CancelJobResponse{Job: m}, err
}

func (j *jobService) one(ctx context.Context, id int64, do func(*jobs.Client, context.Context, int64) (*rivertype.JobRow, error)) (*harvestv1.Job, error) {
	if j.jobs == nil {
		return nil, errNoJobs
	}
	row, err := do(j.jobs, ctx, id)
	switch {
	case errors.Is(err, jobs.ErrNotFound):
		return nil, notFound("waypost.dev/Job", "jobs/"+strconv.FormatInt(id, 10), fmt.Sprintf("job %d does not exist; jobs that ended are forgotten after a while", id))
	case errors.Is(err, jobs.ErrRunning):
		return nil, refused("JOB_RUNNING", fmt.Sprintf("job %d runs; cancel it first, or wait until it has ended", id))
	case errors.Is(err, jobs.ErrWaiting):
		return nil, refused("JOB_WAITING", fmt.Sprintf("a job that does the same as job %d waits or runs already", id))
	case err != nil:
		return nil, err
	}
	return jobMessage(row), nil
}

// refused says that something cannot be done to a job in its state.
func refused(reason, message string) *statusError {
	return &statusError{codes.FailedPrecondition, message, []protoadapt.MessageV1{&errdetails.ErrorInfo{Reason: reason, Domain: domain}}}
}

var errNoJobs = refused("NO_JOBS", "this server has no job queue")

// jobStates are the states of River's as the API has them.
var jobStates = map[rivertype.JobState]harvestv1.Job_State{
	rivertype.JobStateAvailable: harvestv1.Job_STATE_WAITING,
	rivertype.JobStateScheduled: harvestv1.Job_STATE_SCHEDULED,
	rivertype.JobStatePending:   harvestv1.Job_STATE_SCHEDULED,
	rivertype.JobStateRunning:   harvestv1.Job_STATE_RUNNING,
	rivertype.JobStateRetryable: harvestv1.Job_STATE_RETRYING,
	rivertype.JobStateCompleted: harvestv1.Job_STATE_SUCCEEDED,
	rivertype.JobStateDiscarded: harvestv1.Job_STATE_FAILED,
	rivertype.JobStateCancelled: harvestv1.Job_STATE_CANCELLED,
}

// riverStates are River's states for one of the API's; none for any.
func riverStates(s harvestv1.Job_State) []rivertype.JobState {
	if s == harvestv1.Job_STATE_UNSPECIFIED {
		return nil
	}
	var out []rivertype.JobState
	for _, state := range rivertype.JobStates() { // in a fixed order
		if jobStates[state] == s {
			out = append(out, state)
		}
	}
	return out
}

func jobMessage(row *rivertype.JobRow) *harvestv1.Job {
	m := &harvestv1.Job{
		Id: row.ID, Kind: row.Kind, State: jobStates[row.State],
		Attempt: int32(row.Attempt), MaxAttempts: int32(row.MaxAttempts),
		CreateTime: timestamp(row.CreatedAt), ScheduleTime: timestamp(row.ScheduledAt),
		AttemptTime: optional(row.AttemptedAt), EndTime: optional(row.FinalizedAt),
	}
	args := &structpb.Struct{}
	if err := protojson.Unmarshal(row.EncodedArgs, args); err == nil {
		m.Args = args
	}
	if n := len(row.AttemptedBy); n > 0 {
		m.Runner = row.AttemptedBy[n-1]
	}
	for _, e := range row.Errors {
		m.Errors = append(m.Errors, &harvestv1.JobError{Attempt: int32(e.Attempt), Time: timestamp(e.At), Message: e.Error})
	}
	return m
}

// optional is absent for no time.
func optional(t *time.Time) *timestamppb.Timestamp {
	if t == nil {
		return nil
	}
	return timestamp(*t)
}
