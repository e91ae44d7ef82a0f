package main

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"strings"

	"github.com/google/uuid"
	"github.com/spf13/cobra"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	catalogv1 "github.com/waypost-dev/waypost/proto/waypost/catalog/v1"
	"github.com/waypost-dev/waypost/server/cmd/waypost/internal/client"
	"github.com/waypost-dev/waypost/server/cmd/waypost/internal/output"
	"github.com/waypost-dev/waypost/server/cmd/waypost/internal/report"
	"github.com/waypost-dev/waypost/server/config"
	"github.com/waypost-dev/waypost/server/harvest"
	"github.com/waypost-dev/waypost/server/locations"
	"github.com/waypost-dev/waypost/server/source/location"
	"github.com/waypost-dev/waypost/server/store"
)

// registered are the locations that callers of the API register. They are harvested
// as the configuration says of sources that say nothing themselves.
func registered(cfg *config.Config, st *store.Store, e *harvest.Engine, log *slog.Logger) *locations.Registry {
	return locations.New(st, e, log, locations.Options{
		Source:  location.Options{ReadAllow: cfg.ReadAllow, Cache: cache{st, log}},
		Harvest: harvest.Config{Every: cfg.Every, Removals: removals(cfg.MaxRemovals, cfg.Orphans), Schemas: cfg.Schemas, Allow: cfg.Allow},
		Files:   cfg.RegisterFiles,
	})
}

func (c *cli) location() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "location",
		Short: "Register catalog files by their address, beside the configured sources",
		Long: `Locations are catalog files that a server harvests beside the sources of its
configuration. They stand in the database, and every replica harvests them. A
server reads from the hosts of its --read-allow only.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(c.locationAdd(), c.locationList(), c.locationRemove())
	return cmd
}

// serverFlag adds --server alone, for commands that only a server can carry out.
func serverFlag(cmd *cobra.Command) *target {
	t := &target{}
	cmd.Flags().StringVar(&t.server, "server", "", "HOST:PORT of a server's gRPC listener (env WAYPOST_SERVER, default "+defaultServer+")")
	return t
}

// typed is a target with its type; an address may be written without.
func typed(text string) string {
	if strings.HasPrefix(text, "https://") || strings.HasPrefix(text, "http://") {
		return "url:" + text
	}
	return text
}

func (c *cli) locationAdd() *cobra.Command {
	var format string
	req := &catalogv1.RegisterLocationRequest{}
	cmd := &cobra.Command{
		Use:   "add TARGET",
		Short: "Read a location, and harvest it from now on",
		Long: `Add reads the location and registers it, and returns when the catalog holds what
it declares. With --dry-run it tells what it declares and what is wrong with it,
and registers nothing; it then exits with 1 if something is wrong enough to keep
an entity out of the catalog.`,
		Example: `  waypost location add https://github.com/acme/shop/blob/main/catalog-info.yaml
  waypost location add https://example.com/all.yaml --dry-run`,
		Args: cobra.ExactArgs(1),
	}
	t := serverFlag(cmd)
	formatFlag(cmd, &format, "table", "table", "json", "yaml")
	cmd.Flags().BoolVar(&req.ValidateOnly, "dry-run", false, "register nothing")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		req.Target = typed(args[0])
		cl, err := t.connect(cmd.Context(), c)
		if err != nil {
			return err
		}
		defer cl.Close()
		done, err := cl.Locations.RegisterLocation(cmd.Context(), req)
		if err != nil {
			return err
		}
		problems := fromProto(done.GetProblems())
		switch format {
		case "json":
			err = c.out.JSON(done)
		case "yaml":
			err = c.out.YAML(done)
		default:
			for _, ref := range done.GetEntityRefs() {
				fmt.Fprintln(c.out, output.Clean(ref))
			}
			if len(problems) > 0 {
				err = report.Print(c.err, "table", buildVersion().Version, problems)
			}
			verb := "registered as " + strings.TrimPrefix(done.GetLocation().GetName(), "locations/")
			if req.ValidateOnly {
				verb = "not registered (dry run)"
			}
			c.say("%s %s: %d entities, %d problems", output.Clean(done.GetLocation().GetTarget()), verb, len(done.GetEntityRefs()), len(problems))
		}
		if err == nil && req.ValidateOnly && report.Errors(problems) > 0 {
			err = errFindings
		}
		return err
	}
	return cmd
}

func (c *cli) locationList() *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the registered locations",
		Long: `List lists the locations that were registered, by target. With -o json, the
answer is {"locations":[…]}.`,
		Args: cobra.NoArgs,
	}
	t := serverFlag(cmd)
	formatFlag(cmd, &format, "table", "table", "json", "yaml")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		cl, err := t.connect(cmd.Context(), c)
		if err != nil {
			return err
		}
		defer cl.Close()
		list, err := allLocations(cmd.Context(), cl)
		if err != nil {
			return err
		}
		if format != "table" {
			out := c.out.JSONList("locations")
			if format == "yaml" {
				out = c.out.YAMLList("locations")
			}
			for _, l := range list {
				if err := out.Add(l); err != nil {
					return err
				}
			}
			return out.End()
		}
		rows := make([][]string, len(list))
		for i, l := range list {
			rows[i] = []string{strings.TrimPrefix(l.GetName(), "locations/"), l.GetTarget(), clockTime(l.GetCreateTime()), cmp.Or(l.GetCreator(), "-")}
		}
		if len(list) == 0 {
			c.say("No locations are registered.")
			return nil
		}
		return c.out.Table([]string{"ID", "TARGET", "CREATED", "BY"}, rows)
	}
	return cmd
}

// allLocations goes through the pages.
func allLocations(ctx context.Context, cl *client.Client) ([]*catalogv1.Location, error) {
	var list []*catalogv1.Location
	req := &catalogv1.ListLocationsRequest{PageSize: 1000}
	for {
		page, err := cl.Locations.ListLocations(ctx, req)
		if err != nil {
			return nil, err
		}
		list = append(list, page.GetLocations()...)
		if req.PageToken = page.GetNextPageToken(); req.PageToken == "" {
			return list, nil
		}
	}
}

func (c *cli) locationRemove() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "remove ID|TARGET",
		Short: "Remove a registered location and what it declared",
		Example: `  waypost location remove https://example.com/all.yaml
  waypost location remove 1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed`,
		Args: cobra.ExactArgs(1),
	}
	t := serverFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		cl, err := t.connect(cmd.Context(), c)
		if err != nil {
			return err
		}
		defer cl.Close()
		name := ""
		if _, err := uuid.Parse(strings.TrimPrefix(args[0], "locations/")); err == nil {
			name = "locations/" + strings.TrimPrefix(args[0], "locations/")
		} else {
			list, err := allLocations(cmd.Context(), cl)
			if err != nil {
				return err
			}
			for _, l := range list {
				if l.GetTarget() == typed(args[0]) {
					name = l.GetName()
				}
			}
			if name == "" {
				return status.Errorf(codes.NotFound, "%s is not registered; 'waypost location list' shows what is", args[0])
			}
		}
		if _, err := cl.Locations.DeleteLocation(cmd.Context(), &catalogv1.DeleteLocationRequest{Name: name}); err != nil {
			return err
		}
		c.say("%s is removed, with what it declared", output.Clean(args[0]))
		return nil
	}
	return cmd
}
