package index

import (
	"fmt"
	"slices"
	"sort"
	"strings"
	"sync/atomic"

	"github.com/tidwall/btree"

	"github.com/waypost-dev/waypost/server/catalog"
)

// QueryError is a fault in what was asked.
type QueryError struct {
	Field  string // filter, order_by, page_token, fields or another one of the query
	Offset int    // in bytes, from the field's start
	Reason string
	Hint   string
}

func (e *QueryError) Error() string {
	s := fmt.Sprintf("%s: at byte %d: %s", e.Field, e.Offset, e.Reason)
	if e.Hint != "" {
		s += "; " + e.Hint
	}
	return s
}

type orderField struct {
	path []string
	desc bool
}

// maxOrderFields is the most fields to order by.
const maxOrderFields = 4

// parseOrder reads an order as in AIP-132.
func parseOrder(s string) ([]orderField, error) {
	if strings.TrimSpace(s) == "" {
		return nil, nil
	}
	var out []orderField
	offset := 0
	for part := range strings.SplitSeq(s, ",") {
		words := strings.Fields(part)
		bad := func(reason, hint string) error {
			return &QueryError{Field: "order_by", Offset: offset, Reason: reason, Hint: hint}
		}
		if len(words) == 0 || len(words) > 2 || len(words) == 2 && words[1] != "desc" && words[1] != "asc" {
			return nil, bad(fmt.Sprintf("%q is no field to order by", part), `write a field, and "desc" after it for the opposite order, such as "spec.type, metadata.name desc"`)
		}
		path, err := []string{inRevision}, error(nil)
		if words[0] != "revision" {
			path, err = parseField(words[0])
		}
		if err == nil && path[0] == "relations" {
			err = fmt.Errorf("entities cannot be ordered by their relations")
		}
		if err != nil {
			return nil, bad(err.Error(), "write a path such as metadata.name or spec.type")
		}
		if len(out) == maxOrderFields {
			return nil, bad(fmt.Sprintf("there are more than %d fields to order by", maxOrderFields), "leave some out")
		}
		out = append(out, orderField{path, len(words) == 2 && words[1] == "desc"})
		offset += len(part) + 1
	}
	return out, nil
}

// maxField bounds a field's path, in bytes.
const maxField = 512

// parseField reads a path such as metadata.labels["x"] or facts["slo.left"]; kind,
// namespace and name are short for where they stand.
func parseField(s string) ([]string, error) {
	path, ok := catalog.SplitFieldPath(s)
	if !ok || len(s) > maxField {
		return nil, fmt.Errorf("%.60q is no path of a field", s)
	}
	switch {
	case s == "status.level", s == "origin.source", s == "origin.repository", s == "origin.path", s == "origin.inferred":
		return path, nil
	case s == "namespace" || s == "name":
		return []string{"metadata", s}, nil
	case path[0] == "relations" && len(path) == 2, path[0] == "metadata", path[0] == "spec", s == "kind", s == "apiVersion":
		return path, nil
	}
	if path[0] == "facts" && len(path) > 1 {
		path[0] = inFacts
		return path, nil
	}
	return nil, fmt.Errorf("%.60q is not in metadata, spec, facts, origin or relations, nor status.level", s)
}

// order holds all entities in one order.
type order struct {
	fields []orderField
	tree   *btree.BTreeG[ordered]
	used   *atomic.Int64
}

type ordered struct {
	values []*value
	key    string
	id     uint32
}

func compareOrdered(fields []orderField, a, b ordered) int {
	for i, f := range fields {
		if c := compareValues(a.values[i], b.values[i], f.desc); c != 0 {
			return c
		}
	}
	return strings.Compare(a.key, b.key)
}

func (o *order) fork() *order { return &order{o.fields, o.tree.Copy(), o.used} }

func (o *order) item(r *Record) ordered {
	out := ordered{key: r.key, id: r.id}
	for _, f := range o.fields {
		x, k := lookup(r, f.path)
		v := makeValue(x, k)
		out.values = append(out.values, &v)
	}
	return out
}

func (o *order) add(r *Record)    { o.tree.Set(o.item(r)) }
func (o *order) remove(r *Record) { o.tree.Delete(o.item(r)) }

// itemOf is item by the columns, which share values.
func (s *Snapshot) itemOf(cols []*column, r *Record) ordered {
	out := ordered{key: r.key, id: r.id, values: make([]*value, len(cols))}
	for i, c := range cols {
		out.values[i] = c.value(r.id)
	}
	return out
}

