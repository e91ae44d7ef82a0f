package ownership

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/waypost-dev/waypost/server/catalog"
)

// Config is the plugin's configuration. What it leaves out is as in
// [DefaultConfig].
type Config struct {
	// Inheritance is FALLBACK, APPEND or NONE.
	Inheritance Inheritance `json:"inheritance"`
	// TopicPrefix begins the topics of a repository that name its owner:
	// owner-payments names payments. Empty for none.
	TopicPrefix string `json:"topicPrefix"`
	// Properties are the custom properties of a repository that name its owner,
	// the best first. One that ends in * is a prefix.
	Properties []string `json:"properties"`
	// DefaultOwner owns what no evidence speaks for; empty for nobody.
	DefaultOwner string `json:"defaultOwner"`
	// AutoApply lets activity decide, from a confidence of 0.8 on.
	AutoApply  bool             `json:"autoApply"`
	Codeowners CodeownersConfig `json:"codeowners"`
	// Verification is how often the owner is asked.
	Verification VerificationConfig `json:"verification"`
	// Kinds are those whose entities need an owner, in any case. Others are looked
	// at only if they declare one.
	Kinds []string `json:"kinds"`
	// Bots are logins, names or e-mail addresses whose commits do not count, beside
	// those that end in [bot]. A * stands for any text.
	Bots []string `json:"bots"`
	// Paging leads from services of a paging tool to teams.
	Paging PagingConfig `json:"paging"`
}

// CodeownersConfig says how CODEOWNERS is read.
type CodeownersConfig struct {
	Dialect string `json:"dialect"` // github or gitlab
}

// VerificationConfig says how often an owner is asked, in days.
type VerificationConfig struct {
	Days  int            `json:"days"`
	Tiers map[string]int `json:"tiers,omitempty"` // by spec.tier or the annotation waypost.dev/tier
}

// PagingConfig leads from services of a paging tool to teams. Nothing is fetched.
type PagingConfig struct {
	Annotations []string `json:"annotations"`
	// Teams are refs of owners by the value of such an annotation.
	Teams map[string]string `json:"teams,omitempty"`
	// Facts are keys of other plugins' facts whose value is the ref of a team.
	Facts []string `json:"facts,omitempty"`
}

// DefaultConfig is the configuration of a plugin that is given none.
func DefaultConfig() Config {
	return Config{
		Inheritance:  Fallback,
		TopicPrefix:  "owner-",
		Properties:   []string{"owner", "owner-*"},
		Codeowners:   CodeownersConfig{Dialect: "github"},
		Verification: VerificationConfig{Days: 180},
		Kinds:        []string{"component", "api", "resource", "system", "domain", "template"},
		Bots:         []string{"dependabot*", "renovate*", "github-actions*", "*-bot", "*+bot@*"},
		Paging:       PagingConfig{Annotations: []string{"pagerduty.com/service-id", "incident.io/service-id"}},
	}
}

// configSchema is the JSON Schema of Config.
const configSchema = `{
  "type": ["object", "null"],
  "additionalProperties": false,
  "properties": {
    "inheritance": {"enum": ["FALLBACK", "APPEND", "NONE"], "default": "FALLBACK"},
    "topicPrefix": {"type": "string", "maxLength": 50, "default": "owner-"},
    "properties": {"type": "array", "maxItems": 20, "items": {"type": "string", "minLength": 1, "maxLength": 100}, "default": ["owner", "owner-*"]},
    "defaultOwner": {"type": "string", "maxLength": 200},
    "autoApply": {"type": "boolean", "default": false},
    "codeowners": {"type": "object", "additionalProperties": false, "properties": {"dialect": {"enum": ["github", "gitlab"], "default": "github"}}},
    "verification": {"type": "object", "additionalProperties": false, "properties": {
      "days": {"type": "integer", "minimum": 1, "maximum": 3650, "default": 180},
      "tiers": {"type": "object", "maxProperties": 50, "additionalProperties": {"type": "integer", "minimum": 1, "maximum": 3650}}
    }},
    "kinds": {"type": "array", "maxItems": 100, "items": {"type": "string", "minLength": 1, "maxLength": 100}},
    "bots": {"type": "array", "maxItems": 200, "items": {"type": "string", "minLength": 1, "maxLength": 200}},
    "paging": {"type": "object", "additionalProperties": false, "properties": {
      "annotations": {"type": "array", "maxItems": 20, "items": {"type": "string", "minLength": 1, "maxLength": 300}},
      "teams": {"type": "object", "maxProperties": 10000, "additionalProperties": {"type": "string", "minLength": 1, "maxLength": 200}},
      "facts": {"type": "array", "maxItems": 20, "items": {"type": "string", "minLength": 1, "maxLength": 101}}
    }}
  }
}`

