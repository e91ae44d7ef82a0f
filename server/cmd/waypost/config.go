package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/waypost-dev/waypost/server/config"
)

func (c *cli) config() *cobra.Command {
	cmd := &cobra.Command{Use: "config", Short: "Check and explain the configuration"}
	cmd.AddCommand(c.configCheck(), c.configSchema(), c.configExample())
	return cmd
}

func (c *cli) configCheck() *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Check the configuration and print what is in force",
		Long: `Check reads the configuration as serve would, from the file, the environment
and flags, and prints what is in force; secrets print as ***. It opens neither
the database nor the network.`,
		Args: cobra.NoArgs,
	}
	s := settingsFlags(cmd, true)
	formatFlag(cmd, &format, "yaml", "yaml", "json")
	cmd.RunE = func(*cobra.Command, []string) error {
		cfg, err := s.load(c)
		if errors.Is(err, os.ErrNotExist) {
			return usage(err)
		}
		if err != nil {
			return err
		}
		if format == "json" {
			return c.out.JSON(cfg.Effective())
		}
		return c.out.YAML(cfg.Effective())
	}
	return cmd
}

func (c *cli) configSchema() *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of the configuration file",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintf(c.out, "%s", config.Schema)
			return err
		},
	}
}

func (c *cli) configExample() *cobra.Command {
	return &cobra.Command{
		Use:   "example",
		Short: "Print a configuration file that shows every part",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintf(c.out, "%s", config.Example)
			return err
		},
	}
}
