package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/waypost-dev/waypost/ent"
)

// ErrChanged: somebody else has written the record meanwhile.
var ErrChanged = errors.New("changed meanwhile")

// MaxRecord is the size in bytes above which PutRecord refuses a value.
const MaxRecord = 1 << 20

// Record is something that a plugin keeps for itself.
type Record struct {
	Key     string
	Value   []byte // JSON
	Version int64  // above 0; another one after each Put
	// Updated is kept in whole microseconds, by the database's clock.
	Updated time.Time
}

// GetRecord returns a record of a plugin, or ErrNotFound.
func (s *Store) GetRecord(ctx context.Context, plugin, key string) (Record, error) {
	r := Record{Key: key}
	var updated int64
	err := queryRow(ctx, s.reader, s.bind(`SELECT "value", "version", "updated" FROM "records" WHERE "plugin" = ? AND "key" = ?`),
		[]any{plugin, toText(key)}, &r.Value, &r.Version, &updated)
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrNotFound
	}
	if err != nil {
		return Record{}, fmt.Errorf("read record %s of plugin %s: %w", key, plugin, err)
	}
	r.Updated = atMicros(updated)
	return r, nil
}

// Records returns up to limit records of a plugin whose keys begin with a prefix
// and come after a key, in their order, byte by byte.
func (s *Store) Records(ctx context.Context, plugin, prefix, after string, limit int) ([]Record, error) {
	key := `"key"`
	if s.postgres {
		key = `"key" COLLATE "C"`
	}
	out := []Record{}
	err := queryRows(ctx, s.reader, s.bind(`SELECT "key", "value", "version", "updated" FROM "records"
		WHERE "plugin" = ? AND `+key+` > ? AND `+key+` >= ? AND substr("key", 1, ?) = ? ORDER BY `+key+` LIMIT ?`),
		[]any{plugin, toText(after), toText(prefix), len([]rune(toText(prefix))), toText(prefix), limit}, func(rows *sql.Rows) error {
			var r Record
			var key string
			var updated int64
			err := rows.Scan(&key, &r.Value, &r.Version, &updated)
			r.Key, r.Updated = fromText(key), atMicros(updated)
			out = append(out, r)
			return err
		})
	if err != nil {
		return nil, fmt.Errorf("read records %s… of plugin %s: %w", prefix, plugin, err)
	}
	return out, nil
}

// PutRecord writes a record. With a version above 0 it does so only if the
// record has that version, and else returns ErrChanged.
func (s *Store) PutRecord(ctx context.Context, plugin, key string, value []byte, version int64) error {
	if len(value) > MaxRecord {
		return fmt.Errorf("write record %s of plugin %s: its %d bytes are over the %d that a record may have", key, plugin, len(value), MaxRecord)
	}
	err := s.write(ctx, func(tx *ent.Tx, now int64) error {
		var id, had, last int64
		err := queryRow(ctx, tx, s.bind(`SELECT "id", "version" FROM "records" WHERE "plugin" = ? AND "key" = ?`), []any{plugin, toText(key)}, &id, &had)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		if version > 0 && version != had {
			return ErrChanged
		}
		if id != 0 {
			_, err := tx.ExecContext(ctx, s.bind(`UPDATE "records" SET "value" = ?, "version" = ?, "updated" = ? WHERE "id" = ?`), value, had+1, now, id)
			return err
		}
		if err := queryRow(ctx, tx, `SELECT coalesce(max("id"), 0) FROM "records"`, nil, &last); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, s.bind(`INSERT INTO "records" ("id", "plugin", "key", "value", "version", "updated") VALUES (?, ?, ?, ?, ?, ?)`),
			last+1, plugin, toText(key), value, max(had, 0)+1, now)
		return err
	})
	if err != nil {
		return fmt.Errorf("write record %s of plugin %s: %w", key, plugin, err)
	}
	return nil
}

// DeleteRecord removes a record, if it is there.
func (s *Store) DeleteRecord(ctx context.Context, plugin, key string) error {
	err := retry(ctx, func() error {
		_, err := s.writer.ExecContext(ctx, s.bind(`DELETE FROM "records" WHERE "plugin" = ? AND "key" = ?`), plugin, toText(key))
		return err
	})
	if err != nil {
		return fmt.Errorf("delete record %s of plugin %s: %w", key, plugin, err)
	}
	return nil
}
