// Package ownership is the plugin that says who owns an entity, and why.
//
// It works in three steps: gather.go reads what every source of evidence says
// (the only step with input and output), decide.go weighs it (a pure function),
// and facts.go and mend.go turn the outcome into facts, problems and changes
// that a person can make. The order of the sources is that of [Sources]; each
// of them is heard even if a higher one has decided, so that the outcome can be
// explained and compared with the work that is really done.
package ownership
