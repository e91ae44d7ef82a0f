package ownership

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/waypost-dev/waypost/plugins"
	"github.com/waypost-dev/waypost/server/catalog"
)

// gatherer reads the evidence for the entities of one call. It is not safe for
// concurrent use.
type gatherer struct {
	config  *Config
	source  plugins.Inspector
	files   *ownersFiles
	records *recordReader
	people  *people
	census  *census
	now     time.Time
}

// finding is what was gathered of one entity, and what else follows from it.
type finding struct {
	gathered
	// Drift is nil if evidence and declaration agree. It has no dismissal yet.
	Drift *Drift
	// HadDrift is what was recorded of it.
	HadDrift *drifting
	// Verified is to be held against the owner as it is now.
	Verified  *VerifiedBy
	Dismissed *Dismissal
	// Mends and problems that lie in CODEOWNERS.
	Lint []lint
	// Troubles are sources of evidence that failed, by their rank.
	Troubles map[Source]error
	// Expires is when the first override ends, of the entity or of what it is part
	// of; zero for never.
	Expires time.Time
	Place   place
	InRepo  bool
	// History: commits were given, whose weight changes with time.
	History bool
	// DeclaredLine is the line of spec.owner in the catalog file; 0 if unknown.
	DeclaredLine int
}

// lint is something wrong in a CODEOWNERS file.
type lint struct {
	Reason  string // ineffective or invalid
	Path    string
	Line    int
	Message string
	Hint    string
}

// gather reads all evidence for one entity. Only the plugin's own records can
// make it fail; a source of evidence that fails is among the troubles.
func (g *gatherer) gather(ctx context.Context, s plugins.Subject) (*finding, error) {
	e := s.Entity
	g.people.noted = nil
	f := &finding{gathered: gathered{Entity: e.Ref, Claims: make([]claim, 0, 16)}, Troubles: map[Source]error{}}
	f.Place, f.InRepo = placeOf(s.View, e)
	if err := g.override(ctx, s, f); err != nil {
		return nil, err
	}
	g.declared(s, f)
	if f.InRepo {
		g.codeowners(ctx, s, f)
		g.property(s, f)
	}
	if err := g.inherited(ctx, s, f); err != nil {
		return nil, err
	}
	if f.InRepo {
		g.permission(s, f)
		g.activity(ctx, s, f)
	}
	g.paging(s, f)
	if g.config.DefaultOwner != "" {
		g.add(s, f, SourceDefault, g.config.DefaultOwner, Confidence(SourceDefault), catalog.Evidence{
			Kind: "config", Text: "The configuration names " + g.config.DefaultOwner + " as the default owner.", Weight: 1,
		})
	}
	g.responsibilities(s, f)
	return f, g.history(ctx, e, f)
}

// add adds the claim that a text names the owner.
func (g *gatherer) add(s plugins.Subject, f *finding, from Source, written string, confidence float64, evidence ...catalog.Evidence) *claim {
	ref, ok := g.people.resolve(s.View, written)
	return g.addRef(s, f, from, ref, ok, written, confidence, evidence...)
}

func (g *gatherer) addRef(s plugins.Subject, f *finding, from Source, ref catalog.Ref, exists bool, written string, confidence float64, evidence ...catalog.Evidence) *claim {
	c := claim{Source: from, Owner: ref, Written: written, Exists: exists, Members: -1, Confidence: confidence, Evidence: evidence}
	if exists {
		c.Members = g.people.members(s.View, ref, 2)
	}
	f.Claims = append(f.Claims, c)
	return &f.Claims[len(f.Claims)-1]
}

// maxRef bounds a written ref in bytes: three names of 63 and a DNS subdomain fit.
const maxRef = 500

// readRef reads the ref of an owner as a spec writes it.
func readRef(written, namespace string) (catalog.Ref, error) {
	if len(written) > maxRef {
		return catalog.Ref{}, fmt.Errorf("it has %d bytes; %d are the most", len(written), maxRef)
	}
	return catalog.ParseRef(written, catalog.RefContext{Kind: "group", Namespace: namespace})
}

