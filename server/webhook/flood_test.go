package webhook_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/waypost-dev/waypost/server/store"
	"github.com/waypost-dev/waypost/server/webhook"
)

// slow is a store whose commits wait until they are let go.
type slow struct {
	*store.Store
	let     chan struct{}
	mu      sync.Mutex
	batches []int
	fail    error
}

func (s *slow) PutDeliveries(ctx context.Context, d []store.Delivery) ([]bool, error) {
	s.mu.Lock()
	s.batches = append(s.batches, len(d))
	s.mu.Unlock()
	<-s.let
	if s.fail != nil {
		return nil, s.fail
	}
	return s.Store.PutDeliveries(ctx, d)
}

func (s *slow) begun() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.batches)
}

// What comes while a transaction runs goes into the next one together, and is
// acknowledged after it, not before.
func TestGroupCommit(t *testing.T) {
	t.Parallel()
	s := &slow{Store: memory(t), let: make(chan struct{})}
	i := inbox(t, s, sourcesOf(acme), webhook.Options{})
	var g errgroup.Group
	post := func(id string) {
		g.Go(func() error {
			w := httptest.NewRecorder()
			i.ServeHTTP(w, request("/webhooks/github", "push", id, []byte(`{}`)))
			if w.Code != http.StatusAccepted {
				return fmt.Errorf("delivery %s: %d %s", id, w.Code, w.Body)
			}
			return nil
		})
	}
	post("first")
	eventually(t, "the first is being committed", func() bool { return s.begun() == 1 })
	for n := range 100 {
		post(fmt.Sprint(n))
	}
	eventually(t, "all have come", func() bool { return i.Queued() == 100 })
	require.Empty(t, deliveries(t, s.Store, ""))
	s.let <- struct{}{}
	s.let <- struct{}{}
	require.NoError(t, g.Wait())
	require.Equal(t, []int{1, 100}, s.batches)
	require.Len(t, deliveries(t, s.Store, ""), 101)
}

// When the database does not take it, nobody is told that it did.
func TestNotTaken(t *testing.T) {
	t.Parallel()
	s := &slow{Store: memory(t), let: make(chan struct{}), fail: errors.New("password in the connection string")}
	close(s.let)
	i := inbox(t, s, sourcesOf(acme), webhook.Options{})
	code, answer, header := send(t, i, request("/webhooks/github", "push", "1", []byte(`{}`)))
	require.Equal(t, http.StatusServiceUnavailable, code)
	require.Equal(t, "the database did not take the delivery; the server's log has the cause; try again later", answer.Message)
	require.NotEmpty(t, header.Get("Retry-After"))
	require.Equal(t, i.Free(), webhook.Memory, "memory is given back")
}

// A flood is refused when it has taken the memory that there is, and what was
// taken before is not lost.
func TestFlood(t *testing.T) {
	t.Parallel()
	s := &slow{Store: memory(t), let: make(chan struct{})}
	i := inbox(t, s, sourcesOf(acme), webhook.Options{})
	const size, all = 1 << 20, 100
	body := pad("", size)
	var mu sync.Mutex
	codes := map[int]int{}
	var g errgroup.Group
	for n := range all {
		g.Go(func() error {
			w := httptest.NewRecorder()
			i.ServeHTTP(w, request("/webhooks/github", "push", fmt.Sprint(n), body))
			mu.Lock()
			defer mu.Unlock()
			codes[w.Code]++
			if w.Code == http.StatusServiceUnavailable && w.Header().Get("Retry-After") == "" {
				return errors.New("no Retry-After")
			}
			return nil
		})
	}
	most := webhook.Memory / size
	eventually(t, "the others are refused", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return codes[http.StatusServiceUnavailable] >= all-int(most)
	})
	require.GreaterOrEqual(t, i.Free(), int64(0))
	close(s.let)
	require.NoError(t, g.Wait())
	require.Equal(t, all, codes[202]+codes[503])
	require.Greater(t, codes[202], 20, "as many as there is room for")
	require.Len(t, deliveries(t, s.Store, ""), codes[202])
	require.Equal(t, i.Free(), webhook.Memory)
	for n := range 100 { // there is room again
		code, _, _ := send(t, i, request("/webhooks/github", "push", "more"+fmt.Sprint(n), []byte(`{}`)))
		require.Equal(t, http.StatusAccepted, code)
	}
}

// A large Content-Length takes no memory, and a body that does not come ends.
func TestTrickle(t *testing.T) {
	t.Parallel()
	i := inbox(t, memory(t), sourcesOf(acme), webhook.Options{})
	var g errgroup.Group
	ends := make([]*io.PipeWriter, 1000)
	for n := range ends {
		in, out := io.Pipe()
		ends[n] = out
		g.Go(func() error {
			r := request("/webhooks/github", "push", fmt.Sprint(n), nil)
			r.Body, r.ContentLength = in, webhook.MaxBody
			w := httptest.NewRecorder()
			i.ServeHTTP(w, r)
			if w.Code != http.StatusBadRequest {
				return fmt.Errorf("%d %s", w.Code, w.Body)
			}
			return nil
		})
	}
	for _, out := range ends {
		_, err := out.Write([]byte("{"))
		require.NoError(t, err)
	}
	require.Greater(t, i.Free(), webhook.Memory/3, "1,000 that only begin")
	code, _, _ := send(t, i, request("/webhooks/github", "push", "x", []byte(`{}`)))
	require.Equal(t, http.StatusAccepted, code)
	for _, out := range ends {
		require.NoError(t, out.CloseWithError(context.DeadlineExceeded))
	}
	require.NoError(t, g.Wait())
	require.Equal(t, i.Free(), webhook.Memory)
}

// A body that stops coming is given up.
func TestStalled(t *testing.T) {
	t.Parallel()
	i := inbox(t, memory(t), sourcesOf(acme), webhook.Options{})
	server := httptest.NewServer(i)
	t.Cleanup(server.Close)
	line, err := net.Dial("tcp", server.Listener.Addr().String())
	require.NoError(t, err)
	defer line.Close()
	r := request("/webhooks/github", "push", "1", []byte(`{"a":1}`))
	_, err = fmt.Fprintf(line, "POST %s HTTP/1.1\r\nHost: waypost\r\nContent-Length: 1000\r\n", r.URL.Path)
	require.NoError(t, err)
	require.NoError(t, r.Header.Write(line))
	_, err = io.WriteString(line, "\r\n{")
	require.NoError(t, err)
	require.NoError(t, line.SetDeadline(time.Now().Add(time.Minute)))
	answer, err := http.ReadResponse(bufio.NewReader(line), r)
	require.NoError(t, err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusRequestTimeout, answer.StatusCode, "%s", text)
	require.Contains(t, string(text), "the body did not come within 10s")
	require.Equal(t, i.Free(), webhook.Memory)
}

// A sender that goes away in the middle costs nothing.
func TestGone(t *testing.T) {
	t.Parallel()
	s := &slow{Store: memory(t), let: make(chan struct{})}
	i := inbox(t, s, sourcesOf(acme), webhook.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	answered := make(chan int)
	go func() {
		w := httptest.NewRecorder()
		i.ServeHTTP(w, request("/webhooks/github", "push", "1", []byte(`{}`)).WithContext(ctx))
		answered <- w.Code
	}()
	eventually(t, "it is being committed", func() bool { return s.begun() == 1 })
	cancel()
	require.Equal(t, http.StatusServiceUnavailable, <-answered)
	close(s.let)
	i.Close()
	require.Len(t, deliveries(t, s.Store, ""), 1, "it is there all the same")
	require.Equal(t, i.Free(), webhook.Memory)
}
