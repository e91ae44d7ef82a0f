package harvest

import (
	"context"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/descriptor"
	"github.com/waypost-dev/waypost/server/source"
	"github.com/waypost-dev/waypost/server/store"
)

// statePrefix names everything of ours on which the outcome of reading a
// repository depends.
func statePrefix(c Config) string {
	return descriptor.Version + "." + inferenceVersion + "." + strconv.FormatBool(!c.NoInference) + "." + strconv.Itoa(c.Priority) + c.Schemas.Version() + strings.Join(c.Allow, ",") + " "
}

// known shows a source what the catalog has of it.
type known struct{ *run }

// Repository implements source.Known.
func (k known) Repository(id string) (source.RepositoryState, bool) {
	kept, ok := k.kept(context.Background(), id)
	if !ok {
		return source.RepositoryState{}, false
	}
	state, ok := strings.CutPrefix(kept.State, k.prefix)
	if !ok {
		return source.RepositoryState{}, false
	}
	documents := make(map[string]string, len(kept.Documents))
	for path, d := range kept.Documents {
		documents[path] = d.Hash
	}
	return source.RepositoryState{State: state, Documents: documents}, true
}

// Expect implements source.Out.
func (r *run) Expect(repositories int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.state.Expected = repositories
}

// Spent implements source.Out.
func (r *run) Spent(b source.Budget) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.state.Budget = b
	r.state.Requests, r.state.FreeRequests = b.Counted, b.Free
}

// Problem implements source.Out.
func (r *run) Problem(p catalog.Problem) {
	p.Source = r.config.Source.Name()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.problems = append(r.problems, p)
}

// Complete implements source.Out.
func (r *run) Complete(context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.complete = true
	return nil
}

// Unchanged implements source.Out.
func (r *run) Unchanged(ctx context.Context, id string) error {
	kept, ok := r.kept(ctx, id)
	if !ok {
		return nil // the source knows it from elsewhere; there is nothing to keep
	}
	r.mu.Lock()
	r.seen[id] = struct{}{}
	r.state.Repositories++
	r.state.Unchanged++
	r.state.Problems += standing(kept)
	r.mu.Unlock()

	// Time alone can change what is inferred of a repository at rest.
	if update, ok := r.aged(kept); ok {
		return r.batch.add(ctx, update)
	}
	return ctx.Err()
}

// Keep implements source.Out.
func (r *run) Keep(ctx context.Context, id string, p catalog.Problem) error {
	r.Problem(p)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seen[id] = struct{}{}
	r.state.Repositories++
	return ctx.Err()
}

// Repository implements source.Out.
func (r *run) Repository(ctx context.Context, repo source.Repository) error {
	decoded, err := r.decodeAll(ctx, repo)
	if err != nil {
		return err
	}
	kept, _ := r.kept(ctx, repo.ID)
	name := r.config.Source.Name()
	update := store.RepositoryUpdate{
		Asked: repo.Asked, Cause: r.cause(repo),
		Repository: store.Repository{
			ID: repo.ID, State: r.prefix + repo.State, Name: repo.FullName(), Commit: repo.Commit,
			Facts: marshalFacts(repo, kept), Documents: make(map[string]store.Document, len(repo.Documents)),
		},
	}
	read, entities, problems := 0, 0, 0
	moved := kept.ID != "" && movedSince(kept, repo)
	for i, d := range repo.Documents {
		before, had := kept.Documents[d.Path]
		switch {
		case d.Problem != nil:
			// Unread: what is known of it stays, and the empty hash has it read again.
			p := locate(*d.Problem, name, repo, d.Path)
			update.Repository.Documents[d.Path] = store.Document{Commit: before.Commit, Problems: []catalog.Problem{p}}
			// A state of its own makes the source come back to this repository.
			update.Repository.State = r.prefix
			if had {
				update.Unchanged = append(update.Unchanged, d.Path)
			}
			problems++
		case d.Content == nil:
			if moved {
				// Its entities still tell the old address. It is read anew, whole,
				// before the run ends, or else, without a state, the next time.
				update.Repository.State = ""
				r.mu.Lock()
				r.moved[repo.ID] = source.Pointer{ID: repo.ID, Name: repo.FullName()}
				r.mu.Unlock()
			}
			update.Repository.Documents[d.Path] = before
			update.Unchanged = append(update.Unchanged, d.Path)
			problems += len(before.Problems)
		default:
			read++
			out := decoded[i]
			for _, e := range out.Entities {
				update.Claims = append(update.Claims, store.Claim{
					Key: claimKey(d.Path, e, len(out.Entities)), Priority: r.config.Priority, Entity: e,
				})
			}
			entities += len(out.Entities)
			problems += len(out.Problems)
			update.Repository.Documents[d.Path] = store.Document{Hash: d.Hash, Commit: repo.Commit, Problems: out.Problems}
			if broken := brokenRefs(out); broken != nil {
				update.Broken = append(update.Broken, store.BrokenDocument{Path: d.Path, Refs: broken.refs, All: broken.all})
			}
		}
	}
	for _, p := range repo.Problems {
		update.Problems = append(update.Problems, locate(p, name, repo, p.Path))
	}
	// A folder without versions and without an address is no repository.
	if len(repo.Documents) == 0 && !r.config.NoInference && (repo.URL != "" || repo.Commit != "") {
		if e := inferComponent(name, repo, time.Now()); e != nil {
			update.Claims = append(update.Claims, store.Claim{Key: inferredKey, Priority: r.config.Priority, Entity: e})
			entities++
		}
	}

	r.mu.Lock()
	r.seen[repo.ID] = struct{}{}
	r.state.Repositories++
	r.state.Read += read
	r.state.Entities += entities
	r.state.Problems += problems + len(update.Problems)
	r.mu.Unlock()
	return r.batch.add(ctx, update)
}

