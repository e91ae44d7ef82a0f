package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	harvestv1 "github.com/waypost-dev/waypost/proto/waypost/harvest/v1"
	"github.com/waypost-dev/waypost/server/api"
	"github.com/waypost-dev/waypost/server/cmd/waypost/internal/client"
	"github.com/waypost-dev/waypost/server/cmd/waypost/internal/output"
	"github.com/waypost-dev/waypost/server/cmd/waypost/internal/progress"
	"github.com/waypost-dev/waypost/server/harvest"
	"github.com/waypost-dev/waypost/server/locations"
	"github.com/waypost-dev/waypost/server/store"
)

// parallelHarvests bounds the sources that are harvested at once.
const parallelHarvests = 4

func (c *cli) harvest() *cobra.Command {
	var format, server string
	var once, confirm bool
	cmd := &cobra.Command{
		Use:   "harvest [SOURCE…]",
		Short: "Bring the catalog up to date, and tell what changed",
		Long: `Harvest asks a running server to harvest its sources, or those that are named,
and shows how far it has come.

With --once, or with flags that name a database or sources, it harvests by
itself straight into the database, and needs no server. The locations that were
registered in that database are harvested too, and marked in the table; those
that the configuration does not allow to be read are named and left as they are.

It exits with 1 if a harvest failed, or was held: when more of a source is gone
than it may lose at once, nothing is removed until somebody says
--confirm-removals. With -o json, the answer is {"harvests":[…]}.`,
		Example: `  waypost harvest
  waypost harvest github:acme --server 127.0.0.1:9090
  GITHUB_TOKEN=… waypost harvest --db sqlite:waypost.db --github-org acme --once
  waypost harvest --dir ~/src --once`,
	}
	s := settingsFlags(cmd, false)
	formatFlag(cmd, &format, "table", "table", "json", "yaml")
	cmd.Flags().BoolVar(&once, "once", false, "harvest straight into the database, without a server")
	cmd.Flags().BoolVar(&confirm, "confirm-removals", false, "remove what is gone even if it is more than the source may lose at once")
	cmd.Flags().StringVar(&server, "server", "", "HOST:PORT of a server's gRPC listener (env WAYPOST_SERVER, default "+defaultServer+")")
	for _, flag := range []string{"once", "db", "config", "dir", "github-org", "location", "sample"} {
		cmd.MarkFlagsMutuallyExclusive("server", flag)
	}
	cmd.RunE = func(cmd *cobra.Command, names []string) error {
		direct := once || s.file != "" || len(s.sources) > 0 || cmd.Flags().Changed("db") || cmd.Flags().Changed("sample")
		shown := progress.New(c.err, c.err.Terminal())
		var done []*harvestv1.Harvest
		var registered map[string]bool
		var err error
		if direct {
			done, registered, err = c.harvestDirect(cmd.Context(), s, names, confirm, shown)
		} else {
			done, registered, err = c.harvestServer(cmd.Context(), &target{server: server}, names, confirm, shown)
		}
		shown.Close()
		done = slices.DeleteFunc(done, func(h *harvestv1.Harvest) bool { return h == nil })
		if err != nil && len(done) == 0 {
			return err
		}
		// What ended well is told, also if something else could not begin.
		if told := c.harvested(done, registered, format); err == nil {
			err = told
		}
		return err
	}
	return cmd
}

