package backstage

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/waypost-dev/waypost/server/index"
)

// SearchPrefix is where Backstage's search is: the entities of the catalog, as the
// documents of its type software-catalog.
const SearchPrefix = "/api/search/query"

// Bounds of a search. The usual page and the largest are Backstage's.
const (
	usualResults = 25
	mostResults  = 100
	mostPages    = 200
	maxFacets    = 20 // filters, and values of one
)

const catalogType = "software-catalog"

// searchAsked is the query string of a search, which Backstage reads as qs does:
// filters[kind]=Component, types[0]=software-catalog.
type searchAsked struct {
	term    string
	filters map[string][]string
	types   []string
	limit   int
	page    int
}

var bracketed = regexp.MustCompile(`^(filters|types)((?:\[[^\[\]]*\]){1,2})$`)

func parseSearch(query url.Values) (searchAsked, error) {
	a := searchAsked{limit: usualResults, filters: map[string][]string{}}
	for name, values := range query {
		var err error
		switch name {
		case "term":
			a.term = values[0]
		case "types":
			a.types = append(a.types, values...)
		case "pageLimit":
			a.limit, err = strconv.Atoi(values[0])
			if err != nil || a.limit < 1 || a.limit > mostResults {
				return a, inputError("invalid query string: pageLimit must be a number from 1 to %d", mostResults)
			}
		case "pageCursor":
			a.page, err = searchPage(values[0])
			if err != nil {
				return a, err
			}
		default:
			m := bracketed.FindStringSubmatch(name)
			if m == nil {
				return a, inputError("invalid query string: unknown parameter %s", clip(name))
			}
			if m[1] == "types" {
				a.types = append(a.types, values...)
				continue
			}
			key, _, _ := strings.Cut(strings.TrimPrefix(m[2], "["), "]")
			a.filters[key] = append(a.filters[key], values...)
			if len(a.filters) > maxFacets || len(a.filters[key]) > maxFacets {
				return a, inputError("invalid query string: more than %d filters, or values of one", maxFacets)
			}
		}
	}
	return a, nil
}

// searchPage reads a cursor, which is the number of a page from 0, in base64.
func searchPage(cursor string) (int, error) {
	b, err := decodeBase64(cursor)
	if err != nil {
		return 0, inputError("invalid query string: the pageCursor is none of this API")
	}
	n, err := strconv.Atoi(string(b))
	if err != nil || n < 0 || n >= mostPages {
		return 0, inputError("invalid query string: the pageCursor is none of this API")
	}
	return n, nil
}

func searchCursor(page int) string {
	return base64.StdEncoding.EncodeToString([]byte(strconv.Itoa(page)))
}

// searchFields are where a document's members come from, for filters.
var searchFields = map[string]string{
	"kind": "entity.kind", "namespace": "entity.metadata.namespace",
	"type": "entity.spec.type", "componentType": "entity.spec.type", "lifecycle": "entity.spec.lifecycle", "owner": "entity.spec.owner",
}

// filter is CEL; ok is false if no document can match.
func (a searchAsked) filter() (cel string, ok bool) {
	var all []string
	for key, values := range a.filters {
		field, known := searchFields[key]
		if !known {
			return "", false
		}
		var any []string
		for _, v := range values {
			text, err := json.Marshal(v)
			if err != nil {
				return "", false
			}
			term := field + " == " + string(text)
			if key == "namespace" && v == "default" { // which goes without saying
				term = "(!has(entity.metadata.namespace) || " + term + ")"
			}
			any = append(any, term)
		}
		if len(any) > 0 {
			all = append(all, "("+strings.Join(any, " || ")+")")
		}
	}
	slices.Sort(all)
	return strings.Join(all, " && "), true
}

// searchDocument is an entity as Backstage's collator indexes it.
type searchDocument struct {
	Title         string `json:"title"`
	Text          string `json:"text"`
	ComponentType string `json:"componentType"`
	Type          string `json:"type"`
	Namespace     string `json:"namespace"`
	Kind          string `json:"kind"`
	Lifecycle     string `json:"lifecycle"`
	Owner         string `json:"owner"`
	Location      string `json:"location"`
}

