package github

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waypost-dev/waypost/server/source"
	"github.com/waypost-dev/waypost/server/source/githubtest"
	"github.com/waypost-dev/waypost/server/source/sourcetest"
)

// BenchmarkHarvest is the wall time of a harvest of 1,000 repositories over
// loopback, with the GitHub to test against in the same process: cold, and
// again when nothing has changed.
func BenchmarkHarvest(b *testing.B) {
	org := sized(1000, 12)
	b.Run("cold", func(b *testing.B) {
		for b.Loop() {
			p := newPlace(b, org, Options{}, githubtest.Options{Limit: 1 << 30})
			var l sourcetest.Ledger
			if n := len(run(b, &l, p).Repositories); n != 1000 {
				b.Fatalf("%d repositories", n)
			}
		}
	})
	b.Run("unchanged", func(b *testing.B) {
		p := newPlace(b, org, Options{}, githubtest.Options{Limit: 1 << 30})
		var l sourcetest.Ledger
		run(b, &l, p)
		for b.Loop() {
			if n := len(run(b, &l, p).Unchanged); n != 1000 {
				b.Fatalf("%d unchanged", n)
			}
		}
	})
}

// BenchmarkRefresh is the wall time from a pushed catalog file in an
// organisation of 10,000 repositories to its report, over loopback.
func BenchmarkRefresh(b *testing.B) {
	p := newPlace(b, sized(10_000, 12), Options{}, githubtest.Options{Limit: 1 << 30})
	var l sourcetest.Ledger
	run(b, &l, p)
	e, _ := l.Named("repo-04242")
	// A ledger of the one repository: to copy the others' state is not measured.
	small := sourcetest.Ledger{Repositories: map[string]sourcetest.Entry{e.ID: e}}
	at := e.Pointer()
	p.org.Update(func(o *githubtest.Org) {
		for _, r := range o.Repos {
			if r.NodeID() == at.ID {
				at.Number = r.Number()
			}
		}
	})
	s := p.source(b)
	for i := 0; b.Loop(); i++ {
		b.StopTimer()
		p.org.Push("repo-04242", githubtest.File{Path: "catalog-info.yaml", Content: fmt.Appendf(nil, "a: %d\n", i)})
		b.StartTimer()
		report, err := small.Refresh(b.Context(), b, s, source.Scope{Repositories: []source.Pointer{at}})
		require.NoError(b, err)
		require.Len(b, report.Repositories, 1)
	}
}

// BenchmarkAnnounced is what it takes to say what a push calls for: of one
// commit, and of the most that GitHub sends with ten files in each.
func BenchmarkAnnounced(b *testing.B) {
	org := sized(3, 2)
	githubtest.NewServer(org, githubtest.Options{})
	small := said(b, org, func() { org.Push("repo-00001", githubtest.File{Path: "src/a.go"}) })[0].Payload
	var push map[string]any
	require.NoError(b, json.Unmarshal(small, &push))
	commit := push["commits"].([]any)[0].(map[string]any)
	var paths []string
	for i := range 10 {
		paths = append(paths, fmt.Sprintf("src/package/file%d.go", i))
	}
	commit["added"], commit["modified"] = []string{}, paths
	var commits []any
	for range maxCommits - 1 {
		commits = append(commits, commit)
	}
	push["commits"] = commits
	large, err := json.Marshal(push)
	require.NoError(b, err)
	s := announcer(b, Options{Organisation: "acme"})
	for name, payload := range map[string][]byte{"small": small, "large": large} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(payload)))
			for b.Loop() {
				a, err := s.Announced("push", payload)
				if err != nil || a.Ignored == "" {
					b.Fatalf("%+v %v", a, err)
				}
			}
		})
	}
}
