package descriptor

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/waypost-dev/waypost/server/catalog"
)

// maxNested is how deep placeholders may stand in what placeholders bring.
const maxNested = 3

// Included is a file that a placeholder names.
type Included struct {
	Path    string // that identifies it
	Content []byte
	// Problem says why there is no Content. Its Code, Message and Hint count.
	Problem *catalog.Problem
}

// substitute reads what a placeholder stands for: n is a mapping whose only key is
// $text, $json or $yaml, or nil if it stands in JSON. What is wrong is a fault of the
// placeholder.
func (r *reader) substitute(n *yaml.Node, key, target string) (any, error) {
	spoilt := func(code catalog.Code, hint, format string, args ...any) error {
		return &fault{node: n, code: code, message: fmt.Sprintf("%s %q: ", key, clip(target)) + fmt.Sprintf(format, args...), hint: hint}
	}
	if len(r.chain) > maxNested {
		return nil, spoilt(catalog.CodeTooLarge, "write what it brings into the file itself", "placeholders lead from one file to the next more than %d times", maxNested)
	}
	from := ""
	if len(r.chain) > 1 {
		from = r.chain[len(r.chain)-1]
	}
	file, ok := r.include(from, target)
	switch {
	case !ok:
		return nil, spoilt(catalog.CodeUnreadable, "put it into a document with fewer values and fewer placeholders", "it was not read")
	case file.Problem != nil:
		return nil, spoilt(file.Problem.Code, file.Problem.Hint, "%s", file.Problem.Message)
	case key != "$text" && slices.Contains(r.chain, file.Path):
		return nil, spoilt(catalog.CodeTooLarge, "remove it", "it leads back to %s, in a circle", file.Path)
	}
	if r.text += len(file.Content); r.text > maxText {
		return nil, spoilt(catalog.CodeTooLarge, "split the document, or shorten the file", "the document and what it includes have more than %d bytes of text", maxText)
	}
	content := bytes.TrimPrefix(file.Content, []byte("\ufeff"))
	if !utf8.Valid(content) || bytes.IndexByte(content, 0) >= 0 {
		return nil, spoilt(catalog.CodeEncoding, "save it as UTF-8", "the file is no text in UTF-8")
	}
	if key == "$text" {
		return string(content), nil
	}
	r.chain = append(r.chain, file.Path)
	defer func() { r.chain = r.chain[:len(r.chain)-1] }()
	if key == "$json" {
		v, err := r.json(content)
		if err == nil {
			v, err = r.nested(v)
		}
		if err != nil {
			return nil, within(err, spoilt, "mend the file, or use $text or $yaml")
		}
		return v, nil
	}
	v, err := r.yaml(content)
	if err != nil {
		return nil, within(err, spoilt, "mend the file, or use $text")
	}
	return v, nil
}

// within tells a fault in an included file at the placeholder.
func within(err error, spoilt func(catalog.Code, string, string, ...any) error, hint string) error {
	var f *fault
	if !errors.As(err, &f) {
		return spoilt(catalog.CodeSyntax, hint, "%s", err)
	}
	code := f.code
	if code == "" {
		code = catalog.CodeTooLarge
	}
	if f.duplicate {
		code = catalog.CodeDuplicateKey
	}
	if f.node == nil {
		return spoilt(code, f.hint, "%s", f.message)
	}
	return spoilt(code, f.hint, "line %d: %s", f.node.Line, f.message)
}

// yaml reads a file of exactly one document.
func (r *reader) yaml(content []byte) (any, error) {
	content, back := standIns(content)
	pieces := split(content)
	switch {
	case len(pieces) != 1:
		return nil, fmt.Errorf("the file holds %d documents and not one", len(pieces))
	case crowded(pieces[0].text):
		return nil, &fault{message: fmt.Sprintf("the file may hold more than %d values", maxNodes), hint: "use $text, or split it"}
	}
	root, err := parse(pieces[0].text)
	if err != nil {
		line, _, message := locate(pieces[0].text, err)
		return nil, fmt.Errorf("line %d: the file is not YAML: %s", pieces[0].line+line-1, clip(message))
	}
	if root == nil {
		return nil, nil
	}
	if back != nil {
		putBack(root, back)
	}
	return r.value(root)
}

// json reads a file of one JSON value, token by token, so that its values are
// counted before there are too many.
func (r *reader) json(content []byte) (any, error) {
	dec := json.NewDecoder(bytes.NewReader(content))
	dec.UseNumber()
	v, err := r.jsonValue(dec)
	if err == nil {
		if _, more := dec.Token(); !errors.Is(more, io.EOF) {
			err = errors.New("something follows the value")
		}
	}
	var f *fault
	if err != nil && !errors.As(err, &f) {
		if errors.Is(err, io.EOF) {
			err = errors.New("it ends too early")
		}
		line := bytes.Count(content[:min(int(dec.InputOffset()), len(content))], []byte("\n")) + 1
		return nil, fmt.Errorf("line %d: the file is not JSON: %s", line, clip(err.Error()))
	}
	return v, err
}

func (r *reader) jsonValue(dec *json.Decoder) (any, error) {
	if r.nodes++; r.nodes > maxNodes {
		return nil, &fault{message: fmt.Sprintf("the document and what it includes have more than %d values", maxNodes), hint: "use $text, or split it"}
	}
	if r.depth++; r.depth > maxDepth {
		return nil, &fault{message: fmt.Sprintf("it is nested more than %d deep", maxDepth), hint: "use $text, or flatten it"}
	}
	defer func() { r.depth-- }()
	token, err := dec.Token()
	if err != nil {
		return nil, err
	}
	switch t := token.(type) {
	case json.Number:
		v, _ := number(t.String())
		return v, nil
	case json.Delim:
		if t == '[' {
			list := []any{}
			for dec.More() {
				v, err := r.jsonValue(dec)
				if err != nil {
					return nil, err
				}
				list = append(list, v)
			}
			_, err := dec.Token()
			return list, err
		}
		object := map[string]any{}
		for dec.More() {
			key, err := dec.Token()
			if err != nil {
				return nil, err
			}
			if object[key.(string)], err = r.jsonValue(dec); err != nil {
				return nil, err
			}
		}
		_, err := dec.Token()
		return object, err
	}
	return token, nil // text, true, false or null
}

// nested puts in what placeholders in JSON stand for.
func (r *reader) nested(v any) (any, error) {
	var err error
	switch v := v.(type) {
	case []any:
		for i := range v {
			if v[i], err = r.nested(v[i]); err != nil {
				return nil, err
			}
		}
	case map[string]any:
		for key, value := range v {
			if target, ok := value.(string); ok && len(v) == 1 && isPlaceholder(key) {
				return r.substitute(nil, key, target)
			}
			if v[key], err = r.nested(value); err != nil {
				return nil, err
			}
		}
	}
	return v, nil
}

func isPlaceholder(key string) bool { return key == "$text" || key == "$json" || key == "$yaml" }
