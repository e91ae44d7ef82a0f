//go:build ui

package frontend

import (
	"embed"
	"io/fs"
)

//go:embed all:dist
var built embed.FS

// dist is the build of the portal.
func dist() fs.FS {
	sub, err := fs.Sub(built, "dist")
	if err != nil {
		panic("frontend: " + err.Error()) // the folder is compiled in
	}
	return sub
}
