package api

import (
	"context"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	catalogv1 "github.com/waypost-dev/waypost/proto/waypost/catalog/v1"
	"github.com/waypost-dev/waypost/server/index"
)

// TestMaskedEntities: what is not read for a mask is what the mask would have
// cleared.
func TestMaskedEntities(t *testing.T) {
	t.Parallel()
	f := newFixture(t, acme(t))
	s := f.index.Snapshot()
	fields := (*catalogv1.Entity)(nil).ProtoReflect().Descriptor().Fields()
	masks := [][]string{{"name", "revision", "kind"}, {"spec.deep", "metadata.labels.tier"}, {"relations", "api_version"}, {"metadata.title", "uid"}, {"spec.owner", "etag"}, {"*"}}
	for i := range fields.Len() {
		masks = append(masks, []string{string(fields.Get(i).Name())})
	}
	kept := map[string]bool{}
	for _, paths := range masks {
		keep, err := parseMask(maskOf(paths...))
		require.NoError(t, err)
		require.False(t, kept[keep.String()], "%v is told apart from the others", paths)
		kept[keep.String()] = true
		s.Each(func(r *index.Record) bool {
			want := maskedEntity(s, r, nil)
			if keep != nil {
				keep.prune(want)
			}
			require.Empty(t, cmp.Diff(want, maskedEntity(s, r, keep), protocmp.Transform()), paths)
			return true
		})
	}
	one, err := parseMask(maskOf("kind", "metadata.tags", "metadata.name"))
	require.NoError(t, err)
	other, err := parseMask(maskOf("metadata.name", "metadata.tags", "kind", "metadata.name"))
	require.NoError(t, err)
	require.Equal(t, one.String(), other.String())
}

// TestWatchMask holds what a watch sends of entities, in all its forms, against
// what it sends of them without a mask.
func TestWatchMask(t *testing.T) {
	t.Parallel()
	l := newLive(t)
	l.write(component(t, "a", "production"), component(t, "b", "production"))
	l.write(component(t, "a", "experimental"), component(t, "b", "production"))
	l.write(component(t, "a", "production"), component(t, "b", "production"))
	cc := l.dial()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	ts := httptest.NewServer(l.Handler())
	t.Cleanup(ts.Close)
	const messages = 3 // of the past, and as it is now
	watch := func(conn grpc.ClientConnInterface, req *catalogv1.WatchEntitiesRequest) (out []*catalogv1.WatchEntitiesResponse) {
		s, err := catalogv1.NewWatchServiceClient(conn).WatchEntities(ctx, req)
		require.NoError(t, err)
		for range messages {
			m, err := s.Recv()
			require.NoError(t, err)
			out = append(out, m)
		}
		return out
	}
	for _, paths := range [][]string{{"name", "revision", "kind"}, {"spec.lifecycle"}, {"relations"}, {"metadata.name", "name"}} {
		keep, err := parseMask(maskOf(paths...))
		require.NoError(t, err)
		for _, initial := range []bool{false, true} {
			req := &catalogv1.WatchEntitiesRequest{AfterRevision: 2, SendInitial: initial}
			if initial {
				req.AfterRevision = 0
			}
			want := watch(cc, req)
			for _, m := range want {
				if m.Entity != nil {
					keep.prune(m.Entity)
				}
				if m.Type == catalogv1.WatchEntitiesResponse_TYPE_BOOKMARK {
					m.Time = nil // of when it was sent
				}
			}
			req.ReadMask = maskOf(paths...)
			for name, conn := range map[string]grpc.ClientConnInterface{"network": cc, "in process": l.Conn()} {
				for range 2 { // the second time it may have been kept
					got := watch(conn, req)
					for _, m := range got {
						if m.Type == catalogv1.WatchEntitiesResponse_TYPE_BOOKMARK {
							m.Time = nil
						}
					}
					for i := range got {
						require.Empty(t, cmp.Diff(want[i], got[i], protocmp.Transform()), "%s: %v", name, paths)
					}
				}
			}
		}
	}
	e := openEvents(t, ts.URL+"/v1/entities:watch?afterRevision=2&readMask=name,revision,updateTime", "")
	require.Regexp(t, `^{"type":"TYPE_CHANGED","revision":"3","time":"[^"]*","entity":{"name":"entities/component:default/a","revision":"3","updateTime":"[^"]*"},"cause":{[^{}]*}}$`, e.next().data)
	require.Equal(t, 400, openEvents(t, ts.URL+"/v1/entities:watch?readMask=nothing", "").resp.StatusCode)
	require.Less(t, proto.Size(watch(cc, &catalogv1.WatchEntitiesRequest{AfterRevision: 2, ReadMask: maskOf("name", "revision")})[0].Entity), 60)
}
