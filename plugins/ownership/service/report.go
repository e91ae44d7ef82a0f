package service

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/waypost-dev/waypost/plugins"
	"github.com/waypost-dev/waypost/plugins/ownership"
	ownershipv1 "github.com/waypost-dev/waypost/proto/waypost/ownership/v1"
	"github.com/waypost-dev/waypost/server/catalog"
)

// coverage counts entities. It is kept as JSON, a day each.
type coverage struct {
	Entities int64                      `json:"entities"`
	Owned    int64                      `json:"owned"`
	Drifting int64                      `json:"drifting"`
	Sources  map[ownership.Source]int64 `json:"sources,omitempty"`
	Statuses map[ownership.Status]int64 `json:"statuses,omitempty"`
}

func (c *coverage) add(s said) {
	if c.Sources == nil {
		c.Sources, c.Statuses = map[ownership.Source]int64{}, map[ownership.Status]int64{}
	}
	c.Entities++
	if s.Owner != "" {
		c.Owned++
	}
	if s.Drift != "" {
		c.Drifting++
	}
	c.Sources[s.Source]++
	c.Statuses[s.Status]++
}

func (c *coverage) message() *ownershipv1.Coverage {
	m := &ownershipv1.Coverage{Entities: c.Entities, Owned: c.Owned, Drifting: c.Drifting, Sources: map[string]int64{}, Statuses: map[string]int64{}}
	for k, n := range c.Sources {
		m.Sources[string(k)] = n
	}
	for k, n := range c.Statuses {
		m.Statuses[string(k)] = n
	}
	return m
}

// by is coverage by something, such as a system.
type by map[string]*coverage

func (b by) add(of string, s said) {
	if of == "" {
		return
	}
	if b[of] == nil {
		b[of] = &coverage{}
	}
	b[of].add(s)
}

func (b by) rows() []*ownershipv1.CoverageRow {
	var out []*ownershipv1.CoverageRow
	for _, of := range slices.Sorted(maps.Keys(b)) {
		out = append(out, &ownershipv1.CoverageRow{Of: of, Coverage: b[of].message()})
	}
	return out
}

// maxUnowned is how many entities a report names that are not as they should be.
const maxUnowned = 1000

// GetOwnershipReport implements OwnershipService.
func (p *Plugin) GetOwnershipReport(ctx context.Context, req *ownershipv1.GetOwnershipReportRequest) (*ownershipv1.GetOwnershipReportResponse, error) {
	all, err := p.host.Select(ctx, req.Filter)
	if err != nil {
		return nil, err
	}
	view := p.host.View(ctx)
	var total coverage
	groups, systems, domains, kinds := by{}, by{}, by{}, by{}
	out := &ownershipv1.GetOwnershipReportResponse{}
	for _, e := range all {
		s, ok := saidOf(e)
		if !ok || !p.concerns(e.Ref.Kind) {
			continue
		}
		total.add(s)
		groups.add(s.Owner, s)
		kinds.add(catalog.Ref{Kind: e.Ref.Kind}.Lower().Kind, s)
		system := parent(e, "spec.system", "system")
		systems.add(refOf(system), s)
		domain := parent(e, "spec.domain", "domain")
		if sys, ok := view.Entity(system); domain.IsZero() && ok {
			domain = parent(sys, "spec.domain", "domain")
		}
		domains.add(refOf(domain), s)
		if s.Status != ownership.StatusOwned && len(out.Unowned) < maxUnowned {
			out.Unowned = append(out.Unowned, &ownershipv1.Unowned{
				EntityRef: refOf(e.Ref), Status: string(s.Status), DeclaredRef: s.Declared, CandidateRef: s.Owner, Confidence: s.Confidence,
			})
		}
	}
	out.Total, out.Groups, out.Systems, out.Domains, out.Kinds = total.message(), groups.rows(), systems.rows(), domains.rows(), kinds.rows()
	for _, row := range out.Groups {
		row.LeadRef = refOf(lead(view, row.Of))
	}
	if req.Days > 0 {
		out.Samples, err = p.samples(ctx, p.host.Now().AddDate(0, 0, -int(req.Days)))
	}
	return out, err
}

// lead is who leads a group: its spec.lead, or that of the nearest group above it
// that has one; zero if none does, or it is no group.
func lead(view plugins.View, group string) catalog.Ref {
	const most = 20 // groups within each other; a cycle ends too
	ref, err := catalog.ParseRef(group, catalog.RefContext{})
	for range most {
		e, ok := view.Entity(ref)
		if err != nil || !ok || !strings.EqualFold(ref.Kind, "group") {
			return catalog.Ref{}
		}
		if led := parent(e, "spec.lead", "user"); !led.IsZero() {
			return led
		}
		up := catalog.Ref{}
		for _, r := range view.Relations(ref, catalog.ChildOf) {
			if r.Type == catalog.ChildOf {
				up = r.Target
				break
			}
		}
		ref = up
	}
	return catalog.Ref{}
}

// parent is what a field of an entity refers to; zero if it does not.
func parent(e *catalog.Entity, field, kind string) catalog.Ref {
	text := e.Text(field)
	if text == "" {
		return catalog.Ref{}
	}
	ref, err := catalog.ParseRef(text, catalog.RefContext{Kind: kind, Namespace: e.Ref.Namespace})
	if err != nil {
		return catalog.Ref{}
	}
	return ref
}

// Keys of the samples: one a day, in UTC.
const (
	samplePrefix = "sample/"
	sampleDay    = "2006-01-02"
)

// Collect implements plugins.Collector: it also keeps how far ownership is known
// today, the last time that it is called on a day.
func (p *Plugin) Collect(ctx context.Context, view plugins.View) ([]catalog.Ref, error) {
	refs, err := p.Plugin.Collect(ctx, view)
	if err != nil {
		return nil, err
	}
	all, err := p.host.Select(ctx, "")
	if err != nil {
		return nil, err
	}
	var total coverage
	for _, e := range all {
		if s, ok := saidOf(e); ok && p.concerns(e.Ref.Kind) {
			total.add(s)
		}
	}
	if total.Entities == 0 {
		return refs, nil
	}
	if err := p.host.Records().Put(ctx, samplePrefix+p.host.Now().UTC().Format(sampleDay), &total, 0); err != nil {
		return nil, fmt.Errorf("keep today's coverage: %w", err)
	}
	return refs, nil
}

// samples are those since a time, the oldest first.
func (p *Plugin) samples(ctx context.Context, since time.Time) ([]*ownershipv1.CoverageSample, error) {
	const most = 400
	list, err := p.host.Records().List(ctx, samplePrefix, samplePrefix+since.UTC().Format(sampleDay), most)
	if err != nil {
		return nil, fmt.Errorf("read the coverage of past days: %w", err)
	}
	var out []*ownershipv1.CoverageSample
	for _, r := range list {
		at, err := time.Parse(sampleDay, r.Key[len(samplePrefix):])
		if err != nil {
			continue // nobody else writes here
		}
		var c coverage
		if err := json.Unmarshal(r.Value, &c); err != nil {
			return nil, fmt.Errorf("read the coverage of %s: %w", r.Key, err)
		}
		out = append(out, &ownershipv1.CoverageSample{Time: timestamppb.New(at), Coverage: c.message()})
	}
	return out, nil
}
