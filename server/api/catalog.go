package api

import (
	"context"
	"fmt"

	"google.golang.org/grpc/codes"

	catalogv1 "github.com/waypost-dev/waypost/proto/waypost/catalog/v1"
	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/harvest"
	"github.com/waypost-dev/waypost/server/index"
)

// Page sizes when a request names none.
const (
	defaultPage   = 50
	defaultSearch = 20
)

// maxPageBytes is about how much one answer holds, in bytes of documents. It
// keeps a page of large entities from filling the memory, and below the 4 MiB
// that gRPC clients take unless they are told otherwise. A page is cut off
// there, as its caller must expect of any page.
const maxPageBytes = 3 << 20

// fitting is how many of n things of these sizes go into one answer; at least
// one does.
func fitting(n int, size func(i int) int) int {
	sum := 0
	for i := range n {
		if sum += size(i); sum > maxPageBytes && i > 0 {
			return i
		}
	}
	return n
}

func fittingRecords(records []*index.Record) int {
	return fitting(len(records), func(i int) int { return len(records[i].Entity.Document) })
}

// catalogService implements CatalogService. Each call reads one snapshot.
type catalogService struct {
	catalogv1.UnimplementedCatalogServiceServer
	index    *index.Index
	past     *past
	problems *problems
	engine   *harvest.Engine
	schemas  *catalog.Schemas // of custom kinds; may be nil
}

// at is a snapshot that has seen a revision, and knows what is wrong with entities
// if something that is asked is about that.
func (c *catalogService) at(ctx context.Context, revision int64, asked ...string) (*index.Snapshot, error) {
	if err := c.problems.judge(ctx, asked...); err != nil {
		return nil, err
	}
	s := c.index.Snapshot()
	if int64(s.Revision()) >= revision {
		return s, nil
	}
	ctx, cancel := context.WithTimeout(ctx, maxWait)
	defer cancel()
	if err := c.index.Wait(ctx, catalog.Revision(revision)); err != nil {
		return nil, fmt.Errorf("wait for revision %d: %w", revision, err)
	}
	return c.index.Snapshot(), nil
}

func (c *catalogService) GetEntity(ctx context.Context, req *catalogv1.GetEntityRequest) (*catalogv1.Entity, error) {
	keep, err := parseMask(req.ReadMask)
	if err != nil {
		return nil, err
	}
	ref, err := parseName(req.Name)
	if err != nil {
		return nil, err
	}
	if req.AsOfRevision != 0 || req.AsOfTime != nil {
		return c.getAsOf(ctx, ref, req, keep)
	}
	s, err := c.at(ctx, req.MinRevision)
	if err != nil {
		return nil, err
	}
	r, ok := s.Get(ref)
	if !ok {
		return nil, notFound("waypost.dev/Entity", resourceName(ref), "entity "+refString(ref)+" does not exist")
	}
	return oneEntity(ctx, s, r, keep), nil
}

// oneEntity is an entity of a snapshot in the form that the caller wants.
func oneEntity(ctx context.Context, s *index.Snapshot, r *index.Record, keep mask) *catalogv1.Entity {
	f, gateway := formOf(ctx)
	switch {
	case keep != nil || f == formTyped:
		return maskedEntity(s, r, keep)
	case f == formJSON:
		e := &catalogv1.Entity{}
		gateway.endJSON(appendJSON(gateway.startJSON(), s, r), e)
		return e
	default:
		return wireEntity(&catalogv1.Entity{}, s, r)
	}
}

func (c *catalogService) BatchGetEntities(ctx context.Context, req *catalogv1.BatchGetEntitiesRequest) (*catalogv1.BatchGetEntitiesResponse, error) {
	keep, err := parseMask(req.ReadMask)
	if err != nil {
		return nil, err
	}
	s, err := c.at(ctx, req.MinRevision)
	if err != nil {
		return nil, err
	}
	records := make([]*index.Record, 0, len(req.Names))
	var missing []string
	for _, name := range req.Names {
		ref, err := parseName(name)
		if err != nil {
			return nil, err
		}
		if r, ok := s.Get(ref); ok {
			records = append(records, r)
		} else {
			missing = append(missing, name)
		}
	}
	if n := fittingRecords(records); n < len(records) {
		return nil, &statusError{code: codes.ResourceExhausted, message: fmt.Sprintf("these entities are too large for one answer; ask for %d at once", n)}
	}
	out := &catalogv1.BatchGetEntitiesResponse{}
	f, gateway := formOf(ctx)
	switch {
	case keep != nil || f == formTyped:
		out.Entities, out.Missing = maskedEntities(s, records, keep), missing
	case f == formJSON:
		o := object{b: gateway.startJSON()}
		o.entities(s, records)
		o.list("missing", len(missing), func(b []byte, i int) []byte { return appendString(b, missing[i]) })
		gateway.endJSON(o.end(), out)
	default:
		out.Entities, out.Missing = wireEntities(s, records), missing
	}
	return out, nil
}

func (c *catalogService) ListEntities(ctx context.Context, req *catalogv1.ListEntitiesRequest) (*catalogv1.ListEntitiesResponse, error) {
	keep, err := parseMask(req.ReadMask)
	if err != nil {
		return nil, err
	}
	s, err := c.listed(ctx, req)
	if err != nil {
		return nil, err
	}
	query := index.Query{
		Filter: req.Filter, OrderBy: req.OrderBy, Token: req.PageToken,
		Size: pageSize(req.PageSize, defaultPage, index.MaxPage), Skip: int(req.Skip),
	}
	page, err := s.List(query)
	if n := fittingRecords(page.Records); err == nil && n < len(page.Records) {
		query.Size = n
		page, err = s.List(query)
	}
	if err != nil {
		return nil, err
	}
	out := &catalogv1.ListEntitiesResponse{}
	f, gateway := formOf(ctx)
	if f == formJSON && keep == nil {
		o := object{b: gateway.startJSON()}
		o.entities(s, page.Records)
		o.string("nextPageToken", page.Next)
		o.int("totalSize", page.Total)
		o.int64("revision", int64(s.Revision()))
		gateway.endJSON(o.end(), out)
		return out, nil
	}
	out.NextPageToken, out.TotalSize, out.Revision = page.Next, int32(page.Total), int64(s.Revision())
	if keep != nil || f == formTyped {
		out.Entities = maskedEntities(s, page.Records, keep)
	} else {
		out.Entities = wireEntities(s, page.Records)
	}
	return out, nil
}

// pageSize applies the default and the maximum; below 0 is refused earlier.
func pageSize(asked int32, otherwise, most int) int {
	if asked == 0 {
		return otherwise
	}
	return min(int(asked), most)
}

func maskedEntities(s *index.Snapshot, records []*index.Record, keep mask) []*catalogv1.Entity {
	out := make([]*catalogv1.Entity, len(records))
	for i, r := range records {
		out[i] = maskedEntity(s, r, keep)
	}
	return out
}

func wireEntities(s *index.Snapshot, records []*index.Record) []*catalogv1.Entity {
	all := make([]catalogv1.Entity, len(records)) // one allocation
	out := make([]*catalogv1.Entity, len(records))
	for i, r := range records {
		out[i] = wireEntity(&all[i], s, r)
	}
	return out
}

// entities writes a list of entities.
func (o *object) entities(s *index.Snapshot, records []*index.Record) {
	o.list("entities", len(records), func(b []byte, i int) []byte { return appendJSON(b, s, records[i]) })
}
