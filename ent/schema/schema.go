// Package schema holds the tables of the store. Times in the tables that an
// update writes by the thousand are Unix microseconds in UTC: they cost neither
// database a conversion.
//
// A change here needs a migration for each database: go run ./server/store/migrations/migratediff NAME.
package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// assigned is an id that the store gives out itself, under the writer's lock,
// so that rows can be written in bulk without being read back.
func assigned() ent.Field {
	return field.Int64("id").Positive().Immutable().Annotations(entsql.Annotation{Incremental: new(bool)})
}

// Repository is a repository of a source, or the directory of an organisation.
type Repository struct{ ent.Schema }

// Fields of the Repository.
func (Repository) Fields() []ent.Field {
	return []ent.Field{
		assigned(),
		field.Text("source"),
		field.Text("forge_id"),
		field.Text("name"),
		field.Text("state"),
		field.Text("commit"),
		field.Bytes("facts").Optional().Comment("JSON object"),
		field.Bytes("problems").Optional().Comment("JSON array; null if there are none"),
		field.Int64("asked").Default(0).Comment("when the source asked for this; Unix microseconds"),
		field.Bool("gone").Default(false).Comment("kept for a while, so that an older listing does not bring it back"),
		field.Int64("touched").Default(0).Comment("when the row was written last; Unix microseconds, rising"),
	}
}

// Edges of the Repository.
func (Repository) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("documents", Document.Type).Annotations(entsql.OnDelete(entsql.Cascade)),
		edge.To("claims", Claim.Type).Annotations(entsql.OnDelete(entsql.Cascade)),
	}
}

// Indexes of the Repository.
func (Repository) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("source", "forge_id").Unique(),
		index.Fields("touched"),
	}
}

// Document is a catalog file.
type Document struct{ ent.Schema }

// Fields of the Document.
func (Document) Fields() []ent.Field {
	return []ent.Field{
		assigned(),
		field.Int64("repository_id"),
		field.Text("path"),
		field.Text("hash"),
		field.Text("commit"),
		field.Bytes("problems").Optional().Comment("JSON array; null if there are none"),
	}
}

// Edges of the Document.
func (Document) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("repository", Repository.Type).Ref("documents").Field("repository_id").Unique().Required(),
	}
}

// Indexes of the Document.
func (Document) Indexes() []ent.Index {
	return []ent.Index{index.Fields("repository_id", "path").Unique()}
}

// Content is an entity in one form. Claims and revisions point at it, so that
// its text is written once. Only its place (commit, line, and the lines in the
// relations) may be updated, when the same form moves within its document.
type Content struct{ ent.Schema }

// Fields of the Content.
func (Content) Fields() []ent.Field {
	return []ent.Field{
		assigned(),
		field.Text("ref").Immutable().Comment("kind:namespace/name as written"),
		field.Text("source").Immutable(),
		field.Text("repository").Immutable().Comment("owner/name"),
		field.Text("path").Immutable(),
		field.Text("commit"),
		field.Int64("line"),
		field.Bool("inferred").Immutable(),
		field.Bytes("relations").Optional().Comment("lines of tab-separated fields; null if there are none"),
		field.Bytes("document").Immutable().Comment("the envelope, a JSON object"),
	}
}

// Claim is an entity as one place declares it, or as it was inferred. One
// claim of a ref is served.
type Claim struct{ ent.Schema }

// Fields of the Claim.
func (Claim) Fields() []ent.Field {
	return []ent.Field{
		assigned(),
		field.Int64("repository_id"),
		field.Text("key").Comment("identity of the claim within the repository"),
		field.Text("path").Comment("of the document; empty if inferred"),
		field.Text("ref_key"),
		field.Text("uid"),
		field.Text("hash").Comment("of the entity"),
		field.Int64("place").Comment("hash of the line and the lines in the relations"),
		field.Bool("inferred"),
		field.Int64("priority"),
		field.Int64("claimed").Comment("when this place first claimed the ref; Unix microseconds"),
		field.Bool("served"),
		field.Int64("content_id"),
		field.Int64("revision").Comment("that made this content the served one; 0 if it never was"),
		field.Int64("changed").Comment("time of the revision; Unix microseconds"),
		field.Int64("orphaned").Default(0).Comment("since when no place declares it any more; Unix microseconds, 0 if one does"),
	}
}

// Edges of the Claim.
func (Claim) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("repository", Repository.Type).Ref("claims").Field("repository_id").Unique().Required(),
	}
}

// Indexes of the Claim.
func (Claim) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("repository_id"),
		// Two parts of one index: few claims wait, and each ref is served once.
		index.Fields("ref_key").StorageKey("claim_waiting").Annotations(entsql.IndexWhere("NOT served")),
		index.Fields("ref_key").Unique().StorageKey("claim_served").Annotations(entsql.IndexWhere("served")),
		index.Fields("orphaned").StorageKey("claim_orphaned").Annotations(entsql.IndexWhere("orphaned <> 0")),
	}
}

