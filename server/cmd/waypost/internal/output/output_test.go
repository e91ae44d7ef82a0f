package output

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
	"pgregory.net/rapid"
)

func TestTable(t *testing.T) {
	t.Parallel()
	rows := [][]string{{"shop", "service", strings.Repeat("long ", 20)}, {"日本", "", ""}, {"evil\x1b[31m\nname", "x", "y"}}

	var pipe bytes.Buffer
	require.NoError(t, (&Printer{Writer: &pipe}).Table([]string{"NAME", "TYPE", "DESCRIPTION"}, rows))
	require.Equal(t, ""+
		"NAME            TYPE     DESCRIPTION\n"+
		"shop            service  "+strings.Repeat("long ", 20)+"\n"+
		"日本\n"+
		"evil\uFFFD[31m name  x        y\n", pipe.String())

	var terminal bytes.Buffer
	require.NoError(t, (&Printer{Writer: &terminal, Width: 40}).Table([]string{"NAME", "TYPE", "DESCRIPTION"}, rows))
	for line := range strings.Lines(terminal.String()) {
		require.LessOrEqual(t, len([]rune(strings.TrimRight(line, "\n"))), 40, line)
	}
	require.Contains(t, terminal.String(), "long lo")
}

func TestTableOnATooNarrowTerminal(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	p := &Printer{Writer: &out, Width: 10}
	require.NoError(t, p.Table([]string{"A", "B"}, [][]string{{"0123456789ab", "0123456789ab"}}))
	require.Equal(t, "A           B\n012345678…  012345678…\n", out.String())
}

func TestMark(t *testing.T) {
	t.Parallel()
	require.Equal(t, "x", (&Printer{}).Mark(Red, "x"))
	require.Equal(t, "\x1b[31mx\x1b[0m", (&Printer{Color: true}).Mark(Red, "x"))
	p := New(&bytes.Buffer{}, func(string) string { return "" })
	require.False(t, p.Color)
	require.False(t, p.Terminal())
}

func TestClean(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"plain":        "plain",
		"a\tb\r\nc":    "a b  c",
		"\x1b]0;owned": "\uFFFD]0;owned",
		"abc\u202Edef": "abc\uFFFDdef",
		"bad\xffutf8":  "bad\uFFFDutf8",
		"naïve 日本":     "naïve 日本",
	} {
		require.Equal(t, want, Clean(in))
	}
}

func TestLists(t *testing.T) {
	t.Parallel()
	type item struct {
		Name string   `json:"name"`
		Tags []string `json:"tags"`
	}
	items := []item{{"a", []string{"<x>", "no"}}, {"b", []string{}}}
	for n := range 3 {
		var j, y bytes.Buffer
		jl, yl := (&Printer{Writer: &j}).JSONList("items"), (&Printer{Writer: &y}).YAMLList("items")
		for _, it := range items[:n] {
			require.NoError(t, jl.Add(it))
			require.NoError(t, yl.Add(it))
		}
		require.NoError(t, jl.End())
		require.NoError(t, yl.End())

		var whole bytes.Buffer
		require.NoError(t, (&Printer{Writer: &whole}).JSON(map[string]any{"items": items[:n]}))
		require.Equal(t, whole.String(), j.String())

		var fromJSON, fromYAML map[string]any
		require.NoError(t, json.Unmarshal(j.Bytes(), &fromJSON))
		require.NoError(t, yaml.Unmarshal(y.Bytes(), &fromYAML))
		require.Equal(t, fromJSON, fromYAML)
	}
}

// Whatever is JSON means the same as YAML.
func TestYAMLMeansTheSame(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		in := rapid.MapOf(rapid.String(), rapid.OneOf(
			rapid.String().AsAny(), rapid.Bool().AsAny(), rapid.Int32().AsAny(),
			rapid.SliceOf(rapid.SampledFrom([]string{"", "yes", "null", "1.0", "2026-01-01", "- x", "a: b", "#", "\n", "\t", "{", "0x1", "<<", "=", "~"})).AsAny(),
		)).Draw(t, "object")
		b, err := json.Marshal(in)
		require.NoError(t, err)
		var want, got map[string]any
		require.NoError(t, json.Unmarshal(b, &want))
		text, err := YAML(b)
		require.NoError(t, err)
		require.NoError(t, yaml.Unmarshal(text, &got), string(text))
		again, err := json.Marshal(got)
		require.NoError(t, err)
		var back map[string]any
		require.NoError(t, json.Unmarshal(again, &back))
		require.Equal(t, want, back, string(text))
	})
}