// override is 1: what a person decided.
func (g *gatherer) override(ctx context.Context, s plugins.Subject, f *finding) error {
	o, ok, err := g.overrideOf(ctx, s.Entity.Ref)
	if err != nil || !ok {
		return err
	}
	f.Expires = o.Expires
	g.add(s, f, SourceOverride, o.Owner, Confidence(SourceOverride), o.evidence())
	return nil
}

func (g *gatherer) overrideOf(ctx context.Context, e catalog.Ref) (Override, bool, error) {
	var o Override
	ok, err := g.records.get(ctx, overrides, e, &o)
	if ok && !o.Expires.IsZero() && !g.now.Before(o.Expires) {
		ok = false
	}
	return o, ok && err == nil, err
}

func (o Override) evidence() catalog.Evidence {
	text := fmt.Sprintf("%s decided on %s: %s", cmp.Or(o.Actor, "Somebody"), o.Time.Format(time.DateOnly), o.Reason)
	if !o.Expires.IsZero() {
		text += fmt.Sprintf(" (until %s)", o.Expires.Format(time.DateOnly))
	}
	return catalog.Evidence{Kind: "override", Text: text, Weight: 1}
}

// declared is 2: spec.owner.
func (g *gatherer) declared(s plugins.Subject, f *finding) {
	written := s.Entity.Text("spec.owner")
	if written == "" {
		return
	}
	for _, r := range s.Entity.Relations {
		if r.Type == catalog.OwnedBy && r.Field == "spec.owner" {
			f.DeclaredLine = r.Line
		}
	}
	o := s.Entity.Origin
	evidence := catalog.Evidence{Kind: "declared", Text: "spec.owner is " + clip(written) + ".", Repository: o.Repository, Path: o.Path, Line: f.DeclaredLine, Commit: o.Commit, Weight: 1}
	if r, ok := g.declaring(s, f); ok && o.Path != "" {
		evidence = place{Repository: r}.in(o.Path, f.DeclaredLine, evidence)
	}
	ref, err := readRef(written, s.Entity.Ref.Namespace)
	if err != nil {
		g.addRef(s, f, SourceDeclared, catalog.Ref{}, false, written, Confidence(SourceDeclared), evidence).Unfit = err.Error()
		return
	}
	f.Declared = ref.Lower()
	_, ok := s.View.Entity(ref)
	g.addRef(s, f, SourceDeclared, f.Declared, ok, written, Confidence(SourceDeclared), evidence)
}

// declaring is the repository of the catalog file.
func (g *gatherer) declaring(s plugins.Subject, f *finding) (plugins.Repository, bool) {
	if f.InRepo {
		return f.Place.Repository, true
	}
	return s.View.Repository(s.Entity)
}

// property is 4: what the repository's custom properties and topics say.
func (g *gatherer) property(s plugins.Subject, f *finding) {
	names := slices.Sorted(maps.Keys(f.Place.Properties))
	for _, pattern := range g.config.Properties {
		for _, name := range names {
			if !matchStars(pattern, name) {
				continue
			}
			for value := range strings.SplitSeq(f.Place.Properties[name], ",") {
				if value = strings.TrimSpace(value); value == "" {
					continue
				}
				g.add(s, f, SourceProperty, value, Confidence(SourceProperty), f.Place.about(catalog.Evidence{
					Kind: "property", Text: fmt.Sprintf("The repository's custom property %s is %s.", name, clip(value)), Weight: 1,
				}))
			}
		}
	}
	if g.config.TopicPrefix == "" {
		return
	}
	for _, topic := range slices.Sorted(slices.Values(f.Place.Topics)) {
		if team, ok := strings.CutPrefix(topic, g.config.TopicPrefix); ok && team != "" {
			g.add(s, f, SourceProperty, team, Confidence(SourceProperty)-0.05, f.Place.about(catalog.Evidence{
				Kind: "topic", Text: "The repository has the topic " + topic + ".", Weight: 0.9,
			}))
		}
	}
}

// maxAncestors bounds how many systems and domains an entity inherits from.
const maxAncestors = 20

