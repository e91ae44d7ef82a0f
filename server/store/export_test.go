package store

// Invariants lets the conformance suite's callers check the tables.
var Invariants = invariants
