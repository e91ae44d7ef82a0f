package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func write(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	return path
}

func TestDefaults(t *testing.T) {
	t.Parallel()
	c, err := Load(Options{})
	require.NoError(t, err)
	c.merged = nil
	require.Equal(t, &Config{
		DB: "sqlite:waypost.db", HTTP: "127.0.0.1:8080", GRPC: "127.0.0.1:9090",
		Every: 10 * time.Minute, ShutdownTimeout: 15 * time.Second, MaxRemovals: 20, Orphans: "delete", History: History{Days: 400, Last: 20}, LogLevel: "warn", LogFormat: "text",
	}, c)
}

func TestPrecedence(t *testing.T) {
	t.Parallel()
	file := write(t, "waypost.yaml", "db: sqlite:file.db\nhttp: 127.0.0.1:1\ngrpc: 127.0.0.1:2\nevery: 0\nsources: [{type: dir, path: /file}]\n")
	c, err := Load(Options{
		File:    file,
		Environ: []string{"WAYPOST_HTTP=127.0.0.1:3", "WAYPOST_GRPC=127.0.0.1:4", "WAYPOST_READ_ALLOW=a.example, b.example:8443", "WAYPOST_SERVER=ignored", "WAYPOST_SAMPLE=true", "GITHUB_TOKEN=abc"},
		Flags:   map[string]any{"grpc": "127.0.0.1:5", "github.url": "https://ghe.example"},
		Sources: []FlagSource{{Flag: "--github-org", Values: map[string]any{"type": "github", "org": "acme"}}},
	})
	require.NoError(t, err)
	require.Equal(t, "sqlite:file.db", c.DB)
	require.Equal(t, "127.0.0.1:3", c.HTTP)
	require.Equal(t, "127.0.0.1:5", c.GRPC)
	require.True(t, c.Sample)
	require.Equal(t, []string{"a.example", "b.example:8443"}, c.ReadAllow)
	require.Len(t, c.Sources, 2)
	require.Equal(t, "dir:/file", c.Sources[0].Name())
	require.Zero(t, *c.Sources[0].Every)
	require.Equal(t, "github:acme", c.Sources[1].Name())
	require.Equal(t, "https://ghe.example", c.Sources[1].URL)
	require.Equal(t, "abc", c.Sources[1].Token.Reveal())
	require.True(t, *c.Sources[1].Inference)
}

func TestMistakes(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		file    string
		environ []string
		flags   map[string]any
		sources []FlagSource
		want    []string
	}{
		"unknown key": {
			file: "db: sqlite:x.db\nsouces: []\n",
			want: []string{`FILE:2:1: unknown key "souces"; did you mean "sources"?`},
		},
		"unknown key of a source": {
			file: "sources:\n  - type: github\n    org: acme\n    tokenfile: /x\n  - type: dir\n    path: /x\n    org: acme\n",
			want: []string{
				`FILE:4:5: unknown key "tokenfile"; did you mean "tokenFile"?`,
				`FILE:7:5: unknown key "org"; allowed are allow, branch, every, inference, maxRemovals, orphans, path, patterns, priority, repositories, type`,
			},
		},
		"nested unknown key": {
			file: "sources:\n  - type: dir\n    path: /x\n    repositories: {exlude: [a]}\n",
			want: []string{`FILE:4:20: unknown key "exlude"; did you mean "exclude"?`},
		},
		"bad values": {
			file: "db: mysql://x\nevery: tenminutes\nlogLevel: loud\nsample: maybe\nhttp: 8080\n",
			want: []string{
				`FILE:1:1: db is "mysql://x"; write sqlite:PATH or postgres://USER:PASSWORD@HOST/NAME`,
				`FILE:2:1: every is "tenminutes"; write a duration such as 90s, 10m or 1h30m`,
				`FILE:3:1: logLevel is loud; allowed are debug, info, warn, error`,
				`FILE:4:1: sample is of type string; write a value of type boolean`,
				`FILE:5:1: http is of type number; write a value of type string`,
			},
		},
		"source without what it needs": {
			file: "sources:\n  - type: github\n  - path: /x\n  - type: git\n",
			want: []string{
				`FILE:2:5: source 1 lacks org`,
				`FILE:3:5: source 2 lacks type`,
				`FILE:4:5: type of source 3 is git; write one of github, dir, location`,
			},
		},
		"same source twice": {
			file: "sources:\n  - {type: github, org: acme}\n  - {type: github, org: Acme}\n",
			want: []string{`FILE:3:5: source 2 is github:Acme, which is source 1 already; name each source once`},
		},
		"key given twice": {
			file: "db: sqlite:a\ndb: sqlite:b\n",
			want: []string{`mapping key "db" already defined at line 1`},
		},
		"not YAML": {file: "db: [\n", want: []string{"FILE: line "}},
		"not a mapping": {
			file: "- db\n",
			want: []string{"FILE:1:1: the configuration is not a mapping of keys to values; run waypost config schema"},
		},
		"environment": {
			environ: []string{"WAYPOST_EVERY=soon"},
			want:    []string{`environment variable WAYPOST_EVERY: every is "soon"; write a duration`},
		},
		"environment boolean": {
			environ: []string{"WAYPOST_SAMPLE=perhaps"},
			want:    []string{`environment variable WAYPOST_SAMPLE: "perhaps" is neither true nor false`},
		},
		"flag": {
			flags: map[string]any{"readAllow": []string{""}},
			want:  []string{`--read-allow: readAllow.0`},
		},
		"flag source": {
			sources: []FlagSource{{Flag: "--location foo", Values: map[string]any{"type": "location", "target": "foo"}}},
			want:    []string{`--location foo: target of source 1 is "foo"; write url:https://HOST/PATH or file:PATH`},
		},
		"listen to the world": {
			flags: map[string]any{"http": "0.0.0.0:8080", "grpc": ":9090"},
			want:  []string{`--grpc: grpc :9090 can be reached from other machines`, `--http: http 0.0.0.0:8080 can be reached`},
		},
		"port out of range": {
			flags: map[string]any{"http": "127.0.0.1:80808"},
			want:  []string{`--http: http is "127.0.0.1:80808"; write HOST:PORT`},
		},
		"secret that is not there": {
			file: "github:\n  tokenFile: /does/not/exist\n",
			want: []string{"FILE:2:3: cannot read the secret: open /does/not/exist"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := ""
			if test.file != "" {
				file = write(t, "waypost.yaml", test.file)
			}
			_, err := Load(Options{File: file, Environ: test.environ, Flags: test.flags, Sources: test.sources})
			require.Error(t, err)
			got := err.Error()
			if file != "" {
				got = strings.ReplaceAll(got, file, "FILE")
			}
			lines := strings.Split(got, "\n")
			if len(test.want) > 1 {
				require.Len(t, lines, len(test.want), got)
				for i := range lines {
					require.Contains(t, lines[i], test.want[i])
				}
				return
			}
			require.Contains(t, got, test.want[0])
		})
	}
}

