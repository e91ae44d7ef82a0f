package githubtest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Update changes the organisation while no request is being answered. It
// announces nothing by itself.
func (o *Org) Update(change func(*Org)) {
	o.mu.Lock()
	change(o)
	o.turns++
	o.settle()
	take := o.take
	var deliveries []Delivery
	for _, say := range o.unsaid {
		if take != nil {
			deliveries = append(deliveries, say())
		}
	}
	o.unsaid = nil
	// In the order of the changes, and not under the lock that requests need.
	o.telling.Lock()
	defer o.telling.Unlock()
	o.mu.Unlock()
	for _, d := range deliveries {
		take(d)
	}
}

// SetActor sets who makes the changes that follow: the author of commits, if
// it ever was a member, and the sender of deliveries. Without one, commits have no
// author that GitHub knows, and the sender is octocat.
func (o *Org) SetActor(login string) { o.Update(func(o *Org) { o.actor = login }) }

// now is a moment later than every one before it.
func (o *Org) now() time.Time {
	o.tick = o.tick.Add(time.Second)
	return o.tick
}

func (o *Org) must(repo string) *Repo {
	r := o.repo(repo)
	if r == nil {
		panic(fmt.Sprintf("githubtest: there is no repository %s/%s", o.Login, repo))
	}
	return r
}

func (o *Org) mustTeam(slug string) *Team {
	t := o.team(slug)
	if t == nil {
		panic(fmt.Sprintf("githubtest: there is no team %s in %s", slug, o.Login))
	}
	return t
}

func (o *Org) change(repo string, change func(*Repo)) {
	o.Update(func(o *Org) {
		r := o.must(repo)
		change(r)
		r.UpdatedAt = o.now()
	})
}

// Add adds a repository.
func (o *Org) Add(r *Repo) {
	o.Update(func(o *Org) {
		o.Repos = append(o.Repos, r)
		o.sayRepository("created", r, nil)
		if head := r.Branches[r.DefaultBranch]; head != nil {
			o.sayPush(r, r.DefaultBranch, nil, head)
		}
	})
}

// Delete removes a repository.
func (o *Org) Delete(repo string) {
	o.Update(func(o *Org) {
		r := o.must(repo)
		o.Repos = slices.DeleteFunc(o.Repos, func(other *Repo) bool { return other == r })
		maps.DeleteFunc(o.moved, func(_ string, other *Repo) bool { return other == r })
		o.sayRepository("deleted", r, nil)
	})
}

// Rename gives a repository a new name; its ids stay, and requests by the
// former name are redirected until another repository takes it.
func (o *Org) Rename(repo, name string) {
	o.change(repo, func(r *Repo) {
		from := r.Name
		o.leave(r)
		r.Name = name
		o.sayRepository("renamed", r, map[string]any{"repository": map[string]any{"name": before(from)}})
	})
}

func (o *Org) leave(r *Repo) {
	if o.moved == nil {
		o.moved = map[string]*Repo{}
	}
	o.moved[strings.ToLower(o.Login+"/"+r.Name)] = r
}

// Transfer gives a repository to another owner, under whom it can still be
// read. GitHub tells only the new owner: what is delivered is what an
// enterprise that holds both would hear.
func (o *Org) Transfer(repo, owner string) {
	o.change(repo, func(r *Repo) {
		o.leave(r)
		o.Repos = slices.DeleteFunc(o.Repos, func(other *Repo) bool { return other == r })
		o.away = append(o.away, r)
		r.owner, r.Teams = owner, nil
		o.say("repository", func(v *voice) map[string]any {
			from := map[string]any{"organization": v.organization(o.Login)}
			return map[string]any{
				"action": "transferred", "repository": v.repository(r), "changes": map[string]any{"owner": before(from)},
				"organization": v.organization(owner),
			}
		})
	})
}

// Archive sets a repository's archived flag.
func (o *Org) Archive(repo string, archived bool) {
	o.change(repo, func(r *Repo) {
		r.Archived = archived
		if archived {
			o.sayRepository("archived", r, nil)
		} else {
			o.sayRepository("unarchived", r, nil)
		}
	})
}

// SetVisibility makes a repository public, private or internal.
func (o *Org) SetVisibility(repo, visibility string) {
	o.change(repo, func(r *Repo) {
		was := r.Visibility
		r.Visibility = visibility
		switch {
		case visibility == "public" && was != "public":
			o.sayRepository("publicized", r, nil)
			o.say("public", func(v *voice) map[string]any { return map[string]any{"repository": v.repository(r)} })
		case visibility != "public" && was == "public":
			o.sayRepository("privatized", r, nil)
		}
	})
}

// Describe sets a repository's description.
func (o *Org) Describe(repo, description string) {
	o.change(repo, func(r *Repo) {
		from := r.Description
		r.Description = description
		o.sayRepository("edited", r, map[string]any{"description": before(orNull(from))})
	})
}

// SetTopics sets a repository's topics.
func (o *Org) SetTopics(repo string, topics ...string) {
	o.change(repo, func(r *Repo) {
		from := r.Topics
		r.Topics = topics
		o.sayRepository("edited", r, map[string]any{"topics": before(append([]string{}, from...))})
	})
}

