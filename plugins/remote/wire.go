package remote

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/waypost-dev/waypost/plugins"
	pluginv1 "github.com/waypost-dev/waypost/proto/waypost/plugin/v1"
	"github.com/waypost-dev/waypost/server/catalog"
)

func structOf(doc []byte) (*structpb.Struct, error) {
	if len(doc) == 0 {
		return nil, nil
	}
	var fields map[string]any
	if err := json.Unmarshal(doc, &fields); err != nil {
		return nil, err
	}
	return structpb.NewStruct(fields)
}

func jsonOf(s *structpb.Struct) (json.RawMessage, error) {
	if s == nil {
		return nil, nil
	}
	if err := finite(structpb.NewStructValue(s)); err != nil {
		return nil, err
	}
	return json.Marshal(s.AsMap()) // sorted
}

// finite refuses numbers that JSON cannot say, of which structpb would make texts.
func finite(v *structpb.Value) error {
	switch k := v.GetKind().(type) {
	case *structpb.Value_NumberValue:
		if math.IsNaN(k.NumberValue) || math.IsInf(k.NumberValue, 0) {
			return fmt.Errorf("%v is no number of JSON", k.NumberValue)
		}
	case *structpb.Value_StructValue:
		for _, field := range k.StructValue.GetFields() {
			if err := finite(field); err != nil {
				return err
			}
		}
	case *structpb.Value_ListValue:
		for _, item := range k.ListValue.GetValues() {
			if err := finite(item); err != nil {
				return err
			}
		}
	}
	return nil
}

func duration(d time.Duration) *durationpb.Duration {
	if d == 0 {
		return nil
	}
	return durationpb.New(d)
}

func timestamp(t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}
	return timestamppb.New(t)
}

func timeFrom(t *timestamppb.Timestamp) (time.Time, error) {
	if t == nil {
		return time.Time{}, nil
	}
	return t.AsTime(), t.CheckValid()
}

var roleNames = map[pluginv1.Role]string{pluginv1.Role_ROLE_SERVE: "serve", pluginv1.Role_ROLE_EXTEND: "extend"}

func descriptorFrom(w *pluginv1.Descriptor) (plugins.Descriptor, error) {
	if w == nil {
		return plugins.Descriptor{}, errors.New("it describes itself with nothing")
	}
	for _, role := range w.GetRoles() {
		if name := roleNames[role]; name != "" {
			return plugins.Descriptor{}, fmt.Errorf("it has the role %s, which only a built-in plugin can have", name)
		}
	}
	d := plugins.Descriptor{
		Name: w.GetName(), Version: w.GetVersion(), Summary: w.GetSummary(), Kinds: w.GetKinds(), Events: w.GetEvents(), Every: w.GetEvery().AsDuration(),
		Limits: plugins.Limits{
			Batch: int(w.GetLimits().GetBatch()), Concurrent: int(w.GetLimits().GetConcurrent()),
			PerSecond: w.GetLimits().GetPerSecond(), Deadline: w.GetLimits().GetDeadline().AsDuration(),
		},
	}
	var err error
	if d.Config, err = jsonOf(w.GetConfigSchema()); err != nil {
		return d, fmt.Errorf("schema of its configuration: %w", err)
	}
	for _, f := range w.GetFacts() {
		schema, err := jsonOf(f.GetSchema())
		if err != nil {
			return d, fmt.Errorf("schema of %s: %w", f.GetKey(), err)
		}
		d.Facts = append(d.Facts, plugins.FactType{
			Key: f.GetKey(), Title: f.GetTitle(), Description: f.GetDescription(), Schema: schema, Unit: f.GetUnit(),
			Freshness: f.GetFreshness().AsDuration(), Filterable: f.GetFilterable(), Display: plugins.Display(f.GetDisplay()),
		})
	}
	return d, nil
}

