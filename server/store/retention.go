package store

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"time"

	"github.com/waypost-dev/waypost/ent"
	"github.com/waypost-dev/waypost/server/catalog"
)

// Policy says how much of the past is kept. The zero value keeps all of it.
type Policy struct {
	// KeepFor is how long the catalog is known as it was; 0 for ever. The time
	// is that of the database's clock.
	KeepFor time.Duration
	// KeepLast is how many revisions of an entity that exists are kept however
	// old they are, by its ref. The newest one always is.
	KeepLast int
}

// Pruned is what Prune removed.
type Pruned struct {
	Revisions, Contents int
	// From is the oldest revision at which the catalog is known; 0 if nothing
	// was given up so far.
	From catalog.Revision
}

// Bounds of one transaction of Prune, so that writers wait for it no longer than
// for each other.
const (
	pruneRefs      = 200
	pruneRevisions = 2000
)

// Prune gives up revisions that are older than the policy wants them, and what
// they alone held. Of each entity the newest of the old ones stays, so that the
// catalog is known at every revision from Pruned.From on; a removed entity goes
// whole, and one that comes back under its ref later gets a new uid. Interrupted
// at any moment, or run by several processes at once, it leaves nothing wrong.
func (s *Store) Prune(ctx context.Context, p Policy) (Pruned, error) {
	var out Pruned
	if p.KeepFor <= 0 {
		return out, nil
	}
	if err := s.prune(ctx, p, &out); err != nil {
		return out, fmt.Errorf("give up old revisions: %w", err)
	}
	return out, nil
}

func (s *Store) prune(ctx context.Context, p Policy, out *Pruned) error {
	// Readers learn what will be gone before it is.
	err := s.write(ctx, func(tx *ent.Tx, now int64) (err error) {
		out.From, err = s.raiseFrom(ctx, tx, now-p.KeepFor.Microseconds())
		return err
	})
	if err != nil || out.From == 0 {
		return err
	}
	for after := ""; ; {
		refs, err := s.prunable(ctx, int64(out.From), after)
		if err != nil || len(refs) == 0 {
			return err
		}
		for len(refs) > 0 {
			var done int
			var once Pruned
			err := s.write(ctx, func(tx *ent.Tx, _ int64) (err error) {
				once = Pruned{}
				done, err = s.pruneRefs(ctx, tx, p, int64(out.From), refs, &once)
				return err
			})
			if err != nil {
				return err
			}
			out.Revisions += once.Revisions
			out.Contents += once.Contents
			if done > 0 {
				after = refs[done-1]
				refs = refs[done:]
			}
		}
	}
}

// raiseFrom moves fromMark up to the last revision before a time, never down.
func (s *Store) raiseFrom(ctx context.Context, tx *ent.Tx, before int64) (catalog.Revision, error) {
	var from, old int64
	var mark string
	err := queryRow(ctx, tx, s.bind(`SELECT coalesce(max("id"), 0), `+keptFrom+` FROM "revisions" WHERE "time" = (SELECT max("time") FROM "revisions" WHERE "time" < ?)`),
		[]any{before}, &from, &mark)
	if err != nil {
		return 0, err
	}
	if old, err = strconv.ParseInt(mark, 10, 64); err != nil {
		return 0, fmt.Errorf("mark %s: %w", fromMark, err)
	}
	if from <= old {
		return catalog.Revision(old), nil
	}
	_, err = tx.ExecContext(ctx, s.bind(`INSERT INTO "marks" ("key", "value") VALUES (?, ?) ON CONFLICT ("key") DO UPDATE SET "value" = excluded."value"`),
		fromMark, strconv.FormatInt(from, 10))
	return catalog.Revision(from), err
}

// prunable are some refs that may have something to give up, in order.
func (s *Store) prunable(ctx context.Context, from int64, after string) ([]string, error) {
	var refs []string
	err := queryRows(ctx, s.reader, s.bind(`SELECT "ref_key" FROM "revisions" WHERE "ref_key" > ? AND "id" <= ?
		GROUP BY "ref_key" HAVING count(*) > 1 OR min("op") = 'delete' ORDER BY "ref_key" LIMIT ?`), []any{after, from, pruneRefs},
		func(rows *sql.Rows) error {
			var ref string
			err := rows.Scan(&ref)
			refs = append(refs, ref)
			return err
		})
	return refs, err
}

