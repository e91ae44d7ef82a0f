package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	catalogv1 "github.com/waypost-dev/waypost/proto/waypost/catalog/v1"
	"github.com/waypost-dev/waypost/server/cmd/waypost/internal/output"
)

func (c *cli) diff() *cobra.Command {
	var format string
	req := &catalogv1.DiffEntityRequest{}
	cmd := &cobra.Command{
		Use:   "diff KIND NAME|KIND/NAME|REF",
		Short: "Tell two revisions of an entity apart",
		Long: `Diff prints what changed between two revisions of an entity, as a unified diff of
YAML: by default the last change. The numbers are those of waypost history; any
other number of the catalog's means the entity as it was then.

With -o json, the answer is a JSON Patch (RFC 6902).`,
		Example: "  waypost diff component checkout\n  waypost diff component checkout --from 12 --to 40 -o json",
		Args:    cobra.RangeArgs(1, 2),
	}
	t := targetFlags(cmd)
	formatFlag(cmd, &format, "diff", "diff", "json")
	cmd.Flags().Int64Var(&req.FromRevision, "from", 0, "the older revision (default the one before --to)")
	cmd.Flags().Int64Var(&req.ToRevision, "to", 0, "the younger revision (default the latest)")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if req.FromRevision < 0 || req.ToRevision < 0 {
			return usagef("--from and --to take a number from 0")
		}
		ctx := cmd.Context()
		kind, name, err := splitTarget(args)
		if err != nil {
			return err
		}
		if name == "" {
			return usagef("%q names no entity; write KIND NAME or KIND:NAMESPACE/NAME", kind)
		}
		cl, err := t.connect(ctx, c)
		if err != nil {
			return err
		}
		defer cl.Close()
		ref, err := resolve(ctx, cl, kind, name)
		if err != nil {
			return err
		}
		req.Name = "entities/" + ref.String()
		answer, err := cl.History.DiffEntity(ctx, req)
		if err != nil {
			return err
		}
		if format == "json" {
			return c.out.JSON(answer.JsonPatch)
		}
		if answer.Text == "" {
			c.say("no difference between revisions %d and %d", answer.FromRevision, answer.ToRevision)
			return nil
		}
		return c.printDiff(answer.Text)
	}
	return cmd
}

// printDiff prints a unified diff in the colours that people know from git.
func (c *cli) printDiff(text string) error {
	for line := range strings.Lines(text) {
		line = output.Clean(strings.TrimSuffix(line, "\n"))
		switch {
		case strings.HasPrefix(line, "--- "), strings.HasPrefix(line, "+++ "):
			line = c.out.Mark(output.Bold, line)
		case strings.HasPrefix(line, "@@"):
			line = c.out.Mark(output.Faint, line)
		case strings.HasPrefix(line, "-"):
			line = c.out.Mark(output.Red, line)
		case strings.HasPrefix(line, "+"):
			line = c.out.Mark(output.Green, line)
		}
		if _, err := fmt.Fprintln(c.out, line); err != nil {
			return err
		}
	}
	return nil
}
