package harvest

import (
	"encoding/json"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/source"
	"github.com/waypost-dev/waypost/server/store"
)

// inferenceVersion changes whenever the same repository would be inferred
// differently.
const inferenceVersion = "1"

// inferredKey is the key of the claim that stands for a repository without a
// catalog file. No path has this form.
const inferredKey = "\x00inferred"

// annotationInferred marks an inferred entity for readers that see nothing but
// the envelope.
const annotationInferred = "waypost.dev/inferred"

// restPeriod is how long after its last push a repository that is not archived
// counts as no longer maintained: its inferred lifecycle is then deprecated.
const restPeriod = 2 * 365 * 24 * time.Hour

// inferComponent makes a Component of a repository that declares nothing, or
// nil if no valid name can be made of its name. The owner is left out: to find
// one with evidence is the ownership plugin's work.
//
//   - type, from the layout of the root folder and the languages: service if it
//     is built to run (Dockerfile, Procfile, a Helm chart …), website if it is
//     built for a browser, documentation if it holds a documentation site and no
//     code, library otherwise;
//   - lifecycle: deprecated if it is archived or was not pushed to for
//     restPeriod, experimental if it is empty, production otherwise.
func inferComponent(sourceName string, r source.Repository, now time.Time) *catalog.Entity {
	name := cleanName(r.Name)
	if name == "" {
		return nil
	}
	metadata := map[string]any{"name": name}
	annotations := map[string]any{annotationInferred: "true"}
	if r.URL != "" {
		annotations["github.com/project-slug"] = r.FullName()
		annotations["backstage.io/managed-by-location"] = "url:" + r.URL
		annotations["backstage.io/managed-by-origin-location"] = "url:" + r.URL
		annotations["backstage.io/view-url"] = r.URL
		if r.Branch != "" {
			annotations["backstage.io/source-location"] = "url:" + r.URL + "/tree/" + r.Branch + "/"
		}
	}
	if slices.Contains(r.Root, "mkdocs.yml") || slices.Contains(r.Root, "mkdocs.yaml") {
		annotations["backstage.io/techdocs-ref"] = "dir:."
	}
	metadata["annotations"] = annotations
	if d := strings.TrimSpace(r.Description); d != "" {
		metadata["description"] = d
	}
	if tags := cleanTags(r.Topics); len(tags) > 0 {
		metadata["tags"] = tags
	}
	if u, err := url.Parse(r.Homepage); err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" {
		metadata["links"] = []any{map[string]any{"url": r.Homepage, "title": "Homepage"}}
	}
	return inferred(sourceName, r.FullName(), r.Commit, "Component", metadata, map[string]any{
		"type": inferType(r), "lifecycle": inferLifecycle(r, now),
	})
}

// inferred makes an entity from values that are right by construction. What the
// rules of its kind miss, such as an owner, is missing on purpose.
func inferred(sourceName, repository, commit, kind string, metadata, spec map[string]any) *catalog.Entity {
	e, _ := catalog.NewEntity("backstage.io/v1alpha1", kind, metadata, spec, catalog.Origin{
		Source: sourceName, Repository: repository, Commit: commit, Inferred: true,
	})
	return e
}

func inferLifecycle(r source.Repository, now time.Time) string {
	switch {
	case r.Archived || !r.PushedAt.IsZero() && now.Sub(r.PushedAt) > restPeriod:
		return "deprecated"
	case len(r.Root) == 0:
		return "experimental"
	}
	return "production"
}

var (
	runs = regexp.MustCompile(`(?i)^(dockerfile(\..+)?|containerfile|procfile|chart\.yaml|helmfile\.ya?ml|skaffold\.ya?ml|serverless\.ya?ml|fly\.toml|app\.yaml|docker-compose\.ya?ml|compose\.ya?ml|(helm|charts?|k8s|kubernetes|kustomize)/)$`)
	web  = regexp.MustCompile(`(?i)^((next|nuxt|vite|gatsby|svelte|astro|angular|vue|remix|webpack)[a-z.-]*\.(js|ts|mjs|cjs|mts|json)|angular\.json|index\.html|_config\.yml|hugo\.toml)$`)
	docs = regexp.MustCompile(`(?i)^(mkdocs\.ya?ml|docusaurus\.config\.(js|ts)|book\.toml|antora\.yml|conf\.py)$`)
	// markup are languages that say nothing about what is built.
	markup = regexp.MustCompile(`^(Markdown|HTML|CSS|SCSS|Less|YAML|JSON|TeX|reStructuredText|AsciiDoc|Text|Makefile|Dockerfile|Shell)$`)
)

func inferType(r source.Repository) string {
	any := func(re *regexp.Regexp) bool { return slices.ContainsFunc(r.Root, re.MatchString) }
	code := slices.ContainsFunc(r.Languages, func(l source.Language) bool { return !markup.MatchString(l.Name) })
	switch {
	case any(docs) && !code:
		return "documentation"
	case any(runs):
		return "service"
	case any(web):
		return "website"
	}
	return "library"
}

// Inferred is what is made of a repository that declares nothing, as it was read
// last; nil if nothing is.
func Inferred(sourceName string, kept store.Repository) *catalog.Entity {
	repo := RepositoryOf(kept)
	if repo.URL == "" && repo.Commit == "" {
		return nil
	}
	return inferComponent(sourceName, repo, time.Now())
}

// aged infers a repository again whose lifecycle has changed by time alone.
func (r *run) aged(kept store.Repository) (store.RepositoryUpdate, bool) {
	if len(kept.Documents) > 0 || r.config.NoInference || kept.ID == directoryID {
		return store.RepositoryUpdate{}, false
	}
	var f facts
	if err := json.Unmarshal(kept.Facts, &f); err != nil || f.PushedAt == nil || f.Archived {
		return store.RepositoryUpdate{}, false
	}
	if r.state.Started.Sub(*f.PushedAt) <= restPeriod {
		return store.RepositoryUpdate{}, false
	}
	owner, name, _ := strings.Cut(kept.Name, "/")
	repo := f.repository(owner, name, kept.ID)
	repo.Commit = kept.Commit
	e := inferComponent(r.config.Source.Name(), repo, r.state.Started)
	if e == nil {
		return store.RepositoryUpdate{}, false
	}
	// As old as the listing: what was refreshed meanwhile is newer.
	return store.RepositoryUpdate{Repository: kept, Asked: r.state.Started, Cause: catalog.Cause{Via: catalog.ViaPolicy, Harvest: r.id}, Claims: []store.Claim{{Key: inferredKey, Priority: r.config.Priority, Entity: e}}}, true
}

var notName = regexp.MustCompile(`[^A-Za-z0-9]*[^A-Za-z0-9_.-][^A-Za-z0-9]*|[-_.]{2,}`)

// cleanName makes a valid entity name of a forge's name: what is not allowed
// becomes a dash. It is empty if nothing is left.
func cleanName(s string) string {
	s = strings.Trim(notName.ReplaceAllString(s, "-"), "-_.")
	if len(s) > 63 {
		s = strings.TrimRight(s[:63], "-_.")
	}
	return s
}

var notTag = regexp.MustCompile(`[^a-z0-9:+#]+`)

func cleanTags(topics []string) []any {
	var out []any
	for _, t := range topics {
		t = strings.Trim(notTag.ReplaceAllString(strings.ToLower(t), "-"), "-")
		if t != "" && len(t) <= 63 && !slices.Contains(out, any(t)) {
			out = append(out, t)
		}
	}
	return out
}
