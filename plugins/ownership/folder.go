package ownership

import (
	"github.com/waypost-dev/waypost/plugins"
	"github.com/waypost-dev/waypost/server/catalog"
)

// Folder is where the code of an entity is: a repository, and a folder in it, ""
// for all of it. It tells false for an entity of no repository, and for one whose
// code is in another repository than its catalog file.
func Folder(v plugins.View, e *catalog.Entity) (plugins.Repository, string, bool) {
	at, ok := placeOf(v, e)
	return at.Repository, at.Folder, ok
}
