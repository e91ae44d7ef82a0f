// Package descriptor reads catalog files: YAML documents in, entities and
// problems out. One bad document spoils nothing else.
package descriptor

import "github.com/waypost-dev/waypost/server/catalog"

// Version changes whenever the same bytes would be decoded differently, so
// that documents decoded by an earlier version are decoded anew.
const Version = "1"

// File is a catalog file and where it stands.
type File struct {
	Source     string
	Repository string // owner/name; empty if no repository holds it
	Commit     string
	Path       string
	Content    []byte

	// Location is the location ref that the entities are annotated with, such
	// as url:https://github.com/acme/shop/blob/main/catalog-info.yaml.
	Location string
	// View and Edit are addresses for people; empty if there are none.
	View, Edit string
	// SourceLocation is where the code is, such as
	// url:https://github.com/acme/shop/tree/main/. It is used unless the
	// document names its own.
	SourceLocation string
}

// Decoded is what a file holds.
type Decoded struct {
	Entities []*catalog.Entity
	Problems []catalog.Problem
}
