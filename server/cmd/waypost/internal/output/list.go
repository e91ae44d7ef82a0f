package output

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// List prints a long list item by item, so that it need not be held whole:
// {"key":[…]} in JSON, or the same in YAML.
type List struct {
	p     *Printer
	key   string
	yaml  bool
	items int
}

// JSONList begins a list in JSON.
func (p *Printer) JSONList(key string) *List { return &List{p: p, key: key} }

// YAMLList begins a list in YAML.
func (p *Printer) YAMLList(key string) *List { return &List{p: p, key: key, yaml: true} }

// Add prints one more item.
func (l *List) Add(v any) error {
	b, err := Marshal(v)
	if err != nil {
		return err
	}
	var out bytes.Buffer
	if l.yaml {
		if l.items == 0 {
			fmt.Fprintf(&out, "%s:\n", l.key)
		}
		text, err := YAML([]byte("[" + string(b) + "]"))
		if err != nil {
			return err
		}
		out.Write(text)
	} else {
		if l.items == 0 {
			fmt.Fprintf(&out, "{\n  %q: [\n    ", l.key)
		} else {
			out.WriteString(",\n    ")
		}
		if err := json.Indent(&out, b, "    ", "  "); err != nil {
			return fmt.Errorf("indent JSON: %w", err)
		}
	}
	l.items++
	_, err = l.p.Write(out.Bytes())
	return err
}

// End finishes the list.
func (l *List) End() error {
	var s string
	switch {
	case l.yaml && l.items == 0:
		s = l.key + ": []\n"
	case l.yaml:
	case l.items == 0:
		s = fmt.Sprintf("{\n  %q: []\n}\n", l.key)
	default:
		s = "\n  ]\n}\n"
	}
	_, err := io.Copy(l.p, strings.NewReader(s))
	return err
}
