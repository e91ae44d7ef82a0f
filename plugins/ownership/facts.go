package ownership

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/waypost-dev/waypost/plugins"
	"github.com/waypost-dev/waypost/server/catalog"
)

// Keys of the facts.
const (
	FactOwner            = "ownership.owner"
	FactSource           = "ownership.source"
	FactConfidence       = "ownership.confidence"
	FactStatus           = "ownership.status"
	FactDeclared         = "ownership.declared"
	FactAccountable      = "ownership.accountable"
	FactResponsibilities = "ownership.responsibilities"
	FactDrift            = "ownership.drift"
	FactVerification     = "ownership.verification"
	FactVerifiedAge      = "ownership.verified_age_days"
)

const refSchema = `{"type": "string", "pattern": "^[^:/]+:[^:/]+/[^:/]+$"}`

// enum is the schema of one of some words.
func enum[S ~string](words []S) json.RawMessage {
	b, err := json.Marshal(map[string]any{"enum": words})
	if err != nil {
		panic(err) // strings always marshal
	}
	return b
}

func factTypes() []plugins.FactType {
	return []plugins.FactType{
		{Key: FactOwner, Title: "Owner", Description: "The ref of who owns it, from the first source that names one. Absent if nobody does.", Schema: json.RawMessage(refSchema), Filterable: true, Display: plugins.DisplayRef},
		{Key: FactSource, Title: "Owner comes from", Description: "The source that decided: override, declared, codeowners, property, inherited, permission, activity, paging, default, or none.", Schema: enum(append(slices.Clone(Sources), SourceNone)), Filterable: true, Display: plugins.DisplayBadge},
		{Key: FactConfidence, Title: "Confidence", Description: "How directly the evidence names the owner, from 0 to 1. The order of sources decides, not this figure.", Schema: json.RawMessage(`{"type": "number", "minimum": 0, "maximum": 1}`), Display: plugins.DisplayPercent},
		{Key: FactStatus, Title: "Ownership", Description: "owned; dangling: the declared owner is not in the catalog; disbanded: the owner has no active member; single-person: it has one; split: CODEOWNERS names several and none for half of the files; unowned.", Schema: enum(Statuses), Filterable: true, Display: plugins.DisplayBadge},
		{Key: FactDeclared, Title: "Declared owner", Description: "The ref in spec.owner, whether or not it exists.", Schema: json.RawMessage(refSchema), Display: plugins.DisplayRef},
		{Key: FactAccountable, Title: "Accountable", Description: "The ref of who answers for it: spec.accountable, or else the owner.", Schema: json.RawMessage(refSchema), Display: plugins.DisplayRef},
		{Key: FactResponsibilities, Title: "Responsibilities", Description: "Who does what, from spec.responsibilities: build, run, platform, security, data and other roles.", Schema: json.RawMessage(`{"type": "array", "items": {"type": "object", "required": ["role", "owner"], "additionalProperties": false, "properties": {"role": {"type": "string"}, "owner": ` + refSchema + `}}}`), Display: plugins.DisplayTable},
		{Key: FactDrift, Title: "Drift", Description: "The ref of the team that did most of the work in the last 90 days, if that is not the declared owner, has been so for 14 days, and nobody dismissed it. Absent else.", Schema: json.RawMessage(refSchema), Filterable: true, Display: plugins.DisplayRef},
		{Key: FactVerification, Title: "Verification", Description: "Whether the owner said lately that it is still theirs: verified, due or overdue.", Schema: enum([]VerificationState{Verified, Due, Overdue}), Filterable: true, Display: plugins.DisplayBadge},
		{Key: FactVerifiedAge, Title: "Verified", Description: "Whole days since the owner last said so. Absent if never.", Schema: json.RawMessage(`{"type": "integer", "minimum": 0}`), Unit: "d", Freshness: 2 * daily, Display: plugins.DisplayDuration},
	}
}

// maxEvidence bounds the evidence of one fact.
const maxEvidence = 20

// facts says an ownership as facts.
func facts(f *finding, o *Ownership, now time.Time) []catalog.Fact {
	var out []catalog.Fact
	say := func(key string, value any, evidence []catalog.Evidence) {
		b, err := json.Marshal(value)
		if err != nil {
			panic(err) // strings, numbers and lists of them always marshal
		}
		out = append(out, catalog.Fact{Key: key, Value: b, Evidence: evidence[:min(len(evidence), maxEvidence)]})
	}
	ref := func(key string, r catalog.Ref, evidence []catalog.Evidence) {
		if !r.IsZero() {
			say(key, r.Key(), evidence)
		}
	}
	var winning, declared, working []catalog.Evidence
	for i, c := range o.Candidates {
		switch {
		case i == 0 && c.RejectedBecause == "":
			winning = c.Evidence
		case o.Drift != nil && c.Source == SourceActivity && c.Owner == o.Drift.Evident:
			working = c.Evidence
		}
		if c.Source == SourceDeclared {
			declared = c.Evidence
		}
	}
	ref(FactOwner, o.Owner, winning)
	say(FactSource, o.Source, nil)
	say(FactConfidence, round(o.Confidence), nil)
	say(FactStatus, o.Status, reasons(o))
	ref(FactDeclared, o.Declared, declared)
	ref(FactAccountable, o.Accountable, nil)
	if len(o.Responsibilities) > 0 {
		type row struct {
			Role  string `json:"role"`
			Owner string `json:"owner"`
		}
		var rows []row
		for _, role := range slices.Sorted(maps.Keys(o.Responsibilities)) {
			rows = append(rows, row{role, o.Responsibilities[role].Key()})
		}
		say(FactResponsibilities, rows, nil)
	}
	if o.Drift.Standing(now) {
		ref(FactDrift, o.Drift.Evident, append(working, declared...))
	}
	if v := o.Verification; v != nil {
		say(FactVerification, v.State, nil)
		if !v.At.IsZero() {
			say(FactVerifiedAge, int(now.Sub(v.At)/daily), nil)
		}
	}
	return out
}

