package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/waypost-dev/waypost/server/catalog"
)

// revisionColumns precede contentColumns in every reading of revisions.
const revisionColumns = `r."id", r."op", r."time", r."uid", r."moved", r."cause", r."facts", `

// scanChange reads revisionColumns and contentColumns.
func (x *entityScanner) scanChange(rows *sql.Rows, before ...any) (catalog.Change, error) {
	var revision, changed int64
	var op, moved string
	var uid, cause, facts sql.RawBytes
	e, err := x.scan(rows, append(before, &revision, &op, &changed, &uid, &moved, &cause, &facts)...)
	if err != nil {
		return catalog.Change{}, err
	}
	e.UID, e.Revision, e.Changed = x.room.text(uid), catalog.Revision(revision), time.UnixMicro(changed).UTC()
	c := catalog.Change{Revision: e.Revision, Op: catalog.Op(op), Time: e.Changed, Entity: e, Moved: fromText(moved)}
	if len(cause) > 0 {
		if err := json.Unmarshal(cause, &c.Cause); err != nil {
			return catalog.Change{}, fmt.Errorf("cause of revision %d: %w", revision, err)
		}
	}
	if len(facts) > 0 {
		if err := json.Unmarshal(facts, &c.Facts); err != nil {
			return catalog.Change{}, fmt.Errorf("facts of revision %d: %w", revision, err)
		}
	}
	return c, nil
}

// Bounds of History: through how many names of an entity it goes back, and about
// how many bytes of documents it returns.
const (
	maxRenames      = 1000
	maxHistoryBytes = 16 << 20
)

// History returns up to limit revisions of the entity that has a ref, or that
// had it last, newest first. If before is above 0, they are those below it.
//
// It follows the entity back to the refs that it was renamed from; the deletion
// of the old ref, which a rename writes too, is left out, for the put tells of
// it. Asked for the old ref, it ends with that deletion, which tells of the new
// one. An entity that had the ref earlier under another uid is another entity.
// The error is ErrNotFound if nothing is known of the ref.
//
// More says that there are further ones. They can be fewer than limit, but not
// fewer than two, even so, if they are large: all of them are in memory.
func (s *Store) History(ctx context.Context, ref catalog.Ref, before catalog.Revision, limit int) (changes []catalog.Change, more bool, err error) {
	tx, err := s.snapshot(ctx)
	if err != nil {
		return nil, false, fmt.Errorf("read the history of %s: %w", ref, err)
	}
	defer tx.Rollback() //nolint:errcheck // it only reads
	if s.postgres {
		// It else expects few revisions, reads all of them and sorts them.
		_, err = tx.ExecContext(ctx, `SET LOCAL enable_bitmapscan = off`)
	}
	if err != nil {
		return nil, false, fmt.Errorf("read the history of %s: %w", ref, err)
	}
	changes, more, err = s.history(ctx, tx, ref, int64(before), limit)
	if err != nil {
		return nil, false, fmt.Errorf("read the history of %s: %w", ref, err)
	}
	return changes, more, nil
}

// ofRef is the condition that a revision is of a ref, an expression that stands
// in it twice. With newestFirst it makes PostgreSQL read the index of both
// columns: given the ref as equal, it may go through all revisions of the
// catalog by their ids instead, hoping to come upon some of that ref soon.
func (s *Store) ofRef(ref string) string {
	if s.postgres {
		return `"ref_key" >= ` + ref + ` AND "ref_key" <= ` + ref
	}
	return `"ref_key" = ` + ref + ` AND "ref_key" = ` + ref // takes as many arguments
}

const newestFirst = ` ORDER BY "ref_key" DESC, "id" DESC `

