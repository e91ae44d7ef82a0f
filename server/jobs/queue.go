package jobs

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"
	"github.com/riverqueue/river/rivertype"

	"github.com/waypost-dev/waypost/server/store"
)

// queue is what River's client does for us over either database.
type queue interface {
	Insert(ctx context.Context, args river.JobArgs, opts *river.InsertOpts) (*rivertype.JobInsertResult, error)
	JobGet(ctx context.Context, id int64) (*rivertype.JobRow, error)
	JobList(ctx context.Context, params *river.JobListParams) (*river.JobListResult, error)
	JobRetry(ctx context.Context, id int64) (*rivertype.JobRow, error)
	JobCancel(ctx context.Context, id int64) (*rivertype.JobRow, error)
	PeriodicJobs() *river.PeriodicJobBundle
	Start(ctx context.Context) error
	Stop(ctx context.Context) error
	StopAndCancel(ctx context.Context) error
}

// The queues. Harvests take long and have one of their own, so that what a
// webhook asks for does not wait for them.
const (
	harvests = "harvest"
	others   = river.QueueDefault
	// pluginRuns has a place for each plugin, so that one that hangs delays no
	// other.
	pluginRuns = "plugin"
)

// Bounds of the queue.
const (
	// parallelHarvests is how many sources one process harvests at once, and
	// parallelOthers how many other jobs it runs beside them.
	parallelHarvests = 8
	parallelOthers   = 8
	parallelPlugins  = 64
	// cooldown is the least time between two looks for work, and what a burst
	// of insertions waits at most.
	cooldown = 20 * time.Millisecond
	// poll is how often a queue is looked at that nobody has knocked at: on
	// SQLite that is how work of other processes is found, and on both what was
	// due later.
	poll = 2 * time.Second
	// Jobs that ended are shown this long.
	keepSucceeded = time.Hour
	keepCancelled = 24 * time.Hour
	keepFailed    = 7 * 24 * time.Hour
	// pool bounds the connections to PostgreSQL; one of them listens.
	pool = 6
)

// open connects to the database, brings the tables up to date and makes the
// queue.
func (c *Client) open(ctx context.Context) error {
	h := c.store.Handle()
	if h.SQLite != nil {
		c.close = func() {}
		return connect(ctx, c, quiet{riversqlite.New(h.SQLite)}, nil)
	}
	p, err := connectPostgres(ctx, h)
	if err != nil {
		return err
	}
	c.close = p.Close
	if err := connect(ctx, c, riverpgxv5.New(p), p); err != nil {
		p.Close()
		return err
	}
	return nil
}

func connectPostgres(ctx context.Context, h store.Handle) (*pgxpool.Pool, error) {
	config, err := pgxpool.ParseConfig(h.Postgres.ConnString())
	if err != nil {
		return nil, err
	}
	config.MaxConns, config.MinConns, config.MaxConnIdleTime = pool, 0, time.Minute
	return pgxpool.NewWithConfig(ctx, config)
}

// quiet is River's driver for SQLite without its substitute for LISTEN, a table
// that every listener asks 20 times a second. Without it a client wakes its own
// workers directly, and looks for the work of other processes now and then.
type quiet struct{ *riversqlite.Driver }

func (quiet) SupportsListener() bool     { return false }
func (quiet) SupportsListenNotify() bool { return false }

// connect is generic as River is, over the transactions of its drivers.
func connect[Tx any](ctx context.Context, c *Client, driver riverdriver.Driver[Tx], p *pgxpool.Pool) error {
	migrator, err := rivermigrate.New(driver, &rivermigrate.Config{Logger: c.log})
	if err != nil {
		return err
	}
	if err := migrate(ctx, migrator, p, c.options.NoMigrate); err != nil {
		return err
	}
	config := &river.Config{
		ID:                          c.id,
		Logger:                      c.log,
		CancelledJobRetentionPeriod: keepCancelled,
		CompletedJobRetentionPeriod: keepSucceeded,
		DiscardedJobRetentionPeriod: keepFailed,
	}
	if c.engine != nil {
		config.Workers = c.workers()
		config.Queues = map[string]river.QueueConfig{harvests: {MaxWorkers: parallelHarvests}, others: {MaxWorkers: parallelOthers}, pluginRuns: {MaxWorkers: parallelPlugins}}
		config.FetchOnlyKnownKinds = true // what a newer replica asks for is its own to do
		config.FetchCooldown, config.FetchPollInterval = cooldown, poll
		config.RetryPolicy = retryPolicy{c}
		config.SoftStopTimeout = c.options.Grace
		if c.options.Prune != nil {
			config.PeriodicJobs = []*river.PeriodicJob{pruning()}
		}
	}
	client, err := river.NewClient(driver, config)
	if err != nil {
		return err
	}
	c.queue, c.executor = client, driver.GetExecutor()
	return nil
}

