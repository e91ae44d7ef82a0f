package harvest

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/maypok86/otter/v2"
	"github.com/tidwall/gjson"

	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/source"
	"github.com/waypost-dev/waypost/server/store"
)

// Readme is the README beside an entity.
type Readme struct {
	Repository string // owner/name
	Path       string // in the repository
	Content    string
	Truncated  bool // there is more of it
	Commit     string
	URL        string // of its page; empty if there is none

	missing string // why there is none
}

// ErrNoReadme: there is none, or the source cannot give it.
var ErrNoReadme = errors.New("no README")

// MaxReadme is how many bytes of a README are given.
const MaxReadme = 256 << 10

// Of a commit, what is in a folder never changes, so that it is kept: who looks
// at a page that many look at makes no request.
const (
	keptReadmes    = 16 << 20 // bytes
	keptReadmesFor = 10 * time.Minute
	readmeTime     = 20 * time.Second // to read one
)

// readmePlace is a folder at a commit.
type readmePlace struct {
	source string
	source.Place
}

func newReadmes() *otter.Cache[readmePlace, Readme] {
	return otter.Must(&otter.Options[readmePlace, Readme]{
		MaximumWeight: keptReadmes,
		Weigher: func(_ readmePlace, r Readme) uint32 {
			const overhead = 512
			return overhead + uint32(len(r.Content))
		},
		ExpiryCalculator: otter.ExpiryAccessing[readmePlace, Readme](keptReadmesFor),
	})
}

// Readme reads the README beside an entity, as a person asks for it: in the folder
// that its source location names, in that of its catalog file, or at the root. It
// asks the entity's source and nobody else.
func (e *Engine) Readme(ctx context.Context, entity *catalog.Entity) (Readme, error) {
	o := entity.Origin
	s, ok := e.Source(o.Source).(source.Inspector)
	if !ok || o.Repository == "" {
		return Readme{}, fmt.Errorf("%w: the source %s gives no files but catalog files", ErrNoReadme, o.Source)
	}
	repo, err := e.repository(ctx, o.Source, o.Repository)
	if err != nil {
		return Readme{}, err
	}
	var folders []string
	location, _ := strings.CutPrefix(gjson.GetBytes(entity.Document, `metadata.annotations.backstage\.io/source-location`).String(), "url:")
	if folder, ok := repo.folder(location); ok {
		folders = append(folders, folder)
	} else if other, folder, ok := e.elsewhere(ctx, o.Source, location); ok {
		// A catalog file may speak of a repository that is not its own.
		return e.readmeIn(ctx, s, other, folder, "")
	}
	if o.Path != "" {
		folders = append(folders, strings.TrimPrefix(path.Dir(o.Path), "."))
	}
	return e.readmeIn(ctx, s, repo, append(folders, "")...)
}

// known is a repository as far as a README of it needs it.
type knownRepository struct {
	source, id, name, commit, url, branch string
	root                                  []string // names in the root folder; nil if unknown
}

func (e *Engine) repository(ctx context.Context, source, name string) (knownRepository, error) {
	id, err := e.store.RepositoryID(ctx, source, name)
	if err == nil {
		var found map[string]store.Repository
		if found, err = e.store.RepositoriesByID(ctx, source, []string{id}); err == nil {
			if r, ok := found[id]; ok {
				f := gjson.GetManyBytes(r.Facts, "url", "branch", "root")
				out := knownRepository{source: source, id: id, name: r.Name, commit: r.Commit, url: f[0].String(), branch: f[1].String()}
				for _, n := range f[2].Array() {
					out.root = append(out.root, n.String())
				}
				return out, nil
			}
			err = store.ErrNotFound
		}
	}
	if errors.Is(err, store.ErrNotFound) {
		err = fmt.Errorf("%w: nothing is known of the repository %s", ErrNoReadme, name)
	}
	return knownRepository{}, err
}

// folder is the one that an address of the repository leads to.
func (r knownRepository) folder(address string) (string, bool) {
	if r.url == "" {
		return "", false
	}
	rest, ok := strings.CutPrefix(address, r.url)
	if !ok || rest != "" && rest[0] != '/' {
		return "", false
	}
	rest = strings.Trim(rest, "/")
	if below, ok := strings.CutPrefix(rest+"/", "tree/"+r.branch+"/"); ok && r.branch != "" {
		folder, err := url.PathUnescape(strings.Trim(below, "/"))
		if folder == "" {
			return "", true
		}
		folder = path.Clean(folder)
		return folder, err == nil && folder != ".." && !strings.HasPrefix(folder, "../") && folder[0] != '/'
	}
	return "", true // of the repository, or of a branch that is not read
}

