package github

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/waypost-dev/waypost/server/source"
	"github.com/waypost-dev/waypost/server/source/githubtest"
	"github.com/waypost-dev/waypost/server/source/sourcetest"
)

// follow does what a delivery calls for, as a harvester would.
func follow(t *testing.T, r *rapid.T, l *sourcetest.Ledger, p *place, d githubtest.Delivery) {
	t.Helper()
	s := p.source(t)
	a, err := s.Announced(d.Event, d.Payload)
	require.NoError(r, err)
	switch {
	case a.Everything:
		_, err = l.Harvest(t.Context(), t, s)
	case a.Ignored == "":
		_, err = l.Refresh(t.Context(), t, s, a.Scope)
	}
	require.NoError(r, err, "%s %s", d.Event, outcome(a))
}

// watchedPart leaves out what only a harvest keeps up to date: see Announced.
var watchedPart = cmp.Options{
	cmpopts.IgnoreFields(source.Repository{}, "State", "Asked", "Commit", "Author", "PushedAt", "Languages", "Root"),
	cmpopts.EquateEmpty(),
}

var whole = cmp.Options{cmpopts.IgnoreFields(source.Repository{}, "Asked"), cmpopts.EquateEmpty()}

// fresh is what a harvest of an empty catalog finds.
func fresh(t *testing.T, p *place) *sourcetest.Ledger {
	t.Helper()
	o := p.o
	o.Cache = &memory{}
	s, err := New(o)
	require.NoError(t, err)
	var l sourcetest.Ledger
	_, err = l.Harvest(t.Context(), t, s)
	require.NoError(t, err)
	return &l
}

// TestAtRestTheCatalogIsTheOrganisation changes an organisation at random, and
// delivers what it announces late, twice and out of order. When all is
// delivered, what is watched is as it is; after lost deliveries and a harvest,
// everything is.
func TestAtRestTheCatalogIsTheOrganisation(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		lossy := rapid.Bool().Draw(r, "lossy")
		o := Options{
			Patterns:   []string{"catalog-info.yaml", "*/catalog-info.yaml"},
			NoArchived: rapid.Bool().Draw(r, "noArchived"),
		}
		if rapid.Bool().Draw(r, "public only") {
			o.Visibility = []string{"public"}
		}
		org := sized(4, 2)
		p := newPlace(t, org, o, githubtest.Options{})
		defer p.http.Close()
		var waiting []githubtest.Delivery
		org.Announce(func(d githubtest.Delivery) {
			if lossy && rapid.IntRange(0, 3).Draw(r, "lost") == 0 {
				return
			}
			waiting = append(waiting, d)
			if rapid.IntRange(0, 5).Draw(r, "repeated") == 0 {
				waiting = append(waiting, d)
			}
		})
		var l sourcetest.Ledger
		run(t, &l, p)
		seed := rapid.Uint64().Draw(r, "order")
		order := rand.New(rand.NewPCG(seed, seed))
		for i := range rapid.IntRange(1, 12).Draw(r, "steps") {
			step(r, org, i)
			for len(waiting) > 0 && rapid.Bool().Draw(r, "deliver") {
				at := order.IntN(len(waiting))
				d := waiting[at]
				waiting = slices.Delete(waiting, at, at+1)
				follow(t, r, &l, p, d)
			}
		}
		order.Shuffle(len(waiting), func(i, j int) { waiting[i], waiting[j] = waiting[j], waiting[i] })
		for _, d := range waiting {
			follow(t, r, &l, p, d)
		}
		want := fresh(t, p)
		if !lossy {
			require.Empty(r, cmp.Diff(want, &l, watchedPart), "after all deliveries")
		}
		run(t, &l, p)
		require.Empty(r, cmp.Diff(want, &l, whole), "after a harvest")
	})
}

// step makes one change.
func step(r *rapid.T, org *githubtest.Org, i int) {
	var names []string
	var teams []string
	org.Update(func(o *githubtest.Org) {
		for _, repo := range o.Repos {
			names = append(names, repo.Name)
		}
		for _, team := range o.Teams {
			teams = append(teams, team.Slug)
		}
	})
	slices.Sort(names)
	file := func() githubtest.File {
		path := rapid.SampledFrom([]string{"catalog-info.yaml", "svc/catalog-info.yaml", "CODEOWNERS", "docs/CODEOWNERS", "src/main.go", "Dockerfile"}).Draw(r, "path")
		return githubtest.File{Path: path, Content: fmt.Appendf(nil, "# %d\n", i)}
	}
	fresh := rapid.SampledFrom([]string{"a", "b", "repo-00000", "repo-00001"}).Draw(r, "new name")
	free := !slices.Contains(names, fresh)
	org.SetActor(rapid.SampledFrom([]string{"", "user-001", "user-002"}).Draw(r, "actor"))
	if len(names) == 0 {
		org.Add(githubtest.NewRepo(fresh, file()))
		return
	}
	name := rapid.SampledFrom(names).Draw(r, "repository")
	switch rapid.SampledFrom([]string{"add", "delete", "rename", "transfer", "archive", "hide", "push", "push", "push", "side", "branch", "remove", "empty", "describe", "grant", "join", "leave", "team", "rename team", "delete team"}).Draw(r, "change") {
	case "add":
		if free {
			org.Add(githubtest.NewRepo(fresh, file()))
		}
	case "delete":
		org.Delete(name)
	case "rename":
		if free {
			org.Rename(name, fresh)
		}
	case "transfer":
		org.Transfer(name, "elsewhere")
	case "archive":
		org.Archive(name, rapid.Bool().Draw(r, "archived"))
	case "hide":
		org.SetVisibility(name, rapid.SampledFrom([]string{"public", "private"}).Draw(r, "visibility"))
	case "push":
		org.Push(name, file())
	case "side":
		org.PushTo(name, "side", file())
	case "branch":
		org.SetDefaultBranch(name, rapid.SampledFrom([]string{"main", "side"}).Draw(r, "branch"))
	case "remove":
		org.Remove(name, file().Path)
	case "empty":
		org.Replace(name)
	case "describe":
		org.Describe(name, fmt.Sprint("as of ", i))
	case "grant":
		if len(teams) > 0 {
			org.Grant(name, rapid.SampledFrom(teams).Draw(r, "team"), rapid.SampledFrom([]string{"", "pull", "admin"}).Draw(r, "permission"))
		}
	case "join":
		if len(teams) > 0 {
			org.Join(rapid.SampledFrom(teams).Draw(r, "team"), fmt.Sprint("newcomer-", i))
		}
	case "leave":
		org.Dismiss("user-001")
	case "team":
		org.AddTeam(&githubtest.Team{Name: fmt.Sprint("Team of ", i)})
	case "rename team":
		if len(teams) > 0 {
			org.RenameTeam(rapid.SampledFrom(teams).Draw(r, "team"), fmt.Sprint("Renamed ", i))
		}
	case "delete team":
		if len(teams) > 0 {
			org.DeleteTeam(rapid.SampledFrom(teams).Draw(r, "team"))
		}
	}
}