func descriptorTo(p plugins.Plugin) (*pluginv1.Descriptor, error) {
	d := p.Describe()
	w := &pluginv1.Descriptor{
		Name: d.Name, Version: d.Version, Summary: d.Summary, Kinds: d.Kinds, Events: d.Events, Every: duration(d.Every),
		Limits: &pluginv1.Limits{
			Batch: int32(min(d.Limits.Batch, 1000)), Concurrent: int32(min(d.Limits.Concurrent, 16)),
			PerSecond: d.Limits.PerSecond, Deadline: duration(d.Limits.Deadline),
		},
	}
	var err error
	if w.ConfigSchema, err = structOf(d.Config); err != nil {
		return nil, fmt.Errorf("schema of the configuration: %w", err)
	}
	for _, f := range d.Facts {
		schema, err := structOf(f.Schema)
		if err != nil {
			return nil, fmt.Errorf("schema of %s: %w", f.Key, err)
		}
		w.Facts = append(w.Facts, &pluginv1.FactType{
			Key: f.Key, Title: f.Title, Description: f.Description, Schema: schema, Unit: f.Unit,
			Freshness: duration(f.Freshness), Filterable: f.Filterable, Display: string(f.Display),
		})
	}
	if _, ok := p.(plugins.Enricher); ok {
		w.Roles = append(w.Roles, pluginv1.Role_ROLE_ENRICH)
	}
	if _, ok := p.(plugins.Collector); ok {
		w.Roles = append(w.Roles, pluginv1.Role_ROLE_COLLECT)
	}
	if _, ok := p.(plugins.Handler); ok {
		w.Roles = append(w.Roles, pluginv1.Role_ROLE_HANDLE)
	}
	if _, ok := p.(plugins.Relater); ok {
		w.Roles = append(w.Roles, pluginv1.Role_ROLE_RELATE)
	}
	return w, nil
}

// subjectTo reads of the view what a remote plugin gets to see, so that the view
// notes it.
func subjectTo(s plugins.Subject) (*pluginv1.Subject, error) {
	e := s.Entity
	doc, err := structOf(e.Document)
	if err != nil {
		return nil, err
	}
	facts, err := structOf(e.Facts)
	if err != nil {
		return nil, err
	}
	w := &pluginv1.Subject{
		Ref: valid(e.Ref.String()), Uid: valid(e.UID), Entity: doc, Facts: facts,
		Path: valid(e.Origin.Path), Line: int32(min(e.Origin.Line, 1<<30)), Relations: edgesTo(s.View.Relations(e.Ref)),
	}
	repo, ok := s.View.Repository(e)
	if !ok {
		return w, nil
	}
	known := repo.RepositoryFacts
	if known.Codeowners != nil {
		short := *known.Codeowners
		short.Content = "" // up to 3 MB, for each entity
		known.Codeowners = &short
	}
	text, err := json.Marshal(known)
	if err != nil {
		return nil, err
	}
	w.Repository = &pluginv1.Repository{Source: valid(repo.Source), Name: valid(repo.Name), Commit: valid(repo.Commit)}
	w.Repository.Facts, err = structOf(text)
	return w, err
}

