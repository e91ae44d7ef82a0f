package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/waypost-dev/waypost/ent"
	"github.com/waypost-dev/waypost/server/catalog"
)

// Trouble is a problem through time.
type Trouble struct {
	Problem catalog.Problem // as last seen
	Owner   string          // key of the owner's ref; empty if unknown
	Opened  time.Time       // when it was first seen
	Gone    time.Time       // when it was found gone; zero while it is there
}

// reopened is how long a problem may be gone and still count as the same one:
// one that comes and goes with a flapping upstream is old, not new.
const reopened = 24 * time.Hour

// Fingerprints identify problems through time, in the order of the list. The
// line is not part of one, for it moves; nor is the message, for it may name a
// value. Several of one kind at one place are told apart by their number.
func Fingerprints(problems []catalog.Problem) []string {
	out := make([]string, len(problems))
	same := map[string]int{}
	for i, p := range problems {
		h := sha256.New()
		for _, s := range []string{p.Source, p.Repository, p.Path, string(p.Code), p.Entity, p.Field} {
			h.Write([]byte(strconv.Itoa(len(s)) + " " + s))
		}
		id := hex.EncodeToString(h.Sum(nil)[:16])
		if n := same[id]; n > 0 {
			out[i] = id + "-" + strconv.Itoa(n)
		} else {
			out[i] = id
		}
		same[id]++
	}
	return out
}

// RememberTroubles brings the lives of problems in line with what is wrong now:
// what is new is opened, what is not there any more is gone, and what comes back
// within a day goes on. It writes the difference only. Opened and Gone of the
// argument are not looked at. Several processes may do it at once.
func (s *Store) RememberTroubles(ctx context.Context, now []Trouble) error {
	problems := make([]catalog.Problem, len(now))
	for i, t := range now {
		problems[i] = t.Problem
	}
	ids := Fingerprints(problems)
	err := s.write(ctx, func(tx *ent.Tx, at int64) error {
		type kept struct {
			gone    int64
			owner   string
			problem string
		}
		known := map[string]kept{}
		err := queryRows(ctx, tx, s.bind(`SELECT "id", "gone", "owner", "problem" FROM "troubles" WHERE "gone" = 0 OR "gone" > ?`),
			[]any{at - reopened.Microseconds()}, func(r *sql.Rows) error {
				var id string
				var k kept
				var text []byte
				err := r.Scan(&id, &k.gone, &k.owner, &text)
				k.problem = string(text)
				known[id] = k
				return err
			})
		if err != nil {
			return err
		}
		for i, t := range now {
			text, err := json.Marshal(t.Problem)
			if err != nil {
				return err
			}
			k, ok := known[ids[i]]
			delete(known, ids[i])
			if ok && k.gone == 0 && k.owner == toText(t.Owner) && k.problem == string(text) {
				continue
			}
			opened := `CASE WHEN "troubles"."gone" = 0 OR "troubles"."gone" > ? THEN "troubles"."opened" ELSE excluded."opened" END`
			_, err = tx.ExecContext(ctx, s.bind(`INSERT INTO "troubles" ("id", "source", "repository", "owner", "opened", "gone", "problem") VALUES (?, ?, ?, ?, ?, 0, ?)
				ON CONFLICT ("id") DO UPDATE SET "owner" = excluded."owner", "problem" = excluded."problem", "opened" = `+opened+`, "gone" = 0`),
				ids[i], toText(t.Problem.Source), toText(t.Problem.Repository), toText(t.Owner), at, text, at-reopened.Microseconds())
			if err != nil {
				return err
			}
		}
		var gone []string
		for id, k := range known {
			if k.gone == 0 {
				gone = append(gone, id)
			}
		}
		if len(gone) == 0 {
			return nil
		}
		_, err = tx.ExecContext(ctx, s.bind(`UPDATE "troubles" SET "gone" = ? WHERE `+s.in(`"id"`)), at, list(s, gone))
		return err
	})
	if err != nil {
		return fmt.Errorf("remember %d problems: %w", len(now), err)
	}
	return nil
}

// Troubles returns the problems that are there, or those that are gone, by id.
func (s *Store) Troubles(ctx context.Context, gone bool) (map[string]Trouble, error) {
	where := `"gone" = 0`
	if gone {
		where = `"gone" <> 0`
	}
	out := map[string]Trouble{}
	err := queryRows(ctx, s.reader, `SELECT "id", "owner", "opened", "gone", "problem" FROM "troubles" WHERE `+where, nil, func(r *sql.Rows) error {
		var id string
		var t Trouble
		var opened, ended int64
		var text []byte
		if err := r.Scan(&id, &t.Owner, &opened, &ended, &text); err != nil {
			return err
		}
		if err := json.Unmarshal(text, &t.Problem); err != nil {
			return fmt.Errorf("problem %s: %w", id, err)
		}
		t.Owner, t.Opened = fromText(t.Owner), time.UnixMicro(opened).UTC()
		if ended != 0 {
			t.Gone = time.UnixMicro(ended).UTC()
		}
		out[id] = t
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the lives of problems: %w", err)
	}
	return out, nil
}

// Opened returns when each problem that is there was first seen, by id.
func (s *Store) Opened(ctx context.Context) (map[string]time.Time, error) {
	out := map[string]time.Time{}
	err := queryRows(ctx, s.reader, `SELECT "id", "opened" FROM "troubles" WHERE "gone" = 0`, nil, func(r *sql.Rows) error {
		var id string
		var opened int64
		err := r.Scan(&id, &opened)
		out[id] = time.UnixMicro(opened).UTC()
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read since when problems are there: %w", err)
	}
	return out, nil
}

// PruneTroubles forgets problems that were gone before a time.
func (s *Store) PruneTroubles(ctx context.Context, before time.Time) error {
	err := s.write(ctx, func(tx *ent.Tx, _ int64) error {
		_, err := tx.ExecContext(ctx, s.bind(`DELETE FROM "troubles" WHERE "gone" <> 0 AND "gone" < ?`), before.UnixMicro())
		return err
	})
	if err != nil {
		return fmt.Errorf("forget old problems: %w", err)
	}
	return nil
}
