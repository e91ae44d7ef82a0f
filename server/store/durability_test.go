package store

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waypost-dev/waypost/server/catalog"
)

// repository is an update with n entities that all have this text.
func repositoryOf(id string, n int, text string) RepositoryUpdate {
	u := RepositoryUpdate{Repository: Repository{ID: id, Name: "acme/" + id, State: text, Documents: map[string]Document{"c.yaml": {Hash: text}}}}
	for i := range n {
		e := &catalog.Entity{
			Ref:      catalog.Ref{Kind: "Component", Namespace: "default", Name: fmt.Sprintf("%s-%d", id, i)},
			Origin:   catalog.Origin{Source: "s", Repository: "acme/" + id, Path: "c.yaml", Line: i + 1},
			Document: fmt.Appendf(nil, `{"text":%q}`, text),
		}
		u.Claims = append(u.Claims, Claim{Key: e.Ref.Key(), Entity: e})
	}
	return u
}

// texts counts the entities that are served, by document.
func texts(t testing.TB, s *Store) map[string]int {
	t.Helper()
	out := map[string]int{}
	_, err := s.Load(t.Context(), func(e *catalog.Entity) error { out[string(e.Document)]++; return nil })
	require.NoError(t, err)
	return out
}

// An Apply that changes nothing writes nothing: the database itself says so.
func TestUnchangedWritesNothing(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, dsn string) {
		s := open(t, dsn, Options{})
		update := []RepositoryUpdate{repositoryOf("r", 50, "one"), repositoryOf("q", 3, "two"), repositoryOf("d", 7, "three")}
		for i := range update[2].Claims { // as the directory of an organisation
			update[2].Claims[i].Entity.Origin = catalog.Origin{Source: "s", Inferred: true}
		}
		_, err := s.Apply(t.Context(), "s", update)
		require.NoError(t, err)

		// SQLite counts the rows that a connection has written; PostgreSQL
		// gives a number to each transaction that writes.
		count := `SELECT total_changes()`
		if s.postgres {
			count = `SELECT txid_snapshot_xmax(txid_current_snapshot())`
		}
		written := func() int64 {
			var n int64
			require.NoError(t, queryRow(t.Context(), s.writer, count, nil, &n))
			return n
		}
		before := written()
		for range 3 {
			counts, err := s.Apply(t.Context(), "s", update)
			require.NoError(t, err)
			require.Zero(t, counts)
			counts, err = s.Sweep(t.Context(), "s", map[string]struct{}{"r": {}, "q": {}, "d": {}}, time.Time{}, Removals{}, catalog.Cause{})
			require.NoError(t, err)
			require.Zero(t, counts)
		}
		require.NoError(t, s.Migrate(t.Context()))
		if !s.postgres { // whose number is the cluster's, and other tests write too
			require.Equal(t, before, written())
		}
		var revisions int64
		require.NoError(t, queryRow(t.Context(), s.reader, `SELECT count(*) FROM "revisions"`, nil, &revisions))
		require.EqualValues(t, 60, revisions)
		if s.postgres {
			require.Zero(t, updatedRows(t, s), "no row of the catalog was written twice")
		}

		update[0] = repositoryOf("r", 50, "uno")
		_, err = s.Apply(t.Context(), "s", update)
		require.NoError(t, err)
		require.Greater(t, written(), before, "the count counts")
	})
}

// updatedRows tells how often PostgreSQL has updated or deleted rows of the
// catalog: the last transaction on each that is visible is the first one.
func updatedRows(t testing.TB, s *Store) int64 {
	t.Helper()
	var n int64
	require.NoError(t, queryRow(t.Context(), s.reader, `SELECT
		(SELECT count(DISTINCT xmin::text) - 1 FROM "claims") + (SELECT count(DISTINCT xmin::text) - 1 FROM "contents") +
		(SELECT count(DISTINCT xmin::text) - 1 FROM "repositories") + (SELECT count(DISTINCT xmin::text) - 1 FROM "documents")`, nil, &n))
	return n
}

