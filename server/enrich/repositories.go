package enrich

import (
	"context"
	"maps"
	"slices"
	"sync"

	"github.com/maypok86/otter/v2"

	"github.com/waypost-dev/waypost/plugins"
	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/store"
)

// repositories knows what was written when, and keeps some facts.
type repositories struct {
	store *store.Store
	facts *otter.Cache[repositoryKey, plugins.Repository]

	mu    sync.Mutex
	at    int64
	known map[repositoryName]repositoryKey
	names map[repositoryID]string
}

type repositoryID struct{ source, id string }

type repositoryName struct{ source, name string }

type repositoryKey struct {
	source, id string
	touched    int64
}

// keptRepositories is how many repositories' facts are in memory at most.
const keptRepositories = 512

func newRepositories(st *store.Store) *repositories {
	return &repositories{
		store: st, at: -1, known: map[repositoryName]repositoryKey{}, names: map[repositoryID]string{},
		facts: otter.Must(&otter.Options[repositoryKey, plugins.Repository]{MaximumSize: keptRepositories}),
	}
}

// last is the position of the last write, after which catchUp finds nothing.
func (r *repositories) last(ctx context.Context) (int64, error) {
	r.mu.Lock()
	at := r.at
	r.mu.Unlock()
	touched, err := r.store.TouchedRepositories(ctx, at)
	if err != nil || len(touched) == 0 {
		return at, err
	}
	return touched[len(touched)-1].Touched, nil
}

// catchUp learns of what was written.
func (r *repositories) catchUp(ctx context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	touched, err := r.store.TouchedRepositories(ctx, r.at)
	if err != nil {
		return err
	}
	for _, t := range touched {
		id := repositoryID{t.Source, t.ID}
		if old, ok := r.names[id]; ok && (t.Gone || old != t.Name) {
			delete(r.known, repositoryName{t.Source, old})
			delete(r.names, id)
		}
		if !t.Gone {
			r.names[id] = t.Name
			r.known[repositoryName{t.Source, t.Name}] = repositoryKey{t.Source, t.ID, t.Touched}
		}
		r.at = t.Touched
	}
	return nil
}

// since are the repositories written after a position, and the position now.
func (r *repositories) since(at int64) ([]repositoryName, int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []repositoryName
	for name, k := range r.known {
		if k.touched > at {
			out = append(out, name)
		}
	}
	return out, r.at
}

func (r *repositories) touched(source, name string) int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.known[repositoryName{source, name}].touched
}

// together reads the repositories of some entities at once.
func (r *repositories) together(ctx context.Context, entities []*catalog.Entity) (map[repositoryName]plugins.Repository, error) {
	out := map[repositoryName]plugins.Repository{}
	wanted := map[string]map[string]repositoryName{} // by source and id
	r.mu.Lock()
	for _, e := range entities {
		name := repositoryName{e.Origin.Source, e.Origin.Repository}
		key, ok := r.known[name]
		if !ok {
			continue
		}
		if wanted[key.source] == nil {
			wanted[key.source] = map[string]repositoryName{}
		}
		wanted[key.source][key.id] = name
	}
	r.mu.Unlock()
	for source, ids := range wanted {
		found, err := r.store.RepositoriesByID(ctx, source, slices.Collect(maps.Keys(ids)))
		if err != nil {
			return nil, err
		}
		for id, got := range found {
			out[ids[id]] = repositoryOf(source, got)
		}
	}
	return out, nil
}

func repositoryOf(source string, r store.Repository) plugins.Repository {
	return plugins.Repository{Source: source, ID: r.ID, Name: r.Name, Commit: r.Commit, RepositoryFacts: decodeFacts(r.Facts)}
}

func (r *repositories) get(ctx context.Context, source, name string) (plugins.Repository, bool) {
	r.mu.Lock()
	key, ok := r.known[repositoryName{source, name}]
	r.mu.Unlock()
	if !ok {
		return plugins.Repository{}, false
	}
	found, err := r.facts.Get(ctx, key, otter.LoaderFunc[repositoryKey, plugins.Repository](func(ctx context.Context, key repositoryKey) (plugins.Repository, error) {
		all, err := r.store.RepositoriesByID(ctx, key.source, []string{key.id})
		if err != nil {
			return plugins.Repository{}, err
		}
		got, ok := all[key.id]
		if !ok {
			return plugins.Repository{}, otter.ErrNotFound
		}
		return repositoryOf(key.source, got), nil
	}))
	return found, err == nil
}
