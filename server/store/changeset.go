package store

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/waypost-dev/waypost/server/catalog"
)

// read fetches the repositories of the updates, their documents, and their
// claims, but for those of unchanged documents.
func (c *changeset) read(ctx context.Context, updates []RepositoryUpdate) error {
	s := c.s
	forge := make([]string, len(updates))
	for i, u := range updates {
		forge[i] = toText(u.Repository.ID)
	}
	byID := map[int64]*repository{}
	err := queryRows(ctx, c.tx, s.bind(`SELECT "id", "forge_id", "name", "state", "commit", "facts", "problems", "asked", "gone" FROM "repositories" WHERE "source" = ? AND `+s.in(`"forge_id"`)),
		[]any{toText(c.source), list(s, forge)}, func(rows *sql.Rows) error {
			r := &repository{documents: map[string]documentRow{}}
			var id, state, commit string
			if err := rows.Scan(&r.id, &id, &r.name, &state, &commit, &r.facts, &r.problems, &r.asked, &r.gone); err != nil {
				return err
			}
			r.row = []any{r.id, toText(c.source), id, r.name, state, commit}
			c.repositories[fromText(id)], byID[r.id] = r, r
			return nil
		})
	if err != nil || len(byID) == 0 {
		return err
	}
	var whole []int64 // repositories of which every claim matters
	all := make([]int64, 0, len(byID))
	for _, u := range updates {
		r := c.repositories[u.Repository.ID]
		if r == nil {
			continue
		}
		all = append(all, r.id)
		if len(u.Unchanged) == 0 {
			whole = append(whole, r.id)
			continue
		}
		unchanged := make([]string, len(u.Unchanged))
		for i, path := range u.Unchanged {
			unchanged[i] = toText(path)
		}
		err := c.readClaims(ctx, byID, `c."repository_id" = ? AND NOT (`+s.in(`c."path"`)+`)`, r.id, list(s, unchanged))
		if err != nil {
			return err
		}
	}
	err = queryRows(ctx, c.tx, s.bind(`SELECT "id", "repository_id", "path", "hash", "commit", "problems" FROM "documents" WHERE `+s.in(`"repository_id"`)),
		[]any{list(s, all)}, func(rows *sql.Rows) error {
			var d documentRow
			var repository int64
			var path string
			if err := rows.Scan(&d.id, &repository, &path, &d.hash, &d.commit, &d.problems); err != nil {
				return err
			}
			byID[repository].documents[path] = d
			return nil
		})
	if err != nil || len(whole) == 0 {
		return err
	}
	return c.readClaims(ctx, byID, s.in(`c."repository_id"`), list(s, whole))
}

func (c *changeset) readClaims(ctx context.Context, byID map[int64]*repository, where string, args ...any) error {
	return queryRows(ctx, c.tx, c.s.bind(`SELECT `+claimColumns+` FROM "claims" c WHERE `+where), args, func(rows *sql.Rows) error {
		cl := &claim{}
		if err := cl.scan(rows); err != nil {
			return err
		}
		r := byID[cl.repository]
		cl.was, cl.at = cl.row, r.name
		c.claims[cl.id] = cl
		r.claims = append(r.claims, cl)
		return nil
	})
}

// readLast reads the ids that were given out last.
func (c *changeset) readLast(ctx context.Context) error {
	l := &c.last
	return queryRow(ctx, c.tx, `SELECT
		coalesce((SELECT max("id") FROM "repositories"), 0), coalesce((SELECT max("id") FROM "documents"), 0),
		coalesce((SELECT max("id") FROM "contents"), 0), coalesce((SELECT max("id") FROM "claims"), 0),
		coalesce((SELECT max("touched") FROM "repositories"), 0),
		coalesce((SELECT max("id") FROM "revisions"), 0), coalesce((SELECT "time" FROM "revisions" ORDER BY "id" DESC LIMIT 1), 0)`,
		nil, &l.repository, &l.document, &l.content, &l.claim, &l.touched, &l.revision, &l.time)
}

// write writes the difference, and nothing if there is none.
func (c *changeset) write(ctx context.Context) error {
	s, tx := c.s, c.tx
	var contents, claims, revisions [][]any
	var goneClaims, deactivate []int64
	for _, cl := range c.sorted() {
		switch {
		case cl.gone:
			goneClaims = append(goneClaims, cl.id)
			if cl.revision == 0 {
				c.goneContents = append(c.goneContents, cl.content)
			}
			continue
		case cl.entity != nil:
			contents = append(contents, contentRow(cl.content, cl.entity))
		case cl.moved != nil:
			if _, err := tx.ExecContext(ctx, s.bind(`UPDATE "contents" SET "commit" = ?, "line" = ?, "relations" = ? WHERE "id" = ?`),
				toText(cl.moved.Origin.Commit), int64(cl.moved.Origin.Line), encodeRelations(cl.moved.Relations), cl.content); err != nil {
				return fmt.Errorf("move content: %w", err)
			}
		}
		if cl.row != cl.was {
			claims = append(claims, cl.values())
			if cl.was.served && (!cl.served || cl.ref != cl.was.ref) {
				deactivate = append(deactivate, cl.id)
			}
		}
	}
	for i, row := range c.repositoryRows {
		c.repositoryRows[i] = append(row, max(c.now, c.last.touched+1))
	}
	first := c.last.revision - int64(len(c.events)) + 1
	for i, e := range c.events {
		revisions = append(revisions, []any{first + int64(i), string(e.op), c.now, e.uid, e.ref, e.content, e.moved, e.cause, []byte(nil)})
	}
	// The order keeps the constraints at every step: a ref has no more than one
	// served claim, and a repository stands before what it holds.
	steps := []func() error{
		func() error { return s.remove(ctx, tx, claimsTable, goneClaims) },
		func() error { return s.remove(ctx, tx, documentsTable, c.goneDocuments) },
		func() error { return s.remove(ctx, tx, repositoriesTable, c.goneRepositories) },
		func() error { return s.remove(ctx, tx, contentsTable, c.goneContents) },
		func() error { return s.dropFacts(ctx, tx, c.events) },
		func() error { return s.put(ctx, tx, repositoriesTable, c.repositoryRows) },
		func() error { return s.put(ctx, tx, documentsTable, c.documentRows) },
		func() error { return s.put(ctx, tx, contentsTable, contents) },
		func() error {
			if len(deactivate) == 0 {
				return nil
			}
			_, err := tx.ExecContext(ctx, s.bind(`UPDATE "claims" SET "served" = false WHERE `+s.in(`"id"`)), list(s, deactivate))
			return err
		},
		func() error { return s.put(ctx, tx, claimsTable, claims) },
		func() error { return s.put(ctx, tx, revisionsTable, revisions) },
		func() error {
			if len(revisions) == 0 {
				return nil
			}
			return s.announce(ctx, tx)
		},
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

func contentRow(id int64, e *catalog.Entity) []any {
	o := e.Origin
	return []any{
		id, toText(e.Ref.String()), toText(o.Source), toText(o.Repository), toText(o.Path), toText(o.Commit),
		int64(o.Line), o.Inferred, encodeRelations(e.Relations), e.Document,
	}
}
