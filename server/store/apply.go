package store

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"slices"
	"strconv"

	"github.com/waypost-dev/waypost/ent"
	"github.com/waypost-dev/waypost/server/catalog"
)

// Apply writes updates, all in one transaction, with their revisions. Of
// several updates of one repository the last counts.
//
// An entity whose Hash is unchanged gets no revision. If it has only moved
// within its document, its new line (and the lines in its relations, and the
// commit they hold for) replaces the old one in place: Load and Problems give
// it from then on, Changes too, but no change announces it; a reader that
// follows the feed shows the old line, with the old commit, for which it is
// right, until the entity changes or the reader loads anew.
//
// An update that changes nothing writes nothing. Apply returns ErrBusy if
// another process has taken over the source's lease.
func (s *Store) Apply(ctx context.Context, source string, updates []RepositoryUpdate) (Counts, error) {
	if len(updates) == 0 {
		return Counts{}, nil
	}
	c, err := s.change(ctx, source, func(ctx context.Context, c *changeset) error {
		if err := s.checkLease(ctx, c.tx, source, c.now); err != nil {
			return err
		}
		if err := c.update(ctx, updates); err != nil {
			return err
		}
		_, err := c.settle(ctx, Removals{})
		return err
	})
	if err != nil {
		return Counts{}, fmt.Errorf("apply %d repositories of %s: %w", len(updates), source, err)
	}
	return c.counts, nil
}

// change runs decide in a transaction, and writes what it decided.
func (s *Store) change(ctx context.Context, source string, decide func(context.Context, *changeset) error) (*changeset, error) {
	var c *changeset
	err := s.write(ctx, func(tx *ent.Tx, now int64) error {
		c = &changeset{
			s: s, tx: tx, source: source, now: now, claimed: s.began(source, now),
			repositories: map[string]*repository{}, claims: map[int64]*claim{}, contested: map[string]struct{}{}, renamed: map[string]string{},
		}
		if err := c.readLast(ctx); err != nil {
			return fmt.Errorf("read the last ids: %w", err)
		}
		if err := decide(ctx, c); err != nil {
			return err
		}
		if err := c.resolve(ctx); err != nil {
			return fmt.Errorf("decide between claims: %w", err)
		}
		return c.write(ctx)
	})
	if err != nil {
		return nil, err
	}
	if len(c.events) > 0 {
		s.tell()
	}
	return c, nil
}

// changeset is one transaction that changes the catalog: it reads what is
// there, decides in memory, and writes the difference.
type changeset struct {
	s      *Store
	tx     *ent.Tx
	source string
	now    int64 // Unix microseconds
	// claimed is when claims that are new now count as made: at the start of the
	// harvest, so that it does not matter which of two comes in first.
	claimed int64

	// What was read, and what becomes of it.
	repositories map[string]*repository // of the updates, by forge id
	claims       map[int64]*claim       // by id
	fresh        []*claim               // new ones, without id yet
	contested    map[string]struct{}    // refs whose set of claims changes, or their order
	renamed      map[string]string      // refs between which an entity moved, in both directions

	cause []byte // of the update being reconciled

	last struct{ repository, document, content, claim, touched, revision, time int64 } // given out

	// What will be written.
	repositoryRows, documentRows [][]any
	goneRepositories             []int64
	abandoned                    []*repository // that a listing did not hold
	faded                        []int64       // repositories that were gone, and need not be remembered any more
	goneDocuments                []int64
	goneContents                 []int64
	events                       []event
	counts                       Counts
}

// repository is a repository as it is in the database.
type repository struct {
	id              int64
	name            string
	row             []any // as for put; nil if new
	documents       map[string]documentRow
	claims          []*claim // but for those of unchanged documents
	facts, problems []byte
	asked           int64
	gone            bool
}

type documentRow struct {
	id           int64
	hash, commit string
	problems     []byte
}

// update compares updates with what is there. Of several of one repository the
// last counts.
func (c *changeset) update(ctx context.Context, updates []RepositoryUpdate) error {
	updates = lastOfEach(updates)
	if err := c.read(ctx, updates); err != nil {
		return fmt.Errorf("read what is known: %w", err)
	}
	for _, u := range updates {
		if err := c.reconcile(u); err != nil {
			return fmt.Errorf("repository %s: %w", u.Repository.Name, err)
		}
	}
	return nil
}

