package ownership

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/waypost-dev/waypost/plugins"
	"github.com/waypost-dev/waypost/server/catalog"
)

// What is looked at of the history, and what it takes to tell something.
const (
	activityWindow = 180 * 24 * time.Hour
	driftWindow    = 90 * 24 * time.Hour
	halfLife       = 30 // days
	maxCommits     = 1000

	recommendShare   = 0.5
	recommendPeople  = 2
	recommendCommits = 5
	fullCommits      = 20 // of a team, from which on their number is no doubt

	driftShare   = 0.6
	driftCommits = 10
)

// work is a commit by a person, and the teams that the person is in.
type work struct {
	Commit plugins.Commit
	Person string // some name of the author, the same for all of their commits
	Teams  []catalog.Ref
}

// teamWork is how much of the work a team did.
type teamWork struct {
	Team    catalog.Ref
	Share   float64 // from 0 to 1
	Commits int
	People  int
	Latest  plugins.Commit
}

// confidence is share × min(1, commits/20), the commits being the team's own.
func (t teamWork) confidence() float64 {
	return t.Share * min(1, float64(t.Commits)/fullCommits)
}

// unfit says why the work of a team is not enough to recommend it.
func (t teamWork) unfit() string {
	switch {
	case t.Share < recommendShare:
		return fmt.Sprintf("it did %.0f %% of the work; a recommendation takes %.0f %%", 100*t.Share, 100*recommendShare)
	case t.People < recommendPeople:
		return "only one person of the team commits"
	case t.Commits < recommendCommits:
		return fmt.Sprintf("it made %d commits; a recommendation takes %d", t.Commits, recommendCommits)
	}
	return ""
}

// shares tells how the work since a time is divided among teams, most first: a
// commit weighs half as much for every 30 days of its age, and one by somebody
// in k teams counts as a k-th for each. Work of people in no team counts for
// the whole only. It also tells how many commits there were.
func shares(all []work, since, now time.Time) ([]teamWork, int) {
	type sum struct {
		teamWork
		weight float64
		people map[string]bool
	}
	sums := map[catalog.Ref]*sum{}
	total, commits := 0.0, 0
	for _, w := range all {
		if w.Commit.Time.Before(since) {
			continue
		}
		age := max(now.Sub(w.Commit.Time).Hours()/24, 0)
		weight := math.Pow(0.5, age/halfLife)
		total += weight
		commits++
		for _, team := range w.Teams {
			s := sums[team]
			if s == nil {
				s = &sum{teamWork: teamWork{Team: team}, people: map[string]bool{}}
				sums[team] = s
			}
			s.weight += weight / float64(len(w.Teams))
			s.Commits++
			s.people[w.Person] = true
			if w.Commit.Time.After(s.Latest.Time) {
				s.Latest = w.Commit
			}
		}
	}
	var out []teamWork
	for _, s := range sums {
		s.Share, s.People = s.weight/total, len(s.people)
		out = append(out, s.teamWork)
	}
	slices.SortFunc(out, func(a, b teamWork) int {
		return cmp.Or(cmp.Compare(b.Share, a.Share), cmp.Compare(b.Commits, a.Commits), strings.Compare(a.Team.Key(), b.Team.Key()))
	})
	return out, commits
}
