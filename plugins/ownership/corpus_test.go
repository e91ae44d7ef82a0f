package ownership_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waypost-dev/waypost/plugins"
	"github.com/waypost-dev/waypost/plugins/ownership"
	"github.com/waypost-dev/waypost/server/enrich"
	"github.com/waypost-dev/waypost/server/harvest"
	"github.com/waypost-dev/waypost/server/source"
	"github.com/waypost-dev/waypost/server/source/gitdir"
	"github.com/waypost-dev/waypost/server/source/gitdir/clonetest"
)

// corpus is a folder of real repositories of many organisations, which is no
// part of this project.
const corpus = "../../../shared/corpus"

// clones are an Inspector over a directory of clones.
type clones struct{ *gitdir.Source }

func (c clones) Files(ctx context.Context, r plugins.Repository, folder string) ([]string, error) {
	return c.Source.Files(ctx, source.Place{ID: r.ID, Name: r.Name, Commit: r.Commit, Folder: folder})
}

func (c clones) Text(ctx context.Context, r plugins.Repository, path string) (string, error) {
	b, err := c.Content(ctx, source.Place{ID: r.ID, Name: r.Name, Commit: r.Commit}, path)
	return string(b), err
}

func (c clones) Commits(ctx context.Context, r plugins.Repository, folder string, since time.Time, limit int) ([]plugins.Commit, error) {
	found, err := c.Source.Commits(ctx, source.Place{ID: r.ID, Name: r.Name, Commit: r.Commit, Folder: folder}, since, limit)
	var out []plugins.Commit
	for _, x := range found {
		out = append(out, plugins.Commit(x))
	}
	return out, err
}

// TestCorpus decides who owns what in every real organisation, as clones of one
// commit each. The figures are in docs/ownership.md.
func TestCorpus(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile(filepath.Join(corpus, "ORACLE.json"))
	if os.IsNotExist(err) {
		t.Skip("the corpus of real repositories is not here")
	}
	require.NoError(t, err)
	var documents []struct{ File string }
	require.NoError(t, json.Unmarshal(b, &documents))
	patterns := map[string][]string{}
	escape := strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`, `]`, `\]`, `{`, `\{`, `}`, `\}`)
	for _, d := range documents {
		parts := strings.SplitN(d.File, "/", 3)
		if p := escape.Replace(parts[2]); !slices.Contains(patterns[parts[0]], p) {
			patterns[parts[0]] = append(patterns[parts[0]], p)
		}
	}
	owners, err := os.ReadDir(corpus)
	require.NoError(t, err)
	total := map[string]int{}
	for _, folder := range owners {
		if !folder.IsDir() {
			continue
		}
		got := ownershipOf(t, filepath.Join(corpus, folder.Name()), append(patterns[folder.Name()], "catalog-info.yaml"))
		var line []string
		for _, key := range []string{"entities", "declared", "none", "dangling", "disbanded", "single-person", "split", "unowned", "heard", "disagree"} {
			total[key] += got[key]
			line = append(line, fmt.Sprint(got[key]))
		}
		t.Logf("| %s | %s |", folder.Name(), strings.Join(line, " | "))
	}
	t.Logf("total: %v", total)
	require.Greater(t, total["entities"], 400)
	// No team of these organisations is public, so that hardly an owner exists;
	// what CODEOWNERS says is heard all the same.
	require.Greater(t, total["dangling"], 400)
	require.Greater(t, total["heard"], 100)
}

// ownershipOf counts an organisation's entities by the source and the status of
// their owner, those of which CODEOWNERS is heard, and those for which it names
// another owner than the spec.
func ownershipOf(t *testing.T, from string, patterns []string) map[string]int {
	src, err := gitdir.New(gitdir.Options{Path: clonetest.Corpus(t, from), Patterns: patterns})
	require.NoError(t, err)
	s, p := newServer(t), &captured{Plugin: ownership.New()}
	e := harvest.New(s.st, slog.New(slog.DiscardHandler))
	e.Add(harvest.Config{Source: src})
	_, err = e.Run(t.Context(), src.Name(), harvest.Order{}, nil)
	require.NoError(t, err)
	s.follow()
	s.r, err = enrich.New(t.Context(), enrich.Options{
		Store: s.st, Index: s.x, Feed: s.hub, Log: slog.New(slog.DiscardHandler), Quiet: -1, Inspector: clones{src},
		Enqueue: func(context.Context, string) error { return nil },
	}, []enrich.Configured{{Plugin: p}})
	require.NoError(t, err)
	s.work()
	status, err := s.r.Status(t.Context())
	require.NoError(t, err)
	require.Equal(t, enrich.StateOK, status[0].State, status[0].Error)
	require.Zero(t, status[0].Counts.Failed)
	out := map[string]int{}
	for r := range s.x.Snapshot().Each {
		state := s.fact(r.Entity.Ref.String(), ownership.FactStatus)
		if state == "" {
			continue
		}
		out["entities"]++
		out[state]++
		out[s.fact(r.Entity.Ref.String(), ownership.FactSource)]++
		o, err := p.Explain(t.Context(), p.host.View(t.Context()), r.Entity.Ref)
		require.NoError(t, err)
		require.Equal(t, state, string(o.Status), "%s: what is said is what is explained", r.Entity.Ref)
		if slices.ContainsFunc(o.Candidates, func(c ownership.Candidate) bool { return c.Source == ownership.SourceCodeowners }) {
			out["heard"]++
		}
		if disagrees(o) {
			out["disagree"]++
		}
	}
	return out
}

// captured is the plugin, and what the server gave it.
type captured struct {
	*ownership.Plugin
	host plugins.Host
}

func (c *captured) Configure(ctx context.Context, config json.RawMessage, host plugins.Host) error {
	c.host = host
	return c.Plugin.Configure(ctx, config, host)
}

// disagrees tells whether CODEOWNERS gives most of an entity to somebody other
// than its spec does.
func disagrees(o ownership.Ownership) bool {
	if o.Declared.IsZero() {
		return false
	}
	for _, c := range o.Candidates {
		if c.Source == ownership.SourceCodeowners && c.Confidence >= 0.4 {
			return !strings.EqualFold(c.Owner.Name, o.Declared.Name)
		}
	}
	return false
}
