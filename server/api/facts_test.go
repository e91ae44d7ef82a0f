package api

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	catalogv1 "github.com/waypost-dev/waypost/proto/waypost/catalog/v1"
	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/store"
)

// say has a plugin say a fact of a component, or nothing if value is empty.
func (l *live) say(name, value string) catalog.Revision {
	l.t.Helper()
	ref := catalog.Ref{Kind: "component", Namespace: "default", Name: name}
	r, ok := l.index.Snapshot().Get(ref)
	require.True(l.t, ok)
	e := store.Enrichment{UID: r.Entity.UID, Ref: ref, Asked: time.Now()}
	if value != "" {
		e.Facts = []catalog.Fact{{Key: "test.tier", Value: json.RawMessage(value)}}
	}
	_, err := l.store.PutEnrichments(l.t.Context(), "test", []store.Enrichment{e})
	require.NoError(l.t, err)
	l.follow()
	return l.seen
}

// TestFactsOfAnEntity: what plugins say is part of an entity, of its history and
// of what a watch selects, and no change of the entity itself.
func TestFactsOfAnEntity(t *testing.T) {
	t.Parallel()
	l := newLive(t)
	l.write(component(t, "a", "production"), component(t, "b", "production"))
	first := l.seen
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	c, h := catalogv1.NewCatalogServiceClient(l.Conn()), catalogv1.NewHistoryServiceClient(l.Conn())
	watch, err := catalogv1.NewWatchServiceClient(l.Conn()).WatchEntities(ctx, &catalogv1.WatchEntitiesRequest{Filter: `facts["test.tier"] == 1`, SendInitial: true})
	require.NoError(t, err)
	require.Equal(t, []string{"BOOKMARK 2"}, receive(t, watch, 1))

	const a = "entities/component:default/a"
	said := l.say("a", `1`)
	changed := l.say("a", `2`)
	l.write(component(t, "a", "experimental"), component(t, "b", "production"))
	edited := l.seen
	again := l.say("a", `1`)
	silent := l.say("a", ``)
	require.Equal(t, []catalog.Revision{3, 4, 5, 6, 7}, []catalog.Revision{said, changed, edited, again, silent})
	require.Equal(t, []string{"ADDED a 3", "REMOVED a 4", "ADDED a 6", "REMOVED a 7"}, receive(t, watch, 4))

	last := l.say("a", `3`)
	got, err := c.GetEntity(ctx, &catalogv1.GetEntityRequest{Name: a})
	require.NoError(t, err)
	require.Equal(t, map[string]any{"test.tier": 3.0}, got.Facts.AsMap())
	for path, has := range map[string]bool{"facts": true, "metadata.name": false} {
		list, err := c.ListEntities(ctx, &catalogv1.ListEntitiesRequest{Filter: `facts["test.tier"] == 3`, ReadMask: &fieldmaskpb.FieldMask{Paths: []string{path}}})
		require.NoError(t, err)
		require.Len(t, list.Entities, 1)
		require.Equal(t, has, list.Entities[0].Facts != nil, path)
		require.Equal(t, has, list.Entities[0].Metadata == nil, path)
	}

	history, err := h.ListEntityRevisions(ctx, &catalogv1.ListEntityRevisionsRequest{Name: a, WithChanges: true})
	require.NoError(t, err)
	var lines []string
	for _, r := range history.Revisions {
		line := r.Op.String()
		for _, x := range r.Changes {
			line += " " + x.Field + " " + x.Before.String() + " → " + x.After.String()
		}
		lines = append(lines, line)
	}
	require.Len(t, lines, 7)
	require.Contains(t, lines[0], "OP_FACTS")
	require.Contains(t, lines[1], "OP_FACTS")
	require.Contains(t, lines[3], "OP_CHANGED")
	require.Contains(t, lines[3], "spec.lifecycle")
	require.NotContains(t, lines[3], "test.tier")
	require.Contains(t, lines[4], "test.tier")
	require.Contains(t, lines[6], "OP_ADDED")
	require.Equal(t, "test", history.Revisions[0].Cause.Actor)

	// The latest change of the entity itself, whatever was said of it since.
	d, err := h.DiffEntity(ctx, &catalogv1.DiffEntityRequest{Name: a})
	require.NoError(t, err)
	require.Equal(t, []int64{int64(first) - 1, int64(edited)}, []int64{d.FromRevision, d.ToRevision})
	require.Len(t, d.Changes, 1)
	d, err = h.DiffEntity(ctx, &catalogv1.DiffEntityRequest{Name: a, FromRevision: int64(changed), ToRevision: int64(last)})
	require.NoError(t, err)
	require.Equal(t, []int64{int64(first) - 1, int64(edited)}, []int64{d.FromRevision, d.ToRevision}, "of revisions of the entity itself")

	past, err := c.GetEntity(ctx, &catalogv1.GetEntityRequest{Name: a, AsOfRevision: int64(changed)})
	require.NoError(t, err)
	require.Equal(t, "production", past.Spec.Fields["lifecycle"].GetStringValue())
}
