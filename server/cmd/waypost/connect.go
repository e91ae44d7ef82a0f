package main

import (
	"cmp"
	"context"

	"github.com/spf13/cobra"

	"github.com/waypost-dev/waypost/server/cmd/waypost/internal/client"
)

const defaultServer = "127.0.0.1:9090"

// target is whom the reading commands ask.
type target struct {
	server, db string
}

func targetFlags(cmd *cobra.Command) *target {
	t := &target{}
	cmd.Flags().StringVar(&t.server, "server", "", "HOST:PORT of a server's gRPC listener (env WAYPOST_SERVER, default "+defaultServer+")")
	cmd.Flags().StringVar(&t.db, "db", "", "read a database in place of a server: sqlite:PATH or postgres://…")
	cmd.MarkFlagsMutuallyExclusive("server", "db")
	return t
}

// connect opens the way to the services.
func (t *target) connect(ctx context.Context, c *cli) (*client.Client, error) {
	if t.db != "" {
		return c.inProcess(ctx, t.db)
	}
	return client.Dial(cmp.Or(t.server, c.getenv("WAYPOST_SERVER"), defaultServer))
}