// When the disk is full the error says so, and the last good state is served.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	s := open(t, "sqlite:"+filepath.Join(t.TempDir(), "waypost.db"), Options{})
	_, err := s.Apply(t.Context(), "s", []RepositoryUpdate{repositoryOf("r", 20, "good")})
	require.NoError(t, err)
	var pages int64
	require.NoError(t, queryRow(t.Context(), s.writer, `PRAGMA page_count`, nil, &pages))
	_, err = s.writer.ExecContext(t.Context(), fmt.Sprintf(`PRAGMA max_page_count = %d`, pages+4))
	require.NoError(t, err)

	_, err = s.Apply(t.Context(), "s", []RepositoryUpdate{repositoryOf("r", 3000, strings.Repeat("bad", 100))})
	require.ErrorContains(t, err, "the disk of the database is full")
	require.Equal(t, map[string]int{`{"text":"good"}`: 20}, texts(t, s))

	_, err = s.writer.ExecContext(t.Context(), `PRAGMA max_page_count = 1000000`)
	require.NoError(t, err)
	_, err = s.Apply(t.Context(), "s", []RepositoryUpdate{repositoryOf("r", 3000, "more")})
	require.NoError(t, err, "it goes on when there is room again")
	require.Equal(t, map[string]int{`{"text":"more"}`: 3000}, texts(t, s))
}

// killedDSN makes the test binary the process that TestKilled kills.
const killedDSN = "WAYPOST_TEST_KILLED_DSN"

func TestMain(m *testing.M) {
	if dsn := os.Getenv(killedDSN); dsn != "" {
		applyForever(dsn)
	}
	os.Exit(m.Run())
}

// applyForever harvests until it is killed. Each round turns two repositories
// into another text in one transaction.
func applyForever(dsn string) {
	ctx := context.Background()
	s, err := Open(ctx, dsn, Options{Lease: time.Hour})
	if err == nil {
		_, err = s.BeginHarvest(ctx, "s", "test")
	}
	for n := 0; err == nil; n++ {
		text := fmt.Sprint(os.Getpid(), n)
		_, err = s.Apply(ctx, "s", []RepositoryUpdate{repositoryOf("r", 200, text), repositoryOf("q", 200, text)})
		fmt.Println("applied")
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// A process that is killed in the middle of an Apply leaves the last good state,
// and its lease is free again.
func TestKilled(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, dsn string) {
		s := open(t, dsn, Options{})
		for round := range 5 {
			cmd := exec.CommandContext(t.Context(), os.Args[0])
			cmd.Env = append(os.Environ(), killedDSN+"="+dsn)
			var stderr strings.Builder
			cmd.Stderr = &stderr
			out, err := cmd.StdoutPipe()
			require.NoError(t, err)
			require.NoError(t, cmd.Start())
			lines := bufio.NewScanner(out)
			for range 3 {
				require.True(t, lines.Scan(), "it applies: %s", &stderr)
			}
			time.Sleep(time.Duration(round*7) * time.Millisecond)
			require.NoError(t, cmd.Process.Kill())
			for lines.Scan() { //nolint:revive // what it said before it died
			}
			require.Error(t, cmd.Wait())

			invariants(t, s)
			got := texts(t, s)
			require.Len(t, got, 1, "both repositories are of one round")
			for _, n := range got {
				require.Equal(t, 400, n)
			}
			left, err := s.Harvests(t.Context(), "s", 1)
			require.NoError(t, err)
			require.Equal(t, HarvestInterrupted, left[0].State, "nobody runs it any more")
			// Its process is known to have ended: nobody waits for the lease.
			h, err := s.BeginHarvest(t.Context(), "s", "test")
			require.NoError(t, err)
			recorded, err := s.GetHarvest(t.Context(), left[0].ID)
			require.NoError(t, err)
			require.Equal(t, HarvestInterrupted, recorded.State)
			require.False(t, recorded.Finished.IsZero())
			h.State = HarvestSucceeded
			require.NoError(t, s.FinishHarvest(t.Context(), h, nil))
		}
	})
}