// readConfig reads a configuration over the defaults.
func readConfig(raw json.RawMessage) (Config, error) {
	c := DefaultConfig()
	if len(bytes.TrimSpace(raw)) > 0 {
		read := json.NewDecoder(bytes.NewReader(raw))
		read.DisallowUnknownFields()
		if err := read.Decode(&c); err != nil {
			return Config{}, fmt.Errorf("read the configuration of ownership: %w", err)
		}
	}
	if !slices.Contains([]Inheritance{Fallback, Append, NoInheritance}, c.Inheritance) {
		return Config{}, fmt.Errorf("ownership: inheritance %q must be FALLBACK, APPEND or NONE", c.Inheritance)
	}
	if c.Codeowners.Dialect != "github" && c.Codeowners.Dialect != "gitlab" {
		return Config{}, fmt.Errorf("ownership: codeowners.dialect %q must be github or gitlab", c.Codeowners.Dialect)
	}
	if c.Verification.Days < 1 {
		return Config{}, fmt.Errorf("ownership: verification.days is %d; it must be at least 1", c.Verification.Days)
	}
	for tier, days := range c.Verification.Tiers {
		if days < 1 {
			return Config{}, fmt.Errorf("ownership: verification.tiers.%s is %d; it must be at least 1", tier, days)
		}
	}
	if c.DefaultOwner != "" {
		if _, err := catalog.ParseRef(c.DefaultOwner, groups); err != nil {
			return Config{}, fmt.Errorf("ownership: defaultOwner: %w", err)
		}
	}
	bots := make([]string, len(c.Bots))
	for i, b := range c.Bots {
		bots[i] = strings.ToLower(b)
	}
	c.Bots = bots
	for service, team := range c.Paging.Teams {
		if _, err := catalog.ParseRef(team, groups); err != nil {
			return Config{}, fmt.Errorf("ownership: paging.teams.%s: %w", service, err)
		}
	}
	return c, nil
}

// groups is how an owner without a kind is read.
var groups = catalog.RefContext{Kind: "group"}

// needsOwner tells whether an entity of the kind must have an owner.
func (c *Config) needsOwner(kind string) bool {
	return slices.ContainsFunc(c.Kinds, func(k string) bool { return strings.EqualFold(k, kind) })
}

// cadence is how long a verification holds for an entity.
func (c *Config) cadence(e *catalog.Entity) time.Duration {
	tier := e.Text("spec.tier")
	if tier == "" {
		tier = e.Annotation("waypost.dev/tier")
	}
	days, ok := c.Verification.Tiers[tier]
	if !ok {
		days = c.Verification.Days
	}
	return time.Duration(days) * 24 * time.Hour
}

// isBot tells whether one of an author's names is that of a machine.
func (c *Config) isBot(names ...string) bool {
	for _, name := range names {
		name = strings.ToLower(name)
		if strings.HasSuffix(name, "[bot]") || strings.Contains(name, "[bot]@") {
			return true
		}
		if name != "" && slices.ContainsFunc(c.Bots, func(pattern string) bool { return matchStars(pattern, name) }) {
			return true
		}
	}
	return false
}

// matchStars tells whether a pattern, in which * stands for any text, matches
// all of a text. It takes time proportional to both.
func matchStars(pattern, s string) bool {
	pattern, after, star := strings.Cut(pattern, "*")
	if !star {
		return pattern == s
	}
	rest, ok := strings.CutPrefix(s, pattern)
	for ok {
		if pattern, after, star = strings.Cut(after, "*"); !star {
			return strings.HasSuffix(rest, pattern)
		}
		// The earliest place leaves the most for what follows.
		_, rest, ok = strings.Cut(rest, pattern)
	}
	return false
}
