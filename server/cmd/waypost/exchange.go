package main

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	catalogv1 "github.com/waypost-dev/waypost/proto/waypost/catalog/v1"
	"github.com/waypost-dev/waypost/server/cmd/waypost/internal/exchange"
)

// group is a command that only has others below it.
func group(use, short, long string, below ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{
		Use: use, Short: short, Long: long, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(below...)
	return cmd
}

func (c *cli) importCommand() *cobra.Command {
	var i exchange.Import
	var tokenFile, folder string
	cmd := &cobra.Command{
		Use:   "backstage --url URL --out DIR",
		Short: "Copy the catalog of a running Backstage",
		Long: `Import reads the locations and entities of a running Backstage over its catalog
API, and writes a folder from which a server serves the same catalog: waypost.yaml
names the locations that can be read where they are, and entities holds the others
as files: what came from files of Backstage's own machine, or from a provider such
as an LDAP directory. It changes nothing in Backstage.

With --copy every entity is copied, and no location read. The token is that of an
externalAccess entry in Backstage's app-config, from --token-file or
BACKSTAGE_TOKEN.`,
		Example: `  waypost import backstage --url https://backstage.example.com --out moved
  waypost serve --config moved/waypost.yaml`,
		Args: cobra.NoArgs,
	}
	cmd.Flags().StringVar(&i.URL, "url", "", "address of Backstage's back end (required)")
	cmd.Flags().StringVar(&folder, "out", "", "new folder to write (required)")
	cmd.Flags().StringVar(&tokenFile, "token-file", "", "file with the token (default: BACKSTAGE_TOKEN)")
	cmd.Flags().BoolVar(&i.Copy, "copy", false, "copy every entity, also those whose files can be read where they are")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if i.URL == "" || folder == "" {
			return usagef("name the Backstage with --url and a new folder with --out")
		}
		i.Token = c.getenv("BACKSTAGE_TOKEN")
		if tokenFile != "" {
			b, err := os.ReadFile(tokenFile)
			if err != nil {
				return usage(err)
			}
			i.Token = strings.TrimSpace(string(b))
		}
		told := 0
		i.Progress = func(done, total int) {
			if done >= told {
				told = done + 5000
				c.say("read %d of %d entities", done, total)
			}
		}
		done, err := i.Run(cmd.Context(), folder)
		if err != nil {
			return err
		}
		fmt.Fprintf(c.out, "%d locations with %d entities are read where they are\n%d entities are copied to %s/entities\n", len(done.Locations), done.Read, done.Copied, folder)
		if done.LeftOut > 0 {
			fmt.Fprintf(c.out, "%d entities of kind Location are left out: what they lead to is copied\n", done.LeftOut)
		}
		for _, host := range done.Inside {
			c.say("%s is in a network of its own: its locations are read once you add it to readAllow in %s/waypost.yaml", host, folder)
		}
		for _, org := range slices.Sorted(maps.Keys(done.GitHub)) {
			c.say("%d locations are files of github.com/%s: --github-org %s in their place reads all of its repositories, and private ones with a token", done.GitHub[org], org, org)
		}
		c.say("Next: waypost serve --config %s/waypost.yaml", folder)
		return nil
	}
	return group("import", "Copy the catalog of another portal", "Import copies the catalog of another portal into files that a server reads.", cmd)
}

func (c *cli) exportCommand() *cobra.Command {
	var filter, folder string
	cmd := &cobra.Command{
		Use:   "backstage --out DIR",
		Short: "Write the catalog as YAML that Backstage reads",
		Long: `Export writes entities as catalog files, by kind, and all.yaml, a Location that
leads to all of them: register that in Backstage. With --out - it writes one stream
of YAML documents.

Backstage refuses a component, API, resource, system or domain without an owner.
One that its file does not name is written as the evidence speaks for it, or else
as unknown, and counted.`,
		Example: `  waypost export backstage --out catalog
  waypost export backstage --out - --filter 'entity.kind == "System"'`,
		Args: cobra.NoArgs,
	}
	t := targetFlags(cmd)
	cmd.Flags().StringVar(&folder, "out", "", "new folder to write, or - for standard output (required)")
	cmd.Flags().StringVar(&filter, "filter", "", "CEL expression over entity, facts and relations")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if folder == "" {
			return usagef("name a new folder with --out, or - for standard output")
		}
		cl, err := t.connect(cmd.Context(), c)
		if err != nil {
			return err
		}
		defer cl.Close()
		entities := cl.Entities(cmd.Context(), &catalogv1.ListEntitiesRequest{Filter: filter}, 0)
		var done exchange.Exported
		if folder == "-" {
			done, err = exchange.ExportTo(entities, c.out)
		} else {
			done, err = exchange.Export(entities, folder)
		}
		if err == nil && done.Entities == 0 {
			err = errors.New("no entity is selected")
		}
		if err != nil {
			return err
		}
		c.say("%d entities in %d files", done.Entities, cmp.Or(done.Files, 1))
		if done.Owned+done.Unowned > 0 {
			c.say("%d without a declared owner: %d got the one that evidence speaks for, %d are owned by unknown", done.Owned+done.Unowned, done.Owned, done.Unowned)
		}
		return nil
	}
	return group("export", "Write the catalog for another portal", "Export writes the catalog in the form that another portal reads.", cmd)
}
