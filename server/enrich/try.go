package enrich

import (
	"context"
	"fmt"
	"time"

	"github.com/waypost-dev/waypost/plugins"
	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/store"
)

// Tried is what a plugin says of an entity when it is tried.
type Tried struct {
	Entity *catalog.Entity
	store.Enrichment
	// Refused is why that would not be kept; nil if it would.
	Refused error
	Took    time.Duration
}

// Try asks a plugin about some entities, one by one, or about the first few that
// it is asked about, and keeps nothing.
func (r *Runner) Try(ctx context.Context, name string, refs []catalog.Ref, few int) ([]Tried, error) {
	p, ok := r.plugins[name]
	if !ok {
		return nil, fmt.Errorf("%s: %w", name, ErrUnknownPlugin)
	}
	if p.enricher == nil {
		return nil, fmt.Errorf("plugin %s says nothing of entities: it has no role enrich", name)
	}
	if err := r.repos.catchUp(ctx); err != nil {
		return nil, err
	}
	s := r.o.Index.Snapshot()
	var subjects []*catalog.Entity
	for _, ref := range refs {
		record, ok := s.Get(ref)
		if !ok {
			return nil, fmt.Errorf("there is no entity %s", ref)
		}
		subjects = append(subjects, record.Entity)
	}
	if len(refs) == 0 {
		for record := range s.Each {
			if len(subjects) < few && p.concerns(record.Entity) {
				subjects = append(subjects, record.Entity)
			}
		}
	}
	out := make([]Tried, 0, len(subjects))
	for _, e := range subjects {
		begin := time.Now()
		answers, err := p.call(ctx, []plugins.Subject{{Entity: e, View: &view{ctx: ctx, s: s, repos: r.repos}}})
		t := Tried{Entity: e, Refused: err, Took: time.Since(begin)}
		if err == nil {
			t.Refused = p.accept(&t.Enrichment, e, answers[0], begin)
		}
		out = append(out, t)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
	return out, nil
}
