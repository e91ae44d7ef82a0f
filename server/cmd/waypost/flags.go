package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/waypost-dev/waypost/server/config"
)

// choice is a flag with a fixed set of values.
type choice struct {
	value   *string
	allowed []string
}

func (c choice) String() string { return *c.value }
func (c choice) Type() string   { return strings.Join(c.allowed, "|") }
func (c choice) Set(s string) error {
	if !slices.Contains(c.allowed, s) {
		return fmt.Errorf("write one of %s", strings.Join(c.allowed, ", "))
	}
	*c.value = s
	return nil
}

// formatFlag adds -o to a command.
func formatFlag(cmd *cobra.Command, value *string, preset string, allowed ...string) {
	*value = preset
	choiceFlag(cmd, "output", "o", value, "form of the answer", allowed)
}

func choiceFlag(cmd *cobra.Command, name, short string, value *string, text string, allowed []string) {
	cmd.Flags().VarP(choice{value, allowed}, name, short, text)
	err := cmd.RegisterFlagCompletionFunc(name, cobra.FixedCompletions(allowed, cobra.ShellCompDirectiveNoFileComp))
	if err != nil {
		panic("waypost: " + err.Error()) // the flag was added a line above
	}
}

// sourceFlag collects repeatable flags that name sources, in the order in which
// they are given, over all flags.
type sourceFlag struct {
	into  *[]config.FlagSource
	flag  string
	typ   string
	field string
	value string
}

func (s *sourceFlag) String() string { return "" }
func (s *sourceFlag) Type() string   { return s.value }
func (s *sourceFlag) Set(v string) error {
	*s.into = append(*s.into, config.FlagSource{
		Flag:   "--" + s.flag + " " + v,
		Values: map[string]any{"type": s.typ, s.field: v},
	})
	return nil
}

// settings are the flags of which a configuration is made.
type settings struct {
	flags   *pflag.FlagSet
	file    string
	sources []config.FlagSource
}

// settingsFlags adds the flags that choose a database and sources, and with
// listen those that say where to serve them.
func settingsFlags(cmd *cobra.Command, listen bool) *settings {
	f := cmd.Flags()
	s := &settings{flags: f}
	f.StringVar(&s.file, "config", "", "configuration file (env WAYPOST_CONFIG)")
	f.String("db", "", "database, sqlite:PATH or postgres://… (default sqlite:waypost.db)")
	for _, source := range []*sourceFlag{
		{flag: "dir", typ: "dir", field: "path", value: "DIR"},
		{flag: "github-org", typ: "github", field: "org", value: "ORG"},
		{flag: "location", typ: "location", field: "target", value: "TYPE:TARGET"},
	} {
		source.into = &s.sources
		text := map[string]string{
			"dir":        "harvest a directory of git clones; repeatable",
			"github-org": "harvest a GitHub organisation; repeatable",
			"location":   "harvest one catalog file, url:ADDRESS or file:PATH; repeatable",
		}[source.flag]
		f.Var(source, source.flag, text)
	}
	f.String("github-url", "", "GitHub Enterprise Server of the organisations (default github.com)")
	f.String("github-token-file", "", "file with the GitHub token (default: GITHUB_TOKEN)")
	f.StringSlice("read-allow", nil, "HOST or HOST:PORT that locations may be read from; repeatable")
	f.Bool("sample", false, "harvest the bundled sample organisation")
	f.String("log-level", "", "debug, info, warn or error (default warn)")
	if listen {
		f.String("http", "", "HOST:PORT of the HTTP listener (default 127.0.0.1:8080)")
		f.String("grpc", "", "HOST:PORT of the gRPC listener (default 127.0.0.1:9090)")
		f.String("every", "", "time between harvests of a source (default 10m)")
		f.Bool("insecure-listen", false, "listen beyond loopback although nothing authenticates callers")
	}
	return s
}

// keys are the configuration's keys by the flags that set them.
var keys = map[string]string{
	"db": "db", "http": "http", "grpc": "grpc", "every": "every", "sample": "sample",
	"read-allow": "readAllow", "insecure-listen": "insecureListen", "log-level": "logLevel",
	"github-url": "github.url", "github-token-file": "github.tokenFile",
}

// load makes the configuration.
func (s *settings) load(c *cli) (*config.Config, error) {
	o := config.Options{File: s.file, Environ: c.environ, Flags: map[string]any{}, Sources: s.sources}
	if o.File == "" {
		o.File = c.getenv("WAYPOST_CONFIG")
	}
	var err error
	s.flags.Visit(func(f *pflag.Flag) {
		key, ok := keys[f.Name]
		if !ok {
			return
		}
		switch f.Value.Type() {
		case "bool":
			o.Flags[key] = f.Value.String() == "true"
		case "stringSlice":
			list, e := s.flags.GetStringSlice(f.Name)
			err = e
			o.Flags[key] = list
		default:
			o.Flags[key] = f.Value.String()
		}
	})
	if err != nil {
		return nil, fmt.Errorf("read flags: %w", err)
	}
	return config.Load(o)
}
