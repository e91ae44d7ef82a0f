package store

import (
	"cmp"
	"context"
	"database/sql"
	"maps"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/waypost-dev/waypost/server/catalog"
)

// row is a claim as the database has it.
type row struct {
	id, repository    int64
	key, path, ref    string
	uid, hash         string
	place             int64
	inferred          bool
	priority, claimed int64
	served            bool
	content           int64
	revision, changed int64
	orphaned          int64
}

// claim is a claim as it will be.
type claim struct {
	row
	at     string // name of the repository
	was    row    // zero if new
	gone   bool
	entity *catalog.Entity // content to be written; nil if it stays
	moved  *catalog.Entity // the same content at another place; nil if it stays
	cause  []byte          // of what became of it here; nil if nothing did, or the cause is unknown
}

const claimColumns = `c."id", c."repository_id", c."key", c."path", c."ref_key", c."uid", c."hash", c."place", c."inferred", ` +
	`c."priority", c."claimed", c."served", c."content_id", c."revision", c."changed", c."orphaned"`

// scan reads claimColumns, and what follows them into after.
func (r *row) scan(rows *sql.Rows, after ...any) error {
	return rows.Scan(append([]any{&r.id, &r.repository, &r.key, &r.path, &r.ref, &r.uid, &r.hash, &r.place, &r.inferred,
		&r.priority, &r.claimed, &r.served, &r.content, &r.revision, &r.changed, &r.orphaned}, after...)...)
}

func (r *row) values() []any {
	return []any{r.id, r.repository, r.key, r.path, r.ref, r.uid, r.hash, r.place, r.inferred,
		r.priority, r.claimed, r.served, r.content, r.revision, r.changed, r.orphaned}
}

// before orders the claims to one ref: the first is served.
func (c *claim) before(o *claim) int {
	if (c.orphaned != 0) != (o.orphaned != 0) { // what is still declared comes first
		if o.orphaned != 0 {
			return -1
		}
		return 1
	}
	if c.inferred != o.inferred {
		if o.inferred {
			return -1
		}
		return 1
	}
	// Claims of one harvest are as old as each other: their places decide, so
	// that the outcome is the same every time.
	return cmp.Or(cmp.Compare(o.priority, c.priority), cmp.Compare(c.claimed, o.claimed),
		cmp.Compare(c.at, o.at), cmp.Compare(c.path, o.path), cmp.Compare(c.id, o.id))
}

// event is a revision to be written.
type event struct {
	op      catalog.Op
	ref     string
	uid     string
	content int64
	claim   *claim // that is served now; nil for a deletion
	moved   string // key of the ref that the entity was renamed from; for a deletion, to
	cause   []byte
}

// contest is a ref whose claims change: as they were and as they will be.
type contest struct {
	ref           string
	before, after []*claim
}

// served is the claim that was served, or nil.
func (k *contest) served() *claim {
	for _, cl := range k.before {
		if cl.was.served {
			return cl
		}
	}
	return nil
}

// resolve decides which claim of each ref is served, under which uid, and what
// revisions that makes.
func (c *changeset) resolve(ctx context.Context) error {
	for _, cl := range c.fresh {
		c.last.claim++
		cl.id = c.last.claim
		c.claims[cl.id] = cl
	}
	c.number()
	contests, err := c.gather(ctx)
	if err != nil {
		return err
	}
	if err := c.giveUIDs(ctx, contests); err != nil {
		return err
	}

	for _, k := range contests {
		was := k.served()
		if len(k.after) == 0 {
			if was != nil {
				c.counts.Removed++
				c.events = append(c.events, event{op: catalog.OpDelete, ref: k.ref, uid: was.was.uid, content: was.was.content, moved: c.renamed[k.ref], cause: was.cause})
			}
			continue
		}
		winner := k.after[0]
		for _, cl := range k.after {
			cl.served = cl == winner
		}
		switch {
		case was == nil:
			c.counts.Added++
		case was == winner && winner.content == winner.was.content:
			continue
		default:
			c.counts.Changed++
		}
		cause := winner.cause
		if cause == nil && was != nil {
			cause = was.cause // the one that it takes over from
		}
		c.events = append(c.events, event{
			op: catalog.OpPut, ref: k.ref, uid: winner.uid, content: winner.content, claim: winner, moved: c.renamed[k.ref], cause: cause,
		})
	}
	// What stays served in another form, and was not contested.
	for _, cl := range c.claims {
		if _, contested := c.contested[cl.ref]; !contested && cl.served && cl.entity != nil {
			c.counts.Changed++
			c.events = append(c.events, event{op: catalog.OpPut, ref: cl.ref, uid: cl.uid, content: cl.content, claim: cl, cause: cl.cause})
		}
	}
	// Deletions first, so that a uid that moves to another ref is never on two.
	slices.SortFunc(c.events, func(a, b event) int {
		return cmp.Or(strings.Compare(string(a.op), string(b.op)), strings.Compare(a.ref, b.ref))
	})
	time := max(c.now, c.last.time) // never backwards, whatever the clock does
	for i := range c.events {
		c.last.revision++
		if cl := c.events[i].claim; cl != nil {
			cl.revision, cl.changed = c.last.revision, time
		}
	}
	c.now = time
	return nil
}

