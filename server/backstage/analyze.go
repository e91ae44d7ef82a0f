package backstage

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"github.com/waypost-dev/waypost/server/index"
)

// maxExisting bounds the entities of an answer.
const maxExisting = 1000

// analyze is POST /analyze-location: what the catalog has of a repository, or an
// entity to begin with.
func (c *call) analyze() error {
	body, err := c.body()
	if err != nil {
		return err
	}
	at := body.Get("location")
	if !at.Exists() {
		return inputError("request/body must have required property 'location'")
	}
	if !at.IsObject() {
		return inputError("request/body/location must be object")
	}
	_, target, err := locationInput(at, "body/location")
	if err != nil {
		return err
	}
	u, err := url.Parse(target)
	if err != nil || u.Host == "" {
		return inputError("The given location.target is not a URL")
	}
	type object = map[string]any
	var s *index.Snapshot
	var records []*index.Record
	const key = "metadata.annotations.backstage.io/managed-by-location"
	prefix := strings.ToLower("url:" + strings.TrimSuffix(strings.TrimSuffix(target, "/"), ".git"))
	filter := &cond{op: opAny, key: key, args: []*cond{
		{op: opIn, key: key, values: []string{prefix}}, {op: opPrefix, key: key, values: []string{prefix + "/"}},
	}}
	c.table.read(filter.needs(nil), func(t *table) {
		s = t.at
		t.selected(filter).Iterate(func(id uint32) bool {
			records = append(records, t.records[id])
			return len(records) < maxExisting
		})
	})
	existing := []any{}
	for _, r := range records {
		_, where, _ := strings.Cut(annotation(r, "backstage.io/managed-by-location"), ":")
		existing = append(existing, object{
			"location": object{"type": "url", "target": where}, "isRegistered": true, "entity": json.RawMessage(entityJSON(s, r)),
		})
	}
	generate := []any{}
	if len(existing) == 0 {
		metadata := object{}
		parts := strings.Split(strings.Trim(strings.TrimSuffix(u.Path, ".git"), "/"), "/")
		name := parts[0]
		if len(parts) > 1 {
			name = parts[1]
			if u.Host == "github.com" || strings.HasPrefix(u.Host, "github.") {
				metadata["annotations"] = object{"github.com/project-slug": parts[0] + "/" + parts[1]}
			}
		}
		metadata["name"] = name
		generate = append(generate, object{"entity": object{
			"apiVersion": "backstage.io/v1alpha1", "kind": "Component", "metadata": metadata,
			"spec": object{"type": "other", "lifecycle": "unknown"},
		}, "fields": []any{}})
	}
	c.json(http.StatusOK, object{"existingEntityFiles": existing, "generateEntities": generate})
	return nil
}
