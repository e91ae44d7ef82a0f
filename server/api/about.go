package api

import (
	"context"

	catalogv1 "github.com/waypost-dev/waypost/proto/waypost/catalog/v1"
	"github.com/waypost-dev/waypost/server/harvest"
	"github.com/waypost-dev/waypost/server/index"
)

// serverService implements ServerService.
type serverService struct {
	catalogv1.UnimplementedServerServiceServer
	index    *index.Index
	engine   *harvest.Engine
	version  string
	webhooks bool
}

func (a *serverService) GetServer(context.Context, *catalogv1.GetServerRequest) (*catalogv1.GetServerResponse, error) {
	s := a.index.Snapshot()
	facets, total, err := s.Facets("", []string{"kind"}, 0)
	if err != nil {
		return nil, err
	}
	out := &catalogv1.GetServerResponse{
		Version: a.version, Revision: int64(s.Revision()), Sources: int32(len(a.engine.Sources())), TotalSize: int32(total),
		Webhooks: a.webhooks, AuthMode: catalogv1.GetServerResponse_AUTH_MODE_NONE,
	}
	for _, v := range facets[0].Values {
		out.Kinds = append(out.Kinds, &catalogv1.GetServerResponse_KindCount{Kind: v.Value, Count: int32(v.Count)})
	}
	return out, nil
}
