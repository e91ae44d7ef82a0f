package backstage

import (
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/google/uuid"

	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/index"
)

// view is the catalog as Backstage shows it: with a Location entity for each
// location that is read, also if no file declares one.
//
// An entity whose file has become wrong is shown in its last good form, with what is
// wrong in status.items.
type view struct {
	index    *index.Index
	sources  func() []string                   // nil for none
	problems func() ([]catalog.Problem, error) // nil for none
	log      *slog.Logger

	asked  atomic.Int64 // when problems were asked for, in nanoseconds
	broken atomic.Pointer[[]catalog.Problem]
	latest atomic.Pointer[viewed]
	stale  atomic.Bool // the sources may be others
	mu     sync.Mutex  // held while a view is made
}

type viewed struct{ base, shown *index.Snapshot }

// snapshot is the catalog as it is now.
func (v *view) snapshot() *index.Snapshot {
	base := v.index.Snapshot()
	if v.sources == nil && v.problems == nil {
		return base
	}
	v.look()
	if is := v.latest.Load(); is != nil && is.base == base && !v.stale.Load() {
		return is.shown
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	base = v.index.Snapshot()
	fresh := !v.stale.Swap(false)
	if is := v.latest.Load(); fresh && is != nil && is.base == base {
		return is.shown
	}
	is := &viewed{base, base}
	var changes []catalog.Change
	if v.sources != nil {
		for _, source := range v.sources() {
			if e := generated(source); e != nil {
				if _, there := base.Get(e.Ref); !there {
					changes = append(changes, catalog.Change{Op: catalog.OpPut, Entity: e})
				}
			}
		}
	}
	if list := v.broken.Load(); list != nil {
		changes = append(changes, withStatus(base, *list)...)
	}
	if len(changes) > 0 {
		is.shown = base.With(changes)
	}
	v.latest.Store(is)
	return is.shown
}

// space is what uids of generated entities are derived in.
var space = uuid.MustParse("b1b0bd28-60a5-4d3c-9a35-6d2a2f7e6c0f")

// generated is the Location entity of a source that is a location, or nil.
func generated(source string) *catalog.Entity {
	typ, target, _ := strings.Cut(source, ":")
	if typ != "url" && typ != "file" {
		return nil
	}
	annotations := map[string]any{
		"backstage.io/managed-by-location": source, "backstage.io/managed-by-origin-location": source,
	}
	if typ == "url" {
		annotations["backstage.io/view-url"] = target
	}
	e, _ := catalog.NewEntity("backstage.io/v1alpha1", "Location",
		map[string]any{"name": generatedName(source), "annotations": annotations},
		map[string]any{"type": typ, "target": target}, catalog.Origin{Source: source, Inferred: true})
	if e != nil {
		e.UID = uuid.NewSHA1(space, []byte(source)).String()
	}
	return e
}
