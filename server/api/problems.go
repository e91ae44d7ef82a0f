package api

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"maps"
	"slices"
	"sort"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	catalogv1 "github.com/waypost-dev/waypost/proto/waypost/catalog/v1"
	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/harvest"
	"github.com/waypost-dev/waypost/server/index"
	"github.com/waypost-dev/waypost/server/source"
	"github.com/waypost-dev/waypost/server/store"
)

// Page sizes of problems.
const (
	defaultProblems = 100
	maxProblems     = 1000
)

// staleProblems is how long the list is kept while a harvest runs: the
// problems of its documents arrive without a sign that the API could see.
const staleProblems = time.Second

// problems is the list of everything that is wrong: what the store has kept,
// and the relations that the index finds dangling. It is made anew when the
// catalog or the harvests have moved on. Safe for concurrent use.
type problems struct {
	index *index.Index
	store *store.Store

	mu   sync.Mutex
	key  problemsKey
	made time.Time
	list []catalog.Problem

	owners     []string // of ownersFor, the list that they were found for
	marks      []string // fingerprints of the same
	ownersFor  []catalog.Problem
	lives      map[string]time.Time // when each was first seen, by fingerprint; nil if they are to be read
	livesRead  time.Time
	remembered problemsKey // as of when the lives were written
	// wasRemembered tells that key from none.
	wasRemembered bool
	// judged tells that the index was told how bad they are.
	judged atomic.Bool
}

type problemsKey struct {
	revision catalog.Revision
	harvest  int64
	state    store.HarvestState
}

// all returns the problems in order. The list must not be changed.
func (p *problems) all(ctx context.Context) ([]catalog.Problem, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	key, err := p.asOf(ctx)
	if err != nil {
		return nil, err
	}
	s := p.index.Snapshot()
	settled := key.state != store.HarvestRunning
	if !p.made.IsZero() && key == p.key && (settled || time.Since(p.made) < staleProblems) {
		return p.list, nil
	}
	made := time.Now()
	list, err := p.store.Problems(ctx)
	if err != nil {
		return nil, fmt.Errorf("read problems: %w", err)
	}
	list = append(slices.Clip(list), s.Dangling()...)
	slices.SortFunc(list, compareProblems)
	p.list, p.key, p.made = slices.Compact(list), key, made
	p.index.SetLevels(levelsOf(p.list))
	p.judged.Store(true)
	return p.list, nil
}

// levelsOf is how bad the worst of the problems of each entity is, by its key.
func levelsOf(list []catalog.Problem) map[string]catalog.Severity {
	out := map[string]catalog.Severity{}
	for _, p := range list {
		if p.Entity == "" {
			continue
		}
		ref, err := catalog.ParseRef(p.Entity, catalog.RefContext{})
		if err != nil {
			continue // what is wrong is how it is called
		}
		if key := ref.Key(); out[key] != catalog.SeverityError {
			out[key] = p.Severity
		}
	}
	return out
}

// judge makes the index know what is wrong with entities before it is first asked
// for it. From then on it learns of what is made anew.
func (p *problems) judge(ctx context.Context, asked ...string) error {
	if p.judged.Load() || !slices.ContainsFunc(asked, func(s string) bool { return strings.Contains(s, "status") }) {
		return nil
	}
	_, err := p.all(ctx)
	return err
}

// asOf is what the list depends on, as it is now.
func (p *problems) asOf(ctx context.Context) (problemsKey, error) {
	key := problemsKey{revision: p.index.Snapshot().Revision()}
	latest, err := p.store.Harvests(ctx, "", 1)
	if err != nil {
		return key, fmt.Errorf("read latest harvest: %w", err)
	}
	if len(latest) > 0 {
		key.harvest, key.state = latest[0].ID, latest[0].State
	}
	return key, nil
}

// compareProblems is a total order: by repository, path and line, then by
// whatever else makes a difference.
func compareProblems(a, b catalog.Problem) int {
	return cmp.Or(
		strings.Compare(a.Repository, b.Repository),
		strings.Compare(a.Path, b.Path),
		cmp.Compare(a.Line, b.Line),
		cmp.Compare(a.Column, b.Column),
		strings.Compare(string(a.Code), string(b.Code)),
		strings.Compare(a.Entity, b.Entity),
		strings.Compare(a.Field, b.Field),
		strings.Compare(a.Source, b.Source),
		strings.Compare(a.Message, b.Message),
		strings.Compare(a.Hint, b.Hint),
		strings.Compare(string(a.Severity), string(b.Severity)),
	)
}

// problemToken continues a list behind a problem, so that problems which come
// and go between two pages neither repeat nor hide others. It holds the sort
// key of that problem with its texts cut off, so that its own size is bounded,
// and a hash to tell the problem from others that are cut to the same.
type problemToken struct {
	Query        uint64 `json:"q"` // hash of the filters that it belongs to
	Line, Column int
	Texts        [][]byte // may hold anything, and JSON strings may not
	Hash         uint64
}

