// Package plugintest holds every plugin against the contract of package plugins,
// whether it is built in or runs in a process of its own.
package plugintest

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"

	"github.com/waypost-dev/waypost/plugins"
	"github.com/waypost-dev/waypost/server/catalog"
)

// Options say with what a plugin is tried.
type Options struct {
	// Config is its configuration in JSON; empty for none.
	Config json.RawMessage
	// Host is what it gets with its configuration; nil for a host that gives
	// nothing (its methods then must not be needed).
	Host plugins.Host
	// Entities are such as it is good for. It must say at least one fact of them.
	// Hostile ones are added.
	Entities []*catalog.Entity
	// Repositories are shown with them, by their names.
	Repositories map[string]plugins.Repository
}

// grace is how long a call may take to notice that it was cancelled.
const grace = 2 * time.Second

// Run tries the plugin that make returns, which is configured anew for each part.
// A plugin that is no Enricher is held to its descriptor alone.
func Run(t *testing.T, make func(t *testing.T) plugins.Plugin, o Options) {
	t.Helper()
	part := func(name string, f func(t *testing.T, s *suite)) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f(t, newSuite(t, make(t), o))
		})
	}
	part("describes itself", func(t *testing.T, s *suite) {
		require.NoError(t, s.d.Check())
		require.NotEmpty(t, s.d.Summary, "the summary says what it is good for")
		require.Empty(t, cmp.Diff(s.d, s.plugin.Describe()), "it says the same each time")
		_, handles := s.plugin.(plugins.Handler)
		require.Equal(t, handles, len(s.d.Events) > 0, "a Handler names its events, and only a Handler does")
		for _, f := range s.d.Facts {
			require.NotEmpty(t, f.Title, "title of %s", f.Key)
		}
	})
	part("answers in order", func(t *testing.T, s *suite) {
		e := s.enricher(t)
		require.NotEmpty(t, o.Entities, "Options.Entities: what the plugin is good for")
		answers := s.ask(t, e, o.Entities)
		facts := 0
		for i, entity := range o.Entities {
			facts += len(answers[i].Facts)
			alone := s.ask(t, e, []*catalog.Entity{entity})
			require.Empty(t, cmp.Diff(values(alone[0]), values(answers[i])), "%s asked alone and among others", entity.Ref)
		}
		require.Positive(t, facts, "it says nothing of any of Options.Entities")
		require.Empty(t, s.ask(t, e, nil), "no questions, no answers")
	})
	part("says the same of the same", func(t *testing.T, s *suite) {
		e := s.enricher(t)
		all := append(Hostile(t), o.Entities...)
		first, second := s.ask(t, e, all), s.ask(t, e, all)
		for i := range all {
			require.Empty(t, cmp.Diff(values(first[i]), values(second[i])), "%s", clip(all[i].Ref.String()))
		}
	})
	part("survives hostile entities", func(t *testing.T, s *suite) {
		e := s.enricher(t)
		for _, entity := range Hostile(t) {
			s.ask(t, e, []*catalog.Entity{entity})
		}
		s.ask(t, e, o.Entities) // and is none the worse for it
	})
	part("ends when cancelled", func(t *testing.T, s *suite) {
		e := s.enricher(t)
		for _, after := range []time.Duration{0, time.Millisecond} {
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(after, cancel)
			if after == 0 {
				cancel()
			}
			done := goAsk(ctx, e, s.subjects(append(Hostile(t), o.Entities...)))
			select {
			case got := <-done:
				if got.err == nil {
					require.Len(t, got.answers, len(Hostile(t))+len(o.Entities), "no error, so all answers")
				}
			case <-time.After(after + grace):
				t.Fatalf("it still runs %s after its context was cancelled", grace)
			}
			cancel()
		}
		s.ask(t, e, o.Entities) // the next call is not affected
	})
	part("is safe for concurrent calls", func(t *testing.T, s *suite) {
		e := s.enricher(t)
		want := s.ask(t, e, o.Entities)
		var wg sync.WaitGroup
		for range s.d.Limits.Effective().Concurrent {
			wg.Go(func() {
				for range 5 {
					got := <-goAsk(t.Context(), e, s.subjects(o.Entities))
					if got.err != nil || len(got.answers) != len(want) {
						t.Errorf("%d answers to %d questions: %v", len(got.answers), len(want), got.err)
						return
					}
					for i := range want {
						if diff := cmp.Diff(values(want[i]), values(got.answers[i])); diff != "" {
							t.Errorf("%s: %s", o.Entities[i].Ref, diff)
						}
					}
				}
			})
		}
		wg.Wait()
	})
}

