package harvest_test

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	mathrand "math/rand/v2"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/stretchr/testify/require"

	"github.com/waypost-dev/waypost/server/harvest"
	"github.com/waypost-dev/waypost/server/source/github"
	"github.com/waypost-dev/waypost/server/source/githubtest"
	"github.com/waypost-dev/waypost/server/store"
	"github.com/waypost-dev/waypost/server/store/pgtest"
)

// TestMain makes this program the victim too.
func TestMain(m *testing.M) {
	if dsn := os.Getenv("WAYPOST_TEST_VICTIM_DB"); dsn != "" {
		if err := victim(dsn, os.Getenv("WAYPOST_TEST_VICTIM_URL")); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// victim harvests until it is done or dead. It says when it begins.
func victim(dsn, url string) error {
	ctx := context.Background()
	st, err := store.Open(ctx, dsn, store.Options{})
	if err != nil {
		return err
	}
	defer st.Close()
	e, name, err := engineOf(st, url)
	if err != nil {
		return err
	}
	fmt.Println("harvesting")
	_, err = e.Run(ctx, name, harvest.Order{}, nil)
	return err
}

func engineOf(st *store.Store, url string) (*harvest.Engine, string, error) {
	src, err := github.New(github.Options{Organisation: "acme", URL: url, Batch: 20})
	if err != nil {
		return nil, "", err
	}
	e := harvest.New(st, slog.New(slog.DiscardHandler))
	e.Add(harvest.Config{Source: src})
	return e, src.Name(), nil
}

// TestKilled kills a harvesting process at random moments. Each time what is
// left is consistent: the history has no gap and nothing twice, and replayed it
// is the catalog. The next one, which need not wait for the dead one's lease,
// finds everything. WAYPOST_KILLS says how often, for each database.
func TestKilled(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("starts and kills many processes")
	}
	kills := 5
	if text := os.Getenv("WAYPOST_KILLS"); text != "" {
		var err error
		kills, err = strconv.Atoi(text)
		require.NoError(t, err)
	}
	for name, dsn := range map[string]func(*testing.T) string{
		"sqlite":   func(t *testing.T) string { return "sqlite:" + filepath.Join(t.TempDir(), "x.db") },
		"postgres": func(t *testing.T) string { return pgtest.URL(t) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			kill(t, dsn(t), kills)
		})
	}
}

func kill(t *testing.T, dsn string, kills int) {
	const repositories = 300
	w := &world{T: t, rand: mathrand.New(mathrand.NewPCG(uint64(kills), uint64(time.Now().UnixNano()))), org: &githubtest.Org{Login: "acme"}}
	for i := range repositories {
		w.org.Add(githubtest.NewRepo(fmt.Sprint("repo-", i), w.document("catalog-info.yaml")))
	}
	w.fake = githubtest.NewServer(w.org, githubtest.Options{Enterprise: true})
	server := httptest.NewServer(w.fake)
	t.Cleanup(server.Close)
	program, err := os.Executable()
	require.NoError(t, err)

	begun, ended := 0, 0
	typical := 400 * time.Millisecond // of a harvest; learnt from those that end
	for range kills {
		for range repositories / 3 {
			w.org.Push(fmt.Sprint("repo-", w.rand.IntN(repositories)), w.document("catalog-info.yaml"))
		}
		victim := exec.CommandContext(t.Context(), program)
		victim.Env = append(os.Environ(), "WAYPOST_TEST_VICTIM_DB="+dsn, "WAYPOST_TEST_VICTIM_URL="+server.URL)
		victim.Stderr = os.Stderr
		out, err := victim.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, victim.Start())
		if line, _ := bufio.NewReader(out).ReadString('\n'); line != "" {
			begun++
		}
		start := time.Now()
		dead := make(chan error, 1)
		go func() { dead <- victim.Wait() }()
		select {
		case err := <-dead: // it was quick
			require.NoError(t, err)
			typical = (typical + time.Since(start)) / 2
			ended++
		case <-time.After(time.Duration(w.rand.Int64N(int64(typical)))):
			require.NoError(t, victim.Process.Kill())
			<-dead
		}
		w.store, err = store.Open(t.Context(), dsn, store.Options{})
		require.NoError(t, err)
		w.consistent()
		require.NoError(t, w.store.Close())
	}
	require.Equal(t, kills, begun)
	t.Logf("%d harvests begun, %d of them ended, the others were killed", begun, ended)

	w.store, err = store.Open(t.Context(), dsn, store.Options{})
	require.NoError(t, err)
	defer w.store.Close()
	e, name, err := engineOf(w.store, server.URL)
	require.NoError(t, err)
	start := time.Now()
	_, err = e.Run(t.Context(), name, harvest.Order{}, nil)
	require.NoError(t, err, "the dead one's lease is not waited for")
	t.Logf("the next harvest took %s", time.Since(start).Round(time.Millisecond))
	w.consistent()
	other, err := store.Open(t.Context(), "sqlite::memory:", store.Options{})
	require.NoError(t, err)
	defer other.Close()
	fresh, name, err := engineOf(other, server.URL)
	require.NoError(t, err)
	_, err = fresh.Run(t.Context(), name, harvest.Order{}, nil)
	require.NoError(t, err)
	require.Empty(t, cmp.Diff(form(t, other), form(t, w.store), cmpopts.EquateEmpty()))
}
