package store

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"entgo.io/ent/dialect/sql"

	"github.com/waypost-dev/waypost/ent"
	"github.com/waypost-dev/waypost/ent/lease"
)

// descending orders the latest first.
func descending(o *sql.OrderTermOptions) { o.Desc = true }

// holders are the open Stores of this process.
var holders sync.Map

// newHolder names a Store: host, the space that its process number belongs to,
// the number, and what tells it from another Store of the process or a later
// process of that number.
func newHolder() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return strings.Join([]string{strings.ReplaceAll(host, "/", "-"), processSpace(), strconv.Itoa(os.Getpid()), rand.Text()}, "/")
}

// processSpace names the kernel, since it started, and the namespace in it
// within which process numbers have a meaning; empty where that cannot be told.
func processSpace() string {
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	namespace, err := os.Readlink("/proc/self/ns/pid")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(boot)) + namespace
}

// dead tells whether the holder of a lease has certainly ended, so that a
// restart after a crash need not wait for the lease to lapse. On PostgreSQL it
// may run elsewhere, and is judged only if it is known not to. An SQLite file
// is on one machine, and a container that starts again keeps its host name.
func (s *Store) dead(holder string) bool {
	its, own := strings.Split(holder, "/"), strings.Split(s.holder, "/")
	if len(its) != len(own) || its[0] != own[0] || runtime.GOOS == "windows" {
		return false
	}
	if s.postgres && (its[1] != own[1] || own[1] == "") {
		return false
	}
	if its[2] == own[2] {
		_, open := holders.Load(holder)
		return !open
	}
	pid, err := strconv.Atoi(its[2])
	return err == nil && errors.Is(syscall.Kill(pid, 0), syscall.ESRCH)
}

func (s *Store) takeLease(ctx context.Context, tx *ent.Tx, source string, now int64) error {
	id := toText(source)
	held, err := tx.Lease.Get(ctx, id)
	if err != nil && !ent.IsNotFound(err) {
		return err
	}
	if err == nil && held.Expires > now && !s.dead(held.Holder) {
		return ErrBusy
	}
	return tx.Lease.Create().SetID(id).SetHolder(s.holder).SetExpires(now + s.lease.Microseconds()).
		OnConflictColumns(lease.FieldID).UpdateNewValues().Exec(ctx)
}

func (s *Store) dropLease(ctx context.Context, tx *ent.Tx, source string) error {
	_, err := tx.Lease.Delete().Where(lease.ID(toText(source)), lease.Holder(s.holder)).Exec(ctx)
	return err
}

// checkLease returns ErrBusy if the source is another process's to change.
func (s *Store) checkLease(ctx context.Context, tx *ent.Tx, source string, now int64) error {
	held, err := tx.Lease.Get(ctx, toText(source))
	switch {
	case ent.IsNotFound(err):
		s.mu.Lock()
		_, ours := s.held[source]
		s.mu.Unlock()
		if ours {
			return fmt.Errorf("the lease was lost: %w", ErrBusy)
		}
		return nil
	case err != nil:
		return err
	case held.Holder != s.holder && held.Expires > now && !s.dead(held.Holder):
		return ErrBusy
	}
	return nil
}

// settle shows a harvest that no process runs any more as interrupted, before
// the next one of the source records that.
func (s *Store) settle(ctx context.Context, harvests []Harvest) error {
	var live map[string]struct{}
	for i := range harvests {
		h := &harvests[i]
		if h.State != HarvestRunning {
			continue
		}
		if live == nil {
			live = map[string]struct{}{}
			leases, err := s.reads.Lease.Query().All(ctx)
			if err != nil {
				return err
			}
			for _, l := range leases {
				if !s.dead(l.Holder) && l.Expires > time.Now().UnixMicro() {
					live[fromText(l.ID)] = struct{}{}
				}
			}
		}
		if _, ok := live[h.Source]; !ok {
			h.State, h.Error = HarvestInterrupted, interrupted
		}
	}
	return nil
}

// interrupted is the error of a harvest whose process has ended.
const interrupted = "the process ended before the harvest did"

// renewLeases renews what is held until ctx ends.
func (s *Store) renewLeases(ctx context.Context) {
	tick := time.NewTicker(s.lease / 3)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		s.mu.Lock()
		n := len(s.held)
		s.mu.Unlock()
		if n == 0 {
			continue
		}
		// A renewal that fails is tried again at the next tick; a lease that
		// was lost meanwhile shows in Apply.
		_ = s.renew(ctx)
	}
}

// renew does not take the writer's lock: the row is this Store's own, and a long
// Apply must not cost it the lease.
func (s *Store) renew(ctx context.Context) error {
	return retry(ctx, func() error {
		if s.postgres {
			_, err := s.writer.ExecContext(ctx, `UPDATE "leases" SET "expires" = (extract(epoch FROM clock_timestamp()) * 1000000)::bigint + $1 WHERE "holder" = $2`,
				s.lease.Microseconds(), s.holder)
			return err
		}
		_, err := s.writer.ExecContext(ctx, `UPDATE "leases" SET "expires" = ? WHERE "holder" = ?`,
			time.Now().Add(s.lease).UnixMicro(), s.holder)
		return err
	})
}

// releaseLeases gives back what is still held, on closing.
func (s *Store) releaseLeases(ctx context.Context) error {
	s.mu.Lock()
	n := len(s.held)
	clear(s.held)
	s.mu.Unlock()
	if n == 0 {
		return nil
	}
	_, err := s.writes.Lease.Delete().Where(lease.Holder(s.holder)).Exec(ctx)
	if err != nil {
		return fmt.Errorf("give leases back: %w", err)
	}
	return nil
}

// began is when the harvest of the source that this Store runs was begun, or
// now if it runs none.
func (s *Store) began(source string, now int64) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if h, ok := s.held[source]; ok {
		return h.Started.UnixMicro()
	}
	return now
}
