package service

import (
	"cmp"
	"context"
	"encoding/json"
	"net/url"
	"path"
	"slices"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/waypost-dev/waypost/plugins"
	"github.com/waypost-dev/waypost/plugins/ownership"
	ownershipv1 "github.com/waypost-dev/waypost/proto/waypost/ownership/v1"
	"github.com/waypost-dev/waypost/server/catalog"
)

// whereabouts reads owner/name, or the address of a repository or of a file in
// it, as people copy them from GitHub or from git.
func whereabouts(text string) (repository, file string, ok bool) {
	text = strings.TrimSpace(text)
	if at := strings.LastIndexByte(text, '@'); at >= 0 && !strings.Contains(text, "://") {
		// git@github.com:owner/name.git
		_, text, _ = strings.Cut(text[at:], ":")
	} else if strings.Contains(text, "://") {
		u, err := url.Parse(text)
		if err != nil {
			return "", "", false
		}
		text = u.Path
	}
	parts := strings.Split(strings.Trim(text, "/"), "/")
	if len(parts) < 2 || parts[0] == "" || parts[1] == "" {
		return "", "", false
	}
	repository = parts[0] + "/" + strings.TrimSuffix(parts[1], ".git")
	rest := parts[2:]
	if len(rest) > 0 && rest[0] == "-" { // GitLab's
		rest = rest[1:]
	}
	if len(rest) > 2 && slices.Contains([]string{"blob", "tree", "blame", "raw", "edit"}, rest[0]) {
		file = strings.Join(rest[2:], "/")
	}
	return repository, file, true
}

// FindOwner implements OwnershipService.
func (p *Plugin) FindOwner(ctx context.Context, req *ownershipv1.FindOwnerRequest) (*ownershipv1.FindOwnerResponse, error) {
	name, file, ok := whereabouts(req.Repository)
	if !ok {
		return nil, status.Errorf(codes.InvalidArgument, "repository: %.200q is neither owner/name nor an address of a repository", req.Repository)
	}
	if req.Path != "" {
		file = req.Path
	}
	file = strings.Trim(path.Clean("/"+file), "/")
	view := p.host.View(ctx)
	all, err := p.host.Select(ctx, "")
	if err != nil {
		return nil, err
	}
	type near struct {
		e      *catalog.Entity
		folder string
	}
	var found []near
	var repository plugins.Repository
	for _, e := range all {
		if !strings.EqualFold(e.Origin.Repository, name) {
			continue
		}
		r, folder, ok := ownership.Folder(view, e)
		if !ok {
			continue
		}
		repository = r
		if e.Text("spec.owner") == "" && !p.concerns(e.Ref.Kind) {
			continue
		}
		if folder == "" || file == folder || strings.HasPrefix(file, folder+"/") {
			found = append(found, near{e, folder})
		}
	}
	if repository.Name == "" {
		return nil, status.Errorf(codes.NotFound, "no entity of the catalog is in the repository %s", name)
	}
	slices.SortFunc(found, func(a, b near) int {
		return cmp.Or(cmp.Compare(len(b.folder), len(a.folder)), cmp.Compare(a.e.Ref.Key(), b.e.Ref.Key()))
	})
	out := &ownershipv1.FindOwnerResponse{Repository: repository.Name, Path: file}
	const most = 20
	for _, n := range found[:min(len(found), most)] {
		m, err := p.explained(ctx, view, n.e)
		if err != nil {
			return nil, err
		}
		out.Entities = append(out.Entities, m)
	}
	// A folder as such is owned as a file of no particular name in it is.
	asked := cmp.Or(file, "file")
	if owners, line, ok := p.FindInCodeowners(repository, asked); ok {
		out.Codeowners, out.CodeownersEvidence = owners, evidence(line)[0]
	}
	return out, nil
}

// concerns tells whether entities of a kind are meant to have an owner.
func (p *Plugin) concerns(kind string) bool {
	return slices.ContainsFunc(p.Config().Kinds, func(k string) bool { return strings.EqualFold(k, kind) })
}

// said is what the plugin has said of an entity, as its facts keep it.
type said struct {
	Owner, Declared, Drift string
	Source                 ownership.Source
	Status                 ownership.Status
	Confidence             float64
}

func saidOf(e *catalog.Entity) (said, bool) {
	var all map[string]json.RawMessage
	if len(e.Facts) == 0 || json.Unmarshal(e.Facts, &all) != nil {
		return said{}, false
	}
	var s said
	for key, into := range map[string]any{
		ownership.FactOwner: &s.Owner, ownership.FactDeclared: &s.Declared, ownership.FactDrift: &s.Drift,
		ownership.FactSource: &s.Source, ownership.FactStatus: &s.Status, ownership.FactConfidence: &s.Confidence,
	} {
		if b := all[key]; b != nil {
			_ = json.Unmarshal(b, into) // it obeys the schema of the fact
		}
	}
	return s, s.Status != ""
}

// ListOwned implements OwnershipService.
func (p *Plugin) ListOwned(ctx context.Context, req *ownershipv1.ListOwnedRequest) (*ownershipv1.ListOwnedResponse, error) {
	view := p.host.View(ctx)
	e, err := p.entity(view, req.Name)
	if err != nil {
		return nil, err
	}
	owners := []catalog.Ref{e.Ref.Lower()}
	if !req.Direct {
		owners = within(view, e.Ref)
	}
	wanted := map[string]bool{}
	out := &ownershipv1.ListOwnedResponse{}
	for _, o := range owners {
		wanted[o.String()] = true
		out.OwnerRefs = append(out.OwnerRefs, o.String())
	}
	all, err := p.host.Select(ctx, "")
	if err != nil {
		return nil, err
	}
	for _, x := range all {
		if s, ok := saidOf(x); ok && wanted[s.Owner] {
			out.Owned = append(out.Owned, &ownershipv1.Owned{
				EntityRef: refOf(x.Ref), OwnerRef: s.Owner, Source: string(s.Source), Confidence: s.Confidence, Status: string(s.Status),
			})
		}
	}
	return out, nil
}

// maxOwners bounds the groups that are looked at for one.
const maxOwners = 10_000

// within are an owner and those that count as it: the groups below a group, and
// for a user the groups that they are a member of, with those that these are
// part of. Cycles end.
func within(view plugins.View, of catalog.Ref) []catalog.Ref {
	out := []catalog.Ref{of.Lower()}
	seen := map[catalog.Ref]bool{out[0]: true}
	follow := catalog.ParentOf
	if strings.EqualFold(of.Kind, "user") {
		follow = catalog.ChildOf
	}
	for i := 0; i < len(out); i++ {
		for _, r := range view.Relations(out[i], follow, catalog.MemberOf) {
			target := r.Target.Lower()
			if (r.Type == follow || r.Type == catalog.MemberOf && i == 0) && !seen[target] && len(out) < maxOwners {
				seen[target] = true
				out = append(out, target)
			}
		}
	}
	return out
}
