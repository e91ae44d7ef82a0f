package api

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/tidwall/gjson"

	catalogv1 "github.com/waypost-dev/waypost/proto/waypost/catalog/v1"
	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/index"
)

// Bounds and defaults of facets and graphs.
const (
	defaultFacetValues = 100
	maxFacetValues     = 1000
	defaultGraphNodes  = 500
)

// appendString writes a text in JSON. Most texts hold nothing to escape.
func appendString(b []byte, s string) []byte {
	for i := range len(s) {
		if escapes[s[i]] {
			return gjson.AppendJSONString(b, s)
		}
	}
	return append(append(append(b, '"'), s...), '"')
}

// escapes are the bytes that a JSON string does not hold as they are, or may not.
var escapes = func() (e [256]bool) {
	for c := range e {
		e[c] = c < ' ' || c >= 0x7f || strings.ContainsRune(`"\<>&`, rune(c))
	}
	return e
}()

func (c *catalogService) QueryFacets(ctx context.Context, req *catalogv1.QueryFacetsRequest) (*catalogv1.QueryFacetsResponse, error) {
	s, err := c.at(ctx, req.MinRevision, append(slices.Clip(req.Fields), req.Filter)...)
	if err != nil {
		return nil, err
	}
	facets, total, err := s.Facets(req.Filter, req.Fields, pageSize(req.Limit, defaultFacetValues, maxFacetValues))
	if err != nil {
		return nil, err
	}
	out := &catalogv1.QueryFacetsResponse{}
	if f, gateway := formOf(ctx); f == formJSON {
		o := object{b: gateway.startJSON()}
		o.list("facets", len(facets), func(b []byte, i int) []byte { return appendFacet(b, facets[i]) })
		o.int("totalSize", total)
		gateway.endJSON(o.end(), out)
		return out, nil
	}
	out.TotalSize = int32(total)
	for _, f := range facets {
		values := make([]catalogv1.FacetValue, len(f.Values)) // one allocation for all
		facet := &catalogv1.Facet{Field: f.Field, More: int32(f.More), Values: make([]*catalogv1.FacetValue, len(f.Values))}
		for i, v := range f.Values {
			values[i].Value, values[i].Count = v.Value, int32(v.Count)
			facet.Values[i] = &values[i]
		}
		out.Facets = append(out.Facets, facet)
	}
	return out, nil
}

func appendFacet(b []byte, f index.Facet) []byte {
	o := object{b: b}
	o.string("field", f.Field)
	o.list("values", len(f.Values), func(b []byte, i int) []byte {
		v := object{b: b}
		v.string("value", f.Values[i].Value)
		v.int("count", f.Values[i].Count)
		return v.end()
	})
	o.int("more", f.More)
	return o.end()
}

func (c *catalogService) SearchEntities(ctx context.Context, req *catalogv1.SearchEntitiesRequest) (*catalogv1.SearchEntitiesResponse, error) {
	keep, err := parseMask(req.ReadMask)
	if err != nil {
		return nil, err
	}
	s, err := c.at(ctx, req.MinRevision, req.Filter)
	if err != nil {
		return nil, err
	}
	query := index.Search{
		Text: req.Query, Filter: req.Filter, Token: req.PageToken,
		Size: pageSize(req.PageSize, defaultSearch, index.MaxPage),
	}
	found, err := s.Search(query)
	if n := fittingHits(found.Hits); err == nil && n < len(found.Hits) {
		query.Size = n
		found, err = s.Search(query)
	}
	if err != nil {
		return nil, err
	}
	out := &catalogv1.SearchEntitiesResponse{}
	f, gateway := formOf(ctx)
	if f == formJSON && keep == nil {
		o := object{b: gateway.startJSON()}
		o.list("results", len(found.Hits), func(b []byte, i int) []byte { return appendHit(b, s, found.Hits[i]) })
		o.string("nextPageToken", found.Next)
		o.int("totalSize", found.Total)
		gateway.endJSON(o.end(), out)
		return out, nil
	}
	out.NextPageToken, out.TotalSize = found.Next, int32(found.Total)
	out.Results = typedHits(found.Hits)
	entities := make([]catalogv1.Entity, len(found.Hits)) // one allocation
	for i, h := range found.Hits {
		if keep != nil || f == formTyped {
			out.Results[i].Entity = maskedEntity(s, h.Record, keep)
		} else {
			out.Results[i].Entity = wireEntity(&entities[i], s, h.Record)
		}
	}
	return out, nil
}

