package descriptor

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waypost-dev/waypost/server/catalog"
)

const apiHead = "apiVersion: backstage.io/v1alpha1\nkind: API\nmetadata:\n  name: a\nspec:\n  type: openapi\n  lifecycle: production\n  owner: shop\n"

// including decodes a document with files that are named by their paths alone.
func including(text string, files map[string]string) Decoded {
	return Decode(File{Path: "catalog-info.yaml", Content: []byte(text), Include: func(_, target string) (Included, bool) {
		if target == "broken" {
			return Included{Path: target, Problem: &catalog.Problem{Code: catalog.CodeUnreadable, Message: "it is broken", Hint: "mend it"}}, true
		}
		content, ok := files[target]
		return Included{Path: target, Content: []byte(content)}, ok
	}})
}

func TestInclude(t *testing.T) {
	t.Parallel()
	files := map[string]string{
		"text": "\ufeffopenapi: 3.0.0\n", "json": `{"a": [1, 2.5, -3, 1e3, true, null, "x"], "b": {"$text": "text"}, "c": {"$ref": "#/x"}}`,
		"yaml": "a: yes\nb: {$json: small}\nc:\n  - $text: text\n", "small": `[{"$yaml": "scalar"}]`, "scalar": "--- 12\n", "text2": "{$text: text}",
	}
	for text, want := range map[string]string{
		"{$text: text}":                 `"openapi: 3.0.0\n"`,
		"{$json: json}":                 `{"a":[1,2.5,-3,1000,true,null,"x"],"b":"openapi: 3.0.0\n","c":{"$ref":"#/x"}}`,
		"{$yaml: yaml}":                 `{"a":"yes","b":[12],"c":["openapi: 3.0.0\n"]}`,
		"{$text: text2}":                `"{$text: text}"`,
		"[{$text: text}, {$ref: text}]": `["openapi: 3.0.0\n",{"$ref":"text"}]`,
		"{$text: text, other: 1}":       `{"$text":"text","other":1}`,
		"{$text: 5}":                    `{"$text":5}`,
		"{$openapi: text}":              `{"$openapi":"text"}`,
		"{<<: {$text: text}, b: 1}":     "", // a merge of text
		"&x {$text: text}":              `"openapi: 3.0.0\n"`,
	} {
		d := including("apiVersion: v1\nkind: Custom\nmetadata:\n  name: a\nspec:\n  x: "+text+"\n", files)
		if want == "" {
			require.Empty(t, d.Entities, text)
			continue
		}
		require.Len(t, d.Entities, 1, "%s: %v", text, d.Problems)
		require.JSONEq(t, want, string(d.Entities[0].Field("spec.x")), text)
	}

	d := Decode(File{Path: "x", Content: []byte(apiHead + "  definition: {$text: text}\n")})
	require.Len(t, d.Entities, 1, "without a resolver placeholders stay")
	one := including(apiHead+"  definition: {$text: text}\n", files)
	require.Empty(t, one.Problems)
	files["text"] = "openapi: 3.1.0\n"
	two := including(apiHead+"  definition: {$text: text}\n", files)
	require.NotEqual(t, one.Entities[0].Hash(), two.Entities[0].Hash(), "the included text is part of the entity")
}

