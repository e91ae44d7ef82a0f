package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/waypost-dev/waypost/ent"
)

// Options are what an operator may set. The zero value is good.
type Options struct {
	// NoMigrate leaves the tables as they are: for looking at what Migrate
	// would do. Otherwise Open migrates.
	NoMigrate bool
	// Lease is how long a source stays reserved for a process that has stopped
	// renewing its reservation, because it died or lost the database. It is
	// renewed three times as often. Default 30 s.
	Lease time.Duration
}

// Store is the truth. It is one type over both databases, and safe for
// concurrent use, by several processes too. One writer at a time changes the
// catalog; readers are never blocked.
type Store struct {
	postgres bool
	config   *pgx.ConnConfig // of PostgreSQL
	// On SQLite writing goes through one connection and reading through
	// others; on PostgreSQL both are the same pool.
	writer, reader *sql.DB
	writes, reads  *ent.Client
	preparing      sync.Mutex           // guards statements
	statements     map[string]*sql.Stmt // of SQLite's readers, by query; closed with them
	objects        objects
	asOf           struct{ at, existed string } // queries

	lease     time.Duration
	holder    string // of the leases of this Store
	stop      context.CancelFunc
	done      sync.WaitGroup // goroutines of the Store
	listening func()         // starts listening to other processes, the first time

	mu       sync.Mutex
	held     map[string]Harvest // the running harvest by source
	watchers map[chan struct{}]struct{}
}

// Bounds of the connections. SQLite's page cache is per connection, so that
// few of them and a small cache keep the process small; the operating system
// caches the file anyway.
const (
	sqliteReaders        = 4
	sqliteCacheKiB       = 2048
	sqliteWriterCacheKiB = 8192 // a transaction that fits does not spill
	postgresPool         = 16
	busyTimeout          = 10 * time.Second
	defaultLease         = 30 * time.Second
	postgresConnIdle     = 5 * time.Minute
)

// Open opens a database and brings its tables up to date. dsn is one of
//
//	sqlite:PATH          a file, made if it is missing; its folder must exist
//	sqlite::memory:      in memory, gone after Close; for tests and trials
//	postgres://…         a URL as libpq reads it
func Open(ctx context.Context, dsn string, opts Options) (*Store, error) {
	if opts.Lease <= 0 {
		opts.Lease = defaultLease
	}
	s := &Store{
		lease: opts.Lease, holder: newHolder(),
		held: map[string]Harvest{}, watchers: map[chan struct{}]struct{}{},
	}
	var err error
	switch path, isSQLite := strings.CutPrefix(dsn, "sqlite:"); {
	case isSQLite && path == ":memory:":
		// Shared by the connections of this Store alone.
		err = s.openSQLite("file:/"+rand.Text(), url.Values{"vfs": {"memdb"}})
	case isSQLite && path != "":
		err = s.openSQLiteFile(path)
	case strings.HasPrefix(dsn, "postgres://"), strings.HasPrefix(dsn, "postgresql://"):
		err = s.openPostgres(dsn)
	default:
		return nil, fmt.Errorf("open database: %q is neither sqlite:PATH nor postgres://HOST/NAME", redact(dsn))
	}
	s.asOf.at, s.asOf.existed = s.atQuery(), s.existedQuery()
	if err == nil {
		err = s.writer.PingContext(ctx)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open database %s: %w", redact(dsn), explain(err)), s.closePools())
	}
	if !opts.NoMigrate {
		if err := s.Migrate(ctx); err != nil {
			return nil, errors.Join(fmt.Errorf("open database %s: %w", redact(dsn), err), s.closePools())
		}
	}
	ctx, s.stop = context.WithCancel(context.WithoutCancel(ctx))
	s.done.Go(func() { s.renewLeases(ctx) })
	s.listening = sync.OnceFunc(func() {
		if s.config != nil {
			s.done.Go(func() { s.listen(ctx, s.config) })
		}
	})
	holders.Store(s.holder, true)
	return s, nil
}

