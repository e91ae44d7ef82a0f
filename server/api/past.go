package api

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/maypok86/otter/v2"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/protoadapt"
	"google.golang.org/protobuf/types/known/timestamppb"

	catalogv1 "github.com/waypost-dev/waypost/proto/waypost/catalog/v1"
	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/index"
	"github.com/waypost-dev/waypost/server/store"
)

// Bounds of the catalogs of the past that are in memory. Each is as large as
// the current one.
const (
	maxPasts  = 2
	pastsIdle = time.Minute
	// manyOfOne is how many entities of one revision are read one by one before
	// all of it is loaded: who looks around in the past reads more of it.
	manyOfOne = 5
)

// past answers as of an earlier revision. It is safe for concurrent use.
type past struct {
	index     *index.Index
	store     *store.Store
	snapshots *otter.Cache[catalog.Revision, *index.Snapshot]
	loading   chan struct{} // one at a time
	// single counts the entities that were read one by one, by revision.
	single *otter.Cache[catalog.Revision, *atomic.Int32]
}

func newPast(o Options) *past {
	return &past{
		index: o.Index, store: o.Store, loading: make(chan struct{}, 1),
		snapshots: otter.Must(&otter.Options[catalog.Revision, *index.Snapshot]{
			MaximumSize: maxPasts, ExpiryCalculator: otter.ExpiryAccessing[catalog.Revision, *index.Snapshot](pastsIdle),
		}),
		single: otter.Must(&otter.Options[catalog.Revision, *atomic.Int32]{
			MaximumSize: 64, ExpiryCalculator: otter.ExpiryAccessing[catalog.Revision, *atomic.Int32](pastsIdle),
		}),
	}
}

// revision is the one that a request asks for, and 0 if it asks for none.
func (p *past) revision(ctx context.Context, asked int64, at *timestamppb.Timestamp) (catalog.Revision, error) {
	switch {
	case at == nil && asked == 0:
		return 0, nil
	case at == nil:
		return catalog.Revision(asked), p.known(ctx, "as_of_revision", catalog.Revision(asked))
	case asked != 0:
		return 0, badField("as_of_time", "CONFLICTING_FIELDS", "as_of_revision is set too; set one of the two")
	}
	if err := at.CheckValid(); err != nil {
		return 0, badField("as_of_time", "INVALID_FIELD", err.Error())
	}
	if now := time.Now(); at.AsTime().After(now) {
		return 0, badField("as_of_time", "IN_THE_FUTURE", "lies in the future; it is "+now.UTC().Format(time.RFC3339)+" now")
	}
	revision, err := p.store.RevisionAt(ctx, at.AsTime())
	if err == nil && revision == 0 {
		err = p.explain(ctx, store.ErrTooOld)
	}
	return revision, err
}

// known refuses revisions that have not been.
func (p *past) known(ctx context.Context, field string, revision catalog.Revision) error {
	if revision <= p.index.Snapshot().Revision() {
		return nil
	}
	last, err := p.store.Latest(ctx) // another process may have written it
	if err == nil && revision > last {
		err = badField(field, "IN_THE_FUTURE", fmt.Sprintf("revision %d has not been yet; the catalog is at %d", revision, last))
	}
	return err
}

// explain makes an answer of an error of the store's about what it gave up.
func (p *past) explain(ctx context.Context, err error) error {
	if !errors.Is(err, store.ErrTooOld) {
		return err
	}
	oldest, at, failed := p.store.Oldest(ctx)
	if failed != nil {
		return failed
	}
	message := "the catalog was empty until now"
	info := &errdetails.ErrorInfo{Reason: "REVISION_TOO_OLD", Domain: domain, Metadata: map[string]string{}}
	if oldest > 0 {
		when := at.Format(time.RFC3339Nano)
		message = fmt.Sprintf("that is before what is kept of the catalog, whose oldest revision is %d, of %s", oldest, when)
		info.Metadata["oldest_revision"], info.Metadata["oldest_time"] = strconv.FormatInt(int64(oldest), 10), when
	}
	return &statusError{codes.OutOfRange, message, []protoadapt.MessageV1{info}}
}

// snapshot is the whole catalog as of a revision. The first one who asks for it
// pays for loading it.
func (p *past) snapshot(ctx context.Context, at catalog.Revision) (*index.Snapshot, error) {
	s, err := p.snapshots.Get(ctx, at, otter.LoaderFunc[catalog.Revision, *index.Snapshot](func(ctx context.Context, at catalog.Revision) (*index.Snapshot, error) {
		ctx = context.WithoutCancel(ctx) // others may wait for it although the first has left
		p.loading <- struct{}{}
		defer func() { <-p.loading }()
		var entities []*catalog.Entity
		err := p.store.LoadAt(ctx, at, func(e *catalog.Entity) error {
			entities = append(entities, e)
			return nil
		})
		if err != nil {
			return nil, err
		}
		x := index.New()
		x.Load(entities, at)
		return x.Snapshot(), nil
	}))
	return s, p.explain(ctx, err)
}

