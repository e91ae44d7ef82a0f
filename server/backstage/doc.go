// Package backstage serves the catalog over the REST API of Backstage's catalog
// backend, for clients that were written for it. Routes, parameters, bodies,
// statuses and messages are those of @backstage/plugin-catalog-backend 4.0.0;
// docs/backstage.md lists where they differ on purpose.
//
// Backstage answers queries from a table with a row for each scalar in an
// entity: a dotted key and a value, both in lower case. This package keeps the
// columns of that table that were asked for in memory, as posting lists over
// the numbers that server/index gives its entities, and brings them in line
// with the snapshot that is served when a request comes: what that costs grows
// with what changed.
package backstage
