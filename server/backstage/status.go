package backstage

import (
	"cmp"
	"encoding/json"
	"time"

	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/index"
)

// problemsEvery is how often it is looked whether problems have come or gone.
const problemsEvery = time.Second

// look asks for the problems, if it is time, and marks the view as stale if they
// are others.
func (v *view) look() {
	if v.problems == nil {
		return
	}
	now := time.Now().UnixNano()
	last := v.asked.Load()
	if now-last < int64(problemsEvery) || !v.asked.CompareAndSwap(last, now) {
		return
	}
	list, err := v.problems()
	if err != nil {
		v.log.Warn("entities are shown without what is wrong with their files", "error", err)
		return
	}
	had := v.broken.Load()
	same := had != nil && len(*had) == len(list) && (len(list) == 0 || &(*had)[0] == &list[0])
	if !same {
		v.broken.Store(&list)
		v.stale.Store(true)
	}
}

// unprocessed are the problems that keep a newer form of an entity out, or what a
// Location leads to.
var unprocessed = map[catalog.Code]bool{
	catalog.CodeEnvelope: true, catalog.CodeField: true, catalog.CodeSpec: true, catalog.CodeReference: true, catalog.CodeTooLarge: true,
	catalog.CodeUnreadable: true,
}

// statusItem is what Backstage says of an entity that it could not process.
// https://backstage.io/docs/features/software-catalog/well-known-statuses
type statusItem struct {
	Type    string      `json:"type"`
	Level   string      `json:"level"`
	Message string      `json:"message"`
	Error   statusError `json:"error"`
}

type statusError struct {
	Name    string       `json:"name"`
	Message string       `json:"message"`
	Cause   *statusError `json:"cause,omitempty"`
}

// withStatus are the entities whose own file says something wrong of them now, each
// with it.
func withStatus(s *index.Snapshot, problems []catalog.Problem) []catalog.Change {
	items := map[*index.Record][]statusItem{}
	var order []*index.Record
	for i := range problems {
		p := &problems[i]
		if p.Severity != catalog.SeverityError || p.Entity == "" || !unprocessed[p.Code] {
			continue
		}
		ref, err := catalog.ParseRef(p.Entity, catalog.RefContext{})
		if err != nil {
			continue
		}
		r, ok := s.Get(ref)
		if !ok || r.Entity.Origin.Source != p.Source || r.Entity.Origin.Path != p.Path || p.Repository != "" && r.Entity.Origin.Repository != p.Repository {
			continue // another document claims the ref
		}
		if items[r] == nil {
			order = append(order, r)
		}
		message := p.Error()
		items[r] = append(items[r], statusItem{
			Type: "backstage.io/catalog-processing", Level: "error", Message: "InputError: " + message,
			Error: statusError{Name: "InputError", Message: message, Cause: &statusError{Name: "TypeError", Message: cmp.Or(p.Field+" ", "") + p.Message}},
		})
	}
	var out []catalog.Change
	for _, r := range order {
		status, err := json.Marshal(map[string]any{"items": items[r]})
		doc := r.Entity.Document
		if err != nil || len(doc) < 2 || doc[len(doc)-1] != '}' {
			continue // neither is ever so
		}
		e := *r.Entity
		e.Document = append(append(append(append([]byte(nil), doc[:len(doc)-1]...), `,"status":`...), status...), '}')
		out = append(out, catalog.Change{Op: catalog.OpPut, Entity: &e})
	}
	return out
}
