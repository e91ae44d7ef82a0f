package webhook

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/waypost-dev/waypost/server/store"
)

// Bounds of one transaction.
const (
	batchDeliveries = 1000
	batchBytes      = 8 << 20
	commitTimeout   = acknowledgeTimeout
	// commitEvery is the least time from one transaction to the next: under load
	// each carries more, and either database does with much less writing.
	commitEvery = 5 * time.Millisecond
)

var errClosed = errors.New("the server is stopping; try again later")

// item is what one request brought.
type item struct {
	deliveries []store.Delivery
	held       *reserve // given back when the item is done
	done       chan struct{}
	// Set before done is closed:
	fresh bool // at least one delivery was new
	err   error
}

// queue is what waits to be committed. The memory of all requests bounds it.
type queue struct {
	mu     sync.Mutex
	items  []*item
	closed bool
	ready  chan struct{} // holds a token when there is something to do
}

func (q *queue) put(it *item) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return false
	}
	q.items = append(q.items, it)
	signal(q.ready)
	return true
}

func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	signal(q.ready)
}

// take returns what one transaction commits; open is false when the queue is
// closed and empty.
func (q *queue) take() (batch []*item, open bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	n, bytes := 0, 0
	for n < len(q.items) && n < batchDeliveries && (n == 0 || bytes < batchBytes) {
		for _, d := range q.items[n].deliveries {
			bytes += len(d.Payload)
		}
		n++
	}
	batch = q.items[:n:n]
	if q.items = q.items[n:]; len(q.items) == 0 {
		q.items = nil
	}
	return batch, n > 0 || !q.closed
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// commit returns when the item is in the store. When the sender gives up
// before, the item may get there all the same.
func (i *Inbox) commit(ctx context.Context, it *item) error {
	if !i.queue.put(it) {
		it.held.release()
		return errClosed
	}
	timer := time.NewTimer(acknowledgeTimeout)
	defer timer.Stop()
	select {
	case <-it.done:
		return it.err
	case <-ctx.Done():
		return fmt.Errorf("wait for the commit: %w", ctx.Err())
	case <-timer.C:
		return errors.New("the database takes too long; try again later")
	}
}

// commitAll commits what waits, as much as there is at once, until the queue is
// closed. While one transaction runs the next one fills.
func (i *Inbox) commitAll() {
	for range i.queue.ready {
		for {
			batch, open := i.queue.take()
			if !open {
				return
			}
			if len(batch) == 0 {
				break
			}
			next := time.Now().Add(commitEvery)
			i.commitBatch(batch)
			time.Sleep(time.Until(next))
		}
	}
}

func (i *Inbox) commitBatch(batch []*item) {
	var deliveries []store.Delivery
	for _, it := range batch {
		deliveries = append(deliveries, it.deliveries...)
	}
	ctx, cancel := context.WithTimeout(context.Background(), commitTimeout)
	defer cancel()
	fresh, err := i.store.PutDeliveries(ctx, deliveries)
	if err != nil {
		i.log.Error("webhook deliveries not taken", "deliveries", len(deliveries), "error", err)
		err = errors.New("the database did not take the delivery; the server's log has the cause; try again later")
	}
	woken := map[string]struct{}{}
	n := 0
	for _, it := range batch {
		it.err = err
		for _, d := range it.deliveries {
			if err == nil && fresh[n] {
				it.fresh = true
				if d.Waiting {
					woken[d.Source] = struct{}{}
				}
			}
			n++
		}
		it.held.release()
		close(it.done)
	}
	i.wakes.add(woken)
}
