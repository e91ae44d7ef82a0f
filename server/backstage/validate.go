package backstage

import (
	"net/http"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/descriptor"
)

// wrong is something that is wrong with an entity.
type wrong struct {
	Name    string `json:"name"`
	Message string `json:"message"`
	Cause   *wrong `json:"cause,omitempty"`
}

// maxWrong bounds what is told of one entity.
const maxWrong = 100

// validate is POST /validate-entity: nothing for a valid entity.
func (c *call) validate() error {
	body, err := c.body()
	if err != nil {
		return err
	}
	location, err := required(body, "body", "location")
	if err != nil {
		return err
	}
	entity := body.Get("entity")
	if !entity.Exists() {
		return inputError("request/body must have required property 'entity'")
	}
	if !entity.IsObject() {
		return inputError("request/body/entity must be object")
	}
	found := envelope(entity)
	typ, target, ok := strings.Cut(location, ":")
	switch {
	case len(found) > 0:
	case !ok || typ == "" || strings.TrimSpace(target) == "":
		found = []wrong{{Name: "TypeError", Message: "Unable to parse location reference '" + clip(location) + "', expected '<type>:<target>', e.g. 'url:https://host/path'"}}
	case typ != "url":
		found = []wrong{{Name: "TypeError", Message: "Invalid location ref " + clip(location) + ", only 'url:<target>' is supported, e.g. url:https://host/path"}}
	default:
		found = c.check(entity, location)
	}
	if len(found) == 0 {
		c.w.WriteHeader(http.StatusOK)
		return nil
	}
	c.json(http.StatusBadRequest, map[string]any{"errors": found[:min(len(found), maxWrong)]})
	return nil
}

// envelope looks for what no entity is without.
func envelope(entity gjson.Result) []wrong {
	bad := func(at, what string) []wrong { return []wrong{{Name: "TypeError", Message: at + " " + what}} }
	for _, name := range []string{"apiVersion", "kind", "metadata"} {
		switch v := entity.Get(name); {
		case !v.Exists():
			return bad("<root>", "must have required property '"+name+"' - missingProperty: "+name)
		case name == "metadata" && !v.IsObject():
			return bad("/metadata", "must be object - type: object")
		case name != "metadata" && v.Type != gjson.String:
			return bad("/"+name, "must be string - type: string")
		case name != "metadata" && v.Str == "":
			return bad("/"+name, "must NOT have fewer than 1 characters - limit: 1")
		}
	}
	switch name := entity.Get("metadata.name"); {
	case !name.Exists():
		return bad("/metadata", "must have required property 'name' - missingProperty: name")
	case name.Type != gjson.String:
		return bad("/metadata/name", "must be string - type: string")
	}
	return nil
}

// check decodes an entity as a harvest would.
func (c *call) check(entity gjson.Result, location string) []wrong {
	namespace := entity.Get("metadata.namespace").String()
	if namespace == "" {
		namespace = catalog.DefaultNamespace
	}
	ref := catalog.Ref{Kind: entity.Get("kind").Str, Namespace: namespace, Name: entity.Get("metadata.name").Str}.Key()
	decoded := descriptor.Decode(descriptor.File{
		Path: "catalog-info.yaml", Content: []byte(entity.Raw), Location: location, Schemas: c.o.Schemas,
	})
	var out []wrong
	for _, p := range decoded.Problems {
		said := p.Message
		if p.Hint != "" {
			said += "; " + p.Hint
		}
		if p.Field != "" {
			said = p.Field + ": " + said
		}
		switch {
		case p.Code == catalog.CodeUnknownKind:
			out = append(out, wrong{Name: "InputError", Message: "No processor recognized the entity " + ref + " as valid, possibly caused by a foreign kind or apiVersion"})
		case p.Severity != catalog.SeverityError:
		case p.Code == catalog.CodeSpec:
			out = append(out, caused("Processor BuiltinKindsEntityProcessor threw an error while validating the entity "+ref, wrong{Name: "TypeError", Message: said}))
		default:
			out = append(out, caused("Policy check failed for "+ref, wrong{Name: "Error", Message: said}))
		}
	}
	return out
}

func caused(what string, by wrong) wrong {
	return wrong{Name: "InputError", Message: what + "; caused by " + by.Name + ": " + by.Message, Cause: &by}
}
