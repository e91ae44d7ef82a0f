package index

import (
	"encoding/json"

	"github.com/tidwall/gjson"

	"github.com/waypost-dev/waypost/server/catalog"
)

// inOrigin begins the path of where an entity comes from. It stands beside the
// document, as the API has it: entity.origin.source, .repository, .path, .inferred.
const inOrigin = "origin"

// originText is a text field of an origin. Empty ones are absent.
func originText(o *catalog.Origin, field string) string {
	switch field {
	case "source":
		return o.Source
	case "repository":
		return o.Repository
	case "path":
		return o.Path
	}
	return ""
}

// origin finds a field below entity.origin.
func (r *Record) origin(path []string) (gjson.Result, kind) {
	o := &r.Entity.Origin
	switch {
	case len(path) == 0:
		b, err := json.Marshal(r.originMap())
		if err != nil {
			return gjson.Result{}, kindAbsent // texts and a bool are JSON
		}
		return gjson.ParseBytes(b), kindMap
	case len(path) > 1: // neither texts nor bools have fields
		return gjson.Result{}, kindBroken
	case path[0] == "inferred":
		if o.Inferred {
			return gjson.Result{Type: gjson.True, Raw: "true"}, kindOf(gjson.Result{Type: gjson.True})
		}
		return gjson.Result{Type: gjson.False, Raw: "false"}, kindOf(gjson.Result{Type: gjson.False})
	}
	s := originText(o, path[0])
	if s == "" {
		return gjson.Result{}, kindAbsent
	}
	return gjson.Result{Type: gjson.String, Str: s, Raw: string(gjson.AppendJSONString(nil, s))}, kindString
}

// originMap is entity.origin as CEL sees it.
func (r *Record) originMap() map[string]any {
	m := map[string]any{"inferred": r.Entity.Origin.Inferred}
	for _, field := range []string{"source", "repository", "path"} {
		if s := originText(&r.Entity.Origin, field); s != "" {
			m[field] = s
		}
	}
	return m
}
