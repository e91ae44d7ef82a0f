package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/waypost-dev/waypost/server/catalog"
)

// Delete takes the entity with a uid out of the catalog because somebody asked for
// it, and returns the revision without it; or ErrNotFound. It is for what nothing
// declares any more: an entity that a file declares is there again after the next
// harvest, which reads the file anew. Where another place declares the same ref,
// that one counts from then on.
func (s *Store) Delete(ctx context.Context, uid string, cause catalog.Cause) (catalog.Revision, error) {
	var source, at string
	err := queryRow(ctx, s.reader, s.bind(`SELECT r."source", r."name" FROM "claims" c JOIN "repositories" r ON r."id" = c."repository_id" WHERE c."uid" = ? AND c."served"`),
		[]any{toText(uid)}, &source, &at)
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrNotFound
	}
	if err != nil {
		return 0, fmt.Errorf("delete entity %.100s: %w", uid, err)
	}
	_, err = s.change(ctx, fromText(source), func(ctx context.Context, c *changeset) error {
		c.cause = encodeCause(cause)
		cl := &claim{at: at}
		err := queryRows(ctx, c.tx, s.bind(`SELECT `+claimColumns+` FROM "claims" c WHERE c."uid" = ? AND c."served"`), []any{toText(uid)},
			func(rows *sql.Rows) error { return cl.scan(rows) })
		if err != nil {
			return err
		}
		if cl.id == 0 {
			return ErrNotFound // it has gone meanwhile
		}
		cl.was = cl.row
		c.claims[cl.id] = cl
		c.drop(cl)
		// Without hash and state the next harvest reads the file, changed or not.
		if _, err := c.tx.ExecContext(ctx, s.bind(`UPDATE "documents" SET "hash" = '' WHERE "repository_id" = ? AND "path" = ?`), cl.repository, cl.path); err != nil {
			return err
		}
		_, err = c.tx.ExecContext(ctx, s.bind(`UPDATE "repositories" SET "state" = '' WHERE "id" = ?`), cl.repository)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("delete entity %.100s: %w", uid, err)
	}
	return s.Latest(ctx)
}