func fittingHits(hits []index.Hit) int {
	return fitting(len(hits), func(i int) int {
		n := len(hits[i].Record.Entity.Document)
		for _, l := range hits[i].Highlights {
			n += len(l.Text)
		}
		return n
	})
}

// typedHits are results without their entities. Messages of a kind lie in one
// allocation: a page has hundreds.
func typedHits(hits []index.Hit) []*catalogv1.SearchResult {
	nhighlights, nranges := 0, 0
	for _, h := range hits {
		nhighlights += len(h.Highlights)
		for _, l := range h.Highlights {
			nranges += len(l.Ranges)
		}
	}
	results := make([]catalogv1.SearchResult, len(hits))
	highlights, highlightRefs := make([]catalogv1.Highlight, nhighlights), make([]*catalogv1.Highlight, nhighlights)
	ranges, rangeRefs := make([]catalogv1.Highlight_Range, nranges), make([]*catalogv1.Highlight_Range, nranges)
	out := make([]*catalogv1.SearchResult, len(hits))
	for i, h := range hits {
		out[i] = &results[i]
		out[i].Score = h.Score
		n := len(h.Highlights)
		out[i].Highlights, highlightRefs = highlightRefs[:n:n], highlightRefs[n:]
		for j, l := range h.Highlights {
			highlight := &highlights[j]
			highlight.Field, highlight.Text = l.Field, l.Text
			n := len(l.Ranges)
			highlight.Ranges, rangeRefs = rangeRefs[:n:n], rangeRefs[n:]
			for k, r := range l.Ranges {
				ranges[k].Start, ranges[k].End = int32(r[0]), int32(r[1])
				highlight.Ranges[k] = &ranges[k]
			}
			ranges = ranges[n:]
			out[i].Highlights[j] = highlight
		}
		highlights = highlights[n:]
	}
	return out
}

func appendHit(b []byte, s *index.Snapshot, h index.Hit) []byte {
	o := object{b: b}
	o.key("entity")
	o.b = appendJSON(o.b, s, h.Record)
	o.float("score", h.Score)
	o.list("highlights", len(h.Highlights), func(b []byte, i int) []byte {
		l := h.Highlights[i]
		o := object{b: b}
		o.string("field", l.Field)
		o.string("text", l.Text)
		o.list("ranges", len(l.Ranges), func(b []byte, i int) []byte {
			o := object{b: b}
			o.int("start", l.Ranges[i][0])
			o.int("end", l.Ranges[i][1])
			return o.end()
		})
		return o.end()
	})
	return o.end()
}

func (c *catalogService) GetGraph(ctx context.Context, req *catalogv1.GetGraphRequest) (*catalogv1.GetGraphResponse, error) {
	q := index.GraphQuery{
		Depth: pageSize(req.Depth, 1, index.MaxDepth),
		Types: req.RelationTypes, Kinds: req.Kinds,
		Limit: pageSize(req.Limit, defaultGraphNodes, index.MaxNodes),
	}
	for i, root := range req.Roots {
		ref, err := catalog.ParseRef(root, catalog.RefContext{})
		if err != nil {
			return nil, badField(fmt.Sprintf("roots[%d]", i), "INVALID_REF", err.Error())
		}
		q.Roots = append(q.Roots, ref)
	}
	s, err := c.at(ctx, req.MinRevision)
	if err != nil {
		return nil, err
	}
	g, err := s.Graph(q)
	if err != nil {
		return nil, err
	}
	out := &catalogv1.GetGraphResponse{Truncated: g.Truncated}
	for _, n := range g.Nodes {
		node := &catalogv1.GraphNode{Ref: refString(n.Ref), Exists: n.Record != nil, Distance: int32(n.Distance)}
		if n.Record != nil {
			found := gjson.GetManyBytes(n.Record.Entity.Document, "metadata.title", "spec.type")
			node.Title, node.Type = text(found[0]), text(found[1])
		}
		out.Nodes = append(out.Nodes, node)
	}
	for _, e := range g.Edges {
		out.Edges = append(out.Edges, &catalogv1.GraphEdge{SourceRef: refString(e.Source), TargetRef: refString(e.Target), Type: e.Type})
	}
	return out, nil
}

// text is a JSON string's value; anything else has none.
func text(v gjson.Result) string {
	if v.Type != gjson.String {
		return ""
	}
	return v.Str
}
