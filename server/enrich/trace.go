package enrich

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"hash/maphash"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/feed"
	"github.com/waypost-dev/waypost/server/index"
	"github.com/waypost-dev/waypost/server/store"
)

// trace knows what each answer of a plugin depends on, and so what to ask again
// when something changes. In the store the same is kept with each answer: the
// names of what was read, and a hash of what it came to. (Build systems call
// these verifying traces.)
//
// What was read is held by a hash, and not by who has read it: most of it was read
// by one subject alone, and names and a table of readers took more memory than the
// entities. What changed is looked for in all of it, which takes a millisecond or
// two for 16,000 subjects. Two of one hash cost a question too many.
type trace struct {
	subjects map[string]*subject // by uid
	moved    map[uint32]struct{} // what has changed and was not looked for yet
	at       catalog.Revision
	repos    int64
}

// subject is an entity that the plugin is asked about.
type subject struct {
	uid      string
	reads    []uint32
	due      time.Time // zero for never
	failures int32
	stale    bool // what its answer was made from is not as it was
}

// load compares what the store has with the catalog as it is.
func (r *Runner) load(ctx context.Context, p *plugin, s *index.Snapshot, anew bool) (*trace, error) {
	t := &trace{subjects: map[string]*subject{}, moved: map[uint32]struct{}{}, at: s.Revision()}
	_, t.repos = r.repos.since(-1)
	for record := range s.Each {
		if e := record.Entity; p.concerns(e) {
			t.subjects[e.UID] = &subject{uid: e.UID, stale: true}
		}
	}
	v := &versions{s: s, repos: r.repos, known: map[read]uint64{}}
	err := r.o.Store.Enrichments(ctx, p.name, func(e store.Enrichment) error {
		x, ok := t.subjects[e.UID]
		if !ok {
			return nil
		}
		x.due, x.failures = e.Due, int32(e.Failures)
		hash, reads := decodeReads(e.Reads)
		x.depend(reads)
		if anew || e.Asked.IsZero() && e.Error == "" {
			return nil
		}
		if e.Error != "" || hash == hashOf(reads, v) {
			x.stale = false // one that failed is asked when it is due
		}
		return nil
	})
	return t, err
}

// depend sets what a subject depends on.
func (x *subject) depend(reads []read) {
	x.reads = make([]uint32, 0, len(reads))
	for _, r := range reads {
		x.reads = append(x.reads, r.hash())
	}
}

var seed = maphash.MakeSeed()

func (r read) hash() uint32 { return uint32(maphash.String(seed, string(r))) }

// changed notes that what depends on something is to be marked.
func (t *trace) changed(r read) { t.moved[r.hash()] = struct{}{} }

// mark marks what depends on what has changed.
func (t *trace) mark() {
	if len(t.moved) == 0 {
		return
	}
	// A bit for the last half of each hash spares nearly all look-ups.
	var some [1 << 10]uint64
	for h := range t.moved {
		some[h>>6&(1<<10-1)] |= 1 << (h & 63)
	}
	for _, x := range t.subjects {
		x.stale = x.stale || slices.ContainsFunc(x.reads, func(h uint32) bool {
			if some[h>>6&(1<<10-1)]&(1<<(h&63)) == 0 {
				return false
			}
			_, ok := t.moved[h]
			return ok
		})
	}
	t.moved = map[uint32]struct{}{}
}

// stale is how many subjects are.
func (t *trace) stale() (n int) {
	for _, x := range t.subjects {
		if x.stale {
			n++
		}
	}
	return n
}

// follow brings a trace up to what the feed tells by now.
func (r *Runner) follow(ctx context.Context, p *plugin, t *trace) error {
	w, err := r.o.Feed.Watch("", t.at)
	if err != nil {
		return err
	}
	defer w.Close()
	for {
		events, wait, err := w.Next(ctx)
		if err != nil {
			return err
		}
		if wait != nil {
			break
		}
		for _, e := range events {
			t.entity(p, e.Change)
		}
		t.at = w.At()
	}
	t.at = max(t.at, w.At())
	names, now := r.repos.since(t.repos)
	for _, n := range names {
		t.changed(repositoryRead(catalog.Origin{Source: n.source, Repository: n.name}))
	}
	t.repos = now
	t.mark()
	return nil
}