// Revision is one change of one entity. Its id is its number, in commit order.
type Revision struct{ ent.Schema }

// Fields of the Revision.
func (Revision) Fields() []ent.Field {
	return []ent.Field{
		assigned(),
		field.Text("op").Immutable().Comment("put, delete or facts"),
		field.Int64("time").Immutable().Comment("Unix microseconds"),
		field.Text("uid").Immutable(),
		field.Text("ref_key").Immutable(),
		field.Int64("content_id").Immutable().Comment("after the change; for delete, before it"),
		field.Text("moved").Default("").Immutable().Comment("key of the ref that the entity was renamed from; for delete, to"),
		field.Bytes("cause").Optional().Immutable().Comment("catalog.Cause as a JSON object; null if unknown"),
		field.Bytes("facts").Optional().Immutable().Comment("of op facts: those that changed, as a JSON array of catalog.Fact without evidence"),
	}
}

// Indexes of the Revision.
func (Revision) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("ref_key", "id"),
		index.Fields("time"),
	}
}

// Harvest is one run over a source.
type Harvest struct{ ent.Schema }

// Fields of the Harvest.
func (Harvest) Fields() []ent.Field {
	return []ent.Field{
		field.Int64("id"),
		field.Text("source").Immutable(),
		field.Time("started").Immutable(),
		field.Time("finished").Optional().Nillable(),
		field.Text("state"),
		field.Text("error").Default(""),
		field.Int("repositories").Default(0),
		field.Int("read").Default(0),
		field.Int("added").Default(0),
		field.Int("changed").Default(0),
		field.Int("removed").Default(0),
		field.Int("unchanged").Default(0),
		field.Int("problem_count").Default(0),
		field.Int("requests").Default(0),
		field.Int("free_requests").Default(0),
		field.Bytes("problems").Optional().Comment("of the source itself; JSON array, null if there are none"),
		field.Text("cause").Default("").Comment("what asked for it: schedule, api, webhook"),
		field.Int("orphaned").Default(0),
		field.Int("held").Default(0).Comment("entities that it would have removed, had that not been too many"),
		field.Int("held_of").Default(0).Comment("entities that the source had then"),
	}
}

// Indexes of the Harvest.
func (Harvest) Indexes() []ent.Index {
	return []ent.Index{index.Fields("source")}
}

// Lease is the right of one process to harvest a source.
type Lease struct{ ent.Schema }

// Fields of the Lease.
func (Lease) Fields() []ent.Field {
	return []ent.Field{
		field.Text("id").StorageKey("source").Immutable(),
		field.Text("holder"),
		field.Int64("expires").Comment("Unix microseconds, by the database's clock"),
	}
}

// Response is an answer of an upstream, kept for conditional requests.
type Response struct{ ent.Schema }

// Fields of the Response.
func (Response) Fields() []ent.Field {
	return []ent.Field{
		field.Text("id").StorageKey("key").Immutable(),
		field.Int64("stored").Comment("Unix microseconds"),
		field.Bytes("value"),
	}
}

// Indexes of the Response.
func (Response) Indexes() []ent.Index {
	return []ent.Index{index.Fields("stored")}
}

// Delivery is a webhook delivery. Its id stays for some days after it was
// processed, so that a repeated one is known.
type Delivery struct{ ent.Schema }

// Fields of the Delivery.
func (Delivery) Fields() []ent.Field {
	return []ent.Field{
		field.Text("id").Immutable().Comment("source, a space, and the forge's id of the delivery"),
		field.Text("source").Immutable(),
		field.Text("event").Immutable().Comment("the forge's name of its type, such as push"),
		field.Int64("received").Immutable().Comment("Unix microseconds"),
		field.Bytes("payload").Optional().Comment("null once it was processed"),
		field.Bool("waiting").Comment("to be processed"),
		field.Text("outcome").Default("").Comment("what came of it, in a few words"),
	}
}

// Indexes of the Delivery.
func (Delivery) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("source", "received").StorageKey("delivery_waiting").Annotations(entsql.IndexWhere("waiting")),
		index.Fields("received"),
	}
}

// Location is a location that was registered through the API.
type Location struct{ ent.Schema }

// Fields of the Location.
func (Location) Fields() []ent.Field {
	return []ent.Field{
		field.Text("id").Immutable().Comment("a UUID"),
		field.Text("target").Unique().Immutable().Comment("type:target, such as url:https://example.com/all.yaml"),
		field.Int64("created").Immutable().Comment("Unix microseconds"),
		field.Text("creator").Default("").Immutable().Comment("caller of the API; empty if unknown"),
	}
}

// Trouble is a problem through time: when it was first seen, and when it was
// gone. What is wrong now is in the documents; this only remembers.
type Trouble struct{ ent.Schema }

