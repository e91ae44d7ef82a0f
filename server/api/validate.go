package api

import (
	"context"
	"fmt"
	"slices"

	catalogv1 "github.com/waypost-dev/waypost/proto/waypost/catalog/v1"
	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/descriptor"
)

// ValidateDocuments decodes the documents as a harvest would, and checks that
// what they refer to is among them or in the catalog.
func (c *catalogService) ValidateDocuments(ctx context.Context, req *catalogv1.ValidateDocumentsRequest) (*catalogv1.ValidateDocumentsResponse, error) {
	type declared struct {
		entity *catalog.Entity
		path   string
	}
	var found []declared
	var list []catalog.Problem
	first := map[string]string{} // the path that declares a ref first
	for i, d := range req.Documents {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		path := d.Path
		if path == "" {
			path = fmt.Sprintf("documents[%d]", i)
		}
		decoded := descriptor.Decode(descriptor.File{Path: path, Content: d.Content, Location: "file:" + path, Schemas: c.schemas})
		for _, p := range decoded.Problems {
			if p.Path == "" {
				p.Path = path
			}
			list = append(list, p)
		}
		for _, e := range decoded.Entities {
			if other, taken := first[e.Ref.Key()]; taken {
				list = append(list, catalog.Problem{
					Code: catalog.CodeConflict, Severity: catalog.SeverityError,
					Path: path, Line: e.Origin.Line, Entity: e.Ref.String(),
					Message: fmt.Sprintf("%s is declared by %s too", refString(e.Ref), other),
					Hint:    "give one of them another name, or remove it",
				})
				continue
			}
			first[e.Ref.Key()] = path
			found = append(found, declared{e, path})
		}
	}
	s := c.index.Snapshot()
	out := &catalogv1.ValidateDocumentsResponse{}
	for _, d := range found {
		out.EntityRefs = append(out.EntityRefs, refString(d.entity.Ref))
		for _, r := range d.entity.Relations {
			if _, ok := first[r.Target.Key()]; ok {
				continue
			}
			if _, ok := s.Get(r.Target); ok {
				continue
			}
			list = append(list, catalog.Problem{
				Code: catalog.CodeDangling, Severity: catalog.SeverityWarning,
				Path: d.path, Line: r.Line, Column: r.Column, Entity: d.entity.Ref.String(), Field: r.Field,
				Message: fmt.Sprintf("%s names %s, which is neither among these documents nor in the catalog", r.Field, refString(r.Target)),
				Hint:    "correct the reference, or add a document that declares " + refString(r.Target),
			})
		}
	}
	slices.Sort(out.EntityRefs)
	slices.SortStableFunc(list, compareProblems)
	for _, p := range list {
		out.Problems = append(out.Problems, problemMessage(p))
	}
	return out, nil
}