func lastOfEach(updates []RepositoryUpdate) []RepositoryUpdate {
	at := make(map[string]int, len(updates))
	for i, u := range updates {
		at[u.Repository.ID] = i
	}
	if len(at) == len(updates) {
		return updates
	}
	var out []RepositoryUpdate
	for i, u := range updates {
		if at[u.Repository.ID] == i {
			out = append(out, u)
		}
	}
	return out
}

// reconcile compares an update with what is there. An update that was asked for
// before what is there changes nothing.
func (c *changeset) reconcile(u RepositoryUpdate) error {
	r := c.repositories[u.Repository.ID]
	c.cause = encodeCause(u.Cause)
	asked := c.now
	if !u.Asked.IsZero() {
		asked = u.Asked.UnixMicro()
	}
	if r != nil && asked < r.asked {
		return nil
	}
	if u.Gone {
		return c.forget(r, u.Repository.ID, asked)
	}
	problems, err := encode(u.Problems)
	if err != nil {
		return err
	}
	if r == nil {
		c.last.repository++
		r = &repository{id: c.last.repository}
	}
	r.name = toText(u.Repository.Name)
	row := []any{
		r.id, toText(c.source), toText(u.Repository.ID), r.name, toText(u.Repository.State), toText(u.Repository.Commit),
		u.Repository.Facts, problems, asked, false,
	}
	if r.row == nil || r.gone || !slices.Equal(row[:6], r.row[:6]) || !bytes.Equal(u.Repository.Facts, r.facts) || !bytes.Equal(problems, r.problems) {
		c.repositoryRows = append(c.repositoryRows, row)
	}
	for _, path := range u.Unchanged {
		if had, ok := r.documents[toText(path)]; ok && had.hash != toText(u.Repository.Documents[path].Hash) && u.Repository.Documents[path].Hash != "" {
			// It was found unchanged against what has been replaced since: it is read anew the next time.
			row[4] = ""
		}
	}
	if err := c.reconcileDocuments(r, u.Repository.Documents); err != nil {
		return err
	}
	return c.reconcileClaims(r, u)
}

func (c *changeset) reconcileDocuments(r *repository, documents map[string]Document) error {
	for path, d := range documents {
		problems, err := encode(d.Problems)
		if err != nil {
			return err
		}
		path = toText(path)
		had, ok := r.documents[path]
		// The commit of a document is that of its content's first sight, so
		// that another one alone is no change.
		if ok && had.hash == d.Hash && bytes.Equal(had.problems, problems) {
			continue
		}
		if !ok {
			c.last.document++
			had.id = c.last.document
		}
		c.documentRows = append(c.documentRows, []any{had.id, r.id, path, toText(d.Hash), toText(d.Commit), problems})
	}
	for path, had := range r.documents {
		if _, ok := documents[fromText(path)]; !ok {
			c.goneDocuments = append(c.goneDocuments, had.id)
		}
	}
	return nil
}

// reconcileClaims matches the claims of an update with those that are there: by
// key and ref; else by ref alone, for an entity that moved in the repository;
// else by key alone, for an entity that was renamed.
func (c *changeset) reconcileClaims(r *repository, u RepositoryUpdate) error {
	type identity struct{ key, ref string }
	exact, byRef, byKey := map[identity]*claim{}, map[string]*claim{}, map[string]*claim{}
	for _, cl := range r.claims {
		exact[identity{cl.key, cl.ref}], byRef[cl.ref], byKey[cl.key] = cl, cl, cl
	}
	match := make([]*claim, len(u.Claims))
	matched := map[*claim]struct{}{}
	keys := make(map[string]struct{}, len(u.Claims))
	ids := make([]identity, len(u.Claims))
	try := func(i int, cl *claim) {
		if _, taken := matched[cl]; cl != nil && !taken && match[i] == nil {
			match[i], matched[cl] = cl, struct{}{}
		}
	}
	for i, cl := range u.Claims {
		ids[i] = identity{toText(cl.Key), toText(cl.Entity.Ref.Key())}
		if _, twice := keys[cl.Key]; twice {
			return fmt.Errorf("two claims with the key %q", cl.Key)
		}
		keys[cl.Key] = struct{}{}
		try(i, exact[ids[i]])
	}
	for i := range u.Claims {
		try(i, byRef[ids[i].ref])
	}
	c.keepBroken(r, u.Broken, keys, matched)
	for i := range u.Claims {
		try(i, byKey[ids[i].key])
	}
	// What was inferred of a repository goes as soon as it declares something.
	declares := slices.ContainsFunc(u.Claims, func(cl Claim) bool { return !cl.Entity.Origin.Inferred })
	for _, cl := range r.claims {
		if _, ok := matched[cl]; ok {
			continue
		}
		if cl.inferred && declares {
			c.drop(cl)
		} else {
			c.orphan(cl)
		}
	}
	for i, cl := range u.Claims {
		c.set(r, match[i], ids[i].key, ids[i].ref, cl)
	}
	return nil
}