// entity is one entity as of a revision, without the catalog around it: its
// relations are those that it declared itself, and tell whether their targets
// were there then. Which others declared of it is known of a whole catalog only:
// no table has relations by their targets.
func (p *past) entity(ctx context.Context, ref catalog.Ref, at catalog.Revision) (*catalog.Entity, []index.Relation, error) {
	e, err := p.store.At(ctx, ref, at)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil, didNotExist(ref, at)
	}
	if err != nil {
		return nil, nil, p.explain(ctx, err)
	}
	existed, err := p.existed(ctx, e.Relations, at)
	if err != nil {
		return nil, nil, p.explain(ctx, err)
	}
	relations := make([]index.Relation, len(e.Relations))
	for i, r := range e.Relations {
		relations[i] = index.Relation{Type: r.Type, Target: r.Target.Lower(), Exists: existed[r.Target.Key()]}
	}
	slices.SortFunc(relations, func(a, b index.Relation) int {
		return cmp.Or(strings.Compare(a.Type, b.Type), strings.Compare(a.Target.Key(), b.Target.Key()))
	})
	return e, slices.Compact(relations), nil
}

// existed tells which targets of relations there were at a revision, by their
// keys. What is there now and has not changed since, was there: only the others
// are asked of the store.
func (p *past) existed(ctx context.Context, relations []catalog.Relation, at catalog.Revision) (map[string]bool, error) {
	now := p.index.Snapshot()
	out := make(map[string]bool, len(relations))
	var ask []string
	for _, r := range relations {
		key := r.Target.Key()
		if _, known := out[key]; known {
			continue
		}
		e, there := now.Get(r.Target)
		out[key] = there && e.Entity.Revision <= at && at <= now.Revision() // which may lag behind the store
		if !out[key] {
			ask = append(ask, key)
		}
	}
	found, err := p.store.Existed(ctx, ask, at)
	maps.Copy(out, found)
	return out, err
}

func didNotExist(ref catalog.Ref, at catalog.Revision) error {
	return notFound("waypost.dev/Entity", resourceName(ref), fmt.Sprintf("entity %s did not exist at revision %d", refString(ref), at))
}

// getAsOf is GetEntity of the past. If the catalog of then is in memory, the
// entity has all its relations; else those that it declared itself.
func (c *catalogService) getAsOf(ctx context.Context, ref catalog.Ref, req *catalogv1.GetEntityRequest, keep mask) (*catalogv1.Entity, error) {
	at, err := c.past.revision(ctx, req.AsOfRevision, req.AsOfTime)
	if err != nil {
		return nil, err
	}
	if s, ok := c.past.snapshots.GetIfPresent(at); ok {
		r, ok := s.Get(ref)
		if !ok {
			return nil, didNotExist(ref, at)
		}
		return oneEntity(ctx, s, r, keep), nil
	}
	count, _ := c.past.single.ComputeIfAbsent(at, func() (*atomic.Int32, bool) { return &atomic.Int32{}, false })
	if count.Add(1) == manyOfOne {
		go func() { _, _ = c.past.snapshot(context.WithoutCancel(ctx), at) }() // it costs speed only if it fails
	}
	e, relations, err := c.past.entity(ctx, ref, at)
	if err != nil {
		return nil, err
	}
	out := &catalogv1.Entity{}
	if f, gateway := formOf(ctx); f == formJSON && keep == nil {
		gateway.endJSON(appendViewed(gateway.startJSON(), e, jsonView(e, relations)), out)
		return out, nil
	}
	out = typedForm(e)
	out.Relations = relationMessages(relations)
	if keep != nil {
		keep.prune(out)
	}
	return out, nil
}

// listed is the snapshot that a list is of.
func (c *catalogService) listed(ctx context.Context, req *catalogv1.ListEntitiesRequest) (*index.Snapshot, error) {
	if req.AsOfRevision == 0 && req.AsOfTime == nil {
		return c.at(ctx, req.MinRevision)
	}
	at, err := c.past.revision(ctx, req.AsOfRevision, req.AsOfTime)
	if err != nil {
		return nil, err
	}
	return c.past.snapshot(ctx, at)
}
