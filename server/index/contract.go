// Package index is the read model: an immutable snapshot of the catalog in
// memory that answers get, list, facets, search and graph, and is swapped
// atomically as the change feed advances. Query semantics live here, once.
package index

/*
The surface that server/api, server/backstage and the CLI use:

	x := index.New()                                  // empty, revision 0
	x.Load(entities []*catalog.Entity, rev)           // replaces everything (start)
	x.Apply(changes []catalog.Change)                 // advances; touches what changed
	x.Wait(ctx, rev) error                            // until the snapshot is at least rev
	s := x.Snapshot()                                 // never blocks

	s.Revision() catalog.Revision
	s.Len() int
	s.Get(ref catalog.Ref) (*Record, bool)            // any case
	s.ByUID(uid string) (*Record, bool)
	s.List(q Query) (Page, error)
	s.Facets(filter string, fields []string, limit int) ([]Facet, int, error)   // facets, total selected
	s.Search(q Search) (Found, error)
	s.Graph(q GraphQuery) (Graph, error)
	s.Relations(r *Record) []Relation                 // both directions, sorted by type then target
	s.Dangling() []catalog.Problem                    // CodeDangling, one for each edge without a target

	record.Entity *catalog.Entity
	record.View(key ViewKey, make func() []byte) []byte
	// a rendered form, kept with the record for as long as neither the entity
	// nor its relations (nor whether their targets exist) change; safe for
	// concurrent use

Errors: *QueryError{Field "filter"|"order_by"|"page_token"|"fields"|..., Offset int, Reason string, Hint string}
*/
