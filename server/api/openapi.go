package api

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"slices"
	"strings"
)

// generated holds one OpenAPI document for each proto package.
//
//go:embed openapi
var generated embed.FS

// resources gives the paths of resources whose parameters the generator takes
// from their names, and numbers, parameters that one can read.
var resources = []struct {
	generated, path string
	parameters      []map[string]any
}{
	{"/v1/entities/{name}/{name_1}", "/v1/entities/{kind}:{namespace}/{name}", ofEntity},
	{"/v1/locations/{name}", "/v1/locations/{location}", []map[string]any{pathParameter("location", "Id of the location.", "^[0-9a-f-]+$")}},
}

var ofEntity = []map[string]any{
	pathParameter("kind", "Kind, in any case, such as component.", noSeparator),
	pathParameter("namespace", "Namespace, such as default.", noSeparator),
	pathParameter("name", "Name, in any case.", noSeparator),
}

const noSeparator = "^[^/:]+$"

func pathParameter(name, description, pattern string) map[string]any {
	return map[string]any{
		"name": name, "in": "path", "required": true, "description": description,
		"schema": map[string]any{"type": "string", "pattern": pattern},
	}
}

// OpenAPI is the document that is served at /openapi.json: the generated ones,
// merged into one.
func OpenAPI(version string) ([]byte, error) {
	paths, schemas := map[string]any{}, map[string]any{}
	var tags []any
	err := fs.WalkDir(generated, "openapi", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := generated.ReadFile(name)
		if err != nil {
			return fmt.Errorf("read %s: %w", name, err)
		}
		var doc struct {
			Paths      map[string]map[string]any
			Components struct{ Schemas map[string]any }
			Tags       []any
		}
		if err := json.Unmarshal(b, &doc); err != nil {
			return fmt.Errorf("decode %s: %w", name, err)
		}
		for path, item := range doc.Paths {
			for _, r := range resources {
				if below, ok := strings.CutPrefix(path, r.generated); ok {
					path = r.path + below
					for _, operation := range item {
						setPathParameters(operation.(map[string]any), r.parameters)
					}
				}
			}
			openStructs(item)
			paths[path] = item
		}
		for name, schema := range doc.Components.Schemas {
			openStructs(schema)
			schemas[name] = schema
		}
		tags = append(tags, doc.Tags...)
		return nil
	})
	if err != nil {
		return nil, err
	}
	addEvents(paths)
	b, err := json.Marshal(map[string]any{
		"openapi": "3.1.0",
		"info": map[string]any{
			"title":       "Waypost API",
			"version":     version,
			"description": "The catalog of an organisation's software: what there is, who owns it, what it depends on, and what is wrong with it. The same services answer over gRPC; errors are google.rpc.Status.",
			"license":     map[string]any{"name": "Apache-2.0", "identifier": "Apache-2.0"},
		},
		"servers":    []any{map[string]any{"url": "/"}},
		"tags":       tags,
		"paths":      paths,
		"components": map[string]any{"schemas": schemas},
	})
	if err != nil {
		return nil, fmt.Errorf("encode OpenAPI document: %w", err)
	}
	return b, nil
}

func setPathParameters(operation map[string]any, parameters []map[string]any) {
	var all []any
	for _, p := range parameters {
		all = append(all, p)
	}
	old, _ := operation["parameters"].([]any)
	for _, p := range old {
		if p.(map[string]any)["in"] != "path" {
			all = append(all, p)
		}
	}
	operation["parameters"] = all
}

// openStructs says of google.protobuf.Struct that it holds any members. The
// generator writes such a field as an object of which nothing is known, which
// generators of clients take for one without members. A message without fields is
// written the same, and is what it looks like; no field of ours is of such a type.
func openStructs(in any) {
	switch in := in.(type) {
	case []any:
		for _, v := range in {
			openStructs(v)
		}
	case map[string]any:
		properties, _ := in["properties"].(map[string]any)
		for _, v := range properties {
			if p, ok := v.(map[string]any); ok && p["type"] == "object" && p["properties"] == nil && p["additionalProperties"] == nil {
				p["additionalProperties"] = true
			}
		}
		for _, v := range in {
			openStructs(v)
		}
	}
}

