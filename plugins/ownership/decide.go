package ownership

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/waypost-dev/waypost/server/catalog"
)

// Inheritance says how an entity takes part in the owners of its system and
// domain, in Cortex's words.
type Inheritance string

const (
	// Fallback: the nearest ancestor's owner counts if nothing higher does.
	Fallback Inheritance = "FALLBACK"
	// Append: as Fallback, and if something higher decides, it owns the entity too.
	Append Inheritance = "APPEND"
	// NoInheritance: ancestors are heard and do not count.
	NoInheritance Inheritance = "NONE"
)

// claim is what one piece of evidence says, before anything is decided.
type claim struct {
	Source Source
	Owner  catalog.Ref // zero for nobody
	// Written is how the evidence names the owner, such as @acme/payments.
	Written string
	Exists  bool
	// Members is how many active members the owner has, counted up to 2; a user
	// has 1. It is unknown if below zero.
	Members    int
	Confidence float64
	// Unfit says why it cannot count, whatever the other evidence is.
	Unfit    string
	Evidence []catalog.Evidence
}

// rules are what the configuration says of deciding.
type rules struct {
	Inheritance Inheritance
	AutoApply   bool
}

// gathered is all that is known of an entity's ownership.
type gathered struct {
	Entity   catalog.Ref
	Declared catalog.Ref
	// Claims are in any order of sources; those of one source are in theirs, the
	// best first.
	Claims []claim
	// Split: CODEOWNERS names several owners, none for half of the files.
	Split            bool
	Accountable      catalog.Ref
	Responsibilities map[string]catalog.Ref
}

// applyActivity is the confidence from which on activity may decide.
const applyActivity = 0.8

// Confidence is how much an owner from a source is worth, from 0 to 1, at its
// best. The figures order the sources and leave gaps between them; they were
// not measured. Their reason is how directly a person said 'this team answers
// for this entity':
//
//   - override 1: a person said so, with a reason, and saw the other evidence;
//   - declared 0.95: a person said so in the entity's own file, some time ago;
//   - codeowners 0.9 times the share of files: it says who reviews changes. 0.6
//     times as much if the files are not known and the folder was matched instead;
//   - property 0.8: somebody said so of the repository, which may hold more than
//     the entity;
//   - inherited 0.7, and 0.1 less for each ancestor between, down to 0.4: said of
//     something larger;
//   - permission 0.6 for admin, 0.5 for maintain, 0.4 for push: who may change it is
//     often not who answers for it;
//   - activity: share × min(1, commits/20), as there is nothing but the count;
//   - paging 0.5: who is woken runs it, and may not build it;
//   - default 0.2: nobody said anything.
//
// An owner that is not in the catalog has half of it.
func Confidence(s Source) float64 {
	switch s {
	case SourceOverride, SourceActivity:
		return 1
	case SourceDeclared:
		return 0.95
	case SourceCodeowners:
		return 0.9
	case SourceProperty:
		return 0.8
	case SourceInherited:
		return 0.7
	case SourcePermission:
		return 0.6
	case SourcePaging:
		return 0.5
	case SourceDefault:
		return 0.2
	}
	return 0
}

func rank(s Source) int {
	if i := slices.Index(Sources, s); i >= 0 {
		return i
	}
	return len(Sources)
}

// Reasons for which a candidate is not the owner.
const (
	becauseHigher    = "a higher source has decided"
	becauseBetter    = "the same source names a better one"
	becauseMissing   = "no such entity in the catalog"
	becauseNobody    = "it names nobody"
	becauseEmpty     = "the group has no active member"
	becauseNone      = "inheritance is NONE"
	becauseAutoApply = "activity only recommends unless autoApply is set"
)

// decide weighs what was gathered. It is pure: equal evidence gives equal
// outcomes.
func decide(g gathered, r rules) Ownership {
	o := Ownership{
		Entity: g.Entity, Declared: g.Declared, Source: SourceNone,
		Responsibilities: g.Responsibilities,
	}
	claims := slices.Clone(g.Claims)
	slices.SortStableFunc(claims, func(a, b claim) int { return cmp.Compare(rank(a.Source), rank(b.Source)) })
	var won *claim
	nearest := true // the next inherited owner is that of the nearest ancestor
	for i := range claims {
		c := &claims[i]
		candidate := Candidate{Owner: c.Owner, Source: c.Source, Confidence: clamp(c.Confidence), Evidence: c.Evidence, Exists: c.Exists}
		candidate.fit = c.Unfit == "" && c.Exists && c.Members != 0 && c.Source != SourceDefault
		if !c.Exists {
			candidate.Confidence /= 2
		}
		candidate.RejectedBecause = unfit(c, r)
		switch {
		case candidate.RejectedBecause != "":
		case won == nil:
			won = c
			o.Owner, o.Source, o.Confidence = c.Owner, c.Source, candidate.Confidence
		case r.Inheritance == Append && c.Source == SourceInherited && won.Source != SourceInherited && nearest:
			nearest = false
			if c.Owner.Key() == o.Owner.Key() {
				candidate.RejectedBecause = becauseHigher
			} else {
				o.Additional = append(o.Additional, c.Owner)
			}
		case won.Source == c.Source:
			candidate.RejectedBecause = becauseBetter
		default:
			candidate.RejectedBecause = becauseHigher
		}
		o.Candidates = append(o.Candidates, candidate)
	}
	slices.SortStableFunc(o.Candidates, func(a, b Candidate) int {
		return cmp.Compare(min(len(a.RejectedBecause), 1), min(len(b.RejectedBecause), 1))
	})
	o.Status = status(g, won)
	o.Accountable = g.Accountable
	if o.Accountable.IsZero() {
		o.Accountable = o.Owner
	}
	return o
}

// unfit says why a claim cannot count, even if it were the only one.
func unfit(c *claim, r rules) string {
	switch {
	case c.Unfit != "":
		return c.Unfit
	case c.Owner.IsZero() && c.Written == "":
		return becauseNobody
	case !c.Exists, c.Owner.IsZero():
		return becauseMissing
	case c.Members == 0 && rank(c.Source) > rank(SourceDeclared):
		// What people said of this very entity counts all the same, and is told
		// as disbanded: no inference wins over a declaration.
		return becauseEmpty
	case c.Source == SourceInherited && r.Inheritance == NoInheritance:
		return becauseNone
	case c.Source == SourceActivity && c.Confidence < applyActivity:
		return fmt.Sprintf("activity only recommends below a confidence of %.1f", applyActivity)
	case c.Source == SourceActivity && !r.AutoApply:
		return becauseAutoApply
	}
	return ""
}

func status(g gathered, won *claim) Status {
	for _, c := range g.Claims {
		if c.Source == SourceDeclared && !c.Exists {
			return StatusDangling
		}
	}
	split := g.Split && (won == nil || rank(won.Source) > rank(SourceCodeowners))
	switch {
	case won == nil && split:
		return StatusSplit
	case won == nil:
		return StatusUnowned
	case won.Members == 0:
		return StatusDisbanded
	case split:
		return StatusSplit
	case won.Members == 1 || strings.EqualFold(won.Owner.Kind, "user"):
		return StatusSinglePerson
	}
	return StatusOwned
}

func clamp(f float64) float64 {
	if math.IsNaN(f) {
		return 0
	}
	return min(max(f, 0), 1)
}
