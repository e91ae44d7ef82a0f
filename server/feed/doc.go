// Package feed hands the changes of the catalog to those who watch it.
//
// A Hub keeps the last changes in a ring that all watches share. A watch is no
// more than a filter and a position: it takes what it wants from the ring, at
// its own pace, and from the store when the ring has moved on without it. So a
// slow watch holds up nobody and keeps nothing in memory, and a watch that
// begins at an old revision is nothing special.
//
// Changes lie in the ring in batches. What a filter makes of a batch is worked
// out once, when the first watch with that filter comes by, by the read model's
// own filters over two small indexes: one of what the batch put, one of what it
// found there. A batch changes no ref twice.
package feed
