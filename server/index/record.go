package index

import (
	"sync"
	"sync/atomic"

	"github.com/waypost-dev/waypost/server/catalog"
)

// ViewKey names a rendered form of a record. Declare one package-level value
// for each form.
type ViewKey int

// Record is an entity in a snapshot. It is immutable, but for the rendered
// forms that it keeps.
type Record struct {
	Entity *catalog.Entity

	key   string // of the entity's ref
	id    uint32
	level level // of the worst that is wrong with it
	views atomic.Pointer[view]
	kept  *viewRing
}

// lower is the entity's ref in lower case: its key in parts.
func (r *Record) lower() catalog.Ref {
	colon := len(r.Entity.Ref.Kind)
	slash := colon + 1 + len(r.Entity.Ref.Namespace)
	if slash >= len(r.key) || r.key[colon] != ':' || r.key[slash] != '/' {
		return r.Entity.Ref.Lower() // some letters beyond ASCII are longer in one case
	}
	return catalog.Ref{Kind: r.key[:colon], Namespace: r.key[colon+1 : slash], Name: r.key[slash+1:]}
}

type view struct {
	key  ViewKey
	form []byte
	next *view
}

// Number tells the entities of a snapshot apart. It is small; another entity may
// have it once this one is gone.
func (r *Record) Number() uint32 { return r.id }

// View returns a rendered form of the record, made by render unless it is
// kept. A form is kept for as long as neither the entity nor its relations, nor
// whether their targets exist, change, and there is room: all forms of an index
// together are bounded, and the oldest goes first. The caller must not change
// what it gets. It is safe for concurrent use.
func (r *Record) View(key ViewKey, render func() []byte) []byte {
	for v := r.views.Load(); v != nil; v = v.next {
		if v.key == key {
			return v.form
		}
	}
	form := render()
	if r.kept == nil {
		return form
	}
	for {
		old := r.views.Load()
		if r.views.CompareAndSwap(old, &view{key, form, old}) {
			break
		}
	}
	r.kept.add(r, len(form))
	return form
}

// maxViews bounds the rendered forms of an index, in bytes.
const maxViews = 32 << 20

// viewRing bounds the rendered forms.
type viewRing struct {
	mu    sync.Mutex
	queue []keptView
	bytes int
}

type keptView struct {
	record *Record
	bytes  int
}

func (k *viewRing) add(r *Record, bytes int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	const overhead = 128
	k.queue = append(k.queue, keptView{r, bytes + overhead})
	k.bytes += bytes + overhead
	for k.bytes > maxViews && len(k.queue) > 0 {
		k.queue[0].record.views.Store(nil)
		k.bytes -= k.queue[0].bytes
		k.queue[0] = keptView{}
		k.queue = k.queue[1:]
	}
}
