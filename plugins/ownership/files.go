package ownership

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/maypok86/otter/v2"

	"github.com/waypost-dev/waypost/plugins"
	"github.com/waypost-dev/waypost/plugins/ownership/codeowners"
	"github.com/waypost-dev/waypost/server/catalog"
)

// keptFiles bounds the CODEOWNERS files that are kept parsed, in bytes of text.
const keptFiles = 16 << 20

// ownersFiles keeps parsed CODEOWNERS files by their hash. It is safe for
// concurrent use.
type ownersFiles struct {
	dialect codeowners.Dialect
	parsed  *otter.Cache[string, ownersFile]
}

type ownersFile struct {
	*codeowners.File
	size int // of the text, in bytes
}

func newOwnersFiles(dialect codeowners.Dialect) *ownersFiles {
	return &ownersFiles{dialect, otter.Must(&otter.Options[string, ownersFile]{
		MaximumWeight: keptFiles,
		Weigher:       func(_ string, f ownersFile) uint32 { return uint32(f.size+300*len(f.Rules)) + 1000 }, //nolint:gosec // both are bounded
	})}
}

func (o *ownersFiles) get(c *plugins.Codeowners) *codeowners.File {
	if f, ok := o.parsed.GetIfPresent(c.Hash); ok {
		return f.File
	}
	f := codeowners.Parse([]byte(c.Content), o.dialect)
	if c.Hash != "" && !f.TooLarge {
		o.parsed.Set(c.Hash, ownersFile{f, len(c.Content)})
	}
	return f
}

// FindInCodeowners tells what a repository's CODEOWNERS says of a path: the
// owners as they are written, and the line that counts. It tells false if there
// is no such file, or no line is about the path; owners are empty if a line says
// that nobody owns it.
func (p *Plugin) FindInCodeowners(r plugins.Repository, path string) ([]string, catalog.Evidence, bool) {
	c := r.Codeowners
	if p.files == nil || c == nil || c.Content == "" {
		return nil, catalog.Evidence{}, false
	}
	found, ok := p.files.get(c).Match(cleanFolder(path))
	if !ok {
		return nil, catalog.Evidence{}, false
	}
	var owners []string
	for _, o := range found.Owners() {
		owners = append(owners, o.String())
	}
	rule := found.Rules[len(found.Rules)-1]
	return owners, place{Repository: r}.in(c.Path, rule.Line, catalog.Evidence{
		Kind: "codeowners", Text: fmt.Sprintf("%s says so of %s in line %d.", c.Path, rule.Pattern, rule.Line), Weight: 1,
	}), true
}

// maxSample is how many files below a folder are looked at. Of more, every n-th
// in the order of their paths is, so that each folder has its share.
const maxSample = 2000