// pruneRefs prunes as many of the refs as one transaction may, and returns how
// many it is done with. It can be none, if one of them has very many revisions.
func (s *Store) pruneRefs(ctx context.Context, tx *ent.Tx, p Policy, from int64, refs []string, out *Pruned) (int, error) {
	var revisions, contents []int64
	done := 0
	for _, ref := range refs {
		if len(revisions) >= pruneRevisions {
			break
		}
		r, err := s.readPast(ctx, tx, ref)
		if err != nil {
			return 0, err
		}
		gone := r.surplus(p, from)
		whole := len(revisions)+len(gone) <= pruneRevisions
		if !whole { // the oldest first, so that a deletion never goes before what it deleted
			gone = gone[:pruneRevisions-len(revisions)]
		}
		unused, err := s.unused(ctx, tx, ref, r, len(gone))
		if err != nil {
			return 0, err
		}
		for _, g := range gone {
			revisions = append(revisions, g.id)
		}
		contents = append(contents, unused...)
		if !whole {
			break
		}
		done++
	}
	if err := s.remove(ctx, tx, revisionsTable, revisions); err != nil {
		return 0, err
	}
	if err := s.remove(ctx, tx, contentsTable, contents); err != nil {
		return 0, err
	}
	out.Revisions, out.Contents = len(revisions), len(contents)
	return done, nil
}

// past are the revisions of one ref, oldest first.
type past []pastRevision

type pastRevision struct {
	id      int64
	deleted bool
	facts   bool // of plugins; the entity is as it was
	content int64
}

func (s *Store) readPast(ctx context.Context, tx *ent.Tx, ref string) (past, error) {
	var out past
	err := queryRows(ctx, tx, s.bind(`SELECT "id", "op" = 'delete', "op" = 'facts', "content_id" FROM "revisions" WHERE "ref_key" = ? ORDER BY "id"`), []any{ref},
		func(rows *sql.Rows) error {
			var r pastRevision
			err := rows.Scan(&r.id, &r.deleted, &r.facts, &r.content)
			out = append(out, r)
			return err
		})
	return out, err
}

// surplus are the revisions that the policy gives up: the first few. Revision
// from itself stays, for its time says where the known past begins, and with it
// the highest one.
func (p past) surplus(policy Policy, from int64) past {
	base := -1 // the last that is not younger
	for i, r := range p {
		if r.id <= from {
			base = i
		}
	}
	if base < 0 {
		return nil
	}
	n := base
	if p[base].deleted && p[base].id < from {
		n = base + 1
	}
	if !p[len(p)-1].deleted {
		last, left := len(p), max(policy.KeepLast, 1)
		for ; last > 0 && left > 0; last-- {
			if !p[last-1].facts {
				left--
			}
		}
		n = min(n, last)
	}
	return p[:max(n, 0)]
}

// unused are the contents of the first n revisions that nothing else needs.
func (s *Store) unused(ctx context.Context, tx *ent.Tx, ref string, p past, n int) ([]int64, error) {
	if n == 0 {
		return nil, nil
	}
	needed := map[int64]bool{}
	for _, r := range p[n:] {
		needed[r.content] = true
	}
	// A claim that is not served may still hold what was served of it before; no
	// revision does then, so that the claim alone decides when it goes.
	var claims []int64
	for _, part := range []string{`"served"`, `NOT "served"`} { // each part has its index
		err := queryRows(ctx, tx, s.bind(`SELECT "id", "content_id", "revision" FROM "claims" WHERE `+part+` AND "ref_key" = ?`), []any{ref}, func(rows *sql.Rows) error {
			var id, content, revision int64
			if err := rows.Scan(&id, &content, &revision); err != nil {
				return err
			}
			if revision != 0 && !needed[content] {
				claims = append(claims, id)
			}
			needed[content] = true
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	if len(claims) > 0 {
		if _, err := tx.ExecContext(ctx, s.bind(`UPDATE "claims" SET "revision" = 0, "changed" = 0 WHERE NOT "served" AND `+s.in(`"id"`)), list(s, claims)); err != nil {
			return nil, err
		}
	}
	var out []int64
	for _, r := range p[:n] {
		if !needed[r.content] {
			needed[r.content] = true // once
			out = append(out, r.content)
		}
	}
	return out, nil
}
