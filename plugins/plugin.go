// Package plugins is the contract between Waypost and its plugins, and each
// folder below holds one plugin, or (remote) those that run in other processes.
//
// A plugin is a value with a Descriptor and any of the roles below. It attaches
// facts to entities that a source has reported; it removes nothing. The server
// asks it only for what changed or went stale, holds what it says against what
// it declared, and keeps its last good facts when it fails.
package plugins

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"google.golang.org/grpc"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"

	"github.com/waypost-dev/waypost/server/catalog"
)

// Plugin is what every plugin is. What it does is in its roles: Configurer,
// Enricher, Collector, Handler, Relater, Server, Extender.
type Plugin interface {
	// Describe says what the plugin is. It is called before anything else,
	// always says the same, and is quick.
	Describe() Descriptor
}

// Descriptor says what a plugin is and what it will say.
type Descriptor struct {
	// Name is in lower case: a letter, then letters, digits and dashes, at most
	// 40 in all. It is the first part of the keys of its facts.
	Name string `json:"name"`
	// Version is a semantic version. Facts of another version are asked for anew.
	Version string `json:"version"`
	// Summary says in one sentence what it is good for.
	Summary string `json:"summary"`
	// Config is the JSON Schema of its configuration; empty if it takes none.
	Config json.RawMessage `json:"config,omitempty"`
	// Kinds are those of the entities that it is asked about, in any case; empty
	// for all.
	Kinds []string `json:"kinds,omitempty"`
	// Facts are all facts that it may say.
	Facts []FactType `json:"facts"`
	// Events are the names of the forge's webhook events that it handles, such
	// as push. Only a Handler has some.
	Events []string `json:"events,omitempty"`
	// Every is how often a Collector collects; the default is 15 minutes.
	Every time.Duration `json:"every,omitempty"`
	// Limits bound what is asked of it at a time.
	Limits Limits `json:"limits"`
}

// FactType declares a fact.
type FactType struct {
	// Key is the plugin's name, a dot, and a name of letters, digits and
	// underscores.
	Key   string `json:"key"`
	Title string `json:"title"` // a few words, for people
	// Description says how the value comes about, with its unit and range.
	Description string `json:"description,omitempty"`
	// Schema is the JSON Schema of the value.
	Schema json.RawMessage `json:"schema"`
	// Unit is a unit as UCUM writes it, such as s, d, % or By; empty for none.
	Unit string `json:"unit,omitempty"`
	// Freshness is how long a value counts as fresh; 0 for as long as what it was
	// made from does not change.
	Freshness time.Duration `json:"freshness,omitempty"`
	// Filterable says that people will filter and count by it.
	Filterable bool `json:"filterable,omitempty"`
	// Display is how it is shown.
	Display Display `json:"display,omitempty"`
}

// Display is a way in which a user interface shows a value.
type Display string

// The ways to show a value. What is not known is shown as text.
const (
	DisplayText     Display = "text"
	DisplayBadge    Display = "badge"    // one of few words
	DisplayNumber   Display = "number"   // with its unit
	DisplayPercent  Display = "percent"  // of 0 to 1
	DisplayTime     Display = "time"     // RFC 3339
	DisplayDuration Display = "duration" // in the unit
	DisplayLink     Display = "link"     // a URL, or {url, title}
	DisplayRef      Display = "ref"      // of an entity, or a list of them
	DisplayTable    Display = "table"    // a list of objects
	DisplayHidden   Display = "hidden"   // for rules, not for people
)

// Limits bound what is asked of a plugin at a time. A zero field means the
// default, and what is above the bound means the bound.
type Limits struct {
	Batch      int           `json:"batch,omitempty"`      // entities a call: default 100, at most 1,000
	Concurrent int           `json:"concurrent,omitempty"` // calls at a time: default 1, at most 16
	PerSecond  float64       `json:"perSecond,omitempty"`  // calls; default unlimited
	Deadline   time.Duration `json:"deadline,omitempty"`   // of a call: default 30 s, at most 10 min
}

// Configurer is a plugin that takes a configuration, or needs what the host
// gives. It is called once, before every other role. The configuration obeys
// the descriptor's schema; it is JSON null if there is none.
type Configurer interface {
	Configure(ctx context.Context, config json.RawMessage, host Host) error
}

