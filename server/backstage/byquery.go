package backstage

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/tidwall/gjson"

	"github.com/waypost-dev/waypost/server/index"
)

const (
	defaultLimit = 200
	// maxLimit bounds a page. Backstage has no bound; a client goes on with the
	// cursor.
	maxLimit  = 10_000
	maxCursor = 64 << 10
)

// cursor is the state of a query between two pages, in base64 of JSON. The
// JavaScript client reads it: if there is a query in it, it asks for the next
// page with POST.
type cursor struct {
	OrderFields []order         `json:"orderFields"`
	IsPrevious  bool            `json:"isPrevious"`
	Query       json.RawMessage `json:"query,omitempty"`
	FullText    *fullText       `json:"fullTextFilter,omitempty"`
	Values      []*string       `json:"orderFieldValues"`
	First       []*string       `json:"firstSortFieldValues,omitempty"`
	Total       *int            `json:"totalItems,omitempty"`
}

type fullText struct {
	Term   string   `json:"term"`
	Fields []string `json:"fields,omitempty"`
}

func (c *cursor) encode() (string, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(c); err != nil {
		return "", err
	}
	return base64.StdEncoding.EncodeToString(bytes.TrimSuffix(b.Bytes(), []byte("\n"))), nil
}

func decodeCursor(s string) (*cursor, error) {
	if len(s) > maxCursor {
		return nil, inputError("Malformed cursor: it is too long")
	}
	b, err := decodeBase64(s)
	if err != nil || !gjson.ValidBytes(b) {
		return nil, inputError("Malformed cursor: it is not JSON in base64")
	}
	var c cursor
	if err := json.Unmarshal(b, &c); err != nil {
		return nil, inputError("Malformed cursor: %s", err)
	}
	if c.OrderFields == nil || len(c.Values) == 0 || len(c.Values) > 2 || (len(c.Values) == 1) != (len(c.OrderFields) == 0) {
		return nil, inputError("Malformed cursor: orderFields and orderFieldValues do not agree")
	}
	for _, o := range c.OrderFields {
		if o.Order != "asc" && o.Order != "desc" {
			return nil, inputError("Malformed cursor: the order is neither asc nor desc")
		}
	}
	return &c, nil
}

// decodeBase64 reads both alphabets, with or without padding, as Node does.
func decodeBase64(s string) ([]byte, error) {
	s = strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(s, "="))
	return base64.RawStdEncoding.DecodeString(s)
}

// asked is a query as a request has it, in either form.
type asked struct {
	cursor   string
	filter   []byte // a predicate; nil for none
	by       []order
	text     *fullText
	fields   *fields
	limit    int
	offset   int
	noTotals bool
}

func (c *call) queryGET() error {
	a := asked{limit: defaultLimit}
	if err := c.limits(&a); err != nil {
		return err
	}
	var err error
	if a.fields, err = parseFields(c.query["fields"]); err != nil {
		return err
	}
	if a.cursor = c.query.Get("cursor"); a.cursor != "" {
		return c.queryEntities(a)
	}
	if a.filter, err = parseFilters(c.query["filter"]); err != nil {
		return err
	}
	for _, item := range c.query["orderField"] {
		field, rest, _ := strings.Cut(item, ",")
		direction, _, _ := strings.Cut(rest, ",")
		switch {
		case direction == "" && !strings.Contains(item, ","):
			direction = "asc"
		case direction != "asc" && direction != "desc":
			return inputError("Invalid order field order, must be asc or desc")
		}
		a.by = append(a.by, order{field, direction})
	}
	if a.noTotals, err = totals(c.query.Get("totalItems"), c.query.Has("totalItems"), "parameter"); err != nil {
		return err
	}
	a.text = &fullText{Term: c.query.Get("fullTextFilterTerm")}
	for _, list := range c.query["fullTextFilterFields"] {
		a.text.Fields = append(a.text.Fields, strings.Split(list, ",")...)
	}
	return c.queryEntities(a)
}

func totals(value string, given bool, what string) (without bool, err error) {
	if given && value != "include" && value != "exclude" {
		return false, inputError("Invalid totalItems %s \"%s\", expected one of: include, exclude", what, clip(value))
	}
	return value == "exclude", nil
}

func (c *call) limits(a *asked) error {
	for name, to := range map[string]*int{"limit": &a.limit, "offset": &a.offset} {
		n, ok, err := c.integer(name)
		if err != nil {
			return err
		}
		if ok && n < 0 {
			return inputError("request/query/%s must be >= 0", name)
		}
		if ok {
			*to = n
		}
	}
	return nil
}

