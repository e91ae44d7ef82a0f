// Package config is what an operator can set: a YAML file, the environment and
// flags, in that order of growing precedence. It is strict: an unknown key or a
// bad value is an error with its place and, where there is one, the nearest key
// that exists. schema.json says what is allowed, once, for us and for editors.
//
// It knows nothing of the parts that it configures; server/cmd/waypost builds
// them from a Config.
package config
