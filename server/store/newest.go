package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"github.com/waypost-dev/waypost/server/catalog"
)

// Newest is a revision of the catalog as one that looks back at it finds it.
type Newest struct {
	catalog.Change
	// Before says whether the entity was there before, as far as is known:
	// catalog.OpPut if it was, catalog.OpDelete if it was not, and empty if nothing
	// older is known of it.
	Before catalog.Op
}

// Newest returns up to limit revisions below one and not below another one, the
// newest first: with those in which only what plugins say has changed, or without.
// The deletion of the old ref, which a rename writes too, is left out, for the put
// tells of it. The work grows with the distance of the two.
func (s *Store) Newest(ctx context.Context, below, from catalog.Revision, facts bool, limit int) ([]Newest, error) {
	which := ` AND NOT ("op" = 'delete' AND "moved" <> '')`
	if !facts {
		which += ` AND "op" <> 'facts'`
	}
	var out []Newest
	var x entityScanner
	// Limited before it is joined, as in historyRows.
	err := queryRows(ctx, s.reader, s.bind(`SELECT coalesce((SELECT "op" || ' ' || "uid" FROM "revisions" WHERE `+s.ofRef(`r."ref_key"`)+` AND "id" < r."id"`+newestFirst+`LIMIT 1), ''), `+
		revisionColumns+contentColumns+` FROM (SELECT * FROM "revisions" WHERE "id" < ? AND "id" >= ?`+which+` ORDER BY "id" DESC LIMIT ?) r
		JOIN "contents" t ON t."id" = r."content_id" ORDER BY r."id" DESC`), []any{int64(below), int64(from), limit}, func(rows *sql.Rows) error {
		var before string
		c, err := x.scanChange(rows, &before)
		n := Newest{Change: c}
		switch op, uid, found := strings.Cut(before, " "); {
		case c.Op == catalog.OpPut && c.Moved != "": // it came from another ref
			n.Before = catalog.OpPut
		case !found:
		case uid != c.Entity.UID || op == string(catalog.OpDelete): // it is another one, or it comes back
			n.Before = catalog.OpDelete
		default:
			n.Before = catalog.OpPut
		}
		out = append(out, n)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the newest revisions: %w", err)
	}
	return out, nil
}
