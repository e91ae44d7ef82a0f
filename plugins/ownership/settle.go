package ownership

import (
	"hash/fnv"
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

// daily is how often what depends on time alone is looked at again, give or take
// a quarter: the age of a verification, and the weight of commits.
const daily = 24 * time.Hour

// again is when the outcome may be another one although nothing has changed; zero
// for never.
func again(e *catalog.Entity, f *finding, o *Ownership, c *Config, now time.Time) time.Time {
	var next time.Time
	sooner := func(t time.Time) {
		if t.After(now) && (next.IsZero() || t.Before(next)) {
			next = t
		}
	}
	if f.History || o.Verification != nil && !o.Verification.At.IsZero() {
		sooner(now.Add(daily*3/4 + spread(e.Ref, daily/2)))
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

// spread is a part of a time, always the same for an entity, so that not all of
// the catalog is asked about in the same minute.
func spread(e catalog.Ref, over time.Duration) time.Duration {
	h := fnv.New32a()
	h.Write([]byte(e.Key()))
	return over * time.Duration(h.Sum32()%1000) / 1000
}
