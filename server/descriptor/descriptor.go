// Package descriptor reads catalog files: YAML documents in, entities and
// problems out. One bad document spoils nothing else.
//
// YAML is read as Backstage reads it: by the core schema of YAML 1.2 (yes and
// no are text, and so are dates), with merge keys, and with keys of any form.
// TestValues lists the few texts that are read otherwise. TestOracle holds the
// whole against what Backstage's own code says of real files.
//
// Beyond Backstage: custom kinds are kept, with a warning; a namespace may be
// written in upper case, and is kept in lower case; a reference that cannot be
// parsed costs the relation and not the entity. The annotations of an entity's
// location are always those of the file, whatever the document says; what
// placeholders of $json and $yaml bring may hold placeholders itself.
package descriptor

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/waypost-dev/waypost/server/catalog"
)

// Version changes whenever the same bytes would be decoded differently, so
// that documents decoded by an earlier version are decoded anew.
const Version = "3"

// Bounds of a file. What is over them is a problem, and is not read.
const (
	maxSize      = 5 << 20 // bytes in a file
	maxDocuments = 10_000  // in a file
	maxNodes     = 100_000 // values in a document, those behind aliases counted each time
	maxDepth     = 100
	maxText      = maxSize // bytes of text in a document, that behind aliases counted each time
	maxProblems  = 500     // in a file
)

// File is a catalog file and where it stands.
type File struct {
	Source     string
	Repository string // owner/name; empty if no repository holds it
	Commit     string
	Path       string
	Content    []byte

	// Location is the location ref that the entities are annotated with, such
	// as url:https://github.com/acme/shop/blob/main/catalog-info.yaml.
	Location string
	// Origin is the location that led to it, such as a registered one; Location
	// if empty.
	Origin string
	// View and Edit are addresses for people; empty if there are none.
	View, Edit string
	// SourceLocation is where the code is, such as
	// url:https://github.com/acme/shop/tree/main/. It is used unless the
	// document names its own.
	SourceLocation string

	// Include gives the file that a placeholder names ($text, $json or $yaml), by
	// what the placeholder says; from is the Path of the Included in which it stands,
	// or empty for this file. It says false for a file that was not looked for. If it
	// is nil, placeholders stay as they are.
	Include func(from, target string) (Included, bool)

	// Schemas are those of custom kinds; nil if there are none.
	Schemas *catalog.Schemas
	// Allow are the kinds that may be declared, in any case; empty for all. One
	// that is not allowed is a problem, and takes no other entity with it.
	Allow []string
}

// Decoded is what a file holds.
type Decoded struct {
	Entities []*catalog.Entity
	Problems []catalog.Problem
}

// Decode reads a catalog file. It keeps nothing of f.Content. It is safe for
// concurrent use.
func Decode(f File) Decoded {
	d := &decoder{file: f, lines: map[string]int{}}
	content, ok := d.open()
	if !ok {
		return d.out
	}
	content, d.back = standIns(content)
	pieces := split(content)
	if len(pieces) > maxDocuments {
		d.problem(catalog.Problem{Code: catalog.CodeTooLarge, Severity: catalog.SeverityError, Line: pieces[maxDocuments].line,
			Message: fmt.Sprintf("the file has more than %d documents; those from here on are not read", maxDocuments), Hint: "split it"})
		pieces = pieces[:maxDocuments]
	}
	for _, p := range pieces {
		d.document(p)
	}
	return d.out
}

type decoder struct {
	file  File
	out   Decoded
	lines map[string]int // ref → line of its first document
	back  *strings.Replacer
}

func (d *decoder) problem(p catalog.Problem) {
	switch n := len(d.out.Problems); {
	case n > maxProblems:
		return
	case n == maxProblems:
		// It names no entity, so that none is thought to be gone.
		p = catalog.Problem{Code: catalog.CodeTooLarge, Severity: catalog.SeverityError, Line: p.Line, Column: p.Column,
			Message: fmt.Sprintf("the file has more than %d problems; those from here on are not told", maxProblems), Hint: "mend those before it first"}
	}
	p.Source, p.Repository, p.Path = d.file.Source, d.file.Repository, d.file.Path
	d.out.Problems = append(d.out.Problems, p)
}

