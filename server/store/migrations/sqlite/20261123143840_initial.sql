-- Create "claims" table
CREATE TABLE `claims` (`id` integer NOT NULL, `key` text NOT NULL, `path` text NOT NULL, `ref_key` text NOT NULL, `uid` text NOT NULL, `hash` text NOT NULL, `place` integer NOT NULL, `inferred` bool NOT NULL, `priority` integer NOT NULL, `claimed` integer NOT NULL, `served` bool NOT NULL, `content_id` integer NOT NULL, `revision` integer NOT NULL, `changed` integer NOT NULL, `repository_id` integer NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `claims_repositories_claims` FOREIGN KEY (`repository_id`) REFERENCES `repositories` (`id`) ON DELETE CASCADE);
-- Create index "claim_repository_id" to table: "claims"
CREATE INDEX `claim_repository_id` ON `claims` (`repository_id`);
-- Create index "claim_ref_key" to table: "claims"
CREATE INDEX `claim_ref_key` ON `claims` (`ref_key`);
-- Create index "claim_served" to table: "claims"
CREATE UNIQUE INDEX `claim_served` ON `claims` (`ref_key`) WHERE served;
-- Create "contents" table
CREATE TABLE `contents` (`id` integer NOT NULL, `ref` text NOT NULL, `source` text NOT NULL, `repository` text NOT NULL, `path` text NOT NULL, `commit` text NOT NULL, `line` integer NOT NULL, `inferred` bool NOT NULL, `relations` blob NULL, `document` blob NOT NULL, PRIMARY KEY (`id`));
-- Create "documents" table
CREATE TABLE `documents` (`id` integer NOT NULL, `path` text NOT NULL, `hash` text NOT NULL, `commit` text NOT NULL, `problems` blob NULL, `repository_id` integer NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `documents_repositories_documents` FOREIGN KEY (`repository_id`) REFERENCES `repositories` (`id`) ON DELETE CASCADE);
-- Create index "document_repository_id_path" to table: "documents"
CREATE UNIQUE INDEX `document_repository_id_path` ON `documents` (`repository_id`, `path`);
-- Create "harvests" table
CREATE TABLE `harvests` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `source` text NOT NULL, `started` datetime NOT NULL, `finished` datetime NULL, `state` text NOT NULL, `error` text NOT NULL DEFAULT (''), `repositories` integer NOT NULL DEFAULT (0), `read` integer NOT NULL DEFAULT (0), `added` integer NOT NULL DEFAULT (0), `changed` integer NOT NULL DEFAULT (0), `removed` integer NOT NULL DEFAULT (0), `unchanged` integer NOT NULL DEFAULT (0), `problem_count` integer NOT NULL DEFAULT (0), `requests` integer NOT NULL DEFAULT (0), `free_requests` integer NOT NULL DEFAULT (0), `problems` blob NULL);
-- Create index "harvest_source" to table: "harvests"
CREATE INDEX `harvest_source` ON `harvests` (`source`);
-- Create "leases" table
CREATE TABLE `leases` (`source` text NOT NULL, `holder` text NOT NULL, `expires` integer NOT NULL, PRIMARY KEY (`source`));
-- Create "repositories" table
CREATE TABLE `repositories` (`id` integer NOT NULL, `source` text NOT NULL, `forge_id` text NOT NULL, `name` text NOT NULL, `state` text NOT NULL, `commit` text NOT NULL, `facts` blob NULL, `problems` blob NULL, PRIMARY KEY (`id`));
-- Create index "repository_source_forge_id" to table: "repositories"
CREATE UNIQUE INDEX `repository_source_forge_id` ON `repositories` (`source`, `forge_id`);
-- Create "responses" table
CREATE TABLE `responses` (`key` text NOT NULL, `stored` integer NOT NULL, `value` blob NOT NULL, PRIMARY KEY (`key`));
-- Create index "response_stored" to table: "responses"
CREATE INDEX `response_stored` ON `responses` (`stored`);
-- Create "revisions" table
CREATE TABLE `revisions` (`id` integer NOT NULL, `op` text NOT NULL, `time` integer NOT NULL, `uid` text NOT NULL, `ref_key` text NOT NULL, `content_id` integer NOT NULL, PRIMARY KEY (`id`));
