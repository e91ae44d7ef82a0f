package store

import (
	"context"
	"fmt"
	"strings"

	"github.com/waypost-dev/waypost/ent"
)

// ent's builders cost more than the databases do when rows come by the
// thousand; the tables of the catalog are written in bulk instead, with the ids
// given out here. Their columns are named as in ent/schema, which the
// migrations' test holds the database to.

// column is a column of a bulk table and the type that PostgreSQL gives it.
type column struct{ name, kind string }

// bulk is a table that is written in bulk. Its first column is the primary key.
type bulk struct {
	name    string
	columns []column
}

var (
	repositoriesTable = bulk{"repositories", []column{
		{"id", "bigint"}, {"source", "text"}, {"forge_id", "text"}, {"name", "text"}, {"state", "text"},
		{"commit", "text"}, {"facts", "bytea"}, {"problems", "bytea"}, {"asked", "bigint"}, {"gone", "boolean"}, {"touched", "bigint"},
	}}
	documentsTable = bulk{"documents", []column{
		{"id", "bigint"}, {"repository_id", "bigint"}, {"path", "text"}, {"hash", "text"}, {"commit", "text"}, {"problems", "bytea"},
	}}
	contentsTable = bulk{"contents", []column{
		{"id", "bigint"}, {"ref", "text"}, {"source", "text"}, {"repository", "text"}, {"path", "text"}, {"commit", "text"},
		{"line", "bigint"}, {"inferred", "boolean"}, {"relations", "bytea"}, {"document", "bytea"},
	}}
	claimsTable = bulk{"claims", []column{
		{"id", "bigint"}, {"repository_id", "bigint"}, {"key", "text"}, {"path", "text"}, {"ref_key", "text"}, {"uid", "text"},
		{"hash", "text"}, {"place", "bigint"}, {"inferred", "boolean"}, {"priority", "bigint"}, {"claimed", "bigint"},
		{"served", "boolean"}, {"content_id", "bigint"}, {"revision", "bigint"}, {"changed", "bigint"},
		{"orphaned", "bigint"},
	}}
	revisionsTable = bulk{"revisions", []column{
		{"id", "bigint"}, {"op", "text"}, {"time", "bigint"}, {"uid", "text"}, {"ref_key", "text"}, {"content_id", "bigint"},
		{"moved", "text"}, {"cause", "bytea"}, {"facts", "bytea"},
	}}
	factsTable = bulk{"facts", []column{
		{"id", "bigint"}, {"uid", "text"}, {"key", "text"}, {"value", "bytea"}, {"evidence", "bytea"}, {"observed", "bigint"}, {"stale", "bigint"},
	}}
	enrichmentsTable = bulk{"enrichments", []column{
		{"id", "bigint"}, {"plugin", "text"}, {"uid", "text"}, {"reads", "bytea"}, {"asked", "bigint"}, {"due", "bigint"},
		{"error", "text"}, {"failures", "bigint"}, {"problems", "bytea"}, {"relations", "bytea"},
	}}
)

// Bounds of one statement.
const (
	sqliteParameters = 900
	postgresRows     = 2000
)

// put inserts rows, or replaces those with the same id. A row has a value for
// each column: int64, string, bool or []byte.
func (s *Store) put(ctx context.Context, tx *ent.Tx, t bulk, rows [][]any) error {
	most := postgresRows
	if !s.postgres {
		most = sqliteParameters / len(t.columns)
	}
	for len(rows) > 0 {
		n := min(most, len(rows))
		query, args := t.insertSQLite(rows[:n])
		if s.postgres {
			query, args = t.insertPostgres(rows[:n])
		}
		if _, err := tx.ExecContext(ctx, query, args...); err != nil {
			return fmt.Errorf("write %s: %w", t.name, err)
		}
		rows = rows[n:]
	}
	return nil
}

// remove deletes rows by id.
func (s *Store) remove(ctx context.Context, tx *ent.Tx, t bulk, ids []int64) error {
	if len(ids) == 0 {
		return nil
	}
	if _, err := tx.ExecContext(ctx, s.bind(`DELETE FROM "`+t.name+`" WHERE `+s.in("id")), list(s, ids)); err != nil {
		return fmt.Errorf("delete from %s: %w", t.name, err)
	}
	return nil
}

func (t bulk) insertSQLite(rows [][]any) (string, []any) {
	var b strings.Builder
	t.head(&b)
	one := "(" + strings.Repeat("?,", len(t.columns)-1) + "?)"
	args := make([]any, 0, len(rows)*len(t.columns))
	b.WriteString("VALUES ")
	for i, r := range rows {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(one)
		args = append(args, r...)
	}
	t.tail(&b)
	return b.String(), args
}

// insertPostgres passes each column as one array.
func (t bulk) insertPostgres(rows [][]any) (string, []any) {
	var b strings.Builder
	t.head(&b)
	args := make([]any, len(t.columns))
	b.WriteString("SELECT * FROM unnest(")
	for i, c := range t.columns {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "$%d::%s[]", i+1, c.kind)
		switch c.kind {
		case "bigint":
			args[i] = vertical[int64](rows, i)
		case "boolean":
			args[i] = vertical[bool](rows, i)
		case "text":
			args[i] = vertical[string](rows, i)
		case "bytea":
			args[i] = vertical[[]byte](rows, i)
		}
	}
	b.WriteByte(')')
	t.tail(&b)
	return b.String(), args
}

func vertical[T any](rows [][]any, i int) []T {
	out := make([]T, len(rows))
	for n, r := range rows {
		out[n] = r[i].(T)
	}
	return out
}

func (t bulk) head(b *strings.Builder) {
	fmt.Fprintf(b, `INSERT INTO "%s" (`, t.name)
	for i, c := range t.columns {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(b, `"%s"`, c.name)
	}
	b.WriteString(") ")
}

func (t bulk) tail(b *strings.Builder) {
	b.WriteString(` ON CONFLICT ("id") DO UPDATE SET `)
	for i, c := range t.columns[1:] {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(b, `"%s"=excluded."%s"`, c.name, c.name)
	}
}