// Enricher says facts of entities.
type Enricher interface {
	// Enrich answers for entities, in their order. It reads what it needs
	// through the view of each, so that it is asked again when that changes. An
	// error is trouble with all of them; what is wrong with one is in its
	// Answer. Several calls may run at a time, up to Limits.Concurrent.
	Enrich(ctx context.Context, subjects []Subject) ([]Answer, error)
}

// Subject is an entity that is asked about.
type Subject struct {
	Entity *catalog.Entity
	// View shows the catalog at one moment. What is read through it is what the
	// answer depends on.
	View View
}

// Answer is all that a plugin says of an entity. It replaces what it said before.
type Answer struct {
	Facts []catalog.Fact
	// Relations are edges that the plugin found, beside those that the entity
	// declares. Only those of a plugin with the role Relater count.
	Relations []catalog.Relation
	// Problems are what a person should mend. Source, repository and entity are
	// filled in.
	Problems []catalog.Problem
	// Err says why the plugin has nothing to say this time. What it said before
	// stays, with its age and this error beside it.
	Err error
	// Again is when to ask again although nothing has changed; zero for when the
	// first fact goes stale.
	Again time.Time
}

// Collector reads an outside system on a schedule and keeps what it found,
// through Host.Records. It returns the refs of the entities to ask the Enricher
// for again.
type Collector interface {
	Collect(ctx context.Context, view View) ([]catalog.Ref, error)
}

// Handler is told of webhook deliveries whose signature was checked. It returns
// the refs of the entities to ask the Enricher for again. Deliveries come
// repeated and out of order.
type Handler interface {
	Handle(ctx context.Context, event Event, view View) ([]catalog.Ref, error)
}

// Event is a webhook delivery.
type Event struct {
	Source   string // such as github:acme
	Type     string // the forge's name, such as push
	Payload  json.RawMessage
	Received time.Time
}

// Relater is an Enricher whose relations count, and which may propose entities
// that no source knows.
type Relater interface {
	Enricher

	// Infer returns all entities that the plugin infers. They are kept as
	// inferred, below every declared one.
	Infer(ctx context.Context, view View) ([]*catalog.Entity, error)
}

// Server is a plugin with a gRPC service and REST routes of its own, which are
// behind the same interceptors as all others.
type Server interface {
	RegisterGRPC(grpc.ServiceRegistrar)
	// RegisterREST adds routes that lead to the connection.
	RegisterREST(ctx context.Context, mux *runtime.ServeMux, conn grpc.ClientConnInterface) error
}

// Extender adds functions to the CEL of filters. A function is pure: it does no
// input or output, and is quick and safe for concurrent use.
type Extender interface {
	Functions() []Function
}

// Function is a CEL function of one entity: plugin.name(entity, argument...).
type Function struct {
	// Name begins with the plugin's own and a dot, as the keys of facts do; a dash
	// in it is an underscore here.
	Name string
	// Arguments and Result are CEL types: string, int, double, bool, dyn.
	Arguments []string
	Result    string
	Doc       string // what it tells, in a sentence
	// Call gets the entity's document, which it must not change, and arguments as
	// string, int64, float64, bool, or what JSON decodes to. Its error is that of
	// the term in which the call stands, which then selects nothing. A panic is
	// one too.
	Call func(entity map[string]any, arguments []any) (any, error)
}

// View is the catalog as the plugin may see it. It is safe for concurrent use
// until the call ends for which it was made.
type View interface {
	// Entity finds an entity, with the facts of all plugins.
	Entity(ref catalog.Ref) (*catalog.Entity, bool)
	// Relations are those of an entity in both directions, by type and target:
	// of some types, or all. Name the types that matter: an answer that read all
	// depends on all.
	Relations(ref catalog.Ref, types ...string) []catalog.Relation
	// Repository is what the source says of the repository that declares an
	// entity; false for an entity of none.
	Repository(e *catalog.Entity) (Repository, bool)
	// Each calls yield for each entity of a kind, in no particular order, until
	// it returns false. An answer that used it depends on every entity of the
	// kind.
	Each(kind string, yield func(*catalog.Entity) bool)
}

// OfTypes are the relations of some types; all, if none is named.
func OfTypes(relations []catalog.Relation, types []string) []catalog.Relation {
	if len(types) == 0 {
		return relations
	}
	var out []catalog.Relation
	for _, r := range relations {
		if slices.Contains(types, r.Type) {
			out = append(out, r)
		}
	}
	return out
}

