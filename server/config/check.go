package config

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/agnivade/levenshtein"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	"golang.org/x/text/language"
	"golang.org/x/text/message"

	"github.com/waypost-dev/waypost/server/catalog"
)

// schemaTree is schema.json as far as we read it ourselves.
type schemaTree struct {
	Type       any                    `json:"type"`
	Default    any                    `json:"default"`
	Ref        string                 `json:"$ref"`
	Properties map[string]*schemaTree `json:"properties"`
	// Additional are the values of an object with keys of the user's choice.
	Additional *schemaTree            `json:"additionalProperties"`
	Defs       map[string]*schemaTree `json:"$defs"`
}

// UnmarshalJSON takes the schema true for a tree without anything in it.
func (t *schemaTree) UnmarshalJSON(b []byte) error {
	if string(b) == "true" || string(b) == "false" {
		return nil
	}
	type plain schemaTree
	return json.Unmarshal(b, (*plain)(t))
}

var tree = sync.OnceValue(func() *schemaTree {
	var t schemaTree
	if err := json.Unmarshal(Schema, &t); err != nil {
		panic("config: schema.json: " + err.Error())
	}
	return &t
})

var compiled = sync.OnceValue(func() *jsonschema.Schema {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema))
	if err != nil {
		panic("config: schema.json: " + err.Error())
	}
	c := jsonschema.NewCompiler()
	const name = "https://waypost.dev/schema/config.json"
	if err := c.AddResource(name, doc); err != nil {
		panic("config: schema.json: " + err.Error())
	}
	return c.MustCompile(name)
})

// defaults are the values of the keys that nobody sets.
func defaults() map[string]any {
	out := map[string]any{}
	for key, t := range tree().Properties {
		if t.Default != nil {
			out[key] = t.Default
		}
	}
	return out
}

// topLevel are the keys that the environment can set, with their JSON types.
func topLevel() map[string]string {
	out := map[string]string{}
	for key, t := range tree().Properties {
		if def, ok := strings.CutPrefix(t.Ref, "#/$defs/"); ok {
			t = tree().Defs[def]
		}
		typ, _ := t.Type.(string)
		if typ == "object" || key == "sources" || key == "kinds" {
			continue
		}
		out[key] = typ
	}
	return out
}

// keysAt are the keys that the schema allows in the object at a path.
func keysAt(raw map[string]any, path []string) []string {
	t := tree()
	var value any = raw
	for _, step := range path {
		switch v := value.(type) {
		case map[string]any:
			value = v[step]
			t = cmp.Or(t.Properties[step], t.Additional)
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil || i >= len(v) {
				return nil
			}
			value = v[i]
			source, _ := value.(map[string]any)
			typ, _ := source["type"].(string)
			t = tree().Defs[typ]
		}
		if t == nil {
			return nil
		}
		if def, ok := strings.CutPrefix(t.Ref, "#/$defs/"); ok {
			t = tree().Defs[def]
		}
	}
	return slices.Sorted(maps.Keys(t.Properties))
}

// check holds the merged configuration to the schema.
func (l *loader) check(raw map[string]any) error {
	b, err := json.Marshal(raw)
	if err != nil {
		return Errors{{Where: l.file, Message: "the configuration holds a value that JSON cannot: " + err.Error()}}
	}
	instance, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
	if err != nil {
		return fmt.Errorf("check configuration: %w", err)
	}
	err = compiled().Validate(instance)
	if err == nil {
		return nil
	}
	var invalid *jsonschema.ValidationError
	if !errors.As(err, &invalid) {
		return fmt.Errorf("check configuration: %w", err)
	}
	var bad Errors
	l.flatten(nil, func(path []string) []string { return keysAt(raw, path) }, invalid, &bad)
	return bad.sorted()
}

func (e Errors) sorted() Errors {
	slices.SortStableFunc(e, func(a, b Problem) int { return byPlace(a.Where, b.Where) })
	return slices.Compact(e)
}

