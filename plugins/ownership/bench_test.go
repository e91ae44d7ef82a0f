package ownership

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waypost-dev/waypost/plugins"
)

// organisation is a catalog of 15,500 entities: 10,000 components in as many
// repositories, each with 60 files, 40 commits, a CODEOWNERS of 20 lines and four
// teams; 1,500 APIs; 500 systems; 500 groups and 3,000 users.
func organisation(t testing.TB) *world {
	w := newWorld(t)
	const teams, users, systems, components, apis = 500, 3000, 500, 10_000, 1500
	for i := range teams {
		w.team(fmt.Sprintf("team-%d", i))
	}
	for i := range users {
		w.user(fmt.Sprintf("user-%d", i), fmt.Sprintf("team-%d", i%teams), fmt.Sprintf("team-%d", (i*7)%teams))
	}
	for i := range systems {
		w.add(fmt.Sprintf("system:default/system-%d", i), map[string]any{"owner": fmt.Sprintf("team-%d", i)}, "")
	}
	var lines []string
	for i := range 20 {
		lines = append(lines, fmt.Sprintf("/folder-%d/ @acme/team-%d", i%6, i))
	}
	w.files = map[string][]string{}
	for i := range components {
		name := fmt.Sprintf("c-%d", i)
		w.repo(name, func(r *plugins.Repository) {
			owners(append(lines, fmt.Sprintf("* @acme/team-%d", i%teams))...)(r)
			r.Codeowners.Hash = fmt.Sprint(i % teams)
			r.Topics = []string{"go", "service"}
			r.Teams = map[string]string{"team-0": "admin"}
			for k := range 3 {
				r.Teams[fmt.Sprintf("team-%d", (i+k)%teams)] = "push"
			}
		})
		for k := range 60 {
			w.files[org+"/"+name] = append(w.files[org+"/"+name], fmt.Sprintf("folder-%d/file-%d.go", k%10, k))
		}
		for k := range 8 {
			w.commit(name, fmt.Sprintf("user-%d", (i+k*teams)%users), 5, k)
		}
		spec := map[string]any{"system": fmt.Sprintf("system-%d", i%systems)}
		if i%3 > 0 {
			spec["owner"] = fmt.Sprintf("team-%d", i%teams)
		}
		w.add("component:default/"+name, spec, org+"/"+name+":catalog-info.yaml")
		if i < apis {
			w.add("api:default/"+name, spec, org+"/"+name+":catalog-info.yaml")
		}
	}
	return w
}

// subjects are all entities, each with a view of its own that notes what is read,
// as the server's does.
func (w *world) subjects() []plugins.Subject {
	out := make([]plugins.Subject, 0, len(w.order))
	for _, key := range w.order {
		out = append(out, plugins.Subject{Entity: w.entities[key], View: &noting{view: view{w}, reads: map[string]struct{}{}}})
	}
	return out
}

// BenchmarkCold asks about the whole catalog in the batches that the plugin asks
// for. The goal is 3 s.
func BenchmarkCold(b *testing.B) {
	w := organisation(b)
	p := w.plugin(`{}`)
	_, err := p.Collect(b.Context(), view{w})
	require.NoError(b, err)
	b.ReportAllocs()
	for b.Loop() {
		for batch := range slices.Chunk(w.subjects(), p.Describe().Limits.Batch) {
			out, err := p.Enrich(b.Context(), batch)
			require.NoError(b, err)
			require.NoError(b, out[0].Err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(w.order)), "ns/entity")
}

// BenchmarkOne asks about one entity, after a change. The goal is 50 ms.
func BenchmarkOne(b *testing.B) {
	w := organisation(b)
	p := w.plugin(`{}`)
	_, err := p.Collect(b.Context(), view{w})
	require.NoError(b, err)
	for _, bench := range []struct {
		name string
		cold bool // nothing is in memory, as after a start
	}{{"warm", false}, {"cold", true}} {
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if bench.cold {
					p = w.plugin(`{}`)
				}
				e := w.entities[fmt.Sprintf("component:default/c-%d", i%10_000)]
				_, err := p.Enrich(b.Context(), []plugins.Subject{{Entity: e, View: view{w}}})
				require.NoError(b, err)
			}
		})
	}
}

// BenchmarkCollect takes the census.
func BenchmarkCollect(b *testing.B) {
	w := organisation(b)
	p := w.plugin(`{}`)
	b.ReportAllocs()
	for b.Loop() {
		_, err := p.Collect(b.Context(), view{w})
		require.NoError(b, err)
	}
}

// BenchmarkMonorepo is a folder of 100,000 files under 2,000 lines.
func BenchmarkMonorepo(b *testing.B) {
	w := newWorld(b)
	w.team("team-1", "ann", "bob")
	var lines, files []string
	for i := range 2000 {
		lines = append(lines, fmt.Sprintf("/folder-%d/ @acme/team-1", i))
		for k := range 50 {
			files = append(files, fmt.Sprintf("folder-%d/file-%d.go", i, k))
		}
	}
	w.files = map[string][]string{"acme/mono": files}
	w.repo("mono", owners(lines...))
	w.add("component:default/mono", nil, "acme/mono:catalog-info.yaml")
	p := w.plugin(`{}`)
	s := []plugins.Subject{{Entity: w.entities["component:default/mono"], View: view{w}}}
	b.ReportAllocs()
	for b.Loop() {
		_, err := p.Enrich(context.Background(), s)
		require.NoError(b, err)
	}
}

// TestOrganisation holds the goals with room for a slow machine, and that what
// is read stays small.
func TestOrganisation(t *testing.T) {
	if testing.Short() {
		t.Skip("it asks about 15,500 entities")
	}
	w := organisation(t)
	p := w.plugin(`{}`)
	_, err := p.Collect(t.Context(), view{w})
	require.NoError(t, err)
	all := w.subjects()
	require.Len(t, all, 15_500)
	start := time.Now()
	most := 0
	for batch := range slices.Chunk(all, p.Describe().Limits.Batch) {
		out, err := p.Enrich(t.Context(), batch)
		require.NoError(t, err)
		for i, a := range out {
			require.NoError(t, a.Err)
			reads := batch[i].View.(*noting).reads
			for r := range reads {
				require.False(t, strings.HasPrefix(r, "k:"), "%s depends on all of a kind: %s", batch[i].Entity.Ref, r)
			}
			most = max(most, len(reads))
		}
	}
	t.Logf("%d entities in %s; at most %d reads each", len(all), time.Since(start).Round(time.Millisecond), most)
	require.Less(t, most, 200)
}
