package main

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/cmd/waypost/internal/check"
	"github.com/waypost-dev/waypost/server/cmd/waypost/internal/report"
)

func (c *cli) validate() *cobra.Command {
	var format string
	o := check.Options{Patterns: check.DefaultPatterns}
	cmd := &cobra.Command{
		Use:   "validate DIR|FILE…",
		Short: "Check catalog files before they are merged",
		Long: `Validate checks catalog files where they lie, without a server, a database or
a network, exactly as a harvest would. It exits with 1 if something is wrong
enough to keep an entity out of the catalog.`,
		Example: `  waypost validate .
  waypost validate . -o github        # annotates a pull request in GitHub Actions
  waypost validate . -o sarif > waypost.sarif`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, paths []string) error {
			r, err := check.Run(paths, o)
			if errors.Is(err, check.ErrNoFiles) {
				return usagef("%w; name the files with --pattern, for example --pattern '**/*.yaml'", err)
			}
			if err != nil {
				return usage(err)
			}
			if err := report.Print(c.out, format, buildVersion().Version, r.Problems); err != nil {
				return err
			}
			wrong := report.Errors(r.Problems)
			c.say("%d files, %d entities, %d errors, %d warnings", r.Files, len(r.Entities), wrong, len(r.Problems)-wrong)
			if wrong > 0 {
				return errFindings
			}
			return nil
		},
	}
	formatFlag(cmd, &format, "table", report.Formats...)
	cmd.Flags().StringSliceVar(&o.Patterns, "pattern", o.Patterns, "catalog files in a folder, with * and **; repeatable")
	cmd.Flags().BoolVar(&o.Complete, "complete", false, "these files hold the whole catalog: warn of relations to anything else")
	return cmd
}

// severities are the words for --severity.
var severities = []string{string(catalog.SeverityWarning), string(catalog.SeverityError)}