func TestInsecureListen(t *testing.T) {
	t.Parallel()
	_, err := Load(Options{Flags: map[string]any{"http": "0.0.0.0:8080", "insecureListen": true}})
	require.NoError(t, err)
	for address, want := range map[string]bool{
		"127.0.0.1:1": true, "127.9.9.9:1": true, "[::1]:1": true, "localhost:1": true, "[::ffff:127.0.0.1]:1": true,
		"0.0.0.0:1": false, "[::]:1": false, ":1": false, "10.0.0.1:1": false, "example.org:1": false, "": false,
	} {
		require.Equal(t, want, loopback(address), address)
	}
}

func TestSecretsDoNotShow(t *testing.T) {
	t.Parallel()
	const secret = "ghp_verysecret"
	token := write(t, "token", secret+"\n")
	file := write(t, "waypost.yaml", fmt.Sprintf("github: {tokenFile: %s}\nsources: [{type: github, org: acme}]\n", token))
	c, err := Load(Options{File: file, Environ: []string{"GITHUB_TOKEN=other"}})
	require.NoError(t, err)
	require.Equal(t, secret, c.Sources[0].Token.Reveal())
	asJSON, err := json.Marshal(c)
	require.NoError(t, err)
	for _, printed := range []string{fmt.Sprint(*c), fmt.Sprintf("%+v", c.Sources[0]), fmt.Sprintf("%#v", c.GitHub), string(asJSON)} {
		require.NotContains(t, printed, "verysecret")
		require.Contains(t, printed, mask)
	}
}

func TestEffective(t *testing.T) {
	t.Parallel()
	c, err := Load(Options{Environ: []string{"GITHUB_TOKEN=verysecret"}, Flags: map[string]any{"db": "postgres://waypost:verysecret@db.example/waypost?sslmode=require", "github.url": "https://ghe.example"}})
	require.NoError(t, err)
	b, err := json.Marshal(c.Effective())
	require.NoError(t, err)
	require.NotContains(t, string(b), "verysecret")
	require.Equal(t, "postgres://waypost:***@db.example/waypost?sslmode=require", c.Effective()["db"])
	require.Equal(t, map[string]any{"token": "***", "url": "https://ghe.example"}, c.Effective()["github"])
	require.Equal(t, "10m", c.Effective()["every"])
}

