package index

import (
	"slices"
	"strings"
	"sync"
	"unique"

	"github.com/waypost-dev/waypost/server/catalog"
)

// load fills an empty snapshot, on so many cores.
func (s *Snapshot) load(tx txid, entities []*catalog.Entity, cores int) {
	records := make([]*Record, len(entities))
	block := make([]Record, len(entities))
	for i, e := range entities {
		block[i].Entity, block[i].key, block[i].kept = e, e.Ref.Key(), s.index.kept
		block[i].level = levelOf(s.levels[block[i].key])
		records[i] = &block[i]
	}
	slices.SortStableFunc(records, func(a, b *Record) int { return strings.Compare(a.key, b.key) })
	n := 0
	for i, r := range records {
		if i+1 < len(records) && records[i+1].key == r.key {
			continue
		}
		records[n] = r
		n++
	}
	records = records[:n]
	var busy sync.WaitGroup
	busy.Go(func() { s.words = loadWords(tx, records, max(1, cores)) })
	for i, r := range records {
		r.id = uint32(i)
		*s.docs.at(tx, r.id) = r
		s.byKey.Load(r.key, r.id)
		if r.Entity.UID != "" {
			s.byUID.Set(r.Entity.UID, r.id)
		}
	}
	s.size = uint32(n)
	s.live.AddRange(0, uint64(n))
	s.loadEdges(records)
	busy.Wait()
}

func (s *Snapshot) loadEdges(records []*Record) {
	byTarget := map[catalog.Ref][]inEdge{}
	for _, r := range records {
		for _, x := range r.Entity.Relations {
			byTarget[x.Target] = append(byTarget[x.Target], inEdge{"", unique.Make(x.Type), r.id})
		}
	}
	type target struct {
		key   string
		edges []inEdge
	}
	targets := make([]target, 0, len(byTarget))
	for ref, edges := range byTarget {
		key := ref.Key()
		if id, ok := s.byKey.Get(key); ok {
			key = s.docs.get(id).key // shares its memory
		} else {
			s.ghosts.Set(key, struct{}{})
		}
		targets = append(targets, target{key, edges})
	}
	slices.SortFunc(targets, func(a, b target) int { return strings.Compare(a.key, b.key) })
	for _, t := range targets {
		for i := range t.edges {
			t.edges[i].target = t.key
		}
		slices.SortFunc(t.edges, compareInEdges)
		for _, e := range slices.Compact(t.edges) {
			s.in.Load(e)
		}
	}
}