func (s *Store) history(ctx context.Context, tx *sql.Tx, ref catalog.Ref, before int64, limit int) (out []catalog.Change, more bool, err error) {
	at := toText(ref.Key())
	var uid string
	err = queryRow(ctx, tx, s.bind(`SELECT "uid" FROM "revisions" WHERE `+s.ofRef("?")+newestFirst+`LIMIT 1`), []any{at, at}, &uid)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, false, ErrNotFound
	}
	if err != nil {
		return nil, false, err
	}
	from, below := "", int64(math.MaxInt64)
	if before > 0 {
		if at, from, err = s.calledAt(ctx, tx, at, uid, before); err != nil {
			return nil, false, err
		}
		below = before
	}
	size := 0
	for range maxRenames {
		renamed := ""
		err := s.historyRows(ctx, tx, at, uid, below, limit-len(out)+2, func(c catalog.Change) error {
			switch {
			case c.Op == catalog.OpDelete && from != "" && c.Moved == from: // told of already
				return nil
			case len(out) == limit, len(out) > 1 && size > maxHistoryBytes:
				more = true
				return errStopped
			}
			out = append(out, c)
			size += len(c.Entity.Document)
			if c.Op == catalog.OpPut && c.Moved != "" {
				renamed, below = c.Moved, int64(c.Revision)
				return errStopped
			}
			return nil
		})
		if err != nil && !errors.Is(err, errStopped) {
			return nil, false, err
		}
		if renamed == "" || more {
			break
		}
		at, from = toText(renamed), fromText(at)
	}
	return out, more, nil
}

// calledAt is the ref that an entity had just below a revision, and the one that
// it was renamed to afterwards, empty if none.
func (s *Store) calledAt(ctx context.Context, tx *sql.Tx, at, uid string, before int64) (ref, to string, err error) {
	below := int64(math.MaxInt64)
	for range maxRenames {
		var moved string
		err := queryRow(ctx, tx, s.bind(`SELECT "id", "moved" FROM "revisions" WHERE "ref_key" = ? AND "id" < ? AND "id" >= ?
			AND "uid" = ? AND "op" = 'put' AND "moved" <> '' ORDER BY "id" DESC LIMIT 1`), []any{at, below, before, uid}, &below, &moved)
		if errors.Is(err, sql.ErrNoRows) {
			break
		}
		if err != nil {
			return "", "", err
		}
		at, to = moved, fromText(at)
	}
	return at, to, nil
}

func (s *Store) historyRows(ctx context.Context, tx *sql.Tx, ref, uid string, below int64, limit int, each func(catalog.Change) error) error {
	// Limited before it is joined: a planner without statistics else joins all.
	var x entityScanner
	return queryRows(ctx, tx, s.bind(`SELECT `+revisionColumns+contentColumns+` FROM (SELECT * FROM "revisions"
		WHERE `+s.ofRef("?")+` AND "id" < ? AND "uid" = ?`+newestFirst+`LIMIT ?) r JOIN "contents" t ON t."id" = r."content_id" ORDER BY r."id" DESC`),
		[]any{ref, ref, below, uid, limit}, func(rows *sql.Rows) error {
			c, err := x.scanChange(rows)
			if err != nil {
				return err
			}
			return each(c)
		})
}

// asOfColumns precede contentColumns in reading what there was at a revision: r is
// the newest revision of a ref at or below it. If plugins said something since
// the content was written, the revision and its time are those of the content,
// which knows of no facts, as one text; or r's own, if that one was given up.
func (s *Store) asOfColumns() string {
	return `r."id", r."time", CASE WHEN r."op" = 'facts' THEN (SELECT "id" || ' ' || "time" FROM "revisions" WHERE ` + s.ofRef(`r."ref_key"`) +
		` AND "id" < r."id" AND "op" <> 'facts'` + newestFirst + `LIMIT 1) END, r."uid", r."op" = 'delete', `
}

// scanAsOf reads asOfColumns and contentColumns. It is nil if the entity was gone.
func (x *entityScanner) scanAsOf(rows *sql.Rows, before ...any) (*catalog.Entity, error) {
	var revision, changed int64
	var uid string
	var written sql.RawBytes
	var gone bool
	e, err := x.scan(rows, append(before, &revision, &changed, &written, &uid, &gone)...)
	if err != nil || gone {
		return nil, err
	}
	if len(written) > 0 {
		id, at, _ := strings.Cut(string(written), " ")
		var err1, err2 error
		revision, err1 = strconv.ParseInt(id, 10, 64)
		changed, err2 = strconv.ParseInt(at, 10, 64)
		if err := errors.Join(err1, err2); err != nil {
			return nil, fmt.Errorf("when the content of %s was written: %w", e.Ref, err)
		}
	}
	e.UID, e.Revision, e.Changed = uid, catalog.Revision(revision), time.UnixMicro(changed).UTC()
	return e, nil
}

