package index

import (
	"maps"
	"strings"

	"cel.dev/cel-go/common/ast"
	"github.com/tidwall/gjson"

	"github.com/waypost-dev/waypost/server/catalog"
)

// What is wrong with an entity is known outside of it: the same file may be right
// today and name somebody tomorrow who has left. Filters, facets and orders see the
// worst of it as the field status.level, as Backstage's status.items have it:
// "error", "warning", or no such field. It is no part of the entity's content, and a
// change of it has no revision.

// inStatus begins the path of what is seen of it. An entity always has a status,
// so that !has(entity.status.level) selects those with which nothing is wrong.
const inStatus = "status"

const levelField = "level"

// level is a catalog.Severity in one byte, for there is one in each record.
type level uint8

const (
	fine level = iota
	warning
	wrong
)

func levelOf(s catalog.Severity) level {
	switch s {
	case "":
		return fine
	case catalog.SeverityError:
		return wrong
	}
	return warning
}

var levelTexts = [...]string{warning: string(catalog.SeverityWarning), wrong: string(catalog.SeverityError)}

// SetLevels says how bad what is wrong with each entity is, by the key of its ref;
// of the others, that nothing is. It costs what is other than before. The index
// keeps the map, which must not be changed.
func (x *Index) SetLevels(levels map[string]catalog.Severity) {
	x.mu.Lock()
	defer x.mu.Unlock()
	was := x.snap.Load()
	if maps.Equal(was.levels, levels) {
		return
	}
	next := was.fork()
	next.levels = levels
	tx := txid(x.tx.Add(1))
	for key, severity := range levels {
		if was.levels[key] != severity {
			next.mark(tx, key, levelOf(severity))
		}
	}
	for key := range was.levels {
		if _, still := levels[key]; !still {
			next.mark(tx, key, fine)
		}
	}
	x.publish(next)
}

// mark gives an entity another level. Nothing else of it changes, nor does what
// depends on anything else.
func (s *Snapshot) mark(tx txid, key string, l level) {
	old, ok := s.ByKey(key)
	if !ok {
		return
	}
	r := &Record{Entity: old.Entity, key: old.key, id: old.id, kept: old.kept, level: l}
	*s.docs.at(tx, r.id) = r
	for _, c := range s.cols {
		if c.path[0] == inStatus {
			c.remove(tx, old)
			c.add(tx, r)
		}
	}
	for _, o := range s.orders {
		for _, f := range o.fields {
			if f.path[0] == inStatus {
				o.remove(old)
				o.add(r)
				break
			}
		}
	}
}

// status finds a field below entity.status.
func (r *Record) status(path []string) (gjson.Result, kind) {
	quoted := `"` + levelTexts[r.level] + `"`
	switch {
	case len(path) == 0 && r.level == fine:
		return gjson.Result{Type: gjson.JSON, Raw: "{}"}, kindMap
	case len(path) == 0:
		return gjson.Result{Type: gjson.JSON, Raw: `{"` + levelField + `":` + quoted + `}`}, kindMap
	case len(path) > 1: // a text has no fields
		return gjson.Result{}, kindBroken
	case path[0] != levelField || r.level == fine:
		return gjson.Result{}, kindAbsent
	}
	return gjson.Result{Type: gjson.String, Str: levelTexts[r.level], Raw: quoted}, kindString
}

// statusMap is entity.status as CEL sees it.
func (r *Record) statusMap() map[string]any {
	if r.level == fine {
		return map[string]any{}
	}
	return map[string]any{levelField: levelTexts[r.level]}
}

// ReadsStatus tells whether a filter looks at what is wrong with entities.
func ReadsStatus(filter string) bool {
	if !strings.Contains(filter, inStatus) {
		return false
	}
	parsed, issues := environment.Load().Parse(filter)
	if issues.Err() != nil {
		return false // who asks with it hears what is wrong with it
	}
	return len(ast.MatchDescendants(ast.NavigateAST(parsed.NativeRep()), func(e ast.NavigableExpr) bool {
		path, ok := chain(e, "entity", 0)
		return ok && len(path) > 0 && path[0] == inStatus
	})) > 0
}