// CheckPlugin holds the configuration of a plugin to the plugin's own schema, and
// returns it as JSON, which is null if there is none. An error is Errors, with
// places.
func (c *Config) CheckPlugin(name string, schema []byte) (json.RawMessage, error) {
	p := c.Plugins[name]
	text, err := json.Marshal(p.Config)
	if err != nil {
		return nil, Errors{{Where: c.positions.find("plugins." + name), Message: "the configuration holds a value that JSON cannot: " + err.Error()}}
	}
	at := []string{"plugins", name, "config"}
	if len(schema) == 0 {
		if len(p.Config) > 0 {
			return nil, Errors{{Where: c.positions.find(strings.Join(at, ".")), Message: "plugin " + name + " takes no configuration", Hint: "remove it"}}
		}
		return text, nil
	}
	s, err := catalog.CompileSchema(schema)
	if err != nil {
		return nil, fmt.Errorf("plugin %s: %w", name, err)
	}
	checked := text
	if p.Config == nil {
		checked = []byte("{}") // what it may lack, and what not
	}
	instance, err := jsonschema.UnmarshalJSON(bytes.NewReader(checked))
	if err != nil {
		return nil, fmt.Errorf("plugin %s: %w", name, err)
	}
	err = s.Validate(instance)
	var invalid *jsonschema.ValidationError
	if !errors.As(err, &invalid) {
		return text, err
	}
	var top schemaTree
	_ = json.Unmarshal(schema, &top) // for hints alone
	var bad Errors
	l := loader{c.positions}
	l.flatten(at, func(path []string) []string {
		t := &top
		for _, step := range path {
			if t = t.Properties[step]; t == nil {
				return nil
			}
		}
		return slices.Sorted(maps.Keys(t.Properties))
	}, invalid, &bad)
	return nil, bad.sorted()
}

// byPlace orders file:line:column by number, and other places by name.
func byPlace(a, b string) int {
	ap, bp := strings.Split(a, ":"), strings.Split(b, ":")
	for i := 0; i < len(ap) && i < len(bp); i++ {
		an, aerr := strconv.Atoi(ap[i])
		bn, berr := strconv.Atoi(bp[i])
		if aerr == nil && berr == nil {
			if an != bn {
				return an - bn
			}
		} else if c := strings.Compare(ap[i], bp[i]); c != 0 {
			return c
		}
	}
	return len(ap) - len(bp)
}

// flatten turns what a schema says of the value at a path into problems. keys are
// the keys allowed in the object at a path below it.
func (l *loader) flatten(at []string, keys func([]string) []string, e *jsonschema.ValidationError, bad *Errors) {
	if len(e.Causes) > 0 {
		for _, c := range e.Causes {
			l.flatten(at, keys, c, bad)
		}
		return
	}
	path := strings.Join(slices.Concat(at, e.InstanceLocation), ".")
	p := Problem{Where: l.find(path)}
	switch k := e.ErrorKind.(type) {
	case *kind.AdditionalProperties:
		allowed := keys(e.InstanceLocation)
		for _, key := range k.Properties {
			full := key
			if path != "" {
				full = path + "." + key
			}
			*bad = append(*bad, Problem{Where: l.find(full), Message: fmt.Sprintf("unknown key %q", key), Hint: nearest(key, allowed)})
		}
		return
	case *kind.Required:
		p.Message = "missing " + strings.Join(k.Missing, ", ")
		if path != "" {
			p.Message = describe(path) + " lacks " + strings.Join(k.Missing, ", ")
		}
	case *kind.Type:
		p.Message = fmt.Sprintf("%s is of type %s", describe(path), k.Got)
		p.Hint = "write a value of type " + strings.Join(k.Want, " or ")
	case *kind.Enum:
		p.Message = fmt.Sprintf("%s is %v", describe(path), k.Got)
		words := make([]string, len(k.Want))
		for i, w := range k.Want {
			words[i] = fmt.Sprint(w)
		}
		p.Hint = "write one of " + strings.Join(words, ", ")
		if got, ok := k.Got.(string); ok && len(words) > 3 {
			p.Hint = nearest(got, words)
		}
	case *kind.Pattern:
		p.Message = fmt.Sprintf("%s is %q", describe(path), k.Got)
		p.Hint = form(path)
	default:
		p.Message = describe(path) + ": " + e.ErrorKind.LocalizedString(message.NewPrinter(language.English))
	}
	*bad = append(*bad, p)
}

