package api

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	harvestv1 "github.com/waypost-dev/waypost/proto/waypost/harvest/v1"
	"github.com/waypost-dev/waypost/server/harvest"
	"github.com/waypost-dev/waypost/server/index"
	"github.com/waypost-dev/waypost/server/store"
)

const (
	defaultHarvests = 20
	maxHarvests     = 500
	// watchEvery is the least time between two messages of a stream.
	watchEvery = 200 * time.Millisecond
	// pollEvery is how often the record of a harvest that another process runs
	// is looked at.
	pollEvery = time.Second
)

// harvestService implements HarvestService.
type harvestService struct {
	harvestv1.UnimplementedHarvestServiceServer
	store  *store.Store
	engine *harvest.Engine
	index  *index.Index
}

func (h *harvestService) ListSources(ctx context.Context, _ *harvestv1.ListSourcesRequest) (*harvestv1.ListSourcesResponse, error) {
	out := &harvestv1.ListSourcesResponse{}
	for _, s := range h.engine.Sources() {
		m := &harvestv1.Source{Name: s.Name, NextTime: timestamp(s.Next)}
		if s.Running != nil {
			m.Latest = ProgressMessage(*s.Running)
		} else {
			latest, err := h.store.Harvests(ctx, s.Name, 1)
			if err != nil {
				return nil, fmt.Errorf("read latest harvest of %s: %w", s.Name, err)
			}
			if len(latest) > 0 {
				m.Latest = recordMessage(latest[0])
			}
		}
		out.Sources = append(out.Sources, m)
	}
	return out, nil
}

func (h *harvestService) StartHarvest(ctx context.Context, req *harvestv1.StartHarvestRequest) (*harvestv1.StartHarvestResponse, error) {
	p, err := h.engine.Start(ctx, req.Source, harvest.Order{Cause: "api", ConfirmRemovals: req.ConfirmRemovals})
	if errors.Is(err, harvest.ErrUnknownSource) {
		return nil, notFound("waypost.dev/Source", req.Source, fmt.Sprintf("source %q is not configured; ListSources (GET /v1/sources) has those that are", req.Source))
	}
	if err != nil {
		return nil, err
	}
	return &harvestv1.StartHarvestResponse{Harvest: ProgressMessage(p)}, nil
}

func (h *harvestService) GetHarvest(ctx context.Context, req *harvestv1.GetHarvestRequest) (*harvestv1.GetHarvestResponse, error) {
	m, err := h.get(ctx, req.Id)
	if err != nil {
		return nil, err
	}
	return &harvestv1.GetHarvestResponse{Harvest: m}, nil
}

// running is the progress of the harvests that run in this process, by id.
func (h *harvestService) running() map[int64]harvest.Progress {
	out := map[int64]harvest.Progress{}
	for _, s := range h.engine.Sources() {
		if s.Running != nil {
			out[s.Running.ID] = *s.Running
		}
	}
	return out
}

func (h *harvestService) get(ctx context.Context, id int64) (*harvestv1.Harvest, error) {
	if p, ok := h.running()[id]; ok {
		return ProgressMessage(p), nil
	}
	r, err := h.store.GetHarvest(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return nil, notFound("waypost.dev/Harvest", "harvests/"+strconv.FormatInt(id, 10), fmt.Sprintf("harvest %d does not exist", id))
	}
	if err != nil {
		return nil, fmt.Errorf("read harvest %d: %w", id, err)
	}
	return recordMessage(r), nil
}

func (h *harvestService) ListHarvests(ctx context.Context, req *harvestv1.ListHarvestsRequest) (*harvestv1.ListHarvestsResponse, error) {
	list, err := h.store.Harvests(ctx, req.Source, pageSize(req.PageSize, defaultHarvests, maxHarvests))
	if err != nil {
		return nil, fmt.Errorf("read harvests: %w", err)
	}
	running := h.running()
	out := &harvestv1.ListHarvestsResponse{}
	for _, r := range list {
		m := recordMessage(r)
		if p, ok := running[r.ID]; ok {
			m = ProgressMessage(p)
		}
		out.Harvests = append(out.Harvests, m)
	}
	return out, nil
}

