package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/aymanbagabas/go-udiff"
	"github.com/wI2L/jsondiff"
	"go.yaml.in/yaml/v3"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/types/known/structpb"

	catalogv1 "github.com/waypost-dev/waypost/proto/waypost/catalog/v1"
	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/store"
)

// maxRevisions is the largest page of revisions.
const maxRevisions = 500

// historyService implements HistoryService.
type historyService struct {
	catalogv1.UnimplementedHistoryServiceServer
	past     *past
	problems *problems
}

func (h *historyService) ListEntityRevisions(ctx context.Context, req *catalogv1.ListEntityRevisionsRequest) (*catalogv1.ListEntityRevisionsResponse, error) {
	ref, err := parseName(req.Name)
	if err != nil {
		return nil, err
	}
	var before catalog.Revision
	if req.PageToken != "" {
		n, err := strconv.ParseInt(req.PageToken, 36, 64)
		if err != nil || n <= 0 {
			return nil, badField("page_token", "INVALID_PAGE_TOKEN", "is not one of this list's; leave it out to begin anew")
		}
		before = catalog.Revision(n)
	}
	size := pageSize(req.PageSize, defaultPage, maxRevisions)
	// One more, with which the last one is compared.
	changes, more, err := h.past.store.History(ctx, ref, before, size+1)
	if err != nil {
		return nil, unknownEntity(ref, err)
	}
	shown := len(changes)
	if more || shown > size {
		shown--
	}
	shown = fitting(shown, func(i int) int {
		switch {
		case req.WithEntities && req.WithChanges:
			return 3 * len(changes[i].Entity.Document)
		case req.WithEntities:
			return len(changes[i].Entity.Document)
		case req.WithChanges: // at most all of it and all of the one before
			return len(changes[i].Entity.Document) + len(changes[min(i+1, len(changes)-1)].Entity.Document)
		}
		return 0
	})
	out := &catalogv1.ListEntityRevisionsResponse{}
	if shown < len(changes) {
		out.NextPageToken = strconv.FormatInt(int64(changes[shown-1].Revision), 36)
	} else if shown > 0 {
		if out.Truncated, err = h.past.store.Truncated(ctx, changes[shown-1].Revision); err != nil {
			return nil, err
		}
	}
	for i, c := range changes[:shown] {
		var previous *catalog.Change
		if i+1 < len(changes) {
			previous = &changes[i+1]
		}
		r, err := entityRevision(c, previous, out.Truncated, req)
		if err != nil {
			return nil, err
		}
		out.Revisions = append(out.Revisions, r)
	}
	return out, nil
}

// unknownEntity says that no revision is of an entity.
func unknownEntity(ref catalog.Ref, err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return notFound("waypost.dev/Entity", resourceName(ref), "nothing is known of an entity "+refString(ref))
	}
	return err
}

// revisionMessage is a revision but for what it did.
func revisionMessage(c catalog.Change) *catalogv1.EntityRevision {
	o := c.Entity.Origin
	return &catalogv1.EntityRevision{
		Revision: int64(c.Revision), Time: timestamp(c.Time), Uid: c.Entity.UID, EntityRef: refString(c.Entity.Ref),
		RenamedRef: c.Moved, Cause: causeOf(c.Cause),
		Origin: &catalogv1.Origin{Source: o.Source, Repository: o.Repository, Path: o.Path, Line: int32(o.Line), Commit: o.Commit, Inferred: o.Inferred},
	}
}