// suite is a plugin that is configured.
type suite struct {
	o      Options
	plugin plugins.Plugin
	d      plugins.Descriptor
	types  map[string]*jsonschema.Schema
}

func newSuite(t *testing.T, p plugins.Plugin, o Options) *suite {
	s := &suite{o: o, plugin: p, d: p.Describe(), types: map[string]*jsonschema.Schema{}}
	for _, f := range s.d.Facts {
		schema, err := catalog.CompileSchema(f.Schema)
		require.NoError(t, err, f.Key)
		s.types[f.Key] = schema
	}
	if c, ok := p.(plugins.Configurer); ok {
		config := o.Config
		if len(config) == 0 {
			config = json.RawMessage("null")
		}
		require.NoError(t, c.Configure(t.Context(), config, o.Host))
	}
	return s
}

func (s *suite) enricher(t *testing.T) plugins.Enricher {
	e, ok := s.plugin.(plugins.Enricher)
	if !ok {
		t.Skip("the plugin is no Enricher: there is nothing to ask")
	}
	return e
}

func (s *suite) subjects(entities []*catalog.Entity) []plugins.Subject {
	v := newView(entities, s.o.Repositories)
	out := make([]plugins.Subject, 0, len(entities))
	for _, e := range entities {
		out = append(out, plugins.Subject{Entity: e, View: v})
	}
	return out
}

type asked struct {
	answers []plugins.Answer
	err     error
}

func goAsk(ctx context.Context, e plugins.Enricher, subjects []plugins.Subject) <-chan asked {
	done := make(chan asked, 1)
	go func() {
		var got asked
		got.answers, got.err = e.Enrich(ctx, subjects)
		done <- got
	}()
	return done
}

// ask asks within the plugin's deadline, and holds the answers against what it
// declared.
func (s *suite) ask(t *testing.T, e plugins.Enricher, entities []*catalog.Entity) []plugins.Answer {
	t.Helper()
	deadline := s.d.Limits.Effective().Deadline
	ctx, cancel := context.WithTimeout(t.Context(), deadline)
	defer cancel()
	var got asked
	select {
	case got = <-goAsk(ctx, e, s.subjects(entities)):
	case <-time.After(deadline + grace):
		t.Fatalf("it did not answer within its deadline of %s", deadline)
	}
	require.NoError(t, got.err)
	require.Len(t, got.answers, len(entities), "one answer for each entity")
	for i, a := range got.answers {
		require.NoError(t, s.obeys(a), "%s", clip(entities[i].Ref.String()))
	}
	return got.answers
}

// obeys tells what of an answer is not as declared.
func (s *suite) obeys(a plugins.Answer) error {
	var wrong []error
	seen := map[string]bool{}
	for _, f := range a.Facts {
		schema, declared := s.types[f.Key]
		if !declared || seen[f.Key] {
			wrong = append(wrong, errors.New(f.Key+": not declared, or said twice"))
			continue
		}
		seen[f.Key] = true
		_, value, err := plugins.Canonical(f.Value)
		if err == nil {
			err = schema.Validate(value)
		}
		if err != nil {
			wrong = append(wrong, errors.New(f.Key+": "+err.Error()))
		}
	}
	return errors.Join(wrong...)
}

// values are the facts of an answer, without their times.
func values(a plugins.Answer) map[string]string {
	out := map[string]string{}
	for _, f := range a.Facts {
		if c, _, err := plugins.Canonical(f.Value); err == nil {
			out[f.Key] = string(c)
		}
	}
	if a.Err != nil {
		out["error"] = a.Err.Error()
	}
	return out
}

func clip(s string) string {
	if len(s) > 100 {
		return strings.ToValidUTF8(s[:100], "") + "…"
	}
	return s
}
