package github

import (
	"testing"

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
