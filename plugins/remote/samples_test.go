package remote_test

import (
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waypost-dev/waypost/plugins"
	"github.com/waypost-dev/waypost/plugins/plugintest"
	"github.com/waypost-dev/waypost/plugins/remote"
	"github.com/waypost-dev/waypost/server/catalog"
)

// started is a plugin that runs until the test ends.
func started(t testing.TB, o remote.Options) *remote.Remote {
	t.Helper()
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	r, err := remote.Start(t.Context(), o)
	require.NoError(t, err)
	t.Cleanup(r.Stop)
	return r
}

func component(t testing.TB, name string, metadata map[string]any) *catalog.Entity {
	return plugintest.Entity(t, "Component", name, metadata, map[string]any{"type": "service", "lifecycle": "production", "owner": "shop"})
}

func TestSampleInGo(t *testing.T) {
	t.Parallel()
	program := filepath.Join(t.TempDir(), "readme")
	out, err := exec.Command("go", "build", "-o", program, "../../sample/plugins/readme-go").CombinedOutput()
	require.NoError(t, err, "%s", out)
	start := func(t *testing.T) plugins.Plugin {
		return started(t, remote.Options{Name: "readme", Command: []string{program}}).Plugin()
	}
	whole := component(t, "whole", map[string]any{
		"description": "Takes orders.", "annotations": map[string]any{"backstage.io/techdocs-ref": "dir:."},
		"links": []any{map[string]any{"url": "https://example.org"}},
	})
	bare := component(t, "bare", nil)
	answers, err := start(t).(plugins.Enricher).Enrich(t.Context(), subjects(whole, bare))
	require.NoError(t, err)
	require.JSONEq(t, `1`, string(answers[0].Facts[0].Value))
	require.JSONEq(t, `[]`, string(answers[0].Facts[1].Value))
	require.JSONEq(t, `0`, string(answers[1].Facts[0].Value))
	require.JSONEq(t, `["description","documentation","link"]`, string(answers[1].Facts[1].Value))
	plugintest.Run(t, start, plugintest.Options{Entities: []*catalog.Entity{whole, bare}})
}

// What another language needs is grpc-js, in the folder of the sample.
func TestSampleInTypeScript(t *testing.T) {
	t.Parallel()
	dir := filepath.Join("..", "..", "sample", "plugins", "license-ts")
	_, err := exec.LookPath("node")
	if err == nil {
		_, err = os.Stat(filepath.Join(dir, "dist", "main.js"))
	}
	if err != nil {
		message := "the sample in TypeScript cannot run: " + err.Error() + "; run npm ci and npm run build in sample/plugins/license-ts"
		if os.Getenv("WAYPOST_REQUIRE_ALL") == "1" {
			t.Fatal(message)
		}
		t.Skip("SKIPPED: " + message)
	}
	start := func(t *testing.T) plugins.Plugin {
		return started(t, remote.Options{Name: "license", Command: []string{"node", "dist/main.js"}, Dir: dir}).Plugin()
	}
	repositories := map[string]plugins.Repository{
		"acme/a": {Source: "github:acme", Name: "acme/a", RepositoryFacts: plugins.RepositoryFacts{License: "GPL-3.0-only"}},
		"acme/b": {Source: "github:acme", Name: "acme/b"},
		"acme/c": {Source: "github:acme", Name: "acme/c", RepositoryFacts: plugins.RepositoryFacts{License: "Acme-1.0"}},
	}
	a, b, c, d := component(t, "a", nil), component(t, "b", nil), component(t, "c", nil), component(t, "d", nil)
	p := start(t)
	require.NoError(t, p.(plugins.Configurer).Configure(t.Context(), []byte(`{"allowed":["Acme-1.0"]}`), nil))
	answers, err := p.(plugins.Enricher).Enrich(t.Context(), []plugins.Subject{
		{Entity: a, View: shown{repositories}}, {Entity: b, View: shown{repositories}}, {Entity: c, View: shown{repositories}}, {Entity: d, View: shown{}},
	})
	require.NoError(t, err)
	require.Equal(t, `"strong"`, string(answers[0].Facts[0].Value))
	require.Equal(t, "The license is GPL-3.0-only.", answers[0].Facts[0].Evidence[0].Text)
	require.Equal(t, `"none"`, string(answers[1].Facts[0].Value))
	require.Equal(t, `"allowed"`, string(answers[2].Facts[0].Value))
	require.Empty(t, answers[3].Facts, "of no repository")
	plugintest.Run(t, start, plugintest.Options{
		Config: []byte(`{"allowed":["Acme-1.0"]}`), Entities: []*catalog.Entity{a, b, c, d}, Repositories: repositories,
	})
}

// shown is a view of repositories alone.
type shown struct{ repositories map[string]plugins.Repository }

func (shown) Entity(catalog.Ref) (*catalog.Entity, bool)          { return nil, false }
func (shown) Relations(catalog.Ref, ...string) []catalog.Relation { return nil }
func (shown) Each(string, func(*catalog.Entity) bool)             {}
func (v shown) Repository(e *catalog.Entity) (plugins.Repository, bool) {
	r, ok := v.repositories[e.Origin.Repository]
	return r, ok
}

func subjects(entities ...*catalog.Entity) []plugins.Subject {
	var out []plugins.Subject
	for _, e := range entities {
		out = append(out, plugins.Subject{Entity: e, View: shown{}})
	}
	return out
}
