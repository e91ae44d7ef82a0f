package index

import "github.com/waypost-dev/waypost/server/catalog"

// With returns the snapshot as it would be after some changes, in order,
// whatever their revision numbers are. The index itself stays as it is, and so
// does the snapshot. It costs what the changes cost.
func (s *Snapshot) With(changes []catalog.Change) *Snapshot {
	x := s.index
	x.mu.Lock() // forking marks what is shared
	next := s.fork()
	x.mu.Unlock()
	tx := txid(x.tx.Add(1))
	for _, c := range changes {
		next.apply(tx, c)
	}
	return next
}

// Each calls yield for every entity, in no particular order, until it returns
// false.
func (s *Snapshot) Each(yield func(*Record) bool) {
	s.live.Iterate(func(id uint32) bool { return yield(s.docs.get(id)) })
}

// Select tells of which records of the snapshot a filter is true.
func (s *Snapshot) Select(filter string) (func(*Record) bool, error) {
	selected, err := s.selected(filter)
	if err != nil {
		return nil, err
	}
	return func(r *Record) bool { return selected.Contains(r.id) }, nil
}
