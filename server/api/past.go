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
	"sync"
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
	// pastsChecked is how long a catalog in memory is taken as kept by the
	// store: what is given up may be answered for so long afterwards.
	pastsChecked = 10 * time.Second
)

// past answers as of an earlier revision. It is safe for concurrent use.
type past struct {
	index     *index.Index
	store     *store.Store
	snapshots *otter.Cache[catalog.Revision, *pastCatalog]
	loading   chan struct{} // one at a time
	single    tally
}

// tally counts the entities that were read one by one, by revision. It
// remembers one revision in each place: what it forgets is loaded later.
type tally struct {
	mu     sync.Mutex
	places [64]struct {
		at    catalog.Revision
		since time.Time
		count int
	}
}

// add counts one, and tells how many there have been for about pastsIdle.
func (t *tally) add(at catalog.Revision, now time.Time) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	p := &t.places[uint64(at)%uint64(len(t.places))]
	if p.at != at || now.Sub(p.since) > pastsIdle {
		p.at, p.since, p.count = at, now, 0
	}
	p.count++
	return p.count
}

func newPast(o Options) *past {
	return &past{
		index: o.Index, store: o.Store, loading: make(chan struct{}, 1),
		snapshots: otter.Must(&otter.Options[catalog.Revision, *pastCatalog]{
			MaximumSize: maxPasts, ExpiryCalculator: otter.ExpiryAccessing[catalog.Revision, *pastCatalog](pastsIdle),
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

// pastCatalog is the whole catalog as of a revision, and when the store was last
// known to keep that revision.
type pastCatalog struct {
	*index.Snapshot
	checked atomic.Int64 // Unix nanoseconds
}

// snapshot is the whole catalog as of a revision. The first one who asks for it
// pays for loading it.
func (p *past) snapshot(ctx context.Context, at catalog.Revision) (*index.Snapshot, error) {
	c, err := p.snapshots.Get(ctx, at, otter.LoaderFunc[catalog.Revision, *pastCatalog](func(ctx context.Context, at catalog.Revision) (*pastCatalog, error) {
		ctx = context.WithoutCancel(ctx) // others may wait for it although the first has left
		p.loading <- struct{}{}
		defer func() { <-p.loading }()
		c := &pastCatalog{}
		c.checked.Store(time.Now().UnixNano())
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
		c.Snapshot = x.Snapshot()
		return c, nil
	}))
	if err == nil {
		err = p.check(ctx, at, c)
	}
	if err != nil {
		return nil, p.explain(ctx, err)
	}
	return c.Snapshot, nil
}

// check forgets a catalog that the store has given up, with ErrTooOld.
func (p *past) check(ctx context.Context, at catalog.Revision, c *pastCatalog) error {
	now, last := time.Now().UnixNano(), c.checked.Load()
	if now-last < int64(pastsChecked) || !c.checked.CompareAndSwap(last, now) {
		return nil
	}
	gone, err := p.store.Truncated(ctx, at)
	if err != nil {
		c.checked.Store(last)
		return err
	}
	if gone {
		p.snapshots.Invalidate(at)
		return store.ErrTooOld
	}
	return nil
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
	if loaded, ok := c.past.snapshots.GetIfPresent(at); ok {
		if err := c.past.check(ctx, at, loaded); err != nil {
			return nil, c.past.explain(ctx, err)
		}
		r, ok := loaded.Get(ref)
		if !ok {
			return nil, didNotExist(ref, at)
		}
		return oneEntity(ctx, loaded.Snapshot, r, keep), nil
	}
	if c.past.single.add(at, time.Now()) == manyOfOne {
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
	out = maskedForm(e, keep)
	if keep.wants("relations") {
		out.Relations = relationMessages(relations)
	}
	return out, nil
}

// listed is the snapshot that a list is of.
func (c *catalogService) listed(ctx context.Context, req *catalogv1.ListEntitiesRequest) (*index.Snapshot, error) {
	if req.AsOfRevision == 0 && req.AsOfTime == nil {
		return c.at(ctx, req.MinRevision, req.Filter, req.OrderBy)
	}
	if index.ReadsStatus(req.Filter) || strings.Contains(req.OrderBy, "status.level") {
		return nil, badField("filter", "NOT_IN_THE_PAST", "entity.status says what is wrong now; what was wrong in the past is not known, so leave it out of filter and order_by")
	}
	at, err := c.past.revision(ctx, req.AsOfRevision, req.AsOfTime)
	if err != nil {
		return nil, err
	}
	return c.past.snapshot(ctx, at)
}
