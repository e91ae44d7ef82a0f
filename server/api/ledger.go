package api

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/index"
	"github.com/waypost-dev/waypost/server/store"
)

const (
	// livesAge is how long the lives of problems are taken from memory: another
	// replica may have written them.
	livesAge = 2 * time.Second
	// rememberEvery is how often the lives are brought in line.
	rememberEvery = time.Second
)

// troubles are the problems that are there now, in order, each with its owner
// and since when it is there. One that nobody has remembered yet has no time.
func (p *problems) troubles(ctx context.Context) ([]store.Trouble, error) {
	list, err := p.all(ctx)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.lives == nil || time.Since(p.livesRead) > livesAge {
		if p.lives, err = p.store.Opened(ctx); err != nil {
			return nil, err
		}
		p.livesRead = time.Now()
	}
	owners := p.ownersOf(list)
	ids := p.marks
	out := make([]store.Trouble, len(list))
	for i, q := range list {
		out[i] = store.Trouble{Problem: q, Owner: owners[i], Opened: p.lives[ids[i]]}
	}
	return out, nil
}

// gone are the problems that were there once, the latest first.
func (p *problems) gone(ctx context.Context) ([]store.Trouble, error) {
	found, err := p.store.Troubles(ctx, true)
	if err != nil {
		return nil, err
	}
	out := make([]store.Trouble, 0, len(found))
	for _, t := range found {
		out = append(out, t)
	}
	slices.SortFunc(out, func(a, b store.Trouble) int { return compareProblems(a.Problem, b.Problem) })
	return out, nil
}

// ownersOf finds who would mend each problem: the owner of the entity; else
// that of most entities of the document, then of the repository. With the owners
// it finds the marks. It needs p.mu.
func (p *problems) ownersOf(list []catalog.Problem) []string {
	if len(p.owners) == len(list) && len(list) > 0 && &p.ownersFor[0] == &list[0] {
		return p.owners
	}
	s := p.index.Snapshot()
	counts := map[string]map[string]int{} // place → owner → entities
	wanted := map[string]bool{}
	for _, q := range list {
		wanted[q.Repository] = true
	}
	if len(list) > 0 {
		s.Each(func(r *index.Record) bool {
			o := r.Entity.Origin
			owner := ownerOf(s, r.Entity)
			if owner == "" || !wanted[o.Repository] {
				return true
			}
			for _, place := range []string{o.Repository, o.Repository + "\x00" + o.Path} {
				if counts[place] == nil {
					counts[place] = map[string]int{}
				}
				counts[place][owner]++
			}
			return true
		})
	}
	most := func(place string) (best string) {
		n := 0
		for owner, c := range counts[place] {
			if c > n || c == n && owner < best {
				best, n = owner, c
			}
		}
		return best
	}
	out := make([]string, len(list))
	for i, q := range list {
		if ref, err := catalog.ParseRef(q.Entity, catalog.RefContext{}); err == nil && q.Entity != "" {
			if r, ok := s.Get(ref); ok {
				out[i] = ownerOf(s, r.Entity)
			}
		}
		if out[i] == "" && q.Path != "" {
			out[i] = most(q.Repository + "\x00" + q.Path)
		}
		if out[i] == "" && q.Repository != "" {
			out[i] = most(q.Repository)
		}
	}
	p.owners, p.ownersFor, p.marks = out, list, store.Fingerprints(list)
	return out
}

// ownerOf is the key of the first owner that an entity declares and that there
// is; empty if there is none.
func ownerOf(s *index.Snapshot, e *catalog.Entity) string {
	for _, r := range e.Relations {
		if r.Type == catalog.OwnedBy {
			if _, ok := s.Get(r.Target); ok {
				return r.Target.Key()
			}
		}
	}
	return ""
}

// remember writes down which problems are there, if anything may have changed
// since it last did.
func (p *problems) remember(ctx context.Context) error {
	key, err := p.asOf(ctx)
	if err != nil {
		return err
	}
	p.mu.Lock()
	done := p.remembered == key && key.state != store.HarvestRunning && p.wasRemembered
	p.mu.Unlock()
	if done {
		return nil
	}
	now, err := p.troubles(ctx)
	if err != nil {
		return err
	}
	if err := p.store.RememberTroubles(ctx, now); err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.remembered, p.wasRemembered, p.lives = key, true, nil
	if p.key == key { // whoever asks makes the list again; most catalogs are asked for entities
		p.list, p.made, p.owners, p.ownersFor, p.marks = nil, time.Time{}, nil, nil, nil
	}
	return nil
}

// KeepProblems writes down when problems come and go, until ctx ends.
func (s *Server) KeepProblems(ctx context.Context) error {
	tick := time.NewTicker(rememberEvery)
	defer tick.Stop()
	failing := false
	for {
		err := s.problems.remember(ctx)
		if err != nil && ctx.Err() == nil && !failing {
			s.log.Warn("problems that come and go are not remembered; it is tried again", "error", err)
		}
		failing = err != nil
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// RememberProblems does once what KeepProblems does again and again.
func (s *Server) RememberProblems(ctx context.Context) error {
	if err := s.problems.remember(ctx); err != nil {
		return fmt.Errorf("remember problems: %w", err)
	}
	return nil
}

// countBy is what SummarizeProblems counts by.
func countBy(t store.Trouble, by string) string {
	switch by {
	case "source":
		return t.Problem.Source
	case "repository":
		return t.Problem.Repository
	case "owner":
		return t.Owner
	case "code":
		return string(t.Problem.Code)
	}
	return strings.ToLower(string(t.Problem.Severity))
}