// inherited is 5: the nearest thing that the entity is part of, and what that is
// part of: the component that it is a part of, the system, the domain. Of each,
// what a person decided or declared counts, and not what was inferred. Each thing
// is looked at once, so that circles end.
func (g *gatherer) inherited(ctx context.Context, s plugins.Subject, f *finding) error {
	type ancestor struct {
		ref   catalog.Ref
		depth int
		via   catalog.Ref
	}
	seen := map[catalog.Ref]bool{s.Entity.Ref.Lower(): true}
	todo := []ancestor{{ref: s.Entity.Ref.Lower()}}
	for ; len(todo) > 0 && len(seen) <= maxAncestors; todo = todo[1:] {
		at := todo[0]
		if at.depth > 0 {
			if err := g.inherit(ctx, s, f, at.ref, at.depth); err != nil {
				return err
			}
		}
		for _, r := range s.View.Relations(at.ref, catalog.PartOf) {
			if target := r.Target.Lower(); r.Type == catalog.PartOf && !seen[target] {
				seen[target] = true
				todo = append(todo, ancestor{target, at.depth + 1, at.ref})
			}
		}
	}
	return nil
}

func (g *gatherer) inherit(ctx context.Context, s plugins.Subject, f *finding, from catalog.Ref, depth int) error {
	e, ok := s.View.Entity(from)
	if !ok {
		return nil
	}
	confidence := max(Confidence(SourceInherited)-0.1*float64(depth-1), 0.4)
	if o, ok, err := g.overrideOf(ctx, from); err != nil {
		return err
	} else if ok {
		if !o.Expires.IsZero() && (f.Expires.IsZero() || o.Expires.Before(f.Expires)) {
			f.Expires = o.Expires
		}
		evidence := o.evidence()
		evidence.Text = fmt.Sprintf("It is part of %s. %s", from.Key(), evidence.Text)
		if c := g.add(s, f, SourceInherited, o.Owner, confidence, evidence); c.Exists {
			return nil
		}
	}
	written := e.Text("spec.owner")
	if written == "" {
		return nil
	}
	evidence := catalog.Evidence{
		Kind: "inherited", Text: fmt.Sprintf("It is part of %s, whose spec.owner is %s.", from.Key(), clip(written)),
		Repository: e.Origin.Repository, Path: e.Origin.Path, Line: e.Origin.Line, Commit: e.Origin.Commit, Weight: confidence,
	}
	ref, err := readRef(written, e.Ref.Namespace)
	if err != nil {
		g.addRef(s, f, SourceInherited, catalog.Ref{}, false, written, confidence, evidence).Unfit = err.Error()
		return nil //nolint:nilerr // it is told with the claim
	}
	_, exists := s.View.Entity(ref)
	g.addRef(s, f, SourceInherited, ref.Lower(), exists, written, confidence, evidence)
	return nil
}

// permissions are those that let a team write, the highest first, with the
// confidence in an owner that has them.
var permissions = []struct {
	name       string
	confidence float64
}{{"admin", 0.6}, {"maintain", 0.5}, {"push", 0.4}}

// Bounds of the teams of a repository that are looked at and told.
const (
	maxTeams   = 20
	countTeams = 500 // members up to which teams are told apart by size
)

// permission is 6: the teams that may write, the highest permission first, then
// the smaller team.
func (g *gatherer) permission(s plugins.Subject, f *finding) {
	told := 0
	for _, p := range permissions {
		type team struct {
			slug string
			ref  catalog.Ref
			ok   bool
			size int
		}
		var teams []team
		for slug, has := range f.Place.Teams {
			if has == p.name {
				teams = append(teams, team{slug: slug})
			}
		}
		slices.SortFunc(teams, func(a, b team) int { return strings.Compare(a.slug, b.slug) })
		teams = teams[:min(len(teams), maxTeams-told)]
		told += len(teams)
		for i := range teams {
			t := &teams[i]
			if t.ref, t.ok = g.people.team(s.View, ownerOf(f.Place.Name), t.slug); t.ok && len(teams) > 1 {
				t.size = count(s.View, t.ref, countTeams, func(catalog.Ref) bool { return true })
			}
		}
		slices.SortStableFunc(teams, func(a, b team) int { return cmp.Compare(a.size, b.size) })
		for _, t := range teams {
			c := g.addRef(s, f, SourcePermission, t.ref, t.ok, t.slug, p.confidence, f.Place.about(catalog.Evidence{
				Kind: "permission", Text: fmt.Sprintf("The team %s has the permission %s on %s.", t.slug, p.name, f.Place.Name), Weight: p.confidence,
			}))
			if share := g.census.Wide[f.Place.Source][t.slug]; share > 0 {
				c.Unfit = fmt.Sprintf("the team has access to %.0f %% of the repositories; above %.0f %% that tells nothing", 100*share, 100*wideShare)
			}
		}
	}
}

