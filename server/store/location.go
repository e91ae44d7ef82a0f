package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// ErrExists: there is one already.
var ErrExists = errors.New("exists already")

// Location is a location that was registered through the API.
type Location struct {
	ID     string // a UUID
	Target string // type:target, such as url:https://example.com/all.yaml; unique
	// Created is kept in whole microseconds.
	Created time.Time
	Creator string // caller of the API; empty if unknown
}

// PutLocation keeps a location. If one has its target already that stays, and the
// error is an ErrExists.
func (s *Store) PutLocation(ctx context.Context, l Location) error {
	var added int64
	err := retry(ctx, func() error {
		result, err := s.writer.ExecContext(ctx, s.bind(`INSERT INTO "locations" ("id", "target", "created", "creator") VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING`),
			toText(l.ID), toText(l.Target), l.Created.UnixMicro(), toText(l.Creator))
		if err != nil {
			return err
		}
		added, err = result.RowsAffected()
		return err
	})
	if err == nil && added == 0 {
		err = ErrExists
	}
	if err != nil {
		return fmt.Errorf("keep the location %s: %w", l.Target, err)
	}
	return nil
}

// Locations returns up to limit locations by target, those after a target if it is
// not empty.
func (s *Store) Locations(ctx context.Context, after string, limit int) ([]Location, error) {
	// Byte by byte, so that a page ends and begins alike on every database.
	order := `"target"`
	if s.postgres {
		order = `"target" COLLATE "C"`
	}
	out := []Location{}
	err := queryRows(ctx, s.reader, s.bind(`SELECT "id", "target", "created", "creator" FROM "locations" WHERE `+order+` > ? ORDER BY `+order+` LIMIT ?`),
		[]any{toText(after), limit}, func(r *sql.Rows) error {
			l, err := scanLocation(r.Scan)
			out = append(out, l)
			return err
		})
	if err != nil {
		return nil, fmt.Errorf("read locations: %w", err)
	}
	return out, nil
}

// GetLocation returns the location with an id, or with a target if id is empty; or
// ErrNotFound.
func (s *Store) GetLocation(ctx context.Context, id, target string) (Location, error) {
	where, arg := `"id"`, id
	if id == "" {
		where, arg = `"target"`, target
	}
	found, l := false, Location{}
	err := queryRows(ctx, s.reader, s.bind(`SELECT "id", "target", "created", "creator" FROM "locations" WHERE `+where+` = ?`), []any{toText(arg)}, func(r *sql.Rows) (err error) {
		found = true
		l, err = scanLocation(r.Scan)
		return err
	})
	if err == nil && !found {
		err = ErrNotFound
	}
	if err != nil {
		return Location{}, fmt.Errorf("read location %s: %w", arg, err)
	}
	return l, nil
}

// DeleteLocation forgets a location. What it declared stays. The error is
// ErrNotFound if there is none.
func (s *Store) DeleteLocation(ctx context.Context, id string) error {
	var gone int64
	err := retry(ctx, func() error {
		result, err := s.writer.ExecContext(ctx, s.bind(`DELETE FROM "locations" WHERE "id" = ?`), toText(id))
		if err != nil {
			return err
		}
		gone, err = result.RowsAffected()
		return err
	})
	if err == nil && gone == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return fmt.Errorf("forget location %s: %w", id, err)
	}
	return nil
}

func scanLocation(scan func(...any) error) (Location, error) {
	var l Location
	var created int64
	err := scan(&l.ID, &l.Target, &created, &l.Creator)
	l.ID, l.Target, l.Creator, l.Created = fromText(l.ID), fromText(l.Target), fromText(l.Creator), time.UnixMicro(created).UTC()
	return l, err
}
