package main

import (
	"github.com/spf13/cobra"

	catalogv1 "github.com/waypost-dev/waypost/proto/waypost/catalog/v1"
	"github.com/waypost-dev/waypost/server/cmd/waypost/internal/show"
)

func (c *cli) describe() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "describe REF|KIND NAME",
		Short:   "Tell all there is to know of an entity",
		Example: "  waypost describe component:checkout\n  waypost describe group payments",
		Args:    cobra.RangeArgs(1, 2),
	}
	t := targetFlags(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		ctx := cmd.Context()
		kind, name, err := splitTarget(args)
		if err != nil {
			return err
		}
		if name == "" {
			return usagef("%q has no kind; write KIND:NAME, for example component:%s", kind, kind)
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
		e, err := cl.Catalog.GetEntity(ctx, &catalogv1.GetEntityRequest{Name: "entities/" + ref.String()})
		if err != nil {
			return err
		}
		problems, err := cl.Problems(ctx, &catalogv1.ListProblemsRequest{EntityRef: ref.Key()})
		if err != nil {
			return err
		}
		return show.Describe(c.out, e, fromProto(problems))
	}
	return cmd
}
