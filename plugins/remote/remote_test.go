package remote_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waypost-dev/waypost/plugins"
	"github.com/waypost-dev/waypost/plugins/remote"
	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/enrich"
	"github.com/waypost-dev/waypost/server/feed"
	"github.com/waypost-dev/waypost/server/index"
	"github.com/waypost-dev/waypost/server/store"
)

// misbehaving is the options of a plugin that does what is written in the file.
func misbehaving(t *testing.T, does string) (o remote.Options, file string) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "does")
	tell(t, file, does)
	self, err := os.Executable()
	require.NoError(t, err)
	return remote.Options{
		Name: "bad", Command: []string{self, file}, Log: slog.New(slog.DiscardHandler),
		Backoff: 2 * time.Millisecond, MaxBackoff: 50 * time.Millisecond,
	}, file
}

func tell(t testing.TB, file, does string) {
	t.Helper()
	require.NoError(t, os.WriteFile(file, []byte(does), 0o600))
}

func up(t testing.TB, r *remote.Remote) {
	t.Helper()
	require.Eventually(t, func() bool { return r.Down() == nil }, 20*time.Second, time.Millisecond, "it is started again")
}

// says is what the plugin says of one entity.
func says(t testing.TB, r *remote.Remote) (string, error) {
	t.Helper()
	return saysWithin(t, r, 2*time.Second)
}

func saysWithin(t testing.TB, r *remote.Remote, limit time.Duration) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	answers, err := r.Plugin().(plugins.Enricher).Enrich(ctx, subjects(component(t, "web", nil)))
	if err != nil {
		return "", err
	}
	if answers[0].Err != nil {
		return "", answers[0].Err
	}
	var text string
	require.NoError(t, json.Unmarshal(answers[0].Facts[0].Value, &text))
	return text, nil
}

func TestKilledAHundredTimes(t *testing.T) {
	t.Parallel()
	o, file := misbehaving(t, "config")
	r := started(t, o)
	p := r.Plugin()
	require.NoError(t, p.(plugins.Configurer).Configure(t.Context(), []byte(`{"token":"secret"}`), nil))
	tell(t, file, "exits")
	for i := range 100 {
		up(t, r)
		_, err := says(t, r)
		require.ErrorIs(t, err, remote.ErrDown, "time %d", i)
		require.ErrorContains(t, err, "exit status 3")
	}
	tell(t, file, "config")
	up(t, r)
	text, err := says(t, r)
	require.NoError(t, err)
	require.Contains(t, text, "secret", "it was configured again")
}

func TestGetsNoRights(t *testing.T) {
	t.Setenv("WAYPOST_TEST_SECRET", "hunter2")
	t.Setenv("WAYPOST_TEST_GIVEN", "given")
	o, file := misbehaving(t, "environment")
	o.Env = []string{"WAYPOST_TEST_GIVEN"}
	r := started(t, o)
	text, err := says(t, r)
	require.NoError(t, err)
	require.NotContains(t, text, "hunter2")
	require.Contains(t, text, "WAYPOST_TEST_GIVEN=given")
	for line := range strings.Lines(text) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		switch {
		case strings.HasPrefix(name, "PLUGIN_"), name == "WAYPOST_PLUGIN", name == "WAYPOST_TEST_GIVEN", name == "PATH", name == "LANG":
		case name == "HOME", name == "TMPDIR":
			require.Contains(t, value, "waypost-plugin-")
			info, err := os.Stat(value)
			require.NoError(t, err)
			require.Equal(t, os.FileMode(0o700), info.Mode().Perm())
		default:
			t.Errorf("it got %s", line)
		}
	}
	if _, err := os.Stat("/proc/self/fd"); err == nil {
		tell(t, file, "files")
		secret, err := os.Open(file) // an open file of the server
		require.NoError(t, err)
		defer secret.Close()
		text, err := says(t, r)
		require.NoError(t, err)
		require.Contains(t, text, "/dev/null", "its input")
		require.NotContains(t, text, file)
	}
}

