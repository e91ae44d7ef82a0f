package ownership

import (
	"cmp"
	"context"
	"errors"
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
	Commit *plugins.Commit
	Person string // some name of the author, the same for all of their commits
	Teams  []catalog.Ref
}

// teamWork is how much of the work a team did.
type teamWork struct {
	Team    catalog.Ref
	Share   float64 // from 0 to 1
	Commits int
	People  int
	Latest  *plugins.Commit
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
			if s.Latest == nil || w.Commit.Time.After(s.Latest.Time) {
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

// maxWorkers bounds how many teams are told of those that commit.
const maxWorkers = 5

// activity is 7: whose members commit.
func (g *gatherer) activity(ctx context.Context, s plugins.Subject, f *finding) {
	commits, err := g.source.Commits(ctx, f.Place.Repository, f.Place.Folder, g.now.Add(-activityWindow), maxCommits)
	if errors.Is(err, plugins.ErrNotGiven) {
		return
	}
	if err != nil {
		f.Troubles[SourceActivity] = fmt.Errorf("read the commits of %s: %w", f.Place.Name, err)
		return
	}
	f.History = true
	all := g.work(s.View, commits)
	teams, n := shares(all, g.now.Add(-activityWindow), g.now)
	for _, t := range teams[:min(len(teams), maxWorkers)] {
		_, ok := s.View.Entity(t.Team)
		evidence := f.Place.about(catalog.Evidence{
			Kind: "commits", Weight: t.Share,
			Text: fmt.Sprintf("%d people of the team made %d of the %d commits in %s in the last 180 days, %.0f %% of the work.", t.People, t.Commits, n, folderName(f.Place.Folder), 100*t.Share),
		})
		evidence.Commit = t.Latest.Hash
		if f.Place.URL != "" {
			evidence.URL = f.Place.URL + "/commits/" + cmp.Or(f.Place.Branch, f.Place.Commit) + "/" + f.Place.Folder
		}
		c := g.addRef(s, f, SourceActivity, t.Team, ok, "", t.confidence(), evidence)
		c.Unfit = t.unfit()
	}
	g.drift(s, f, all)
}

// work maps commits to people and teams. Those of bots are left out.
func (g *gatherer) work(v plugins.View, commits []plugins.Commit) []work {
	out := make([]work, 0, len(commits))
	type author struct {
		person string
		teams  []catalog.Ref
		bot    bool
	}
	known := map[[3]string]author{}
	for i := range commits {
		c := &commits[i]
		names := [3]string{c.Author, c.Email, c.Name}
		a, ok := known[names]
		if !ok {
			a.bot = g.config.isBot(c.Author, c.Email, c.Name)
			a.person = strings.ToLower(cmp.Or(c.Author, c.Email, c.Name))
			if user, ok := g.author(v, c); ok && !a.bot {
				a.person, a.teams = user.Key(), g.people.teamsOf(v, user)
			}
			known[names] = a
		}
		if !a.bot {
			out = append(out, work{Commit: c, Person: a.person, Teams: a.teams})
		}
	}
	return out
}

// author finds the user behind a commit: by login, by the login in GitHub's
// private addresses, and by e-mail.
func (g *gatherer) author(v plugins.View, c *plugins.Commit) (catalog.Ref, bool) {
	email := strings.ToLower(c.Email)
	login := strings.ToLower(c.Author)
	if private, ok := strings.CutSuffix(email, "@users.noreply.github.com"); ok && login == "" {
		_, after, numbered := strings.Cut(private, "+")
		if login = private; numbered {
			login = after
		}
	}
	for _, alias := range []string{login, email} {
		if user, ok := g.census.people[alias]; ok && alias != "" {
			return user, true
		}
	}
	if login != "" {
		ref := catalog.Ref{Kind: "user", Namespace: catalog.DefaultNamespace, Name: login}
		if _, ok := v.Entity(ref); ok {
			return ref, true
		}
	}
	return catalog.Ref{}, false
}

// drift compares the work of the last 90 days with the declaration. Work by a
// team below the declared one is work by the declared one, and so is that by
// the team of a declared person.
func (g *gatherer) drift(s plugins.Subject, f *finding, all []work) {
	if f.Declared.IsZero() {
		return
	}
	teams, n := shares(all, g.now.Add(-driftWindow), g.now)
	if len(teams) == 0 || n < driftCommits || teams[0].Share < driftShare {
		return
	}
	top := teams[0]
	if Belongs(s.View, top.Team, f.Declared) || f.Declared.Kind == "user" && Belongs(s.View, f.Declared, top.Team) {
		return
	}
	f.Drift = &Drift{Declared: f.Declared, Evident: top.Team, Share: top.Share, Commits: n}
}
