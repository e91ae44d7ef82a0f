package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Delivery is a webhook delivery in the inbox.
type Delivery struct {
	ID     string // the forge's; unique within the source
	Source string
	Event  string // the forge's name of its type, such as push
	// Received is kept in whole microseconds. Deliveries are processed in its order.
	Received time.Time
	// Payload is JSON. It is kept while the delivery waits.
	Payload []byte
	// Waiting says that it is still to be processed.
	Waiting bool
	// Outcome is what came of it, in a few words; empty while it waits.
	Outcome string
}

// key is the delivery's id in the table.
func (d Delivery) key() string { return toText(d.Source + " " + d.ID) }

// DeliveryQueue is what waits in the inbox for one source.
type DeliveryQueue struct {
	Source string
	Depth  int
	Oldest time.Time // when the one that has waited longest was received
}

// Bounds of one statement or transaction.
const (
	// deliveryBytes is how many bytes of payloads one statement carries, and
	// one read returns, but for a single larger payload.
	deliveryBytes = 32 << 20
	// pruneRows is how many deliveries one transaction deletes.
	pruneRows = 2000
)

// PutDeliveries puts deliveries into the inbox, in one transaction that waits
// for no writer of the catalog but on SQLite, which has one at all. What is
// there already, from the same source under the same id, stays as it is. It
// tells for each delivery whether it was new; of two with one id in the same
// call the first is.
func (s *Store) PutDeliveries(ctx context.Context, deliveries []Delivery) ([]bool, error) {
	// In order of their keys, so that two replicas that were given the same
	// deliveries wait for each other and do not lock each other out.
	order := make([]int, len(deliveries))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return strings.Compare(deliveries[a].key(), deliveries[b].key()) })
	var added map[string]bool
	err := retry(ctx, func() error {
		added = make(map[string]bool, len(deliveries))
		tx, err := s.writer.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		defer tx.Rollback() //nolint:errcheck // after Commit there is nothing to roll back
		insert := insertDeliveriesSQLite
		if s.postgres {
			insert = insertDeliveriesPostgres
		}
		if err := insert(ctx, tx, deliveries, order, added); err != nil {
			return err
		}
		return tx.Commit()
	})
	if err != nil {
		return nil, fmt.Errorf("put %d deliveries into the inbox: %w", len(deliveries), err)
	}
	fresh := make([]bool, len(deliveries))
	for i, d := range deliveries {
		key := d.key()
		fresh[i] = added[key]
		delete(added, key)
	}
	return fresh, nil
}

// insertDeliveriesSQLite inserts one row after the other: there is no round
// trip to save.
func insertDeliveriesSQLite(ctx context.Context, tx *sql.Tx, deliveries []Delivery, order []int, added map[string]bool) error {
	insert, err := tx.PrepareContext(ctx, `INSERT INTO "deliveries" ("id", "source", "event", "received", "payload", "waiting", "outcome")
		VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`)
	if err != nil {
		return err
	}
	defer insert.Close()
	for _, i := range order {
		d := deliveries[i]
		key := d.key()
		result, err := insert.ExecContext(ctx, key, toText(d.Source), toText(d.Event), d.Received.UnixMicro(), d.Payload, d.Waiting, toText(d.Outcome))
		if err != nil {
			return err
		}
		n, err := result.RowsAffected()
		if err != nil {
			return err
		}
		if n > 0 {
			added[key] = true
		}
	}
	return nil
}

