// Package reach finds what the catalog files of a place lead to, and reads it:
// the targets of their Locations, which are catalog files themselves, and the
// files that their placeholders name ($text, $json and $yaml), whose content
// stands in the entity in the placeholder's stead.
//
// # How far it goes
//
// A file of a repository leads to files of the same repository at the same
// commit, by a path relative to itself, by a path from the root (/docs/a.yaml),
// or by the address of the file's web page or raw content on the branch that is
// read; and to files on hosts that are allowed, by their address. A file from
// the web leads on by addresses, relative ones among them, and never to a file
// of this machine. Symbolic links are followed within the repository where they
// are the file's last name. Wildcards are for targets within the repository.
//
// Locations may lead from one to the next ten times (Walk.MaxDepth), never in a
// circle, and to Walk.MaxDocuments documents. What a placeholder of $json or
// $yaml brings may hold placeholders, relative to the file in which they stand,
// three deep. No file may have more than source.MaxDocument bytes, and all that
// is reached from one repository's catalog files no more than 64 MiB.
//
// # Placeholders
//
// A placeholder is a mapping whose only key is $text, $json or $yaml and whose
// value is text, anywhere in a document, as Backstage has it. Any other key
// that starts with $ is left alone. The files are reported with the document
// (source.Document.Includes); package descriptor puts their values in, and tells
// what is wrong at the line of the placeholder.
//
// # What changes when
//
// The hash of a document that leads elsewhere is the blob id of its own content,
// then a + (or, for a document from another host, an @), then a digest of all
// that its placeholders name. So the hash says by itself whether a document has
// to be looked into when its repository has changed (Known), and a change of an
// included file is a change of each document that includes it, and of no other.
//
// Files of the repository are part of its commit, and so of its State: while that
// stands, nothing is read. Other hosts announce nothing. A repository from which
// anything is reached on another host is therefore read again at each harvest
// (its State ends with Foreign and a digest), those files by conditional requests,
// and reported as unchanged if all came out as before. On GitHub this costs such a
// repository its share of three batched queries at each harvest. What only leads to
// hosts that are not allowed costs nothing.
//
// # What is broken
//
// A target that cannot be read is a problem at the line that names it; with
// presence: optional, one that is not there is none. What was known of a document
// that fails, and of all that was reached through it, stays until it can be read
// again; only a file of the own repository that is not there is believed to be
// gone. A placeholder that fails spoils its entity, whose last good form stays.
package reach
