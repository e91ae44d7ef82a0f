package main

import (
	"cmp"
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	catalogv1 "github.com/waypost-dev/waypost/proto/waypost/catalog/v1"
	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/cmd/waypost/internal/client"
	"github.com/waypost-dev/waypost/server/cmd/waypost/internal/report"
)

func (c *cli) problems() *cobra.Command {
	var format, severity, entity, state, by string
	var fail bool
	req := &catalogv1.ListProblemsRequest{}
	cmd := &cobra.Command{
		Use:   "problems",
		Short: "Tell what is wrong in the catalog, on which line, and how to mend it",
		Long: `Problems lists what is wrong in the catalog. It exits with 0 whatever it finds;
with --fail it exits with 1 if one of the problems keeps an entity out of the
catalog. With -o json, the answer is {"problems":[…]}; with --by, {"counts":[…]}.

A problem is its entity's owner's to mend, or that of most entities of the same
file. Those that are gone are remembered for 90 days.`,
		Example: `  waypost problems
  waypost problems --owner payments --severity error
  waypost problems --by owner
  waypost problems --state gone`,
		Args: cobra.NoArgs,
	}
	t := targetFlags(cmd)
	formatFlag(cmd, &format, "table", report.Formats...)
	f := cmd.Flags()
	f.StringVar(&req.Source, "source", "", "of this source only, such as github:acme")
	f.StringVar(&req.Repository, "repository", "", "in this repository only, OWNER/NAME")
	f.StringVar(&entity, "entity", "", "of this entity only, KIND:NAMESPACE/NAME")
	f.StringVar(&req.Code, "code", "", "of this kind only, such as dangling-relation")
	f.StringVar(&req.OwnerRef, "owner", "", "of this owner only, such as payments or user:ada")
	choiceFlag(cmd, "state", "", &state, "open, or gone", []string{"open", "gone"})
	choiceFlag(cmd, "by", "", &by, "count by this in place of listing", []string{"owner", "repository", "source", "code", "severity"})
	f.BoolVar(&fail, "fail", false, "exit with 1 if there are errors")
	choiceFlag(cmd, "severity", "", &severity, "of this severity only", severities)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		cl, err := t.connect(cmd.Context(), c)
		if err != nil {
			return err
		}
		defer cl.Close()
		if entity != "" {
			kind, name, err := splitTarget([]string{entity})
			if err != nil {
				return err
			}
			ref, err := resolve(cmd.Context(), cl, kind, name)
			if err != nil {
				return err
			}
			req.EntityRef = ref.Key()
		}
		switch catalog.Severity(severity) {
		case catalog.SeverityError:
			req.Severity = catalogv1.Severity_SEVERITY_ERROR
		case catalog.SeverityWarning:
			req.Severity = catalogv1.Severity_SEVERITY_WARNING
		}
		if state == "gone" {
			req.State = catalogv1.ProblemState_PROBLEM_STATE_GONE
		}
		if by != "" {
			return c.countProblems(cmd.Context(), cl, &catalogv1.SummarizeProblemsRequest{By: by, State: req.State}, format)
		}
		list, err := cl.Problems(cmd.Context(), req)
		if err != nil {
			return err
		}
		problems := fromProto(list)
		if err := report.PrintLives(c.out, format, buildVersion().Version, lives(list, problems), time.Now()); err != nil {
			return err
		}
		wrong := report.Errors(problems)
		if format == "table" || format == "wide" {
			c.say("%d errors, %d warnings", wrong, len(problems)-wrong)
		}
		if fail && wrong > 0 {
			return errFindings
		}
		return nil
	}
	return cmd
}

// countProblems prints how many problems there are of each owner, or the like.
func (c *cli) countProblems(ctx context.Context, cl *client.Client, req *catalogv1.SummarizeProblemsRequest, format string) error {
	answer, err := cl.Catalog.SummarizeProblems(ctx, req)
	if err != nil {
		return err
	}
	switch format {
	case "json":
		return c.out.JSON(answer)
	case "yaml":
		return c.out.YAML(answer)
	case "sarif", "github":
		return usagef("--by counts problems, and -o %s lists them; use one of the two", format)
	}
	rows := make([][]string, len(answer.GetCounts()))
	for i, n := range answer.GetCounts() {
		oldest := ""
		if n.GetOldestTime() != nil {
			oldest = n.GetOldestTime().AsTime().Local().Format(time.DateTime)
		}
		rows[i] = []string{cmp.Or(n.GetValue(), "(unknown)"), strconv.Itoa(int(n.GetErrors())), strconv.Itoa(int(n.GetWarnings())), oldest}
	}
	return c.out.Table([]string{strings.ToUpper(req.By), "ERRORS", "WARNINGS", "OLDEST"}, rows)
}

// lives adds to problems what the server told of their lives.
func lives(list []*catalogv1.Problem, problems []catalog.Problem) []report.Life {
	out := make([]report.Life, len(list))
	for i, p := range list {
		out[i] = report.Life{Problem: problems[i], Owner: p.GetOwnerRef()}
		if p.GetOpenTime() != nil {
			at := p.GetOpenTime().AsTime()
			out[i].Opened = &at
		}
		if p.GetGoneTime() != nil {
			at := p.GetGoneTime().AsTime()
			out[i].Gone = &at
		}
	}
	return out
}

func fromProto(list []*catalogv1.Problem) []catalog.Problem {
	out := make([]catalog.Problem, len(list))
	for i, p := range list {
		severity := catalog.SeverityWarning
		if p.GetSeverity() == catalogv1.Severity_SEVERITY_ERROR {
			severity = catalog.SeverityError
		}
		out[i] = catalog.Problem{
			Code: catalog.Code(p.GetCode()), Severity: severity, Source: p.GetSource(), Repository: p.GetRepository(),
			Path: p.GetPath(), Line: int(p.GetLine()), Column: int(p.GetColumn()), Entity: p.GetEntityRef(),
			Field: p.GetField(), Message: p.GetMessage(), Hint: p.GetHint(),
			Fix: catalog.Fix{Line: int(p.GetFix().GetLine()), Found: p.GetFix().GetFound(), Replacement: p.GetFix().GetReplacement()},
		}
	}
	return out
}