// harvestDirect harvests straight into the database. It also tells the sources
// that are registered locations.
func (c *cli) harvestDirect(ctx context.Context, s *settings, names []string, confirm bool, shown *progress.Display) ([]*harvestv1.Harvest, map[string]bool, error) {
	cfg, err := s.load(c)
	if err != nil {
		return nil, nil, err
	}
	log := c.logger(cfg)
	st, err := store.Open(ctx, cfg.DB, store.Options{})
	if err != nil {
		return nil, nil, fmt.Errorf("open database: %w", err)
	}
	defer st.Close()
	e, done, err := engine(cfg, st, log)
	if err != nil {
		return nil, nil, err
	}
	defer done()
	joined, err := c.joinRegistered(ctx, registered(cfg, st, e, log), e, names)
	if err != nil {
		return nil, nil, err
	}
	if len(names) == 0 {
		for _, source := range e.Sources() {
			names = append(names, source.Name)
		}
	}
	if len(names) == 0 {
		return nil, nil, usagef("there is nothing to harvest; name a source with --github-org, --dir or --location, or in a configuration file")
	}
	harvested, err := each(ctx, names, func(ctx context.Context, name string) (*harvestv1.Harvest, error) {
		p, err := e.Run(ctx, name, harvest.Order{Cause: "cli", ConfirmRemovals: confirm}, func(p harvest.Progress) {
			s := stateOf(api.ProgressMessage(p))
			s.Entities = max(s.Entities, p.Entities) // those that wait to be written too
			shown.Update(s)
		})
		if errors.Is(err, harvest.ErrUnknownSource) {
			return nil, usage(err)
		}
		if err != nil && p.ID == 0 {
			return nil, err
		}
		return api.ProgressMessage(p), nil
	})
	if slices.ContainsFunc(harvested, func(h *harvestv1.Harvest) bool {
		return h.GetDocumentsRead()+h.GetEntitiesAdded()+h.GetEntitiesChanged()+h.GetEntitiesRemoved() > 0
	}) {
		if err := c.rememberProblems(context.WithoutCancel(ctx), st, log); err != nil {
			log.Warn("since when problems are there is not known", "error", err)
		}
	}
	return harvested, joined, err
}

// joinRegistered adds the registered locations to the engine and returns their
// names. Those that may not be read are told of if they were to be harvested:
// no names are all.
func (c *cli) joinRegistered(ctx context.Context, r *locations.Registry, e *harvest.Engine, names []string) (map[string]bool, error) {
	if err := r.Sync(ctx); err != nil {
		return nil, fmt.Errorf("look for registered locations: %w", err)
	}
	out := map[string]bool{}
	const page = 500
	for after := ""; ; {
		list, err := r.List(ctx, after, page)
		if err != nil {
			return nil, fmt.Errorf("look for registered locations: %w", err)
		}
		for _, l := range list {
			after = l.Target
			out[l.Target] = true
			if e.Source(l.Target) == nil && (len(names) == 0 || slices.Contains(names, l.Target)) {
				c.say("%s %s is registered and not harvested: it may not be read here; allow its host with --read-allow, or files with registerFiles in the configuration",
					c.err.Mark(output.Yellow, "warning:"), output.Clean(l.Target))
			}
		}
		if len(list) < page {
			return out, nil
		}
	}
}

// rememberProblems writes down what is wrong, for those who harvest without a
// server, which would.
func (c *cli) rememberProblems(ctx context.Context, st *store.Store, log *slog.Logger) error {
	server, err := c.services(ctx, st, log)
	if err != nil {
		return err
	}
	return server.RememberProblems(ctx)
}

// harvestServer asks a server to harvest and follows what it does. It also tells
// the sources that are registered locations.
func (c *cli) harvestServer(ctx context.Context, t *target, names []string, confirm bool, shown *progress.Display) ([]*harvestv1.Harvest, map[string]bool, error) {
	cl, err := t.connect(ctx, c)
	if err != nil {
		return nil, nil, err
	}
	defer cl.Close()
	list, err := allLocations(ctx, cl)
	if err != nil {
		return nil, nil, err
	}
	registered := make(map[string]bool, len(list))
	for _, l := range list {
		registered[l.GetTarget()] = true
	}
	if len(names) == 0 {
		sources, err := cl.Harvest.ListSources(ctx, &harvestv1.ListSourcesRequest{})
		if err != nil {
			return nil, nil, err
		}
		for _, s := range sources.GetSources() {
			names = append(names, s.GetName())
		}
	}
	if len(names) == 0 {
		return nil, nil, usagef("the server has no sources; start it with --github-org, --dir or --location, or a configuration file")
	}
	done, err := each(ctx, names, func(ctx context.Context, name string) (*harvestv1.Harvest, error) {
		return watch(ctx, cl, name, confirm, shown)
	})
	return done, registered, err
}

func watch(ctx context.Context, cl *client.Client, name string, confirm bool, shown *progress.Display) (*harvestv1.Harvest, error) {
	started, err := cl.Harvest.StartHarvest(ctx, &harvestv1.StartHarvestRequest{Source: name, ConfirmRemovals: confirm})
	if err != nil {
		return nil, err
	}
	id := started.GetHarvest().GetId()
	stream, err := cl.Harvest.WatchHarvest(ctx, &harvestv1.WatchHarvestRequest{Id: id})
	if err != nil {
		return nil, err
	}
	for {
		answer, err := stream.Recv()
		if errors.Is(err, io.EOF) || client.IsNotFound(err) {
			break // it has ended, maybe before we began to watch
		}
		if err != nil {
			return nil, err
		}
		if h := answer.GetHarvest(); h.GetEndTime() == nil {
			shown.Update(stateOf(h))
		}
	}
	record, err := cl.Harvest.GetHarvest(ctx, &harvestv1.GetHarvestRequest{Id: id})
	if err != nil {
		return nil, err
	}
	shown.Update(stateOf(record.GetHarvest()))
	return record.GetHarvest(), nil
}

