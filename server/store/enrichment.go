package store

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/waypost-dev/waypost/ent"
	"github.com/waypost-dev/waypost/server/catalog"
)

// Enrichment is how a plugin stands to an entity.
type Enrichment struct {
	UID string // of the entity
	// Ref is that of the entity, by which PutEnrichments finds it. Enrichments
	// leaves it out.
	Ref catalog.Ref
	// Facts are all that the plugin says of it, with keys that begin with the
	// plugin's name. Enrichments leaves them out.
	Facts []catalog.Fact
	// Relations are those that the plugin found beside those declared.
	Relations []catalog.Relation
	// Problems are what the plugin found wrong.
	Problems []catalog.Problem
	// Reads is what the answer depends on, in the caller's own form.
	Reads []byte
	// Asked is when the plugin last answered; zero for never.
	Asked time.Time
	// Due is when to ask again though nothing changes; zero for never.
	Due time.Time
	// Error says why the last question was not answered; empty if it was.
	Error string
	// Failures is how many questions in a row were not answered.
	Failures int
}

// PutEnrichments keeps what a plugin answered, all in one transaction, and
// returns how many entities it says something else of than before: these get a
// revision. Of an enrichment with an Error only that, Failures and Due are
// taken: what the plugin said before stays. Entities that do not exist any more
// are left out.
func (s *Store) PutEnrichments(ctx context.Context, plugin string, enrichments []Enrichment) (int, error) {
	changed := 0
	if len(enrichments) == 0 {
		return 0, nil
	}
	err := s.write(ctx, func(tx *ent.Tx, now int64) error {
		w := enriching{s: s, tx: tx, plugin: plugin, now: now, served: map[string]subject{}, known: map[string]enrichmentRow{}, facts: map[string]map[string]factRow{}}
		if err := w.read(ctx, enrichments); err != nil {
			return err
		}
		for _, e := range enrichments {
			if err := w.set(e); err != nil {
				return fmt.Errorf("entity %s: %w", e.UID, err)
			}
		}
		changed = len(w.revisions)
		return w.write(ctx)
	})
	if err != nil {
		return 0, fmt.Errorf("keep what plugin %s says of %d entities: %w", plugin, len(enrichments), err)
	}
	if changed > 0 {
		s.tell()
	}
	return changed, nil
}

// enriching is one transaction that writes enrichments.
type enriching struct {
	s      *Store
	tx     *ent.Tx
	plugin string
	now    int64

	served map[string]subject // by uid
	known  map[string]enrichmentRow
	facts  map[string]map[string]factRow
	last   struct{ fact, enrichment, revision, time int64 }

	factRows, enrichmentRows, revisions [][]any
	goneFacts                           []int64
}

// subject is what a revision needs to know of an entity.
type subject struct {
	ref     string
	content int64
}

type enrichmentRow struct {
	id, asked           int64
	reads               []byte
	problems, relations []byte
}

type factRow struct {
	id       int64
	value    []byte
	evidence []byte
}

func (w *enriching) read(ctx context.Context, enrichments []Enrichment) error {
	s := w.s
	uids, refs := make([]string, len(enrichments)), make([]string, len(enrichments))
	for i, e := range enrichments {
		uids[i], refs[i] = e.UID, toText(e.Ref.Key())
	}
	err := queryRows(ctx, w.tx, s.bind(`SELECT "uid", "ref_key", "content_id" FROM "claims" WHERE "served" AND `+s.in(`"ref_key"`)), []any{list(s, refs)}, func(r *sql.Rows) error {
		var uid string
		var x subject
		err := r.Scan(&uid, &x.ref, &x.content)
		w.served[uid] = x
		return err
	})
	if err != nil {
		return err
	}
	err = queryRows(ctx, w.tx, s.bind(`SELECT "id", "uid", "asked", "reads", "problems", "relations" FROM "enrichments" WHERE "plugin" = ? AND `+s.in(`"uid"`)),
		[]any{w.plugin, list(s, uids)}, func(r *sql.Rows) error {
			var uid string
			var x enrichmentRow
			err := r.Scan(&x.id, &uid, &x.asked, &x.reads, &x.problems, &x.relations)
			w.known[uid] = x
			return err
		})
	if err != nil {
		return err
	}
	err = queryRows(ctx, w.tx, s.bind(`SELECT "id", "uid", "key", "value", "evidence" FROM "facts" WHERE `+s.in(`"uid"`)), []any{list(s, uids)}, func(r *sql.Rows) error {
		var uid, key string
		var x factRow
		err := r.Scan(&x.id, &uid, &key, &x.value, &x.evidence)
		if !strings.HasPrefix(key, w.plugin+".") {
			return err
		}
		if w.facts[uid] == nil {
			w.facts[uid] = map[string]factRow{}
		}
		w.facts[uid][key] = x
		return err
	})
	if err != nil {
		return err
	}
	l := &w.last
	return queryRow(ctx, w.tx, `SELECT coalesce((SELECT max("id") FROM "facts"), 0), coalesce((SELECT max("id") FROM "enrichments"), 0),
		coalesce((SELECT max("id") FROM "revisions"), 0), coalesce((SELECT "time" FROM "revisions" ORDER BY "id" DESC LIMIT 1), 0)`,
		nil, &l.fact, &l.enrichment, &l.revision, &l.time)
}

