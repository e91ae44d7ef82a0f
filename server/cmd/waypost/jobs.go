package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	harvestv1 "github.com/waypost-dev/waypost/proto/waypost/harvest/v1"
	"github.com/waypost-dev/waypost/server/cmd/waypost/internal/client"
	"github.com/waypost-dev/waypost/server/cmd/waypost/internal/output"
)

func (c *cli) jobs() *cobra.Command {
	cmd := c.jobsList()
	cmd.Use = "jobs"
	cmd.Short = "Show what a server does in the background: what runs, waits and failed"
	cmd.Long = `Jobs are what a server does by itself: harvests at their times, refreshes of
parts of a source, webhook deliveries. They stand in the database, so that any
replica does them, and another one goes on when one dies. What failed is tried
again later and later; 'waypost jobs retry' makes it due now.

Without a subcommand it is as 'waypost jobs list'.`
	cmd.Example = `  waypost jobs
  waypost jobs show 42`
	cmd.AddCommand(c.jobsList(), c.jobsShow(),
		c.jobsChange("retry", "Make jobs due now that failed or were cancelled", func(ctx context.Context, cl *client.Client, id int64) (*harvestv1.Job, error) {
			answer, err := cl.Jobs.RetryJob(ctx, &harvestv1.RetryJobRequest{Id: id})
			return answer.GetJob(), err
		}),
		c.jobsChange("cancel", "End jobs that wait, and stop those that run", func(ctx context.Context, cl *client.Client, id int64) (*harvestv1.Job, error) {
			answer, err := cl.Jobs.CancelJob(ctx, &harvestv1.CancelJobRequest{Id: id})
			return answer.GetJob(), err
		}))
	return cmd
}

// connectJobs opens the way to the jobs; over a database nothing else is read.
func (t *target) connectJobs(ctx context.Context, c *cli) (*client.Client, error) {
	if t.db != "" {
		return c.queueInProcess(ctx, t.db)
	}
	return t.connect(ctx, c)
}

// jobStateWords are the states as people write them.
var jobStateWords = func() []string {
	var words []string
	for _, n := range slices.Sorted(maps.Keys(harvestv1.Job_State_name)) {
		if n > 0 {
			words = append(words, jobStateWord(harvestv1.Job_State(n)))
		}
	}
	return words
}()

func jobStateWord(s harvestv1.Job_State) string {
	return strings.ToLower(strings.TrimPrefix(s.String(), "STATE_"))
}

func (c *cli) jobsList() *cobra.Command {
	var format, state string
	var limit int
	req := &harvestv1.ListJobsRequest{}
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List jobs, those that run or failed first",
		Long: `List lists jobs: what runs, what failed as often as it may, what failed and is
tried again, what waits, what ended. Jobs that ended well are kept for an hour,
cancelled ones for a day, failed ones for a week. With -o json, the answer is
{"jobs":[…]}.`,
		Example: `  waypost jobs list
  waypost jobs list --state retrying
  waypost jobs list --kind harvest -o json`,
		Args: cobra.NoArgs,
	}
	t := targetFlags(cmd)
	formatFlag(cmd, &format, "table", "table", "json", "yaml")
	cmd.Flags().StringVar(&req.Kind, "kind", "", "of this kind only: harvest, refresh, deliveries or prune")
	choiceFlag(cmd, "state", "", &state, "in this state only", jobStateWords)
	cmd.Flags().IntVar(&limit, "limit", 50, "most jobs to list, 0 for all")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if limit < 0 {
			return usagef("--limit must not be negative")
		}
		req.State = harvestv1.Job_State(harvestv1.Job_State_value["STATE_"+strings.ToUpper(state)])
		cl, err := t.connectJobs(cmd.Context(), c)
		if err != nil {
			return err
		}
		defer cl.Close()
		list, more, err := allJobs(cmd.Context(), cl, req, limit)
		if err != nil {
			return err
		}
		if err := c.showJobs(list, format); err != nil {
			return err
		}
		if format == "table" && more {
			c.say("There are more; --limit 0 lists all.")
		}
		if format == "table" && len(list) == 0 {
			c.say("No jobs.")
		}
		return nil
	}
	return cmd
}

// mostJobs is the largest page that a server gives.
const mostJobs = 500

// allJobs goes through the pages, to limit if that is above 0, and tells
// whether there are more.
func allJobs(ctx context.Context, cl *client.Client, req *harvestv1.ListJobsRequest, limit int) (list []*harvestv1.Job, more bool, err error) {
	for {
		req.PageSize = mostJobs
		if limit > 0 {
			req.PageSize = int32(min(mostJobs, limit-len(list)))
		}
		page, err := cl.Jobs.ListJobs(ctx, req)
		if err != nil {
			return nil, false, err
		}
		list = append(list, page.GetJobs()...)
		req.PageToken = page.GetNextPageToken()
		if req.PageToken == "" || limit > 0 && len(list) >= limit {
			return list, req.PageToken != "", nil
		}
	}
}

func (c *cli) jobsShow() *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use: "show ID", Short: "Show one job, and why each attempt failed", Args: cobra.ExactArgs(1),
		Example: "  waypost jobs show 42",
	}
	t := targetFlags(cmd)
	formatFlag(cmd, &format, "table", "table", "json", "yaml")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		ids, err := jobIDs(args)
		if err != nil {
			return err
		}
		cl, err := t.connectJobs(cmd.Context(), c)
		if err != nil {
			return err
		}
		defer cl.Close()
		answer, err := cl.Jobs.GetJob(cmd.Context(), &harvestv1.GetJobRequest{Id: ids[0]})
		if err != nil {
			return err
		}
		switch format {
		case "json":
			return c.out.JSON(answer.GetJob())
		case "yaml":
			return c.out.YAML(answer.GetJob())
		}
		return c.describeJob(answer.GetJob())
	}
	return cmd
}