func (c *call) queryPOST() error {
	body, err := c.body()
	if err != nil {
		return err
	}
	a := asked{limit: defaultLimit}
	if a.limit, err = whole(body, "limit", defaultLimit); err != nil {
		return err
	}
	if a.offset, err = whole(body, "offset", 0); err != nil {
		return err
	}
	names, err := stringsOf(body, "fields")
	if err != nil {
		return err
	}
	if a.fields, err = parseFields(names); err != nil {
		return err
	}
	if x := body.Get("cursor"); x.Exists() {
		if x.Type != gjson.String {
			return inputError("request/body/cursor must be string")
		}
		if a.cursor = x.Str; a.cursor == "" {
			return inputError("Cursor cannot be empty")
		}
		return c.queryEntities(a)
	}
	if x := body.Get("query"); x.Exists() {
		a.filter = []byte(x.Raw)
	}
	if x := body.Get("orderBy"); x.Exists() {
		if !x.IsArray() {
			return inputError("request/body/orderBy must be array")
		}
		for _, o := range x.Array() {
			field, direction := o.Get("field"), o.Get("order").String()
			if field.Type != gjson.String {
				return inputError("request/body/orderBy/0 must have required property 'field'")
			}
			if direction != "asc" && direction != "desc" {
				return inputError("Invalid order field order, must be asc or desc")
			}
			a.by = append(a.by, order{field.Str, direction})
		}
	}
	if x := body.Get("fullTextFilter"); x.IsObject() {
		a.text = &fullText{Term: x.Get("term").String()}
		if a.text.Fields, err = stringsOf(x, "fields"); err != nil {
			return err
		}
	}
	x := body.Get("totalItems")
	if a.noTotals, err = totals(x.String(), x.Exists(), "value"); err != nil {
		return err
	}
	return c.queryEntities(a)
}

// queryEntities answers both forms of by-query.
func (c *call) queryEntities(a asked) error {
	at := &cursor{OrderFields: a.by, Query: a.filter, FullText: a.text}
	if a.cursor != "" {
		var err error
		if at, err = decodeCursor(a.cursor); err != nil {
			return err
		}
		a.offset = 0
	} else if at.Query != nil {
		var compact bytes.Buffer
		if err := json.Compact(&compact, at.Query); err == nil {
			at.Query = compact.Bytes()
		}
	}
	if at.OrderFields == nil {
		at.OrderFields = []order{}
	}
	filter, err := parsePredicate(at.Query)
	if err != nil {
		return err
	}
	q := entityQuery{filter: filter, by: at.OrderFields, backward: at.IsPrevious, offset: a.offset, count: at.Total == nil && !a.noTotals}
	for _, v := range at.Values {
		if v == nil {
			q.values = nil // the page before was empty
			break
		}
		q.values = append(q.values, *v)
	}
	if at.FullText != nil {
		if err := q.setTerm(at.FullText); err != nil {
			return err
		}
	}
	limit := min(a.limit, maxLimit)
	var s *index.Snapshot
	var got found
	c.table.read(q.needs(), func(t *table) {
		s = t.at
		got = q.run(t, limit)
	})
	total := got.total
	if at.Total != nil {
		total = *at.Total
	}
	first := at.First
	if first == nil {
		first = got.first
	}
	var next, previous string
	if limit > 0 && (q.backward || got.more) && len(got.records) > 0 {
		n := *at
		n.Values, n.First, n.IsPrevious, n.Total = got.last, first, false, &total
		if next, err = n.encode(); err != nil {
			return err
		}
	}
	if at.First != nil && len(got.records) > 0 && !slices.EqualFunc(got.first, at.First, samePointed) {
		p := *at
		p.Values, p.IsPrevious, p.Total = got.first, true, &total
		if previous, err = p.encode(); err != nil {
			return err
		}
	}
	tail, err := json.Marshal(struct {
		Total int `json:"totalItems"`
		Page  struct {
			Next     string `json:"nextCursor,omitempty"`
			Previous string `json:"prevCursor,omitempty"`
		} `json:"pageInfo"`
	}{Total: total, Page: struct {
		Next     string `json:"nextCursor,omitempty"`
		Previous string `json:"prevCursor,omitempty"`
	}{next, previous}})
	if err != nil {
		return err
	}
	kept := pages.Get().(*[]byte)
	b := append((*kept)[:0], `{"items":[`...)
	for i, r := range got.records {
		if i > 0 {
			b = append(b, ',')
		}
		b = a.fields.append(b, s, r, len(got.records) <= maxKept)
	}
	b = append(append(b, "],"...), tail[1:]...)
	c.send(http.StatusOK, b) // which keeps nothing of it
	if *kept = b; cap(b) <= maxPooled {
		pages.Put(kept)
	}
	return nil
}

// pages are buffers that answers are written in, again and again: a page of 20 is
// 50 kB, which is more garbage than all else of a request. Larger ones than
// maxPooled are not kept.
var pages = sync.Pool{New: func() any { return new([]byte) }}

const maxPooled = 1 << 20

// maxKept is the most entities of an answer of which the rendered forms are
// kept: larger ones would push out what is asked for more often.
const maxKept = 500

func samePointed(a, b *string) bool { return a == b || a != nil && b != nil && *a == *b }

func (q *entityQuery) setTerm(f *fullText) error {
	q.term = strings.ToLower(strings.TrimSpace(f.Term))
	if len(f.Fields) > maxKeys {
		return inputError("Invalid full text filter, more than %d fields", maxKeys)
	}
	for _, name := range f.Fields {
		q.termFields = append(q.termFields, strings.ToLower(name))
	}
	if f.Fields == nil {
		q.termFields = []string{q.key()}
	}
	return nil
}
