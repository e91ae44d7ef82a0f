package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/waypost-dev/waypost/ent"
	"github.com/waypost-dev/waypost/ent/harvest"
	"github.com/waypost-dev/waypost/server/catalog"
)

// responseAge is how long a Response is kept.
const responseAge = 30 * 24 * time.Hour

// BeginHarvest records the start of a run and takes the source's lease; it
// returns ErrBusy while another live process, or this one, holds it. A run that
// a dead process left behind is marked interrupted. cause says what asked for it.
func (s *Store) BeginHarvest(ctx context.Context, source, cause string) (Harvest, error) {
	var out Harvest
	err := s.write(ctx, func(tx *ent.Tx, now int64) error {
		if err := s.takeLease(ctx, tx, source, now); err != nil {
			return err
		}
		at := time.UnixMicro(now).UTC()
		_, err := tx.Harvest.Update().Where(harvest.Source(toText(source)), harvest.State(string(HarvestRunning))).
			SetState(string(HarvestInterrupted)).SetFinished(at).SetError(interrupted).Save(ctx)
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, s.bind(`DELETE FROM "responses" WHERE "stored" < ?`), now-responseAge.Microseconds()); err != nil {
			return err
		}
		h, err := tx.Harvest.Create().SetSource(toText(source)).SetCause(toText(cause)).SetStarted(at).SetState(string(HarvestRunning)).Save(ctx)
		if err != nil {
			return err
		}
		out = harvestOf(h)
		return nil
	})
	if err != nil {
		return Harvest{}, fmt.Errorf("begin harvest of %s: %w", source, err)
	}
	s.mu.Lock()
	s.held[source] = out
	s.mu.Unlock()
	return out, nil
}

// FinishHarvest records the end of a run, with the problems of the source as a
// whole, which replace those of the run before, and gives the lease back.
func (s *Store) FinishHarvest(ctx context.Context, h Harvest, problems []catalog.Problem) error {
	if h.State == HarvestRunning || h.State == "" {
		return fmt.Errorf("finish harvest %d of %s: its state is %q; say how it ended", h.ID, h.Source, h.State)
	}
	if h.Finished.IsZero() {
		h.Finished = time.Now()
	}
	text, err := encode(problems)
	if err != nil {
		return fmt.Errorf("finish harvest %d of %s: %w", h.ID, h.Source, err)
	}
	err = s.write(ctx, func(tx *ent.Tx, _ int64) error {
		// A run that was marked interrupted has lost its lease; its end is no news.
		n, err := tx.Harvest.Update().Where(harvest.ID(h.ID), harvest.State(string(HarvestRunning))).
			SetFinished(h.Finished.UTC()).SetState(string(h.State)).SetError(toText(h.Error)).
			SetRepositories(h.Repositories).SetRead(h.Read).SetAdded(h.Added).SetChanged(h.Changed).SetRemoved(h.Removed).
			SetUnchanged(h.Unchanged).SetOrphaned(h.Orphaned).SetHeld(h.Held).SetHeldOf(h.HeldOf).SetProblemCount(h.Problems).SetRequests(h.Requests).SetFreeRequests(h.FreeRequests).
			SetProblems(text).Save(ctx)
		if err != nil {
			return err
		}
		if n == 0 {
			return fmt.Errorf("running harvest %d: %w", h.ID, ErrNotFound)
		}
		return s.dropLease(ctx, tx, h.Source)
	})
	s.mu.Lock()
	if s.held[h.Source].ID == h.ID {
		delete(s.held, h.Source)
	}
	s.mu.Unlock()
	if err != nil {
		return fmt.Errorf("finish harvest %d of %s: %w", h.ID, h.Source, err)
	}
	return nil
}

// Harvests returns up to limit harvests of a source, or of all if it is empty,
// the latest first.
func (s *Store) Harvests(ctx context.Context, source string, limit int) ([]Harvest, error) {
	q := s.reads.Harvest.Query().Order(harvest.ByID(descending)).Limit(limit)
	if source != "" {
		q = q.Where(harvest.Source(toText(source)))
	}
	rows, err := q.All(ctx)
	if err != nil {
		return nil, fmt.Errorf("read harvests: %w", err)
	}
	out := make([]Harvest, len(rows))
	for i, r := range rows {
		out[i] = harvestOf(r)
	}
	if err := s.settle(ctx, out); err != nil {
		return nil, fmt.Errorf("read leases: %w", err)
	}
	return out, nil
}

// LastSuccess is when the latest harvest of a source began that read all of it,
// whether or not it removed what is gone; false if there is none.
func (s *Store) LastSuccess(ctx context.Context, source string) (time.Time, bool, error) {
	h, err := s.reads.Harvest.Query().Where(harvest.Source(toText(source)), harvest.StateIn(string(HarvestSucceeded), string(HarvestHeld))).
		Order(harvest.ByID(descending)).First(ctx)
	if ent.IsNotFound(err) {
		return time.Time{}, false, nil
	}
	if err != nil {
		return time.Time{}, false, fmt.Errorf("read latest harvest of %s: %w", source, err)
	}
	return h.Started.UTC(), true, nil
}

