//go:build !ui

package frontend

import (
	"embed"
	"io/fs"
)

//go:embed stub
var stub embed.FS

// dist is a page that says how to build the portal: `go build` needs no Node.
func dist() fs.FS {
	sub, err := fs.Sub(stub, "stub")
	if err != nil {
		panic("frontend: " + err.Error()) // the folder is compiled in
	}
	return sub
}