func TestExample(t *testing.T) {
	t.Parallel()
	secret := write(t, "secret", "x")
	text := strings.NewReplacer("/run/secrets/github-token", secret, "/run/secrets/github-webhook", write(t, "webhook", "one\n\ntwo\n"),
		"/etc/waypost/dataset.schema.json", write(t, "schema.json", `{"type": "object"}`), "/run/secrets/github-app.pem", secret).Replace(string(Example))
	c, err := Load(Options{File: write(t, "waypost.yaml", text)})
	require.NoError(t, err)
	require.Len(t, c.Sources, 4)
	require.Equal(t, int64(1234), c.Sources[1].App.AppID)
	require.Equal(t, time.Hour, *c.Sources[1].Every)
	require.False(t, *c.Sources[0].Forks)
	require.Equal(t, []Secret{"one", "two"}, c.Sources[0].WebhookSecrets)
	require.InDelta(t, 20, *c.Sources[0].MaxRemovals, 0)
	require.InDelta(t, 50, *c.Sources[2].MaxRemovals, 0)
	require.Equal(t, "24h", c.Sources[0].Orphans)
	require.Equal(t, "keep", c.Sources[2].Orphans)
	require.NotEmpty(t, c.Schemas.Version())
	require.Equal(t, History{Days: 400, Last: 20}, c.History)
}

// The schema and the Go types must name the same keys.
func TestSchemaHasTheKeysOfTheTypes(t *testing.T) {
	t.Parallel()
	keys := func(v any) []string {
		var out []string
		for _, f := range reflect.VisibleFields(reflect.TypeOf(v)) {
			if tag := f.Tag.Get("koanf"); tag != "-" && f.IsExported() {
				out = append(out, tag)
			}
		}
		slices.Sort(out)
		return out
	}
	properties := func(names ...string) []string {
		seen := map[string]bool{}
		for _, name := range names {
			for key := range tree().Defs[name].Properties {
				seen[key] = true
			}
		}
		out := make([]string, 0, len(seen))
		for key := range seen {
			out = append(out, key)
		}
		slices.Sort(out)
		return out
	}
	top := make([]string, 0)
	for key := range tree().Properties {
		top = append(top, key)
	}
	slices.Sort(top)
	require.Equal(t, keys(Config{}), top)
	require.Equal(t, keys(Source{}), properties("github", "dir", "location"))
	require.Equal(t, keys(App{}), properties("app"))
	require.Equal(t, keys(Repositories{}), properties("repositories"))
}

func FuzzLoad(f *testing.F) {
	f.Add("db: sqlite:x\n")
	f.Add("sources:\n  - {type: github, org: a}\n")
	f.Add("a: &a [*a]\n")
	f.Add("sources: {0: x}\n? [a]\n: b\n")
	f.Fuzz(func(t *testing.T, content string) {
		file := filepath.Join(t.TempDir(), "c.yaml")
		require.NoError(t, os.WriteFile(file, []byte(content), 0o600))
		c, err := Load(Options{File: file})
		if err == nil {
			require.NotEmpty(t, c.DB)
		}
	})
}

func TestCheckPlugin(t *testing.T) {
	t.Parallel()
	schema := []byte(`{"type":"object","additionalProperties":false,"required":["cadence"],
		"properties":{"cadence":{"type":"integer"},"tiers":{"type":"object","properties":{"gold":{"type":"integer"}},"additionalProperties":false}}}`)
	file := filepath.Join(t.TempDir(), "waypost.yaml")
	require.NoError(t, os.WriteFile(file, []byte(`plugins:
  ownership:
    config:
      cadence: often
      tiers:
        golb: 30
  other:
    enabled: false
    dir: /tmp
  none: {}
`), 0o600))
	_, err := Load(Options{File: file})
	require.ErrorContains(t, err, file+":7:3: plugin other has a dir or env, and no command")
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(file, bytes.Replace(text, []byte("dir: /tmp"), []byte("command: [x]"), 1), 0o600))
	c, err := Load(Options{File: file})
	require.NoError(t, err)
	require.True(t, c.Plugins["other"].Off())
	require.False(t, c.Plugins["none"].Off())

	_, err = c.CheckPlugin("ownership", schema)
	require.EqualError(t, err, file+":4:7: plugins.ownership.config.cadence is of type string; write a value of type integer\n"+
		file+`:6:9: unknown key "golb"; did you mean "gold"?`)
	_, err = c.CheckPlugin("ownership", nil)
	require.ErrorContains(t, err, "takes no configuration")
	_, err = c.CheckPlugin("none", schema)
	require.ErrorContains(t, err, "lacks cadence")
	got, err := c.CheckPlugin("none", []byte(`{"type":"object"}`))
	require.NoError(t, err)
	require.JSONEq(t, "null", string(got))
}