// atQuery is the query of At. Its refs are numbered, from 0 on SQLite and from 1 on
// PostgreSQL, and the answer has the numbers of those that there were.
func (s *Store) atQuery() string {
	numbers := `(SELECT group_concat(k."key") FROM json_each(?) k WHERE `
	if s.postgres {
		numbers = `(SELECT string_agg(k."key"::text, ',') FROM json_array_elements_text(?::json) WITH ORDINALITY k("value", "key") WHERE `
	}
	// Limited before it is joined, as in historyRows.
	return s.bind(`SELECT ` + keptFrom + `, ` + numbers + s.existed() + `), ` + s.asOfColumns() + contentColumns + ` FROM (SELECT * FROM "revisions"
		WHERE ` + s.ofRef("?") + ` AND "id" <= ?` + newestFirst + `LIMIT 1) r JOIN "contents" t ON t."id" = r."content_id"`)
}

// existed is the condition that there was the ref of k at a revision.
func (s *Store) existed() string {
	return `(SELECT "op" FROM "revisions" WHERE ` + s.ofRef(`k."value"`) + ` AND "id" <= ?` + newestFirst + `LIMIT 1) <> '` + string(catalog.OpDelete) + `'`
}

// At returns an entity as it was at a revision of the catalog, and which of some
// more refs, by their keys, there were then: one question in place of two. The
// error is ErrNotFound if there was no such entity, and ErrTooOld if that is not
// known any more. A revision above the latest one is taken as that one.
func (s *Store) At(ctx context.Context, ref catalog.Ref, at catalog.Revision, more ...string) (*catalog.Entity, map[string]bool, error) {
	var x entityScanner
	var found *catalog.Entity
	from, existed := "", make(map[string]bool, len(more))
	for _, key := range more {
		existed[key] = false
	}
	key := toText(ref.Key())
	err := s.prepared(ctx, s.asOf.at, []any{keys(more), int64(at), key, key, int64(at)}, func(rows *sql.Rows) (err error) {
		var numbers sql.RawBytes
		if found, err = x.scanAsOf(rows, &from, &numbers); err == nil {
			err = s.numbered(existed, more, string(numbers))
		}
		return err
	})
	if err == nil && from == "" {
		err = queryRow(ctx, s.reader, `SELECT `+keptFrom, nil, &from)
	}
	if err == nil {
		err = tooOld(from, at)
	}
	if err == nil && found == nil {
		err = ErrNotFound
	}
	if err != nil {
		return nil, nil, fmt.Errorf("read %s as of revision %d: %w", ref, at, err)
	}
	return found, existed, nil
}

// numbered adds those of some refs whose numbers atQuery found.
func (s *Store) numbered(existed map[string]bool, refs []string, numbers string) error {
	for len(numbers) > 0 {
		var number string
		number, numbers, _ = strings.Cut(numbers, ",")
		n, err := strconv.Atoi(number)
		if s.postgres {
			n--
		}
		if err != nil || n < 0 || n >= len(refs) {
			return fmt.Errorf("number %q of %d refs", number, len(refs))
		}
		existed[refs[n]] = true
	}
	return nil
}

// keys is the argument of atQuery and existedQuery for the keys of refs: a JSON
// array, of whose length PostgreSQL has the same idea whatever it is, so that it
// keeps one plan. For each array it makes a new one, which takes longer than the
// answer.
func keys(refs []string) string {
	keys := make([]string, len(refs))
	for i, ref := range refs {
		keys[i] = toText(ref)
	}
	return asJSON(keys)
}

