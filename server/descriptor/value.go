package descriptor

import (
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/waypost-dev/waypost/server/catalog"
)

// fault is what makes a document unusable, and where.
type fault struct {
	node          *yaml.Node
	code          catalog.Code // if it does not follow from the rest
	duplicate     bool
	message, hint string
}

func (f *fault) Error() string { return f.message }

// reader turns nodes into values as YAML's core schema says and as Backstage's
// parser does: no dates, no yes and no, merge keys, and any key as text.
type reader struct {
	nodes int // read so far, each use of an alias counted
	text  int // bytes of text read so far, likewise
	depth int

	include func(from, target string) (Included, bool) // nil: placeholders stay
	chain   []string                                   // files that lead to the one being read, itself included
}

func (r *reader) value(n *yaml.Node) (any, error) {
	if r.nodes++; r.nodes > maxNodes {
		return nil, &fault{node: n, message: fmt.Sprintf("the document has more than %d values, those behind aliases counted each time", maxNodes),
			hint: "split it, or write less of it by alias"}
	}
	if r.depth++; r.depth > maxDepth {
		return nil, &fault{node: n, message: fmt.Sprintf("the document is nested more than %d deep", maxDepth), hint: "flatten it"}
	}
	defer func() { r.depth-- }()
	switch n.Kind {
	case yaml.AliasNode:
		return r.value(n.Alias)
	case yaml.ScalarNode:
		if r.text += len(n.Value); r.text > maxText {
			return nil, &fault{node: n, message: fmt.Sprintf("the document has more than %d bytes of text, that behind aliases counted each time", maxText),
				hint: "write less of it by alias"}
		}
		return scalar(n), nil
	case yaml.SequenceNode:
		out := make([]any, len(n.Content))
		for i, c := range n.Content {
			v, err := r.value(c)
			if err != nil {
				return nil, err
			}
			out[i] = v
		}
		return out, nil
	case yaml.MappingNode:
		return r.mapping(n)
	}
	return nil, nil
}

func (r *reader) mapping(n *yaml.Node) (any, error) {
	if r.include != nil && len(n.Content) == 2 && isPlaceholder(n.Content[0].Value) {
		v, err := r.value(n.Content[1])
		if err != nil {
			return nil, err
		}
		if target, ok := v.(string); ok {
			return r.substitute(n, n.Content[0].Value, target)
		}
	}
	out := make(map[string]any, len(n.Content)/2)
	var merges []*yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		if isMerge(k) {
			merges = append(merges, v)
			continue
		}
		key, err := r.key(k)
		if err != nil {
			return nil, err
		}
		if _, ok := out[key]; ok {
			return nil, &fault{node: k, duplicate: true, message: fmt.Sprintf("the key %q stands twice in the same mapping", clip(key)), hint: "keep one of the two"}
		}
		if out[key], err = r.value(v); err != nil {
			return nil, err
		}
	}
	// What stands in the mapping itself wins over what is merged into it.
	for _, m := range merges {
		v, err := r.value(m)
		if err != nil {
			return nil, err
		}
		list, ok := v.([]any)
		if !ok {
			list = []any{v}
		}
		for _, e := range list {
			from, ok := e.(map[string]any)
			if !ok {
				return nil, &fault{node: m, message: "<< merges something that is no mapping", hint: "name the anchor of a mapping"}
			}
			for k, v := range from {
				if _, ok := out[k]; !ok {
					out[k] = v
				}
			}
		}
	}
	return out, nil
}

func isMerge(n *yaml.Node) bool {
	return n.Kind == yaml.ScalarNode && n.Value == "<<" && plain(n)
}

// key is a key as text, written as Backstage's parser writes keys that are none.
func (r *reader) key(n *yaml.Node) (string, error) {
	if r.text += len(n.Value); r.text > maxText {
		return "", &fault{node: n, message: fmt.Sprintf("the document has more than %d bytes of text, that behind aliases counted each time", maxText),
			hint: "write less of it by alias"}
	}
	if n.Kind == yaml.ScalarNode {
		switch v := scalar(n).(type) {
		case string:
			return v, nil
		case nil:
			return "", nil
		case bool:
			return strconv.FormatBool(v), nil
		case int64:
			return strconv.FormatInt(v, 10), nil
		case float64:
			return catalog.Number(v), nil
		}
	}
	if n.Kind == yaml.AliasNode && n.Alias.Kind == yaml.ScalarNode {
		return r.key(n.Alias)
	}
	return r.flow(n)
}

