package descriptor

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
)

// unlikeNPM are the texts that we read otherwise than npm's yaml, version 2,
// with which Backstage reads them.
var unlikeNPM = map[string]string{
	"a: !!str 1\nb: !!int \"3\"\nc: !foo x\nd: !!binary aGk=\ne: !!timestamp 2020-01-01\nf: ! 1\n": "tags beyond the core schema leave text as it is",
	"%YAML 1.1\n---\na: yes\n": "all is read as YAML 1.2",
	"- a\n-\tb\n":              "the parser allows no tab after a dash, and the problem says so",
	"a: \"\n---\nb: 1\n":       "a marker ends a document even within quotes, so that the next one is read",
	"!!set {a}\n":              "sets are mappings here, and empty for Backstage",
	"a: !!set {a, b}\n":        "sets are mappings here, and empty for Backstage",
	"a: !!omap [a: 1]\n":       "ordered mappings are lists here, and empty for Backstage",
}

// TestValues holds what is read of small texts against what npm's yaml reads.
// A document that it refuses is "error"; empty ones are left out.
func TestValues(t *testing.T) {
	t.Parallel()
	content, err := os.ReadFile(filepath.Join("testdata", "yaml.json"))
	require.NoError(t, err)
	var cases []struct {
		YAML      string
		Documents []any
	}
	require.NoError(t, json.Unmarshal(content, &cases))
	require.Len(t, cases, 100)
	unlike := 0
	for _, c := range cases {
		got := []any{}
		d := &decoder{file: File{Content: []byte(c.YAML)}}
		text, ok := d.open()
		require.True(t, ok)
		text, d.back = standIns(text)
		for _, p := range split(text) {
			root, err := parse(p.text)
			if err != nil {
				got = append(got, "error")
				continue
			}
			if root == nil {
				continue
			}
			if d.back != nil {
				putBack(root, d.back)
			}
			var r reader
			switch v, err := r.value(root); {
			case err != nil:
				got = append(got, "error")
			case v != nil:
				got = append(got, asJSON(t, v))
			}
		}
		reason, listed := unlikeNPM[c.YAML]
		diff := cmp.Diff(c.Documents, got)
		switch {
		case diff != "" && !listed:
			t.Errorf("%q\n%s", c.YAML, diff)
		case diff == "" && listed:
			t.Errorf("%q is listed as read otherwise (%s), and is not", c.YAML, reason)
		case listed:
			unlike++
		}
	}
	require.Equal(t, len(unlikeNPM), unlike)
}

// asJSON is a value as JSON has it, where infinity is null.
func asJSON(t *testing.T, v any) any {
	switch v := v.(type) {
	case float64:
		if v-v != 0 {
			return nil
		}
	case []any:
		for i, e := range v {
			v[i] = asJSON(t, e)
		}
	case map[string]any:
		for k, e := range v {
			v[k] = asJSON(t, e)
		}
	}
	text, err := json.Marshal(v)
	require.NoError(t, err)
	var out any
	require.NoError(t, json.Unmarshal(text, &out))
	return out
}