// jobsChange is a command that does something to jobs, and shows what became of
// them.
func (c *cli) jobsChange(name, short string, do func(context.Context, *client.Client, int64) (*harvestv1.Job, error)) *cobra.Command {
	var format string
	cmd := &cobra.Command{Use: name + " ID…", Short: short, Args: cobra.MinimumNArgs(1), Example: "  waypost jobs " + name + " 42"}
	t := targetFlags(cmd)
	formatFlag(cmd, &format, "table", "table", "json", "yaml")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		ids, err := jobIDs(args)
		if err != nil {
			return err
		}
		cl, err := t.connectJobs(cmd.Context(), c)
		if err != nil {
			return err
		}
		defer cl.Close()
		var done []*harvestv1.Job
		var errs []error
		for _, id := range ids {
			job, err := do(cmd.Context(), cl, id)
			if err != nil {
				errs = append(errs, err)
				continue
			}
			done = append(done, job)
		}
		if len(done) > 0 {
			errs = append(errs, c.showJobs(done, format))
		}
		return errors.Join(errs...)
	}
	return cmd
}

func jobIDs(args []string) ([]int64, error) {
	out := make([]int64, len(args))
	for i, a := range args {
		id, err := strconv.ParseInt(a, 10, 64)
		if err != nil || id <= 0 {
			return nil, usagef("%q is not the number of a job; 'waypost jobs list' shows them", a)
		}
		out[i] = id
	}
	return out, nil
}

func (c *cli) showJobs(list []*harvestv1.Job, format string) error {
	answer := &harvestv1.ListJobsResponse{Jobs: list}
	switch format {
	case "json":
		if len(list) == 0 {
			return c.out.JSON(map[string]any{"jobs": []any{}})
		}
		return c.out.JSON(answer)
	case "yaml":
		if len(list) == 0 {
			return c.out.YAML(map[string]any{"jobs": []any{}})
		}
		return c.out.YAML(answer)
	}
	rows := make([][]string, len(list))
	for i, job := range list {
		last := ""
		if n := len(job.GetErrors()); n > 0 && job.GetState() != harvestv1.Job_STATE_SUCCEEDED {
			last = job.GetErrors()[n-1].GetMessage()
		}
		rows[i] = []string{
			strconv.FormatInt(job.GetId(), 10), job.GetKind(), jobStateWord(job.GetState()), jobSubject(job),
			fmt.Sprintf("%d/%d", job.GetAttempt(), job.GetMaxAttempts()), jobTime(job), last,
		}
	}
	return c.out.Table([]string{"ID", "KIND", "STATE", "OF", "ATTEMPT", "WHEN", "ERROR"}, rows)
}

// jobSubject is what a job is about, in a few words.
func jobSubject(job *harvestv1.Job) string {
	args := job.GetArgs().GetFields()
	text := args["source"].GetStringValue()
	for _, r := range args["scope"].GetStructValue().GetFields()["Repositories"].GetListValue().GetValues() {
		f := r.GetStructValue().GetFields()
		text += " " + firstText(f["Name"], f["ID"], f["Number"])
	}
	return text
}

func firstText(values ...*structpb.Value) string {
	for _, v := range values {
		if s := v.GetStringValue(); s != "" {
			return s
		}
		if n := v.GetNumberValue(); n != 0 {
			return strconv.FormatFloat(n, 'f', -1, 64)
		}
	}
	return ""
}

// jobTime is when what a job's state says began, ended or is due.
func jobTime(job *harvestv1.Job) string {
	switch {
	case job.GetEndTime() != nil:
		return "ended " + clockTime(job.GetEndTime())
	case job.GetState() == harvestv1.Job_STATE_RUNNING:
		return "since " + clockTime(job.GetAttemptTime())
	}
	return "due " + clockTime(job.GetScheduleTime())
}

func clockTime(t *timestamppb.Timestamp) string {
	if t == nil {
		return ""
	}
	return t.AsTime().UTC().Format(time.RFC3339)
}

func (c *cli) describeJob(job *harvestv1.Job) error {
	line := func(name, value string) {
		if value != "" {
			fmt.Fprintf(c.out, "%-10s %s\n", name+":", output.Clean(value))
		}
	}
	line("Job", strconv.FormatInt(job.GetId(), 10))
	line("Kind", job.GetKind())
	line("State", jobStateWord(job.GetState()))
	args, err := output.Marshal(job.GetArgs())
	if err != nil {
		return err
	}
	line("Args", string(args))
	line("Attempt", fmt.Sprintf("%d of %d", job.GetAttempt(), job.GetMaxAttempts()))
	line("Runner", job.GetRunner())
	line("Created", clockTime(job.GetCreateTime()))
	line("Due", clockTime(job.GetScheduleTime()))
	line("Attempted", clockTime(job.GetAttemptTime()))
	line("Ended", clockTime(job.GetEndTime()))
	if len(job.GetErrors()) == 0 {
		return nil
	}
	fmt.Fprintln(c.out)
	rows := make([][]string, len(job.GetErrors()))
	for i, e := range job.GetErrors() {
		rows[i] = []string{strconv.Itoa(int(e.GetAttempt())), clockTime(e.GetTime()), e.GetMessage()}
	}
	return c.out.Table([]string{"ATTEMPT", "TIME", "ERROR"}, rows)
}