// elsewhere is the other repository of the same source that an address leads to.
func (e *Engine) elsewhere(ctx context.Context, source, address string) (knownRepository, string, bool) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return knownRepository{}, "", false
	}
	parts := strings.Split(strings.Trim(u.Path, "/"), "/")
	if len(parts) < 2 {
		return knownRepository{}, "", false
	}
	repo, err := e.repository(ctx, source, parts[0]+"/"+parts[1])
	if err != nil {
		return knownRepository{}, "", false
	}
	folder, ok := repo.folder(address)
	return repo, folder, ok
}

// readmeIn looks into folders of a repository, one after the other.
func (e *Engine) readmeIn(ctx context.Context, s source.Inspector, repo knownRepository, folders ...string) (Readme, error) {
	if repo.commit == "" {
		return Readme{}, fmt.Errorf("%w: %s has no commit to read it from", ErrNoReadme, repo.name)
	}
	missing := ""
	for i, folder := range folders {
		if slices.Contains(folders[:i], folder) {
			continue
		}
		place := readmePlace{repo.source, source.Place{ID: repo.id, Name: repo.name, Commit: repo.commit, Folder: folder}}
		found, err := e.readmes.Get(ctx, place, otter.LoaderFunc[readmePlace, Readme](func(ctx context.Context, p readmePlace) (Readme, error) {
			// Others may wait for it although the first has left.
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), readmeTime)
			defer cancel()
			return readReadme(ctx, s, p.Place, repo.root)
		}))
		if err != nil {
			return Readme{}, fmt.Errorf("read the README of %s: %w", repo.name, err)
		}
		if found.missing == "" {
			if repo.url != "" {
				at := repo.branch
				if at == "" {
					at = repo.commit
				}
				found.URL = repo.url + (&url.URL{Path: "/blob/" + at + "/" + found.Path}).EscapedPath()
			}
			return found, nil
		}
		missing = found.missing
	}
	return Readme{}, fmt.Errorf("%w: %s", ErrNoReadme, missing)
}

// readReadme reads the README of a folder, or says why there is none. root are the
// names in the root folder, if they are known.
func readReadme(ctx context.Context, s source.Inspector, at source.Place, root []string) (Readme, error) {
	paths, err := root, error(nil)
	if at.Folder != "" || root == nil {
		paths, err = s.Files(ctx, at)
	}
	if errors.Is(err, source.ErrSpent) || err != nil && !errors.Is(err, source.ErrNotGiven) {
		return Readme{}, err
	}
	where := at.Name
	if at.Folder != "" {
		where += "/" + at.Folder
	}
	found, best := "", len(readmeNames)
	for _, p := range paths {
		below := p
		if at.Folder != "" {
			below = strings.TrimPrefix(p, at.Folder+"/")
		}
		if i := slices.Index(readmeNames, strings.ToLower(below)); i >= 0 && (i < best || i == best && p < found) {
			found, best = p, i
		}
	}
	if found == "" {
		return Readme{missing: where + " has none"}, nil
	}
	b, err := s.Content(ctx, at, found)
	if errors.Is(err, source.ErrNotGiven) && !errors.Is(err, source.ErrSpent) {
		return Readme{missing: fmt.Sprintf("%s of %s is no file that can be read, or larger than %d MiB", found, at.Name, source.MaxDocument>>20)}, nil
	}
	if err != nil {
		return Readme{}, err
	}
	text, truncated := string(b), false
	if len(b) > MaxReadme {
		n := MaxReadme
		for n > MaxReadme-utf8.UTFMax && !utf8.RuneStart(b[n]) {
			n--
		}
		text, truncated = string(b[:n]), true
	}
	if !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
		return Readme{missing: found + " of " + at.Name + " is no text"}, nil
	}
	return Readme{Repository: at.Name, Path: found, Content: text, Truncated: truncated, Commit: at.Commit}, nil
}

// readmeNames are the names of READMEs in lower case, the one that is looked for
// first at the front.
var readmeNames = []string{"readme.md", "readme.markdown", "readme.rst", "readme.adoc", "readme.txt", "readme"}
