package api

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/protoadapt"

	catalogv1 "github.com/waypost-dev/waypost/proto/waypost/catalog/v1"
	"github.com/waypost-dev/waypost/server/locations"
	"github.com/waypost-dev/waypost/server/store"
)

const (
	defaultLocations = 100
	maxLocations     = 1000
)

// locationService implements LocationService.
type locationService struct {
	catalogv1.UnimplementedLocationServiceServer
	locations *locations.Registry // nil if this server keeps none
}

var errNoLocations = &statusError{code: codes.FailedPrecondition, message: "this server registers no locations; ask one that was started with waypost serve"}

func (l *locationService) RegisterLocation(ctx context.Context, req *catalogv1.RegisterLocationRequest) (*catalogv1.RegisterLocationResponse, error) {
	if l.locations == nil {
		return nil, errNoLocations
	}
	done, err := l.locations.Register(ctx, req.Target, "", req.ValidateOnly)
	if err != nil {
		return nil, locationError(req.Target, err)
	}
	out := &catalogv1.RegisterLocationResponse{Location: locationMessage(done.Location), EntityRefs: done.Refs, Revision: int64(done.Revision)}
	for _, p := range done.Problems {
		out.Problems = append(out.Problems, problemMessage(p))
	}
	return out, nil
}

// locationError gives an error of Register its code.
func locationError(target string, err error) error {
	var wrong *locations.TargetError
	switch {
	case errors.Is(err, store.ErrExists):
		return &statusError{codes.AlreadyExists, fmt.Sprintf("the location %.300q is harvested already; waypost location list and waypost harvest show what is", target),
			[]protoadapt.MessageV1{&errdetails.ErrorInfo{Reason: "LOCATION_EXISTS", Domain: domain}}}
	case !errors.As(err, &wrong):
		return err
	case errors.Is(err, locations.ErrNotAllowed):
		return &statusError{codes.PermissionDenied, wrong.Error(), []protoadapt.MessageV1{&errdetails.ErrorInfo{Reason: "LOCATION_NOT_ALLOWED", Domain: domain}}}
	case errors.Is(err, locations.ErrUnreadable):
		return &statusError{codes.FailedPrecondition, wrong.Error(), []protoadapt.MessageV1{&errdetails.ErrorInfo{Reason: "LOCATION_UNREADABLE", Domain: domain}}}
	}
	return badField("target", "INVALID_TARGET", wrong.Message)
}

func (l *locationService) ListLocations(ctx context.Context, req *catalogv1.ListLocationsRequest) (*catalogv1.ListLocationsResponse, error) {
	if l.locations == nil {
		return nil, errNoLocations
	}
	after, err := base64.RawURLEncoding.DecodeString(req.PageToken)
	if err != nil {
		return nil, badField("page_token", "INVALID_PAGE_TOKEN", "is none that this server gave out; pass next_page_token of the page before, or nothing for the first page")
	}
	size := pageSize(req.PageSize, defaultLocations, maxLocations)
	list, err := l.locations.List(ctx, string(after), size+1)
	if err != nil {
		return nil, err
	}
	out := &catalogv1.ListLocationsResponse{}
	if len(list) > size {
		list = list[:size]
		out.NextPageToken = base64.RawURLEncoding.EncodeToString([]byte(list[size-1].Target))
	}
	for _, one := range list {
		out.Locations = append(out.Locations, locationMessage(one))
	}
	return out, nil
}

func (l *locationService) DeleteLocation(ctx context.Context, req *catalogv1.DeleteLocationRequest) (*catalogv1.DeleteLocationResponse, error) {
	if l.locations == nil {
		return nil, errNoLocations
	}
	revision, err := l.locations.Delete(ctx, strings.TrimPrefix(req.Name, "locations/"))
	if errors.Is(err, store.ErrNotFound) {
		return nil, notFound("waypost.dev/Location", req.Name, fmt.Sprintf("%s is not registered; ListLocations (GET /v1/locations) has those that are", req.Name))
	}
	if err != nil {
		return nil, err
	}
	return &catalogv1.DeleteLocationResponse{Revision: int64(revision)}, nil
}

// locationMessage has no name if the location was not registered.
func locationMessage(l store.Location) *catalogv1.Location {
	m := &catalogv1.Location{Target: strings.ToValidUTF8(l.Target, "\ufffd"), Creator: strings.ToValidUTF8(l.Creator, "\ufffd")}
	if l.ID != "" {
		m.Name, m.CreateTime = "locations/"+l.ID, timestamp(l.Created)
	}
	return m
}
