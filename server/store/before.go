package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/waypost-dev/waypost/server/catalog"
)

// Before returns what changes, which Changes returned, found in their place: the
// entity as it was just before each one, by the number of the change. A change
// that found none, because the ref was new or had been removed, is left out. The
// error is ErrTooOld if some of what was there may have been given up since.
func (s *Store) Before(ctx context.Context, changes []catalog.Change) (map[catalog.Revision]*catalog.Entity, error) {
	if len(changes) == 0 {
		return nil, nil
	}
	first, last := changes[0].Revision, changes[len(changes)-1].Revision
	out := make(map[catalog.Revision]*catalog.Entity, len(changes))
	var x entityScanner
	err := queryRows(ctx, s.reader, s.bind(`SELECT r."id", p."id", p."time", p."uid", `+contentColumns+` FROM "revisions" r
		JOIN "revisions" p ON p."id" = (SELECT q."id" FROM "revisions" q WHERE q."ref_key" = r."ref_key" AND q."id" < r."id" ORDER BY q."id" DESC LIMIT 1)
		JOIN "contents" t ON t."id" = p."content_id" WHERE r."id" BETWEEN ? AND ? AND p."op" <> 'delete'`),
		[]any{int64(first), int64(last)}, func(rows *sql.Rows) error {
			var change, revision, changed int64
			var uid string
			e, err := x.scan(rows, &change, &revision, &changed, &uid)
			if err != nil {
				return err
			}
			e.UID, e.Revision, e.Changed = uid, catalog.Revision(revision), time.UnixMicro(changed).UTC()
			out[catalog.Revision(change)] = e
			return nil
		})
	if err == nil {
		// Asked afterwards: Prune raises it before it removes anything.
		var from string
		if err = queryRow(ctx, s.reader, `SELECT `+keptFrom, nil, &from); err == nil {
			err = tooOld(from, first-1)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("read what was there before revisions %d to %d: %w", first, last, err)
	}
	return out, nil
}
