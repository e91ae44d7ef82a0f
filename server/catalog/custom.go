package catalog

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
)

// Schemas are the JSON Schemas of custom kinds. The zero value has none; it is
// safe for concurrent use once nothing is registered any more.
type Schemas struct {
	byKind  map[string]*jsonschema.Schema
	version [sha256.Size]byte
}

// Version differs when what was registered does; it is empty for nothing.
func (s *Schemas) Version() string {
	if s == nil || len(s.byKind) == 0 {
		return ""
	}
	return hex.EncodeToString(s.version[:8])
}

// Register adds the schema of a custom kind: a JSON Schema of the whole
// document. A kind of Backstage's own cannot be registered. References to other
// files are refused.
func (s *Schemas) Register(apiVersion, kind string, schema []byte) error {
	if known(apiVersion, kind) {
		return fmt.Errorf("kind %s is built in and keeps its own schema", kind)
	}
	compiled, err := CompileSchema(schema)
	if err != nil {
		return fmt.Errorf("kind %s: %w", kind, err)
	}
	if s.byKind == nil {
		s.byKind = map[string]*jsonschema.Schema{}
	}
	s.byKind[apiVersion+" "+kind] = compiled
	s.version = sha256.Sum256(slices.Concat(s.version[:], []byte(apiVersion+" "+kind+"\n"), schema))
	return nil
}

// CompileSchema makes a JSON Schema usable. References to other files are refused.
func CompileSchema(schema []byte) (*jsonschema.Schema, error) {
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(schema))
	if err != nil {
		return nil, fmt.Errorf("read JSON Schema: %w", err)
	}
	c := jsonschema.NewCompiler()
	c.UseLoader(noLoader{})
	if err := c.AddResource("schema.json", v); err != nil {
		return nil, fmt.Errorf("read JSON Schema: %w", err)
	}
	compiled, err := c.Compile("schema.json")
	if err != nil {
		return nil, fmt.Errorf("compile JSON Schema: %w", err)
	}
	return compiled, nil
}

// noLoader keeps schemas from reading files or addresses.
type noLoader struct{}

func (noLoader) Load(url string) (any, error) {
	return nil, fmt.Errorf("%s: a schema may not refer to other files: %w", url, io.ErrUnexpectedEOF)
}

// custom holds a document of a custom kind against its schema. A kind without
// one is kept, and told.
func (c *checker) custom(apiVersion, kind string, doc map[string]any, schemas *Schemas) {
	var schema *jsonschema.Schema
	if schemas != nil {
		schema = schemas.byKind[apiVersion+" "+kind]
	}
	if schema == nil {
		hint := "it is kept unchecked; register a JSON Schema for it, or leave the file out of the patterns that are harvested"
		if backstages(apiVersion) {
			hint = "it is kept unchecked; the kinds of Backstage are " + strings.Join(Kinds(), ", ")
			if k := nearest(kind, Kinds()); k != "" {
				hint = "did you mean " + k + "? " + hint
			}
		}
		c.add(CodeUnknownKind, SeverityWarning, []string{"kind"}, fmt.Sprintf("the kind %s of %s has no schema here", quote(kind), quote(apiVersion)), hint)
		return
	}
	err := schema.Validate(doc)
	if err == nil {
		return
	}
	var invalid *jsonschema.ValidationError
	if !errors.As(err, &invalid) {
		c.fail(CodeSpec, []string{"kind"}, "the document cannot be held against the schema of "+kind+": "+err.Error(), "")
		return
	}
	printer := message.NewPrinter(language.English)
	for leaves := []*jsonschema.ValidationError{invalid}; len(leaves) > 0; leaves = leaves[1:] {
		if v := leaves[0]; len(v.Causes) > 0 {
			leaves = append(leaves, v.Causes...)
		} else {
			c.fail(CodeSpec, v.InstanceLocation, FieldPath(v.InstanceLocation)+": "+v.ErrorKind.LocalizedString(printer), "see the schema of kind "+kind)
		}
	}
}
