package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// Plugin is how a plugin as a whole stands.
type Plugin struct {
	Name string
	// Version is that of the plugin and its configuration with which its facts
	// were made.
	Version string
	// Breaker is closed, open or half-open.
	Breaker string
	// Until is when an open breaker lets something through; zero if it is closed.
	Until time.Time
	// Error is the last one; empty since it succeeded.
	Error string
	// Collected is when it last collected; zero for never.
	Collected time.Time
}

// PutPlugin keeps how a plugin stands.
func (s *Store) PutPlugin(ctx context.Context, p Plugin) error {
	err := retry(ctx, func() error {
		_, err := s.writer.ExecContext(ctx, s.bind(`INSERT INTO "plugins" ("name", "version", "breaker", "until", "error", "collected") VALUES (?, ?, ?, ?, ?, ?)
			ON CONFLICT ("name") DO UPDATE SET "version" = excluded."version", "breaker" = excluded."breaker", "until" = excluded."until",
			"error" = excluded."error", "collected" = excluded."collected"`),
			p.Name, toText(p.Version), p.Breaker, micros(p.Until), toText(p.Error), micros(p.Collected))
		return err
	})
	if err != nil {
		return fmt.Errorf("keep how plugin %s stands: %w", p.Name, err)
	}
	return nil
}

// Plugins tells how each plugin stands that was ever there, by name.
func (s *Store) Plugins(ctx context.Context) (map[string]Plugin, error) {
	out := map[string]Plugin{}
	err := queryRows(ctx, s.reader, `SELECT "name", "version", "breaker", "until", "error", "collected" FROM "plugins"`, nil, func(r *sql.Rows) error {
		var p Plugin
		var until, collected int64
		err := r.Scan(&p.Name, &p.Version, &p.Breaker, &until, &p.Error, &collected)
		p.Version, p.Error, p.Until, p.Collected = fromText(p.Version), fromText(p.Error), atMicros(until), atMicros(collected)
		out[p.Name] = p
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read how plugins stand: %w", err)
	}
	return out, nil
}

// PluginRun is a run of a plugin in one of its roles.
type PluginRun struct {
	ID     int64
	Plugin string
	Role   string // enrich, collect, handle or infer
	// Started and Finished are kept in whole microseconds.
	Started, Finished time.Time
	Error             string // empty if it succeeded
	Asked, Answered   int    // entities
	Changed           int    // entities of which it says something else now
	Refused           int    // facts that do not obey their declaration
	Calls             int
}

// keptRuns is how many runs of a plugin are remembered.
const keptRuns = 100

// PutPluginRun records a run that has ended, and returns its id. The last 100 of a
// plugin are kept.
func (s *Store) PutPluginRun(ctx context.Context, r PluginRun) (int64, error) {
	var id int64
	err := retry(ctx, func() error {
		tx, err := s.writer.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		defer tx.Rollback() //nolint:errcheck // after Commit there is nothing to roll back
		err = queryRow(ctx, tx, s.bind(`INSERT INTO "plugin_runs" ("plugin", "role", "started", "finished", "error", "asked", "answered", "changed", "refused", "calls")
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING "id"`),
			[]any{r.Plugin, r.Role, micros(r.Started), micros(r.Finished), toText(r.Error), r.Asked, r.Answered, r.Changed, r.Refused, r.Calls}, &id)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, s.bind(`DELETE FROM "plugin_runs" WHERE "plugin" = ? AND "started" < (SELECT "started" FROM "plugin_runs"
			WHERE "plugin" = ? ORDER BY "started" DESC LIMIT 1 OFFSET ?)`), r.Plugin, r.Plugin, keptRuns-1)
		if err != nil {
			return err
		}
		return tx.Commit()
	})
	if err != nil {
		return 0, fmt.Errorf("record a run of plugin %s: %w", r.Plugin, err)
	}
	return id, nil
}