// ownerOf is the organisation of a repository.
func ownerOf(repository string) string {
	org, _, _ := strings.Cut(repository, "/")
	return org
}

// paging is 8: the team of the service that pages somebody.
func (g *gatherer) paging(s plugins.Subject, f *finding) {
	for _, key := range g.config.Paging.Annotations {
		service := s.Entity.Annotation(key)
		if team := g.config.Paging.Teams[service]; service != "" && team != "" {
			g.add(s, f, SourcePaging, team, Confidence(SourcePaging), catalog.Evidence{
				Kind: "paging", Text: fmt.Sprintf("The annotation %s names the service %s, which pages %s as configured.", key, service, team), Weight: Confidence(SourcePaging),
				Repository: s.Entity.Origin.Repository, Path: s.Entity.Origin.Path, Line: s.Entity.Origin.Line,
			})
		}
	}
	for _, key := range g.config.Paging.Facts {
		var team string
		if json.Unmarshal(s.Entity.Fact(key), &team) == nil && team != "" {
			g.add(s, f, SourcePaging, team, Confidence(SourcePaging), catalog.Evidence{
				Kind: "paging", Text: fmt.Sprintf("The fact %s is %s.", key, clip(team)), Weight: Confidence(SourcePaging),
			})
		}
	}
}

// maxRoles bounds the responsibilities of one entity.
const maxRoles = 20

// responsibilities reads spec.accountable and spec.responsibilities, whose keys
// are roles and whose values are refs.
func (g *gatherer) responsibilities(s plugins.Subject, f *finding) {
	namespace := s.Entity.Ref.Namespace
	if ref, err := readRef(s.Entity.Text("spec.accountable"), namespace); err == nil {
		f.Accountable = ref.Lower()
	}
	var roles map[string]any
	if json.Unmarshal(s.Entity.Field("spec.responsibilities"), &roles) != nil {
		return
	}
	for _, role := range slices.Sorted(maps.Keys(roles)) {
		written, _ := roles[role].(string)
		if ref, err := readRef(written, namespace); err == nil && len(f.Responsibilities) < maxRoles && len(role) <= 100 {
			if f.Responsibilities == nil {
				f.Responsibilities = map[string]catalog.Ref{}
			}
			f.Responsibilities[role] = ref.Lower()
		}
	}
}

// history reads what was recorded of the entity before.
func (g *gatherer) history(ctx context.Context, e *catalog.Entity, f *finding) error {
	var v VerifiedBy
	if ok, err := g.records.get(ctx, verified, e.Ref, &v); err != nil {
		return err
	} else if ok {
		f.Verified = &v
	}
	var d Dismissal
	if ok, err := g.records.get(ctx, dismissals, e.Ref, &d); err != nil {
		return err
	} else if ok {
		f.Dismissed = &d
	}
	var had drifting
	if ok, err := g.records.get(ctx, drifts, e.Ref, &had); err != nil {
		return err
	} else if ok {
		f.HadDrift = &had
	}
	return nil
}

// clip keeps what others wrote from filling a sentence.
func clip(s string) string {
	if len(s) <= maxRef {
		return s
	}
	return strings.ToValidUTF8(s[:maxRef], "") + "…"
}

func folderName(folder string) string {
	if folder == "" {
		return "the repository"
	}
	return folder
}
