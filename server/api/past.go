package api

import (
	"cmp"
	"context"
	"errors"
	"fmt"
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
	"github.com/waypost-dev/waypost/server/feed"
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
	// pastsChecked is how long what is in memory is taken as kept by the store:
	// what is given up may be answered for so long afterwards.
	pastsChecked = 10 * time.Second
)

// past answers as of an earlier revision. It is safe for concurrent use.
type past struct {
	index     *index.Index
	store     *store.Store
	feed      *feed.Hub // nil if nothing changes
	snapshots *otter.Cache[catalog.Revision, *index.Snapshot]
	loading   chan struct{} // one at a time
	single    tally
	recent    *recent

	// What the store has given up, and when it was asked: Unix nanoseconds.
	from, checked atomic.Int64
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
		index: o.Index, store: o.Store, feed: o.Feed, loading: make(chan struct{}, 1), recent: newRecent(o.Store),
		snapshots: otter.Must(&otter.Options[catalog.Revision, *index.Snapshot]{
			MaximumSize: maxPasts, ExpiryCalculator: otter.ExpiryAccessing[catalog.Revision, *index.Snapshot](pastsIdle),
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
	if revision, known := p.recent.revisionAt(p.index.Snapshot().Revision(), at.AsTime()); known {
		return revision, nil
	}
	revision, err := p.store.RevisionAt(ctx, at.AsTime())
	if err == nil && revision == 0 {
		err = p.explain(ctx, store.ErrTooOld)
	}
	if err == nil {
		p.recent.remember(revision, at.AsTime())
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
	if err := p.kept(ctx, at); err != nil {
		return nil, p.explain(ctx, err)
	}
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
	if err != nil {
		return nil, p.explain(ctx, err)
	}
	return s, nil
}

// kept is ErrTooOld if the store has given up a revision, and forgets what is in
// memory of it.
func (p *past) kept(ctx context.Context, at catalog.Revision) error {
	if now := time.Now().UnixNano(); now-p.checked.Load() >= int64(pastsChecked) {
		from, err := p.store.KeptFrom(ctx)
		if err != nil {
			return err
		}
		p.from.Store(int64(from))
		p.checked.Store(now)
	}
	if int64(at) < p.from.Load() {
		p.snapshots.Invalidate(at)
		return store.ErrTooOld
	}
	return nil
}

// pastEntity is one entity as of a revision, without the catalog around it: its
// relations are those that it declared itself, and tell whether their targets
// were there then. Which others declared of it is known of a whole catalog only:
// no table has relations by their targets.
type pastEntity struct {
	*catalog.Entity
	relations []index.Relation
	// same is the entity in the catalog that it was read from, of now or of then,
	// if its content is the same there.
	now  *index.Snapshot
	same *index.Record
}

func (p *past) entity(ctx context.Context, ref catalog.Ref, at catalog.Revision) (*pastEntity, error) {
	out := &pastEntity{now: p.index.Snapshot()}
	var existed map[string]bool
	var err error
	before, changed := p.before(out.now, ref, at)
	r, there := out.now.Get(ref)
	switch {
	case there && unchanged(out.now, r, at) && declared(r.Entity):
		out.Entity, out.same = withoutFacts(r.Entity), r
	case changed && before == nil:
		return nil, didNotExist(ref, at)
	case changed && declared(before):
		out.Entity = withoutFacts(before)
	default:
		if was, known := p.recent.existed(out.now, ref.Key(), at); known && !was {
			return nil, didNotExist(ref, at)
		}
		var ask []string
		if there { // relations rarely change: what those of now need is asked with the entity
			_, ask = p.edges(out.now, r.Entity, at)
		}
		if out.Entity, existed, err = p.store.At(ctx, ref, at, ask...); errors.Is(err, store.ErrNotFound) {
			return nil, didNotExist(ref, at)
		} else if err != nil {
			return nil, err
		}
	}
	out.relations, err = p.relations(ctx, out.now, out.Entity, at, existed)
	return out, err
}

// before is the entity as the change feed remembers it, if it has changed since a
// revision, and that lately: nil if it did not exist.
func (p *past) before(now *index.Snapshot, ref catalog.Ref, at catalog.Revision) (before *catalog.Entity, found bool) {
	if p.feed == nil {
		return nil, false
	}
	return p.feed.Before(ref.Key(), at, now.Revision())
}

// withoutFacts is an entity without what is said of it later.
func withoutFacts(e *catalog.Entity) *catalog.Entity {
	out := *e
	out.Facts = nil
	return &out
}

// unchanged tells whether the content of an entity is what it was at a revision.
// The snapshot may lag behind the store, and then knows nothing of what is later.
func unchanged(now *index.Snapshot, r *index.Record, at catalog.Revision) bool {
	return r.Entity.Revision <= at && at <= now.Revision()
}

// declared tells whether all relations of an entity in the index are its own:
// those that plugins say, which are of today, have no field.
func declared(e *catalog.Entity) bool {
	return !slices.ContainsFunc(e.Relations, func(r catalog.Relation) bool { return r.Field == "" })
}

// entityIn is an entity in a catalog of the past that is in memory, with the
// relations that it has in any other way it is read: one that knows more only
// because somebody read much of the past before would be no answer to rely on.
func entityIn(then *index.Snapshot, ref catalog.Ref, at catalog.Revision) (*pastEntity, error) {
	r, there := then.Get(ref)
	if !there {
		return nil, didNotExist(ref, at)
	}
	out := &pastEntity{Entity: r.Entity, now: then, same: r}
	edges := edgesOf(r.Entity)
	for i := range edges {
		_, edges[i].Exists = then.ByKey(edges[i].key)
	}
	out.relations = relationsOf(edges)
	return out, nil
}

// edge is a relation that an entity declared, and the key of its target.
type edge struct {
	index.Relation
	key string
}

// edgesOf are the relations that an entity declared, with nothing said about
// whether their targets are there.
func edgesOf(e *catalog.Entity) []edge {
	edges := make([]edge, len(e.Relations))
	for i, r := range e.Relations {
		edges[i] = edge{index.Relation{Type: r.Type, Target: r.Target.Lower()}, r.Target.Key()}
	}
	return edges
}

// relationsOf sorts edges, and leaves each relation in once.
func relationsOf(edges []edge) []index.Relation {
	slices.SortFunc(edges, func(a, b edge) int { return cmp.Or(strings.Compare(a.Type, b.Type), strings.Compare(a.key, b.key)) })
	out := make([]index.Relation, 0, len(edges))
	for i, x := range edges {
		if i == 0 || x.Type != edges[i-1].Type || x.key != edges[i-1].key {
			out = append(out, x.Relation)
		}
	}
	return out
}

// edges are the relations that an entity declared at a revision, with what follows
// from what is in memory of their targets, and the keys of those of which nothing
// does.
func (p *past) edges(now *index.Snapshot, e *catalog.Entity, at catalog.Revision) (edges []edge, ask []string) {
	edges = edgesOf(e)
	for i := range edges {
		key, known := edges[i].key, false
		if t, there := now.ByKey(key); there && unchanged(now, t, at) {
			edges[i].Exists = true
		} else if edges[i].Exists, known = p.recent.existed(now, key, at); !known {
			ask = append(ask, key)
		}
	}
	return edges, ask
}

// relations are those that an entity declared at a revision, sorted. What is known
// of their targets is not asked of the store.
func (p *past) relations(ctx context.Context, now *index.Snapshot, e *catalog.Entity, at catalog.Revision, existed map[string]bool) ([]index.Relation, error) {
	edges, ask := p.edges(now, e, at)
	ask = slices.DeleteFunc(ask, func(key string) bool { _, known := existed[key]; return known })
	more, err := p.store.Existed(ctx, ask, at)
	if err != nil {
		return nil, err
	}
	for i := range edges {
		edges[i].Exists = edges[i].Exists || existed[edges[i].key] || more[edges[i].key]
	}
	return relationsOf(edges), nil
}

func didNotExist(ref catalog.Ref, at catalog.Revision) error {
	return notFound("waypost.dev/Entity", resourceName(ref), fmt.Sprintf("entity %s did not exist at revision %d", refString(ref), at))
}

// getAsOf is GetEntity of the past: an entity with the relations that it declared
// itself.
func (c *catalogService) getAsOf(ctx context.Context, ref catalog.Ref, req *catalogv1.GetEntityRequest, keep mask) (*catalogv1.Entity, error) {
	at, err := c.past.revision(ctx, req.AsOfRevision, req.AsOfTime)
	if err != nil {
		return nil, err
	}
	if err := c.past.kept(ctx, at); err != nil {
		return nil, c.past.explain(ctx, err)
	}
	if s, ok := c.past.snapshots.GetIfPresent(at); ok {
		e, err := entityIn(s, ref, at)
		if err != nil {
			return nil, err
		}
		return e.form(ctx, keep), nil
	}
	if c.past.single.add(at, time.Now()) == manyOfOne {
		go func() { _, _ = c.past.snapshot(context.WithoutCancel(ctx), at) }() // it costs speed only if it fails
	}
	e, err := c.past.entity(ctx, ref, at)
	if err != nil {
		return nil, c.past.explain(ctx, err)
	}
	return e.form(ctx, keep), nil
}

// form is the entity in the form that the caller wants. What is the same as now
// is taken from the forms of now.
func (e *pastEntity) form(ctx context.Context, keep mask) *catalogv1.Entity {
	out := &catalogv1.Entity{}
	f, gateway := formOf(ctx)
	switch {
	case f == formJSON && keep == nil:
		view := jsonView(e.Entity, e.relations)
		if e.same != nil {
			view = withRelations(jsonOf(e.now, e.same), e.relations)
		}
		gateway.endJSON(appendViewed(gateway.startJSON(), e.Entity, view), out)
	case f == formWire && keep == nil && e.same != nil:
		out.ProtoReflect().SetUnknown(wireWithRelations(wireOf(e.now, e.same), e.relations))
	default:
		out = maskedForm(e.Entity, keep)
		if keep.wants("relations") {
			out.Relations = relationMessages(e.relations)
		}
	}
	return out
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