// entityRevision is one line of a history. What the oldest one did is not known
// if older ones may have been given up.
func entityRevision(c catalog.Change, previous *catalog.Change, truncated bool, req *catalogv1.ListEntityRevisionsRequest) (*catalogv1.EntityRevision, error) {
	out := revisionMessage(c)
	var before *catalog.Entity
	switch {
	case c.Op == catalog.OpDelete:
		out.Op = catalogv1.EntityRevision_OP_REMOVED
	case c.Op == catalog.OpFacts:
		out.Op = catalogv1.EntityRevision_OP_FACTS
	case previous != nil && previous.Op != catalog.OpDelete:
		out.Op = catalogv1.EntityRevision_OP_CHANGED
		before = previous.Entity
	case previous == nil && (truncated || c.Moved != ""):
	default:
		out.Op = catalogv1.EntityRevision_OP_ADDED
	}
	if req.WithEntities {
		out.Entity = typedForm(c.Entity)
	}
	if req.WithChanges && c.Op == catalog.OpFacts {
		var err error
		if out.Changes, err = factChanges(c.Facts); err != nil {
			return nil, err
		}
	}
	if req.WithChanges && before != nil {
		var err error
		if out.Changes, err = fieldChanges(before, c.Entity); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (h *historyService) DiffEntity(ctx context.Context, req *catalogv1.DiffEntityRequest) (*catalogv1.DiffEntityResponse, error) {
	ref, err := parseName(req.Name)
	if err != nil {
		return nil, err
	}
	if req.ToRevision != 0 && req.FromRevision > req.ToRevision {
		return nil, badField("from_revision", "INVALID_FIELD", "is above to_revision; exchange them")
	}
	for field, asked := range map[string]int64{"from_revision": req.FromRevision, "to_revision": req.ToRevision} {
		if err := h.past.known(ctx, field, catalog.Revision(asked)); err != nil {
			return nil, err
		}
	}
	var below catalog.Revision
	if req.ToRevision > 0 {
		below = catalog.Revision(req.ToRevision) + 1
	}
	last, err := h.contents(ctx, ref, below, 2)
	if err != nil {
		return nil, unknownEntity(ref, err)
	}
	if len(last) == 0 {
		if err := h.kept(ctx, req.ToRevision); err != nil {
			return nil, err
		}
		return nil, notFound("waypost.dev/Entity", resourceName(ref), fmt.Sprintf("entity %s did not exist at revision %d", refString(ref), req.ToRevision))
	}
	var first []catalog.Change
	if req.FromRevision == 0 {
		first = last[1:]
	} else {
		if first, err = h.contents(ctx, ref, catalog.Revision(req.FromRevision)+1, 1); err != nil {
			return nil, unknownEntity(ref, err)
		}
		if len(first) == 0 {
			if err := h.kept(ctx, req.FromRevision); err != nil {
				return nil, err
			}
		}
	}
	out := &catalogv1.DiffEntityResponse{}
	var before, after *catalog.Entity
	if len(first) > 0 {
		out.FromRevision, before = int64(first[0].Revision), standing(first[0])
	}
	out.ToRevision, after = int64(last[0].Revision), standing(last[0])
	return out, diff(out, before, after)
}

// contents are the last few revisions below one, but for those of facts alone.
func (h *historyService) contents(ctx context.Context, ref catalog.Ref, below catalog.Revision, limit int) ([]catalog.Change, error) {
	const page, most = 50, 2000 // facts may change often
	var out []catalog.Change
	for range most / page {
		changes, more, err := h.past.store.History(ctx, ref, below, page)
		if err != nil {
			return nil, err
		}
		for _, c := range changes {
			if c.Op == catalog.OpFacts {
				continue
			}
			if out = append(out, c); len(out) == limit {
				return out, nil
			}
		}
		if !more || len(changes) == 0 {
			break
		}
		below = changes[len(changes)-1].Revision
	}
	return out, nil
}

// kept refuses a revision of which nothing is known any more.
func (h *historyService) kept(ctx context.Context, revision int64) error {
	gone, err := h.past.store.Truncated(ctx, catalog.Revision(revision))
	if err == nil && gone {
		err = h.past.explain(ctx, store.ErrTooOld)
	}
	return err
}

// standing is the entity after a change; nil if there is none.
func standing(c catalog.Change) *catalog.Entity {
	if c.Op == catalog.OpDelete {
		return nil
	}
	return c.Entity
}

// diff tells two forms of an entity apart in three ways. One that is nil is
// null in the patch.
func diff(out *catalogv1.DiffEntityResponse, before, after *catalog.Entity) (err error) {
	if out.Changes, err = fieldChanges(before, after); err != nil {
		return err
	}
	json1, yaml1, label1, err := forms(before)
	if err != nil {
		return err
	}
	json2, yaml2, label2, err := forms(after)
	if err != nil {
		return err
	}
	patch, err := jsondiff.CompareJSON(json1, json2)
	if err != nil {
		return fmt.Errorf("compare entities: %w", err)
	}
	text, err := json.Marshal(patch)
	if err != nil {
		return fmt.Errorf("encode patch: %w", err)
	}
	out.JsonPatch = &structpb.ListValue{}
	if len(patch) > 0 {
		if err := protojson.Unmarshal(text, out.JsonPatch); err != nil {
			return fmt.Errorf("encode patch: %w", err)
		}
	}
	out.Text = udiff.Unified(label1, label2, yaml1, yaml2)
	return nil
}

// forms are an entity's document as JSON and as YAML, and a line that says which
// one it is, as unified diffs begin.
func forms(e *catalog.Entity) (asJSON []byte, asYAML, label string, err error) {
	if e == nil {
		return []byte("null"), "", "/dev/null", nil
	}
	var doc yaml.Node // JSON is YAML, and a Node keeps the order and the numbers
	if err := yaml.Unmarshal(e.Document, &doc); err != nil {
		return nil, "", "", fmt.Errorf("read %s: %w", e.Ref, err)
	}
	block(&doc)
	var b bytes.Buffer
	enc := yaml.NewEncoder(&b)
	enc.SetIndent(2)
	if err := errors.Join(enc.Encode(&doc), enc.Close()); err != nil {
		return nil, "", "", fmt.Errorf("write %s as YAML: %w", e.Ref, err)
	}
	return e.Document, b.String(), fmt.Sprintf("%s\trevision %d", refString(e.Ref), e.Revision), nil
}

// block gives a node the style in which people write.
func block(n *yaml.Node) {
	n.Style = 0
	if n.Kind == yaml.ScalarNode && strings.Contains(n.Value, "\n") {
		n.Style = yaml.LiteralStyle
	}
	for _, c := range n.Content {
		block(c)
	}
}
