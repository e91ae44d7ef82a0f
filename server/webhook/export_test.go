package webhook

import "github.com/waypost-dev/waypost/server/source"

// Memory is what all requests may hold at once, in bytes.
const Memory int64 = memory

// FormPayload is for the fuzz test.
var FormPayload = formPayload

// Queued is how many requests wait for the next transaction.
func (i *Inbox) Queued() int {
	i.queue.mu.Lock()
	defer i.queue.mu.Unlock()
	return len(i.queue.items)
}

// Free is how much of Memory nobody holds.
func (i *Inbox) Free() int64 {
	low, high := int64(0), Memory
	for low < high {
		middle := (low + high + 1) / 2
		if i.memory.TryAcquire(middle) {
			i.memory.Release(middle)
			low = middle
		} else {
			high = middle - 1
		}
	}
	return low
}

// Scope is for the test of what is named twice.
type Scope struct{ scope }

// Add is add.
func (s *Scope) Add(more source.Scope) { s.add(more) }
