package webhook

import (
	"context"
	"sync"
	"time"
)

const (
	// wakePause is the least time between two calls of Wake for a source.
	wakePause = 50 * time.Millisecond
	// wakeAgain is the time between two looks for what still waits.
	wakeAgain = 5 * time.Second
)

// wakes are the sources that Wake is still to be called for.
type wakes struct {
	mu    sync.Mutex
	names map[string]struct{}
	ready chan struct{}
}

func (w *wakes) add(names map[string]struct{}) {
	if len(names) == 0 {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for name := range names {
		w.names[name] = struct{}{}
	}
	signal(w.ready)
}

func (w *wakes) take() map[string]struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	names := w.names
	w.names = map[string]struct{}{}
	return names
}

// wakeAll calls Wake until ctx ends.
func (i *Inbox) wakeAll(ctx context.Context) {
	if i.options.Wake == nil {
		return
	}
	again := time.NewTicker(wakeAgain)
	defer again.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-i.wakes.ready:
		case <-again.C:
			i.recall(ctx)
		}
		for name := range i.wakes.take() {
			if err := i.options.Wake(ctx, name); err != nil && ctx.Err() == nil {
				i.log.Error("webhook deliveries wait: nobody could be told; this is tried again", "source", name, "error", err)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wakePause):
		}
	}
}

// recall adds the sources for which something waits in the store.
func (i *Inbox) recall(ctx context.Context) {
	queues, err := i.store.DeliveryQueues(ctx)
	if err != nil {
		if ctx.Err() == nil {
			i.log.Error("webhook deliveries may wait; this is tried again", "error", err)
		}
		return
	}
	names := map[string]struct{}{}
	for _, q := range queues {
		if _, ok := i.sources[q.Source]; ok {
			names[q.Source] = struct{}{}
		}
	}
	i.wakes.add(names)
}
