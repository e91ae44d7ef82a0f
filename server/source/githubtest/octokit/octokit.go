// Package octokit holds replies and queries against GitHub's own descriptions
// of its APIs, which Octokit publishes on npm: OpenAPI in @octokit/openapi,
// the GraphQL schema in @octokit/graphql-schema, and examples of webhook
// payloads in @octokit/webhooks-examples. For tests only.
package octokit

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator"
)

// read returns a file of an npm package from the folder that WAYPOST_TOOLS
// names, or from build/tools at the root of the repository. Without it the
// test is skipped, or fails when WAYPOST_REQUIRE_ALL is set.
func read(t testing.TB, parts ...string) []byte {
	t.Helper()
	tools := os.Getenv("WAYPOST_TOOLS")
	if tools == "" {
		dir, err := os.Getwd()
		for err == nil && dir != filepath.Dir(dir) {
			if _, missing := os.Stat(filepath.Join(dir, "go.mod")); missing == nil {
				tools = filepath.Join(dir, "build", "tools")
				break
			}
			dir = filepath.Dir(dir)
		}
	}
	file := filepath.Join(append([]string{tools, "node_modules", "@octokit"}, parts...)...)
	text, err := os.ReadFile(file)
	if err == nil {
		return text
	}
	message := fmt.Sprintf("GitHub's API description is missing: %v; install tools/package.json into build/tools with npm, or name another folder in WAYPOST_TOOLS", err)
	if os.Getenv("WAYPOST_REQUIRE_ALL") == "1" {
		t.Fatal(message)
	}
	t.Skip("SKIPPED: " + message)
	return nil
}

var graphql struct {
	sync.Once
	schema *ast.Schema
	err    error
}

// GraphQL is GitHub's schema.
func GraphQL(t testing.TB) *ast.Schema {
	t.Helper()
	text := read(t, "graphql-schema", "schema.graphql")
	graphql.Do(func() {
		graphql.schema, graphql.err = loadSchema(string(text))
	})
	if graphql.err != nil {
		t.Fatalf("load GitHub's GraphQL schema: %v", graphql.err)
	}
	return graphql.schema
}

func loadSchema(text string) (*ast.Schema, error) {
	doc, err := parser.ParseSchemas(validator.Prelude, &ast.Source{Name: "github.graphql", Input: text})
	if err != nil {
		return nil, err
	}
	for _, d := range doc.Definitions {
		// GitHub's schema names some fields twice, which the specification forbids.
		seen := map[string]bool{}
		d.Fields = slices.DeleteFunc(d.Fields, func(f *ast.FieldDefinition) bool {
			twice := seen[f.Name]
			seen[f.Name] = true
			return twice
		})
	}
	schema, err := validator.ValidateSchemaDocument(doc)
	if err != nil {
		return nil, err
	}
	return schema, nil
}

// REST is GitHub's OpenAPI description.
type REST struct {
	doc map[string]any

	mu       sync.Mutex
	compiler *jsonschema.Compiler
}

const address = "https://api.github.com/openapi.json"

var rest struct {
	sync.Once
	description *REST
	err         error
}

// OpenAPI is the description of api.github.com. What it does not allow by name
// is not allowed at all: a field that GitHub does not know would be fiction.
func OpenAPI(t testing.TB) *REST {
	t.Helper()
	text := read(t, "openapi", "generated", "api.github.com.json")
	rest.Do(func() { rest.description, rest.err = load(text) })
	if rest.err != nil {
		t.Fatalf("load GitHub's OpenAPI description: %v", rest.err)
	}
	return rest.description
}

func load(text []byte) (*REST, error) {
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	doc, ok := strict(value, false).(map[string]any)
	if !ok {
		return nil, errors.New("the description is no object")
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft4) // OpenAPI 3.0 schemas are closest to it
	c.AssertFormat()
	// The library's own takes no operators, as in {/sha} (RFC 6570, 1.2, level 3).
	c.RegisterFormat(&jsonschema.Format{Name: "uri-template", Validate: func(v any) error {
		if text, ok := v.(string); ok && strings.Count(text, "{") != strings.Count(text, "}") {
			return errors.New("braces do not match")
		}
		return nil
	}})
	if err := c.AddResource(address, doc); err != nil {
		return nil, err
	}
	return &REST{doc: doc, compiler: c}, nil
}

// strict turns OpenAPI's nullable into JSON Schema, and closes objects whose
// properties are listed, but for the parts of an allOf.
func strict(value any, open bool) any {
	switch value := value.(type) {
	case []any:
		for i := range value {
			value[i] = strict(value[i], open)
		}
	case map[string]any:
		for k, v := range value {
			if k != "example" && k != "examples" && k != "enum" {
				value[k] = strict(v, k == "allOf" || k == "anyOf")
			}
		}
		if _, listed := value["properties"].(map[string]any); listed && !open {
			_, said := value["additionalProperties"]
			_, all := value["allOf"]
			_, any := value["anyOf"]
			if !said && !all && !any && value["type"] == "object" {
				value["additionalProperties"] = false
			}
		}
		if value["nullable"] == true {
			delete(value, "nullable")
			return map[string]any{"anyOf": []any{map[string]any{"type": "null"}, value}}
		}
	}
	return value
}

// CheckWebhook holds a payload against the description of an event, which is
// named as in push or team-added-to-repository.
func (d *REST) CheckWebhook(name string, payload []byte) error {
	body, err := d.find([]string{"x-webhooks", name, "post", "requestBody"})
	if err != nil {
		return fmt.Errorf("GitHub does not describe the webhook %s: %w", name, err)
	}
	if err := d.check(body, payload); err != nil {
		return fmt.Errorf("a payload of %s is not what GitHub sends: %w", name, err)
	}
	return nil
}

