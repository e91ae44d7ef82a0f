package githubtest

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"slices"
	"sort"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxText is the size above which GitHub cuts the text of a blob short.
const maxText = 512_000

func unknownField(kind, name string) error {
	return fmt.Errorf("githubtest does not answer %s.%s", kind, name)
}

func text(args map[string]any, name string) string {
	s, _ := args[name].(string)
	return s
}

func (e *execution) query(name string, args map[string]any) (any, error) {
	switch name {
	case "rateLimit":
		return e.rateLimit(), nil
	case "organization":
		if login := text(args, "login"); !strings.EqualFold(login, e.s.org.Login) {
			return nil, typedError{"NOT_FOUND", fmt.Sprintf("Could not resolve to an Organization with the login of '%s'.", login)}
		}
		return e.organization(), nil
	case "repository":
		repo := e.s.org.repo(text(args, "name"))
		if repo == nil || !strings.EqualFold(text(args, "owner"), e.s.org.Login) {
			return nil, typedError{"NOT_FOUND", fmt.Sprintf("Could not resolve to a Repository with the name '%s/%s'.", text(args, "owner"), text(args, "name"))}
		}
		return e.repository(repo), nil
	case "node":
		return e.node(text(args, "id"))
	case "nodes":
		ids, _ := args["ids"].([]any)
		list := make([]any, len(ids))
		for i, id := range ids {
			found, err := e.node(fmt.Sprint(id))
			if list[i] = found; err != nil {
				list[i] = err
			}
		}
		return list, nil
	}
	return nil, unknownField("Query", name)
}

func (e *execution) node(id string) (any, error) {
	org := e.s.org
	switch kind, _, _ := strings.Cut(id, "_"); kind {
	case "R":
		if r := org.byNode[id]; r != nil && r.Broken != "" {
			return nil, typedError{r.Broken, "The repository cannot be read."}
		} else if r != nil {
			return e.repository(r), nil
		}
	case "T":
		for _, t := range org.Teams {
			if nodeID("T", t.id) == id {
				return e.team(t), nil
			}
		}
	case "U":
		for _, u := range org.Users {
			if nodeID("U", u.id) == id {
				return e.user(u), nil
			}
		}
	case "B":
		key, _ := base64.RawURLEncoding.DecodeString(strings.TrimPrefix(id, "B_"))
		repo, oid, _ := strings.Cut(string(key), ":")
		if r := org.byNode[repo]; r != nil {
			if found := r.object(oid); found != nil {
				return e.gitObject(r, nil, found), nil
			}
		}
	}
	return nil, typedError{"NOT_FOUND", fmt.Sprintf("Could not resolve to a node with the global id of '%s'", id)}
}

func (e *execution) rateLimit() *result {
	used, left, reset := e.s.remaining("graphql")
	return &result{"RateLimit", func(name string, _ map[string]any) (any, error) {
		switch name {
		case "cost":
			return e.points, nil
		case "limit":
			return e.s.options.Limit, nil
		case "nodeCount":
			return e.nodes, nil
		case "remaining":
			return max(0, left-e.points), nil
		case "used":
			return used + e.points, nil
		case "resetAt":
			return reset, nil
		}
		return nil, unknownField("RateLimit", name)
	}}
}

// connection is a page of a list, in GraphQL's form. Cursors are offsets.
func connection[T any](kind string, args map[string]any, all []T, node func(T) *result, edge func(T) *result) *result {
	start := 0
	if after := text(args, "after"); after != "" {
		start, _ = strconv.Atoi(strings.TrimPrefix(after, "cursor:"))
	}
	first, _ := integer(args["first"])
	start = min(max(start, 0), len(all))
	end := min(start+first, len(all))
	list := func(show func(T) *result) []any {
		shown := []any{}
		for _, item := range all[start:end] {
			shown = append(shown, show(item))
		}
		return shown
	}
	return &result{kind, func(name string, _ map[string]any) (any, error) {
		switch name {
		case "nodes":
			return list(node), nil
		case "edges":
			if edge != nil {
				return list(edge), nil
			}
		case "totalCount":
			return len(all), nil
		case "pageInfo":
			return &result{"PageInfo", func(name string, _ map[string]any) (any, error) {
				if name == "hasNextPage" {
					return end < len(all), nil
				}
				if end == start {
					return nil, nil
				}
				return "cursor:" + strconv.Itoa(end), nil
			}}, nil
		}
		return nil, unknownField(kind, name)
	}}
}

func (e *execution) organization() *result {
	org := e.s.org
	return &result{"Organization", func(name string, args map[string]any) (any, error) {
		switch name {
		case "id":
			return nodeID("O", number("org", org.Login)), nil
		case "login":
			return org.Login, nil
		case "name":
			return orNull(org.Name), nil
		case "url":
			return e.s.options.HTMLBase + "/" + org.Login, nil
		case "membersWithRole":
			return connection("OrganizationMemberConnection", args, org.Users, e.user, nil), nil
		case "repositories":
			return connection("RepositoryConnection", args, org.Repos, e.repository, nil), nil
		case "teams":
			return connection("TeamConnection", args, org.Teams, e.team, nil), nil
		case "team":
			if t := org.team(text(args, "slug")); t != nil {
				return e.team(t), nil
			}
			return nil, nil
		}
		return nil, unknownField("Organization", name)
	}}
}