// keepBroken takes the claims out of the matching that stay in their last good
// form. Such a claim gives up its key if a valid entity has it now.
func (c *changeset) keepBroken(r *repository, broken []BrokenDocument, keys map[string]struct{}, matched map[*claim]struct{}) {
	for _, b := range broken {
		path := toText(b.Path)
		for _, cl := range r.claims {
			if _, ok := matched[cl]; ok || cl.path != path || !b.All && !slices.ContainsFunc(b.Refs, func(r string) bool { return toText(r) == cl.ref }) {
				continue
			}
			matched[cl] = struct{}{}
			if _, taken := keys[fromText(cl.key)]; taken {
				cl.key += "#" + cl.ref
			}
		}
	}
}

// set brings a claim, new if cl is nil, to what the update says.
func (c *changeset) set(r *repository, cl *claim, key, ref string, to Claim) {
	if cl == nil {
		cl = &claim{row: row{repository: r.id, claimed: c.claimed}}
		c.fresh = append(c.fresh, cl)
	}
	e := to.Entity
	hash, place, path := e.Hash(), placeOf(e), toText(e.Origin.Path)
	if cl.orphaned != 0 { // it is declared again
		cl.orphaned = 0
		c.touch(cl)
		c.contested[cl.ref] = struct{}{}
	}
	if cl.ref != ref || cl.path != path || cl.at != r.name || cl.priority != int64(to.Priority) || cl.inferred != e.Origin.Inferred {
		c.contested[ref] = struct{}{}
		if cl.ref != "" {
			c.contested[cl.ref] = struct{}{}
		}
	}
	if cl.ref != "" && cl.ref != ref {
		cl.claimed = c.claimed
	}
	if cl.ref != ref || cl.path != path {
		cl.cause = c.cause
	}
	cl.key, cl.ref, cl.path, cl.at = key, ref, path, r.name
	cl.priority, cl.inferred = int64(to.Priority), e.Origin.Inferred
	switch {
	case cl.hash != hash:
		cl.hash, cl.place, cl.entity, cl.cause = hash, place, e, c.cause
	case cl.place != place:
		cl.place, cl.moved = place, e
	}
}

func (c *changeset) drop(cl *claim) {
	cl.gone = true
	c.touch(cl)
	c.contested[cl.ref] = struct{}{}
}

// forget makes orphans of what a repository declares that is gone for certain,
// and remembers that it is.
func (c *changeset) forget(r *repository, id string, asked int64) error {
	if r == nil {
		return nil
	}
	for _, cl := range r.claims {
		c.orphan(cl)
	}
	for _, d := range r.documents {
		c.goneDocuments = append(c.goneDocuments, d.id)
	}
	if !r.gone || asked != r.asked {
		c.repositoryRows = append(c.repositoryRows, []any{r.id, toText(c.source), toText(id), r.name, "", "", []byte(nil), []byte(nil), asked, true})
	}
	return nil
}

// placeOf is a hash of the lines of an entity: what may change without a
// revision. The commit is not part of it: a document that is read again at
// another commit is no change.
func placeOf(e *catalog.Entity) int64 {
	h := fnv.New64a()
	var b []byte
	add := func(n int) { b = append(strconv.AppendInt(b, int64(n), 10), ' ') }
	add(e.Origin.Line)
	for _, r := range e.Relations {
		b = append(b, r.Field...)
		add(r.Line)
		add(r.Column)
	}
	h.Write(b)
	return int64(h.Sum64())
}

// encodeCause is the JSON of a cause, and nil of an unknown one.
func encodeCause(cause catalog.Cause) []byte {
	if cause == (catalog.Cause{}) {
		return nil
	}
	b, err := json.Marshal(cause)
	if err != nil {
		panic(err) // of strings and a number
	}
	return b
}

// encode is the JSON of a list, and nil of an empty one.
func encode[T any](list []T) ([]byte, error) {
	if len(list) == 0 {
		return nil, nil
	}
	return json.Marshal(list)
}