func (w *enriching) set(e Enrichment) error {
	at, ok := w.served[e.UID]
	if !ok {
		return nil
	}
	had, known := w.known[e.UID]
	if !known {
		w.last.enrichment++
		had.id = w.last.enrichment
	}
	if e.Error != "" {
		w.enrichmentRows = append(w.enrichmentRows, []any{had.id, w.plugin, e.UID, had.reads, had.asked, micros(e.Due), toText(e.Error), int64(e.Failures), had.problems, had.relations})
		return nil
	}
	problems, err := encode(e.Problems)
	if err != nil {
		return err
	}
	relations := encodeRelations(e.Relations)
	w.enrichmentRows = append(w.enrichmentRows, []any{had.id, w.plugin, e.UID, e.Reads, micros(e.Asked), micros(e.Due), "", int64(0), problems, relations})
	changes, err := w.setFacts(e)
	if err != nil {
		return err
	}
	if len(changes) == 0 && bytes.Equal(relations, had.relations) {
		return nil
	}
	text, err := json.Marshal(changes)
	if err != nil {
		return err
	}
	cause := encodeCause(catalog.Cause{Via: catalog.ViaPlugin, Actor: w.plugin})
	w.last.revision++
	w.revisions = append(w.revisions, []any{w.last.revision, string(catalog.OpFacts), max(w.now, w.last.time), e.UID, at.ref, at.content, "", cause, text})
	return nil
}

// setFacts compares the facts of an enrichment with those that are there.
func (w *enriching) setFacts(e Enrichment) ([]catalog.FactChange, error) {
	changes := []catalog.FactChange{}
	said := map[string]bool{}
	for _, f := range e.Facts {
		if !strings.HasPrefix(f.Key, w.plugin+".") || said[f.Key] {
			return nil, fmt.Errorf("fact %q is not one of plugin %s, or is said twice", f.Key, w.plugin)
		}
		said[f.Key] = true
		evidence, err := encode(f.Evidence)
		if err != nil {
			return nil, err
		}
		had, known := w.facts[e.UID][f.Key]
		if !known {
			w.last.fact++
			had.id = w.last.fact
		}
		w.factRows = append(w.factRows, []any{had.id, e.UID, f.Key, []byte(f.Value), evidence, micros(f.Observed), micros(f.Stale)})
		if !bytes.Equal(had.value, f.Value) {
			changes = append(changes, catalog.FactChange{Key: f.Key, Old: had.value, New: f.Value})
		}
	}
	for key, had := range w.facts[e.UID] {
		if !said[key] {
			w.goneFacts = append(w.goneFacts, had.id)
			changes = append(changes, catalog.FactChange{Key: key, Old: had.value})
		}
	}
	slices.SortFunc(changes, func(a, b catalog.FactChange) int { return strings.Compare(a.Key, b.Key) })
	return changes, nil
}

func (w *enriching) write(ctx context.Context) error {
	if err := w.s.remove(ctx, w.tx, factsTable, w.goneFacts); err != nil {
		return err
	}
	for _, t := range []struct {
		table bulk
		rows  [][]any
	}{{factsTable, w.factRows}, {enrichmentsTable, w.enrichmentRows}, {revisionsTable, w.revisions}} {
		if err := w.s.put(ctx, w.tx, t.table, t.rows); err != nil {
			return err
		}
	}
	if len(w.revisions) == 0 {
		return nil
	}
	return w.s.announce(ctx, w.tx)
}

