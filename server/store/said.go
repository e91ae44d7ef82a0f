package store

import (
	"context"
	"database/sql"
	"slices"
	"sync"
	"time"

	"github.com/waypost-dev/waypost/ent"
	"github.com/waypost-dev/waypost/server/catalog"
)

// said is what plugins say of one entity, as the read model wants it.
type said struct {
	facts     []byte // members of a JSON object, without its braces
	relations []catalog.Relation
}

// addTo completes an entity that nobody else has seen yet.
func (x *said) addTo(e *catalog.Entity, room *room, objects *objects) {
	if x == nil {
		return
	}
	if len(x.facts) > 0 {
		e.Facts = objects.of(x.facts)
	}
	var more []catalog.Relation
	for _, r := range x.relations {
		same := func(d catalog.Relation) bool { return d.Type == r.Type && d.Target == r.Target }
		if !slices.ContainsFunc(e.Relations, same) && !slices.ContainsFunc(more, same) {
			more = append(more, r)
		}
	}
	if len(more) > 0 {
		e.Relations = append(append(room.some(len(e.Relations)+len(more)), e.Relations...), more...)
	}
}

// objects knows the JSON objects of facts that were made last. Plugins say the
// same of many entities, which then share one: of 13,000 that have an owner each
// says who, and there are 200 teams. It is safe for concurrent use.
type objects struct {
	mu    sync.Mutex
	known map[string][]byte
}

const (
	maxObjects    = 4096 // known ones, so that they are at most
	maxObjectSize = 512  // bytes each; longer ones are hardly ever the same
)

