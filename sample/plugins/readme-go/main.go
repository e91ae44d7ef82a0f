// Command readme-go is a sample plugin that runs in a process of its own. It
// says how well an entity tells newcomers where to read on: whether it has a
// description, links to documents, and documentation of its own.
package main

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/waypost-dev/waypost/plugins"
	"github.com/waypost-dev/waypost/plugins/remote"
	"github.com/waypost-dev/waypost/server/catalog"
)

func main() { remote.Serve(plugin{}) }

type plugin struct{}

// Describe says what the plugin is.
func (plugin) Describe() plugins.Descriptor {
	return plugins.Descriptor{
		Name: "readme", Version: "1.0.0",
		Summary: "Says what of an introduction an entity has: a description, documentation, links.",
		Facts: []plugins.FactType{
			{
				Key: "readme.score", Title: "Introduction", Display: plugins.DisplayPercent, Filterable: true,
				Description: "Share of these that are there: a description, the annotation backstage.io/techdocs-ref, and a link.",
				Schema:      json.RawMessage(`{"type":"number","minimum":0,"maximum":1}`),
			},
			{
				Key: "readme.missing", Title: "Missing from the introduction", Display: plugins.DisplayText,
				Schema: json.RawMessage(`{"type":"array","items":{"enum":["description","documentation","link"]}}`),
			},
		},
		Limits: plugins.Limits{Concurrent: 4},
	}
}

// Enrich reads nothing but the entity, so that it is asked again only when that
// changes.
func (plugin) Enrich(ctx context.Context, subjects []plugins.Subject) ([]plugins.Answer, error) {
	answers := make([]plugins.Answer, 0, len(subjects))
	for _, s := range subjects {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		answers = append(answers, introduction(s.Entity))
	}
	return answers, nil
}

func introduction(e *catalog.Entity) plugins.Answer {
	missing := []string{}
	if strings.TrimSpace(e.Text("metadata.description")) == "" {
		missing = append(missing, "description")
	}
	if e.Annotation("backstage.io/techdocs-ref") == "" {
		missing = append(missing, "documentation")
	}
	if e.Text("metadata.links[0].url") == "" {
		missing = append(missing, "link")
	}
	score, err := json.Marshal(float64(3-len(missing)) / 3)
	if err != nil {
		return plugins.Answer{Err: err}
	}
	list, err := json.Marshal(missing)
	if err != nil {
		return plugins.Answer{Err: err}
	}
	return plugins.Answer{Facts: []catalog.Fact{{Key: "readme.score", Value: score}, {Key: "readme.missing", Value: list}}}
}