// Fields of the Trouble.
func (Trouble) Fields() []ent.Field {
	return []ent.Field{
		field.Text("id").Immutable().Comment("fingerprint: what makes two problems the same one"),
		field.Text("source"),
		field.Text("repository"),
		field.Text("owner").Comment("key of the owner of the entity or of most of the document; empty if unknown"),
		field.Int64("opened").Comment("Unix microseconds"),
		field.Int64("gone").Default(0).Comment("Unix microseconds; 0 while it is there"),
		field.Bytes("problem").Comment("as last seen; a JSON object"),
	}
}

// Indexes of the Trouble.
func (Trouble) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("gone"),
	}
}

// Fact is what a plugin says of an entity.
type Fact struct{ ent.Schema }

// Fields of the Fact.
func (Fact) Fields() []ent.Field {
	return []ent.Field{
		assigned(),
		field.Text("uid").Immutable().Comment("of the entity"),
		field.Text("key").Immutable().Comment("begins with the plugin's name and a dot"),
		field.Bytes("value").Comment("JSON"),
		field.Bytes("evidence").Optional().Comment("JSON array of catalog.Evidence; null if there is none"),
		field.Int64("observed").Comment("Unix microseconds"),
		field.Int64("stale").Default(0).Comment("Unix microseconds; 0 for never"),
	}
}

// Indexes of the Fact.
func (Fact) Indexes() []ent.Index {
	return []ent.Index{index.Fields("uid", "key").Unique()}
}

// Enrichment is how one plugin stands to one entity: when it was asked, from
// what it answered, and what beside facts it said.
type Enrichment struct{ ent.Schema }

// Fields of the Enrichment.
func (Enrichment) Fields() []ent.Field {
	return []ent.Field{
		assigned(),
		field.Text("plugin").Immutable(),
		field.Text("uid").Immutable().Comment("of the entity"),
		field.Bytes("reads").Optional().Comment("what the answer depends on, in the runner's own form"),
		field.Int64("asked").Comment("when it last answered; Unix microseconds, 0 for never"),
		field.Int64("due").Default(0).Comment("when to ask again; Unix microseconds, 0 for when something changes"),
		field.Text("error").Default("").Comment("why the last question was not answered; empty if it was"),
		field.Int64("failures").Default(0).Comment("questions in a row that were not answered"),
		field.Bytes("problems").Optional().Comment("JSON array; null if there are none"),
		field.Bytes("relations").Optional().Comment("lines of tab-separated fields; null if there are none"),
	}
}

// Indexes of the Enrichment.
func (Enrichment) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("plugin", "uid").Unique(),
		index.Fields("uid"),
	}
}

// PluginRun is a run of a plugin in one of its roles.
type PluginRun struct{ ent.Schema }

// Fields of the PluginRun.
func (PluginRun) Fields() []ent.Field {
	return []ent.Field{
		field.Int64("id"),
		field.Text("plugin").Immutable(),
		field.Text("role").Immutable().Comment("enrich, collect, handle or infer"),
		field.Int64("started").Immutable().Comment("Unix microseconds"),
		field.Int64("finished").Comment("Unix microseconds"),
		field.Text("error").Default("").Comment("empty if it succeeded"),
		field.Int("asked").Default(0).Comment("entities"),
		field.Int("answered").Default(0).Comment("entities"),
		field.Int("changed").Default(0).Comment("entities of which it says something else now"),
		field.Int("refused").Default(0).Comment("facts that do not obey their declaration"),
		field.Int("calls").Default(0),
	}
}

// Indexes of the PluginRun.
func (PluginRun) Indexes() []ent.Index {
	return []ent.Index{index.Fields("plugin", "started")}
}

// Plugin is how a plugin as a whole stands.
type Plugin struct{ ent.Schema }

// Fields of the Plugin.
func (Plugin) Fields() []ent.Field {
	return []ent.Field{
		field.Text("id").StorageKey("name").Immutable(),
		field.Text("version").Comment("of the plugin and its configuration, with which the facts were made"),
		field.Text("breaker").Default("closed").Comment("closed, open or half-open"),
		field.Int64("until").Default(0).Comment("when an open breaker lets something through; Unix microseconds"),
		field.Text("error").Default("").Comment("the last one; empty since it succeeded"),
		field.Int64("collected").Default(0).Comment("when it last collected; Unix microseconds"),
	}
}

// Record is what a plugin keeps for itself.
type Record struct{ ent.Schema }

// Fields of the Record.
func (Record) Fields() []ent.Field {
	return []ent.Field{
		assigned(),
		field.Text("plugin").Immutable(),
		field.Text("key").Immutable(),
		field.Bytes("value").Comment("JSON"),
		field.Int64("version"),
		field.Int64("updated").Comment("Unix microseconds"),
	}
}

// Indexes of the Record.
func (Record) Indexes() []ent.Index {
	return []ent.Index{index.Fields("plugin", "key").Unique()}
}

// Mark is a fact about the database as a whole, such as the oldest revision
// that is still kept.
type Mark struct{ ent.Schema }

// Fields of the Mark.
func (Mark) Fields() []ent.Field {
	return []ent.Field{
		field.Text("id").StorageKey("key").Immutable(),
		field.Text("value"),
	}
}
