package backstage

import (
	"slices"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/waypost-dev/waypost/server/index"
)

// entityView is the form in which entities are kept rendered. server/api has
// those from 1 on.
const entityView index.ViewKey = 64

// entityJSON is an entity as Backstage shows it; it is kept.
func entityJSON(s *index.Snapshot, r *index.Record) []byte {
	return r.View(entityView, func() []byte { return slices.Clip(appendEntity(nil, s, r)) })
}

// sortedLists are those fields of a spec that name other entities. Backstage
// sorts them, so that their order makes no difference to it.
var sortedLists = []string{"children", "consumesApis", "dependencyOf", "dependsOn", "memberOf", "members", "providesApis"}

// appendEntity appends the document with what is not part of it: uid, etag and
// relations.
func appendEntity(b []byte, s *index.Snapshot, r *index.Record) []byte {
	e := r.Entity
	doc := text(e.Document)
	metadata := gjson.Get(doc, "metadata")
	end := metadata.Index + len(metadata.Raw) - 1 // at the closing brace
	if !metadata.IsObject() || metadata.Index == 0 {
		return append(b, doc...) // no entity is stored without
	}
	b = append(b, doc[:end]...)
	if len(metadata.Raw) > 2 {
		b = append(b, ',')
	}
	b = append(b, `"uid":`...)
	b = gjson.AppendJSONString(b, e.UID)
	b = append(append(append(b, `,"etag":"`...), e.Hash()...), `"}`...)
	rest := doc[end+1 : len(doc)-1]
	for _, field := range sortedLists {
		if _, list, ok := strings.Cut(rest, `"`+field+`":["`); ok {
			if list, _, _ = strings.Cut(list, "]"); strings.Contains(list, `","`) {
				rest = sortSpec(rest)
				break
			}
		}
	}
	b = append(append(b, rest...), `,"relations":[`...)
	for i, rel := range s.Relations(r) {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, `{"type":`...)
		b = gjson.AppendJSONString(b, rel.Type)
		b = append(b, `,"targetRef":`...)
		b = gjson.AppendJSONString(b, rel.Target.String())
		b = append(b, '}')
	}
	return append(b, "]}"...)
}

// sortSpec sorts the lists of a spec that is the last member of an object.
func sortSpec(members string) string {
	spec := gjson.Get("{"+strings.TrimPrefix(members, ",")+"}", "spec")
	if !spec.IsObject() {
		return members
	}
	sorted := make([]byte, 0, len(spec.Raw))
	sorted = append(sorted, '{')
	spec.ForEach(func(k, v gjson.Result) bool {
		if len(sorted) > 1 {
			sorted = append(sorted, ',')
		}
		sorted = append(append(sorted, k.Raw...), ':')
		if v.IsArray() && slices.Contains(sortedLists, k.Str) {
			sorted = appendSorted(sorted, v)
		} else {
			sorted = append(sorted, v.Raw...)
		}
		return true
	})
	sorted = append(sorted, '}')
	return strings.Replace(members, spec.Raw, string(sorted), 1)
}

func appendSorted(b []byte, list gjson.Result) []byte {
	elements := list.Array()
	slices.SortStableFunc(elements, func(x, y gjson.Result) int { return strings.Compare(x.String(), y.String()) })
	b = append(b, '[')
	for i, e := range elements {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, e.Raw...)
	}
	return append(b, ']')
}
