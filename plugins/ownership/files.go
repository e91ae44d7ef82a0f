package ownership

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/maypok86/otter/v2"

	"github.com/waypost-dev/waypost/plugins"
	"github.com/waypost-dev/waypost/server/catalog"
)

// keptFiles bounds the CODEOWNERS files that are kept parsed, in bytes of text.
const keptFiles = 16 << 20

// ownersFiles keeps parsed CODEOWNERS files by their hash. It is safe for
// concurrent use.
type ownersFiles struct {
	dialect string
	parsed  *otter.Cache[string, *ownersFile]
}

func newOwnersFiles(dialect string) *ownersFiles {
	return &ownersFiles{dialect, otter.Must(&otter.Options[string, *ownersFile]{
		MaximumWeight: keptFiles,
		Weigher:       func(_ string, f *ownersFile) uint32 { return uint32(min(f.size, keptFiles)) + 1000 },
	})}
}

func (o *ownersFiles) get(c *plugins.Codeowners) *ownersFile {
	if c.Hash == "" {
		return parseOwners(c.Content, o.dialect)
	}
	if f, ok := o.parsed.GetIfPresent(c.Hash); ok {
		return f
	}
	f := parseOwners(c.Content, o.dialect)
	o.parsed.Set(c.Hash, f)
	return f
}

// FindInCodeowners tells what a repository's CODEOWNERS says of a path: the
// owners as they are written, and the line that counts. It tells false if there
// is no such file, or no line is about the path; owners are empty if a line says
// that nobody owns it.
func (p *Plugin) FindInCodeowners(r plugins.Repository, path string) ([]string, catalog.Evidence, bool) {
	c := r.Codeowners
	if p.files == nil || c == nil || c.Content == "" || len(c.Content) > maxOwnersFile {
		return nil, catalog.Evidence{}, false
	}
	path = cleanFolder(path)
	found, ok := p.files.get(c).match(path)
	if !ok {
		return nil, catalog.Evidence{}, false
	}
	return found.owners, place{Repository: r}.in(c.Path, found.line, catalog.Evidence{
		Kind: "codeowners", Text: fmt.Sprintf("%s says so of %s in line %d.", c.Path, found.pattern, found.line), Weight: 1,
	}), true
}

// maxSample is how many files below a folder are looked at. Of more, every n-th
// in the order of their paths is, so that each folder has its share.
const maxSample = 2000

func sample(files []string) []string {
	if len(files) <= maxSample {
		return files
	}
	files = slices.Sorted(slices.Values(files))
	out := make([]string, maxSample)
	for i := range out {
		out[i] = files[i*len(files)/maxSample]
	}
	return out
}

// emptyBlob is git's id of an empty file, which is told apart by it from one that
// is too large to be read.
const emptyBlob = "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"

// codeowners is 3: who owns the files below the folder of the entity. Half of
// them must be one set of owners'; of a set, the first team counts, and then the
// first person.
func (g *gatherer) codeowners(ctx context.Context, s plugins.Subject, f *finding) {
	c := f.Place.Codeowners
	if c == nil || c.Hash == emptyBlob {
		return
	}
	if c.Content == "" || len(c.Content) > maxOwnersFile {
		f.Lint = append(f.Lint, lint{Reason: "too-large", Path: c.Path, Message: "CODEOWNERS has more than 3 MB, so that the forge ignores it", Hint: "Divide the repository, or give folders to owners, not files."})
		return
	}
	file := g.files.get(c)
	for _, bad := range file.invalid {
		f.Lint = append(f.Lint, lint{Reason: "invalid", Path: c.Path, Line: bad.line, Message: bad.message, Hint: "Mend the line: until then the forge passes over it."})
	}
	files, err := g.source.Files(ctx, f.Place.Repository, f.Place.Folder)
	if err != nil && !errors.Is(err, plugins.ErrNotGiven) {
		f.Troubles[SourceCodeowners] = fmt.Errorf("read the files of %s: %w", f.Place.Name, err)
		return
	}
	guessed := len(files) == 0
	if guessed {
		// A file of no particular name stands for all.
		files = []string{strings.TrimPrefix(f.Place.Folder+"/file", "/")}
	}
	total := len(files)
	files = sample(files)
	sets := distribution(file, files)
	over := fmt.Sprintf("%d files", total)
	switch {
	case guessed:
		over = "the folder as such, as its files are not known"
	case total > len(files):
		over = fmt.Sprintf("a sample of %d of the %d files", len(files), total)
	}
	f.Split = len(sets) > 0 && sets[0].share(len(files)) < mostFiles
	for i, set := range sets[:min(len(sets), maxSets)] {
		g.ownerSet(s, f, c.Path, set, set.share(len(files)), i == 0, guessed, over)
	}
}

