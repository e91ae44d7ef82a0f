package api

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	catalogv1 "github.com/waypost-dev/waypost/proto/waypost/catalog/v1"
	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/descriptor"
	"github.com/waypost-dev/waypost/server/harvest"
	"github.com/waypost-dev/waypost/server/index"
	"github.com/waypost-dev/waypost/server/plan"
	"github.com/waypost-dev/waypost/server/source"
	"github.com/waypost-dev/waypost/server/source/reach"
	"github.com/waypost-dev/waypost/server/store"
)

// planService implements PlanService.
type planService struct {
	catalogv1.UnimplementedPlanServiceServer
	index    *index.Index
	store    *store.Store
	engine   *harvest.Engine
	problems *problems
	schemas  *catalog.Schemas
}

// PlanChanges compares documents, or a branch, with the catalog.
func (p *planService) PlanChanges(ctx context.Context, req *catalogv1.PlanChangesRequest) (*catalogv1.PlanChangesResponse, error) {
	if req.Ref != "" && (req.Repository == "" || len(req.Documents)+len(req.RemovedPaths) > 0) {
		return nil, badField("ref", "NOT_TOGETHER", "a branch needs a repository, and takes the place of documents and removed_paths")
	}
	if req.Complete && req.Repository == "" {
		return nil, badField("complete", "NEEDS_REPOSITORY", "documents are complete for a repository; name it in repository")
	}
	s := p.index.Snapshot()
	at, err := p.place(ctx, req)
	if err != nil {
		return nil, err
	}
	proposal := plan.Proposal{
		Source: at.source, Repository: at.kept.Name, Complete: req.Complete, RemovedPaths: req.RemovedPaths, Documents: map[string]plan.Document{},
	}
	documents := make([]source.Document, len(req.Documents))
	for i, d := range req.Documents {
		documents[i] = source.Document{Path: cmp.Or(d.Path, fmt.Sprintf("documents[%d]", i)), Content: d.Content}
	}
	if err := include(documents, req.Includes); err != nil {
		return nil, err
	}
	repository := harvest.RepositoryOf(at.kept)
	var problems []catalog.Problem // of the repository
	if req.Ref != "" {
		branch, err := p.branch(ctx, at, req.Ref)
		if err != nil {
			return nil, err
		}
		// What stands on the branch is read as if it stood where the catalog reads it.
		documents, repository.Commit, proposal.Complete = branch.Documents, branch.Commit, true
		problems = branch.Problems
	}
	if req.Ref == "" {
		for path, d := range at.kept.Documents {
			if reach.Elsewhere(d.Hash) { // who sends documents sends none of other hosts
				proposal.KeptPaths = append(proposal.KeptPaths, path)
			}
		}
	}
	for _, d := range documents {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if d.Problem != nil { // what is known of it stays
			proposal.Documents[d.Path] = plan.Document{Problems: []catalog.Problem{*d.Problem}, AllBroken: true}
			continue
		}
		file := harvest.FileOf(at.source, repository, d)
		if at.source == "" { // it stands nowhere yet
			file = descriptor.File{Path: d.Path, Content: d.Content, Location: "file:" + d.Path, Include: file.Include}
		}
		file.Schemas, file.Allow = p.schemas, at.config.Allow
		decoded := descriptor.Decode(file)
		doc := plan.Document{Entities: decoded.Entities, Problems: decoded.Problems}
		doc.Broken, doc.AllBroken = harvest.Broken(decoded)
		for i := range doc.Problems {
			q := &doc.Problems[i]
			q.Source, q.Repository, q.Path = cmp.Or(q.Source, at.source), cmp.Or(q.Repository, at.kept.Name), cmp.Or(q.Path, d.Path)
		}
		proposal.Documents[d.Path] = doc
	}
	if at.source != "" && !at.config.NoInference && nothingLeft(at.kept, proposal) {
		proposal.Inferred = harvest.Inferred(at.source, at.kept)
	}
	made := plan.Make(s, proposal)
	made.Problems = append(made.Problems, problems...)
	if err := p.mended(ctx, made, proposal); err != nil {
		return nil, err
	}
	return planMessage(made)
}

// include gives documents the files that their placeholders name.
func include(documents []source.Document, files []*catalogv1.Include) error {
	at := make(map[string]*source.Document, len(documents))
	for i := range documents {
		at[documents[i].Path] = &documents[i]
	}
	for i, f := range files {
		d := at[f.DocumentPath]
		if d == nil {
			return badField(fmt.Sprintf("includes[%d].document_path", i), "NO_DOCUMENT", "there is no such document among those that are sent")
		}
		one := source.Include{From: f.FromPath, Target: f.Target, Path: f.Path, Content: f.Content}
		if q := f.Problem; q != nil {
			one.Content = nil
			one.Problem = &catalog.Problem{Code: cmp.Or(catalog.Code(q.Code), catalog.CodeUnreadable), Message: q.Message, Hint: q.Hint}
		}
		d.Includes = append(d.Includes, one)
	}
	return nil
}

// place is where the proposed documents stand.
type place struct {
	source string // empty if they belong to no repository that is known
	config harvest.Config
	kept   store.Repository
}