func orderKey(fields []orderField) string {
	var b strings.Builder
	for _, f := range fields {
		fmt.Fprintf(&b, "%q %t,", f.path, f.desc)
	}
	return b.String()
}

func (s *Snapshot) order(fields []orderField) *order {
	key := orderKey(fields)
	s.mu.RLock()
	o := s.orders[key]
	s.mu.RUnlock()
	if o == nil {
		o = ensure(s, func(s *Snapshot) map[string]*order { return s.orders }, key, maxOrders, func(s *Snapshot) *order {
			o := &order{fields: fields, used: new(atomic.Int64)}
			o.tree = btree.NewBTreeGOptions(func(a, b ordered) bool { return compareOrdered(fields, a, b) < 0 }, btree.Options{NoLocks: true})
			cols := make([]*column, len(fields))
			tx := txid(s.index.tx.Add(1))
			for i, f := range fields {
				s.mu.RLock()
				cols[i] = s.cols[strings.Join(f.path, "\x00")]
				s.mu.RUnlock()
				if cols[i] == nil { // not kept: it is only here to share values
					cols[i] = newColumn(f.path)
					for id := range s.ids() {
						cols[i].add(tx, s.docs.get(id))
					}
				}
			}
			items := make([]ordered, 0, s.Len())
			for id := range s.ids() {
				items = append(items, s.itemOf(cols, s.docs.get(id)))
			}
			slices.SortFunc(items, func(a, b ordered) int { return compareOrdered(fields, a, b) })
			for _, i := range items {
				o.tree.Load(i)
			}
			return o
		})
	}
	o.used.Store(s.index.turn.Add(1))
	return o
}

// sortFew is up to how many entities are sorted anew for a page; for more than
// that, the order is walked and what is not selected is left out.
const sortFew = 64

// List returns a page of entities.
func (s *Snapshot) List(q Query) (Page, error) {
	size := min(max(q.Size, 1), MaxPage)
	fields, err := parseOrder(q.OrderBy)
	if err != nil {
		return Page{}, err
	}
	from, err := decodeToken(q.Token, hashOf("list", q.Filter, orderKey(fields)), len(fields))
	if err != nil {
		return Page{}, err
	}
	selected, err := s.selected(q.Filter)
	if err != nil {
		return Page{}, err
	}
	total := int(selected.GetCardinality())
	page := Page{Total: total}
	last := ordered{}
	more := false
	all := total == s.Len()
	take := func(i ordered) bool {
		if !all && !selected.Contains(i.id) {
			return true
		}
		if len(page.Records) == size {
			more = true
			return false
		}
		page.Records = append(page.Records, s.docs.get(i.id))
		last = i
		return true
	}
	after := func(i ordered) bool { return from == nil || compareOrdered(fields, i, *from) > 0 }
	switch {
	case total == 0:
		return page, nil
	case total <= sortFew:
		var items []ordered
		o := &order{fields: fields}
		selected.Iterate(func(id uint32) bool {
			if i := o.item(s.docs.get(id)); after(i) {
				items = append(items, i)
			}
			return true
		})
		slices.SortFunc(items, func(a, b ordered) int { return compareOrdered(fields, a, b) })
		for _, i := range items[min(q.Skip, len(items)):] {
			if !take(i) {
				break
			}
		}
	case q.Skip > 0 && all:
		s.ascendAt(fields, s.rank(fields, from)+q.Skip, take)
	case q.Skip > 0:
		o := &order{fields: fields}
		ids := s.inOrder(q.Filter, fields, selected)
		at := q.Skip
		if from != nil {
			at += sort.Search(len(ids), func(i int) bool { return after(o.item(s.docs.get(ids[i]))) })
		}
		for _, id := range ids[min(at, len(ids)):min(at+size+1, len(ids))] {
			if !take(o.item(s.docs.get(id))) {
				break
			}
		}
	case len(fields) == 0:
		start := ""
		if from != nil {
			start = from.key
		}
		s.byKey.Ascend(start, func(key string, id uint32) bool {
			if from != nil && key == start {
				return true
			}
			return take(ordered{key: key, id: id})
		})
	default:
		tree := s.order(fields).tree
		if from == nil {
			tree.Scan(take)
		} else {
			tree.Ascend(*from, func(i ordered) bool { return !after(i) || take(i) })
		}
	}
	if more {
		page.Next = encodeToken(hashOf("list", q.Filter, orderKey(fields)), last)
	}
	return page, nil
}
