package enrich

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/waypost-dev/waypost/plugins"
	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/store"
)

// Bounds of one answer.
const (
	maxValue     = 64 << 10 // bytes of a fact's value
	maxAnswer    = 256 << 10
	maxEvidence  = 50 // of a fact
	maxText      = 4 << 10
	maxRelations = 1000
	maxProblems  = 100
	maxError     = 2 << 10
)

// declarable are the types of relations that an entity's own side says. Those
// that the other side says follow from them.
var declarable = []string{catalog.OwnedBy, catalog.ProvidesAPI, catalog.ConsumesAPI, catalog.DependsOn, catalog.ChildOf, catalog.MemberOf, catalog.PartOf}

// accept turns an answer into what is kept, or says why it is none. One thing
// that is not as it was declared refuses the whole answer: what a plugin got
// wrong in one place it may have in another.
func (p *plugin) accept(into *store.Enrichment, e *catalog.Entity, a plugins.Answer, now time.Time) error {
	if a.Err != nil {
		return a.Err
	}
	into.Asked, into.Due = now, a.Again
	size := 0
	for _, f := range a.Facts {
		t, declared := p.types[f.Key]
		if !declared {
			return fmt.Errorf("it says %q, which it does not declare", clip(f.Key, 100))
		}
		if slices.ContainsFunc(into.Facts, func(had catalog.Fact) bool { return had.Key == f.Key }) {
			return fmt.Errorf("it says %s twice", f.Key)
		}
		if len(f.Value) > maxValue {
			return fmt.Errorf("%s has %d bytes; %d are the most", f.Key, len(f.Value), maxValue)
		}
		value, decoded, err := plugins.Canonical(f.Value)
		if err != nil {
			return fmt.Errorf("%s is not JSON: %w", f.Key, err)
		}
		if t.schema != nil {
			if err := t.schema.Validate(decoded); err != nil {
				return fmt.Errorf("%s is not as declared: %s", f.Key, reason(err))
			}
		}
		f.Value = value
		if err := acceptEvidence(&f); err != nil {
			return err
		}
		f.Observed = cmp.Or(f.Observed, now)
		if f.Observed.After(now) {
			f.Observed = now
		}
		if f.Stale.IsZero() && t.Freshness > 0 {
			f.Stale = f.Observed.Add(t.Freshness)
		}
		if !f.Stale.IsZero() && a.Again.IsZero() && (into.Due.IsZero() || f.Stale.Before(into.Due)) {
			into.Due = f.Stale
		}
		size += len(value)
		into.Facts = append(into.Facts, f)
	}
	if size > maxAnswer {
		return fmt.Errorf("its facts have %d bytes together; %d are the most", size, maxAnswer)
	}
	if !into.Due.IsZero() && into.Due.Before(now.Add(time.Second)) {
		into.Due = now.Add(time.Second) // no faster, whatever it asks for
	}
	if p.relater != nil {
		if len(a.Relations) > maxRelations {
			return fmt.Errorf("it says %d relations; %d are the most", len(a.Relations), maxRelations)
		}
		for _, x := range a.Relations {
			if x.Target.Kind == "" || x.Target.Name == "" || !slices.Contains(declarable, x.Type) {
				return fmt.Errorf("relation %q to %q has no target, or no type of %s", clip(x.Type, 100), clip(x.Target.String(), 200), strings.Join(declarable, ", "))
			}
			into.Relations = append(into.Relations, catalog.Relation{Type: x.Type, Target: x.Target.Lower()})
		}
	}
	if len(a.Problems) > maxProblems {
		return fmt.Errorf("it says %d problems; %d are the most", len(a.Problems), maxProblems)
	}
	for _, x := range a.Problems {
		into.Problems = append(into.Problems, p.problem(e, x))
	}
	return nil
}

func acceptEvidence(f *catalog.Fact) error {
	if len(f.Evidence) > maxEvidence {
		return fmt.Errorf("%s has %d pieces of evidence; %d are the most", f.Key, len(f.Evidence), maxEvidence)
	}
	f.Evidence = slices.Clone(f.Evidence)
	for i := range f.Evidence {
		x := &f.Evidence[i]
		for _, s := range []*string{&x.Kind, &x.Text, &x.URL, &x.Repository, &x.Path, &x.Commit, &x.Query} {
			*s = clip(*s, maxText)
		}
		if x.URL != "" && !strings.HasPrefix(x.URL, "https://") && !strings.HasPrefix(x.URL, "http://") {
			x.URL = "" // nothing that a browser would run
		}
		x.Line = max(x.Line, 0)
		x.Weight = min(max(x.Weight, 0), 1)
	}
	return nil
}

// problem completes a problem with the place of its entity.
func (p *plugin) problem(e *catalog.Entity, x catalog.Problem) catalog.Problem {
	x.Code = catalog.Code(p.name + "-" + clip(string(cmp.Or(x.Code, "problem")), 60))
	if x.Severity != catalog.SeverityError {
		x.Severity = catalog.SeverityWarning
	}
	x.Message, x.Hint, x.Field = clip(x.Message, maxText), clip(x.Hint, maxText), clip(x.Field, 200)
	x.Source, x.Repository, x.Entity, x.Column = e.Origin.Source, e.Origin.Repository, e.Ref.String(), 0
	switch x.Path {
	case "":
		x.Path, x.Line = e.Origin.Path, cmp.Or(x.Line, e.Origin.Line)
	case e.Origin.Path:
	default:
		// What is wrong with another file is so once, and not for each entity.
		x.Entity = ""
	}
	return x
}

// reason is the first thing that a schema's error tells.
func reason(err error) string {
	var invalid *jsonschema.ValidationError
	if !errors.As(err, &invalid) {
		return err.Error()
	}
	for len(invalid.Causes) > 0 {
		invalid = invalid.Causes[0]
	}
	return clip(strings.Join(strings.Fields(invalid.Error()), " "), 400)
}

// clip shortens a text at a letter's border, and makes it UTF-8.
func clip(s string, most int) string {
	s = strings.ToValidUTF8(s, "�")
	if len(s) <= most {
		return s
	}
	for most > 0 && !utf8.RuneStart(s[most]) {
		most--
	}
	return s[:most] + "…"
}