// SetDefaultBranch makes another branch the default one.
func (o *Org) SetDefaultBranch(repo, branch string) {
	o.change(repo, func(r *Repo) {
		from := r.DefaultBranch
		r.DefaultBranch, r.Languages = branch, nil
		if head := r.Branches[branch]; head != nil {
			r.Languages = head.languages()
		}
		o.sayRepository("edited", r, map[string]any{"default_branch": before(from)})
	})
}

// before is GitHub's form of what a changed value was before.
func before(v any) map[string]any { return map[string]any{"from": v} }

// Push commits files on the default branch, in addition to what is there.
func (o *Org) Push(repo string, files ...File) { o.PushTo(repo, "", files...) }

// PushTo commits files on a branch, in addition to what is there; on the
// default branch when branch is empty. A new branch starts at the default one.
func (o *Org) PushTo(repo, branch string, files ...File) {
	o.commit(repo, branch, func(had []File) []File { return slices.Concat(had, files) })
}

// Replace commits files on the default branch in place of all that is there.
// Without files, the repository becomes one without a commit.
func (o *Org) Replace(repo string, files ...File) {
	o.commit(repo, "", func([]File) []File { return files })
}

// Remove commits the removal of paths from the default branch.
func (o *Org) Remove(repo string, paths ...string) {
	o.commit(repo, "", func(had []File) []File {
		return slices.DeleteFunc(had, func(f File) bool { return slices.Contains(paths, f.Path) })
	})
}

func (o *Org) commit(repo, branch string, edit func([]File) []File) {
	o.change(repo, func(r *Repo) {
		if branch == "" {
			branch = r.DefaultBranch
		}
		had := r.Branches[branch]
		start := had
		if start == nil {
			start = r.Branches[r.DefaultBranch]
		}
		r.PushedAt = o.now()
		r.commit(branch, edit(start.Files()), r.PushedAt, o.actor)
		o.sayPush(r, branch, had, r.Branches[branch])
	})
}

// AddTeam adds a team.
func (o *Org) AddTeam(t *Team) {
	o.Update(func(o *Org) {
		o.Teams = append(o.Teams, t)
		o.sayTeam("created", t, nil, nil)
	})
}

// DeleteTeam removes a team and what it was granted. Teams below it move up to
// the top.
func (o *Org) DeleteTeam(slug string) {
	o.Update(func(o *Org) {
		t := o.mustTeam(slug)
		o.Teams = slices.DeleteFunc(o.Teams, func(other *Team) bool { return other == t })
		for _, r := range o.Repos {
			delete(r.Teams, t.Slug)
		}
		for _, c := range o.children(t) {
			c.Parent = ""
		}
		o.sayTeam("deleted", t, nil, nil)
	})
}

// RenameTeam gives a team a new name, and with it a new slug.
func (o *Org) RenameTeam(slug, name string) {
	o.Update(func(o *Org) {
		t := o.mustTeam(slug)
		from, children := t.Name, o.children(t)
		was := t.Slug
		t.Name, t.Slug = name, strings.ReplaceAll(strings.ToLower(name), " ", "-")
		for _, c := range children {
			c.Parent = t.Slug
		}
		for _, r := range o.Repos {
			if p, ok := r.Teams[was]; ok {
				delete(r.Teams, was)
				r.Teams[t.Slug] = p
			}
		}
		o.sayTeam("edited", t, nil, map[string]any{"name": before(from)})
	})
}

// Grant gives a team a permission on a repository, or takes it away when
// permission is empty.
func (o *Org) Grant(repo, team, permission string) {
	o.change(repo, func(r *Repo) {
		t := o.mustTeam(team)
		had := r.Teams[t.Slug]
		if r.Teams == nil {
			r.Teams = map[string]string{}
		}
		switch {
		case permission == "":
			delete(r.Teams, t.Slug)
			o.sayTeam("removed_from_repository", t, r, nil)
			return
		case had == "":
			o.sayTeam("added_to_repository", t, r, nil)
			o.say("team_add", func(v *voice) map[string]any {
				return map[string]any{"repository": v.repository(r), "team": v.team(t, r)}
			})
		default:
			o.sayTeam("edited", t, r, map[string]any{"repository": map[string]any{"permissions": before(map[string]any{
				"pull": true, "push": granted(had)["push"], "admin": granted(had)["admin"],
			})}})
		}
		r.Teams[t.Slug] = permission
	})
}

// Join puts a user into a team, and into the organisation if need be.
func (o *Org) Join(team, login string) {
	o.Update(func(o *Org) {
		t := o.mustTeam(team)
		if o.user(login) == nil {
			o.sayMember("member_added", login)
		}
		t.Members = append(t.Members, login)
		o.sayMembership("added", t, login)
	})
}

// Leave takes a user out of a team.
func (o *Org) Leave(team, login string) {
	o.Update(func(o *Org) {
		t := o.mustTeam(team)
		t.Members = slices.DeleteFunc(t.Members, func(m string) bool { return m == login })
		o.sayMembership("removed", t, login)
	})
}

// Dismiss takes a user out of the organisation and all its teams.
func (o *Org) Dismiss(login string) {
	o.Update(func(o *Org) {
		for _, t := range o.Teams {
			if slices.Contains(t.Members, login) {
				t.Members = slices.DeleteFunc(t.Members, func(m string) bool { return m == login })
				o.sayMembership("removed", t, login)
			}
		}
		o.Users = slices.DeleteFunc(o.Users, func(u *User) bool { return u.Login == login })
		o.sayMember("member_removed", login)
	})
}