// insertDeliveriesPostgres passes each column as one array.
func insertDeliveriesPostgres(ctx context.Context, tx *sql.Tx, deliveries []Delivery, order []int, added map[string]bool) error {
	for len(order) > 0 {
		var keys, sources, events, outcomes []string
		var received []int64
		var payloads [][]byte
		var waiting []bool
		bytes := 0
		for len(order) > 0 && len(keys) < postgresRows && (bytes == 0 || bytes+len(deliveries[order[0]].Payload) <= deliveryBytes) {
			d := deliveries[order[0]]
			order = order[1:]
			bytes += len(d.Payload)
			keys, sources, events = append(keys, d.key()), append(sources, toText(d.Source)), append(events, toText(d.Event))
			received, payloads = append(received, d.Received.UnixMicro()), append(payloads, d.Payload)
			waiting, outcomes = append(waiting, d.Waiting), append(outcomes, toText(d.Outcome))
		}
		err := queryRows(ctx, tx, `INSERT INTO "deliveries" ("id", "source", "event", "received", "payload", "waiting", "outcome")
			SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::bytea[], $6::boolean[], $7::text[])
			ON CONFLICT DO NOTHING RETURNING "id"`, []any{keys, sources, events, received, payloads, waiting, outcomes}, func(r *sql.Rows) error {
			var key string
			err := r.Scan(&key)
			added[key] = true
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// WaitingDeliveries returns up to limit deliveries of a source that wait, with
// their payloads, the first received first: fewer, but one at least, when their
// payloads are over 32 MiB together.
func (s *Store) WaitingDeliveries(ctx context.Context, source string, limit int) ([]Delivery, error) {
	var keys []string
	bytes := 0
	// Sizes first: either database knows them without reading the payloads.
	err := queryRows(ctx, s.reader, s.bind(`SELECT "id", coalesce(length("payload"), 0) FROM "deliveries"
		WHERE "source" = ? AND "waiting" ORDER BY "received", "id" LIMIT ?`), []any{toText(source), limit}, func(r *sql.Rows) error {
		var key string
		var size int
		if err := r.Scan(&key, &size); err != nil {
			return err
		}
		if bytes += size; len(keys) == 0 || bytes <= deliveryBytes {
			keys = append(keys, key)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read what waits in the inbox of %s: %w", source, err)
	}
	if len(keys) == 0 {
		return nil, nil
	}
	out := make([]Delivery, 0, len(keys))
	err = queryRows(ctx, s.reader, s.bind(`SELECT "id", "source", "event", "received", "waiting", "outcome", "payload" FROM "deliveries"
		WHERE "waiting" AND `+s.in("id")+` ORDER BY "received", "id"`), []any{list(s, keys)}, func(r *sql.Rows) error {
		var payload []byte
		d, err := scanDelivery(r, &payload)
		d.Payload = payload
		out = append(out, d)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read what waits in the inbox of %s: %w", source, err)
	}
	return out, nil
}

// FinishDeliveries marks deliveries as processed, each with its Outcome, and
// drops their payloads. Those that are processed already stay as they are.
func (s *Store) FinishDeliveries(ctx context.Context, deliveries []Delivery) error {
	byOutcome := map[string][]string{}
	var outcomes []string
	for _, d := range deliveries {
		if _, ok := byOutcome[d.Outcome]; !ok {
			outcomes = append(outcomes, d.Outcome)
		}
		byOutcome[d.Outcome] = append(byOutcome[d.Outcome], d.key())
	}
	err := retry(ctx, func() error {
		tx, err := s.writer.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		defer tx.Rollback() //nolint:errcheck // after Commit there is nothing to roll back
		for _, outcome := range outcomes {
			_, err := tx.ExecContext(ctx, s.bind(`UPDATE "deliveries" SET "waiting" = false, "payload" = NULL, "outcome" = ? WHERE "waiting" AND `+s.in("id")),
				toText(outcome), list(s, byOutcome[outcome]))
			if err != nil {
				return err
			}
		}
		return tx.Commit()
	})
	if err != nil {
		return fmt.Errorf("mark %d deliveries as processed: %w", len(deliveries), err)
	}
	return nil
}

// Deliveries returns up to limit deliveries to a source, or to all if it is
// empty, the last received first, without their payloads.
func (s *Store) Deliveries(ctx context.Context, source string, limit int) ([]Delivery, error) {
	query, args := `SELECT "id", "source", "event", "received", "waiting", "outcome" FROM "deliveries" `, []any{}
	if source != "" {
		query, args = query+`WHERE "source" = ? `, append(args, toText(source))
	}
	out := []Delivery{}
	// By the time alone: SQLite would sort the table for an order by id within it.
	err := queryRows(ctx, s.reader, s.bind(query+`ORDER BY "received" DESC LIMIT ?`), append(args, limit), func(r *sql.Rows) error {
		d, err := scanDelivery(r)
		out = append(out, d)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read deliveries: %w", err)
	}
	return out, nil
}

// DeliveryQueues tells what waits, for each source for which something does,
// by name.
func (s *Store) DeliveryQueues(ctx context.Context) ([]DeliveryQueue, error) {
	out := []DeliveryQueue{}
	err := queryRows(ctx, s.reader, `SELECT "source", count(*), min("received") FROM "deliveries" WHERE "waiting" GROUP BY "source" ORDER BY "source"`, nil,
		func(r *sql.Rows) error {
			var q DeliveryQueue
			var oldest int64
			err := r.Scan(&q.Source, &q.Depth, &oldest)
			q.Source, q.Oldest = fromText(q.Source), time.UnixMicro(oldest).UTC()
			out = append(out, q)
			return err
		})
	if err != nil {
		return nil, fmt.Errorf("read the depth of the inbox: %w", err)
	}
	return out, nil
}

// PruneDeliveries forgets deliveries that were received before a time and are
// processed, and returns how many. A repeated one is not known any more then.
func (s *Store) PruneDeliveries(ctx context.Context, before time.Time) (int, error) {
	total := 0
	for {
		var n int64
		err := retry(ctx, func() error {
			result, err := s.writer.ExecContext(ctx, s.bind(`DELETE FROM "deliveries" WHERE "id" IN
				(SELECT "id" FROM "deliveries" WHERE NOT "waiting" AND "received" < ? ORDER BY "received" LIMIT ?)`), before.UnixMicro(), pruneRows)
			if err != nil {
				return err
			}
			n, err = result.RowsAffected()
			return err
		})
		total += int(n)
		if err != nil {
			return total, fmt.Errorf("forget deliveries before %s: %w", before.UTC().Format(time.RFC3339), err)
		}
		if n < pruneRows {
			return total, nil
		}
	}
}

// scanDelivery reads a row of id, source, event, received, waiting and outcome,
// and what follows them.
func scanDelivery(r *sql.Rows, more ...any) (Delivery, error) {
	var d Delivery
	var received int64
	if err := r.Scan(append([]any{&d.ID, &d.Source, &d.Event, &received, &d.Waiting, &d.Outcome}, more...)...); err != nil {
		return Delivery{}, err
	}
	for _, text := range []*string{&d.ID, &d.Source, &d.Event, &d.Outcome} {
		*text = fromText(*text)
	}
	d.ID = strings.TrimPrefix(d.ID, d.Source+" ")
	d.Received = time.UnixMicro(received).UTC()
	return d, nil
}
