// Package index is the read model: an immutable snapshot of the catalog in
// memory that answers get, list, facets, search and graph, and is swapped
// atomically as the change feed advances. Query semantics live here, once.
//
// A snapshot shares with the one before it all that did not change: trees are
// copied on write, arrays page by page. What a query needs of a field (its
// values, who has them, an order) is built when the field is first asked for,
// is bounded in number, and is kept up with each change from then on. The first
// query over a field therefore reads every document, and later ones none.
package index
