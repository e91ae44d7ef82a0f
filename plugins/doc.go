// Package plugins will hold the contract of Waypost's plugins, and each folder
// below it one plugin: its collector, its facts, its service and routes, its
// tests. A plugin attaches facts to entities that a source has reported; it
// neither creates nor removes entities.
//
// There is none yet. What a plugin will find is already harvested and kept with
// each repository: CODEOWNERS, the permissions of teams, languages, topics,
// licence and the time of the last push.
package plugins
