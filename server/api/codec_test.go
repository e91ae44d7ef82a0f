package api

import (
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	catalogv1 "github.com/waypost-dev/waypost/proto/waypost/catalog/v1"
	"github.com/waypost-dev/waypost/server/index"
)

// TestCodec: whatever the size of an answer, and whether it is encoded already
// or only in part, it is on the wire what proto.Marshal makes of it, also when
// buffers are used again.
func TestCodec(t *testing.T) {
	t.Parallel()
	entities := many(t, 300)
	x := index.New()
	x.Load(entities, 1)
	s := x.Snapshot()
	r, _ := s.Get(entities[200].Ref)
	all := make([]*index.Record, len(entities))
	for i, e := range entities {
		all[i], _ = s.Get(e.Ref)
	}
	partly := wireEntity(&catalogv1.Entity{}, s, r)
	partly.Uid = "another"
	messages := []proto.Message{
		&catalogv1.Entity{},
		wireEntity(&catalogv1.Entity{}, s, r),
		partly,
		&catalogv1.ListEntitiesResponse{NextPageToken: "x"},
		&catalogv1.ListEntitiesResponse{Entities: wireEntities(s, all[:20]), NextPageToken: strings.Repeat("y", 2000)},
		&catalogv1.ListEntitiesResponse{Entities: wireEntities(s, all), TotalSize: 300},
		&catalogv1.SearchEntitiesResponse{NextPageToken: strings.Repeat("z", 2*maxKeptBuffer)},
	}
	c := newCodec()
	require.Equal(t, "proto", c.Name())
	var busy sync.WaitGroup
	for n := range 4 {
		busy.Go(func() {
			for i := range 50 {
				m := messages[(i+n)%len(messages)]
				want, err := proto.Marshal(m)
				if err != nil {
					t.Error(err)
					return
				}
				b, err := c.Marshal(m)
				if err != nil {
					t.Error(err)
					return
				}
				if got := b.Materialize(); string(got) != string(want) {
					t.Errorf("message %d: %d bytes, want %d", (i+n)%len(messages), len(got), len(want))
				}
				b.Free()
			}
		})
	}
	busy.Wait()
	_, err := c.Marshal("no message")
	require.Error(t, err)
}