// Event is what Octokit's examples have of one type of webhook event.
type Event struct {
	Name     string            `json:"name"`
	Examples []json.RawMessage `json:"examples"`
}

// Webhooks are examples of payloads, as GitHub sent them to one of
// api.github.com and ghes-31 to ghes-35 (GitHub Enterprise Server 3.1 to 3.5).
func Webhooks(t testing.TB, from string) []Event {
	t.Helper()
	var events []Event
	if err := json.Unmarshal(read(t, "webhooks-examples", from, "index.json"), &events); err != nil {
		t.Fatalf("load the webhook examples of %s: %v", from, err)
	}
	return events
}

// Check holds one reply against the description of its route, which reads as
// in the description: /orgs/{org}/repos.
func (d *REST) Check(method, route string, status int, body []byte) error {
	at := []string{"paths", route, strings.ToLower(method), "responses", strconv.Itoa(status)}
	response, err := d.find(at)
	if err != nil {
		return fmt.Errorf("%s %s has no reply %d: %w", method, route, status, err)
	}
	if status == http.StatusNotModified || status == http.StatusNoContent {
		if len(body) > 0 {
			return fmt.Errorf("%s %s: a reply %d has no body", method, route, status)
		}
		return nil
	}
	if err := d.check(response, body); err != nil {
		return fmt.Errorf("%s %s %d is not what GitHub answers: %w", method, route, status, err)
	}
	return nil
}

// check holds JSON against the schema of a reply or request body.
func (d *REST) check(pointer string, body []byte) error {
	pointer += "/content/application~1json/schema"
	d.mu.Lock()
	schema, err := d.compiler.Compile(address + "#" + pointer)
	d.mu.Unlock()
	if err != nil {
		return fmt.Errorf("compile %s: %w", pointer, err)
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("read as JSON: %w", err)
	}
	return schema.Validate(value)
}

// find follows keys and references, and returns the pointer to what is there.
func (d *REST) find(keys []string) (string, error) {
	pointer, value := "", any(d.doc)
	for _, key := range keys {
		object, ok := value.(map[string]any)
		if !ok || object[key] == nil {
			return "", fmt.Errorf("there is no %s", pointer+"/"+key)
		}
		pointer += "/" + url.PathEscape(strings.NewReplacer("~", "~0", "/", "~1").Replace(key))
		value = object[key]
		if ref, ok := value.(map[string]any)["$ref"].(string); ok {
			return d.find(strings.Split(strings.TrimPrefix(ref, "#/"), "/"))
		}
	}
	return pointer, nil
}

// CheckReply holds the data of a GraphQL reply against the schema: that every
// field is there, null only where it may be, and of its type.
func CheckReply(schema *ast.Schema, operation *ast.OperationDefinition, data map[string]any) error {
	return check(schema, operation.SelectionSet, data, "data")
}

func check(schema *ast.Schema, set ast.SelectionSet, data map[string]any, path string) error {
	for _, selection := range set {
		switch selection := selection.(type) {
		case *ast.InlineFragment:
			// Which type it is cannot be told, so that a fragment may be missing.
			if err := check(schema, selection.SelectionSet, data, path+"?"); err != nil {
				return err
			}
		case *ast.Field:
			value, ok := data[selection.Alias]
			at := path + "." + selection.Alias
			if !ok {
				if strings.HasSuffix(path, "?") {
					continue
				}
				return fmt.Errorf("%s is missing", at)
			}
			if err := checkValue(schema, selection.Definition.Type, selection.SelectionSet, value, at); err != nil {
				return err
			}
		default:
			return fmt.Errorf("%s: fragments by name are not checked", path)
		}
	}
	return nil
}

func checkValue(schema *ast.Schema, t *ast.Type, set ast.SelectionSet, value any, at string) error {
	if value == nil {
		if t.NonNull {
			return fmt.Errorf("%s is null and may not be", at)
		}
		return nil
	}
	wrong := fmt.Errorf("%s is %T %.80v, not %s", at, value, value, t)
	if t.Elem != nil {
		list, ok := value.([]any)
		if !ok {
			return wrong
		}
		for i, item := range list {
			if err := checkValue(schema, t.Elem, set, item, at+"."+strconv.Itoa(i)); err != nil {
				return err
			}
		}
		return nil
	}
	definition := schema.Types[t.NamedType]
	text, isText := value.(string)
	switch {
	case definition.IsCompositeType():
		object, ok := value.(map[string]any)
		if !ok {
			return wrong
		}
		return check(schema, set, object, at)
	case definition.Kind == ast.Enum:
		if !isText || definition.EnumValues.ForName(text) == nil {
			return wrong
		}
	case t.NamedType == "Int":
		if n, ok := value.(float64); !ok || n != float64(int32(n)) {
			return wrong
		}
	case t.NamedType == "Boolean":
		if _, ok := value.(bool); !ok {
			return wrong
		}
	case t.NamedType == "DateTime":
		if _, err := time.Parse(time.RFC3339, text); err != nil {
			return wrong
		}
	case t.NamedType == "URI":
		if u, err := url.Parse(text); err != nil || !u.IsAbs() {
			return wrong
		}
	case t.NamedType == "GitObjectID":
		if len(text) != 40 {
			return wrong
		}
	default: // String, ID and other scalars that are written as strings
		if !isText {
			return wrong
		}
	}
	return nil
}
