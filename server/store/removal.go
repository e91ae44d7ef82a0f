package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/waypost-dev/waypost/ent"
	"github.com/waypost-dev/waypost/server/catalog"
)

// Removals says how bad news of a source is believed. The zero value believes
// all of it at once.
type Removals struct {
	// Share is the part of a source's entities, from 0 to 1, of which more may
	// not go at once; 0 for no bound. Fewer than LeastHeld are never too many.
	Share float64
	// Confirmed says that a person has agreed to this removal.
	Confirmed bool
	// Orphans says what becomes of an entity that no place declares any more.
	Orphans Orphans
}

// LeastHeld is the number of entities below which a removal is never held, so
// that a source of three entities may lose one.
const LeastHeld = 3

// Orphans is what becomes of an entity that no place declares any more. The
// zero value removes it at once.
type Orphans struct {
	// Keep keeps it until somebody claims its ref again.
	Keep bool
	// After keeps it for a time, and removes it then.
	After time.Duration
}

// OrphanAnnotation is Backstage's mark of an entity that is kept although
// nothing declares it any more; its value is 'true'.
const OrphanAnnotation = "backstage.io/orphan"

// Held is a removal that was not done because it was too much at once.
type Held struct {
	Entities int       `json:"entities"` // that would have gone
	Of       int       `json:"of"`       // that the source has
	Since    time.Time `json:"since"`    // of the first time
}

// Error says what was held and what to do.
func (h Held) Error() string {
	return fmt.Sprintf("%d of %d entities would be removed, which is more than this source may lose at once; nothing was removed", h.Entities, h.Of)
}

// Stage is Apply, but what is declared no more stays until Sweep decides on it.
func (s *Store) Stage(ctx context.Context, source string, updates []RepositoryUpdate) (Counts, error) {
	if len(updates) == 0 {
		return Counts{}, nil
	}
	c, err := s.change(ctx, source, func(ctx context.Context, c *changeset) error {
		if err := s.checkLease(ctx, c.tx, source, c.now); err != nil {
			return err
		}
		return c.update(ctx, updates)
	})
	if err != nil {
		return Counts{}, fmt.Errorf("stage %d repositories of %s: %w", len(updates), source, err)
	}
	return c.counts, nil
}

// Sweep ends a complete listing: repositories of the source that are not in
// seen are gone, unless they were asked for after since (the zero time for
// none). It decides on these and on what was staged. If that is more than the
// removals allow, nothing is removed, and the error is a Held.
func (s *Store) Sweep(ctx context.Context, source string, seen map[string]struct{}, since time.Time, removals Removals, cause catalog.Cause) (Counts, error) {
	var held *Held
	c, err := s.change(ctx, source, func(ctx context.Context, c *changeset) (err error) {
		if err := s.checkLease(ctx, c.tx, source, c.now); err != nil {
			return err
		}
		c.cause = encodeCause(cause)
		if err := c.sweep(ctx, seen, since); err != nil {
			return err
		}
		held, err = c.settle(ctx, removals)
		if held != nil {
			return errHeld // what was decided is forgotten; what was staged stays staged
		}
		if err != nil {
			return err
		}
		return c.release(ctx)
	})
	if held != nil {
		if err := s.hold(ctx, source, held); err != nil {
			return Counts{}, fmt.Errorf("sweep %s: %w", source, err)
		}
		return Counts{}, fmt.Errorf("sweep %s: %w", source, *held)
	}
	if err != nil {
		return Counts{}, fmt.Errorf("sweep %s: %w", source, err)
	}
	return c.counts, nil
}

// Refresh applies what was found of single repositories, outside of a harvest,
// and decides at once on what they declare no more. If that is more than the
// removals allow, the rest is applied and the error is a Held.
func (s *Store) Refresh(ctx context.Context, source string, updates []RepositoryUpdate, removals Removals) (Counts, error) {
	var held *Held
	c, err := s.change(ctx, source, func(ctx context.Context, c *changeset) (err error) {
		if err := c.update(ctx, updates); err != nil {
			return err
		}
		held, err = c.settle(ctx, removals)
		return err
	})
	if err != nil {
		return Counts{}, fmt.Errorf("refresh %s: %w", source, err)
	}
	if held != nil {
		if err := s.hold(ctx, source, held); err != nil {
			return c.counts, fmt.Errorf("refresh %s: %w", source, err)
		}
		return c.counts, fmt.Errorf("refresh %s: %w", source, *held)
	}
	return c.counts, nil
}

// RemoveSource removes everything that a source declared, and what is known of it.
func (s *Store) RemoveSource(ctx context.Context, source string, cause catalog.Cause) (Counts, error) {
	c, err := s.change(ctx, source, func(ctx context.Context, c *changeset) error {
		c.cause = encodeCause(cause)
		if err := c.sweep(ctx, nil, time.Time{}); err != nil {
			return err
		}
		if _, err := c.settle(ctx, Removals{}); err != nil {
			return err
		}
		return c.release(ctx)
	})
	if err != nil {
		return Counts{}, fmt.Errorf("remove %s: %w", source, err)
	}
	return c.counts, nil
}

