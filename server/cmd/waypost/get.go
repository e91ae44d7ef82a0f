package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	catalogv1 "github.com/waypost-dev/waypost/proto/waypost/catalog/v1"
	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/cmd/waypost/internal/client"
	"github.com/waypost-dev/waypost/server/cmd/waypost/internal/show"
)

func (c *cli) get() *cobra.Command {
	var o getOptions
	var asOfText string
	cmd := &cobra.Command{
		Use:   "get KIND|KIND/NAME|REF [NAME]",
		Short: "List entities, or get one",
		Long: `Get lists the entities of a kind, or prints one entity. Kinds are taken in any
case, singular or plural; all stands for every kind. A name may be preceded by
a namespace: NAMESPACE/NAME.

With -o json, a list is {"entities":[…]}, and one entity is the entity itself.`,
		Example: `  waypost get components
  waypost get component checkout -o yaml
  waypost get component:default/checkout
  waypost get component checkout --as-of 2026-11-01
  waypost get all --filter '"group:default/payments" in relations.ownedBy' --sort 'kind, metadata.name'`,
		Args: cobra.RangeArgs(1, 2),
		ValidArgs: []cobra.Completion{"all", "components", "apis", "resources", "systems", "domains", "groups", "users",
			"locations", "templates"},
	}
	t := targetFlags(cmd)
	formatFlag(cmd, &o.format, "table", "table", "wide", "json", "yaml", "name")
	cmd.Flags().StringVar(&o.filter, "filter", "", "CEL expression over entity and relations")
	cmd.Flags().StringVar(&o.sort, "sort", "", "fields to order by, each optionally with desc, separated by commas")
	cmd.Flags().IntVar(&o.limit, "limit", 0, "most entities to list; 0 for all")
	cmd.Flags().StringVar(&asOfText, "as-of", "", "as it was at a revision, a time (2026-11-23T15:04:05Z) or so long ago (36h)")
	cmd.RunE = func(cmd *cobra.Command, args []string) (err error) {
		if o.limit < 0 {
			return usagef("--limit is %d; write a number from 0", o.limit)
		}
		if o.asOf, err = parseAsOf(asOfText, time.Now()); err != nil {
			return err
		}
		cl, err := t.connect(cmd.Context(), c)
		if err != nil {
			return err
		}
		defer cl.Close()
		kind, name, err := splitTarget(args)
		if err != nil {
			return err
		}
		if name != "" {
			if o.filter != "" || o.sort != "" || o.limit != 0 {
				return usagef("--filter, --sort and --limit are for lists; leave out the name %q, or them", name)
			}
			return c.getOne(cmd.Context(), cl, kind, name, o)
		}
		return c.getList(cmd.Context(), cl, kind, o)
	}
	return cmd
}

type getOptions struct {
	format, filter, sort string
	limit                int
	asOf                 asOf
}

// splitTarget tells the kind from the name, which is empty for a list.
func splitTarget(args []string) (kind, name string, err error) {
	first := args[0]
	colon, slash := strings.IndexByte(first, ':'), strings.IndexByte(first, '/')
	switch {
	case len(args) == 2 && (colon >= 0 || slash >= 0):
		return "", "", usagef("%q names one entity already, so that %q is one too many; write KIND NAME or KIND:NAMESPACE/NAME", first, args[1])
	case len(args) == 2 && args[1] == "":
		return "", "", usagef("the name is empty; leave it out to list all of kind %s", first)
	case len(args) == 2:
		return first, args[1], nil
	case colon >= 0 && (slash < 0 || colon < slash):
		kind, name = first[:colon], first[colon+1:]
	case slash >= 0:
		kind, name = first[:slash], first[slash+1:]
	default:
		return first, "", nil
	}
	if kind == "" || name == "" {
		return "", "", usagef("%q names no entity; write KIND/NAME or KIND:NAMESPACE/NAME", first)
	}
	return kind, name, nil
}

// resolve makes a ref of a kind as people type it and a name.
func resolve(ctx context.Context, cl *client.Client, kind, name string) (catalog.Ref, error) {
	kinds, err := cl.Kinds(ctx, kind)
	if err != nil {
		return catalog.Ref{}, err
	}
	ref, err := catalog.ParseRef(kinds[0]+":"+name, catalog.RefContext{})
	if err != nil {
		return catalog.Ref{}, usage(err)
	}
	return ref, nil
}

func (c *cli) getOne(ctx context.Context, cl *client.Client, kind, name string, o getOptions) error {
	ref, err := resolve(ctx, cl, kind, name)
	if err != nil {
		return err
	}
	e, err := cl.Catalog.GetEntity(ctx, &catalogv1.GetEntityRequest{Name: "entities/" + ref.String(), AsOfRevision: o.asOf.revision, AsOfTime: o.asOf.time})
	if err != nil {
		return err
	}
	switch o.format {
	case "json":
		return c.out.JSON(e)
	case "yaml":
		return c.out.YAML(e)
	case "name":
		_, err := fmt.Fprintln(c.out, show.Ref(e))
		return err
	default:
		return show.Table(c.out, []*catalogv1.Entity{e}, e.GetKind(), o.format == "wide", time.Now())
	}
}

func (c *cli) getList(ctx context.Context, cl *client.Client, kind string, o getOptions) error {
	req := &catalogv1.ListEntitiesRequest{OrderBy: o.sort, AsOfRevision: o.asOf.revision, AsOfTime: o.asOf.time}
	shown := ""
	if !strings.EqualFold(kind, "all") {
		kinds, err := cl.Kinds(ctx, kind)
		if err != nil {
			return err
		}
		shown = kinds[0]
		req.Filter = kindFilter(kinds)
	}
	req.Filter = and(o.filter, req.Filter)

	switch o.format {
	case "json", "yaml":
		list := c.out.JSONList("entities")
		if o.format == "yaml" {
			list = c.out.YAMLList("entities")
		}
		for e, err := range cl.Entities(ctx, req, o.limit) {
			if err != nil {
				return err
			}
			if err := list.Add(e); err != nil {
				return err
			}
		}
		return list.End()
	case "name":
		req.ReadMask = &fieldmaskpb.FieldMask{Paths: []string{"name"}}
		for e, err := range cl.Entities(ctx, req, o.limit) {
			if err != nil {
				return err
			}
			if _, err := fmt.Fprintln(c.out, show.Ref(e)); err != nil {
				return err
			}
		}
		return nil
	default:
		wide := o.format == "wide"
		req.ReadMask = &fieldmaskpb.FieldMask{Paths: show.TableFields}
		if wide {
			req.ReadMask.Paths = show.WideFields
		}
		var all []*catalogv1.Entity
		for e, err := range cl.Entities(ctx, req, o.limit) {
			if err != nil {
				return err
			}
			all = append(all, e)
		}
		if len(all) == 0 {
			c.say("nothing found")
			return nil
		}
		return show.Table(c.out, all, shown, wide, time.Now())
	}
}

func kindFilter(kinds []string) string {
	terms := make([]string, len(kinds))
	for i, k := range kinds {
		terms[i] = "entity.kind == " + strconv.Quote(k)
	}
	s := strings.Join(terms, " || ")
	if len(terms) > 1 {
		return "(" + s + ")"
	}
	return s
}

// and joins two CEL expressions. The first one stays where it is if it can, so
// that positions in errors are those that its author sees.
func and(a, b string) string {
	switch {
	case a == "":
		return b
	case b == "":
		return a
	case strings.ContainsAny(a, "|?\n"):
		return "(" + a + "\n) && " + b
	default:
		return a + " && " + b
	}
}