// PluginRuns returns up to limit runs of a plugin, the latest first.
func (s *Store) PluginRuns(ctx context.Context, plugin string, limit int) ([]PluginRun, error) {
	out := []PluginRun{}
	err := queryRows(ctx, s.reader, s.bind(`SELECT "id", "plugin", "role", "started", "finished", "error", "asked", "answered", "changed", "refused", "calls"
		FROM "plugin_runs" WHERE "plugin" = ? ORDER BY "started" DESC, "id" DESC LIMIT ?`), []any{plugin, limit}, func(rows *sql.Rows) error {
		var r PluginRun
		var started, finished int64
		err := rows.Scan(&r.ID, &r.Plugin, &r.Role, &started, &finished, &r.Error, &r.Asked, &r.Answered, &r.Changed, &r.Refused, &r.Calls)
		r.Started, r.Finished, r.Error = atMicros(started), atMicros(finished), fromText(r.Error)
		out = append(out, r)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the runs of plugin %s: %w", plugin, err)
	}
	return out, nil
}

// TouchedRepository says that a repository was written.
type TouchedRepository struct {
	Source, ID, Name string
	Gone             bool
	// Touched rises with every write of any repository.
	Touched int64
}

// TouchedRepositories tells which repositories were written after a position,
// in the order in which they were, each once; -1 is the beginning.
func (s *Store) TouchedRepositories(ctx context.Context, after int64) ([]TouchedRepository, error) {
	out := []TouchedRepository{}
	err := queryRows(ctx, s.reader, s.bind(`SELECT "source", "forge_id", "name", "gone", "touched" FROM "repositories" WHERE "touched" > ? ORDER BY "touched"`), []any{after}, func(r *sql.Rows) error {
		var t TouchedRepository
		if err := r.Scan(&t.Source, &t.ID, &t.Name, &t.Gone, &t.Touched); err != nil {
			return err
		}
		t.Source, t.ID, t.Name = fromText(t.Source), fromText(t.ID), fromText(t.Name)
		out = append(out, t)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read which repositories were written: %w", err)
	}
	return out, nil
}

// RepositoriesByID returns what is kept of some repositories of a source, without
// their documents, by ID.
func (s *Store) RepositoriesByID(ctx context.Context, source string, ids []string) (map[string]Repository, error) {
	return s.bareRepositories(ctx, source, "forge_id", ids, func(r Repository) string { return r.ID })
}

// RepositoriesByName is RepositoriesByID by owner/name.
func (s *Store) RepositoriesByName(ctx context.Context, source string, names []string) (map[string]Repository, error) {
	return s.bareRepositories(ctx, source, "name", names, func(r Repository) string { return r.Name })
}

func (s *Store) bareRepositories(ctx context.Context, source, column string, values []string, key func(Repository) string) (map[string]Repository, error) {
	want := make([]string, len(values))
	for i, v := range values {
		want[i] = toText(v)
	}
	out := make(map[string]Repository, len(values))
	err := queryRows(ctx, s.reader, s.bind(`SELECT "forge_id", "name", "commit", "facts" FROM "repositories" WHERE NOT "gone" AND "source" = ? AND `+s.in(`"`+column+`"`)),
		[]any{toText(source), list(s, want)}, func(rows *sql.Rows) error {
			var r Repository
			err := rows.Scan(&r.ID, &r.Name, &r.Commit, &r.Facts)
			r.ID, r.Name, r.Commit = fromText(r.ID), fromText(r.Name), fromText(r.Commit)
			out[key(r)] = r
			return err
		})
	if err != nil {
		return nil, fmt.Errorf("read repositories of %s: %w", source, err)
	}
	return out, nil
}

// PluginCounts is how many entities a plugin has something to do with.
type PluginCounts struct {
	Entities int64 // that it has answered for
	Failed   int64 // whose last question was not answered
	Stale    int64 // with a fact that may be out of date
}

// CountPlugins counts the entities of each plugin. It reads every enrichment.
func (s *Store) CountPlugins(ctx context.Context, now time.Time) (map[string]PluginCounts, error) {
	out := map[string]PluginCounts{}
	err := queryRows(ctx, s.reader, `SELECT "plugin", sum(CASE WHEN "asked" > 0 THEN 1 ELSE 0 END), sum(CASE WHEN "error" <> '' THEN 1 ELSE 0 END)
		FROM "enrichments" GROUP BY "plugin"`, nil, func(r *sql.Rows) error {
		var name string
		var c PluginCounts
		err := r.Scan(&name, &c.Entities, &c.Failed)
		out[name] = c
		return err
	})
	if err == nil {
		err = queryRows(ctx, s.reader, s.bind(`SELECT substr("key", 1, `+s.position(`"key"`)+` - 1), count(DISTINCT "uid") FROM "facts" WHERE "stale" > 0 AND "stale" <= ? GROUP BY 1`),
			[]any{now.UnixMicro()}, func(r *sql.Rows) error {
				var name string
				var n int64
				err := r.Scan(&name, &n)
				c := out[name]
				c.Stale = n
				out[name] = c
				return err
			})
	}
	if err != nil {
		return nil, fmt.Errorf("count what plugins have said: %w", err)
	}
	return out, nil
}

// position is an expression for where the first dot stands in a column.
func (s *Store) position(column string) string {
	if s.postgres {
		return `position('.' IN ` + column + `)`
	}
	return `instr(` + column + `, '.')`
}
