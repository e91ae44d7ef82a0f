package api

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// openAPIDocument is what OpenAPI 3.1 says of a document, as far as ours uses it.
type openAPIDocument struct {
	OpenAPI string
	Info    struct{ Title, Version string }
	Paths   map[string]map[string]struct {
		OperationID string `json:"operationId"`
		Parameters  []struct {
			Name, In string
			Required bool
			Schema   map[string]any
		}
		RequestBody struct{ Content map[string]any } `json:"requestBody"`
		Responses   map[string]struct{ Description string }
	}
	Components struct{ Schemas map[string]any }
}

func servedOpenAPI(t *testing.T, f *fixture) (openAPIDocument, string) {
	t.Helper()
	resp := f.ask(t, "GET", "/openapi.json", "")
	require.Equal(t, 200, resp.StatusCode)
	require.Equal(t, "application/json", resp.Header.Get("Content-Type"))
	raw := bodyOf(t, resp)
	var doc openAPIDocument
	require.NoError(t, json.Unmarshal([]byte(raw), &doc))
	return doc, raw
}

func TestOpenAPIIsWellFormed(t *testing.T) {
	t.Parallel()
	doc, raw := servedOpenAPI(t, newFixture(t, nil))
	require.Equal(t, "3.1.0", doc.OpenAPI)
	require.Equal(t, "Waypost API", doc.Info.Title)
	require.Equal(t, "1.2.3", doc.Info.Version)
	ids := map[string]string{}
	inPath := regexp.MustCompile(`\{([^{}]+)\}`)
	for path, item := range doc.Paths {
		require.True(t, strings.HasPrefix(path, "/v1/"), path)
		for method, o := range item {
			at := method + " " + path
			require.Contains(t, []string{"get", "post", "put", "patch", "delete"}, method, at)
			require.NotEmpty(t, o.OperationID, at)
			require.Empty(t, ids[o.OperationID], "%s has the operationId of %s", at, ids[o.OperationID])
			ids[o.OperationID] = at
			require.NotEmpty(t, o.Responses, at)
			for code, r := range o.Responses {
				require.Regexp(t, `^(default|[1-5][0-9X]{2})$`, code, at)
				require.NotEmpty(t, r.Description, "%s %s: description is mandatory", at, code)
			}
			named := map[string]bool{}
			var pathParameters []string
			for _, p := range o.Parameters {
				require.False(t, named[p.In+" "+p.Name], "%s: parameter %s twice", at, p.Name)
				named[p.In+" "+p.Name] = true
				require.Contains(t, []string{"path", "query"}, p.In, at)
				require.NotEmpty(t, p.Schema, "%s: %s has no schema", at, p.Name)
				if p.In == "path" {
					require.True(t, p.Required, "%s: path parameter %s", at, p.Name)
					pathParameters = append(pathParameters, p.Name)
				}
			}
			var inTemplate []string
			for _, m := range inPath.FindAllStringSubmatch(path, -1) {
				inTemplate = append(inTemplate, m[1])
			}
			require.ElementsMatch(t, inTemplate, pathParameters, at)
		}
	}
	for _, m := range regexp.MustCompile(`"\$ref":"([^"]*)"`).FindAllStringSubmatch(raw, -1) {
		name, ok := strings.CutPrefix(m[1], "#/components/schemas/")
		require.True(t, ok, "reference %s leaves the document", m[1])
		require.Contains(t, doc.Components.Schemas, name)
	}
}

