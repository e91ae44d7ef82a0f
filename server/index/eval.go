package index

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"cel.dev/cel-go/common/types"
	"github.com/RoaringBitmap/roaring/v2"
)

// maxFilterTime bounds what CEL may take for all entities of a query.
const maxFilterTime = 2 * time.Second

// selected is the set of entities for which a filter is true. An entity for
// which it is an error, such as one without a field that it speaks of, is not
// selected. The result must not be changed.
func (s *Snapshot) selected(filter string) (*roaring.Bitmap, error) {
	if strings.TrimSpace(filter) == "" {
		return s.live, nil
	}
	p, err := compile(filter)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), maxFilterTime)
	defer cancel()
	v := &evaluation{s: s, ctx: ctx}
	o, err := v.eval(p, s.live, false)
	if err != nil {
		return nil, &QueryError{Field: "filter", Reason: err.Error(), Hint: `put a term that the index can answer first, such as entity.kind == "Component"`}
	}
	return o.yes, nil
}

// outcome is for which of the candidates an expression is true and for which
// it is false; for all others it is an error. no is nil unless it was asked for.
type outcome struct{ yes, no *roaring.Bitmap }

type evaluation struct {
	s   *Snapshot
	ctx context.Context
}

// eval evaluates a plan for candidates. The bitmaps of an outcome must not be
// changed.
func (v *evaluation) eval(p *plan, among *roaring.Bitmap, needNo bool) (outcome, error) {
	switch p.op {
	case opNot:
		o, err := v.eval(p.args[0], among, true)
		if err != nil {
			return o, err
		}
		return outcome{o.no, o.yes}, nil
	case opAnd, opOr:
		return v.combine(p, among, needNo)
	case opEvaluate:
		return v.run(p, among)
	}
	o := v.s.answer(p, needNo)
	if among == v.s.live {
		return o, nil
	}
	o.yes = roaring.And(o.yes, among)
	if needNo {
		o.no = roaring.And(o.no, among)
	}
	return o, nil
}

// combine does and and or as CEL does: an error on one side counts only if the
// other side does not decide. What the columns can answer goes first.
func (v *evaluation) combine(p *plan, among *roaring.Bitmap, needNo bool) (outcome, error) {
	first, second := p.args[0], p.args[1]
	if first.dear() && !second.dear() {
		first, second = second, first
	}
	and := p.op == opAnd
	a, err := v.eval(first, among, needNo)
	if err != nil {
		return a, err
	}
	rest := among
	switch {
	case and && !needNo:
		rest = a.yes
	case and:
		rest = roaring.AndNot(among, a.no)
	case !a.yes.IsEmpty():
		rest = roaring.AndNot(among, a.yes)
	}
	b, err := v.eval(second, rest, needNo)
	if err != nil {
		return b, err
	}
	if and {
		o := outcome{yes: roaring.And(a.yes, b.yes)}
		if needNo {
			o.no = roaring.Or(a.no, b.no)
		}
		return o, nil
	}
	o := outcome{yes: roaring.Or(a.yes, b.yes)}
	if needNo {
		o.no = roaring.And(a.no, b.no)
	}
	return o, nil
}

// dear tells whether a plan needs CEL.
func (p *plan) dear() bool {
	if p.op == opEvaluate {
		return true
	}
	for _, a := range p.args {
		if a.dear() {
			return true
		}
	}
	return false
}

