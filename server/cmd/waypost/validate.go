package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/cmd/waypost/internal/check"
	"github.com/waypost-dev/waypost/server/cmd/waypost/internal/report"
)

func (c *cli) validate() *cobra.Command {
	var format string
	var kinds []string
	o := check.Options{Patterns: check.DefaultPatterns}
	cmd := &cobra.Command{
		Use:   "validate DIR|FILE…",
		Short: "Check catalog files before they are merged",
		Long: `Validate checks catalog files where they lie, without a server or a database,
exactly as a harvest would once they are committed: with the files of the same
repository to which Locations and placeholders ($text, $json, $yaml) lead, if git
knows them: git add new ones. Files on other hosts are read only from those that --read-allow names. It exits with 1
if something is wrong enough to keep an entity out of the catalog.`,
		Example: `  waypost validate .
  waypost validate . -o github        # annotates a pull request in GitHub Actions
  waypost validate . -o sarif > waypost.sarif`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, paths []string) error {
			var err error
			o.Branch = c.getenv("GITHUB_BASE_REF")
			if o.Schemas, err = schemas(kinds); err != nil {
				return usage(err)
			}
			r, err := check.Run(cmd.Context(), paths, o)
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
	readAllowFlag(cmd, &o.Reading)
	cmd.Flags().StringSliceVar(&kinds, "kind-schema", nil, "JSON Schema of a custom kind, for example example.org/v1/Dataset=FILE; repeatable")
	cmd.Flags().BoolVar(&o.Complete, "complete", false, "these files hold the whole catalog: warn of relations to anything else")
	return cmd
}

// readAllowFlag adds the hosts from which files may be read.
func readAllowFlag(cmd *cobra.Command, r *check.Reading) {
	cmd.Flags().StringSliceVar(&r.ReadAllow, "read-allow", nil, "HOST or HOST:PORT that Locations and placeholders may lead to, as the server has it; repeatable")
}

// schemas reads the JSON Schemas of custom kinds, each APIVERSION/KIND=FILE.
func schemas(kinds []string) (*catalog.Schemas, error) {
	var out catalog.Schemas
	for _, k := range kinds {
		name, file, ok := strings.Cut(k, "=")
		at := strings.LastIndexByte(name, '/')
		if !ok || at < 1 {
			return nil, fmt.Errorf("--kind-schema %s: write APIVERSION/KIND=FILE, for example example.org/v1/Dataset=dataset.json", k)
		}
		b, err := os.ReadFile(file)
		if err == nil {
			err = out.Register(name[:at], name[at+1:], b)
		}
		if err != nil {
			return nil, fmt.Errorf("--kind-schema %s: %w", k, err)
		}
	}
	return &out, nil
}

// severities are the words for --severity.
var severities = []string{string(catalog.SeverityWarning), string(catalog.SeverityError)}
