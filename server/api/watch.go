package api

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/fullstorydev/grpchan/inprocgrpc"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/protoadapt"

	catalogv1 "github.com/waypost-dev/waypost/proto/waypost/catalog/v1"
	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/feed"
	"github.com/waypost-dev/waypost/server/index"
	"github.com/waypost-dev/waypost/server/store"
)

const (
	// bookmarkEvery is the time between two bookmarks.
	bookmarkEvery = 30 * time.Second
	// maxInitial is how long the first selection may take to send: it keeps an
	// old state of the catalog in memory.
	maxInitial = 10 * time.Minute
)

// The forms in which a change is kept: what follows the type in an answer.
const (
	changeWire feed.Form = iota
	changeJSON
)

// watchService implements WatchService. It sends what is the same for all
// watches as bytes that all of them share.
type watchService struct {
	catalogv1.UnimplementedWatchServiceServer
	index *index.Index
	feed  *feed.Hub
	every time.Duration // between bookmarks
}

func newWatchService(o Options) *watchService {
	hub := o.Feed
	if hub == nil { // nothing follows the store, so that nothing changes
		hub = feed.New(o.Store)
		hub.Reset(o.Index.Snapshot().Revision())
	}
	return &watchService{index: o.Index, feed: hub, every: bookmarkEvery}
}

func (w *watchService) WatchEntities(req *catalogv1.WatchEntitiesRequest, stream grpc.ServerStreamingServer[catalogv1.WatchEntitiesResponse]) error {
	if req.SendInitial && req.AfterRevision != 0 {
		return badField("send_initial", "NOT_TOGETHER", "the first selection is that of now; leave out after_revision")
	}
	keep, err := parseMask(req.ReadMask)
	if err != nil {
		return err
	}
	ctx := stream.Context()
	out := sender{stream: stream, form: watchForm(ctx), keep: keep, kept: keep.String()}
	after := catalog.Revision(req.AfterRevision)
	if err := w.reach(ctx, after); err != nil {
		return err
	}
	s := w.index.Snapshot()
	if after == 0 {
		after = s.Revision()
	}
	watch, err := w.feed.Watch(req.Filter, after)
	if err != nil {
		return watchError(err)
	}
	defer watch.Close()
	if req.SendInitial {
		if err := out.initial(ctx, s, req.Filter); err != nil {
			return err
		}
		// Before any change, which could else come first: whoever goes on from
		// here must know where here is.
		if err := out.bookmark(after); err != nil {
			return err
		}
	}
	tick := time.NewTicker(w.every)
	defer tick.Stop()
	for behind := !req.SendInitial; ; {
		events, wait, err := watch.Next(ctx)
		if err != nil {
			return watchError(err)
		}
		for _, e := range events {
			if err := out.change(w.index.Snapshot(), e); err != nil {
				return err
			}
		}
		due := false
		switch {
		case wait == nil: // there may be more
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-tick.C:
				due = true
			default:
			}
		case behind:
			behind, due = false, true
		default:
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-tick.C:
				due = true
			case <-wait:
			}
		}
		if due {
			if err := out.bookmark(watch.At()); err != nil {
				return err
			}
		}
	}
}

// reach waits until a revision has happened. It may be some milliseconds ahead,
// if another process told of it; one that does not come is not of this catalog.
func (w *watchService) reach(ctx context.Context, revision catalog.Revision) error {
	if w.index.Snapshot().Revision() >= revision {
		return nil
	}
	wait, cancel := context.WithTimeout(ctx, maxWait)
	defer cancel()
	if err := w.index.Wait(wait, revision); err == nil || ctx.Err() != nil {
		return err
	}
	return &statusError{codes.OutOfRange,
		fmt.Sprintf("after_revision: the catalog is at revision %d and has not come to %d; list the entities anew, and watch from the revision of that list", w.index.Snapshot().Revision(), revision),
		[]protoadapt.MessageV1{&errdetails.ErrorInfo{Reason: "REVISION_AHEAD", Domain: domain}}}
}