func TestIncludeFails(t *testing.T) {
	t.Parallel()
	deep := map[string]string{}
	for i := range 6 {
		deep[fmt.Sprint("d", i)] = fmt.Sprintf("x: {$yaml: d%d}\n", i+1)
	}
	files := map[string]string{
		"self": "a: 1\nb: {$yaml: self}\n", "one": "x: {$yaml: two}", "two": `x: {$json: three}`, "three": `{"x": {"$yaml": "one"}}`,
		"latin1": "caf\xe9", "nul": "a\x00b", "many.yaml": "--- 1\n--- 2\n", "none.yaml": "# nothing\n", "bad.yaml": "a: 1\nb: [\n", "twice.yaml": "a: 1\na: 2\n",
		"bad.json": "{\"a\": 1,\n \"b\" 2}", "more.json": "{} {}", "short.json": "[1, 2", "crowd.json": "[" + strings.Repeat("1,", 200_000) + "1]",
		"deep.json": strings.Repeat("[", 500) + strings.Repeat("]", 500), "crowd.yaml": "[" + strings.Repeat("1,", 200_000) + "1]",
		"large": strings.Repeat("x", maxText-100), "empty": "", "catalog-info.yaml": "a: 1\n",
	}
	for k, v := range deep {
		files[k] = v
	}
	for text, want := range map[string]string{
		"{$text: missing}":                 `unreadable 9:15 $text "missing": it was not read`,
		"{$text: broken}":                  `unreadable 9:15 $text "broken": it is broken; mend it`,
		"{$yaml: self}":                    `too-large 9:15 $yaml "self": line 2: $yaml "self": it leads back to self, in a circle`,
		"{$yaml: catalog-info.yaml}":       `too-large 9:15 $yaml "catalog-info.yaml": it leads back to catalog-info.yaml, in a circle`,
		"{$yaml: one}":                     `too-large 9:15 $yaml "one": line 1: $yaml "two": line 1: $json "three": $yaml "one": placeholders lead from one file to the next more than 3 times`,
		"{$yaml: d0}":                      `too-large 9:15 $yaml "d0": line 1: $yaml "d1": line 1: $yaml "d2": line 1: $yaml "d3": placeholders lead from one file to the next more than 3 times`,
		"{$text: latin1}":                  `encoding 9:15 $text "latin1": the file is no text in UTF-8`,
		"{$text: nul}":                     `encoding 9:15 $text "nul": `,
		"{$yaml: many.yaml}":               `yaml-syntax 9:15 $yaml "many.yaml": the file holds 2 documents and not one`,
		"{$yaml: none.yaml}":               `yaml-syntax 9:15 $yaml "none.yaml": the file holds 0 documents`,
		"{$yaml: bad.yaml}":                `yaml-syntax 9:15 $yaml "bad.yaml": line `,
		"{$yaml: twice.yaml}":              `duplicate-key 9:15 $yaml "twice.yaml": line 2: the key "a" stands twice`,
		"{$json: bad.json}":                `yaml-syntax 9:15 $json "bad.json": line 2: the file is not JSON`,
		"{$json: more.json}":               `yaml-syntax 9:15 $json "more.json": line 1: the file is not JSON: something follows`,
		"{$json: short.json}":              `yaml-syntax 9:15 $json "short.json": line 1: the file is not JSON`,
		"{$json: empty}":                   `yaml-syntax 9:15 $json "empty": line 1: the file is not JSON: it ends too early`,
		"{$json: crowd.json}":              `too-large 9:15 $json "crowd.json": the document and what it includes have more than 100000 values`,
		"{$yaml: crowd.yaml}":              `too-large 9:15 $yaml "crowd.yaml": the file may hold more than 100000 values`,
		"{$json: deep.json}":               `too-large 9:15 $json "deep.json": it is nested more than 100 deep`,
		"[{$text: large}, {$text: large}]": `too-large 9:16 $text "large": the document and what it includes have more than 5242880 bytes of text`,
	} {
		d := including(apiHead+"  definition: "+text+"\n---\n"+good("other"), files)
		require.Len(t, d.Entities, 1, "%s spoils its own entity and no other: %v", text, d.Problems)
		require.Len(t, d.Problems, 1, text)
		p := d.Problems[0]
		require.NotEmpty(t, p.Hint, text)
		require.Equal(t, "api:default/a", strings.ToLower(p.Entity), text)
		require.Contains(t, fmt.Sprintf("%s %d:%d %s; %s", p.Code, p.Line, p.Column, p.Message, p.Hint), want, text)
	}
}
