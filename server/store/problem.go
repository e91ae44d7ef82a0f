package store

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/waypost-dev/waypost/server/catalog"
)

// Problems returns every stored problem: of documents, repositories, sources
// (those of the last finished harvest of each), what plugins found, and claims
// that lost (CodeConflict). They are sorted by repository, path, line and column. An
// inferred claim that loses to a declared one is as it should be, and no problem.
func (s *Store) Problems(ctx context.Context) ([]catalog.Problem, error) {
	tx, err := s.snapshot(ctx)
	if err != nil {
		return nil, fmt.Errorf("read problems: %w", err)
	}
	defer tx.Rollback() //nolint:errcheck // it only reads
	var out []catalog.Problem
	// Each query gives source, repository, path and problems.
	for _, query := range []string{
		`SELECT r."source", r."name", d."path", d."problems" FROM "documents" d JOIN "repositories" r ON r."id" = d."repository_id" WHERE d."problems" IS NOT NULL`,
		`SELECT "source", "name", '', "problems" FROM "repositories" WHERE "problems" IS NOT NULL`,
		`SELECT "source", '', '', "problems" FROM "harvests" WHERE "problems" IS NOT NULL AND "id" IN
			(SELECT max("id") FROM "harvests" WHERE "state" IN ('succeeded', 'failed', 'held') GROUP BY "source")`,
		`SELECT '', '', '', "problems" FROM "enrichments" WHERE "problems" IS NOT NULL`,
	} {
		err := queryRows(ctx, tx, query, nil, func(rows *sql.Rows) error {
			var source, repository, path string
			var text []byte
			if err := rows.Scan(&source, &repository, &path, &text); err != nil {
				return err
			}
			if len(text) == 0 {
				return nil
			}
			var list []catalog.Problem
			if err := json.Unmarshal(text, &list); err != nil {
				return err
			}
			for _, p := range list {
				p.Source = cmp.Or(p.Source, fromText(source))
				p.Repository = cmp.Or(p.Repository, fromText(repository))
				p.Path = cmp.Or(p.Path, fromText(path))
				out = append(out, p)
			}
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("read problems: %w", err)
		}
	}
	conflicts, err := conflicts(ctx, tx)
	if err != nil {
		return nil, fmt.Errorf("read conflicts: %w", err)
	}
	out = append(out, conflicts...)
	slices.SortStableFunc(out, func(a, b catalog.Problem) int {
		return cmp.Or(cmp.Compare(a.Repository, b.Repository), cmp.Compare(a.Path, b.Path), cmp.Compare(a.Line, b.Line),
			cmp.Compare(a.Column, b.Column), cmp.Compare(a.Source, b.Source), cmp.Compare(a.Code, b.Code), cmp.Compare(a.Entity, b.Entity), cmp.Compare(a.Message, b.Message))
	})
	// Plugins find the same in one file for each entity that it is about.
	return slices.Compact(out), nil
}

// contender is one side of a conflict.
type contender struct {
	ref, source, repository, path string
	line                          int
	inferred                      bool
	priority, claimed             int64
}

// place is where a person finds the claim.
func (c contender) place() string {
	switch {
	case c.path == "" && c.repository == "":
		return c.source
	case c.path == "":
		return c.repository
	}
	p := c.path
	if c.repository != "" {
		p = c.repository + "/" + p
	}
	if c.line > 0 {
		p += fmt.Sprintf(":%d", c.line)
	}
	return p
}

func conflicts(ctx context.Context, tx *sql.Tx) ([]catalog.Problem, error) {
	var out []catalog.Problem
	err := queryRows(ctx, tx, `SELECT
			lt."ref", lt."source", lt."repository", lt."path", lt."line", lt."inferred", l."priority", l."claimed",
			wt."ref", wt."source", wt."repository", wt."path", wt."line", wt."inferred", w."priority", w."claimed"
		FROM "claims" l JOIN "contents" lt ON lt."id" = l."content_id"
		JOIN "claims" w ON w."ref_key" = l."ref_key" AND w."served" JOIN "contents" wt ON wt."id" = w."content_id"
		WHERE NOT l."served" AND l."orphaned" = 0 AND (w."inferred" OR NOT l."inferred")`, nil, func(rows *sql.Rows) error {
		var side [2]contender
		var into []any
		for i := range side {
			c := &side[i]
			into = append(into, &c.ref, &c.source, &c.repository, &c.path, &c.line, &c.inferred, &c.priority, &c.claimed)
		}
		if err := rows.Scan(into...); err != nil {
			return err
		}
		for i := range side {
			c := &side[i]
			for _, s := range []*string{&c.ref, &c.source, &c.repository, &c.path} {
				*s = fromText(*s)
			}
		}
		out = append(out, conflict(side[0], side[1]))
		return nil
	})
	return out, err
}

func conflict(loser, winner contender) catalog.Problem {
	p := catalog.Problem{
		Code: catalog.CodeConflict, Severity: catalog.SeverityError,
		Source: loser.source, Repository: loser.repository, Path: loser.path, Line: loser.line, Entity: loser.ref,
	}
	why := "was there first"
	switch {
	case winner.priority != loser.priority:
		why = "comes from a source of higher priority"
	case winner.claimed == loser.claimed:
		why = "comes first by name"
	}
	if loser.inferred {
		// Nobody wrote it, so nobody wrote it wrong.
		p.Severity = catalog.SeverityWarning
		p.Message = fmt.Sprintf("%s is also inferred from %s, which %s", loser.ref, winner.place(), why)
		p.Hint = "declare one of the two in a catalog-info.yaml, under another name"
		return p
	}
	p.Message = fmt.Sprintf("%s is also declared by %s, which %s and is served instead", loser.ref, winner.place(), why)
	p.Hint = "rename one of the two, or remove this one"
	return p
}
