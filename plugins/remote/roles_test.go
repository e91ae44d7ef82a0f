package remote_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waypost-dev/waypost/plugins"
	"github.com/waypost-dev/waypost/plugins/remote"
	"github.com/waypost-dev/waypost/server/catalog"
)

// versatile has each role that a program may have, by way of Serve.
type versatile struct{ heard []string }

func (*versatile) Describe() plugins.Descriptor {
	return plugins.Descriptor{
		Name: "versatile", Version: "1.0.0", Events: []string{"deployment"},
		Facts: []plugins.FactType{{Key: "versatile.heard", Schema: json.RawMessage(`{"type":"array"}`)}},
	}
}

func (p *versatile) Enrich(_ context.Context, subjects []plugins.Subject) ([]plugins.Answer, error) {
	heard, err := json.Marshal(p.heard)
	if err != nil {
		return nil, err
	}
	out := make([]plugins.Answer, len(subjects))
	for i := range out {
		out[i] = plugins.Answer{
			Facts:     []catalog.Fact{{Key: "versatile.heard", Value: heard}},
			Relations: []catalog.Relation{{Type: catalog.DependsOn, Target: catalog.Ref{Kind: "resource", Namespace: "default", Name: "db"}}},
		}
	}
	return out, nil
}

func (p *versatile) Collect(context.Context, plugins.View) ([]catalog.Ref, error) {
	p.heard = append(p.heard, "collect")
	return []catalog.Ref{{Kind: "component", Namespace: "default", Name: "web"}}, nil
}

func (p *versatile) Handle(_ context.Context, e plugins.Event, _ plugins.View) ([]catalog.Ref, error) {
	if e.Source == "" {
		return nil, errors.New("of no source")
	}
	p.heard = append(p.heard, e.Source+" "+e.Type+" "+string(e.Payload)+" "+e.Received.UTC().Format(time.RFC3339))
	return []catalog.Ref{{Kind: "component", Namespace: "a", Name: "b"}}, nil
}

func (p *versatile) Infer(context.Context, plugins.View) ([]*catalog.Entity, error) {
	return []*catalog.Entity{{Document: []byte(`{"apiVersion":"backstage.io/v1alpha1","kind":"Resource","metadata":{"name":"db"},"spec":{"type":"database","owner":"x"}}`)}}, nil
}

// TestRoles has each role cross to another process and back.
func TestRoles(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	require.NoError(t, err)
	r := started(t, remote.Options{Name: "versatile", Command: []string{self, "versatile"}, Log: slog.New(slog.DiscardHandler)})
	p := r.Plugin()
	require.Equal(t, []string{"deployment"}, p.Describe().Events)

	refs, err := p.(plugins.Collector).Collect(t.Context(), nil)
	require.NoError(t, err)
	require.Equal(t, []catalog.Ref{{Kind: "component", Namespace: "default", Name: "web"}}, refs)

	at := time.Date(2026, 11, 1, 2, 3, 4, 0, time.UTC)
	handler := p.(plugins.Handler)
	refs, err = handler.Handle(t.Context(), plugins.Event{Source: "github:acme", Type: "deployment", Payload: []byte(`{"id":7}`), Received: at}, nil)
	require.NoError(t, err)
	require.Equal(t, []catalog.Ref{{Kind: "component", Namespace: "a", Name: "b"}}, refs)
	_, err = handler.Handle(t.Context(), plugins.Event{Type: "deployment", Payload: []byte(`{}`)}, nil)
	require.ErrorContains(t, err, "of no source")
	_, err = handler.Handle(t.Context(), plugins.Event{Source: "x", Type: "deployment", Payload: []byte(`[`)}, nil)
	require.ErrorContains(t, err, "send a webhook delivery")

	entities, err := p.(plugins.Relater).Infer(t.Context(), nil)
	require.NoError(t, err)
	require.Len(t, entities, 1)
	require.JSONEq(t, `{"apiVersion":"backstage.io/v1alpha1","kind":"Resource","metadata":{"name":"db"},"spec":{"type":"database","owner":"x"}}`, string(entities[0].Document))

	answers, err := p.(plugins.Enricher).Enrich(t.Context(), subjects(component(t, "web", nil)))
	require.NoError(t, err)
	require.JSONEq(t, `["collect","github:acme deployment {\"id\":7} 2026-11-01T02:03:04Z"]`, string(answers[0].Facts[0].Value))
	require.Equal(t, []catalog.Relation{{Type: catalog.DependsOn, Target: catalog.Ref{Kind: "resource", Namespace: "default", Name: "db"}}}, answers[0].Relations)
}