func searchDocumentOf(r *index.Record) searchDocument {
	doc := gjson.ParseBytes(r.Entity.Document)
	name, namespace := doc.Get("metadata.name").String(), doc.Get("metadata.namespace").String()
	if namespace == "" {
		namespace = "default"
	}
	d := searchDocument{
		Title: doc.Get("metadata.title").String(), Text: doc.Get("metadata.description").String(), Type: doc.Get("spec.type").String(),
		Namespace: namespace, Kind: doc.Get("kind").String(), Lifecycle: doc.Get("spec.lifecycle").String(), Owner: doc.Get("spec.owner").String(),
	}
	if d.Title == "" {
		d.Title = name
	}
	if d.Type == "" {
		d.Type = "other"
	}
	d.ComponentType = d.Type
	if display := doc.Get("spec.profile.displayName").String(); display != "" && (strings.EqualFold(d.Kind, "User") || strings.EqualFold(d.Kind, "Group")) {
		d.Text += " : " + display
	}
	d.Location = strings.ToLower(fmt.Sprintf("/catalog/%s/%s/%s", url.PathEscape(namespace), url.PathEscape(d.Kind), url.PathEscape(name)))
	return d
}

type searchResult struct {
	Type      string           `json:"type"`
	Document  searchDocument   `json:"document"`
	Highlight *searchHighlight `json:"highlight,omitempty"`
	Rank      int              `json:"rank"`
}

// searchHighlight marks what was found, in the title and in the text.
type searchHighlight struct {
	PreTag  string            `json:"preTag"`
	PostTag string            `json:"postTag"`
	Fields  map[string]string `json:"fields"`
}

// Tags that no text holds by chance; a front end splits at them.
const (
	preTag  = "<waypost-5d3c9a35>"
	postTag = "</waypost-5d3c9a35>"
)

func highlighted(list []index.Highlight) *searchHighlight {
	h := &searchHighlight{PreTag: preTag, PostTag: postTag, Fields: map[string]string{}}
	for _, x := range list {
		field := map[string]string{"metadata.title": "title", "metadata.name": "title", "metadata.description": "text"}[x.Field]
		if field == "" || h.Fields[field] != "" && x.Field == "metadata.name" {
			continue
		}
		var b strings.Builder
		at := 0
		for _, r := range x.Ranges {
			b.WriteString(x.Text[at:r[0]] + preTag + x.Text[r[0]:r[1]] + postTag)
			at = r[1]
		}
		h.Fields[field] = b.String() + x.Text[at:]
	}
	if len(h.Fields) == 0 {
		return nil
	}
	return h
}

// search answers GET /api/search/query.
func (c *call) search() error {
	query, err := url.ParseQuery(c.r.URL.RawQuery)
	if err != nil {
		return inputError("invalid query string: %s", err)
	}
	asked, err := parseSearch(query)
	if err != nil {
		return err
	}
	out := struct {
		Results  []searchResult `json:"results"`
		Next     string         `json:"nextPageCursor,omitempty"`
		Previous string         `json:"previousPageCursor,omitempty"`
		Total    int            `json:"numberOfResults"`
	}{Results: []searchResult{}}
	filter, possible := asked.filter()
	if possible && (len(asked.types) == 0 || slices.Contains(asked.types, catalogType)) {
		hits, total, err := searchHits(c.view.index.Snapshot(), asked, filter)
		if q, ok := errors.AsType[*index.QueryError](err); ok {
			return inputError("invalid query string: %s", q.Reason)
		}
		if err != nil {
			return err
		}
		for i, hit := range hits {
			out.Results = append(out.Results, searchResult{catalogType, searchDocumentOf(hit.Record), highlighted(hit.Highlights), asked.page*asked.limit + i + 1})
		}
		out.Total = total
		if (asked.page+1)*asked.limit < total && asked.page+1 < mostPages {
			out.Next = searchCursor(asked.page + 1)
		}
	}
	if asked.page > 0 {
		out.Previous = searchCursor(asked.page - 1)
	}
	c.json(http.StatusOK, out)
	return nil
}

// searchHits is a page of hits: of everything, by ref, if nothing is searched for.
func searchHits(s *index.Snapshot, asked searchAsked, filter string) (hits []index.Hit, total int, err error) {
	if strings.TrimSpace(asked.term) == "" {
		token := ""
		for page := range asked.page + 1 {
			list, err := s.List(index.Query{Filter: filter, Size: asked.limit, Token: token})
			if err != nil {
				return nil, 0, err
			}
			hits, token, total = nil, list.Next, list.Total
			for _, r := range list.Records {
				hits = append(hits, index.Hit{Record: r})
			}
			if token == "" && page < asked.page {
				return nil, total, nil // it is beyond the last one
			}
		}
		return hits, total, nil
	}
	token := ""
	for page := range asked.page + 1 {
		got, err := s.Search(index.Search{Text: asked.term, Filter: filter, Size: asked.limit, Token: token})
		if err != nil {
			return nil, 0, err
		}
		hits, token, total = got.Hits, got.Next, got.Total
		if token == "" && page < asked.page {
			return nil, total, nil
		}
	}
	return hits, total, nil
}