// describe names a path for people: sources.2.org is "org of source 3".
func describe(path string) string {
	steps := strings.Split(path, ".")
	if steps[0] != "sources" || len(steps) == 1 {
		return path
	}
	n, err := strconv.Atoi(steps[1])
	if err != nil {
		return path
	}
	source := fmt.Sprintf("source %d", n+1)
	if len(steps) == 2 {
		return source
	}
	return strings.Join(steps[2:], ".") + " of " + source
}

// form says how the value at a path is written.
func form(path string) string {
	switch path[strings.LastIndexByte(path, '.')+1:] {
	case "db":
		return "write sqlite:PATH or postgres://USER:PASSWORD@HOST/NAME"
	case "http", "grpc":
		return "write HOST:PORT, for example 127.0.0.1:8080"
	case "orphans":
		return "write keep, delete, or for how long to keep, such as 24h"
	case "origins":
		return "write origins such as https://portal.example.org"
	case "every", "shutdownTimeout":
		return "write a duration such as 90s, 10m or 1h30m"
	case "url":
		return "write an address that starts with https://"
	case "target":
		return "write url:https://HOST/PATH or file:PATH"
	case "org":
		return "write the organisation's login, for example acme"
	}
	return "run waypost config schema to see what is allowed"
}

// nearest suggests the allowed word that key was meant to be.
func nearest(key string, allowed []string) string {
	best, distance := "", max(2, len(key)/3)+1
	for _, a := range allowed {
		if d := levenshtein.ComputeDistance(strings.ToLower(key), strings.ToLower(a)); d < distance {
			best, distance = a, d
		}
	}
	if best != "" {
		return fmt.Sprintf("did you mean %q?", best)
	}
	if len(allowed) == 0 {
		return ""
	}
	return "allowed are " + strings.Join(allowed, ", ")
}

// checkMeaning checks what the schema cannot say.
func (l *loader) checkMeaning(c *Config) error {
	var bad Errors
	for name, p := range c.Plugins {
		if len(p.Command) == 0 && (p.Dir != "" || len(p.Env) > 0) {
			bad = append(bad, Problem{Where: l.find("plugins." + name), Message: fmt.Sprintf("plugin %s has a dir or env, and no command", name), Hint: "only a plugin in another process has these"})
		}
	}
	for key, address := range map[string]string{"http": c.HTTP, "grpc": c.GRPC} {
		_, port, err := net.SplitHostPort(address)
		if n, perr := strconv.Atoi(port); err != nil || perr != nil || n > 65535 {
			bad = append(bad, Problem{Where: l.find(key), Message: fmt.Sprintf("%s is %q", key, address), Hint: form(key)})
			continue
		}
		if !c.InsecureListen && !loopback(address) {
			bad = append(bad, Problem{
				Where:   l.find(key),
				Message: fmt.Sprintf("%s %s can be reached from other machines, and this version of Waypost does not authenticate callers, so that anybody there could read the whole catalog", key, address),
				Hint:    "listen on 127.0.0.1 behind a proxy that authenticates, or accept this with --insecure-listen",
			})
		}
	}
	if c.ShutdownTimeout <= 0 {
		bad = append(bad, Problem{Where: l.find("shutdownTimeout"), Message: "shutdownTimeout is 0", Hint: form("shutdownTimeout")})
	}
	if c.GitHub.App != nil && c.GitHub.TokenFile != "" {
		bad = append(bad, Problem{Where: l.find("github.app"), Message: "github has both a tokenFile and an app", Hint: "keep one of them"})
	}
	seen := map[string]int{}
	for i, s := range c.Sources {
		key := "sources." + strconv.Itoa(i)
		name := strings.ToLower(s.Name())
		if first, ok := seen[name]; ok {
			bad = append(bad, Problem{Where: l.find(key), Message: fmt.Sprintf("source %d is %s, which is source %d already", i+1, s.Name(), first+1), Hint: "name each source once"})
		}
		seen[name] = i
		if s.App != nil && s.TokenFile != "" {
			bad = append(bad, Problem{Where: l.find(key + ".app"), Message: describe(key) + " has both a tokenFile and an app", Hint: "keep one of them"})
		}
	}
	if len(bad) == 0 {
		return nil
	}
	slices.SortStableFunc(bad, func(a, b Problem) int { return byPlace(a.Where, b.Where) })
	return bad
}

// loopback tells whether an address can be reached from this machine only. A
// host name other than localhost counts as one that cannot be trusted to.
func loopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}
