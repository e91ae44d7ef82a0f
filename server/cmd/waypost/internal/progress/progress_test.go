package progress

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestText(t *testing.T) {
	t.Parallel()
	begin := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	s := State{Source: "github:acme", Expected: 100, Seen: 20, Entities: 35, Problems: 2, Remaining: 4900, Started: begin}
	require.Equal(t, "20/100 repositories, 40s to go, 35 entities, 2 problems, 4900 requests left", s.Text(begin.Add(10*time.Second)))
	s.Waiting = 90 * time.Second
	require.Equal(t, "20/100 repositories, waiting 1m30s for the request limit, 35 entities, 2 problems, 4900 requests left", s.Text(begin))
	s.Finished, s.Seen, s.Remaining = begin.Add(1234*time.Millisecond), 100, -1
	require.Equal(t, "100/100 repositories, done in 1.2s, 35 entities, 2 problems", s.Text(begin))
	s.Error = "x"
	require.Contains(t, s.Text(begin), "failed after 1.2s")
	require.Equal(t, "0 repositories, 0 entities, 0 problems", State{Remaining: -1}.Text(begin))
}

func TestPlainLines(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		d := New(&out, false)
		begin := time.Now()
		for i := range 50 { // every 100 ms for five seconds
			d.Update(State{Source: "dir:/srv", Expected: 50, Seen: i, Remaining: -1, Started: begin})
			time.Sleep(100 * time.Millisecond)
		}
		last := State{Source: "dir:/srv", Expected: 50, Seen: 50, Remaining: -1, Started: begin, Finished: time.Now()}
		d.Update(last)
		d.Update(last)
		d.Close()
		lines := strings.Split(strings.TrimSpace(out.String()), "\n")
		require.Len(t, lines, 4, out.String()) // at 0, 2 and 4 seconds, and the end
		require.Equal(t, "dir:/srv: 50/50 repositories, done in 5s, 0 entities, 0 problems", lines[3])
	})
}

func TestBars(t *testing.T) {
	t.Parallel()
	var out syncBuffer
	d := New(&out, true)
	var wg sync.WaitGroup
	for _, source := range []string{"github:acme", "dir:/srv"} {
		wg.Go(func() {
			begin := time.Now()
			for i := range 21 {
				d.Update(State{Source: source, Expected: 20, Seen: i, Remaining: -1, Started: begin})
				time.Sleep(10 * time.Millisecond)
			}
			if source == "dir:/srv" {
				return // as if it were interrupted
			}
			d.Update(State{Source: source, Expected: 20, Seen: 20, Remaining: -1, Started: begin, Finished: time.Now()})
		})
	}
	wg.Wait()
	closed := make(chan struct{})
	go func() { d.Close(); close(closed) }()
	select {
	case <-closed:
	case <-time.After(5 * time.Second):
		t.Fatal("Close did not return")
	}
	require.Contains(t, out.String(), "20/20 repositories")
	require.Contains(t, out.String(), "github:acme")
}

type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return fmt.Sprint(s.b.String())
}
