package main

import (
	"github.com/spf13/cobra"
)

func (c *cli) serve() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run the server: harvest, answer, repeat",
		Long: `Serve opens the database, answers over gRPC and HTTP, and harvests the
configured sources, at once and then again and again.

It prints two lines to standard output:
  serving http=HOST:PORT grpc=HOST:PORT     when it answers
  harvested N entities in TIME              when the first harvests have ended

SIGINT and SIGTERM stop it in good order; a second one stops it at once. GOGC and
GOMEMLIMIT are heeded as by every Go program; without GOGC, 50 is taken.`,
		Example: `  waypost serve --sample
  GITHUB_TOKEN=… waypost serve --github-org acme
  waypost serve --dir ~/src --every 1m
  waypost serve --config waypost.yaml`,
		Args: cobra.NoArgs,
	}
	s := settingsFlags(cmd, true)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		cfg, err := s.load(c)
		if err != nil {
			return err
		}
		c.tuneMemory()
		return c.runServer(cmd.Context(), cfg)
	}
	return cmd
}
