// Package webhook takes what forges announce: it checks who sent a delivery,
// puts it into the inbox in the store before it acknowledges it, and later
// refreshes what the deliveries of the inbox name. A delivery says where to
// look and never what to believe, so that lost, repeated and late ones do no harm.
//
// Signatures, headers and payloads are those of GitHub:
// https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries and
// https://docs.github.com/en/webhooks/webhook-events-and-payloads.
package webhook

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"
	"golang.org/x/time/rate"

	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/source"
	"github.com/waypost-dev/waypost/server/store"
)

// Keep is how long a delivery that was processed should stay in the store, so
// that a repeated one is known: GitHub lets people repeat those of three days.
const Keep = 3 * 24 * time.Hour

// Store is what the inbox needs of store.Store.
type Store interface {
	PutDeliveries(ctx context.Context, deliveries []store.Delivery) ([]bool, error)
	WaitingDeliveries(ctx context.Context, source string, limit int) ([]store.Delivery, error)
	FinishDeliveries(ctx context.Context, deliveries []store.Delivery) error
	DeliveryQueues(ctx context.Context) ([]store.DeliveryQueue, error)
}

// Source is a source whose forge sends deliveries. An event that its Announced
// ignores without a payload is recorded as ignored and not kept.
type Source struct {
	source.Announcer
	// Secrets are those that a delivery may be signed with: usually one, and two
	// while one replaces the other. Without any, every delivery is refused.
	Secrets []string
}

// Options are what the inbox calls. Each is called from one goroutine or
// several and must stop when its context ends.
type Options struct {
	// Refresh reads a part of a source again and returns when the catalog has
	// it, as harvest.Engine.Refresh does. After a store.Held the deliveries
	// count as processed: trying again would change nothing.
	Refresh func(ctx context.Context, source string, scope source.Scope, cause catalog.Cause) (store.Counts, error)
	// Harvest asks for a harvest of a source as a whole. It returns once a
	// harvest that begins later than the call is sure to come, even if the
	// process ends.
	Harvest func(ctx context.Context, source string, cause catalog.Cause) error
	// Leads tells whether what is known of a repository leads to one of some
	// files. Without it, it does not.
	Leads func(ctx context.Context, source string, at source.Pointer, files []string) (bool, error)
	// Told is given each delivery as it is processed, before what it calls for is
	// done; maybe twice. Nil for nobody.
	Told func(ctx context.Context, d store.Delivery)
	// Wake is told that deliveries of a source were put into the inbox, so that
	// Drain is called soon. It is called at most every 50 ms, and nobody waits for
	// it. Every 5 s it is told again of what still waits: this process, or another
	// one, may have ended before it could tell. Nil for nobody.
	Wake func(ctx context.Context, source string) error
}

// Inbox is an http.Handler of POST /webhooks/{source...}. It is safe for
// concurrent use.
type Inbox struct {
	store   Store
	log     *slog.Logger
	options Options
	sources map[string]Source
	order   []string // names, as they were given

	memory   *semaphore.Weighted // bytes that requests may still take
	refusals rate.Sometimes      // keeps refusals from filling the log

	queue      queue
	committing sync.WaitGroup
	wakes      wakes
	waking     sync.WaitGroup
	cancel     context.CancelFunc // of waking
}

// New returns an Inbox that takes deliveries for the sources. It is an error if
// two have one name, or a secret is empty, which anybody could sign with.
func New(st Store, sources []Source, log *slog.Logger, options Options) (*Inbox, error) {
	i := &Inbox{
		store: st, log: log, options: options, sources: map[string]Source{},
		memory: semaphore.NewWeighted(memory), refusals: rate.Sometimes{Interval: time.Second},
		queue: queue{ready: make(chan struct{}, 1)},
		wakes: wakes{names: map[string]struct{}{}, ready: make(chan struct{}, 1)},
	}
	for _, s := range sources {
		name := s.Name()
		if _, ok := i.sources[name]; ok {
			return nil, fmt.Errorf("webhooks: source %s is there twice", name)
		}
		for _, secret := range s.Secrets {
			if strings.TrimSpace(secret) == "" {
				return nil, fmt.Errorf("webhooks: a secret of source %s is empty; anybody could sign with it", name)
			}
		}
		i.sources[name] = s
		i.order = append(i.order, name)
	}
	if options.Refresh == nil || options.Harvest == nil {
		return nil, errors.New("webhooks: nothing is there to refresh or harvest with")
	}
	ctx, cancel := context.WithCancel(context.Background())
	i.cancel = cancel
	i.committing.Go(i.commitAll)
	i.waking.Go(func() { i.wakeAll(ctx) })
	return i, nil
}

// Close refuses what comes from now on, and returns when what came before is in
// the store, or could not be put there, within some ten seconds. Call it after the
// HTTP server has stopped and before the store is closed.
func (i *Inbox) Close() {
	i.queue.close()
	i.committing.Wait()
	i.cancel()
	i.waking.Wait()
}
