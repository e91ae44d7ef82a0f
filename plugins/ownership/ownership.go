package ownership

import (
	"time"

	"github.com/waypost-dev/waypost/server/catalog"
)

// Source is where an owner comes from.
type Source string

// The sources, the one that counts most first.
const (
	SourceOverride   Source = "override"   // a person decided it in the portal
	SourceDeclared   Source = "declared"   // spec.owner
	SourceCodeowners Source = "codeowners" // over the folder of the entity
	SourceProperty   Source = "property"   // custom property or topic of the repository
	SourceInherited  Source = "inherited"  // the system, then the domain
	SourcePermission Source = "permission" // of a team on the repository
	SourceActivity   Source = "activity"   // who commits
	SourcePaging     Source = "paging"     // the team of the paging service
	SourceDefault    Source = "default"    // as configured
	SourceNone       Source = "none"
)

// Sources are all sources in their order of precedence.
var Sources = []Source{
	SourceOverride, SourceDeclared, SourceCodeowners, SourceProperty, SourceInherited,
	SourcePermission, SourceActivity, SourcePaging, SourceDefault,
}

// Status says whether the ownership of an entity is as it should be. The first
// one that applies, in this order, is the one that is told.
type Status string

const (
	// StatusDangling: the declared owner is not in the catalog, whether or not
	// another source names one.
	StatusDangling Status = "dangling"
	// StatusUnowned: no source names an owner.
	StatusUnowned Status = "unowned"
	// StatusDisbanded: the owner is a group without an active member.
	StatusDisbanded Status = "disbanded"
	// StatusSplit: CODEOWNERS names several owners, none for half of the files,
	// and no higher source decides.
	StatusSplit Status = "split"
	// StatusSinglePerson: one person owns it, directly or as the only active
	// member of a group.
	StatusSinglePerson Status = "single-person"
	StatusOwned        Status = "owned"
)

// Statuses are all of them.
var Statuses = []Status{StatusOwned, StatusDangling, StatusDisbanded, StatusSinglePerson, StatusSplit, StatusUnowned}

// Ownership is who owns an entity, and why.
type Ownership struct {
	Entity catalog.Ref
	// Owner is the one that counts; zero if there is none.
	Owner  catalog.Ref
	Source Source
	// Confidence is from 0 to 1; see [Confidence].
	Confidence float64
	// Declared is spec.owner, whether or not it exists; zero if there is none.
	Declared catalog.Ref
	Status   Status
	// Accountable answers for the entity: the owner, unless the spec says another.
	Accountable catalog.Ref
	// Additional own it beside Owner, because the inheritance is APPEND.
	Additional []catalog.Ref
	// Responsibilities are refs by role: build, run, platform, security, data or
	// what else the spec names.
	Responsibilities map[string]catalog.Ref
	// Candidates are all that were heard: those that count, and then the others
	// in the order of precedence. Owner is that of the first without
	// RejectedBecause.
	Candidates []Candidate
	// Drift is nil if evidence and declaration agree, or nothing is known.
	Drift *Drift
	// Verification is nil for an entity without an owner.
	Verification *Verification
	Mends        []Mend
}

// Candidate is an owner that some evidence speaks for.
type Candidate struct {
	// Owner is zero if the evidence says 'nobody', or names nobody that could be
	// read as a ref.
	Owner  catalog.Ref
	Source Source
	// Confidence is from 0 to 1; see [Confidence].
	Confidence float64
	// Evidence is at places that a person can go to, the weightiest first.
	Evidence []catalog.Evidence
	// RejectedBecause says why it is not the owner; empty for those that count.
	RejectedBecause string
	// Exists: it is in the catalog.
	Exists bool

	// fit: nothing but the order of sources and the configuration keeps it from
	// being the owner, so that a mend may propose it.
	fit bool
}

// Drift is a difference between the declared owner and who does the work.
type Drift struct {
	Declared, Evident catalog.Ref
	// Share of the work in the last 90 days that members of Evident did, from 0
	// to 1, recent work counting more.
	Share float64
	// Commits in the last 90 days, by anybody who is no bot.
	Commits int
	// Since is when the two were first seen to differ.
	Since time.Time
	// DismissedUntil is when the dismissal ends; zero if there is none.
	DismissedUntil  time.Time
	DismissedBy     string
	DismissedReason string
}

// Standing tells whether a drift is to be told: it has lasted for 14 days and
// nobody dismissed it.
func (d *Drift) Standing(now time.Time) bool {
	return d != nil && now.Sub(d.Since) >= driftAfter && !now.Before(d.DismissedUntil)
}

// VerificationState says whether the owner was asked lately.
type VerificationState string

// The states. One that was never verified is due; it is overdue once it was due
// for a quarter of its cadence.
const (
	Verified VerificationState = "verified"
	Due      VerificationState = "due"
	Overdue  VerificationState = "overdue"
)

// Verification is when the owner last said that it is.
type Verification struct {
	State VerificationState
	// At is when it was verified last; zero for never.
	At    time.Time
	Actor string
	// Due is when it is to be verified again; zero if it never was.
	Due time.Time
}

// Mend is a change that would put something right.
type Mend struct {
	// Reason is a status, drift, or what is wrong with CODEOWNERS: ineffective,
	// invalid or too-large.
	Reason     string
	Repository string // owner/name
	Path       string
	// Line is where, from 1; 0 if it is not known.
	Line int
	// Patch is a unified diff; empty if a person has to decide or to look first.
	Patch string
	// Text says what to do, in one sentence.
	Text string
}

// driftAfter is how long evidence must differ from the declaration before it is
// told: a fortnight of somebody else's fixes is no change of owner.
const driftAfter = 14 * 24 * time.Hour