// TestOpenAPIIsForGenerators holds what generators of clients make usable types
// from.
func TestOpenAPIIsForGenerators(t *testing.T) {
	t.Parallel()
	raw, err := OpenAPI("1.2.3")
	require.NoError(t, err)
	var doc struct {
		Paths map[string]map[string]struct {
			Responses map[string]struct{ Content map[string]any }
		}
		Components struct{ Schemas map[string]map[string]any }
	}
	require.NoError(t, json.Unmarshal(raw, &doc))
	for path := range doc.Paths {
		require.NotContains(t, path, "{name_1}")
	}
	const entity = "/v1/entities/{kind}:{namespace}/{name}"
	for _, path := range []string{entity, entity + "/revisions", entity + ":diff", entity + ":refresh", entity + "/facts", entity + "/ownership", entity + "/owned", "/v1/locations/{location}"} {
		require.Contains(t, doc.Paths, path)
	}
	require.Contains(t, doc.Paths[eventsPath]["get"].Responses["200"].Content, "text/event-stream")
	property := func(schema, name string) map[string]any {
		t.Helper()
		p, ok := doc.Components.Schemas[schema]["properties"].(map[string]any)[name].(map[string]any)
		require.True(t, ok, "%s.%s", schema, name)
		return p
	}
	for _, free := range [][2]string{{"waypost.catalog.v1.Entity", "spec"}, {"waypost.catalog.v1.Entity", "facts"}, {"waypost.catalog.v1.Metadata", "extra"}, {"waypost.plugin.v1.FactType", "schema"}} {
		require.Equal(t, true, property(free[0], free[1])["additionalProperties"], free)
	}
	require.Equal(t, map[string]any{"type": "string"}, property("waypost.catalog.v1.Metadata", "labels")["additionalProperties"])
	require.NotContains(t, doc.Components.Schemas["waypost.ownership.v1.DeleteOwnershipOverrideResponse"], "additionalProperties")
	require.Equal(t, "string", property("waypost.catalog.v1.Entity", "revision")["type"], "64 bits are more than a JavaScript number holds")
	require.Equal(t, []any{"SEVERITY_UNSPECIFIED", "SEVERITY_WARNING", "SEVERITY_ERROR"}, doc.Components.Schemas["waypost.catalog.v1.Severity"]["enum"])
}

// TestOpenAPIRoutesAnswer asks for every route in the document.
func TestOpenAPIRoutesAnswer(t *testing.T) {
	t.Parallel()
	f := newFixture(t, acme(t))
	h, err := f.store.BeginHarvest(t.Context(), "dir:/srv/git", "test")
	require.NoError(t, err)
	require.NoError(t, f.store.FinishHarvest(t.Context(), finished(h), nil))
	values := strings.NewReplacer("{kind}", "component", "{namespace}", "default", "{name}", "checkout", "{id}", "1", "{plugin}", "ownership", "{location}", "1")
	queries := map[string]string{
		"/v1/entities:batchGet": "?names=entities/component:default/checkout",
		"/v1/entities:facets":   "?fields=kind",
		"/v1/entities:search":   "?query=checkout",
		"/v1/graph":             "?roots=component:default/checkout",
		"/v1/problems:summary":  "?by=owner",
	}
	bodies := map[string]string{
		"/v1/entities:batchGet": `{"names":["entities/component:default/checkout"]}`,
		"/v1/entities:validate": `{"documents":[{"path":"a.yaml","content":""}]}`,
		"/v1/catalog:plan":      `{"documents":[{"path":"a.yaml","content":""}]}`,
		"/v1/locations":         `{"target":"url:https://example.com/a.yaml"}`,
	}
	doc, _ := servedOpenAPI(t, f)
	require.GreaterOrEqual(t, len(doc.Paths), 12)
	for path, item := range doc.Paths {
		for method, o := range item {
			target := values.Replace(path)
			body := ""
			if len(o.RequestBody.Content) > 0 {
				body = bodies[path]
			} else {
				target += queries[path]
			}
			if path == "/v1/entities:watch" {
				continue // it answers for as long as one listens: see its own tests
			}
			resp := f.ask(t, strings.ToUpper(method), target, body)
			text := bodyOf(t, resp)
			want := http.StatusOK
			switch {
			case strings.HasSuffix(path, ":diff"), strings.HasSuffix(path, "/revisions"), strings.HasSuffix(path, "/readme"):
				want = http.StatusNotFound // the fixture's index has no history and no source behind it
			case path == "/v1/harvests" && method == "post", strings.HasPrefix(path, "/v1/locations"), strings.HasPrefix(path, "/v1/jobs"), strings.HasSuffix(path, ":refresh"),
				path == "/v1/plugins/{plugin}", path == "/v1/plugins/{plugin}:run":
				want = http.StatusBadRequest // there is no source to start, and this server keeps no locations, no jobs and no plugins
			case strings.Contains(path, "/ownership"), strings.HasSuffix(path, "/owned"):
				continue // the plugin's own tests
			}
			require.Equal(t, want, resp.StatusCode, "%s %s: %s", method, target, text)
		}
	}
}
