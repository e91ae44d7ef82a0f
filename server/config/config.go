package config

import (
	"cmp"
	_ "embed"
	"fmt"
	"log/slog"
	"maps"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"github.com/waypost-dev/waypost/server/catalog"
)

// Schema is the JSON Schema of the configuration file.
//
//go:embed schema.json
var Schema []byte

// Example is a configuration file that shows every part once.
//
//go:embed example.yaml
var Example []byte

// Config is everything that can be set. Load returns it checked and complete;
// schema.json describes the fields.
type Config struct {
	DB              string        `koanf:"db"`
	HTTP            string        `koanf:"http"`
	GRPC            string        `koanf:"grpc"`
	InsecureListen  bool          `koanf:"insecureListen"`
	ReadAllow       []string      `koanf:"readAllow"`
	Origins         []string      `koanf:"origins"` // of pages that may use Backstage's API
	Every           time.Duration `koanf:"every"`
	Sample          bool          `koanf:"sample"`
	ShutdownTimeout time.Duration `koanf:"shutdownTimeout"`
	LogLevel        string        `koanf:"logLevel"`
	LogFormat       string        `koanf:"logFormat"`
	GitHub          GitHub        `koanf:"github"`
	MaxRemovals     float64       `koanf:"maxRemovals"` // per cent
	Orphans         string        `koanf:"orphans"`     // keep, delete or a duration
	History         History       `koanf:"history"`
	Kinds           []Kind        `koanf:"kinds"`
	RegisterFiles   bool          `koanf:"registerFiles"`
	Allow           []string      `koanf:"allow"` // kinds; empty for all
	// Schemas are those of Kinds; nil if there are none.
	Schemas *catalog.Schemas `koanf:"-"`
	Sources []Source         `koanf:"sources"`
	// Plugins are by name: those that are built in and named here, and all
	// others.
	Plugins map[string]Plugin `koanf:"plugins"`

	merged    map[string]any
	positions positions
}

// Plugin is what is configured of a plugin.
type Plugin struct {
	Enabled *bool          `koanf:"enabled"` // nil is true
	Command []string       `koanf:"command"` // empty for one that is built in
	Dir     string         `koanf:"dir"`
	Env     []string       `koanf:"env"`
	Config  map[string]any `koanf:"config"`
}

// Off tells whether the plugin is switched off.
func (p Plugin) Off() bool { return p.Enabled != nil && !*p.Enabled }

// Effective is the configuration as it was merged, by key, without secrets.
func (c *Config) Effective() map[string]any {
	out := maps.Clone(c.merged)
	if u, err := url.Parse(c.DB); err == nil {
		if _, ok := u.User.Password(); ok {
			u.User = url.UserPassword(u.User.Username(), mask)
			out["db"] = strings.ReplaceAll(u.String(), url.QueryEscape(mask), mask)
		}
	}
	shared := map[string]any{}
	if c.GitHub.Token != "" {
		shared["token"] = mask
	}
	if len(c.GitHub.WebhookSecrets) > 0 {
		shared["webhookSecret"] = mask
	}
	if len(shared) > 0 {
		if given, ok := out["github"].(map[string]any); ok {
			maps.Copy(shared, given)
		}
		out["github"] = shared
	}
	return out
}

// History is how long changes are remembered.
type History struct {
	Days int `koanf:"days"` // 0 for ever
	Last int `koanf:"last"` // changes of each entity that stay however old they are
}

// Kind is a custom kind and its JSON Schema.
type Kind struct {
	APIVersion string `koanf:"apiVersion"`
	Kind       string `koanf:"kind"`
	SchemaFile string `koanf:"schemaFile"`
}

// GitHub is what the sources of type github share.
type GitHub struct {
	URL               string `koanf:"url"`
	TokenFile         string `koanf:"tokenFile"`
	WebhookSecretFile string `koanf:"webhookSecretFile"`
	App               *App   `koanf:"app"`
	// Token comes from TokenFile or else from GITHUB_TOKEN.
	Token Secret `koanf:"-"`
	// WebhookSecrets come from WebhookSecretFile, one on each line, or else from
	// GITHUB_WEBHOOK_SECRET.
	WebhookSecrets []Secret `koanf:"-"`
}

