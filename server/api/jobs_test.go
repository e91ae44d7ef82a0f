package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"

	harvestv1 "github.com/waypost-dev/waypost/proto/waypost/harvest/v1"
	"github.com/waypost-dev/waypost/server/harvest"
	"github.com/waypost-dev/waypost/server/jobs"
	"github.com/waypost-dev/waypost/server/source"
)

// failing is a source that cannot be harvested.
type failing struct{}

func (failing) Name() string { return "dir:/nowhere" }
func (failing) Harvest(context.Context, source.Known, source.Out) error {
	return errors.New("no such folder")
}

func jobsFixture(t *testing.T) (*fixture, harvestv1.JobServiceClient) {
	t.Helper()
	f := newFixture(t, nil)
	f.engine.Add(harvest.Config{Source: failing{}})
	q, err := jobs.New(t.Context(), f.store, f.engine, slog.New(slog.DiscardHandler), jobs.Options{
		Deliveries: func(context.Context, string) error { return nil },
	})
	require.NoError(t, err)
	require.NoError(t, q.Start(t.Context()))
	t.Cleanup(func() { require.NoError(t, q.Stop(context.WithoutCancel(t.Context()))) })
	require.NoError(t, q.Deliveries(t.Context(), "github:acme"))
	f.Server, err = New(Options{Index: f.index, Store: f.store, Engine: f.engine, Jobs: q, Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	f.SetReady(true)
	return f, harvestv1.NewJobServiceClient(f.dial(t))
}

func TestJobs(t *testing.T) {
	t.Parallel()
	f, c := jobsFixture(t)
	ctx := t.Context()
	var failed *harvestv1.Job
	require.Eventually(t, func() bool {
		list, err := c.ListJobs(ctx, &harvestv1.ListJobsRequest{Kind: "harvest", State: harvestv1.Job_STATE_RETRYING})
		require.NoError(t, err)
		done, err := c.ListJobs(ctx, &harvestv1.ListJobsRequest{State: harvestv1.Job_STATE_SUCCEEDED})
		require.NoError(t, err)
		if len(list.Jobs) == 1 && len(done.Jobs) == 1 {
			failed = list.Jobs[0]
		}
		return failed != nil
	}, 10*time.Second, 20*time.Millisecond)
	require.Equal(t, "dir:/nowhere", failed.Args.Fields["source"].GetStringValue())
	require.EqualValues(t, 1, failed.Attempt)
	require.Len(t, failed.Errors, 1)
	require.Contains(t, failed.Errors[0].Message, "no such folder")
	require.NotEmpty(t, failed.Runner)
	require.True(t, failed.ScheduleTime.AsTime().After(time.Now()))
	require.Nil(t, failed.EndTime)

	// What failed comes first, a page at a time.
	page, err := c.ListJobs(ctx, &harvestv1.ListJobsRequest{PageSize: 1})
	require.NoError(t, err)
	require.Len(t, page.Jobs, 1)
	require.Equal(t, failed.Id, page.Jobs[0].Id)
	page, err = c.ListJobs(ctx, &harvestv1.ListJobsRequest{PageSize: 1, PageToken: page.NextPageToken})
	require.NoError(t, err)
	require.Equal(t, "deliveries", page.Jobs[0].Kind)
	require.Empty(t, page.NextPageToken)

	got, err := c.GetJob(ctx, &harvestv1.GetJobRequest{Id: failed.Id})
	require.NoError(t, err)
	require.Equal(t, failed.Errors[0].Message, got.Job.Errors[0].Message)
	cancelled, err := c.CancelJob(ctx, &harvestv1.CancelJobRequest{Id: failed.Id})
	require.NoError(t, err)
	require.Equal(t, harvestv1.Job_STATE_CANCELLED, cancelled.Job.State)
	retried, err := c.RetryJob(ctx, &harvestv1.RetryJobRequest{Id: failed.Id})
	require.NoError(t, err)
	require.Equal(t, harvestv1.Job_STATE_WAITING, retried.Job.State)
	require.Eventually(t, func() bool {
		got, err := c.GetJob(ctx, &harvestv1.GetJobRequest{Id: failed.Id})
		require.NoError(t, err)
		return len(got.Job.Errors) == 2
	}, 10*time.Second, 20*time.Millisecond)

	// The same over REST.
	rest := func(method, path string) (int, string) {
		r := httptest.NewRequestWithContext(ctx, method, path, strings.NewReader("{}"))
		w := httptest.NewRecorder()
		f.Handler().ServeHTTP(w, r)
		b, err := io.ReadAll(w.Result().Body)
		require.NoError(t, err)
		return w.Code, string(b)
	}
	code, body := rest(http.MethodGet, fmt.Sprintf("/v1/jobs/%d", failed.Id))
	require.Equal(t, http.StatusOK, code, body)
	var one harvestv1.GetJobResponse
	require.NoError(t, protojson.Unmarshal([]byte(body), &one))
	require.Equal(t, failed.Id, one.Job.Id)
	code, body = rest(http.MethodGet, "/v1/jobs?state=STATE_RETRYING&kind=harvest&page_size=5")
	require.Equal(t, http.StatusOK, code, body)
	require.Contains(t, body, "no such folder")
	code, body = rest(http.MethodPost, fmt.Sprintf("/v1/jobs/%d:cancel", failed.Id))
	require.Equal(t, http.StatusOK, code, body)
	require.Contains(t, body, "STATE_CANCELLED")
	code, body = rest(http.MethodPost, "/v1/jobs/123456:retry")
	require.Equal(t, http.StatusNotFound, code, body)
}

func TestJobsRefused(t *testing.T) {
	t.Parallel()
	_, c := jobsFixture(t)
	ctx := t.Context()
	for code, ask := range map[codes.Code]func() error{
		codes.NotFound: func() error {
			_, err := c.GetJob(ctx, &harvestv1.GetJobRequest{Id: 123456})
			return err
		},
		codes.InvalidArgument: func() error {
			_, err := c.ListJobs(ctx, &harvestv1.ListJobsRequest{PageToken: "nonsense"})
			return err
		},
	} {
		require.Equal(t, code, status.Code(ask()))
	}
	_, err := c.ListJobs(ctx, &harvestv1.ListJobsRequest{State: 99})
	require.Equal(t, codes.InvalidArgument, status.Code(err))
	_, err = c.GetJob(ctx, &harvestv1.GetJobRequest{})
	require.Equal(t, codes.InvalidArgument, status.Code(err))

	without := harvestv1.NewJobServiceClient(newFixture(t, nil).dial(t))
	_, err = without.ListJobs(ctx, &harvestv1.ListJobsRequest{})
	require.Equal(t, codes.FailedPrecondition, status.Code(err))
	_, err = without.CancelJob(ctx, &harvestv1.CancelJobRequest{Id: 1})
	require.Equal(t, codes.FailedPrecondition, status.Code(err))
}
