package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	catalogv1 "github.com/waypost-dev/waypost/proto/waypost/catalog/v1"
	"github.com/waypost-dev/waypost/server/cmd/waypost/internal/output"
	"github.com/waypost-dev/waypost/server/cmd/waypost/internal/show"
)

// A watch goes on when its server stops: another one may have its address.
const (
	rewatchAfter = time.Second
	rewatchFor   = time.Minute
)

func (c *cli) watch() *cobra.Command {
	t := &target{}
	req := &catalogv1.WatchEntitiesRequest{}
	var format string
	var count int
	cmd := &cobra.Command{
		Use:   "watch",
		Short: "Print what changes in the catalog while it does",
		Long: `Watch prints each change of the selected entities, in the order in which they
were committed, until it is interrupted. None is left out and none comes twice,
also when the server is restarted meanwhile, for up to a minute.

ADDED means that an entity is new or that the filter selects it now, REMOVED that
it is gone or that the filter does not select it any more.

With -o json there is one JSON object a line, as the API has it, and bookmarks
between them: pass their revision, or that of a change, to --after to go on later.`,
		Example: `  waypost watch --filter 'entity.kind == "Component"'
  waypost watch --initial -o json
  waypost watch --after 1234 --filter '"group:default/payments" in relations.ownedBy'`,
		Args: cobra.NoArgs,
	}
	formatFlag(cmd, &format, "table", "table", "json")
	f := cmd.Flags()
	f.StringVar(&t.server, "server", "", "HOST:PORT of a server's gRPC listener (env WAYPOST_SERVER, default "+defaultServer+")")
	f.StringVar(&req.Filter, "filter", "", "CEL expression over entity and relations")
	f.Int64Var(&req.AfterRevision, "after", 0, "revision after which to begin (default now)")
	f.BoolVar(&req.SendInitial, "initial", false, "begin with the entities as they are")
	f.IntVar(&count, "count", 0, "end after so many changes; 0 for never")
	cmd.MarkFlagsMutuallyExclusive("after", "initial")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if count < 0 || req.AfterRevision < 0 {
			return usagef("--count and --after take a number from 0")
		}
		ctx := cmd.Context()
		cl, err := t.connect(ctx, c)
		if err != nil {
			return err
		}
		defer cl.Close()
		w := &watching{c: c, client: cl.Watch, req: req, format: format, left: count, endless: count == 0}
		if err := w.run(ctx); err != nil && ctx.Err() == nil {
			return err
		}
		return nil // an interruption is how a watch ends
	}
	return cmd
}

// watching is a watch over the connections that it takes.
type watching struct {
	c       *cli
	client  catalogv1.WatchServiceClient
	req     *catalogv1.WatchEntitiesRequest
	format  string
	left    int // changes to print
	endless bool
	headed  bool
	lost    time.Time // when the server was last heard of
}

func (w *watching) run(ctx context.Context) error {
	for {
		err := w.once(ctx)
		if err == nil || ctx.Err() != nil {
			return err
		}
		// Without a position there is nothing to go on from.
		if status.Code(err) != codes.Unavailable || w.lost.IsZero() || w.req.SendInitial {
			return err
		}
		if time.Since(w.lost) > rewatchFor {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(rewatchAfter):
		}
	}
}

func (w *watching) once(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := w.client.WatchEntities(ctx, w.req)
	if err != nil {
		return err
	}
	for w.endless || w.left > 0 {
		m, err := stream.Recv()
		if err != nil {
			return err
		}
		w.lost = time.Now()
		if err := w.print(m); err != nil {
			return err
		}
		if m.Type != catalogv1.WatchEntitiesResponse_TYPE_BOOKMARK {
			w.left--
		}
		if m.Revision != 0 || m.Type == catalogv1.WatchEntitiesResponse_TYPE_BOOKMARK {
			w.req.AfterRevision, w.req.SendInitial = m.Revision, false
		}
	}
	return nil
}

func (w *watching) print(m *catalogv1.WatchEntitiesResponse) error {
	if w.format == "json" {
		b, err := output.Marshal(m)
		if err != nil {
			return err
		}
		_, err = w.c.out.Write(append(b, '\n'))
		return err
	}
	if m.Type == catalogv1.WatchEntitiesResponse_TYPE_BOOKMARK {
		return nil
	}
	line := func(revision, at, what, ref, by string) error {
		_, err := fmt.Fprintln(w.c.out, strings.TrimRight(fmt.Sprintf("%-9s %-20s %-8s %s  %s", revision, at, what, ref, by), " "))
		return err
	}
	if !w.headed {
		w.headed = true
		if err := line("REVISION", "TIME", "CHANGE", "ENTITY", "BY"); err != nil {
			return err
		}
	}
	revision := "-"
	if m.Revision != 0 {
		revision = fmt.Sprint(m.Revision)
	}
	by := strings.TrimSpace(m.GetCause().GetVia() + " " + m.GetCause().GetActor())
	return line(revision, m.GetTime().AsTime().Format(time.RFC3339), strings.TrimPrefix(m.Type.String(), "TYPE_"), output.Clean(show.Ref(m.Entity)), output.Clean(by))
}