const (
	mostFiles    = 0.5 // share of files from which on a set of owners owns the folder
	guessFactor  = 0.6 // of the confidence, if the files are not known
	maxSets      = 10  // sets of owners that are told
	maxSetOwners = 20  // owners of a set that are told
)

// ownerSet adds the claims of one set of owners.
func (g *gatherer) ownerSet(s plugins.Subject, f *finding, file string, set ownerSet, share float64, first, guessed bool, over string) {
	if set.line == 0 {
		return // files that no line is about
	}
	names := "nobody"
	if len(set.owners) > 0 {
		names = strings.Join(set.owners[:min(len(set.owners), maxSetOwners)], " ")
	}
	evidence := f.Place.in(file, set.line, catalog.Evidence{
		Kind: "codeowners", Weight: share,
		Text: fmt.Sprintf("%s gives %.0f %% of %s in %s to %s (%s).", file, 100*share, over, folderName(f.Place.Folder), names, set.pattern),
	})
	confidence := Confidence(SourceCodeowners) * share
	if guessed {
		confidence *= guessFactor
	}
	unfit := ""
	if !first || share < mostFiles {
		unfit = fmt.Sprintf("CODEOWNERS gives it %.0f %% of the files; it takes %.0f %%", 100*share, 100*mostFiles)
	}
	if len(set.owners) == 0 {
		g.addRef(s, f, SourceCodeowners, catalog.Ref{}, false, "", confidence, evidence).Unfit = unfit
		return
	}
	for _, owner := range preferTeams(set.owners)[:min(len(set.owners), maxSetOwners)] {
		c := g.add(s, f, SourceCodeowners, owner, confidence, evidence)
		c.Unfit = unfit
		if why := ineffective(&f.Place, owner); why != "" {
			c.Unfit = why
			if hint := fmt.Sprintf("Give %s the permission to write, or name another owner.", owner); !slices.ContainsFunc(f.Lint, func(l lint) bool { return l.Line == set.line && l.Hint == hint }) {
				f.Lint = append(f.Lint, lint{Reason: "ineffective", Path: file, Line: set.line, Message: fmt.Sprintf("the owner %s does not count: %s", owner, why), Hint: hint})
			}
		}
	}
}

// ineffective says why the forge ignores an owner: a team that cannot write.
// Whether a person can is not known.
func ineffective(p *place, owner string) string {
	org, slug, ok := strings.Cut(strings.TrimPrefix(owner, "@"), "/")
	if !ok || !strings.HasPrefix(owner, "@") || len(p.Teams) == 0 || !strings.EqualFold(org, ownerOf(p.Name)) {
		return ""
	}
	for team, has := range p.Teams {
		if strings.EqualFold(team, slug) {
			if has == "push" || has == "maintain" || has == "admin" {
				return ""
			}
			return fmt.Sprintf("the team's permission on the repository is %s, not to write", has)
		}
	}
	return "the team has no permission on the repository"
}

// preferTeams puts teams before people, and people before e-mail addresses.
func preferTeams(owners []string) []string {
	kind := func(owner string) int {
		switch {
		case !strings.HasPrefix(owner, "@"):
			return 2
		case strings.Contains(owner, "/"):
			return 0
		}
		return 1
	}
	out := slices.Clone(owners)
	slices.SortStableFunc(out, func(a, b string) int { return cmp.Compare(kind(a), kind(b)) })
	return out
}

// ownerSet is the files that are given to one set of owners.
type ownerSet struct {
	owners  []string // none for nobody
	files   int
	line    int // that gives most of them, from 1; 0 if no line is about them
	pattern string
}

func (s ownerSet) share(of int) float64 { return float64(s.files) / float64(of) }

// distribution tells how files are divided among sets of owners, most first.
func distribution(file *ownersFile, files []string) []ownerSet {
	byLine := map[int]*ownerSet{}
	for _, f := range files {
		r, ok := file.match(f)
		if !ok {
			r = rule{}
		}
		s := byLine[r.line]
		if s == nil {
			s = &ownerSet{owners: r.owners, line: r.line, pattern: r.pattern}
			byLine[r.line] = s
		}
		s.files++
	}
	lines := make([]*ownerSet, 0, len(byLine))
	for _, s := range byLine {
		lines = append(lines, s)
	}
	order := func(a, b ownerSet) int {
		return cmp.Or(cmp.Compare(b.files, a.files), cmp.Compare(a.line, b.line))
	}
	slices.SortFunc(lines, func(a, b *ownerSet) int { return order(*a, *b) })
	var out []ownerSet
	at := map[string]int{}
	for _, s := range lines {
		key := strings.ToLower(strings.Join(slices.Sorted(slices.Values(s.owners)), "\n"))
		if s.line == 0 {
			key = "\n" // no line is something else than a line without owners
		}
		if i, ok := at[key]; ok {
			out[i].files += s.files
			continue
		}
		at[key] = len(out)
		out = append(out, *s)
	}
	slices.SortStableFunc(out, order)
	return out
}
