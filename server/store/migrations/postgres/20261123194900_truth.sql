-- Modify "claims" table
ALTER TABLE "claims" ADD COLUMN "orphaned" bigint NOT NULL DEFAULT 0;
-- Modify "harvests" table
ALTER TABLE "harvests" ADD COLUMN "cause" text NOT NULL DEFAULT '', ADD COLUMN "orphaned" bigint NOT NULL DEFAULT 0, ADD COLUMN "held" bigint NOT NULL DEFAULT 0, ADD COLUMN "held_of" bigint NOT NULL DEFAULT 0;
-- Modify "repositories" table
ALTER TABLE "repositories" ADD COLUMN "asked" bigint NOT NULL DEFAULT 0, ADD COLUMN "gone" boolean NOT NULL DEFAULT false;
-- Modify "revisions" table
ALTER TABLE "revisions" ADD COLUMN "moved" text NOT NULL DEFAULT '', ADD COLUMN "cause" bytea NULL;
-- Create index "claim_orphaned" to table: "claims"
CREATE INDEX "claim_orphaned" ON "claims" ("orphaned") WHERE (orphaned <> 0);
-- Create index "revision_ref_key_id" to table: "revisions"
CREATE INDEX "revision_ref_key_id" ON "revisions" ("ref_key", "id");
-- Create index "revision_time" to table: "revisions"
CREATE INDEX "revision_time" ON "revisions" ("time");
-- Create "deliveries" table
CREATE TABLE "deliveries" ("id" text NOT NULL, "source" text NOT NULL, "event" text NOT NULL, "received" bigint NOT NULL, "payload" bytea NULL, "waiting" boolean NOT NULL, "outcome" text NOT NULL DEFAULT '', PRIMARY KEY ("id"));
-- Create index "delivery_received" to table: "deliveries"
CREATE INDEX "delivery_received" ON "deliveries" ("received");
-- Create index "delivery_waiting" to table: "deliveries"
CREATE INDEX "delivery_waiting" ON "deliveries" ("source", "received") WHERE waiting;
-- Create "locations" table
CREATE TABLE "locations" ("id" text NOT NULL, "target" text NOT NULL, "created" bigint NOT NULL, "creator" text NOT NULL DEFAULT '', PRIMARY KEY ("id"));
-- Create index "locations_target_key" to table: "locations"
CREATE UNIQUE INDEX "locations_target_key" ON "locations" ("target");
-- Create "marks" table
CREATE TABLE "marks" ("key" text NOT NULL, "value" text NOT NULL, PRIMARY KEY ("key"));
-- Create "troubles" table
CREATE TABLE "troubles" ("id" text NOT NULL, "source" text NOT NULL, "repository" text NOT NULL, "owner" text NOT NULL, "opened" bigint NOT NULL, "gone" bigint NOT NULL DEFAULT 0, "problem" bytea NOT NULL, PRIMARY KEY ("id"));
-- Create index "trouble_gone" to table: "troubles"
CREATE INDEX "trouble_gone" ON "troubles" ("gone");
