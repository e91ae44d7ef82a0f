package frontend

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io/fs"
	"strings"
)

// manifest is what Vite writes of its build: which source became which files.
const manifest = "manifest.json"

// modules are the sources of the pages, by address, as router.tsx has them. An
// address below /catalog is an entity.
var modules = map[string]string{
	"/":          "src/pages/home/Home.tsx",
	"/catalog":   "src/pages/catalog/Catalog.tsx",
	"/teams":     "src/pages/teams/Teams.tsx",
	"/systems":   "src/pages/systems/Systems.tsx",
	"/search":    "src/pages/search/Search.tsx",
	"/problems":  "src/pages/problems/Problems.tsx",
	"/ownership": "src/pages/ownership/OwnershipReport.tsx",
	"/harvest":   "src/pages/harvest/HarvestPage.tsx",
	"/plugins":   "src/pages/plugins/Plugins.tsx",
	entityBelow:  "src/pages/entity/EntityPage.tsx",
}

const entityBelow = "/catalog/"

// chunk is an entry of the manifest.
type chunk struct {
	File    string   `json:"file"`
	CSS     []string `json:"css"`
	Imports []string `json:"imports"`
}

// pages gives the page for each address. It is the same one, but its head names
// the files that the address needs: the browser asks for them at once, and not
// only when the portal has started and asks for them.
func pages(dist fs.FS) (func(path string) []byte, error) {
	page, err := fs.ReadFile(dist, "index.html")
	if err != nil {
		return nil, err
	}
	chunks := map[string]chunk{}
	switch content, err := fs.ReadFile(dist, manifest); {
	case errors.Is(err, fs.ErrNotExist): // built without the portal
	case err != nil:
		return nil, err
	default:
		if err := json.Unmarshal(content, &chunks); err != nil {
			return nil, fmt.Errorf("%s: %w", manifest, err)
		}
	}
	byAddress := map[string][]byte{}
	for address, module := range modules {
		byAddress[address] = bytes.Replace(page, []byte("</head>"), []byte(links(chunks, module)+"</head>"), 1)
	}
	return func(path string) []byte {
		if strings.HasPrefix(path, entityBelow) {
			path = entityBelow
		}
		if own, ok := byAddress[path]; ok {
			return own
		}
		return page
	}, nil
}

// links names the files of a module and of all that it imports, without those
// that the page has anyway.
func links(chunks map[string]chunk, module string) string {
	seen := map[string]bool{}
	var out strings.Builder
	tell := func(file, as string) {
		if !seen[file] {
			seen[file] = true
			if as != "" {
				fmt.Fprintf(&out, "<link rel=%q crossorigin href=%q>", as, "/"+html.EscapeString(file))
			}
		}
	}
	var visit func(name string, script, style string)
	visit = func(name, script, style string) {
		c, ok := chunks[name]
		if !ok || seen[c.File] {
			return
		}
		tell(c.File, script)
		for _, css := range c.CSS {
			tell(css, style)
		}
		for _, other := range c.Imports {
			visit(other, script, style)
		}
	}
	visit("index.html", "", "")
	visit(module, "modulepreload", "stylesheet")
	return out.String()
}