func watchError(err error) error {
	switch {
	case errors.Is(err, store.ErrTooOld):
		return &statusError{codes.OutOfRange,
			"after_revision: the retention policy has given up the changes after it; list the entities anew, and watch from the revision of that list",
			[]protoadapt.MessageV1{&errdetails.ErrorInfo{Reason: "REVISION_TOO_OLD", Domain: domain}}}
	case errors.Is(err, feed.ErrClosed):
		return &statusError{codes.Unavailable, "this server is stopping; watch again, after the last revision that was seen",
			[]protoadapt.MessageV1{&errdetails.ErrorInfo{Reason: "STOPPING", Domain: domain}}}
	case errors.Is(err, feed.ErrTooMany):
		return &statusError{codes.ResourceExhausted, "this server has as many watches as it takes; try again later",
			[]protoadapt.MessageV1{&errdetails.ErrorInfo{Reason: "TOO_MANY_WATCHES", Domain: domain}}}
	}
	return err
}

// watchForm is the form that the watcher wants. The context of a stream within
// this process does not have the values of its caller's.
func watchForm(ctx context.Context) form {
	caller := inprocgrpc.ClientContext(ctx)
	switch {
	case caller == nil:
		return formWire
	case caller.Value(eventsKey{}) != nil:
		return formJSON
	default:
		return formTyped
	}
}

// sender sends answers in a form. In JSON an answer has its type, its revision
// and, in place of everything else, the members that follow the type.
type sender struct {
	stream grpc.ServerStreamingServer[catalogv1.WatchEntitiesResponse]
	form   form
	keep   mask   // nil for all of an entity
	kept   string // keep as a string
}

var watchTypes = map[feed.Type]catalogv1.WatchEntitiesResponse_Type{
	feed.Added:   catalogv1.WatchEntitiesResponse_TYPE_ADDED,
	feed.Changed: catalogv1.WatchEntitiesResponse_TYPE_CHANGED,
	feed.Removed: catalogv1.WatchEntitiesResponse_TYPE_REMOVED,
}

func (o sender) bookmark(at catalog.Revision) error {
	m := &catalogv1.WatchEntitiesResponse{Type: catalogv1.WatchEntitiesResponse_TYPE_BOOKMARK, Revision: int64(at), Time: timestamp(time.Now())}
	if o.form == formJSON {
		b := object{begun: true}
		b.int64("revision", m.Revision)
		b.time("time", m.Time.AsTime())
		m.ProtoReflect().SetUnknown(jsonMembers(b.b))
	}
	return o.stream.Send(m)
}

// initial sends what a filter selects. These are no changes, and so they have no
// revision to go on from: that is the bookmark's.
func (o sender) initial(ctx context.Context, s *index.Snapshot, filter string) error {
	start := time.Now()
	for q := (index.Query{Filter: filter, Size: index.MaxPage}); ; {
		page, err := s.List(q)
		if err != nil {
			return err
		}
		for _, r := range page.Records {
			c := catalog.Change{Op: catalog.OpPut, Time: r.Entity.Changed, Entity: r.Entity}
			if err := o.send(feed.Added, 0, func(f form) []byte { return renderChange(f, c, currentForm(s, r, o.keep)) }); err != nil {
				return err
			}
			if err := ctx.Err(); err != nil {
				return err
			}
			if time.Since(start) > maxInitial {
				return &statusError{code: codes.Aborted, message: fmt.Sprintf("the first selection took longer than %s to send; select less, or list it page by page", maxInitial)}
			}
		}
		if q.Token = page.Next; q.Token == "" {
			return nil
		}
	}
}

// change sends a change. s is the catalog as it is by now.
func (o sender) change(s *index.Snapshot, e feed.Event) error {
	c := e.Change
	return o.send(e.Type, c.Revision, func(f form) []byte {
		kept := changeWire
		if f == formJSON {
			kept = changeJSON
		}
		render := func() []byte { return renderChange(f, c.Change, formAt(s, c, o.keep)) }
		if o.keep != nil {
			return c.Part(kept, o.kept, render)
		}
		return c.Form(kept, render)
	})
}

func (o sender) send(t feed.Type, revision catalog.Revision, render func(form) []byte) error {
	m := &catalogv1.WatchEntitiesResponse{}
	switch o.form {
	case formJSON:
		m.Revision = int64(revision)
		m.ProtoReflect().SetUnknown(render(formJSON))
	case formWire:
		m.ProtoReflect().SetUnknown(render(formWire))
	default:
		if err := proto.Unmarshal(render(formWire), m); err != nil {
			return fmt.Errorf("decode a change: %w", err)
		}
	}
	m.Type = watchTypes[t]
	return o.stream.Send(m)
}

