package backstage

import (
	"net/http"
	"strings"

	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/index"
)

func (c *call) entityByName() error {
	kind, namespace, name := c.path[2], c.path[3], c.path[4]
	s := c.o.Index.Snapshot()
	r, ok := s.Get(catalog.Ref{Kind: kind, Namespace: namespace, Name: name})
	if !ok {
		return notFound("No entity named '%s' found, with kind '%s' in namespace '%s'", clip(name), clip(kind), clip(namespace))
	}
	c.send(http.StatusOK, entityJSON(s, r))
	return nil
}

func (c *call) entityByUID() error {
	s := c.o.Index.Snapshot()
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