// GetHarvest returns one harvest, or ErrNotFound.
func (s *Store) GetHarvest(ctx context.Context, id int64) (Harvest, error) {
	r, err := s.reads.Harvest.Get(ctx, id)
	if ent.IsNotFound(err) {
		err = ErrNotFound
	}
	if err != nil {
		return Harvest{}, fmt.Errorf("harvest %d: %w", id, err)
	}
	out := []Harvest{harvestOf(r)}
	if err := s.settle(ctx, out); err != nil {
		return Harvest{}, fmt.Errorf("read leases: %w", err)
	}
	return out[0], nil
}

// Sources are the names of all sources that have ever been harvested, sorted.
func (s *Store) Sources(ctx context.Context) ([]string, error) {
	var out []string
	err := queryRows(ctx, s.reader, `SELECT "source" FROM "harvests" UNION SELECT "source" FROM "repositories" ORDER BY 1`, nil,
		func(r *sql.Rows) error {
			var name string
			err := r.Scan(&name)
			out = append(out, fromText(name))
			return err
		})
	if err != nil {
		return nil, fmt.Errorf("read sources: %w", err)
	}
	return out, nil
}

func harvestOf(h *ent.Harvest) Harvest {
	out := Harvest{
		ID: h.ID, Source: fromText(h.Source), Started: h.Started.UTC(), State: HarvestState(h.State), Error: fromText(h.Error),
		Repositories: h.Repositories, Read: h.Read, Added: h.Added, Changed: h.Changed, Removed: h.Removed,
		Cause: fromText(h.Cause), Orphaned: h.Orphaned, Held: h.Held, HeldOf: h.HeldOf,
		Unchanged: h.Unchanged, Problems: h.ProblemCount, Requests: h.Requests, FreeRequests: h.FreeRequests,
	}
	if h.Finished != nil {
		out.Finished = h.Finished.UTC()
	}
	return out
}

// Repositories returns all that is known of a source, by ID.
func (s *Store) Repositories(ctx context.Context, source string) (map[string]Repository, error) {
	return s.repositories(ctx, source, "")
}

// Repository returns what is known of one repository, or ErrNotFound.
func (s *Store) Repository(ctx context.Context, source, id string) (Repository, error) {
	found, err := s.repositories(ctx, source, ` AND "forge_id" = ?`, toText(id))
	if err != nil {
		return Repository{}, err
	}
	r, ok := found[id]
	if !ok {
		return Repository{}, fmt.Errorf("repository %s of %s: %w", id, source, ErrNotFound)
	}
	return r, nil
}

// RepositoryID returns the forge's id of a repository by its name, or ErrNotFound.
func (s *Store) RepositoryID(ctx context.Context, source, name string) (string, error) {
	var id string
	err := queryRow(ctx, s.reader, s.bind(`SELECT "forge_id" FROM "repositories" WHERE NOT "gone" AND "source" = ? AND "name" = ?`),
		[]any{toText(source), toText(name)}, &id)
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrNotFound
	}
	if err != nil {
		return "", fmt.Errorf("repository %s of %s: %w", name, source, err)
	}
	return fromText(id), nil
}

func (s *Store) repositories(ctx context.Context, source, and string, args ...any) (map[string]Repository, error) {
	out := map[string]Repository{}
	names := map[int64]string{}
	err := queryRows(ctx, s.reader, s.bind(`SELECT "id", "forge_id", "name", "state", "commit", "facts" FROM "repositories" WHERE NOT "gone" AND "source" = ?`+and),
		append([]any{toText(source)}, args...), func(rows *sql.Rows) error {
			var id int64
			r := Repository{Documents: map[string]Document{}}
			if err := rows.Scan(&id, &r.ID, &r.Name, &r.State, &r.Commit, &r.Facts); err != nil {
				return err
			}
			for _, s := range []*string{&r.ID, &r.Name, &r.State, &r.Commit} {
				*s = fromText(*s)
			}
			out[r.ID], names[id] = r, r.ID
			return nil
		})
	if err != nil {
		return nil, fmt.Errorf("read repositories of %s: %w", source, err)
	}
	err = queryRows(ctx, s.reader, s.bind(`SELECT d."repository_id", d."path", d."hash", d."commit", d."problems" FROM "documents" d
		JOIN "repositories" r ON r."id" = d."repository_id" WHERE r."source" = ?`+and), append([]any{toText(source)}, args...), func(rows *sql.Rows) error {
		var id int64
		var path string
		var problems []byte
		var d Document
		if err := rows.Scan(&id, &path, &d.Hash, &d.Commit, &problems); err != nil {
			return err
		}
		d.Hash, d.Commit = fromText(d.Hash), fromText(d.Commit)
		if len(problems) > 0 {
			if err := json.Unmarshal(problems, &d.Problems); err != nil {
				return err
			}
		}
		if r, ok := out[names[id]]; ok { // else it came after the first query
			r.Documents[fromText(path)] = d
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read documents of %s: %w", source, err)
	}
	return out, nil
}