var errHeld = errors.New("held")

// sweep orphans the claims of what is not in seen, and fetches what was orphaned before.
func (c *changeset) sweep(ctx context.Context, seen map[string]struct{}, since time.Time) error {
	gone, err := c.unseen(ctx, seen, since)
	if err != nil {
		return err
	}
	if len(gone) > 0 {
		if err := c.read(ctx, gone); err != nil {
			return fmt.Errorf("read what is known: %w", err)
		}
	}
	for _, u := range gone {
		c.abandon(c.repositories[u.Repository.ID])
	}
	return c.readOrphans(ctx)
}

// unseen returns an empty update for each repository of the source that is not
// in seen.
func (c *changeset) unseen(ctx context.Context, seen map[string]struct{}, since time.Time) ([]RepositoryUpdate, error) {
	var out []RepositoryUpdate
	old := c.now - goneFor.Microseconds()
	err := queryRows(ctx, c.tx, c.s.bind(`SELECT r."id", r."forge_id", r."asked", r."gone",
			r."gone" AND NOT EXISTS (SELECT 1 FROM "claims" c WHERE c."repository_id" = r."id")
		FROM "repositories" r WHERE r."source" = ? ORDER BY r."id"`), []any{toText(c.source)},
		func(r *sql.Rows) error {
			var id string
			var row, asked int64
			var gone, empty bool
			if err := r.Scan(&row, &id, &asked, &gone, &empty); err != nil {
				return err
			}
			_, ok := seen[fromText(id)]
			switch {
			case ok:
			case gone && seen != nil:
				if empty && asked < old {
					c.faded = append(c.faded, row)
				}
			case !since.IsZero() && asked > since.UnixMicro():
			default:
				out = append(out, RepositoryUpdate{Repository: Repository{ID: fromText(id)}})
			}
			return nil
		})
	return out, err
}

// goneFor is how long a repository is remembered that is gone, so that a
// listing that began before does not bring it back.
const goneFor = 24 * time.Hour

// abandon makes orphans of all that a repository declares.
func (c *changeset) abandon(r *repository) {
	for _, cl := range r.claims {
		c.orphan(cl)
	}
	for _, d := range r.documents {
		c.goneDocuments = append(c.goneDocuments, d.id)
	}
	c.abandoned = append(c.abandoned, r)
}

// orphan marks a claim that nothing declares any more. settle decides on it.
func (c *changeset) orphan(cl *claim) {
	c.touch(cl)
	if cl.orphaned == 0 {
		cl.orphaned = c.now
	}
	c.contested[cl.ref] = struct{}{} // another claim comes before it now
}

func (c *changeset) touch(cl *claim) {
	if cl.cause == nil {
		cl.cause = c.cause
	}
}

// readOrphans fetches the claims of the source that were orphaned before.
func (c *changeset) readOrphans(ctx context.Context) error {
	return queryRows(ctx, c.tx, c.s.bind(`SELECT `+claimColumns+`, r."name" FROM "claims" c JOIN "repositories" r ON r."id" = c."repository_id"
		WHERE c."orphaned" <> 0 AND r."source" = ?`), []any{toText(c.source)}, func(rows *sql.Rows) error {
		var r row
		var at string
		if err := r.scan(rows, &at); err != nil {
			return err
		}
		if c.claims[r.id] == nil {
			c.claims[r.id] = &claim{row: r, at: at, was: r, cause: c.cause}
		}
		return nil
	})
}

// settle decides on the orphans among the claims that were read: they go, or
// are kept with Backstage's annotation. It returns what is too much to go.
func (c *changeset) settle(ctx context.Context, removals Removals) (*Held, error) {
	var orphans []*claim
	for _, cl := range c.sorted() {
		if cl.orphaned != 0 && !cl.gone && cl.id != 0 {
			orphans = append(orphans, cl)
		}
	}
	kept := removals.Orphans.Keep || removals.Orphans.After > 0
	if len(orphans) > 0 {
		contents, err := c.contents(ctx, orphans, kept)
		if err != nil {
			return nil, fmt.Errorf("read orphans: %w", err)
		}
		annotated := func(cl *claim) bool {
			return contents[cl.content] != nil && contents[cl.content].Annotation(OrphanAnnotation) == "true"
		}
		fresh := 0
		for _, cl := range orphans {
			if !annotated(cl) {
				fresh++
			}
		}
		held, err := c.tooMany(ctx, fresh, removals)
		if held != nil || err != nil {
			return held, err
		}
		for _, cl := range orphans {
			age := time.Duration(c.now-cl.orphaned) * time.Microsecond
			switch {
			case !removals.Orphans.Keep && age >= removals.Orphans.After:
				c.drop(cl)
			case !annotated(cl):
				if err := c.annotate(cl, contents[cl.content]); err != nil {
					return nil, err
				}
			}
		}
	}
	for _, r := range c.abandoned {
		if slices.ContainsFunc(r.claims, func(cl *claim) bool { return !cl.gone }) {
			if row := slices.Clone(r.row); row[4] != "" {
				row[4] = "" // without a state it is read anew when it comes back
				c.repositoryRows = append(c.repositoryRows, append(row, r.facts, []byte(nil), r.asked, r.gone))
			}
		} else {
			c.goneRepositories = append(c.goneRepositories, r.id)
		}
	}
	c.goneRepositories = append(c.goneRepositories, c.faded...)
	return nil, nil
}