// of is the object of some facts.
func (o *objects) of(facts []byte) []byte {
	if len(facts) > maxObjectSize {
		return slices.Concat([]byte("{"), facts, []byte("}"))
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	object, ok := o.known[string(facts)]
	if !ok {
		if o.known == nil || len(o.known) >= maxObjects {
			o.known = map[string][]byte{}
		}
		object = slices.Concat([]byte("{"), facts, []byte("}"))
		o.known[string(facts)] = object
	}
	return object
}

// allSaid is what plugins say of everything, by uid.
func (s *Store) allSaid(ctx context.Context, q queryer) (map[string]*said, error) {
	return s.readSaid(ctx, q, "", nil)
}

// readSaid reads what plugins say of the entities that a condition selects.
func (s *Store) readSaid(ctx context.Context, q queryer, where string, args []any) (map[string]*said, error) {
	out := map[string]*said{}
	of := func(uid []byte) *said {
		x := out[string(uid)]
		if x == nil {
			x = &said{}
			out[string(uid)] = x
		}
		return x
	}
	// In the order of the keys, byte by byte as on every database.
	order := `"uid", "key"`
	if s.postgres {
		order = `"uid", "key" COLLATE "C"`
	}
	err := queryRows(ctx, q, s.bind(`SELECT "uid", "key", "value" FROM "facts"`+where+` ORDER BY `+order), args, func(r *sql.Rows) error {
		var uid, key, value sql.RawBytes
		if err := r.Scan(&uid, &key, &value); err != nil {
			return err
		}
		x := of(uid)
		if len(x.facts) > 0 {
			x.facts = append(x.facts, ',')
		}
		// A key needs no escape: it is of letters, digits, dots and such.
		x.facts = append(append(append(append(x.facts, '"'), key...), `":`...), value...)
		return nil
	})
	if err != nil {
		return nil, err
	}
	and := ` WHERE "relations" IS NOT NULL`
	if where != "" {
		and = where + ` AND "relations" IS NOT NULL`
	}
	err = queryRows(ctx, q, s.bind(`SELECT "uid", "relations" FROM "enrichments"`+and+` ORDER BY "uid", "plugin"`), args, func(r *sql.Rows) error {
		var uid, text sql.RawBytes
		if err := r.Scan(&uid, &text); err != nil {
			return err
		}
		relations, err := decodeRelations(text, nil)
		x := of(uid)
		x.relations = append(x.relations, relations...)
		return err
	})
	return out, err
}

// attach completes the entities of changes with what plugins say of them now,
// and those of OpFacts with the revision of their content.
func (s *Store) attach(ctx context.Context, changes []catalog.Change, room *room) error {
	var uids, refs []string
	for _, c := range changes {
		if c.Op == catalog.OpDelete {
			continue
		}
		uids = append(uids, c.Entity.UID)
		if c.Op == catalog.OpFacts {
			refs = append(refs, toText(c.Entity.Ref.Key()))
		}
	}
	if len(uids) == 0 {
		return nil
	}
	all, err := s.readSaid(ctx, s.reader, ` WHERE `+s.in(`"uid"`), []any{list(s, uids)})
	if err != nil {
		return err
	}
	of := map[string]content{}
	if len(refs) > 0 {
		if of, err = s.contentsNow(ctx, refs); err != nil {
			return err
		}
	}
	var again []int64 // revisions of those that have changed again since
	for _, c := range changes {
		if c.Op == catalog.OpDelete {
			continue
		}
		all[c.Entity.UID].addTo(c.Entity, room, &s.objects)
		if c.Op != catalog.OpFacts {
			continue
		}
		if now, ok := of[c.Entity.UID]; ok && now.revision < c.Revision {
			c.Entity.Revision, c.Entity.Changed = now.revision, now.changed
		} else {
			again = append(again, int64(c.Revision))
		}
	}
	if len(again) == 0 {
		return nil
	}
	then, err := s.contentsThen(ctx, again)
	for _, c := range changes {
		if x, ok := then[c.Revision]; ok {
			c.Entity.Revision, c.Entity.Changed = x.revision, x.changed
		}
	}
	return err
}

// content is when the content of an entity was written.
type content struct {
	revision catalog.Revision
	changed  time.Time
}

// contentsNow are those of what is served of some refs, by uid.
func (s *Store) contentsNow(ctx context.Context, refs []string) (map[string]content, error) {
	out := map[string]content{}
	return out, queryRows(ctx, s.reader, s.bind(`SELECT "uid", "revision", "changed" FROM "claims" WHERE "served" AND `+s.in(`"ref_key"`)), []any{list(s, refs)}, func(r *sql.Rows) error {
		var uid string
		var revision, changed int64
		err := r.Scan(&uid, &revision, &changed)
		out[uid] = content{catalog.Revision(revision), time.UnixMicro(changed).UTC()}
		return err
	})
}

// contentsThen are those of which plugins said something at some revisions, as
// far as these are kept.
func (s *Store) contentsThen(ctx context.Context, revisions []int64) (map[catalog.Revision]content, error) {
	out := map[catalog.Revision]content{}
	return out, queryRows(ctx, s.reader, s.bind(`SELECT r."id", c."id", c."time" FROM "revisions" r JOIN "revisions" c ON c."id" = (SELECT "id" FROM "revisions"
		WHERE `+s.ofRef(`r."ref_key"`)+` AND "id" < r."id" AND "op" <> 'facts'`+newestFirst+`LIMIT 1) WHERE `+s.in(`r."id"`)), []any{list(s, revisions)}, func(r *sql.Rows) error {
		var at, revision, changed int64
		err := r.Scan(&at, &revision, &changed)
		out[catalog.Revision(at)] = content{catalog.Revision(revision), time.UnixMicro(changed).UTC()}
		return err
	})
}

// dropFacts forgets what plugins said of entities that are removed.
func (s *Store) dropFacts(ctx context.Context, tx *ent.Tx, events []event) error {
	var uids []string
	for _, e := range events {
		if e.op == catalog.OpDelete && e.moved == "" {
			uids = append(uids, e.uid)
		}
	}
	if len(uids) == 0 {
		return nil
	}
	for _, table := range []string{"facts", "enrichments"} {
		if _, err := tx.ExecContext(ctx, s.bind(`DELETE FROM "`+table+`" WHERE `+s.in(`"uid"`)), list(s, uids)); err != nil {
			return err
		}
	}
	return nil
}
