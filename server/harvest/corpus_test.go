package harvest_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/harvest"
	"github.com/waypost-dev/waypost/server/source"
	"github.com/waypost-dev/waypost/server/source/gitdir"
	"github.com/waypost-dev/waypost/server/source/gitdir/clonetest"
	"github.com/waypost-dev/waypost/server/source/github"
	"github.com/waypost-dev/waypost/server/source/githubtest"
	"github.com/waypost-dev/waypost/server/store"
)

// corpus is a folder of real repositories of many organisations, and of what
// Backstage's own code says of each of their documents. It is no part of this
// project; where it is absent the tests that need it are skipped.
const corpus = "../../../shared/corpus"

// verdict is what Backstage says of one document.
type verdict struct {
	File  string // owner/repository/path
	Doc   int
	Ref   string
	OK    bool
	Phase string // what refused it: yaml, policy, kind, unknown-kind, null-doc, empty
	Error string
}

func verdicts(t testing.TB) map[string][]verdict {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(corpus, "ORACLE.json"))
	if os.IsNotExist(err) {
		t.Skip("the corpus of real repositories is not here")
	}
	require.NoError(t, err)
	var all []verdict
	require.NoError(t, json.Unmarshal(b, &all))
	byOwner := map[string][]verdict{}
	for _, v := range all {
		owner, _, _ := strings.Cut(v.File, "/")
		byOwner[owner] = append(byOwner[owner], v)
	}
	return byOwner
}

// TestCorpus harvests each organisation of the corpus as a directory of clones
// and through the GitHub server, and holds the outcome against Backstage's
// verdicts: every valid entity is there, every invalid one is a problem in its
// file, and both ways agree.
func TestCorpus(t *testing.T) {
	t.Parallel()
	total := map[string]int{}
	byOwner := verdicts(t)
	owners, err := os.ReadDir(corpus)
	require.NoError(t, err)
	for _, folder := range owners {
		owner := folder.Name()
		if !folder.IsDir() {
			continue
		}
		docs := byOwner[owner]
		patterns := map[string]bool{"catalog-info.yaml": true}
		for _, v := range docs {
			_, rest, _ := strings.Cut(v.File, "/")
			_, path, _ := strings.Cut(rest, "/")
			patterns[globLiteral(path)] = true
		}
		list := []string{}
		for p := range patterns {
			list = append(list, p)
		}
		slices.Sort(list)
		dir := clonetest.Corpus(t, filepath.Join(corpus, owner))

		local, err := gitdir.New(gitdir.Options{Path: dir, Patterns: list})
		require.NoError(t, err)
		fromDir := harvestAll(t, local)
		checkVerdicts(t, owner, docs, fromDir, total)

		org, err := githubtest.LoadClones(dir)
		require.NoError(t, err)
		server := httptest.NewServer(githubtest.NewServer(org, githubtest.Options{Enterprise: true, Token: "secret"}))
		t.Cleanup(server.Close)
		remote, err := github.New(github.Options{Organisation: owner, URL: server.URL, Token: "secret", Patterns: list})
		require.NoError(t, err)
		fromGitHub := harvestAll(t, remote)
		requireSame(t, fromDir, fromGitHub)
		total["organisations"]++
		total["repositories"] += fromDir.progress.Repositories
		total["entities"] += len(fromDir.entities)
		total["problems"] += len(fromDir.problems)
	}
	t.Logf("corpus: %v", total)
	require.GreaterOrEqual(t, total["valid"], 500)
	require.GreaterOrEqual(t, total["organisations"], 30)
}

// outcome is a catalog as one harvest left it.
type outcome struct {
	progress harvest.Progress
	entities map[string]*catalog.Entity
	problems []catalog.Problem
}