// open refuses a file as a whole, and takes a byte order mark off.
func (d *decoder) open() ([]byte, bool) {
	content := d.file.Content
	if len(content) > maxSize {
		d.problem(catalog.Problem{Code: catalog.CodeTooLarge, Severity: catalog.SeverityError,
			Message: fmt.Sprintf("the file has %d bytes; at most %d are read", len(content), maxSize), Hint: "split it, or move large definitions to files of their own"})
		return nil, false
	}
	if bytes.HasPrefix(content, []byte{0xfe, 0xff}) || bytes.HasPrefix(content, []byte{0xff, 0xfe}) {
		d.problem(catalog.Problem{Code: catalog.CodeEncoding, Severity: catalog.SeverityError, Line: 1, Column: 1,
			Message: "the file is written in UTF-16", Hint: "save it as UTF-8"})
		return nil, false
	}
	return bytes.TrimPrefix(content, []byte("\ufeff")), true
}

// plainText tells of a document that is no text.
func (d *decoder) plainText(p piece) bool {
	i := bytes.IndexByte(p.text, 0)
	found := catalog.Problem{Code: catalog.CodeEncoding, Severity: catalog.SeverityError,
		Message: "the document holds a NUL byte", Hint: "remove it; a catalog file is text in UTF-8"}
	if i < 0 {
		if utf8.Valid(p.text) {
			return true
		}
		i = 0
		for i < len(p.text) {
			r, n := utf8.DecodeRune(p.text[i:])
			if r == utf8.RuneError && n == 1 {
				break
			}
			i += n
		}
		found.Message, found.Hint = fmt.Sprintf("the byte 0x%02x is not UTF-8", p.text[i]), "save the file as UTF-8"
	}
	line, column := position(p.text, i)
	found.Line, found.Column = line+p.line-1, column
	d.problem(found)
	return false
}

// position is the line and column of an offset, from 1.
func position(content []byte, offset int) (line, column int) {
	before := content[:offset]
	line = bytes.Count(before, []byte("\n")) + 1
	return line, utf8.RuneCount(before[bytes.LastIndexByte(before, '\n')+1:]) + 1
}

// document decodes one document.
func (d *decoder) document(p piece) {
	if !d.plainText(p) {
		return
	}
	if crowded(p.text) {
		d.problem(catalog.Problem{Code: catalog.CodeTooLarge, Severity: catalog.SeverityError, Line: p.line,
			Message: fmt.Sprintf("the document may hold more than %d values", maxNodes), Hint: "split it, or move large definitions to files of their own"})
		return
	}
	root, err := parse(p.text)
	if err != nil {
		d.syntax(p, err)
		return
	}
	if root == nil {
		return
	}
	if d.back != nil {
		putBack(root, d.back)
	}
	place := placer{root: root, offset: p.line - 1}
	r := reader{include: d.file.Include, chain: []string{d.file.Path}}
	value, err := r.value(root)
	if err != nil {
		var f *fault
		if !errors.As(err, &f) {
			panic(err) // a reader has no other errors
		}
		code := catalog.CodeTooLarge
		if f.duplicate {
			code = catalog.CodeDuplicateKey
		} else if strings.HasPrefix(f.message, "<<") {
			code = catalog.CodeSyntax
		}
		code = cmp.Or(f.code, code)
		d.problem(catalog.Problem{Code: code, Severity: catalog.SeverityError, Line: f.node.Line + place.offset, Column: f.node.Column, Entity: sketch(root), Message: f.message, Hint: f.hint})
		return
	}
	if value == nil {
		return // an empty document, as Backstage skips it
	}
	doc, ok := value.(map[string]any)
	if !ok {
		line, column := place.at(nil)
		d.problem(catalog.Problem{Code: catalog.CodeEnvelope, Severity: catalog.SeverityError, Line: line, Column: column,
			Message: "the document is no mapping", Hint: "a catalog file starts with apiVersion, kind and metadata"})
		return
	}
	d.entity(p, doc, place)
}

