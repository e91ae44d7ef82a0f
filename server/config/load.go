package config

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/knadh/koanf/parsers/yaml"
	"github.com/knadh/koanf/providers/confmap"
	"github.com/knadh/koanf/providers/env/v2"
	"github.com/knadh/koanf/v2"

	"github.com/waypost-dev/waypost/server/catalog"
)

// Bounds on what is read.
const (
	maxFile   = 1 << 20
	maxSecret = 64 << 10
)

// Options are where a configuration comes from.
type Options struct {
	// File is the path of a YAML file; empty for none.
	File string
	// Environ is the environment, as from os.Environ. Variables named
	// WAYPOST_ and a key in upper snake case set that key; others are ignored.
	Environ []string
	// Flags are the flags that were given, by key, such as readAllow. Their
	// names are the keys in kebab case.
	Flags map[string]any
	// Sources are the sources that were given as flags; they come after those
	// of the file.
	Sources []FlagSource
}

// FlagSource is a source given as a flag.
type FlagSource struct {
	Flag   string // as it was given, such as --dir
	Values map[string]any
}

// Load reads, merges and checks a configuration. Its error lists everything
// that is wrong, as Errors, unless a file could not be read at all.
func Load(o Options) (*Config, error) {
	l := loader{positions: positions{file: o.File}}
	k := koanf.New(".")
	for _, layer := range []func(*koanf.Koanf) error{
		func(k *koanf.Koanf) error { return k.Load(confmap.Provider(defaults(), ""), nil) },
		func(k *koanf.Koanf) error { return l.readFile(k, o.File) },
		func(k *koanf.Koanf) error { return l.readEnviron(k, o.Environ) },
		func(k *koanf.Koanf) error { return l.readFlags(k, o) },
	} {
		if err := layer(k); err != nil {
			return nil, err
		}
	}
	if err := l.check(k.Raw()); err != nil {
		return nil, err
	}
	c := Config{merged: k.Raw()}
	if err := k.Unmarshal("", &c); err != nil {
		return nil, fmt.Errorf("decode configuration: %w", err)
	}
	if err := l.readSecrets(&c, o.Environ); err != nil {
		return nil, err
	}
	if err := c.complete(); err != nil {
		return nil, err
	}
	if err := l.checkMeaning(&c); err != nil {
		return nil, err
	}
	c.positions = l.positions
	return &c, nil
}

// loader is one Load at work.
type loader struct {
	positions
}

func (l *loader) readFile(k *koanf.Koanf, path string) error {
	if path == "" {
		return nil
	}
	b, err := readBounded(path, maxFile)
	if err != nil {
		return fmt.Errorf("read configuration: %w", err)
	}
	if err := l.index(b); err != nil {
		return err
	}
	m, err := yaml.Parser().Unmarshal(b)
	if err != nil {
		return Errors{{Where: path, Message: strings.TrimPrefix(err.Error(), "yaml: ")}}
	}
	return k.Load(confmap.Provider(m, ""), nil)
}

func (l *loader) readEnviron(k *koanf.Koanf, environ []string) error {
	types := topLevel()
	var bad Errors
	p := env.Provider(".", env.Opt{
		Prefix:      "WAYPOST_",
		EnvironFunc: func() []string { return environ },
		TransformFunc: func(name, value string) (string, any) {
			key := camel(strings.TrimPrefix(name, "WAYPOST_"))
			kind, ok := types[key]
			if !ok || value == "" {
				return "", nil
			}
			l.set(key, "environment variable "+name)
			switch kind {
			case "boolean":
				b, err := strconv.ParseBool(value)
				if err != nil {
					bad = append(bad, Problem{Where: "environment variable " + name, Message: fmt.Sprintf("%q is neither true nor false", value)})
				}
				return key, b
			case "array":
				return key, split(value)
			default:
				return key, value
			}
		},
	})
	if err := k.Load(p, nil); err != nil {
		return fmt.Errorf("read environment: %w", err)
	}
	if len(bad) > 0 {
		return bad
	}
	return nil
}