// tooMany returns what is held if so many entities may not go at once.
func (c *changeset) tooMany(ctx context.Context, n int, removals Removals) (*Held, error) {
	if removals.Confirmed || removals.Share <= 0 || n < LeastHeld {
		return nil, nil
	}
	var all int
	err := queryRow(ctx, c.tx, c.s.bind(`SELECT count(*) FROM "claims" c JOIN "repositories" r ON r."id" = c."repository_id" WHERE r."source" = ?`),
		[]any{toText(c.source)}, &all)
	if err != nil {
		return nil, fmt.Errorf("count the entities: %w", err)
	}
	all = max(all, n)
	if float64(n) <= removals.Share*float64(all) {
		return nil, nil
	}
	return &Held{Entities: n, Of: all, Since: time.UnixMicro(c.now).UTC()}, nil
}

// contents fetches what the claims hold, by content, if it is wanted.
func (c *changeset) contents(ctx context.Context, claims []*claim, wanted bool) (map[int64]*catalog.Entity, error) {
	out := map[int64]*catalog.Entity{}
	if !wanted {
		return out, nil
	}
	ids := make([]int64, len(claims))
	for i, cl := range claims {
		ids[i] = cl.content
	}
	var x entityScanner
	err := queryRows(ctx, c.tx, c.s.bind(`SELECT t."id", `+contentColumns+` FROM "contents" t WHERE `+c.s.in(`t."id"`)), []any{list(c.s, ids)},
		func(rows *sql.Rows) error {
			var id int64
			e, err := x.scan(rows, &id)
			if err == nil {
				out[id] = e
			}
			return err
		})
	return out, err
}

// annotate gives an orphan Backstage's annotation.
func (c *changeset) annotate(cl *claim, e *catalog.Entity) error {
	marked, err := e.WithAnnotation(OrphanAnnotation, "true")
	if err != nil {
		return fmt.Errorf("annotate an orphan: %w", err)
	}
	c.touch(cl)
	cl.entity, cl.hash = marked, marked.Hash()
	c.counts.Orphaned++
	return nil
}

const heldMark = "held "

// hold remembers that removals of a source are held.
func (s *Store) hold(ctx context.Context, source string, h *Held) error {
	return s.write(ctx, func(tx *ent.Tx, _ int64) error {
		var before string
		err := queryRow(ctx, tx, s.bind(`SELECT "value" FROM "marks" WHERE "key" = ?`), []any{heldMark + toText(source)}, &before)
		if err == nil {
			var old Held
			if json.Unmarshal([]byte(before), &old) == nil && !old.Since.IsZero() {
				h.Since = old.Since
			}
		} else if !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		text, err := json.Marshal(h)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, s.bind(`INSERT INTO "marks" ("key", "value") VALUES (?, ?) ON CONFLICT ("key") DO UPDATE SET "value" = excluded."value"`),
			heldMark+toText(source), string(text))
		return err
	})
}

// release forgets that removals of the source were held, if they were.
func (c *changeset) release(ctx context.Context) error {
	key := heldMark + toText(c.source)
	var held int
	if err := queryRow(ctx, c.tx, c.s.bind(`SELECT count(*) FROM "marks" WHERE "key" = ?`), []any{key}, &held); err != nil || held == 0 {
		return err
	}
	_, err := c.tx.ExecContext(ctx, c.s.bind(`DELETE FROM "marks" WHERE "key" = ?`), key)
	return err
}

// Held returns the removals that wait for a person, by source.
func (s *Store) Held(ctx context.Context) (map[string]Held, error) {
	out := map[string]Held{}
	err := queryRows(ctx, s.reader, s.bind(`SELECT "key", "value" FROM "marks" WHERE "key" >= ? AND "key" < ?`), []any{heldMark, "held!"}, func(r *sql.Rows) error {
		var key, value string
		if err := r.Scan(&key, &value); err != nil {
			return err
		}
		var h Held
		if err := json.Unmarshal([]byte(value), &h); err != nil {
			return err
		}
		out[fromText(key[len(heldMark):])] = h
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read what is held: %w", err)
	}
	return out, nil
}
