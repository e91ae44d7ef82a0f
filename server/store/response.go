package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// MaxResponse is the size in bytes above which PutResponse keeps nothing.
const MaxResponse = 8 << 20

// Response returns what PutResponse stored under key. A response is kept for
// 30 days from when it was stored.
func (s *Store) Response(ctx context.Context, key string) ([]byte, bool, error) {
	var value []byte
	err := queryRow(ctx, s.reader, s.bind(`SELECT "value" FROM "responses" WHERE "key" = ?`), []any{toText(key)}, &value)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("read response %s: %w", key, err)
	}
	return value, true, nil
}

// PutResponse stores a value under a key. A value over MaxResponse is not kept,
// nor is what was there before, which it would contradict. A nil value removes.
func (s *Store) PutResponse(ctx context.Context, key string, value []byte) error {
	query := `INSERT INTO "responses" ("key", "stored", "value") VALUES (?, ?, ?)
		ON CONFLICT ("key") DO UPDATE SET "stored" = excluded."stored", "value" = excluded."value"`
	args := []any{toText(key), time.Now().UnixMicro(), value}
	if value == nil || len(value) > MaxResponse {
		query, args = `DELETE FROM "responses" WHERE "key" = ?`, args[:1]
	}
	err := retry(ctx, func() error {
		_, err := s.writer.ExecContext(ctx, s.bind(query), args...)
		return err
	})
	if err != nil {
		return fmt.Errorf("store response %s: %w", key, err)
	}
	return nil
}