// invariants checks what must hold of the tables at any time.
func invariants(t testing.TB, s *Store) {
	t.Helper()
	if !s.postgres {
		var verdict string
		require.NoError(t, queryRow(context.Background(), s.reader, `PRAGMA integrity_check`, nil, &verdict))
		require.Equal(t, "ok", verdict)
	}
	for what, query := range map[string]string{
		"claims without content":     `SELECT count(*) FROM "claims" WHERE "content_id" NOT IN (SELECT "id" FROM "contents")`,
		"revisions without content":  `SELECT count(*) FROM "revisions" WHERE "content_id" NOT IN (SELECT "id" FROM "contents")`,
		"content that nothing needs": `SELECT count(*) FROM "contents" WHERE "id" NOT IN (SELECT "content_id" FROM "claims") AND "id" NOT IN (SELECT "content_id" FROM "revisions")`,
		"gaps in the revisions": `SELECT coalesce(max(r."id"), 0) - f."at" - coalesce(sum(CASE WHEN r."id" > f."at" THEN 1 ELSE 0 END), 0)
			FROM (SELECT CAST(coalesce((SELECT "value" FROM "marks" WHERE "key" = 'history_from'), '0') AS bigint) AS "at") f LEFT JOIN "revisions" r ON true GROUP BY f."at"`,
		"refs that are claimed, not served": `SELECT count(*) FROM (SELECT "ref_key" FROM "claims" GROUP BY "ref_key" HAVING sum(CASE WHEN "served" THEN 1 ELSE 0 END) <> 1) x`,
		"refs with several uids":            `SELECT count(*) FROM (SELECT "ref_key" FROM "claims" GROUP BY "ref_key" HAVING count(DISTINCT "uid") > 1) x`,
		"uids on several refs":              `SELECT count(*) FROM (SELECT "uid" FROM "claims" GROUP BY "uid" HAVING count(DISTINCT "ref_key") > 1) x`,
		"served claims without a revision":  `SELECT count(*) FROM "claims" c WHERE c."served" AND NOT EXISTS (SELECT 1 FROM "revisions" r WHERE r."id" = c."revision" AND r."content_id" = c."content_id" AND r."uid" = c."uid" AND r."op" = 'put')`,
	} {
		var n int64
		require.NoError(t, queryRow(context.Background(), s.reader, query, nil, &n), what)
		require.Zero(t, n, what)
	}
}

func TestOpenErrors(t *testing.T) {
	t.Parallel()
	for dsn, want := range map[string]string{
		"":                         "is neither sqlite:PATH nor postgres://",
		"mysql://u:secret@h/x":     "is neither sqlite:PATH nor postgres://",
		"sqlite:":                  "is neither sqlite:PATH nor postgres://",
		"sqlite:/no/such/folder/x": "no such file or directory",
		"postgres://waypost:secret@localhost:1/x?connect_timeout=1": "open database postgres://waypost:xxxxx@localhost:1/x",
	} {
		_, err := Open(t.Context(), dsn, Options{})
		require.ErrorContains(t, err, want, dsn)
		require.NotContains(t, err.Error(), "secret")
	}

	notADatabase := filepath.Join(t.TempDir(), "notes.txt")
	require.NoError(t, os.WriteFile(notADatabase, []byte(strings.Repeat("these are notes\n", 1000)), 0o600))
	_, err := Open(t.Context(), "sqlite:"+notADatabase, Options{})
	require.ErrorContains(t, err, "not a database")
}

// A path may hold what has a meaning in a URL.
func TestOddPath(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "100% a?b#c&d=e.db")
	s := open(t, "sqlite:"+path, Options{})
	_, err := s.Apply(t.Context(), "s", []RepositoryUpdate{repositoryOf("r", 1, "x")})
	require.NoError(t, err)
	require.FileExists(t, path)
}

func TestMemory(t *testing.T) {
	t.Parallel()
	s, other := open(t, "sqlite::memory:", Options{}), open(t, "sqlite::memory:", Options{})
	done := make(chan error)
	go func() {
		var err error
		for i := 0; i < 30 && err == nil; i++ {
			_, err = s.Apply(context.Background(), "s", []RepositoryUpdate{repositoryOf("r", 100, fmt.Sprint(i))})
		}
		done <- err
	}()
	for range 30 {
		require.LessOrEqual(t, len(texts(t, s)), 1, "a reader sees one state")
	}
	require.NoError(t, <-done)
	require.Equal(t, map[string]int{`{"text":"29"}`: 100}, texts(t, s))
	require.Empty(t, texts(t, other), "each has its own")
	invariants(t, s)
}