// Existed tells which of some refs, by their keys, there were at a revision. The
// error is ErrTooOld if that is not known any more. The work grows with the
// number of refs, and not with that of their revisions.
func (s *Store) Existed(ctx context.Context, refs []string, at catalog.Revision) (map[string]bool, error) {
	out := make(map[string]bool, len(refs))
	if len(refs) == 0 {
		return out, nil
	}
	var from string
	err := s.prepared(ctx, s.asOf.existed, []any{int64(at), keys(refs)}, func(rows *sql.Rows) error {
		var key string
		var there bool
		err := rows.Scan(&from, &key, &there)
		if there {
			out[fromText(key)] = true
		}
		return err
	})
	if err == nil {
		err = tooOld(from, at)
	}
	if err != nil {
		return nil, fmt.Errorf("read what there was at revision %d: %w", at, err)
	}
	return out, nil
}

// existedQuery is the query of Existed.
func (s *Store) existedQuery() string {
	each := `json_each(?) k`
	if s.postgres {
		each = `json_array_elements_text(?::json) k("value")`
	}
	return s.bind(`SELECT ` + keptFrom + `, k."value", coalesce(` + s.existed() + `, false) FROM ` + each)
}

// prepared is queryRows on the readers for a query that is asked often and
// answered by a few seeks: SQLite takes longer to prepare one than to answer it,
// and as long to watch whether the caller leaves meanwhile. So who leaves is
// noticed before, and not while waiting for one of the readers. On PostgreSQL
// the driver keeps what it has prepared. There are few such queries, so all are
// kept until Close.
func (s *Store) prepared(ctx context.Context, query string, args []any, each func(*sql.Rows) error) error {
	if s.postgres {
		return queryRows(ctx, s.reader, query, args, each)
	}
	known, err := s.statement(ctx, query) //nolint:sqlclosecheck // kept until Close
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return err
	}
	rows, err := known.QueryContext(context.WithoutCancel(ctx), args...)
	if err != nil {
		return err
	}
	return readRows(rows, each)
}

// statement prepares a query once. Others wait for it meanwhile, and not for who
// asked first to leave.
func (s *Store) statement(ctx context.Context, query string) (*sql.Stmt, error) {
	s.preparing.Lock()
	defer s.preparing.Unlock()
	if known := s.statements[query]; known != nil {
		return known, nil
	}
	made, err := s.reader.PrepareContext(context.WithoutCancel(ctx), query) //nolint:sqlclosecheck // kept until Close
	if err != nil {
		return nil, err
	}
	if s.statements == nil {
		s.statements = map[string]*sql.Stmt{}
	}
	s.statements[query] = made
	return made, nil
}

// RevisionAt is the last revision at or before a time, and 0 if there is none.
// It may be one below Oldest, of which no more is known.
func (s *Store) RevisionAt(ctx context.Context, at time.Time) (catalog.Revision, error) {
	var id catalog.Revision
	err := queryRow(ctx, s.reader, s.bind(`SELECT coalesce(max("id"), 0) FROM "revisions" WHERE "time" = (SELECT max("time") FROM "revisions" WHERE "time" <= ?)`),
		[]any{at.UnixMicro()}, &id)
	if err != nil {
		return 0, fmt.Errorf("find the revision at %s: %w", at.UTC().Format(time.RFC3339Nano), err)
	}
	return id, nil
}

// LoadAt calls each for every entity that there was at a revision, in no
// particular order. An error from each ends it. each must not call the store.
// The error is ErrTooOld if the revision is below Oldest; a revision above
// the latest one is taken as that one.
func (s *Store) LoadAt(ctx context.Context, at catalog.Revision, each func(*catalog.Entity) error) error {
	if err := s.loadAt(ctx, at, each); err != nil {
		return fmt.Errorf("load the catalog as of revision %d: %w", at, err)
	}
	return nil
}

func (s *Store) loadAt(ctx context.Context, at catalog.Revision, each func(*catalog.Entity) error) error {
	tx, err := s.snapshot(ctx)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // it only reads
	var from string
	if err := queryRow(ctx, tx, `SELECT `+keptFrom, nil, &from); err != nil {
		return err
	}
	if err := tooOld(from, at); err != nil {
		return err
	}
	var x entityScanner
	return queryRows(ctx, tx, s.bind(`SELECT `+s.asOfColumns()+contentColumns+` FROM "revisions" r JOIN "contents" t ON t."id" = r."content_id"
		WHERE r."op" <> 'delete' AND r."id" IN (SELECT max("id") FROM "revisions" WHERE "id" <= ? GROUP BY "ref_key")`), []any{int64(at)}, func(rows *sql.Rows) error {
		e, err := x.scanAsOf(rows)
		if err != nil {
			return err
		}
		return each(e)
	})
}