// App is a GitHub App's installation.
type App struct {
	AppID          int64  `koanf:"appId"`
	InstallationID int64  `koanf:"installationId"`
	PrivateKeyFile string `koanf:"privateKeyFile"`
	PrivateKey     Secret `koanf:"-"` // PEM, from PrivateKeyFile
}

// Source is a place to harvest. Which fields apply depends on Type.
type Source struct {
	Type string `koanf:"type"` // github, dir or location

	Org               string   `koanf:"org"`               // github
	URL               string   `koanf:"url"`               // github; empty for github.com
	TokenFile         string   `koanf:"tokenFile"`         // github
	App               *App     `koanf:"app"`               // github; nil if a token is used
	WebhookSecretFile string   `koanf:"webhookSecretFile"` // github
	WebhookSecrets    []Secret `koanf:"-"`                 // github; none if it takes no webhooks

	Token Secret `koanf:"-"` // github; empty if App is used, or for anonymous reading

	Path   string `koanf:"path"`   // dir; absolute
	Target string `koanf:"target"` // location; url:… or file:…

	Patterns     []string     `koanf:"patterns"`
	Repositories Repositories `koanf:"repositories"`
	Topics       []string     `koanf:"topics"`
	// Allow are the kinds that its files may declare; empty for all.
	Allow      []string `koanf:"allow"`
	Archived   *bool    `koanf:"archived"` // never nil after Load
	Forks      *bool    `koanf:"forks"`    // never nil after Load
	Visibility []string `koanf:"visibility"`
	Branch     string   `koanf:"branch"`
	Inference  *bool    `koanf:"inference"` // never nil after Load
	Priority   int      `koanf:"priority"`
	// MaxRemovals is the share of its entities, in per cent, of which a source
	// may not lose more at once; 0 for no bound. Never nil after Load.
	MaxRemovals *float64 `koanf:"maxRemovals"`
	// Orphans is keep, delete, or for how long to keep. Never empty after Load.
	Orphans string `koanf:"orphans"`
	// Every is the time between harvests; 0 for none after the first. Never
	// nil after Load.
	Every *time.Duration `koanf:"every"`
}

// Repositories selects repositories by name.
type Repositories struct {
	Include []string `koanf:"include"`
	Exclude []string `koanf:"exclude"`
}

// Name is what messages call the source, before it is made.
func (s Source) Name() string {
	switch s.Type {
	case "github":
		return "github:" + s.Org
	case "dir":
		return "dir:" + s.Path
	default:
		return s.Target
	}
}

// Secret is a string that prints as ***. Use Reveal where it is spent.
type Secret string

const mask = "***"

// String implements fmt.Stringer, and hides the secret.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return mask
}

// GoString hides the secret from %#v.
func (s Secret) GoString() string { return fmt.Sprintf("%q", s.String()) }

// MarshalText hides the secret from JSON and YAML.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// LogValue hides the secret from logs.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// Reveal is the secret itself.
func (s Secret) Reveal() string { return string(s) }

// complete fills in what a source takes from the settings of all.
func (c *Config) complete() error {
	for i := range c.Sources {
		s := &c.Sources[i]
		if s.Every == nil {
			s.Every = &c.Every
		}
		if s.MaxRemovals == nil {
			s.MaxRemovals = &c.MaxRemovals
		}
		s.Orphans = cmp.Or(s.Orphans, c.Orphans)
		if s.Allow == nil {
			s.Allow = c.Allow
		}
		for _, b := range []**bool{&s.Archived, &s.Forks, &s.Inference} {
			if *b == nil {
				yes := true
				*b = &yes
			}
		}
		switch s.Type {
		case "dir":
			abs, err := filepath.Abs(s.Path)
			if err != nil {
				return fmt.Errorf("make %s absolute: %w", s.Path, err)
			}
			s.Path = abs
		case "github":
			if s.URL == "" {
				s.URL = c.GitHub.URL
			}
			if s.App == nil && s.TokenFile == "" {
				s.App, s.TokenFile, s.Token = c.GitHub.App, c.GitHub.TokenFile, c.GitHub.Token
			}
			if s.WebhookSecretFile == "" {
				s.WebhookSecrets = c.GitHub.WebhookSecrets
			}
			if s.App != nil {
				s.Token = ""
			}
		}
	}
	return nil
}
