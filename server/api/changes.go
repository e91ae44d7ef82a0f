package api

import (
	"context"
	"fmt"
	"hash/fnv"
	"strconv"
	"strings"

	catalogv1 "github.com/waypost-dev/waypost/proto/waypost/catalog/v1"
	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/index"
	"github.com/waypost-dev/waypost/server/store"
)

// Bounds of a call to ListChanges.
const (
	maxLookedAt   = 3000 // revisions
	changesAtOnce = 250
)

func (h *historyService) ListChanges(ctx context.Context, req *catalogv1.ListChangesRequest) (*catalogv1.ListChangesResponse, error) {
	hash := fnv.New64a()
	fmt.Fprintf(hash, "%q %t", req.Filter, req.IncludeFacts)
	query := strconv.FormatUint(hash.Sum64(), 36)
	below, err := h.below(ctx, req.PageToken, query)
	if err != nil {
		return nil, err
	}
	if err := h.problems.judge(ctx, req.Filter); err != nil {
		return nil, err
	}
	selected, err := newChangeFilter(h.past.index.Snapshot(), req.Filter)
	if err != nil {
		return nil, err
	}
	size := pageSize(req.PageSize, defaultPage, maxRevisions)
	once := changesAtOnce
	if strings.TrimSpace(req.Filter) == "" {
		once = size
	}
	out := &catalogv1.ListChangesResponse{}
	floor := max(below-maxLookedAt, 1)
	for below > floor && len(out.Revisions) < size {
		found, err := h.past.store.Newest(ctx, below, floor, req.IncludeFacts, once)
		if err != nil {
			return nil, err
		}
		below = floor
		if len(found) == once {
			below = found[once-1].Revision
		}
		if found, err = selected.of(found); err != nil {
			return nil, err
		}
		for _, n := range found {
			if len(out.Revisions) == size {
				below = catalog.Revision(out.Revisions[size-1].Revision)
				break
			}
			r, err := h.change(ctx, n)
			if err != nil {
				return nil, err
			}
			out.Revisions = append(out.Revisions, r)
		}
	}
	if below > 1 {
		out.NextPageToken = strconv.FormatInt(int64(below), 36) + "." + query
	}
	return out, nil
}

// below is the revision at which the page before ended.
func (h *historyService) below(ctx context.Context, token, query string) (catalog.Revision, error) {
	if token == "" {
		last, err := h.past.store.Latest(ctx)
		return last + 1, err
	}
	at, of, _ := strings.Cut(token, ".")
	n, err := strconv.ParseInt(at, 36, 64)
	switch {
	case err != nil || n <= 0:
		return 0, badField("page_token", "INVALID_PAGE_TOKEN", "is not one of this list's; leave it out to begin anew")
	case of != query:
		return 0, badField("page_token", "INVALID_PAGE_TOKEN", "belongs to another filter; page tokens continue only the request that they came from")
	}
	return catalog.Revision(n), nil
}

// change is a revision with what it did. Of one of which nothing older is known,
// that is known only if nothing was given up.
func (h *historyService) change(ctx context.Context, n store.Newest) (*catalogv1.EntityRevision, error) {
	out := revisionMessage(n.Change)
	switch {
	case n.Op == catalog.OpDelete:
		out.Op = catalogv1.EntityRevision_OP_REMOVED
	case n.Op == catalog.OpFacts:
		out.Op = catalogv1.EntityRevision_OP_FACTS
	case n.Before == catalog.OpPut:
		out.Op = catalogv1.EntityRevision_OP_CHANGED
	case n.Before == catalog.OpDelete:
		out.Op = catalogv1.EntityRevision_OP_ADDED
	default:
		truncated, err := h.past.store.Truncated(ctx, n.Revision)
		if err != nil {
			return nil, err
		}
		if !truncated {
			out.Op = catalogv1.EntityRevision_OP_ADDED
		}
	}
	return out, nil
}

// changeFilter tells which changes are of entities that a filter selects.
type changeFilter struct {
	filter string
	now    *index.Snapshot
	is     func(*index.Record) bool
}

func newChangeFilter(s *index.Snapshot, filter string) (*changeFilter, error) {
	f := &changeFilter{filter: filter, now: s}
	if strings.TrimSpace(filter) == "" {
		return f, nil
	}
	is, err := s.Select(filter)
	f.is = is
	return f, err
}

func (f *changeFilter) of(changes []store.Newest) ([]store.Newest, error) {
	if f.is == nil {
		return changes, nil
	}
	keep := make([]bool, len(changes))
	var gone []int // numbers of the changes of what is gone
	for i, c := range changes {
		if r, ok := f.now.ByUID(c.Entity.UID); ok {
			keep[i] = f.is(r)
		} else {
			gone = append(gone, i)
		}
	}
	// They are asked of indexes of themselves. Several may have had the same ref, at
	// different times.
	for len(gone) > 0 {
		round, rest := map[string]int{}, gone[:0:0]
		var entities []*catalog.Entity
		for _, i := range gone {
			e := changes[i].Entity
			if _, taken := round[e.Ref.Key()]; taken {
				rest = append(rest, i)
				continue
			}
			round[e.Ref.Key()] = i
			entities = append(entities, e)
		}
		x := index.New()
		x.Load(entities, 1)
		s := x.Snapshot()
		is, err := s.Select(f.filter)
		if err != nil {
			return nil, err
		}
		s.Each(func(r *index.Record) bool {
			keep[round[r.Entity.Ref.Key()]] = is(r)
			return true
		})
		gone = rest
	}
	out := changes[:0]
	for i, c := range changes {
		if keep[i] {
			out = append(out, c)
		}
	}
	return out, nil
}
