package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/spf13/cobra"

	catalogv1 "github.com/waypost-dev/waypost/proto/waypost/catalog/v1"
	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/cmd/waypost/internal/check"
	"github.com/waypost-dev/waypost/server/cmd/waypost/internal/report"
	"github.com/waypost-dev/waypost/server/cmd/waypost/internal/show"
	"github.com/waypost-dev/waypost/server/source"
	"github.com/waypost-dev/waypost/server/source/gitdir"
)

func (c *cli) plan() *cobra.Command {
	var format, repository, sourceName, branch string
	var patterns, removed []string
	var strict bool
	var reading check.Reading
	cmd := &cobra.Command{
		Use:   "plan [DIR|FILE…]",
		Short: "Say what catalog files would change, and change nothing",
		Long: `Plan compares catalog files with the catalog and says what merging them would
add, change, remove and break. It writes nothing.

A DIR is taken for the whole repository: what the catalog has from other files of
it would be removed. FILEs are taken as they are, beside what else the repository
has. Either way the files of the repository to which they lead are taken too, by
Locations and placeholders ($text, $json, $yaml), if git knows them: git add new
ones. What Locations bring from other hosts stays as it is; what placeholders
bring from there is read from the hosts that --read-allow names. With --branch,
the server reads a branch itself. The repository is the one that --repository
names, or else GITHUB_REPOSITORY, or the remote of the clone.

It exits with 1 if something would be refused, with --strict also if something
would break, such as another entity's dependency.`,
		Example: `  waypost plan . --server waypost.example.org:9090
  waypost plan . -o github            # annotates a pull request in GitHub Actions
  waypost plan --repository acme/shop --branch rename-checkout
  waypost plan new.yaml --repository acme/shop -o json`,
	}
	t := targetFlags(cmd)
	formatFlag(cmd, &format, "table", report.Formats...)
	f := cmd.Flags()
	f.StringVar(&repository, "repository", "", "OWNER/NAME of the repository that the files belong to")
	f.StringVar(&sourceName, "source", "", "source of the repository, if several have it")
	f.StringVar(&branch, "branch", "", "branch for the server to read in place of files")
	f.StringSliceVar(&patterns, "pattern", []string{"catalog-info.yaml"}, "catalog files in a DIR, with * and **, as the source has them; repeatable")
	readAllowFlag(cmd, &reading)
	f.StringSliceVar(&removed, "removed", nil, "path in the repository that would be removed; repeatable")
	f.BoolVar(&strict, "strict", false, "exit with 1 for warnings too")
	cmd.RunE = func(cmd *cobra.Command, paths []string) error {
		req := &catalogv1.PlanChangesRequest{Repository: repository, Source: sourceName, Ref: branch, RemovedPaths: removed}
		if (branch != "") == (len(paths)+len(removed) > 0) {
			return usagef("name a folder or files, or a branch with --branch")
		}
		reading.Branch = c.getenv("GITHUB_BASE_REF")
		var local []catalog.Problem
		if len(paths) > 0 {
			var err error
			if local, err = c.propose(cmd.Context(), req, paths, patterns, reading); err != nil {
				return err
			}
		}
		req.Repository = cmp.Or(req.Repository, c.getenv("GITHUB_REPOSITORY"))
		if branch != "" && req.Repository == "" {
			return usagef("name the repository of the branch with --repository OWNER/NAME")
		}
		cl, err := t.connect(cmd.Context(), c)
		if err != nil {
			return err
		}
		defer cl.Close()
		answer, err := cl.Plan.PlanChanges(cmd.Context(), req)
		if err != nil {
			return err
		}
		addLocal(answer, local, req.GetRepository())
		if err := c.planned(answer, format); err != nil {
			return err
		}
		wrong := report.Errors(fromProto(answer.GetProblems()))
		if wrong > 0 || strict && len(answer.GetProblems()) > 0 {
			return errFindings
		}
		return nil
	}
	return cmd
}

// maxProposed is how many bytes of files are sent: a server takes 16 MiB.
const maxProposed = 15 << 20