func (d *decoder) entity(p piece, doc map[string]any, place placer) {
	if kind, ok := doc["kind"].(string); ok && len(d.file.Allow) > 0 &&
		!slices.ContainsFunc(d.file.Allow, func(k string) bool { return strings.EqualFold(k, kind) }) {
		line, column := place.at([]string{"kind"})
		d.problem(catalog.Problem{
			Code: catalog.CodeNotAllowed, Severity: catalog.SeverityError, Line: line, Column: column, Entity: sketch(place.root), Field: "kind",
			Message: fmt.Sprintf("entities of kind %.100s may not be declared here", kind),
			Hint:    "allowed are " + strings.Join(d.file.Allow, ", ") + "; move it, or add the kind to allow in the server's configuration",
		})
		return
	}
	found := catalog.Check(doc, d.file.Schemas)
	valid := !failed(found)
	line, column := place.at(nil)
	e, found := catalog.Assemble(d.annotate(doc, valid), catalog.Origin{
		Source: d.file.Source, Repository: d.file.Repository, Path: d.file.Path, Commit: d.file.Commit, Line: line,
	}, found)
	ref := func() string {
		if e != nil {
			return e.Ref.String()
		}
		return sketch(place.root)
	}
	first := len(d.out.Problems)
	for _, v := range found {
		line, column := place.at(v.Path)
		node, key := place.find(v.Path)
		if v.Key && key != nil {
			line, column, node = key.Line+place.offset, key.Column, key
		}
		d.problem(catalog.Problem{
			Code: v.Code, Severity: v.Severity, Line: line, Column: column, Entity: ref(), Field: v.Field(), Message: v.Message, Hint: v.Hint,
			Fix: d.fix(v, node, line),
		})
	}
	slices.SortStableFunc(d.out.Problems[first:], func(a, b catalog.Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	if e == nil || failed(found) {
		return
	}
	key := e.Ref.Key()
	if first, ok := d.lines[key]; ok {
		d.problem(catalog.Problem{Code: catalog.CodeDuplicateRef, Severity: catalog.SeverityError, Line: line, Column: column, Entity: ref(),
			Message: fmt.Sprintf("%s is declared twice in this file, first on line %d", ref(), first), Hint: "the first one is used; rename or remove the other"})
		return
	}
	d.lines[key] = line
	for i := range e.Relations {
		e.Relations[i].Line, e.Relations[i].Column = place.inSpec(e.Relations[i].Field)
	}
	d.out.Entities = append(d.out.Entities, e)
}

func failed(found []catalog.Violation) bool {
	for _, v := range found {
		if v.Severity == catalog.SeverityError {
			return true
		}
	}
	return false
}

// annotate adds to a valid document where it stands. What the document says of
// the source location stays.
func (d *decoder) annotate(doc map[string]any, valid bool) map[string]any {
	metadata, ok := doc["metadata"].(map[string]any)
	if !ok || !valid {
		return doc
	}
	// The maps are this document's own, for aliases are followed each time.
	annotations, ok := metadata["annotations"].(map[string]any)
	if !ok {
		annotations = make(map[string]any, 5)
	}
	set := func(key, value string) {
		if value != "" {
			annotations[key] = value
		}
	}
	set("backstage.io/managed-by-location", d.file.Location)
	set("backstage.io/managed-by-origin-location", cmp.Or(d.file.Origin, d.file.Location))
	set("backstage.io/view-url", d.file.View)
	set("backstage.io/edit-url", d.file.Edit)
	if _, ok := annotations["backstage.io/source-location"]; !ok {
		set("backstage.io/source-location", d.file.SourceLocation)
	}
	if len(annotations) == 0 {
		return doc
	}
	metadata["annotations"] = annotations
	return doc
}

// parse returns the root node of a document, or nil if it is empty. A fault of
// the parser itself is an error too: it must not take the other files with it.
func parse(text []byte) (root *yaml.Node, err error) {
	defer func() {
		if p := recover(); p != nil {
			root, err = nil, fmt.Errorf("yaml: the parser failed: %v", p)
		}
	}()
	var document yaml.Node
	if err := yaml.Unmarshal(text, &document); err != nil {
		return nil, err
	}
	if document.Kind != yaml.DocumentNode || len(document.Content) == 0 {
		return nil, nil
	}
	root = document.Content[0]
	if root.Kind == yaml.MappingNode && root.Column == 1 && root.Style&yaml.FlowStyle == 0 {
		return root, nil // nothing can follow it
	}
	// Unmarshal leaves what follows the first document unread.
	r := yaml.NewDecoder(bytes.NewReader(text))
	for range 2 {
		if err := r.Decode(&document); err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
	}
	return root, nil
}

// sketch is the ref that a document would have, as far as it can be read, to
// tell whose problem it is; "" if there is none.
func sketch(root *yaml.Node) string {
	text := func(n *yaml.Node) string {
		if n != nil && n.Kind == yaml.ScalarNode {
			return n.Value
		}
		return ""
	}
	metadata := child(root, "metadata")
	r := catalog.Ref{Kind: text(child(root, "kind")), Namespace: text(child(metadata, "namespace")), Name: text(child(metadata, "name"))}
	if r.Namespace == "" {
		r.Namespace = catalog.DefaultNamespace
	}
	if r.Kind == "" || r.Name == "" || len(r.String()) > 300 {
		return ""
	}
	return r.String()
}
