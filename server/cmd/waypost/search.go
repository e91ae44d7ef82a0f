package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	catalogv1 "github.com/waypost-dev/waypost/proto/waypost/catalog/v1"
	"github.com/waypost-dev/waypost/server/cmd/waypost/internal/show"
)

func (c *cli) search() *cobra.Command {
	var format, filter string
	var limit int
	cmd := &cobra.Command{
		Use:     "search WORDS…",
		Short:   "Find entities by words, best match first",
		Long:    `Search finds entities by words; the last one may be the beginning of a word. With -o json, the answer is {"results":[…],"totalSize":N}.`,
		Example: "  waypost search payment gateway\n  waypost search pay --filter 'entity.kind == \"API\"'",
		Args:    cobra.MinimumNArgs(1),
	}
	t := targetFlags(cmd)
	formatFlag(cmd, &format, "table", "table", "wide", "json", "yaml", "name")
	cmd.Flags().StringVar(&filter, "filter", "", "CEL expression over entity and relations")
	cmd.Flags().IntVar(&limit, "limit", 20, "most results")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if limit < 1 {
			return usagef("--limit is %d; write a number from 1", limit)
		}
		cl, err := t.connect(cmd.Context(), c)
		if err != nil {
			return err
		}
		defer cl.Close()
		results, total, err := cl.Search(cmd.Context(), &catalogv1.SearchEntitiesRequest{Query: strings.Join(args, " "), Filter: filter}, limit)
		if err != nil {
			return err
		}
		answer := &catalogv1.SearchEntitiesResponse{Results: results, TotalSize: int32(total)}
		switch format {
		case "json":
			return c.out.JSON(answer)
		case "yaml":
			return c.out.YAML(answer)
		}
		entities := make([]*catalogv1.Entity, len(results))
		for i, r := range results {
			entities[i] = r.GetEntity()
			if format == "name" {
				if _, err := fmt.Fprintln(c.out, show.Ref(r.GetEntity())); err != nil {
					return err
				}
			}
		}
		switch {
		case format == "name":
			return nil
		case len(results) == 0:
			c.say("nothing found; try fewer words, or the beginning of one")
			return nil
		}
		if err := show.Table(c.out, entities, "", format == "wide", time.Now()); err != nil {
			return err
		}
		if total > len(results) {
			c.say("%d of %d; --limit shows more", len(results), total)
		}
		return nil
	}
	return cmd
}
