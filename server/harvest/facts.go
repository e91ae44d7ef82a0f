package harvest

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/waypost-dev/waypost/server/source"
	"github.com/waypost-dev/waypost/server/store"
)

// facts is what is kept of a repository beside its entities, as JSON in the
// store. Ownership and scorecards read it.
type facts struct {
	URL         string            `json:"url,omitempty"`
	Branch      string            `json:"branch,omitempty"`
	Description string            `json:"description,omitempty"`
	Homepage    string            `json:"homepage,omitempty"`
	Visibility  string            `json:"visibility,omitempty"`
	Archived    bool              `json:"archived,omitempty"`
	Fork        bool              `json:"fork,omitempty"`
	Template    bool              `json:"template,omitempty"`
	Topics      []string          `json:"topics,omitempty"`
	Properties  map[string]string `json:"properties,omitempty"` // GitHub's custom properties
	License     string            `json:"license,omitempty"`
	Languages   map[string]int64  `json:"languages,omitempty"` // bytes
	PushedAt    *time.Time        `json:"pushedAt,omitempty"`
	Stars       int               `json:"stars,omitempty"`
	OpenIssues  int               `json:"openIssues,omitempty"`
	Root        []string          `json:"root,omitempty"`
	Teams       map[string]string `json:"teams,omitempty"` // slug → permission
	Codeowners  *codeowners       `json:"codeowners,omitempty"`
	// Leads are the files that placeholders of a document name, by its path.
	Leads map[string][]string `json:"leads,omitempty"`
}

type codeowners struct {
	Path    string `json:"path"`
	Hash    string `json:"hash"`
	Content string `json:"content,omitempty"` // empty above the size that GitHub itself reads
}

// maxCodeowners is the size in bytes above which GitHub ignores the file.
const maxCodeowners = 3 << 20

func factsOf(r source.Repository) facts {
	f := facts{
		URL: r.URL, Branch: r.Branch, Description: r.Description, Homepage: r.Homepage, Visibility: r.Visibility,
		Archived: r.Archived, Fork: r.Fork, Template: r.Template, Topics: r.Topics, Properties: r.Properties, License: r.License,
		Stars: r.Stars, OpenIssues: r.OpenIssues, Root: r.Root,
	}
	if !r.PushedAt.IsZero() {
		at := r.PushedAt.UTC()
		f.PushedAt = &at
	}
	for _, l := range r.Languages {
		if f.Languages == nil {
			f.Languages = map[string]int64{}
		}
		f.Languages[l.Name] = l.Bytes
	}
	for _, t := range r.Teams {
		if f.Teams == nil {
			f.Teams = map[string]string{}
		}
		f.Teams[t.Team] = t.Permission
	}
	if c := r.Codeowners; c != nil {
		f.Codeowners = &codeowners{Path: c.Path, Hash: c.Hash}
		if len(c.Content) <= maxCodeowners {
			f.Codeowners.Content = string(c.Content)
		}
	}
	return f
}

// leadsOf are the files to which the documents lead; of one that was not read
// again, as before.
func leadsOf(r source.Repository, kept store.Repository) map[string][]string {
	var before facts
	if len(kept.Facts) > 0 {
		_ = json.Unmarshal(kept.Facts, &before) // what cannot be read is not known
	}
	out := map[string][]string{}
	for _, d := range r.Documents {
		var files []string
		if d.Content == nil {
			files = before.Leads[d.Path]
		}
		for _, i := range d.Includes {
			if i.Path != "" {
				files = append(files, i.Path)
			}
		}
		if len(files) > 0 {
			slices.Sort(files)
			out[d.Path] = slices.Compact(files)
		}
	}
	return out
}

// Leads tells whether what was harvested of a repository leads to one of some files,
// by a Location or a placeholder.
func (e *Engine) Leads(ctx context.Context, name string, at source.Pointer, files []string) (bool, error) {
	id := at.ID
	if id == "" {
		found, err := e.store.RepositoryID(ctx, name, at.Name)
		if errors.Is(err, store.ErrNotFound) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		id = found
	}
	kept, err := e.store.Repository(ctx, name, id)
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	changed := make(map[string]bool, len(files))
	for _, f := range files {
		changed[f] = true
	}
	for path := range kept.Documents {
		if changed[path] {
			return true, nil
		}
	}
	var f facts
	_ = json.Unmarshal(kept.Facts, &f) // what cannot be read is not known
	for _, to := range f.Leads {
		if slices.ContainsFunc(to, func(path string) bool { return changed[path] }) {
			return true, nil
		}
	}
	return false, nil
}

// repository is the inverse of factsOf, as far as inference reads it.
func (f facts) repository(owner, name, id string) source.Repository {
	r := source.Repository{
		ID: id, Owner: owner, Name: name, URL: f.URL, Branch: f.Branch, Description: f.Description, Homepage: f.Homepage,
		Archived: f.Archived, Fork: f.Fork, Topics: f.Topics, Root: f.Root,
	}
	if f.PushedAt != nil {
		r.PushedAt = *f.PushedAt
	}
	for l, n := range f.Languages {
		r.Languages = append(r.Languages, source.Language{Name: l, Bytes: n})
	}
	return r
}

// RepositoryOf is a repository as it was read last, as far as the addresses of
// its documents and inference depend on it.
func RepositoryOf(kept store.Repository) source.Repository {
	var f facts
	_ = json.Unmarshal(kept.Facts, &f) // what cannot be read is not known
	owner, name, _ := strings.Cut(kept.Name, "/")
	r := f.repository(owner, name, kept.ID)
	r.Commit = kept.Commit
	return r
}

// movedSince tells whether a repository has another name, address or branch
// than when it was read last.
func movedSince(kept store.Repository, now source.Repository) bool {
	var f facts
	if err := json.Unmarshal(kept.Facts, &f); err != nil {
		return true
	}
	return kept.Name != now.FullName() || f.URL != now.URL || f.Branch != now.Branch
}

func marshalFacts(r source.Repository, kept store.Repository) []byte {
	f := factsOf(r)
	f.Leads = leadsOf(r, kept)
	b, err := json.Marshal(f)
	if err != nil {
		panic("harvest: facts of a repository are not JSON: " + err.Error()) // the type has no such value
	}
	return b
}
