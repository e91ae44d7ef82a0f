package main

import (
	"slices"

	"github.com/spf13/cobra"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	catalogv1 "github.com/waypost-dev/waypost/proto/waypost/catalog/v1"
	"github.com/waypost-dev/waypost/server/cmd/waypost/internal/show"
)

func (c *cli) graph() *cobra.Command {
	var format, direction string
	var types, kinds []string
	var depth, limit int32
	cmd := &cobra.Command{
		Use:   "graph REF|KIND NAME",
		Short: "Show what is around an entity",
		Long: `Graph follows relations from an entity. Types are read in the direction in which
one walks: dependsOn leads to what the entity needs, dependencyOf to what needs
it. --direction out follows what entities say in their own files, in what others
say of them.`,
		Example: `  waypost graph component:checkout --depth 2
  waypost graph component:checkout --types dependencyOf --depth 5   # what breaks with it
  waypost graph system:retail -o mermaid`,
		Args: cobra.RangeArgs(1, 2),
	}
	t := targetFlags(cmd)
	formatFlag(cmd, &format, "tree", "tree", "json", "yaml", "name", "mermaid", "dot")
	direction = "both"
	choiceFlag(cmd, "direction", "", &direction, "which relations to follow", []string{"out", "in", "both"})
	cmd.Flags().Int32Var(&depth, "depth", 1, "how many relations to go, from 1 to 20")
	cmd.Flags().Int32Var(&limit, "limit", 500, "most entities, up to 5000")
	cmd.Flags().StringSliceVar(&types, "types", nil, "relation types to follow; all if not set")
	cmd.Flags().StringSliceVar(&kinds, "kinds", nil, "kinds to keep; all if not set")
	cmd.MarkFlagsMutuallyExclusive("direction", "types")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if depth < 1 || depth > 20 {
			return usagef("--depth is %d; write a number from 1 to 20", depth)
		}
		switch direction {
		case "out":
			types = slices.Clone(show.Outward)
		case "in":
			types = show.Inward()
		}
		kind, name, err := splitTarget(args)
		if err != nil {
			return err
		}
		if name == "" {
			return usagef("%q has no kind; write KIND:NAME, for example component:%s", kind, kind)
		}
		cl, err := t.connect(cmd.Context(), c)
		if err != nil {
			return err
		}
		defer cl.Close()
		ref, err := resolve(cmd.Context(), cl, kind, name)
		if err != nil {
			return err
		}
		for i, k := range kinds {
			if found, err := cl.Kinds(cmd.Context(), k); err == nil {
				kinds[i] = found[0]
			}
		}
		g, err := cl.Catalog.GetGraph(cmd.Context(), &catalogv1.GetGraphRequest{
			Roots: []string{ref.String()}, Depth: depth, RelationTypes: types, Kinds: kinds, Limit: limit,
		})
		if err != nil {
			return err
		}
		if len(g.GetNodes()) == 0 || len(g.GetNodes()) == 1 && !g.GetNodes()[0].GetExists() {
			return status.Errorf(codes.NotFound, "%s does not exist, and nothing refers to it", ref)
		}
		if g.GetTruncated() {
			c.say("only the nearest %d entities are shown; --limit shows more", len(g.GetNodes()))
		}
		switch format {
		case "json":
			return c.out.JSON(g)
		case "yaml":
			return c.out.YAML(g)
		case "mermaid":
			return show.Mermaid(c.out, g)
		case "dot":
			return show.Dot(c.out, g)
		case "name":
			return show.Names(c.out, g)
		default:
			return show.Tree(c.out, g)
		}
	}
	return cmd
}
