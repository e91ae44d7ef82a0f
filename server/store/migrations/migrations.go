// Package migrations holds the versioned migrations of both databases. They are
// written by `go run ./server/store/migrations/migratediff NAME`; those that have landed are frozen.
package migrations

import "embed"

// FS holds the folders sqlite and postgres, each with its files and atlas.sum.
//
//go:embed sqlite postgres
var FS embed.FS