// flow writes a node in one line: { a: 1, b } or [ a, b ].
func (r *reader) flow(n *yaml.Node) (string, error) {
	if r.nodes++; r.nodes > maxNodes || r.depth > maxDepth {
		return "", &fault{node: n, message: "a key is too large", hint: "put quotes around it if it was meant to be text"}
	}
	r.depth++
	defer func() { r.depth-- }()
	var parts []string
	switch n.Kind {
	case yaml.AliasNode:
		return "*" + n.Value, nil
	case yaml.ScalarNode:
		return n.Value, nil
	case yaml.SequenceNode:
		for _, c := range n.Content {
			s, err := r.flow(c)
			if err != nil {
				return "", err
			}
			parts = append(parts, s)
		}
		return "[ " + strings.Join(parts, ", ") + " ]", nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, err := r.flow(n.Content[i])
		if err != nil {
			return "", err
		}
		if kind := n.Content[i].Kind; kind == yaml.MappingNode || kind == yaml.SequenceNode {
			k = "? " + k
		}
		if v := n.Content[i+1]; v.Kind != yaml.ScalarNode || scalar(v) != nil {
			s, err := r.flow(v)
			if err != nil {
				return "", err
			}
			k += ": " + s
		}
		parts = append(parts, k)
	}
	return "{ " + strings.Join(parts, ", ") + " }", nil
}

// plain tells whether a scalar was written without quotes and without a tag, so
// that its text says what it is.
func plain(n *yaml.Node) bool {
	return n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle|yaml.TaggedStyle) == 0
}

// scalar resolves a scalar by YAML 1.2's core schema.
func scalar(n *yaml.Node) any {
	if n.Style&yaml.TaggedStyle != 0 {
		switch n.ShortTag() {
		case "!!int", "!!float", "!!bool", "!!null":
			return resolve(n.Value)
		}
		return n.Value
	}
	if !plain(n) {
		return n.Value
	}
	return resolve(n.Value)
}

func resolve(s string) any {
	if s == "" {
		return nil
	}
	switch c := s[0]; {
	case c == '~' || c == 'n' || c == 'N':
		switch s {
		case "~", "null", "Null", "NULL":
			return nil
		}
	case c == 't' || c == 'T':
		switch s {
		case "true", "True", "TRUE":
			return true
		}
	case c == 'f' || c == 'F':
		switch s {
		case "false", "False", "FALSE":
			return false
		}
	case c >= '0' && c <= '9' || c == '-' || c == '+' || c == '.':
		if v, ok := number(s); ok {
			return v
		}
	}
	return s
}

func number(s string) (any, bool) {
	switch {
	case strings.HasPrefix(s, "0o") && digits(s[2:], "01234567"):
		return integer(s[2:], 8)
	case strings.HasPrefix(s, "0x") && digits(s[2:], "0123456789abcdefABCDEF"):
		return integer(s[2:], 16)
	}
	unsigned := strings.TrimLeft(s[:1], "+-") + s[1:]
	switch unsigned {
	case ".inf", ".Inf", ".INF":
		if s[0] == '-' {
			return math.Inf(-1), true
		}
		return math.Inf(1), true
	case ".nan", ".NaN", ".NAN":
		return math.NaN(), s == unsigned
	}
	if digits(unsigned, "0123456789") {
		return integer(s, 10)
	}
	mantissa, exponent, scientific := strings.Cut(strings.ReplaceAll(unsigned, "E", "e"), "e")
	if scientific && !digits(strings.TrimLeft(exponent[:min(1, len(exponent))], "+-")+exponent[min(1, len(exponent)):], "0123456789") {
		return nil, false
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	if whole+fraction == "" || strings.Trim(whole+fraction, "0123456789") != "" {
		return nil, false
	}
	f, err := strconv.ParseFloat(s, 64)
	return f, err == nil || math.IsInf(f, 0)
}

// largest is the largest integer that a JavaScript number holds exactly.
const largest = 1 << 53

func integer(s string, base int) (any, bool) {
	i, err := strconv.ParseInt(s, base, 64)
	if err == nil && i <= largest && i >= -largest {
		return i, true
	}
	if base != 10 {
		if len(s) > 400 {
			return math.Inf(1), true // as it is for JavaScript, and cheaper to say
		}
		i, ok := new(big.Int).SetString(s, base)
		if !ok {
			return nil, false
		}
		f, _ := i.Float64()
		return f, true
	}
	f, err := strconv.ParseFloat(s, 64)
	return f, err == nil || math.IsInf(f, 0)
}

func digits(s, of string) bool { return s != "" && strings.Trim(s, of) == "" }

func clip(s string) string {
	if len(s) > 80 {
		return strings.ToValidUTF8(s[:80], "") + "…"
	}
	return s
}
