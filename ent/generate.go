// Package ent is generated from the tables in ent/schema; nothing but
// server/store imports it.
package ent

//go:generate go tool -modfile=../tools/go.mod ent generate --feature sql/versioned-migration,sql/upsert,sql/lock,sql/execquery --target . ./schema