// Step is one revision without its content.
type Step struct {
	Revision catalog.Revision
	Time     time.Time
	Ref      string // key
	Was      bool   // there was an entity of that ref before it
}

// Steps calls each for every revision above one, in order. An error from each
// ends it. each must not call the store.
func (s *Store) Steps(ctx context.Context, after catalog.Revision, each func(Step) error) error {
	// Only what puts may be the first of its ref, so only that is looked up.
	err := queryRows(ctx, s.reader, s.bind(`SELECT r."id", r."time", r."ref_key", r."op" <> 'put' OR coalesce((SELECT "op" FROM "revisions"
		WHERE `+s.ofRef(`r."ref_key"`)+` AND "id" < r."id"`+newestFirst+`LIMIT 1), 'delete') <> 'delete' FROM "revisions" r WHERE r."id" > ? ORDER BY r."id"`),
		[]any{int64(after)}, func(rows *sql.Rows) error {
			var step Step
			var at int64
			var ref sql.RawBytes
			if err := rows.Scan(&step.Revision, &at, &ref, &step.Was); err != nil {
				return err
			}
			step.Time, step.Ref = time.UnixMicro(at).UTC(), fromText(string(ref))
			return each(step)
		})
	if err != nil {
		return fmt.Errorf("read the revisions after %d: %w", after, err)
	}
	return nil
}

// fromMark is where Prune keeps the oldest revision at which the catalog is
// still known; keptFrom reads it.
const (
	fromMark = "history_from"
	keptFrom = `coalesce((SELECT "value" FROM "marks" WHERE "key" = '` + fromMark + `'), '0')`
)

// tooOld is ErrTooOld if a revision is below what fromMark holds.
func tooOld(from string, at catalog.Revision) error {
	first, err := strconv.ParseInt(from, 10, 64)
	if err != nil {
		return fmt.Errorf("mark %s: %w", fromMark, err)
	}
	if int64(at) < first {
		return fmt.Errorf("%w: what was before revision %d is not kept", ErrTooOld, first)
	}
	return nil
}

// Oldest is the oldest revision at which the catalog is known: Changes after it
// have no gap, and At and LoadAt answer from it on. It is 1 as long as nothing
// was given up, and 0 if there is nothing. The time is when it was committed.
func (s *Store) Oldest(ctx context.Context) (catalog.Revision, time.Time, error) {
	var id, at int64
	err := queryRow(ctx, s.reader, `SELECT "id", "time" FROM "revisions" WHERE "id" >= CAST(`+keptFrom+` AS bigint) ORDER BY "id" LIMIT 1`, nil, &id, &at)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, time.Time{}, nil
	}
	if err != nil {
		return 0, time.Time{}, fmt.Errorf("read the oldest revision: %w", err)
	}
	return catalog.Revision(id), time.UnixMicro(at).UTC(), nil
}

// KeptFrom is the revision from which on the catalog is known; 0 if nothing was
// given up. It never falls.
func (s *Store) KeptFrom(ctx context.Context) (catalog.Revision, error) {
	var mark string
	err := queryRow(ctx, s.reader, `SELECT `+keptFrom, nil, &mark)
	var from int64
	if err == nil {
		from, err = strconv.ParseInt(mark, 10, 64)
	}
	if err != nil {
		return 0, fmt.Errorf("read the oldest revision: %w", err)
	}
	return catalog.Revision(from), nil
}

// Truncated tells whether Prune may have given up revisions below one: it keeps
// no record of which entities had any.
func (s *Store) Truncated(ctx context.Context, below catalog.Revision) (bool, error) {
	from, err := s.KeptFrom(ctx)
	return below < from, err
}
