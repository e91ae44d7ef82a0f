-- Add columns. By hand: copying a table and dropping the old one, as it was
-- generated, would take along what refers to it.
ALTER TABLE `repositories` ADD COLUMN `touched` integer NOT NULL DEFAULT (0);
-- Create index "repository_touched" to table: "repositories"
CREATE INDEX `repository_touched` ON `repositories` (`touched`);
-- Add column "facts" to table: "revisions"
ALTER TABLE `revisions` ADD COLUMN `facts` blob NULL;
-- Create "enrichments" table
CREATE TABLE `enrichments` (`id` integer NOT NULL, `plugin` text NOT NULL, `uid` text NOT NULL, `reads` blob NULL, `asked` integer NOT NULL, `due` integer NOT NULL DEFAULT (0), `error` text NOT NULL DEFAULT (''), `failures` integer NOT NULL DEFAULT (0), `problems` blob NULL, `relations` blob NULL, PRIMARY KEY (`id`));
-- Create index "enrichment_plugin_uid" to table: "enrichments"
CREATE UNIQUE INDEX `enrichment_plugin_uid` ON `enrichments` (`plugin`, `uid`);
-- Create index "enrichment_uid" to table: "enrichments"
CREATE INDEX `enrichment_uid` ON `enrichments` (`uid`);
-- Create "facts" table
CREATE TABLE `facts` (`id` integer NOT NULL, `uid` text NOT NULL, `key` text NOT NULL, `value` blob NOT NULL, `evidence` blob NULL, `observed` integer NOT NULL, `stale` integer NOT NULL DEFAULT (0), PRIMARY KEY (`id`));
-- Create index "fact_uid_key" to table: "facts"
CREATE UNIQUE INDEX `fact_uid_key` ON `facts` (`uid`, `key`);
-- Create "plugins" table
CREATE TABLE `plugins` (`name` text NOT NULL, `version` text NOT NULL, `breaker` text NOT NULL DEFAULT ('closed'), `until` integer NOT NULL DEFAULT (0), `error` text NOT NULL DEFAULT (''), `collected` integer NOT NULL DEFAULT (0), PRIMARY KEY (`name`));
-- Create "plugin_runs" table
CREATE TABLE `plugin_runs` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `plugin` text NOT NULL, `role` text NOT NULL, `started` integer NOT NULL, `finished` integer NOT NULL, `error` text NOT NULL DEFAULT (''), `asked` integer NOT NULL DEFAULT (0), `answered` integer NOT NULL DEFAULT (0), `changed` integer NOT NULL DEFAULT (0), `refused` integer NOT NULL DEFAULT (0), `calls` integer NOT NULL DEFAULT (0));
-- Create index "pluginrun_plugin_started" to table: "plugin_runs"
CREATE INDEX `pluginrun_plugin_started` ON `plugin_runs` (`plugin`, `started`);
-- Create "records" table
CREATE TABLE `records` (`id` integer NOT NULL, `plugin` text NOT NULL, `key` text NOT NULL, `value` blob NOT NULL, `version` integer NOT NULL, `updated` integer NOT NULL, PRIMARY KEY (`id`));
-- Create index "record_plugin_key" to table: "records"
CREATE UNIQUE INDEX `record_plugin_key` ON `records` (`plugin`, `key`);
