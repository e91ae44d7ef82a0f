package backstage

import (
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/index"
)

// maxAncestors bounds an answer.
const maxAncestors = 1000

// ancestry is GET …/ancestry: the Locations that led to an entity, and those
// that led to them.
func (c *call) ancestry() error {
	ref := catalog.Ref{Kind: c.path[2], Namespace: c.path[3], Name: c.path[4]}
	var s *index.Snapshot
	var leads []lead
	c.table.read([]need{{key: "kind"}}, func(t *table) {
		s = t.at
		leads = t.leads()
	})
	root, ok := s.Get(ref)
	if !ok {
		return notFound("No such entity %s", clip(ref.Key()))
	}
	seen := map[*index.Record]bool{root: true}
	b := gjson.AppendJSONString([]byte(`{"rootEntityRef":`), root.Entity.Ref.Key())
	b = append(b, `,"items":[`...)
	todo := []*index.Record{root}
	for first := true; len(todo) > 0; first = false {
		r := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if !first {
			b = append(b, ',')
		}
		b = append(append(b, `{"entity":`...), entityJSON(s, r)...)
		b = append(b, `,"parentEntityRefs":[`...)
		n := 0
		place := annotation(r, "backstage.io/managed-by-location")
		for _, l := range leads {
			if l.record == r || l.record.Entity.Origin.Source != r.Entity.Origin.Source || !l.to(place) {
				continue
			}
			if n++; n > 1 {
				b = append(b, ',')
			}
			b = gjson.AppendJSONString(b, l.record.Entity.Ref.Key())
			if !seen[l.record] && len(seen) < maxAncestors {
				seen[l.record] = true
				todo = append(todo, l.record)
			}
		}
		b = append(b, "]}"...)
	}
	c.send(http.StatusOK, append(b, "]}"...))
	return nil
}

// lead is a Location and the locations that it leads to.
type lead struct {
	record  *index.Record
	targets []string
}

func (l lead) to(place string) bool {
	return place != "" && slices.ContainsFunc(l.targets, func(target string) bool {
		if strings.Contains(target, "*") {
			ok, err := path.Match(target, place)
			return err == nil && ok
		}
		return target == place
	})
}

// leads are all Locations. It needs the column of kind.
func (t *table) leads() []lead {
	var out []lead
	locations := t.selected(&cond{op: opIn, key: "kind", values: []string{"location"}})
	locations.Iterate(func(id uint32) bool {
		r := t.records[id]
		spec := gjson.GetBytes(r.Entity.Document, "spec")
		base := annotation(r, "backstage.io/managed-by-location")
		l := lead{record: r}
		for _, target := range append(spec.Get("targets").Array(), spec.Get("target")) {
			if target.Type == gjson.String {
				l.targets = append(l.targets, resolve(base, spec.Get("type").Str, target.Str))
			}
		}
		out = append(out, l)
		return true
	})
	return out
}

// resolve is the location ref of a target that a Location names.
func resolve(base, typ, target string) string {
	baseType, at, _ := strings.Cut(base, ":")
	if typ == "" {
		typ = baseType
	}
	if typ == "file" {
		if path.IsAbs(target) {
			return "file:" + path.Clean(target)
		}
		return "file:" + path.Join(path.Dir(at), target)
	}
	from, err := url.Parse(at)
	if err != nil {
		return typ + ":" + target
	}
	to, err := from.Parse(target)
	if err != nil {
		return typ + ":" + target
	}
	return typ + ":" + to.String()
}

func annotation(r *index.Record, name string) string {
	annotations := gjson.GetBytes(r.Entity.Document, "metadata.annotations")
	return member(annotations, name).String()
}