func sample(files []string) []string {
	if len(files) <= maxSample {
		return files
	}
	if !slices.IsSorted(files) {
		files = slices.Sorted(slices.Values(files))
	}
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
	file := g.files.get(c)
	if c.Content == "" || file.TooLarge {
		f.Lint = append(f.Lint, lint{Reason: "too-large", Path: c.Path, Message: "CODEOWNERS has more than 3 MB, so that the forge ignores it", Hint: "give folders to owners, not single files"})
		return
	}
	for _, bad := range file.Invalid[:min(len(file.Invalid), maxLint)] {
		f.Lint = append(f.Lint, lint{Reason: "invalid", Path: c.Path, Line: bad.Line, Message: "the forge passes over this line of CODEOWNERS: " + bad.Reason, Hint: bad.Fix})
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
	begin := time.Now()
	sets, done := distribution(file, files, func() bool { return ctx.Err() != nil || time.Since(begin) > maxMatching })
	if !done {
		f.Lint = append(f.Lint, lint{Reason: "too-slow", Path: c.Path, Message: fmt.Sprintf("to match %d files took longer than %s, so that the file is left out", len(files), maxMatching), Hint: "Write patterns that begin with a folder, with few asterisks."})
		return
	}
	over := fmt.Sprintf("%d files", total)
	switch {
	case total == 1 && !guessed:
		over = "the one file"
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
	mostFiles   = 0.5 // share of files from which on a set of owners owns the folder
	guessFactor = 0.6 // of the confidence, if the files are not known
	// maxMatching is how long the files of one entity may take: those of honest
	// files take a millisecond.
	maxMatching = 2 * time.Second

	maxSets      = 10 // sets of owners that are told
	maxSetOwners = 20 // owners of a set that are told
)

// ownerSet adds the claims of one set of owners.
func (g *gatherer) ownerSet(s plugins.Subject, f *finding, file string, set ownerSet, share float64, first, guessed bool, over string) {
	if set.line == 0 {
		return // files that no line is about
	}
	names := "nobody"
	if len(set.owners) > 0 {
		names = ""
		for _, o := range set.owners[:min(len(set.owners), maxSetOwners)] {
			names += o.String() + " "
		}
		names = names[:len(names)-1]
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
		c := g.add(s, f, SourceCodeowners, owner.String(), confidence, evidence)
		c.Unfit = unfit
		if why := ineffective(&f.Place, owner); why != "" {
			c.Unfit = why
			if hint := fmt.Sprintf("give %s the permission to write, or name another owner", owner); !slices.ContainsFunc(f.Lint, func(l lint) bool { return l.Line == set.line && l.Hint == hint }) {
				f.Lint = append(f.Lint, lint{Reason: "ineffective", Path: file, Line: set.line, Message: fmt.Sprintf("the owner %s does not count: %s", owner, why), Hint: hint})
			}
		}
	}
}

// ineffective says why the forge ignores an owner: a team that cannot write.
// Whether a person can is not known.
func ineffective(p *place, owner codeowners.Owner) string {
	org, slug, _ := strings.Cut(owner.Name, "/")
	if owner.Kind != codeowners.Team || len(p.Teams) == 0 || !strings.EqualFold(org, ownerOf(p.Name)) {
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
func preferTeams(owners []codeowners.Owner) []codeowners.Owner {
	order := []codeowners.Kind{codeowners.Team, codeowners.User, codeowners.Email}
	out := slices.Clone(owners)
	slices.SortStableFunc(out, func(a, b codeowners.Owner) int {
		return cmp.Compare(slices.Index(order, a.Kind), slices.Index(order, b.Kind))
	})
	return out
}

// ownerSet is the files that are given to one set of owners.
type ownerSet struct {
	owners  []codeowners.Owner // none for nobody
	files   int
	line    int // that gives most of them, from 1; 0 if no line is about them
	pattern string
}

func (s ownerSet) share(of int) float64 { return float64(s.files) / float64(of) }

// distribution tells how files are divided among sets of owners, most first.
func distribution(file *codeowners.File, files []string, enough func() bool) (sets []ownerSet, done bool) {
	type deciding struct {
		last   *codeowners.Rule // nil if there is none
		others string           // of other sections
	}
	byRule := map[deciding]*ownerSet{}
	for i, f := range files {
		if i%16 == 0 && enough() {
			return nil, false
		}
		m, ok := file.Match(f)
		var by deciding
		if ok {
			others := m.Rules[:len(m.Rules)-1]
			by.last = m.Rules[len(others)]
			for _, r := range others {
				by.others += strconv.Itoa(r.Line) + " "
			}
		}
		s := byRule[by]
		if s == nil {
			s = &ownerSet{owners: m.Owners()}
			if ok {
				s.line, s.pattern = by.last.Line, by.last.Pattern
			}
			byRule[by] = s
		}
		s.files++
	}
	rules := slices.Collect(maps.Values(byRule))
	order := func(a, b *ownerSet) int {
		return cmp.Or(cmp.Compare(b.files, a.files), cmp.Compare(a.line, b.line))
	}
	slices.SortFunc(rules, order)
	var out []*ownerSet
	at := map[string]*ownerSet{}
	for _, s := range rules {
		key := s.key()
		if had := at[key]; had != nil {
			had.files += s.files
			continue
		}
		at[key] = s
		out = append(out, s)
	}
	slices.SortStableFunc(out, order)
	sets = make([]ownerSet, len(out))
	for i, s := range out {
		sets[i] = *s
	}
	return sets, true
}

// key is the same for the same owners in any order.
func (s *ownerSet) key() string {
	if s.line == 0 {
		return "-" // no line is something else than a line without owners
	}
	names := make([]string, len(s.owners))
	for i, o := range s.owners {
		names[i] = strings.ToLower(o.String())
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}
