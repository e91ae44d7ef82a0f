// Package catalog is the domain: entities, refs, relations, problems, and the
// rules by which an entity is well formed. It does no input or output and
// imports nothing else of ours. Field names, kinds and rules are Backstage's
// (descriptor format of catalog entities, apiVersion backstage.io/v1alpha1).
package catalog