func TestRefusedAtStart(t *testing.T) {
	t.Parallel()
	for does, want := range map[string]string{
		"serves":                 "role serve",
		"never describes itself": "it does not describe itself",
		"another name":           `calls itself "other"`,
	} {
		t.Run(does, func(t *testing.T) {
			t.Parallel()
			o, _ := misbehaving(t, does)
			o.StartTimeout = 2 * time.Second
			_, err := remote.Start(t.Context(), o)
			require.ErrorContains(t, err, want)
		})
	}
	for name, c := range map[string]struct {
		command []string
		want    string
	}{
		"no command":   {nil, "command is empty"},
		"no program":   {[]string{"./no-such-program"}, "no such file"},
		"exits":        {[]string{"false"}, "exit status 1"},
		"no handshake": {[]string{"sh", "-c", "echo hello; sleep 100"}, "hello"},
		"says nothing": {[]string{"sleep", "100"}, "timeout"},
		"other socket": {[]string{"sh", "-c", "echo '1|1|unix|/tmp/x.sock|grpc'; sleep 100"}, "only a Unix socket"},
		"long line":    {[]string{"sh", "-c", "head -c 100000 /dev/zero | tr '\\0' x; sleep 100"}, "Unrecognized"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			begin := time.Now()
			_, err := remote.Start(t.Context(), remote.Options{Name: "bad", Command: c.command, StartTimeout: time.Second, Log: slog.New(slog.DiscardHandler)})
			require.ErrorContains(t, err, c.want)
			require.Less(t, time.Since(begin), 8*time.Second)
		})
	}
}

func TestDescriptorMustStay(t *testing.T) {
	t.Parallel()
	o, file := misbehaving(t, "exits")
	r := started(t, o)
	_, err := says(t, r)
	require.Error(t, err)
	tell(t, file, "describes itself otherwise")
	require.Eventually(t, func() bool {
		down := r.Down()
		return down != nil && strings.Contains(down.Error(), "describes itself otherwise than before (version 2.0.0, before 1.0.0)")
	}, 20*time.Second, 5*time.Millisecond)
	tell(t, file, "good")
	up(t, r)
}

func TestOutputIsBounded(t *testing.T) {
	t.Parallel()
	for _, does := range []string{"writes 100 MB to stderr", "writes 100 MB of lines"} {
		t.Run(does, func(t *testing.T) {
			t.Parallel()
			var log safeBuffer
			o, _ := misbehaving(t, does)
			o.Log = slog.New(slog.NewTextHandler(&log, nil))
			r, err := remote.Start(t.Context(), o)
			require.NoError(t, err)
			_, err = saysWithin(t, r, time.Minute)
			r.Stop()
			require.NoError(t, err)
			require.Contains(t, log.String(), "plugin=bad")
			require.Less(t, len(log.String()), 200<<10)
		})
	}
}

// safeBuffer is a buffer of several writers.
type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// good is another plugin of the same server.
type good struct{ n int }

func (*good) Describe() plugins.Descriptor {
	return plugins.Descriptor{Name: "good", Version: "1.0.0", Facts: []plugins.FactType{{Key: "good.n", Schema: []byte(`{}`)}}}
}

func (g *good) Enrich(_ context.Context, s []plugins.Subject) ([]plugins.Answer, error) {
	g.n++
	out := make([]plugins.Answer, len(s))
	for i := range s {
		out[i].Facts = []catalog.Fact{{Key: "good.n", Value: fmt.Append(nil, g.n)}}
	}
	return out, nil
}