func (s *Store) openSQLiteFile(path string) error {
	path, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Dir(path)); err != nil {
		return fmt.Errorf("folder of the file: %w", err)
	}
	return s.openSQLite((&url.URL{Scheme: "file", Path: path}).String(), url.Values{})
}

// sqliteIdle is how long an unused connection is kept, and with it its cache.
const sqliteIdle = 2 * time.Second

func (s *Store) openSQLite(file string, params url.Values) error {
	params["_pragma"] = []string{
		fmt.Sprintf("busy_timeout(%d)", busyTimeout.Milliseconds()),
		"page_size(8192)", // entities are around 2 kB: three or four to a page
		"journal_mode(WAL)",
		"synchronous(NORMAL)",
		"foreign_keys(1)",
		fmt.Sprintf("cache_size(-%d)", sqliteCacheKiB),
		"journal_size_limit(67108864)", // the log gives back what a large harvest needed
	}
	var err error
	if s.reader, err = sql.Open("sqlite", file+"?"+params.Encode()); err != nil {
		return err
	}
	s.reader.SetMaxOpenConns(sqliteReaders)
	s.reader.SetMaxIdleConns(sqliteReaders)
	params.Set("_txlock", "immediate")
	params.Add("_pragma", fmt.Sprintf("cache_size(-%d)", sqliteWriterCacheKiB))
	if s.writer, err = sql.Open("sqlite", file+"?"+params.Encode()); err != nil {
		return err
	}
	s.writer.SetMaxOpenConns(1)
	if params.Get("vfs") != "memdb" { // which lives as long as its connections
		s.writer.SetConnMaxIdleTime(sqliteIdle)
		s.reader.SetConnMaxIdleTime(sqliteIdle)
	}
	s.writes = ent.NewClient(ent.Driver(entsql.OpenDB(dialect.SQLite, s.writer)))
	s.reads = ent.NewClient(ent.Driver(entsql.OpenDB(dialect.SQLite, s.reader)))
	return nil
}

func (s *Store) openPostgres(dsn string) error {
	config, err := pgx.ParseConfig(dsn)
	if err != nil {
		return err
	}
	db := stdlib.OpenDB(*config)
	db.SetMaxOpenConns(postgresPool)
	db.SetMaxIdleConns(postgresPool / 2)
	db.SetConnMaxIdleTime(postgresConnIdle)
	s.postgres, s.config = true, config
	s.writer, s.reader = db, db
	s.writes = ent.NewClient(ent.Driver(entsql.OpenDB(dialect.Postgres, db)))
	s.reads = s.writes
	return nil
}

// ReleaseMemory gives back what SQLite caches of the file, for a process that
// has become idle; the cache fills again with what is read and written. It does
// not wait for who writes for longer than a second. On PostgreSQL there is
// nothing to give back.
func (s *Store) ReleaseMemory(ctx context.Context) error {
	if s.postgres {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	var errs []error
	for _, db := range []*sql.DB{s.writer, s.reader} { // of the readers, an idle Store has one
		if _, err := db.ExecContext(ctx, "PRAGMA shrink_memory"); err != nil {
			errs = append(errs, fmt.Errorf("release SQLite's cache: %w", err))
		}
	}
	return errors.Join(errs...)
}

// Close gives the leases back and closes the database. Harvests that still run
// are marked as interrupted by the next one.
func (s *Store) Close() error {
	s.stop()
	s.done.Wait()
	holders.Delete(s.holder)
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	err := s.releaseLeases(ctx)
	return errors.Join(err, s.closePools())
}

func (s *Store) closePools() error {
	var errs []error
	if s.reader != nil {
		errs = append(errs, s.reader.Close())
	}
	if s.writer != nil && s.writer != s.reader {
		errs = append(errs, s.writer.Close())
	}
	return errors.Join(errs...)
}

// redact takes the password out of an address.
func redact(dsn string) string {
	u, err := url.Parse(dsn)
	if err != nil || u.Scheme == "sqlite" {
		if strings.HasPrefix(dsn, "sqlite:") {
			return dsn
		}
		return "(unreadable address)"
	}
	return u.Redacted()
}
