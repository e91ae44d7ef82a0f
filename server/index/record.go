package index

import "github.com/waypost-dev/waypost/server/catalog"

// ViewKey names a rendered form of a record. Declare one package-level value
// for each form.
type ViewKey int

// Record is an entity in a snapshot. It is immutable.
type Record struct {
	Entity *catalog.Entity
}