// number gives new content its ids.
func (c *changeset) number() {
	for _, cl := range c.sorted() {
		if cl.entity == nil {
			continue
		}
		if cl.content != 0 && cl.revision == 0 {
			c.goneContents = append(c.goneContents, cl.content) // never served: no revision needs it
		}
		c.last.content++
		cl.content, cl.revision, cl.changed = c.last.content, 0, 0
	}
}

// sorted are the claims that were touched, by id, so that what is written does
// not depend on chance.
func (c *changeset) sorted() []*claim {
	return slices.SortedFunc(maps.Values(c.claims), func(a, b *claim) int { return cmp.Compare(a.id, b.id) })
}

// gather reads the other claims to the contested refs, sorts all of them, and
// returns the contests by ref.
func (c *changeset) gather(ctx context.Context) ([]*contest, error) {
	if len(c.contested) == 0 {
		return nil, nil
	}
	refs := slices.Sorted(maps.Keys(c.contested))
	// Each part of the claims has its index.
	for _, part := range []string{`c."served"`, `NOT c."served"`} {
		query := `SELECT ` + claimColumns + `, r."name" FROM "claims" c JOIN "repositories" r ON r."id" = c."repository_id" WHERE ` +
			part + ` AND ` + c.s.in(`c."ref_key"`)
		err := queryRows(ctx, c.tx, c.s.bind(query), []any{list(c.s, refs)}, func(rows *sql.Rows) error {
			var r row
			var at string
			if err := r.scan(rows, &at); err != nil {
				return err
			}
			if c.claims[r.id] == nil {
				c.claims[r.id] = &claim{row: r, at: at, was: r}
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	byRef := make(map[string]*contest, len(refs))
	contests := make([]*contest, len(refs))
	for i, ref := range refs {
		contests[i] = &contest{ref: ref}
		byRef[ref] = contests[i]
	}
	for _, cl := range c.claims {
		if k := byRef[cl.was.ref]; k != nil && cl.was.id != 0 {
			k.before = append(k.before, cl)
		}
		if k := byRef[cl.ref]; k != nil && !cl.gone {
			k.after = append(k.after, cl)
		}
	}
	for _, k := range contests {
		slices.SortFunc(k.after, func(a, b *claim) int { return a.before(b) })
	}
	return contests, nil
}

// giveUIDs: a ref keeps its uid for as long as anybody claims it. When nobody
// does any more, the uid goes with the claim to its new ref, if that is new too.
// A ref that comes back after it was removed, from wherever, gets the one that
// it had: a document that moves to another repository is first seen gone here
// or first seen there, as it happens.
func (c *changeset) giveUIDs(ctx context.Context, contests []*contest) error {
	former, err := c.formerUIDs(ctx, contests)
	if err != nil {
		return err
	}
	free := map[string]string{} // uids by the ref they had
	for _, k := range contests {
		if len(k.before) > 0 && len(k.after) == 0 {
			free[k.ref] = k.before[0].was.uid
		}
	}
	for _, k := range contests {
		uid := ""
		if len(k.before) > 0 {
			uid = k.before[0].was.uid
		}
		for _, cl := range k.after {
			if old, ok := free[cl.was.ref]; ok && uid == "" && cl.was.ref != k.ref {
				uid = old
				delete(free, cl.was.ref)
				c.renamed[cl.was.ref], c.renamed[k.ref] = k.ref, cl.was.ref
			}
		}
		if uid == "" && len(k.after) > 0 {
			uid = former[k.ref]
		}
		if uid == "" && len(k.after) > 0 {
			uid = uuid.Must(uuid.NewV7()).String()
		}
		for _, cl := range k.after {
			cl.uid = uid
		}
	}
	return nil
}

// formerUIDs are the uids of removed entities whose refs are claimed again. One
// that went on under another ref has kept its uid there.
func (c *changeset) formerUIDs(ctx context.Context, contests []*contest) (map[string]string, error) {
	var refs []string
	for _, k := range contests {
		if len(k.before) == 0 && len(k.after) > 0 {
			refs = append(refs, k.ref)
		}
	}
	out := map[string]string{}
	if len(refs) == 0 || c.last.revision == 0 {
		return out, nil
	}
	err := queryRows(ctx, c.tx, c.s.bind(`SELECT "ref_key", "uid" FROM "revisions" WHERE "op" = 'delete' AND "moved" = '' AND "id" IN
		(SELECT max("id") FROM "revisions" WHERE `+c.s.in(`"ref_key"`)+` GROUP BY "ref_key")`), []any{list(c.s, refs)}, func(r *sql.Rows) error {
		var ref, uid string
		err := r.Scan(&ref, &uid)
		out[ref] = uid
		return err
	})
	return out, err
}
