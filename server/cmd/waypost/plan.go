package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	catalogv1 "github.com/waypost-dev/waypost/proto/waypost/catalog/v1"
	"github.com/waypost-dev/waypost/server/cmd/waypost/internal/check"
	"github.com/waypost-dev/waypost/server/cmd/waypost/internal/report"
	"github.com/waypost-dev/waypost/server/cmd/waypost/internal/show"
	"github.com/waypost-dev/waypost/server/source/gitdir"
)

func (c *cli) plan() *cobra.Command {
	var format, repository, source, branch string
	var patterns, removed []string
	var strict bool
	cmd := &cobra.Command{
		Use:   "plan [DIR|FILE…]",
		Short: "Say what catalog files would change, and change nothing",
		Long: `Plan compares catalog files with the catalog and says what merging them would
add, change, remove and break. It writes nothing.

A DIR is taken for the whole repository: what the catalog has from other files of
it would be removed. FILEs are taken as they are, beside what else the repository
has. With --branch, the server reads a branch itself. The repository is the one
that --repository names, or else GITHUB_REPOSITORY, or the remote of the clone.

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
	f.StringVar(&source, "source", "", "source of the repository, if several have it")
	f.StringVar(&branch, "branch", "", "branch for the server to read in place of files")
	f.StringSliceVar(&patterns, "pattern", []string{"catalog-info.yaml"}, "catalog files in a DIR, with * and **, as the source has them; repeatable")
	f.StringSliceVar(&removed, "removed", nil, "path in the repository that would be removed; repeatable")
	f.BoolVar(&strict, "strict", false, "exit with 1 for warnings too")
	cmd.RunE = func(cmd *cobra.Command, paths []string) error {
		req := &catalogv1.PlanChangesRequest{Repository: repository, Source: source, Ref: branch, RemovedPaths: removed}
		if (branch != "") == (len(paths)+len(removed) > 0) {
			return usagef("name a folder or files, or a branch with --branch")
		}
		for _, path := range paths {
			if err := c.propose(req, path, patterns, len(paths)); err != nil {
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

// propose adds the files at a path to a request.
func (c *cli) propose(req *catalogv1.PlanChangesRequest, path string, patterns []string, of int) error {
	info, err := os.Stat(path)
	if err != nil {
		return usage(err)
	}
	var files []check.File
	if info.IsDir() {
		if of > 1 {
			return usagef("%s is a folder; name one folder, or files", path)
		}
		if files, err = check.Files(path, patterns); err != nil {
			return usage(err)
		}
		if name, ok := gitdir.FullName(path); ok && c.getenv("GITHUB_REPOSITORY") == "" {
			req.Repository = cmp.Or(req.Repository, name)
		}
		req.Complete = cmp.Or(req.Repository, c.getenv("GITHUB_REPOSITORY")) != ""
		if len(files) == 0 && !req.Complete {
			return usagef("%w in %s; name them with --pattern, or the repository with --repository", check.ErrNoFiles, path)
		}
	} else {
		file, err := check.ReadFile(path)
		if err != nil {
			return usage(err)
		}
		files = append(files, file)
	}
	for _, f := range files {
		req.Documents = append(req.Documents, &catalogv1.Document{Path: f.Path, Content: f.Content})
	}
	return nil
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
