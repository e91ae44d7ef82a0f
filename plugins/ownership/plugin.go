package ownership

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/waypost-dev/waypost/plugins"
	"github.com/waypost-dev/waypost/plugins/ownership/codeowners"
	"github.com/waypost-dev/waypost/server/catalog"
)

// Name is the plugin's name, and Version that of its answers.
const (
	Name    = "ownership"
	Version = "1.0.0"
)

// Plugin says who owns what. It is safe for concurrent use after Configure.
type Plugin struct {
	config Config
	host   plugins.Host
	files  *ownersFiles

	mu     sync.Mutex
	census *census
	taken  time.Time // when the census was read
}

var (
	_ plugins.Configurer = (*Plugin)(nil)
	_ plugins.Enricher   = (*Plugin)(nil)
	_ plugins.Collector  = (*Plugin)(nil)
)

// New is a plugin that is not configured yet.
func New() *Plugin { return &Plugin{config: DefaultConfig()} }

// Describe implements plugins.Plugin.
func (p *Plugin) Describe() plugins.Descriptor {
	return plugins.Descriptor{
		Name:    Name,
		Version: Version,
		Summary: "Says who owns an entity, with the evidence for it and against it.",
		Config:  json.RawMessage(configSchema),
		Facts:   factTypes(),
		Every:   time.Hour,
		Limits:  plugins.Limits{Batch: 500, Concurrent: 2, Deadline: 5 * time.Minute},
	}
}

// Configure implements plugins.Configurer.
func (p *Plugin) Configure(_ context.Context, raw json.RawMessage, host plugins.Host) error {
	c, err := readConfig(raw)
	if err != nil {
		return err
	}
	p.config, p.host, p.files = c, host, newOwnersFiles(codeowners.Dialect(c.Codeowners.Dialect))
	return nil
}

// Config is the configuration in force.
func (p *Plugin) Config() Config { return p.config }

// Enrich implements plugins.Enricher.
func (p *Plugin) Enrich(ctx context.Context, subjects []plugins.Subject) ([]plugins.Answer, error) {
	g, err := p.gatherer(ctx, len(subjects))
	if err != nil {
		return nil, err
	}
	out := make([]plugins.Answer, len(subjects))
	for i, s := range subjects {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if !p.concerns(s.Entity) {
			continue
		}
		out[i], err = p.answer(ctx, g, s)
		if err != nil {
			out[i] = plugins.Answer{Err: err}
		}
	}
	return out, nil
}

// concerns tells whether anything is said of an entity.
func (p *Plugin) concerns(e *catalog.Entity) bool {
	return p.config.needsOwner(e.Ref.Kind) || e.Text("spec.owner") != ""
}

func (p *Plugin) answer(ctx context.Context, g *gatherer, s plugins.Subject) (plugins.Answer, error) {
	f, err := g.gather(ctx, s)
	if err != nil {
		return plugins.Answer{}, err
	}
	o := settle(s.Entity, f, &p.config, g.now)
	if err := f.spoilt(&o, &p.config); err != nil {
		return plugins.Answer{}, err
	}
	if err := p.remember(ctx, s.Entity.Ref, f, &o); err != nil {
		return plugins.Answer{}, err
	}
	return plugins.Answer{
		Facts:    facts(f, &o, g.now),
		Problems: problems(s.Entity, f, &o, g.now),
		Again:    again(s.Entity, f, &o, &p.config, g.now),
	}, nil
}

// spoilt tells the trouble with a source of evidence that could have changed the
// outcome: what was said before is then better than what can be said now.
func (f *finding) spoilt(o *Ownership, c *Config) error {
	if err := f.Troubles[SourceCodeowners]; err != nil && rank(o.Source) > rank(SourceCodeowners) {
		return err
	}
	if err := f.Troubles[SourceActivity]; err != nil && (f.HadDrift != nil || c.AutoApply && rank(o.Source) > rank(SourceActivity)) {
		return err
	}
	return nil
}

// remember keeps since when an entity drifts.
func (p *Plugin) remember(ctx context.Context, e catalog.Ref, f *finding, o *Ownership) error {
	key := driftKey(e)
	switch {
	case o.Drift == nil && f.HadDrift == nil, o.Drift != nil && f.HadDrift != nil && f.HadDrift.of(o.Drift):
		return nil
	case o.Drift == nil:
		if err := p.host.Records().Delete(ctx, key); err != nil {
			return fmt.Errorf("delete the record %s: %w", key, err)
		}
	default:
		record := drifting{o.Drift.Declared.Key(), o.Drift.Evident.Key(), o.Drift.Since}
		if err := p.host.Records().Put(ctx, key, record, 0); err != nil {
			return fmt.Errorf("keep the record %s: %w", key, err)
		}
	}
	return nil
}

