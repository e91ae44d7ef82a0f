package gitdir_test

import (
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waypost-dev/waypost/server/source"
	"github.com/waypost-dev/waypost/server/source/gitdir"
	"github.com/waypost-dev/waypost/server/source/gitdir/clonetest"
	"github.com/waypost-dev/waypost/server/source/sourcetest"
)

// place is a folder of clones.
type place struct {
	dir   string
	o     sourcetest.Options
	kind  clonetest.Repository // Bare and Loose
	stand map[string]sourcetest.Repository
	cache cache
}

// cache keeps answers of other hosts.
type cache struct{ m sync.Map }

func (c *cache) Get(key string) ([]byte, bool) {
	v, ok := c.m.Load(key)
	if !ok {
		return nil, false
	}
	return v.([]byte), true
}

func (c *cache) Set(key string, value []byte) { c.m.Store(key, value) }

func (p *place) Set(t *testing.T, repositories ...sourcetest.Repository) {
	next := map[string]sourcetest.Repository{}
	for _, r := range repositories {
		next[r.Key] = r
	}
	for key, r := range p.stand {
		if now, ok := next[key]; !ok {
			require.NoError(t, os.RemoveAll(filepath.Join(p.dir, r.Name)))
		} else if now.Name != r.Name {
			require.NoError(t, os.Rename(filepath.Join(p.dir, r.Name), filepath.Join(p.dir, now.Name)))
		}
	}
	for key, r := range next {
		if slices.Equal(p.stand[key].Files, r.Files) && p.stand[key].Key != "" {
			continue
		}
		w := p.kind
		for _, f := range r.Files {
			mode := ""
			if f.Symlink {
				mode = "120000"
			}
			w.Files = append(w.Files, clonetest.File{Path: f.Path, Content: f.Content, Mode: mode})
		}
		clonetest.Write(t, filepath.Join(p.dir, r.Name), w)
	}
	p.stand = next
}

func (p *place) Source(t *testing.T) source.Source {
	s, err := gitdir.New(gitdir.Options{Path: p.dir, Patterns: p.o.Patterns, ReadAllow: p.o.ReadAllow, Cache: &p.cache})
	require.NoError(t, err)
	return s
}

func (p *place) Break(t *testing.T, broken bool) {
	if broken {
		require.NoError(t, os.Rename(p.dir, p.dir+".away"))
	} else {
		require.NoError(t, os.Rename(p.dir+".away", p.dir))
	}
}

func TestConformance(t *testing.T) {
	t.Parallel()
	for name, kind := range map[string]clonetest.Repository{
		"packed": {}, "loose": {Loose: true}, "bare": {Bare: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			open := func(t *testing.T, o sourcetest.Options) sourcetest.Place {
				dir := filepath.Join(t.TempDir(), "acme")
				require.NoError(t, os.Mkdir(dir, 0o755))
				return &place{dir: dir, o: o, kind: kind}
			}
			sourcetest.Run(t, open)
			sourcetest.RunReach(t, open)
		})
	}
}
