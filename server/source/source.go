// Package source is the contract between the places that are harvested and the
// harvester: what a source reports, and in which order. Implementations stand
// in the folders below; sourcetest holds them all to the same promises.
//
// A source says what exists. Only a source can cause a removal, and only by
// declaring a complete listing.
package source

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/waypost-dev/waypost/server/catalog"
)

// Source is one configured place.
type Source interface {
	// Name identifies the source for good: entities and state are kept under
	// it. It reads type:target, such as github:acme or dir:/srv/git.
	Name() string

	// Harvest reports everything that the source holds. Repositories are
	// streamed, possibly from several goroutines at once, each as soon as it is
	// known; Out tells when it has had enough by blocking. Harvest calls
	// Complete last, and only if every repository was listed. It returns an
	// error when the listing could not be finished: what was reported until
	// then stands, and nothing is removed. Trouble with one repository or
	// document is reported as a Problem and is not an error.
	Harvest(ctx context.Context, known Known, out Out) error
}

// Refresher is a Source that can report a few of its repositories without
// listing the others.
type Refresher interface {
	Source

	// Refresh reports what the scope names, as it is now, by the same calls as
	// Harvest and with the same State, so that the next Harvest finds it
	// unchanged. What is provably not part of the source (any more) it reports
	// by Gone; what could not be read, by Keep. It never calls Complete.
	Refresh(ctx context.Context, scope Scope, known Known, out Out) error
}

// Announcer is a Refresher whose forge announces changes by webhook.
type Announcer interface {
	Refresher

	// Announced says what a delivery means. The event is the forge's name of
	// its type, such as push, and the payload is JSON whose signature was
	// checked. It makes no request and keeps no state. A payload that is not
	// what the forge documents is an error.
	Announced(event string, payload []byte) (Announcement, error)
}

// Brancher is a Refresher that can read another branch.
type Brancher interface {
	Refresher

	// OnBranch returns the same source reading another branch. It makes no
	// request; a repository without that branch is reported with a Problem.
	OnBranch(branch string) (Refresher, error)
}

// Inspector is a Source that can read what it does not report, at the commit at
// which it reported a repository. Its answers for a commit never change, so that
// callers may keep them. The error is ErrNotGiven if it cannot tell.
type Inspector interface {
	Source

	// Files are the paths of the tracked files below a folder, "" for all, as the
	// source lists them; at most MaxFiles.
	Files(ctx context.Context, at Place) ([]string, error)
	// Commits are those that changed something below a folder since a time,
	// newest first and without merges, at most limit.
	Commits(ctx context.Context, at Place, since time.Time, limit int) ([]Commit, error)
	// Content is that of one tracked file, by its path from the root, of at most
	// MaxDocument bytes. No link is followed. at.Folder does not matter.
	Content(ctx context.Context, at Place, path string) ([]byte, error)
}

// ErrNotGiven: the source cannot tell.
var ErrNotGiven = errors.New("the source does not give this")

// ErrSpent is an ErrNotGiven: the source cannot tell now, because so few of the
// requests that its upstream grants are left.
var ErrSpent = fmt.Errorf("%w now", ErrNotGiven)

// MaxFiles is the most paths that an Inspector lists.
const MaxFiles = 300_000

// Place is a folder of a repository at a commit.
type Place struct {
	ID     string // as Repository.ID
	Name   string // owner/name
	Commit string // in hex
	Folder string // with slashes, without one at either end; "" for the root
}

// Commit is one commit.
type Commit struct {
	Hash   string // in hex
	Author string // login on the forge; empty if unknown
	Email  string // of the author, as the commit says
	Name   string // of the author, as the commit says
	Time   time.Time
}

// Announcement is what a delivery calls for. Deliveries get lost, repeated and
// out of order, so that it says where to look and never what to believe.
type Announcement struct {
	Scope Scope
	// Everything asks for a harvest of the whole source: no scope is enough.
	Everything bool
	// Touched are the files of the one repository in Scope that have changed, if
	// none of them is read for its own sake: it matters only if what is known of
	// the repository leads to one of them. Nil otherwise.
	Touched []string
	// Ignored says why nothing is to be done, in a few words; empty otherwise.
	Ignored string
	// Cause is who did it, as far as the payload tells.
	Cause catalog.Cause
}

// Scope is a part of a source.
type Scope struct {
	Repositories []Pointer
	// Directory asks for the groups and users too.
	Directory bool
}

// Pointer names a repository whose record may be out of date.
type Pointer struct {
	ID     string // as Repository.ID; may be empty if Number or Name are known
	Number int64  // the forge's other id, if it has one
	Name   string // owner/name, as last known
	// Teams says that its team permissions may have changed too. A source that
	// has to ask for them apart does so only then, or if it has none.
	Teams bool
}

// Known is what the catalog already has from this source, so that a source can
// leave out what has not changed. It is safe for concurrent use.
type Known interface {
	// Repository returns the state under which the repository with this ID was
	// last reported, and the hashes of its documents by path.
	Repository(id string) (RepositoryState, bool)
}

// RepositoryState is what a source said of a repository last time.
type RepositoryState struct {
	// State is Repository.State as last reported.
	State string
	// Documents are the hashes of the documents by path.
	Documents map[string]string
}