// place finds the repository of a request.
func (p *planService) place(ctx context.Context, req *catalogv1.PlanChangesRequest) (place, error) {
	if req.Repository == "" {
		return place{}, nil
	}
	// Those of the database, which may hold more than what is configured here.
	names, err := p.store.Sources(ctx)
	if err != nil {
		return place{}, err
	}
	var found []place
	for _, name := range names {
		if req.Source != "" && name != req.Source {
			continue
		}
		id, err := p.store.RepositoryID(ctx, name, req.Repository)
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return place{}, fmt.Errorf("find repository %s: %w", req.Repository, err)
		}
		kept, err := p.store.Repository(ctx, name, id)
		if err != nil {
			return place{}, fmt.Errorf("find repository %s: %w", req.Repository, err)
		}
		config, _ := p.engine.Configured(name)
		found = append(found, place{name, config, kept})
	}
	switch {
	case len(found) == 1:
		return found[0], nil
	case len(found) > 1:
		var names []string
		for _, f := range found {
			names = append(names, f.source)
		}
		return place{}, badField("source", "AMBIGUOUS", "several sources have the repository; name one of "+strings.Join(names, ", "))
	case req.Ref != "":
		return place{}, notFound("waypost.dev/Repository", req.Repository, "no source has the repository "+req.Repository)
	}
	// A repository that the catalog has not seen yet: all of it is new.
	return place{kept: store.Repository{Name: req.Repository}}, nil
}

// branch reads another branch of a repository.
func (p *planService) branch(ctx context.Context, at place, ref string) (source.Repository, error) {
	parts, ok := at.config.Source.(source.Brancher)
	if !ok {
		return source.Repository{}, status.Errorf(codes.FailedPrecondition, "%s cannot read other branches; send the documents", at.source)
	}
	other, err := parts.OnBranch(ref)
	if err != nil {
		return source.Repository{}, badField("ref", "NO_BRANCH", err.Error())
	}
	read, err := harvest.Read(ctx, other, source.Scope{Repositories: []source.Pointer{{ID: at.kept.ID, Name: at.kept.Name}}})
	if err != nil {
		return source.Repository{}, status.Errorf(codes.Unavailable, "cannot read branch %s of %s: %v", ref, at.kept.Name, err)
	}
	if read[0].Commit == "" {
		return source.Repository{}, notFound("waypost.dev/Branch", ref, at.kept.Name+" has no branch "+ref)
	}
	return read[0], nil
}

// nothingLeft tells whether the repository would have no document at all.
func nothingLeft(kept store.Repository, p plan.Proposal) bool {
	if len(p.Documents) > 0 {
		return false
	}
	for path := range kept.Documents {
		if !p.Replaces(path) {
			return false
		}
	}
	return true
}

// planned are the problems that a plan finds while it decodes. It neither asks
// plugins, whose problems have codes of their own, nor leaves relations to this:
// the index tells which of those dangle.
var planned = map[catalog.Code]bool{
	catalog.CodeSyntax: true, catalog.CodeTooLarge: true, catalog.CodeEncoding: true, catalog.CodeDuplicateKey: true,
	catalog.CodeEnvelope: true, catalog.CodeField: true, catalog.CodeSpec: true, catalog.CodeReference: true,
	catalog.CodeUnknownKind: true, catalog.CodeUnreadable: true, catalog.CodeConflict: true, catalog.CodeDuplicateRef: true,
	catalog.CodeTemplate: true, catalog.CodeNotAllowed: true,
}

// mended adds what is wrong now with the documents and would not be any more.
func (p *planService) mended(ctx context.Context, made *plan.Plan, proposal plan.Proposal) error {
	if proposal.Source == "" {
		return nil
	}
	now, err := p.problems.all(ctx)
	if err != nil {
		return err
	}
	same := func(a, b catalog.Problem) bool {
		return a.Code == b.Code && a.Path == b.Path && a.Entity == b.Entity && a.Field == b.Field
	}
	for _, q := range now {
		if q.Source != proposal.Source || q.Repository != proposal.Repository || q.Path == "" || !planned[q.Code] || !proposal.Replaces(q.Path) {
			continue
		}
		if !slices.ContainsFunc(made.Problems, func(o catalog.Problem) bool { return same(q, o) }) {
			made.Mended = append(made.Mended, q)
		}
	}
	return nil
}

func planMessage(made *plan.Plan) (*catalogv1.PlanChangesResponse, error) {
	out := &catalogv1.PlanChangesResponse{Unchanged: int32(made.Unchanged), Revision: int64(made.Revision)}
	for _, c := range made.Changes {
		m := &catalogv1.PlannedChange{EntityRef: refString(c.Ref)}
		shown := c.After
		switch c.Op {
		case plan.Added:
			m.Op = catalogv1.EntityRevision_OP_ADDED
		case plan.Changed:
			m.Op = catalogv1.EntityRevision_OP_CHANGED
		case plan.Removed:
			m.Op, shown = catalogv1.EntityRevision_OP_REMOVED, c.Before
		}
		if c.RenamedFrom != nil {
			m.RenamedRef = refString(*c.RenamedFrom)
		}
		m.Entity = typedForm(shown)
		var err error
		if c.Before != nil && c.After != nil {
			if m.Changes, err = fieldChanges(c.Before, c.After); err != nil {
				return nil, err
			}
		}
		m.RelationsAdded, m.RelationsRemoved = relationMessages(c.RelationsAdded), relationMessages(c.RelationsRemoved)
		out.Changes = append(out.Changes, m)
	}
	for _, q := range made.Problems {
		out.Problems = append(out.Problems, problemMessage(q))
	}
	for _, q := range made.Mended {
		out.Mended = append(out.Mended, problemMessage(q))
	}
	return out, nil
}