func (e *execution) user(u *User) *result {
	return &result{"User", func(name string, _ map[string]any) (any, error) {
		switch name {
		case "id":
			return nodeID("U", u.id), nil
		case "login":
			return u.Login, nil
		case "name":
			return orNull(u.Name), nil
		case "email":
			return u.Email, nil
		case "avatarUrl":
			return e.s.avatar(u.id), nil
		case "url":
			return e.s.options.HTMLBase + "/" + u.Login, nil
		}
		return nil, unknownField("User", name)
	}}
}

func (e *execution) team(t *Team) *result {
	org := e.s.org
	return &result{"Team", func(name string, args map[string]any) (any, error) {
		switch name {
		case "id":
			return nodeID("T", t.id), nil
		case "slug":
			return t.Slug, nil
		case "name":
			return t.Name, nil
		case "description":
			return orNull(t.Description), nil
		case "url":
			return e.s.options.HTMLBase + "/orgs/" + org.Login + "/teams/" + t.Slug, nil
		case "parentTeam":
			if p := org.team(t.Parent); p != nil {
				return e.team(p), nil
			}
			return nil, nil
		case "childTeams":
			return connection("TeamConnection", args, org.children(t), e.team, nil), nil
		case "members":
			logins := org.members(t)
			switch text(args, "membership") {
			case "IMMEDIATE":
				logins = t.Members
			case "CHILD_TEAM":
				logins = slices.DeleteFunc(logins, func(l string) bool { return slices.Contains(t.Members, l) })
			}
			return connection("TeamMemberConnection", args, logins, func(l string) *result { return e.user(org.user(l)) }, nil), nil
		case "repositories":
			var repos []*Repo
			for _, r := range org.Repos {
				if r.Teams[t.Slug] != "" {
					repos = append(repos, r)
				}
			}
			return connection("TeamRepositoryConnection", args, repos, e.repository, func(r *Repo) *result {
				return &result{"TeamRepositoryEdge", func(name string, _ map[string]any) (any, error) {
					if name == "permission" {
						return strings.ToUpper(role(r.Teams[t.Slug])), nil
					}
					return e.repository(r), nil
				}}
			}), nil
		}
		return nil, unknownField("Team", name)
	}}
}

func (e *execution) repository(r *Repo) *result {
	return &result{"Repository", func(name string, args map[string]any) (any, error) {
		switch name {
		case "id":
			return r.NodeID(), nil
		case "name":
			return r.Name, nil
		case "nameWithOwner":
			return e.s.org.owner(r) + "/" + r.Name, nil
		case "description":
			return orNull(r.Description), nil
		case "homepageUrl":
			return orNull(r.Homepage), nil
		case "url":
			return e.s.options.HTMLBase + "/" + e.s.org.owner(r) + "/" + r.Name, nil
		case "visibility":
			return strings.ToUpper(r.Visibility), nil
		case "isPrivate":
			return r.Visibility != "public", nil
		case "isArchived":
			return r.Archived, nil
		case "isFork":
			return r.Fork, nil
		case "isTemplate":
			return r.Template, nil
		case "isEmpty":
			return r.Branches[r.DefaultBranch] == nil, nil
		case "createdAt":
			return r.CreatedAt, nil
		case "updatedAt":
			return r.UpdatedAt, nil
		case "pushedAt":
			return r.PushedAt, nil
		case "licenseInfo":
			return license(r), nil
		case "languages":
			return r.languageConnection(args), nil
		case "repositoryTopics":
			return connection("RepositoryTopicConnection", args, r.Topics, topic, nil), nil
		case "defaultBranchRef":
			return e.ref(r, r.DefaultBranch), nil
		case "ref":
			return e.ref(r, strings.TrimPrefix(text(args, "qualifiedName"), "refs/heads/")), nil
		case "object":
			if oid := text(args, "oid"); oid != "" {
				return e.gitObject(r, nil, r.object(oid)), nil
			}
			commit, found := r.resolve(text(args, "expression"))
			return e.gitObject(r, commit, found), nil
		}
		return nil, unknownField("Repository", name)
	}}
}

func topic(name string) *result {
	return &result{"RepositoryTopic", func(field string, _ map[string]any) (any, error) {
		if field == "id" {
			return "RT_" + name, nil
		}
		return &result{"Topic", func(field string, _ map[string]any) (any, error) {
			if field == "id" {
				return "TOP_" + name, nil
			}
			return name, nil
		}}, nil
	}}
}

func license(r *Repo) *result {
	if r.License == "" {
		return nil
	}
	return &result{"License", func(name string, _ map[string]any) (any, error) {
		switch name {
		case "id":
			return "L_" + r.License, nil
		case "key":
			return strings.ToLower(r.License), nil
		}
		return r.License, nil
	}}
}