// propose adds a folder, or files, to a request, and returns what is wrong with
// what they lead to.
func (c *cli) propose(ctx context.Context, req *catalogv1.PlanChangesRequest, paths, patterns []string, reading check.Reading) ([]catalog.Problem, error) {
	repo, err := c.proposed(ctx, req, paths, patterns, reading)
	if err != nil {
		return nil, err
	}
	bytes := 0
	for _, d := range repo.Documents {
		if d.Problem != nil {
			return nil, usagef("%s: %s; %s", d.Path, d.Problem.Message, d.Problem.Hint)
		}
		if d.Location != "" { // of another host
			continue
		}
		bytes += len(d.Content)
		req.Documents = append(req.Documents, &catalogv1.Document{Path: d.Path, Content: d.Content})
		for _, i := range d.Includes {
			bytes += len(i.Content)
			one := &catalogv1.Include{DocumentPath: d.Path, FromPath: i.From, Target: i.Target, Path: i.Path, Content: i.Content}
			if i.Problem != nil {
				one.Problem = &catalogv1.Problem{Code: string(i.Problem.Code), Message: i.Problem.Message, Hint: i.Problem.Hint}
			}
			req.Includes = append(req.Includes, one)
		}
	}
	if bytes > maxProposed {
		return nil, usagef("the catalog files and what they include have %d bytes; %d can be planned at once: name the FILEs that changed", bytes, maxProposed)
	}
	return repo.Problems, nil
}

// proposed reads what is proposed.
func (c *cli) proposed(ctx context.Context, req *catalogv1.PlanChangesRequest, paths, patterns []string, reading check.Reading) (source.Repository, error) {
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil {
			return source.Repository{}, usage(err)
		}
		if !info.IsDir() {
			continue
		}
		if len(paths) > 1 {
			return source.Repository{}, usagef("%s is a folder; name one folder, or files", path)
		}
		repo, err := reading.Read(ctx, path, patterns)
		if err != nil {
			return repo, usage(err)
		}
		if name, ok := gitdir.FullName(path); ok && c.getenv("GITHUB_REPOSITORY") == "" {
			req.Repository = cmp.Or(req.Repository, name)
		}
		req.Complete = cmp.Or(req.Repository, c.getenv("GITHUB_REPOSITORY")) != ""
		if len(repo.Documents) == 0 && !req.Complete {
			return repo, usagef("%w in %s; name them with --pattern, or the repository with --repository", check.ErrNoFiles, path)
		}
		return repo, nil
	}
	repo, err := reading.ReadFiles(ctx, paths)
	if err != nil {
		return repo, usage(err)
	}
	return repo, nil
}

// addLocal adds to a plan what is wrong with what the files lead to, which the
// server does not see, and so cannot have been mended either.
func addLocal(answer *catalogv1.PlanChangesResponse, local []catalog.Problem, repository string) {
	for _, p := range local {
		answer.Mended = slices.DeleteFunc(answer.Mended, func(m *catalogv1.Problem) bool {
			return m.GetCode() == string(p.Code) && m.GetPath() == p.Path && m.GetField() == p.Field
		})
		severity := catalogv1.Severity_SEVERITY_WARNING
		if p.Severity == catalog.SeverityError {
			severity = catalogv1.Severity_SEVERITY_ERROR
		}
		answer.Problems = append(answer.Problems, &catalogv1.Problem{
			Code: string(p.Code), Severity: severity, Repository: repository, Path: p.Path, Line: int32(p.Line), Column: int32(p.Column),
			Field: p.Field, Message: p.Message, Hint: p.Hint,
		})
	}
}

// planned prints a plan.
func (c *cli) planned(answer *catalogv1.PlanChangesResponse, format string) error {
	switch format {
	case "json":
		return c.out.JSON(answer)
	case "yaml":
		return c.out.YAML(answer)
	}
	problems := fromProto(answer.GetProblems())
	if format != "table" && format != "wide" {
		return report.Print(c.out, format, buildVersion().Version, problems)
	}
	err := show.Plan(c.out, answer)
	if len(problems) > 0 {
		fmt.Fprintln(c.out)
		err = errors.Join(err, report.Print(c.out, format, buildVersion().Version, problems))
	}
	count := map[catalogv1.EntityRevision_Op]int{}
	for _, change := range answer.GetChanges() {
		count[change.GetOp()]++
	}
	c.say("%d to add, %d to change, %d to remove, %d unchanged; %d problems, %d mended",
		count[catalogv1.EntityRevision_OP_ADDED], count[catalogv1.EntityRevision_OP_CHANGED], count[catalogv1.EntityRevision_OP_REMOVED],
		answer.GetUnchanged(), len(problems), len(answer.GetMended()))
	return err
}
