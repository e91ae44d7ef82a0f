package backstage

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/waypost-dev/waypost/server/index"
)

// page is a part of GET /entities.
type page struct {
	Limit  int `json:"limit,omitempty"` // 0 for none
	Offset int `json:"offset"`
}

// page is what a request asks for, or nil for everything.
func (c *call) page() (*page, error) {
	limit, limited, err := c.integer("limit")
	if err != nil {
		return nil, err
	}
	offset, skipped, err := c.integer("offset")
	if err != nil {
		return nil, err
	}
	switch after := c.query.Get("after"); {
	case skipped && offset < 0:
		return nil, inputError("Invalid offset, must be zero or greater")
	case limited && limit <= 0:
		return nil, inputError("Invalid limit, must be greater than zero")
	case c.query.Has("after"):
		if after == "" {
			return nil, inputError("Invalid after, must not be empty")
		}
		p := page{Limit: limit, Offset: offset}
		b, err := decodeBase64(after)
		if err != nil || json.Unmarshal(b, &p) != nil || p.Limit < 0 || p.Offset < 0 {
			return nil, inputError("Malformed after cursor, could not be parsed")
		}
		return &p, nil
	case limited || skipped:
		return &page{Limit: limit, Offset: offset}, nil
	}
	return nil, nil
}

// listPage answers GET /entities when a page is asked for: entities without a
// field to order by come last.
func (c *call) listPage(filter *cond, by []order, wanted *fields, p page) error {
	needs := []need{{key: refKey, sorted: true}}
	for i, o := range by {
		key := strings.ToLower(o.Field)
		if i == 0 {
			needs = []need{{key: key, sorted: true}, {key: byID, sorted: true}}
		} else if !slices.ContainsFunc(needs, func(n need) bool { return n.key == key }) {
			needs = append(needs, need{key: key})
		}
	}
	var s *index.Snapshot
	var records []*index.Record
	more := false
	c.table.read(filter.needs(needs), func(t *table) {
		s = t.at
		sel := t.live
		if filter != nil {
			sel = t.selected(filter)
		}
		skip := p.Offset
		for id := range t.ordered(sel, by) {
			if skip > 0 {
				skip--
				continue
			}
			if p.Limit > 0 && len(records) == p.Limit {
				more = true
				return
			}
			records = append(records, t.records[id])
		}
	})
	if more {
		next, err := json.Marshal(page{p.Limit, p.Offset + p.Limit})
		if err != nil {
			return fmt.Errorf("write a cursor: %w", err)
		}
		c.w.Header()["Link"] = []string{"<" + c.linkTo(base64.StdEncoding.EncodeToString(next)) + `>; rel="next"`}
	}
	if len(records) > maxKept {
		c.stream(s, records, wanted)
		return nil
	}
	b := []byte{'['}
	for i, r := range records {
		if i > 0 {
			b = append(b, ',')
		}
		b = wanted.append(b, s, r, true)
	}
	c.send(http.StatusOK, append(b, ']'))
	return nil
}

// linkTo is the address of this request with another after.
func (c *call) linkTo(after string) string {
	path, raw, _ := strings.Cut(c.url, "?")
	var out []string
	for pair := range strings.SplitSeq(raw, "&") {
		name, value, _ := strings.Cut(pair, "=")
		name, err := url.QueryUnescape(name)
		if err != nil || name == "" || name == "offset" || name == "after" {
			continue
		}
		if value, err = url.QueryUnescape(value); err == nil {
			out = append(out, url.QueryEscape(name)+"="+url.QueryEscape(value))
		}
	}
	out = append(out, "after="+url.QueryEscape(after))
	return path + "?" + strings.Join(out, "&")
}

// ordered yields a selection by several fields, those without a field last, then
// by uid; without a field by ref.
func (t *table) ordered(sel *roaring.Bitmap, by []order) func(func(uint32) bool) {
	return func(yield func(uint32) bool) {
		if len(by) == 0 {
			for _, id := range t.columns[refKey].sorted {
				if sel.Contains(id) && !yield(id) {
					return
				}
			}
			return
		}
		first := t.columns[strings.ToLower(by[0].Field)]
		group := make([]uint32, 0, 16)
		flush := func() bool {
			t.within(group, by[1:])
			for _, id := range group {
				if !yield(id) {
					return false
				}
			}
			group = group[:0]
			return true
		}
		down, last := by[0].desc(), ""
		at := 0
		if down {
			at = len(first.sorted) - 1
		}
		for ; at >= 0 && at < len(first.sorted); at = step(at, down) {
			id := first.sorted[at]
			if !sel.Contains(id) {
				continue
			}
			value, _ := first.value(id)
			if value != last && len(group) > 0 && !flush() {
				return
			}
			group, last = append(group, id), value
		}
		if !flush() {
			return
		}
		roaring.AndNot(sel, first.valued).Iterate(func(id uint32) bool { group = append(group, id); return true })
		flush()
	}
}

// within orders entities that are equal in the fields before.
func (t *table) within(ids []uint32, by []order) {
	slices.SortFunc(ids, func(a, b uint32) int {
		for _, o := range by {
			c := t.columns[strings.ToLower(o.Field)]
			x, okX := c.value(a)
			y, okY := c.value(b)
			switch {
			case okX && okY && x != y:
				if o.desc() {
					return strings.Compare(y, x)
				}
				return strings.Compare(x, y)
			case okX && !okY:
				return -1
			case okY && !okX:
				return 1
			}
		}
		return strings.Compare(t.records[a].Entity.UID, t.records[b].Entity.UID)
	})
}
