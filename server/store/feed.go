package store

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/waypost-dev/waypost/server/catalog"
)

const contentColumns = `t."ref", t."source", t."repository", t."path", t."commit", t."line", t."inferred", t."relations", t."document"`

// entityScanner reads contentColumns. It copies nothing twice, and what entities
// of the same document have in common is kept once.
type entityScanner struct {
	ref, relations, document         sql.RawBytes
	source, repository, path, commit shared
	room                             room
}

// shared is a text column that is often the same as in the row before.
type shared struct {
	column    sql.RawBytes
	raw, text string
}

func (s *shared) value(room *room) string {
	if string(s.column) != s.raw {
		s.raw = room.name(string(s.column))
		s.text = fromText(s.raw)
	}
	return s.text
}

// scan reads a row whose first columns go into before.
func (x *entityScanner) scan(rows *sql.Rows, before ...any) (*catalog.Entity, error) {
	e, err := x.read(rows, before...)
	if err != nil {
		return nil, err
	}
	return e, relate(e, x.relations, &x.room)
}

// relate adds the relations, which are a third of the work of reading an entity.
func relate(e *catalog.Entity, relations []byte, room *room) (err error) {
	if e.Relations, err = decodeRelations(relations, room); err != nil {
		return fmt.Errorf("relations of %s: %w", e.Ref, err)
	}
	return nil
}

// read is scan without the relations, which stay in x until the next row.
func (x *entityScanner) read(rows *sql.Rows, before ...any) (*catalog.Entity, error) {
	e := x.room.entity()
	o := &e.Origin
	err := rows.Scan(append(before, &x.ref, &x.source.column, &x.repository.column, &x.path.column, &x.commit.column,
		&o.Line, &o.Inferred, &x.relations, &x.document)...)
	if err != nil {
		return nil, err
	}
	if e.Ref, err = catalog.ParseRef(fromText(x.room.text(x.ref)), catalog.RefContext{}); err != nil {
		return nil, err
	}
	o.Source, o.Repository, o.Path, o.Commit = x.source.value(&x.room), x.repository.value(&x.room), x.path.value(&x.room), x.commit.value(&x.room)
	e.Document = x.room.join(x.document)
	return e, nil
}

// Load calls each for every entity that is served, in no particular order, and
// returns the revision that this state has. An error from each ends it. each
// must not call the store.
func (s *Store) Load(ctx context.Context, each func(*catalog.Entity) error) (catalog.Revision, error) {
	tx, err := s.snapshot(ctx)
	if err != nil {
		return 0, fmt.Errorf("load the catalog: %w", err)
	}
	defer tx.Rollback() //nolint:errcheck // it only reads
	var last catalog.Revision
	err = queryRow(ctx, tx, lastRevision, nil, &last)
	if err != nil {
		return 0, fmt.Errorf("load the catalog: %w", err)
	}
	said, err := s.allSaid(ctx, tx)
	if err != nil {
		return 0, fmt.Errorf("load the catalog: facts: %w", err)
	}
	// One goroutine reads rows, the other makes entities of them.
	batches := make(chan []loaded, 4)
	var stopped atomic.Bool
	var reading errgroup.Group
	reading.Go(func() error {
		defer close(batches)
		return s.loadRows(ctx, tx, func(batch []loaded) error {
			if stopped.Load() {
				return errStopped
			}
			batches <- batch
			return nil
		})
	})
	var room room
	var failed error
	for batch := range batches {
		for _, l := range batch {
			if failed != nil {
				break
			}
			if failed = relate(l.entity, l.relations, &room); failed == nil {
				said[l.entity.UID].addTo(l.entity, &room, &s.objects)
				failed = each(l.entity)
			}
		}
		stopped.Store(failed != nil)
	}
	err = reading.Wait()
	if failed != nil {
		return 0, failed
	}
	if err != nil {
		return 0, fmt.Errorf("load the catalog: %w", err)
	}
	return last, nil
}

// loaded is an entity whose relations are still to be decoded.
type loaded struct {
	entity    *catalog.Entity
	relations []byte
}

var errStopped = errors.New("stopped")

// loadRows hands on what is served, some hundred entities at a time.
func (s *Store) loadRows(ctx context.Context, tx *sql.Tx, yield func([]loaded) error) error {
	const many = 256
	batch := make([]loaded, 0, many)
	var x entityScanner
	err := queryRows(ctx, tx, `SELECT c."uid", c."revision", c."changed", `+contentColumns+
		` FROM "claims" c JOIN "contents" t ON t."id" = c."content_id" WHERE c."served"`, nil, func(rows *sql.Rows) error {
		var uid sql.RawBytes
		var revision, changed int64
		e, err := x.read(rows, &uid, &revision, &changed)
		if err != nil {
			return err
		}
		e.UID, e.Revision, e.Changed = x.room.text(uid), catalog.Revision(revision), time.UnixMicro(changed).UTC()
		if batch = append(batch, loaded{e, bytes.Clone(x.relations)}); len(batch) < many {
			return nil
		}
		full := batch
		batch = make([]loaded, 0, many)
		return yield(full)
	})
	if err != nil {
		return err
	}
	return yield(batch)
}

const lastRevision = `SELECT coalesce(max("id"), 0) FROM "revisions"`

// snapshot begins a transaction that sees one state of the database.
func (s *Store) snapshot(ctx context.Context) (*sql.Tx, error) {
	if s.postgres {
		return s.reader.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true})
	}
	return s.reader.BeginTx(ctx, nil)
}

// Latest is the number of the last revision; 0 if there is none.
func (s *Store) Latest(ctx context.Context) (catalog.Revision, error) {
	var last catalog.Revision
	if err := queryRow(ctx, s.reader, lastRevision, nil, &last); err != nil {
		return 0, fmt.Errorf("read the last revision: %w", err)
	}
	return last, nil
}

// Changes returns up to limit changes after a revision, in order and without a
// gap: whoever has seen one has seen every one below it. The error is ErrTooOld
// if some of them were given up.
func (s *Store) Changes(ctx context.Context, after catalog.Revision, limit int) ([]catalog.Change, error) {
	var out []catalog.Change
	var x entityScanner
	err := queryRows(ctx, s.reader, s.bind(`SELECT `+revisionColumns+contentColumns+
		` FROM "revisions" r JOIN "contents" t ON t."id" = r."content_id" WHERE r."id" > ? ORDER BY r."id" LIMIT ?`),
		[]any{int64(after), limit}, func(rows *sql.Rows) error {
			c, err := x.scanChange(rows)
			out = append(out, c)
			return err
		})
	if err == nil {
		// Asked afterwards: Prune raises it before it removes anything.
		var from string
		if err = queryRow(ctx, s.reader, `SELECT `+keptFrom, nil, &from); err == nil {
			err = tooOld(from, after)
		}
	}
	if err == nil {
		err = s.attach(ctx, out, &x.room)
	}
	if err != nil {
		return nil, fmt.Errorf("read changes after revision %d: %w", after, err)
	}
	return out, nil
}

// Notify returns a channel that gets a value, without blocking the sender,
// after this process has committed changes, and on PostgreSQL soon after another
// one has. It is a hint, for those who also ask now and then. Cancel it with
// stop; the channel is never closed.
func (s *Store) Notify() (changed <-chan struct{}, stop func()) {
	s.listening()
	ch := make(chan struct{}, 1)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.watchers[ch] = struct{}{}
	return ch, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.watchers, ch)
	}
}

// tell notifies the watchers.
func (s *Store) tell() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for ch := range s.watchers {
		select {
		case ch <- struct{}{}:
		default: // it has not read the last one yet
		}
	}
}
