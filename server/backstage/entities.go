package backstage

import (
	"errors"
	"net/http"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/index"
	"github.com/waypost-dev/waypost/server/store"
)

func (c *call) entityByName() error {
	kind, namespace, name := c.path[2], c.path[3], c.path[4]
	s := c.view.snapshot()
	r, ok := s.Get(catalog.Ref{Kind: kind, Namespace: namespace, Name: name})
	if !ok {
		return notFound("No entity named '%s' found, with kind '%s' in namespace '%s'", clip(name), clip(kind), clip(namespace))
	}
	c.send(http.StatusOK, entityJSON(s, r))
	return nil
}

func (c *call) entityByUID() error {
	s := c.view.snapshot()
	r, ok := s.ByUID(strings.ToLower(c.path[2]))
	if !ok {
		return notFound("No entity with uid %s", clip(c.path[2]))
	}
	c.send(http.StatusOK, entityJSON(s, r))
	return nil
}

// order is a field to order by.
type order struct {
	Field string `json:"field"`
	Order string `json:"order"` // asc or desc
}

func (o order) desc() bool { return o.Order == "desc" }

// listEntities is GET /entities: all of them at once unless a page is asked for.
func (c *call) listEntities() error {
	raw, err := parseFilters(c.query["filter"])
	if err != nil {
		return err
	}
	filter, err := parsePredicate(raw)
	if err != nil {
		return err
	}
	wanted, err := parseFields(c.query["fields"])
	if err != nil {
		return err
	}
	var by []order
	for _, item := range c.query["order"] {
		direction, field, ok := strings.Cut(item, ":")
		if !ok || field == "" || direction != "asc" && direction != "desc" {
			return inputError("Invalid order parameter \"%s\", expected \"<asc or desc>:<field name>\"", clip(item))
		}
		if by = append(by, order{field, direction}); len(by) > maxKeys {
			return inputError("Invalid order parameter, more than %d", maxKeys)
		}
	}
	page, err := c.page()
	if err != nil {
		return err
	}
	if page != nil {
		return c.listPage(filter, by, wanted, *page)
	}
	var s *index.Snapshot
	var records []*index.Record
	q := entityQuery{filter: filter, by: by}
	c.table.read(q.needs(), func(t *table) {
		s = t.at
		records = q.run(t, len(t.records)).records
	})
	c.stream(s, records, wanted)
	return nil
}

// streamChunk is how many bytes of entities are written at once.
const streamChunk = 64 << 10

// stream writes a list of entities, which may be the whole catalog.
func (c *call) stream(s *index.Snapshot, records []*index.Record, wanted *fields) {
	c.w.Header()["Content-Type"] = jsonType
	b := make([]byte, 0, streamChunk+16<<10)
	b = append(b, '[')
	for i, r := range records {
		if i > 0 {
			b = append(b, ',')
		}
		b = wanted.append(b, s, r, false)
		if len(b) >= streamChunk {
			if _, err := c.w.Write(b); err != nil {
				return // nobody is there to read it
			}
			b = b[:0]
		}
	}
	_, _ = c.w.Write(append(b, ']')) // as above
}

// maxRefs bounds the entities that one request names.
const maxRefs = 20_000

// entitiesByRefs is POST /entities/by-refs: null for what is not there.
func (c *call) entitiesByRefs() error {
	body, err := c.body()
	if err != nil {
		return err
	}
	refs, err := stringsOf(body, "entityRefs")
	if err != nil {
		return err
	}
	if refs == nil {
		return inputError("request/body must have required property 'entityRefs'")
	}
	if len(refs) > maxRefs {
		return inputError("request/body/entityRefs must NOT have more than %d items", maxRefs)
	}
	names, err := stringsOf(body, "fields")
	if err != nil {
		return err
	}
	wanted, err := parseFields(append(names, c.query["fields"]...))
	if err != nil {
		return err
	}
	raw, err := parseFilters(c.query["filter"])
	if err != nil {
		return err
	}
	var both cond
	for _, predicate := range [][]byte{raw, rawOf(body, "query")} {
		filter, err := parsePredicate(predicate)
		if err != nil {
			return err
		}
		if filter != nil {
			both.args = append(both.args, filter)
		}
	}
	s := c.view.snapshot()
	records := make([]*index.Record, len(refs))
	pick := func(s *index.Snapshot, keep func(*index.Record) bool) {
		for i, ref := range refs {
			// As in Backstage only the full form in lower case is found.
			parsed, err := catalog.ParseRef(ref, catalog.RefContext{})
			if err != nil || parsed.Key() != ref {
				continue
			}
			if r, ok := s.Get(parsed); ok && keep(r) {
				records[i] = r
			}
		}
	}
	if len(both.args) == 0 {
		pick(s, func(*index.Record) bool { return true })
	} else {
		c.table.read(both.needs(nil), func(t *table) {
			s = t.at
			sel := t.selected(&both)
			pick(s, func(r *index.Record) bool { return sel.Contains(r.Number()) })
		})
	}
	kept := pages.Get().(*[]byte)
	b := append((*kept)[:0], `{"items":[`...)
	for i, r := range records {
		if i > 0 {
			b = append(b, ',')
		}
		if r == nil {
			b = append(b, "null"...)
			continue
		}
		b = wanted.append(b, s, r, len(refs) <= maxKept)
	}
	b = append(b, "]}"...)
	c.send(http.StatusOK, b)
	if *kept = b; cap(b) <= maxPooled {
		pages.Put(kept)
	}
	return nil
}

// rawOf is a member as it is written, or nil.
func rawOf(body gjson.Result, name string) []byte {
	if v := body.Get(name); v.Exists() {
		return []byte(v.Raw)
	}
	return nil
}

// deleteByUID is DELETE /entities/by-uid. What a file declares comes back when that
// is read again, as in Backstage; an entity that only stands for a location cannot
// go without it.
func (c *call) deleteByUID() error {
	uid := strings.ToLower(c.path[2])
	if r, ok := c.view.index.Snapshot().ByUID(uid); ok && c.o.Delete != nil {
		if err := c.o.Delete(c.r.Context(), r.Entity.UID); err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
	}
	c.w.WriteHeader(http.StatusNoContent)
	return nil
}