// answer answers a term from the columns, for all entities.
func (s *Snapshot) answer(p *plan, needNo bool) outcome {
	switch p.op {
	case opConst:
		if p.yes {
			return outcome{s.live, roaring.New()}
		}
		return outcome{roaring.New(), s.live}
	case opRef:
		yes := roaring.New()
		for _, k := range p.values {
			if id, ok := s.byKey.Get(strings.TrimPrefix(k, "s")); ok && strings.HasPrefix(k, "s") {
				yes.Add(id)
			}
		}
		return outcome{yes, roaring.AndNot(s.live, yes)}
	case opRelates:
		yes := s.relations(p.text).has.bitmap()
		return outcome{yes, roaring.AndNot(s.live, yes)}
	case opRelated:
		c := s.relations(p.text)
		to := c.related(p.target)
		yes := to.bitmap()
		return outcome{yes, roaring.AndNot(c.has.bitmap(), yes)}
	}
	c := s.column(p.path)
	var o outcome
	switch p.op {
	case opTruth:
		return outcome{c.kinds[kindTrue].bitmap(), c.kinds[kindFalse].bitmap()}
	case opHas:
		o.yes = c.present()
		if needNo {
			o.no = c.kinds[kindAbsent].bitmap()
		}
	case opEqual:
		if len(p.values) == 1 {
			o.yes = c.byValue(p.values[0]).bitmap()
		} else {
			o.yes = roaring.New()
			for _, k := range p.values {
				c.byValue(k).addTo(o.yes)
			}
		}
		if needNo {
			o.no = roaring.AndNot(c.present(), o.yes)
		}
	case opPrefix:
		o.yes = roaring.New()
		prefix := "s" + p.text
		c.byKey.Ascend(prefix, func(key string, n uint32) bool {
			if !strings.HasPrefix(key, prefix) {
				return false
			}
			c.entries.get(n).post.addTo(o.yes)
			return true
		})
		if needNo {
			o.no = roaring.AndNot(c.kinds[kindString].bitmap(), o.yes)
		}
	case opMember:
		o.yes = c.byValue("es" + p.text).bitmap()
		if maps := c.kinds[kindMap].bitmap(); !maps.IsEmpty() {
			o.yes = o.yes.Clone()
			maps.Iterate(func(id uint32) bool {
				if awkward(c.value(id).str, p.text).Exists() {
					o.yes.Add(id)
				}
				return true
			})
		}
		if needNo {
			o.no = roaring.Or(c.kinds[kindList].bitmap(), c.kinds[kindMap].bitmap())
			o.no.AndNot(o.yes)
		}
	}
	return o
}

// present are the entities that have the field.
func (c *column) present() *roaring.Bitmap {
	out := roaring.New()
	for k := kindNull; k < kinds; k++ {
		c.kinds[k].addTo(out)
	}
	return out
}

// run leaves a term to CEL, entity by entity.
func (v *evaluation) run(p *plan, among *roaring.Bitmap) (outcome, error) {
	o := outcome{roaring.New(), roaring.New()}
	var failed error
	among.Iterate(func(id uint32) bool {
		if v.ctx.Err() != nil {
			failed = errTooDear
			return false
		}
		r := v.s.docs.get(id)
		vars, err := v.s.variables(r)
		if err != nil {
			failed = err
			return false
		}
		out, _, err := p.program.ContextEval(v.ctx, vars)
		if err != nil {
			if strings.Contains(err.Error(), "cost limit exceeded") {
				failed = errTooDear
				return false
			}
			if v.ctx.Err() != nil || errors.Is(err, context.DeadlineExceeded) {
				failed = errTooDear
				return false
			}
			return true
		}
		switch out {
		case types.True:
			o.yes.Add(id)
		case types.False:
			o.no.Add(id)
		}
		return true
	})
	return o, failed
}

// variables are what CEL sees of an entity.
func (s *Snapshot) variables(r *Record) (map[string]any, error) {
	var doc map[string]any
	if err := json.Unmarshal(r.Entity.Document, &doc); err != nil {
		return nil, fmt.Errorf("decode %s: %w", r.key, err)
	}
	doc[inStatus] = r.statusMap()
	doc[inOrigin] = r.originMap()
	return map[string]any{"entity": doc, "facts": func() any {
		facts := map[string]any{}
		if len(r.Entity.Facts) > 0 && json.Unmarshal(r.Entity.Facts, &facts) != nil {
			return map[string]any{} // the store writes JSON
		}
		return facts
	}, "relations": func() any { // only if the expression speaks of them
		out := map[string][]string{}
		for _, x := range s.Relations(r) {
			out[x.Type] = append(out[x.Type], x.Target.Key())
		}
		return out
	}, "ref": r.key}, nil
}
