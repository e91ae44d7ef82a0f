package harvest

import (
	"slices"

	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/source"
)

// inferDirectory makes Groups of an organisation's teams and Users of its
// members. Membership is declared by the user, so that one person's change
// touches one entity, whatever the size of the team.
func inferDirectory(sourceName string, d source.Directory) []*catalog.Entity {
	var out []*catalog.Entity
	memberOf := map[string][]any{}
	for _, t := range d.Teams {
		name := cleanName(t.Slug)
		if name == "" {
			continue
		}
		for _, login := range t.Members {
			memberOf[login] = append(memberOf[login], "group:"+catalog.DefaultNamespace+"/"+name)
		}
		annotations := map[string]any{annotationInferred: "true", "github.com/team-slug": d.Organisation + "/" + t.Slug}
		at(annotations, t.URL)
		metadata := map[string]any{"name": name, "annotations": annotations}
		if t.Description != "" {
			metadata["description"] = t.Description
		}
		spec := map[string]any{"type": "team", "children": []any{}, "profile": map[string]any{"displayName": t.Name}}
		if parent := cleanName(t.Parent); parent != "" {
			spec["parent"] = parent
		}
		out = append(out, inferred(sourceName, "", "", "Group", metadata, spec))
	}
	for _, u := range d.Users {
		name := cleanName(u.Login)
		if name == "" {
			continue
		}
		annotations := map[string]any{annotationInferred: "true", "github.com/user-login": u.Login}
		if u.Suspended {
			annotations["waypost.dev/suspended"] = "true"
		}
		at(annotations, u.URL)
		profile := map[string]any{"displayName": u.Login}
		if u.Name != "" {
			profile["displayName"] = u.Name
		}
		if u.Email != "" {
			profile["email"] = u.Email
		}
		if u.AvatarURL != "" {
			profile["picture"] = u.AvatarURL
		}
		groups := memberOf[u.Login]
		if groups == nil {
			groups = []any{}
		}
		out = append(out, inferred(sourceName, "", "", "User",
			map[string]any{"name": name, "annotations": annotations},
			map[string]any{"profile": profile, "memberOf": groups}))
	}
	return slices.DeleteFunc(out, func(e *catalog.Entity) bool { return e == nil })
}

// at annotates where an entity is shown on the forge, if it is.
func at(annotations map[string]any, url string) {
	if url == "" {
		return
	}
	annotations["backstage.io/managed-by-location"] = "url:" + url
	annotations["backstage.io/managed-by-origin-location"] = "url:" + url
	annotations["backstage.io/view-url"] = url
}