// migrationLock is the key of the advisory lock under which the tables are
// brought up to date: replicas may start at once.
const migrationLock = 0x776179706f737452 // "waypostR"

// migrate brings the queue's tables up to date. River has a transaction for
// each step, since PostgreSQL cannot use a new value of an enumeration in the
// one that added it.
func migrate[Tx any](ctx context.Context, m *rivermigrate.Migrator[Tx], p *pgxpool.Pool, forbidden bool) error {
	current, err := upToDate(ctx, m)
	if err != nil || current {
		return err
	}
	if forbidden {
		return fmt.Errorf("its tables are not up to date; run 'waypost migrate up'")
	}
	if p != nil {
		conn, err := p.Acquire(ctx)
		if err != nil {
			return err
		}
		defer conn.Release()
		if _, err := conn.Exec(ctx, "SELECT pg_advisory_lock($1)", migrationLock); err != nil {
			return err
		}
		defer conn.Exec(context.WithoutCancel(ctx), "SELECT pg_advisory_unlock($1)", migrationLock) //nolint:errcheck // it goes with the connection
	}
	for attempt := 1; ; attempt++ {
		if _, err = m.Migrate(ctx, rivermigrate.DirectionUp, nil); err == nil {
			return nil
		}
		// Another process on the same SQLite file may have been first.
		if current, _ := upToDate(ctx, m); current {
			return nil
		}
		if attempt == 3 || ctx.Err() != nil {
			return fmt.Errorf("migrate: %w", err)
		}
	}
}

// upToDate tells whether nothing is to be migrated, and is an error if a newer
// program has migrated the database.
func upToDate[Tx any](ctx context.Context, m *rivermigrate.Migrator[Tx]) (bool, error) {
	applied, err := m.ExistingVersions(ctx)
	if err != nil {
		return false, fmt.Errorf("read its migrations: %w", err)
	}
	return len(applied) == len(m.AllVersions()), nil
}

// Migrations are those of the queue's tables, as store.Migrations gives those
// of the catalog's. It changes nothing.
func Migrations(ctx context.Context, st *store.Store) ([]store.Migration, error) {
	h := st.Handle()
	var all, applied []rivermigrate.Migration
	var err error
	if h.SQLite != nil {
		all, applied, err = migrations(ctx, riversqlite.New(h.SQLite))
	} else {
		p, perr := connectPostgres(ctx, h)
		if perr != nil {
			return nil, fmt.Errorf("read migrations of the job queue: %w", perr)
		}
		defer p.Close()
		all, applied, err = migrations(ctx, riverpgxv5.New(p))
	}
	if err != nil {
		return nil, fmt.Errorf("read migrations of the job queue: %w", err)
	}
	out := make([]store.Migration, len(all))
	for i, m := range all {
		out[i] = store.Migration{Version: fmt.Sprintf("river-%03d", m.Version), Name: m.Name, Applied: i < len(applied)}
	}
	return out, nil
}

func migrations[Tx any](ctx context.Context, driver riverdriver.Driver[Tx]) (all, applied []rivermigrate.Migration, err error) {
	m, err := rivermigrate.New(driver, &rivermigrate.Config{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, nil, err
	}
	applied, err = m.ExistingVersions(ctx)
	return m.AllVersions(), applied, err
}

var _ riverdriver.Driver[*sql.Tx] = quiet{}
