package backstage

import (
	"slices"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/waypost-dev/waypost/server/index"
)

// maxFields bounds the fields that a request names.
const maxFields = 200

// fields are the parts of entities that a caller wants; nil for all.
type fields struct {
	names []string
	// rendered tells that a part is not in the document alone.
	rendered bool
}

// parseFields reads lists of fields with commas between.
func parseFields(lists []string) (*fields, error) {
	f := &fields{}
	for _, list := range lists {
		for name := range strings.SplitSeq(list, ",") {
			if name = strings.TrimSpace(name); name == "" || slices.Contains(f.names, name) {
				continue
			}
			if strings.Contains(name, "[") {
				return nil, inputError("Invalid field \"%s\", array type fields are not supported", clip(name))
			}
			if len(f.names) == maxFields {
				return nil, inputError("Invalid fields, more than %d", maxFields)
			}
			f.names = append(f.names, name)
			top, rest, _ := strings.Cut(name, ".")
			switch {
			case top == "spec":
				f.rendered = true // its lists are sorted
			case top == "kind", top == "apiVersion":
			case top == "metadata" && rest != "" && rest != "uid" && rest != "etag":
			default:
				f.rendered = true
			}
		}
	}
	if len(f.names) == 0 {
		return nil, nil
	}
	return f, nil
}

// append appends an entity, or those parts of it that are wanted.
func (f *fields) append(b []byte, s *index.Snapshot, r *index.Record, keep bool) []byte {
	if f == nil {
		if keep {
			return append(b, entityJSON(s, r)...)
		}
		return appendEntity(b, s, r)
	}
	doc := text(r.Entity.Document)
	if f.rendered {
		if keep {
			doc = text(entityJSON(s, r))
		} else {
			doc = text(appendEntity(nil, s, r))
		}
	}
	var out part
	for _, name := range f.names {
		if path, v := find(gjson.Result{Type: gjson.JSON, Raw: doc}, name); v.Exists() {
			out.set(path, v.Raw)
		}
	}
	return out.append(b)
}

// find follows a dotted name into a document. As in Backstage a key that holds
// dots is found if no shorter key is.
func find(v gjson.Result, name string) (path []string, found gjson.Result) {
	for {
		end := strings.IndexByte(name, '.')
		for {
			key, rest := name, ""
			if end >= 0 {
				key, rest = name[:end], name[end+1:]
			}
			if next := member(v, key); next.Exists() {
				path = append(path, key)
				if end < 0 {
					return path, next
				}
				v, name = next, rest
				break
			}
			if end < 0 {
				return nil, gjson.Result{}
			}
			if next := strings.IndexByte(rest, '.'); next >= 0 {
				end += 1 + next
			} else {
				end = -1
			}
		}
	}
}

func member(v gjson.Result, key string) (found gjson.Result) {
	if !v.IsObject() {
		return found
	}
	v.ForEach(func(k, value gjson.Result) bool {
		if k.Str == key {
			found = value
			return false
		}
		return true
	})
	return found
}

// part is a tree of what was found.
type part struct {
	key  string
	raw  string // of a leaf
	kids []part
}

func (p *part) set(path []string, raw string) {
	if p.raw != "" {
		return // all of it is there already
	}
	if len(path) == 0 {
		p.raw, p.kids = raw, nil
		return
	}
	for i := range p.kids {
		if p.kids[i].key == path[0] {
			p.kids[i].set(path[1:], raw)
			return
		}
	}
	p.kids = append(p.kids, part{key: path[0]})
	p.kids[len(p.kids)-1].set(path[1:], raw)
}

func (p *part) append(b []byte) []byte {
	if p.raw != "" {
		return append(b, p.raw...)
	}
	b = append(b, '{')
	for i := range p.kids {
		if i > 0 {
			b = append(b, ',')
		}
		b = gjson.AppendJSONString(b, p.kids[i].key)
		b = p.kids[i].append(append(b, ':'))
	}
	return append(b, '}')
}