// each harvests several sources at once and returns what became of each, in
// the order of names; nil for one that could not begin.
func each(ctx context.Context, names []string, do func(context.Context, string) (*harvestv1.Harvest, error)) ([]*harvestv1.Harvest, error) {
	out := make([]*harvestv1.Harvest, len(names))
	var mu sync.Mutex
	var errs []error
	var g errgroup.Group
	g.SetLimit(parallelHarvests)
	for i, name := range names {
		g.Go(func() error {
			h, err := do(ctx, name)
			mu.Lock()
			defer mu.Unlock()
			out[i] = h
			if err != nil {
				errs = append(errs, err)
			}
			return nil
		})
	}
	_ = g.Wait() // no function returns an error: one source does not stop the others
	return out, errors.Join(errs...)
}

// harvested prints what became of the harvests, of which some are of registered
// locations.
func (c *cli) harvested(done []*harvestv1.Harvest, registered map[string]bool, format string) error {
	failed := 0
	for _, h := range done {
		if h.GetState() != harvestv1.Harvest_STATE_SUCCEEDED {
			failed++
		}
	}
	var err error
	switch format {
	case "json", "yaml":
		answer := &harvestv1.ListHarvestsResponse{Harvests: done}
		if format == "yaml" {
			err = c.out.YAML(answer)
		} else {
			err = c.out.JSON(answer)
		}
	default:
		rows := make([][]string, len(done))
		for i, h := range done {
			rows[i] = row(h)
			if registered[h.GetSource()] {
				rows[i][0] += " (registered)"
			}
		}
		err = c.out.Table([]string{"SOURCE", "STATE", "REPOS", "UNCHANGED", "READ", "ADDED", "CHANGED", "REMOVED", "PROBLEMS", "REQUESTS", "TIME"}, rows)
		for _, h := range done {
			if h.GetError() != "" {
				c.say("%s %s: %s", c.err.Mark(output.Red, "error:"), h.GetSource(), output.Clean(h.GetError()))
			}
		}
	}
	if err == nil && failed > 0 {
		return errFindings
	}
	return err
}

func row(h *harvestv1.Harvest) []string {
	n := func(i int32) string { return strconv.Itoa(int(i)) }
	requests := n(h.GetRequests().GetCounted())
	if free := h.GetRequests().GetFree(); free > 0 {
		requests += fmt.Sprintf(" (%d free)", free)
	}
	took := h.GetEndTime().AsTime().Sub(h.GetStartTime().AsTime())
	return []string{
		h.GetSource(), stateWord(h.GetState()), n(h.GetRepositoriesSeen()), n(h.GetRepositoriesUnchanged()), n(h.GetDocumentsRead()),
		n(h.GetEntitiesAdded()), n(h.GetEntitiesChanged()), n(h.GetEntitiesRemoved()), n(h.GetProblems()), requests,
		took.Round(time.Millisecond).String(),
	}
}

// stateWord is the state as people read it.
func stateWord(s harvestv1.Harvest_State) string {
	return strings.ToLower(strings.TrimPrefix(s.String(), "STATE_"))
}

// stateOf is a harvest as the display takes it.
func stateOf(h *harvestv1.Harvest) progress.State {
	s := progress.State{
		Source: h.GetSource(), Expected: int(h.GetRepositoriesExpected()), Seen: int(h.GetRepositoriesSeen()),
		Entities: int(h.GetEntitiesAdded() + h.GetEntitiesChanged()),
		Problems: int(h.GetProblems()), Remaining: -1, Error: h.GetError(),
	}
	if r := h.GetRequests(); r != nil {
		s.Remaining = int(r.GetRemaining())
		s.Waiting = r.GetWaiting().AsDuration()
	}
	if h.GetStartTime() != nil {
		s.Started = h.GetStartTime().AsTime()
	}
	if h.GetEndTime() != nil {
		s.Finished = h.GetEndTime().AsTime()
	}
	return s
}
