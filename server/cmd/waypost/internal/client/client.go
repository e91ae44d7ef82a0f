// Package client asks a Waypost server, or the same services in process.
package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	catalogv1 "github.com/waypost-dev/waypost/proto/waypost/catalog/v1"
	harvestv1 "github.com/waypost-dev/waypost/proto/waypost/harvest/v1"
	ownershipv1 "github.com/waypost-dev/waypost/proto/waypost/ownership/v1"
	pluginv1 "github.com/waypost-dev/waypost/proto/waypost/plugin/v1"
)

// Most items that one request asks for.
const (
	maxPage         = 500
	maxProblemsPage = 1000
)

// maxMessage bounds an answer in bytes: a page of 500 entities of the largest
// size that is common fits well.
const maxMessage = 256 << 20

// Client is a connection to the services.
type Client struct {
	Catalog   catalogv1.CatalogServiceClient
	History   catalogv1.HistoryServiceClient
	Watch     catalogv1.WatchServiceClient
	Plan      catalogv1.PlanServiceClient
	Locations catalogv1.LocationServiceClient
	Harvest   harvestv1.HarvestServiceClient
	Jobs      harvestv1.JobServiceClient
	Plugins   pluginv1.PluginServiceClient
	Ownership ownershipv1.OwnershipServiceClient
	closer    io.Closer
}

// New returns a Client over a connection, which Close closes by closer.
func New(cc grpc.ClientConnInterface, closer io.Closer) *Client {
	return &Client{
		Catalog: catalogv1.NewCatalogServiceClient(cc), History: catalogv1.NewHistoryServiceClient(cc),
		Watch: catalogv1.NewWatchServiceClient(cc), Plan: catalogv1.NewPlanServiceClient(cc), Locations: catalogv1.NewLocationServiceClient(cc),
		Harvest: harvestv1.NewHarvestServiceClient(cc), Jobs: harvestv1.NewJobServiceClient(cc),
		Plugins: pluginv1.NewPluginServiceClient(cc), Ownership: ownershipv1.NewOwnershipServiceClient(cc), closer: closer,
	}
}

// Dial returns a Client of the server at address, HOST:PORT. It does not
// connect yet.
func Dial(address string) (*Client, error) {
	cc, err := grpc.NewClient(address,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxMessage)))
	if err != nil {
		return nil, fmt.Errorf("server %s: %w", address, err)
	}
	return New(cc, cc), nil
}

// Close ends the connection.
func (c *Client) Close() error { return c.closer.Close() }

// Entities are the entities that a request selects, over all pages, at most
// limit if limit is above 0.
func (c *Client) Entities(ctx context.Context, req *catalogv1.ListEntitiesRequest, limit int) iter.Seq2[*catalogv1.Entity, error] {
	return func(yield func(*catalogv1.Entity, error) bool) {
		for left := limit; ; {
			req.PageSize = maxPage
			if limit > 0 {
				req.PageSize = int32(min(maxPage, left))
			}
			page, err := c.Catalog.ListEntities(ctx, req)
			if err != nil {
				yield(nil, err)
				return
			}
			for _, e := range page.Entities {
				if !yield(e, nil) {
					return
				}
			}
			left -= len(page.Entities)
			req.PageToken = page.NextPageToken
			if req.PageToken == "" || (limit > 0 && left <= 0) {
				return
			}
		}
	}
}

// Search are the results of a search, over all pages, at most limit.
func (c *Client) Search(ctx context.Context, req *catalogv1.SearchEntitiesRequest, limit int) ([]*catalogv1.SearchResult, int, error) {
	var out []*catalogv1.SearchResult
	for {
		req.PageSize = int32(min(maxPage, limit-len(out)))
		page, err := c.Catalog.SearchEntities(ctx, req)
		if err != nil {
			return nil, 0, err
		}
		out = append(out, page.Results...)
		req.PageToken = page.NextPageToken
		if req.PageToken == "" || len(out) >= limit {
			return out, int(page.TotalSize), nil
		}
	}
}

// Problems are all problems that a request selects.
func (c *Client) Problems(ctx context.Context, req *catalogv1.ListProblemsRequest) ([]*catalogv1.Problem, error) {
	var out []*catalogv1.Problem
	for {
		req.PageSize = maxProblemsPage
		page, err := c.Catalog.ListProblems(ctx, req)
		if err != nil {
			return nil, err
		}
		out = append(out, page.Problems...)
		req.PageToken = page.NextPageToken
		if req.PageToken == "" {
			return out, nil
		}
	}
}

// The kinds that Backstage knows, by the words that people type for them.
var wellKnown = map[string]string{
	"component": "Component", "components": "Component", "comp": "Component",
	"api": "API", "apis": "API",
	"resource": "Resource", "resources": "Resource",
	"system": "System", "systems": "System",
	"domain": "Domain", "domains": "Domain",
	"group": "Group", "groups": "Group", "team": "Group", "teams": "Group",
	"user": "User", "users": "User",
	"location": "Location", "locations": "Location",
	"template": "Template", "templates": "Template",
}

// ErrUnknownKind: nothing in the catalog is of that kind.
var ErrUnknownKind = errors.New("unknown kind")

// Kinds finds how a kind is spelled in the catalog from a word in any case,
// singular or plural. A kind of Backstage's is found without asking.
func (c *Client) Kinds(ctx context.Context, word string) ([]string, error) {
	lower := strings.ToLower(word)
	if kind, ok := wellKnown[lower]; ok {
		return []string{kind}, nil
	}
	answer, err := c.Catalog.QueryFacets(ctx, &catalogv1.QueryFacetsRequest{Fields: []string{"kind"}, Limit: 1000})
	if err != nil {
		return nil, err
	}
	var all, found []string
	for _, f := range answer.Facets {
		for _, v := range f.Values {
			all = append(all, strings.ToLower(v.Value))
			if k := strings.ToLower(v.Value); k == lower || k+"s" == lower || k+"es" == lower || strings.TrimSuffix(k, "y")+"ies" == lower {
				found = append(found, v.Value)
			}
		}
	}
	if len(found) == 0 {
		slices.Sort(all)
		return nil, fmt.Errorf("%w %q; the catalog has %s", ErrUnknownKind, word, strings.Join(slices.Compact(all), ", "))
	}
	return found, nil
}

// IsNotFound tells whether a server said that something does not exist.
func IsNotFound(err error) bool { return status.Code(err) == codes.NotFound }