// ErrNoEntity is for an entity that the view does not show.
var ErrNoEntity = errors.New("no such entity")

// Explain says who owns an entity and why, afresh: it reads all evidence again
// and keeps nothing. Of kinds that need no owner it says what there is to say.
func (p *Plugin) Explain(ctx context.Context, view plugins.View, ref catalog.Ref) (Ownership, error) {
	e, ok := view.Entity(ref)
	if !ok {
		return Ownership{}, fmt.Errorf("explain the ownership of %s: %w", ref, ErrNoEntity)
	}
	g, err := p.gatherer(ctx, 1)
	if err != nil {
		return Ownership{}, err
	}
	f, err := g.gather(ctx, plugins.Subject{Entity: e, View: view})
	if err != nil {
		return Ownership{}, fmt.Errorf("explain the ownership of %s: %w", ref, err)
	}
	o := settle(e, f, &p.config, g.now)
	p.patch(ctx, e, f, &o)
	return o, nil
}

// patch writes out the mends of the catalog file, whose text is asked for only
// when a person looks. Where it is not given, the words have to do.
func (p *Plugin) patch(ctx context.Context, e *catalog.Entity, f *finding, o *Ownership) {
	var text string
	for i := range o.Mends {
		m := &o.Mends[i]
		owner := best(o)
		if m.Reason == "drift" {
			owner = o.Drift.Evident
		}
		writes := slices.Contains([]string{"drift", string(StatusDangling), string(StatusDisbanded), string(StatusUnowned)}, m.Reason)
		if !writes || m.Patch != "" || m.Path == "" || m.Path != e.Origin.Path || !f.InRepo || owner.IsZero() {
			continue
		}
		if text == "" {
			var err error
			if text, err = p.host.Source().Text(ctx, f.Place.Repository, m.Path); err != nil {
				return
			}
		}
		m.Patch = PatchOwner(m.Path, text, m.Line, short(owner, e.Ref.Namespace))
	}
}

// Affected are the entities whose ownership may change with that of one: itself
// and what is part of it, through any number of steps, up to 10,000. They are to
// be refreshed after a person's decision about it.
func Affected(view plugins.View, ref catalog.Ref) []catalog.Ref {
	const most = 10_000
	out := []catalog.Ref{ref.Lower()}
	seen := map[catalog.Ref]bool{out[0]: true}
	for i := 0; i < len(out); i++ {
		for _, r := range view.Relations(out[i], catalog.HasPart) {
			if target := r.Target.Lower(); r.Type == catalog.HasPart && !seen[target] && len(out) < most {
				seen[target] = true
				out = append(out, target)
			}
		}
	}
	return out
}

// Collect implements plugins.Collector: it takes the census, and asks for all
// entities again if what it tells leads to other answers.
func (p *Plugin) Collect(ctx context.Context, view plugins.View) ([]catalog.Ref, error) {
	had, err := loadCensus(ctx, p.host.Records())
	if err != nil {
		return nil, err
	}
	c := takeCensus(view, p.config.Kinds)
	if err := c.store(ctx, p.host.Records()); err != nil {
		return nil, err
	}
	p.mu.Lock()
	p.census, p.taken = c, time.Now()
	p.mu.Unlock()
	if c.same(had) {
		return nil, nil
	}
	var refs []catalog.Ref
	for _, kind := range p.config.Kinds {
		view.Each(kind, func(e *catalog.Entity) bool {
			refs = append(refs, e.Ref)
			return true
		})
	}
	return refs, nil
}

// gatherer is one for a call about so many entities.
func (p *Plugin) gatherer(ctx context.Context, entities int) (*gatherer, error) {
	if p.host == nil {
		return nil, errors.New("ownership is not configured")
	}
	census, err := p.lastCensus(ctx)
	if err != nil {
		return nil, err
	}
	records, err := readRecords(ctx, p.host.Records(), entities)
	if err != nil {
		return nil, err
	}
	return &gatherer{
		config: &p.config, source: p.host.Source(), files: p.files, records: records,
		people: &people{census: census}, census: census, now: p.host.Now(),
	}, nil
}

// lastCensus is the census in memory, or the one that was kept last.
func (p *Plugin) lastCensus(ctx context.Context) (*census, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.census == nil || time.Since(p.taken) > censusKept {
		c, err := loadCensus(ctx, p.host.Records())
		if err != nil {
			return nil, err
		}
		p.census, p.taken = c, time.Now()
	}
	return p.census, nil
}
