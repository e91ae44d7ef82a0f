package api

import (
	"context"
	"errors"
	"fmt"

	"google.golang.org/grpc/codes"

	catalogv1 "github.com/waypost-dev/waypost/proto/waypost/catalog/v1"
	"github.com/waypost-dev/waypost/server/harvest"
)

func (c *catalogService) GetReadme(ctx context.Context, req *catalogv1.GetReadmeRequest) (*catalogv1.GetReadmeResponse, error) {
	ref, err := parseName(req.Name)
	if err != nil {
		return nil, err
	}
	r, ok := c.index.Snapshot().Get(ref)
	if !ok {
		return nil, notFound("waypost.dev/Entity", resourceName(ref), "entity "+refString(ref)+" does not exist")
	}
	found, err := c.engine.Readme(ctx, r.Entity)
	switch {
	case errors.Is(err, harvest.ErrNoReadme):
		return nil, notFound("waypost.dev/Readme", resourceName(ref)+"/readme", err.Error())
	case err != nil && ctx.Err() == nil:
		return nil, &statusError{code: codes.Unavailable, message: fmt.Sprintf("the source %s does not answer now: %v", r.Entity.Origin.Source, err)}
	case err != nil:
		return nil, err
	}
	return &catalogv1.GetReadmeResponse{
		Path: found.Path, Content: found.Content, Truncated: found.Truncated,
		Repository: found.Repository, Commit: found.Commit, ViewUrl: found.URL,
	}, nil
}
