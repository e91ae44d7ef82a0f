package api

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/proto"

	catalogv1 "github.com/waypost-dev/waypost/proto/waypost/catalog/v1"
	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/descriptor"
	"github.com/waypost-dev/waypost/server/index"
)

// The benchmarks measure what a load test would: eight connections over
// loopback to the whole server, with clients that read answers but do not
// parse them. Client and server share the machine.
const (
	benchEntities    = 15530
	benchConnections = 8
)

const (
	benchFilter = `entity.kind == "Component" && entity.spec.lifecycle == "production"`
	benchOrder  = "metadata.title desc"
)

// benchCatalog is the catalog that the benchmarks ask: that of the YAML files in
// the directory WAYPOST_BENCH_CATALOG, or one of our own of the same size.
func benchCatalog(b *testing.B) []*catalog.Entity {
	dir := os.Getenv("WAYPOST_BENCH_CATALOG")
	if dir == "" {
		return many(b, benchEntities)
	}
	paths, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	require.NoError(b, err)
	require.NotEmpty(b, paths, "no *.yaml in WAYPOST_BENCH_CATALOG=%s", dir)
	var out []*catalog.Entity
	for _, path := range paths {
		content, err := os.ReadFile(path)
		require.NoError(b, err)
		decoded := descriptor.Decode(descriptor.File{Path: filepath.Base(path), Content: content, Location: "file:" + path})
		require.Empty(b, decoded.Problems, path)
		out = append(out, decoded.Entities...)
	}
	return out
}

// benchSearches are asked for in turn, over REST and gRPC alike.
var benchSearches = []string{"payment", "ledger stock", "shipp", "invoice report"}

type query map[string]string

func (q query) path(base string) string {
	v := url.Values{}
	for k, s := range q {
		v.Set(k, s)
	}
	return base + "?" + v.Encode()
}

func (f *fixture) componentNames() []string {
	s := f.index.Snapshot()
	names := make([]string, 0, s.Len())
	for token := ""; ; {
		page, err := s.List(indexQuery(token))
		if err != nil {
			panic(err)
		}
		for _, r := range page.Records {
			names = append(names, resourceName(r.Entity.Ref))
		}
		if token = page.Next; token == "" {
			return names
		}
	}
}

// warm encodes every entity, as the first reading of it does.
func (f *fixture) warm(encode func(*index.Snapshot, *index.Record)) {
	s := f.index.Snapshot()
	for _, name := range f.componentNames() {
		ref, err := parseName(name)
		if err != nil {
			panic(err)
		}
		r, _ := s.Get(ref)
		encode(s, r)
	}
}

// BenchmarkEncode is what the first reading of an entity costs.
func BenchmarkEncode(b *testing.B) {
	entities := many(b, 1000)
	x := index.New()
	x.Load(entities, 1)
	s := x.Snapshot()
	for form, encode := range map[string]func(*index.Record) []byte{
		"json": func(r *index.Record) []byte { return jsonView(r.Entity, s.Relations(r)) },
		"wire": func(r *index.Record) []byte { return wireView(s, r) },
	} {
		b.Run(form, func(b *testing.B) {
			b.ReportAllocs()
			size := 0
			for i := range b.N {
				r, _ := s.Get(entities[i%len(entities)].Ref)
				size += len(encode(r))
			}
			b.ReportMetric(float64(size)/float64(b.N), "B/entity")
		})
	}
}

// deepToken is the token of a page behind nine tenths of the list.
func (f *fixture) deepToken(t testing.TB, filter, order string) string {
	t.Helper()
	token := ""
	for seen := 0; seen < benchEntities*9/10; seen += 500 {
		q := indexQuery(token)
		q.Filter, q.OrderBy = filter, order
		page, err := f.index.Snapshot().List(q)
		require.NoError(t, err)
		if page.Next == "" {
			break
		}
		token = page.Next
	}
	return token
}