// Repository is a repository as its source reported it.
type Repository struct {
	Source string // name of the source
	ID     string // the forge's
	Name   string // owner/name
	Commit string // head of the branch that is read
	RepositoryFacts
}

// RepositoryFacts are what a source says of a repository beside its entities.
type RepositoryFacts struct {
	URL         string            `json:"url,omitempty"`
	Branch      string            `json:"branch,omitempty"`
	Description string            `json:"description,omitempty"`
	Visibility  string            `json:"visibility,omitempty"`
	Archived    bool              `json:"archived,omitempty"`
	Fork        bool              `json:"fork,omitempty"`
	Topics      []string          `json:"topics,omitempty"`
	Properties  map[string]string `json:"properties,omitempty"` // GitHub's custom properties
	License     string            `json:"license,omitempty"`
	Languages   map[string]int64  `json:"languages,omitempty"` // bytes
	PushedAt    time.Time         `json:"pushedAt,omitzero"`
	Root        []string          `json:"root,omitempty"`
	// Teams are the permissions of teams by slug: pull, triage, push, maintain
	// or admin.
	Teams      map[string]string `json:"teams,omitempty"`
	Codeowners *Codeowners       `json:"codeowners,omitempty"`
}

// Codeowners is the CODEOWNERS file in force.
type Codeowners struct {
	Path    string `json:"path"`
	Hash    string `json:"hash"`
	Content string `json:"content,omitempty"` // empty above 3 MB
}

// Host is what the server gives a plugin, and all that it gives.
type Host interface {
	// Records are the plugin's own.
	Records() Records
	// Source reads what is in repositories and is not harvested.
	Source() Inspector
	// View is the catalog as it is now, for a service that answers people. What
	// is read through it is not noted.
	View(ctx context.Context) View
	// Select returns the entities that a filter in CEL selects, as for listing
	// entities, by ref; empty selects all. An error says what is wrong with it.
	Select(ctx context.Context, filter string) ([]*catalog.Entity, error)
	// Refresh asks for an entity to be enriched soon, as after a person's
	// decision.
	Refresh(refs ...catalog.Ref)
	// Now is the time by which facts are judged.
	Now() time.Time
}

// Records keeps the details behind a plugin's facts. Keys are paths such as
// override/component:default/web; values are JSON of up to 1 MiB. It is safe for
// concurrent use, by several replicas too.
type Records interface {
	// Get returns ErrNoRecord if there is none.
	Get(ctx context.Context, key string) (Record, error)
	// List returns those whose keys begin with a prefix and come after a key, in
	// order, up to limit.
	List(ctx context.Context, prefix, after string, limit int) ([]Record, error)
	// Put writes a record; with a version above 0, only if the record still has
	// it, and else returns ErrRecordChanged.
	Put(ctx context.Context, key string, value any, version int64) error
	// Delete removes a record, if it is there.
	Delete(ctx context.Context, key string) error
}

// Record is one record.
type Record struct {
	Key     string
	Value   json.RawMessage
	Version int64 // another one after every Put, and above 0
	Updated time.Time
}

// Errors of Records and Inspector, to be tested for with errors.Is.
var (
	ErrNoRecord      = errors.New("no such record")
	ErrRecordChanged = errors.New("the record was changed meanwhile")
	// ErrNotGiven: the source cannot tell, or the plugin has no right to it.
	ErrNotGiven = errors.New("the source does not give this")
)

// Inspector reads repositories beyond what is harvested. Its answers are kept
// by commit, so that asking again costs nothing.
type Inspector interface {
	// Files are the paths of all tracked files below a folder of a repository,
	// "" for all, at the commit that was harvested.
	Files(ctx context.Context, r Repository, folder string) ([]string, error)
	// Commits are those that changed something below a folder since a time,
	// newest first, without merges, up to limit.
	Commits(ctx context.Context, r Repository, folder string, since time.Time, limit int) ([]Commit, error)
	// Text is that of a file, by its path, at the commit that was harvested: of at
	// most 1 MiB of UTF-8. No link is followed.
	Text(ctx context.Context, r Repository, path string) (string, error)
}

// Commit is one commit.
type Commit struct {
	Hash   string
	Author string // login on the forge; empty if unknown
	Email  string // of the author, as the commit says
	Name   string // of the author, as the commit says
	Time   time.Time
}