// Out takes what a source reports. It is safe for concurrent use; an error
// from it ends the harvest.
type Out interface {
	// Expect says how many repositories will be reported, as far as is known;
	// it may be called again as more becomes known. For progress only.
	Expect(repositories int)

	// Repository reports a repository whole: a document that was there before
	// and is missing now is gone.
	Repository(ctx context.Context, r Repository) error

	// Unchanged reports that the repository with this ID is as Known has it.
	Unchanged(ctx context.Context, id string) error

	// Keep reports that the repository exists but could not be read this time:
	// what is known of it stays, and the problem is shown.
	Keep(ctx context.Context, id string, p catalog.Problem) error

	// Gone reports that the repository with this ID is provably not part of the
	// source any more. What it declared is removed.
	Gone(ctx context.Context, id string) error

	// Directory reports the groups and users of an organisation, whole. It may
	// be called at most once.
	Directory(ctx context.Context, d Directory) error

	// Problem reports trouble that belongs to no repository.
	Problem(p catalog.Problem)

	// Spent reports requests made and what is left, as they happen. For
	// progress and metrics only.
	Spent(b Budget)

	// Complete declares that every repository of the source was reported, by
	// Repository, Unchanged or Keep. What was not is gone.
	Complete(ctx context.Context) error
}

// Repository is one repository as a source sees it.
type Repository struct {
	// ID is the forge's own identity of the repository, which survives a
	// rename: GitHub's node id, or for a clone its path below the source.
	ID string

	// State is opaque to everyone but the source: it changes when anything
	// about the repository may have changed, such as pushed_at and settings.
	State string

	// Asked is when the source began to ask for what follows, by the clock of
	// this machine: what was asked for earlier never replaces what was asked for
	// later. The zero value means now.
	Asked time.Time

	Owner, Name string // as the forge spells them
	URL         string // of the web page, without a trailing slash; empty if there is none
	Branch      string // that was read: the default branch, or the configured one
	Commit      string // head of Branch; empty for an empty repository
	Author      string // login of the author of Commit; empty if the forge does not say

	Description string
	Homepage    string
	Visibility  string // public, private or internal; empty if unknown
	Archived    bool
	Fork        bool
	Template    bool
	Topics      []string
	Properties  map[string]string // custom properties as GitHub has them; several values with commas between
	License     string            // SPDX id; empty if unknown
	Languages   []Language
	PushedAt    time.Time // zero if unknown: then the committer date of Commit
	Stars       int
	OpenIssues  int

	// Root lists the names in the root folder, folders with a trailing slash,
	// sorted. Inference reads the layout from it.
	Root []string

	// Codeowners is the CODEOWNERS file in force, if there is one.
	Codeowners *File

	// Teams are the teams with a permission of their own on the repository.
	Teams []TeamPermission

	// Documents are the catalog files. Their order does not matter.
	Documents []Document

	// Problems are what stood in the way of reading parts of the repository.
	Problems []catalog.Problem
}

// FullName is owner/name.
func (r Repository) FullName() string { return r.Owner + "/" + r.Name }

// Language is a programming language and how many bytes are written in it.
type Language struct {
	Name  string
	Bytes int64
}

// File is a file at the head of the repository.
type File struct {
	Path    string
	Hash    string // git's blob id, in hex
	Content []byte
}

// TeamPermission is what a team may do in a repository.
type TeamPermission struct {
	Team       string // slug
	Permission string // pull, triage, push, maintain or admin
}

// Document is one catalog file.
type Document struct {
	// Path is the file's path in the repository, with slashes, clean and
	// relative, never starting with ../; of a file from the web, host and path.
	Path string
	// Hash identifies the content and all that it includes: git's blob id of the
	// content, in hex, and of a document that leads to other files a + (or an @,
	// if it is from the web) and a digest of what it includes; see package reach.
	Hash string
	// Location is the document's location ref, such as
	// url:https://example.com/all.yaml; empty if it follows from the repository's
	// URL, its branch and Path.
	Location string
	// Content is the file. It is nil when Known has the same Hash under the
	// same Path, and may then be left unread.
	Content []byte
	// Includes are the files that placeholders of the document name ($text, $json
	// and $yaml), with theirs. They are nil when Content is.
	Includes []Include
	// Problem is set, and Content nil, when the file is listed but could not
	// be read or is over MaxDocument; what is known of it stays.
	Problem *catalog.Problem
}

// Include is a file that a placeholder names.
type Include struct {
	// From is the Path of the Include in which the placeholder stands; empty if it
	// stands in the document itself.
	From string
	// Target is what the placeholder says.
	Target string
	// Path is as Document.Path; empty if Target leads nowhere.
	Path    string
	Content []byte
	// Problem is set, and Content nil, when the file could not be read. Only its
	// Code, Message and Hint are set.
	Problem *catalog.Problem
}

// MaxDocument is the size in bytes above which a document is refused unread.
const MaxDocument = 5 << 20

// Directory is the groups and users of an organisation.
type Directory struct {
	Organisation string // login
	URL          string // of its web page, without a trailing slash
	Teams        []Team
	Users        []User
}

// Team is a group of an organisation.
type Team struct {
	Slug, Name, Description string
	Parent                  string   // slug; empty for a top-level team
	Members                 []string // logins of direct members, sorted
	URL                     string
}

// User is a member of an organisation.
type User struct {
	Login, Name, Email string
	AvatarURL, URL     string
	Suspended          bool
}

// Budget is what a source has spent of the requests that its upstream grants.
type Budget struct {
	Counted   int // requests that count against the limit, since the harvest began
	Free      int // answered 304 from what was kept
	Remaining int // that the upstream says are left; -1 if it has not said
	Limit     int // -1 if unknown
	Reset     time.Time
	Waiting   time.Duration // now being waited because of a limit; 0 if not
}