// What a bad plugin does costs nobody else anything: its last facts stay, others
// are asked meanwhile, and it comes back when it behaves.
func TestBadPluginHarmsNobodyElse(t *testing.T) {
	t.Parallel()
	for does, c := range map[string]struct {
		want  string // in the plugin's error
		opens bool   // the breaker
	}{
		"exits":                         {"exit status 3", true},
		"hangs":                         {"did not answer", true},
		"sends 1 GB":                    {"ResourceExhausted", true},
		"answers too little":            {"0 answers to 1 questions", true},
		"says what it does not declare": {"which it does not declare", false},
		"says an invalid value":         {"not as declared", false},
		"says NaN":                      {"NaN is no number of JSON", false},
		"says no value":                 {"has no value", false},
	} {
		t.Run(does, func(t *testing.T) {
			t.Parallel()
			o, file := misbehaving(t, "good")
			r := started(t, o)
			st, err := store.Open(t.Context(), "sqlite::memory:", store.Options{})
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, st.Close()) })
			x, hub := index.New(), feed.New(st)
			var seen catalog.Revision
			follow := func() {
				for {
					changes, err := st.Changes(t.Context(), seen, 100)
					require.NoError(t, err)
					if len(changes) == 0 {
						return
					}
					was := x.Snapshot()
					x.Apply(changes)
					hub.Publish(was, changes)
					seen = changes[len(changes)-1].Revision
				}
			}
			web := component(t, "web", nil)
			_, err = st.Apply(t.Context(), "github:acme", []store.RepositoryUpdate{{
				Repository: store.Repository{ID: "web", Name: "acme/web", State: "1", Facts: []byte("{}")},
				Claims:     []store.Claim{{Key: web.Ref.Key(), Entity: web}},
			}})
			require.NoError(t, err)
			follow()
			runner, err := enrich.New(t.Context(), enrich.Options{
				Store: st, Index: x, Feed: hub, Log: slog.New(slog.DiscardHandler), Quiet: -1,
				Enqueue: func(context.Context, string) error { return nil },
			}, []enrich.Configured{{Plugin: r.Plugin(), Remote: true, Down: r.Down}, {Plugin: &good{}}})
			require.NoError(t, err)
			work := func(name string) {
				_, err := runner.Again(t.Context(), name)
				require.NoError(t, err)
				require.NoError(t, runner.Work(t.Context(), name))
				follow()
			}
			fact := func(key string) string {
				record, ok := x.Snapshot().Get(web.Ref)
				require.True(t, ok)
				return string(record.Entity.Fact(key))
			}
			work("bad")
			require.Equal(t, `"good"`, fact("bad.value"))

			tell(t, file, does)
			other := make(chan time.Duration, 1)
			go func() {
				time.Sleep(50 * time.Millisecond) // amid the call of the bad one
				begin := time.Now()
				if err := runner.Work(t.Context(), "good"); err != nil {
					t.Errorf("the other plugin: %v", err)
				}
				x.Snapshot().Get(web.Ref)
				other <- time.Since(begin)
			}()
			work("bad")
			require.Less(t, <-other, time.Second, "another plugin and a read do not wait")
			follow()
			require.Equal(t, "1", fact("good.n"))
			failing := func() enrich.Status {
				status, err := runner.Status(t.Context(), "bad")
				require.NoError(t, err)
				return status[0]
			}
			for range 5 { // failures open the breaker
				if !c.opens || failing().State == enrich.StateOpen {
					break
				}
				up(t, r)
				work("bad")
			}
			require.Equal(t, `"good"`, fact("bad.value"), "the last facts stay")
			if c.opens {
				require.Eventually(t, func() bool { return failing().State == enrich.StateOpen }, 10*time.Second, time.Millisecond, "%+v", failing())
			}
			tried, err := runner.Try(t.Context(), "bad", []catalog.Ref{web.Ref}, 1)
			require.NoError(t, err)
			if c.opens {
				require.ErrorContains(t, tried[0].Refused, "left alone for a while")
			} else {
				require.ErrorContains(t, tried[0].Refused, c.want)
			}

			up(t, r)
			tell(t, file, "better")
			// A call that the runner gave up may just now cost the process its life.
			require.Eventually(t, func() bool {
				text, err := says(t, r)
				return err == nil && text == "better"
			}, 20*time.Second, 10*time.Millisecond, "it is there again")
			if !c.opens {
				work("bad")
				require.Equal(t, `"better"`, fact("bad.value"))
			}
		})
	}
}

// A message above the bound costs its call, and nothing else.
func TestFloodCostsOneCall(t *testing.T) {
	t.Parallel()
	o, file := misbehaving(t, "sends 1 GB")
	var log safeBuffer
	o.Log = slog.New(slog.NewTextHandler(&log, nil))
	r := started(t, o)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := r.Plugin().(plugins.Enricher).Enrich(ctx, subjects(component(t, "web", nil)))
	require.ErrorContains(t, err, "ResourceExhausted")
	runtime.ReadMemStats(&after)
	t.Logf("the heap has %d MB from the system, %d before", after.HeapSys>>20, before.HeapSys>>20)
	require.Less(t, after.HeapSys, before.HeapSys+256<<20)
	tell(t, file, "better")
	text, err := says(t, r)
	require.NoError(t, err)
	require.Equal(t, "better", text)
	require.NotContains(t, log.String(), "again", "it was not started again")
}

// Nothing of a plugin is left when it was stopped.
func TestStopEndsTheProcess(t *testing.T) {
	t.Parallel()
	o, _ := misbehaving(t, "environment")
	r := started(t, o)
	text, err := says(t, r)
	require.NoError(t, err)
	_, home, _ := strings.Cut(text, "HOME=")
	home, _, _ = strings.Cut(home, "\n")
	require.DirExists(t, home)
	r.Stop()
	require.NoDirExists(t, home)
	require.ErrorIs(t, r.Down(), remote.ErrDown)
	_, err = says(t, r)
	require.ErrorIs(t, err, remote.ErrDown)
}