// Gone implements source.Out.
func (r *run) Gone(ctx context.Context, id string) error {
	if _, ok := r.kept(ctx, id); !ok {
		return ctx.Err()
	}
	r.mu.Lock()
	r.state.Repositories++
	r.mu.Unlock()
	return r.batch.add(ctx, store.RepositoryUpdate{Repository: store.Repository{ID: id}, Gone: true, Cause: r.cause(source.Repository{})})
}

// Directory implements source.Out.
func (r *run) Directory(ctx context.Context, d source.Directory) error {
	if r.config.NoInference {
		return nil
	}
	update := store.RepositoryUpdate{Repository: store.Repository{ID: directoryID, Name: d.Organisation, State: r.prefix}, Cause: r.cause(source.Repository{})}
	for _, e := range inferDirectory(r.config.Source.Name(), d) {
		update.Claims = append(update.Claims, store.Claim{Key: e.Ref.Key(), Priority: r.config.Priority, Entity: e})
	}
	r.mu.Lock()
	r.state.Entities += len(update.Claims)
	r.mu.Unlock()
	return r.batch.add(ctx, update)
}

// cause is what a change of a repository is put down to.
func (r *run) cause(repo source.Repository) catalog.Cause {
	c := r.actor
	c.Via, c.Harvest = r.via, r.id
	if repo.Author != "" {
		c.Actor = repo.Author
	}
	if repo.Commit != "" {
		c.Commit = repo.Commit
	}
	return c
}

// decodeAll decodes the documents of a repository that have content, in
// parallel within the limit of the whole run.
func (r *run) decodeAll(ctx context.Context, repo source.Repository) ([]descriptor.Decoded, error) {
	out := make([]descriptor.Decoded, len(repo.Documents))
	var wg sync.WaitGroup
	defer wg.Wait()
	for i, d := range repo.Documents {
		if d.Content == nil {
			continue
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case r.decode <- struct{}{}:
		}
		wg.Add(1)
		go func() {
			defer wg.Done()
			defer func() { <-r.decode }()
			f := FileOf(r.config.Source.Name(), repo, d)
			f.Schemas, f.Allow = r.config.Schemas, r.config.Allow
			out[i] = descriptor.Decode(f)
		}()
	}
	wg.Wait()
	return out, nil
}

// FileOf says where a document stands, as Backstage's GitHub provider would
// address it.
func FileOf(sourceName string, repo source.Repository, d source.Document) descriptor.File {
	f := descriptor.File{
		Source: sourceName, Repository: repo.FullName(), Commit: repo.Commit, Path: d.Path, Content: d.Content,
		Location: "file:" + repo.FullName() + "/" + d.Path, Include: includes(d),
	}
	if d.Location != "" {
		f.Location = d.Location
		if page, ok := strings.CutPrefix(d.Location, "url:"); ok {
			f.View = page
		}
		if strings.HasPrefix(sourceName, "url:") || strings.HasPrefix(sourceName, "file:") {
			f.Origin = sourceName // a location is called what it is
		}
		return f
	}
	if repo.URL != "" {
		blob := repo.URL + "/blob/" + repo.Branch + "/" + d.Path
		f.Location = "url:" + blob
		f.View = blob
		f.Edit = repo.URL + "/edit/" + repo.Branch + "/" + d.Path
		f.SourceLocation = "url:" + repo.URL + "/tree/" + repo.Branch + "/" + folderOf(d.Path)
	}
	return f
}

func folderOf(path string) string {
	return path[:strings.LastIndexByte(path, '/')+1]
}

// claimKey keeps a claim's identity when the only entity of a file changes its
// name, and when entities of a larger file change places.
func claimKey(path string, e *catalog.Entity, of int) string {
	if of == 1 {
		return path
	}
	return path + "#" + e.Ref.Key()
}

// Broken names the entities of a document, by the keys of their refs, that are
// there but not valid, so that their last good form stays; all says that any of
// the document may be.
func Broken(d descriptor.Decoded) (refs []string, all bool) {
	if b := brokenRefs(d); b != nil {
		return b.refs, b.all
	}
	return nil, false
}

// broken names the entities of a document that are there but not valid.
type broken struct {
	refs []string
	all  bool
}

// brokenRefs tells which entities of a document may be there and could not be
// read: their last good form stays. It is nil if there are none.
func brokenRefs(d descriptor.Decoded) *broken {
	var b *broken
	for _, p := range d.Problems {
		if p.Severity != catalog.SeverityError || p.Code == catalog.CodeDuplicateRef || p.Code == catalog.CodeNotAllowed {
			continue
		}
		if b == nil {
			b = &broken{}
		}
		if p.Entity == "" {
			b.all = true
			continue
		}
		if ref, err := catalog.ParseRef(p.Entity, catalog.RefContext{}); err == nil {
			b.refs = append(b.refs, ref.Key())
		}
	}
	return b
}

// locate fills in where a problem is, as far as its reporter left it out.
func locate(p catalog.Problem, sourceName string, repo source.Repository, path string) catalog.Problem {
	p.Source = sourceName
	if p.Repository == "" {
		p.Repository = repo.FullName()
	}
	if p.Path == "" {
		p.Path = path
	}
	return p
}

func standing(r store.Repository) int {
	n := 0
	for _, d := range r.Documents {
		n += len(d.Problems)
	}
	return n
}