// tokenText is the most bytes of one text in a token.
const tokenText = 200

// problemTexts are the texts of a problem in the order of compareProblems.
func problemTexts(p *catalog.Problem) []*string {
	return []*string{&p.Repository, &p.Path, (*string)(&p.Code), &p.Entity, &p.Field, &p.Source, &p.Message, &p.Hint, (*string)(&p.Severity)}
}

// cut is the problem as far as a token holds it. It sorts at or before it.
func cut(p catalog.Problem) catalog.Problem {
	for _, s := range problemTexts(&p) {
		*s = (*s)[:min(len(*s), tokenText)]
	}
	return p
}

func hashOf(p catalog.Problem) uint64 {
	h := fnv.New64a()
	fmt.Fprintf(h, "%q", p)
	return h.Sum64()
}

func newProblemToken(query uint64, p catalog.Problem) (string, error) {
	t := problemToken{Query: query, Line: p.Line, Column: p.Column, Hash: hashOf(p)}
	p = cut(p)
	for _, s := range problemTexts(&p) {
		t.Texts = append(t.Texts, []byte(*s))
	}
	b, err := json.Marshal(t)
	if err != nil {
		return "", fmt.Errorf("encode page token: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(b), nil
}

// behind returns what of a sorted list comes behind the page that the token
// ends.
func behind(list []store.Trouble, token string, query uint64) ([]store.Trouble, error) {
	var t problemToken
	b, err := base64.RawURLEncoding.DecodeString(token)
	if err == nil {
		err = json.Unmarshal(b, &t)
	}
	last := catalog.Problem{Line: t.Line, Column: t.Column}
	texts := problemTexts(&last)
	switch {
	case err != nil || len(t.Texts) != len(texts):
		return nil, badField("page_token", "INVALID_PAGE_TOKEN", "is none that this server gave out; pass next_page_token of the page before, or nothing for the first page")
	case t.Query != query:
		return nil, badField("page_token", "INVALID_PAGE_TOKEN", "belongs to other filters; page tokens continue only the request that they came from")
	}
	for i, s := range texts {
		*s = string(t.Texts[i])
	}
	for i, o := range list {
		p := o.Problem
		p.Fix = catalog.Fix{} // it follows from the others
		if p.Line == last.Line && p.Column == last.Column && cut(p) == last && hashOf(o.Problem) == t.Hash {
			return list[i+1:], nil
		}
	}
	// The problem is gone. What was cut off may repeat a few, and hides none.
	return list[sort.Search(len(list), func(i int) bool { return compareProblems(list[i].Problem, last) >= 0 }):], nil
}

func (c *catalogService) ListProblems(ctx context.Context, req *catalogv1.ListProblemsRequest) (*catalogv1.ListProblemsResponse, error) {
	entity := ""
	if req.EntityRef != "" {
		ref, err := catalog.ParseRef(req.EntityRef, catalog.RefContext{})
		if err != nil {
			return nil, badField("entity_ref", "INVALID_REF", err.Error())
		}
		entity = ref.Key()
	}
	h := fnv.New64a()
	owner := ""
	if req.OwnerRef != "" {
		ref, err := catalog.ParseRef(req.OwnerRef, catalog.RefContext{Kind: "group"})
		if err != nil {
			return nil, badField("owner_ref", "INVALID_REF", err.Error())
		}
		owner = ref.Key()
	}
	fmt.Fprintf(h, "%q %q %q %q %d %q %d", req.Source, req.Repository, entity, req.Code, req.Severity, owner, req.State)
	query := h.Sum64()
	all, err := c.problems.inState(ctx, req.State)
	if err != nil {
		return nil, err
	}
	selected := make([]store.Trouble, 0, 64)
	for _, t := range all {
		p := t.Problem
		if (req.Source == "" || p.Source == req.Source) &&
			(owner == "" || t.Owner == owner) &&
			(req.Repository == "" || strings.EqualFold(p.Repository, req.Repository)) &&
			(entity == "" || sameRef(p.Entity, entity)) &&
			(req.Code == "" || string(p.Code) == req.Code) &&
			(req.Severity == catalogv1.Severity_SEVERITY_UNSPECIFIED || severityOf(p.Severity) == req.Severity) {
			selected = append(selected, t)
		}
	}
	out := &catalogv1.ListProblemsResponse{TotalSize: int32(len(selected))}
	if req.PageToken != "" {
		if selected, err = behind(selected, req.PageToken, query); err != nil {
			return nil, err
		}
	}
	if size := pageSize(req.PageSize, defaultProblems, maxProblems); len(selected) > size {
		selected = selected[:size]
		if out.NextPageToken, err = newProblemToken(query, selected[size-1].Problem); err != nil {
			return nil, err
		}
	}
	for _, t := range selected {
		out.Problems = append(out.Problems, troubleMessage(t))
	}
	return out, c.problems.address(ctx, out.Problems)
}

// address says where on the web the places of problems are.
func (p *problems) address(ctx context.Context, list []*catalogv1.Problem) error {
	names := map[string]map[string]bool{} // of repositories, by source
	for _, m := range list {
		if m.Repository == "" || m.Path == "" {
			continue
		}
		if names[m.Source] == nil {
			names[m.Source] = map[string]bool{}
		}
		names[m.Source][m.Repository] = true
	}
	known := map[string]map[string]store.Repository{}
	for source, of := range names {
		var err error
		if known[source], err = p.store.RepositoriesByName(ctx, source, slices.Collect(maps.Keys(of))); err != nil {
			return fmt.Errorf("read addresses of problems: %w", err)
		}
	}
	for _, m := range list {
		if kept, ok := known[m.Source][m.Repository]; ok {
			m.Url = harvest.FileOf(m.Source, harvest.RepositoryOf(kept), source.Document{Path: m.Path}).View
		} else if strings.HasPrefix(m.Path, "https://") {
			m.Url = m.Path // of a location
		}
		if m.Url != "" && m.Line > 0 {
			m.Url += fmt.Sprintf("#L%d", m.Line)
		}
	}
	return nil
}

// inState are the problems in a state, in order.
func (p *problems) inState(ctx context.Context, state catalogv1.ProblemState) ([]store.Trouble, error) {
	if state == catalogv1.ProblemState_PROBLEM_STATE_GONE {
		return p.gone(ctx)
	}
	return p.troubles(ctx)
}

func (c *catalogService) SummarizeProblems(ctx context.Context, req *catalogv1.SummarizeProblemsRequest) (*catalogv1.SummarizeProblemsResponse, error) {
	all, err := c.problems.inState(ctx, req.State)
	if err != nil {
		return nil, err
	}
	counts := map[string]*catalogv1.ProblemCount{}
	oldest := map[string]time.Time{}
	out := &catalogv1.SummarizeProblemsResponse{}
	for _, t := range all {
		value := countBy(t, req.By)
		n := counts[value]
		if n == nil {
			n = &catalogv1.ProblemCount{Value: value}
			counts[value] = n
			out.Counts = append(out.Counts, n)
		}
		if t.Problem.Severity == catalog.SeverityError {
			n.Errors++
		} else {
			n.Warnings++
		}
		if at := oldest[value]; !t.Opened.IsZero() && (at.IsZero() || t.Opened.Before(at)) {
			oldest[value], n.OldestTime = t.Opened, timestamp(t.Opened)
		}
	}
	slices.SortFunc(out.Counts, func(a, b *catalogv1.ProblemCount) int {
		return cmp.Or(cmp.Compare(b.Errors, a.Errors), cmp.Compare(b.Warnings, a.Warnings), strings.Compare(a.Value, b.Value))
	})
	return out, nil
}

// troubleMessage is a problem with its life.
func troubleMessage(t store.Trouble) *catalogv1.Problem {
	m := problemMessage(t.Problem)
	m.OwnerRef, m.OpenTime, m.GoneTime = t.Owner, timestamp(t.Opened), timestamp(t.Gone)
	return m
}

// sameRef compares a ref as a problem has it with a key. Nearly always the
// cheap comparison answers.
func sameRef(s, key string) bool {
	if strings.EqualFold(s, key) {
		return true
	}
	ref, err := catalog.ParseRef(s, catalog.RefContext{})
	return err == nil && ref.Key() == key
}

func severityOf(s catalog.Severity) catalogv1.Severity {
	switch s {
	case catalog.SeverityError:
		return catalogv1.Severity_SEVERITY_ERROR
	case catalog.SeverityWarning:
		return catalogv1.Severity_SEVERITY_WARNING
	}
	return catalogv1.Severity_SEVERITY_UNSPECIFIED
}

func problemMessage(p catalog.Problem) *catalogv1.Problem {
	m := &catalogv1.Problem{
		Code: string(p.Code), Severity: severityOf(p.Severity),
		Source: p.Source, Repository: p.Repository, Path: p.Path,
		Line: int32(p.Line), Column: int32(p.Column),
		EntityRef: p.Entity, Field: p.Field, Message: p.Message, Hint: p.Hint,
	}
	if p.Fix != (catalog.Fix{}) {
		m.Fix = &catalogv1.Fix{Path: p.Path, Line: int32(p.Fix.Line), Found: p.Fix.Found, Replacement: p.Fix.Replacement}
	}
	return m
}
