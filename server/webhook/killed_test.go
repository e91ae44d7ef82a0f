package webhook_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waypost-dev/waypost/server/store"
	"github.com/waypost-dev/waypost/server/webhook"
)

// killedDSN makes the test binary the process that TestKilled kills.
const killedDSN = "WAYPOST_TEST_KILLED_DSN"

func TestMain(m *testing.M) {
	if dsn := os.Getenv(killedDSN); dsn != "" {
		fmt.Fprintln(os.Stderr, receiveForever(dsn))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// receiveForever serves the handler, and drains what comes, until it is killed.
func receiveForever(dsn string) error {
	s, err := store.Open(context.Background(), dsn, store.Options{})
	if err != nil {
		return err
	}
	options := (&engine{}).options()
	var i *webhook.Inbox
	made := make(chan struct{})
	options.Wake = func(ctx context.Context, name string) error {
		<-made
		return i.Drain(ctx, name)
	}
	if i, err = webhook.New(s, sourcesOf(acme), slog.New(slog.DiscardHandler), options); err != nil {
		return err
	}
	close(made)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println("http://" + l.Addr().String() + "/webhooks/github")
	return (&http.Server{Handler: i}).Serve(l)
}

// Whatever was acknowledged before the process was killed is in the database:
// processed, or waiting with its payload.
func TestKilled(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, dsn string) {
		acknowledged := map[string]bool{} // in all rounds
		for round := range 6 {
			cmd := exec.CommandContext(t.Context(), os.Args[0])
			cmd.Env = append(os.Environ(), killedDSN+"="+dsn)
			var stderr strings.Builder
			cmd.Stderr = &stderr
			out, err := cmd.StdoutPipe()
			require.NoError(t, err)
			require.NoError(t, cmd.Start())
			lines := bufio.NewScanner(out)
			require.True(t, lines.Scan(), "it listens: %s", &stderr)
			url := lines.Text()

			var mu sync.Mutex
			var senders sync.WaitGroup
			var count atomic.Int64
			client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 16}, Timeout: 20 * time.Second}
			for w := range 16 {
				senders.Go(func() {
					for n := 0; ; n++ {
						id := fmt.Sprintf("%d-%d-%d", round, w, n)
						r := request(url, "push", id, pad(fmt.Sprintf(`"Repositories":[{"Name":%q}]`, id), 8000))
						r.RequestURI = ""
						answer, err := client.Do(r)
						if err != nil {
							return // it is dead
						}
						_ = answer.Body.Close()
						if answer.StatusCode == http.StatusAccepted {
							mu.Lock()
							acknowledged[id] = true
							mu.Unlock()
							count.Add(1)
						}
					}
				})
			}
			eventually(t, "it acknowledges", func() bool { return count.Load() > 20 })
			time.Sleep(rand.N(150 * time.Millisecond))
			require.NoError(t, cmd.Process.Kill())
			require.Error(t, cmd.Wait())
			senders.Wait()
			client.CloseIdleConnections()
		}
		t.Logf("%d deliveries were acknowledged", len(acknowledged))
		s := open(t, dsn)
		there := map[string]bool{}
		for _, d := range deliveries(t, s, acme) {
			there[d.ID] = true
		}
		for id := range acknowledged {
			require.True(t, there[id], "delivery %s was acknowledged", id)
		}
		for _, d := range waiting(t, s, acme) {
			require.True(t, bytes.Contains(d.Payload, fmt.Appendf(nil, `{"Name":%q}`, d.ID)), "delivery %s waits whole", d.ID)
		}

		// The next process does what this one has left.
		e := &engine{}
		i := inbox(t, s, sourcesOf(acme), e.options())
		left := len(waiting(t, s, acme))
		require.NoError(t, i.Drain(t.Context(), acme))
		named := map[string]bool{}
		for _, c := range e.refreshes {
			for _, p := range c.Scope.Repositories {
				named[p.Name] = true
			}
		}
		require.Len(t, named, left)
		require.Empty(t, waiting(t, s, acme))
	})
}