// Enrichments calls each for all of a plugin's enrichments, without their
// facts, in no particular order. An error from each ends it.
func (s *Store) Enrichments(ctx context.Context, plugin string, each func(Enrichment) error) error {
	err := queryRows(ctx, s.reader, s.bind(`SELECT "uid", "reads", "asked", "due", "error", "failures", "problems", "relations" FROM "enrichments" WHERE "plugin" = ?`),
		[]any{plugin}, func(r *sql.Rows) error {
			var e Enrichment
			var asked, due int64
			var problems, relations []byte
			if err := r.Scan(&e.UID, &e.Reads, &asked, &due, &e.Error, &e.Failures, &problems, &relations); err != nil {
				return err
			}
			e.Asked, e.Due = atMicros(asked), atMicros(due)
			if len(problems) > 0 {
				if err := json.Unmarshal(problems, &e.Problems); err != nil {
					return err
				}
			}
			var err error
			if e.Relations, err = decodeRelations(relations, nil); err != nil {
				return err
			}
			return each(e)
		})
	if err != nil {
		return fmt.Errorf("read the enrichments of plugin %s: %w", plugin, err)
	}
	return nil
}

// EntityFact is a fact with how its plugin stands to the entity.
type EntityFact struct {
	catalog.Fact
	Plugin string
	// Error says why the plugin could not say it anew; empty if it could.
	Error string
}

// Facts are the facts of an entity by key, with their evidence and age.
func (s *Store) Facts(ctx context.Context, uid string) ([]EntityFact, error) {
	failed := map[string]string{}
	err := queryRows(ctx, s.reader, s.bind(`SELECT "plugin", "error" FROM "enrichments" WHERE "uid" = ?`), []any{uid}, func(r *sql.Rows) error {
		var plugin, text string
		err := r.Scan(&plugin, &text)
		failed[plugin] = fromText(text)
		return err
	})
	out := []EntityFact{}
	if err == nil {
		err = queryRows(ctx, s.reader, s.bind(`SELECT "key", "value", "evidence", "observed", "stale" FROM "facts" WHERE "uid" = ?`), []any{uid}, func(r *sql.Rows) error {
			var f EntityFact
			var value, evidence []byte
			var observed, stale int64
			if err := r.Scan(&f.Key, &value, &evidence, &observed, &stale); err != nil {
				return err
			}
			f.Value, f.Observed, f.Stale = value, atMicros(observed), atMicros(stale)
			f.Plugin, _, _ = strings.Cut(f.Key, ".")
			f.Error = failed[f.Plugin]
			out = append(out, f)
			if len(evidence) == 0 {
				return nil
			}
			return json.Unmarshal(evidence, &out[len(out)-1].Evidence)
		})
	}
	if err != nil {
		return nil, fmt.Errorf("read the facts of entity %s: %w", uid, err)
	}
	slices.SortFunc(out, func(a, b EntityFact) int { return strings.Compare(a.Key, b.Key) })
	return out, nil
}

// ForgetPlugin removes everything that a plugin said and keeps what it recorded.
// Entities of which it said something get a revision.
func (s *Store) ForgetPlugin(ctx context.Context, plugin string) error {
	var all []Enrichment
	err := queryRows(ctx, s.reader, s.bind(`SELECT e."uid", c."ref_key" FROM "enrichments" e JOIN "claims" c ON c."uid" = e."uid" AND c."served" WHERE e."plugin" = ?`),
		[]any{plugin}, func(r *sql.Rows) error {
			var e Enrichment
			var ref string
			if err := r.Scan(&e.UID, &ref); err != nil {
				return err
			}
			var err error
			e.Ref, err = catalog.ParseRef(fromText(ref), catalog.RefContext{})
			all = append(all, e)
			return err
		})
	if err != nil {
		return fmt.Errorf("forget plugin %s: %w", plugin, err)
	}
	for batch := range slices.Chunk(all, 1000) {
		if _, err := s.PutEnrichments(ctx, plugin, batch); err != nil {
			return err
		}
	}
	err = retry(ctx, func() error {
		for _, table := range []string{`"enrichments" WHERE "plugin"`, `"plugins" WHERE "name"`} {
			if _, err := s.writer.ExecContext(ctx, s.bind(`DELETE FROM `+table+` = ?`), plugin); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("forget plugin %s: %w", plugin, err)
	}
	return nil
}

// micros is a time in Unix microseconds; 0 for the zero time.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func atMicros(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.UnixMicro(n).UTC()
}