// rendered is an entity in both forms.
type rendered interface {
	wire() []byte
	appendJSON(b []byte) []byte
}

// current is an entity that the catalog has. It has all its relations.
type current struct {
	s *index.Snapshot
	r *index.Record
}

func (c current) wire() []byte               { return wireOf(c.s, c.r) }
func (c current) appendJSON(b []byte) []byte { return appendJSON(b, c.s, c.r) }

// former is an entity that has changed since or is gone. It has the relations
// that it declared. It is also a part of an entity.
type former struct{ m *catalogv1.Entity }

func (e former) appendJSON(b []byte) []byte { return append(b, compactJSON(e.m)...) }
func (e former) wire() []byte {
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(e.m)
	if err != nil {
		panic(fmt.Sprintf("encode %s: %v", e.m.Name, err))
	}
	return b
}

// currentForm is what a mask keeps of an entity that the catalog has.
func currentForm(s *index.Snapshot, r *index.Record, keep mask) rendered {
	if keep == nil {
		return current{s, r}
	}
	return former{maskedEntity(s, r, keep)}
}

// formAt is the entity of a change, as it is after it or, if it is gone, as it
// last was. s is the catalog as it is by now, maybe some changes later.
func formAt(s *index.Snapshot, c *feed.Change, keep mask) rendered {
	e := c.Entity
	if c.Op == catalog.OpDelete && c.Before != nil {
		e = c.Before
	}
	// What plugins say changes no revision of the entity's own, so that such a
	// change is current as long as the facts are the same.
	if r, ok := s.Get(e.Ref); ok && (c.Op == catalog.OpPut && r.Entity.Revision == c.Revision || c.Op == catalog.OpFacts && r.Entity.Revision == e.Revision && bytes.Equal(r.Entity.Facts, e.Facts)) {
		return currentForm(s, r, keep)
	}
	m := maskedForm(e, keep)
	if !keep.wants("relations") {
		return former{m}
	}
	relations := make([]index.Relation, len(e.Relations))
	for i, x := range e.Relations {
		_, exists := s.Get(x.Target)
		relations[i] = index.Relation{Type: x.Type, Target: x.Target, Exists: exists}
	}
	m.Relations = relationMessages(relations)
	return former{m}
}

// renderChange is a change without its type: as fields in wire format, or as
// what jsonMembers makes.
func renderChange(f form, c catalog.Change, e rendered) []byte {
	rest := &catalogv1.WatchEntitiesResponse{Revision: int64(c.Revision), Time: timestamp(c.Time), Cause: causeOf(c.Cause)}
	if f == formJSON {
		o := object{begun: true}
		o.int64("revision", rest.Revision)
		o.time("time", c.Time)
		o.key("entity")
		o.b = e.appendJSON(o.b)
		if rest.Cause != nil {
			o.raw("cause", compactJSON(rest.Cause))
		}
		return jsonMembers(o.b)
	}
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(rest)
	if err != nil {
		panic(fmt.Sprintf("encode revision %d: %v", c.Revision, err))
	}
	b = protowire.AppendTag(b, entityField, protowire.BytesType)
	return protowire.AppendBytes(b, e.wire())
}

var entityField = (&catalogv1.WatchEntitiesResponse{}).ProtoReflect().Descriptor().Fields().ByName("entity").Number()

// jsonMembers puts members of an object, each with a comma before it, under the
// unknown field for JSON.
func jsonMembers(b []byte) []byte {
	return protowire.AppendBytes(append([]byte(nil), jsonTag...), b)
}

// membersOf is what jsonMembers was given.
func membersOf(m proto.Message) []byte {
	u := m.ProtoReflect().GetUnknown()
	if len(u) < len(jsonTag) {
		return nil
	}
	b, n := protowire.ConsumeBytes(u[len(jsonTag):])
	if n < 0 {
		return nil
	}
	return b
}

func causeOf(c catalog.Cause) *catalogv1.Cause {
	if c == (catalog.Cause{}) {
		return nil
	}
	return &catalogv1.Cause{Via: string(c.Via), Harvest: c.Harvest, Actor: c.Actor, Commit: c.Commit, Delivery: c.Delivery}
}