// valid is the text as UTF-8, without which a message cannot be sent.
func valid(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

func subjectFrom(w *pluginv1.Subject) (plugins.Subject, error) {
	ref, err := catalog.ParseRef(w.GetRef(), catalog.RefContext{})
	if err != nil {
		return plugins.Subject{}, err
	}
	e := &catalog.Entity{Ref: ref, UID: w.GetUid(), Origin: catalog.Origin{
		Source: w.GetRepository().GetSource(), Repository: w.GetRepository().GetName(), Commit: w.GetRepository().GetCommit(),
		Path: w.GetPath(), Line: int(w.GetLine()),
	}}
	if e.Document, err = jsonOf(w.GetEntity()); err != nil {
		return plugins.Subject{}, err
	}
	if e.Facts, err = jsonOf(w.GetFacts()); err != nil {
		return plugins.Subject{}, err
	}
	v := &view{entity: e}
	if v.relations, err = edgesFrom(w.GetRelations()); err != nil {
		return plugins.Subject{}, err
	}
	if r := w.GetRepository(); r != nil {
		v.repository = &plugins.Repository{Source: r.GetSource(), Name: r.GetName(), Commit: r.GetCommit()}
		text, err := jsonOf(r.GetFacts())
		if err == nil && len(text) > 0 {
			err = json.Unmarshal(text, &v.repository.RepositoryFacts)
		}
		if err != nil {
			return plugins.Subject{}, err
		}
	}
	return plugins.Subject{Entity: e, View: v}, nil
}

func edgesTo(relations []catalog.Relation) []*pluginv1.Edge {
	out := make([]*pluginv1.Edge, 0, len(relations))
	for _, x := range relations {
		out = append(out, &pluginv1.Edge{Type: valid(x.Type), TargetRef: valid(x.Target.String())})
	}
	return out
}

func edgesFrom(edges []*pluginv1.Edge) ([]catalog.Relation, error) {
	var out []catalog.Relation
	for _, x := range edges {
		ref, err := catalog.ParseRef(x.GetTargetRef(), catalog.RefContext{})
		if err != nil {
			return nil, fmt.Errorf("relation %.100q: %w", x.GetType(), err)
		}
		out = append(out, catalog.Relation{Type: x.GetType(), Target: ref})
	}
	return out, nil
}

func answerTo(a plugins.Answer) *pluginv1.Answer {
	w := &pluginv1.Answer{Again: timestamp(a.Again), Relations: edgesTo(a.Relations)}
	fail := func(err error) *pluginv1.Answer {
		return &pluginv1.Answer{Error: valid(err.Error()), Again: w.GetAgain()}
	}
	if a.Err != nil {
		return fail(a.Err)
	}
	for _, f := range a.Facts {
		var v any
		if err := json.Unmarshal(f.Value, &v); err != nil {
			return fail(fmt.Errorf("%s is not JSON: %w", f.Key, err))
		}
		value, err := structpb.NewValue(v)
		if err != nil {
			return fail(fmt.Errorf("%s: %w", f.Key, err))
		}
		fact := &pluginv1.Fact{Key: valid(f.Key), Value: value, ObserveTime: timestamp(f.Observed), StaleTime: timestamp(f.Stale)}
		for _, x := range f.Evidence {
			fact.Evidence = append(fact.Evidence, &pluginv1.Evidence{
				Kind: valid(x.Kind), Text: valid(x.Text), Url: valid(x.URL), Repository: valid(x.Repository), Path: valid(x.Path),
				Line: int32(min(x.Line, 1<<30)), Commit: valid(x.Commit), Query: valid(x.Query), Weight: x.Weight,
			})
		}
		w.Facts = append(w.Facts, fact)
	}
	for _, x := range a.Problems {
		w.Problems = append(w.Problems, &pluginv1.Finding{
			Code: valid(string(x.Code)), Message: valid(x.Message), Hint: valid(x.Hint), Path: valid(x.Path), Line: int32(min(x.Line, 1<<30)), Field: valid(x.Field),
		})
	}
	return w
}

// answerFrom is the answer, or one that says what is wrong with it. What it says
// is held against the descriptor elsewhere.
func answerFrom(w *pluginv1.Answer) plugins.Answer {
	if w.GetError() != "" {
		return plugins.Answer{Err: errors.New(w.GetError())}
	}
	a, err := answerOf(w)
	if err != nil {
		return plugins.Answer{Err: err}
	}
	return a
}

func answerOf(w *pluginv1.Answer) (a plugins.Answer, err error) {
	if a.Again, err = timeFrom(w.GetAgain()); err != nil {
		return a, fmt.Errorf("again: %w", err)
	}
	if a.Relations, err = edgesFrom(w.GetRelations()); err != nil {
		return a, err
	}
	for _, f := range w.GetFacts() {
		if f.GetValue().GetKind() == nil {
			return a, fmt.Errorf("%.100q has no value", f.GetKey())
		}
		fact := catalog.Fact{Key: f.GetKey()}
		if err := finite(f.GetValue()); err != nil {
			return a, fmt.Errorf("%.100q: %w", f.GetKey(), err)
		}
		if fact.Value, err = json.Marshal(f.GetValue().AsInterface()); err != nil {
			return a, fmt.Errorf("%.100q: %w", f.GetKey(), err)
		}
		if fact.Observed, err = timeFrom(f.GetObserveTime()); err != nil {
			return a, fmt.Errorf("%.100q: observe_time: %w", f.GetKey(), err)
		}
		if fact.Stale, err = timeFrom(f.GetStaleTime()); err != nil {
			return a, fmt.Errorf("%.100q: stale_time: %w", f.GetKey(), err)
		}
		for _, x := range f.GetEvidence() {
			fact.Evidence = append(fact.Evidence, catalog.Evidence{
				Kind: x.GetKind(), Text: x.GetText(), URL: x.GetUrl(), Repository: x.GetRepository(), Path: x.GetPath(),
				Line: int(x.GetLine()), Commit: x.GetCommit(), Query: x.GetQuery(), Weight: number(x.GetWeight()),
			})
		}
		a.Facts = append(a.Facts, fact)
	}
	for _, x := range w.GetProblems() {
		a.Problems = append(a.Problems, catalog.Problem{
			Code: catalog.Code(x.GetCode()), Message: x.GetMessage(), Hint: x.GetHint(), Path: x.GetPath(), Line: int(max(x.GetLine(), 0)), Field: x.GetField(),
		})
	}
	return a, nil
}

// number is 0 for what is none.
func number(f float64) float64 {
	if math.IsNaN(f) {
		return 0
	}
	return f
}