// addEvents says that a watch can be had as server-sent events, which no proto
// knows of.
func addEvents(paths map[string]any) {
	item, _ := paths[eventsPath].(map[string]any)
	get, _ := item["get"].(map[string]any)
	responses, _ := get["responses"].(map[string]any)
	fine, _ := responses["200"].(map[string]any)
	if content, ok := fine["content"].(map[string]any); ok {
		content["text/event-stream"] = map[string]any{"schema": map[string]any{
			"type":        "string",
			"description": "Server-sent events named added, changed, removed and bookmark. The id of each is the revision to go on from, its data a waypost.catalog.v1.WatchEntitiesResponse in JSON.",
		}}
	}
}

// operation is what the page of documentation shows of one.
type operation struct {
	Method, Path, Tag, ID, Summary string
	Parameters                     []struct {
		Name, In, Description string
		Required              bool
	}
	Body bool
}

const docsStyle = `
:root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}
body{margin:0 auto;max-width:60rem;padding:1.5rem}
h1{margin-bottom:0}code{font-family:ui-monospace,monospace}
article{border-top:1px solid #8884;padding:.75rem 0}
h3{margin:0;font-size:1rem;overflow-wrap:anywhere}
table{border-collapse:collapse;width:100%}
td{padding:.15rem .75rem .15rem 0;vertical-align:top}td:first-child{white-space:nowrap}
.method{display:inline-block;min-width:4em;font-weight:700}
p{margin:.25rem 0;white-space:pre-line}
`

var docsTemplate = template.Must(template.New("docs").Parse(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>Waypost API</title><style>{{.Style}}</style></head><body><main>
<h1>{{.Title}}</h1>
<p>Version {{.Version}}. {{.Description}}</p>
<p><a href="/openapi.json">openapi.json</a> says the same for machines.</p>
{{range .Groups}}<h2>{{.Name}}</h2>
{{range .Operations}}<article id="{{.Method}}-{{.ID}}">
<h3><code><span class="method">{{.Method}}</span> {{.Path}}</code></h3>
<p>{{.Summary}}</p>
{{if .Parameters}}<table>{{range .Parameters}}<tr><td><code>{{.Name}}</code></td><td>{{.In}}{{if .Required}}, required{{end}}</td><td>{{.Description}}</td></tr>
{{end}}</table>{{end}}{{if .Body}}<p>The request has a JSON body.</p>{{end}}
</article>
{{end}}{{end}}</main></body></html>
`))

// docsPage lists the operations of an OpenAPI document for people. It loads
// nothing from anywhere.
func docsPage(document []byte) (http.Handler, error) {
	var doc struct {
		Info  struct{ Title, Version, Description string }
		Paths map[string]map[string]struct {
			Tags        []string
			OperationID string `json:"operationId"`
			Summary     string
			Parameters  []struct {
				Name, In, Description string
				Required              bool
			}
			RequestBody json.RawMessage `json:"requestBody"`
		}
	}
	if err := json.Unmarshal(document, &doc); err != nil {
		return nil, fmt.Errorf("read OpenAPI document: %w", err)
	}
	type group struct {
		Name       string
		Operations []operation
	}
	var groups []group
	for path, item := range doc.Paths {
		for method, o := range item {
			tag := strings.Join(o.Tags, ", ")
			i := slices.IndexFunc(groups, func(g group) bool { return g.Name == tag })
			if i < 0 {
				i, groups = len(groups), append(groups, group{Name: tag})
			}
			groups[i].Operations = append(groups[i].Operations, operation{
				Method: strings.ToUpper(method), Path: path, Tag: tag, ID: o.OperationID,
				Summary: o.Summary, Parameters: o.Parameters, Body: len(o.RequestBody) > 0,
			})
		}
	}
	slices.SortFunc(groups, func(a, b group) int { return strings.Compare(a.Name, b.Name) })
	for _, g := range groups {
		slices.SortFunc(g.Operations, func(a, b operation) int {
			return strings.Compare(a.Path+" "+a.Method, b.Path+" "+b.Method)
		})
	}
	var page bytes.Buffer
	err := docsTemplate.Execute(&page, map[string]any{
		"Title": doc.Info.Title, "Version": doc.Info.Version, "Description": doc.Info.Description,
		"Groups": groups, "Style": template.CSS(docsStyle),
	})
	if err != nil {
		return nil, fmt.Errorf("write page of documentation: %w", err)
	}
	sum := sha256.Sum256([]byte(docsStyle))
	policy := "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; frame-ancestors 'none'; base-uri 'none'"
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		secure(w.Header())
		w.Header().Set("Content-Security-Policy", policy)
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write(page.Bytes())
	}), nil
}
