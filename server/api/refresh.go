package api

import (
	"context"
	"errors"
	"fmt"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	harvestv1 "github.com/waypost-dev/waypost/proto/waypost/harvest/v1"
	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/harvest"
	"github.com/waypost-dev/waypost/server/source"
	"github.com/waypost-dev/waypost/server/store"
)

// RefreshEntity reads again what declares an entity: its repository alone where
// the source can do that, or else the whole source.
func (h *harvestService) RefreshEntity(ctx context.Context, req *harvestv1.RefreshEntityRequest) (*harvestv1.RefreshEntityResponse, error) {
	ref, err := parseName(req.Name)
	if err != nil {
		return nil, err
	}
	r, ok := h.index.Snapshot().Get(ref)
	if !ok {
		return nil, notFound("waypost.dev/Entity", resourceName(ref), "entity "+refString(ref)+" does not exist")
	}
	origin := r.Entity.Origin
	scope := source.Scope{Directory: origin.Inferred && (r.Entity.Ref.Kind == "Group" || r.Entity.Ref.Kind == "User")}
	if !scope.Directory {
		pointer := source.Pointer{Name: origin.Repository}
		if id, err := h.store.RepositoryID(ctx, origin.Source, origin.Repository); err == nil {
			pointer.ID = id
		} else if !errors.Is(err, store.ErrNotFound) {
			return nil, fmt.Errorf("find the repository of %s: %w", req.Name, err)
		}
		scope.Repositories = []source.Pointer{pointer}
	}
	done, err := h.engine.Refresh(ctx, origin.Source, scope, catalog.Cause{Via: catalog.ViaAPI})
	var held store.Held
	switch {
	case errors.Is(err, harvest.ErrNoRefresh):
		return h.refreshWhole(ctx, origin.Source)
	case errors.Is(err, harvest.ErrUnknownSource):
		return nil, status.Errorf(codes.FailedPrecondition, "%s comes from %s, which is not configured any more", req.Name, origin.Source)
	case errors.As(err, &held):
		return nil, status.Error(codes.FailedPrecondition, held.Error()+"; run waypost harvest --confirm-removals "+origin.Source+" if that is right")
	case err != nil:
		return nil, fmt.Errorf("refresh %s: %w", req.Name, err)
	}
	return &harvestv1.RefreshEntityResponse{Revision: int64(done.Revision), Unchanged: done.Counts == (store.Counts{})}, nil
}

func (h *harvestService) refreshWhole(ctx context.Context, name string) (*harvestv1.RefreshEntityResponse, error) {
	p, err := h.engine.Run(ctx, name, harvest.Order{Cause: "api"}, nil)
	if errors.Is(err, store.ErrBusy) {
		return nil, status.Errorf(codes.Aborted, "%s is being harvested; ask again when that is done", name)
	}
	if err != nil {
		return nil, fmt.Errorf("harvest %s: %w", name, err)
	}
	latest, err := h.store.Latest(ctx)
	if err != nil {
		return nil, fmt.Errorf("refresh %s: %w", name, err)
	}
	return &harvestv1.RefreshEntityResponse{Revision: int64(latest), Unchanged: p.Added+p.Changed+p.Removed == 0}, nil
}