func (l *loader) readFlags(k *koanf.Koanf, o Options) error {
	flags := maps.Clone(o.Flags)
	if flags == nil {
		flags = map[string]any{}
	}
	for key := range flags {
		l.set(key, "--"+kebab(key))
	}
	if len(o.Sources) > 0 {
		sources, _ := k.Get("sources").([]any)
		sources = slices.Clone(sources)
		for _, s := range o.Sources {
			l.set("sources."+strconv.Itoa(len(sources)), s.Flag)
			sources = append(sources, s.Values)
		}
		flags["sources"] = sources
	}
	return k.Load(confmap.Provider(flags, "."), nil)
}

// readSecrets reads the secrets that the configuration names.
func (l *loader) readSecrets(c *Config, environ []string) error {
	var bad Errors
	read := func(key, path string) Secret {
		b, err := readBounded(path, maxSecret)
		s := strings.TrimSpace(string(b))
		if err == nil && s == "" {
			err = errors.New(path + " is empty")
		}
		if err != nil {
			bad = append(bad, Problem{Where: l.find(key), Message: "cannot read the secret: " + err.Error()})
		}
		return Secret(s)
	}
	app := func(key string, a *App) {
		if a != nil {
			a.PrivateKey = read(key+".app.privateKeyFile", a.PrivateKeyFile)
		}
	}
	if c.GitHub.TokenFile != "" {
		c.GitHub.Token = read("github.tokenFile", c.GitHub.TokenFile)
	} else {
		c.GitHub.Token = Secret(lookup(environ, "GITHUB_TOKEN"))
	}
	app("github", c.GitHub.App)
	if c.GitHub.WebhookSecretFile != "" {
		c.GitHub.WebhookSecrets = lines(read("github.webhookSecretFile", c.GitHub.WebhookSecretFile))
	} else {
		c.GitHub.WebhookSecrets = lines(Secret(lookup(environ, "GITHUB_WEBHOOK_SECRET")))
	}
	for i := range c.Kinds {
		k := &c.Kinds[i]
		b, err := readBounded(k.SchemaFile, maxFile)
		if err == nil {
			if c.Schemas == nil {
				c.Schemas = &catalog.Schemas{}
			}
			err = c.Schemas.Register(k.APIVersion, k.Kind, b)
		}
		if err != nil {
			bad = append(bad, Problem{Where: l.find("kinds." + strconv.Itoa(i)), Message: err.Error()})
		}
	}
	for i := range c.Sources {
		s, key := &c.Sources[i], "sources."+strconv.Itoa(i)
		if s.TokenFile != "" {
			s.Token = read(key+".tokenFile", s.TokenFile)
		}
		if s.WebhookSecretFile != "" {
			s.WebhookSecrets = lines(read(key+".webhookSecretFile", s.WebhookSecretFile))
		}
		app(key, s.App)
	}
	if len(bad) > 0 {
		return bad
	}
	return nil
}

// lines are the secrets of a text with one on each line: two of them while one
// replaces the other.
func lines(s Secret) []Secret {
	var out []Secret
	for line := range strings.Lines(s.Reveal()) {
		if line = strings.TrimSpace(line); line != "" {
			out = append(out, Secret(line))
		}
	}
	return out
}

func readBounded(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	if int64(len(b)) > limit {
		return nil, fmt.Errorf("%s is larger than %d bytes", path, limit)
	}
	return b, nil
}

func lookup(environ []string, name string) string {
	for _, e := range slices.Backward(environ) {
		if v, ok := strings.CutPrefix(e, name+"="); ok {
			return v
		}
	}
	return ""
}

func split(s string) []any {
	var out []any
	for part := range strings.SplitSeq(s, ",") {
		if part = strings.TrimSpace(part); part != "" {
			out = append(out, part)
		}
	}
	return out
}

// camel turns READ_ALLOW into readAllow.
func camel(s string) string {
	var b strings.Builder
	for i, part := range strings.Split(strings.ToLower(s), "_") {
		if i > 0 && part != "" {
			part = strings.ToUpper(part[:1]) + part[1:]
		}
		b.WriteString(part)
	}
	return b.String()
}

// kebab turns readAllow or github.tokenFile into read-allow or github-token-file.
func kebab(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case r == '.':
			b.WriteByte('-')
		case unicode.IsUpper(r):
			b.WriteByte('-')
			b.WriteRune(unicode.ToLower(r))
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}
