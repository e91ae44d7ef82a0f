package main

import (
	"cmp"

	"github.com/spf13/cobra"

	harvestv1 "github.com/waypost-dev/waypost/proto/waypost/harvest/v1"
	"github.com/waypost-dev/waypost/server/cmd/waypost/internal/client"
)

func (c *cli) refresh() *cobra.Command {
	var server, format string
	cmd := &cobra.Command{
		Use:   "refresh REF|KIND NAME",
		Short: "Have a server read again what declares an entity",
		Long: `Refresh has a server read the repository or location again that declares an
entity, and returns when the catalog has what stands there.`,
		Example: "  waypost refresh component:checkout\n  waypost refresh group payments",
		Args:    cobra.RangeArgs(1, 2),
	}
	formatFlag(cmd, &format, "table", "table", "json", "yaml")
	cmd.Flags().StringVar(&server, "server", "", "HOST:PORT of a server's gRPC listener (env WAYPOST_SERVER, default "+defaultServer+")")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		ctx := cmd.Context()
		kind, name, err := splitTarget(args)
		if err != nil {
			return err
		}
		if name == "" {
			return usagef("%q has no kind; write KIND:NAME, for example component:%s", kind, kind)
		}
		cl, err := client.Dial(cmp.Or(server, c.getenv("WAYPOST_SERVER"), defaultServer))
		if err != nil {
			return err
		}
		defer cl.Close()
		ref, err := resolve(ctx, cl, kind, name)
		if err != nil {
			return err
		}
		answer, err := cl.Harvest.RefreshEntity(ctx, &harvestv1.RefreshEntityRequest{Name: "entities/" + ref.String()})
		if err != nil {
			return err
		}
		switch {
		case format == "json":
			return c.out.JSON(answer)
		case format == "yaml":
			return c.out.YAML(answer)
		case answer.GetUnchanged():
			c.say("%s is as it was, at revision %d", ref.Key(), answer.GetRevision())
		default:
			c.say("%s was read again; the catalog is at revision %d", ref.Key(), answer.GetRevision())
		}
		return nil
	}
	return cmd
}
