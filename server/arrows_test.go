// Package server_test holds the arrows of docs/architecture.md: who may import
// whom, through any number of steps.
package server_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const module = "github.com/waypost-dev/waypost/"

// allowed says which of our packages a room may depend on, itself and what is
// below it aside. A room is matched by its longest prefix.
var allowed = map[string][]string{
	"server/backstage":             {"server/catalog", "server/descriptor", "server/harvest", "server/index", "server/locations", "server/source", "server/store", "ent"},
	"server/catalog":               {},
	"server/descriptor":            {"server/catalog"},
	"server/feed":                  {"server/catalog", "server/index", "server/store", "ent"},
	"server/index":                 {"server/catalog"},
	"server/locations":             {"server/catalog", "server/descriptor", "server/harvest", "server/source", "server/store", "ent"},
	"server/plan":                  {"server/catalog", "server/index"},
	"server/store":                 {"server/catalog", "ent"},
	"server/source":                {"server/catalog"},
	"server/source/githubtest":     {"server/source/linguist"},
	"server/source/linguist":       {},
	"server/telemetry":             {},
	"server/harvest":               {"server/catalog", "server/descriptor", "server/source", "server/store", "ent"},
	"server/jobs":                  {"server/catalog", "server/descriptor", "server/harvest", "server/source", "server/store", "ent"},
	"server/config":                {"server/catalog", "server/source"},
	"server/enrich":                {"plugins", "server/catalog", "server/feed", "server/index", "server/store", "ent"},
	"server/webhook":               {"server/catalog", "server/source", "server/store", "ent"},
	"server/api":                   {"server/catalog", "server/descriptor", "server/feed", "server/index", "server/plan", "server/store", "server/harvest", "server/jobs", "server/locations", "server/source", "server/enrich", "plugins", "ent", "proto"},
	"ent":                          {},
	"proto":                        {},
	"sample":                       {},
	"frontend":                     {},
	"plugins":                      {"server/catalog"},
	"plugins/ownership/codeowners": {},
	"plugins/ownership/service":    {"plugins", "server/catalog", "proto"},
	"plugins/plugintest":           {"plugins", "server/catalog"},
	"plugins/remote":               {"plugins", "server/catalog", "proto"},
	"sample/plugins":               {"plugins", "server/catalog", "proto"},
}

func TestArrows(t *testing.T) {
	t.Parallel()
	out, err := exec.Command("go", "list", "-deps", "-json=ImportPath,Deps", module+"...").Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		t.Fatalf("go list: %s", exit.Stderr)
	}
	require.NoError(t, err)
	checked := map[string]bool{}
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p struct {
			ImportPath string
			Deps       []string
		}
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else {
			require.NoError(t, err)
		}
		pkg, ours := strings.CutPrefix(p.ImportPath, module)
		room := roomOf(pkg)
		if !ours || room == "" {
			continue
		}
		checked[room] = true
		for _, dep := range p.Deps {
			dep, ours := strings.CutPrefix(dep, module)
			if ours && !below(dep, append([]string{room}, allowed[room]...)) {
				t.Errorf("%s must not depend on %s", pkg, dep)
			}
		}
	}
	for room := range allowed {
		require.True(t, checked[room], "no package in room %s: is the rule stale?", room)
	}
}

func roomOf(pkg string) string {
	best := ""
	for room := range allowed {
		if below(pkg, []string{room}) && len(room) > len(best) {
			best = room
		}
	}
	return best
}

func below(pkg string, rooms []string) bool {
	for _, room := range rooms {
		if pkg == room || strings.HasPrefix(pkg, room+"/") {
			return true
		}
	}
	return false
}
