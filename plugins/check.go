package plugins

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/waypost-dev/waypost/server/catalog"
)

var (
	nameRule     = regexp.MustCompile(`^[a-z][a-z0-9-]{0,39}$`)
	factRule     = regexp.MustCompile(`^[A-Za-z0-9_]{1,60}$`)
	functionRule = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]{0,59}$`)
	versionRule  = regexp.MustCompile(`^[0-9]+\.[0-9]+\.[0-9]+([-+][0-9A-Za-z.+-]+)?$`)
)

var displays = []Display{
	"", DisplayText, DisplayBadge, DisplayNumber, DisplayPercent, DisplayTime, DisplayDuration, DisplayLink, DisplayRef, DisplayTable, DisplayHidden,
}

// maxFactTypes is how many facts one plugin may declare.
const maxFactTypes = 200

// Check tells everything that is wrong with a descriptor.
func (d Descriptor) Check() error {
	var wrong []error
	add := func(format string, args ...any) { wrong = append(wrong, fmt.Errorf(format, args...)) }
	if !nameRule.MatchString(d.Name) {
		add("name %q must be a lower-case letter, then letters, digits and dashes, at most 40 in all", d.Name)
	}
	if !versionRule.MatchString(d.Version) {
		add("version %q must be a semantic version, such as 1.0.0", d.Version)
	}
	if len(d.Facts) > maxFactTypes {
		add("it declares %d facts; %d are the most", len(d.Facts), maxFactTypes)
	}
	if len(d.Config) > 0 {
		if _, err := catalog.CompileSchema(d.Config); err != nil {
			add("config: %w", err)
		}
	}
	seen := map[string]bool{}
	for _, f := range d.Facts {
		rest, own := strings.CutPrefix(f.Key, d.Name+".")
		switch {
		case !own || !factRule.MatchString(rest):
			add("fact %q must be named %s. and then letters, digits and underscores, at most 60", f.Key, d.Name)
		case seen[f.Key]:
			add("fact %s is declared twice", f.Key)
		}
		seen[f.Key] = true
		if !slices.Contains(displays, f.Display) {
			add("fact %s: display %q must be one of %v", f.Key, f.Display, displays[1:])
		}
		if f.Freshness < 0 {
			add("fact %s: freshness is below zero", f.Key)
		}
		if len(f.Schema) == 0 {
			add("fact %s has no schema; {} allows every value", f.Key)
		} else if _, err := catalog.CompileSchema(f.Schema); err != nil {
			add("fact %s: %w", f.Key, err)
		}
	}
	return errors.Join(wrong...)
}

// CheckFunctions tells everything that is wrong with the functions of an Extender.
func (d Descriptor) CheckFunctions(functions []Function) error {
	var wrong []error
	prefix := strings.ReplaceAll(d.Name, "-", "_") + "."
	seen := map[string]bool{}
	for _, f := range functions {
		rest, own := strings.CutPrefix(f.Name, prefix)
		switch {
		case !own || !functionRule.MatchString(rest):
			wrong = append(wrong, fmt.Errorf("function %q must be named %s and then a letter, letters, digits and underscores, at most 60", f.Name, prefix))
		case seen[f.Name]:
			wrong = append(wrong, fmt.Errorf("function %s is there twice", f.Name))
		case f.Call == nil:
			wrong = append(wrong, fmt.Errorf("function %s has nothing to call", f.Name))
		}
		seen[f.Name] = true
	}
	return errors.Join(wrong...)
}

// Effective are the limits with defaults filled in and bounds held.
func (l Limits) Effective() Limits {
	bound := func(v, usual, most int) int {
		if v <= 0 {
			return usual
		}
		return min(v, most)
	}
	l.Batch, l.Concurrent = bound(l.Batch, 100, 1000), bound(l.Concurrent, 1, 16)
	l.PerSecond = max(l.PerSecond, 0)
	if l.Deadline <= 0 {
		l.Deadline = 30 * time.Second
	}
	l.Deadline = min(l.Deadline, 10*time.Minute)
	return l
}

// Canonical is JSON with sorted keys and no white space, as values are compared.
func Canonical(value []byte) (json.RawMessage, any, error) {
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(value))
	if err != nil {
		return nil, nil, err
	}
	out, err := json.Marshal(v)
	return out, v, err
}