// entity learns of a change of an entity.
func (t *trace) entity(p *plugin, c *feed.Change) {
	before, after := c.Before, c.Entity
	if c.Op == catalog.OpDelete {
		after = nil
	}
	if c.Op == catalog.OpFacts {
		// What plugins say is not read by others, but for their relations.
		if before == nil || slices.EqualFunc(before.Relations, after.Relations, sameEdge) {
			return
		}
	} else {
		t.changed(entityRead(c.Entity.Ref.Key()))
		t.changed(kindRead(c.Entity.Ref.Kind))
	}
	t.changed(relationsRead(c.Entity.Ref.Key()))
	for _, e := range []*catalog.Entity{before, after} {
		if e == nil {
			continue
		}
		for _, x := range e.Relations {
			target := x.Target.Key()
			t.changed(relationsRead(target))
			t.changed(typeRead(e.Ref.Key(), x.Type))
			t.changed(typeRead(target, catalog.Inverse(x.Type)))
		}
	}
	if before != nil && (after == nil || before.UID != after.UID) && c.Moved == "" {
		delete(t.subjects, before.UID)
	}
	if after == nil || !p.concerns(after) || c.Op == catalog.OpFacts {
		return
	}
	x := t.subjects[after.UID]
	if x == nil {
		x = &subject{uid: after.UID}
		t.subjects[x.uid] = x
	}
	x.stale = true
}

func sameEdge(a, b catalog.Relation) bool { return a.Type == b.Type && a.Target == b.Target }

// todo are the subjects to ask about at a time, in the order of their refs in a
// snapshot, and when the next one is due.
func (t *trace) todo(s *index.Snapshot, now time.Time) (ask []*subject, next time.Time) {
	keys := map[*subject]string{}
	for _, x := range t.subjects {
		switch {
		case x.stale, !x.due.IsZero() && !x.due.After(now):
			ask = append(ask, x)
			if r, ok := s.ByUID(x.uid); ok {
				keys[x] = r.Entity.Ref.Key()
			}
		case !x.due.IsZero() && (next.IsZero() || x.due.Before(next)):
			next = x.due
		}
	}
	slices.SortFunc(ask, func(a, b *subject) int { return cmp.Compare(keys[a], keys[b]) })
	return ask, next
}

// hashOf is what some reads come to.
func hashOf(reads []read, v *versions) string {
	h := fnv.New64a()
	for _, r := range reads {
		h.Write([]byte(string(r) + "=" + strconv.FormatUint(v.of(r), 36) + "\n"))
	}
	return strconv.FormatUint(h.Sum64(), 36)
}

// encodeReads is the form in the store: a line with the hash, and one for each
// read.
func encodeReads(reads []read, v *versions) []byte {
	var b strings.Builder
	b.WriteString(hashOf(reads, v))
	for _, r := range reads {
		b.WriteString("\n" + string(r))
	}
	return []byte(b.String())
}

func decodeReads(b []byte) (string, []read) {
	hash, rest, found := strings.Cut(string(b), "\n")
	if !found {
		return hash, nil
	}
	var out []read
	for line := range strings.SplitSeq(rest, "\n") {
		if len(line) > 2 {
			out = append(out, read(line))
		}
	}
	return hash, out
}

// refresh makes the plugin's trace right: it follows the feed, or begins anew if
// it has no trace, if another replica has run the plugin meanwhile, or if the
// feed has lost what happened.
func (r *Runner) refresh(ctx context.Context, p *plugin) (*index.Snapshot, error) {
	if err := r.repos.catchUp(ctx); err != nil {
		return nil, err
	}
	if p.trace != nil {
		last, err := r.lastEnriched(ctx, p)
		if err != nil {
			return nil, err
		}
		if last != p.lastRun {
			p.trace = nil
		}
	}
	if p.trace != nil {
		err := r.follow(ctx, p, p.trace)
		if err == nil {
			return r.o.Index.Snapshot(), nil
		}
		if !errors.Is(err, store.ErrTooOld) {
			return nil, err
		}
	}
	known, err := r.o.Store.Plugins(ctx)
	if err != nil {
		return nil, err
	}
	s := r.o.Index.Snapshot()
	t, err := r.load(ctx, p, s, known[p.name].Version != p.version)
	if err != nil {
		return nil, fmt.Errorf("read what plugin %s has said: %w", p.name, err)
	}
	p.trace = t
	p.lastRun, err = r.lastEnriched(ctx, p)
	return s, err
}

// lastEnriched is the last run that changed what the plugin says; 0 if it is
// forgotten.
func (r *Runner) lastEnriched(ctx context.Context, p *plugin) (int64, error) {
	runs, err := r.o.Store.PluginRuns(ctx, p.name, 100)
	if err != nil {
		return 0, err
	}
	for _, run := range runs {
		if run.Role == RoleEnrich {
			return run.ID, nil
		}
	}
	return 0, nil
}
