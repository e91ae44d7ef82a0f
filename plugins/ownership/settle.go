package ownership

import (
	"time"

	"github.com/waypost-dev/waypost/server/catalog"
)

// settle turns what was gathered of an entity into its ownership. It is pure.
func settle(e *catalog.Entity, f *finding, c *Config, now time.Time) Ownership {
	o := decide(f.gathered, rules{Inheritance: c.Inheritance, AutoApply: c.AutoApply})
	if f.Drift != nil {
		drift := *f.Drift
		drift.Since = now
		if had := f.HadDrift; had != nil && had.of(&drift) {
			drift.Since = had.Since
		}
		if d := f.Dismissed; d != nil && d.Declared == drift.Declared.Key() && d.Evident == drift.Evident.Key() && now.Before(d.Until) {
			drift.DismissedUntil, drift.DismissedBy, drift.DismissedReason = d.Until, d.Actor, d.Reason
		}
		o.Drift = &drift
	}
	o.Verification = verification(e, &o, f.Verified, c, now)
	o.Mends = mends(e, f, &o, now)
	return o
}

// of tells whether a record is of the same difference.
func (d *drifting) of(other *Drift) bool {
	return d.Declared == other.Declared.Key() && d.Evident == other.Evident.Key()
}

// verification is when the owner last said that it is: in the portal, or by the
// annotation waypost.dev/verified-at, whichever is later.
func verification(e *catalog.Entity, o *Ownership, by *VerifiedBy, c *Config, now time.Time) *Verification {
	if o.Owner.IsZero() {
		return nil
	}
	v := &Verification{State: Due}
	if by != nil && by.Owner == o.Owner.Key() {
		v.At, v.Actor = by.Time, by.Actor
	}
	if at, ok := parseTime(e.Annotation("waypost.dev/verified-at")); ok && at.After(v.At) && !at.After(now) {
		v.At, v.Actor = at, ""
	}
	if v.At.IsZero() {
		return v
	}
	cadence := c.cadence(e)
	v.Due = v.At.Add(cadence)
	switch {
	case now.Before(v.Due):
		v.State = Verified
	case !now.Before(overdueAt(v, cadence)):
		v.State = Overdue
	}
	return v
}

// overdueAt is when a verification that was due long enough counts as overdue.
func overdueAt(v *Verification, cadence time.Duration) time.Time { return v.Due.Add(cadence / 4) }

// parseTime reads a time or a day, as people write them.
func parseTime(s string) (time.Time, bool) {
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

// daily is how often what depends on time alone is looked at again: the age of
// a verification, and the weight of commits.
const daily = 24 * time.Hour

// again is when the outcome may be another one although nothing has changed.
func again(e *catalog.Entity, f *finding, o *Ownership, c *Config, now time.Time) time.Time {
	next := now.Add(daily)
	sooner := func(t time.Time) {
		if t.After(now) && t.Before(next) {
			next = t
		}
	}
	sooner(f.Expires)
	if d := o.Drift; d != nil {
		sooner(d.Since.Add(driftAfter))
		sooner(d.DismissedUntil)
	}
	if v := o.Verification; v != nil && !v.Due.IsZero() {
		sooner(v.Due)
		sooner(overdueAt(v, c.cadence(e)))
	}
	if len(f.Troubles) > 0 {
		sooner(now.Add(time.Hour))
	}
	return next
}