// WatchHarvest sends the progress of a harvest and at last its record. One
// that has ended is sent once; one that another process runs is followed by
// its record.
func (h *harvestService) WatchHarvest(req *harvestv1.WatchHarvestRequest, stream grpc.ServerStreamingServer[harvestv1.WatchHarvestResponse]) error {
	ctx := stream.Context()
	send := func(m *harvestv1.Harvest) error { return stream.Send(&harvestv1.WatchHarvestResponse{Harvest: m}) }
	updates, stop, err := h.engine.Watch(req.Id)
	if errors.Is(err, store.ErrNotFound) {
		return h.poll(ctx, req.Id, send)
	}
	if err != nil {
		return err
	}
	defer stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case p, ok := <-updates:
			if !ok {
				return nil
			}
			if err := send(ProgressMessage(p)); err != nil {
				return err
			}
			if p.State != store.HarvestRunning {
				return nil
			}
		}
		// The engine keeps the latest progress for us meanwhile.
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(watchEvery):
		}
	}
}

func (h *harvestService) poll(ctx context.Context, id int64, send func(*harvestv1.Harvest) error) error {
	for {
		m, err := h.get(ctx, id)
		if err != nil {
			return err
		}
		if err := send(m); err != nil || m.State != harvestv1.Harvest_STATE_RUNNING {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pollEvery):
		}
	}
}

func recordMessage(r store.Harvest) *harvestv1.Harvest {
	return &harvestv1.Harvest{
		Id: r.ID, Source: r.Source, State: stateOf(r.State),
		StartTime: timestamp(r.Started), EndTime: timestamp(r.Finished), Error: r.Error,
		RepositoriesExpected: int32(r.Repositories), RepositoriesSeen: int32(r.Repositories), RepositoriesUnchanged: int32(r.Unchanged),
		DocumentsRead: int32(r.Read), EntitiesAdded: int32(r.Added), EntitiesChanged: int32(r.Changed), EntitiesRemoved: int32(r.Removed),
		Problems: int32(r.Problems), Cause: r.Cause,
		EntitiesOrphaned: int32(r.Orphaned), EntitiesHeld: int32(r.Held), EntitiesHeldOf: int32(r.HeldOf),
		Requests: &harvestv1.RequestBudget{Counted: int32(r.Requests), Free: int32(r.FreeRequests), Remaining: -1, Limit: -1},
	}
}

// ProgressMessage is how far a harvest has come, on the wire.
func ProgressMessage(p harvest.Progress) *harvestv1.Harvest {
	m := recordMessage(p.Harvest)
	m.RepositoriesExpected = int32(max(p.Expected, p.Repositories))
	b := p.Budget
	m.Requests.Counted, m.Requests.Free = int32(max(b.Counted, p.Requests)), int32(max(b.Free, p.FreeRequests))
	m.Requests.Remaining, m.Requests.Limit = int32(b.Remaining), int32(b.Limit)
	m.Requests.ResetTime = timestamp(b.Reset)
	if b.Waiting > 0 {
		m.Requests.Waiting = durationpb.New(b.Waiting)
	}
	return m
}

func stateOf(s store.HarvestState) harvestv1.Harvest_State {
	switch s {
	case store.HarvestRunning:
		return harvestv1.Harvest_STATE_RUNNING
	case store.HarvestSucceeded:
		return harvestv1.Harvest_STATE_SUCCEEDED
	case store.HarvestFailed:
		return harvestv1.Harvest_STATE_FAILED
	case store.HarvestHeld:
		return harvestv1.Harvest_STATE_HELD
	case store.HarvestInterrupted:
		return harvestv1.Harvest_STATE_INTERRUPTED
	}
	return harvestv1.Harvest_STATE_UNSPECIFIED
}

// timestamp is absent for the zero time.
func timestamp(t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}
	return timestamppb.New(t)
}