func round(f float64) float64 { return float64(int(f*1000+0.5)) / 1000 }

// reasons are why the candidates before the winner do not count, as evidence.
func reasons(o *Ownership) []catalog.Evidence {
	var out []catalog.Evidence
	for _, c := range o.Candidates {
		if c.RejectedBecause == "" || rank(c.Source) > rank(o.Source) || len(out) >= maxEvidence {
			continue
		}
		for _, e := range c.Evidence[:min(len(c.Evidence), 1)] {
			e.Text = strings.TrimSpace(e.Text + " It does not count: " + c.RejectedBecause + ".")
			out = append(out, e)
		}
	}
	return out
}

// maxLint bounds what is told with one entity of its CODEOWNERS file.
const maxLint = 20

// problems says what a person should mend.
func problems(e *catalog.Entity, f *finding, o *Ownership, now time.Time) []catalog.Problem {
	var out []catalog.Problem
	hint := func(reason string) string {
		for _, m := range o.Mends {
			if m.Reason == reason {
				return clause(m.Text)
			}
		}
		return ""
	}
	owner := catalog.Problem{Severity: catalog.SeverityWarning, Path: e.Origin.Path, Line: f.DeclaredLine, Field: "spec.owner"}
	if owner.Line == 0 {
		owner.Line = e.Origin.Line
	}
	if message := complaint(o); message != "" {
		p := owner
		p.Code, p.Message, p.Hint = catalog.Code(o.Status), message, hint(string(o.Status))
		if c := best(o); o.Status == StatusDangling && !c.IsZero() {
			p.Fix = catalog.Fix{Line: f.DeclaredLine, Found: e.Text("spec.owner"), Replacement: short(c, e.Ref.Namespace)}
		}
		out = append(out, p)
	}
	if o.Drift.Standing(now) {
		p := owner
		p.Code, p.Hint = "drift", hint("drift")
		p.Message = fmt.Sprintf("%s is declared, and %s did %.0f %% of the work in the last 90 days (%d commits)", o.Drift.Declared.Key(), o.Drift.Evident.Key(), 100*o.Drift.Share, o.Drift.Commits)
		out = append(out, p)
	}
	for _, l := range f.Lint[:min(len(f.Lint), maxLint)] {
		out = append(out, catalog.Problem{
			Code: catalog.Code(l.Reason), Severity: catalog.SeverityWarning, Path: l.Path, Line: l.Line, Message: l.Message, Hint: l.Hint,
		})
	}
	return out
}

// clause is a sentence as problems have their hints: without its capital and its
// full stop.
func clause(sentence string) string {
	if sentence == "" {
		return ""
	}
	return strings.ToLower(sentence[:1]) + strings.TrimSuffix(sentence[1:], ".")
}

// sentence is the inverse of clause.
func sentence(clause string) string {
	if clause == "" {
		return ""
	}
	return strings.ToUpper(clause[:1]) + clause[1:] + "."
}

// complaint says what is wrong with an ownership, in one sentence without a
// full stop; "" if nothing is.
func complaint(o *Ownership) string {
	switch o.Status {
	case StatusDangling:
		if o.Declared.IsZero() {
			return "spec.owner cannot be read as a reference"
		}
		if o.Owner.IsZero() {
			return fmt.Sprintf("the declared owner %s is not in the catalog, and no other source names one", o.Declared.Key())
		}
		return fmt.Sprintf("the declared owner %s is not in the catalog; %s counts, from %s", o.Declared.Key(), o.Owner.Key(), o.Source)
	case StatusUnowned:
		return "nobody owns it"
	case StatusDisbanded:
		return fmt.Sprintf("its owner %s has no active member", o.Owner.Key())
	case StatusSplit:
		return "CODEOWNERS divides its files among several owners, none of whom has half of them"
	case StatusSinglePerson:
		if o.Owner.Kind == "user" {
			return fmt.Sprintf("its owner %s is one person", o.Owner.Key())
		}
		return fmt.Sprintf("its owner %s has only one active member", o.Owner.Key())
	}
	return ""
}