func (r *Repo) languageConnection(args map[string]any) *result {
	var names []string
	var total int64
	for name, size := range r.Languages {
		names = append(names, name)
		total += size
	}
	sort.Slice(names, func(i, j int) bool {
		a, b := r.Languages[names[i]], r.Languages[names[j]]
		return a > b || a == b && names[i] < names[j]
	})
	language := func(name string) *result {
		return &result{"Language", func(field string, _ map[string]any) (any, error) {
			if field == "id" {
				return "LANG_" + name, nil
			}
			return name, nil
		}}
	}
	page := connection("LanguageConnection", args, names, language, func(name string) *result {
		return &result{"LanguageEdge", func(field string, _ map[string]any) (any, error) {
			if field == "size" {
				return r.Languages[name], nil
			}
			return language(name), nil
		}}
	})
	return &result{page.kind, func(name string, args map[string]any) (any, error) {
		if name == "totalSize" {
			return total, nil
		}
		return page.field(name, args)
	}}
}

func (e *execution) ref(r *Repo, branch string) *result {
	tree := r.Branches[branch]
	if tree == nil {
		return nil
	}
	return &result{"Ref", func(name string, _ map[string]any) (any, error) {
		switch name {
		case "id":
			return "REF_" + r.NodeID() + ":" + branch, nil
		case "name":
			return branch, nil
		case "target":
			return e.gitObject(r, tree, tree.root), nil
		}
		return nil, unknownField("Ref", name)
	}}
}

// gitObject is the commit, if there is one, or else what the entry is.
func (e *execution) gitObject(r *Repo, commit *Tree, at *entry) *result {
	switch {
	case commit != nil:
		return &result{"Commit", func(name string, _ map[string]any) (any, error) {
			switch name {
			case "id":
				return "C_" + r.NodeID() + commit.Commit, nil
			case "oid":
				return commit.Commit, nil
			case "committedDate":
				return commit.Committed, nil
			case "author":
				return e.author(commit), nil
			case "tree":
				return e.gitObject(r, nil, commit.root), nil
			}
			return nil, unknownField("Commit", name)
		}}
	case at == nil || at.mode == Submodule:
		return nil
	case at.mode == folder:
		return e.tree(r, at, "")
	}
	return e.blob(r, at)
}

// author is who wrote the commit; its user is null if GitHub knows none by the
// address of the commit.
func (e *execution) author(commit *Tree) *result {
	return &result{"GitActor", func(name string, _ map[string]any) (any, error) {
		switch name {
		case "name":
			return commit.actor(), nil
		case "email":
			return commit.address(), nil
		case "user":
			if u := e.s.org.accounts[commit.Author]; u != nil {
				return e.user(u), nil
			}
			return nil, nil
		}
		return nil, unknownField("GitActor", name)
	}}
}

func (e *execution) tree(r *Repo, dir *entry, path string) *result {
	return &result{"Tree", func(name string, _ map[string]any) (any, error) {
		switch name {
		case "id":
			return "TR_" + r.NodeID() + dir.oid, nil
		case "oid":
			return dir.oid, nil
		case "entries":
			list := make([]any, len(dir.entries))
			for i, child := range dir.entries {
				list[i] = e.treeEntry(r, child, path+child.name)
			}
			return list, nil
		}
		return nil, unknownField("Tree", name)
	}}
}

func (e *execution) treeEntry(r *Repo, at *entry, path string) *result {
	return &result{"TreeEntry", func(name string, _ map[string]any) (any, error) {
		switch name {
		case "mode":
			return int(at.mode), nil
		case "name":
			return at.name, nil
		case "oid":
			return at.oid, nil
		case "path":
			return path, nil
		case "size":
			return at.size, nil
		case "type":
			return at.mode.kind(), nil
		case "object":
			if at.mode == folder {
				return e.tree(r, at, path+"/"), nil
			}
			return e.gitObject(r, nil, at), nil
		}
		return nil, unknownField("TreeEntry", name)
	}}
}

func (e *execution) blob(r *Repo, at *entry) *result {
	return &result{"Blob", func(name string, _ map[string]any) (any, error) {
		switch name {
		case "id":
			return r.blobID(at), nil
		case "oid":
			return at.oid, nil
		case "byteSize":
			return at.size, nil
		}
		content, err := at.content()
		if err != nil {
			return nil, err
		}
		binary := bytes.IndexByte(content[:min(len(content), 8000)], 0) >= 0
		switch name {
		case "isBinary":
			return binary, nil
		case "isTruncated":
			return !binary && len(content) > maxText, nil
		case "text":
			if binary {
				return nil, nil
			}
			if len(content) > maxText {
				content = content[:maxText]
			}
			return strings.ToValidUTF8(string(content), string(utf8.RuneError)), nil
		}
		return nil, unknownField("Blob", name)
	}}
}