// rest runs b.N requests over plain connections and reports the rate.
func benchREST(b *testing.B, path func(f *fixture) func(i int) string) {
	f := newFixture(b, benchCatalog(b))
	addr, _ := f.listen(b)
	of := path(f)
	// One request of each kind warms what is kept with the records.
	for i := range 64 {
		resp, err := http.Get("http://" + addr + of(i))
		require.NoError(b, err)
		body, err := io.ReadAll(resp.Body)
		require.NoError(b, err)
		require.Equal(b, 200, resp.StatusCode, string(body))
		if i == 0 {
			b.SetBytes(int64(len(body)))
		}
		resp.Body.Close()
	}
	http.DefaultClient.CloseIdleConnections()
	var next atomic.Int64
	var wg sync.WaitGroup
	b.ReportAllocs()
	before := cpuTime(b)
	b.ResetTimer()
	for range benchConnections {
		conn, err := net.Dial("tcp", addr)
		require.NoError(b, err)
		wg.Go(func() {
			defer conn.Close()
			r := bufio.NewReaderSize(conn, 64<<10)
			for {
				i := int(next.Add(1))
				if i > b.N {
					return
				}
				if _, err := io.WriteString(conn, "GET "+of(i)+" HTTP/1.1\r\nHost: bench\r\n\r\n"); err != nil {
					b.Error(err)
					return
				}
				if err := skipAnswer(r); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	report(b, before)
}

// report gives the rate, and the processor time of client and server for one
// request, which stays the same when the machine has other work to do: two
// cores answer 2,000,000 divided by it a second.
func report(b *testing.B, before time.Duration) {
	spent := cpuTime(b) - before
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "req/s")
	b.ReportMetric(float64(spent.Microseconds())/float64(b.N), "cpu-µs/req")
}

func cpuTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// skipAnswer reads one answer of known length.
func skipAnswer(r *bufio.Reader) error {
	length := -1
	for line := 0; ; line++ {
		s, err := r.ReadSlice('\n')
		if err != nil {
			return err
		}
		if line == 0 && !strings.Contains(string(s), " 200 ") {
			return fmt.Errorf("answer %q", s)
		}
		if v, ok := strings.CutPrefix(string(s), "Content-Length: "); ok {
			if length, err = strconv.Atoi(strings.TrimSpace(v)); err != nil {
				return err
			}
		}
		if len(s) == 2 {
			break
		}
	}
	if length < 0 {
		return fmt.Errorf("answer without Content-Length")
	}
	_, err := r.Discard(length)
	return err
}

func fixed(path string) func(*fixture) func(int) string {
	return func(*fixture) func(int) string { return func(int) string { return path } }
}

func BenchmarkRESTGet(b *testing.B) {
	benchREST(b, func(f *fixture) func(int) string {
		names := f.componentNames()
		f.warm(func(s *index.Snapshot, r *index.Record) { appendJSON(nil, s, r) })
		return func(i int) string { return "/v1/" + names[i*7919%len(names)] }
	})
}

func BenchmarkRESTList(b *testing.B) {
	benchREST(b, fixed(query{"pageSize": "20"}.path("/v1/entities")))
}

func BenchmarkRESTListFilteredOrdered(b *testing.B) {
	benchREST(b, fixed(query{"pageSize": "20", "filter": benchFilter, "orderBy": benchOrder}.path("/v1/entities")))
}

func BenchmarkRESTListDeep(b *testing.B) {
	benchREST(b, func(f *fixture) func(int) string {
		path := query{"pageSize": "20", "orderBy": benchOrder, "pageToken": f.deepToken(b, "", benchOrder)}.path("/v1/entities")
		return func(int) string { return path }
	})
}

func BenchmarkRESTSearch(b *testing.B) {
	benchREST(b, func(*fixture) func(int) string {
		return func(i int) string {
			return query{"pageSize": "20", "query": benchSearches[i%len(benchSearches)]}.path("/v1/entities:search")
		}
	})
}

func BenchmarkRESTFacets(b *testing.B) {
	benchREST(b, fixed("/v1/entities:facets?fields=kind&fields=spec.type&fields=spec.lifecycle&fields=metadata.tags&filter="+url.QueryEscape(benchFilter)))
}

// rawCodec hands requests over encoded and answers as bytes that nobody reads.
type rawCodec struct{}

func (rawCodec) Name() string { return "proto" }

func (rawCodec) Marshal(v any) (mem.BufferSlice, error) {
	return mem.BufferSlice{mem.SliceBuffer(v.([]byte))}, nil
}

func (rawCodec) Unmarshal(data mem.BufferSlice, v any) error {
	*v.(*int) = data.Len()
	return nil
}

var _ encoding.CodecV2 = rawCodec{}

func benchGRPC(b *testing.B, method string, request func(f *fixture) func(i int) proto.Message) {
	f := newFixture(b, benchCatalog(b))
	_, addr := f.listen(b)
	of := request(f)
	encoded := make([][]byte, 1<<14) // as many names as there are entities
	for i := range encoded {
		var err error
		encoded[i], err = proto.Marshal(of(i))
		require.NoError(b, err)
	}
	askGRPC(b, addr, method, encoded)
}

// askGRPC makes b.N calls over eight connections.
func askGRPC(b *testing.B, addr, method string, encoded [][]byte) {
	var next atomic.Int64
	var wg sync.WaitGroup
	conns := make([]*grpc.ClientConn, benchConnections)
	for i := range conns {
		conns[i] = dial(b, addr, grpc.WithDefaultCallOptions(grpc.ForceCodecV2(rawCodec{}), grpc.MaxCallRecvMsgSize(64<<20)))
		for j := range 16 {
			var size int
			require.NoError(b, conns[i].Invoke(b.Context(), method, encoded[j%len(encoded)], &size))
			b.SetBytes(int64(size))
		}
	}
	b.ReportAllocs()
	before := cpuTime(b)
	b.ResetTimer()
	for _, cc := range conns {
		wg.Go(func() {
			var size int
			for {
				i := int(next.Add(1))
				if i > b.N {
					return
				}
				if err := cc.Invoke(b.Context(), method, encoded[i%len(encoded)], &size); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	report(b, before)
}

// BenchmarkGRPCStatic is what client and transport cost without us: a server
// without interceptors that gives the same 2,000 bytes to everybody.
func BenchmarkGRPCStatic(b *testing.B) {
	answer := make([]byte, 2000)
	server := grpc.NewServer(grpc.ForceServerCodecV2(rawCodec{}), grpc.NumStreamWorkers(streamWorkers))
	server.RegisterService(&grpc.ServiceDesc{ServiceName: "static", HandlerType: (*any)(nil), Methods: []grpc.MethodDesc{{
		MethodName: "Get",
		Handler: func(_ any, _ context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
			var size int
			return answer, decode(&size)
		},
	}}}, nil)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(b, err)
	go server.Serve(l) //nolint:errcheck // it ends with Stop
	b.Cleanup(server.Stop)
	askGRPC(b, l.Addr().String(), "/static/Get", [][]byte{make([]byte, 60)})
}

func same(m proto.Message) func(*fixture) func(int) proto.Message {
	return func(*fixture) func(int) proto.Message { return func(int) proto.Message { return m } }
}

func BenchmarkGRPCGet(b *testing.B) {
	benchGRPC(b, catalogv1.CatalogService_GetEntity_FullMethodName, func(f *fixture) func(int) proto.Message {
		names := f.componentNames()
		f.warm(func(s *index.Snapshot, r *index.Record) { wireOf(s, r) })
		return func(i int) proto.Message {
			return &catalogv1.GetEntityRequest{Name: names[i*7919%len(names)]}
		}
	})
}

func BenchmarkGRPCList(b *testing.B) {
	benchGRPC(b, catalogv1.CatalogService_ListEntities_FullMethodName, same(&catalogv1.ListEntitiesRequest{PageSize: 20}))
}

func BenchmarkGRPCListFilteredOrdered(b *testing.B) {
	benchGRPC(b, catalogv1.CatalogService_ListEntities_FullMethodName,
		same(&catalogv1.ListEntitiesRequest{PageSize: 20, Filter: benchFilter, OrderBy: benchOrder}))
}

func BenchmarkGRPCListDeep(b *testing.B) {
	benchGRPC(b, catalogv1.CatalogService_ListEntities_FullMethodName, func(f *fixture) func(int) proto.Message {
		m := &catalogv1.ListEntitiesRequest{PageSize: 20, OrderBy: benchOrder, PageToken: f.deepToken(b, "", benchOrder)}
		return func(int) proto.Message { return m }
	})
}

func BenchmarkGRPCSearch(b *testing.B) {
	benchGRPC(b, catalogv1.CatalogService_SearchEntities_FullMethodName, func(*fixture) func(int) proto.Message {
		return func(i int) proto.Message {
			return &catalogv1.SearchEntitiesRequest{PageSize: 20, Query: benchSearches[i%len(benchSearches)]}
		}
	})
}

func BenchmarkGRPCFacets(b *testing.B) {
	benchGRPC(b, catalogv1.CatalogService_QueryFacets_FullMethodName, same(&catalogv1.QueryFacetsRequest{
		Filter: benchFilter, Fields: []string{"kind", "spec.type", "spec.lifecycle", "metadata.tags"},
	}))
}
