-- Add columns. By hand: copying a table and dropping the old one, as it was
-- generated, would take along what refers to it.
ALTER TABLE `claims` ADD COLUMN `orphaned` integer NOT NULL DEFAULT (0);
ALTER TABLE `harvests` ADD COLUMN `cause` text NOT NULL DEFAULT ('');
ALTER TABLE `harvests` ADD COLUMN `orphaned` integer NOT NULL DEFAULT (0);
ALTER TABLE `harvests` ADD COLUMN `held` integer NOT NULL DEFAULT (0);
ALTER TABLE `harvests` ADD COLUMN `held_of` integer NOT NULL DEFAULT (0);
ALTER TABLE `repositories` ADD COLUMN `asked` integer NOT NULL DEFAULT (0);
ALTER TABLE `repositories` ADD COLUMN `gone` bool NOT NULL DEFAULT (false);
ALTER TABLE `revisions` ADD COLUMN `moved` text NOT NULL DEFAULT ('');
ALTER TABLE `revisions` ADD COLUMN `cause` blob NULL;
-- Create index "claim_orphaned" to table: "claims"
CREATE INDEX `claim_orphaned` ON `claims` (`orphaned`) WHERE orphaned <> 0;
-- Create index "revision_ref_key_id" to table: "revisions"
CREATE INDEX `revision_ref_key_id` ON `revisions` (`ref_key`, `id`);
-- Create index "revision_time" to table: "revisions"
CREATE INDEX `revision_time` ON `revisions` (`time`);
-- Create "deliveries" table
CREATE TABLE `deliveries` (`id` text NOT NULL, `source` text NOT NULL, `event` text NOT NULL, `received` integer NOT NULL, `payload` blob NULL, `waiting` bool NOT NULL, `outcome` text NOT NULL DEFAULT (''), PRIMARY KEY (`id`));
-- Create index "delivery_waiting" to table: "deliveries"
CREATE INDEX `delivery_waiting` ON `deliveries` (`source`, `received`) WHERE waiting;
-- Create index "delivery_received" to table: "deliveries"
CREATE INDEX `delivery_received` ON `deliveries` (`received`);
-- Create "locations" table
CREATE TABLE `locations` (`id` text NOT NULL, `target` text NOT NULL, `created` integer NOT NULL, `creator` text NOT NULL DEFAULT (''), PRIMARY KEY (`id`));
-- Create index "locations_target_key" to table: "locations"
CREATE UNIQUE INDEX `locations_target_key` ON `locations` (`target`);
-- Create "marks" table
CREATE TABLE `marks` (`key` text NOT NULL, `value` text NOT NULL, PRIMARY KEY (`key`));
-- Create "troubles" table
CREATE TABLE `troubles` (`id` text NOT NULL, `source` text NOT NULL, `repository` text NOT NULL, `owner` text NOT NULL, `opened` integer NOT NULL, `gone` integer NOT NULL DEFAULT (0), `problem` blob NOT NULL, PRIMARY KEY (`id`));
-- Create index "trouble_gone" to table: "troubles"
CREATE INDEX `trouble_gone` ON `troubles` (`gone`);