func harvestAll(t testing.TB, src source.Source) outcome {
	t.Helper()
	st := openStore(t)
	e := harvest.New(st, slog.New(slog.DiscardHandler))
	e.Add(harvest.Config{Source: src})
	p, err := e.Run(t.Context(), src.Name(), harvest.Order{}, nil)
	require.NoError(t, err)
	require.Equal(t, store.HarvestSucceeded, p.State)
	out := outcome{progress: p, entities: map[string]*catalog.Entity{}}
	_, err = st.Load(t.Context(), func(e *catalog.Entity) error {
		out.entities[e.Ref.Key()] = e
		return nil
	})
	require.NoError(t, err)
	out.problems, err = st.Problems(t.Context())
	require.NoError(t, err)
	return out
}

// checkVerdicts holds a harvest against what Backstage says of each document.
func checkVerdicts(t testing.TB, owner string, docs []verdict, got outcome, total map[string]int) {
	t.Helper()
	inFile := map[string][]catalog.Problem{}
	for _, p := range got.problems {
		file := p.Repository + "/" + p.Path
		inFile[file] = append(inFile[file], p)
		if p.Severity == catalog.SeverityError && p.Code != catalog.CodeConflict && p.Code != catalog.CodeDuplicateRef && p.Code != catalog.CodeTooLarge {
			require.Positive(t, p.Line, "a problem without its line: %v", p)
		}
	}
	for _, v := range docs {
		total["documents"]++
		switch {
		case v.Phase == "null-doc" || v.Phase == "empty":
			continue
		case v.OK, v.Phase == "unknown-kind":
			if !v.OK {
				// Backstage refuses kinds for which it has no processor; we keep them.
				total["custom kinds"]++
			} else {
				total["valid"]++
			}
			key := v.Ref
			if key == "" {
				continue // of a custom kind the oracle gives no ref; the descriptor's test holds them
			}
			e := got.entities[strings.ToLower(key)]
			if e != nil && e.Origin.Repository+"/"+e.Origin.Path == v.File {
				continue
			}
			// The oracle read no file that a placeholder names. The corpus has no other
			// hosts, and of most files no more than the name.
			if slices.ContainsFunc(inFile[v.File], func(p catalog.Problem) bool {
				return strings.EqualFold(p.Entity, key) && (strings.HasPrefix(p.Message, "$text ") || p.Field == "spec.definition")
			}) {
				total["placeholders without a file"]++
				continue
			}
			told := slices.ContainsFunc(inFile[v.File], func(p catalog.Problem) bool {
				return (p.Code == catalog.CodeConflict || p.Code == catalog.CodeDuplicateRef) && strings.EqualFold(p.Entity, key)
			})
			if !told {
				t.Errorf("%s document %d: %s is valid in Backstage, and neither served from here nor told of: %v", v.File, v.Doc, key, inFile[v.File])
			}
			total["second claims"]++
		default:
			total["invalid"]++
			if !slices.ContainsFunc(inFile[v.File], func(p catalog.Problem) bool { return p.Severity == catalog.SeverityError }) {
				t.Errorf("%s document %d: Backstage refuses it (%s), and there is no problem in this file", v.File, v.Doc, v.Error)
			}
		}
	}
}

// requireSame compares two harvests of the same repositories.
func requireSame(t testing.TB, a, b outcome) {
	t.Helper()
	shape := func(o outcome) map[string]string {
		out := map[string]string{}
		for key, e := range o.entities {
			origin := e.Origin
			origin.Source = ""
			b, err := json.Marshal(struct {
				Document  json.RawMessage
				Relations []catalog.Relation
				Origin    catalog.Origin
			}{e.Document, e.Relations, origin})
			require.NoError(t, err)
			out[key] = string(b)
		}
		return out
	}
	require.Equal(t, shape(a), shape(b))
	places := func(o outcome) []string {
		var out []string
		for _, p := range o.problems {
			p.Source = ""
			out = append(out, fmt.Sprintf("%s %s", p.Code, p.Error()))
		}
		slices.Sort(out)
		return out
	}
	require.Equal(t, places(a), places(b))
}

// globLiteral is a glob that matches nothing but s.
func globLiteral(s string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`, `]`, `\]`, `{`, `\{`, `}`, `\}`).Replace(s)
}
